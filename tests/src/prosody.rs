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
