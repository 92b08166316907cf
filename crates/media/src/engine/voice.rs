//! Figures about speech as people read them, and as extended reports carry them (RFC 3611 section 4.7).

use offhook_model::VoiceMetrics;
use offhook_rtp::bursts::GAP;
use offhook_rtp::xr::{RECEIVER, UNKNOWN, UNKNOWN_LEVEL, VoipMetrics};

/// For a report about the stream of this source.
pub(super) fn for_them(voice: &VoiceMetrics, ssrc: u32) -> VoipMetrics {
    let share = |percent: f32| (percent * 2.56).round().clamp(0.0, 255.0) as u8;
    let ms = |ms: f32| ms.round().clamp(0.0, 65_535.0) as u16;
    let tenths =
        |mos: Option<f32>| mos.map_or(UNKNOWN, |mos| (mos * 10.0).round().clamp(10.0, 50.0) as u8);
    VoipMetrics {
        ssrc,
        loss_rate: share(voice.loss_percent),
        discard_rate: share(voice.discard_percent),
        burst_density: share(voice.burst_density_percent),
        gap_density: share(voice.gap_density_percent),
        burst_duration: ms(voice.burst_ms),
        gap_duration: ms(voice.gap_ms),
        round_trip: voice.round_trip_ms.map_or(0, ms),
        end_system: voice.end_system_ms.map_or(0, ms),
        signal_level: voice
            .signal_dbm0
            .map_or(UNKNOWN_LEVEL, |level| level.round().clamp(-127.0, 30.0) as i8),
        // Neither is measured.
        noise_level: UNKNOWN_LEVEL,
        echo_loss: UNKNOWN,
        gap_threshold: GAP,
        r_factor: voice.r_factor.map_or(UNKNOWN, |r| r.round().clamp(0.0, 100.0) as u8),
        external_r_factor: UNKNOWN,
        mos_listening: tenths(voice.mos_listening),
        mos_conversation: tenths(voice.mos_conversation),
        receiver: RECEIVER,
        buffer_nominal: ms(voice.buffer_ms),
        buffer_maximum: ms(voice.buffer_limit_ms),
        buffer_limit: ms(voice.buffer_limit_ms),
    }
}

/// Of a report of theirs.
pub(super) fn of_theirs(metrics: &VoipMetrics) -> VoiceMetrics {
    let percent = |share: u8| f32::from(share) / 2.56;
    let known = |value: u8| (value != UNKNOWN).then_some(f32::from(value));
    let delay = |ms: u16| (ms > 0).then_some(f32::from(ms));
    VoiceMetrics {
        loss_percent: percent(metrics.loss_rate),
        discard_percent: percent(metrics.discard_rate),
        burst_density_percent: percent(metrics.burst_density),
        gap_density_percent: percent(metrics.gap_density),
        burst_ms: metrics.burst_duration.into(),
        gap_ms: metrics.gap_duration.into(),
        round_trip_ms: delay(metrics.round_trip),
        end_system_ms: delay(metrics.end_system),
        signal_dbm0: (metrics.signal_level != UNKNOWN_LEVEL)
            .then_some(f32::from(metrics.signal_level)),
        r_factor: known(metrics.r_factor),
        mos_listening: known(metrics.mos_listening).map(|tenths| tenths / 10.0),
        mos_conversation: known(metrics.mos_conversation).map(|tenths| tenths / 10.0),
        buffer_ms: metrics.buffer_nominal.into(),
        buffer_limit_ms: metrics.buffer_limit.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{for_them, of_theirs};
    use offhook_model::VoiceMetrics;

    #[test]
    fn figures_survive_the_way() {
        let voice = VoiceMetrics {
            loss_percent: 10.0,
            burst_ms: 120.0,
            round_trip_ms: Some(80.0),
            signal_dbm0: Some(-21.0),
            r_factor: Some(82.0),
            mos_conversation: Some(4.1),
            buffer_ms: 40.0,
            ..VoiceMetrics::default()
        };
        let back = of_theirs(&for_them(&voice, 1));
        assert!((back.loss_percent - 10.0).abs() < 0.2, "{back:?}");
        assert_eq!(VoiceMetrics { loss_percent: 10.0, ..back }, voice);
    }
}
