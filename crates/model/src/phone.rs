//! The phone beyond its calls: what it is set to, what waits, whose lines it watches, and what may
//! be asked of it.

use serde::Serialize;

use crate::{CallId, DialString, Problem};

/// Wishes about the phone and its calls beyond the simplest.
#[derive(Clone, Debug)]
pub enum CallWish {
    /// Give the call to somebody without speaking to them first (RFC 3515).
    Transfer {
        /// Which call.
        id: CallId,
        /// To whom.
        to: DialString,
    },
    /// Connect the other sides of two calls of ours with each other (RFC 3891).
    Connect {
        /// The call that is given away.
        id: CallId,
        /// The call with whom it is given to.
        other: CallId,
    },
    /// Make one conversation of two calls.
    Merge {
        /// One.
        id: CallId,
        /// The other.
        other: CallId,
    },
    /// Take somebody out of a conference.
    Expel {
        /// The call that is the conference.
        id: CallId,
        /// Whom, as [`Participant::id`] has it.
        participant: String,
    },
    /// Park it; [`crate::Call::parked_at`] tells the number to take it back with.
    Park(CallId),
    /// Give an incoming call to voicemail.
    Divert(CallId),
    /// Take a call that rings somewhere else.
    Pickup(Pickup),
    /// All calls go somewhere else, or come here again.
    Forward(Option<Forward>),
    /// Do not ring, or ring again.
    DoNotDisturb(Option<Dnd>),
    /// Call the number once more that was called last.
    Redial,
    /// Register although another client has the phone.
    TakeOver,
    /// Do what somebody outside every call asked ([`PhoneState::asked`]), or do not.
    AnswerReferral {
        /// [`AskedToCall::id`].
        id: u32,
        /// Call them.
        accept: bool,
    },
    /// Calls are made with this phone on the desk from now on, or with this computer.
    CallWith(Option<String>),
    /// Whose lines to watch from now on, at most 100; replaces those before.
    Watch(Vec<DialString>),
}

/// Which ringing call to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pickup {
    /// One of our own group.
    Group,
    /// One of another group, by its number.
    OtherGroup(DialString),
    /// One of a group that goes with ours.
    Associated,
    /// The one that rings at this number.
    Directed(DialString),
}

/// Where all calls go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Forward {
    /// To this number or address.
    To(#[serde(serialize_with = "shown")] DialString),
    /// To voicemail.
    Voicemail,
}

fn shown<S: serde::Serializer>(to: &DialString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(to)
}

/// What do not disturb means (reference sip-dialect.md section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Dnd {
    /// Calls are shown and do not ring.
    RingerOff,
    /// Calls are refused.
    Reject,
}

/// Messages in the voicemail box (RFC 3842). The figures are there where the server tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagesWaiting {
    /// New ones wait.
    pub waiting: bool,
    /// How many new.
    pub new: Option<u32>,
    /// How many old.
    pub old: Option<u32>,
}

/// What another line does (RFC 4235; busy lamp field).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LineState {
    /// Nobody told yet, or nobody may.
    #[default]
    Unknown,
    /// Free.
    Idle,
    /// It rings there.
    Ringing,
    /// In a call.
    Busy,
}

/// A line that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WatchedLine {
    /// Number or address.
    pub number: String,
    /// What it does.
    pub state: LineState,
}

/// Somebody we do not talk to wants us to call somebody (RFC 3515). Nothing is dialled before the
/// person says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedToCall {
    /// Names the question.
    pub id: u32,
    /// Name or number of who asks.
    pub by: String,
    /// Number or address to call.
    pub to: String,
}

/// A call that waits at a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParkedCall {
    /// Call this to take it back.
    pub at: String,
    /// Name or number of who waits there.
    pub who: String,
}

/// The phone as it is set, and what it can do with the server it is registered at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneState {
    /// Where all calls go, if they do.
    pub forward: Option<Forward>,
    /// Not to be disturbed.
    pub dnd: Option<Dnd>,
    /// Voicemail.
    pub messages: MessagesWaiting,
    /// Call this to hear them, where a number is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<String>,
    /// Registered at a gateway that stands in for the call managers (SRST): call, hold and resume
    /// are all that works.
    pub reduced: bool,
    /// Another client has the phone; [`CallWish::TakeOver`] takes it. The server's words.
    pub elsewhere: Option<String>,
    /// Calls that were parked from here and not taken back, the newest last, at most 10.
    pub parked: Vec<ParkedCall>,
    /// Lines that are watched.
    pub lines: Vec<WatchedLine>,
    /// Calls that others want us to make, at most one; nothing that is not answered within three
    /// minutes.
    pub asked: Vec<AskedToCall>,
    /// Phones on the desk that calls can be made with.
    pub desk_phones: Vec<DeskPhone>,
    /// The one that calls are made with; else they are made with this computer.
    pub desk: Option<String>,
    /// What was wished last about the phone and did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Problem>,
    /// What the call manager wants to be shown for a moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What the server offers beyond calls.
    pub can: PhoneAbilities,
}

/// A phone of the user's other than this program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeskPhone {
    /// Name of the device such as `SEP0123456789AB`.
    pub device: String,
    /// Its model in words.
    pub model: String,
}

/// What the phone's server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneAbilities {
    /// Park.
    pub park: bool,
    /// Take a call that rings elsewhere.
    pub pickup: bool,
    /// Forward all calls.
    pub forward: bool,
    /// Give an incoming call to voicemail.
    pub divert: bool,
}

/// Somebody in a conference (RFC 4575).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// The conference's name for them.
    pub id: String,
    /// Name or number to show.
    pub name: String,
    /// It is us.
    pub me: bool,
}

/// A conference that a call is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conference {
    /// Mixed here; else by a server.
    pub local: bool,
    /// Who is in it, where that is told.
    pub people: Vec<Participant>,
}

/// What can be done with a call now, so that nobody is offered what will be refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallAbilities {
    /// Hold or resume.
    pub hold: bool,
    /// Transfer.
    pub transfer: bool,
    /// Merge with another call.
    pub merge: bool,
    /// Park.
    pub park: bool,
    /// Give to voicemail.
    pub divert: bool,
}
