//! Word of the sound server when devices come, go, or another becomes its choice.
//!
//! A connection of our own that only listens: between events nothing wakes. It is there while a
//! device is open or somebody looks at the list, and gone when the program is idle.

use std::io::BufReader;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pulseaudio::protocol::{
    self, Command, SubscriptionEventFacility as Facility, SubscriptionEventType as Kind,
    SubscriptionMask,
};

use super::pulse::{Done, Link};

/// Listens until it is dropped.
pub(super) struct Watch {
    socket: UnixStream,
    ended: Arc<AtomicBool>,
}

impl Watch {
    /// Begins; `on_change` is called on a thread of its own and must return at once. Nothing when the
    /// server cannot be asked.
    pub(super) fn begin(on_change: impl Fn() + Send + 'static) -> Option<Self> {
        let (mut reader, version) = match subscribe() {
            Ok(open) => open,
            Err(why) => {
                tracing::debug!("devices are not watched: {why}");
                return None;
            }
        };
        let socket = reader.get_ref().try_clone().ok()?;
        let ended = Arc::new(AtomicBool::new(false));
        let over = ended.clone();
        let listen = move || {
            while let Ok((_, command)) = protocol::read_command_message(&mut reader, version) {
                if let Command::SubscribeEvent(event) = command
                    && matters(event.event_facility, event.event_type)
                {
                    on_change();
                }
            }
            over.store(true, Ordering::Release);
            on_change();
        };
        std::thread::Builder::new().name("offhook-hotplug".into()).spawn(listen).ok()?;
        Some(Self { socket, ended })
    }

    /// The server is gone.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Ends the thread's read.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Volumes and streams of other programs are none of our business.
fn matters(facility: Facility, kind: Kind) -> bool {
    match facility {
        Facility::Sink | Facility::Source => kind != Kind::Changed,
        Facility::Server => true,
        _ => false,
    }
}

fn subscribe() -> Result<(BufReader<UnixStream>, u16), String> {
    let mut link = Link::open()?;
    let mask = SubscriptionMask::SINK | SubscriptionMask::SOURCE | SubscriptionMask::SERVER;
    let _: Done = link.ask(&Command::Subscribe(mask))?;
    link.into_parts()
}
