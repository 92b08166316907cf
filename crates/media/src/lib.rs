//! Sound: devices, and the engine that carries calls between them and the network.
//!
//! [`MediaEngine`] is the only door. It is told plans ([`offhook_ports::MediaPlan`]), tells facts
//! ([`offhook_ports::MediaFact`]) and gives figures when asked. It decides nothing about calls:
//! whom to send to, what with, and when is in the plan.
//!
//! Absent here: signalling, session descriptions, and anything that waits (no async runtime).

mod device;
mod dsp;
mod engine;
#[doc(hidden)]
pub mod fuzzing;
mod processing;

#[doc(hidden)]
pub use device::callback;
#[doc(hidden)]
pub use device::pulse::feed as pulse;
pub use dsp::Tone;
#[doc(hidden)]
pub use engine::rehearsal;
pub use engine::{MediaEngine, MediaOptions, Search, ToRelay};
#[doc(hidden)]
pub use processing::room;

/// Reading and writing WAV files.
pub use device::wav;
