//! Why a room does not have us or does not do what we ask, in words.

use xmpp_parsers::stanza_error::{DefinedCondition as Condition, StanzaError};

pub(super) const NO_CONNECTION: &str = "Chat is not connected at this moment.";
pub(super) const HIDDEN: &str = "You are hidden, so the room does not have you.";
pub(super) const NO_ANSWER: &str =
    "The room did not answer. Its server may be away; try again later.";
pub(super) const MISSING: &str =
    "There is no such room. It may have been closed, or its address is misspelt.";
pub(super) const CONFLICT: &str =
    "The nickname is taken, and the next one, too. Enter with another nickname.";
pub(super) const NO_ROOM: &str = "This room is not known.";
pub(super) const NOT_IN: &str = "We are not in this room.";
pub(super) const TOO_MANY: &str = "Too many rooms are known. Take a bookmark away first.";
pub(super) const PERSISTENT: &str = "Persistent rooms are switched off by your administrator.";
pub(super) const NO_SERVICE: &str = "The server offers no group chat.";
/// Between a nickname and the one of somebody else that it could be taken for.
pub(super) const LOOKS_LIKE: &str = "looks like";
/// Of a room's messages (planning guide, Client-to-Client Encryption: not for group chats).
pub(crate) const PLAIN: &str =
    "Group chats are never encrypted from client to client: the server can read them.";
/// To somebody who writes to us alone inside a room.
pub(super) const PRIVATE: &str =
    "Private messages inside a room are not built. Write to the person directly.";

/// Why we were not let in (XEP-0045 section 7.2).
pub(super) fn not_let_in(error: &StanzaError) -> String {
    match &error.defined_condition {
        Condition::NotAuthorized => "The room wants a password, or another one.".into(),
        Condition::RegistrationRequired => {
            "The room is for members only. Ask one of its owners to make you a member.".into()
        }
        Condition::Forbidden => "You are shut out of this room. Ask one of its owners.".into(),
        Condition::Conflict => CONFLICT.into(),
        Condition::ServiceUnavailable | Condition::ResourceConstraint => {
            "The room is full. Try again when somebody has left.".into()
        }
        Condition::ItemNotFound => MISSING.into(),
        Condition::NotAllowed => {
            "There is no such room, and you may not make one. Ask your administrator.".into()
        }
        Condition::NotAcceptable => {
            "The room gives nicknames itself and does not take ours. Enter with the nickname it keeps for you.".into()
        }
        Condition::JidMalformed => "The room does not take this nickname. Choose another one.".into(),
        Condition::Gone { new_address } => moved(new_address.as_deref()),
        Condition::RemoteServerNotFound => "The server of this room could not be found.".into(),
        Condition::RemoteServerTimeout => NO_ANSWER.into(),
        // The library's list, not ours; what is left says nothing a person could act on.
        _ => "The room did not let you in.".into(),
    }
}

/// Whether entering again later may help without anybody doing anything.
pub(super) fn may_pass(error: &StanzaError) -> bool {
    matches!(
        error.defined_condition,
        Condition::RemoteServerTimeout
            | Condition::InternalServerError
            | Condition::RecipientUnavailable
    )
}

/// The room is elsewhere now, or nowhere.
pub(super) fn moved(to: Option<&str>) -> String {
    let address = to.map(|to| to.trim_start_matches("xmpp:").split('?').next().unwrap_or_default());
    match address.filter(|it| !it.is_empty()) {
        Some(to) => format!("The room was closed. It goes on as {to}."),
        None => "The room was closed.".into(),
    }
}

/// Why we are out, by the codes of XEP-0045 section 15.6.
pub(super) fn put_out(codes: &[u16], by: Option<&str>, reason: Option<&str>) -> Option<String> {
    let sentence = codes.iter().find_map(|code| {
        Some(match code {
            301 => "You were shut out of the room",
            307 => "You were put out of the room",
            321 => "Your rights were changed, and the room no longer has you",
            322 => "The room is now for members only, and you are none",
            332 => "The room's server is being shut down",
            333 => "The connection to the room broke",
            _ => return None,
        })
    })?;
    // 333 comes beside 307 where a server tells both; then nobody put us out.
    let sentence = if codes.contains(&333) { "The connection to the room broke" } else { sentence };
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    Some(match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{sentence}{by}: \u{201c}{reason}\u{201d}."),
        None => format!("{sentence}{by}."),
    })
}

/// What a change in the room's settings means for those in it (XEP-0045 section 15.6).
pub(super) fn changed(code: u16) -> Option<&'static str> {
    Some(match code {
        100 => "Everybody in the room sees your real address.",
        102 => "The room shows who is not available.",
        103 => "The room no longer shows who is not available.",
        104 => "The room's settings were changed.",
        170 => "What is said in the room is recorded.",
        171 => "What is said in the room is no longer recorded.",
        172 => "Everybody in the room now sees real addresses.",
        173 => "Only moderators now see real addresses.",
        174 => "Nobody now sees real addresses.",
        _ => return None,
    })
}

/// Why a change was not made.
pub(super) fn refused(error: &StanzaError) -> &'static str {
    match error.defined_condition {
        Condition::Forbidden | Condition::NotAllowed | Condition::NotAuthorized => {
            "The room does not allow you to do that."
        }
        Condition::ItemNotFound => "The room does not know whom or what you mean.",
        Condition::Conflict => {
            "The room does not allow that: it would be left without an owner, or the name is taken."
        }
        Condition::NotAcceptable | Condition::BadRequest => "The room does not accept this.",
        Condition::FeatureNotImplemented | Condition::ServiceUnavailable => {
            "The room cannot do that."
        }
        Condition::RemoteServerTimeout => NO_ANSWER,
        // The library's list, not ours.
        _ => "The room did not do it.",
    }
}

/// What can be done about it.
pub(super) fn remedy(error: &StanzaError) -> &'static str {
    match error.defined_condition {
        Condition::Forbidden | Condition::NotAllowed | Condition::NotAuthorized => {
            "Ask a moderator or an owner of the room."
        }
        Condition::RemoteServerTimeout => "Try again later.",
        _ => "Check what was asked for.",
    }
}

/// Why a service did not list its rooms; the service's name stands before it.
pub(super) fn refused_listing(error: &StanzaError) -> String {
    match error.defined_condition {
        Condition::ItemNotFound => "there is no such service".into(),
        Condition::RemoteServerNotFound => "its server could not be found".into(),
        Condition::RemoteServerTimeout => "it did not answer".into(),
        Condition::Forbidden | Condition::NotAllowed | Condition::NotAuthorized => {
            "it does not tell you its rooms".into()
        }
        // The library's list, not ours.
        _ => "it did not tell its rooms".into(),
    }
}

/// Why something that was said did not get to the others.
pub(super) fn returned(error: &StanzaError) -> &'static str {
    match error.defined_condition {
        Condition::Forbidden => "You have no voice in this room. Ask a moderator for it.",
        Condition::NotAcceptable => {
            "The room no longer had you; it is entered again. Send it again."
        }
        Condition::PolicyViolation | Condition::ResourceConstraint => {
            "The room takes no more messages at the moment. Try again later."
        }
        _ => refused(error),
    }
}
