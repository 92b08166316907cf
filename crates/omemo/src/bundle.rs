//! What a device publishes so that others can begin a session with it (XEP-0384 section 5.3.2).

use crate::keys::IdentityKey;
use crate::{Dialect, Error, crypto, wire};

/// A public prekey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreKey {
    /// Its number at the device.
    pub id: u32,
    /// X25519.
    pub key: [u8; 32],
}

/// A device's public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Who it is.
    pub identity: IdentityKey,
    /// The signed prekey.
    pub signed: PreKey,
    /// Its signature by the identity.
    pub signature: [u8; 64],
    /// One-time keys.
    pub prekeys: Vec<PreKey>,
}

impl Bundle {
    /// Whether the identity signed the prekey. In version 0.3 the sign of the identity's Ed25519 form
    /// travels in the signature's last bit (Signal's programs).
    ///
    /// # Errors
    /// It did not.
    pub fn verify(&self, dialect: Dialect) -> Result<(), Error> {
        let data = wire::put_key(dialect, &self.signed.key);
        match dialect {
            Dialect::Two => {
                crypto::verify(&self.identity.wire(Dialect::Two), &data, &self.signature)
            }
            Dialect::Old => {
                let mut signature = self.signature;
                let sign = signature[63] >> 7;
                signature[63] &= 0x7f;
                let key = crypto::to_edwards(self.identity.agreement(), sign)?;
                crypto::verify(&key, &data, &signature)
            }
        }
    }

    /// The identity in the form that the dialect publishes: in version 0.3 with its type byte.
    pub fn identity_bytes(&self, dialect: Dialect) -> Vec<u8> {
        wire::put_key(dialect, &self.identity.wire(dialect))
    }

    /// A prekey in the form that the dialect publishes.
    pub fn key_bytes(dialect: Dialect, key: &PreKey) -> Vec<u8> {
        wire::put_key(dialect, &key.key)
    }

    /// A published key, likewise back.
    ///
    /// # Errors
    /// It does not have that form.
    pub fn read_key(dialect: Dialect, data: &[u8]) -> Result<[u8; 32], Error> {
        wire::read_key(dialect, data)
    }
}
