//! What packets really carry: the code points of IP headers, read from the wire.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

/// How long packets are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Packets as they are (`AF_PACKET` of Linux; nobody else opens a socket by this number and kind).
const PACKETS: i32 = 17;
/// Every protocol, in network order (`ETH_P_ALL`).
const EVERYTHING: i32 = 0x0300;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// All packets of this machine.
pub struct Wire(Socket);

impl Wire {
    /// Begins to listen; nothing where the system lets only administrators do that, as all but Linux do
    /// in one way or another.
    pub fn open() -> Option<Self> {
        let everything = Some(Protocol::from(EVERYTHING));
        let socket = Socket::new(Domain::from(PACKETS), Type::DGRAM, everything).ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(50))).ok()?;
        Some(Self(socket))
    }

    /// Code points of the packets from `port` that open a connection or carry something, once there are any; `provoke` is called
    /// until then.
    pub fn marks_from(&mut self, port: u16, mut provoke: impl FnMut()) -> BTreeSet<u8> {
        #[allow(clippy::disallowed_methods, reason = "real packets take real time")]
        let now = Instant::now;
        let end = now() + PATIENCE;
        let mut found = BTreeSet::new();
        let mut packet = [0; 2_048];
        while found.is_empty() && now() < end {
            provoke();
            for _ in 0..200 {
                let Ok(length) = self.0.read(&mut packet) else { break };
                let from = packet.get(..length).and_then(payload_from);
                found.extend(from.filter(|(it, _)| *it == port).map(|(_, mark)| mark));
            }
        }
        found
    }
}

/// Source port and code point of a packet that opens a connection or carries something.
fn payload_from(packet: &[u8]) -> Option<(u16, u8)> {
    let (class, protocol, header) = match packet.first()? >> 4 {
        4 => (*packet.get(1)?, *packet.get(9)?, usize::from(packet[0] & 15) * 4),
        6 => ((packet[0] << 4) | (*packet.get(1)? >> 4), *packet.get(6)?, 40),
        _ => return None,
    };
    let body = packet.get(header..)?;
    let carried = match protocol {
        UDP => body.len() > 8,
        TCP => {
            let opens = *body.get(13)? & 2 != 0;
            opens || body.len() > usize::from(*body.get(12)? >> 4) * 4
        }
        _ => false,
    };
    carried.then(|| (u16::from_be_bytes([body[0], body[1]]), class >> 2))
}
