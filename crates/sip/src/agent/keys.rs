//! Buttons of the call manager: a REFER that carries the press, 202, and NOTIFYs of which the last
//! tells what came of it (reference sip-dialect.md section 3).

use std::time::{Duration, Instant};

use super::{Context, Event, Purpose, SipCall, SoftKey, UserAgent};
use crate::cucm;
use crate::message::{Message, Method, Name, Request};
use crate::remote::{DialogId, Wish, wishes};
use crate::transaction::ServerKey;

/// How long the outcome may take after the press was accepted. Some call managers tell none for
/// what they have done [I], so silence then counts as done.
const OUTCOME_WITHIN: Duration = Duration::from_secs(10);
/// Most presses that wait at a time.
const MAX_PRESSES: usize = 16;

/// A press that waits for its outcome.
#[derive(Debug)]
pub(super) struct Press {
    id: u32,
    call: SipCall,
    key: SoftKey,
    call_id: String,
    tag: String,
    /// It was accepted, and counts as done at this time.
    accepted_until: Option<Instant>,
}

impl SoftKey {
    /// Its vendor name.
    fn name(self) -> &'static str {
        match self {
            Self::Conference(_) => "Conference",
            Self::Park => "Park",
            Self::Divert => "IDivert",
            Self::RemoveLast => "RmLastConf",
        }
    }
}

impl UserAgent {
    pub(super) fn press_key(&mut self, call: SipCall, key: SoftKey, now: Instant) {
        let refuse = |agent: &mut Self, status| {
            agent.event(Event::SoftKey { call, key, outcome: Err((status, String::new())) });
        };
        if !self.is_cucm() {
            return refuse(self, 501);
        }
        if !self.is_registered() || self.presses.len() >= MAX_PRESSES {
            return refuse(self, 503);
        }
        let other = match key {
            SoftKey::Conference(other) => Some(other),
            SoftKey::Park | SoftKey::Divert | SoftKey::RemoveLast => None,
        };
        let Some(dialog) = self.dialog_id(call) else { return refuse(self, 481) };
        let consult = match other.map(|other| self.dialog_id(other)) {
            Some(None) => return refuse(self, 481),
            Some(Some(id)) => Some(id),
            None => None,
        };
        let id = self.watching.next_id();
        let (call_id, tag) = (self.tokens.long(), self.tokens.tag());
        let body = cucm::soft_key(key.name(), &dialog, consult.as_ref());
        let request = self.key_request(&call_id, &tag, body);
        self.presses.push(Press { id, call, key, call_id, tag, accepted_until: None });
        self.send(request, Context::of(Purpose::Press(id)), now);
    }

    fn key_request(&self, call_id: &str, tag: &str, body: String) -> Request {
        let uri = format!("sip:{}", self.domain());
        let mut request = Request::new(Method::Refer, uri, 101);
        request.push(Name::MaxForwards, 70);
        for route in self.way() {
            request.push(Name::Route, route);
        }
        request.push(Name::From, format_args!("{};tag={tag}", self.own_address()));
        request.push(Name::To, format_args!("<{}>", self.own_uri()));
        request.push(Name::CallId, call_id);
        request.push(Name::Contact, self.contact());
        request.push(Name::ReferTo, format_args!("<cid:{tag}@offhook>"));
        request.push(Name::ReferredBy, format_args!("<{}>", self.own_uri()));
        request.push(Name::ContentId, format_args!("<{tag}@offhook>"));
        request.push(Name::Expires, OUTCOME_WITHIN.as_secs());
        request.push(Name::UserAgent, &self.product);
        request.body("application/x-cisco-remotecc-request+xml", body);
        request
    }

    /// The call as its call manager names it, from our side.
    fn dialog_id(&self, call: SipCall) -> Option<DialogId> {
        let dialog = self.calls.get(&call)?.dialog.as_ref()?;
        Some(DialogId {
            call_id: dialog.call_id.clone(),
            local_tag: dialog.local_tag.clone(),
            remote_tag: dialog.remote_tag.clone(),
        })
    }

    /// The answer to the REFER.
    pub(super) fn press_response(&mut self, id: u32, status: u16, text: &str, now: Instant) {
        match status {
            0..=199 => {}
            200..=299 => {
                if let Some(press) = self.presses.iter_mut().find(|press| press.id == id) {
                    press.accepted_until = Some(now + OUTCOME_WITHIN);
                }
            }
            _ => self.pressed(id, Err((status, text.to_owned()))),
        }
    }

    /// NOTIFY of a REFER of ours. False when it is none.
    pub(super) fn notify_of_press(
        &mut self,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) -> bool {
        let ours = |press: &&Press| {
            message.header(Name::CallId) == Some(&press.call_id)
                && message.tag(Name::To) == Some(&press.tag)
        };
        let Some(id) = self.presses.iter().find(ours).map(|press| press.id) else { return false };
        self.answer_plainly(key, message, 200, now);
        let response = wishes(message).into_iter().find_map(|wish| match wish {
            Wish::Response { code, text } => Some((code, text)),
            _ => None,
        });
        let state = message.header(Name::SubscriptionState).unwrap_or("").to_ascii_lowercase();
        match response {
            Some((code, _)) if (200..300).contains(&code) => self.pressed(id, Ok(())),
            Some((code, text)) => self.pressed(id, Err((code, text))),
            None if state.trim_start().starts_with("terminated") => self.pressed(id, Ok(())),
            None => {}
        }
        true
    }

    fn pressed(&mut self, id: u32, outcome: Result<(), (u16, String)>) {
        let Some(at) = self.presses.iter().position(|press| press.id == id) else { return };
        let Press { call, key, .. } = self.presses.remove(at);
        self.event(Event::SoftKey { call, key, outcome });
    }

    pub(super) fn keys_timeout(&self) -> Option<Instant> {
        self.presses.iter().filter_map(|press| press.accepted_until).min()
    }

    pub(super) fn expire_presses(&mut self, now: Instant) {
        let due = |press: &&Press| press.accepted_until.is_some_and(|until| until <= now);
        let ids: Vec<u32> = self.presses.iter().filter(due).map(|press| press.id).collect();
        ids.into_iter().for_each(|id| self.pressed(id, Ok(())));
    }
}
