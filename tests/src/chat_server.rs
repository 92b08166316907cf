//! A real XMPP server: Prosody, or ejabberd where `OFFHOOK_CHAT_SERVER=ejabberd` says so
//! (docs/interop.md).

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::knot::fill;
use crate::pki::Identity;
use crate::running::Running;
use crate::{free_port, program};

/// Where Debian's package `prosody-modules` puts its modules.
const MODULES: &str = "/usr/lib/prosody/modules";

/// Our own modules for Prosody.
const PLUGINS: [(&str, &str); 2] = [
    ("mod_auth_vtg.lua", include_str!("../fixtures/mod_auth_vtg.lua")),
    ("mod_tap.lua", include_str!("../fixtures/mod_tap.lua")),
];

/// An XMPP server that can be stopped and started again on the same ports. Beside the domain it
/// serves rooms at `conference.`, file upload at `upload.` and a SOCKS5 proxy at `proxy.`.
pub struct ChatServer {
    /// Port with STARTTLS.
    pub port: u16,
    /// Port with TLS from the first byte.
    pub tls_port: u16,
    /// Port of the file upload, HTTPS.
    pub https_port: u16,
    /// Port of the SOCKS5 proxy.
    pub proxy_port: u16,
    ejabberd: bool,
    folder: PathBuf,
    running: Option<Running>,
}

/// Whether the tests run against ejabberd this time.
pub fn by_ejabberd() -> bool {
    std::env::var("OFFHOOK_CHAT_SERVER").is_ok_and(|name| name == "ejabberd")
}

