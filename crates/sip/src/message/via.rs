//! Via (RFC 3261 section 20.42, RFC 3581).

use super::ParseError;
use super::scan;
use super::text::{Params, is_token, trim};
use super::uri::host_port;

/// One hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// Transport as written, such as `UDP`.
    pub transport: &'a str,
    /// Host of the sender; IPv6 addresses keep their brackets.
    pub host: &'a str,
    /// Port of the sender, where written.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one element of a Via header.
    ///
    /// # Errors
    /// [`ParseError::Via`].
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let end = scan::find(text.as_bytes(), 0, b';').unwrap_or(text.len());
        let (hop, params) = text.split_at(end);
        let mut parts = hop.splitn(3, '/');
        let mut part = || parts.next().map(trim).ok_or(ParseError::Via);
        let (protocol, version, rest) = (part()?, part()?, part()?);
        if !protocol.eq_ignore_ascii_case("SIP") || version.is_empty() {
            return Err(ParseError::Via);
        }
        let (transport, sent_by) = rest.split_once([' ', '\t']).ok_or(ParseError::Via)?;
        if !is_token(transport) {
            return Err(ParseError::Via);
        }
        let (host, port) = host_port(sent_by).map_err(|_| ParseError::Via)?;
        Ok(Self { transport, host, port, params: Params::new(params) })
    }

    /// The branch, unless empty.
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch names the transaction by itself: it has the magic cookie and something
    /// after it.
    pub fn has_unique_branch(&self) -> bool {
        self.branch().is_some_and(|b| b.len() > 7 && b.starts_with("z9hG4bK"))
    }

    /// The address the next hop saw the message come from.
    pub fn received(&self) -> Option<&'a str> {
        self.params.get("received").filter(|value| !value.is_empty())
    }

    /// The port the next hop saw the message come from; nothing also when `rport` has no value.
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport").and_then(|port| port.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::Via;

    #[test]
    fn hops_in_parts() {
        let via = Via::parse(
            "SIP / 2.0  / TLS  [2001:db8::1]:5061 ; branch = z9hG4bKx;rport=7;received=::1",
        )
        .expect("valid");
        assert_eq!((via.transport, via.host, via.port), ("TLS", "[2001:db8::1]", Some(5061)));
        assert_eq!(
            (via.branch(), via.rport(), via.received()),
            (Some("z9hG4bKx"), Some(7), Some("::1"))
        );
        assert!(via.has_unique_branch());
        assert!(!Via::parse("SIP/2.0/UDP h;branch=z9hG4bK").expect("valid").has_unique_branch());
    }

    #[test]
    fn broken_hops_are_refused() {
        for bad in
            ["", "SIP/2.0/UDP", "HTTP/2.0/UDP h", "SIP/2.0 h", "SIP/2.0/U,P h", "SIP/2.0/UDP h:x"]
        {
            assert!(Via::parse(bad).is_err(), "{bad}");
        }
    }
}
