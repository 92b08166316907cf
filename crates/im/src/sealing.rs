//! Where encryption between the clients (XEP-0384) takes hold of what goes out and comes in.

use offhook_model::{Jid, Protection};
use xmpp_parsers::message::Message as Wire;

use crate::Im;

/// What became of a message that is to go out.
pub(crate) enum Sealed {
    /// It goes out in clear.
    Plain(Wire),
    /// It goes out encrypted.
    Ready(Wire),
    /// It cannot go out yet, nor can what was written after it to the same person, until
    /// [`Im::unhold`]. The conversation's row says
    /// why.
    Waiting,
    /// It fails. Why, in words, with the remedy.
    Refused(String),
}

/// What became of a message that came.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(crate) enum Unsealed {
    /// It was in clear, or is now, and was protected so.
    Open(Wire, Protection),
    /// It holds nothing for people.
    Nothing,
}

impl Im {
    /// Called for each message, correction, set of reactions and retraction before it goes out, each
    /// time it does: its address, id and type are set.
    pub(crate) fn seal(&mut self, with: &Jid, wire: Wire) -> Sealed {
        self.seal_message(with, wire)
    }

    /// Called for each message that came, directly, as a copy of another device's (XEP-0280), or from
    /// an archive: `from` and `to` are proven as far as the servers prove them.
    pub(crate) fn unseal(&mut self, wire: Wire) -> Unsealed {
        self.unseal_message(wire)
    }

    /// What waited in this conversation can go.
    pub(crate) fn unhold(&mut self, with: &Jid) {
        self.outbox.release(with);
        self.flush();
    }
}
