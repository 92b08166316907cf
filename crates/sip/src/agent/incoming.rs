//! Calls that come (RFC 3261 section 13.3), and the sorting of all requests.

use std::time::Instant;

use offhook_ports::PhoneDialect;

use super::call::{Asked, AwaitedAck, Call, Stage};
use super::redirected::rings_here;
use super::sessions::{dress_too_brief, too_brief};
use super::{By, End, Event, MAX_CALLS, SipCall, UserAgent};
use crate::dialog::Dialog;
use crate::identity::Identity;
use crate::message::text::quote;
use crate::message::{Message, Method, Name, Uri};
use crate::transaction::{Arrived, ServerKey};

/// Option tags whose meaning we honour when required.
const EXTENSIONS: &[&str] = &[
    "norefersub",
    "replaces",
    "resource-priority",
    "extended-refer",
    "join",
    "100rel",
    "timer",
    "answermode",
    "gruu",
    "outbound",
];

impl UserAgent {
    /// Takes a request from the flow.
    pub(super) fn request(&mut self, message: &Message, now: Instant) {
        let Some(path) = self.came_by.or_else(|| self.path()) else { return };
        if let Some(defect) = message.defect() {
            self.refuse_unusable(message, defect.status());
            return;
        }
        match self.transactions.request(message, path, now) {
            Arrived::New(key) => self.new_request(key, message, now),
            Arrived::Ack => self.ack(message, now),
            Arrived::Cancel(key, target) => self.cancelled(&key, target, message, now),
            Arrived::Repeated | Arrived::Absorbed | Arrived::Unusable => {}
        }
    }

    /// Answers what makes no sense, as far as it can be answered. No transaction is kept for it
    /// (RFC 3261 section 8.2.7): what would name one may be just what is wrong.
    pub(super) fn refuse_unusable(&mut self, message: &Message, status: u16) {
        let Some(path) = self.came_by.or_else(|| self.path()) else { return };
        // Nobody answers an ACK; without Via nobody waits for an answer.
        if message.method() == Some(&Method::Ack) || message.header(Name::Via).is_none() {
            return;
        }
        let response = self.plain_response(message, status);
        self.transactions.send_plain(path.flow, response.write());
    }

