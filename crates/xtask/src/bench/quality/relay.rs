//! Carries the sound of one call between two phones: one way as over the network that is measured, the
//! other way as it is. Counts what goes by.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::network::{Network, Way};

/// How often a thread looks whether the call is over.
const LOOK: Duration = Duration::from_millis(200);

/// What went over the network that is measured.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Packets of sound that came to it.
    pub packets: u64,
    /// Their bytes, with 28 of IP and UDP each.
    pub bytes: u64,
    /// Packets of which Opus says that they hold a copy of the one before.
    pub redundant: u64,
    /// Packets that it lost, as the network wants it.
    pub dropped: u64,
    /// When the first came, and the last.
    span: Option<(Instant, Instant)>,
}

impl Counts {
    /// Kilobits a second.
    pub fn rate(&self) -> f64 {
        let seconds = self.span.map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        if seconds > 0.0 { self.bytes as f64 * 8.0 / seconds / 1_000.0 } else { 0.0 }
    }

    fn note(&mut self, packet: &[u8], now: Instant) {
        self.packets += 1;
        self.bytes += packet.len() as u64 + 28;
        self.redundant += u64::from(packet.get(12..).is_some_and(redundant));
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
    }
}

/// The flag for in-band redundancy in a packet of Opus speech of one frame of up to 20 ms: the second
/// bit after the first byte (RFC 6716 sections 3.1 and 4.2.4).
fn redundant(payload: &[u8]) -> bool {
    matches!(payload, [head, flags, ..] if head & 3 == 0 && head >> 3 < 16 && flags & 0x40 != 0)
}

/// Packets that are held, by when they go on.
#[derive(Default)]
struct Held {
    packets: Mutex<BTreeMap<(Instant, u64), Vec<u8>>>,
    more: Condvar,
}

struct Shared {
    /// Where the caller is, and the callee.
    ends: Mutex<[Option<SocketAddr>; 2]>,
    counts: Mutex<Counts>,
    stop: AtomicBool,
}

/// The relay of one call.
pub struct Relay {
    /// Where to send what is for the caller, and for the callee: sound, and reports on the port above.
    sockets: [[UdpSocket; 2]; 2],
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pair() -> Result<[UdpSocket; 2], String> {
    for _ in 0..100 {
        let one = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let port = one.local_addr().map_err(|error| error.to_string())?.port();
        if port % 2 == 0
            && let Ok(other) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port + 1))
        {
            return Ok([one, other]);
        }
    }
    Err("no pair of ports is free on 127.0.0.1".into())
}

impl Relay {
    /// Begins; from the caller (0) to the callee (1) as over `network`.
    ///
    /// # Errors
    /// No ports.
    pub fn start(network: Network) -> Result<Self, String> {
        let shared = Shared {
            ends: Mutex::default(),
            counts: Mutex::default(),
            stop: AtomicBool::new(false),
        };
        let relay = Self { sockets: [pair()?, pair()?], shared: Arc::new(shared) };
        for to in 0..2 {
            for part in 0..2 {
                let way = (to == 1 && part == 0).then(|| Way::new(network));
                relay.carry(to, part, way).map_err(|error| error.to_string())?;
            }
        }
        Ok(relay)
    }

    /// Where to send what is for this end, now that it is known on which port of 127.0.0.1 the end is.
    pub fn port_for(&self, end: usize, real: u16) -> u16 {
        lock(&self.shared.ends)[end] = Some((Ipv4Addr::LOCALHOST, real).into());
        self.sockets[end][0].local_addr().map_or(0, |at| at.port())
    }

    /// What it saw.
    pub fn counts(&self) -> Counts {
        *lock(&self.shared.counts)
    }

    /// Carries what is for `to`; it goes on from where that end sends to.
    fn carry(&self, to: usize, part: usize, way: Option<Way>) -> std::io::Result<()> {
        let from = self.sockets[to][part].try_clone()?;
        from.set_read_timeout(Some(LOOK))?;
        let out = Out {
            socket: self.sockets[1 - to][part].try_clone()?,
            shared: self.shared.clone(),
            to,
            part: part as u16,
        };
        let held = Arc::new(Held::default());
        if way.is_some() {
            let (held, out) = (held.clone(), out.again()?);
            std::thread::spawn(move || let_go(&held, &out));
        }
        std::thread::spawn(move || take(&from, &out, way, &held));
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// Where packets go on to.
struct Out {
    socket: UdpSocket,
    shared: Arc<Shared>,
    to: usize,
    part: u16,
}

impl Out {
    fn again(&self) -> std::io::Result<Self> {
        let (socket, shared) = (self.socket.try_clone()?, self.shared.clone());
        Ok(Self { socket, shared, to: self.to, part: self.part })
    }

    fn send(&self, bytes: &[u8]) {
        if let Some(mut end) = lock(&self.shared.ends)[self.to] {
            end.set_port(end.port() + self.part);
            let _ = self.socket.send_to(bytes, end);
        }
    }

    fn over(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }
}

/// Takes what comes. Reports that come with the sound go on as they are.
fn take(from: &UdpSocket, out: &Out, mut way: Option<Way>, held: &Held) {
    let (mut buffer, mut serial) = ([0; 2_048], 0);
    let begin = Instant::now();
    while !out.over() {
        let Ok((length, _)) = from.recv_from(&mut buffer) else { continue };
        let packet = &buffer[..length];
        let report = packet.get(1).is_some_and(|kind| (192..=223).contains(kind));
        let Some(way) = way.as_mut().filter(|_| !report) else {
            out.send(packet);
            continue;
        };
        let now = Instant::now();
        lock(&out.shared.counts).note(packet, now);
        match way.pass(now - begin, length) {
            None => lock(&out.shared.counts).dropped += 1,
            Some(Duration::ZERO) => out.send(packet),
            Some(time) => {
                serial += 1;
                lock(&held.packets).insert((now + time, serial), packet.to_vec());
                held.more.notify_one();
            }
        }
    }
}

/// Lets go what was held long enough.
fn let_go(held: &Held, out: &Out) {
    let mut packets = lock(&held.packets);
    while !out.over() {
        let now = Instant::now();
        let wait = match packets.first_entry() {
            Some(first) if first.key().0 <= now => {
                out.send(&first.remove());
                continue;
            }
            Some(first) => (first.key().0 - now).min(LOOK),
            None => LOOK,
        };
        packets = match held.more.wait_timeout(packets, wait) {
            Ok((packets, _)) => packets,
            Err(_) => return,
        };
    }
}
