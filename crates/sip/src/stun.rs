//! As much of STUN (RFC 8489) as the keep-alive of a SIP flow needs (RFC 5626 section 4.4.2): a Binding
//! request, and who we are seen as in its answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Section 5.
const COOKIE: u32 = 0x2112_a442;
const HEAD: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// An answer to a Binding request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// Which request.
    pub id: [u8; 12],
    /// Where the server sees us, if it tells.
    pub mapped: Option<SocketAddr>,
}

/// A Binding request without attributes.
pub(crate) fn request(id: [u8; 12]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD);
    out.extend_from_slice(&BINDING_REQUEST.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&COOKIE.to_be_bytes());
    out.extend_from_slice(&id);
    out
}

/// Reads a success response; nothing for anything else. No SIP message begins with such a byte.
pub(crate) fn read(bytes: &[u8]) -> Option<Binding> {
    let (head, body) = bytes.split_at_checked(HEAD)?;
    let cookie = COOKIE.to_be_bytes();
    if half(head)? != BINDING_SUCCESS || head[4..8] != cookie {
        return None;
    }
    if usize::from(half(&head[2..])?) != body.len() {
        return None;
    }
    let id: [u8; 12] = head[8..].try_into().ok()?;
    let mapped = attributes(body).find(|(kind, _)| *kind == XOR_MAPPED_ADDRESS);
    Some(Binding { id, mapped: mapped.and_then(|(_, value)| unmask(value, &head[4..])) })
}

/// Type and value of each attribute, as far as they are whole.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, length) = (half(rest)?, usize::from(half(rest.get(2..)?)?));
        let value = rest.get(4..4 + length)?;
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Section 14.2: port and address under the cookie, and for IPv6 the transaction's id behind it.
fn unmask(value: &[u8], mask: &[u8]) -> Option<SocketAddr> {
    let port = half(value.get(2..)?)? ^ half(mask)?;
    let bytes: Vec<u8> = value.get(4..)?.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let ip = match (value.get(1)?, value.len()) {
        (1, 8) => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        (2, 20) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn half(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Binding, read, request};

    /// RFC 5769 section 2.2, without what comes after the address.
    const SAMPLE: &str = "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643";
    /// RFC 5769 section 2.3, likewise.
    const SAMPLE_6: &str = "010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f1\
                            79bc25f4b5bed2b9d9";

    fn bytes(hex: &str) -> Vec<u8> {
        let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        (0..hex.len()).step_by(2).map(pair).collect()
    }

    #[test]
    fn published_answers_are_read() {
        for (hex, address) in [
            (SAMPLE, "192.0.2.1:32853"),
            (SAMPLE_6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        ] {
            let id = bytes("b7e7a701bc34d686fa87dfae").try_into().expect("twelve");
            let mapped = Some(address.parse().expect("an address"));
            assert_eq!(read(&bytes(hex)), Some(Binding { id, mapped }));
        }
    }

    #[test]
    fn what_is_no_answer_is_none() {
        assert_eq!(read(&request([7; 12])), None, "a request");
        assert_eq!(read(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"), None);
        let whole = bytes(SAMPLE);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length} bytes");
        }
        let mut odd = whole;
        odd[23] = 99;
        assert_eq!(read(&odd).map(|binding| binding.mapped), Some(None), "a length that lies");
    }
}
