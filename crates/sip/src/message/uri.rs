//! URIs: sip, sips and tel in their parts, others as they are (RFC 3261 section 19.1, RFC 3966).

use std::borrow::Cow;
use std::fmt;

use super::ParseError;
use super::scan;
use super::text::{Params, trim};

/// Bytes that stand in no URI: white space, controls and the brackets around one.
const FORBIDDEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte <= b' ' as usize {
        table[byte] = true;
        byte += 1;
    }
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[0x7f] = true;
    table
};

/// Bytes of host names and IPv4 addresses; the underscore is not allowed and found everywhere.
const HOST: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_');
        byte += 1;
    }
    table
};

/// What stands before the first colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme<'a> {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel`.
    Tel,
    /// Anything else; only `host` is filled, with all that follows the colon.
    Other(&'a str),
}

/// A URI in parts that borrow from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// Scheme.
    pub scheme: Scheme<'a>,
    /// User part, still escaped; for tel the number.
    pub user: Option<&'a str>,
    /// Password, still escaped.
    pub password: Option<&'a str>,
    /// Host name or address; IPv6 addresses keep their brackets. Empty for tel.
    pub host: &'a str,
    /// Port, where written.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params<'a>,
    /// What follows the `?`.
    pub headers: &'a str,
}

impl<'a> Uri<'a> {
    /// Reads a URI. Escapes are checked nowhere and resolved by [`unescape`].
    ///
    /// # Errors
    /// [`ParseError::Uri`] when there is no scheme, no host, or a host or port that cannot be.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let text = trim(text);
        let (scheme, rest) = scan::split_once(text, b':').ok_or(ParseError::Uri)?;
        let good = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        if !scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            || !scheme.bytes().all(good)
            || rest.bytes().any(|b| FORBIDDEN[usize::from(b)])
        {
            return Err(ParseError::Uri);
        }
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("sip") => Scheme::Sip,
            _ if scheme.eq_ignore_ascii_case("sips") => Scheme::Sips,
            _ if scheme.eq_ignore_ascii_case("tel") => Scheme::Tel,
            other => Scheme::Other(other),
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => Self::hierarchical(scheme, rest),
            Scheme::Tel => Self::telephone(rest),
            Scheme::Other(_) => Ok(Self { host: rest, ..Self::bare(scheme) }),
        }
    }

    fn bare(scheme: Scheme<'a>) -> Self {
        Self {
            scheme,
            user: None,
            password: None,
            host: "",
            port: None,
            params: Params::default(),
            headers: "",
        }
    }

    fn telephone(rest: &'a str) -> Result<Self, ParseError> {
        let end = rest.find(';').unwrap_or(rest.len());
        let (number, params) = rest.split_at(end);
        if number.is_empty() {
            return Err(ParseError::Uri);
        }
        Ok(Self { user: Some(number), params: Params::new(params), ..Self::bare(Scheme::Tel) })
    }

    fn hierarchical(scheme: Scheme<'a>, rest: &'a str) -> Result<Self, ParseError> {
        let mut uri = Self::bare(scheme);
        // The user part may hold ';' and '?'; an '@' is escaped everywhere but before the host.
        let rest = match rest.rfind('@') {
            Some(at) => {
                let (user, password) = match scan::split_once(&rest[..at], b':') {
                    Some((user, password)) => (user, Some(password)),
                    None => (&rest[..at], None),
                };
                if user.is_empty() {
                    return Err(ParseError::Uri);
                }
                (uri.user, uri.password) = (Some(user), password);
                &rest[at + 1..]
            }
            None => rest,
        };
        let (rest, headers) = scan::split_once(rest, b'?').unwrap_or((rest, ""));
        let end = scan::find(rest.as_bytes(), 0, b';').unwrap_or(rest.len());
        let (authority, params) = rest.split_at(end);
        (uri.host, uri.port) = host_port(authority)?;
        uri.params = Params::new(params);
        uri.headers = headers;
        Ok(uri)
    }

    /// The user part without escapes; for tel the number.
    pub fn user_text(&self) -> Option<Cow<'a, str>> {
        self.user.map(unescape)
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::Sip => f.write_str("sip:")?,
            Scheme::Sips => f.write_str("sips:")?,
            Scheme::Tel => f.write_str("tel:")?,
            Scheme::Other(scheme) => write!(f, "{scheme}:")?,
        }
        if let Some(user) = self.user {
            f.write_str(user)?;
            if let Some(password) = self.password {
                write!(f, ":{password}")?;
            }
            if self.scheme != Scheme::Tel {
                f.write_str("@")?;
            }
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())?;
        if !self.headers.is_empty() {
            write!(f, "?{}", self.headers)?;
        }
        Ok(())
    }
}

