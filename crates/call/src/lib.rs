//! Calls as the user knows them: ring, answer, hold, keypad, hang up.
//!
//! [`Phone`] owns the SIP user agent and one description negotiation a call, and turns both into
//! [`offhook_model::Call`]s. It never touches sound: it hands the media engine a plan and is told
//! facts. A plain value: no sockets, no clock, no randomness of its own.

mod abilities;
mod asked;
mod conference;
mod desk;
mod ending;
mod entry;
mod events;
mod hold;
mod identity;
mod moving;
mod output;
mod phone;
mod referred;
mod server;
mod services;
mod setup;
mod silent;
mod tones;
mod transfer;
mod ways;
mod wishes;

pub use output::{Output, Registration};
pub use phone::Phone;
pub use tones::Tone;
