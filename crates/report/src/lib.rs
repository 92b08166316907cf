//! Problem reports: one zip a person can save locally, open, read and pass on.
//!
//! Everything goes through the [`Redactor`]: no password, token, cookie or key, no message text,
//! no number and no name leaves in clear. Host names, addresses and status codes stay, for they
//! are what a support desk needs.

mod redact;
mod write;

pub use redact::Redactor;
pub use write::{Part, save};
