//! *They cannot hear you*: which leg of a call is silent, and what can be done about it while the
//! call goes on.
//!
//! The media engine measures, once a second and only while something is amiss; here is decided what
//! that means. A muted microphone, hold, and a direction that was agreed to be silent are no faults.
//! Nothing is tried more than a few times a call, and another microphone is never taken in the place
//! of one that gives zeros: whoever switched theirs off at the headset would be heard by the one in
//! the lid.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use offhook_model::{CallId, CallState, Moment, Repair, Silence, SilentLeg};
use offhook_ports::{Legs, MediaPlan, Microphone};

use crate::entry::Entry;
use crate::moving::Move;
use crate::{Output, Phone};

/// How long a leg is silent before it is named. It is measured once a second, so that the name is
/// there within three.
const PATIENCE: Duration = Duration::from_millis(1_900);

/// How long nothing must have come before the other side is bothered: some begin late.
const BEFORE_RENEWING: Duration = Duration::from_secs(5);

/// How long a repair has to show an effect.
const EFFECT: Duration = Duration::from_secs(4);

/// How often each is tried in one call: the microphone, another address, the same description.
const MOST_REOPENED: u8 = 1;
const MOST_MOVED: u8 = 2;
const MOST_RENEWED: u8 = 1;

/// What was tried in a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    reopened: u8,
    moved: u8,
    renewed: u8,
    last: Option<(Repair, Instant)>,
}

/// What is known of a call beside what was measured.
struct Seen<'a> {
    legs: &'a Legs,
    plan: &'a MediaPlan,
    muted: bool,
    /// The address that the call was arranged for.
    arranged: Option<IpAddr>,
    /// The address that the phone is registered from.
    home: Option<IpAddr>,
}

impl Seen<'_> {
    /// The leg that is silent. What is ours comes first, and of that what explains most.
    fn leg(&self) -> Option<SilentLeg> {
        let Self { legs, plan, .. } = *self;
        let long = |time: Duration| time >= PATIENCE;
        let unsent = plan.sending && long(legs.unsent);
        let unreached = plan.sending && long(legs.unreached);
        let unreceived = plan.receiving && long(legs.unreceived);
        if (unsent || unreached || unreceived) && self.other_address().is_some() {
            return Some(SilentLeg::WrongInterface);
        }
        if unsent {
            return Some(SilentLeg::NotSent);
        }
        if let Some(leg) = self.microphone() {
            return Some(leg);
        }
        if unreached {
            return Some(SilentLeg::NotArriving);
        }
        unreceived.then_some(match legs.they_send {
            Some(true) => SilentLeg::ReceptionBlocked,
            Some(false) => SilentLeg::FarEndSilent,
            None => SilentLeg::NothingReceived,
        })
    }

    fn microphone(&self) -> Option<SilentLeg> {
        if self.muted || !self.plan.sending {
            return None;
        }
        let (time, leg) = match self.legs.microphone {
            Microphone::Works => return None,
            Microphone::Still(time) => (time, SilentLeg::MicrophoneSilent),
            Microphone::Missing(time) => (time, SilentLeg::NoMicrophone),
            Microphone::Gone(time) => (time, SilentLeg::MicrophoneGone),
        };
        (time >= PATIENCE).then_some(leg)
    }

    /// Where packets leave from, when that is not where the call was arranged for. Of ways that are
    /// looked for (ICE) the search takes care.
    fn other_address(&self) -> Option<IpAddr> {
        if self.plan.ice.is_some() {
            return None;
        }
        // On one machine every address leads everywhere.
        let arranged = self.arranged.filter(|ip| !ip.is_loopback())?;
        let differs = |ip: &IpAddr| {
            *ip != arranged && ip.is_ipv4() == arranged.is_ipv4() && !ip.is_unspecified()
        };
        match self.legs.leaving {
            Some(ip) => Some(ip).filter(differs),
            // No way at all from this address any more.
            None => self.home.filter(differs).filter(|_| self.legs.unsent >= PATIENCE),
        }
    }

    /// What may help against this, if it was not tried often enough.
    fn repair(&self, leg: SilentLeg, tried: &Tried, reachable: bool) -> Option<Repair> {
        let renewing = reachable && self.plan.ice.is_none() && tried.renewed < MOST_RENEWED;
        match leg {
            SilentLeg::MicrophoneSilent => {
                (tried.reopened < MOST_REOPENED).then_some(Repair::Reopening)
            }
            SilentLeg::WrongInterface => {
                (reachable && tried.moved < MOST_MOVED).then_some(Repair::Moving)
            }
            SilentLeg::NotArriving => renewing.then_some(Repair::Renewing),
            SilentLeg::NothingReceived | SilentLeg::ReceptionBlocked => {
                let due = self.legs.unreceived >= BEFORE_RENEWING;
                (renewing && due).then_some(Repair::Renewing)
            }
            // The engine itself takes the system's choice, and what is connected, as soon as it is
            // there; a network that takes nothing is waited for; and they must speak themselves.
            SilentLeg::NoMicrophone
            | SilentLeg::MicrophoneGone
            | SilentLeg::NotSent
            | SilentLeg::FarEndSilent => None,
        }
    }
}

