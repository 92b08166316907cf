//! Word of the sound server when devices come, go, or another becomes its choice.
//!
//! A connection of our own that only listens: between events nothing wakes. It is there while a
//! device is open or somebody looks at the list, and gone when the program is idle.

use std::ffi::CString;
use std::io::BufReader;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pulseaudio::protocol::{
    self, Command, Prop, Props, SubscriptionEventFacility as Facility,
    SubscriptionEventType as Kind, SubscriptionMask,
};

/// How long the server may take to say hello.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens until it is dropped.
pub(super) struct Watch {
    socket: UnixStream,
    ended: Arc<AtomicBool>,
}

impl Watch {
    /// Begins; `on_change` is called on a thread of its own and must return at once. Nothing when the
    /// server cannot be asked.
    pub(super) fn begin(on_change: impl Fn() + Send + 'static) -> Option<Self> {
        let (socket, mut reader, version) = match subscribe() {
            Ok(open) => open,
            Err(error) => {
                tracing::debug!("devices are not watched: {error}");
                return None;
            }
        };
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

type Open = (UnixStream, BufReader<UnixStream>, u16);

fn subscribe() -> Result<Open, Box<dyn std::error::Error>> {
    let path = pulseaudio::socket_path_from_env().ok_or("there is no sound server")?;
    let socket = UnixStream::connect(path)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(socket.try_clone()?);
    let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
    let auth = protocol::AuthParams {
        version: protocol::MAX_VERSION,
        supports_shm: false,
        supports_memfd: false,
        cookie: cookie.unwrap_or_default(),
    };
    let ours = protocol::MAX_VERSION;
    protocol::write_command_message(reader.get_mut(), 0, &Command::Auth(auth), ours)?;
    let (_, theirs) = protocol::read_reply_message::<protocol::AuthReply>(&mut reader, ours)?;
    let version = ours.min(theirs.version);
    let mut props = Props::new();
    props.set(Prop::ApplicationName, CString::new("Offhook")?);
    let name = Command::SetClientName(props);
    protocol::write_command_message(reader.get_mut(), 1, &name, version)?;
    protocol::read_reply_message::<protocol::SetClientNameReply>(&mut reader, version)?;
    let mask = SubscriptionMask::SINK | SubscriptionMask::SOURCE | SubscriptionMask::SERVER;
    protocol::write_command_message(reader.get_mut(), 2, &Command::Subscribe(mask), version)?;
    protocol::read_ack_message(&mut reader)?;
    socket.set_read_timeout(None)?;
    Ok((socket, reader, version))
}
