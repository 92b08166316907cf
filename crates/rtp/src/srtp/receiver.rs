//! What we receive.

use offhook_model::SrtpSuite;

use super::cipher::{Cipher, Index};
use super::keys::Use;
use super::window::Window;
use super::{MAX_INDEX, SrtpError, header_length, sequence_and_source, word};

/// Sources whose counters are kept at once: what was heard before the present one may still be on
/// its way.
const SOURCES: usize = 4;

/// Opens what comes under one master key.
pub struct Receiver {
    sound: Cipher,
    pub(super) reports: Cipher,
    streams: Vec<Stream>,
    report_windows: Vec<(u32, Window)>,
}

struct Stream {
    source: u32,
    window: Window,
}

impl Receiver {
    /// With this master key and salt, one behind the other.
    ///
    /// # Errors
    /// [`SrtpError::KeyLength`].
    pub fn new(suite: SrtpSuite, master: &[u8]) -> Result<Self, SrtpError> {
        Ok(Self {
            sound: Cipher::new(suite, master, Use::Sound)?,
            reports: Cipher::new(suite, master, Use::Reports)?,
            streams: Vec::with_capacity(SOURCES),
            report_windows: Vec::with_capacity(SOURCES),
        })
    }

    /// Opens an SRTP packet in place; gives the length of the RTP packet in it.
    ///
    /// # Errors
    /// It is too short, came before, or is not from whoever has the key. Its bytes are not to be
    /// used then.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let clear = header_length(packet)?;
        let (sequence, source) = sequence_and_source(packet)?;
        let known = self.streams.iter().position(|stream| stream.source == source);
        let window = known.map_or_else(Window::default, |at| self.streams[at].window);
        let index = guess(window.highest(), sequence);
        if index > MAX_INDEX || !window.is_new(index) {
            return Err(SrtpError::Replayed);
        }
        let rollover = (index >> 16) as u32;
        let number = Index::Sound { source, rollover, sequence };
        let length = self.sound.open(packet, clear, number, rollover.to_be_bytes())?;
        // Only what is proven counts: a stranger could move the window otherwise.
        let at = known.unwrap_or_else(|| {
            if self.streams.len() >= SOURCES {
                self.streams.remove(0);
            }
            self.streams.push(Stream { source, window });
            self.streams.len() - 1
        });
        if let Some(stream) = self.streams.get_mut(at) {
            stream.window.note(index);
        }
        Ok(length)
    }

    /// Opens an SRTCP packet in place; gives the length of the RTCP compound in it.
    ///
    /// # Errors
    /// As [`Self::unprotect`], and [`SrtpError::InClear`].
    pub fn unprotect_report(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let tag = self.reports.tag();
        let length = packet.len().checked_sub(tag + 4).ok_or(SrtpError::Short)?;
        let source = word(packet, 4)?;
        let at = match &self.reports {
            Cipher::Counter { .. } => length,
            Cipher::Galois { .. } => length + tag,
        };
        let trailer = word(packet, at)?;
        if trailer >> 31 == 0 {
            return Err(SrtpError::InClear);
        }
        let index = trailer & !(1 << 31);
        let known = self.report_windows.iter().position(|(known, _)| *known == source);
        let mut window = known.map_or_else(Window::default, |at| self.report_windows[at].1);
        if !window.is_new(index.into()) {
            return Err(SrtpError::Replayed);
        }
        if matches!(self.reports, Cipher::Counter { .. }) {
            // The index word comes before the tag; it is proven by itself.
            packet.copy_within(length + 4.., length);
        }
        let whole = packet.get_mut(..length + tag).ok_or(SrtpError::Short)?;
        let number = Index::Report { source, index };
        let length = self.reports.open(whole, 8, number, trailer.to_be_bytes())?;
        window.note(index.into());
        match known {
            Some(at) => self.report_windows[at].1 = window,
            None => {
                if self.report_windows.len() >= SOURCES {
                    self.report_windows.remove(0);
                }
                self.report_windows.push((source, window));
            }
        }
        Ok(length)
    }
}

/// The index that a sequence number most likely has (RFC 3711 section 3.3.1, appendix A): the one
/// nearest to the highest that came.
fn guess(highest: Option<u64>, sequence: u16) -> u64 {
    let Some(highest) = highest else { return sequence.into() };
    let ahead = i64::from(sequence.wrapping_sub(highest as u16) as i16);
    match highest.checked_add_signed(ahead) {
        Some(index) => index,
        // Before the very first packet: there is nothing before it, so it is after.
        None => u64::from(sequence),
    }
}

#[cfg(test)]
mod guessing {
    use super::guess;

    #[test]
    fn the_nearest_index_is_meant() {
        for (highest, sequence, index) in [
            (None, 65_535, 65_535),
            (Some(65_535), 0, 65_536),
            (Some(65_536), 65_535, 65_535),
            (Some(10), 9, 9),
            (Some(3), 65_530, 65_530),
            (Some(0x2_0005), 0xfffe, 0x1_fffe),
            (Some(0x2_8000), 0x7fff, 0x2_7fff),
        ] {
            assert_eq!(guess(highest, sequence), index, "{highest:?} {sequence}");
        }
    }
}
