//! A name server that answers as told, with messages put together by hand (RFC 1035 section 4).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub const A: u16 = 1;
pub const CNAME: u16 = 5;
pub const AAAA: u16 = 28;
pub const SRV: u16 = 33;
pub const NAPTR: u16 = 35;

/// What was asked.
pub struct Question {
    pub id: [u8; 2],
    /// Lower case, without the last dot.
    pub name: String,
    pub kind: u16,
    /// The question section as it came.
    pub section: Vec<u8>,
    pub edns: bool,
}

impl Question {
    fn read(message: &[u8]) -> Self {
        let mut labels = vec![];
        let mut at = 12;
        while message[at] != 0 {
            let end = at + 1 + usize::from(message[at]);
            labels.push(String::from_utf8_lossy(&message[at + 1..end]).to_lowercase());
            at = end;
        }
        Self {
            id: [message[0], message[1]],
            name: labels.join("."),
            kind: u16::from_be_bytes([message[at + 1], message[at + 2]]),
            section: message[12..at + 5].to_vec(),
            edns: message[11] == 1,
        }
    }

    /// An answer with a status and records; the question's name is at offset 12 (`C0 0C`).
    pub fn answer(&self, rcode: u8, records: &[Vec<u8>]) -> Vec<u8> {
        let mut message = self.id.to_vec();
        message.extend([0x81, 0x80 | rcode, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
        message.extend(&self.section);
        message.extend(records.concat());
        message
    }

    /// The same with the TC bit, cut in the middle of a record.
    pub fn cut(&self) -> Vec<u8> {
        let mut message = self.answer(0, &[record(&[0xC0, 0x0C], SRV, 60, &[0, 1, 0, 1])]);
        message[2] |= 0x02;
        message.truncate(message.len() - 3);
        message
    }
}

/// A record; `name` is in wire form.
pub fn record(name: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut record = name.to_vec();
    record.extend(kind.to_be_bytes());
    record.extend([0, 1]);
    record.extend(ttl.to_be_bytes());
    record.extend((data.len() as u16).to_be_bytes());
    record.extend(data);
    record
}

/// A record of the name that was asked.
pub fn own(kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    record(&[0xC0, 0x0C], kind, ttl, data)
}

/// A name in wire form.
pub fn wire(name: &str) -> Vec<u8> {
    let mut wire = vec![];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

/// The data of an SRV record.
pub fn srv(priority: u16, weight: u16, port: u16, target: &[u8]) -> Vec<u8> {
    let numbers = [priority, weight, port].map(u16::to_be_bytes).concat();
    [numbers, target.to_vec()].concat()
}

/// Nothing means silence.
pub type Reply = Option<Vec<u8>>;

/// A running name server. Its threads end with the test process.
pub struct NameServer {
    pub at: SocketAddr,
    asked: Arc<AtomicUsize>,
    names: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// Answers over UDP only; TCP is refused.
    pub fn datagrams(reply: impl Fn(&Question) -> Reply + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        Self::serve(socket, reply)
    }

    /// Answers over UDP and TCP. An empty TCP answer closes the connection.
    pub fn both(
        udp: impl Fn(&Question) -> Reply + Send + 'static,
        tcp: impl Fn(&Question) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let (socket, listener) = (0..100)
            .find_map(|_| {
                let listener = TcpListener::bind("127.0.0.1:0").ok()?;
                let socket = UdpSocket::bind(listener.local_addr().ok()?).ok()?;
                Some((socket, listener))
            })
            .expect("a port free for both");
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut length = [0; 2];
                stream.read_exact(&mut length).expect("a question");
                let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut message).expect("a whole question");
                let answer = tcp(&Question::read(&message));
                if !answer.is_empty() {
                    let length = (answer.len() as u16).to_be_bytes();
                    stream.write_all(&[&length[..], &answer].concat()).expect("sent");
                }
            }
        });
        Self::serve(socket, udp)
    }

    fn serve(socket: UdpSocket, reply: impl Fn(&Question) -> Reply + Send + 'static) -> Self {
        let at = socket.local_addr().expect("bound");
        let asked = Arc::new(AtomicUsize::new(0));
        let names = Arc::new(Mutex::new(vec![]));
        let (count, heard) = (asked.clone(), names.clone());
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let question = Question::read(&buffer[..length]);
                heard.lock().expect("names").push(question.name.clone());
                count.fetch_add(1, Ordering::SeqCst);
                if let Some(answer) = reply(&question) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { at, asked, names }
    }

    /// How many datagrams came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The names asked for, in order.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().expect("names").clone()
    }
}
