//! Random identifiers: session keys, one-time passwords, tags, nonces.

use ring::rand::{SecureRandom as _, SystemRandom};

/// `N` random bytes; zeros if the system has no randomness, which a laboratory survives.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    if SystemRandom::new().fill(&mut out).is_err() {
        tracing::error!("the system gives no random bytes");
    }
    out
}

/// Random lower-case hexadecimal text of `2 * N` characters.
pub(crate) fn hex<const N: usize>() -> String {
    to_hex(&bytes::<N>())
}

/// Lower-case hexadecimal text.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A random (version 4) UUID as text.
pub(crate) fn uuid() -> String {
    let mut raw = bytes::<16>();
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let hex = to_hex(&raw);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The same UUID-shaped text for the same input: stable ids of devices and lines.
pub(crate) fn stable_uuid(of: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, of.as_bytes());
    let hex = to_hex(&digest.as_ref()[..16]);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
