//! Encryption from client to client: key agreement (X3DH), the Double Ratchet and the messages of
//! OMEMO (XEP-0384), as values over bytes.
//!
//! The crate opens no socket, reads no clock and draws no random number: chance is an
//! [`Entropy`] that the caller gives, time a number of seconds. XML, device lists and whom to
//! trust are the business of `offhook-im`.
//!
//! Two dialects share everything but names and the form of messages: version 0.8 and later
//! ([`Dialect::Two`], `urn:xmpp:omemo:2`), whose payload is AES-256-CBC with HMAC-SHA-256, and
//! version 0.3 ([`Dialect::Old`], `eu.siacs.conversations.axolotl`), AES-128-GCM, which most
//! programs of today speak.

use serde::{Deserialize, Serialize};

mod bundle;
mod crypto;
#[doc(hidden)]
pub mod fuzzing;
mod keys;
pub mod payload;
mod protobuf;
mod ratchet;
mod session;
mod wire;
mod x3dh;

pub use bundle::{Bundle, PreKey};
pub use keys::{IdentityKey, Key, Own};
pub use offhook_ports::Entropy;
pub use session::{KeyMessage, Opened, Session};

/// How many skipped message keys a session keeps, and how many a single message may skip.
pub const SKIPPED: usize = 1_000;

/// How many one-time prekeys a bundle offers (XEP-0384 section 4.3 asks for 100).
pub const PREKEYS: usize = 100;

/// After so many seconds a signed prekey is replaced (a week); the one before it stays good for as
/// long again.
pub const SIGNED_AGE: u64 = 7 * 24 * 3_600;

/// Which version of XEP-0384 is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dialect {
    /// Version 0.8 and later: `urn:xmpp:omemo:2`.
    Two,
    /// Version 0.3: `eu.siacs.conversations.axolotl`.
    Old,
}

impl Dialect {
    /// Information of the key agreement's derivation.
    pub(crate) fn agreement_info(self) -> &'static [u8] {
        match self {
            Self::Two => b"OMEMO X3DH",
            Self::Old => b"WhisperText",
        }
    }

    /// Information of the root chain's derivation.
    pub(crate) fn root_info(self) -> &'static [u8] {
        match self {
            Self::Two => b"OMEMO Root Chain",
            Self::Old => b"WhisperRatchet",
        }
    }

    /// Information of the derivation of what encrypts one message.
    pub(crate) fn message_info(self) -> &'static [u8] {
        match self {
            Self::Two => b"OMEMO Message Key Material",
            Self::Old => b"WhisperMessageKeys",
        }
    }

    /// Bytes of a message's authentication.
    pub(crate) fn mac_len(self) -> usize {
        match self {
            Self::Two => 16,
            Self::Old => 8,
        }
    }
}

/// Why something could not be encrypted or read. None tells anything of keys or contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not have the form that the standard gives.
    #[error("the data does not have the form of XEP-0384")]
    Malformed,
    /// A signature or an authentication code is wrong: damaged, forged or for another session.
    #[error("the message cannot be authenticated")]
    Forged,
    /// It was read before, or its key has been given up.
    #[error("the key of the message is no longer there")]
    KeyGone,
    /// It wants more keys to be skipped than [`SKIPPED`].
    #[error("too many messages before this one are missing")]
    TooFar,
    /// It was made with a prekey that we do not have (any more).
    #[error("it was made with a key of ours that is no longer there")]
    NoPreKey,
    /// The bundle offers no one-time key.
    #[error("the device offers no keys to begin with")]
    Exhausted,
    /// Arithmetic refused a key, such as one of small order.
    #[error("a key is not usable")]
    BadKey,
}
