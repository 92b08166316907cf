//! Encryption of a database at rest: AES-256 in XTS mode (IEEE 1619, NIST SP 800-38E) under
//! SQLite's files, with a random key of the database's own.
//!
//! What it gives: who has the files and not the key learns their sizes and when which parts of
//! them change, and no content. What it does not give: proof that nobody changed them. Who can
//! write the files can damage sixteen bytes at a time, or put back what was there before; SQLite
//! may notice or not. A mode with proof needs room in each page and a log that is written in the
//! same order; the threat it is for, somebody who writes into the user's own files, has the user's
//! programs as well.

mod vfs;
mod xts;

use offhook_model::Secret;
use ring::rand::{SecureRandom, SystemRandom};

pub use vfs::Sealed;

/// Bytes of a key: one half for the text, one for the place.
pub const KEY: usize = 64;

/// How a key begins where it is kept, so that another form can follow one day.
const FORM: &str = "xts-aes-256:";

/// A database's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(Secret<[u8; KEY]>);

impl Key {
    /// A new one, from the system's random source.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, String> {
        let mut bytes = [0; KEY];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| "the system's random source does not answer".to_owned())?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Reads a key as [`Key::text`] writes it.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(FORM).filter(|it| it.len() == 2 * KEY && it.is_ascii())?;
        let mut bytes = [0; KEY];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(Secret::new(bytes)))
    }

    /// For the credential store.
    pub fn text(&self) -> Secret<String> {
        let digits = self.0.expose().iter().map(|byte| format!("{byte:02x}"));
        Secret::new(std::iter::once(FORM.to_owned()).chain(digits).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_key_is_written_and_read_and_nothing_else_is() {
        let key = Key::random().expect("random");
        let text = key.text();
        assert_eq!(Key::read(text.expose()), Some(key.clone()));
        assert_ne!(Key::random().expect("random"), key);
        let long = format!("{}0", text.expose());
        for bad in ["", "xts-aes-256:", "hunter2", &long, &text.expose().replace(':', "-")] {
            assert_eq!(Key::read(bad), None);
        }
        assert!(!format!("{key:?}").contains(&text.expose()[12..20]));
    }
}
