//! Session descriptions: reading (RFC 8866), and offer and answer (RFC 3264) for one audio stream.
//!
//! Streams other than the one audio stream are rejected with port 0 and keep their places, as
//! RFC 3264 section 6 wants. Keys for SRTP are negotiated by `a=crypto` (RFC 4568); a description that
//! insists on other ways (DTLS-SRTP, MIKEY) is refused with a reason of its own.

mod audio;
mod crypto;
mod description;
mod ice;
mod negotiator;
mod numbers;

use std::net::IpAddr;
use std::time::Duration;

use offhook_model::{AudioCodec, Secret};

pub use crypto::Encryption;
pub use description::{Connection, Description, Flow, Media};
pub use ice::{LocalIce, ice_credentials, offers_ice};
pub use negotiator::Negotiator;

/// Why a description cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is no session description at all.
    #[error("this is not a session description")]
    NotSdp,
    /// Larger than any honest description.
    #[error("the session description is too large")]
    TooLarge,
    /// It has no audio stream.
    #[error("the session description has no audio stream")]
    NoAudio,
    /// The audio stream was rejected with port 0.
    #[error("the other side rejected the audio stream")]
    Rejected,
    /// Audio is there, but no codec that we know.
    #[error("no audio codec in common")]
    NothingInCommon,
    /// Audio is offered encrypted, but in no way that we can do.
    #[error("the other side encrypts audio in a way that is not known here")]
    SecureOnly,
    /// Audio is to be encrypted, and they do not.
    #[error("the other side does not encrypt audio")]
    InClear,
    /// No address, a host name, or an address of the other family.
    #[error("the session description names no address that can be used")]
    Address,
    /// An answer came without an offer of ours.
    #[error("an answer came without an offer")]
    NothingOffered,
}

/// Our side of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where we receive.
    pub address: IpAddr,
    /// Our UDP port for RTP.
    pub rtp_port: u16,
    /// Our UDP port for RTCP.
    pub rtcp_port: u16,
    /// Codecs in order of preference.
    pub codecs: Vec<AudioCodec>,
    /// Silence of ours may be left out where they agree to it.
    pub quiet: bool,
    /// How much sound a packet to us should hold, and one of ours holds unless they ask otherwise.
    pub packet_time: Duration,
    /// Packets that carry earlier sound once more (RFC 2198) are offered; who offers them is
    /// answered in any case.
    pub redundancy: bool,
    /// Code point for the plan, 0 to 63.
    pub dscp: u8,
    /// CNAME for the plan (RFC 3550 section 6.5.1).
    pub cname: String,
    /// We hold them.
    pub hold: bool,
    /// Whether the stream is to be encrypted.
    pub encryption: Encryption,
    /// What our keys for it are made of: from the system's source of chance, another for each call.
    pub secret: Secret<[u8; 32]>,
    /// Ways to offer and to take; without it the stream goes to the addresses named.
    pub ice: Option<LocalIce>,
}
