//! Calls between registered phones, as a back-to-back user agent: every leg is a dialog of its
//! own with its own Call-ID, and what one side asks is asked of the other (reference page
//! sip-dialect sections 3, 4 and 7). Media passes through here in conferences and as music on hold
//! only.

mod bridge;
mod dialog;
mod mixer;
mod moved;
mod music;
mod pickup;
mod protection;
mod reverted;

use std::time::{Duration, Instant};

use super::message::{Message, parameter, uri_of, user_of};
use super::registrar::Binding;
use super::server::{Incoming, Purpose, Server};
use super::told::Quiet;
use super::transport::Route;
use super::watchers::Lamp;
use crate::random;
pub(super) use bridge::Bridge;
pub(super) use moved::Parked;
pub(super) use music::Playing;
pub(super) use pickup::Taken;
use protection::{Protection, call_info};

/// How long a call that is over is remembered, for late messages.
const MEMORY: Duration = Duration::from_secs(35);
/// Calls at a time.
const MAX_CALLS: usize = 256;
/// Headers that pass from one leg to the other.
const CARRIED: [&str; 12] = [
    "Content-Type",
    "Content-Disposition",
    "Content-Language",
    "Info-Package",
    "Event",
    "Subscription-State",
    "Session-ID",
    "Reason",
    "RTP-RxStat",
    "RTP-TxStat",
    "Recv-Info",
    "Warning",
];

/// One of the two sides of a call; the called side by its branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Branch(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ringing,
    Up,
    Over,
}

/// Name and number shown to the other side.
#[derive(Debug, Clone)]
struct Party {
    number: String,
    name: String,
}

impl Party {
    fn address(&self, host: &str) -> String {
        let uri = format!("<sip:{}@{host}>", self.number);
        if self.name.is_empty() { uri } else { format!("\"{}\" {uri}", self.name) }
    }
}

/// A dialog with one phone.
#[derive(Debug, Clone)]
struct Leg {
    call_id: String,
    tag: String,
    remote_tag: String,
    local: String,
    remote: String,
    cseq: u32,
    /// Where requests to the phone go by name (its Contact).
    target: String,
    route: Route,
    /// Our own Contact.
    contact: String,
    /// CSeq of an INVITE of ours that was accepted and not acknowledged yet.
    unacknowledged: Option<u32>,
    last_ack: Option<(u32, Vec<u8>)>,
}

impl Leg {
    fn request(&mut self, method: &str) -> Message {
        self.cseq += 1;
        self.request_numbered(method, self.cseq)
    }

    fn request_numbered(&self, method: &str, cseq: u32) -> Message {
        let to = if self.remote_tag.is_empty() {
            self.remote.clone()
        } else {
            format!("{};tag={}", self.remote, self.remote_tag)
        };
        Message::request(method, &self.target)
            .with("From", format!("{};tag={}", self.local, self.tag))
            .with("To", to)
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", format!("{cseq} {method}"))
            .with("Max-Forwards", "69")
            .with("Contact", self.contact.clone())
            .with("User-Agent", "Offhook-Lab")
    }
}

#[derive(Debug)]
struct Branch {
    leg: Leg,
    failed: bool,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    caller: Party,
    callee: Party,
    leg: Leg,
    /// The INVITE that started it.
    invite: Incoming,
    branches: Vec<Branch>,
    winner: Option<usize>,
    phase: Phase,
    /// End of ringing, then of remembering.
    until: Instant,
    failure: (u16, String),
    /// The sound is encrypted from one phone to the other.
    sealed: bool,
    /// Who was called knows nothing of that yet.
    untold: bool,
    /// The side that waited is brought back: it is asked last, with what the phone offers.
    reverted: bool,
}

impl Call {
    fn leg_mut(&mut self, side: Side) -> Option<&mut Leg> {
        match side {
            Side::Caller => Some(&mut self.leg),
            Side::Branch(at) => self.branches.get_mut(at).map(|branch| &mut branch.leg),
        }
    }

    fn other(&self, side: Side) -> Option<Side> {
        match side {
            Side::Branch(_) => Some(Side::Caller),
            Side::Caller => {
                let answered = |at: &usize| !self.branches[*at].leg.remote_tag.is_empty();
                self.winner.or_else(|| (0..self.branches.len()).find(answered)).map(Side::Branch)
            }
        }
    }

    fn is_answered_at(&self, route: &Route) -> bool {
        let winner = self.winner.and_then(|at| self.branches.get(at));
        winner.is_some_and(|branch| branch.leg.route == *route)
    }

