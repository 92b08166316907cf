//! SIP for a softphone: messages, transactions, dialogs, digest, registration, and the
//! [`UserAgent`] that puts them together, for plain registrars and for Communications Manager.
//!
//! Everything here is a value that is fed and drained. This crate opens no socket, reads no
//! clock, draws no randomness of its own (identifiers come from a seed) and starts no thread.
//! It does not look into session descriptions: they pass through as text.
//!
//! Left for later: several flows side by side (RFC 5626 section 4.2.1), patterns of several keys
//! (RFC 4730), asking a focus for its roster (RFC 4579: what it tells by itself is read), an offer in
//! PRACK, and the statistics that the vendor's client writes into BYE.

pub mod agent;
mod conference;
pub mod cucm;
pub mod dialog;
pub mod digest;
#[doc(hidden)]
pub mod fuzzing;
pub mod identity;
mod lines;
pub mod message;
mod registration;
mod remote;
mod token;
pub mod transaction;
mod xml;

pub use agent::{
    Arrival, By, CallInfo, Control, End, Event, Output, ReferTarget, Referral, RosterEntry,
    SipCall, SoftKey, TransferStep, UserAgent,
};
pub use identity::Identity;
