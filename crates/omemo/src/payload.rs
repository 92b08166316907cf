//! What is encrypted once for all devices, and the key of it that each of them gets.

use offhook_ports::Entropy;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{Dialect, Error, crypto};

/// Bytes of authentication of the payload, in both dialects.
const TAG: usize = 16;

/// An encrypted payload.
#[derive(Debug)]
pub struct Sealed {
    /// What each device gets: the key and the authentication code.
    pub key: Zeroizing<Vec<u8>>,
    /// Version 0.3 only: what `iv` says.
    pub iv: Option<[u8; 12]>,
    /// The encrypted content.
    pub payload: Vec<u8>,
}

/// Encrypts with a fresh key.
///
/// # Errors
/// Never in practice; the primitives can refuse.
pub fn seal(dialect: Dialect, content: &[u8], entropy: &mut dyn Entropy) -> Result<Sealed, Error> {
    match dialect {
        Dialect::Two => {
            let mut key = Zeroizing::new(vec![0; 32]);
            entropy.fill(&mut key);
            let (cipher, mac, iv) = derive(&key)?;
            let payload = crypto::encrypt_cbc(&cipher, &iv, content);
            let tag = crypto::hmac(mac.as_ref(), &[&payload]);
            key.extend_from_slice(tag.get(..TAG).ok_or(Error::Malformed)?);
            Ok(Sealed { key, iv: None, payload })
        }
        Dialect::Old => {
            let (mut key, mut iv) = (Zeroizing::new(vec![0; 16]), [0; 12]);
            entropy.fill(&mut key);
            entropy.fill(&mut iv);
            let cipher = gcm(&key)?;
            let mut payload = content.to_vec();
            let nonce = Nonce::assume_unique_for_key(iv);
            let tag = cipher
                .seal_in_place_separate_tag(nonce, Aad::empty(), &mut payload)
                .map_err(|_| Error::BadKey)?;
            key.extend_from_slice(tag.as_ref());
            Ok(Sealed { key, iv: Some(iv), payload })
        }
    }
}

/// What a device gets with a message without content (XEP-0384 section 5.5).
pub fn empty_key(dialect: Dialect, entropy: &mut dyn Entropy) -> Zeroizing<Vec<u8>> {
    match dialect {
        Dialect::Two => vec![0; 32].into(),
        Dialect::Old => {
            let mut key = Zeroizing::new(vec![0; 16]);
            entropy.fill(&mut key);
            key
        }
    }
}

/// Decrypts. `key` is what our device got, `iv` what the older dialect's header says.
///
/// # Errors
/// It is not what the writer encrypted, or has a form that is not understood.
pub fn open(dialect: Dialect, key: &[u8], iv: &[u8], payload: &[u8]) -> Result<Vec<u8>, Error> {
    match dialect {
        Dialect::Two => {
            let (key, tag) = key.split_at_checked(32).ok_or(Error::Malformed)?;
            let (cipher, mac, iv) = derive(key)?;
            let expected = crypto::hmac(mac.as_ref(), &[payload]);
            if !expected.get(..TAG).is_some_and(|expected| crypto::same(expected, tag)) {
                return Err(Error::Forged);
            }
            crypto::decrypt_cbc(&cipher, &iv, payload)
        }
        Dialect::Old => {
            // Very old programs leave the tag behind the payload and give the key alone.
            let (key, tag) = key.split_at_checked(16).ok_or(Error::Malformed)?;
            let mut data = [payload, tag].concat();
            let nonce = Nonce::try_assume_unique_for_key(iv).map_err(|_| Error::Malformed)?;
            let len = gcm(key)?
                .open_in_place(nonce, Aad::empty(), &mut data)
                .map_err(|_| Error::Forged)?
                .len();
            data.truncate(len);
            Ok(data)
        }
    }
}

type Derived = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>, [u8; 16]);

fn derive(key: &[u8]) -> Result<Derived, Error> {
    let out = crypto::hkdf::<80>(&crypto::NO_SALT, key, b"OMEMO Payload")?;
    let (cipher, rest) = out.split_first_chunk::<32>().ok_or(Error::Malformed)?;
    let (mac, rest) = rest.split_first_chunk::<32>().ok_or(Error::Malformed)?;
    let iv = *rest.first_chunk::<16>().ok_or(Error::Malformed)?;
    Ok(((*cipher).into(), (*mac).into(), iv))
}

fn gcm(key: &[u8]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_128_GCM, key).map(LessSafeKey::new).map_err(|_| Error::BadKey)
}
