//! Cutting a stream into messages by Content-Length (RFC 3261 section 18.3), with the CRLF
//! keep-alives of RFC 5626 section 3.5.1.

use super::text::trim;
use super::{MAX_BODY, MAX_HEAD, ParseError, head_end, scan};

/// What came next on the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message.
    Message(Vec<u8>),
    /// Two line ends between messages: the peer wants one back.
    Ping,
    /// One line end between messages: the answer to our ping.
    Pong,
}

/// Collects bytes and cuts them. After an error the stream cannot be used any more, because
/// nobody knows where the next message starts.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Before here no empty line starts, so that a message that comes byte by byte is not
    /// searched again and again.
    searched: usize,
    /// The first line is there and is one of a message.
    started: bool,
    /// Head and body lengths, once the head is there.
    wanted: Option<usize>,
}

impl Framer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// What has come and is no whole message yet; after an error also what could not be cut.
    pub fn rest(&self) -> &[u8] {
        &self.buffer
    }

    /// The next frame, or nothing until more bytes have come.
    ///
    /// # Errors
    /// [`ParseError::HeadTooLarge`], [`ParseError::BodyTooLarge`],
    /// [`ParseError::ContentLength`], or [`ParseError::StartLine`] when what follows a message is
    /// no message: its Content-Length was missing or wrong.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ParseError> {
        if self.wanted.is_none() {
            if let Some(frame) = self.line_ends() {
                return Ok(Some(frame));
            }
            if self.buffer == b"\r\n\r" {
                // Three quarters of a ping, no message that begins with an empty line.
                return Ok(None);
            }
            self.find_head()?;
        }
        match self.wanted {
            Some(length) if self.buffer.len() >= length => {
                let rest = self.buffer.split_off(length);
                let message = std::mem::replace(&mut self.buffer, rest);
                (self.searched, self.started, self.wanted) = (0, false, None);
                Ok(Some(Frame::Message(message)))
            }
            _ => Ok(None),
        }
    }

    /// Takes line ends from before a message. One alone may be the first half of a ping, so it
    /// counts as a pong only when nothing or a message follows.
    fn line_ends(&mut self) -> Option<Frame> {
        let (length, frame) = match self.buffer.as_slice() {
            [b'\r', b'\n', b'\r', b'\n', ..] => (4, Frame::Ping),
            [b'\r', b'\n', b'\r'] => return None,
            [b'\r', b'\n', ..] => (2, Frame::Pong),
            [b'\n', ..] => (1, Frame::Pong),
            _ => return None,
        };
        self.buffer.drain(..length);
        self.searched = 0;
        Some(frame)
    }

    /// Looks at the first line of a message as soon as it has ended: where a message without or
    /// with a wrong Content-Length came before, it is the rest of that one's body.
    fn find_start(&mut self) -> Result<bool, ParseError> {
        let Some(end) = scan::find(&self.buffer, self.searched, b'\n') else {
            self.searched = self.buffer.len();
            return if self.searched > MAX_HEAD {
                Err(ParseError::HeadTooLarge)
            } else {
                Ok(false)
            };
        };
        if !is_start_line(self.buffer[..end].trim_ascii_end()) {
            return Err(ParseError::StartLine);
        }
        self.started = true;
        Ok(true)
    }

    fn find_head(&mut self) -> Result<(), ParseError> {
        if !self.started && !self.find_start()? {
            return Ok(());
        }
        let Some((head, body)) = head_end(&self.buffer, self.searched) else {
            if self.buffer.len() > MAX_HEAD {
                return Err(ParseError::HeadTooLarge);
            }
            // An empty line may have begun within the last two bytes.
            self.searched = self.buffer.len().saturating_sub(2);
            return Ok(());
        };
        if head > MAX_HEAD {
            return Err(ParseError::HeadTooLarge);
        }
        let length = content_length(&self.buffer[..head])?;
        if length > MAX_BODY {
            return Err(ParseError::BodyTooLarge);
        }
        self.wanted = Some(body + length);
        Ok(())
    }
}

/// Whether a line may be the first one of a message: it begins or ends with the version.
fn is_start_line(line: &[u8]) -> bool {
    let version = |word: &[u8]| word.get(..4).is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/"));
    version(line) || line.rsplit(|b| *b == b' ').next().is_some_and(version)
}

/// Content-Length among header lines; 0 when there is none, as with nothing else the stream
/// could go on.
fn content_length(head: &[u8]) -> Result<usize, ParseError> {
    let mut found: Option<usize> = None;
    for line in head.split(|b| *b == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = line[..colon].trim_ascii();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value =
            std::str::from_utf8(&line[colon + 1..]).map_err(|_| ParseError::ContentLength)?;
        let value = trim(value);
        if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseError::ContentLength);
        }
        let length = value.parse().unwrap_or(usize::MAX);
        if found.replace(length).is_some_and(|before| before != length) {
            return Err(ParseError::ContentLength);
        }
    }
    Ok(found.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Frame, Framer, MAX_HEAD};
    use crate::message::ParseError;

    const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc";

    fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut framer = Framer::new();
        let mut out = vec![];
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.next_frame().expect("good stream") {
                out.push(frame);
            }
        }
        out
    }

    #[test]
    fn a_stream_is_cut_the_same_however_it_comes() {
        let stream = [OPTIONS, b"\r\n\r\n", OPTIONS, OPTIONS].concat();
        let message = Frame::Message(OPTIONS.to_vec());
        let whole = frames(&[&stream]);
        assert_eq!(whole, [message.clone(), Frame::Ping, message.clone(), message]);
        let mut bytes: Vec<_> = frames(&stream.chunks(1).collect::<Vec<_>>());
        // Byte by byte a ping is two pongs; messages are the same.
        bytes.retain(|frame| matches!(frame, Frame::Message(_)));
        assert_eq!(bytes.len(), 3);
    }

    #[test]
    fn a_ping_that_is_broken_anywhere_is_no_error() {
        let stream = [OPTIONS, b"\r\n\r\n", OPTIONS].concat();
        for at in 0..stream.len() {
            let mut found = frames(&[&stream[..at], &stream[at..]]);
            found.retain(|frame| matches!(frame, Frame::Message(_)));
            assert_eq!(found.len(), 2, "broken at {at}");
        }
    }

    #[test]
    fn limits_are_errors() {
        let run = |bytes: &[u8]| {
            let mut framer = Framer::new();
            framer.push(bytes);
            framer.next_frame()
        };
        assert_eq!(run(&vec![b'a'; MAX_HEAD + 1]), Err(ParseError::HeadTooLarge));
        let headers = |text: &str| run(format!("A sip:a SIP/2.0\r\n{text}\r\n\r\n").as_bytes());
        assert_eq!(headers("l: 9999999"), Err(ParseError::BodyTooLarge));
        assert_eq!(headers("Content-Length: -1"), Err(ParseError::ContentLength));
        assert_eq!(headers("l: 1\r\nl: 2"), Err(ParseError::ContentLength));
    }

    #[test]
    fn what_is_no_message_ends_the_stream_at_its_first_line() {
        let mut framer = Framer::new();
        framer.push(b"OPTIONS sip:a SIP/2.0\r\n\r\nv=0");
        assert!(matches!(framer.next_frame(), Ok(Some(Frame::Message(_)))));
        assert_eq!(framer.next_frame(), Ok(None), "the line may go on");
        framer.push(b"\r\ns=-\r\n");
        assert_eq!(framer.next_frame(), Err(ParseError::StartLine));
    }
}
