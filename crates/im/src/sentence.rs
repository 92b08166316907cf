//! Why a message came back, in words a person understands.

use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

/// Longest piece of a server's own text that is shown, in characters.
const QUOTE: usize = 200;

/// Shown when the error itself cannot be read.
pub(crate) const UNREADABLE: &str = "The message came back without a readable reason.";

/// Shown when too many messages wait already.
pub(crate) const FULL: &str =
    "Too many messages wait for a connection. Try again when you are online.";

/// Shown when the address cannot be written to.
pub(crate) const ADDRESS: &str = "This address cannot be written to. Check its spelling.";

/// Shown at a received message that was longer than what is kept.
pub(crate) const CUT: &str =
    "The message was longer than 65,536 characters; what came after them was not kept.";

/// Before the reason why a correction, reaction or retraction did not arrive.
pub(crate) const CHANGE: &str = "The others do not see the last change of this message.";

/// Somebody wanted to change a message that is not theirs.
pub(crate) const FORGED: &str = "Somebody tried to change or take back a message that another person wrote, or pretended to be another device of yours. Nothing of it was shown.";

/// Somebody sent a change of the contact list.
pub(crate) const FORGED_CONTACTS: &str = "Somebody who is not your server tried to change your contact list or the list of those you block. Nothing was changed.";

/// Somebody sent messages as an archive does.
pub(crate) const FORGED_HISTORY: &str = "Somebody tried to put messages into your history as if they came from an archive. Nothing of it was shown.";

/// Somebody sent changes of what the account keeps at the server.
pub(crate) const FORGED_ACCOUNT: &str = "Somebody tried to change what your account keeps at its server, such as your list of rooms. Nothing was changed.";

/// What to do about it.
pub(crate) const FORGED_REMEDY: &str =
    "You need not do anything. If it happens again, block the person or tell your administrator.";

/// Shown when the program ended before a file was where its message could name it.
pub(crate) const FILE: &str = "The program ended before the file was sent. Send it again.";

/// What to say of failures that last.
const NO_USE: &str = "Trying again does not help.";

/// What to say of failures that pass.
const LATER: &str = "Try again later.";

/// The sentence for a returned message, and whether trying again helps.
pub(crate) fn bounced(error: &StanzaError) -> String {
    let (sentence, again) = match &error.defined_condition {
        DefinedCondition::ServiceUnavailable | DefinedCondition::RecipientUnavailable => (
            "The person is not signed in, or does not exist, and the server does not keep messages for later.",
            "Try again when they are there.",
        ),
        DefinedCondition::ItemNotFound | DefinedCondition::Gone { .. } => {
            ("There is nobody with this address.", NO_USE)
        }
        DefinedCondition::JidMalformed => (ADDRESS, NO_USE),
        DefinedCondition::RemoteServerNotFound => (
            "The chat server of this person's domain could not be found.",
            "Check the address; if it is right, try again later.",
        ),
        DefinedCondition::RemoteServerTimeout => {
            ("The chat server of this person's domain did not answer.", LATER)
        }
        DefinedCondition::Forbidden
        | DefinedCondition::NotAllowed
        | DefinedCondition::NotAuthorized
        | DefinedCondition::SubscriptionRequired
        | DefinedCondition::RegistrationRequired => (
            "You may not write to this person. Ask your administrator if you think you should.",
            NO_USE,
        ),
        DefinedCondition::NotAcceptable => ("The person does not accept your messages.", NO_USE),
        DefinedCondition::PolicyViolation => {
            ("The server's rules do not allow this message.", NO_USE)
        }
        DefinedCondition::ResourceConstraint => ("The server is too busy.", LATER),
        // The library's list, not ours; what is left says nothing a person could act on but whether
        // the server takes it for lasting.
        _ if error.type_ == ErrorType::Wait => ("The server could not deliver the message.", LATER),
        _ => ("The server could not deliver the message.", "Trying again will hardly help."),
    };
    with_quote(&format!("{sentence} {again}"), error)
}

/// A sentence, and what the server itself says.
pub(crate) fn with_quote(sentence: &str, error: &StanzaError) -> String {
    match error.texts.values().find(|text| !text.trim().is_empty()) {
        Some(text) => {
            let quote: String = text.trim().chars().take(QUOTE).collect();
            format!("{sentence} The server says: \u{201c}{quote}\u{201d}")
        }
        None => sentence.to_owned(),
    }
}
