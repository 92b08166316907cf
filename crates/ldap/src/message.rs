//! Messages (RFC 4511 section 4): what we ask, and what a server answers, bounded.

use offhook_model::Secret;
use offhook_ports::{LdapEntry, LdapRequest, LdapScope};

use crate::ber::{
    BOOLEAN, Broken, ENUMERATED, Elements, INTEGER, OCTETS, SEQUENCE, SET, Writer, application,
    context, context_of, number,
};
use crate::filter::{self, boolean};

/// Bytes of one message.
pub(crate) const LARGEST: usize = 32 * 1024 * 1024;
/// Values of one attribute that are kept.
pub(crate) const VALUES: usize = 1_000;
/// Attributes of one entry that are kept, and URLs of one referral.
const MANY: usize = 1_000;
/// Bytes of a name: of an attribute, of an entry, of a URL.
const NAME: usize = 8 * 1024;

/// Paged results (RFC 2696).
const PAGED: &[u8] = b"1.2.840.113556.1.4.319";
/// StartTLS (RFC 4511 section 4.14).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// A page that is asked for: how many entries, and where the last one ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) size: u32,
    pub(crate) cookie: &'a [u8],
}

/// A bind by name and password; by two empty ones it is nobody's (RFC 4513 section 5.1.1).
pub(crate) fn bind(id: u32, name: &str, password: &str) -> Secret<Vec<u8>> {
    // Room for all of it from the start: what grows leaves copies of a password behind.
    let mut bytes = Writer(Vec::with_capacity(2 * (name.len() + password.len()) + 64));
    bytes.number(INTEGER, id);
    bytes.within(application(0), |to| {
        to.number(INTEGER, 3);
        to.put(OCTETS, name.as_bytes());
        to.put(context(0), password.as_bytes());
    });
    bytes.wrap(0, SEQUENCE);
    Secret::new(bytes.0)
}

/// A bind by a mechanism of SASL (RFC 4513 section 5.2), with its next token.
pub(crate) fn sasl_bind(id: u32, mechanism: &str, token: &[u8]) -> Secret<Vec<u8>> {
    Secret::new(message(id, |to| {
        to.within(application(0), |to| {
            to.number(INTEGER, 3);
            to.put(OCTETS, &[]);
            to.within(context_of(3), |to| {
                to.put(OCTETS, mechanism.as_bytes());
                to.put(OCTETS, token);
            });
        });
    }))
}

/// The wish to go on under TLS.
pub(crate) fn start_tls(id: u32) -> Vec<u8> {
    message(id, |to| to.within(application(23), |to| to.put(context(0), START_TLS)))
}

/// The answer to `abandoned` is wanted no more.
pub(crate) fn abandon(id: u32, abandoned: u32) -> Vec<u8> {
    // Application 16, primitive.
    message(id, |to| to.number(0x50, abandoned))
}

/// Goodbye.
pub(crate) fn unbind(id: u32) -> Vec<u8> {
    message(id, |to| to.put(0x42, &[]))
}

/// A search.
///
/// # Errors
/// The byte position where the filter is none.
pub(crate) fn search(
    id: u32,
    request: &LdapRequest,
    page: Option<Page<'_>>,
) -> Result<Vec<u8>, usize> {
    let mut condition = Writer::default();
    filter::write(&request.filter, &mut condition)?;
    let seconds = request.timeout.as_secs().clamp(1, 0x7fff_ffff);
    let mut bytes = Writer::default();
    bytes.number(INTEGER, id);
    bytes.within(application(3), |to| {
        to.put(OCTETS, request.base.as_bytes());
        let scope = match request.scope {
            LdapScope::Base => 0,
            LdapScope::OneLevel => 1,
            LdapScope::Subtree => 2,
        };
        to.number(ENUMERATED, scope);
        // Aliases are followed below the base and to it.
        to.number(ENUMERATED, 3);
        // With pages it is their size that bounds: servers disagree on whether the limit is meant
        // for one page or for all of them.
        to.number(INTEGER, if page.is_some() { 0 } else { request.limit.min(0x7fff_ffff) });
        to.number(INTEGER, u32::try_from(seconds).unwrap_or(1));
        boolean(false, to);
        to.0.extend_from_slice(&condition.0);
        to.within(SEQUENCE, |to| {
            for attribute in &request.attributes {
                to.put(OCTETS, attribute.as_bytes());
            }
        });
    });
    if let Some(page) = page {
        bytes.within(context_of(0), |to| {
            to.within(SEQUENCE, |to| {
                to.put(OCTETS, PAGED);
                let mut value = Writer::default();
                value.within(SEQUENCE, |to| {
                    to.number(INTEGER, page.size);
                    to.put(OCTETS, page.cookie);
                });
                // Not critical: a server without pages answers as it can, and our bounds hold.
                to.put(OCTETS, &value.0);
            });
        });
    }
    bytes.wrap(0, SEQUENCE);
    Ok(bytes.0)
}

