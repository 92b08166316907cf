//! Conversations and their messages.

use serde::{Deserialize, Serialize};

use crate::{Attachment, Jid, MessageId, Timestamp};

/// How far an own message has come. The order is the order of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Written, waits for a connection.
    Queued,
    /// The server has it.
    Sent,
    /// The other side's client has it (XEP-0184); of a room: the room sent it to everybody.
    Delivered,
    /// The other side has seen it (XEP-0333).
    Read,
    /// It did not and will not arrive.
    Failed,
}

/// The message that another one answers (XEP-0461).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// The answered message's id, as [`Message::id`] of this conversation has it where it is known.
    pub id: MessageId,
    /// Who wrote it: bare address, in a room the occupant's address.
    pub to: Option<Jid>,
}

/// One emoji under a message (XEP-0444).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who chose it: bare addresses, in a room the occupants' addresses.
    pub from: Vec<Jid>,
    /// We are among them.
    pub own: bool,
}

/// What protected a message between the two clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Protection {
    /// Nothing: the servers could read it.
    #[default]
    None,
    /// OMEMO (XEP-0384), from or to keys that nobody compared.
    Encrypted,
    /// OMEMO, and all keys were compared.
    Verified,
    /// It was encrypted and could not be read here; the body says why.
    Unreadable,
}

/// Why a message shows no text any more (XEP-0424, XEP-0425).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retraction {
    /// Who took it back: the writer, or a moderator of the room. Bare, in a room the occupant's.
    pub by: Jid,
    /// Why, if a moderator said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Stanza id (`origin-id` of XEP-0359 where the sender gave one).
    pub id: MessageId,
    /// The conversation it belongs to: the other person or the room, bare.
    pub with: Jid,
    /// Who wrote it: bare; in a room the occupant's address, `room@host/nick`.
    pub from: Jid,
    /// Whom it was written to, bare.
    pub to: Jid,
    /// Plain text; empty when it was taken back.
    pub body: String,
    /// When it was written, by the sender's server where that is known.
    pub time: Timestamp,
    /// We wrote it.
    pub own: bool,
    /// How far it has come; of received messages always [`Delivery::Delivered`] or
    /// [`Delivery::Read`].
    pub state: Delivery,
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is rarely there.
    #[serde(flatten)]
    pub more: More,
}

/// What only some messages have. Kept in the store as one JSON object, so members only ever get
/// added, each with a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct More {
    /// The id the archive of the conversation gave it: our own account's for a person, the room's
    /// for a room (XEP-0359). What others name in rooms when they answer, react or retract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive_id: Option<String>,
    /// The writer's real bare address in a room, where the room tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Jid>,
    /// The room's lasting mark of the writer (XEP-0421), where the room gives marks: by it later
    /// changes are known to be the same person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupant: Option<String>,
    /// It answers this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// The writer replaced the text (XEP-0308); `body` is the newest.
    #[serde(skip_serializing_if = "is_default")]
    pub edited: bool,
    /// It was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retracted: Option<Retraction>,
    /// Reactions in order of their first appearance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Between the two clients.
    #[serde(skip_serializing_if = "is_default")]
    pub protection: Protection,
    /// The XHTML-IM body (XEP-0071) as it came, at most 64 KiB; only `offhook-text` reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// We are named in it.
    #[serde(skip_serializing_if = "is_default")]
    pub mentions_me: bool,
    /// It came by the stream, and the archive of the account was not read so far: what stands before
    /// it is not known yet.
    #[serde(skip)]
    pub unplaced: bool,
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// Security label of the deployment (XEP-0258): text to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a conversation is with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatKind {
    /// One person.
    #[default]
    Person,
    /// A room (XEP-0045).
    Room,
}

/// What a conversation may disturb us with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alerts {
    /// Every message.
    #[default]
    All,
    /// Messages that name us.
    Mentions,
    /// Nothing.
    None,
}

/// Client-to-client encryption of a conversation, as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChatProtection {
    /// The next message goes out encrypted.
    pub on: bool,
    /// The user may change that; a policy decides otherwise.
    pub changeable: bool,
    /// Why it is as it is, in words, where that is worth saying: a policy, no keys of theirs, a room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Keys of the other side's and our own other devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DeviceKey>,
    /// The key of this device, for the other side to compare; nothing while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<DeviceKey>,
}

/// Whether a device's key is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyTrust {
    /// Nobody said anything; messages go to it (trust before verification).
    #[default]
    Undecided,
    /// Compared with the other side.
    Verified,
    /// Nothing is encrypted for it, and what it writes is marked.
    Distrusted,
}

/// The identity key of one device (XEP-0384).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceKey {
    /// Whose, bare.
    pub owner: Jid,
    /// Device id.
    pub device: u32,
    /// The key in lower-case hex, 64 characters.
    pub fingerprint: String,
    /// Believed?
    pub trust: KeyTrust,
    /// It is on the owner's list of devices at present.
    pub active: bool,
}

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// The other person or the room, bare.
    pub with: Jid,
    /// Name to show.
    pub name: String,
    /// Person or room.
    pub kind: ChatKind,
    /// The newest message, if any.
    pub last: Option<Message>,
    /// How many received messages have not been seen.
    pub unread: u32,
    /// How many of these name us.
    pub mentions: u32,
    /// The first that has not been seen, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_unread: Option<MessageId>,
    /// The other side is writing at this moment.
    pub typing: bool,
    /// In a room: the nicknames of those who write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
    /// What we began to write and did not send.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub draft: String,
    /// What it may disturb us with.
    pub alerts: Alerts,
    /// We do not want to hear of this person (XEP-0191).
    pub blocked: bool,
    /// Messages older than those in the snapshot exist, here or at the server.
    pub older: bool,
    /// Between the clients.
    pub protection: ChatProtection,
}

impl Chat {
    /// A conversation of which nothing is known.
    pub fn new(with: Jid, name: String, kind: ChatKind) -> Self {
        Self {
            with,
            name,
            kind,
            last: None,
            unread: 0,
            mentions: 0,
            first_unread: None,
            typing: false,
            writers: Vec::new(),
            draft: String::new(),
            alerts: Alerts::All,
            blocked: false,
            older: true,
            protection: ChatProtection::default(),
        }
    }
}
