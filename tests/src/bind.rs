//! BIND: the name server that most companies run.

use std::path::Path;
use std::process::Command;

use crate::knot::{answers, fill, zone};
use crate::running::Running;
use crate::{free_port, program};

/// A running name server.
pub struct Bind {
    /// `127.0.0.1:PORT`
    pub address: String,
    /// `[::1]:PORT`
    pub address_v6: String,
    _running: Running,
}

impl Bind {
    /// Serves `domain` with these records (zone file lines, names relative to the domain).
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, domain: &str, records: &str) -> Self {
        let folder = folder.join("bind");
        std::fs::create_dir_all(&folder).expect("a folder for the name server");
        let port = free_port();
        std::fs::write(folder.join("zone"), zone(domain, records)).expect("a zone file");
        let config = fill(
            include_str!("../fixtures/named.conf"),
            &[
                ("FOLDER", &folder.to_string_lossy()),
                ("PORT", &port.to_string()),
                ("DOMAIN", domain),
            ],
        );
        let file = folder.join("named.conf");
        std::fs::write(&file, config).expect("a configuration file");
        let mut command = Command::new(program("named").expect("named"));
        // In the foreground, with its log on standard error.
        let mut running = Running::start("named", command.arg("-g").arg("-c").arg(&file), &folder);
        running.ready(30, || answers(port, domain));
        Self {
            address: format!("127.0.0.1:{port}"),
            address_v6: format!("[::1]:{port}"),
            _running: running,
        }
    }
}
