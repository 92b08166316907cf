//! Redundant packets (RFC 2198) from packer to jitter buffer, in virtual time.

use std::time::{Duration, Instant};

use offhook_rtp::red::{Packer, Unpacked};
use offhook_rtp::{Header, JitterBuffer, JitterConfig, Packet, Pull};

/// Packets of 20 ms; those for which `lose` says so do not come. How many of the last 500 that were due
/// were played, and how many were missing.
fn run(lose: impl Fn(u32) -> bool) -> (u32, u32) {
    #[allow(clippy::disallowed_methods, reason = "an origin for virtual time")]
    let start = Instant::now();
    let step = Duration::from_millis(20);
    let mut buffer = JitterBuffer::new(JitterConfig::new(8_000, step));
    let mut packer = Packer::default();
    let (mut played, mut missing) = (0, 0);
    for round in 0..1_000u32 {
        let now = start + step * round;
        let mut body = [0; 400];
        body[..4].copy_from_slice(&round.to_be_bytes());
        let at = 160 * round;
        let length = packer.pack(&mut body, 160, 0, at).expect("room");
        let header = Header {
            marker: false,
            payload_type: 121,
            sequence: (65_000 + round) as u16,
            timestamp: at,
            ssrc: 1,
        };
        if !lose(round) {
            let packet = Packet { header, payload: &body[..length] };
            let unpacked = Unpacked::read(&packet).expect("our own");
            buffer.insert(&unpacked.newest, now);
            for piece in unpacked.earlier() {
                buffer.insert_recovered(piece, now);
            }
        }
        match buffer.pull(now + step / 2, Duration::ZERO) {
            Pull::Packet { payload, timestamp, .. } => {
                let number = payload.first_chunk().copied().map(u32::from_be_bytes);
                assert_eq!(number.map(|number| number * 160), Some(timestamp), "its own sound");
                played += u32::from(round >= 500);
            }
            Pull::Lost { .. } => missing += u32::from(round >= 500),
            _ => {}
        }
    }
    (played, missing)
}

#[test]
fn single_losses_are_made_good() {
    assert_eq!(run(|_| false), (500, 0));
    for every in [3, 4, 10, 50] {
        let (played, missing) = run(|round| round % every == 1);
        assert!(missing <= 2 && played >= 495, "one of {every}: {played} and {missing}");
    }
}

#[test]
fn of_two_losses_in_a_row_one_is_made_good() {
    let (played, missing) = run(|round| round % 10 < 2);
    assert!((45..=60).contains(&missing) && played >= 435, "{played} and {missing}");
}
