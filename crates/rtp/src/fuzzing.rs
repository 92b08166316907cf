//! Entry points for fuzzing.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use offhook_model::{AudioCodec, Secret, SrtpSuite};
use offhook_ports::ExtendedReports;

use crate::packet::{Header, Packet};
use crate::red::{Packer, Unpacked};
use crate::sdp::{Description, Encryption, LocalMedia, Negotiator};
use crate::{
    Inserted, JitterBuffer, JitterConfig, NtpTime, Pull, ReceiveState, Reporter, SendState, packet,
    rtcp, srtp,
};

/// An RTP packet: whatever can be read lies inside the datagram.
pub fn packet(data: &[u8]) {
    if let Ok(found) = packet::Packet::parse(data) {
        assert!(found.payload.len() + packet::HEADER_LEN <= data.len());
        assert!(found.header.payload_type < 128);
        let mut out = [0; packet::HEADER_LEN];
        assert_eq!(found.header.write(&mut out), Ok(packet::HEADER_LEN));
        assert_eq!(packet::Packet::parse(&out).map(|again| again.header), Ok(found.header));
    }
}

/// An RTCP compound: as many packets as bytes allow.
pub fn rtcp(data: &[u8]) {
    if let Ok(packets) = rtcp::parse(data) {
        assert!(packets.len() <= data.len() / 4);
    }
    #[allow(clippy::disallowed_methods, reason = "an origin for virtual time")]
    let now = Instant::now();
    let (send, mut receive) = (SendState::new(1), ReceiveState::new(8_000));
    let mut reporter = Reporter::new(2, "c".to_owned(), now);
    reporter.agree(ExtendedReports { round_trip: true, voip: true });
    let _ = reporter.receive(data, now, NtpTime(0), &send, &mut receive);
    // What theirs said stands in ours, and ours are readable.
    let mut out = [0; 480];
    let length = reporter.goodbye(now, NtpTime(0), &send, &mut receive, None, &mut out);
    let length = length.expect("there is room");
    assert!(rtcp::parse(&out[..length]).is_ok_and(|packets| packets.len() >= 3));
}

/// A packet that carries earlier sound once more: its pieces lie inside it, one behind the other.
pub fn red(data: &[u8]) {
    let header = Header { marker: false, payload_type: 121, sequence: 5, timestamp: 9, ssrc: 1 };
    let packet = Packet { header, payload: data };
    let Some(unpacked) = Unpacked::read(&packet) else { return };
    let pieces: usize = unpacked.earlier().map(|piece| piece.payload.len()).sum();
    assert!(pieces + unpacked.newest.payload.len() < data.len());
    for piece in unpacked.earlier() {
        assert!(piece.header.payload_type < 128 && piece.header.timestamp != header.timestamp);
    }
    // What is packed from it is read again.
    let mut packer = Packer::default();
    packer.keep(unpacked.newest.payload, unpacked.newest.header.payload_type, 1);
    let mut body = [7; 4_096];
    if let Some(length) = packer.pack(&mut body, 20, 8, 161) {
        let again = Packet { header, payload: &body[..length] };
        let again = Unpacked::read(&again).expect("our own");
        assert_eq!((again.newest.payload, again.newest.header.payload_type), (&[7; 20][..], 8));
        if let Some(earlier) = again.earlier().next() {
            assert_eq!(earlier.payload, unpacked.newest.payload);
        }
    }
}

/// The first byte chooses the suite and whether it is a report; the rest comes as a protected packet,
/// which nobody believes, and is then protected and opened, which works once.
pub fn srtp(data: &[u8]) {
    let Some((choice, packet)) = data.split_first() else { return };
    let suite = SrtpSuite::ALL[usize::from(choice >> 1) % SrtpSuite::ALL.len()];
    let report = choice & 1 == 1;
    let (key, salt) = suite.key_and_salt();
    let master: Vec<u8> = (0..(key + salt) as u8).collect();
    let (Ok(mut sender), Ok(mut receiver)) =
        (srtp::Sender::new(suite, &master), srtp::Receiver::new(suite, &master))
    else {
        return;
    };
    let mut open = |bytes: &mut [u8]| {
        if report { receiver.unprotect_report(bytes) } else { receiver.unprotect(bytes) }
    };
    // Nobody guesses a tag of 4 bytes under a key that the fuzzer does not see through.
    let _ = open(&mut packet.to_vec());
    let mut sealed = packet.to_vec();
    sealed.resize(packet.len() + srtp::OVERHEAD, 0);
    let length = if report {
        sender.protect_report(&mut sealed, packet.len())
    } else {
        sender.protect(&mut sealed, packet.len())
    };
    if let Ok(length) = length {
        let mut again = sealed[..length].to_vec();
        if let Ok(inside) = open(&mut sealed[..length]) {
            assert_eq!(&sealed[..inside], packet);
            assert!(open(&mut again).is_err(), "it was taken twice");
        }
    }
}

