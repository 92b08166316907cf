//! Do not disturb, told to the call manager: PUBLISH with presence whose activities say `dnd` or
//! `available` (RFC 3903, 3863; the form is the one of the vendor's phones, seen in public patches
//! that play the server for them). Which of the two kinds it is cannot be told this way.

use std::time::Instant;

use super::{Context, Event, Purpose, UserAgent};
use crate::message::{Name, Request};
use crate::xml::escape;

/// How long the server is asked to keep it, in seconds. It is not refreshed: a call manager keeps
/// the setting until it changes [I].
const EXPIRES: u64 = 3600;

impl UserAgent {
    /// Tells the call manager whether its user may be disturbed; [`Event::DoNotDisturbTold`] says
    /// what came of it. A registrar that is no call manager is not told.
    pub fn publish_do_not_disturb(&mut self, on: bool, now: Instant) {
        if !self.is_cucm() || !self.is_registered() {
            return self.event(Event::DoNotDisturbTold { outcome: Err((503, String::new())) });
        }
        let request = self.with_activity(if on { "dnd" } else { "available" });
        self.send(request, Context::of(Purpose::DoNotDisturb), now);
        self.flush();
    }

    fn with_activity(&mut self, activity: &str) -> Request {
        let (call_id, tag) = (self.tokens.long(), self.tokens.tag());
        let mut request = self.publish_request((&call_id, &tag, 101), EXPIRES);
        request.push(Name::Contact, self.contact());
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{}\" \
             xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
             xmlns:e=\"urn:ietf:params:xml:ns:pidf:rpid\" \
             xmlns:ce=\"urn:cisco:params:xml:ns:pidf:rpid\"><tuple id=\"1\"><status><basic>open\
             </basic></status></tuple><dm:person><e:activities><ce:{activity}/></e:activities>\
             </dm:person></presence>\n",
            escape(&self.own_uri())
        );
        request.body("application/pidf+xml", body);
        request
    }

    /// The PUBLISH was answered, or not at all.
    pub(super) fn do_not_disturb_answered(&mut self, status: u16, text: &str) {
        let outcome = match status {
            0..=199 => return,
            200..=299 => Ok(()),
            _ => Err((status, text.to_owned())),
        };
        self.event(Event::DoNotDisturbTold { outcome });
    }
}
