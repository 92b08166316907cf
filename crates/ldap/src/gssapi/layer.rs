//! What protects the connection after the bind: every piece in its frame (RFC 4422 section 3.7).

use offhook_model::TicketFault;
use offhook_net::Tickets;

use crate::ber::Broken;

/// Bytes of one frame that are taken: as many as its length field of three useful bytes names.
pub(super) const LARGEST: usize = 0xff_ff_ff;

/// The protection of one connection.
pub(crate) struct Layer {
    context: Tickets,
    confidential: bool,
    /// Bytes that go into one frame.
    piece: usize,
    /// What came and is no whole frame yet.
    raw: Vec<u8>,
}

impl Layer {
    /// `room` is how many bytes of a frame the directory takes.
    pub(super) fn new(
        mut context: Tickets,
        confidential: bool,
        room: u32,
    ) -> Result<Self, TicketFault> {
        let piece = context.room(room, confidential)?;
        let piece = usize::try_from(piece).unwrap_or(usize::MAX).min(LARGEST);
        if piece == 0 {
            return Err(TicketFault::Protection);
        }
        Ok(Self { context, confidential, piece, raw: vec![] })
    }

    /// The frames of a message.
    pub(crate) fn frames(&mut self, message: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut frames = Vec::with_capacity(message.len() + 128);
        for piece in message.chunks(self.piece) {
            let frame = self.context.wrap(piece, self.confidential);
            let frame = frame.map_err(|_| Broken("a connection that can be protected"))?;
            let length = u32::try_from(frame.len()).map_err(|_| Broken("a shorter message"))?;
            frames.extend_from_slice(&length.to_be_bytes());
            frames.extend_from_slice(&frame);
        }
        Ok(frames)
    }

    /// Where what comes goes first.
    pub(crate) fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.raw
    }

    /// Opens the frames that are whole.
    pub(crate) fn open(&mut self, into: &mut Vec<u8>) -> Result<(), Broken> {
        let mut at = 0;
        while let Some(rest) = self.raw.get(at..)
            && let Some(frame) = whole(rest)?
        {
            let opened = self.context.unwrap(frame);
            into.extend(opened.map_err(|_| Broken("what is protected as agreed"))?);
            at += 4 + frame.len();
        }
        self.raw.drain(..at);
        Ok(())
    }
}

/// The frame at the front, if it is all there.
pub(crate) fn whole(bytes: &[u8]) -> Result<Option<&[u8]>, Broken> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > LARGEST {
        return Err(Broken("a frame of bearable length"));
    }
    Ok(rest.get(..length))
}

#[cfg(test)]
mod tests {
    use super::{Broken, whole};

    #[test]
    fn a_frame_is_taken_when_it_is_whole() {
        let bytes = [0, 0, 0, 2, 7, 8, 9];
        for end in 0..6 {
            assert_eq!(whole(&bytes[..end]), Ok(None));
        }
        assert_eq!(whole(&bytes[..6]), Ok(Some(&[7, 8][..])));
        assert_eq!(whole(&bytes), Ok(Some(&[7, 8][..])));
        assert_eq!(whole(&[1, 0, 0, 0]), Err(Broken("a frame of bearable length")));
        assert_eq!(whole(&[0, 0, 0, 0]), Ok(Some(&[][..])));
    }
}
