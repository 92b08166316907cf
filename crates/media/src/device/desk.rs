//! The thread that asks the sound system: opening, closing and listing may take seconds there, and
//! the media thread has no seconds. It starts with the first request and sleeps between them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use offhook_model::{AudioSpec, Device};

use super::card::{self, CardCapture, CardPlayout, OpenStream};
use super::list::{Row, gather, precise};
#[cfg(target_os = "linux")]
use super::watch::Watch;

/// A card that was opened.
pub(crate) enum Card {
    /// A microphone.
    Capture(CardCapture),
    /// A loudspeaker.
    Playout(CardPlayout),
}

/// What the desk tells; `ticket` names the request.
pub(crate) enum DeskEvent {
    /// The card is open.
    Opened { ticket: u32, card: Card },
    /// The card could not be opened, or is gone; in words.
    Failed { ticket: u32, why: String },
    /// The list of devices is not what it was (the first one is always new).
    Changed(Listing),
}

/// Where the desk tells. It must return at once.
pub(crate) type Tell = Arc<dyn Fn(DeskEvent) + Send + Sync>;

/// The devices, and why there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Listing {
    pub(crate) items: Vec<Device>,
    pub(crate) problem: Option<String>,
    /// The system's choices, by name.
    pub(crate) default_input: Option<String>,
    pub(crate) default_output: Option<String>,
}

impl Listing {
    /// The name of the system's choice for microphones, or for loudspeakers.
    pub(crate) fn preferred(&self, input: bool) -> Option<&str> {
        let name = if input { &self.default_input } else { &self.default_output };
        name.as_deref()
    }
}

enum Request {
    Open {
        ticket: u32,
        spec: AudioSpec,
        input: bool,
    },
    Close {
        ticket: u32,
    },
    Lost {
        ticket: u32,
        why: String,
    },
    List {
        reply: Sender<Listing>,
    },
    /// Devices may have come or gone.
    Look,
    Quit,
}

/// A handle on the thread.
pub(crate) struct Desk {
    tell: Tell,
    running: Option<Sender<Request>>,
}

impl Desk {
    pub(crate) fn new(tell: Tell) -> Self {
        Self { tell, running: None }
    }

    /// A desk without a sound system behind it: requests go nowhere.
    #[cfg(test)]
    pub(crate) fn unconnected() -> Self {
        let (sender, _) = bounded(1);
        Self { tell: Arc::new(|_| {}), running: Some(sender) }
    }

    /// Opens the microphone or loudspeaker of a `default` or `device:` specification; the answer
    /// comes as an event.
    pub(crate) fn open(&mut self, ticket: u32, spec: AudioSpec, input: bool) {
        if !self.send(Request::Open { ticket, spec, input }) {
            (self.tell)(DeskEvent::Failed {
                ticket,
                why: "the sound system does not answer".into(),
            });
        }
    }

    /// Closes what was opened with this ticket.
    pub(crate) fn close(&mut self, ticket: u32) {
        if self.running.is_some() {
            self.send(Request::Close { ticket });
        }
    }

    /// Asks for the list; it goes to `reply`, and a change comes as an event too.
    pub(crate) fn list(&mut self, reply: Sender<Listing>) {
        self.send(Request::List { reply });
    }

    fn send(&mut self, request: Request) -> bool {
        if self.running.is_none() {
            let (sender, requests) = bounded(64);
            let worker = Worker::new(self.tell.clone(), sender.clone());
            let thread = std::thread::Builder::new()
                .name("offhook-devices".into())
                .spawn(move || worker.run(&requests));
            match thread {
                Ok(_) => self.running = Some(sender),
                Err(error) => {
                    tracing::warn!("no thread for sound devices: {error}");
                    return false;
                }
            }
        }
        self.running.as_ref().is_some_and(|sender| sender.try_send(request).is_ok())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(sender) = self.running.take() {
            // Not joined: a sound server that hangs must not hold up the end of the program.
            let _ = sender.send_timeout(Request::Quit, Duration::from_millis(20));
        }
    }
}

/// The inside of the thread.
struct Worker {
    tell: Tell,
    own: Sender<Request>,
    /// Connected to the sound system only while something is open or asked for.
    host: Option<cpal::Host>,
    open: HashMap<u32, OpenStream>,
    listing: Option<Listing>,
    #[cfg(target_os = "linux")]
    watch: Option<Watch>,
    /// A look was asked for and not taken yet: several events are one.
    look: Arc<AtomicBool>,
}

