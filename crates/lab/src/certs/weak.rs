//! An RSA key of 1024 bits that signs TLS handshakes, for certificates that are too weak. The
//! cryptography of the laboratory refuses to make or use such a key, so the arithmetic is here:
//! RSASSA-PSS with SHA-256 (RFC 8017 sections 8.1 and 9.1), slow and without any care for side
//! channels, which a key that everybody can read here does not deserve.

use std::sync::Arc;

use rcgen::{PublicKeyData, SignatureAlgorithm as CertificateAlgorithm};
use ring::digest::{SHA256, digest};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::random;

const MODULUS: &str = "\
    b4f00419a9587b86ab1e5909aab1304dbfc448a5371f27f2f009585946f7552d77412eac8f94f03e\
    cc24bbcb78aa2234d600ba5ec6e8dfdd1c44161330af51783b213ff658d05996558c4c0c5a8c0495\
    8a2972440074c76d57b77ced9217d6843d94a7ca9cdd5c1f6bcb1cc3b13296bb95e5e673c6b7afcf\
    ab9462fd755f41e5";
const EXPONENT: &str = "\
    01b57ea46b680d8aa115214c2913915c3aa274f9328315d28297e400bbdddc2d18c241d9996593bb\
    541c48b5cc46f719bea7b51aee100705449e14034c636b868e1d97be3a9f580abc078873b7e982cb\
    79f5d410a0320df3bd7f93aa76cc10978bfa74bb828320e1c8b6d4ccd17eead14a0db9e8da71d8b9\
    804446bedc266a25";
/// Words of a number of 1024 bits, the lowest first.
const WORDS: usize = 32;
const BYTES: usize = WORDS * 4;
const HASH: usize = 32;

type Number = [u32; WORDS];

/// The key; both halves are the constants above.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeakKey;

impl PublicKeyData for &WeakKey {
    fn der_bytes(&self) -> &[u8] {
        static DER: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(public_key);
        &DER
    }

    fn algorithm(&self) -> &'static CertificateAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

/// `RSAPublicKey`: modulus and exponent 65537 (RFC 8017 appendix A.1.1).
fn public_key() -> Vec<u8> {
    // SEQUENCE of 137 bytes: INTEGER of 129 bytes (a zero, so that it is positive), INTEGER of 3.
    let mut out = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
    out.extend(to_bytes(&number(MODULUS)));
    out.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    out
}

impl SigningKey for WeakKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let ours = offered.contains(&SignatureScheme::RSA_PSS_SHA256);
        ours.then(|| Box::new(*self) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for WeakKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let encoded = from_bytes(&encode(message, &random::bytes::<HASH>()));
        Ok(to_bytes(&power(&encoded, &number(EXPONENT), &number(MODULUS))))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PSS_SHA256
    }
}

/// The key as rustls takes it.
pub(super) fn key() -> Arc<dyn SigningKey> {
    Arc::new(WeakKey)
}

/// EMSA-PSS of a message with this salt, for 1023 bits.
fn encode(message: &[u8], salt: &[u8; HASH]) -> Vec<u8> {
    let mut inner = vec![0; 8];
    inner.extend(digest(&SHA256, message).as_ref());
    inner.extend(salt);
    let hash = digest(&SHA256, &inner);
    let mut out = vec![0; BYTES - 2 * HASH - 2];
    out.push(1);
    out.extend(salt);
    // MGF1 over the hash.
    let mask = (0u32..).flat_map(|counter| {
        let block = [hash.as_ref(), &counter.to_be_bytes()].concat();
        digest(&SHA256, &block).as_ref().to_vec()
    });
    for (byte, mask) in out.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    out[0] &= 0x7f;
    out.extend(hash.as_ref());
    out.push(0xbc);
    out
}

fn number(hex: &str) -> Number {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
    let mut out = [0; WORDS];
    for (word, digits) in out.iter_mut().rev().zip(hex.as_bytes().chunks(8)) {
        *word = digits.iter().fold(0, |word, byte| word << 4 | digit(*byte));
    }
    out
}

