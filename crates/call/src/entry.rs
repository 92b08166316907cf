//! One call with its SIP side and its description.

use std::net::SocketAddr;
use std::time::Instant;

use offhook_model::{
    Call, CallAbilities, CallDirection, CallId, CallRecord, CallState, DialString, Mos, Security,
    Timestamp,
};
use offhook_ports::MediaPlan;
use offhook_rtp::SdpError;
use offhook_rtp::sdp::Negotiator;
use offhook_sip::{SipCall, SoftKey};

use crate::Tone;
use crate::desk::AtDesk;
use crate::hold::Hold;
use crate::moving::Move;
use crate::referred::Next;
use crate::silent::Tried;
use crate::transfer::Giving;
use crate::ways::Ways;

/// What is waited for before SIP can go on.
#[derive(Debug)]
pub enum Waiting {
    /// Ports, then the INVITE goes out.
    PortsToDial(DialString),
    /// Ports, then the call goes out that somebody outside every call asked for under this name.
    PortsToFollow(SipCall),
    /// Ports, then an incoming call can be answered. `answer` when the user was quicker.
    PortsToAnswer {
        /// The user has answered already.
        answer: bool,
    },
    /// Nothing.
    Nothing,
}

/// One call.
pub struct Entry {
    /// What the user sees.
    pub call: Call,
    /// Its name in the SIP layer, once there is one.
    pub sip: Option<SipCall>,
    /// Its description, once ports are there.
    pub description: Option<Negotiator>,
    /// What was wrong with their last answer.
    pub unusable: Option<SdpError>,
    /// The other side's offer, until we answer.
    pub offer: Option<String>,
    /// What is waited for.
    pub waiting: Waiting,
    /// We refused it.
    pub declined: bool,
    /// Who holds whom, by our wish.
    pub hold: Hold,
    /// It follows the phone to another network.
    pub moving: Move,
    /// What was agreed last.
    pub plan: Option<MediaPlan>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// Where its sound goes in and out here (RTP, RTCP), once ports are there.
    pub ports: Option<(SocketAddr, SocketAddr)>,
    /// What we dialled.
    pub dialled: Option<DialString>,
    /// It is being given to somebody else.
    pub giving: Option<Giving>,
    /// The other side gives us to somebody else.
    pub next: Option<Next>,
    /// A button of the call manager was pressed for it and not answered.
    pub pressed: Option<SoftKey>,
    /// The tone that the call manager wants for it.
    pub server_tone: Option<Tone>,
    /// It wants to be in this call of ours (RFC 3911).
    pub joins: Option<CallId>,
    /// It answers by itself then.
    pub answer_at: Option<Instant>,
    /// It is a call of the phone on the desk.
    pub desk: Option<AtDesk>,
    /// Ways of its sound, where they are looked for.
    pub ways: Option<Ways>,
    /// The cause of its end, where more is known than how SIP ended it.
    pub cause: Option<&'static str>,
    /// The call manager says that the way beyond it is encrypted; nothing when it says nothing.
    pub beyond: Option<bool>,
    /// How it has sounded on average.
    pub mos: Option<Mos>,
    /// What was done about somebody who is not heard.
    pub tried: Tried,
}

impl Entry {
    /// A call that begins now.
    pub fn new(
        id: CallId,
        direction: CallDirection,
        remote: String,
        wall: Timestamp,
        waiting: Waiting,
    ) -> Self {
        let state = match direction {
            CallDirection::Outgoing => CallState::Dialing,
            CallDirection::Incoming => CallState::Incoming,
        };
        Self {
            call: Call {
                id,
                direction,
                remote,
                name: None,
                state,
                muted: false,
                started: wall,
                connected: None,
                end: None,
                security: Security::None,
                digits: String::new(),
                sound: None,
                conference: None,
                parked_at: None,
                desk: None,
                diverted_by: None,
                preserved: false,
                trouble: None,
                silence: None,
                can: CallAbilities::default(),
            },
            sip: None,
            description: None,
            unusable: None,
            offer: None,
            waiting,
            declined: false,
            hold: Hold::default(),
            moving: Move::default(),
            plan: None,
            ended: None,
            ports: None,
            dialled: None,
            giving: None,
            next: None,
            pressed: None,
            server_tone: None,
            joins: None,
            answer_at: None,
            desk: None,
            ways: None,
            cause: None,
            beyond: None,
            mos: None,
            tried: Tried::default(),
        }
    }

    /// Sound goes both ways, or could.
    pub fn is_up(&self) -> bool {
        match self.call.state {
            CallState::Connected
            | CallState::Held
            | CallState::RemoteHeld
            | CallState::Transferring => true,
            CallState::Dialing
            | CallState::Ringing
            | CallState::Incoming
            | CallState::Early
            | CallState::Ended => false,
        }
    }

    /// What the history keeps of it.
    pub fn record(&self, wall: Timestamp) -> CallRecord {
        let talk = self.call.connected.map_or(0, |since| (wall.0 - since.0).max(0) / 1_000);
        let taken = ["answeredElsewhere", "diverted", "forwarded"];
        let taken = self.call.end.as_ref().is_some_and(|end| taken.contains(&end.cause));
        CallRecord {
            remote: self.call.remote.clone(),
            name: self.call.name.clone(),
            direction: self.call.direction,
            started: self.call.started,
            seconds: u32::try_from(talk).unwrap_or(u32::MAX),
            missed: self.call.direction == CallDirection::Incoming
                && self.call.connected.is_none()
                && !self.declined
                && !taken,
            mos: self.mos,
        }
    }
}
