//! Calls in virtual time: clocks that differ for long, losses that redundancy makes good, and what
//! jitter does to delay. Nothing here waits; speech is a made-up voice.

use std::f32::consts::TAU;

use offhook_media::rehearsal::{Network, Outcome, Rehearsal};
use offhook_model::AudioCodec;

const RATE: usize = 48_000;

/// A voice of a hundred hertz and its overtones that swell and fade: 0.8 s of speech, 0.4 s of a pause.
fn voice(seconds: usize) -> Vec<f32> {
    (0..seconds * RATE)
        .map(|n| {
            let time = n as f32 / RATE as f32;
            let place = (time % 1.2) / 0.8;
            if place >= 1.0 {
                return 0.0;
            }
            let pitch = TAU * 100.0 * (n % (RATE / 100)) as f32 / RATE as f32;
            let sum: f32 = (1u8..12).map(|k| (f32::from(k) * pitch).sin() / f32::from(k)).sum();
            sum * (place * TAU / 2.0).sin() * 0.15
        })
        .collect()
}

fn tone(seconds: usize) -> Vec<f32> {
    // A whole number of samples a period, so that the phase stays exact.
    (0..seconds * RATE)
        .map(|n| (TAU * (n % (RATE / 400)) as f32 * 400.0 / RATE as f32).sin() * 0.3)
        .collect()
}

/// The greatest step between two samples, beyond which something clicked.
fn greatest_step(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

fn part(outcome: &Outcome, from: usize, seconds: usize) -> &[f32] {
    &outcome.heard[from * RATE..(from + seconds) * RATE]
}

fn median(delays: &[f32]) -> f32 {
    let mut sorted = delays.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted[sorted.len() / 2]
}

/// Their clock is fast or slow by 200 ppm, six packets in ten minutes: none is missed or left out, the
/// delay does not grow, and a tone goes on without a click. (An hour does no worse, and takes 1.4 GB.)
#[test]
fn sound_cards_that_differ_do_not_click() {
    let seconds = 600;
    let sound = tone(seconds);
    let step = greatest_step(&sound[..RATE]);
    for drift in [200.0, -200.0] {
        let call = Rehearsal { drift, ..Rehearsal::new(AudioCodec::Pcmu) };
        let outcome = call.play(&sound);
        // The end of the stream is ten pieces of concealment.
        assert!(outcome.buffer.concealed <= 10, "{drift}: {:?}", outcome.buffer);
        assert_eq!((outcome.buffer.late, outcome.buffer.skipped), (0, 0), "{drift}");
        let delay = outcome.delays.iter().copied().fold(0.0, f32::max);
        assert!(delay < 45.0, "{drift}: {delay} ms");
        let heard = part(&outcome, 2, seconds - 4);
        let worst = greatest_step(heard);
        assert!(worst < step * 1.3, "{drift}: {worst} instead of {step}");
        // Nothing fades either: each second is as loud as the first.
        for second in heard.chunks_exact(RATE) {
            let power = second.iter().map(|sample| sample * sample).sum::<f32>() / RATE as f32;
            assert!((0.035..0.050).contains(&power), "{drift}: {power}");
        }
    }
}

/// In Opus single losses in speech, two thirds of the sound, are made good but for the first one; the delay
/// is one packet more only where packets get lost.
#[test]
fn losses_of_opus_are_made_good_and_cost_a_packet_of_delay() {
    let speech = voice(30);
    let of = |loss| {
        let network = Network { loss, ..Network::default() };
        Rehearsal { network, ..Rehearsal::new(AudioCodec::Opus) }.play(&speech)
    };
    let clean = of(0.0);
    assert!(median(&clean.delays) < 10.0 && clean.recovered == 0);
    for (loss, share) in [(1.0, 0.55), (5.0, 0.55), (10.0, 0.55)] {
        let outcome = of(loss);
        let lost = outcome.sent - outcome.came;
        let made_good = outcome.recovered as f64 / lost as f64;
        assert!(made_good > share, "{loss} %: {} of {lost}", outcome.recovered);
        assert!((15.0..30.0).contains(&median(&outcome.delays)), "{loss} %");
    }
}

#[test]
fn jitter_is_waited_out_and_nothing_more() {
    let speech = voice(30);
    for (jitter, least, most) in [(20.0, 5.0, 35.0), (60.0, 35.0, 85.0), (200.0, 110.0, 230.0)] {
        let network = Network { jitter, ..Network::default() };
        let call = Rehearsal { network, ..Rehearsal::new(AudioCodec::Pcmu) };
        let outcome = call.play(&speech);
        let late = outcome.buffer.late as f64 / outcome.sent as f64;
        assert!(late < 0.06, "{jitter} ms: {late}");
        let delay = median(&outcome.delays);
        assert!((least..most).contains(&delay), "{jitter} ms: {delay}");
    }
}
