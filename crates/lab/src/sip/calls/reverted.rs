//! Parked calls that nobody took back ring again where they were parked. The phone there is called
//! without a description; what it offers is asked of the side that waited, and its answer goes back
//! with the ACK (RFC 3725 section 4.1).

use std::time::{Duration, Instant};

use super::{Call, Party, Phase, Side};
use crate::random;
use crate::sip::message::Message;
use crate::sip::server::{Incoming, Purpose, Server};

impl Server {
    /// Rings again for parked calls whose time is up.
    pub(in crate::sip) fn revert_parked(&mut self, now: Instant) {
        let due: Vec<String> = self
            .parked
            .iter()
            .filter(|(_, parked)| parked.by.as_ref().is_some_and(|(_, at)| *at <= now))
            .map(|(number, _)| number.clone())
            .collect();
        for number in due {
            self.revert(now, &number);
        }
    }

    fn revert(&mut self, now: Instant, number: &str) {
        let Some(parked) = self.parked.remove(number) else { return };
        let by = parked.by.as_ref().map(|(binding, _)| binding);
        let still = |binding: &&super::Binding| by.is_some_and(|by| by.device == binding.device);
        let Some(target) = self.bindings.iter().find(still).cloned() else { return };
        let person = self.lab.person(&target.person);
        let name = person.map(|person| person.display_name.clone()).unwrap_or_default();
        let callee = Party { number: target.number.clone(), name };
        let branch = self.branch(&parked.party, &target.number, &target);
        // Nobody waits for an answer to this request: it stands in for the one that a caller sends.
        let asked = Message::request("INVITE", "sip:parked").with("Call-ID", random::hex::<8>());
        let invite = Incoming { route: parked.leg.route, message: asked, key: random::hex::<8>() };
        let id = self.next_call;
        self.next_call += 1;
        let call = Call {
            caller: parked.party,
            callee,
            leg: parked.leg,
            invite,
            branches: vec![branch],
            winner: None,
            phase: Phase::Ringing,
            until: now + Duration::from_secs(self.lab.config.sip.no_answer),
            failure: (480, "Temporarily Unavailable".into()),
            sealed: false,
            untold: false,
            reverted: true,
        };
        self.calls.insert(id, call);
        self.invite_branch(now, id, 0);
    }

    /// The phone answered with an offer: the side that waited is asked.
    pub(super) fn bring_back(&mut self, now: Instant, id: u64, answered: &Message) {
        let host = self.lab.host("cucm1");
        let Some(call) = self.calls.get_mut(&id) else { return };
        let party = call.party_header(Side::Branch(0), &host);
        let request = call
            .leg
            .request("INVITE")
            .with("Remote-Party-ID", party)
            .with("Supported", "replaces,X-cisco-srtp-fallback,X-cisco-sis-10.0.0")
            .with("Allow", "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,UPDATE,INFO")
            .carry(answered, &["Content-Type"]);
        let route = call.leg.route;
        self.ask(now, route, request, Purpose::Back { call: id });
    }

    pub(in crate::sip) fn back_response(&mut self, now: Instant, id: u64, message: &Message) {
        let status = message.status();
        let Some(call) = self.calls.get_mut(&id).filter(|_| status >= 200) else { return };
        let Some(side) = call.winner.map(Side::Branch) else { return };
        if status >= 300 {
            self.acknowledge(id, side, None);
            self.hang_up(now, id, side, None);
            self.hang_up(now, id, Side::Caller, None);
            return self.over(now, id);
        }
        call.leg.unacknowledged = Some(message.cseq().0);
        self.acknowledge(id, side, Some(message));
        self.acknowledge(id, Side::Caller, None);
    }

    /// Nobody answered where it was parked: the side that waited is let go.
    pub(super) fn not_brought_back(&mut self, now: Instant, id: u64) {
        if self.calls.get(&id).is_some_and(|call| call.reverted && call.phase == Phase::Ringing) {
            self.hang_up(now, id, Side::Caller, None);
        }
    }
}
