//! What becomes of voices and echoes, in virtual time.

use super::Voice;
use super::room::{Outcome, Room, SECOND, Speech, decibels, power, run};
use offhook_model::SoundSettings;

fn only_echo() -> SoundSettings {
    SoundSettings { noise_suppression: false, automatic_gain: false, ..SoundSettings::default() }
}

fn heard(room: Room) -> (Outcome, Option<i32>) {
    let scene = room.scene();
    let (sent, delay) = scene.hear(&only_echo()).expect("echo is wanted");
    (scene.judge(&sent, &only_echo()).expect("echo is wanted"), delay)
}

#[test]
fn echo_goes_at_every_delay_and_with_clocks_that_differ() {
    for (delay_ms, ppm) in
        [(20.0, 0.0), (60.0, 0.0), (120.0, 100.0), (200.0, 0.0), (300.0, 0.0), (300.0, -100.0)]
    {
        let (outcome, delay) = heard(Room { delay_ms, ppm, echo: 1.0, near: 0.0 });
        let erle = outcome.removed_db;
        println!(
            "echo delay {delay_ms} ms, clock {ppm} ppm: ERLE {erle:.1} dB, found {delay:?} ms"
        );
        assert!(erle > 25.0, "{delay_ms} ms, {ppm} ppm: {erle} dB");
        let found = f64::from(delay.expect("a delay is found"));
        assert!((found - delay_ms).abs() < 20.0, "{delay_ms} ms, found {found}");
    }
}

#[test]
fn a_voice_survives_while_both_speak() {
    // The echo is as loud as the voice.
    let (outcome, _) = heard(Room { delay_ms: 80.0, ppm: 0.0, echo: 2.5, near: 1.0 });
    println!("double talk: {outcome:?}");
    assert!(outcome.kept_db > -6.0 && outcome.kept_db < 3.0, "{outcome:?}");
    let after = outcome.likeness_after;
    assert!(after > 0.6 && after > outcome.likeness_before, "{outcome:?}");
    assert!(outcome.gone_percent < 20.0, "{outcome:?}");
}

#[test]
fn a_voice_without_echo_goes_through_and_noise_goes_down() {
    let near = Speech::new(99, 210.0).take(10 * SECOND);
    let mut seed = 1u32;
    let noisy: Vec<f32> = near
        .iter()
        .map(|s| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            s + 0.004 * ((seed >> 8) as f32 / 8_388_608.0 - 1.0)
        })
        .collect();
    let wanted = SoundSettings { automatic_gain: false, ..SoundSettings::default() };
    let mut voice = Voice::new(&wanted).expect("wanted");
    let silence = vec![0.0; noisy.len()];
    let out = run(&mut voice, &silence, &noisy);
    let kept = decibels(power(&out[5 * SECOND..]) / power(&near[5 * SECOND..]));
    assert!((-4.0..2.0).contains(&kept), "{kept} dB");
    // The quietest tenth of a second of each: what is left of the noise.
    let floor =
        |sound: &[f32]| sound[5 * SECOND..].chunks(SECOND / 10).map(power).fold(f64::MAX, f64::min);
    let lower = decibels(floor(&noisy) / floor(&out));
    println!("no echo: voice at {kept:.1} dB, noise lower by {lower:.1} dB");
    assert!(lower > 6.0, "{lower} dB");
}

#[test]
fn gain_stays_in_its_bounds_and_raises_no_silence() {
    let low: Vec<f32> = Speech::new(3, 180.0).take(20 * SECOND).iter().map(|s| s * 0.05).collect();
    let wanted = SoundSettings { automatic_gain: true, ..SoundSettings::OFF };
    let mut voice = Voice::new(&wanted).expect("wanted");
    let out = run(&mut voice, &[], &[]);
    assert!(out.is_empty());
    let mut out = low.clone();
    voice.spoken(&mut out);
    let raised = decibels(power(&out[15 * SECOND..]) / power(&low[15 * SECOND..]));
    println!("what is not speech is raised by {raised:.1} dB");
    assert!(raised < 19.0 && raised > -1.0, "{raised} dB");
    assert!(out.iter().all(|sample| sample.abs() <= 1.0));
    let mut silence = vec![0.0; SECOND];
    voice.spoken(&mut silence);
    assert!(power(&silence[SECOND / 2..]) < 1e-9);
}

#[test]
fn nothing_wanted_is_nothing_made() {
    assert!(Voice::new(&SoundSettings::OFF).is_none());
}

/// By how many samples a voice comes out later than it went in, at the best likeness of up to 40 ms.
fn later(wanted: &SoundSettings) -> usize {
    let near = Speech::new(7, 190.0).take(6 * SECOND);
    let mut out = near.clone();
    Voice::new(wanted).expect("wanted").spoken(&mut out);
    let part = 3 * SECOND..5 * SECOND;
    let like = |late: usize| -> f64 {
        let out = &out[part.start + late..part.end + late];
        near[part.clone()].iter().zip(out).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    (0..SECOND / 25).max_by(|a, b| like(*a).total_cmp(&like(*b))).unwrap_or_default()
}

#[test]
fn a_voice_that_is_worked_on_is_not_held_back_for_long() {
    let off = SoundSettings::OFF;
    for (what, wanted) in [
        ("echo", SoundSettings { echo_cancellation: true, ..off }),
        ("noise", SoundSettings { noise_suppression: true, ..off }),
        ("gain", SoundSettings { automatic_gain: true, ..off }),
        ("echo and noise", SoundSettings { automatic_gain: false, ..SoundSettings::default() }),
        ("as set at first", SoundSettings::default()),
    ] {
        let ms = later(&wanted) as f64 * 1_000.0 / SECOND as f64;
        println!("{what}: {ms:.1} ms later");
        assert!(ms < 16.0, "{what}: {ms} ms");
    }
}
