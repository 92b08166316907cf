//! The operating system, as far as it differs: folders, the local socket, the credential store, the
//! browser, pictures of the screen, notifications, and whether somebody is at the desk.
//!
//! One file per system behind one signature; decisions are made elsewhere, in code that runs
//! everywhere.

mod browser;
mod capture;
mod credentials;
mod desk;
mod folders;
#[cfg(target_os = "linux")]
mod notify;
#[cfg(not(target_os = "linux"))]
#[path = "notify_elsewhere.rs"]
mod notify;
#[cfg(target_os = "linux")]
#[path = "capture_linux.rs"]
mod screen;
#[cfg(not(target_os = "linux"))]
#[path = "capture_elsewhere.rs"]
mod screen;
#[cfg(unix)]
#[path = "socket_unix.rs"]
mod socket;
#[cfg(windows)]
#[path = "socket_windows.rs"]
mod socket;

pub use browser::open_browser;
pub use capture::{Picture, save_picture};
pub use credentials::credential_store;
pub use desk::{Desk, DeskNews};
pub use folders::{Folders, downloads_folder, machine_bootstrap};
pub use notify::{Note, Notifier};
pub use screen::capture;
#[cfg(target_os = "linux")]
pub use screen::capture_of;
pub use socket::{ConnectError, Listener, Reader, Writer, connect, listen};