/// Host and port as in a URI or a Via.
///
/// # Errors
/// [`ParseError::Uri`] when the host is empty or has characters that hosts do not have, or the
/// port is no number below 65,536.
pub fn host_port(text: &str) -> Result<(&str, Option<u16>), ParseError> {
    let text = trim(text);
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']').ok_or(ParseError::Uri)? + 1;
        let (host, rest) = text.split_at(end);
        let inner = &host[1..host.len() - 1];
        if inner.is_empty() || !inner.bytes().all(|b| b.is_ascii_hexdigit() || b":.%".contains(&b))
        {
            return Err(ParseError::Uri);
        }
        (host, trim(rest))
    } else {
        let end = scan::find(text.as_bytes(), 0, b':').unwrap_or(text.len());
        let (host, rest) = text.split_at(end);
        let host = trim(host);
        if host.is_empty() || !host.bytes().all(|b| HOST[usize::from(b)]) {
            return Err(ParseError::Uri);
        }
        (host, rest)
    };
    let port = match port.strip_prefix(':').map(trim) {
        None if port.is_empty() => None,
        None => return Err(ParseError::Uri),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| ParseError::Uri)?)
        }
        Some(_) => return Err(ParseError::Uri),
    };
    Ok((host, port))
}

/// The text with its percent escapes resolved; bytes that are no UTF-8 become U+FFFD.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(
        String::from_utf8(out)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
    )
}

/// The text escaped so that it can be the user part of a URI.
pub fn escape_user(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The text escaped so that it can be the value of a header in a URI (RFC 3261 section 25.1,
/// `hvalue`): everything that is not unreserved, so that no reader has to know the exceptions.
pub fn escape_header(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Scheme, Uri, escape_header, escape_user, unescape};

    #[test]
    fn parts_of_a_sip_uri() {
        let uri = Uri::parse("sips:alice;day=tue:pw@[2001:db8::9:1]:5061;transport=tcp;lr?a=b")
            .expect("valid");
        assert_eq!(uri.scheme, Scheme::Sips);
        assert_eq!((uri.user, uri.password), (Some("alice;day=tue"), Some("pw")));
        assert_eq!((uri.host, uri.port), ("[2001:db8::9:1]", Some(5061)));
        assert_eq!(uri.params.get("transport"), Some("tcp"));
        assert_eq!(uri.headers, "a=b");
        assert_eq!(
            uri.to_string(),
            "sips:alice;day=tue:pw@[2001:db8::9:1]:5061;transport=tcp;lr?a=b"
        );
    }

    #[test]
    fn other_schemes_are_kept() {
        let tel = Uri::parse("tel:+49-30-5550;phone-context=x").expect("valid");
        assert_eq!((tel.scheme, tel.user), (Scheme::Tel, Some("+49-30-5550")));
        assert_eq!(Uri::parse("soap.beep://x:1").expect("valid").host, "//x:1");
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for bad in [
            "",
            "alice",
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a@h:x",
            "sip:a@h:99999",
            "sip:a b@h",
            "sip:a@[::1",
            "1p:x",
            "<sip:a@b>",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn escapes_go_both_ways() {
        assert_eq!(escape_user("*81#"), "*81%23");
        assert_eq!(unescape(&escape_user("jürgen @x")), "jürgen @x");
        assert_eq!(escape_header("a@b;to-tag=1"), "a%40b%3Bto-tag%3D1");
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%ff"), "\u{fffd}");
    }
}
