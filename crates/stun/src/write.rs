//! Writing a message.

use std::fmt;
use std::net::SocketAddr;

use md5::{Digest as _, Md5};
use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::attributes::{Attribute, ErrorCode, write_address};
use crate::read::HEADER;
use crate::{COOKIE, Class, FINGERPRINT_MIX, Method, TransactionId, crc32};

/// What a message is signed with.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<Vec<u8>>,
    /// MESSAGE-INTEGRITY-SHA256 in place of MESSAGE-INTEGRITY.
    sha256: bool,
}

impl Key {
    /// Of a password for one call (RFC 8489 section 9.1.1), signed with SHA-1 as RFC 8445 has it.
    pub fn short_term(password: &str) -> Self {
        Self { bytes: Zeroizing::new(password.as_bytes().to_vec()), sha256: false }
    }

    /// Of a user's password (RFC 8489 section 9.2.2); with `sha256` the newer algorithm.
    pub fn long_term(user: &str, realm: &str, password: &str, sha256: bool) -> Self {
        let text = Zeroizing::new(format!("{user}:{realm}:{password}"));
        let text = text.as_bytes();
        let bytes = if sha256 {
            digest::digest(&digest::SHA256, text).as_ref().to_vec()
        } else {
            Md5::digest(text).to_vec()
        };
        Self { bytes: Zeroizing::new(bytes), sha256 }
    }

    /// The same key, signing by the other attribute.
    pub fn by_sha256(self) -> Self {
        Self { sha256: true, ..self }
    }

    pub(crate) fn attribute(&self) -> Attribute {
        if self.sha256 { Attribute::MessageIntegritySha256 } else { Attribute::MessageIntegrity }
    }

    pub(crate) fn hmac(&self) -> hmac::Key {
        let algorithm =
            if self.sha256 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY };
        hmac::Key::new(algorithm, &self.bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Key").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

/// A message being written.
#[derive(Clone, Debug)]
pub struct Draft {
    bytes: Vec<u8>,
    transaction: TransactionId,
}

impl Draft {
    /// Begins one.
    pub fn new(class: Class, method: Method, transaction: TransactionId) -> Self {
        let number = method.number();
        let class = match class {
            Class::Request => 0x0000,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        let kind = class | (number & 0xf) | ((number & 0x70) << 1) | ((number & 0xf80) << 2);
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(transaction);
        Self { bytes, transaction }
    }

    /// Adds an attribute of at most 65,000 bytes; a longer one is left out.
    #[must_use]
    pub fn with(mut self, attribute: Attribute, value: &[u8]) -> Self {
        if value.len() > 65_000 {
            return self;
        }
        self.bytes.extend((attribute as u16).to_be_bytes());
        self.bytes.extend((value.len() as u16).to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.set_length(0);
        self
    }

    /// Adds an address, mixed with the transaction.
    #[must_use]
    pub fn with_address(self, attribute: Attribute, address: SocketAddr) -> Self {
        let value = write_address(address, &self.transaction);
        self.with(attribute, &value)
    }

    /// Adds a refusal.
    #[must_use]
    pub fn with_error(self, code: ErrorCode, words: &str) -> Self {
        let mut value = vec![0, 0, (code.0 / 100) as u8, (code.0 % 100) as u8];
        value.extend(words.as_bytes());
        self.with(Attribute::ErrorCode, &value)
    }

    /// Signs what was added so far.
    #[must_use]
    pub fn signed(mut self, key: &Key) -> Self {
        self.set_length(4 + if key.sha256 { 32 } else { 20 });
        let tag = hmac::sign(&key.hmac(), &self.bytes);
        self.with(key.attribute(), tag.as_ref())
    }

    /// Adds the fingerprint; the message is complete.
    pub fn finish(mut self) -> Vec<u8> {
        self.set_length(8);
        let sum = crc32(&self.bytes) ^ FINGERPRINT_MIX;
        self.with(Attribute::Fingerprint, &sum.to_be_bytes()).bytes
    }

    /// The message without a fingerprint.
    pub fn plain(self) -> Vec<u8> {
        self.bytes
    }

    /// The length as it will be with `more` bytes.
    fn set_length(&mut self, more: usize) {
        let length = (self.bytes.len() - HEADER + more) as u16;
        if let Some(place) = self.bytes.get_mut(2..4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
}
