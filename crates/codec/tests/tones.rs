//! Tones through every codec: level, noise, lengths; and what concealment makes of them.

use std::f64::consts::TAU;
use std::time::Duration;

use offhook_codec::{
    CodecError, ExpectedLoss, MAX_PAYLOAD, MAX_SAMPLES, Stretcher, decoder, encoder,
};
use offhook_model::AudioCodec;

const MS20: Duration = Duration::from_millis(20);

fn tone(codec: AudioCodec, hertz: f64, amplitude: f64, seconds: f64) -> Vec<i16> {
    let rate = f64::from(codec.sample_rate());
    (0..(rate * seconds) as usize)
        .map(|n| (amplitude * (TAU * hertz * n as f64 / rate).sin()) as i16)
        .collect()
}

/// Sends `sound` through the codec. Packets for which `lose` says so are concealed.
fn through(codec: AudioCodec, sound: &[i16], lose: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut encoder = encoder(codec, MS20).expect("an encoder");
    let mut decoder = decoder(codec).expect("a decoder");
    let frame = encoder.samples_per_frame();
    let (mut payload, mut out) = ([0; MAX_PAYLOAD], [0; MAX_SAMPLES]);
    let mut heard = Vec::new();
    for (index, pcm) in sound.chunks_exact(frame).enumerate() {
        let length = encoder.encode(pcm, &mut payload).expect("a payload");
        assert_eq!(decoder.duration(&payload[..length]), Some(frame as u32));
        let count = if lose(index) {
            decoder.conceal(frame, &mut out)
        } else {
            decoder.decode(&payload[..length], &mut out).expect("sound")
        };
        assert_eq!(count, frame);
        heard.extend_from_slice(&out[..count]);
    }
    heard
}

/// Amplitude of one frequency, and the power of everything else relative to it in dB.
fn analyse(sound: &[i16], rate: u32, hertz: f64) -> (f64, f64) {
    let step = TAU * hertz / f64::from(rate);
    // Whole periods only, so that the projection is clean.
    let period = f64::from(rate) / hertz;
    let count = ((sound.len() as f64 / period).floor() * period).round() as usize;
    let sound: Vec<f64> = sound[..count].iter().map(|s| f64::from(*s)).collect();
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (n, sample) in sound.iter().enumerate() {
        real += sample * (step * n as f64).cos();
        imaginary += sample * (step * n as f64).sin();
    }
    let scale = 2.0 / count as f64;
    let (a, b) = (real * scale, imaginary * scale);
    let noise: f64 = sound
        .iter()
        .enumerate()
        .map(|(n, s)| {
            let phase = step * n as f64;
            (s - a * phase.cos() - b * phase.sin()).powi(2)
        })
        .sum::<f64>()
        / count as f64;
    let power = (a * a + b * b) / 2.0;
    (power.sqrt() * 2f64.sqrt(), 10.0 * (power / noise.max(1e-9)).log10())
}

fn check_tone(codec: AudioCodec, hertz: f64, least_snr: f64) {
    let amplitude = 8_000.0;
    let heard = through(codec, &tone(codec, hertz, amplitude, 1.0), |_| false);
    let rate = codec.sample_rate();
    let (level, snr) = analyse(&heard[heard.len() / 2..], rate, hertz);
    let change = 20.0 * (level / amplitude).log10();
    assert!(change.abs() < 1.0, "{codec:?} {hertz} Hz changed by {change} dB");
    assert!(snr > least_snr, "{codec:?} {hertz} Hz: {snr} dB");
}

#[test]
fn tones_keep_their_level_and_stay_clean() {
    for hertz in [440.0, 1_000.0, 3_000.0] {
        check_tone(AudioCodec::Pcmu, hertz, 35.0);
        check_tone(AudioCodec::Pcma, hertz, 35.0);
        check_tone(AudioCodec::G722, hertz, 30.0);
        check_tone(AudioCodec::Opus, hertz, 15.0);
    }
    check_tone(AudioCodec::G722, 6_000.0, 12.0);
    check_tone(AudioCodec::Opus, 6_000.0, 8.0);
}

#[test]
fn a_short_gap_in_a_tone_is_filled_at_level() {
    for codec in AudioCodec::ALL {
        let frame = codec.sample_rate() as usize / 50;
        let heard = through(codec, &tone(codec, 440.0, 8_000.0, 0.6), |index| index == 15);
        let gap = &heard[15 * frame..15 * frame + frame / 2];
        let (level, _) = analyse(gap, codec.sample_rate(), 440.0);
        println!("{codec:?}: gap at {level:.0}");
        assert!((5_000.0..=9_500.0).contains(&level), "{codec:?}: {level}");
        // No click where the gap begins or ends: no step larger than the tone itself makes.
        let steepest = 8_000.0 * TAU * 440.0 / f64::from(codec.sample_rate());
        for pair in heard[14 * frame..17 * frame].windows(2) {
            let step = f64::from(pair[1]) - f64::from(pair[0]);
            assert!(step.abs() < steepest * 1.6 + 150.0, "{codec:?}: step of {step}");
        }
    }
}