    /// What the line of this number does in this call.
    pub(super) fn lamp_of(&self, number: &str) -> Option<Lamp> {
        let (caller, callee) = (self.caller.number == number, self.callee.number == number);
        match self.phase {
            Phase::Up if caller || callee => Some(Lamp::Talks),
            Phase::Ringing if caller => Some(Lamp::Talks),
            Phase::Ringing if callee => Some(Lamp::Rings),
            Phase::Up | Phase::Ringing | Phase::Over => None,
        }
    }

    /// How a side is shown to the other one.
    fn party_header(&self, shown: Side, host: &str) -> String {
        let (party, role) = match shown {
            Side::Caller => (&self.caller, "calling"),
            Side::Branch(_) => (&self.callee, "called"),
        };
        format!("{};party={role};screen=yes;privacy=off", party.address(host))
    }
}

impl Server {
    pub(super) fn our_contact(&self, user: &str, route: &Route) -> String {
        format!("<sip:{user}@{};transport={}>", self.local(route.kind), route.kind.name())
    }

    pub(super) fn invite(&mut self, now: Instant, incoming: Incoming) {
        let Some(binding) = self.caller(now, &incoming) else { return };
        let unsupported = ["100rel", "precondition", "timer"];
        let required: Vec<&str> =
            incoming.message.all("Require").flat_map(|value| value.split(',')).collect();
        if let Some(tag) =
            required.iter().map(|tag| tag.trim()).find(|tag| unsupported.contains(tag))
        {
            let reply = self.reply(&incoming, 420, "Bad Extension").with("Unsupported", tag);
            return self.respond(now, &incoming.key, &reply);
        }
        let hops = incoming.message.header("Max-Forwards").and_then(|value| value.parse().ok());
        if hops == Some(0_u32) {
            return self.refuse(now, &incoming, 483, "Too Many Hops");
        }
        let wanted = user_of(incoming.message.uri());
        if let Some(status) = self.lab.config.status_numbers.get(&wanted).copied() {
            return self.refuse(now, &incoming, status, reason(status));
        }
        if let Some(digits) = wanted.strip_prefix("x-cisco-serviceuri-cfwdall") {
            let digits = digits.trim_start_matches('-');
            let to = (!digits.is_empty()).then(|| digits.to_owned());
            let contact = self.our_contact(&wanted, &incoming.route);
            let reply = self.reply(&incoming, 200, "OK").with("Contact", contact);
            self.respond(now, &incoming.key, &reply);
            return self.forward_all(now, &binding.person, to);
        }
        let Some(incoming) = self.pickup(now, incoming, &binding, &wanted) else { return };
        if let Some(parked) = self.parked.remove(&wanted) {
            return self.retrieve(now, incoming, &binding, parked);
        }
        let asked_for = self.lab.by_sip_user(&wanted).cloned();
        let diverted = asked_for.as_ref().and_then(|person| self.diverted.get(&person.name));
        let diverted = diverted.and_then(|to| self.lab.by_sip_user(to).cloned());
        let Some(callee) = diverted.or(asked_for) else {
            return self.refuse(now, &incoming, 404, "Not Found");
        };
        if self.quiet.get(&callee.name).is_some_and(|quiet| *quiet == Quiet::Reject) {
            return self.refuse(now, &incoming, 486, "Busy Here");
        }
        // A phone does not ring for its own call, and rings for one of the other on its line.
        let targets: Vec<Binding> = self
            .bindings
            .iter()
            .filter(|it| it.person == callee.name && it.route != incoming.route)
            .cloned()
            .collect();
        if targets.is_empty() {
            return self.refuse(now, &incoming, 480, "Temporarily Unavailable");
        }
        if self.calls.len() >= MAX_CALLS {
            return self.refuse(now, &incoming, 503, "Service Unavailable");
        }
        let caller = self.calling_party(&binding, &incoming.message);
        let callee = Party { number: callee.number, name: callee.display_name };
        let branches =
            targets.iter().map(|target| self.branch(&caller, &callee.number, target)).collect();
        self.ring(now, incoming, &binding, (caller, callee), branches);
    }

    /// A phone that is to ring.
    fn branch(&self, caller: &Party, number: &str, target: &Binding) -> Branch {
        let host = self.lab.host("cucm1");
        Branch {
            leg: Leg {
                call_id: format!("{}@{host}", random::hex::<12>()),
                tag: random::hex::<8>(),
                remote_tag: String::new(),
                local: caller.address(&host),
                remote: format!("<sip:{number}@{host}>"),
                cseq: 100,
                target: target.contact.clone(),
                route: target.route,
                contact: self.our_contact(&caller.number, &target.route),
                unacknowledged: None,
                last_ack: None,
            },
            failed: false,
        }
    }

