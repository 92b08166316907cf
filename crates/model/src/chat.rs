//! Conversations and their messages.

use serde::{Deserialize, Serialize};

use crate::{Jid, MessageId, Timestamp};

/// How far an own message has come. The order is the order of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Written, waits for a connection.
    Queued,
    /// The server has it.
    Sent,
    /// The other side's client has it (XEP-0184).
    Delivered,
    /// The other side has seen it (XEP-0333).
    Read,
    /// It did not and will not arrive.
    Failed,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Stanza id.
    pub id: MessageId,
    /// The conversation it belongs to: the other person or the room, bare.
    pub with: Jid,
    /// Who wrote it, bare.
    pub from: Jid,
    /// Whom it was written to, bare.
    pub to: Jid,
    /// Plain text.
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
}

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chat {
    /// The other person or the room, bare.
    pub with: Jid,
    /// Name to show.
    pub name: String,
    /// The newest message, if any.
    pub last: Option<Message>,
    /// How many received messages have not been seen.
    pub unread: u32,
    /// The other side is writing at this moment.
    pub typing: bool,
}
