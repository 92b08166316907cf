//! What the media thread is told.

use crossbeam_channel::Sender;
use offhook_model::{AudioSpec, CallId, Role, StreamStats};
use offhook_ports::{IceGather, MediaPlan};

use super::socket::Pair;
use crate::device::{DeskEvent, Listing};
use crate::dsp::Tone;

/// Bound ports of a call, and how ways are looked for from them.
pub(super) type Ports = (Pair, Option<IceGather>);

pub(super) enum Order {
    Reserve { call: CallId, wire: Box<Ports> },
    Apply { call: CallId, plan: Box<MediaPlan> },
    Release { call: CallId },
    Dtmf { call: CallId, digits: String },
    Mute { call: CallId, muted: bool },
    Tone(Option<Tone>),
    Stats { call: CallId, reply: Sender<Vec<StreamStats>> },
    Select { role: Role, spec: AudioSpec },
    Devices { reply: Sender<Listing> },
    Desk(DeskEvent),
    Shutdown { reply: Sender<()> },
}