    /// Lets these phones ring for a caller.
    fn ring(
        &mut self,
        now: Instant,
        incoming: Incoming,
        binding: &Binding,
        (caller, callee): (Party, Party),
        branches: Vec<Branch>,
    ) {
        let trying = self.reply(&incoming, 100, "Trying");
        self.respond(now, &incoming.key, &trying);
        let id = self.next_call;
        self.next_call += 1;
        let message = &incoming.message;
        let leg = Leg {
            call_id: message.call_id().to_owned(),
            tag: random::hex::<8>(),
            remote_tag: message.sender_tag().to_owned(),
            local: without_tag(message.header("To").unwrap_or_default()),
            remote: without_tag(message.header("From").unwrap_or_default()),
            cseq: 100,
            target: message.contact_uri().unwrap_or(&binding.contact).to_owned(),
            route: incoming.route,
            contact: self.our_contact(&callee.number, &incoming.route),
            unacknowledged: None,
            last_ack: None,
        };
        let call = Call {
            caller,
            callee,
            leg,
            invite: incoming,
            branches,
            winner: None,
            phase: Phase::Ringing,
            until: now + Duration::from_secs(self.lab.config.sip.no_answer),
            failure: (480, "Temporarily Unavailable".into()),
            sealed: false,
            untold: false,
            reverted: false,
        };
        let count = call.branches.len();
        self.calls.insert(id, call);
        (0..count).for_each(|at| self.invite_branch(now, id, at));
    }

