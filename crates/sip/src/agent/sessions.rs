//! Session timers (RFC 4028): a session that nobody refreshes ends by itself.

use std::time::{Duration, Instant};

use super::call::{Call, OurOffer, Stage};
use super::{By, Context, End, Purpose, SipCall, UserAgent};
use crate::message::text::{Params, capped_number};
use crate::message::{Message, Method, Name, Request, Response};
use crate::transaction::Delivered;

/// What we ask for, in seconds (RFC 4028 section 4 recommends it).
const WANTED: u32 = 1800;
/// The least we take, in seconds (RFC 4028 section 5).
const LEAST: u32 = 90;
/// Most attempts after 422.
const MAX_ROUNDS: u8 = 3;
/// How long a refresh waits for another change that is under way.
const SOON: Duration = Duration::from_secs(5);

/// How a session is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionTimer {
    /// Agreed interval in seconds; 0 while none is.
    interval: u32,
    /// We refresh.
    ours: bool,
    /// What we ask for, and the least that we were told.
    wanted: u32,
    least: u32,
    rounds: u8,
    /// When we refresh, or look again.
    pub at: Option<Instant>,
    /// When the session ends.
    ends: Option<Instant>,
}

impl Default for SessionTimer {
    fn default() -> Self {
        Self {
            interval: 0,
            ours: false,
            wanted: WANTED,
            least: LEAST,
            rounds: 0,
            at: None,
            ends: None,
        }
    }
}

impl SessionTimer {
    /// Begins to run anew. Who does not refresh waits a third of the interval, at most 32 s,
    /// less than the whole (RFC 4028 section 10).
    fn run(&mut self, interval: u32, ours: bool, now: Instant) {
        let whole = Duration::from_secs(u64::from(interval));
        let margin = (whole / 3).min(Duration::from_secs(32));
        (self.interval, self.ours, self.rounds) = (interval, ours, 0);
        let ends = now + if ours { whole } else { whole - margin };
        self.ends = Some(ends);
        self.at = Some(if ours { now + whole / 2 } else { ends });
    }

    fn off(&mut self) {
        (self.interval, self.at, self.ends) = (0, None, None);
    }

    /// Took a 422: asks for more. False when that was often enough.
    fn raise(&mut self, message: &Message) -> bool {
        let told = message.number(Name::MinSe).unwrap_or(self.least);
        self.least = self.least.max(told);
        self.wanted = self.wanted.max(self.least);
        self.interval = if self.interval == 0 { 0 } else { self.interval.max(self.least) };
        self.rounds += 1;
        self.rounds <= MAX_ROUNDS
    }
}

/// Session-Expires: seconds, and whether the client of the transaction refreshes, where it is
/// said.
fn session_expires(message: &Message) -> Option<(u32, Option<bool>)> {
    let value = message.header(Name::SessionExpires)?;
    let (seconds, params) = value.split_at(value.find(';').unwrap_or(value.len()));
    let refresher = Params::new(params).get("refresher").map(str::to_ascii_lowercase);
    let client = match refresher.as_deref() {
        Some("uac") => Some(true),
        Some("uas") => Some(false),
        _ => None,
    };
    Some((capped_number(seconds)?, client))
}

/// Whether a request wants a session shorter than we take, from somebody who can be told so.
pub(super) fn too_brief(message: &Message) -> bool {
    session_expires(message).is_some_and(|(seconds, _)| seconds < LEAST)
        && message.lists(Name::Supported, "timer")
}

/// The headers of a 422.
pub(super) fn dress_too_brief(response: &mut Response) {
    response.push(Name::MinSe, LEAST);
}

impl UserAgent {
    /// What INVITE and UPDATE of ours ask for. The first INVITE to Communications Manager leaves
    /// it to that, as the vendor's client does (reference sip-dialect.md section 3).
    pub(super) fn dress_timer(&self, request: &mut Request, call: &Call) {
        let timer = &call.timer;
        if call.dialog.is_none() && self.is_cucm() {
            return;
        }
        if timer.interval > 0 {
            let refresher = if timer.ours { "uac" } else { "uas" };
            let value = format!("{};refresher={refresher}", timer.interval);
            request.push(Name::SessionExpires, value);
        } else {
            request.push(Name::SessionExpires, timer.wanted);
        }
        if timer.least > LEAST {
            request.push(Name::MinSe, timer.least);
        }
    }

    /// A 2xx to INVITE or UPDATE of ours came.
    pub(super) fn agreed(&mut self, id: SipCall, message: &Message, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match session_expires(message).filter(|(seconds, _)| *seconds > 0) {
            // Who is told nothing refreshes itself.
            Some((seconds, client)) => {
                call.timer.run(seconds.max(LEAST), client.unwrap_or(true), now)
            }
            None => call.timer.off(),
        }
    }

    /// Completes a 2xx of ours to INVITE or UPDATE (RFC 4028 section 9).
    pub(super) fn agree(
        &mut self,
        id: SipCall,
        request: &Message,
        response: &mut Response,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let able = request.lists(Name::Supported, "timer");
        let asked = session_expires(request).filter(|(seconds, _)| *seconds >= LEAST);
        let (seconds, client) = match asked {
            Some((seconds, client)) => (seconds, client.unwrap_or(able)),
            // They say nothing of it, so we go on refreshing if we did.
            None if call.timer.interval > 0 && call.timer.ours => (call.timer.interval, false),
            None => return call.timer.off(),
        };
        let refresher = if client { "uac" } else { "uas" };
        response.push(Name::SessionExpires, format_args!("{seconds};refresher={refresher}"));
        if client {
            response.push(Name::Require, "timer");
        }
        call.timer.run(seconds, !client, now);
    }

