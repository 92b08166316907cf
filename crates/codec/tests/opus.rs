//! What the other side asks of Opus (RFC 7587 section 6.1), judged by the packets: their first byte
//! says how they are coded (RFC 6716 section 3.1).

use std::time::Duration;

use offhook_codec::{ExpectedLoss, MAX_PAYLOAD, MAX_SAMPLES, carries_redundancy, decoder, encoder};
use offhook_model::{AudioCodec, OpusWish};

const SPEECH: &[u8] = include_bytes!("fixtures/speech-8000.s16le");

const EVERY_TENTH: ExpectedLoss = ExpectedLoss { percent: 10, reported: true };

/// Four seconds of speech at 48 kHz.
fn speech() -> Vec<i16> {
    let low: Vec<i16> =
        SPEECH.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let between = |pair: &[i16]| {
        let (from, to) = (i32::from(pair[0]), i32::from(pair[1]));
        (0..6).map(|n| ((from * (6 - n) + to * n) / 6) as i16).collect::<Vec<_>>()
    };
    low.windows(2).flat_map(between).collect()
}

/// The packets that are made of `sound`; empty where none is to be sent.
fn packets(sound: &[i16], wish: OpusWish, quiet: bool) -> Vec<Vec<u8>> {
    packets_at(EVERY_TENTH, sound, wish, quiet)
}

fn packets_at(loss: ExpectedLoss, sound: &[i16], wish: OpusWish, quiet: bool) -> Vec<Vec<u8>> {
    let mut encoder = encoder(AudioCodec::Opus, Duration::from_millis(20)).expect("an encoder");
    encoder.heed(wish);
    encoder.leave_out_silence(quiet);
    encoder.set_expected_loss(loss);
    let mut payload = [0; MAX_PAYLOAD];
    let frames = sound.chunks_exact(encoder.samples_per_frame());
    frames
        .map(|pcm| {
            let length = encoder.encode(pcm, &mut payload).expect("a payload");
            payload[..length].to_vec()
        })
        .collect()
}

/// The highest frequency of a packet in Hz.
fn highest(packet: &[u8]) -> u32 {
    match packet[0] >> 3 {
        0..=3 | 16..=19 => 4_000,
        4..=7 => 6_000,
        8..=11 | 20..=23 => 8_000,
        12..=13 | 24..=27 => 12_000,
        _ => 20_000,
    }
}

fn bit_rate(packets: &[Vec<u8>]) -> usize {
    packets.iter().map(Vec::len).sum::<usize>() * 8 * 50 / packets.len()
}

#[test]
fn nothing_is_coded_above_what_they_play() {
    // Noise, so that there is something at every frequency.
    let mut seed = 7u32;
    let noise: Vec<i16> = (0..48_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 18) as i16
        })
        .collect();
    for (max_playback_rate, most) in
        [(8_000, 4_000), (12_000, 6_000), (16_000, 8_000), (24_000, 12_000), (48_000, 20_000)]
    {
        let wish = OpusWish { max_playback_rate, ..OpusWish::default() };
        let highest = packets(&noise, wish, false).iter().map(|packet| highest(packet)).max();
        assert!(highest <= Some(most), "{max_playback_rate} Hz: {highest:?}");
        // And not everything is narrow.
        assert!(max_playback_rate < 16_000 || highest >= Some(8_000), "{highest:?}");
    }
}

#[test]
fn no_more_bits_are_sent_than_they_take() {
    let speech = speech();
    let usual = bit_rate(&packets(&speech, OpusWish::default(), false));
    assert!((22_000..38_000).contains(&usual), "{usual} bit/s");
    for most in [6_000, 12_000, 20_000] {
        let wish = OpusWish { max_average_bit_rate: Some(most), ..OpusWish::default() };
        let rate = bit_rate(&packets(&speech, wish, false));
        assert!(rate < most as usize * 115 / 100, "{rate} bit/s of {most}");
    }
    // What they would take above our own choice is not made use of.
    let wish = OpusWish { max_average_bit_rate: Some(510_000), ..OpusWish::default() };
    assert_eq!(bit_rate(&packets(&speech, wish, false)), usual);
}

#[test]
fn packets_are_of_one_length_where_that_is_asked_for() {
    let speech = speech();
    let lengths = |constant| {
        let wish = OpusWish { constant, ..OpusWish::default() };
        let mut lengths: Vec<_> = packets(&speech, wish, false).iter().map(Vec::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    };
    assert_eq!(lengths(true).len(), 1);
    assert!(lengths(false).len() > 10);
}

#[test]
fn redundancy_is_for_those_who_use_it() {
    let speech = speech();
    let redundant = |in_band_fec| {
        let wish = OpusWish { in_band_fec, ..OpusWish::default() };
        let packets = packets(&speech, wish, false);
        packets.iter().filter(|packet| carries_redundancy(AudioCodec::Opus, packet)).count()
    };
    assert_eq!(redundant(false), 0);
    assert!(redundant(true) > 50, "{} of 200", redundant(true));
}

#[test]
fn redundancy_takes_the_place_of_the_highest_sounds() {
    let speech = speech();
    let wish = OpusWish { in_band_fec: true, ..OpusWish::default() };
    let usual = bit_rate(&packets(&speech, OpusWish::default(), false));
    for (percent, reported, most) in [
        // Nothing is known yet: no more than without; a slow line is to carry it.
        (5, false, usual * 105 / 100),
        (5, true, 40_000),
        (35, true, usual * 105 / 100),
    ] {
        let made = packets_at(ExpectedLoss { percent, reported }, &speech, wish, false);
        let rate = bit_rate(&made);
        assert!(rate <= most, "{percent} %: {rate} bit/s of {most}");
        assert!(made.iter().all(|packet| highest(packet) <= 8_000));
    }
}

#[test]
fn silence_is_left_out_and_heard_as_silence() {
    let mut sound = speech();
    let spoken = sound.len() / 960;
    // A quiet room of four seconds.
    let mut seed = 7u32;
    sound.extend((0..192_000).map(|_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 16) % 60) as i16 - 30
    }));
    let sent = packets(&sound, OpusWish::default(), true);
    let room = &sent[spoken + 50..];
    let kept = room.iter().filter(|packet| !packet.is_empty()).count();
    assert!((1..room.len() / 5).contains(&kept), "{kept} of {}", room.len());
    // A decoder that is told of every gap in turn knows that it is one of silence.
    let mut decoder = decoder(AudioCodec::Opus).expect("a decoder");
    let mut out = [0; MAX_SAMPLES];
    let (mut loudest, mut unknown) = (0, 0);
    for (index, packet) in sent.iter().enumerate() {
        let count = if packet.is_empty() {
            unknown += usize::from(!decoder.is_resting());
            decoder.conceal(960, &mut out)
        } else {
            decoder.decode(packet, &mut out).expect("sound")
        };
        assert_eq!(count, 960);
        if index > spoken + 50 {
            loudest = out[..count].iter().map(|s| s.unsigned_abs()).max().unwrap_or(0).max(loudest);
        }
    }
    assert_eq!(unknown, 0);
    assert!(loudest < 300, "{loudest}");
    // Without being asked nothing is left out.
    assert!(packets(&sound, OpusWish::default(), false).iter().all(|packet| !packet.is_empty()));
}
