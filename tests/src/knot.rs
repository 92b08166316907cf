//! Knot DNS: a real name server for the records of one domain.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::running::Running;
use crate::{free_port, program};

/// A running name server.
pub struct Knot {
    /// `ADDR:PORT`
    pub address: String,
    _running: Running,
}

impl Knot {
    /// Serves `domain` with these records (zone file lines, names relative to the domain).
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, domain: &str, records: &str) -> Self {
        let folder = folder.join("knot");
        std::fs::create_dir_all(&folder).expect("a folder for the name server");
        let port = free_port();
        std::fs::write(folder.join("zone"), zone(domain, records)).expect("a zone file");
        let config = fill(
            include_str!("../fixtures/knot.conf"),
            &[
                ("FOLDER", &folder.to_string_lossy()),
                ("PORT", &port.to_string()),
                ("DOMAIN", domain),
            ],
        );
        let file = folder.join("knot.conf");
        std::fs::write(&file, config).expect("a configuration file");
        let mut command = Command::new(program("knotd").expect("knotd"));
        let mut running = Running::start("knotd", command.arg("-c").arg(&file), &folder);
        running.ready(30, || answers(port, domain));
        Self { address: format!("127.0.0.1:{port}"), _running: running }
    }
}

/// A zone file with what every zone needs.
pub(crate) fn zone(domain: &str, records: &str) -> String {
    format!(
        "$ORIGIN {domain}.\n$TTL 60\n@ IN SOA ns admin ( 1 60 60 60 60 )\n@ IN NS ns\nns IN A \
         127.0.0.1\n{records}"
    )
}

/// Whether the server answers a question for the domain's SOA record without error.
pub(crate) fn answers(port: u16, domain: &str) -> bool {
    let mut question = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in domain.split('.') {
        question.push(u8::try_from(label.len()).unwrap_or(0));
        question.extend(label.bytes());
    }
    question.extend([0, 0, 6, 0, 1]);
    let ask = || -> std::io::Result<bool> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(300)))?;
        socket.send_to(&question, ("127.0.0.1", port))?;
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer)?;
        Ok(length > 12 && answer[3] & 0x0f == 0 && answer[7] > 0)
    };
    ask().unwrap_or(false)
}

/// Fills a template: `@NAME@` becomes the value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}
