//! STUN and channel data on a stream (RFC 8489 section 6.2.2, RFC 8656 section 12.5): where one ends
//! and the next begins.

/// Bytes before the length is known, of either kind.
const HEAD: usize = 4;
/// Bytes of a STUN message that its length does not count.
const STUN_HEAD: usize = 20;

/// The stream holds something that is neither; there is no way to tell where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay's stream holds something that is neither STUN nor channel data")]
pub struct Strange;

/// Cuts a stream into what would be datagrams. Holds at most one that is not whole, some 64 KiB, beside
/// what was given last.
#[derive(Debug, Default)]
pub struct Cutter {
    bytes: Vec<u8>,
    /// What of it was given out.
    used: usize,
}

impl Cutter {
    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole one, as it would be in a datagram.
    ///
    /// # Errors
    /// [`Strange`]: nothing more can be read.
    pub fn cut(&mut self) -> Result<Option<&[u8]>, Strange> {
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        let Some(head) = rest.first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (own, taken) = match head[0] >> 6 {
            0 => (STUN_HEAD + length, STUN_HEAD + length),
            // Four at a time on a stream, which the length does not say.
            1 => (HEAD + length, HEAD + length.next_multiple_of(4)),
            _ => return Err(Strange),
        };
        if rest.len() < taken {
            return Ok(None);
        }
        let start = self.used;
        self.used += taken;
        Ok(self.bytes.get(start..start + own))
    }
}

/// Fills up what goes out as a datagram would, so that it can go on a stream.
pub fn fill(datagram: &mut Vec<u8>) {
    datagram.resize(datagram.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::{Cutter, Strange, fill};
    use crate::{Class, Draft, Method};

    #[test]
    fn a_stream_is_cut_wherever_it_was_broken() {
        let message = Draft::new(Class::Request, Method::Binding, [7; 12]).finish();
        let channel = vec![0x40, 0, 0, 3, 1, 2, 3];
        let mut stream = message.clone();
        let mut filled = channel.clone();
        fill(&mut filled);
        stream.extend(filled);
        stream.extend(&message);
        for piece in 1..stream.len() {
            let (mut cutter, mut got) = (Cutter::default(), vec![]);
            for bytes in stream.chunks(piece) {
                cutter.push(bytes);
                while let Some(one) = cutter.cut().expect("all is known") {
                    got.push(one.to_vec());
                }
            }
            assert_eq!(got, [message.clone(), channel.clone(), message.clone()], "{piece}");
        }
    }

    #[test]
    fn what_is_neither_ends_it() {
        let mut cutter = Cutter::default();
        cutter.push(b"\x80\x00\x00\x00");
        assert_eq!(cutter.cut(), Err(Strange));
        cutter.push(b"HTTP/1.1 400");
        assert_eq!(cutter.cut(), Err(Strange));
    }
}