/// A session description as an offer, then as an answer: what we answer is well formed and has as
/// many streams as the offer.
pub fn sdp(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut negotiator = Negotiator::new(
        1,
        LocalMedia {
            address: Ipv4Addr::LOCALHOST.into(),
            rtp_port: 4_000,
            rtcp_port: 4_001,
            codecs: AudioCodec::ALL.to_vec(),
            quiet: false,
            packet_time: Duration::from_millis(20),
            redundancy: false,
            dscp: 46,
            cname: "c".to_owned(),
            hold: data.len().is_multiple_of(5),
            encryption: Encryption::Accepted,
            secret: Secret::new([7; 32]),
            ice: None,
        },
    );
    if let Ok((answer, plan)) = negotiator.answer(&text) {
        let offered = Description::parse(&text).expect("it was answered");
        let answered = Description::parse(&answer).expect("our own answer");
        assert_eq!(offered.media.len(), answered.media.len());
        assert!(answered.oddities.is_empty(), "{:?}", answered.oddities);
        assert_eq!(answered.media.iter().filter(|media| media.port != 0).count(), 1);
        assert!((10..=60).contains(&plan.packet_time.as_millis()));
        assert!(plan.receive.iter().any(|codec| codec.codec == plan.send.codec));
        assert!(!plan.sending || !plan.remote.ip().is_unspecified());
    }
    let offer = negotiator.offer();
    assert!(Description::parse(&offer).is_ok());
    if let Ok(plan) = negotiator.accept_answer(&text) {
        assert!(plan.send.payload_type < 128);
    }
}

/// Operations on a jitter buffer, five bytes each: what to do, a sequence number, a step of time.
/// What is queued is played exactly once and in order, or counted as skipped, or still there.
pub fn jitter(data: &[u8]) {
    #[allow(clippy::disallowed_methods, reason = "an origin for virtual time")]
    let mut now = Instant::now();
    let config = JitterConfig::new(8_000, Duration::from_millis(20));
    let mut buffer = JitterBuffer::new(config);
    let mut waiting = BTreeSet::new();
    let mut last_played = None;
    let (mut serial, mut skipped) = (0u32, 0);
    for step in data.chunks_exact(5) {
        let [what, high, low, stamp, time] = *step else { return };
        now += Duration::from_millis(u64::from(time));
        if what % 4 == 0 {
            let pulled = match buffer.pull(now, Duration::ZERO) {
                Pull::Packet { payload, .. } => payload.try_into().ok().map(u32::from_be_bytes),
                Pull::Lost { ticks, .. } => {
                    assert!(ticks > 0);
                    None
                }
                Pull::Empty | Pull::Wait => None,
            };
            if let Some(played) = pulled {
                // The payload holds the place in the stream above a serial number.
                let entry = waiting.iter().find(|(_, serial)| *serial == played).copied();
                let entry: (u16, u32) = entry.expect("played something never queued, or twice");
                waiting.remove(&entry);
                if let Some(last) = last_played {
                    assert!(entry.0.wrapping_sub(last) < 0x8000, "{} after {last}", entry.0);
                }
                last_played = Some(entry.0);
            }
        } else {
            let sequence = u16::from_be_bytes([high % 2, low]);
            let timestamp = u32::from(sequence) * 160 + u32::from(stamp / 128) * 80;
            let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 1 };
            let packet = Packet { header, payload: &serial.to_be_bytes() };
            let event = what == 255;
            let outcome = match what {
                255 => buffer.insert_event(&packet, now),
                254 => buffer.insert_recovered(&packet, now),
                _ => buffer.insert(&packet, now),
            };
            match outcome {
                Inserted::Queued | Inserted::Restarted => {
                    if outcome == Inserted::Restarted {
                        waiting.clear();
                        last_played = None;
                    }
                    if !event {
                        waiting.insert((sequence, serial));
                    }
                }
                Inserted::Duplicate | Inserted::Late => {}
                Inserted::TooLong => panic!("four bytes are not too long"),
            }
            serial += 1;
        }
        let stats = buffer.stats();
        assert!(stats.skipped >= skipped);
        skipped = stats.skipped;
        assert!(waiting.len() as u64 <= 64 + stats.skipped, "a packet was lost without a count");
        assert!(buffer.target() <= config.max && buffer.target() >= config.min);
    }
}