/// How long devices are watched after somebody looked at the list.
const INTEREST: Duration = Duration::from_secs(60);
/// How often to look while a device is open, where nobody tells of changes.
#[cfg(not(target_os = "linux"))]
const EACH: Duration = Duration::from_secs(2);

impl Worker {
    fn new(tell: Tell, own: Sender<Request>) -> Self {
        Self {
            tell,
            own,
            host: None,
            open: HashMap::new(),
            listing: None,
            #[cfg(target_os = "linux")]
            watch: None,
            look: Arc::default(),
        }
    }

    fn run(mut self, requests: &Receiver<Request>) {
        while let Some(request) = self.next(requests) {
            match request {
                Request::Look => self.look(),
                Request::Open { ticket, spec, input } => self.open(ticket, &spec, input),
                Request::Close { ticket } => drop(self.open.remove(&ticket)),
                Request::Lost { ticket, why } => self.lost(ticket, why),
                Request::List { reply } => self.list(&reply),
                Request::Quit => return,
            }
            if self.open.is_empty() && requests.is_empty() {
                self.host = None;
            }
        }
    }

    /// Waits for a request. While no device is open the watch ends after a while, and then nothing
    /// wakes this thread but a request.
    #[cfg(target_os = "linux")]
    fn next(&mut self, requests: &Receiver<Request>) -> Option<Request> {
        if self.watch.is_some() && self.open.is_empty() {
            match requests.recv_timeout(INTEREST) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Timeout) => self.watch = None,
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        requests.recv().ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn next(&mut self, requests: &Receiver<Request>) -> Option<Request> {
        if self.open.is_empty() {
            return requests.recv().ok();
        }
        match requests.recv_timeout(EACH) {
            Ok(request) => Some(request),
            Err(RecvTimeoutError::Timeout) => Some(Request::Look),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Has the sound server tell of changes from now on.
    #[cfg(target_os = "linux")]
    fn watch(&mut self) {
        let pulse = self.host.as_ref().is_some_and(is_pulse);
        if !pulse || self.watch.as_ref().is_some_and(|watch| !watch.has_ended()) {
            return;
        }
        let (own, look) = (self.own.clone(), self.look.clone());
        self.watch = Watch::begin(move || {
            if !look.swap(true, Ordering::AcqRel) && own.try_send(Request::Look).is_err() {
                look.store(false, Ordering::Release);
            }
        });
    }

    #[cfg(not(target_os = "linux"))]
    fn watch(&mut self) {}

    fn look(&mut self) {
        self.look.store(false, Ordering::Release);
        self.refresh();
    }

    fn open(&mut self, ticket: u32, spec: &AudioSpec, input: bool) {
        let own = self.own.clone();
        let on_loss = move |why| {
            // When the queue is full the worker has more important things to hear.
            let _ = own.try_send(Request::Lost { ticket, why });
        };
        self.host.get_or_insert_with(cpal::default_host);
        // From here on it is known what the system's choice is and when it changes.
        let watched = self.is_watched();
        self.watch();
        if !watched && self.is_watched() {
            self.refresh();
        }
        let host = self.host.get_or_insert_with(cpal::default_host);
        let pulse = is_pulse(host);
        let opened = find(host, spec, input).and_then(|device| {
            if input {
                card::open_input(&device, pulse, on_loss)
                    .map(|(stream, card)| (stream, Card::Capture(card)))
            } else {
                card::open_output(&device, pulse, on_loss)
                    .map(|(stream, card)| (stream, Card::Playout(card)))
            }
        });
        match opened {
            Ok((stream, card)) => {
                self.open.insert(ticket, stream);
                (self.tell)(DeskEvent::Opened { ticket, card });
            }
            Err(why) => {
                let what = if input { "microphone" } else { "sound output" };
                let why = format!("the {what} {} cannot be used: {why}", words(spec));
                (self.tell)(DeskEvent::Failed { ticket, why });
            }
        }
    }

    fn lost(&mut self, ticket: u32, why: String) {
        // A stream tells of its end more than once, and also when it was closed on purpose.
        if let Some(stream) = self.open.remove(&ticket) {
            drop(stream);
            let why = format!("a sound device is gone: {why}");
            (self.tell)(DeskEvent::Failed { ticket, why });
            if self.open.is_empty() {
                self.host = None;
            }
            self.refresh();
        }
    }

    #[cfg(target_os = "linux")]
    fn is_watched(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| !watch.has_ended())
    }

    #[cfg(not(target_os = "linux"))]
    fn is_watched(&self) -> bool {
        false
    }

    fn list(&mut self, reply: &Sender<Listing>) {
        self.host.get_or_insert_with(cpal::default_host);
        self.watch();
        let listing = self.refresh();
        let _ = reply.try_send(listing);
    }

    fn refresh(&mut self) -> Listing {
        let listing = list(self.host.get_or_insert_with(cpal::default_host));
        if self.listing.as_ref() != Some(&listing) {
            self.listing = Some(listing.clone());
            (self.tell)(DeskEvent::Changed(listing.clone()));
        }
        listing
    }
}

fn is_pulse(host: &cpal::Host) -> bool {
    // By its name, since the variant exists on some systems only.
    host.id().name() == "PulseAudio"
}

/// Whether the system can have any device. ALSA on a machine without one complains on standard
/// error at length, so it is not asked there.
#[cfg(target_os = "linux")]
fn is_hopeless(host: &cpal::Host) -> bool {
    let cards = std::fs::read_dir("/dev/snd").is_ok_and(|mut entries| entries.next().is_some());
    let own = std::env::home_dir().is_some_and(|home| home.join(".asoundrc").exists());
    let machine = std::path::Path::new("/etc/asound.conf").exists();
    host.id().name() == "ALSA" && !cards && !own && !machine
}

#[cfg(not(target_os = "linux"))]
fn is_hopeless(_: &cpal::Host) -> bool {
    false
}

fn words(spec: &AudioSpec) -> String {
    match spec {
        AudioSpec::Device(name) => format!("\"{name}\""),
        AudioSpec::Default
        | AudioSpec::File { .. }
        | AudioSpec::Tone(_)
        | AudioSpec::Silence
        | AudioSpec::Null => "that the system prefers".to_owned(),
    }
}

/// The name to show; devices are chosen by it or by the system's own id.
fn name(device: &cpal::Device) -> Option<String> {
    device.description().ok().map(|description| description.name().to_owned())
}

fn find(host: &cpal::Host, spec: &AudioSpec, input: bool) -> Result<cpal::Device, String> {
    if is_hopeless(host) {
        return Err("this machine has no sound device and no sound server".to_owned());
    }
    let AudioSpec::Device(wanted) = spec else {
        let device = if input { host.default_input_device() } else { host.default_output_device() };
        return device.ok_or_else(|| "there is none".to_owned());
    };
    let usable = |device: &cpal::Device| {
        if input { device.supports_input() } else { device.supports_output() }
    };
    let matches = |device: &cpal::Device| {
        let (name, id) = (name(device).unwrap_or_default(), device.id());
        name == *wanted
            || id.is_ok_and(|id| id.id() == wanted.as_str() || precise(&name, id.id()) == *wanted)
    };
    host.devices()
        .map_err(|error| error.to_string())?
        .find(|device| matches(device) && usable(device))
        .ok_or_else(|| "it is not there; choose another device or connect it".to_owned())
}

fn all(host: &cpal::Host) -> Result<Vec<cpal::Device>, cpal::Error> {
    host.devices().map(Iterator::collect)
}

/// Nothing for what is of no use; what a loudspeaker plays is no microphone.
fn row(host: &cpal::Host, device: &cpal::Device) -> Option<Row> {
    let (name, id) = (name(device)?, device.id().ok()?.id().to_owned());
    let (input, output) = (device.supports_input(), device.supports_output());
    let monitor = is_pulse(host) && id.ends_with(".monitor");
    (!monitor && (input || output)).then_some(Row { name, id, input, output })
}

fn list(host: &cpal::Host) -> Listing {
    let devices = if is_hopeless(host) { Ok(Default::default()) } else { all(host) };
    let devices = match devices {
        Ok(devices) => devices,
        Err(error) => {
            return Listing { problem: Some(error.to_string()), ..Listing::default() };
        }
    };
    let default =
        |input| Some(find(host, &AudioSpec::Default, input).ok()?.id().ok()?.id().to_owned());
    let rows = devices.into_iter().filter_map(|device| row(host, &device)).collect();
    let items = gather(rows, &[default(true), default(false)]);
    let problem = items.is_empty().then(|| {
        "no sound device was found; connect a headset or start the sound server".to_owned()
    });
    let default = |input| find(host, &AudioSpec::Default, input).ok().as_ref().and_then(name);
    let (default_input, default_output) = (default(true), default(false));
    Listing { items, problem, default_input, default_output }
}
