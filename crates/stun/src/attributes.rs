//! Attributes: their numbers, and the addresses in them.

use std::net::{IpAddr, SocketAddr};

use crate::{COOKIE, TransactionId};

/// Number of an attribute (RFC 8489 section 18.3, RFC 8656 section 18, RFC 8445 section 16.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Attribute {
    /// Address as it came, of old servers.
    MappedAddress = 0x0001,
    /// Who asks.
    Username = 0x0006,
    /// HMAC-SHA1 of what stands before.
    MessageIntegrity = 0x0008,
    /// Why not.
    ErrorCode = 0x0009,
    /// What was not understood.
    UnknownAttributes = 0x000a,
    /// Number of a channel.
    ChannelNumber = 0x000c,
    /// Seconds.
    Lifetime = 0x000d,
    /// Whom a relay is to send to, or who sent.
    XorPeerAddress = 0x0012,
    /// What is relayed.
    Data = 0x0013,
    /// For whom a password is.
    Realm = 0x0014,
    /// A word of the server, good for a while.
    Nonce = 0x0015,
    /// The address that a relay gave us.
    XorRelayedAddress = 0x0016,
    /// UDP, for relays.
    RequestedTransport = 0x0019,
    /// HMAC-SHA256 of what stands before.
    MessageIntegritySha256 = 0x001c,
    /// How a password becomes a key, as chosen.
    PasswordAlgorithm = 0x001d,
    /// Who asks, without the name.
    Userhash = 0x001e,
    /// The address we are seen with.
    XorMappedAddress = 0x0020,
    /// Priority of a candidate.
    Priority = 0x0024,
    /// This pair is chosen.
    UseCandidate = 0x0025,
    /// How a password becomes a key, as offered.
    PasswordAlgorithms = 0x8002,
    /// Name of a program.
    Software = 0x8022,
    /// Another server.
    AlternateServer = 0x8023,
    /// CRC of what stands before.
    Fingerprint = 0x8028,
    /// The other side lets us choose.
    IceControlled = 0x8029,
    /// The other side chooses.
    IceControlling = 0x802a,
}

impl Attribute {
    const ALL: [Self; 25] = [
        Self::MappedAddress,
        Self::Username,
        Self::MessageIntegrity,
        Self::ErrorCode,
        Self::UnknownAttributes,
        Self::ChannelNumber,
        Self::Lifetime,
        Self::XorPeerAddress,
        Self::Data,
        Self::Realm,
        Self::Nonce,
        Self::XorRelayedAddress,
        Self::RequestedTransport,
        Self::MessageIntegritySha256,
        Self::PasswordAlgorithm,
        Self::Userhash,
        Self::XorMappedAddress,
        Self::Priority,
        Self::UseCandidate,
        Self::PasswordAlgorithms,
        Self::Software,
        Self::AlternateServer,
        Self::Fingerprint,
        Self::IceControlled,
        Self::IceControlling,
    ];

    pub(crate) fn of(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u16 == number)
    }

    /// Who does not know such an attribute must not go on (RFC 8489 section 14).
    pub(crate) fn is_required(number: u16) -> bool {
        number < 0x8000
    }
}

/// Codes of refusals (RFC 8489 section 14.8, RFC 8656 section 19, RFC 8445 section 16.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// Who are you?
    pub const UNAUTHENTICATED: Self = Self(401);
    /// An attribute that has to be understood is not.
    pub const UNKNOWN_ATTRIBUTE: Self = Self(420);
    /// The nonce is old.
    pub const STALE_NONCE: Self = Self(438);
    /// Both sides want to choose, or neither.
    pub const ROLE_CONFLICT: Self = Self(487);
}

/// An address; with `mixed` the bytes are mixed with cookie and transaction (RFC 8489 section
/// 14.2).
pub(crate) fn read_address(value: &[u8], mixed: Option<&TransactionId>) -> Option<SocketAddr> {
    let (&[_, family, high, low], rest) = value.split_first_chunk::<4>()?;
    let mask = mixed.map_or([0; 16], mask);
    let port = u16::from_be_bytes([high ^ mask[0], low ^ mask[1]]);
    let ip = match (family, rest.len()) {
        (1, 4) => IpAddr::from(unmix::<4>(rest, &mask)?),
        (2, 16) => IpAddr::from(unmix::<16>(rest, &mask)?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The bytes that [`read_address`] reads.
pub(crate) fn write_address(address: SocketAddr, transaction: &TransactionId) -> Vec<u8> {
    let mask = mask(transaction);
    let (family, ip) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let port = address.port().to_be_bytes();
    let mut out = vec![0, family, port[0] ^ mask[0], port[1] ^ mask[1]];
    out.extend(ip.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    out
}

fn mask(transaction: &TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(transaction);
    mask
}

fn unmix<const N: usize>(bytes: &[u8], mask: &[u8; 16]) -> Option<[u8; N]> {
    let mut out: [u8; N] = bytes.try_into().ok()?;
    for (byte, mask) in out.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    Some(out)
}
