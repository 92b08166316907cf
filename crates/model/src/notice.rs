//! What happened, for scripts that watch (`ctl watch`). The window needs none of it: it reads
//! the snapshot.

use serde::Serialize;

use crate::{
    Activity, Availability, CallDirection, CallId, CallState, Contact, Delivery, Jid, Message,
    MessageId, Problem, Session, Timestamp, Transfer,
};

/// One event, written as one JSON object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// When.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub body: NoticeBody,
}

/// The kinds of event; the tag `type` is the method family.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NoticeBody {
    /// The session changed.
    Session(Box<Session>),
    /// Somebody's presence changed, or our own (`contact` is then our address).
    Presence {
        /// Who.
        contact: Jid,
        /// State.
        availability: Availability,
        /// What keeps them busy.
        #[serde(skip_serializing_if = "Option::is_none")]
        activity: Option<Activity>,
        /// Note.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The contact list changed.
    Roster {
        /// Who changed, without it the whole list is new.
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<Box<Contact>>,
        /// Who was taken off.
        #[serde(skip_serializing_if = "Option::is_none")]
        removed: Option<Jid>,
    },
    /// A message came, or an own one got further.
    Chat {
        /// Stanza id.
        id: MessageId,
        /// Conversation.
        with: Jid,
        /// Writer.
        from: Jid,
        /// Text.
        body: String,
        /// How far an own message has come; nothing for received ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<Delivery>,
    },
    /// Something about a message changed: its text, reactions, that it was taken back.
    Message {
        /// As it is now.
        message: Box<Message>,
    },
    /// A room changed: we entered or left, who is in, topic, an invitation came.
    Room {
        /// Which.
        room: Jid,
        /// What: `joined`, `left`, `failed`, `subject`, `occupant`, `invited`, `listing`, `changed`.
        change: &'static str,
        /// The occupant concerned, or who invites.
        #[serde(skip_serializing_if = "Option::is_none")]
        who: Option<String>,
        /// Why, or the new topic.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A file got further.
    File {
        /// As it is now.
        transfer: Box<Transfer>,
    },
    /// A contact whom we waited for is available.
    Available {
        /// Who.
        contact: Jid,
    },
    /// The other side began or ceased to write.
    Typing {
        /// Conversation.
        with: Jid,
        /// Writes.
        typing: bool,
    },
    /// A call changed.
    Call {
        /// Which.
        id: CallId,
        /// Who began it.
        direction: CallDirection,
        /// Number or address of the other side.
        remote: String,
        /// Where it stands.
        state: CallState,
        /// Name of the other side.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Why it ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<&'static str>,
        /// SIP status it ended with.
        #[serde(skip_serializing_if = "Option::is_none")]
        sip_status: Option<u16>,
    },
    /// Devices came or went.
    Devices {},
    /// The network changed.
    Network {
        /// There is one.
        online: bool,
        /// In words.
        change: String,
    },
    /// Something is wrong.
    Diagnostic {
        /// What.
        problem: Box<Problem>,
    },
}
