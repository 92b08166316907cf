//! Our device's own keys: the identity, the signed prekey and the one-time prekeys.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use offhook_ports::Entropy;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

use crate::bundle::{Bundle, PreKey};
use crate::{Dialect, Error, PREKEYS, SIGNED_AGE, crypto, wire};

/// Ids of prekeys stay below this (Signal's programs keep to 24 bits).
const PREKEY_IDS: u32 = 1 << 24;

/// 32 secret bytes. They are overwritten when dropped, and there is no way to print them; they
/// serialise (as Base64) for the store alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Fresh ones.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        let mut key = Self([0; 32]);
        entropy.fill(&mut key.0);
        key
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(STANDARD.encode(self.0));
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut key = Self([0; 32]);
        match STANDARD.decode_slice(text.as_bytes(), &mut key.0) {
            Ok(32) => Ok(key),
            Ok(_) | Err(_) => Err(serde::de::Error::custom("not 32 bytes in Base64")),
        }
    }
}

/// A device's public identity, in both of its forms.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityKey {
    /// Ed25519, as version 0.8 has it.
    signing: [u8; 32],
    /// X25519, as version 0.3 has it.
    agreement: [u8; 32],
}

impl IdentityKey {
    /// From the form that the dialect's messages carry.
    ///
    /// # Errors
    /// It is no point of the curve, or one of small order.
    pub fn from_wire(dialect: Dialect, bytes: &[u8; 32]) -> Result<Self, Error> {
        let (signing, agreement) = match dialect {
            Dialect::Two => (*bytes, crypto::to_montgomery(bytes)?),
            Dialect::Old => {
                let signing = crypto::to_edwards(bytes, 0)?;
                (signing, crypto::to_montgomery(&signing)?)
            }
        };
        Ok(Self { signing, agreement })
    }

    /// The form that the dialect's messages carry.
    pub(crate) fn wire(&self, dialect: Dialect) -> [u8; 32] {
        match dialect {
            Dialect::Two => self.signing,
            Dialect::Old => self.agreement,
        }
    }

    pub(crate) fn agreement(&self) -> &[u8; 32] {
        &self.agreement
    }

    /// The key in lower-case hex, 64 characters: its X25519 form, which is the same in both dialects
    /// (XEP-0384 section 8). People compare it in eight groups of eight.
    pub fn fingerprint(&self) -> String {
        self.agreement.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(…)")
    }
}

/// A signed prekey of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signed {
    id: u32,
    secret: Key,
    /// Seconds since 1970.
    made: u64,
}

/// All private keys of our device in one dialect. Serialises for the store alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Own {
    dialect: Dialect,
    seed: Key,
    identity: IdentityKey,
    signed: Signed,
    before: Option<Signed>,
    prekeys: BTreeMap<u32, Key>,
    next: u32,
}

impl Own {
    /// A seed for an identity that looks the same in both dialects: those are drawn again whose
    /// public key has a sign, which the older dialect's form cannot tell.
    ///
    /// # Errors
    /// The source of chance gives nothing usable.
    pub fn draw_seed(entropy: &mut dyn Entropy) -> Result<Key, Error> {
        for _ in 0..256 {
            let seed = Key::random(entropy);
            if crypto::signing_public(seed.bytes())?[31] & 0x80 == 0 {
                return Ok(seed);
            }
        }
        Err(Error::BadKey)
    }

    /// A new device with this identity; `now` in seconds since 1970.
    ///
    /// # Errors
    /// The seed makes no key.
    pub fn new(
        dialect: Dialect,
        seed: Key,
        entropy: &mut dyn Entropy,
        now: u64,
    ) -> Result<Self, Error> {
        let identity =
            IdentityKey::from_wire(Dialect::Two, &crypto::signing_public(seed.bytes())?)?;
        let signed = Signed { id: 1, secret: Key::random(entropy), made: now };
        let (before, prekeys) = (None, BTreeMap::new());
        let mut own = Self { dialect, seed, identity, signed, before, prekeys, next: 1 };
        own.maintain(entropy, now);
        Ok(own)
    }

    /// Who we are.
    pub fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// Which dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What others need to begin a session with us.
    ///
    /// # Errors
    /// The seed makes no signature.
    pub fn bundle(&self) -> Result<Bundle, Error> {
        let public = crypto::public(self.signed.secret.bytes());
        let signature = crypto::sign(self.seed.bytes(), &wire::put_key(self.dialect, &public))?;
        Ok(Bundle {
            identity: self.identity,
            signed: PreKey { id: self.signed.id, key: public },
            signature,
            prekeys: self
                .prekeys
                .iter()
                .map(|(id, secret)| PreKey { id: *id, key: crypto::public(secret.bytes()) })
                .collect(),
        })
    }

    /// Replaces a signed prekey that is older than [`SIGNED_AGE`], and fills the one-time keys up.
    /// True when the bundle has to be published again.
    pub fn maintain(&mut self, entropy: &mut dyn Entropy, now: u64) -> bool {
        let mut changed = false;
        if now.saturating_sub(self.signed.made) >= SIGNED_AGE {
            let id = self.signed.id % (PREKEY_IDS - 1) + 1;
            let new = Signed { id, secret: Key::random(entropy), made: now };
            self.before = Some(std::mem::replace(&mut self.signed, new));
            changed = true;
        }
        while self.prekeys.len() < PREKEYS {
            self.prekeys.insert(self.next, Key::random(entropy));
            self.next = self.next % (PREKEY_IDS - 1) + 1;
            changed = true;
        }
        changed
    }

    /// When [`Own::maintain`] wants to be called for the signed prekey, in seconds since 1970.
    pub fn next_rotation(&self) -> u64 {
        self.signed.made.saturating_add(SIGNED_AGE)
    }

    /// A one-time key was used: it is never used again.
    pub fn spend(&mut self, prekey: u32) -> bool {
        self.prekeys.remove(&prekey).is_some()
    }

    pub(crate) fn secret(&self) -> Zeroizing<[u8; 32]> {
        crypto::scalar(self.seed.bytes())
    }

    pub(crate) fn signed_secret(&self, id: u32) -> Option<&Key> {
        [Some(&self.signed), self.before.as_ref()]
            .into_iter()
            .flatten()
            .find(|it| it.id == id)
            .map(|it| &it.secret)
    }

    pub(crate) fn prekey_secret(&self, id: u32) -> Option<&Key> {
        self.prekeys.get(&id)
    }
}
