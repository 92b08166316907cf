//! Conversations with services by the Kerberos ticket of whoever is signed in at the system (RFC 4120,
//! RFC 4121). The system's library asks the realm's servers itself, by its own configuration; nothing
//! of this program goes between.

mod binding;
#[cfg(unix)]
mod library;
#[cfg(windows)]
#[path = "sspi.rs"]
mod library;

pub use binding::end_point;
pub use library::Tickets;
