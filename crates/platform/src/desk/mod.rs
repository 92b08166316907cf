//! Whether somebody is at the desk: key and pointer, and a locked screen.
//!
//! On Linux with X11 the X server itself tells when nobody has touched anything for so long, and when
//! somebody does again (the IDLETIME counter of the SYNC extension), so nothing is asked in between.
//! A locked screen is told over D-Bus. Under Wayland idle time is not known yet (ext-idle-notify is
//! not built, and what XWayland counts is not what the user does); a locked screen is. Elsewhere
//! nothing is known: Windows and macOS are not built and not tested.

#[cfg(target_os = "linux")]
mod locked;
#[cfg(target_os = "linux")]
mod x11;

use std::sync::Arc;
use std::time::Duration;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskNews {
    /// Key and pointer were not used for so long; nothing when they are used again.
    Idle(Option<Duration>),
    /// The screen is locked, or no more.
    Locked(bool),
}

type Tell = Arc<dyn Fn(DeskNews) + Send + Sync>;

/// Watches the desk for as long as it lives.
pub struct Desk {
    #[cfg(target_os = "linux")]
    idle: x11::Idle,
}

impl Desk {
    /// Begins to watch key and pointer. `tell` is called from a thread of its own and must return
    /// at once.
    ///
    /// # Errors
    /// Why idle time is not known on this computer, in words.
    pub fn start(tell: impl Fn(DeskNews) + Send + Sync + 'static) -> Result<Self, String> {
        Self::begin(Arc::new(tell))
    }

    /// From now on this time without key and pointer is told; nothing: none is.
    pub fn after(&self, after: Option<Duration>) {
        #[cfg(target_os = "linux")]
        self.idle.after(after);
        #[cfg(not(target_os = "linux"))]
        let _ = after;
    }

    /// Tells of a locked screen until it is dropped.
    pub async fn locks(tell: impl Fn(DeskNews) + Send + Sync) {
        #[cfg(target_os = "linux")]
        locked::watch(|locked| tell(DeskNews::Locked(locked))).await;
        #[cfg(not(target_os = "linux"))]
        let _ = tell;
    }

    #[cfg(target_os = "linux")]
    fn begin(tell: Tell) -> Result<Self, String> {
        if is_wayland() {
            return Err("idle time is not known under Wayland yet".to_owned());
        }
        Ok(Self { idle: x11::Idle::start(tell, None)? })
    }

    #[cfg(not(target_os = "linux"))]
    fn begin(_tell: Tell) -> Result<Self, String> {
        Err("idle time is known on Linux with X11 only".to_owned())
    }
}

/// What XWayland counts is only what reaches its own windows.
#[cfg(target_os = "linux")]
fn is_wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty())
}
