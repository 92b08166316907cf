//! The operating system, as far as it differs: folders, the local socket, the credential store and
//! the browser.
//!
//! One file per system behind one signature; decisions are made elsewhere, in code that runs
//! everywhere.

mod browser;
mod credentials;
mod folders;
#[cfg(unix)]
#[path = "socket_unix.rs"]
mod socket;
#[cfg(windows)]
#[path = "socket_windows.rs"]
mod socket;

pub use browser::open_browser;
pub use credentials::credential_store;
pub use folders::{Folders, machine_bootstrap};
pub use socket::{ConnectError, Listener, Reader, Writer, connect, listen};
