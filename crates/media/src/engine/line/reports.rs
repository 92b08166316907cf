//! Reports about one call's sound, as they come and go.

use std::net::SocketAddr;

use super::super::thread::Now;
use super::super::wire::{Came, RTCP, RTP};
use super::{Line, plain};

/// The longest report we write, with room for what protects it.
const REPORT: usize = 512;

impl Line {
    pub(super) fn hear_report(&mut self, datagram: &mut [u8], came: &Came, now: Now) {
        let (Some(plan), Some(reporter)) = (&self.plan, &mut self.reporter) else { return };
        let wanted = plan.remote_rtcp.unwrap_or(plan.remote);
        if !came.vouched.unwrap_or_else(|| plain(came.from.ip()) == plain(wanted.ip())) {
            return;
        }
        let Some(datagram) = self.shield.open_report(datagram) else { return };
        let state = &mut self.listen.state;
        match reporter.receive(datagram, now.instant, now.ntp, &self.talk.state, state) {
            Ok(()) => {
                if let Some(percent) = reporter.take_loss_percent() {
                    self.talk.heard_loss(percent);
                }
                let counts = (self.talk.state.sent().0, state.received().0);
                let quiet = now.instant.saturating_duration_since(self.last_packet);
                self.legs.heard(&reporter.take_heard(), counts, quiet, now.instant);
            }
            Err(error) => tracing::trace!("a report was not read: {error}"),
        }
        if reporter.take_clash() {
            self.clash(came.from, now);
        }
    }

    /// Somebody uses our source: it says goodbye, and we go on with another one (RFC 3550 section 8.2).
    /// Who sends us our own packets back, as services for testing do, is found out by the second
    /// clash from the same address; they are played as any others, and our source stays.
    pub(super) fn clash(&mut self, from: SocketAddr, now: Now) {
        if !self.collisions.is_new(from, now.instant) {
            return;
        }
        tracing::info!("call {}: somebody else uses our source", self.call);
        self.goodbye(now);
        self.seed = self.seed.rotate_left(23).wrapping_add(1);
        self.talk.state.change_source(self.seed);
        self.legs.begin_anew();
    }

    /// Sends a report if one is due.
    pub(super) fn report(&mut self, now: Now) {
        if self.reporter.as_ref().is_none_or(|it| it.next_timeout() > now.instant) {
            return;
        }
        let voip = self.voip();
        let Some(reporter) = &mut self.reporter else { return };
        let mut out = [0; REPORT];
        let (sent, state) = (&self.talk.state, &mut self.listen.state);
        let written = reporter.poll(now.instant, now.ntp, sent, state, voip.as_ref(), &mut out);
        if let Ok(Some(length)) = written {
            self.send_report(&mut out, length);
        }
    }

    /// Says goodbye.
    pub(in super::super) fn goodbye(&mut self, now: Now) {
        let voip = self.voip();
        let Some(reporter) = &mut self.reporter else { return };
        let mut out = [0; REPORT];
        let (sent, state) = (&self.talk.state, &mut self.listen.state);
        let written = reporter.goodbye(now.instant, now.ntp, sent, state, voip.as_ref(), &mut out);
        if let Ok(length) = written {
            self.send_report(&mut out, length);
        }
    }

    fn send_report(&mut self, report: &mut [u8; REPORT], length: usize) {
        let Some(plan) = &self.plan else { return };
        let sealed = self.shield.seal_report(report, length);
        let Some(report) = sealed.and_then(|length| report.get(..length)) else { return };
        let sent = match plan.remote_rtcp {
            Some(to) => self.wire.send(RTCP, report, to),
            None => self.wire.send(RTP, report, plan.remote),
        };
        if let Err(error) = sent {
            tracing::trace!("a report was not sent: {error}");
        }
    }
}
