//! Changing a session that is up: re-INVITE and UPDATE, ours and theirs (RFC 3261 section 14,
//! RFC 3311, RFC 6141 in so far as a refused offer changes nothing).

use std::time::{Duration, Instant};

use offhook_ports::FlowId;

use super::call::{Asked, OurOffer, Stage};
use super::sessions::{dress_too_brief, too_brief};
use super::{By, Context, End, Event, Purpose, SipCall, UserAgent};
use crate::message::{Message, Method, Name};
use crate::transaction::{Delivered, ServerKey};

impl UserAgent {
    pub(super) fn offer(&mut self, id: SipCall, sdp: String, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match call.stage {
            Stage::Confirmed | Stage::Accepted | Stage::Calling => {
                call.queued = Some(sdp);
                self.next_offer(id, now);
            }
            Stage::Ringing | Stage::Cancelling | Stage::Ending => {}
        }
    }

    /// Sends the offer that waits, when nothing else is under way.
    pub(super) fn next_offer(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let early = call.stage == Stage::Calling
            && call.early_answer
            && call.updates
            && call.early.len() == 1;
        let free = (early || call.stage == Stage::Confirmed)
            && call.offer.is_none()
            && call.asked.is_none()
            && call.awaited.is_none();
        if !free {
            return;
        }
        if let Some(sdp) = call.queued.take() {
            call.offer = Some(OurOffer { sdp, retry_at: None, quiet: false });
            self.send_offer(id, now);
        }
    }

    pub(super) fn send_offer(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.stage == Stage::Calling {
            let sdp = call.offer.as_mut().map(|offer| {
                offer.retry_at = None;
                offer.sdp.clone()
            });
            return self.send_update(id, Purpose::Update(id), sdp, now);
        }
        let (Some(dialog), Some(offer)) = (call.dialog.as_mut(), call.offer.as_mut()) else {
            return;
        };
        offer.retry_at = None;
        let sdp = offer.sdp.clone();
        let mut request = dialog.request(Method::Invite);
        call.flow = self.flow.as_ref().map(|flow| flow.id);
        if let Some(call) = self.calls.get(&id) {
            self.dress_offer(&mut request, call);
        }
        request.body("application/sdp", sdp);
        if self.send(request, Context::of(Purpose::Reinvite(id)), now).is_none() {
            self.reinvite_refused(id, 503, now);
        }
    }

    pub(super) fn reinvite_response(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let status = message.status().unwrap_or(100);
        call.learn(message);
        match status {
            100..=199 => {}
            200..=299 => self.reinvite_accepted(id, delivered, message, now),
            491 => {
                // RFC 3261 section 14.1: whoever owns the Call-ID waits longer, so that one of
                // the two comes first.
                let wait = if call.outgoing {
                    2100 + 10 * self.tokens.below(190)
                } else {
                    10 * self.tokens.below(200)
                };
                if let Some(offer) = &mut call.offer {
                    offer.retry_at = Some(now + Duration::from_millis(wait));
                }
            }
            408 | 481 => self.reinvite_unanswered(id, status, now),
            422 if self.offer_again(id, message, now) => {}
            _ => self.reinvite_refused(id, status, now),
        }
    }

    fn reinvite_accepted(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let again = call.acks.iter().any(|ack| ack.cseq == delivered.request.cseq);
        if again {
            let tag = message.tag(Name::To).unwrap_or("").to_owned();
            self.ack_again(id, &tag, delivered.request.cseq);
            return;
        }
        if let Some(dialog) = &mut call.dialog {
            dialog.refresh(message);
        }
        let offer = call.offer.take();
        let heard = std::mem::replace(&mut call.heard, message.sdp());
        let silent = offer.as_ref().is_some_and(|offer| offer.quiet) && heard == call.heard;
        call.said = offer.map(|offer| offer.sdp).or(call.said.take());
        let news = call.identify(message);
        let up = call.stage == Stage::Confirmed;
        self.send_ack(id, &delivered.request, now);
        self.agreed(id, message, now);
        if !up {
            return;
        }
        if !silent {
            self.event(Event::OfferAnswered { call: id, sdp: message.sdp() });
        }
        if let Some(remote) = news {
            self.event(Event::RemoteIdentity { call: id, remote });
        }
        self.hear_kind(id, message);
        self.next_offer(id, now);
    }

    pub(super) fn reinvite_refused(&mut self, id: SipCall, status: u16, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let silent = call.offer.take().is_none_or(|offer| offer.quiet);
        if call.stage == Stage::Confirmed {
            if silent {
                return self.next_offer(id, now);
            }
            self.event(Event::OfferRefused { call: id, status });
            self.next_offer(id, now);
        }
    }

    /// The other side does not know the call any more, or says nothing (RFC 3261 section
    /// 12.2.1.2). A lost flow alone (503) does not end a call.
    pub(super) fn reinvite_unanswered(&mut self, id: SipCall, status: u16, now: Instant) {
        if status == 503 {
            self.reinvite_refused(id, status, now);
            return;
        }
        let by = if status == 481 { By::Them } else { By::Network };
        self.ended(
            id,
            End::new(by, Some(status), "the other side does not know the call any more"),
        );
        self.send_bye(id, now);
    }

