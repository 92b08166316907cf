//! One entry per kind of outside bytes, named like its folder under `corpus/`.

use crate::Redactor;

/// A problem report that somebody sent.
pub fn zip(data: &[u8]) {
    let _ = crate::read(data);
}

/// A body on its way into a record.
///
/// # Panics
/// When redacting what was redacted changes it, or markup grows.
pub fn body(data: &[u8]) {
    let once = Redactor::default().body(data);
    assert_eq!(Redactor::default().body(once.as_bytes()), once);
}

/// A line of a log.
///
/// # Panics
/// When redacting what was redacted changes it.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = Redactor::default().text(&text);
    assert_eq!(Redactor::default().text(&once), once);
}
