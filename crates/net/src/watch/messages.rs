//! Reads the kernel's lists of links, addresses and routes (linux/netlink.h, linux/if_addr.h,
//! linux/rtnetlink.h). Numbers are in the machine's own order.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Shape;

/// NLMSG_ERROR and NLMSG_DONE.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE.
const LINK: u16 = 16;
const ADDRESS: u16 = 20;
const ROUTE: u16 = 24;
/// IFF_UP, IFF_LOOPBACK, IFF_RUNNING.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;
const RUNNING: u32 = 0x40;
/// IFA_F_TEMPORARY, IFA_F_OPTIMISTIC, IFA_F_DADFAILED, IFA_F_TENTATIVE.
const TEMPORARY: u32 = 0x01;
const OPTIMISTIC: u32 = 0x04;
const DUPLICATE: u32 = 0x08;
const TENTATIVE: u32 = 0x40;
/// RTN_UNICAST.
const UNICAST: u8 = 1;
/// RTNH_F_DEAD, RTNH_F_LINKDOWN, RTM_F_CLONED.
const UNUSABLE: u32 = 0x1 | 0x10 | 0x200;

/// One list to ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE.
    kind: u16,
}

/// Links come first: addresses and routes count by theirs.
pub(super) const QUESTIONS: [Question; 3] =
    [Question { kind: 18 }, Question { kind: 22 }, Question { kind: 26 }];

impl Question {
    /// Header and an empty body of the largest kind, for every family.
    pub(super) fn bytes(self) -> Vec<u8> {
        let length: u32 = 32;
        // NLM_F_REQUEST and NLM_F_DUMP.
        let flags: u16 = 0x1 | 0x300;
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(self.kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.resize(32, 0);
        bytes
    }
}

/// What the lists have said so far.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Flags by number of the interface.
    links: BTreeMap<u32, u32>,
    /// Interface, address, length of its prefix, flags.
    addresses: Vec<(u32, IpAddr, u8, u32)>,
    /// Interface, if one is named, and gateway.
    routes: Vec<(Option<u32>, Option<IpAddr>)>,
}

impl Collected {
    /// Reads a page; true when the list is over.
    pub(super) fn take(&mut self, page: &[u8]) -> bool {
        let mut rest = page;
        while let Some((kind, body, after)) = message(rest) {
            match kind {
                DONE | ERROR => return true,
                LINK => self.link(body),
                ADDRESS => self.address(body),
                ROUTE => self.route(body),
                _ => {}
            }
            rest = after;
        }
        false
    }

    /// struct ifinfomsg: family, padding, type (2), index (4), flags (4), change (4).
    fn link(&mut self, body: &[u8]) {
        if let (Some(index), Some(flags)) = (number(body, 4), number(body, 8)) {
            self.links.insert(index, flags);
        }
    }

    /// struct ifaddrmsg: family, prefix, flags, scope, index (4).
    fn address(&mut self, body: &[u8]) {
        let (Some(head), Some(index)) = (body.first_chunk::<8>(), number(body, 4)) else { return };
        let mut flags = u32::from(head[2]);
        let (mut local, mut other) = (None, None);
        for (kind, value) in Attributes(body.get(8..).unwrap_or_default()) {
            match kind {
                // IFA_ADDRESS is the far end's where there are two; IFA_LOCAL is ours.
                1 => other = ip(value),
                2 => local = ip(value),
                // IFA_FLAGS: the same with more bits.
                8 => flags = number(value, 0).unwrap_or(flags),
                _ => {}
            }
        }
        self.addresses.extend(local.or(other).map(|address| (index, address, head[1], flags)));
    }

    /// struct rtmsg: family, destination's length, source's, TOS, table, protocol, scope, type,
    /// flags (4). A VPN for everything often comes as two halves, so those count as default too.
    fn route(&mut self, body: &[u8]) {
        let (Some(head), Some(flags)) = (body.first_chunk::<12>(), number(body, 8)) else { return };
        if head[1] > 1 || head[7] != UNICAST || flags & UNUSABLE != 0 {
            return;
        }
        let (mut link, mut gateway) = (None, None);
        for (kind, value) in Attributes(body.get(12..).unwrap_or_default()) {
            match kind {
                // RTA_OIF, RTA_GATEWAY.
                4 => link = number(value, 0),
                5 => gateway = ip(value),
                _ => {}
            }
        }
        self.routes.push((link, gateway));
    }

    /// What counts of it: only what is up and leads somewhere.
    pub(super) fn shape(self) -> Shape {
        let usable = |link: u32| {
            let flags = self.links.get(&link).copied().unwrap_or(0);
            flags & UP != 0 && flags & RUNNING != 0 && flags & LOOPBACK == 0
        };
        let addresses = self.addresses.iter().filter(|(link, address, _, flags)| {
            usable(*link) && !is_local(*address) && is_ready(*flags)
        });
        let addresses = addresses.map(|(_, address, length, flags)| {
            let kept = if flags & TEMPORARY != 0 { network(*address, *length) } else { *address };
            (kept, *length)
        });
        let routes = self.routes.iter().filter(|(link, _)| link.is_none_or(usable));
        Shape {
            addresses: addresses.collect(),
            gateways: routes.map(|(_, gateway)| *gateway).collect(),
        }
    }
}

