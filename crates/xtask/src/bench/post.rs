//! A chat server whose accounts differ in the length of their contact lists, and a crowd that
//! answers, and writes in bursts. The server is Prosody; the crowd is a module of it, so that what
//! is measured meets a server's own pace.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::stage::{until, within};
use crate::packages::exists;
use crate::process::{Running, Scratch};

/// The domain of the accounts.
pub const DOMAIN: &str = "bench.test";
/// Everybody's password.
pub const PASSWORD: &str = "pw-of-the-bench";
/// The accounts, and how many people are on the list of each.
pub const ACCOUNTS: [(&str, usize); 3] = [("none", 0), ("one", 1), ("many", 10_000)];

/// A running server.
pub struct Post {
    /// Where it listens on 127.0.0.1, with STARTTLS.
    pub port: u16,
    /// Who signed its certificate, PEM.
    pub authority: PathBuf,
    /// Its certificate, PEM.
    pub certificate: PathBuf,
    folder: PathBuf,
    _running: Running,
}

impl Post {
    /// Starts it; nothing, and a sentence, when Prosody or openssl is not installed.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(scratch: &Scratch) -> Result<Option<Self>, String> {
        if let Some(missing) = ["prosody", "openssl"].into_iter().find(|name| !exists(name)) {
            println!("{missing} is not installed: left out.");
            return Ok(None);
        }
        let folder = scratch.0.join("post");
        let port = free_port()?;
        accounts(&folder).map_err(|error| format!("the accounts: {error}"))?;
        configure(&folder, port).map_err(|error| format!("the configuration: {error}"))?;
        certify(&folder)?;
        let mut command = Command::new("prosody");
        command.arg("--config").arg(folder.join("prosody.cfg.lua")).arg("-F");
        command.stderr(Stdio::null());
        let mut running = Running::start("prosody", &mut command)?;
        if let Some(mut lines) = running.take_lines() {
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        }
        until("Prosody", || Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()))?;
        let (authority, certificate) =
            (folder.join("authority.pem"), folder.join("certificate.pem"));
        Ok(Some(Self { port, authority, certificate, folder, _running: running }))
    }

    /// How often somebody came so far.
    pub fn arrivals(&self) -> usize {
        let text = fs::read_to_string(self.folder.join("arrivals")).unwrap_or_default();
        text.lines().count()
    }

    /// Waits until somebody more than `before` has come, and was sent everything that is to be sent.
    ///
    /// # Errors
    /// Nobody comes for three minutes: some clients read a long list before they say that they are
    /// there.
    pub fn arrived(&self, before: usize) -> Result<(), String> {
        let arrived = || Ok((self.arrivals() > before).then_some(()));
        within(Duration::from_secs(900), "a client's first presence", arrived)
    }

    /// One of the crowd writes so many messages to this account, as fast as they are taken.
    ///
    /// # Errors
    /// The wish cannot be written down.
    pub fn burst(&self, account: &str, count: usize) -> Result<(), String> {
        let wish = format!("{account}@{DOMAIN} {count}\n");
        // Under another name first: the server must not read half of it.
        let (draft, name) = (self.folder.join("burst.draft"), self.folder.join("burst"));
        let write = || fs::write(&draft, wish).and_then(|()| fs::rename(&draft, &name));
        write().map_err(|error| format!("the burst: {error}"))
    }
}

/// Accounts and contact lists in Prosody's own files.
fn accounts(folder: &Path) -> std::io::Result<()> {
    let data = folder.join("data").join(DOMAIN.replace('.', "%2e"));
    let (accounts, rosters) = (data.join("accounts"), data.join("roster"));
    fs::create_dir_all(&accounts)?;
    fs::create_dir_all(&rosters)?;
    for (name, count) in ACCOUNTS {
        let account = format!("return {{ [\"password\"] = \"{PASSWORD}\"; }};\n");
        fs::write(accounts.join(format!("{name}.dat")), account)?;
        let people: String = (0..count).map(person).collect();
        let roster = format!(
            "return {{\n[false] = {{ [\"version\"] = 1; [\"pending\"] = {{}}; }};\n{people}}};\n"
        );
        fs::write(rosters.join(format!("{name}.dat")), roster)?;
    }
    Ok(())
}

/// Somebody in one of forty groups, with a name that sorts far from the address.
fn person(n: usize) -> String {
    let (group, surname) = (n % 40, n * 7_919 % 10_007);
    format!(
        "[\"p{n:05}@people.{DOMAIN}\"] = {{ [\"subscription\"] = \"both\"; [\"groups\"] = {{ \
         [\"Department {group:02}\"] = true; }}; [\"name\"] = \"Surname{surname:05} Person {n:05}\"; \
         }};\n"
    )
}

fn configure(folder: &Path, port: u16) -> std::io::Result<()> {
    let plugins = folder.join("plugins");
    fs::create_dir_all(&plugins)?;
    fs::write(plugins.join("mod_crowd.lua"), include_str!("post/mod_crowd.lua"))?;
    fs::write(plugins.join("mod_arrivals.lua"), include_str!("post/mod_arrivals.lua"))?;
    let config = include_str!("post/prosody.cfg.lua")
        .replace("@FOLDER@", &folder.to_string_lossy())
        .replace("@PORT@", &port.to_string())
        .replace("@DOMAIN@", DOMAIN);
    fs::write(folder.join("prosody.cfg.lua"), config)
}

/// An authority and a certificate by it: some peers trust authorities, others certificates.
fn certify(folder: &Path) -> Result<(), String> {
    let names = format!("subjectAltName=DNS:{DOMAIN},IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
    fs::write(folder.join("names"), names).map_err(|error| error.to_string())?;
    let subject = format!("/CN={DOMAIN}");
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let own = ["req", "-x509", "-days", "3650", "-subj", "/CN=bench authority"];
    let files = ["-keyout", "authority.key", "-out", "authority.pem"];
    openssl(folder, &[&own[..], &key, &files].concat())?;
    let asked = ["req", "-subj", &subject, "-keyout", "key.pem", "-out", "request.pem"];
    openssl(folder, &[&asked[..], &key].concat())?;
    let signed = ["x509", "-req", "-in", "request.pem", "-CA", "authority.pem", "-days", "3650"];
    let more = ["-CAkey", "authority.key", "-CAcreateserial", "-extfile", "names"];
    openssl(folder, &[&signed[..], &more, &["-out", "certificate.pem"]].concat())?;
    // A peer that does not want to run as root reads it too.
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.join("certificate.pem"), readable).map_err(|error| error.to_string())
}

fn openssl(folder: &Path, words: &[&str]) -> Result<(), String> {
    let mut command = Command::new("openssl");
    let out = command.args(words).current_dir(folder).stdin(Stdio::null()).output();
    let out = out.map_err(|error| format!("openssl: {error}"))?;
    if out.status.success() {
        return Ok(());
    }
    Err(format!("openssl: {}", String::from_utf8_lossy(&out.stderr)))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    listener.map(|address| address.port()).map_err(|error| error.to_string())
}
