//! Calls in which silence is left out: comfort noise with G.711, Annex B with G.729, DTX with Opus.

mod common;

use common::{CALL, Phone, Scratch, plan, recording, sleep};

use offhook_model::{AudioCodec, AudioSpec};
use offhook_ports::MediaPlan;

/// Half a second of a tone, then a room: noise at a root mean square of 100.
fn speech_and_room() -> Vec<u8> {
    let mut seed = 1u32;
    let samples = (0..8_000 * 4).map(|n| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let room = ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * 173.0;
        let tone = if n < 4_000 { 6_000.0 * (n as f32 * 0.4).sin() } else { 0.0 };
        ((room + tone) as i16).to_le_bytes()
    });
    let sound: Vec<u8> = samples.flatten().collect();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend_from_slice(&8_000u32.to_le_bytes());
    file.extend_from_slice(&16_000u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&(sound.len() as u32).to_le_bytes());
    file.extend_from_slice(&sound);
    file
}

fn power(sound: &[f32]) -> f64 {
    (sound.iter().map(|s| (f64::from(*s) * 32_768.0).powi(2)).sum::<f64>() / sound.len() as f64)
        .sqrt()
}

#[test]
fn a_silence_is_left_out_and_heard_as_noise() {
    let scratch = Scratch::new();
    let path = scratch.path("room.wav");
    std::fs::write(&path, speech_and_room()).expect("a file");
    let calls = [
        (AudioCodec::Pcma, Some(13)),
        (AudioCodec::G729, Some(18)),
        (AudioCodec::Opus, Some(114)),
        (AudioCodec::Pcmu, None),
    ];
    let calls = calls.map(|(codec, noise)| {
        let name = format!("{codec:?}.wav");
        let a = Phone::new(AudioSpec::File { path: path.clone(), repeat: false }, AudioSpec::Null);
        let b = Phone::new(AudioSpec::Silence, scratch.output(&name));
        b.engine.apply(CALL, plan(codec, a.rtp, a.rtcp));
        a.engine.apply(CALL, MediaPlan { noise, ..plan(codec, b.rtp, b.rtcp) });
        (codec, noise, name, a, b)
    });
    sleep(3_000);
    for (codec, noise, name, a, b) in calls {
        let stats = a.stats();
        let sent = stats.first().expect("what is sent").packets;
        a.engine.release(CALL);
        b.engine.release(CALL);
        a.engine.shutdown();
        b.engine.shutdown();
        let sound = recording(&scratch.path(&name));
        // Between 1.5 and 2.5 seconds: the room, whether it was sent or described.
        let room = power(&sound[72_000..120_000]);
        println!("{codec:?} {noise:?}: {sent} packets, the room at {room:.0}");
        assert!((50.0..200.0).contains(&room), "{codec:?} {noise:?}: {room}");
        // Nothing is missing anywhere in it.
        for part in sound[72_000..120_000].chunks_exact(960) {
            assert!(power(part) > 15.0, "{codec:?} {noise:?}: {}", power(part));
        }
        match noise {
            // Half a second of speech, the time after it, and what is told of the noise.
            Some(_) => assert!((30..100).contains(&sent), "{codec:?}: {sent} packets"),
            None => assert!(sent > 120, "{codec:?}: {sent} packets"),
        }
    }
}
