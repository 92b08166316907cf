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

/// What a busy person is doing: the composed states of the planning guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Activity {
    /// "On a call".
    OnCall,
    /// "In a meeting".
    InMeeting,
    /// "Presenting": the screen is shared.
    Presenting,
}

/// Availability with a note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Presence {
    /// The state.
    pub availability: Availability,
    /// What keeps the person busy, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
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
    /// Which picture shows the person, as soon as it was announced: the key of
    /// [`Snapshot::photos`](crate::Snapshot), where its bytes are once they were asked for
    /// ([`PeopleWish::Photo`](crate::PeopleWish)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoId>,
    /// We are told once when they become available.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alert: bool,
    /// We do not want to hear of them (XEP-0191).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
}

/// A picture, by the SHA-1 of its bytes in lower-case hex (XEP-0084 section 3, XEP-0153).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhotoId(pub String);

/// What a person tells of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonDetails {
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Title and organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<String>,
    /// Telephone numbers with their kind, such as `work`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<(String, String)>,
    /// When they were last there (XEP-0012, XEP-0319).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// Their clients, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<String>,
    /// Picture, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoId>,
    /// Presence, while somebody who is no contact is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// An answer is still to come.
    pub busy: bool,
    /// Why nothing is known, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
