//! Names with the address to use for them, from the command line.

use std::net::IpAddr;
use std::str::FromStr;

/// One `--hosts NAME[:PORT]=ADDR[:PORT]`. With ports, connections to that port of the name go to
/// the other port instead, for laboratories that cannot listen on 443. Other ports of the name stay
/// what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// Host name in lower case.
    pub name: String,
    /// The address to use.
    pub address: IpAddr,
    /// Port asked for and port used.
    pub ports: Option<(u16, u16)>,
}

impl HostEntry {
    /// An entry for every port.
    pub fn new(name: impl Into<String>, address: IpAddr) -> Self {
        Self { name: name.into(), address, ports: None }
    }

    pub(crate) fn is_for(&self, host: &str) -> bool {
        self.name.trim_end_matches('.').eq_ignore_ascii_case(host)
    }
}

/// A text that is no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a host is NAME=ADDR or NAME:PORT=ADDR:PORT, such as cucm1.example.com=192.0.2.1 or \
     cucm1.example.com:443=[2001:db8::1]:8443"
)]
pub struct NoHostEntry;

impl FromStr for HostEntry {
    type Err = NoHostEntry;

    fn from_str(text: &str) -> Result<Self, NoHostEntry> {
        let (left, right) = text.split_once('=').ok_or(NoHostEntry)?;
        let (name, asked) = match left.split_once(':') {
            Some((name, port)) => (name, Some(parse_port(port)?)),
            None => (left, None),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(NoHostEntry);
        }
        let (address, used) = address(right)?;
        let ports = match (asked, used) {
            (None, None) => None,
            (Some(asked), used) => Some((asked, used.unwrap_or(asked))),
            // All ports at one would hardly be meant.
            (None, Some(_)) => return Err(NoHostEntry),
        };
        Ok(Self { name: name.to_lowercase(), address, ports })
    }
}

/// `192.0.2.1`, `192.0.2.1:8443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:8443`.
fn address(text: &str) -> Result<(IpAddr, Option<u16>), NoHostEntry> {
    if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner.split_once(']').ok_or(NoHostEntry)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| NoHostEntry)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if rest.is_empty() => None,
            None => return Err(NoHostEntry),
        };
        return Ok((address.into(), port));
    }
    if let Ok(address) = text.parse() {
        return Ok((address, None));
    }
    let (address, port) = text.split_once(':').ok_or(NoHostEntry)?;
    let address: std::net::Ipv4Addr = address.parse().map_err(|_| NoHostEntry)?;
    Ok((address.into(), Some(parse_port(port)?)))
}

fn parse_port(text: &str) -> Result<u16, NoHostEntry> {
    text.parse().ok().filter(|port| *port != 0).ok_or(NoHostEntry)
}

#[cfg(test)]
mod tests {
    use super::HostEntry;

    #[test]
    fn entries_are_read_with_and_without_ports() {
        let check = |text: &str, address: &str, ports| {
            let entry: HostEntry = text.parse().expect(text);
            let address = address.parse().expect("an address");
            assert_eq!(entry, HostEntry { name: "cucm1.example.com".into(), address, ports });
        };
        check("cucm1.example.com=192.0.2.1", "192.0.2.1", None);
        check("CUCM1.example.com=2001:db8::1", "2001:db8::1", None);
        check("cucm1.example.com=[2001:db8::1]", "2001:db8::1", None);
        check("cucm1.example.com:443=192.0.2.1:8443", "192.0.2.1", Some((443, 8443)));
        check("cucm1.example.com:443=192.0.2.1", "192.0.2.1", Some((443, 443)));
        check("cucm1.example.com:443=[2001:db8::1]:8443", "2001:db8::1", Some((443, 8443)));
        for bad in [
            "",
            "x",
            "=192.0.2.1",
            "x=",
            "x=y",
            "x=192.0.2.1:443",
            "x:0=192.0.2.1",
            "x:=192.0.2.1",
            "x:443=192.0.2.1:",
            "x:443=[2001:db8::1",
            "x:443=[2001:db8::1]8443",
            "x y=192.0.2.1",
            "x:70000=192.0.2.1",
        ] {
            assert!(bad.parse::<HostEntry>().is_err(), "{bad}");
        }
    }
}