impl ChatServer {
    /// Serves `domain` for these users, all with the same password.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(
        folder: &Path,
        domain: &str,
        identity: &Identity,
        users: &[&str],
        password: &str,
    ) -> Self {
        if by_ejabberd() {
            return Self::ejabberd(folder, domain, identity, users, password);
        }
        let login = "authentication = \"internal_plain\" -- PLAIN, SCRAM-SHA-1 and SCRAM-SHA-256";
        Self::prosody(folder, domain, identity, users, password, login, free_port())
    }

    /// Serves `domain` as the XMPP server of an IM and Presence node: with one-time passwords that
    /// somebody else writes to `tokens`, each once. Prosody always.
    ///
    /// # Panics
    /// It does not start.
    pub fn behind_soap(
        folder: &Path,
        domain: &str,
        identity: &Identity,
        tokens: &Path,
        port: u16,
    ) -> Self {
        let tokens = tokens.to_string_lossy();
        let login = format!("authentication = \"vtg\"; vtg_tokens = {tokens:?}");
        Self::prosody(folder, domain, identity, &[], "", &login, port)
    }

    fn prosody(
        folder: &Path,
        domain: &str,
        identity: &Identity,
        users: &[&str],
        password: &str,
        login: &str,
        port: u16,
    ) -> Self {
        let mut server = Self::new(folder.join("prosody"), port, false);
        // Prosody's own way of writing a name into a path.
        let escaped = domain.replace('.', "%2e").replace('-', "%2d");
        let accounts = server.folder.join("data").join(escaped).join("accounts");
        std::fs::create_dir_all(&accounts).expect("a folder for accounts");
        for user in users {
            let account = format!("return {{ [\"password\"] = \"{password}\"; }};\n");
            std::fs::write(accounts.join(format!("{user}.dat")), account).expect("an account");
        }
        let plugins = server.folder.join("plugins");
        std::fs::create_dir_all(&plugins).expect("a folder for plugins");
        for (name, text) in PLUGINS {
            std::fs::write(plugins.join(name), text).expect("a plugin");
        }
        let paths = format!("plugin_paths = {{ {:?}, {MODULES:?} }}; ", plugins.to_string_lossy());
        let login = paths + login;
        // Without the package of community modules, rooms have no moderation.
        let there = Path::new(MODULES).join("mod_muc_moderation").exists();
        let moderation = if there { "\"muc_moderation\";" } else { "" };
        let more = [("LOGIN", login.as_str()), ("MODERATION", moderation)];
        server.configure(
            "prosody.cfg.lua",
            include_str!("../fixtures/prosody.cfg.lua"),
            domain,
            identity,
            &more,
        );
        server.start_again();
        server
    }

    /// Starts again without some of its services, `upload` or `proxy`. Prosody only.
    ///
    /// # Panics
    /// It does not start.
    pub fn without(&mut self, services: &[&str]) {
        let file = self.folder.join("prosody.cfg.lua");
        let text = std::fs::read_to_string(&file).expect("a configuration file");
        let mut left_out = false;
        let mut kept = String::new();
        for line in text.lines() {
            let of = |service: &&str| line.starts_with(&format!("Component \"{service}."));
            if line.starts_with("Component") {
                left_out = services.iter().any(of);
            }
            if !left_out {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        for (service, name) in [("upload", "Upload"), ("proxy", "Bytestreams")] {
            if services.contains(&service)
                && let Some(end) = kept.find(&format!("\"{name}\" }}"))
                && let Some(start) = kept[..end].rfind('{')
            {
                let end = end + name.len() + 4;
                kept.replace_range(start..end, "");
            }
        }
        let kept = kept.replace("{ , ", "{ ").replace(", ,", ",").replace(", }", " }");
        std::fs::write(&file, kept).expect("a configuration file");
        self.stop();
        self.start_again();
    }

    fn ejabberd(
        folder: &Path,
        domain: &str,
        identity: &Identity,
        users: &[&str],
        password: &str,
    ) -> Self {
        let mut server = Self::new(folder.join("ejabberd"), free_port(), true);
        let api = free_port();
        let both = identity.both.to_string_lossy();
        let more = [("BOTH", both.as_ref()), ("API", &api.to_string())];
        let config = include_str!("../fixtures/ejabberd.yml");
        server.configure("ejabberd.yml", config, domain, identity, &more);
        server.start_again();
        for user in users {
            register(api, domain, user, password);
        }
        server
    }

    fn new(folder: PathBuf, port: u16, ejabberd: bool) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder for the chat server");
        Self {
            port,
            tls_port: free_port(),
            https_port: free_port(),
            proxy_port: free_port(),
            ejabberd,
            folder,
            running: None,
        }
    }

    fn configure(
        &self,
        name: &str,
        template: &str,
        domain: &str,
        identity: &Identity,
        more: &[(&str, &str)],
    ) {
        let ports = [self.port, self.tls_port, self.https_port, self.proxy_port];
        let [port, tls, https, proxy] = ports.map(|port| port.to_string());
        let (key, certificate) =
            (identity.key.to_string_lossy(), identity.certificate.to_string_lossy());
        let folder = self.folder.to_string_lossy();
        let known = [
            ("FOLDER", folder.as_ref()),
            ("PORT", &port),
            ("TLS_PORT", &tls),
            ("HTTPS_PORT", &https),
            ("PROXY_PORT", &proxy),
            ("KEY", &key),
            ("CERTIFICATE", &certificate),
            ("DOMAIN", domain),
        ];
        let config = fill(template, &[&known[..], more].concat());
        std::fs::write(self.folder.join(name), config).expect("a configuration file");
    }

    /// Starts it (again).
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        let count = std::fs::read_dir(&self.folder).map(Iterator::count).unwrap_or(0);
        let (name, mut command) =
            if self.ejabberd { ("ejabberd", self.erl()) } else { ("prosody", self.lua()) };
        let mut running = Running::start(&format!("{name}-{count}"), &mut command, &self.folder);
        let ports = [self.port, self.tls_port];
        running.ready(90, || {
            ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        self.running = Some(running);
    }

    /// The XML namespaces that clients have sent and received, as `in NAMESPACE` and
    /// `out NAMESPACE`. Prosody only.
    pub fn namespaces(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.folder.join("namespaces.txt")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    fn lua(&self) -> Command {
        let mut command = Command::new(program("prosody").expect("prosody"));
        command.arg("--config").arg(self.folder.join("prosody.cfg.lua")).arg("-F");
        command
    }

    /// Straight under Erlang: no distribution, no port mapper, no other user.
    fn erl(&self) -> Command {
        let mut command = Command::new(program("erl").expect("erl"));
        let spool = format!("{:?}", self.folder.join("spool").to_string_lossy());
        command
            .args(["-noinput", "+K", "true", "-mnesia", "dir", &spool, "-s", "ejabberd"])
            .env("EJABBERD_CONFIG_PATH", self.folder.join("ejabberd.yml"))
            .env("EJABBERD_LOG_PATH", self.folder.join("ejabberd.log"))
            .env("ERL_CRASH_DUMP", self.folder.join("crash.dump"))
            .env("ERL_LIBS", erl_libs())
            .env("HOME", &self.folder);
        command
    }
}

/// Debian puts ejabberd beside the other Erlang libraries of the machine's kind.
fn erl_libs() -> PathBuf {
    let known = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    let holds = |path: &&str| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.into_iter().any(|it| it.file_name().to_string_lossy().starts_with("ejabberd-"))
    };
    PathBuf::from(known.iter().find(|path| holds(path)).copied().unwrap_or("/usr/lib"))
}

/// ejabberd's interface for administrators makes an account.
fn register(port: u16, domain: &str, user: &str, password: &str) {
    use std::io::{Read, Write};
    let body = format!(r#"{{"user":"{user}","host":"{domain}","password":"{password}"}}"#);
    let mut answer = String::new();
    // It listens there somewhat later than for clients.
    let mut stream = crate::until("the administrators' port", 60, || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let request = format!(
        "POST /api/register HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("asked");
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.contains(" 200 "), "{answer}");
}
