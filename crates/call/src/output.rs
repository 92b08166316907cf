//! What a phone asks of the world.

use std::net::IpAddr;
use std::time::Duration;

use offhook_model::{CallId, CallRecord, Fault, NoticeBody};
use offhook_ports::{DeskControl, DeskOrder, FlowId, IceStart, MediaPlan, PortRange, SipServer};

use crate::Tone;

/// One wish, drained with [`crate::Phone::poll`].
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a connection or socket; answer with `flow_opened` or `flow_failed`.
    Open {
        /// Its name from now on.
        flow: FlowId,
        /// Where to.
        server: SipServer,
        /// DSCP for its packets, 0 to 63.
        dscp: u8,
    },
    /// Send these bytes.
    Send {
        /// Over this connection.
        flow: FlowId,
        /// One whole message.
        bytes: Vec<u8>,
    },
    /// Close a connection.
    Close(FlowId),
    /// The registration changed.
    Registration(Registration),
    /// Bind a pair of media ports; answer with `reserved`. A call that has ports already goes on
    /// with the new ones and keeps its streams.
    Reserve {
        /// For this call.
        call: CallId,
        /// On this address.
        ip: IpAddr,
        /// Out of this range.
        range: PortRange,
        /// Look for ways from there, and tell of them.
        ice: Option<IceStart>,
    },
    /// Begin or change the sound of a call.
    Apply {
        /// Which.
        call: CallId,
        /// How.
        plan: Box<MediaPlan>,
    },
    /// The sound of this call is over; free its ports.
    Release(CallId),
    /// Send digits as telephone events.
    Dtmf {
        /// In this call.
        call: CallId,
        /// Which.
        digits: String,
    },
    /// Microphone off or on.
    Mute {
        /// In this call.
        call: CallId,
        /// Off.
        muted: bool,
    },
    /// Open the microphone anew: it gives nothing.
    Reopen,
    /// Play this until told otherwise.
    Tone(Option<Tone>),
    /// Keep in the call history.
    Record(CallRecord),
    /// Tell those who watch.
    Notice(NoticeBody),
    /// The call manager wants the phone to begin anew, and no call goes on any more.
    Restart {
        /// The device file may have changed.
        reset: bool,
    },
    /// Ask this of a phone on the desk; answer with `desk_answered`.
    Desk {
        /// How.
        control: DeskControl,
        /// What.
        order: DeskOrder,
    },
    /// Everything is hung up and the registration withdrawn.
    Stopped,
}

/// Where the registration stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Registration {
    /// On its way to this server.
    Trying(SipServer),
    /// Registered.
    Ready {
        /// Where.
        server: SipServer,
        /// For how long before it must be refreshed.
        expires: Duration,
    },
    /// Not registered.
    Failed {
        /// Where it failed.
        server: SipServer,
        /// Why.
        fault: Fault,
        /// When the next attempt comes; without it nothing more is tried.
        retry_in: Option<Duration>,
    },
    /// Withdrawn.
    Gone,
}
