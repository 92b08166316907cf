//! A real server of the tests' own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::{Authority, DOMAIN};

/// A running server; killed when dropped.
pub struct Prosody {
    _child: Child,
    pub authority: Authority,
    pub starttls: u16,
    pub direct: u16,
}

impl Prosody {
    /// Starts a server with accounts alice and bob, password `secret`. `hash` is what passwords
    /// are kept as, which decides the SCRAM that is offered.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    pub async fn start(hash: &str) -> Option<Self> {
        if !Path::new("/usr/bin/prosody").exists() {
            eprintln!("SKIPPED: prosody is not installed");
            return None;
        }
        let authority = Authority::new();
        let folder = authority.folder.clone();
        let identity = authority.identity(&[DOMAIN]);
        std::fs::write(folder.join("server.crt"), &identity.certificate).expect("written");
        std::fs::write(folder.join("server.key"), &identity.key).expect("written");
        let (starttls, direct) = (free_port(), free_port());
        let config = folder.join("prosody.cfg.lua");
        std::fs::write(&config, configuration(&folder, hash, starttls, direct)).expect("written");
        for user in ["alice", "bob"] {
            register(&config, user).await;
        }
        let child = Command::new("prosody")
            .arg("--config")
            .arg(&config)
            .arg("-F")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("prosody starts");
        for port in [starttls, direct] {
            wait_for(port).await;
        }
        Some(Self { _child: child, authority, starttls, direct })
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("address").port()
}

async fn wait_for(port: u16) {
    for _ in 0..300 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("prosody does not listen on {port}");
}

async fn register(config: &Path, user: &str) {
    let status = Command::new("prosodyctl")
        .args(["--root", "--config"])
        .arg(config)
        .args(["register", user, DOMAIN, "secret"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .expect("prosodyctl runs");
    assert!(status.success(), "account {user}");
}

fn configuration(folder: &Path, hash: &str, starttls: u16, direct: u16) -> String {
    let folder: PathBuf = folder.to_owned();
    let folder = folder.display();
    format!(
        r#"
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {starttls} }}
c2s_direct_tls_ports = {{ {direct} }}
modules_enabled = {{ "roster"; "saslauth"; "tls"; "disco"; "ping"; "carbons"; "smacks"; "offline"; "mam" }}
modules_disabled = {{ "s2s"; "http" }}
authentication = "internal_hashed"
password_hash = "{hash}"
storage = {{ archive = "memory"; default = "internal" }}
storage_archive_item_limit = 1000000 -- what is over it is not archived, and so lost with its stream
default_archive_policy = true
smacks_hibernation_time = 300
c2s_require_encryption = true
allow_unencrypted_plain_auth = false
ssl = {{ key = "{folder}/server.key"; certificate = "{folder}/server.crt" }}
certificates = "{folder}"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/prosody.log" }} }}
VirtualHost "{DOMAIN}"
"#
    )
}
