//! A registrar of our own that takes everybody, knows no subscriptions, answers nothing else by
//! itself, and sends any bytes down the way a phone registered by. It reads messages with string
//! searches only.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::{Transport, free_port};

/// How often the threads look whether they are to end.
const LOOK: Duration = Duration::from_millis(20);
/// A registration's time in seconds.
const EXPIRES: u32 = 600;

/// The way to the phone that registered last.
enum Way {
    Datagrams(SocketAddr),
    Stream(TcpStream),
}

struct Shared {
    socket: UdpSocket,
    way: Mutex<Option<Way>>,
    told: Mutex<Vec<String>>,
    registers: AtomicUsize,
    ends: AtomicBool,
}

/// A running registrar. Dropping it closes everything.
pub struct Registrar {
    /// Its port on 127.0.0.1, for UDP and TCP.
    pub port: u16,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Registrar {
    /// Listens on a free port.
    ///
    /// # Panics
    /// The port cannot be taken.
    pub fn start() -> Self {
        let port = free_port();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("a datagram socket");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a listener");
        socket.set_read_timeout(Some(LOOK)).expect("a time-out");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let shared = Arc::new(Shared {
            socket,
            way: Mutex::new(None),
            told: Mutex::default(),
            registers: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        let (one, two) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::spawn(move || one.datagrams()),
            std::thread::spawn(move || two.connections(&listener)),
        ];
        Self { port, shared, threads }
    }

    /// The records that lead to it over one transport, for the zone of the accounts.
    pub fn records(&self, transport: Transport) -> String {
        let name = match transport {
            Transport::Udp => "_sip._udp",
            Transport::Tcp => "_sip._tcp",
            Transport::Tls => "_sips._tcp",
        };
        format!("sip IN A 127.0.0.1\n{name} IN SRV 10 0 {} sip\n", self.port)
    }

    /// How many REGISTER requests it has answered.
    pub fn registers(&self) -> usize {
        self.shared.registers.load(Ordering::Relaxed)
    }

    /// Where the phone is.
    ///
    /// # Panics
    /// Nobody has registered.
    pub fn phone(&self) -> SocketAddr {
        match lock(&self.shared.way).as_ref().expect("somebody has registered") {
            Way::Datagrams(phone) => *phone,
            Way::Stream(stream) => stream.peer_addr().expect("the phone's address"),
        }
    }

    /// Sends bytes to the phone as they are: one datagram, or the next bytes of the stream. What
    /// goes into a connection that is being closed is lost, as in life.
    ///
    /// # Panics
    /// Nobody has registered.
    pub fn send(&self, bytes: &[u8]) {
        let mut way = lock(&self.shared.way);
        match way.as_mut().expect("somebody has registered") {
            Way::Datagrams(phone) => {
                self.shared.socket.send_to(bytes, *phone).expect("a datagram is sent");
            }
            Way::Stream(stream) => {
                let _ = stream.write_all(bytes);
            }
        }
    }

    /// Everything but REGISTER and SUBSCRIBE that phones have sent so far.
    pub fn told(&self) -> Vec<String> {
        lock(&self.shared.told).clone()
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn datagrams(&self) {
        let mut buffer = vec![0; 65_535];
        while !self.ends.load(Ordering::Relaxed) {
            let Ok((length, from)) = self.socket.recv_from(&mut buffer) else { continue };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if let Some(answer) = self.take(&text) {
                if text.starts_with("REGISTER ") {
                    *lock(&self.way) = Some(Way::Datagrams(from));
                }
                let _ = self.socket.send_to(answer.as_bytes(), from);
            }
        }
    }

    fn connections(self: &Arc<Self>, listener: &TcpListener) {
        let mut threads = Vec::new();
        while !self.ends.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) => {
                    let shared = Arc::clone(self);
                    threads.push(std::thread::spawn(move || shared.connection(stream)));
                }
                Err(_) => std::thread::sleep(LOOK),
            }
        }
        for thread in threads {
            let _ = thread.join();
        }
    }

    fn connection(&self, mut stream: TcpStream) {
        let (mut rest, mut buffer) = (Vec::new(), [0; 4096]);
        let ready = stream.set_nonblocking(false).and(stream.set_read_timeout(Some(LOOK)));
        while ready.is_ok() && !self.ends.load(Ordering::Relaxed) {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => rest.extend_from_slice(&buffer[..length]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return,
            }
            while let Some(text) = next_message(&mut rest) {
                let Some(answer) = self.take(&text) else { continue };
                if text.starts_with("REGISTER ") {
                    let Ok(other) = stream.try_clone() else { return };
                    *lock(&self.way) = Some(Way::Stream(other));
                }
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    }

    /// Keeps a message; the answer when it is a REGISTER, or a SUBSCRIBE, of which it knows nothing.
    fn take(&self, text: &str) -> Option<String> {
        if text.starts_with("REGISTER ") {
            self.registers.fetch_add(1, Ordering::Relaxed);
            return Some(answer(text, "200 OK"));
        }
        if text.starts_with("SUBSCRIBE ") {
            return Some(answer(text, "489 Bad Event"));
        }
        if !text.trim().is_empty() {
            lock(&self.told).push(text.to_owned());
        }
        None
    }
}

/// Cuts the next message off a stream, without the line ends before it.
fn next_message(rest: &mut Vec<u8>) -> Option<String> {
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    rest.drain(..blank);
    let head = rest.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&rest[..head]).to_lowercase();
    let length = text.split("\r\ncontent-length:").nth(1).and_then(|it| it.lines().next());
    let length: usize = length.and_then(|it| it.trim().parse().ok()).unwrap_or(0);
    if rest.len() < head + length {
        return None;
    }
    let message: Vec<u8> = rest.drain(..head + length).collect();
    Some(String::from_utf8_lossy(&message).into_owned())
}

fn answer(request: &str, status: &str) -> String {
    let mut answer = format!("SIP/2.0 {status}\r\n");
    for line in request.lines().take_while(|line| !line.is_empty()) {
        let copied = ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|it| line.starts_with(it));
        if copied {
            answer.push_str(&format!("{line}\r\n"));
        } else if line.starts_with("To:") {
            answer.push_str(&format!("{line};tag=registrar\r\n"));
        } else if line.starts_with("Contact:") {
            answer.push_str(&format!("{line};expires={EXPIRES}\r\n"));
        }
    }
    answer + "Content-Length: 0\r\n\r\n"
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
