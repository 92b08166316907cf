//! How the legs of one call's sound do, told once a second while something is amiss.

use std::time::{Duration, Instant};

use offhook_ports::{Legs, MediaFact, Microphone};
use offhook_rtp::Heard;
use offhook_rtp::rtcp::ReportBlock;

use super::super::socket;
use super::{Line, RESTS};

/// How often it is told.
const EACH: Duration = Duration::from_secs(1);

/// A pause between packets that is nothing to speak of.
const SHORT: Duration = Duration::from_millis(900);

/// Packets of ours (a second's) that a report must have seen something of; and packets of theirs that
/// may be on the way while one is made.
const ENOUGH: u64 = 50;
const UNDERWAY: u64 = 25;

/// How long a report of theirs counts that no other follows.
const STALE: Duration = Duration::from_secs(20);

/// What is known of one call.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) microphone: Microphone,
    /// The last of their reports that had seen more than the one before: what it saw last, how much
    /// we had sent, and when it came.
    progress: Option<(u32, u64, Instant)>,
    /// Since that one nothing was seen, and when that was told last.
    unreached: Option<(Duration, Instant)>,
    /// What they had sent by their last report, and what had come of it.
    theirs: (u64, u64),
    they_send: Option<bool>,
    /// When it was looked at last, and whether all was well.
    looked: Option<Instant>,
    amiss: bool,
}

impl Watch {
    /// They reported; `sent` and `received` are packets of this call so far, `quiet` how long none of
    /// theirs has come.
    pub(super) fn heard(
        &mut self,
        heard: &Heard,
        (sent, received): (u64, u64),
        quiet: Duration,
        now: Instant,
    ) {
        if let Some(block) = &heard.block {
            self.seen_there(block, sent, now);
        }
        let Some(info) = heard.sends else { return };
        let count = info.map_or(self.theirs.0, |info| u64::from(info.packets));
        let more = count.saturating_sub(self.theirs.0);
        let came = received.saturating_sub(self.theirs.1);
        self.they_send = (quiet >= SHORT).then_some(more > came + UNDERWAY);
        self.theirs = (count, received);
    }

    fn seen_there(&mut self, block: &ReportBlock, sent: u64, now: Instant) {
        match self.progress {
            Some((highest, then, at)) if highest == block.highest_sequence => {
                if sent.saturating_sub(then) >= ENOUGH {
                    self.unreached = Some((now.saturating_duration_since(at), now));
                }
            }
            _ => {
                self.progress = Some((block.highest_sequence, sent, now));
                self.unreached = None;
            }
        }
    }

    /// Nothing is sent any more, or by another source.
    pub(super) fn begin_anew(&mut self) {
        (self.progress, self.unreached) = (None, None);
    }

    fn unreached(&self, now: Instant) -> Duration {
        let fresh = |at| now.saturating_duration_since(at) < STALE;
        self.unreached.filter(|(_, at)| fresh(*at)).map_or(Duration::ZERO, |(time, _)| time)
    }
}

impl Line {
    /// Tells how the legs do, when it is time and something is to be told.
    pub(super) fn tell_legs(&mut self, now: Instant) {
        let due = |at| now.saturating_duration_since(at) >= EACH;
        if !self.legs.looked.is_none_or(due) {
            return;
        }
        self.legs.looked = Some(now);
        let legs = self.measure(now);
        let amiss = !legs.are_well();
        if std::mem::replace(&mut self.legs.amiss, amiss) || amiss {
            self.facts.push(MediaFact::Legs(self.call, legs));
        }
    }

    fn measure(&self, now: Instant) -> Legs {
        let Some(plan) = &self.plan else { return Legs::default() };
        let long = |time: Duration| if time > SHORT { time } else { Duration::ZERO };
        let unsent = self.talk.refused_since().map(|at| now.saturating_duration_since(at));
        let unsent = long(unsent.filter(|_| plan.sending).unwrap_or_default());
        let unreached = if plan.sending { self.legs.unreached(now) } else { Duration::ZERO };
        let quiet = long(now.saturating_duration_since(self.last_packet));
        let they_send = self.legs.they_send.filter(|_| !quiet.is_zero());
        // Pauses that they told of are none, unless they say that they send.
        let resting = self.listen.rests() && they_send != Some(true) && quiet < RESTS;
        let unreceived = if plan.receiving && !resting { quiet } else { Duration::ZERO };
        let on_the_way = [unsent, unreached, unreceived].iter().any(|time| !time.is_zero());
        Legs {
            microphone: if plan.sending { self.legs.microphone } else { Microphone::Works },
            unsent,
            unreached,
            unreceived,
            they_send: they_send.filter(|_| !unreceived.is_zero()),
            leaving: on_the_way.then(|| socket::leaving(plan.remote)).flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use offhook_rtp::rtcp::{ReportBlock, SenderInfo};
    use offhook_rtp::{Heard, NtpTime};
    use std::time::{Duration, Instant};

    fn block(highest_sequence: u32) -> Heard {
        let block = ReportBlock { highest_sequence, ..ReportBlock::default() };
        Heard { block: Some(block), sends: None }
    }

    fn sends(packets: u32) -> Heard {
        let info = SenderInfo { ntp: NtpTime(0), rtp_timestamp: 0, packets, bytes: 0 };
        Heard { block: None, sends: Some(Some(info)) }
    }

    #[expect(clippy::disallowed_methods, reason = "some point to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_report_that_has_seen_nothing_of_much_says_that_nothing_arrives() {
        let (start, mut watch) = (start(), Watch::default());
        let at = |s| start + Duration::from_secs(s);
        watch.heard(&block(700), (250, 0), Duration::ZERO, at(5));
        watch.heard(&block(700), (260, 0), Duration::ZERO, at(6));
        assert_eq!(watch.unreached(at(6)), Duration::ZERO, "ten packets are not much");
        watch.heard(&block(700), (500, 0), Duration::ZERO, at(10));
        assert_eq!(watch.unreached(at(11)), Duration::from_secs(5));
        assert_eq!(watch.unreached(at(31)), Duration::ZERO, "nothing more was heard of it");
        watch.heard(&block(900), (750, 0), Duration::ZERO, at(15));
        assert_eq!(watch.unreached(at(15)), Duration::ZERO);
    }

    #[test]
    fn whether_they_send_is_told_by_their_own_count_while_nothing_comes() {
        let (start, mut watch) = (start(), Watch::default());
        let quiet = Duration::from_secs(2);
        watch.heard(&sends(250), (0, 248), Duration::ZERO, start);
        assert_eq!(watch.they_send, None, "sound comes");
        watch.heard(&sends(500), (0, 350), quiet, start);
        assert_eq!(watch.they_send, Some(true));
        watch.heard(&sends(510), (0, 350), quiet, start);
        assert_eq!(watch.they_send, Some(false));
        let receiver_report = Heard { block: None, sends: Some(None) };
        watch.heard(&receiver_report, (0, 350), quiet, start);
        assert_eq!(watch.they_send, Some(false));
    }
}
