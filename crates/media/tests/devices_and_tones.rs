//! Devices that are there, gone or never were; tones; the end of the engine.

mod common;

use std::path::PathBuf;

use common::{CALL, HOME, Phone, Scratch, amplitude, connect, engine, loudness, recording, sleep};
use offhook_media::{MediaEngine, MediaOptions, Tone};
use offhook_model::{AudioCodec, AudioSpec, Role};
use offhook_ports::{MediaFact, PortRange};

/// A file with two seconds of 1 kHz at this rate, as 16-bit PCM.
fn tone_file(scratch: &Scratch, rate: u32) -> PathBuf {
    let samples: Vec<u8> = (0..rate * 2)
        .flat_map(|n| {
            let angle = f64::from(n) * 1_000.0 * 2.0 * std::f64::consts::PI / f64::from(rate);
            ((angle.sin() * 8_231.0) as i16).to_le_bytes()
        })
        .collect();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    let path = scratch.path(&format!("{rate}.wav"));
    std::fs::write(&path, file).expect("a file");
    path
}

#[test]
fn a_file_is_heard_from_its_beginning_and_loops_if_asked() {
    let scratch = Scratch::new();
    for (rate, repeat) in [(8_000, false), (44_100, true)] {
        let input = AudioSpec::File { path: tone_file(&scratch, rate), repeat };
        let a = Phone::new(input, AudioSpec::Null);
        let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
        connect(&a, &b, AudioCodec::G722);
        sleep(3_200);
        a.engine.shutdown();
        b.engine.shutdown();
        let sound = recording(&scratch.path("b.wav"));
        let (_, level) = loudness(&sound[..72_000], 1_000.0);
        assert!((0.2..0.3).contains(&level), "{rate}: {level}");
        let level = amplitude(&sound[sound.len() - 28_800..sound.len() - 14_400], 1_000.0);
        assert_eq!(level > 0.2, repeat, "{rate}: {level}");
    }
}

#[test]
fn a_missing_file_is_told_and_the_call_goes_on() {
    let scratch = Scratch::new();
    let nowhere = scratch.path("no/such/file.wav");
    let spec = AudioSpec::File { path: nowhere.clone(), repeat: false };
    let a = Phone::new(spec.clone(), spec);
    let b = Phone::new(AudioSpec::Silence, AudioSpec::Null);
    connect(&a, &b, AudioCodec::Pcmu);
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::FirstPacket(_))));
    sleep(300);
    let told: Vec<String> = a
        .facts()
        .into_iter()
        .filter_map(|fact| match fact {
            MediaFact::DeviceLost(why) => Some(why),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|why| why.contains(&nowhere.display().to_string())), "{told:?}");
    assert!(a.engine.devices().problem.is_some());
    // Another choice works at once, in the call.
    a.engine.select(Role::Input, AudioSpec::Tone(700.0));
    a.engine.select(Role::Output, scratch.output("a.wav"));
    sleep(600);
    a.engine.shutdown();
    assert!(recording(&scratch.path("a.wav")).len() > 9_600);
}

#[test]
fn an_engine_without_a_sound_card_makes_calls_all_the_same() {
    // On a machine that has one, this uses it.
    let a = Phone::new(AudioSpec::Default, AudioSpec::Device("no such device".into()));
    let b = Phone::new(AudioSpec::Silence, AudioSpec::Null);
    connect(&a, &b, AudioCodec::Opus);
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::FirstPacket(_))));
    assert!(
        a.wait_for(|fact| matches!(fact, MediaFact::DeviceLost(why) if why.contains("no such")))
    );
    assert!(a.wait_for(|fact| matches!(fact, MediaFact::FirstPacket(_))));
    let devices = a.engine.devices();
    assert_eq!(devices.output, AudioSpec::Device("no such device".into()));
    assert!(devices.problem.is_some() || !devices.items.is_empty());
}

#[test]
fn ring_and_ringback_go_to_their_places() {
    let scratch = Scratch::new();
    let options = MediaOptions {
        input: AudioSpec::Silence,
        output: scratch.output("out.wav"),
        ringer: scratch.output("ring.wav"),
        seed: 5,
        ..MediaOptions::default()
    };
    let engine = MediaEngine::start(options, |_| {});
    engine.tone(Some(Tone::Ringback));
    sleep(500);
    assert!(engine.levels().1 > 0.02);
    engine.tone(Some(Tone::Ring));
    sleep(800);
    engine.tone(Some(Tone::Test));
    sleep(1_300);
    engine.tone(None);
    engine.shutdown();
    let out = recording(&scratch.path("out.wav"));
    let ring = recording(&scratch.path("ring.wav"));
    assert!(loudness(&out, 425.0).0 > 0.05);
    assert!(loudness(&out, 659.25).0 > 0.05);
    assert!(loudness(&ring, 880.0).0 > 0.1);
    assert!(loudness(&out, 880.0).0 < 0.05);
    // The test tone ended by itself.
    assert!(out.len() < 48_000 * 2 + 24_000, "{}", out.len());
}

#[test]
fn a_recording_is_valid_while_it_grows() {
    let scratch = Scratch::new();
    let (engine, _) = engine(AudioSpec::Silence, scratch.output("out.wav"));
    engine.tone(Some(Tone::Busy));
    sleep(1_400);
    let length = recording(&scratch.path("out.wav")).len();
    assert!(length >= 24_000, "{length}");
    // The engine still runs here; only dropping it ends the file.
    drop(engine);
    assert!(recording(&scratch.path("out.wav")).len() >= length);
}

#[test]
fn an_engine_that_was_shut_down_does_nothing_and_says_so() {
    let (engine, _) = engine(AudioSpec::Silence, AudioSpec::Null);
    assert!(engine.stats(CALL).is_empty());
    let (rtp, _) =
        engine.reserve(CALL, HOME, PortRange { start: 48_000, end: 48_099 }).expect("free");
    engine.shutdown();
    engine.shutdown();
    engine.mute(CALL, true);
    engine.tone(Some(Tone::Ring));
    assert!(engine.reserve(CALL, HOME, PortRange { start: 48_000, end: 48_099 }).is_err());
    // The port is free again.
    std::net::UdpSocket::bind(rtp).expect("the port was closed");
}
