//! Session keys from the master key (RFC 3711 section 4.3, RFC 6188, RFC 7714 section 11).

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc};
use offhook_model::SrtpSuite;
use zeroize::Zeroizing;

use super::SrtpError;

/// What is derived: the label of RFC 3711 section 4.3.2 for sound; reports have those three above.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Sound,
    Reports,
}

/// The keys of one stream, for sound or for reports.
pub(super) struct Keys {
    pub(super) encryption: Zeroizing<Vec<u8>>,
    /// Empty with Galois counter mode.
    pub(super) authentication: Zeroizing<Vec<u8>>,
    /// 14 bytes; Galois counter mode uses the first 12.
    pub(super) salt: Zeroizing<[u8; 14]>,
}

impl Keys {
    pub(super) fn derive(suite: SrtpSuite, master: &[u8], what: Use) -> Result<Self, SrtpError> {
        let (key_length, salt_length) = suite.key_and_salt();
        if master.len() != key_length + salt_length {
            return Err(SrtpError::KeyLength);
        }
        let (key, given) = master.split_at(key_length);
        // A salt of 96 bits is filled up with zeros at its end (RFC 7714 section 11).
        let mut salt = Zeroizing::new([0; 14]);
        salt[..salt_length].copy_from_slice(given);
        let first = match what {
            Use::Sound => 0,
            Use::Reports => 3,
        };
        let mut keys = Self {
            encryption: Zeroizing::new(vec![0; key_length]),
            authentication: Zeroizing::new(match suite {
                SrtpSuite::AeadAes256Gcm => vec![],
                SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 => vec![0; 20],
            }),
            salt: Zeroizing::new([0; 14]),
        };
        generate(key, &salt, first, &mut keys.encryption)?;
        generate(key, &salt, first + 1, &mut keys.authentication)?;
        let (_, length) = suite.key_and_salt();
        generate(key, &salt, first + 2, &mut keys.salt[..length])?;
        Ok(keys)
    }
}

/// The pseudo-random function: the key stream of counter mode at `salt` with the label laid over
/// its eighth byte (RFC 3711 section 4.3.1 with a derivation rate of 0).
fn generate(key: &[u8], salt: &[u8; 14], label: u8, out: &mut [u8]) -> Result<(), SrtpError> {
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(salt);
    counter[7] ^= label;
    out.fill(0);
    key_stream(key, counter, out)
}

/// Lays the key stream of AES in counter mode over `data`.
pub(super) fn key_stream(key: &[u8], counter: [u8; 16], data: &mut [u8]) -> Result<(), SrtpError> {
    let wrong = |_| SrtpError::KeyLength;
    match key.len() {
        16 => lay(&Aes128Enc::new_from_slice(key).map_err(wrong)?, counter, data),
        _ => lay(&Aes256Enc::new_from_slice(key).map_err(wrong)?, counter, data),
    }
    Ok(())
}

/// The counter are the last two bytes of the block (RFC 3711 section 4.1.1): a packet is far
/// shorter than 2^16 blocks.
pub(super) fn lay<C>(cipher: &C, mut counter: [u8; 16], data: &mut [u8])
where
    C: BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>,
{
    for (number, chunk) in data.chunks_mut(16).enumerate() {
        counter[14..].copy_from_slice(&(number as u16).to_be_bytes());
        let mut block = counter.into();
        cipher.encrypt_block(&mut block);
        for (byte, key) in chunk.iter_mut().zip(block.iter()) {
            *byte ^= key;
        }
    }
}