    fn invite_branch(&mut self, now: Instant, id: u64, at: usize) {
        let host = self.lab.host("cucm1");
        let protection = self.protection(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.untold |= protection == Protection::Unknown;
        let party = call.party_header(Side::Caller, &host);
        let Some(branch) = call.branches.get_mut(at) else { return };
        let request = branch
            .leg
            .request("INVITE")
            .with("Remote-Party-ID", party)
            .with("Call-Info", call_info(false, protection))
            .with("Supported", "replaces,X-cisco-srtp-fallback,X-cisco-sis-10.0.0")
            .with("Allow", "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,UPDATE,INFO")
            .with("Expires", self.lab.config.sip.no_answer.to_string())
            .carry(&call.invite.message, &CARRIED);
        let route = branch.leg.route;
        self.ask(now, route, request, Purpose::Branch { call: id, branch: at });
    }

    /// Who is shown as calling. Robots may show another number; phones may not.
    fn calling_party(&self, binding: &Binding, message: &Message) -> Party {
        let person = self.lab.person(&binding.person);
        if person.is_some_and(|person| person.robot.is_some())
            && let Some(shown) = message.header("Remote-Party-ID")
        {
            let number = user_of(uri_of(shown));
            if number != binding.number && !number.is_empty() {
                return Party { number, name: String::new() };
            }
        }
        Party {
            number: binding.number.clone(),
            name: person.map(|person| person.display_name.clone()).unwrap_or_default(),
        }
    }

    /// A response to the caller's INVITE.
    fn answer_caller(
        &mut self,
        now: Instant,
        id: u64,
        status: u16,
        text: &str,
        from: Option<&Message>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let host = self.lab.host("cucm1");
        let mut reply = self.reply(&call.invite, status, text);
        reply.set("To", format!("{};tag={}", call.leg.local, call.leg.tag));
        if status < 300 {
            reply = reply
                .with("Contact", call.leg.contact.clone())
                .with("Remote-Party-ID", call.party_header(Side::Branch(0), &host))
                .with("Call-Info", call_info(true, self.protection(id)));
        }
        if let Some(from) = from {
            reply = reply.carry(from, &CARRIED);
        }
        let key = call.invite.key.clone();
        self.respond(now, &key, &reply);
    }

    pub(super) fn branch_response(&mut self, now: Instant, id: u64, at: usize, message: &Message) {
        let status = message.status();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let phase = call.phase;
        let Some(branch) = call.branches.get_mut(at) else { return };
        if status > 100 && status < 300 {
            if !message.receiver_tag().is_empty() {
                message.receiver_tag().clone_into(&mut branch.leg.remote_tag);
            }
            if let Some(target) = message.contact_uri() {
                target.clone_into(&mut branch.leg.target);
            }
        }
        match status {
            0..=100 => {}
            101..=199 => {
                if phase == Phase::Ringing {
                    let text = reason_of(message);
                    self.answer_caller(now, id, status, &text, Some(message));
                }
            }
            200..=299 => {
                branch.leg.unacknowledged = Some(message.cseq().0);
                if phase == Phase::Ringing {
                    call.phase = Phase::Up;
                    call.winner = Some(at);
                    let (others, reverted) = (call.branches.len(), call.reverted);
                    if reverted {
                        self.bring_back(now, id, message);
                    } else {
                        self.note_sound(id, message);
                        self.answer_caller(now, id, status, "OK", Some(message));
                    }
                    for other in (0..others).filter(|other| *other != at) {
                        self.cancel_branch(now, id, other, true);
                    }
                } else {
                    // Answered too late: accept and hang up (RFC 3261 section 15).
                    self.acknowledge(id, Side::Branch(at), None);
                    self.hang_up(now, id, Side::Branch(at), None);
                }
            }
            _ => {
                branch.failed = true;
                // A person's refusal says more than a phone that did not react.
                if status != 408 && (call.failure.0 == 480 || status >= 600) {
                    call.failure = match status {
                        401 | 407 | 300..=399 => (480, "Temporarily Unavailable".into()),
                        _ => (status, reason_of(message)),
                    };
                }
                let all_failed = call.branches.iter().all(|branch| branch.failed);
                if phase == Phase::Ringing && all_failed {
                    let (status, text) = call.failure.clone();
                    self.answer_caller(now, id, status, &text, Some(message));
                    self.not_brought_back(now, id);
                    self.over(now, id);
                }
            }
        }
    }

    fn over(&mut self, now: Instant, id: u64) {
        self.no_more_music(id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.phase = Phase::Over;
            call.until = now + MEMORY;
        }
    }

    fn cancel_all(&mut self, now: Instant, id: u64, status: u16, text: &str) {
        let Some(call) = self.calls.get(&id) else { return };
        let open: Vec<usize> =
            (0..call.branches.len()).filter(|at| !call.branches[*at].failed).collect();
        self.answer_caller(now, id, status, text, None);
        self.not_brought_back(now, id);
        self.over(now, id);
        for at in open {
            self.cancel_branch(now, id, at, false);
        }
    }

    pub(super) fn cancel(&mut self, now: Instant, incoming: &Incoming) {
        let key = self.cancelled_key(incoming);
        let found = self.calls.iter().find(|(_, call)| call.invite.key == key);
        let Some((id, phase)) = found.map(|(id, call)| (*id, call.phase)) else {
            return self.refuse(now, incoming, 481, "Call/Transaction Does Not Exist");
        };
        self.refuse(now, incoming, 200, "OK");
        if phase == Phase::Ringing {
            self.cancel_all(now, id, 487, "Request Terminated");
        }
    }

    fn find_leg(&self, call_id: &str, our_tag: &str) -> Option<(u64, Side)> {
        let fits = |leg: &Leg| leg.call_id == call_id && leg.tag == our_tag;
        self.calls.iter().find_map(|(id, call)| {
            if fits(&call.leg) {
                return Some((*id, Side::Caller));
            }
            let at = call.branches.iter().position(|branch| fits(&branch.leg))?;
            Some((*id, Side::Branch(at)))
        })
    }

    /// A response outside any transaction: a repeated 2xx wants its ACK again.
    pub(super) fn stray_response(&mut self, _now: Instant, message: &Message) {
        let (number, method) = message.cseq();
        if method != "INVITE" || !(200..300).contains(&message.status()) {
            return;
        }
        let Some((id, side)) = self.find_leg(message.call_id(), message.sender_tag()) else {
            return;
        };
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(side)) else { return };
        if let Some((acked, bytes)) = leg.last_ack.clone()
            && acked == number
        {
            let route = leg.route;
            self.send_again(&route, bytes);
        }
    }

    pub(super) fn expire_calls(&mut self, now: Instant) {
        let late: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.phase == Phase::Ringing && now >= call.until)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.cancel_all(now, id, 480, "Temporarily Unavailable");
        }
        self.calls.retain(|_, call| call.phase != Phase::Over || now < call.until);
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Error",
    }
}

fn reason_of(message: &Message) -> String {
    match &message.start {
        super::message::Start::Response { reason, .. } => reason.clone(),
        super::message::Start::Request { .. } => String::new(),
    }
}

/// An address header without its tag.
fn without_tag(value: &str) -> String {
    match parameter(value, "tag") {
        Some(tag) => value.replace(&format!(";tag={tag}"), ""),
        None => value.to_owned(),
    }
}
