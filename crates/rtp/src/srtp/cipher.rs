//! One suite with its session keys: seals and opens one packet whose index is known.

use aes::Aes128Enc;
use aes::cipher::KeyInit;
use offhook_model::SrtpSuite;
use ring::{aead, hmac};
use subtle::ConstantTimeEq as _;

use super::SrtpError;
use super::keys::{Keys, Use, lay};

/// Length of a tag of Galois counter mode.
const GCM_TAG: usize = 16;

/// The number a packet has under its key, and whose it is.
#[derive(Clone, Copy)]
pub(super) enum Index {
    /// Roll-over counter and sequence number.
    Sound { source: u32, rollover: u32, sequence: u16 },
    /// The number of a report, below 2^31.
    Report { source: u32, index: u32 },
}

impl Index {
    /// The first twelve bytes of the vector before the salt is laid over it (RFC 7714 sections 8.1
    /// and 9.1).
    fn gcm(self) -> [u8; 12] {
        let mut vector = [0; 12];
        let (source, rest) = match self {
            Self::Sound { source, rollover, sequence } => {
                (source, u64::from(rollover) << 16 | u64::from(sequence))
            }
            Self::Report { source, index } => (source, u64::from(index)),
        };
        vector[2..6].copy_from_slice(&source.to_be_bytes());
        vector[6..].copy_from_slice(&rest.to_be_bytes()[2..]);
        vector
    }

    /// The counter block before the salt is laid over it (RFC 3711 section 4.1.1).
    fn counter(self) -> [u8; 16] {
        let mut counter = [0; 16];
        counter[2..14].copy_from_slice(&self.gcm());
        counter
    }
}

/// See the module.
pub(super) enum Cipher {
    Counter { cipher: Box<Aes128Enc>, proof: hmac::Key, salt: [u8; 14], tag: usize },
    Galois { key: Box<aead::LessSafeKey>, salt: [u8; 12] },
}

impl Cipher {
    pub(super) fn new(suite: SrtpSuite, master: &[u8], what: Use) -> Result<Self, SrtpError> {
        Self::with(suite, &Keys::derive(suite, master, what)?, what)
    }

    pub(super) fn with(suite: SrtpSuite, keys: &Keys, what: Use) -> Result<Self, SrtpError> {
        let tag = match (suite, what) {
            (SrtpSuite::AesCm128HmacSha1_32, Use::Sound) => 4,
            // Reports have the long tag in either (RFC 4568 section 6.2).
            _ => 10,
        };
        match suite {
            SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 => {
                let cipher = Aes128Enc::new_from_slice(&keys.encryption);
                let algorithm = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
                Ok(Self::Counter {
                    cipher: Box::new(cipher.map_err(|_| SrtpError::KeyLength)?),
                    proof: hmac::Key::new(algorithm, &keys.authentication),
                    salt: *keys.salt,
                    tag,
                })
            }
            SrtpSuite::AeadAes256Gcm => {
                let key = aead::UnboundKey::new(&aead::AES_256_GCM, &keys.encryption);
                let mut salt = [0; 12];
                salt.copy_from_slice(&keys.salt[..12]);
                Ok(Self::Galois {
                    key: Box::new(aead::LessSafeKey::new(key.map_err(|_| SrtpError::KeyLength)?)),
                    salt,
                })
            }
        }
    }

    /// How many bytes a tag has.
    pub(super) fn tag(&self) -> usize {
        match self {
            Self::Counter { tag, .. } => *tag,
            Self::Galois { .. } => GCM_TAG,
        }
    }

    /// Seals a packet: `clear` bytes of it stay readable, the tag goes behind `length`. `trailer`
    /// is proven and not sent here: the roll-over counter of sound, the index word of a report.
    /// Gives the new length.
    pub(super) fn seal(
        &self,
        packet: &mut [u8],
        clear: usize,
        length: usize,
        index: Index,
        trailer: [u8; 4],
    ) -> Result<usize, SrtpError> {
        let end = length + self.tag();
        let packet = packet.get_mut(..end).ok_or(SrtpError::NoRoom)?;
        let (body, place) = packet.split_at_mut(length);
        if body.len() < clear {
            return Err(SrtpError::Short);
        }
        match self {
            Self::Counter { cipher, proof, salt, tag } => {
                lay(cipher.as_ref(), under(index.counter(), salt), &mut body[clear..]);
                place.copy_from_slice(&prove(proof, body, trailer).as_ref()[..*tag]);
            }
            Self::Galois { key, salt } => {
                let (header, text) = body.split_at_mut(clear);
                let nonce = aead::Nonce::assume_unique_for_key(under(index.gcm(), salt));
                let sealed = match index {
                    Index::Sound { .. } => {
                        key.seal_in_place_separate_tag(nonce, aead::Aad::from(&*header), text)
                    }
                    Index::Report { .. } => {
                        let known = joined(header, trailer)?;
                        key.seal_in_place_separate_tag(nonce, aead::Aad::from(known), text)
                    }
                };
                place.copy_from_slice(sealed.map_err(|_| SrtpError::NoRoom)?.as_ref());
            }
        }
        Ok(end)
    }

    /// Opens a packet that ends with its tag; gives the length of what was inside. A packet that is
    /// not believed is left in an unusable state.
    pub(super) fn open(
        &self,
        packet: &mut [u8],
        clear: usize,
        index: Index,
        trailer: [u8; 4],
    ) -> Result<usize, SrtpError> {
        let length = packet.len().checked_sub(self.tag()).ok_or(SrtpError::Short)?;
        if length < clear {
            return Err(SrtpError::Short);
        }
        match self {
            Self::Counter { cipher, proof, salt, tag } => {
                let (body, came) = packet.split_at_mut(length);
                let wanted = prove(proof, body, trailer);
                if !bool::from(wanted.as_ref()[..*tag].ct_eq(came)) {
                    return Err(SrtpError::Forged);
                }
                lay(cipher.as_ref(), under(index.counter(), salt), &mut body[clear..]);
            }
            Self::Galois { key, salt } => {
                let (header, text) = packet.split_at_mut(clear);
                let nonce = aead::Nonce::assume_unique_for_key(under(index.gcm(), salt));
                let opened = match index {
                    Index::Sound { .. } => {
                        key.open_in_place(nonce, aead::Aad::from(&*header), text)
                    }
                    Index::Report { .. } => {
                        let known = joined(header, trailer)?;
                        key.open_in_place(nonce, aead::Aad::from(known), text)
                    }
                };
                opened.map_err(|_| SrtpError::Forged)?;
            }
        }
        Ok(length)
    }
}

fn under<const N: usize, const M: usize>(mut vector: [u8; N], salt: &[u8; M]) -> [u8; N] {
    for (byte, salt) in vector.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    vector
}

fn prove(key: &hmac::Key, body: &[u8], trailer: [u8; 4]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(body);
    context.update(&trailer);
    context.sign()
}

/// The first eight bytes of a report and its index word (RFC 7714 section 9.2).
fn joined(header: &[u8], trailer: [u8; 4]) -> Result<[u8; 12], SrtpError> {
    let mut known = [0; 12];
    known[..8].copy_from_slice(header.get(..8).ok_or(SrtpError::Short)?);
    known[8..].copy_from_slice(&trailer);
    Ok(known)
}
