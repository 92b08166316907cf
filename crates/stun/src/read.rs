//! Reading a message: whole, bounded, without copying.

use std::net::SocketAddr;

use ring::hmac;

use crate::attributes::{Attribute, ErrorCode, read_address};
use crate::{COOKIE, Class, FINGERPRINT_MIX, Key, Method, TransactionId, crc32};

/// Bytes before the attributes.
pub(crate) const HEADER: usize = 20;
/// More attributes than any honest message has.
const MAX_ATTRIBUTES: usize = 64;

/// Why a datagram is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StunError {
    /// Too short, another cookie, or lengths that do not fit.
    #[error("this is no STUN message")]
    NotStun,
    /// A method that is not known here.
    #[error("the STUN method is not known")]
    Method,
    /// FINGERPRINT is wrong.
    #[error("the fingerprint of the STUN message is wrong")]
    Fingerprint,
}

/// A message of somebody; nothing in it is proven but its form until [`Message::is_signed`] said so.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// What it is to do.
    pub class: Class,
    /// What it is about.
    pub method: Method,
}

impl<'a> Message<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`StunError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, StunError> {
        let header = bytes.first_chunk::<HEADER>().ok_or(StunError::NotStun)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let cookie = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        if kind >= 0x4000
            || cookie != COOKIE
            || !length.is_multiple_of(4)
            || bytes.len() != HEADER + length
        {
            return Err(StunError::NotStun);
        }
        let class = match kind & 0x0110 {
            0x0000 => Class::Request,
            0x0010 => Class::Indication,
            0x0100 => Class::Success,
            _ => Class::Error,
        };
        let number = (kind & 0xf) | ((kind >> 1) & 0x70) | ((kind >> 2) & 0xf80);
        let method = Method::of(number).ok_or(StunError::Method)?;
        let message = Self { bytes, class, method };
        message.check()?;
        Ok(message)
    }

    /// Attributes lie within the message, FINGERPRINT is the last one and right.
    fn check(&self) -> Result<(), StunError> {
        let mut end = HEADER;
        for (count, (at, number, value)) in self.walk().enumerate() {
            if count >= MAX_ATTRIBUTES {
                return Err(StunError::NotStun);
            }
            end = at + 4 + value.len().next_multiple_of(4);
            if number == Attribute::Fingerprint as u16 {
                let sum = self.bytes.get(..at).map(crc32).unwrap_or_default() ^ FINGERPRINT_MIX;
                if value != sum.to_be_bytes() || end != self.bytes.len() {
                    return Err(StunError::Fingerprint);
                }
            }
        }
        if end == self.bytes.len() { Ok(()) } else { Err(StunError::NotStun) }
    }

    /// Names the request.
    pub fn transaction(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(self.bytes.get(8..HEADER).unwrap_or(&[0; 12]));
        id
    }

    /// All attributes: where, which number, value.
    fn walk(&self) -> impl Iterator<Item = (usize, u16, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let head = bytes.get(at..)?.first_chunk::<4>()?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = bytes.get(at + 4..at + 4 + length)?;
            let found = (at, u16::from_be_bytes([head[0], head[1]]), value);
            at += 4 + length.next_multiple_of(4);
            Some(found)
        })
    }

    /// The first attribute of this number. What follows a signature is not signed and not looked at
    /// (RFC 8489 section 14.5).
    pub fn get(&self, attribute: Attribute) -> Option<&'a [u8]> {
        let mut signed = false;
        for (_, number, value) in self.walk() {
            let signature = number == Attribute::MessageIntegrity as u16
                || number == Attribute::MessageIntegritySha256 as u16;
            let last = number == Attribute::Fingerprint as u16;
            if signed && !signature && !last {
                return None;
            }
            if number == attribute as u16 {
                return Some(value);
            }
            signed |= signature;
        }
        None
    }

    /// A text attribute.
    pub fn text(&self, attribute: Attribute) -> Option<&'a str> {
        std::str::from_utf8(self.get(attribute)?).ok()
    }

    /// A number of 32 bits.
    pub fn number(&self, attribute: Attribute) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(attribute)?.try_into().ok()?))
    }

    /// A number of 64 bits.
    pub fn long(&self, attribute: Attribute) -> Option<u64> {
        Some(u64::from_be_bytes(self.get(attribute)?.try_into().ok()?))
    }

    /// An address that is mixed with the transaction.
    pub fn address(&self, attribute: Attribute) -> Option<SocketAddr> {
        read_address(self.get(attribute)?, Some(&self.transaction()))
    }

    /// The address of the asker as the answerer saw it.
    pub fn mapped(&self) -> Option<SocketAddr> {
        let old = || read_address(self.get(Attribute::MappedAddress)?, None);
        self.address(Attribute::XorMappedAddress).or_else(old)
    }

    /// Another server to ask.
    pub fn alternate(&self) -> Option<SocketAddr> {
        read_address(self.get(Attribute::AlternateServer)?, None)
    }

    /// Why not.
    pub fn error(&self) -> Option<ErrorCode> {
        let value = self.get(Attribute::ErrorCode)?;
        let (class, number) = (u16::from(value.get(2)? & 7), u16::from(*value.get(3)?));
        ((3..=6).contains(&class) && number < 100).then_some(ErrorCode(class * 100 + number))
    }

    /// Attributes that have to be understood and are not known here, at most eight.
    pub fn unknown(&self) -> Vec<u16> {
        self.walk()
            .map(|(_, number, _)| number)
            .filter(|number| Attribute::is_required(*number) && Attribute::of(*number).is_none())
            .take(8)
            .collect()
    }

    /// It has a signature of that kind.
    pub fn has_signature(&self, key: &Key) -> bool {
        self.get(key.attribute()).is_some()
    }

    /// Its signature is there and by this key. Compared in constant time.
    pub fn is_signed(&self, key: &Key) -> bool {
        let wanted = key.attribute() as u16;
        let Some((at, _, value)) = self.walk().find(|(_, number, _)| *number == wanted) else {
            return false;
        };
        // The length counts as if the message ended with the signature (RFC 8489 section 14.5).
        let length = (at + 4 + value.len() - HEADER) as u16;
        let [high, low] = length.to_be_bytes();
        let mut signed = self.bytes.get(..at).unwrap_or_default().to_vec();
        if let Some(place) = signed.get_mut(2..4) {
            place.copy_from_slice(&[high, low]);
        }
        hmac::verify(&key.hmac(), &signed, value).is_ok()
    }
}
