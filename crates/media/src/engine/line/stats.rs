//! The figures of one call's sound.

use std::time::{Duration, Instant};

use offhook_model::{Direction, Mos, StreamStats, VoiceMetrics};
use offhook_ports::{Figures, MediaFact, Opinion};
use offhook_rtp::xr::VoipMetrics;
use offhook_rtp::{JitterConfig, Reporter};

use super::super::emodel::{Impairment, rate};
use super::super::voice;
use super::Line;

/// How often figures are told.
const FIGURES: Duration = Duration::from_secs(1);

impl Line {
    /// Tells the figures when the last ones are a second old.
    pub(super) fn tell_figures(&mut self, now: Instant) {
        let told = self.told.is_some_and(|at| now.saturating_duration_since(at) < FIGURES);
        if told {
            return;
        }
        self.told = Some(now);
        let since = |began: Option<Instant>| {
            began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began))
        };
        let (packets, bytes) = self.talk.state.sent();
        let time = since(self.talk.began());
        let sent = Figures { time, packets, bytes, ..Figures::default() };
        let (packets, bytes) = self.listen.state.received();
        let time = since(self.listen.began());
        let (lost, jitter) = (self.listen.state.lost(), self.listen.state.jitter());
        let due = self.listen.account.totals();
        let opinion = self.opine(now);
        let late = self.listen.buffer().late;
        let received = Figures { time, packets, bytes, late, lost, jitter, due, opinion };
        self.facts.push(MediaFact::Figures { call: self.call, received, sent });
    }

    /// One estimate more.
    fn opine(&mut self, now: Instant) -> Option<Opinion> {
        let (packets, bytes) = self.listen.state.received();
        if packets > 0 && self.receives() {
            let (due, missing) = self.listen.account.totals();
            let (_, loss) = self.received.figures(now, bytes, due, missing);
            self.opinions.note(Mos::new(self.mos_here(loss)));
        }
        self.opinions.sum_up()
    }

    /// The estimate of what comes with this loss.
    fn mos_here(&self, loss_percent: f32) -> f32 {
        let burst_ratio = self.listen.account.bursts().burst_ratio;
        let one_way_ms = self.way_ms() + milliseconds(self.listen.delay());
        rate(self.listen.plan().codec, Impairment { loss_percent, burst_ratio, one_way_ms }).mos
    }

    pub(super) fn lost_there(&self) -> u64 {
        let report = self.reporter.as_ref().and_then(Reporter::their_report);
        report.map_or(0, |report| report.cumulative_lost.max(0) as u64)
    }

    /// The figures of both directions.
    pub(in super::super) fn stats(&self, now: Instant) -> Vec<StreamStats> {
        let Some(plan) = &self.plan else { return vec![] };
        let round_trip = self.reporter.as_ref().and_then(Reporter::round_trip);
        let round_trip_ms = round_trip.map(milliseconds);
        let base = StreamStats {
            kind: "audio",
            direction: Direction::Send,
            codec: plan.send.codec,
            payload_type: plan.send.payload_type,
            packets: 0,
            bytes: 0,
            lost: 0,
            recovered: 0,
            jitter_ms: 0.0,
            round_trip_ms,
            delay_ms: 0.0,
            mos_estimate: None,
            dscp: self.dscp,
            local_port: self.wire.port(),
            remote_port: plan.remote.port(),
            srtp: self.shield.suite().map(str::to_owned),
            age_ms: None,
            bit_rate: 0,
            voice: None,
            echo_delay_ms: None,
            echo_removed_db: None,
            way: self.wire.way(),
        };
        let way = self.way_ms();
        vec![self.stats_sent(base.clone(), way, now), self.stats_received(base, now)]
    }

    fn stats_sent(&self, base: StreamStats, way: f32, now: Instant) -> StreamStats {
        let (packets, bytes) = self.talk.state.sent();
        let report = self.reporter.as_ref().and_then(Reporter::their_report);
        let plan = self.talk.plan();
        let lost = self.lost_there();
        let (bit_rate, _) = self.sent.figures(now, bytes, packets, lost);
        let clock = plan.codec.clock_rate() as f32;
        StreamStats {
            direction: Direction::Send,
            codec: plan.codec,
            payload_type: plan.payload_type,
            packets,
            bytes,
            lost,
            jitter_ms: report.map_or(0.0, |report| report.jitter as f32 * 1_000.0 / clock),
            mos_estimate: report.map(|report| {
                let loss_percent = f32::from(report.fraction_lost) * 100.0 / 256.0;
                let suffered = Impairment { loss_percent, burst_ratio: 1.0, one_way_ms: way };
                rate(plan.codec, suffered).mos
            }),
            voice: self.reporter.as_ref().and_then(Reporter::their_metrics).map(voice::of_theirs),
            age_ms: age(self.talk.began(), now),
            bit_rate,
            ..base
        }
    }

    fn stats_received(&self, base: StreamStats, now: Instant) -> StreamStats {
        let (packets, bytes) = self.listen.state.received();
        let lost = self.listen.state.lost();
        let plan = self.listen.plan();
        let (due, missing) = self.listen.account.totals();
        let (bit_rate, loss) = self.received.figures(now, bytes, due, missing);
        let delay_ms = milliseconds(self.listen.delay());
        StreamStats {
            direction: Direction::Receive,
            codec: plan.codec,
            payload_type: plan.payload_type,
            packets,
            bytes,
            lost,
            recovered: self.listen.account.found(),
            jitter_ms: milliseconds(self.listen.state.jitter()),
            delay_ms,
            mos_estimate: (packets > 0).then(|| self.mos_here(loss)),
            voice: self.voice(),
            age_ms: age(self.listen.began(), now),
            bit_rate,
            ..base
        }
    }

    /// What sound waits for besides their jitter buffer: half the round trip, and a packet being filled.
    fn way_ms(&self) -> f32 {
        let round_trip = self.reporter.as_ref().and_then(Reporter::round_trip);
        round_trip.map_or(0.0, milliseconds) / 2.0 + self.packet_ms()
    }

    fn packet_ms(&self) -> f32 {
        self.plan.as_ref().map_or(0.0, |plan| milliseconds(plan.packet_time))
    }

    /// How what comes sounds here, once something was due.
    fn voice(&self) -> Option<VoiceMetrics> {
        let (due, missing) = self.listen.account.totals();
        if due == 0 {
            return None;
        }
        let buffer = self.listen.buffer();
        let late = buffer.late.min(missing);
        let all = (due + buffer.skipped) as f32;
        let percent = |packets: u64| packets as f32 * 100.0 / all;
        let bursts = self.listen.account.bursts();
        let packet_ms = self.packet_ms();
        let buffer_ms = milliseconds(self.listen.delay());
        let suffered = Impairment {
            loss_percent: percent(missing + buffer.skipped),
            burst_ratio: bursts.burst_ratio,
            one_way_ms: 0.0,
        };
        let codec = self.listen.plan().codec;
        let listening = rate(codec, suffered);
        let one_way_ms = self.way_ms() + buffer_ms;
        let conversing = rate(codec, Impairment { one_way_ms, ..suffered });
        let round_trip = self.reporter.as_ref().and_then(Reporter::round_trip);
        Some(VoiceMetrics {
            loss_percent: percent(missing - late),
            discard_percent: percent(late + buffer.skipped),
            burst_density_percent: bursts.burst_density * 100.0,
            gap_density_percent: bursts.gap_density * 100.0,
            burst_ms: bursts.burst_packets * packet_ms,
            gap_ms: bursts.gap_packets * packet_ms,
            round_trip_ms: round_trip.map(milliseconds),
            end_system_ms: Some(buffer_ms + packet_ms),
            signal_dbm0: self.listen.account.level(),
            r_factor: Some(conversing.r),
            mos_listening: Some(listening.mos),
            mos_conversation: Some(conversing.mos),
            buffer_ms,
            buffer_limit_ms: milliseconds(JitterConfig::new(8_000, Duration::ZERO).max),
        })
    }

    /// The same for a report to them.
    pub(super) fn voip(&self) -> Option<VoipMetrics> {
        let ssrc = self.listen.state.ssrc()?;
        Some(voice::for_them(&self.voice()?, ssrc))
    }
}

fn age(began: Option<Instant>, now: Instant) -> Option<f64> {
    began.map(|began| now.saturating_duration_since(began).as_secs_f64() * 1_000.0)
}

fn milliseconds(time: Duration) -> f32 {
    time.as_secs_f32() * 1_000.0
}
