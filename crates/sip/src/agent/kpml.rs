//! Keys that the other side wants to be told of (RFC 4730): Communications Manager collects the
//! digits of an outside number that way (reference sip-dialect.md section 3).
//!
//! Every key is told as it is pressed. Patterns of several keys are not matched: the server that
//! is known to ask asks for single ones.

use std::time::{Duration, Instant};

use super::{Context, Purpose, SipCall, UserAgent};
use crate::message::{Message, Method, Name};
use crate::transaction::ServerKey;
use crate::xml;

/// Longest subscription, in seconds.
const LONGEST: u32 = 7200;
const REQUEST: &str = "application/kpml-request+xml";
const RESPONSE: &str = "application/kpml-response+xml";

/// What they want to be told.
#[derive(Debug)]
pub(super) struct Keys {
    /// Value of Event in what is told.
    event: String,
    /// Their tag in the dialog it was asked in.
    remote_tag: String,
    wanted: Wanted,
    /// Told once and not asked again since.
    spent: bool,
    pub until: Instant,
}

/// A request document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Name of the pattern.
    tag: String,
    once: Once,
}

/// How often is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Once {
    /// `one-shot`: the subscription ends with the first.
    #[default]
    Ends,
    /// `single-notify`: it goes on, and waits to be asked again.
    Waits,
    /// `persist`.
    Never,
}

impl UserAgent {
    /// SUBSCRIBE for `kpml` in a call.
    pub(super) fn asked_for_keys(
        &mut self,
        id: SipCall,
        key: &ServerKey,
        message: &Message,
        now: Instant,
    ) {
        let kind = message.content_type().unwrap_or_default();
        let document = (!message.body().is_empty()).then(|| request(message.body()));
        let seconds = message.number(Name::Expires).unwrap_or(LONGEST).min(LONGEST);
        let contact = self.contact();
        let Some(call) = self.calls.get(&id) else { return };
        if document.is_some() && kind != REQUEST {
            let mut response = self.call_response(call, message, 415);
            response.push(Name::Accept, REQUEST);
            return self.respond(key, &response, now);
        }
        let mut response = self.call_response(call, message, 200);
        response.push(Name::Contact, contact);
        response.push(Name::Expires, seconds);
        self.respond(key, &response, now);
        self.subscribe_keys(id, message, document, seconds, now);
    }

    fn subscribe_keys(
        &mut self,
        id: SipCall,
        message: &Message,
        document: Option<Option<Wanted>>,
        seconds: u32,
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let before = call.keys.take();
        let again = before.is_some();
        let broken = document == Some(None);
        let wanted = document.flatten().or(before.map(|keys| keys.wanted)).unwrap_or_default();
        call.keys = Some(Keys {
            event: message.header(Name::Event).unwrap_or("kpml").to_owned(),
            remote_tag: message.tag(Name::From).unwrap_or("").to_owned(),
            wanted,
            spent: false,
            until: now + Duration::from_secs(u64::from(seconds)),
        });
        match (broken, seconds) {
            (true, _) => self.end_keys(id, 501, "Bad Document", now),
            (false, 0) => self.end_keys(id, 487, "Subscription Exp", now),
            (false, _) => {
                // Whoever asks again without need is told that nothing was pressed.
                let nothing = again.then_some((423, "Timer Expired", ""));
                self.notify_keys(id, &format!("active;expires={seconds}"), nothing, now);
            }
        }
    }

    /// Whether the other side wants to be told keys as they are pressed.
    pub(super) fn keys_wanted(&self, id: SipCall) -> bool {
        self.calls.get(&id).and_then(|call| call.keys.as_ref()).is_some_and(|keys| !keys.spent)
    }

    /// Tells a key to who asked. False when nobody did.
    pub(super) fn tell_key(&mut self, id: SipCall, digit: char, now: Instant) -> bool {
        if !self.keys_wanted(id) {
            return false;
        }
        let Some(keys) = self.calls.get_mut(&id).and_then(|call| call.keys.as_mut()) else {
            return false;
        };
        keys.spent = keys.wanted.once != Once::Never;
        let ends = keys.wanted.once == Once::Ends;
        let left = keys.until.saturating_duration_since(now).as_secs();
        let state = if ends {
            "terminated;reason=noresource".to_owned()
        } else {
            format!("active;expires={left}")
        };
        let mut text = [0; 4];
        self.notify_keys(id, &state, Some((200, "OK", digit.encode_utf8(&mut text))), now);
        if ends && let Some(call) = self.calls.get_mut(&id) {
            call.keys = None;
        }
        true
    }

    fn end_keys(&mut self, id: SipCall, code: u16, text: &str, now: Instant) {
        self.notify_keys(id, "terminated;reason=timeout", Some((code, text, "")), now);
        if let Some(call) = self.calls.get_mut(&id) {
            call.keys = None;
        }
    }

    fn notify_keys(
        &mut self,
        id: SipCall,
        state: &str,
        told: Option<(u16, &str, &str)>,
        now: Instant,
    ) {
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(keys) = call.keys.take() else { return };
        let dialog = call.dialogs().find(|dialog| dialog.remote_tag == keys.remote_tag);
        let Some(mut request) = dialog.map(|dialog| dialog.request(Method::Notify)) else {
            return;
        };
        request.push(Name::Contact, contact);
        request.push(Name::Event, &keys.event);
        request.push(Name::SubscriptionState, state);
        if let Some((code, text, digits)) = told {
            request.body(RESPONSE, response(code, text, digits, &keys.wanted.tag));
        }
        call.keys = Some(keys);
        self.dress_plain(&mut request, self.calls.get(&id));
        self.send(request, Context::of(Purpose::Kpml(id)), now);
    }

    /// They do not want to be told any more.
    pub(super) fn keys_refused(&mut self, id: SipCall) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.keys = None;
        }
    }

    pub(super) fn kpml_timeout(&mut self, now: Instant) {
        let due = |keys: &Keys| keys.until <= now;
        let calls = self.calls.iter().filter(|(_, call)| call.keys.as_ref().is_some_and(due));
        for id in calls.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_keys(id, 423, "Timer Expired", now);
        }
    }
}

/// Reads a request document.
pub(crate) fn request(body: &[u8]) -> Option<Wanted> {
    let root = xml::parse(body).filter(|root| root.is("kpml-request"))?;
    let pattern = root.child("pattern")?;
    let tag = pattern.child("regex").and_then(|regex| regex.attribute("tag")).unwrap_or("");
    let once = match pattern.attribute("persist") {
        Some("persist") => Once::Never,
        Some("single-notify") => Once::Waits,
        _ => Once::Ends,
    };
    Some(Wanted { tag: tag.chars().filter(|c| !c.is_control()).take(64).collect(), once })
}

/// A response document (RFC 4730 section 5.3).
fn response(code: u16, text: &str, digits: &str, tag: &str) -> String {
    let tag = xml::escape(tag);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kpml-response \
         xmlns=\"urn:ietf:params:xml:ns:kpml-response\" version=\"1.0\" code=\"{code}\" \
         text=\"{text}\" suppressed=\"false\" forced_flush=\"false\" digits=\"{digits}\" \
         tag=\"{tag}\"/>\n"
    )
}
