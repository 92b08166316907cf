//! When to send RTCP reports, and what the other side's reports tell.

use std::time::{Duration, Instant};

use offhook_ports::ExtendedReports;

use crate::rtcp::{self, NtpTime, ReportBlock, Rtcp, RtcpError, SenderInfo};
use crate::session::{ReceiveState, SendState, scramble};
use crate::xr::{Block, Dlrr, Extended, VoipMetrics};

/// Mean time between reports (RFC 3550 section 6.2).
const INTERVAL: Duration = Duration::from_secs(5);

/// When the first one goes. Between two it might go at once (RFC 3550 section 6.2); a second later it
/// tells what got lost already, and the redundancy of the other side begins that much sooner.
const FIRST: Duration = Duration::from_secs(1);

/// What a datagram of theirs told, for whoever watches the two directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// How they receive us.
    pub block: Option<ReportBlock>,
    /// That they reported at all, and what they send, if they say that they do.
    pub sends: Option<Option<SenderInfo>>,
}

/// Makes our reports at the right times and reads theirs.
#[derive(Clone, Debug)]
pub struct Reporter {
    seed: u64,
    due: Instant,
    cname: String,
    sent_at_last: u64,
    round_trip: Option<Duration>,
    their_block: Option<ReportBlock>,
    fresh_loss: Option<u8>,
    heard: Heard,
    agreed: ExtendedReports,
    /// Their last reference time: whose, the middle of it, and when it came.
    reference: Option<(u32, u32, Instant)>,
    their_metrics: Option<VoipMetrics>,
    clash: bool,
    goodbye: bool,
}

impl Reporter {
    /// Begins at `now`; the first report is due about a second later.
    pub fn new(seed: u64, cname: String, now: Instant) -> Self {
        let mut this = Self {
            seed,
            due: now,
            cname,
            sent_at_last: 0,
            round_trip: None,
            their_block: None,
            fresh_loss: None,
            heard: Heard::default(),
            agreed: ExtendedReports::default(),
            reference: None,
            their_metrics: None,
            clash: false,
            goodbye: false,
        };
        this.due = now + FIRST.mul_f64(0.75 + this.chance() / 2.0);
        this
    }

    /// From the next report on these extended reports go with it.
    pub fn agree(&mut self, agreed: ExtendedReports) {
        self.agreed = agreed;
    }

