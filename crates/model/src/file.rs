//! Files in conversations.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Jid, MessageId};

/// One transfer, unique for the life of the process. Written `f7` in the control API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub u32);

impl std::fmt::Display for TransferId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "f{}", self.0)
    }
}

impl std::str::FromStr for TransferId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix('f')
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| format!("\"{text}\" is not a transfer id; ids look like f7"))
    }
}

impl Serialize for TransferId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TransferId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A file that a message carries. Kept with the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attachment {
    /// Name to show and to save under: no path, no control or direction characters, no device name.
    pub name: String,
    /// Size in bytes, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Media type, by the name or as the sender says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Where it is to be fetched from (`https`, or `aesgcm` for an encrypted one), if at a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it lies on this computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Its transfer in this session.
    #[serde(skip)]
    pub transfer: Option<TransferId>,
}

/// Which way a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferDirection {
    /// To us.
    Incoming,
    /// From us.
    Outgoing,
}

/// How a file travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TransferWay {
    /// Managed: over the server (XEP-0363).
    Server,
    /// Directly or through a proxy (XEP-0065).
    Socks5,
    /// Inside the chat connection (XEP-0047).
    InBand,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferState {
    /// Offered; waits for the receiver's word.
    Offered,
    /// On its way.
    Active,
    /// There.
    Done,
    /// Refused by the receiver or by us.
    Declined,
    /// Broken off; [`Transfer::error`] says why.
    Failed,
}

/// One file on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// Its name.
    pub id: TransferId,
    /// Conversation.
    pub with: Jid,
    /// The message that shows it.
    pub message: MessageId,
    /// Which way.
    pub direction: TransferDirection,
    /// How, once that is settled.
    pub way: Option<TransferWay>,
    /// File name, safe to show and to save under.
    pub name: String,
    /// Bytes in all, where known.
    pub size: Option<u64>,
    /// Bytes so far.
    pub done: u64,
    /// Where it stands.
    pub state: TransferState,
    /// Why it failed, in words, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Trying again may help.
    pub again: bool,
    /// Where it lies here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// What of the screen is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptureArea {
    /// Everything.
    Screen,
    /// One window, which the user points at.
    Window,
    /// A rectangle, which the user draws.
    Region,
}
