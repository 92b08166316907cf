//! A call as the user knows it.

use serde::Serialize;

use crate::{CallAbilities, CallId, Conference, Problem, Silence, Timestamp};

/// Who began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallDirection {
    /// We dialled.
    Outgoing,
    /// They did.
    Incoming,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CallState {
    /// Dialled, no word yet from the other side.
    Dialing,
    /// It rings there.
    Ringing,
    /// It rings here.
    Incoming,
    /// Sound before the answer (announcements).
    Early,
    /// Talking.
    Connected,
    /// We hold them.
    Held,
    /// They hold us.
    RemoteHeld,
    /// Being transferred.
    Transferring,
    /// Over.
    Ended,
}

/// How the media is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Security {
    /// Neither signalling nor media.
    #[default]
    None,
    /// Signalling by TLS, media in clear.
    Signalling,
    /// Both.
    Full,
}

/// Why a call is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallEnd {
    /// `hungUp`, `remoteHungUp`, `busy`, `declined`, `noAnswer`, `notFound`, `cancelled`,
    /// `missed`, `failed`.
    pub cause: &'static str,
    /// SIP status, where one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// What to do about it, where something can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A call that goes on, or ended a moment ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// Who began it.
    pub direction: CallDirection,
    /// Number or address of the other side.
    pub remote: String,
    /// Name of the other side, if one is known.
    pub name: Option<String>,
    /// Where it stands.
    pub state: CallState,
    /// Our microphone is off.
    pub muted: bool,
    /// When it began.
    pub started: Timestamp,
    /// When it was answered.
    pub connected: Option<Timestamp>,
    /// Why it is over.
    pub end: Option<CallEnd>,
    /// Protection.
    pub security: Security,
    /// Digits sent so far in this call.
    pub digits: String,
    /// A one-word verdict on the sound, if there is one: packets came, none came, loss.
    pub sound: Option<String>,
    /// It is a conference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference: Option<Conference>,
    /// Where it was parked, so that it can be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_at: Option<String>,
    /// Whose call this was before it was diverted to us, as a name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverted_by: Option<String>,
    /// The phone on the desk that makes the call, whose sound is there. Whether it was answered is not
    /// told, so it rings until it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// The server is gone and only the sound goes on: nothing can be changed any more.
    pub preserved: bool,
    /// What was wished last about this call and did not work, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Problem>,
    /// Somebody is not heard in it: who, why, and what is done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// What can be done with it now.
    pub can: CallAbilities,
}

/// A call in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// Number or address of the other side.
    pub remote: String,
    /// Name of the other side, if one was known.
    pub name: Option<String>,
    /// Who began it.
    pub direction: CallDirection,
    /// When it began.
    pub started: Timestamp,
    /// Seconds of talk; 0 when it was not answered.
    pub seconds: u32,
    /// It came in and was not answered here.
    pub missed: bool,
    /// How it sounded here on average, if anything was heard.
    pub mos: Option<crate::Mos>,
}
