//! The operating system, as far as it differs: folders, the local socket and the
//! credential store.
//!
//! One file per system behind one signature; decisions are made elsewhere, in code that runs
//! everywhere.

mod credentials;
mod folders;
#[cfg(unix)]
#[path = "socket_unix.rs"]
mod socket;
#[cfg(windows)]
#[path = "socket_windows.rs"]
mod socket;

pub use credentials::credential_store;
pub use folders::{Folders, machine_bootstrap};
pub use socket::{ConnectError, Listener, Reader, Writer, connect, listen};