    /// Sends offers again that met one of theirs.
    pub(super) fn retry_offers(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let ids: Vec<SipCall> = self
            .calls
            .iter()
            .filter(|(_, call)| due(call.offer.as_ref().and_then(|offer| offer.retry_at)))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            if !matches!(call.stage, Stage::Confirmed | Stage::Calling) {
                call.offer = None;
            } else if call.asked.is_some() || call.awaited.is_some() {
                // Theirs first; ours follows when it is done.
                call.queued = call.queued.take().or(call.offer.take().map(|offer| offer.sdp));
            } else {
                self.send_offer(id, now);
            }
        }
    }

    /// A re-INVITE or UPDATE of theirs.
    pub(super) fn asked_to_change(
        &mut self,
        id: SipCall,
        key: ServerKey,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let update = message.method() == Some(&Method::Update);
        let sdp = message.sdp();
        let ours = call.offer.as_ref().is_some_and(|offer| offer.retry_at.is_none())
            || (call.outgoing
                && call.stage == Stage::Calling
                && sdp.is_some()
                && !call.early_answer);
        let theirs = call.asked.is_some() || call.awaited.is_some();
        let offers = !update || sdp.is_some();
        let status = match () {
            () if call.told || matches!(call.stage, Stage::Ending | Stage::Cancelling) => 481,
            () if offers && ours => 491,
            () if offers && theirs => 500,
            () if sdp.is_none() && !message.body().is_empty() => 415,
            () if too_brief(message) => 422,
            () => 100,
        };
        if status != 100 {
            let wait = self.tokens.below(10);
            let Some(call) = self.calls.get(&id) else { return };
            let mut response = self.call_response(call, message, status);
            if status == 500 {
                response.push(Name::RetryAfter, wait);
            }
            if status == 422 {
                dress_too_brief(&mut response);
            }
            self.respond(&key, &response, now);
            return;
        }
        call.learn(message);
        if let Some(dialog) = call.dialog_of(message) {
            dialog.refresh(message);
        }
        let news = call.identify(message);
        if sdp.is_some() {
            call.heard.clone_from(&sdp);
        }
        if offers {
            call.asked = Some(Asked { key, message: message.clone() });
            self.event(Event::Offer { call: id, sdp });
        } else if let Some(call) = self.calls.get(&id) {
            let mut response = self.call_response(call, message, 200);
            self.agree(id, message, &mut response, now);
            self.respond(&key, &response, now);
        }
        if let Some(remote) = news {
            self.event(Event::RemoteIdentity { call: id, remote });
        }
        self.hear_kind(id, message);
    }

    /// Tells what a message says about the kind of call, when it is news.
    pub(super) fn hear_kind(&mut self, id: SipCall, message: &Message) {
        let cucm = self.is_cucm();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(info) = call.kind(message, cucm).filter(|_| !call.told) {
            self.event(Event::CallInfo { call: id, info });
        }
    }

    pub(super) fn send_acceptance(&mut self, id: SipCall, sdp: String, now: Instant) {
        let Some(asked) = self.take_question(id) else { return };
        if asked.message.method() == Some(&Method::Invite) {
            self.accept(id, asked, sdp, false, now);
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.said = Some(sdp.clone());
        let Some(call) = self.calls.get(&id) else { return };
        let mut response = self.call_response(call, &asked.message, 200);
        self.agree(id, &asked.message, &mut response, now);
        response.body("application/sdp", sdp);
        self.respond(&asked.key, &response, now);
        self.next_offer(id, now);
    }

    pub(super) fn send_refusal(&mut self, id: SipCall, status: u16, now: Instant) {
        let Some(asked) = self.take_question(id) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        let response = self.call_response(call, &asked.message, status);
        self.respond(&asked.key, &response, now);
        self.next_offer(id, now);
    }

    fn take_question(&mut self, id: SipCall) -> Option<Asked> {
        let call = self.calls.get_mut(&id)?;
        match call.stage {
            Stage::Confirmed | Stage::Accepted | Stage::Calling => call.asked.take(),
            Stage::Ringing | Stage::Cancelling | Stage::Ending => None,
        }
    }

    /// Tells the other sides of calls that are up where we are now, after a change of flow: by
    /// UPDATE, else by the same offer once more. On another address (`elsewhere`) that offer would be
    /// wrong; a new one comes from whoever has the sound.
    pub(super) fn tell_new_contact(&mut self, flow: FlowId, elsewhere: bool, now: Instant) {
        let moved: Vec<SipCall> = self
            .calls
            .iter()
            .filter(|(_, call)| call.stage == Stage::Confirmed && call.flow != Some(flow))
            .map(|(id, _)| *id)
            .collect();
        for id in moved {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            call.flow = Some(flow);
            if call.updates {
                self.send_update(id, Purpose::Refresh(id), None, now);
                continue;
            }
            let busy = call.offer.is_some() || call.asked.is_some() || call.awaited.is_some();
            if let Some(sdp) = call.said.clone().filter(|_| !elsewhere && !busy) {
                call.offer = Some(OurOffer { sdp, retry_at: None, quiet: true });
                self.send_offer(id, now);
            }
        }
    }
}