    /// The first INVITE met a 422: it goes out again and asks for more. False when it does not.
    pub(super) fn invite_again(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage == Stage::Calling) else {
            return false;
        };
        if !call.timer.raise(message) {
            return false;
        }
        let (wanted, least) = (call.timer.wanted, call.timer.least);
        let mut request = delivered.request.clone();
        request.cseq += 1;
        request.set(Name::SessionExpires, wanted);
        request.set(Name::MinSe, least);
        let key = self.send(request, Context::of(Purpose::Invite(id)), now);
        if let Some(call) = self.calls.get_mut(&id) {
            call.invite = key;
            call.early.clear();
        }
        true
    }

    /// A re-INVITE met a 422: whether it is to be sent again at once.
    pub(super) fn offer_again(&mut self, id: SipCall, message: &Message, now: Instant) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let again = call.timer.raise(message);
        if let Some(offer) = call.offer.as_mut().filter(|_| again) {
            offer.retry_at = Some(now);
        }
        again
    }

    pub(super) fn sessions_timeout(&mut self, now: Instant) {
        let due = |call: &Call| call.timer.at.is_some_and(|at| at <= now);
        let ids: Vec<SipCall> =
            self.calls.iter().filter(|(_, call)| due(call)).map(|(id, _)| *id).collect();
        for id in ids {
            self.session_due(id, now);
        }
    }

    fn session_due(&mut self, id: SipCall, now: Instant) {
        let there = self.flow.is_some();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let over = call.timer.ends.is_some_and(|ends| ends <= now);
        match call.stage {
            // Without a way to the server nothing can be refreshed, and people go on talking;
            // once there is one the next change of the session agrees anew.
            Stage::Confirmed if !there => call.timer.off(),
            Stage::Confirmed if over => {
                call.reason = Some("SIP;cause=408;text=\"Session timer expired\"");
                let text = "the other side did not say that it is still there";
                self.ended(id, End::new(By::Network, None, text));
                self.send_bye(id, now);
            }
            Stage::Confirmed => self.refresh_session(id, now),
            Stage::Accepted => call.timer.at = Some(now + SOON),
            Stage::Calling | Stage::Cancelling | Stage::Ringing | Stage::Ending => {
                call.timer.off();
            }
        }
    }

    /// Refreshes by UPDATE where the other side takes it, else by re-INVITE (RFC 4028 section 7.4).
    fn refresh_session(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(ends) = call.timer.ends else { return };
        let busy = call.offer.is_some() || call.asked.is_some() || call.awaited.is_some();
        // If nothing comes of it there is time for more attempts.
        let half = ends.saturating_duration_since(now) / 2;
        call.timer.at = Some(ends.min(now + if busy { SOON } else { half.max(SOON) }));
        if busy {
            return;
        }
        if call.updates {
            self.send_update(id, Purpose::Refresh(id), None, now);
        } else if let Some(sdp) = call.said.clone() {
            call.offer = Some(OurOffer { sdp, retry_at: None, quiet: true });
            self.send_offer(id, now);
        }
    }

    /// UPDATE in the dialog that is there.
    pub(super) fn send_update(
        &mut self,
        id: SipCall,
        purpose: Purpose,
        sdp: Option<String>,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let early = call.early.first_mut().map(|(dialog, _)| dialog);
        let Some(dialog) = call.dialog.as_mut().or(early) else { return };
        let mut request = dialog.request(Method::Update);
        if let Some(call) = self.calls.get(&id) {
            self.dress_offer(&mut request, call);
        }
        if let Some(sdp) = sdp {
            request.body("application/sdp", sdp);
        }
        self.send(request, Context::of(purpose), now);
    }

    /// No answer to an UPDATE without offer.
    pub(super) fn refresh_unanswered(&mut self, id: SipCall, now: Instant) {
        let kept = |call: &&Call| call.is_up() && call.timer.ours && call.timer.interval > 0;
        if self.calls.get(&id).filter(kept).is_some() {
            self.reinvite_unanswered(id, 408, now);
        }
    }

    /// The answer to an UPDATE without offer: a refresh, or our new Contact.
    pub(super) fn refreshed(&mut self, id: SipCall, message: &Message, now: Instant) {
        let status = message.status().unwrap_or(100);
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage == Stage::Confirmed)
        else {
            return;
        };
        call.learn(message);
        match status {
            100..=199 => {}
            200..=299 => {
                if let Some(dialog) = &mut call.dialog {
                    dialog.refresh(message);
                }
                self.agreed(id, message, now);
            }
            422 if call.timer.raise(message) => {
                self.send_update(id, Purpose::Refresh(id), None, now);
            }
            // RFC 4028 section 10: who does not know the session any more has left it.
            408 | 481 if call.timer.ours && call.timer.interval > 0 => {
                self.reinvite_unanswered(id, status, now);
            }
            405 | 501 => {
                call.updates = false;
                call.timer.at = call.timer.at.map(|_| now);
            }
            _ => {}
        }
    }
}