fn message(id: u32, operation: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut bytes = Writer::default();
    bytes.number(INTEGER, id);
    operation(&mut bytes);
    bytes.wrap(0, SEQUENCE);
    bytes.0
}

/// How an operation ended (RFC 4511 section 4.1.9). The server's own words are not kept: they name
/// people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Result code.
    pub(crate) code: u32,
    /// Where else to ask.
    pub(crate) referrals: Vec<String>,
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Response {
    /// The answer to a bind, with the token of a mechanism.
    Bound(Outcome, Vec<u8>),
    /// One entry, and how many values of it were left out.
    Entry(LdapEntry, u32),
    /// Where else to ask.
    Reference(Vec<String>),
    /// The end of a search, with the cookie of the next page; an empty one when there is none.
    Done(Outcome, Vec<u8>),
    /// The answer to StartTLS, or with id 0 the word that the connection ends.
    Extended(Outcome),
    /// Something of no meaning to us (RFC 4511 section 4.13).
    Other,
}

/// Reads one whole message.
///
/// # Errors
/// It is none, or not one that a server may send.
pub(crate) fn read(bytes: &[u8], value_limit: usize) -> Result<(u32, Response), Broken> {
    let mut outer = Elements(bytes);
    let mut inside = Elements(outer.expect(SEQUENCE, "a message")?);
    let id = number(inside.expect(INTEGER, "a message id")?)?;
    let (tag, contents) = inside.next()?.ok_or(Broken("an operation"))?;
    let mut operation = Elements(contents);
    let response = match tag {
        0x61 => {
            let outcome = outcome(&mut operation)?;
            let token = operation.maybe(context(7))?.unwrap_or_default();
            Response::Bound(outcome, token.to_vec())
        }
        0x64 => {
            let (entry, left_out) = entry(operation, value_limit)?;
            Response::Entry(entry, left_out)
        }
        0x65 => {
            let outcome = outcome(&mut operation)?;
            Response::Done(outcome, cookie(inside)?)
        }
        0x73 => Response::Reference(urls(operation)?),
        0x78 => Response::Extended(outcome(&mut operation)?),
        0x79 => Response::Other,
        _ => return Err(Broken("an operation of a server")),
    };
    Ok((id, response))
}

fn outcome(operation: &mut Elements<'_>) -> Result<Outcome, Broken> {
    let code = number(operation.expect(ENUMERATED, "a result code")?)?;
    operation.expect(OCTETS, "a name")?;
    operation.expect(OCTETS, "words")?;
    let referrals = operation.maybe(context_of(3))?;
    let referrals = referrals.map_or(Ok(vec![]), |contents| urls(Elements(contents)))?;
    Ok(Outcome { code, referrals })
}

/// At most so many and so long as can be followed; others are passed over.
fn urls(mut elements: Elements<'_>) -> Result<Vec<String>, Broken> {
    let mut urls = vec![];
    while let Some((tag, contents)) = elements.next()? {
        if let (OCTETS, true, Ok(url)) = (tag, urls.len() < MANY, text(contents)) {
            urls.push(url);
        }
    }
    Ok(urls)
}

fn text(contents: &[u8]) -> Result<String, Broken> {
    if contents.len() > NAME {
        return Err(Broken("a name of bearable length"));
    }
    // Names are UTF-8 by the standard; what is not is shown as such and finds nothing.
    Ok(String::from_utf8_lossy(contents).into_owned())
}