fn from_bytes(bytes: &[u8]) -> Number {
    let mut out = [0; WORDS];
    for (word, bytes) in out.iter_mut().rev().zip(bytes.chunks(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    out
}

fn to_bytes(number: &Number) -> Vec<u8> {
    number.iter().rev().flat_map(|word| word.to_be_bytes()).collect()
}

/// `base` to the `exponent`, modulo `n`, which is odd and has its highest bit set.
fn power(base: &Number, exponent: &Number, n: &Number) -> Number {
    // -1/n modulo 2^32, by Newton's iteration.
    let inverse = (0..5).fold(1u32, |x, _| x.wrapping_mul(2u32.wrapping_sub(n[0].wrapping_mul(x))));
    let factor = inverse.wrapping_neg();
    let one = (0..WORDS * 32).fold(small(1), |x, _| double(&x, n));
    let square = (0..WORDS * 32).fold(one, |x, _| double(&x, n));
    let base = multiply(base, &square, n, factor);
    let mut out = one;
    for bit in (0..WORDS * 32).rev() {
        out = multiply(&out, &out, n, factor);
        if exponent[bit / 32] >> (bit % 32) & 1 == 1 {
            out = multiply(&out, &base, n, factor);
        }
    }
    multiply(&out, &small(1), n, factor)
}

fn small(value: u32) -> Number {
    let mut out = [0; WORDS];
    out[0] = value;
    out
}

fn double(x: &Number, n: &Number) -> Number {
    let mut out = [0; WORDS];
    let mut carry = 0;
    for (out, word) in out.iter_mut().zip(x) {
        *out = word << 1 | carry;
        carry = word >> 31;
    }
    reduce(&out, carry, n)
}

/// `x + high·2^1024`, which is below `2n`, modulo `n`.
fn reduce(x: &Number, high: u32, n: &Number) -> Number {
    let mut out = [0; WORDS];
    let mut borrow = false;
    for ((out, x), n) in out.iter_mut().zip(x).zip(n) {
        let (step, one) = x.overflowing_sub(*n);
        let (step, two) = step.overflowing_sub(u32::from(borrow));
        *out = step;
        borrow = one || two;
    }
    if borrow && high == 0 { *x } else { out }
}

/// Montgomery's product: `a·b / 2^1024` modulo `n`.
fn multiply(a: &Number, b: &Number, n: &Number, factor: u32) -> Number {
    let mut sum = [0u32; WORDS + 2];
    for word in a {
        add_product(&mut sum, b, *word);
        let quotient = sum[0].wrapping_mul(factor);
        add_product(&mut sum, n, quotient);
        sum.copy_within(1.., 0);
        sum[WORDS + 1] = 0;
    }
    let mut low = [0; WORDS];
    low.copy_from_slice(&sum[..WORDS]);
    reduce(&low, sum[WORDS], n)
}

fn add_product(sum: &mut [u32; WORDS + 2], number: &Number, by: u32) {
    let mut carry = 0u64;
    for (out, word) in sum.iter_mut().zip(number) {
        carry += u64::from(*out) + u64::from(*word) * u64::from(by);
        *out = (carry & 0xffff_ffff) as u32;
        carry >>= 32;
    }
    for out in &mut sum[WORDS..] {
        carry += u64::from(*out);
        *out = (carry & 0xffff_ffff) as u32;
        carry >>= 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_opens_with_the_public_exponent() {
        let signature = WeakKey.sign(b"a handshake").unwrap();
        let opened = power(&from_bytes(&signature), &small(65_537), &number(MODULUS));
        let opened = to_bytes(&opened);
        assert_eq!((opened.len(), opened[0] & 0x80, opened[BYTES - 1]), (BYTES, 0, 0xbc));
        // The mask taken off again gives the salt, and with it the same encoding.
        let hash = &opened[BYTES - HASH - 1..BYTES - 1];
        let mask: Vec<u8> = (0u32..3)
            .flat_map(|at| digest(&SHA256, &[hash, &at.to_be_bytes()].concat()).as_ref().to_vec())
            .collect();
        let clear: Vec<u8> = opened.iter().zip(&mask).map(|(byte, mask)| byte ^ mask).collect();
        let salt = <[u8; HASH]>::try_from(&clear[BYTES - 2 * HASH - 1..BYTES - HASH - 1]).unwrap();
        assert_eq!(encode(b"a handshake", &salt), opened);
    }

    #[test]
    fn small_powers_are_right() {
        let n = number(MODULUS);
        assert_eq!(power(&small(3), &small(5), &n), small(243));
        assert_eq!(power(&small(7), &small(0), &n), small(1));
    }
}
