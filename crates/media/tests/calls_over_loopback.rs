//! Real calls between two engines: what one says is what the other plays.

mod common;

use common::{CALL, Phone, Scratch, amplitude, connect, loudness, plan, recording, sleep};
use std::time::Duration;

use offhook_model::{AudioCodec, AudioSpec, Direction, Secret, SrtpSuite};
use offhook_ports::{MediaFact, MediaPlan, SrtpPlan};

/// −12 dBFS.
const LEVEL: f64 = 0.251;

fn check_codec(codec: AudioCodec) {
    check_codecs(codec, codec);
}

/// `a` sends with the first, `b` with the second.
fn check_codecs(of_a: AudioCodec, of_b: AudioCodec) {
    let scratch = Scratch::new();
    let a = Phone::new(AudioSpec::Tone(1_000.0), scratch.output("a.wav"));
    let b = Phone::new(AudioSpec::Tone(440.0), scratch.output("b.wav"));
    a.engine.apply(CALL, plan(of_a, b.rtp, b.rtcp));
    b.engine.apply(CALL, plan(of_b, a.rtp, a.rtcp));
    sleep(1_800);
    let stats = b.stats();
    a.engine.release(CALL);
    b.engine.release(CALL);
    a.engine.shutdown();
    b.engine.shutdown();

    for (name, codec, hertz, other) in
        [("a.wav", of_b, 440.0, 1_000.0), ("b.wav", of_a, 1_000.0, 440.0)]
    {
        // G.729 describes a voice; a lone tone comes out 2 dB lower.
        let least = if codec == AudioCodec::G729 { 0.65 } else { 0.8 };
        let sound = recording(&scratch.path(name));
        assert!(sound.len() > 48_000, "{codec:?} {name}: {} samples", sound.len());
        let (_, level) = loudness(&sound, hertz);
        assert!((LEVEL * least..LEVEL * 1.2).contains(&level), "{codec:?} {name}: {level}");
        let (_, foreign) = loudness(&sound, other);
        assert!(foreign < LEVEL * 0.05, "{codec:?} {name}: {foreign}");
    }
    for phone in [&a, &b] {
        assert!(phone.facts().contains(&MediaFact::FirstPacket(CALL)), "{of_a:?}");
        assert!(!phone.facts().iter().any(|fact| matches!(fact, MediaFact::DeviceLost(_))));
    }
    let [sent, received] = stats.as_slice() else { panic!("two streams, not {stats:?}") };
    assert_eq!((sent.direction, received.direction), (Direction::Send, Direction::Receive));
    for (stream, codec) in [(sent, of_b), (received, of_a)] {
        assert_eq!(stream.codec, codec);
        assert_eq!(stream.payload_type, common::payload_type(codec));
        assert!((20..150).contains(&stream.packets), "{stream:?}");
        assert_eq!((stream.local_port, stream.remote_port), (b.rtp.port(), a.rtp.port()));
        assert!(stream.bit_rate > 7_000, "{stream:?}");
    }
    assert!(received.mos_estimate.is_some_and(|mos| mos > 3.5), "{received:?}");
}

#[test]
fn pcmu_carries_the_tone_both_ways() {
    check_codec(AudioCodec::Pcmu);
}

#[test]
fn pcma_carries_the_tone_both_ways() {
    check_codec(AudioCodec::Pcma);
}

#[test]
fn g722_carries_the_tone_both_ways() {
    check_codec(AudioCodec::G722);
}

#[test]
fn g729_carries_the_tone_both_ways() {
    check_codec(AudioCodec::G729);
}

#[test]
fn g7221_carries_the_tone_both_ways_at_both_rates() {
    check_codec(AudioCodec::G7221At24);
    check_codec(AudioCodec::G7221At32);
}

/// What somebody sends follows from what the other side takes, not from what it sends (RFC 3264 section
/// 6.1).
#[test]
fn each_side_may_send_with_another_codec() {
    check_codecs(AudioCodec::Opus, AudioCodec::Pcma);
    check_codecs(AudioCodec::G722, AudioCodec::G7221At32);
}

#[test]
fn opus_carries_the_tone_both_ways() {
    check_codec(AudioCodec::Opus);
}

/// Each side's key for the other.
fn keys(suite: SrtpSuite, send: u8, receive: u8) -> Option<SrtpPlan> {
    let (key, salt) = suite.key_and_salt();
    let master = |byte| Secret::new(vec![byte; key + salt]);
    Some(SrtpPlan { suite, send: master(send), receive: master(receive) })
}

