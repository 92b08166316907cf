//! Calls that we make: INVITE, its forks, PRACK, CANCEL (RFC 3261 section 13.2, RFC 3262).

use std::time::Instant;

use super::call::{Call, SentAck, Stage};
use super::redirected::RINGS;
use super::{By, Context, End, Event, Purpose, SipCall, UserAgent};
use crate::cucm;
use crate::dialog::Dialog;
use crate::message::{Message, Method, Name, Request};
use crate::transaction::Delivered;

/// Most forks of one call that are followed.
const MAX_FORKS: usize = 16;

impl UserAgent {
    /// Calls this URI; `more` are headers of this call alone.
    pub(super) fn send_invite(
        &mut self,
        id: SipCall,
        uri: String,
        more: Vec<(Name, String)>,
        sdp: String,
        now: Instant,
    ) {
        if self.flow.is_none() || self.stopping.is_some() {
            let end = End::new(By::Network, None, "the phone is not connected to a server");
            self.event(Event::Ended { call: id, end });
            return;
        }
        let mut call = Call::new(Stage::Calling, true, self.tokens.uuid());
        let mut request =
            Request::new(Method::Invite, uri.clone(), if self.is_cucm() { 101 } else { 1 });
        request.push(Name::MaxForwards, 70);
        for route in self.way() {
            request.push(Name::Route, route);
        }
        request.push(Name::From, format_args!("{};tag={}", self.own_address(), self.tokens.tag()));
        request.push(Name::To, format_args!("<{uri}>"));
        request.push(Name::CallId, self.tokens.long());
        for (name, value) in more {
            request.push(name, value);
        }
        self.dress_offer(&mut request, &call);
        request.body("application/sdp", sdp.as_str());
        call.said = Some(sdp);
        call.unanswered_at = Some(now + RINGS);
        call.flow = self.flow.as_ref().map(|flow| flow.id);
        call.invite = self.send(request, Context::of(Purpose::Invite(id)), now);
        self.calls.insert(id, call);
    }

