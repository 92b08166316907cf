//! Carbons (XEP-0280): what our other devices receive and send.

use xmpp_parsers::carbons;
use xmpp_parsers::delay::Delay;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::ns;

use crate::{Im, Stanza, jid_from_wire};

/// A message and how it came here.
pub(crate) enum Unwrapped {
    /// To this device.
    Direct(Wire),
    /// To another device of ours.
    Received(Wire, Option<Delay>),
    /// From another device of ours.
    Sent(Wire, Option<Delay>),
}

impl Im {
    pub(crate) fn ask_copies(&mut self) {
        let id = self.ids.next();
        self.send(Stanza::Iq(Iq::from_set(id, carbons::Enable)));
    }

    /// Takes a copy out of its wrapping. `None` for a wrapping that does not come from our own
    /// account: somebody plays our other device (XEP-0280, security considerations). What is wrapped
    /// in a copy once more stays wrapped: nobody vouches for it.
    pub(crate) fn unwrap_copy(&mut self, message: Wire) -> Option<Unwrapped> {
        let Some(wrapping) = message
            .payloads
            .iter()
            .find(|p| p.is("received", ns::CARBONS) || p.is("sent", ns::CARBONS))
            .cloned()
        else {
            return Some(Unwrapped::Direct(message));
        };
        let from = message.from.as_ref().map(jid_from_wire);
        if from.is_some_and(|from| from.as_ref() != Some(&self.me)) {
            if let Some(from) = message.from.as_ref().and_then(jid_from_wire) {
                self.refused_change(&from.bare());
            }
            return None;
        }
        if wrapping.is("sent", ns::CARBONS) {
            let copy = carbons::Sent::try_from(wrapping).ok()?.forwarded;
            Some(Unwrapped::Sent(copy.message, copy.delay))
        } else {
            let copy = carbons::Received::try_from(wrapping).ok()?.forwarded;
            Some(Unwrapped::Received(copy.message, copy.delay))
        }
    }
}
