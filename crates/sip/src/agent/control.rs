//! What the call manager tells and asks outside of calls (reference sip-dialect.md section 6).
//! Believed is only what comes over the flow we are registered on; a service-control body must
//! name the Call-ID of our REGISTER as well.

use std::time::Instant;

use super::call::Stage;
use super::{Control, Event, SipCall, UserAgent};
use crate::message::{Message, Name};
use crate::remote::{DialogId, Service, Wish, wishes};
use crate::transaction::ServerKey;

impl UserAgent {
    /// A REFER that carries what it refers to in itself (`cid:`). False when it is another one.
    pub(super) fn remote_control(
        &mut self,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) -> bool {
        if !self.is_remote_control(message) {
            return false;
        }
        if !self.is_registered() {
            self.answer_plainly(key, message, 403, now);
            return true;
        }
        self.answer_plainly(key, message, 202, now);
        for wish in wishes(message) {
            self.carry_out(wish);
        }
        true
    }

    /// NOTIFY outside of a call.
    pub(super) fn notify(&mut self, key: &ServerKey, message: &Message, now: Instant) {
        if self.notify_of_ours(key, message, now) {
            return;
        }
        let event = message.header(Name::Event).unwrap_or("");
        let event = event.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match event.as_str() {
            "service-control" if self.is_cucm() => self.service_control(key, message, now),
            "message-summary" => {
                self.answer_plainly(key, message, 200, now);
                if self.is_registered() {
                    wishes(message).into_iter().for_each(|wish| self.lamp(wish));
                }
            }
            // Old phones restart for it; from a call manager only, whose flow this is.
            "check-sync" if self.is_cucm() && self.is_registered() => {
                self.answer_plainly(key, message, 200, now);
                self.event(Event::Control(Control::Restart { reset: true }));
            }
            "refer" => {
                let known = self.heard_of_transfer(message, now) || self.is_cucm();
                self.answer_plainly(key, message, if known { 200 } else { 481 }, now);
            }
            "check-sync" => self.answer_plainly(key, message, 200, now),
            "dialog" | "presence" if self.is_cucm() && self.is_registered() => {
                self.answer_plainly(key, message, 200, now);
                self.unasked(message);
            }
            _ if self.is_cucm() => self.answer_plainly(key, message, 200, now),
            _ => self.answer_plainly(key, message, 489, now),
        }
    }

    fn service_control(&mut self, key: &ServerKey, message: &Message, now: Instant) {
        let wishes = wishes(message);
        let proven = self.is_registered()
            && wishes.iter().all(|wish| match wish {
                Wish::Service(service) => {
                    service.register_call_id.as_deref() == Some(self.registration.call_id())
                }
                _ => true,
            });
        self.answer_plainly(key, message, if proven { 200 } else { 400 }, now);
        if proven {
            wishes.into_iter().for_each(|wish| self.carry_out(wish));
        }
    }

    fn carry_out(&mut self, wish: Wish) {
        let control = match wish {
            Wish::Forward(to) => Control::Forward(to),
            Wish::DoNotDisturb(how) => Control::DoNotDisturb(how),
            Wish::Tone(name) => Control::Tone(name),
            Wish::Status { text, seconds } => Control::Status { text, seconds },
            Wish::Answer(id) => match self.ringing(&id) {
                Some(call) => Control::Answer(call),
                None => return,
            },
            Wish::Dial(text) => match text.parse() {
                Ok(to) => Control::Dial(to),
                Err(_) => return,
            },
            Wish::Service(service) => match self.serve(&service) {
                Some(control) => control,
                None => return,
            },
            Wish::Messages(_) => return self.lamp(wish),
            Wish::Response { .. } | Wish::Feature { .. } | Wish::Taken => return,
        };
        self.event(Event::Control(control));
    }

    fn lamp(&mut self, wish: Wish) {
        if let Wish::Messages(messages) = wish {
            self.event(Event::MessageWaiting(messages));
        }
    }

    /// An action that is not known is taken for one that changes the device file when its stamp is
    /// another one [I].
    fn serve(&self, service: &Service) -> Option<Control> {
        // The part of a REFER need not name our Call-ID; where it does, it must be right.
        let ours = self.registration.call_id();
        if service.register_call_id.as_deref().is_some_and(|id| !id.is_empty() && id != ours) {
            return None;
        }
        match service.action.as_str() {
            "restart" => Some(Control::Restart { reset: false }),
            "reset" => Some(Control::Restart { reset: true }),
            "apply-config" => Some(Control::Outdated),
            _ => {
                let news = service.is_news(self.account.upkeep.version_stamp.as_deref());
                news.then_some(Control::Outdated)
            }
        }
    }

    /// The call that rings in this dialog. The tags are named from our side; some name them from
    /// theirs [I].
    fn ringing(&self, id: &DialogId) -> Option<SipCall> {
        let fits = |tag: &str, ours: &str| tag.is_empty() || tag == ours;
        let mut calls = self.calls.iter().filter(|(_, call)| call.stage == Stage::Ringing);
        let found = calls.find(|(_, call)| {
            call.dialog.as_ref().is_some_and(|dialog| {
                let (a, b) = (&dialog.local_tag, &dialog.remote_tag);
                dialog.call_id == id.call_id
                    && ((fits(&id.local_tag, a) && fits(&id.remote_tag, b))
                        || (fits(&id.local_tag, b) && fits(&id.remote_tag, a)))
            })
        });
        found.map(|(call, _)| *call)
    }
}
