//! Passing over what lies deeper than any stanza: the bytes of an element up to its end tag, without
//! a tree and without the parser's own stack, whose look-ups take the longer the deeper it is.
//!
//! Only beginnings and ends of tags are told apart. What a stream may not hold at all (comments,
//! processing instructions, declarations: RFC 6120 section 11.1) is refused here too.

/// Where the scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In text.
    Text,
    /// In a tag; the quote that is open in it, and whether the last byte was a slash.
    Tag { quote: Option<u8>, slash: bool, end: bool },
}

/// A scan that is under way.
#[derive(Debug)]
pub(crate) struct Skim {
    at: At,
    /// Elements that are open below the one whose end is looked for.
    open: u64,
}

/// What a scan came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Skimmed {
    /// All bytes but the last ones are passed over; it goes on with more.
    More(usize),
    /// So many bytes are passed over; the end tag follows.
    End(usize),
    /// This is no XML of a stream.
    Broken,
}

impl Skim {
    /// A scan right behind the start tag of the element.
    pub(crate) fn new() -> Self {
        Self { at: At::Text, open: 0 }
    }

    /// Passes over as much of `bytes` as it can.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Skimmed {
        let mut place = 0;
        while let Some(&byte) = bytes.get(place) {
            match self.at {
                At::Text if byte == b'<' => {
                    // What kind of tag it is, its second byte tells.
                    let Some(&second) = bytes.get(place + 1) else {
                        return Skimmed::More(place);
                    };
                    match second {
                        b'!' | b'?' => return Skimmed::Broken,
                        b'/' if self.open == 0 => return Skimmed::End(place),
                        _ => {}
                    }
                    self.at = At::Tag { quote: None, slash: false, end: second == b'/' };
                    place += 2;
                    continue;
                }
                At::Text => {}
                At::Tag { quote: Some(quote), end, .. } => {
                    let quote = Some(quote).filter(|quote| *quote != byte);
                    self.at = At::Tag { quote, slash: false, end };
                }
                At::Tag { quote: None, slash, end } => match byte {
                    b'<' => return Skimmed::Broken,
                    b'>' => {
                        self.at = At::Text;
                        match (end, slash) {
                            (true, _) => self.open -= 1,
                            (false, true) => {}
                            (false, false) => self.open += 1,
                        }
                    }
                    b'"' | b'\'' => {
                        self.at = At::Tag { quote: Some(byte), slash: false, end };
                    }
                    _ => self.at = At::Tag { quote: None, slash: byte == b'/', end },
                },
            }
            place += 1;
        }
        Skimmed::More(place)
    }
}

#[cfg(test)]
mod tests {
    use super::{Skim, Skimmed};

    fn skim(text: &str, piece: usize) -> Option<usize> {
        let (mut skim, mut from, mut to) = (Skim::new(), 0, 0);
        while to < text.len() {
            to = (to + piece).min(text.len());
            match skim.pass(&text.as_bytes()[from..to]) {
                Skimmed::More(passed) => from += passed,
                Skimmed::End(passed) => return Some(from + passed),
                Skimmed::Broken => return None,
            }
        }
        None
    }

    #[test]
    fn the_end_tag_is_found_whatever_lies_before_it() {
        for inner in [
            "",
            "text",
            "<a/>",
            "<a b='>' c=\"/>\"/>",
            "<a><b></b>text</a><c />",
            "<a b='</x>'></a >",
            "a > b <b c='\"'>d</b>",
            &("<a>".repeat(50_000) + &"</a>".repeat(50_000)),
        ] {
            let text = format!("{inner}</x><a>");
            for piece in [1, 2, 7, 1_000_000] {
                assert_eq!(skim(&text, piece), Some(inner.len()), "pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_a_stream_may_not_hold_is_refused() {
        for bad in ["<!-- c --></x>", "<?pi?></x>", "<![CDATA[</x>]]></x>", "<a <b></x>"] {
            assert_eq!(skim(bad, 3), None, "{bad}");
        }
    }
}
