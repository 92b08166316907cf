//! Prosody: a real XMPP server.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::knot::fill;
use crate::pki::Identity;
use crate::running::Running;
use crate::{free_port, program};

/// A running XMPP server.
pub struct Prosody {
    /// Port with STARTTLS.
    pub port: u16,
    /// Port with TLS from the first byte.
    pub tls_port: u16,
    _running: Running,
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
        let folder = folder.join("prosody");
        // Prosody's own way of writing a name into a path.
        let escaped = domain.replace('.', "%2e").replace('-', "%2d");
        let accounts = folder.join("data").join(escaped).join("accounts");
        std::fs::create_dir_all(&accounts).expect("a folder for accounts");
        for user in users {
            let account = format!("return {{ [\"password\"] = \"{password}\"; }};\n");
            std::fs::write(accounts.join(format!("{user}.dat")), account).expect("an account");
        }
        let (port, tls_port) = (free_port(), free_port());
        let config = fill(
            include_str!("../fixtures/prosody.cfg.lua"),
            &[
                ("FOLDER", &folder.to_string_lossy()),
                ("PORT", &port.to_string()),
                ("TLS_PORT", &tls_port.to_string()),
                ("KEY", &identity.key.to_string_lossy()),
                ("CERTIFICATE", &identity.certificate.to_string_lossy()),
                ("DOMAIN", domain),
            ],
        );
        let file = folder.join("prosody.cfg.lua");
        std::fs::write(&file, config).expect("a configuration file");
        let mut command = Command::new(program("prosody").expect("prosody"));
        command.arg("--config").arg(&file).arg("-F");
        let mut running = Running::start("prosody", &mut command, &folder);
        running.ready(60, || {
            [port, tls_port].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        Self { port, tls_port, _running: running }
    }
}
