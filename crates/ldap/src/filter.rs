//! Search filters: from the string of RFC 4515 to the elements of RFC 4511 section 4.5.1.7.

use crate::ber::{BOOLEAN, OCTETS, Writer, context, context_of};

/// Bytes of the longest filter.
const LONGEST: usize = 64 * 1024;
/// Filters inside filters.
const DEEPEST: usize = 32;

/// Writes the filter that the string means. Blanks around components are let in, which RFC 4515
/// does not have and administrators do.
///
/// # Errors
/// The byte position where the string stops being a filter.
pub(crate) fn write(filter: &str, to: &mut Writer) -> Result<(), usize> {
    if filter.len() > LONGEST {
        return Err(LONGEST);
    }
    let mut reader = Reader { text: filter.as_bytes(), at: 0 };
    reader.blanks();
    reader.filter(to, DEEPEST)?;
    reader.blanks();
    if reader.at == reader.text.len() { Ok(()) } else { Err(reader.at) }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Result<(), usize> {
        if self.peek() != Some(byte) {
            return Err(self.at);
        }
        self.at += 1;
        Ok(())
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn filter(&mut self, to: &mut Writer, depth: usize) -> Result<(), usize> {
        let deeper = depth.checked_sub(1).ok_or(self.at)?;
        self.take(b'(')?;
        self.blanks();
        let start = to.0.len();
        match self.peek() {
            Some(operator @ (b'&' | b'|')) => {
                self.at += 1;
                self.blanks();
                // None at all is true and false (RFC 4526).
                while self.peek() == Some(b'(') {
                    self.filter(to, deeper)?;
                    self.blanks();
                }
                to.wrap(start, context_of(if operator == b'&' { 0 } else { 1 }));
            }
            Some(b'!') => {
                self.at += 1;
                self.blanks();
                self.filter(to, deeper)?;
                self.blanks();
                to.wrap(start, context_of(2));
            }
            Some(_) | None => self.item(to)?,
        }
        self.take(b')')
    }

    fn item(&mut self, to: &mut Writer) -> Result<(), usize> {
        let start = self.at;
        while self.peek().is_some_and(is_of_a_name) {
            self.at += 1;
        }
        let name = self.text.get(start..self.at).unwrap_or_default();
        match self.peek() {
            Some(b'=') if !name.is_empty() => {
                self.at += 1;
                self.equal(name, to)
            }
            Some(b'>' | b'<' | b'~') if !name.is_empty() => {
                let tag = match self.peek() {
                    Some(b'>') => 5,
                    Some(b'<') => 6,
                    Some(_) | None => 8,
                };
                self.at += 1;
                self.take(b'=')?;
                let value = self.value(false)?;
                assertion(tag, name, &value, to);
                Ok(())
            }
            Some(b':') => self.extensible(name, to),
            Some(_) | None => Err(self.at),
        }
    }

    /// After `=`: a value, presence, or pieces with `*` between them.
    fn equal(&mut self, name: &[u8], to: &mut Writer) -> Result<(), usize> {
        let mut pieces = vec![self.value(true)?];
        while self.peek() == Some(b'*') {
            self.at += 1;
            pieces.push(self.value(true)?);
        }
        let last = pieces.len() - 1;
        if let [value] = &pieces[..] {
            assertion(3, name, value, to);
        } else if pieces.iter().all(Vec::is_empty) {
            to.put(context(7), name);
        } else {
            to.within(context_of(4), |to| {
                to.put(OCTETS, name);
                to.within(crate::ber::SEQUENCE, |to| {
                    for (index, piece) in pieces.iter().enumerate() {
                        let kind = match index {
                            0 => 0,
                            at if at == last => 2,
                            _ => 1,
                        };
                        // Two stars side by side are as good as one.
                        if !piece.is_empty() {
                            to.put(context(kind), piece);
                        }
                    }
                });
            });
        }
        Ok(())
    }

    /// `attr:dn:rule:=value`, each of the three optional, attribute or rule there.
    fn extensible(&mut self, name: &[u8], to: &mut Writer) -> Result<(), usize> {
        let (mut dn, mut rule) = (false, None);
        while self.peek() == Some(b':') {
            self.at += 1;
            if self.peek() == Some(b'=') {
                break;
            }
            let start = self.at;
            while self.peek().is_some_and(is_of_a_name) {
                self.at += 1;
            }
            let word = self.text.get(start..self.at).unwrap_or_default();
            match (word.eq_ignore_ascii_case(b"dn"), &rule) {
                (true, None) if !dn => dn = true,
                (false, None) if !word.is_empty() => rule = Some(word),
                _ => return Err(start),
            }
        }
        if name.is_empty() && rule.is_none() {
            return Err(self.at);
        }
        self.take(b'=')?;
        let value = self.value(false)?;
        to.within(context_of(9), |to| {
            if let Some(rule) = rule {
                to.put(context(1), rule);
            }
            if !name.is_empty() {
                to.put(context(2), name);
            }
            to.put(context(3), &value);
            if dn {
                to.put(context(4), &[0xff]);
            }
        });
        Ok(())
    }

    /// A value up to `)`, or to `*` where that has a meaning.
    fn value(&mut self, stars: bool) -> Result<Vec<u8>, usize> {
        let mut value = vec![];
        while let Some(byte) = self.peek() {
            match byte {
                b')' => break,
                b'*' if stars => break,
                b'(' | b'*' | 0 => return Err(self.at),
                b'\\' => {
                    let digits = self.text.get(self.at + 1..self.at + 3);
                    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                    let byte = digits.filter(|it| !it.starts_with('+'));
                    let byte = byte.and_then(|it| u8::from_str_radix(it, 16).ok());
                    value.push(byte.ok_or(self.at)?);
                    self.at += 3;
                }
                plain => {
                    value.push(plain);
                    self.at += 1;
                }
            }
        }
        Ok(value)
    }
}

/// Names, numbers (OIDs) and options of attributes; `_` is in use although not in the grammar.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';' | b'_')
}