#[test]
fn a_long_gap_fades_to_silence() {
    for codec in [AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722] {
        let frame = codec.sample_rate() as usize / 50;
        let heard = through(codec, &tone(codec, 300.0, 8_000.0, 0.6), |index| index >= 15);
        assert!(heard[18 * frame..].iter().all(|sample| *sample == 0), "{codec:?}");
        let energy = |at: usize| {
            heard[at * frame..(at + 1) * frame].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>()
        };
        assert!(energy(15) > energy(16) && energy(16) > energy(17), "{codec:?}");
    }
}

#[test]
fn concealing_silence_stays_silent() {
    for codec in AudioCodec::ALL {
        let mut decoder = decoder(codec).expect("a decoder");
        let mut out = [99; 960];
        assert_eq!(decoder.conceal(960, &mut out), 960);
        assert!(out.iter().all(|sample| sample.abs() < 3), "{codec:?}");
        assert_eq!(decoder.conceal(77, &mut out[..50]), 50);
    }
}

#[test]
fn opus_recovers_a_lost_packet_from_the_next_one() {
    let codec = AudioCodec::Opus;
    let mut encoder = encoder(codec, MS20).expect("an encoder");
    encoder.set_expected_loss(ExpectedLoss { percent: 20, reported: true });
    // A tone whose pitch glides, so that repeating the past is audibly wrong.
    let mut phase = 0.0f64;
    let sound: Vec<i16> = (0..48_000)
        .map(|n| {
            phase += TAU * (200.0 + 0.02 * f64::from(n)) / 48_000.0;
            (6_000.0 * (phase.sin() + 0.5 * (2.0 * phase).sin())) as i16
        })
        .collect();
    let packets: Vec<Vec<u8>> = sound
        .chunks_exact(960)
        .map(|pcm| {
            let mut payload = [0; MAX_PAYLOAD];
            let length = encoder.encode(pcm, &mut payload).expect("a payload");
            payload[..length].to_vec()
        })
        .collect();
    let decode = |fec: bool| {
        let mut decoder = decoder(codec).expect("a decoder");
        let (mut out, mut heard) = ([0; MAX_SAMPLES], Vec::new());
        for (index, packet) in packets.iter().enumerate() {
            let lost = index % 8 == 7 && index + 1 < packets.len();
            let count = match (lost, fec) {
                (false, _) => decoder.decode(packet, &mut out).expect("sound"),
                (true, true) => {
                    decoder.decode_fec(&packets[index + 1], 960, &mut out).expect("redundancy")
                }
                (true, false) => decoder.conceal(960, &mut out),
            };
            heard.extend_from_slice(&out[..count]);
        }
        heard
    };
    let clean = {
        let mut decoder = decoder(codec).expect("a decoder");
        let (mut out, mut heard) = ([0; MAX_SAMPLES], Vec::new());
        for packet in &packets {
            let count = decoder.decode(packet, &mut out).expect("sound");
            heard.extend_from_slice(&out[..count]);
        }
        heard
    };
    let error = |heard: &[i16]| -> f64 {
        heard.iter().zip(&clean).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
    };
    let (with, without) = (error(&decode(true)), error(&decode(false)));
    println!("error with redundancy {with:.3e}, without {without:.3e}");
    assert!(with * 2.0 < without, "{with} against {without}");
}

#[test]
fn only_opus_has_redundancy_and_nonsense_has_none() {
    let mut out = [0; MAX_SAMPLES];
    for codec in AudioCodec::ALL {
        let mut decoder = decoder(codec).expect("a decoder");
        assert_eq!(decoder.decode_fec(&[], 960, &mut out), None);
        assert_eq!(decoder.decode_fec(&[1, 2, 3], 961, &mut out), None);
        assert_eq!(decoder.decode(&[], &mut out), Err(CodecError::Payload));
        assert_eq!(decoder.duration(&[]), None);
    }
}

#[test]
fn packet_times_give_frame_sizes() {
    for (ms, opus) in [(10, 480), (20, 960), (30, 960), (40, 1_920), (50, 1_920), (60, 2_880)] {
        let time = Duration::from_millis(ms);
        let frame = |codec| encoder(codec, time).expect("an encoder").samples_per_frame();
        assert_eq!(frame(AudioCodec::Opus), opus);
        assert_eq!(frame(AudioCodec::Pcmu), ms as usize * 8);
        assert_eq!(frame(AudioCodec::Pcma), ms as usize * 8);
        assert_eq!(frame(AudioCodec::G722), ms as usize * 16);
    }
    for ms in [0, 5, 15, 70, 1_000] {
        let time = Duration::from_millis(ms);
        assert_eq!(encoder(AudioCodec::Pcmu, time).err(), Some(CodecError::PacketTime(time)));
    }
}

