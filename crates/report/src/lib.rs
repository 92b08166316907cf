//! Problem reports: one zip a person can save locally, open, read and pass on, and a support desk
//! can go through again.
//!
//! Everything goes through the [`Redactor`]: no password, token, cookie or key, no message text,
//! no number and no name leaves in clear. Host names, addresses and status codes stay, for they
//! are what a support desk needs. A [`Recorder`] keeps what the outside answered, redacted before it
//! is kept; a [`Replay`] gives the same answers to the same flows.

mod answer;
mod ask;
#[doc(hidden)]
pub mod fuzzing;
mod read;
mod record;
mod redact;
mod replay;
mod write;

pub use answer::{Answer, Entry, Recorded, Situation};
pub use read::{ANSWERS, MOST_FILE, read};
pub use record::Recorder;
pub use redact::Redactor;
pub use replay::Replay;
pub use write::{Content, Part, save};
