//! Requests of theirs other than a first INVITE.

use std::time::Instant;

use super::outgoing::reason_text;
use super::{By, End, SipCall, UserAgent};
use crate::cucm;
use crate::message::{Message, Method, Name};
use crate::transaction::ServerKey;

/// What bodies of requests may be.
const ACCEPT: &str = "application/sdp, multipart/mixed, message/sipfrag, application/dtmf-relay, \
application/dtmf, application/conference-info+xml, application/kpml-request+xml";

impl UserAgent {
    pub(super) fn request_in_dialog(
        &mut self,
        key: ServerKey,
        method: &Method,
        message: &Message,
        now: Instant,
    ) {
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let found = self.calls.iter_mut().find_map(|(id, call)| {
            let in_order = call.dialog_of(message)?.in_order(number);
            call.learn(message);
            Some((*id, in_order))
        });
        match found {
            None if *method == Method::Notify => self.notify(&key, message, now),
            None if *method == Method::Options => self.options(&key, message, now),
            None => self.answer_plainly(&key, message, 481, now),
            Some((_, false)) => self.answer_plainly(&key, message, 500, now),
            Some((id, true)) => self.request_of_call(id, key, method, message, now),
        }
    }

    fn request_of_call(
        &mut self,
        id: SipCall,
        key: ServerKey,
        method: &Method,
        message: &Message,
        now: Instant,
    ) {
        let over = self.calls.get(&id).is_none_or(|call| call.told);
        match method {
            // What was told to be over is over, whatever still has to be said.
            Method::Info | Method::Refer | Method::Subscribe if over => {
                self.answer_call(id, &key, message, 481, now);
            }
            Method::Invite | Method::Update => self.asked_to_change(id, key, message, now),
            Method::Bye => self.bye(id, &key, message, now),
            Method::Info => self.info(id, &key, message, now),
            Method::Options => self.options(&key, message, now),
            Method::Notify if !over && event_of(message) == "conference" => {
                let status = self.roster(id, message);
                self.answer_call(id, &key, message, status, now);
            }
            Method::Notify => self.notify(&key, message, now),
            Method::Refer if self.remote_control(&key, message, now) => {}
            Method::Refer => self.asked_to_call(id, &key, message, now),
            Method::Prack => self.acknowledged(id, &key, message, now),
            Method::Subscribe if event_of(message) == "kpml" => {
                self.asked_for_keys(id, &key, message, now);
            }
            Method::Subscribe if self.asked_to_tell(id, &key, message, now) => {}
            Method::Subscribe => self.answer_call(id, &key, message, 489, now),
            Method::Ack
            | Method::Cancel
            | Method::Message
            | Method::Publish
            | Method::Register
            | Method::Other(_) => self.not_allowed(&key, method, message, now),
        }
    }

    pub(super) fn request_outside(
        &mut self,
        key: &ServerKey,
        method: &Method,
        message: &Message,
        now: Instant,
    ) {
        match method {
            Method::Options => self.options(key, message, now),
            Method::Notify => self.notify(key, message, now),
            Method::Refer if self.remote_control(key, message, now) => {}
            Method::Refer => self.asked_from_outside(key, message, now),
            Method::Bye | Method::Info | Method::Prack | Method::Update => {
                self.answer_plainly(key, message, 481, now);
            }
            Method::Subscribe => self.answer_plainly(key, message, 489, now),
            Method::Ack
            | Method::Cancel
            | Method::Invite
            | Method::Message
            | Method::Publish
            | Method::Register
            | Method::Other(_) => self.not_allowed(key, method, message, now),
        }
    }

    /// A body of the call manager's, not somebody to call (reference sip-dialect.md section 6).
    pub(super) fn is_remote_control(&self, message: &Message) -> bool {
        let target = message.header(Name::ReferTo).unwrap_or("");
        let target = target.trim_start_matches(['<', ' ']).to_ascii_lowercase();
        self.is_cucm() && (target.is_empty() || target.starts_with("cid:"))
    }

    fn bye(&mut self, id: SipCall, key: &ServerKey, message: &Message, now: Instant) {
        if let Some(call) = self.calls.get(&id) {
            let mut response = self.call_response(call, message, 200);
            if let Some((received, sent)) = call.figures {
                response.push(Name::RtpRxStat, cucm::received(&received));
                response.push(Name::RtpTxStat, cucm::sent(&sent));
            }
            self.respond(key, &response, now);
        }
        let asked = self.calls.get_mut(&id).and_then(|call| call.asked.take());
        if let (Some(asked), Some(call)) = (asked, self.calls.get(&id)) {
            let response = self.call_response(call, &asked.message, 487);
            self.respond(&asked.key, &response, now);
        }
        if let Some(awaited) = self.calls.get_mut(&id).and_then(|call| call.awaited.take()) {
            self.transactions.acknowledged(&awaited.key);
        }
        self.keep_dialog(id);
        self.transfer_left(id, now);
        let text = message.tokens(Name::Reason).find_map(reason_text).unwrap_or_default();
        self.ended(id, End::new(By::Them, None, text));
        self.calls.remove(&id);
    }

    fn options(&mut self, key: &ServerKey, message: &Message, now: Instant) {
        let mut response = self.plain_response(message, 200);
        response.push(Name::Allow, self.allow());
        response.push(Name::Accept, ACCEPT);
        response.push(Name::AllowEvents, self.allow_events());
        response.push(Name::Supported, self.supported());
        self.respond(key, &response, now);
    }

    fn not_allowed(&mut self, key: &ServerKey, method: &Method, message: &Message, now: Instant) {
        let status = match method {
            Method::Other(_) => 501,
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Info
            | Method::Invite
            | Method::Message
            | Method::Notify
            | Method::Options
            | Method::Prack
            | Method::Publish
            | Method::Refer
            | Method::Register
            | Method::Subscribe
            | Method::Update => 405,
        };
        let mut response = self.plain_response(message, status);
        response.push(Name::Allow, self.allow());
        self.respond(key, &response, now);
    }

    pub(super) fn answer_plainly(
        &mut self,
        key: &ServerKey,
        message: &Message,
        status: u16,
        now: Instant,
    ) {
        let response = self.plain_response(message, status);
        self.respond(key, &response, now);
    }

    fn answer_call(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        message: &Message,
        status: u16,
        now: Instant,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let response = self.call_response(call, message, status);
        self.respond(key, &response, now);
    }
}

/// The event package of a SUBSCRIBE or NOTIFY, in lower case.
fn event_of(message: &Message) -> String {
    let event = message.header(Name::Event).unwrap_or("");
    event.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}