/// An IPv6 address may be used once nobody else claims it (RFC 4862 section 5.4, RFC 4429). The flag
/// for a temporary address has another meaning for IPv4 (IFA_F_SECONDARY), which does no harm: of
/// a second address in the same network the network is kept.
fn is_ready(flags: u32) -> bool {
    flags & DUPLICATE == 0 && (flags & TENTATIVE == 0 || flags & OPTIMISTIC != 0)
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_loopback() || four.is_link_local() || four.is_unspecified(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unicast_link_local() || six.is_unspecified(),
    }
}

fn network(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            Ipv4Addr::from_bits(four.to_bits() & mask).into()
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            Ipv6Addr::from_bits(six.to_bits() & mask).into()
        }
    }
}

/// The first message of a page: its kind, its body, and what follows it.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(number(bytes, 0)?).ok()?;
    let kind = bytes.get(4..6)?.first_chunk().map(|it| u16::from_ne_bytes(*it))?;
    let body = bytes.get(16..length)?;
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// Length (2), kind (2), value, filled up to four bytes.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.0.first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        // The two highest bits are marks (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
        let kind = u16::from_ne_bytes([head[2], head[3]]) & 0x3FFF;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|it| u32::from_ne_bytes(*it))
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(Into::into)
}

/// Reads `data` as a page of each list.
pub(crate) fn fuzz(data: &[u8]) {
    let mut collected = Collected::default();
    collected.take(data);
    let _ = collected.shape();
}

#[cfg(test)]
mod tests {
    use super::{Collected, network};

    /// A message with attributes.
    fn message(kind: u16, head: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = head.to_vec();
        for (kind, value) in attributes {
            body.extend((value.len() as u16 + 4).to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut bytes = (body.len() as u32 + 16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(16, 0);
        bytes.extend(body);
        bytes
    }

    fn link(index: u32, flags: u32) -> Vec<u8> {
        let mut head = vec![0; 4];
        head.extend(index.to_ne_bytes());
        head.extend(flags.to_ne_bytes());
        head.resize(16, 0);
        message(16, &head, &[(3, b"name\0")])
    }

    fn address(index: u32, octets: &[u8], length: u8, flags: u32) -> Vec<u8> {
        let mut head = vec![0, length, 0, 0];
        head.extend(index.to_ne_bytes());
        message(20, &head, &[(1, octets), (8, &flags.to_ne_bytes())])
    }

    fn route(index: u32, length: u8, gateway: &[u8]) -> Vec<u8> {
        let head = [2, length, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        message(24, &head, &[(4, &index.to_ne_bytes()), (5, gateway)])
    }

    #[test]
    fn only_what_leads_somewhere_counts() {
        let temporary = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9];
        let mut page = vec![];
        for part in [
            link(1, 0x49),
            link(2, 0x41),
            link(3, 0x01),
            address(1, &[127, 0, 0, 1], 8, 0x80),
            address(2, &[192, 0, 2, 7], 24, 0x80),
            address(2, &[169, 254, 1, 1], 16, 0x80),
            address(2, &temporary, 64, 0x01),
            address(2, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 64, 0x80),
            address(2, &[0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 64, 0x40),
            address(3, &[198, 51, 100, 7], 24, 0x80),
            route(2, 0, &[192, 0, 2, 1]),
            route(2, 24, &[192, 0, 2, 2]),
            route(3, 0, &[198, 51, 100, 1]),
        ] {
            page.extend(part);
        }
        let mut collected = Collected::default();
        assert!(!collected.take(&page));
        assert!(collected.take(&message(3, &[], &[])), "the list is over");
        let shape = collected.shape();
        let shown: Vec<_> =
            shape.addresses.iter().map(|(address, length)| format!("{address}/{length}")).collect();
        assert_eq!(shown, ["192.0.2.7/24", "2001:db8:0:1::/64"]);
        let gateways: Vec<_> = shape.gateways.into_iter().flatten().collect();
        assert_eq!(gateways, ["192.0.2.1".parse::<std::net::IpAddr>().expect("an address")]);
    }

    #[test]
    fn networks_are_cut_at_their_prefix() {
        let cut = |text: &str, length| network(text.parse().expect("an address"), length);
        assert_eq!(cut("192.0.2.7", 24).to_string(), "192.0.2.0");
        assert_eq!(cut("192.0.2.7", 0).to_string(), "0.0.0.0");
        assert_eq!(cut("192.0.2.7", 200).to_string(), "192.0.2.7");
        assert_eq!(cut("2001:db8::7", 0).to_string(), "::");
    }
}
