//! When to send RTCP reports, and what the other side's reports tell.

use std::time::{Duration, Instant};

use crate::rtcp::{self, NtpTime, ReportBlock, Rtcp, RtcpError};
use crate::session::{ReceiveState, SendState, scramble};

/// Mean time between reports (RFC 3550 section 6.2).
const INTERVAL: Duration = Duration::from_secs(5);

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
    goodbye: bool,
}

impl Reporter {
    /// Begins at `now`; the first report is due after half an interval (RFC 3550 section 6.2).
    pub fn new(seed: u64, cname: String, now: Instant) -> Self {
        let mut this = Self {
            seed,
            due: now,
            cname,
            sent_at_last: 0,
            round_trip: None,
            their_block: None,
            fresh_loss: None,
            goodbye: false,
        };
        this.due = now + this.interval() / 2;
        this
    }

    /// Between 0.5 and 1.5 intervals, made shorter by e − 3/2 as the RFC has it, so that reports of
    /// many do not fall together.
    fn interval(&mut self) -> Duration {
        let share = (scramble(&mut self.seed) >> 11) as f64 / (1u64 << 53) as f64;
        INTERVAL.mul_f64((0.5 + share) / 1.218_28)
    }

    /// When the next report is due.
    pub fn next_timeout(&self) -> Instant {
        self.due
    }

    /// Writes a report into `out` when one is due (400 bytes always suffice); gives its length.
    /// A sender report when packets were sent since the last one, else a receiver report.
    ///
    /// # Errors
    /// [`RtcpError::NoRoom`]; the report is skipped.
    pub fn poll(
        &mut self,
        now: Instant,
        clock: NtpTime,
        send: &SendState,
        receive: &mut ReceiveState,
        out: &mut [u8],
    ) -> Result<Option<usize>, RtcpError> {
        if now < self.due {
            return Ok(None);
        }
        self.due = now + self.interval();
        let block = receive.report_block(now);
        self.write(clock, send, block.as_ref(), false, out).map(Some)
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
        out: &mut [u8],
    ) -> Result<usize, RtcpError> {
        let block = receive.report_block(now);
        self.write(clock, send, block.as_ref(), true, out)
    }

    fn write(
        &mut self,
        clock: NtpTime,
        send: &SendState,
        block: Option<&ReportBlock>,
        goodbye: bool,
        out: &mut [u8],
    ) -> Result<usize, RtcpError> {
        let packets = send.sent().0;
        let info = send.sender_info(clock);
        let sender = (packets != self.sent_at_last).then_some(&info);
        self.sent_at_last = packets;
        rtcp::write_compound(out, send.ssrc(), sender, block, &self.cname, goodbye)
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
                    if let Some(info) = sender {
                        receive.sender_report(ssrc, &info, now);
                    }
                    for block in blocks.iter().filter(|block| block.ssrc == send.ssrc()) {
                        self.round_trip = block.round_trip(clock).or(self.round_trip);
                        self.their_block = Some(*block);
                        self.fresh_loss = Some(block.loss_percent());
                    }
                }
                Rtcp::Goodbye(sources) => {
                    self.goodbye |= receive.ssrc().is_some_and(|ours| sources.contains(&ours));
                }
                Rtcp::Description(_) | Rtcp::Other(_) => {}
            }
        }
        Ok(())
    }

    /// The last round trip measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// How they receive us, by their last report.
    pub fn their_report(&self) -> Option<&ReportBlock> {
        self.their_block.as_ref()
    }

    /// The loss in percent to tell the encoder; each report gives it once.
    pub fn take_loss_percent(&mut self) -> Option<u8> {
        self.fresh_loss.take()
    }

    /// They said goodbye.
    pub fn they_left(&self) -> bool {
        self.goodbye
    }
}
