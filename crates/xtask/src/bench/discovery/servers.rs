//! A name server and a cloud whose answers take as long as they are told to, and a real Knot.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{answers, knot_config};
use crate::process::Running;

/// The domain that Knot serves.
pub const KNOT_DOMAIN: &str = "knot.test";
/// SRV, by RFC 2782.
const SRV: u16 = 33;

/// A name server with one SRV record for each published name; all other names do not exist.
pub struct Names {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Names {
    /// Starts it; it lives as long as the program.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(
        domain: &str,
        published: &[&str],
        delays: &'static [(&'static str, u64)],
    ) -> Result<Self, String> {
        let socket =
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        let names: Vec<String> = published.iter().map(|name| format!("{name}.{domain}")).collect();
        std::thread::spawn(move || serve(&socket, &names, delays));
        Ok(Self { address })
    }
}

fn serve(socket: &UdpSocket, names: &[String], delays: &'static [(&'static str, u64)]) {
    let mut buffer = [0; 1500];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
        let Some(question) = Question::read(&buffer[..length]) else { continue };
        let fits = |(start, _): &&(&str, u64)| question.name.starts_with(start);
        let delay = delays.iter().find(fits).map_or(0, |(_, delay)| *delay);
        let known = names.iter().any(|name| *name == question.name && question.kind == SRV);
        let answer = question.answer(known);
        let Ok(socket) = socket.try_clone() else { continue };
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(delay));
            let _ = socket.send_to(&answer, peer);
        });
    }
}

/// The one question of a message (RFC 1035 section 4.1.2).
struct Question {
    id: [u8; 2],
    name: String,
    kind: u16,
    bytes: Vec<u8>,
}

impl Question {
    fn read(message: &[u8]) -> Option<Self> {
        let id = *message.first_chunk::<2>()?;
        let mut labels = vec![];
        let mut at = 12;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_lowercase());
            at += length;
        }
        let kind = u16::from_be_bytes(*message.get(at..)?.first_chunk::<2>()?);
        let bytes = message.get(12..at + 4)?.to_vec();
        Some(Self { id, name: labels.join("."), kind, bytes })
    }

    fn answer(&self, known: bool) -> Vec<u8> {
        let (code, count) = if known { (0x80, 1) } else { (0x83, 0) };
        let mut message = self.id.to_vec();
        message.extend([0x85, code, 0, 1, 0, count, 0, 0, 0, 0]);
        message.extend(&self.bytes);
        if known {
            // Pointer to the name, SRV, IN, 60 s, then priority, weight, port, target "a.".
            let data = [0, 1, 0, 0, 0x20, 0xfb, 1, b'a', 0];
            message.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
            message.extend(data);
        }
        message
    }
}

/// The cloud's look-up.
pub struct Cloud {
    /// Where it listens, in clear.
    pub address: SocketAddr,
}

impl Cloud {
    /// Starts it; it lives as long as the program.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(delay: Duration, code: u8) -> Result<Self, String> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || reply(stream, delay, code));
            }
        });
        Ok(Self { address })
    }

    /// How long one plain request takes, in ms.
    ///
    /// # Errors
    /// It fails.
    pub fn ask(&self) -> Result<f64, String> {
        let ask = || -> std::io::Result<f64> {
            let begin = Instant::now();
            let mut stream = TcpStream::connect(self.address)?;
            stream.write_all(b"GET /cas/FederatedSSO?org=x HTTP/1.0\r\n\r\n")?;
            stream.read_to_end(&mut vec![])?;
            Ok(begin.elapsed().as_secs_f64() * 1000.0)
        };
        ask().map_err(|error| error.to_string())
    }
}

fn reply(mut stream: TcpStream, delay: Duration, code: u8) {
    let mut request: Vec<u8> = vec![];
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(length) if length > 0 => request.extend(&buffer[..length]),
            _ => return,
        }
    }
    std::thread::sleep(delay);
    let body = format!("<CASResponse><errorcode>{code}</errorcode></CASResponse>");
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: \
         close\r\n\r\n{body}"
    );
}

/// A Knot that serves [`KNOT_DOMAIN`], if it is installed.
///
/// # Errors
/// It does not start.
pub fn knot(folder: &Path) -> Result<Option<(Running, SocketAddr)>, String> {
    let program = Path::new("/usr/sbin/knotd");
    if !program.is_file() {
        return Ok(None);
    }
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    let address = free.map_err(|error| error.to_string())?;
    let zone = "@ 60 IN SOA ns admin 1 60 60 60 60\n@ 60 IN NS ns\nns 60 IN A 127.0.0.1\n\
                _cisco-uds._tcp 60 IN SRV 1 5 8443 cucm1\ncucm1 60 IN A 127.0.0.1\n";
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
    write("zone", zone).map_err(|error| error.to_string())?;
    write("knot.conf", &knot_config(folder, address.port(), KNOT_DOMAIN))
        .map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("-c").arg(folder.join("knot.conf")).stderr(Stdio::null());
    let running = Running::start("knotd", &mut command)?;
    answers(address, KNOT_DOMAIN)?;
    Ok(Some((running, address)))
}
