//! A call's sound finds its way through address translators: STUN (RFC 8489), TURN over UDP
//! (RFC 8656) and ICE (RFC 8445), for one stream of at most two components.
//!
//! [`Agent`] is a machine: datagrams, times and a seed come in as arguments, datagrams and facts
//! come out. It opens no socket and reads no clock. What is written here stands on the RFCs'
//! numbers; the wire is STUN's, whose reader (`offhook-stun`) is the only one that sees bytes of
//! strangers.

mod agent;
mod allocation;
mod asking;
mod binding;
mod checks;
#[doc(hidden)]
pub mod fuzzing;
mod gathering;
mod pairs;
mod upkeep;

pub use agent::{Agent, Base, Config, Incoming, Parcel};
