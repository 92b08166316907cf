//! Calls that go on somewhere else: parked and taken back, or rung at another phone.

use std::time::Instant;

use super::{Branch, Leg, Party, Phase, Side};
use crate::random;
use crate::sip::registrar::Binding;
use crate::sip::server::{Incoming, Server};

/// The side of a call that waits for somebody to take it back.
#[derive(Debug)]
pub(in crate::sip) struct Parked {
    leg: Leg,
    party: Party,
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
        let call = self.calls.get_mut(&id).filter(|call| call.phase == Phase::Up)?;
        let other = call.other(side)?;
        let party = match other {
            Side::Caller => call.caller.clone(),
            Side::Branch(_) => call.callee.clone(),
        };
        let leg = call.leg_mut(other)?;
        let parked = Parked { leg: leg.clone(), party };
        // What it says from now on belongs to no call until somebody takes it back.
        leg.tag = random::hex::<8>();
        self.hang_up(now, id, side, None);
        self.over(now, id);
        Some(parked)
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
            self.cancel_branch(now, id, branch);
        }
        true
    }
}