#[test]
fn wrong_sizes_are_errors() {
    for codec in AudioCodec::ALL {
        let mut encoder = encoder(codec, MS20).expect("an encoder");
        let frame = encoder.samples_per_frame();
        let mut out = [0; MAX_PAYLOAD];
        assert!(matches!(
            encoder.encode(&vec![0; frame - 1], &mut out),
            Err(CodecError::FrameSize { .. })
        ));
        let small = encoder.encode(&vec![0; frame], &mut out[..1]);
        assert!(matches!(small, Err(CodecError::NoRoom(_)) | Ok(1)), "{codec:?} {small:?}");
        let length = encoder.encode(&vec![0; frame], &mut out).expect("a payload");
        let mut decoder = decoder(codec).expect("a decoder");
        let error = decoder.decode(&out[..length], &mut [0; 10]);
        assert_eq!(error, Err(CodecError::NoRoom(frame)), "{codec:?}");
    }
}

#[test]
fn opus_bit_rate_is_about_what_was_asked_for() {
    let mut encoder = encoder(AudioCodec::Opus, MS20).expect("an encoder");
    encoder.set_expected_loss(ExpectedLoss::default());
    let sound = tone(AudioCodec::Opus, 333.0, 9_000.0, 2.0);
    let mut out = [0; MAX_PAYLOAD];
    let bytes: usize =
        sound.chunks_exact(960).map(|pcm| encoder.encode(pcm, &mut out).expect("bytes")).sum();
    let rate = bytes as f64 * 8.0 / 2.0;
    assert!((8_000.0..=40_000.0).contains(&rate), "{rate}");
}

#[test]
fn stretching_keeps_pitch_and_level() {
    for codec in AudioCodec::ALL {
        let rate = codec.sample_rate();
        let frame = rate as usize / 50;
        let mut stretcher = Stretcher::new(rate);
        let sound = tone(codec, 200.0, 8_000.0, 0.02);
        let period = rate as usize / 200;
        let mut out = vec![0; 2 * frame];
        out[..frame].copy_from_slice(&sound);
        let shorter = stretcher.shorten(&mut out, frame, frame / 2, 0);
        assert!((frame - shorter).abs_diff(period) <= rate as usize / 4_000, "{codec:?} {shorter}");
        // Still the same tone from beginning to end.
        let steepest = 8_000.0 * TAU * 200.0 / f64::from(rate);
        let smooth = |sound: &[i16]| {
            sound
                .windows(2)
                .all(|p| (f64::from(p[1]) - f64::from(p[0])).abs() < steepest * 1.5 + 20.0)
        };
        assert!(smooth(&out[..shorter]), "{codec:?}");
        assert_eq!(out[shorter - 1], sound[frame - 1]);

        out[..frame].copy_from_slice(&sound);
        let longer = stretcher.lengthen(&mut out, frame, frame / 2, 0);
        assert!((longer - frame).abs_diff(period) <= rate as usize / 4_000, "{codec:?} {longer}");
        assert!(smooth(&out[..longer]), "{codec:?}");
        assert_eq!((out[0], out[longer - 1]), (sound[0], sound[frame - 1]));
        // Without room nothing happens, and neither with a short packet.
        assert_eq!(stretcher.lengthen(&mut out[..frame], frame, frame / 2, 0), frame);
        assert_eq!(stretcher.shorten(&mut out, frame / 4, frame / 4, 0), frame / 4);
    }
}

#[test]
fn a_pause_is_stretched_at_once_and_exactly_and_a_voice_waits_for_one() {
    let (rate, frame) = (8_000, 160);
    let mut stretcher = Stretcher::new(rate);
    let voice: Vec<i16> = (0..frame).map(|n| ((n as f32 * 0.157).sin() * 8_000.0) as i16).collect();
    let mut out = vec![0i16; 2 * frame];
    for _ in 0..50 {
        out[..frame].copy_from_slice(&voice);
        assert_eq!(stretcher.shorten(&mut out, frame, 80, 50), frame, "the voice waits");
        assert_eq!(out[..frame], voice);
    }
    let quiet: Vec<i16> = (0..frame).map(|n| (n as i32 * 7919 % 20) as i16).collect();
    for by in [1, 37, 80, 120] {
        out[..frame].copy_from_slice(&quiet);
        assert_eq!(stretcher.shorten(&mut out, frame, by, 50), frame - by);
        out[..frame].copy_from_slice(&quiet);
        assert_eq!(stretcher.lengthen(&mut out, frame, by, 50), frame + by);
        assert!(out[..frame + by].iter().all(|sample| sample.abs() < 21), "no louder than it was");
    }
    // A wish that has waited is fulfilled by a period of the voice: 40 samples at 200 Hz.
    let left = (0..60).map(|_| {
        out[..frame].copy_from_slice(&voice);
        stretcher.shorten(&mut out, frame, 80, 50)
    });
    assert_eq!(left.filter(|left| *left != frame).collect::<Vec<_>>(), [120]);
}