fn assertion(kind: u8, name: &[u8], value: &[u8], to: &mut Writer) {
    to.within(context_of(kind), |to| {
        to.put(OCTETS, name);
        to.put(OCTETS, value);
    });
}

/// A truth value as LDAP writes it (RFC 4511 section 5.1).
pub(crate) fn boolean(value: bool, to: &mut Writer) {
    to.put(BOOLEAN, &[if value { 0xff } else { 0 }]);
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, write};
    use crate::ber::Writer;

    fn written(filter: &str) -> Result<Vec<u8>, usize> {
        let mut to = Writer::default();
        write(filter, &mut to).map(|()| to.0)
    }

    #[test]
    fn the_forms_of_the_standard() {
        for (filter, bytes) in [
            ("(cn=a)", &b"\xa3\x07\x04\x02cn\x04\x01a"[..]),
            ("(cn=)", b"\xa3\x06\x04\x02cn\x04\x00"),
            ("(cn=*)", b"\x87\x02cn"),
            ("(cn=a*)", b"\xa4\x09\x04\x02cn\x30\x03\x80\x01a"),
            ("(cn=*a)", b"\xa4\x09\x04\x02cn\x30\x03\x82\x01a"),
            ("(cn=*a*)", b"\xa4\x09\x04\x02cn\x30\x03\x81\x01a"),
            ("(cn=a*b**c)", b"\xa4\x0f\x04\x02cn\x30\x09\x80\x01a\x81\x01b\x82\x01c"),
            ("(n>=1)", b"\xa5\x06\x04\x01n\x04\x011"),
            ("(n<=1)", b"\xa6\x06\x04\x01n\x04\x011"),
            ("(n~=1)", b"\xa8\x06\x04\x01n\x04\x011"),
            ("(!(n=1))", b"\xa2\x08\xa3\x06\x04\x01n\x04\x011"),
            ("(&)", b"\xa0\x00"),
            ("(|(n=1)(m=2))", b"\xa1\x10\xa3\x06\x04\x01n\x04\x011\xa3\x06\x04\x01m\x04\x012"),
            (
                " ( & (n=1) (m=2) ) ",
                b"\xa0\x10\xa3\x06\x04\x01n\x04\x011\xa3\x06\x04\x01m\x04\x012",
            ),
            ("(cn=\\2a\\ff\\00)", b"\xa3\x09\x04\x02cn\x04\x03*\xff\x00"),
            ("(cn:dn:2.4.6:=x)", b"\xa9\x11\x81\x052.4.6\x82\x02cn\x83\x01x\x84\x01\xff"),
            ("(:caseExactMatch:=x)", b"\xa9\x13\x81\x0ecaseExactMatch\x83\x01x"),
        ] {
            assert_eq!(written(filter).as_deref(), Ok(bytes), "{filter}");
        }
    }

    #[test]
    fn what_is_none_says_where() {
        for (filter, at) in [
            ("", 0),
            ("cn=a", 0),
            ("(cn=a", 5),
            ("(cn=a))", 6),
            ("(cn)", 3),
            ("(=a)", 1),
            ("(cn=a(b)", 5),
            ("(cn=\\2)", 4),
            ("(cn=\\+1)", 4),
            ("(cn>a)", 4),
            ("(:=a)", 2),
            ("(!(a=1)(b=2))", 7),
        ] {
            assert_eq!(written(filter), Err(at), "{filter}");
        }
        let nested = |depth| format!("{}(a=1){}", "(!".repeat(depth), ")".repeat(depth));
        assert!(written(&nested(DEEPEST - 1)).is_ok());
        assert!(written(&nested(DEEPEST)).is_err());
        assert!(written(&"(".repeat(10_000)).is_err());
    }
}
