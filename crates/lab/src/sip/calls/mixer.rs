//! Sound of the call manager's own: rooms in which everybody hears the others and, where there is
//! one, the room's music. G.711 in packets of 20 ms (RFC 3550, 3551).

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::robot::g711::Law;
use crate::robot::media::{Sender, read_packet};
use crate::robot::sdp::Remote;
use crate::robot::sound::{FRAME, Tone};

/// Frames of one participant that wait to be mixed; more make the sound late.
const MAX_HEARD: usize = 10;
/// Packets read of one participant between two beats.
const MAX_READ: usize = 50;

/// One participant's way in and out.
struct Port {
    socket: UdpSocket,
    room: u64,
    remote: Option<Remote>,
    sender: Sender,
    heard: VecDeque<[i16; FRAME]>,
    rest: Vec<i16>,
    /// Music for this participant.
    music: Option<Tone>,
}

impl Port {
    /// Takes what has come.
    fn read(&mut self) {
        let mut buffer = [0; 2048];
        for _ in 0..MAX_READ {
            let Ok((length, _)) = self.socket.recv_from(&mut buffer) else { return };
            let Some(remote) = self.remote.as_ref().filter(|remote| remote.sends) else { continue };
            let Some(packet) = buffer.get(..length).and_then(read_packet) else { continue };
            if packet.payload_type == remote.payload {
                let law = remote.law;
                self.rest.extend(packet.payload.iter().map(|octet| law.decode(*octet)));
            }
            while self.rest.len() >= FRAME {
                let mut frame = [0; FRAME];
                frame.copy_from_slice(&self.rest[..FRAME]);
                self.rest.drain(..FRAME);
                if self.heard.len() >= MAX_HEARD {
                    self.heard.pop_front();
                }
                self.heard.push_back(frame);
            }
        }
    }

    fn send(&mut self, frame: &[i16; FRAME]) {
        self.sender.timestamp = self.sender.timestamp.wrapping_add(160);
        let Some(remote) = self.remote.as_ref().filter(|remote| remote.listens) else { return };
        let Some(to) = remote.address else { return };
        let payload: Vec<u8> = frame.iter().map(|sample| remote.law.encode(*sample)).collect();
        let first = std::mem::take(&mut self.sender.first);
        let timestamp = self.sender.timestamp;
        let packet = self.sender.packet(remote.payload, first, timestamp, &payload);
        let _ = self.socket.send_to(&packet, to);
    }
}

/// All participants of all rooms.
#[derive(Default)]
pub(in crate::sip) struct Mixer {
    ports: HashMap<u64, Port>,
    next: u64,
}

impl Mixer {
    /// Whether there is anything to do each 20 ms.
    pub(in crate::sip) fn is_idle(&self) -> bool {
        self.ports.is_empty()
    }

    /// A place in a room, with the address that others send to.
    pub(super) fn open(
        &mut self,
        room: u64,
        ip: IpAddr,
        music: Option<f64>,
    ) -> std::io::Result<(u64, SocketAddr)> {
        let socket = even_socket(ip)?;
        socket.set_nonblocking(true)?;
        let at = socket.local_addr()?;
        self.next += 1;
        let port = Port {
            socket,
            room,
            remote: None,
            sender: Sender::new(),
            heard: VecDeque::new(),
            rest: Vec::new(),
            music: music.map(Tone::new),
        };
        self.ports.insert(self.next, port);
        Ok((self.next, at))
    }

    /// What the participant said about its sound.
    pub(super) fn describe(&mut self, port: u64, remote: Remote) {
        if let Some(port) = self.ports.get_mut(&port) {
            port.remote = Some(remote);
        }
    }

    pub(super) fn close(&mut self, port: u64) {
        self.ports.remove(&port);
    }

    /// The next 20 ms.
    pub(in crate::sip) fn beat(&mut self) {
        let mut frames: HashMap<u64, (u64, [i16; FRAME])> = HashMap::new();
        for (id, port) in &mut self.ports {
            port.read();
            if let Some(frame) = port.heard.pop_front() {
                frames.insert(*id, (port.room, frame));
            }
        }
        for (id, port) in &mut self.ports {
            let others =
                frames.iter().filter(|(other, (room, _))| *other != id && *room == port.room);
            let mut sum = [0_i32; FRAME];
            let music = port.music.as_mut().map(Tone::frame);
            for frame in others.map(|(_, (_, frame))| frame).chain(music.as_ref()) {
                for (sum, sample) in sum.iter_mut().zip(frame) {
                    *sum += i32::from(*sample);
                }
            }
            let limit = |sample: i32| sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
            port.send(&sum.map(|sample| i16::try_from(limit(sample)).unwrap_or_default()));
        }
    }
}

/// A socket on an even port, as RTP has it.
fn even_socket(ip: IpAddr) -> std::io::Result<UdpSocket> {
    let mut socket = UdpSocket::bind((ip, 0))?;
    for _ in 0..20 {
        if socket.local_addr()?.port() % 2 == 0 {
            break;
        }
        socket = UdpSocket::bind((ip, 0))?;
    }
    Ok(socket)
}

/// What the call manager speaks itself.
pub(super) const LAWS: [Law; 2] = [Law::Mu, Law::A];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::robot::sdp;

    fn participant(mixer: &mut Mixer, room: u64) -> (UdpSocket, SocketAddr) {
        let ip: IpAddr = [127, 0, 0, 1].into();
        let (port, at) = mixer.open(room, ip, None).unwrap();
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let offer = sdp::Local::new(socket.local_addr().unwrap(), &LAWS).offer();
        mixer.describe(port, sdp::read(&offer, &LAWS).unwrap());
        (socket, at)
    }

    #[test]
    fn everybody_hears_the_others_and_nobody_themselves() {
        let mut mixer = Mixer::default();
        let places: Vec<_> = (0..3).map(|_| participant(&mut mixer, 1)).collect();
        let (stranger, elsewhere) = participant(&mut mixer, 2);
        for (at, (socket, to)) in places.iter().enumerate() {
            let sample = [1000, 2000, 4000][at];
            let mut sender = Sender::new();
            let packet = sender.packet(0, true, 0, &[Law::Mu.encode(sample); FRAME]);
            socket.send_to(&packet, to).unwrap();
        }
        stranger.send_to(b"no packet", elsewhere).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        mixer.beat();
        for (at, (socket, _)) in places.iter().enumerate() {
            let mut buffer = [0; 400];
            let length = socket.recv(&mut buffer).unwrap();
            let heard = Law::Mu.decode(read_packet(&buffer[..length]).unwrap().payload[80]);
            let expected = 7000 - [1000, 2000, 4000][at];
            assert!((i32::from(heard) - expected).abs() < 400, "{at} heard {heard}");
        }
        let mut buffer = [0; 400];
        let length = stranger.recv(&mut buffer).unwrap();
        assert_eq!(Law::Mu.decode(read_packet(&buffer[..length]).unwrap().payload[80]), 0);
    }
}
