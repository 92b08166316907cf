//! What we send.

use offhook_model::SrtpSuite;

use super::cipher::{Cipher, Index};
use super::keys::Use;
use super::{MAX_INDEX, MAX_REPORT_INDEX, SrtpError, header_length, sequence_and_source, word};

/// Protects what goes out under one master key. Keep it as long as the key is in use: a second one
/// with the same key and source would encrypt two packets alike.
pub struct Sender {
    sound: Cipher,
    pub(super) reports: Cipher,
    /// The source, and one above the index of its last packet.
    pub(super) stream: Option<(u32, u64)>,
    pub(super) report: u32,
}

impl Sender {
    /// With this master key and salt, one behind the other.
    ///
    /// # Errors
    /// [`SrtpError::KeyLength`].
    pub fn new(suite: SrtpSuite, master: &[u8]) -> Result<Self, SrtpError> {
        Ok(Self {
            sound: Cipher::new(suite, master, Use::Sound)?,
            reports: Cipher::new(suite, master, Use::Reports)?,
            stream: None,
            report: 0,
        })
    }

    /// Protects the RTP packet in the first `length` bytes of `packet`; gives its new length, at
    /// most [`super::OVERHEAD`] more. Packets must come in order of their sequence numbers.
    ///
    /// # Errors
    /// It is no RTP packet, there is no room, or the key is used up; nothing may be sent then.
    pub fn protect(&mut self, packet: &mut [u8], length: usize) -> Result<usize, SrtpError> {
        let body = packet.get(..length).ok_or(SrtpError::Short)?;
        let clear = header_length(body)?;
        let (sequence, source) = sequence_and_source(body)?;
        let index = match self.stream {
            Some((known, next)) if known == source => {
                let ahead = sequence.wrapping_sub(next as u16);
                next + u64::from(ahead)
            }
            _ => u64::from(sequence),
        };
        if index > MAX_INDEX {
            return Err(SrtpError::UsedUp);
        }
        let rollover = (index >> 16) as u32;
        let number = Index::Sound { source, rollover, sequence };
        let end = self.sound.seal(packet, clear, length, number, rollover.to_be_bytes())?;
        self.stream = Some((source, index + 1));
        Ok(end)
    }

    /// Protects the RTCP compound in the first `length` bytes of `packet` (RFC 3711 section 3.4);
    /// gives its new length, at most [`super::OVERHEAD`] more.
    ///
    /// # Errors
    /// As [`Self::protect`].
    pub fn protect_report(&mut self, packet: &mut [u8], length: usize) -> Result<usize, SrtpError> {
        let body = packet.get(..length).filter(|body| body.len() >= 8);
        let source = word(body.ok_or(SrtpError::Short)?, 4)?;
        if self.report > MAX_REPORT_INDEX {
            return Err(SrtpError::UsedUp);
        }
        // The highest bit says that it is encrypted.
        let trailer = (self.report | 1 << 31).to_be_bytes();
        let number = Index::Report { source, index: self.report };
        let end = self.reports.seal(packet, 8, length, number, trailer)?;
        let end = place_index(packet, length, end, trailer, &self.reports)?;
        self.report += 1;
        Ok(end)
    }
}

/// The index word stands before the tag of an HMAC (RFC 3711 figure 2) and behind one of Galois
/// counter mode (RFC 7714 figure 6).
fn place_index(
    packet: &mut [u8],
    length: usize,
    end: usize,
    word: [u8; 4],
    cipher: &Cipher,
) -> Result<usize, SrtpError> {
    let tail = packet.get_mut(length..end + 4).ok_or(SrtpError::NoRoom)?;
    match cipher {
        Cipher::Counter { tag, .. } => {
            tail.copy_within(..*tag, 4);
            tail[..4].copy_from_slice(&word);
        }
        Cipher::Galois { .. } => {
            let at = tail.len() - 4;
            tail[at..].copy_from_slice(&word);
        }
    }
    Ok(end + 4)
}