#[test]
fn encrypted_sound_is_heard_and_named_and_goes_on_over_a_new_plan() {
    for suite in SrtpSuite::ALL {
        let scratch = Scratch::new();
        let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
        let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
        let to_b = MediaPlan { srtp: keys(suite, 1, 2), ..plan(AudioCodec::Pcmu, b.rtp, b.rtcp) };
        let to_a = MediaPlan { srtp: keys(suite, 2, 1), ..plan(AudioCodec::Pcmu, a.rtp, a.rtcp) };
        a.engine.apply(CALL, to_b.clone());
        b.engine.apply(CALL, to_a);
        sleep(900);
        // A new plan with the same keys: counters go on, nothing is taken for a replay.
        a.engine.apply(CALL, MediaPlan { packet_time: Duration::from_millis(10), ..to_b });
        sleep(900);
        let stats = b.stats();
        b.engine.shutdown();
        assert!(stats.iter().all(|it| it.srtp.as_deref() == Some(suite.name())), "{stats:?}");
        let (_, level) = loudness(&recording(&scratch.path("b.wav")), 1_000.0);
        assert!((LEVEL * 0.8..LEVEL * 1.2).contains(&level), "{suite:?}: {level}");
    }
}

#[test]
fn sound_under_another_key_or_in_clear_is_not_played() {
    for wrong in [None, keys(SrtpSuite::AesCm128HmacSha1_80, 9, 2)] {
        let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
        let b = Phone::new(AudioSpec::Silence, AudioSpec::Null);
        let right = keys(SrtpSuite::AesCm128HmacSha1_80, 2, 1);
        a.engine.apply(CALL, MediaPlan { srtp: wrong, ..plan(AudioCodec::Pcmu, b.rtp, b.rtcp) });
        b.engine.apply(CALL, MediaPlan { srtp: right, ..plan(AudioCodec::Pcmu, a.rtp, a.rtcp) });
        sleep(600);
        assert!(!b.facts().contains(&MediaFact::FirstPacket(CALL)));
        assert!(b.stats().iter().all(|it| it.direction == Direction::Send || it.packets == 0));
    }
}

#[test]
fn packets_of_other_lengths_and_a_change_of_codec_are_played() {
    let scratch = Scratch::new();
    let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
    b.engine.apply(CALL, plan(AudioCodec::Pcmu, a.rtp, a.rtcp));
    for (codec, ms) in [
        (AudioCodec::Pcmu, 10),
        (AudioCodec::Opus, 60),
        (AudioCodec::G722, 30),
        (AudioCodec::G7221At24, 60),
        (AudioCodec::Pcma, 40),
        (AudioCodec::G7221At32, 40),
    ] {
        let mut to_b = plan(codec, b.rtp, b.rtcp);
        to_b.packet_time = std::time::Duration::from_millis(ms);
        a.engine.apply(CALL, to_b);
        sleep(900);
        assert_eq!(b.stats()[1].codec, codec);
    }
    b.engine.shutdown();
    let sound = recording(&scratch.path("b.wav"));
    let (_, level) = loudness(&sound, 1_000.0);
    assert!((LEVEL * 0.8..LEVEL * 1.2).contains(&level), "{level}");
    for second in sound.chunks_exact(43_200).take(6) {
        let (level, _) = loudness(second, 1_000.0);
        assert!(level > LEVEL * 0.8, "{level}");
    }
}

#[test]
fn muting_keeps_packets_coming_without_sound() {
    let scratch = Scratch::new();
    let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
    connect(&a, &b, AudioCodec::Pcmu);
    a.engine.mute(CALL, true);
    sleep(700);
    let before = b.stats()[1].packets;
    sleep(500);
    assert!(b.stats()[1].packets > before + 10);
    b.engine.shutdown();
    let sound = recording(&scratch.path("b.wav"));
    // Whatever was said before the order was carried out is over soon.
    assert!(loudness(&sound[sound.len() / 2..], 1_000.0).0 < 0.01);
}