impl Tried {
    fn note(&mut self, repair: Repair, now: Instant) {
        *match repair {
            Repair::Reopening => &mut self.reopened,
            Repair::Moving => &mut self.moved,
            Repair::Renewing => &mut self.renewed,
        } += 1;
        self.last = Some((repair, now));
    }

    /// What was tried a moment ago and may still help.
    fn hoped_for(&self, now: Instant) -> Option<Repair> {
        let (repair, at) = self.last?;
        (now.saturating_duration_since(at) < EFFECT).then_some(repair)
    }
}

impl Phone {
    /// What the engine measured.
    pub(crate) fn legs(&mut self, id: CallId, legs: &Legs, now: Moment) {
        let Some(index) = self.index(id) else { return };
        let home = self.agent.local_ip();
        let entry = &mut self.entries[index];
        let Some(plan) = entry.plan.clone().filter(|_| entry.call.state == CallState::Connected)
        else {
            entry.call.silence = None;
            return;
        };
        let seen = Seen {
            legs,
            plan: &plan,
            muted: entry.call.muted,
            arranged: entry.ports.map(|(rtp, _)| rtp.ip()),
            home,
        };
        let Some(leg) = seen.leg() else {
            entry.call.silence = None;
            return;
        };
        let known = entry.call.silence.as_ref().is_some_and(|known| known.leg == leg);
        let hoped_for = entry.tried.hoped_for(now.at);
        let repair = seen.repair(leg, &entry.tried, is_reachable(entry));
        let repair = repair.filter(|_| hoped_for.is_none());
        let target = seen.other_address();
        entry.call.silence =
            Some(Silence { leg, repair: repair.or(hoped_for), problem: leg.problem() });
        if let Some(repair) = repair {
            entry.tried.note(repair, now.at);
            self.repair(index, repair, target, now);
        }
        if !known {
            self.tell(id);
        }
    }

    fn repair(&mut self, index: usize, repair: Repair, target: Option<IpAddr>, now: Moment) {
        let entry = &mut self.entries[index];
        let id = entry.call.id;
        match (repair, target) {
            (Repair::Reopening, _) => self.out.push_back(Output::Reopen),
            (Repair::Moving, Some(ip)) => {
                entry.moving = Move::Ports;
                self.reserve(id, ip);
            }
            (Repair::Moving, None) => {}
            (Repair::Renewing, _) => {
                entry.moving = Move::Due;
                self.ask_hold(index, now);
            }
        }
    }
}

/// The other side can be told something now.
fn is_reachable(entry: &Entry) -> bool {
    entry.sip.is_some()
        && !entry.call.preserved
        && entry.moving == Move::Still
        && entry.hold.asked.is_none()
        && entry.description.is_some()
}
