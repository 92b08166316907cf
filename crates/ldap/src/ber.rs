//! The part of the basic encoding rules that LDAP uses (RFC 4511 section 5.1): definite lengths,
//! tags of one byte. Nothing here calls itself, so the depth of what comes is no danger: who reads
//! takes the elements it knows and steps over the others by their length.

/// Bytes that are no such element; the words say what was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A tag of class *application*, constructed.
pub(crate) const fn application(number: u8) -> u8 {
    0x60 | number
}

/// A tag of class *context*, primitive.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// A tag of class *context*, constructed.
pub(crate) const fn context_of(number: u8) -> u8 {
    0xa0 | number
}

/// Tag, bytes of the head and bytes of the contents; nothing when the head is not all there.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Broken> {
    let [tag, length, ..] = *bytes else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(Broken("a tag of one byte"));
    }
    if length < 0x80 {
        return Ok(Some((tag, 2, length.into())));
    }
    let count = usize::from(length & 0x7f);
    if !(1..=8).contains(&count) {
        return Err(Broken("a definite length"));
    }
    let Some(digits) = bytes.get(2..2 + count) else { return Ok(None) };
    let length = digits.iter().fold(0u64, |sum, digit| sum << 8 | u64::from(*digit));
    // Lengths that this machine has no number for are as good as the greatest one.
    Ok(Some((tag, 2 + count, usize::try_from(length).unwrap_or(usize::MAX))))
}

/// Elements, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a>(pub(crate) &'a [u8]);

impl<'a> Elements<'a> {
    /// The next element, or nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, Broken> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (tag, head, length) = head(self.0)?.ok_or(Broken("a whole element"))?;
        let rest = self.0.get(head..).ok_or(Broken("a whole element"))?;
        let contents = rest.get(..length).ok_or(Broken("a length inside its element"))?;
        self.0 = rest.get(length..).unwrap_or_default();
        Ok(Some((tag, contents)))
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<&'a [u8], Broken> {
        match self.next()? {
            Some((found, contents)) if found == tag => Ok(contents),
            Some(_) | None => Err(Broken(what)),
        }
    }

    /// The next element if it has this tag; else it stays.
    pub(crate) fn maybe(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Broken> {
        let mut ahead = *self;
        match ahead.next()? {
            Some((found, contents)) if found == tag => {
                *self = ahead;
                Ok(Some(contents))
            }
            Some(_) | None => Ok(None),
        }
    }
}

/// A number from 0 to 2³¹ − 1 (`maxInt` of RFC 4511 section 4.1.1).
pub(crate) fn number(contents: &[u8]) -> Result<u32, Broken> {
    const WHAT: Broken = Broken("a number from 0 to 2147483647");
    if contents.is_empty() || contents.len() > 5 {
        return Err(WHAT);
    }
    let value = contents.iter().fold(0u64, |sum, digit| sum << 8 | u64::from(*digit));
    let negative = contents.first().is_some_and(|first| first & 0x80 != 0);
    u32::try_from(value).ok().filter(|value| !negative && *value <= 0x7fff_ffff).ok_or(WHAT)
}

/// Writes elements.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    /// An element with these contents.
    pub(crate) fn put(&mut self, tag: u8, contents: &[u8]) {
        self.0.push(tag);
        self.length(contents.len());
        self.0.extend_from_slice(contents);
    }

    /// An element with the elements that `inner` writes.
    pub(crate) fn within(&mut self, tag: u8, inner: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        inner(self);
        self.wrap(start, tag);
    }

    /// Puts everything from `start` on into an element.
    pub(crate) fn wrap(&mut self, start: usize, tag: u8) {
        let mut head = Self(vec![tag]);
        head.length(self.0.len() - start);
        self.0.splice(start..start, head.0);
    }

    /// A number as short as may be; the first bit is the sign.
    pub(crate) fn number(&mut self, tag: u8, value: u32) {
        let bytes = u64::from(value).to_be_bytes();
        let spare =
            bytes.windows(2).take_while(|pair| matches!(pair, [0, next] if next & 0x80 == 0));
        let skipped = spare.count();
        self.put(tag, bytes.get(skipped..).unwrap_or(&[0]));
    }

    fn length(&mut self, length: usize) {
        if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
            self.0.push(short);
            return;
        }
        let bytes = length.to_be_bytes();
        let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        // A length has eight digits at most.
        self.0.push(0x80 | digits.len() as u8);
        self.0.extend_from_slice(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Elements, INTEGER, OCTETS, SEQUENCE, Writer, head, number};

    #[test]
    fn numbers_are_as_short_as_may_be_and_come_back() {
        for (value, bytes) in [
            (0, vec![2, 1, 0]),
            (127, vec![2, 1, 127]),
            (128, vec![2, 2, 0, 128]),
            (256, vec![2, 2, 1, 0]),
            (0x7fff_ffff, vec![2, 4, 0x7f, 0xff, 0xff, 0xff]),
        ] {
            let mut writer = Writer::default();
            writer.number(INTEGER, value);
            assert_eq!(writer.0, bytes);
            assert_eq!(number(&bytes[2..]), Ok(value));
        }
        assert!(number(&[]).is_err());
        assert!(number(&[0xff]).is_err(), "negative");
        assert!(number(&[0, 0x80, 0, 0, 0]).is_err(), "more than maxInt");
    }

    #[test]
    fn lengths_of_all_sizes_come_back() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let mut writer = Writer::default();
            writer.within(SEQUENCE, |inner| inner.put(OCTETS, &vec![7; length]));
            let mut outer = Elements(&writer.0);
            let mut inner = Elements(outer.expect(SEQUENCE, "").expect("a sequence"));
            assert_eq!(inner.expect(OCTETS, "").map(<[u8]>::len), Ok(length));
            assert_eq!(outer.next(), Ok(None));
        }
    }

    #[test]
    fn heads_that_lie_are_no_heads() {
        assert_eq!(head(&[0x30]), Ok(None));
        assert_eq!(head(&[0x30, 0x84, 1]), Ok(None));
        assert_eq!(head(&[0x30, 0x80]), Err(Broken("a definite length")));
        assert_eq!(head(&[0x3f, 0x81, 1]), Err(Broken("a tag of one byte")));
        assert_eq!(head(&[0x30, 0x89, 1]), Err(Broken("a definite length")));
        assert_eq!(
            head(&[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]),
            Ok(Some((0x30, 10, usize::MAX)))
        );
        assert!(Elements(&[0x30, 5, 0]).next().is_err());
    }
}
