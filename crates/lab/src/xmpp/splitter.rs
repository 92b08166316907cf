//! Cuts a stream of XML into header, stanzas and end (RFC 6120 section 4) without building a tree.
//!
//! It counts tag depth, looking no further into the text than quotes and CDATA require, so each
//! byte is looked at once however the pieces arrive. What it hands out is parsed afterwards.

use crate::xml::{MAX_DEPTH, XmlError};

/// Largest stanza accepted, in bytes.
pub(crate) const MAX_STANZA: usize = 256 * 1024;

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The stream header, with the XML declaration if there was one.
    Open(String),
    /// A complete element below the stream.
    Stanza(String),
    /// The end of the stream.
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between tags.
    Text,
    /// Just after `<`.
    TagStart,
    /// In a start tag or the XML declaration, outside quotes; remembers the byte before.
    Tag { closing: bool, declaration: bool, last: u8 },
    /// In a quoted attribute value.
    Quote { quote: u8 },
    /// In `<![CDATA[`, this many bytes of the opening seen.
    CdataOpening(usize),
    /// In CDATA, this many `]` seen at the end.
    Cdata(usize),
}

/// See the module text.
#[derive(Debug)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
    /// Next byte to look at.
    at: usize,
    /// Where the piece under way starts.
    start: usize,
    depth: usize,
    opened: bool,
    state: State,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self { buffer: Vec::new(), at: 0, start: 0, depth: 0, opened: false, state: State::Text }
    }

    /// Takes bytes from the wire.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete piece, if there is one.
    ///
    /// # Errors
    /// What arrived can never become a stream, or a piece is too large.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, XmlError> {
        while let Some(&byte) = self.buffer.get(self.at) {
            self.at += 1;
            if self.at - self.start > MAX_STANZA {
                return Err(XmlError::TooLarge("stanza"));
            }
            if let Some(piece) = self.step(byte)? {
                return Ok(Some(piece));
            }
        }
        // What has been handed out need not be kept until the next read.
        self.buffer.drain(..self.start);
        self.at -= self.start;
        self.start = 0;
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Result<Option<Piece>, XmlError> {
        match self.state {
            State::Text => {
                if byte == b'<' {
                    self.state = State::TagStart;
                } else if self.depth < 2 {
                    if !byte.is_ascii_whitespace() {
                        return Err(XmlError::NotWellFormed("no text between stanzas"));
                    }
                    // A keep-alive belongs to no piece. Before the header it may not be dropped:
                    // the declaration and the header are one piece.
                    if self.depth == 1 {
                        self.start = self.at;
                    }
                }
                Ok(None)
            }
            State::TagStart => {
                self.state = match byte {
                    b'/' => State::Tag { closing: true, declaration: false, last: byte },
                    b'?' if !self.opened && self.depth == 0 => {
                        State::Tag { closing: false, declaration: true, last: 0 }
                    }
                    b'!' if self.depth >= 2 => State::CdataOpening(0),
                    b'!' | b'?' => return Err(XmlError::Restricted("declaration or instruction")),
                    b'>' | b'<' => return Err(XmlError::NotWellFormed("a name after '<'")),
                    _ => State::Tag { closing: false, declaration: false, last: byte },
                };
                Ok(None)
            }
            State::Tag { closing, declaration, last } => match byte {
                b'\'' | b'"' if closing => Err(XmlError::NotWellFormed("an end tag")),
                b'\'' | b'"' if declaration => {
                    // Quotes of the declaration never hold '>' in practice; skip them plainly.
                    self.state = State::Tag { closing, declaration, last: byte };
                    Ok(None)
                }
                b'\'' | b'"' => {
                    self.state = State::Quote { quote: byte };
                    Ok(None)
                }
                b'<' => Err(XmlError::NotWellFormed("no '<' in a tag")),
                b'>' => {
                    self.state = State::Text;
                    if declaration {
                        return if last == b'?' {
                            Ok(None)
                        } else {
                            Err(XmlError::NotWellFormed("the XML declaration"))
                        };
                    }
                    self.tag_ended(closing, last == b'/')
                }
                other => {
                    self.state = State::Tag { closing, declaration, last: other };
                    Ok(None)
                }
            },
            State::Quote { quote } => {
                if byte == quote {
                    self.state = State::Tag { closing: false, declaration: false, last: byte };
                }
                Ok(None)
            }
            State::CdataOpening(seen) => {
                const OPENING: &[u8] = b"[CDATA[";
                if OPENING.get(seen) != Some(&byte) {
                    return Err(XmlError::Restricted("comment or declaration"));
                }
                self.state = if seen + 1 == OPENING.len() {
                    State::Cdata(0)
                } else {
                    State::CdataOpening(seen + 1)
                };
                Ok(None)
            }
            State::Cdata(brackets) => {
                self.state = match byte {
                    b']' => State::Cdata((brackets + 1).min(2)),
                    b'>' if brackets == 2 => State::Text,
                    _ => State::Cdata(0),
                };
                Ok(None)
            }
        }
    }

    fn tag_ended(&mut self, closing: bool, empty: bool) -> Result<Option<Piece>, XmlError> {
        if closing {
            self.depth =
                self.depth.checked_sub(1).ok_or(XmlError::NotWellFormed("an end without start"))?;
            return match self.depth {
                0 => {
                    self.start = self.at;
                    Ok(Some(Piece::Close))
                }
                1 => self.cut().map(|text| Some(Piece::Stanza(text))),
                _ => Ok(None),
            };
        }
        if self.depth == 0 {
            if self.opened || empty {
                return Err(XmlError::NotWellFormed("one stream header that stays open"));
            }
            self.opened = true;
            self.depth = 1;
            return self.cut().map(|text| Some(Piece::Open(text)));
        }
        if empty {
            return if self.depth == 1 {
                self.cut().map(|text| Some(Piece::Stanza(text)))
            } else {
                Ok(None)
            };
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(XmlError::TooLarge("depth")) } else { Ok(None) }
    }

    fn cut(&mut self) -> Result<String, XmlError> {
        let bytes = self.buffer.get(self.start..self.at).unwrap_or_default();
        let text = std::str::from_utf8(bytes)
            .map_err(|_| XmlError::NotWellFormed("UTF-8"))?
            .trim_start()
            .to_owned();
        self.start = self.at;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "<?xml version='1.0'?><stream:stream to='x' a=\"b>'/\">\n\
        <auth>AA==</auth> <message><body><![CDATA[</body> ]] ]]]></body><x y='/>'/></message>\
        <presence/></stream:stream>";

    fn pieces(text: &str, chunk: usize) -> Result<Vec<Piece>, XmlError> {
        let mut splitter = Splitter::new();
        let mut out = Vec::new();
        for part in text.as_bytes().chunks(chunk) {
            splitter.push(part);
            while let Some(piece) = splitter.next()? {
                out.push(piece);
            }
        }
        Ok(out)
    }

    #[test]
    fn pieces_do_not_depend_on_how_bytes_arrive() {
        let whole = pieces(STREAM, usize::MAX).unwrap();
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[1], Piece::Stanza("<auth>AA==</auth>".into()));
        assert_eq!(whole[3], Piece::Stanza("<presence/>".into()));
        assert_eq!(whole[4], Piece::Close);
        for chunk in 1..40 {
            assert_eq!(pieces(STREAM, chunk).unwrap(), whole, "chunk {chunk}");
        }
    }

    #[test]
    fn hostile_streams_end_in_an_error() {
        let deep = format!("<s>{}", "<a>".repeat(MAX_DEPTH + 1));
        let long = format!("<s><m>{}", "x".repeat(MAX_STANZA + 1));
        let attribute = format!("<s><m a='{}", "x".repeat(MAX_STANZA + 1));
        for text in [
            "text",
            "<s/>",
            "</s>",
            "<s>text",
            "<s><!-- x -->",
            "<s><?php ?>",
            "<s><!DOCTYPE x>",
            "<!DOCTYPE x><s>",
            "<s><a><!ENTITY",
            "<s><<",
            "<s><a <",
            "<s></s></s>",
            "<s></s><s>",
            "<s></a'>",
            deep.as_str(),
            long.as_str(),
            attribute.as_str(),
        ] {
            let got = pieces(text, 7);
            assert!(got.is_err(), "{text:.40}: {got:.80?}");
        }
    }

    #[test]
    fn keep_alives_do_not_pile_up() {
        let mut splitter = Splitter::new();
        splitter.push(b"<s>");
        splitter.next().unwrap();
        for _ in 0..MAX_STANZA {
            splitter.push(b"  ");
            assert_eq!(splitter.next().unwrap(), None);
        }
        assert!(splitter.buffer.is_empty());
    }
}
