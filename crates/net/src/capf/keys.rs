//! Keys of phones. The elliptic ones are ring's; RSA keys are made by `rsa`, for ring makes none,
//! and used by ring in TLS. Signing for an enrolment is the one other thing `rsa` does: it wants
//! SHA-1 as well, which ring does not sign with.

use offhook_capf::KeyKind;
use offhook_model::Secret;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair,
};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::{self, CryptoRng, RngCore};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

/// `SubjectPublicKeyInfo` of a point on P-256 up to the point (RFC 5480).
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
    0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The same of P-384.
const P384: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];
/// `DigestInfo` up to the digest (RFC 8017 section 9.2).
const SHA1: &[u8] =
    &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14];
const SHA256: &[u8] = &[
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A new key.
pub(super) struct Key {
    private: Secret<Vec<u8>>,
    public: Vec<u8>,
}

impl Key {
    /// Takes a moment, or seconds for a long one; nothing when the system gives no chance.
    pub(super) fn make(kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Rsa(bits) => {
                let key = RsaPrivateKey::new(&mut System(SystemRandom::new()), bits.into()).ok()?;
                let private = Secret::new(key.to_pkcs8_der().ok()?.as_bytes().to_vec());
                let public = key.to_public_key().to_public_key_der().ok()?.into_vec();
                Some(Self { private, public })
            }
            KeyKind::P256 => Self::elliptic(&ECDSA_P256_SHA256_ASN1_SIGNING, P256),
            KeyKind::P384 => Self::elliptic(&ECDSA_P384_SHA384_ASN1_SIGNING, P384),
        }
    }

    fn elliptic(algorithm: &'static EcdsaSigningAlgorithm, head: &[u8]) -> Option<Self> {
        let chance = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &chance).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &chance).ok()?;
        let public = [head, pair.public_key().as_ref()].concat();
        Some(Self { private: Secret::new(document.as_ref().to_vec()), public })
    }

    /// DER `SubjectPublicKeyInfo`.
    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// PKCS #8, DER.
    pub(super) fn private(self) -> Secret<Vec<u8>> {
        self.private
    }
}

/// Signatures with SHA-1 and SHA-256 by an RSA key; nothing for another kind. How an elliptic key
/// signs here is not public.
pub(super) fn sign(private: &[u8], what: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = RsaPrivateKey::from_pkcs8_der(private).ok()?;
    let by = |algorithm, prefix: &[u8]| {
        let sum = digest::digest(algorithm, what);
        let padding =
            Pkcs1v15Sign { hash_len: Some(sum.as_ref().len()), prefix: prefix.to_vec().into() };
        // Blinded, so that how long it takes tells nothing of the key.
        key.sign_with_rng(&mut System(SystemRandom::new()), padding, sum.as_ref()).ok()
    };
    Some((by(&digest::SHA1_FOR_LEGACY_USE_ONLY, SHA1)?, by(&digest::SHA256, SHA256)?))
}

/// The system's chance, as `rsa` asks for it.
struct System(SystemRandom);

impl RngCore for System {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        // Keys out of anything less would be no keys; see `crate::entropy`.
        assert!(self.0.fill(out).is_ok(), "the system gives no random numbers");
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for System {}

#[cfg(test)]
mod tests {
    use offhook_capf::KeyKind;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
    use rustls_pki_types::PrivatePkcs8KeyDer;
    use x509_parser::prelude::FromDer;
    use x509_parser::x509::SubjectPublicKeyInfo;

    use super::{Key, sign};

    #[test]
    fn keys_of_every_kind_can_be_used_under_tls() {
        for kind in [KeyKind::Rsa(2048), KeyKind::P256, KeyKind::P384] {
            let key = Key::make(kind).expect("a key");
            let (rest, _) = SubjectPublicKeyInfo::from_der(key.public()).expect("a public key");
            assert!(rest.is_empty(), "{kind:?}");
            let private = PrivatePkcs8KeyDer::from(key.private().expose().clone());
            let usable = rustls::crypto::ring::sign::any_supported_type(&private.into());
            assert!(usable.is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn what_an_rsa_key_signs_is_verified() {
        let key = Key::make(KeyKind::Rsa(2048)).expect("a key").private();
        let (sha1, sha256) = sign(key.expose(), b"CSFALICE\0").expect("signed");
        assert_eq!((sha1.len(), sha256.len()), (256, 256));
        let pair = RsaKeyPair::from_pkcs8(key.expose()).expect("a pair");
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public());
        assert!(public.verify(b"CSFALICE\0", &sha256).is_ok());
        assert!(public.verify(b"CSFBOB\0", &sha256).is_err());
        assert!(sign(&[0x30, 0], b"").is_none());
    }
}
