//! An estimate of how speech sounds, by the E-model: ITU-T G.107 for codecs of the telephone band,
//! G.107.1 for wider ones. An estimate to tell good from bad by, no measurement.
//!
//! Everything but codec, loss and delay is at the default of the recommendation. Of the wide band the
//! echo terms are left out: nobody knows the other side's echo.

use offhook_model::AudioCodec;

/// What a stream suffers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Impairment {
    /// Packets missing where they should be played, 0 to 100.
    pub(super) loss_percent: f32,
    /// How much longer runs of losses are than chance makes them (`BurstR`), at least 1.
    pub(super) burst_ratio: f32,
    /// From mouth to ear, in milliseconds.
    pub(super) one_way_ms: f32,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rating {
    /// 0 to 100; ratings of the wide band are brought to this scale (G.107.1 section 7.7).
    pub(super) r: f32,
    /// 1 to 4.5.
    pub(super) mos: f32,
}

/// What a codec does by itself.
struct Coding {
    /// `Ie`, or `Ie,WB`.
    impairment: f32,
    /// `Bpl`: how well it stands losses.
    robustness: f32,
    wide: bool,
}

/// The narrow band's figures and the impairments of G.722 and G.722.1 are those of G.113 (appendices I
/// and IV), remembered and not compared with its text, which was not at hand [I]. It has no robustness
/// of wide-band codecs with concealment like ours, and nothing of Opus: those are our own choice.
fn coding(codec: AudioCodec) -> Coding {
    let (impairment, robustness, wide) = match codec {
        AudioCodec::Pcmu | AudioCodec::Pcma => (0.0, 25.1, false),
        AudioCodec::G729 => (11.0, 19.0, false),
        AudioCodec::G722 => (13.0, 20.0, true),
        AudioCodec::G7221At32 => (13.0, 20.0, true),
        AudioCodec::G7221At24 => (19.0, 20.0, true),
        AudioCodec::Opus => (0.0, 25.0, true),
    };
    Coding { impairment, robustness, wide }
}

/// The highest rating of the wide band (G.107.1 section 7.1).
const WIDEST: f32 = 129.0;

/// Rates a stream.
pub(super) fn rate(codec: AudioCodec, suffered: Impairment) -> Rating {
    let Coding { impairment, robustness, wide } = coding(codec);
    let loss = suffered.loss_percent.clamp(0.0, 100.0);
    // G.107 equation (7-29).
    let burst = suffered.burst_ratio.max(1.0);
    let equipment = impairment + (95.0 - impairment) * loss / (loss / burst + robustness);
    let delay = suffered.one_way_ms.max(0.0);
    let r = if wide {
        (WIDEST - absolute_delay(delay) - equipment) * 100.0 / WIDEST
    } else {
        BASE - echo(delay) - absolute_delay(delay) - equipment
    };
    let r = r.clamp(0.0, 100.0);
    Rating { r, mos: mos(r) }
}

/// Noise and the loudness of side tones at the defaults: `Ro − Is`.
const BASE: f32 = 93.36;

/// What delay does by itself: `Idd`, equations (7-27) and (7-28).
fn absolute_delay(ms: f32) -> f32 {
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    let root = |x: f32| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// The talker's and the listener's echo at the default losses of 65 and 110 dB: `Idte + Idle`,
/// equations (7-19) to (7-26).
fn echo(ms: f32) -> f32 {
    const TALKER_LOSS: f32 = 65.0;
    const LISTENER_LOSS: f32 = 110.0;
    /// `Roe`, which at the defaults is `Ro`.
    const NOISE: f32 = 94.77;
    let masked = TALKER_LOSS - 40.0 * ((1.0 + ms / 10.0) / (1.0 + ms / 150.0)).log10()
        + 6.0 * (-0.3 * ms * ms).exp();
    let half = (NOISE - (80.0 + 2.5 * (masked - 14.0))) / 2.0;
    let talker = (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-ms).exp());
    let back = 10.5 * (LISTENER_LOSS + 7.0) * (2.0 * ms + 1.0).powf(-0.25);
    let half = (NOISE - back) / 2.0;
    talker + half + (half * half + 169.0).sqrt()
}