#[test]
fn hold_stops_sound_and_resume_brings_it_back() {
    let scratch = Scratch::new();
    let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
    connect(&a, &b, AudioCodec::Pcma);
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::FirstPacket(_))));
    let mut held = plan(AudioCodec::Pcma, b.rtp, b.rtcp);
    (held.sending, held.receiving) = (false, false);
    a.engine.apply(CALL, held);
    sleep(300);
    let before = b.stats()[1].packets;
    sleep(600);
    assert_eq!(b.stats()[1].packets, before);
    let length = recording(&scratch.path("b.wav")).len();
    a.engine.apply(CALL, plan(AudioCodec::Pcma, b.rtp, b.rtcp));
    sleep(1_000);
    let stats = b.stats();
    assert!(stats[1].packets > before + 20);
    // The pause was none of the network's doing.
    assert_eq!(stats[1].lost, 0);
    b.engine.shutdown();
    let sound = recording(&scratch.path("b.wav"));
    assert!(sound.len() > length + 24_000);
    let tail = &sound[sound.len() - 14_400..];
    assert!(amplitude(tail, 1_000.0) > LEVEL * 0.7);
}

#[test]
fn digits_arrive_once_each_and_in_order() {
    let a = Phone::new(AudioSpec::Tone(440.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, AudioSpec::Null);
    connect(&a, &b, AudioCodec::Pcmu);
    a.engine.dtmf(CALL, "1140#*D");
    assert!(a.wait_for(|fact| matches!(fact, MediaFact::DigitsSent(_))));
    sleep(200);
    assert_eq!(b.digits(), "1140#*D");
    // Without an agreed payload type there is nothing to wait for.
    let mut plain = plan(AudioCodec::Pcmu, a.rtp, a.rtcp);
    plain.dtmf = None;
    b.engine.apply(CALL, plain);
    b.engine.dtmf(CALL, "5");
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::DigitsSent(_))));
}

#[test]
fn two_calls_are_mixed_and_one_file_holds_them_all() {
    let scratch = Scratch::new();
    let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Tone(440.0), AudioSpec::Null);
    let c = Phone::new(AudioSpec::Silence, scratch.output("c.wav"));
    let second = offhook_model::CallId(8);
    let range = offhook_ports::PortRange { start: 47_000, end: 47_099 };
    let (rtp, rtcp) = c.engine.reserve(second, common::HOME, range).expect("free ports");
    connect(&a, &c, AudioCodec::Pcmu);
    b.engine.apply(CALL, plan(AudioCodec::G722, rtp, rtcp));
    c.engine.apply(second, plan(AudioCodec::G722, b.rtp, b.rtcp));
    sleep(1_200);
    c.engine.release(second);
    sleep(700);
    c.engine.release(CALL);
    sleep(300);
    let length = recording(&scratch.path("c.wav")).len();
    sleep(400);
    // Nobody speaks: the file does not grow.
    assert_eq!(recording(&scratch.path("c.wav")).len(), length);
    c.engine.tone(Some(offhook_media::Tone::Ringback));
    sleep(700);
    c.engine.tone(None);
    c.engine.shutdown();

    let sound = recording(&scratch.path("c.wav"));
    let both = &sound[24_000..48_000];
    for hertz in [1_000.0, 440.0] {
        let (_, level) = loudness(both, hertz);
        assert!((LEVEL * 0.75..LEVEL * 1.25).contains(&level), "{hertz}: {level}");
    }
    let one = &sound[length - 19_200..length - 4_800];
    assert!(loudness(one, 1_000.0).0 > LEVEL * 0.75);
    assert!(loudness(one, 440.0).0 < LEVEL * 0.1);
    assert!(loudness(&sound[length..], 425.0).0 > 0.05);
}

/// RFC 5761: then there is one socket less to keep open.
#[test]
fn reports_share_the_port_of_the_sound_where_that_was_agreed() {
    let a = Phone::new(AudioSpec::Silence, AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, AudioSpec::Null);
    for (phone, other) in [(&a, &b), (&b, &a)] {
        let plan = plan(AudioCodec::Pcmu, other.rtp, other.rtcp);
        phone.engine.apply(CALL, MediaPlan { remote_rtcp: None, ..plan });
    }
    // A round trip is known after reports went there and back.
    let known = |phone: &Phone| phone.stats().iter().any(|stream| stream.round_trip_ms.is_some());
    assert!((0..150).any(|_| {
        sleep(100);
        known(&a) && known(&b)
    }));
    for phone in [a, b] {
        phone.engine.release(CALL);
        phone.engine.shutdown();
    }
}