fn entry(mut operation: Elements<'_>, value_limit: usize) -> Result<(LdapEntry, u32), Broken> {
    let dn = text(operation.expect(OCTETS, "a distinguished name")?)?;
    let mut list = Elements(operation.expect(SEQUENCE, "attributes")?);
    let (mut attributes, mut left_out) = (vec![], 0u32);
    while let Some((tag, contents)) = list.next()? {
        let mut attribute = Elements(contents);
        if tag != SEQUENCE {
            return Err(Broken("an attribute"));
        }
        let name = text(attribute.expect(OCTETS, "the name of an attribute")?)?;
        let mut set = Elements(attribute.expect(SET, "values")?);
        let mut values: Vec<Vec<u8>> = vec![];
        while let Some((tag, value)) = set.next()? {
            if tag != OCTETS {
                return Err(Broken("a value"));
            }
            if value.len() > value_limit || values.len() >= VALUES || attributes.len() >= MANY {
                left_out = left_out.saturating_add(1);
            } else {
                values.push(value.to_vec());
            }
        }
        if attributes.len() < MANY {
            attributes.push((name, values));
        }
    }
    Ok((LdapEntry { dn, attributes }, left_out))
}

/// The cookie among the controls of a message.
fn cookie(mut inside: Elements<'_>) -> Result<Vec<u8>, Broken> {
    let mut controls = Elements(inside.maybe(context_of(0))?.unwrap_or_default());
    while let Some((_, contents)) = controls.next()? {
        let mut control = Elements(contents);
        if control.expect(OCTETS, "the name of a control")? != PAGED {
            continue;
        }
        control.maybe(BOOLEAN)?;
        let mut value = Elements(control.expect(OCTETS, "a page")?);
        let mut page = Elements(value.expect(SEQUENCE, "a page")?);
        page.expect(INTEGER, "the size of a page")?;
        let cookie = page.expect(OCTETS, "a cookie")?;
        // It comes back with every page.
        if cookie.len() > NAME {
            return Err(Broken("a cookie of bearable length"));
        }
        return Ok(cookie.to_vec());
    }
    Ok(vec![])
}

/// Bytes that an entry takes, roughly.
pub(crate) fn weight(entry: &LdapEntry) -> usize {
    let values = entry.attributes.iter().map(|(name, values)| {
        64 + name.len() + values.iter().map(|value| 24 + value.len()).sum::<usize>()
    });
    64 + entry.dn.len() + values.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Response, bind, read};

    #[test]
    fn a_bind_of_the_wire() {
        let bytes = b"\x30\x11\x02\x01\x01\x60\x0c\x02\x01\x03\x04\x03cn=\x80\x02pw";
        assert_eq!(bind(1, "cn=", "pw").expose(), bytes);
    }

    #[test]
    fn answers_are_read() {
        let done = b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x20\x04\x00\x04\x00";
        let none = Outcome { code: 32, referrals: vec![] };
        assert_eq!(read(done, 9), Ok((2, Response::Done(none, vec![]))));
        let referral =
            b"\x30\x16\x02\x01\x02\x65\x11\x0a\x01\x0a\x04\x00\x04\x00\xa3\x08\x04\x06ldap:/";
        let there = Outcome { code: 10, referrals: vec!["ldap:/".into()] };
        assert_eq!(read(referral, 9), Ok((2, Response::Done(there, vec![]))));
    }

    #[test]
    fn values_that_are_too_long_are_counted_and_broken_text_survives() {
        let bytes = b"\x30\x1d\x02\x01\x02\x64\x18\x04\x01x\x30\x13\x30\x11\x04\x01p\x31\x0c\x04\x02\xff\xfe\x04\x04long\x04\x00";
        let Ok((2, Response::Entry(entry, left_out))) = read(bytes, 3) else { panic!("no entry") };
        assert_eq!(entry.attributes, [("p".to_owned(), vec![vec![0xff, 0xfe], vec![]])]);
        assert_eq!(left_out, 1);
    }

    #[test]
    fn what_is_cut_or_lies_is_no_message() {
        let bytes = b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x20\x04\x00\x04\x00";
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end], 9).is_err(), "{end}");
        }
        assert!(read(b"\x30\x05\x02\x01\x02\x60\x00", 9).is_err(), "a client's operation");
        assert!(read(b"\x30\x84\xff\xff\xff\xff\x02", 9).is_err());
    }
}
