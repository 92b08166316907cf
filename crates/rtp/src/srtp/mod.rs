//! SRTP and SRTCP (RFC 3711, RFC 7714): packets encrypted and proven in place, one [`Sender`] and
//! one [`Receiver`] a stream and key.
//!
//! Left out, because nobody we talk to negotiates it: master key identifiers, a key derivation
//! rate other than 0, and streams that are proven but not encrypted.

mod cipher;
mod keys;
mod receiver;
mod sender;
mod window;

#[cfg(test)]
mod tests;

pub use receiver::Receiver;
pub use sender::Sender;

/// The most bytes that protection adds to a packet: a tag of 16 and, on reports, an index of 4.
pub const OVERHEAD: usize = 20;

/// Packets of sound that one key may protect (RFC 3711 section 9.2; RFC 7714 section 6).
const MAX_INDEX: u64 = (1 << 48) - 1;
/// Reports that one key may protect.
const MAX_REPORT_INDEX: u32 = (1 << 31) - 1;

/// Why a packet is not protected, or not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Key and salt are not as long as the suite wants them.
    #[error("the key is of the wrong length")]
    KeyLength,
    /// Shorter than header and tag.
    #[error("the packet is cut short")]
    Short,
    /// No room for the tag.
    #[error("there is no room for the tag")]
    NoRoom,
    /// It came before, or is too old to tell.
    #[error("the packet was seen before")]
    Replayed,
    /// The tag does not fit: another key, or somebody changed it.
    #[error("the packet is not from the other side")]
    Forged,
    /// A report that is not encrypted.
    #[error("the report is not encrypted")]
    InClear,
    /// The key has protected all that it may.
    #[error("the key is used up")]
    UsedUp,
}

/// Where the payload of an RTP packet begins: after sources and extension.
fn header_length(packet: &[u8]) -> Result<usize, SrtpError> {
    let first = *packet.first().ok_or(SrtpError::Short)?;
    let mut length = crate::HEADER_LEN + 4 * usize::from(first & 15);
    if first & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4).ok_or(SrtpError::Short)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    if packet.len() < length { Err(SrtpError::Short) } else { Ok(length) }
}

fn word(packet: &[u8], at: usize) -> Result<u32, SrtpError> {
    let bytes = packet.get(at..at + 4).ok_or(SrtpError::Short)?;
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| SrtpError::Short)
}

/// Sequence number and source of an RTP packet.
fn sequence_and_source(packet: &[u8]) -> Result<(u16, u32), SrtpError> {
    Ok((word(packet, 0)? as u16, word(packet, 8)?))
}