    fn chance(&mut self) -> f64 {
        (scramble(&mut self.seed) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Between 0.5 and 1.5 intervals, made shorter by e − 3/2 as the RFC has it, so that reports of
    /// many do not fall together.
    fn interval(&mut self) -> Duration {
        INTERVAL.mul_f64((0.5 + self.chance()) / 1.218_28)
    }

    /// When the next report is due.
    pub fn next_timeout(&self) -> Instant {
        self.due
    }

    /// Writes a report into `out` when one is due (480 bytes always suffice); gives its length.
    /// A sender report when packets were sent since the last one, else a receiver report. `voip` is
    /// how they sound here; it goes where it is agreed.
    ///
    /// # Errors
    /// [`RtcpError::NoRoom`]; the report is skipped.
    pub fn poll(
        &mut self,
        now: Instant,
        clock: NtpTime,
        send: &SendState,
        receive: &mut ReceiveState,
        voip: Option<&VoipMetrics>,
        out: &mut [u8],
    ) -> Result<Option<usize>, RtcpError> {
        if now < self.due {
            return Ok(None);
        }
        self.due = now + self.interval();
        let block = receive.report_block(now);
        self.write((now, clock), send, (block.as_ref(), voip), false, out).map(Some)
    }

    /// Writes the last report, which says goodbye (RFC 3550 section 6.6).
    ///
    /// # Errors
    /// [`RtcpError::NoRoom`].
    pub fn goodbye(
        &mut self,
        now: Instant,
        clock: NtpTime,
        send: &SendState,
        receive: &mut ReceiveState,
        voip: Option<&VoipMetrics>,
        out: &mut [u8],
    ) -> Result<usize, RtcpError> {
        let block = receive.report_block(now);
        self.write((now, clock), send, (block.as_ref(), voip), true, out)
    }

    fn write(
        &mut self,
        (now, clock): (Instant, NtpTime),
        send: &SendState,
        (block, voip): (Option<&ReportBlock>, Option<&VoipMetrics>),
        goodbye: bool,
        out: &mut [u8],
    ) -> Result<usize, RtcpError> {
        let packets = send.sent().0;
        let info = send.sender_info(clock);
        let sender = (packets != self.sent_at_last).then_some(&info);
        self.sent_at_last = packets;
        let ExtendedReports { round_trip, voip: wanted } = self.agreed;
        let answer = self.reference.filter(|_| round_trip).map(|(ssrc, last_rr, at)| {
            let units = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            Dlrr { ssrc, last_rr, delay: units.min(u128::from(u32::MAX)) as u32 }
        });
        let extended = Extended {
            reference_time: round_trip.then_some(clock),
            answer,
            voip: voip.filter(|_| wanted),
        };
        rtcp::write_compound(out, send.ssrc(), sender, block, &self.cname, extended, goodbye)
    }

    /// Reads a datagram of theirs that came at `now`.
    ///
    /// # Errors
    /// [`RtcpError`] when it is no RTCP.
    pub fn receive(
        &mut self,
        datagram: &[u8],
        now: Instant,
        clock: NtpTime,
        send: &SendState,
        receive: &mut ReceiveState,
    ) -> Result<(), RtcpError> {
        for packet in rtcp::parse(datagram)? {
            match packet {
                Rtcp::Report { ssrc, sender, blocks } => {
                    self.clash |= ssrc == send.ssrc();
                    // Of a source that was heard before, or of any where none was.
                    if receive.ssrc().is_none_or(|known| known == ssrc) {
                        self.heard.sends = Some(sender);
                    }
                    if let Some(info) = sender {
                        receive.sender_report(ssrc, &info, now);
                    }
                    for block in blocks.iter().filter(|block| block.ssrc == send.ssrc()) {
                        self.round_trip = block.round_trip(clock).or(self.round_trip);
                        self.their_block = Some(*block);
                        self.heard.block = Some(*block);
                        self.fresh_loss = Some(block.loss_percent());
                    }
                }
                Rtcp::Goodbye(sources) => {
                    self.goodbye |= receive.ssrc().is_some_and(|ours| sources.contains(&ours));
                }
                Rtcp::Extended { ssrc, blocks } => {
                    for block in &blocks {
                        self.take_extended(ssrc, block, now, clock, send.ssrc());
                    }
                }
                Rtcp::Description(_) | Rtcp::Other(_) => {}
            }
        }
        Ok(())
    }

    fn take_extended(&mut self, from: u32, block: &Block, now: Instant, clock: NtpTime, own: u32) {
        match block {
            Block::ReferenceTime(time) => self.reference = Some((from, time.middle(), now)),
            Block::Answers(answers) => {
                let ours = answers.iter().find(|answer| answer.ssrc == own);
                self.round_trip =
                    ours.and_then(|answer| answer.round_trip(clock)).or(self.round_trip);
            }
            Block::Voip(metrics) if metrics.ssrc == own => self.their_metrics = Some(*metrics),
            Block::Voip(_) | Block::Other(_) => {}
        }
    }

    /// The last round trip measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// How they receive us, by their last report.
    pub fn their_report(&self) -> Option<&ReportBlock> {
        self.their_block.as_ref()
    }

    /// How we sound there, by their last extended report.
    pub fn their_metrics(&self) -> Option<&VoipMetrics> {
        self.their_metrics.as_ref()
    }

    /// The loss in percent to tell the encoder; each report gives it once.
    pub fn take_loss_percent(&mut self) -> Option<u8> {
        self.fresh_loss.take()
    }

    /// What was told since the last time.
    pub fn take_heard(&mut self) -> Heard {
        std::mem::take(&mut self.heard)
    }

    /// A report came under our own source; each time told once.
    pub fn take_clash(&mut self) -> bool {
        std::mem::take(&mut self.clash)
    }

    /// They said goodbye.
    pub fn they_left(&self) -> bool {
        self.goodbye
    }
}
