//! What others tell and ask beyond the course of a call.

use std::time::Duration;

use offhook_model::{DialString, Dnd, Forward};

use super::SipCall;
use crate::identity::Identity;

/// What an INVITE of theirs tells beyond who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The call of ours that it takes the place of (RFC 3891). It is answered by itself where that
    /// call was up.
    pub replaces: Option<SipCall>,
    /// The call of ours that it wants to be in (RFC 3911).
    pub joins: Option<SipCall>,
    /// It wants to be answered without anybody doing so, after this time (RFC 5373; Call-Info
    /// `answer-after`).
    pub answer_after: Option<Duration>,
    /// It wants nothing but that: who does not answer by itself is to refuse (RFC 5373 section 4.3).
    pub answer_or_refuse: bool,
    /// Who diverted it to us, the first one first (RFC 5806, RFC 7044). At most 10.
    pub diverted: Vec<Identity>,
}

/// Who a call is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferTarget {
    /// Somebody who is to be called (RFC 3515).
    Number(DialString),
    /// The other side of another call of ours (RFC 3891), which that ends.
    Call(SipCall),
}

/// How a transfer that we asked for fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferStep {
    /// They agreed to try.
    Accepted,
    /// What they hear of it: a provisional status.
    Progress(u16),
    /// It stands; our call with them may end.
    Done,
    /// It did not work; our call with them goes on.
    Failed {
        /// Status of the refusal, or of the call that they made.
        status: u16,
        /// The server's words; may be empty.
        text: String,
    },
}

/// They ask us to call somebody in place of them (RFC 3515).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Whom.
    pub target: Identity,
    /// Who says so, where it is told (RFC 3892); outside a call who sent it.
    pub by: Option<Identity>,
    /// It came outside every call, from somebody we do not talk to.
    pub outside: bool,
    /// The call takes the place of one that the target has (attended transfer).
    pub attended: bool,
}

/// A button of the call manager (reference sip-dialect.md section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoftKey {
    /// One conference of this call and another.
    Conference(SipCall),
    /// Park.
    Park,
    /// To voicemail.
    Divert,
    /// Out of the conference with whom it took in last.
    RemoveLast,
}

/// What the call manager wants of the phone (reference sip-dialect.md section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Register anew when no call goes on; `reset` fetches the device file as well.
    Restart {
        /// The device file may have changed.
        reset: bool,
    },
    /// The device file is not the newest.
    Outdated,
    /// Where all calls go.
    Forward(Option<Forward>),
    /// Whether it rings.
    DoNotDisturb(Option<Dnd>),
    /// A tone for a call that failed, by its vendor name such as `DtReorderTone`.
    Tone(String),
    /// A line to show, without escape codes.
    Status {
        /// What.
        text: String,
        /// For how long; nothing means until the next one.
        seconds: Option<u32>,
    },
    /// Answer this call.
    Answer(SipCall),
    /// Call somebody.
    Dial(DialString),
}

/// What Call-Info tells of a call (reference sip-dialect.md section 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallInfo {
    /// The call manager says that all of its way is encrypted; nothing when it says nothing.
    pub encrypted: Option<bool>,
    /// The other side is a conference.
    pub conference: bool,
}

/// Somebody in a conference (RFC 4575).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The conference's name for them.
    pub id: String,
    /// Who.
    pub who: Identity,
}
