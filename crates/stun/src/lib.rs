//! STUN messages (RFC 8489) with the attributes of TURN (RFC 8656) and ICE (RFC 8445), and what the
//! first byte of a datagram says (RFC 7983).
//!
//! Reading and writing only: who asks whom and when is for those who use it, the ways of calls and
//! the keep-alive of SIP flows.

mod attributes;
#[doc(hidden)]
pub mod fuzzing;
mod read;
mod stream;
mod write;

pub use attributes::{Attribute, ErrorCode};
pub use read::{Message, StunError};
pub use stream::{Cutter, Strange, fill};
pub use write::{Draft, Key};

/// The number that every message carries (RFC 8489 section 5).
pub const COOKIE: u32 = 0x2112_a442;

/// Names a request and its answer.
pub type TransactionId = [u8; 12];

/// What a message is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Says yes.
    Success,
    /// Says no.
    Error,
}

/// What a message is about (RFC 8489 section 18.2, RFC 8656 section 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Which address of ours is seen.
    Binding,
    /// Be our relay.
    Allocate,
    /// Stay our relay.
    Refresh,
    /// Send on.
    Send,
    /// Was sent to us.
    Data,
    /// Let somebody send to us.
    CreatePermission,
    /// Give somebody a number.
    ChannelBind,
}

impl Method {
    const ALL: [(Self, u16); 7] = [
        (Self::Binding, 1),
        (Self::Allocate, 3),
        (Self::Refresh, 4),
        (Self::Send, 6),
        (Self::Data, 7),
        (Self::CreatePermission, 8),
        (Self::ChannelBind, 9),
    ];

    fn number(self) -> u16 {
        Self::ALL.iter().find(|(method, _)| *method == self).map_or(0, |(_, number)| *number)
    }

    fn of(number: u16) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == number).map(|(method, _)| *method)
    }
}

/// What a datagram is by its first byte (RFC 7983 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// STUN.
    Stun,
    /// Channel data of TURN.
    Channel,
    /// RTP or RTCP, or something of that kind.
    Media,
    /// Nothing known here.
    Other,
}

impl Sort {
    /// Of a datagram.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(64..=79) => Self::Channel,
            Some(128..=191) => Self::Media,
            _ => Self::Other,
        }
    }
}

/// CRC-32 of ITU V.42, as FINGERPRINT wants it (RFC 8489 section 14.7).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    })
}

/// What the sum of FINGERPRINT is mixed with.
const FINGERPRINT_MIX: u32 = 0x5354_554e;
