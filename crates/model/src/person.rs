//! People and how they are to be reached.

use serde::{Deserialize, Serialize};

use crate::{Jid, Timestamp};

/// What a person lets others know of their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Availability {
    /// Ready to talk.
    Available,
    /// Not at the desk (XMPP `away` and `xa`).
    Away,
    /// Do not disturb.
    Dnd,
    /// Not signed in, or unknown.
    #[default]
    Offline,
}

/// Availability with a note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Presence {
    /// The state.
    pub availability: Availability,
    /// Free text of the person, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Who sees whose presence (RFC 6121 section 2.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscription {
    /// Neither.
    #[default]
    None,
    /// We see theirs.
    To,
    /// They see ours.
    From,
    /// Both.
    Both,
}

/// Somebody on the contact list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Bare JID.
    pub contact: Jid,
    /// Name to show; the address when nobody gave one.
    pub name: String,
    /// Groups of the contact list.
    pub groups: Vec<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// The person asked to see ours and waits for an answer.
    pub wants_us: bool,
    /// Present state, merged over the person's resources.
    #[serde(flatten)]
    pub presence: Presence,
    /// Since when, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Number to call, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}
