//! coturn: a STUN and TURN server that is not ours.

use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::pki::Identity;
use crate::running::Running;
use crate::{free_port, program};

/// A question of nothing but a head: a Binding request with the cookie and some name.
const QUESTION: [u8; 20] =
    [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// By which it is spoken to.
#[derive(Clone, Copy, Debug)]
pub enum TurnBy<'a> {
    /// Datagrams and streams in clear.
    All,
    /// Streams alone, as if a firewall let no datagrams out.
    Tcp,
    /// Streams with TLS alone.
    Tls(&'a Identity),
}

/// A running server on loopback.
pub struct Turn {
    /// `127.0.0.1:PORT`
    pub address: String,
    running: Running,
}

impl Turn {
    /// Relays for this user.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, login: (&str, &str), realm: &str) -> Self {
        Self::start_by(folder, login, realm, TurnBy::All, free_port())
    }

    /// The same, spoken to in one way, on this port.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_by(
        folder: &Path,
        (user, password): (&str, &str),
        realm: &str,
        by: TurnBy<'_>,
        port: u16,
    ) -> Self {
        let folder = folder.join("turn");
        std::fs::create_dir_all(&folder).expect("a folder for the relay");
        let mut command = Command::new(program("turnserver").expect("turnserver"));
        // -n: no configuration file of the system.
        command.args(["-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-a", "-r", realm]);
        command.arg("-u").arg(format!("{user}:{password}"));
        command.args(["--min-port", "34000", "--max-port", "34999", "--allow-loopback-peers"]);
        command.args(["--no-cli", "--no-dtls", "--log-file", "stdout", "--verbose"]);
        command.arg("--pidfile").arg(folder.join("pid"));
        command.arg("--userdb").arg(folder.join("users"));
        match by {
            TurnBy::All => command.args(["--no-tls", "-p", &port.to_string()]),
            TurnBy::Tcp => command.args(["--no-tls", "--no-udp", "-p", &port.to_string()]),
            TurnBy::Tls(identity) => command
                .args(["--no-udp", "--no-tcp", "--tls-listening-port", &port.to_string()])
                .arg("--cert")
                .arg(&identity.certificate)
                .arg("--pkey")
                .arg(&identity.key),
        };
        let mut running = Running::start("turnserver", &mut command, &folder);
        let address = format!("127.0.0.1:{port}");
        match by {
            TurnBy::All => {
                let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
                socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time limit");
                running.ready(30, || {
                    let _ = socket.send_to(&QUESTION, &address);
                    socket.recv_from(&mut [0; 512]).is_ok()
                });
            }
            TurnBy::Tcp | TurnBy::Tls(_) => {
                running.ready(30, || TcpStream::connect(&address).is_ok());
            }
        }
        Self { address, running }
    }

    /// What it has logged.
    pub fn words(&self) -> String {
        self.running.words()
    }
}