    fn new_request(&mut self, key: ServerKey, message: &Message, now: Instant) {
        let Some(method) = message.method().cloned() else { return };
        let unknown: Vec<&str> = message
            .tokens(Name::Require)
            .filter(|tag| !EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(tag)))
            .filter(|tag| !tag.to_ascii_lowercase().starts_with("x-cisco"))
            .collect();
        let inside = message.tag(Name::To).is_some();
        // RFC 3261 section 8.2 looks at the method first.
        let taken = inside || self.takes(&method);
        if taken && !unknown.is_empty() {
            let mut response = self.plain_response(message, 420);
            response.push(Name::Unsupported, unknown.join(", "));
            self.respond(&key, &response, now);
        } else if inside {
            self.request_in_dialog(key, &method, message, now);
        } else if taken && !self.is_for_us(message) {
            self.answer_plainly(&key, message, 404, now);
        } else if method == Method::Invite {
            self.incoming(key, message, now);
        } else {
            self.request_outside(&key, &method, message, now);
        }
    }

    /// Whether we say of ourselves that we take this method.
    fn takes(&self, method: &Method) -> bool {
        self.allow().split(',').any(|word| word.trim() == method.as_str())
    }

    /// Whether the request URI names us (RFC 3261 section 8.2.2.1): by the user of our address of
    /// record or of our Contact, or, where it has no user, as the place at which we are reached.
    /// Registrars may say that we are reached by other names as well (P-Associated-URI, RFC 7315
    /// section 4.1). Call managers name the line's number as well as the Contact, in any case of its letters, and
    /// may name the device [I].
    fn is_for_us(&self, message: &Message) -> bool {
        let Ok(uri) = Uri::parse(message.request_uri()) else { return false };
        let Some(user) = uri.user_text() else { return true };
        // A telephone number may have parameters of its own (RFC 3966).
        let user = user.split(';').next().unwrap_or("");
        let device = match &self.account.dialect {
            PhoneDialect::Standard => "",
            PhoneDialect::Cucm { device, .. } => device.as_str(),
        };
        let known = self.registration.associated.iter().map(String::as_str);
        [self.account.user.as_str(), self.contact_user(), device]
            .into_iter()
            .chain(known)
            .any(|own| !own.is_empty() && own.eq_ignore_ascii_case(user))
    }

    fn incoming(&mut self, key: ServerKey, message: &Message, now: Instant) {
        let offer = message.sdp();
        let arrival = self.arrival(message);
        let status = if self.merged(message) {
            482
        } else if self.stopping.is_some() {
            480
        } else if self.calls.len() >= MAX_CALLS {
            486
        } else if offer.is_none() && !message.body().is_empty() {
            415
        } else if !takes_description(message) {
            406
        } else if too_brief(message) {
            422
        } else {
            arrival.as_ref().err().copied().unwrap_or(100)
        };
        let dialog = Dialog::of_request(message, &self.tokens.tag());
        let (Some(dialog), Ok(arrival), 100) = (dialog, arrival, status) else {
            let mut response = self.plain_response(message, status.max(400));
            if status == 415 {
                response.push(Name::Accept, "application/sdp");
            }
            if status == 422 {
                dress_too_brief(&mut response);
            }
            self.respond(&key, &response, now);
            return;
        };
        let id = self.new_call_id();
        let mut call = Call::new(Stage::Ringing, false, self.tokens.uuid());
        call.dialog = Some(dialog);
        call.learn(message);
        call.flow = self.flow.as_ref().map(|flow| flow.id);
        let trying = self.call_response(&call, message, 100);
        self.respond(&key, &trying, now);
        let remote = Identity::of_sender(message);
        call.remote = Some(remote.clone());
        call.replaces = arrival.replaces;
        call.unanswered_at = Some(now + rings_here(message));
        call.heard.clone_from(&offer);
        call.asked = Some(Asked { key, message: message.clone() });
        self.calls.insert(id, call);
        self.event(Event::Incoming { call: id, remote, offer, arrival: Box::new(arrival) });
        self.hear_kind(id, message);
    }

    /// Whether this INVITE has come to us by another way already (RFC 3261 section 8.2.2.2).
    fn merged(&self, message: &Message) -> bool {
        let cseq = message.cseq().ok();
        self.calls.values().any(|call| {
            let Some(asked) = &call.asked else { return false };
            asked.message.header(Name::CallId) == message.header(Name::CallId)
                && asked.message.tag(Name::From) == message.tag(Name::From)
                && asked.message.cseq().ok() == cseq
        })
    }

    pub(super) fn send_ringing(&mut self, id: SipCall, now: Instant) {
        self.send_provisional(id, 180, None, now);
    }

    pub(super) fn send_answer(&mut self, id: SipCall, sdp: String, now: Instant) {
        if self.answer_waits(id, &sdp) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage == Stage::Ringing) else {
            return;
        };
        let Some(asked) = call.asked.take() else { return };
        call.stage = Stage::Accepted;
        call.unanswered_at = None;
        let replaced = call.replaces.take();
        self.accept(id, asked, sdp, true, now);
        if let Some(replaced) = replaced {
            self.give_way(replaced, now);
        }
    }

    /// Ends a call that another one took the place of (RFC 3891 section 3).
    fn give_way(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.reason = Some("SIP;cause=200;text=\"Replaced by another call\"");
        self.ended(id, End::new(By::Them, None, "replaced by another call"));
        self.end_call(id, now);
    }

    /// Sends the 2xx to an INVITE of theirs.
    pub(super) fn accept(
        &mut self,
        id: SipCall,
        asked: Asked,
        sdp: String,
        first: bool,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let answers = asked.message.sdp().is_none();
        call.awaited = Some(AwaitedAck {
            key: asked.key.clone(),
            cseq: asked.message.cseq().map_or(0, |cseq| cseq.number),
            answers,
            first,
        });
        call.said = Some(sdp.clone());
        let Some(call) = self.calls.get(&id) else { return };
        let mut response = self.call_response(call, &asked.message, 200);
        self.agree(id, &asked.message, &mut response, now);
        response.body("application/sdp", sdp);
        self.respond(&asked.key, &response, now);
    }

    pub(super) fn send_rejection(
        &mut self,
        id: SipCall,
        status: u16,
        warning: Option<&str>,
        now: Instant,
    ) {
        let warning = warning.map(|text| (Name::Warning, format!("399 offhook {}", quote(text))));
        self.refuse_call(id, status, warning, now);
    }

    pub(super) fn send_redirection(&mut self, id: SipCall, to: &str, now: Instant) {
        self.refuse_call(id, 302, Some((Name::Contact, format!("<{to}>"))), now);
    }

    fn refuse_call(
        &mut self,
        id: SipCall,
        status: u16,
        header: Option<(Name, String)>,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage == Stage::Ringing) else {
            return;
        };
        if let Some(asked) = call.asked.take()
            && let Some(call) = self.calls.get(&id)
        {
            let mut response = self.call_response(call, &asked.message, status);
            if let Some((name, value)) = header {
                response.push(name, value);
            }
            self.respond(&asked.key, &response, now);
        }
        self.ended(id, End::new(By::Us, Some(status), ""));
        self.calls.remove(&id);
    }

    fn cancelled(
        &mut self,
        key: &ServerKey,
        target: Option<ServerKey>,
        message: &Message,
        now: Instant,
    ) {
        let status = if target.is_some() { 200 } else { 481 };
        let asked = |call: &Call| call.asked.as_ref().map(|asked| asked.key.clone());
        let found = target.and_then(|target| {
            self.calls
                .iter()
                .find(|(_, call)| asked(call).as_ref() == Some(&target))
                .map(|(id, _)| *id)
        });
        // The same tag as in the responses to the INVITE (RFC 3261 section 9.2).
        let response = match found.and_then(|id| self.calls.get(&id)) {
            Some(call) => self.call_response(call, message, status),
            None => self.plain_response(message, status),
        };
        self.respond(key, &response, now);
        let Some(id) = found else { return };
        let Some(asked) = self.calls.get_mut(&id).and_then(|call| call.asked.take()) else {
            return;
        };
        let Some(call) = self.calls.get(&id) else { return };
        let ringing = call.stage == Stage::Ringing;
        let response = self.call_response(call, &asked.message, 487);
        self.respond(&asked.key, &response, now);
        if ringing {
            let reasons: Vec<&str> = message.tokens(Name::Reason).collect();
            let mut end = End::new(
                By::Them,
                None,
                reasons.iter().find_map(|r| super::outgoing::reason_text(r)).unwrap_or_default(),
            );
            end.cancelled_elsewhere = reasons.iter().any(|reason| taken_elsewhere(reason));
            self.ended(id, end);
            self.calls.remove(&id);
        }
    }

    /// The ACK of a 2xx of ours.
    fn ack(&mut self, message: &Message, now: Instant) {
        let Ok(cseq) = message.cseq() else { return };
        let found = self.calls.iter_mut().find_map(|(id, call)| {
            let expected = call.awaited.as_ref().is_some_and(|awaited| awaited.cseq == cseq.number);
            (expected && call.dialog_of(message).is_some()).then_some(*id)
        });
        let Some((id, call)) = found.and_then(|id| Some((id, self.calls.get_mut(&id)?))) else {
            return;
        };
        let Some(awaited) = call.awaited.take() else { return };
        if call.stage == Stage::Accepted {
            call.stage = Stage::Confirmed;
        }
        let bye = call.bye_wanted;
        self.transactions.acknowledged(&awaited.key);
        if bye {
            self.send_bye(id, now);
            return;
        }
        if awaited.first || awaited.answers {
            let sdp = message.sdp().filter(|_| awaited.answers);
            if let (Some(sdp), Some(call)) = (&sdp, self.calls.get_mut(&id)) {
                call.heard = Some(sdp.clone());
            }
            self.event(Event::Confirmed { call: id, sdp });
        }
        self.next_offer(id, now);
    }

    /// No ACK came for our 2xx: RFC 3261 section 13.3.1.4 wants a BYE.
    pub(super) fn unacknowledged(&mut self, key: &ServerKey, now: Instant) {
        let waits = |call: &Call| call.awaited.as_ref().is_some_and(|awaited| awaited.key == *key);
        let Some(id) = self.calls.iter().find(|(_, call)| waits(call)).map(|(id, _)| *id) else {
            return;
        };
        if let Some(call) = self.calls.get_mut(&id) {
            call.awaited = None;
        }
        self.ended(id, End::new(By::Network, None, "the answer was not acknowledged"));
        self.send_bye(id, now);
    }
}

/// Whether the caller can read a session description, which is what our answer would be
/// (RFC 3261 section 13.2.1: all can when they do not say what they accept).
fn takes_description(invite: &Message) -> bool {
    let mut accepted = invite.tokens(Name::Accept).peekable();
    accepted.peek().is_none()
        || accepted.any(|range| {
            let range = range.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
            // A Communications Manager's SDP may come within several parts.
            let wide = matches!(range.as_str(), "*/*" | "application/*" | "application/sdp");
            wide || range.starts_with("multipart/")
        })
}

/// Whether a Reason says that the call was taken on another phone.
fn taken_elsewhere(reason: &str) -> bool {
    let lower = reason.to_ascii_lowercase();
    let sip_200 =
        lower.trim_start().starts_with("sip") && lower.replace(' ', "").contains("cause=200");
    sip_200 || lower.contains("elsewhere")
}