/// Opinions from ratings (G.107 annex B).
fn mos(r: f32) -> f32 {
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::{Impairment, absolute_delay, mos, rate};
    use offhook_model::AudioCodec;

    fn r(codec: AudioCodec, loss_percent: f32, burst_ratio: f32, one_way_ms: f32) -> f32 {
        rate(codec, Impairment { loss_percent, burst_ratio, one_way_ms }).r
    }

    #[test]
    fn a_call_at_the_defaults_has_the_rating_of_the_recommendation() {
        // G.107 section 7.7: 93.2 with every parameter at its default.
        assert!((r(AudioCodec::Pcmu, 0.0, 1.0, 0.0) - 93.2).abs() < 0.05);
    }

    #[test]
    fn opinions_are_those_of_the_table() {
        // G.107 table B.1, and G.109 table 1 for the lower limits of its classes.
        for (rating, opinion) in
            [(93.2, 4.41), (90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)]
        {
            let got = mos(rating);
            assert!((got - opinion).abs() <= 0.011, "{rating}: {got}, not {opinion}");
        }
        assert_eq!((mos(0.0), mos(100.0)), (1.0, 4.5));
    }

    #[test]
    fn codecs_and_losses_cost_what_the_tables_say() {
        // Ie-eff of G.113 appendix I, from the equation of G.107: G.729A without and with loss, G.711 with
        // concealment at 1, 2, 5 and 10 per cent.
        let none = r(AudioCodec::Pcma, 0.0, 1.0, 0.0);
        for (codec, loss, costs) in [
            (AudioCodec::G729, 0.0, 11.0),
            (AudioCodec::G729, 2.0, 19.0),
            (AudioCodec::Pcma, 1.0, 3.64),
            (AudioCodec::Pcma, 2.0, 7.01),
            (AudioCodec::Pcma, 5.0, 15.78),
            (AudioCodec::Pcma, 10.0, 27.07),
        ] {
            let got = none - r(codec, loss, 1.0, 0.0);
            assert!((got - costs).abs() < 0.05, "{codec:?} {loss} %: {got}, not {costs}");
        }
        // In bursts the same loss is worse.
        assert!(r(AudioCodec::Pcma, 5.0, 2.0, 0.0) < r(AudioCodec::Pcma, 5.0, 1.0, 0.0) - 1.0);
    }

    #[test]
    fn delay_costs_what_the_recommendation_draws() {
        // Idd: none up to 100 ms; at 200 ms X is 1, at 400 ms 2.
        assert_eq!(absolute_delay(100.0), 0.0);
        assert!((absolute_delay(200.0) - 3.04).abs() < 0.02, "{}", absolute_delay(200.0));
        assert!((absolute_delay(400.0) - 23.96).abs() < 0.2, "{}", absolute_delay(400.0));
        // Within two points of the line that Cole and Rosenbluth fitted to the whole model ("Voice over
        // IP performance monitoring", 2001); beyond 350 ms a line no longer fits.
        for ms in [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0] {
            let late = if ms > 177.3 { ms - 177.3 } else { 0.0 };
            let line = 93.2 - 0.024 * ms - 0.11 * late;
            let got = r(AudioCodec::Pcmu, 0.0, 1.0, ms);
            assert!((got - line).abs() < 2.0, "{ms} ms: {got}, not {line}");
        }
    }

    #[test]
    fn the_wide_band_is_above_the_narrow_one() {
        let at = |codec| rate(codec, Impairment::default());
        assert_eq!(at(AudioCodec::Opus).r, 100.0);
        // 129 − 13 on the scale of 129.
        assert!((at(AudioCodec::G722).r - 89.92).abs() < 0.01);
        assert!(at(AudioCodec::G7221At24).r < at(AudioCodec::G7221At32).r);
        assert!(at(AudioCodec::Opus).mos > at(AudioCodec::Pcmu).mos);
        assert!(
            (1.0..1.01).contains(
                &rate(
                    AudioCodec::Opus,
                    Impairment { loss_percent: 100.0, burst_ratio: 9.0, one_way_ms: 5_000.0 }
                )
                .mos
            )
        );
    }
}
