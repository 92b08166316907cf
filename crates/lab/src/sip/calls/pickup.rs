//! Calls that ring elsewhere are taken: the caller is answered with silence, and once that is
//! acknowledged, asked to talk to the phone that took the call (reference page sip-dialect section
//! 6; that a group's or a colleague's number follows the service after a hyphen is inferred).

use std::time::{Duration, Instant};

use super::mixer::LAWS;
use super::music::silent;
use super::{Parked, Phase, call_info};
use crate::random;
use crate::robot::sdp;
use crate::sip::message::Message;
use crate::sip::registrar::Binding;
use crate::sip::server::{Incoming, Server};

/// How long a caller may take to acknowledge.
const PATIENCE: Duration = Duration::from_secs(32);

/// A call that was taken and whose caller has not acknowledged that yet.
pub(in crate::sip) struct Taken {
    call_id: String,
    tag: String,
    /// The INVITE of the phone that takes it.
    incoming: Incoming,
    binding: Binding,
    caller: Parked,
    until: Instant,
}

impl Server {
    /// Somebody calls one of the services that take calls. The INVITE comes back when it is none.
    pub(super) fn pickup(
        &mut self,
        now: Instant,
        incoming: Incoming,
        binding: &Binding,
        wanted: &str,
    ) -> Option<Incoming> {
        let Some(service) = wanted.strip_prefix("x-cisco-serviceuri-") else {
            return Some(incoming);
        };
        let (service, number) = service.split_once('-').unwrap_or((service, ""));
        let groups = &self.lab.config.sip.pickup_groups;
        let own = |members: &Vec<String>| members.contains(&binding.number);
        let lines: Vec<String> = match service {
            "pickup" => groups.values().filter(|members| own(members)).flatten().cloned().collect(),
            "opickup" => {
                groups.values().filter(|members| !own(members)).flatten().cloned().collect()
            }
            "gpickup" => groups.get(number).cloned().unwrap_or_else(|| vec![number.to_owned()]),
            _ => return Some(incoming),
        };
        let rings = self.calls.iter().filter(|(_, call)| {
            call.phase == Phase::Ringing
                && call.callee.number != binding.number
                && lines.contains(&call.callee.number)
        });
        let first = rings.map(|(id, _)| *id).min();
        match first {
            Some(id) => self.take(now, id, incoming, binding),
            None => {
                let host = self.lab.host("cucm1");
                let text = format!("399 {host} \"No call available for pickup\"");
                let reply = self.reply(&incoming, 404, "Not Found").with("Warning", text);
                self.respond(now, &incoming.key, &reply);
            }
        }
        None
    }

    fn take(&mut self, now: Instant, id: u64, incoming: Incoming, binding: &Binding) {
        let picker = self.calling_party(binding, &incoming.message);
        let host = self.lab.host("cucm1");
        let protection = self.protection(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let offer = sdp::read(&String::from_utf8_lossy(&call.invite.message.body), &LAWS);
        let Some(offer) = offer else {
            return self.refuse(now, &incoming, 488, "Not Acceptable Here");
        };
        let answer = silent(&sdp::Local::new(call.leg.route.peer, &LAWS).answer(&offer));
        let caller = Parked { leg: call.leg.clone(), party: call.caller.clone(), by: None };
        let (invite, leg) = (call.invite.clone(), call.leg.clone());
        let open: Vec<usize> =
            (0..call.branches.len()).filter(|at| !call.branches[*at].failed).collect();
        // What the caller says from now on is for who took the call.
        call.leg.tag = random::hex::<8>();
        let mut reply = self
            .reply(&invite, 200, "OK")
            .with("Contact", leg.contact.clone())
            .with("Remote-Party-ID", format!("{};party=called", picker.address(&host)))
            .with("Call-Info", call_info(true, protection))
            .with_body("application/sdp", answer);
        reply.set("To", format!("{};tag={}", leg.local, leg.tag));
        self.respond(now, &invite.key, &reply);
        self.over(now, id);
        open.into_iter().for_each(|at| self.cancel_branch(now, id, at, true));
        let trying = self.reply(&incoming, 100, "Trying");
        self.respond(now, &incoming.key, &trying);
        self.taken.push(Taken {
            call_id: leg.call_id,
            tag: leg.tag,
            incoming,
            binding: binding.clone(),
            caller,
            until: now + PATIENCE,
        });
    }

    /// An ACK: of a caller whose call was taken? Then the two are brought together.
    pub(super) fn taken_acknowledged(&mut self, now: Instant, message: &Message) -> bool {
        self.taken.retain(|taken| now < taken.until);
        let fits = |taken: &Taken| {
            taken.call_id == message.call_id() && taken.tag == message.receiver_tag()
        };
        let Some(at) = self.taken.iter().position(fits) else { return false };
        let taken = self.taken.remove(at);
        self.retrieve(now, taken.incoming, &taken.binding, taken.caller);
        true
    }
}
