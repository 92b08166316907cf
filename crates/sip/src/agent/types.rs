//! What the user agent tells and asks for.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_model::{DialString, Fault, LineState, MessagesWaiting};
use offhook_ports::{FlowId, SipServer};

use super::told::{Arrival, CallInfo, Control, Referral, RosterEntry, SoftKey, TransferStep};
use crate::identity::Identity;

/// One call of this user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SipCall(pub u32);

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// This side.
    Us,
    /// The other side or a server on the way.
    Them,
    /// Nobody: no answer, or the way was lost.
    Network,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Who ended it.
    pub by: By,
    /// Status of the final response, where one ended it.
    pub status: Option<u16>,
    /// Warning text, reason text or reason phrase; may be empty.
    pub text: String,
    /// An incoming call that was taken on another phone (RFC 3326), so it was not missed.
    pub cancelled_elsewhere: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A server is being tried.
    Registering {
        /// Which.
        server: SipServer,
    },
    /// Registered, after not being so. Refreshes are not told.
    Registered {
        /// Where.
        server: SipServer,
        /// Our address on the flow.
        local: SocketAddr,
        /// For how long.
        expires: Duration,
        /// It stands in for the call managers (SRST): calls, hold and resume only.
        reduced: bool,
    },
    /// An attempt failed or the flow was lost.
    RegistrationFailed {
        /// Where.
        server: SipServer,
        /// Why.
        fault: Fault,
        /// When it is tried again, maybe on another server; nothing when it is not until
        /// [`super::UserAgent::start`] is called again.
        retry_in: Option<Duration>,
    },
    /// The un-REGISTER was answered.
    Unregistered,
    /// Somebody calls. Answer with [`super::UserAgent::ring`], [`super::UserAgent::answer`] or
    /// [`super::UserAgent::reject`].
    Incoming {
        /// The call.
        call: SipCall,
        /// Who.
        remote: Identity,
        /// Their session description; without one, [`super::UserAgent::answer`] carries our offer.
        offer: Option<String>,
        /// What else the INVITE tells.
        arrival: Box<Arrival>,
    },
    /// A provisional response above 100.
    Progress {
        /// The call.
        call: SipCall,
        /// 101 to 199.
        status: u16,
        /// Early media.
        sdp: Option<String>,
        /// Who is being reached, if told, and not what was told before.
        remote: Option<Identity>,
    },
    /// Our INVITE was accepted. The ACK goes out by itself.
    Answered {
        /// The call.
        call: SipCall,
        /// Their answer.
        sdp: Option<String>,
        /// Who answered, if told, and not what was told before.
        remote: Option<Identity>,
    },
    /// The ACK of our answer came: to the first INVITE always, to a later one only when it was
    /// without offer.
    Confirmed {
        /// The call.
        call: SipCall,
        /// Their answer to our offer, when theirs was delayed.
        sdp: Option<String>,
    },
    /// They want to change the session. Answer with [`super::UserAgent::accept_offer`] or
    /// [`super::UserAgent::refuse_offer`].
    Offer {
        /// The call.
        call: SipCall,
        /// Their offer; without one, [`super::UserAgent::accept_offer`] carries ours.
        sdp: Option<String>,
    },
    /// Our [`super::UserAgent::reinvite`] was accepted.
    OfferAnswered {
        /// The call.
        call: SipCall,
        /// Their answer.
        sdp: Option<String>,
    },
    /// Our [`super::UserAgent::reinvite`] was refused; the session stays as it was.
    OfferRefused {
        /// The call.
        call: SipCall,
        /// Status.
        status: u16,
    },
    /// The other party changed, or became known.
    RemoteIdentity {
        /// The call.
        call: SipCall,
        /// Who it is now.
        remote: Identity,
    },
    /// The call is over. Its name is not used again.
    Ended {
        /// The call.
        call: SipCall,
        /// How.
        end: End,
    },
    /// Voicemail.
    MessageWaiting(MessagesWaiting),
    /// Another client has the phone, so we are not registered;
    /// [`super::UserAgent::take_over`] registers all the same.
    Elsewhere {
        /// Where.
        server: SipServer,
        /// The server's words.
        text: String,
    },
    /// How [`super::UserAgent::transfer`] fares.
    Transfer {
        /// The call that is given away.
        call: SipCall,
        /// How.
        step: TransferStep,
    },
    /// They want us to call somebody else. Answer with [`super::UserAgent::follow`] or
    /// [`super::UserAgent::refuse_referral`].
    Referred {
        /// The call it was said in; outside every call a name for the question alone.
        call: SipCall,
        /// What.
        referral: Box<Referral>,
    },
    /// Call-Info told something new.
    CallInfo {
        /// The call.
        call: SipCall,
        /// What.
        info: CallInfo,
    },
    /// Who is in the conference.
    Roster {
        /// The call.
        call: SipCall,
        /// All of them, at most 200.
        people: Vec<RosterEntry>,
    },
    /// [`super::UserAgent::press`] was answered.
    SoftKey {
        /// In this call.
        call: SipCall,
        /// Which.
        key: SoftKey,
        /// Done, or the status and words of the refusal.
        outcome: Result<(), (u16, String)>,
    },
    /// [`super::UserAgent::publish_do_not_disturb`] was answered.
    DoNotDisturbTold {
        /// Taken, or the status and words of the refusal.
        outcome: Result<(), (u16, String)>,
    },
    /// A digit that came by INFO (RFC 6086).
    Digit {
        /// The call.
        call: SipCall,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
    },
    /// What a watched line does now.
    Line {
        /// As [`super::UserAgent::watch`] was given it.
        line: DialString,
        /// What.
        state: LineState,
    },
    /// The call manager wants something.
    Control(Control),
}

/// What the outside must do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a flow, and say [`super::UserAgent::flow_opened`] or [`super::UserAgent::flow_failed`].
    Open {
        /// Its name.
        flow: FlowId,
        /// Where to.
        server: SipServer,
        /// DSCP to mark its packets with, 0 to 63.
        dscp: u8,
    },
    /// Send bytes: one datagram, or the next bytes of the stream.
    Send {
        /// On this flow.
        flow: FlowId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close a flow after what was to be sent. Nothing needs to be said about it afterwards.
    Close {
        /// Which.
        flow: FlowId,
    },
    /// Something happened.
    Event(Event),
    /// [`super::UserAgent::stop`] is done.
    Stopped,
}
