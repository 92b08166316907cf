//! Prosody: a real XMPP server.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::knot::fill;
use crate::pki::Identity;
use crate::running::Running;
use crate::{free_port, program};

/// An XMPP server that can be stopped and started again on the same ports.
pub struct Prosody {
    /// Port with STARTTLS.
    pub port: u16,
    /// Port with TLS from the first byte.
    pub tls_port: u16,
    folder: PathBuf,
    running: Option<Running>,
}

impl Prosody {
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
        let (port, tls_port) = (free_port(), free_port());
        let login = "authentication = \"internal_plain\" -- PLAIN, SCRAM-SHA-1 and SCRAM-SHA-256";
        Self::serve(folder, domain, identity, users, password, login, (port, tls_port))
    }

    /// Serves `domain` as the XMPP server of an IM and Presence node: with one-time passwords that
    /// somebody else writes to `tokens`, each once.
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
        let plugins = folder.join("prosody-plugins");
        std::fs::create_dir_all(&plugins).expect("a folder for plugins");
        let plugin = include_str!("../fixtures/mod_auth_vtg.lua");
        std::fs::write(plugins.join("mod_auth_vtg.lua"), plugin).expect("a plugin");
        let login = format!(
            "plugin_paths = {{ {:?} }}; authentication = \"vtg\"; vtg_tokens = {:?}",
            plugins.to_string_lossy(),
            tokens.to_string_lossy()
        );
        Self::serve(folder, domain, identity, &[], "", &login, (port, free_port()))
    }

    fn serve(
        folder: &Path,
        domain: &str,
        identity: &Identity,
        users: &[&str],
        password: &str,
        login: &str,
        (port, tls_port): (u16, u16),
    ) -> Self {
        let folder = folder.join("prosody");
        // Prosody's own way of writing a name into a path.
        let escaped = domain.replace('.', "%2e").replace('-', "%2d");
        let accounts = folder.join("data").join(escaped).join("accounts");
        std::fs::create_dir_all(&accounts).expect("a folder for accounts");
        for user in users {
            let account = format!("return {{ [\"password\"] = \"{password}\"; }};\n");
            std::fs::write(accounts.join(format!("{user}.dat")), account).expect("an account");
        }
        let config = fill(
            include_str!("../fixtures/prosody.cfg.lua"),
            &[
                ("FOLDER", &folder.to_string_lossy()),
                ("PORT", &port.to_string()),
                ("TLS_PORT", &tls_port.to_string()),
                ("KEY", &identity.key.to_string_lossy()),
                ("CERTIFICATE", &identity.certificate.to_string_lossy()),
                ("DOMAIN", domain),
                ("LOGIN", login),
            ],
        );
        let file = folder.join("prosody.cfg.lua");
        std::fs::write(&file, config).expect("a configuration file");
        let mut prosody = Self { port, tls_port, folder, running: None };
        prosody.start_again();
        prosody
    }

    /// Starts it (again).
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        let count = std::fs::read_dir(&self.folder).map(Iterator::count).unwrap_or(0);
        let mut command = Command::new(program("prosody").expect("prosody"));
        command.arg("--config").arg(self.folder.join("prosody.cfg.lua")).arg("-F");
        let mut running = Running::start(&format!("prosody-{count}"), &mut command, &self.folder);
        let ports = [self.port, self.tls_port];
        running.ready(60, || {
            ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        self.running = Some(running);
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.running = None;
    }
}