    pub(super) fn invite_response(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            // The call is over, and a fork answers late.
            if (200..300).contains(&message.status().unwrap_or(100)) {
                self.refuse_fork(delivered, message, now);
            }
            return;
        };
        call.learn(message);
        let status = message.status().unwrap_or(100);
        self.take_invite_response(id, delivered, message, now);
        if (101..300).contains(&status) {
            self.hear_kind(id, message);
        }
    }

    fn take_invite_response(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        match message.status().unwrap_or(100) {
            100 => self.cancel_if_unwanted(id, now),
            101..=199 => self.provisional(id, delivered, message, now),
            200..=299 => self.accepted(id, delivered, message, now),
            300..=399 if self.redirected(id, delivered, message, now) => {}
            422 if self.invite_again(id, delivered, message, now) => {}
            400..=599 if self.try_elsewhere(id, delivered, now) => {}
            _ => self.invite_refused(id, message),
        }
    }

    fn cancel_if_unwanted(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let (Stage::Cancelling, false, Some(key)) = (call.stage, call.cancel_sent, &call.invite)
        {
            call.cancel_sent =
                self.transactions.cancel(key, call.reason, Context::of(Purpose::Cancel), now);
        }
    }

    fn provisional(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        self.cancel_if_unwanted(id, now);
        let acknowledge = self.early_dialog(id, delivered, message);
        if let Some((tag, rseq)) = acknowledge {
            self.send_prack(id, &tag, rseq, delivered.request.cseq, now);
        }
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage == Stage::Calling) else {
            return;
        };
        let remote = call.identify(message);
        if message.sdp().is_some() {
            call.unanswered_at = None;
        }
        call.early_answer |= message.sdp().is_some() && message.lists(Name::Require, "100rel");
        let status = message.status().unwrap_or(180);
        self.event(Event::Progress { call: id, status, sdp: message.sdp(), remote });
    }

    /// Keeps the early dialog; when the response is reliable and new, its tag and RSeq come back.
    fn early_dialog(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
    ) -> Option<(String, u32)> {
        let call = self.calls.get_mut(&id)?;
        let tag = message.tag(Name::To)?;
        let known = call.early.iter().position(|(dialog, _)| dialog.remote_tag == tag);
        let index = match known {
            Some(index) => index,
            None if call.early.len() >= MAX_FORKS => return None,
            None => {
                call.early.push((Dialog::of_response(&delivered.request, message)?, 0));
                call.early.len() - 1
            }
        };
        let (dialog, last) = call.early.get_mut(index)?;
        dialog.refresh(message);
        let rseq = message.number(Name::RSeq).filter(|_| message.lists(Name::Require, "100rel"))?;
        // Only the next in order counts (RFC 3262 section 4).
        if *last != 0 && rseq != *last + 1 {
            return None;
        }
        *last = rseq;
        Some((tag.to_owned(), rseq))
    }

    fn send_prack(&mut self, id: SipCall, tag: &str, rseq: u32, cseq: u32, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((dialog, _)) = call.early.iter_mut().find(|(dialog, _)| dialog.remote_tag == tag)
        else {
            return;
        };
        let mut request = dialog.request(Method::Prack);
        request.push(Name::RAck, format_args!("{rseq} {cseq} INVITE"));
        self.dress_plain(&mut request, self.calls.get(&id));
        self.send(request, Context::of(Purpose::Prack(id)), now);
    }

    fn accepted(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let tag = message.tag(Name::To).unwrap_or("");
        if let Some(dialog) = &call.dialog {
            if dialog.remote_tag == tag {
                self.ack_again(id, tag, delivered.request.cseq);
            } else {
                self.refuse_fork(delivered, message, now);
            }
            return;
        }
        let Some(mut dialog) = Dialog::of_response(&delivered.request, message) else { return };
        if let Some((early, _)) = call.early.iter().find(|(early, _)| early.remote_tag == tag) {
            dialog.local_cseq = dialog.local_cseq.max(early.local_cseq);
            dialog.remote_cseq = early.remote_cseq;
        }
        call.dialog = Some(dialog);
        call.early.clear();
        call.unanswered_at = None;
        self.send_ack(id, &delivered.request, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.stage == Stage::Calling {
            call.stage = Stage::Confirmed;
            call.heard = message.sdp();
            let remote = call.identify(message);
            self.event(Event::Answered { call: id, sdp: message.sdp(), remote });
            self.agreed(id, message, now);
            self.next_offer(id, now);
        } else {
            self.send_bye(id, now);
        }
    }

    /// Sends the ACK of a 2xx to `invite`, with its credentials (RFC 3261 section 22.1), and
    /// keeps it.
    pub(super) fn send_ack(&mut self, id: SipCall, invite: &Request, _now: Instant) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(dialog) = &call.dialog else { return };
        let ack = self.ack_of(dialog, invite, Some(call));
        let remote_tag = dialog.remote_tag.clone();
        let Some(bytes) = self.write_plain(&ack) else { return };
        if let Some(call) = self.calls.get_mut(&id) {
            call.acks.retain(|ack| ack.remote_tag != remote_tag);
            call.acks.push(SentAck { remote_tag, cseq: invite.cseq, bytes });
        }
    }

    fn ack_of(&self, dialog: &Dialog, invite: &Request, call: Option<&Call>) -> Request {
        let mut ack = dialog.ack(invite.cseq);
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            for value in invite.all(name) {
                ack.push(name, value);
            }
        }
        self.dress_plain(&mut ack, call);
        ack
    }

    /// Sends a request that is no transaction.
    fn write_plain(&mut self, request: &Request) -> Option<Vec<u8>> {
        let branch = self.tokens.branch();
        let flow = self.flow.as_ref()?;
        let bytes = request.write(&flow.via(&branch));
        let id = flow.id;
        self.transactions.send_plain(id, bytes.clone());
        Some(bytes)
    }

    /// A 2xx came again: so does its ACK.
    pub(super) fn ack_again(&mut self, id: SipCall, tag: &str, cseq: u32) {
        let (Some(flow), Some(call)) = (self.flow.as_ref(), self.calls.get(&id)) else { return };
        let ack = call.acks.iter().find(|ack| ack.remote_tag == tag && ack.cseq == cseq);
        if let Some(ack) = ack {
            self.transactions.send_plain(flow.id, ack.bytes.clone());
        }
    }

    /// Another fork accepted after the first: it is accepted and hung up (RFC 3261 section
    /// 13.2.2.4).
    fn refuse_fork(&mut self, delivered: &Delivered<Context>, message: &Message, now: Instant) {
        let Some(mut dialog) = Dialog::of_response(&delivered.request, message) else { return };
        let ack = self.ack_of(&dialog, &delivered.request, None);
        self.write_plain(&ack);
        let mut bye = dialog.request(Method::Bye);
        self.dress_plain(&mut bye, None);
        self.send(bye, Context::of(Purpose::Bye(None)), now);
    }

    /// A final response that is no 2xx, or a challenge that cannot be answered.
    pub(super) fn invite_refused(&mut self, id: SipCall, message: &Message) {
        let reason = message.header(Name::Reason).and_then(reason_text);
        let text = reason.unwrap_or_else(|| message.explanation());
        let mut end = End::new(By::Them, message.status(), text);
        end.cancelled_elsewhere = false;
        self.ended(id, end);
        self.calls.remove(&id);
    }

    pub(super) fn invite_unanswered(&mut self, id: SipCall, status: u16) {
        let text = if status == 408 {
            "no answer from the server"
        } else {
            "the connection to the server was lost"
        };
        self.ended(id, End::new(By::Network, (status == 408).then_some(status), text));
        self.calls.remove(&id);
    }

    /// Ends a call in whatever state.
    pub(super) fn end_call(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match call.stage {
            Stage::Calling => {
                call.stage = Stage::Cancelling;
                self.ended(id, End::new(By::Us, None, ""));
                self.cancel_if_unwanted(id, now);
            }
            Stage::Ringing => self.send_rejection(id, 486, None, now),
            Stage::Accepted => {
                call.bye_wanted = true;
                self.ended(id, End::new(By::Us, None, ""));
            }
            Stage::Confirmed => {
                self.ended(id, End::new(By::Us, None, ""));
                self.send_bye(id, now);
            }
            Stage::Cancelling | Stage::Ending => {}
        }
    }

    /// Sends BYE. The call stays until it is answered, so that the dialog is still known.
    pub(super) fn send_bye(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Ending;
        let asked = call.asked.take();
        let Some(mut request) = call.dialog.as_mut().map(|dialog| dialog.request(Method::Bye))
        else {
            self.calls.remove(&id);
            return;
        };
        if let Some(asked) = asked
            && let Some(call) = self.calls.get(&id)
        {
            let response = self.call_response(call, &asked.message, 487);
            self.respond(&asked.key, &response, now);
        }
        self.dress_plain(&mut request, self.calls.get(&id));
        if let Some(reason) = self.calls.get(&id).and_then(|call| call.reason) {
            request.push(Name::Reason, reason);
        }
        if let Some((received, sent)) = self.calls.get(&id).and_then(|call| call.figures) {
            request.push(Name::RtpRxStat, cucm::received(&received));
            request.push(Name::RtpTxStat, cucm::sent(&sent));
        }
        self.keep_dialog(id);
        if self.send(request, Context::of(Purpose::Bye(Some(id))), now).is_none() {
            self.calls.remove(&id);
        }
    }
}

/// The text of a Reason header (RFC 3326), if it has one.
pub(super) fn reason_text(value: &str) -> Option<String> {
    use crate::message::text::{Params, unquote};
    let params = Params::new(value.get(value.find(';')?..)?);
    let text = unquote(params.get("text")?).into_owned();
    (!text.is_empty()).then_some(text)
}
