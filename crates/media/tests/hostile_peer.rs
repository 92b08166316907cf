//! A peer that lies, jumps, floods and takes our source; afterwards its sound is heard as before.

mod common;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use common::{CALL, HOME, Phone, Scratch, loudness, plan, recording, sleep};
use offhook_model::{AudioCodec, AudioSpec};
use offhook_ports::{MediaPlan, Redundancy};

const PACKET: Duration = Duration::from_millis(20);

/// Sockets that speak RTP by hand, a tone of 1,000 Hz in G.711.
struct Peer {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Peer {
    /// Calls `phone`, which expects it.
    fn new(phone: &Phone) -> Self {
        let bind = || {
            let socket = UdpSocket::bind((HOME, 0)).expect("a port");
            socket.set_nonblocking(true).expect("a socket");
            socket
        };
        let (rtp, rtcp) = (bind(), bind());
        let address = |socket: &UdpSocket| socket.local_addr().expect("bound");
        let to = plan(AudioCodec::Pcmu, address(&rtp), address(&rtcp));
        phone.engine.apply(CALL, to);
        Self { rtp, rtcp, ssrc: 0x1111_1111, sequence: 100, timestamp: 1_000 }
    }

    fn packet(&self, payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        packet
    }

    fn throw(&mut self, phone: &Phone, payload_type: u8, payload: &[u8]) {
        let packet = self.packet(payload_type, payload);
        self.rtp.send_to(&packet, phone.rtp).expect("loopback");
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
    }

    /// Speaks for so long.
    fn speak(&mut self, phone: &Phone, packets: usize) {
        for _ in 0..packets {
            self.throw(phone, 0, &tone());
            sleep(20);
        }
    }

    /// What has come, RTP or RTCP.
    fn drain(socket: &UdpSocket) -> Vec<Vec<u8>> {
        let mut buffer = [0; 2_048];
        let mut all = vec![];
        while all.len() < 1_000
            && let Ok((length, _)) = socket.recv_from(&mut buffer)
        {
            all.push(buffer[..length].to_vec());
        }
        all
    }
}

/// 20 ms of 1,000 Hz at a quarter of the scale, in µ-law: eight samples repeat.
fn tone() -> [u8; 160] {
    // Of 8,031 · sin(n·45°): 0, 5,679, 8,031, 5,679, 0 and the same below zero, by the tables of G.711.
    let wave = [0xff, 0xa9, 0xa0, 0xa9, 0xff, 0x29, 0x20, 0x29];
    std::array::from_fn(|n| wave[n % 8])
}

/// Does `harm` in the middle of a call, and hears the tone after it.
fn check(harm: impl FnOnce(&mut Peer, &Phone)) {
    let scratch = Scratch::new();
    let phone = Phone::new(AudioSpec::Silence, scratch.output("heard.wav"));
    let mut peer = Peer::new(&phone);
    peer.speak(&phone, 20);
    harm(&mut peer, &phone);
    peer.speak(&phone, 60);
    phone.engine.shutdown();
    let sound = recording(&scratch.path("heard.wav"));
    // The strongest tenth of the last second: a machine that is busy makes gaps of its own.
    let (level, _) = loudness(&sound[sound.len().saturating_sub(48_000)..], 1_000.0);
    assert!(level > 0.15, "{level}");
}

#[test]
fn a_payload_type_that_lies_is_no_end() {
    check(|peer, phone| {
        for round in 0..30u8 {
            // One byte of µ-law, Opus that is none, G.722 of odd length, types nobody agreed on.
            for (payload_type, payload) in [
                (0, &[round][..]),
                (111, &[round; 90]),
                (111, &[0xff; 1_400]),
                (9, &[round; 33]),
                (8, &[round; 3]),
                (77, &[round; 160]),
                (101, &[round; 160]),
                (96, &[1, 0x80, 0, 1]),
            ] {
                peer.throw(phone, payload_type, payload);
            }
        }
    });
}

#[test]
fn jumps_of_time_and_sequence_are_no_end() {
    check(|peer, phone| {
        for jump in [0x8000_0000, 0x7fff_ffff, 48_000 * 60, 0xffff_0000, 1] {
            peer.timestamp = peer.timestamp.wrapping_add(jump);
            peer.speak(phone, 3);
        }
        for jump in [0x8000, 20_000, 0xff00] {
            peer.sequence = peer.sequence.wrapping_add(jump);
            peer.speak(phone, 3);
        }
    });
}

#[test]
fn empty_packets_are_no_end() {
    check(|peer, phone| {
        for payload_type in [0, 8, 9, 111, 101] {
            for _ in 0..10 {
                peer.throw(phone, payload_type, &[]);
            }
        }
        // Nothing but padding, and datagrams of no byte at all.
        let mut padding = peer.packet(0, &[0, 0, 3]);
        padding[0] |= 0x20;
        for _ in 0..20 {
            peer.rtp.send_to(&padding, phone.rtp).expect("loopback");
            peer.rtp.send_to(&[], phone.rtp).expect("loopback");
            peer.rtcp.send_to(&[], phone.rtcp).expect("loopback");
        }
    });
}

#[test]
fn another_source_in_the_middle_is_heard() {
    check(|peer, phone| {
        for source in 2..6 {
            peer.ssrc = source;
            peer.sequence = peer.sequence.wrapping_mul(31);
            peer.timestamp = peer.timestamp.wrapping_mul(77);
            peer.speak(phone, 5);
        }
    });
}

#[test]
fn a_flood_is_no_end() {
    check(|peer, phone| {
        let (sequence, timestamp, ssrc) = (peer.sequence, peer.timestamp, peer.ssrc);
        let mut seed = 1u32;
        // A second of a thousand packets: of the same source, of others, and reports.
        for _ in 0..50 {
            for _ in 0..20 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                peer.sequence = (seed >> 16) as u16;
                if seed & 0x70 == 0 {
                    peer.ssrc = seed;
                }
                peer.throw(phone, 0, &tone());
                let report = [0x80, 201, 0, 1, 0, 0, 0, (seed >> 24) as u8];
                peer.rtcp.send_to(&report, phone.rtcp).expect("loopback");
            }
            sleep(20);
        }
        let answered = phone.stats();
        assert!(answered[1].packets > 100, "{answered:?}");
        (peer.sequence, peer.ssrc) = (sequence, ssrc);
        peer.timestamp = timestamp + 160 * 50;
    });
}

