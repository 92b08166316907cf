//! Calls that go on somewhere else or not at all: parked and taken back, rung at another phone, and
//! those whose connection or node is gone.

use std::time::Instant;

use super::{Branch, Leg, Party, Phase, Side};
use crate::random;
use crate::sip::message::Message;
use crate::sip::registrar::Binding;
use crate::sip::server::{Incoming, Server};
use crate::sip::transport::Route;

/// The side of a call that waits for somebody to take it back.
#[derive(Debug)]
pub(in crate::sip) struct Parked {
    pub(super) leg: Leg,
    pub(super) party: Party,
    /// Who parked it and when it rings there again.
    pub(super) by: Option<(Binding, Instant)>,
}

impl Parked {
    /// Rings at this phone again at that time.
    pub(in crate::sip) fn wait_for(&mut self, by: Binding, at: Instant) {
        self.by = Some((by, at));
    }
}

impl Server {
    /// The side of a call that is this phone's, by the phone's own tag.
    pub(in crate::sip) fn leg_of_phone(&self, call_id: &str, tag: &str) -> Option<(u64, Side)> {
        let fits = |leg: &Leg| leg.call_id == call_id && leg.remote_tag == tag;
        let live = self.calls.iter().filter(|(_, call)| call.phase != Phase::Over);
        live.into_iter().find_map(|(id, call)| {
            if fits(&call.leg) {
                return Some((*id, Side::Caller));
            }
            let at = call.branches.iter().position(|branch| fits(&branch.leg))?;
            Some((*id, Side::Branch(at)))
        })
    }

    /// Ends the call for this side and keeps the other one, if the call is up.
    pub(in crate::sip) fn take_other_side(
        &mut self,
        now: Instant,
        id: u64,
        side: Side,
    ) -> Option<Parked> {
        let call = self.calls.get(&id).filter(|call| call.phase == Phase::Up)?;
        let (leg, party) = self.detach(id, call.other(side)?)?;
        self.hang_up(now, id, side, None);
        self.over(now, id);
        Some(Parked { leg, party, by: None })
    }

    /// Takes a side out of its call: what it says from now on belongs to that call no more.
    pub(super) fn detach(&mut self, id: u64, side: Side) -> Option<(Leg, Party)> {
        let call = self.calls.get_mut(&id)?;
        let party = match side {
            Side::Caller => call.caller.clone(),
            Side::Branch(_) => call.callee.clone(),
        };
        let leg = call.leg_mut(side)?;
        let taken = leg.clone();
        leg.tag = random::hex::<8>();
        Some((taken, party))
    }

    /// Somebody calls the number of a parked call: the side that waits is asked to talk to them.
    pub(in crate::sip) fn retrieve(
        &mut self,
        now: Instant,
        incoming: Incoming,
        binding: &Binding,
        parked: Parked,
    ) {
        let caller = self.calling_party(binding, &incoming.message);
        let branch = Branch { leg: parked.leg, failed: false };
        self.ring(now, incoming, binding, (caller, parked.party), vec![branch]);
    }

    /// A call that rings stops ringing where it does, and rings here.
    pub(in crate::sip) fn ring_elsewhere(
        &mut self,
        now: Instant,
        id: u64,
        target: &Binding,
    ) -> bool {
        let Some(call) = self.calls.get(&id).filter(|call| call.phase == Phase::Ringing) else {
            return false;
        };
        let branch = self.branch(&call.caller, &target.number, target);
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let at = call.branches.len();
        let open: Vec<usize> = (0..at).filter(|at| !call.branches[*at].failed).collect();
        call.branches.push(branch);
        self.invite_branch(now, id, at);
        for branch in open {
            self.cancel_branch(now, id, branch, false);
        }
        true
    }

    /// A node went down: its calls go on without it, so nobody hears of it.
    pub(in crate::sip) fn forget_calls_by(&mut self, node: usize) {
        self.calls.retain(|_, call| {
            let by = |leg: &Leg| leg.route.node == node;
            !by(&call.leg) && !call.branches.iter().any(|branch| by(&branch.leg))
        });
    }

    /// The dialog of a call that rings at a phone: its Call-ID, the phone's tag and ours.
    pub(in crate::sip) fn ringing_at(&self, binding: &Binding) -> Option<(String, String, String)> {
        let mut ringing = self.calls.values().filter(|call| call.phase == Phase::Ringing);
        let leg = ringing.find_map(|call| {
            let here = |branch: &&Branch| branch.leg.route == binding.route && !branch.failed;
            call.branches.iter().find(here).map(|branch| &branch.leg)
        })?;
        Some((leg.call_id.clone(), leg.remote_tag.clone(), leg.tag.clone()))
    }

    /// The calls of a phone end, for the phone as well.
    pub(in crate::sip) fn end_calls_at(&mut self, now: Instant, route: &Route) {
        let hit: Vec<(u64, Phase, Option<Side>)> = self
            .calls
            .iter()
            .filter(|(_, call)| call.leg.route == *route || call.is_answered_at(route))
            .map(|(id, call)| (*id, call.phase, call.other(Side::Caller)))
            .collect();
        for (id, phase, other) in hit {
            match (phase, other) {
                (Phase::Ringing, _) => self.cancel_all(now, id, 487, "Request Terminated"),
                (Phase::Up, Some(other)) => {
                    self.hang_up(now, id, Side::Caller, None);
                    self.hang_up(now, id, other, None);
                    self.over(now, id);
                }
                (Phase::Up | Phase::Over, _) => {}
            }
        }
    }

    /// A connection ended and took its phones along.
    pub(in crate::sip) fn end_calls_of(&mut self, now: Instant, route: &Route) {
        self.seats_gone(now, route);
        let hit: Vec<(u64, Side)> = self
            .calls
            .iter()
            .filter(|(_, call)| call.phase != Phase::Over)
            .filter_map(|(id, call)| {
                if call.leg.route == *route {
                    return Some((*id, Side::Caller));
                }
                let at = call.branches.iter().position(|branch| branch.leg.route == *route)?;
                Some((*id, Side::Branch(at)))
            })
            .collect();
        for (id, side) in hit {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            match (call.phase, side) {
                (Phase::Ringing, Side::Caller) => {
                    self.cancel_all(now, id, 487, "Request Terminated");
                }
                (Phase::Ringing, Side::Branch(at)) => {
                    let timeout = Message::response(&call.invite.message, 408, "Request Timeout");
                    self.branch_response(now, id, at, &timeout);
                }
                (Phase::Up, side) => {
                    // A branch that lost the race may close without ending the call.
                    let party = side == Side::Caller || call.winner.map(Side::Branch) == Some(side);
                    if let (true, Some(other)) = (party, call.other(side)) {
                        self.hang_up(now, id, other, None);
                        self.over(now, id);
                    }
                }
                (Phase::Over, _) => {}
            }
        }
    }
}
