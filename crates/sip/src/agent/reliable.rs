//! Provisional responses that are sent until the caller has them (RFC 3262 section 3).

use std::time::{Duration, Instant};

use super::call::Stage;
use super::{By, End, Event, SipCall, UserAgent};
use crate::message::text::capped_number;
use crate::message::{Message, Name, Response};
use crate::transaction::{PATIENCE, ServerKey, T1};

/// A provisional response that was not acknowledged yet.
#[derive(Debug)]
pub(super) struct Reliable {
    number: u32,
    response: Response,
    /// It carries a session description, so no 2xx may overtake it.
    describes: bool,
    pub next: Instant,
    wait: Duration,
    until: Instant,
}

/// Provisional responses of a call of theirs.
#[derive(Debug, Default)]
pub(super) struct Provisionals {
    /// RSeq of the last one; 0 before the first.
    last: u32,
    pub open: Option<Reliable>,
    /// What waits for its turn: only one may be open (RFC 3262 section 3).
    queued: Vec<(u16, Option<String>)>,
    /// The answer that waits because a response with a description is open.
    answer: Option<String>,
}

impl UserAgent {
    /// Sends 180 or 183, reliably where the caller can take it so. A caller without offer is told
    /// unreliably, as the first reliable response would have to carry ours (RFC 3262 section 5);
    /// one who wants nothing unreliable hears nothing then.
    pub(super) fn send_provisional(
        &mut self,
        id: SipCall,
        status: u16,
        sdp: Option<String>,
        now: Instant,
    ) {
        let Some(call) = self.calls.get(&id).filter(|call| call.stage == Stage::Ringing) else {
            return;
        };
        let Some(asked) = &call.asked else { return };
        let required = asked.message.lists(Name::Require, "100rel");
        let offered = asked.message.sdp().is_some();
        let reliable = offered && (required || asked.message.lists(Name::Supported, "100rel"));
        let mut response = self.call_response(call, &asked.message, status);
        let key = asked.key.clone();
        let sdp = sdp.filter(|_| offered);
        if let Some(sdp) = &sdp {
            response.body("application/sdp", sdp.as_str());
        }
        match (reliable, required) {
            (true, _) => self.send_reliably(id, &key, (status, response, sdp), now),
            (false, false) => self.respond(&key, &response, now),
            (false, true) => {}
        }
    }

    fn send_reliably(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        (status, mut response, sdp): (u16, Response, Option<String>),
        now: Instant,
    ) {
        let first = u32::try_from(self.tokens.below(1 << 30)).unwrap_or(0) + 1;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let own = &mut call.provisionals;
        if own.open.is_some() {
            if own.queued.len() < 4 {
                own.queued.push((status, sdp));
            }
            return;
        }
        own.last = if own.last == 0 { first } else { own.last + 1 };
        response.push(Name::Require, "100rel");
        response.push(Name::RSeq, own.last);
        own.open = Some(Reliable {
            number: own.last,
            response: response.clone(),
            describes: sdp.is_some(),
            next: now + T1,
            wait: T1,
            until: now + PATIENCE,
        });
        self.respond(key, &response, now);
    }

    /// Whether the 2xx has to wait; then it goes out with the PRACK.
    pub(super) fn answer_waits(&mut self, id: SipCall, sdp: &str) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let own = &mut call.provisionals;
        own.queued.clear();
        if own.open.as_ref().is_some_and(|open| open.describes) {
            own.answer = Some(sdp.to_owned());
            return true;
        }
        own.open = None;
        false
    }

    /// A PRACK came.
    pub(super) fn acknowledged(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let invite = call.asked.as_ref().and_then(|asked| asked.message.cseq().ok());
        let number = invite.map(|cseq| cseq.number);
        let own = &mut call.provisionals;
        let known = own.open.as_ref().is_some_and(|open| {
            let mut words = message.header(Name::RAck).unwrap_or("").split_ascii_whitespace();
            words.next().and_then(capped_number) == Some(open.number)
                && words.next().and_then(capped_number) == number
                && words.next() == Some("INVITE")
        });
        // A PRACK may carry another offer; we have no use for one before the call is answered.
        let status = match (known, message.body().is_empty()) {
            (false, _) => 481,
            (true, false) => 488,
            (true, true) => 200,
        };
        if known {
            own.open = None;
        }
        let answer = own.answer.take_if(|_| known);
        let next = if known && !own.queued.is_empty() { Some(own.queued.remove(0)) } else { None };
        let Some(call) = self.calls.get(&id) else { return };
        let response = self.call_response(call, message, status);
        self.respond(key, &response, now);
        if let Some(sdp) = answer {
            self.send_answer(id, sdp, now);
        } else if let Some((status, sdp)) = next {
            self.send_provisional(id, status, sdp, now);
        }
    }

    /// Sends again what was not acknowledged; gives the call up after 32 s.
    pub(super) fn provisionals_timeout(&mut self, now: Instant) {
        let ids: Vec<SipCall> = self.calls.keys().copied().collect();
        for id in ids {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            let Some(open) = call.provisionals.open.as_mut().filter(|open| open.next <= now) else {
                continue;
            };
            if open.until <= now {
                self.give_up_ringing(id, now);
                continue;
            }
            open.wait *= 2;
            open.next = (now + open.wait).min(open.until);
            let response = open.response.clone();
            if let Some(key) = call.asked.as_ref().map(|asked| asked.key.clone()) {
                self.respond(&key, &response, now);
            }
        }
    }

    fn give_up_ringing(&mut self, id: SipCall, now: Instant) {
        if let Some(call) = self.calls.get_mut(&id)
            && let Some(asked) = call.asked.take()
            && let Some(call) = self.calls.get(&id)
        {
            let response = self.call_response(call, &asked.message, 504);
            self.respond(&asked.key, &response, now);
        }
        let text = "the caller did not acknowledge that it rings";
        self.ended(id, End::new(By::Network, None, text));
        self.calls.remove(&id);
    }

    /// The answer to an UPDATE of ours with an offer.
    pub(super) fn updated(&mut self, id: SipCall, message: &Message, now: Instant) {
        let status = message.status().unwrap_or(100);
        let wait = Duration::from_millis(2100 + 10 * self.tokens.below(190));
        let Some(call) = self.calls.get_mut(&id) else { return };
        match status {
            ..200 => {}
            200..=299 => {
                call.learn(message);
                let sent = call.offer.take().map(|offer| offer.sdp);
                call.said = sent.or(call.said.take());
                if !call.told {
                    self.event(Event::OfferAnswered { call: id, sdp: message.sdp() });
                }
                self.next_offer(id, now);
            }
            491 => {
                if let Some(offer) = &mut call.offer {
                    offer.retry_at = Some(now + wait);
                }
            }
            _ => self.update_refused(id, status, now),
        }
    }

    pub(super) fn update_refused(&mut self, id: SipCall, status: u16, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.offer.take().is_some() && !call.told {
            self.event(Event::OfferRefused { call: id, status });
            self.next_offer(id, now);
        }
    }
}