#[test]
fn who_takes_our_source_makes_us_take_another_and_an_echo_does_not() {
    let scratch = Scratch::new();
    let phone = Phone::new(AudioSpec::Silence, scratch.output("heard.wav"));
    let mut peer = Peer::new(&phone);
    let source = |packet: &[u8]| u32::from_be_bytes(packet[8..12].try_into().expect("four bytes"));
    let newest = |peer: &Peer| Peer::drain(&peer.rtp).last().map(|packet| source(packet));
    peer.speak(&phone, 10);
    let ours = newest(&peer).expect("sound");
    peer.ssrc = ours;
    peer.speak(&phone, 10);
    let another = newest(&peer).expect("sound");
    assert_ne!(another, ours);
    let mut ending = vec![0x81, 203, 0, 1];
    ending.extend(ours.to_be_bytes());
    let reports = Peer::drain(&peer.rtcp);
    assert!(reports.iter().any(|report| report.ends_with(&ending)), "{reports:?}");
    // As a service for testing does that sends back what it gets.
    peer.ssrc = another;
    peer.speak(&phone, 50);
    assert_eq!(newest(&peer), Some(another));
    phone.engine.shutdown();
    let sound = recording(&scratch.path("heard.wav"));
    assert!(loudness(&sound[sound.len().saturating_sub(48_000)..], 1_000.0).0 > 0.15);
}

#[test]
fn earlier_sound_that_comes_once_more_fills_the_gaps() {
    let scratch = Scratch::new();
    let phone = Phone::new(AudioSpec::Silence, scratch.output("heard.wav"));
    let mut peer = Peer::new(&phone);
    let address = |socket: &UdpSocket| socket.local_addr().expect("bound");
    let to = plan(AudioCodec::Pcmu, address(&peer.rtp), address(&peer.rtcp));
    let redundancy = Redundancy { send: None, receive: vec![121] };
    phone.engine.apply(CALL, MediaPlan { redundancy, ..to });
    // Payload type 0, 160 ticks and 160 bytes before; then the newest.
    let mut payload = (0x8000_0000u32 | 160 << 10 | 160).to_be_bytes().to_vec();
    payload.push(0);
    payload.extend(tone());
    payload.extend(tone());
    let mut heard = None;
    #[expect(clippy::disallowed_methods, reason = "real sound takes real time")]
    let start = Instant::now();
    for round in 0..3_000 {
        if round % 4 == 3 {
            (peer.sequence, peer.timestamp) = (peer.sequence + 1, peer.timestamp + 160);
        } else {
            peer.throw(&phone, 121, &payload);
        }
        // Broken ones between do nothing.
        if round % 10 == 0 {
            let broken = peer.packet(121, &[0xff; 9]);
            peer.rtp.send_to(&broken, phone.rtp).expect("loopback");
        }
        // As fast as it is spoken, however busy the machine is.
        std::thread::sleep((PACKET * (round + 1)).saturating_sub(start.elapsed()));
        // A quarter is lost on the way, and less and less of it where it is heard: the first ones were
        // before the delay left time for the packet behind them.
        let stats = phone.stats();
        assert_eq!(stats[1].codec, AudioCodec::Pcmu);
        heard = stats[1].voice.filter(|voice| round > 60 && voice.loss_percent < 18.0);
        if heard.is_some() {
            assert!(stats[1].lost >= 15, "{stats:?}");
            break;
        }
    }
    assert!(heard.is_some(), "{:?}", phone.stats());
}
