//! Kamailio: a real SIP registrar and proxy with digest authentication.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::knot::fill;
use crate::pki::Identity;
use crate::running::Running;
use crate::{Transport, free_port, program, until};

/// A SIP server that can be stopped and started again on the same ports.
pub struct Kamailio {
    /// Port for UDP and TCP.
    pub port: u16,
    /// Port for TLS.
    pub tls_port: u16,
    folder: PathBuf,
    extras: Vec<&'static str>,
    running: Option<Running>,
}

impl Kamailio {
    /// Serves `domain`; everybody has this password, registrations last `expires` seconds. `extras`
    /// are what its configuration knows beyond registrar and proxy: `WITH_OUTBOUND` (RFC 5626),
    /// `WITH_PRESENCE` (presence, dialogs and messages waiting), `WITHOUT_TCP`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(
        folder: &Path,
        domain: &str,
        identity: &Identity,
        password: &str,
        expires: u32,
        extras: &[&'static str],
    ) -> Self {
        let folder = folder.join("kamailio");
        std::fs::create_dir_all(&folder).expect("a folder for the SIP server");
        let (port, tls_port) = (free_port(), free_port());
        for (name, template) in [
            ("kamailio.cfg", include_str!("../fixtures/kamailio.cfg")),
            ("tls.cfg", include_str!("../fixtures/kamailio-tls.cfg")),
        ] {
            let text = fill(
                template,
                &[
                    ("FOLDER", &folder.to_string_lossy()),
                    ("PORT", &port.to_string()),
                    ("TLS_PORT", &tls_port.to_string()),
                    ("KEY", &identity.key.to_string_lossy()),
                    ("CERTIFICATE", &identity.certificate.to_string_lossy()),
                    ("DOMAIN", domain),
                    ("PASSWORD", password),
                    ("EXPIRES", &expires.to_string()),
                ],
            );
            std::fs::write(folder.join(name), text).expect("a configuration file");
        }
        if extras.contains(&"WITH_PRESENCE") {
            copy_tables(&folder.join("tables"));
        }
        let extras = extras.to_vec();
        let mut kamailio = Self { port, tls_port, folder, extras, running: None };
        kamailio.start_again();
        kamailio
    }

    /// Starts it (again), knowing nobody.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        let _ = std::fs::remove_file(self.folder.join("ctl"));
        let count = std::fs::read_dir(&self.folder).map(Iterator::count).unwrap_or(0);
        let mut command = Command::new(program("kamailio").expect("kamailio"));
        command.arg("-f").arg(self.folder.join("kamailio.cfg"));
        command.args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]).arg(&self.folder);
        command.args(self.extras.iter().flat_map(|extra| ["-A", extra]));
        let mut running = Running::start(&format!("kamailio-{count}"), &mut command, &self.folder);
        let ports = match self.extras.contains(&"WITHOUT_TCP") {
            true => vec![self.tls_port],
            false => vec![self.port, self.tls_port],
        };
        running.ready(60, || {
            ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        self.running = Some(running);
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// The port for a transport.
    pub fn port_for(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Udp | Transport::Tcp => self.port,
            Transport::Tls => self.tls_port,
        }
    }

    /// What it has logged since it was started.
    pub fn log(&self) -> String {
        self.running.as_ref().map(Running::words).unwrap_or_default()
    }

    /// What the registrar itself says of a user: the contacts' part of its answer, or nothing when
    /// there is none.
    ///
    /// # Panics
    /// `kamcmd` is not there.
    pub fn contacts(&self, user: &str) -> Option<String> {
        let mut command = Command::new(program("kamcmd").expect("kamcmd"));
        command.arg("-s").arg(format!("unix:{}", self.folder.join("ctl").display()));
        let output = command.args(["ul.lookup", "location", user]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success() && text.contains("sip:")).then_some(text)
    }

    /// Lets it send a request of its own to itself, as its modules do: something that others have
    /// published. `headers` end with a line end each.
    ///
    /// # Panics
    /// It cannot.
    pub fn publish(&self, uri: &str, headers: &str, body: &str) {
        let mut command = Command::new(program("kamcmd").expect("kamcmd"));
        command.arg("-s").arg(format!("unix:{}", self.folder.join("ctl").display()));
        command.args(["tm.t_uac_start", "PUBLISH", uri]);
        command.arg(format!("sip:127.0.0.1:{}", self.port)).args([".", headers, body]);
        let output = command.output().expect("kamcmd runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !text.contains("error"), "{text}{output:?}");
    }

    /// Waits until a user is registered.
    ///
    /// # Panics
    /// It takes too long.
    #[track_caller]
    pub fn until_registered(&self, user: &str, seconds: u64) -> String {
        until(&format!("{user} is registered at Kamailio"), seconds, || self.contacts(user))
    }
}

/// The empty tables that come with the program; nothing is written to them.
fn copy_tables(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder for tables");
    let tables = Path::new("/usr/share/kamailio/dbtext/kamailio");
    for name in ["version", "presentity", "active_watchers", "watchers", "pua", "xcap", "dialog"] {
        std::fs::copy(tables.join(name), folder.join(name)).expect("a table of Kamailio's");
    }
}
