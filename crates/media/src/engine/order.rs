//! What the media thread is told.

use std::net::IpAddr;

use crossbeam_channel::Sender;
use offhook_model::{AudioSpec, CallId, Role, SoundSettings, StreamStats};
use offhook_ports::{IceGather, MediaPlan};

use super::socket::Pair;
use crate::device::{DeskEvent, Listing};
use crate::dsp::Tone;

/// Takes what goes to a relay over a stream: to which of [`IceGather::helpers`], for which component
/// (1 RTP, 2 RTCP), and what. Must return at once; what it cannot take is lost, as datagrams are.
pub type ToRelay = Box<dyn Fn(usize, u8, Vec<u8>) + Send>;

/// How ways of a call are looked for.
pub struct Search {
    /// What with.
    pub ice: IceGather,
    /// An address of ours of the other family, to be offered beside.
    pub beside: Option<IpAddr>,
    /// Where relays over streams are; without it they are not asked.
    pub to_relay: Option<ToRelay>,
}

/// Bound ports of a call, and how ways are looked for from them.
pub(super) struct Ports {
    pub(super) pairs: Vec<Pair>,
    pub(super) search: Option<Search>,
}

pub(super) enum Order {
    Reserve {
        call: CallId,
        wire: Box<Ports>,
    },
    /// What a stream to a relay brought, or its end.
    FromRelay {
        call: CallId,
        helper: usize,
        component: u8,
        bytes: Option<Vec<u8>>,
    },
    Apply {
        call: CallId,
        plan: Box<MediaPlan>,
    },
    Release {
        call: CallId,
    },
    Dtmf {
        call: CallId,
        digits: String,
    },
    Mute {
        call: CallId,
        muted: bool,
    },
    Tone(Option<Tone>),
    Stats {
        call: CallId,
        reply: Sender<Vec<StreamStats>>,
    },
    Select {
        role: Role,
        spec: AudioSpec,
    },
    Process(SoundSettings),
    Test(Role),
    Devices {
        reply: Sender<Listing>,
    },
    Desk(DeskEvent),
    Shutdown {
        reply: Sender<()>,
    },
}
