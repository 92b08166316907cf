//! The few primitives, each over ring, curve25519-dalek or aes with cbc, with errors in our words.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::IsIdentity;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ring::{digest, hkdf as ring_hkdf, hmac as ring_hmac};
use zeroize::Zeroizing;

use crate::Error;

/// No salt, as the standards of Signal have it: 32 zero bytes.
pub(crate) const NO_SALT: [u8; 32] = [0; 32];

struct Length(usize);

impl ring_hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF with SHA-256 (RFC 5869).
pub(crate) fn hkdf<const N: usize>(
    salt: &[u8],
    material: &[u8],
    info: &[u8],
) -> Result<Zeroizing<[u8; N]>, Error> {
    let mut out = Zeroizing::new([0; N]);
    ring_hkdf::Salt::new(ring_hkdf::HKDF_SHA256, salt)
        .extract(material)
        .expand(&[info], Length(N))
        .and_then(|okm| okm.fill(out.as_mut()))
        .map_err(|_| Error::BadKey)?;
    Ok(out)
}

/// HMAC with SHA-256 over the parts, one after the other.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context =
        ring_hmac::Context::with_key(&ring_hmac::Key::new(ring_hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// Whether two authentication codes are the same, in a time that does not tell where they differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// AES-256-CBC with the padding of PKCS #7.
pub(crate) fn encrypt_cbc(key: &[u8; 32], iv: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plain)
}

/// Likewise back. Only for what was authenticated before.
pub(crate) fn decrypt_cbc(key: &[u8; 32], iv: &[u8; 16], sealed: &[u8]) -> Result<Vec<u8>, Error> {
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(sealed)
        .map_err(|_| Error::Malformed)
}

/// The public key of a private one (RFC 7748).
pub(crate) fn public(secret: &[u8; 32]) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(*secret).to_bytes()
}

/// X25519. A public key of small order, which would make the result known to everybody, is refused.
pub(crate) fn agree(secret: &[u8; 32], public: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let shared = MontgomeryPoint(*public).mul_clamped(*secret);
    if shared.is_identity() || shared.to_bytes() == [0; 32] {
        return Err(Error::BadKey);
    }
    Ok(Zeroizing::new(shared.to_bytes()))
}

/// The private key for X25519 of an Ed25519 seed (RFC 8032 section 5.1.5; clamped in use).
pub(crate) fn scalar(seed: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let hash = digest::digest(&digest::SHA512, seed);
    let mut out = Zeroizing::new([0; 32]);
    if let Some(half) = hash.as_ref().first_chunk::<32>() {
        *out = *half;
    }
    out
}

/// The Ed25519 public key of a seed.
pub(crate) fn signing_public(seed: &[u8; 32]) -> Result<[u8; 32], Error> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::BadKey)?;
    pair.public_key().as_ref().try_into().map_err(|_| Error::BadKey)
}

/// Signs with Ed25519.
pub(crate) fn sign(seed: &[u8; 32], data: &[u8]) -> Result<[u8; 64], Error> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::BadKey)?;
    pair.sign(data).as_ref().try_into().map_err(|_| Error::BadKey)
}

/// Checks an Ed25519 signature.
pub(crate) fn verify(key: &[u8; 32], data: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
    UnparsedPublicKey::new(&ED25519, key).verify(data, signature).map_err(|_| Error::Forged)
}

/// The X25519 form of an Ed25519 public key.
pub(crate) fn to_montgomery(ed: &[u8; 32]) -> Result<[u8; 32], Error> {
    let point = CompressedEdwardsY(*ed).decompress().ok_or(Error::BadKey)?;
    if point.is_small_order() {
        return Err(Error::BadKey);
    }
    Ok(point.to_montgomery().to_bytes())
}

/// The Ed25519 form of an X25519 public key, with this sign (XEdDSA, section 2.3).
pub(crate) fn to_edwards(mont: &[u8; 32], sign: u8) -> Result<[u8; 32], Error> {
    let point = MontgomeryPoint(*mont).to_edwards(sign).ok_or(Error::BadKey)?;
    Ok(point.compress().to_bytes())
}
