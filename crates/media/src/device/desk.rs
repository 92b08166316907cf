//! The thread that asks the sound system: opening, closing and listing may take seconds there, and
//! the media thread has no seconds. It starts with the first request and sleeps between them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use offhook_model::{AudioSpec, Device};

use super::Trouble;
use super::card::{CardCapture, CardPlayout, OpenStream};
use super::system::System;
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
    /// Something befell what was opened with this ticket.
    Trouble {
        ticket: u32,
        trouble: Trouble,
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
    system: Option<System>,
    open: HashMap<u32, Open>,
    listing: Option<Listing>,
    #[cfg(target_os = "linux")]
    watch: Option<Watch>,
    /// A look was asked for and not taken yet: several events are one.
    look: Arc<AtomicBool>,
}

/// What is open, and for which choice.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "asked for where streams are moved, held for its Drop elsewhere")
)]
struct Open {
    spec: AudioSpec,
    input: bool,
    /// The server took it elsewhere once.
    #[cfg(target_os = "linux")]
    moved: bool,
    _stream: OpenStream,
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
            system: None,
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
                Request::Open { ticket, spec, input } => self.open(ticket, spec, input),
                Request::Close { ticket } => drop(self.open.remove(&ticket)),
                Request::Trouble { ticket, trouble } => self.trouble(ticket, trouble),
                Request::List { reply } => self.list(&reply),
                Request::Quit => return,
            }
            if self.open.is_empty() && requests.is_empty() {
                self.system = None;
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
        let tells = self.system.as_ref().is_some_and(System::tells);
        if !tells || self.watch.as_ref().is_some_and(|watch| !watch.has_ended()) {
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
        // Where a server takes sound elsewhere before the device is gone, it is known only now.
        #[cfg(target_os = "linux")]
        {
            let moved = self.open.iter().filter(|(_, open)| open.moved);
            let moved: Vec<u32> = moved.map(|(ticket, _)| *ticket).collect();
            moved.into_iter().for_each(|ticket| self.moved(ticket));
        }
    }

    fn open(&mut self, ticket: u32, spec: AudioSpec, input: bool) {
        let own = self.own.clone();
        let on_trouble = move |trouble| {
            // When the queue is full the worker has more important things to hear.
            let _ = own.try_send(Request::Trouble { ticket, trouble });
        };
        self.system.get_or_insert_with(System::find);
        // From here on it is known what the system's choice is and when it changes.
        let watched = self.is_watched();
        self.watch();
        if !watched && self.is_watched() {
            self.refresh();
        }
        let system = self.system.get_or_insert_with(System::find);
        match system.open(&spec, input, on_trouble) {
            Ok((stream, card)) => {
                let open = Open {
                    spec,
                    input,
                    #[cfg(target_os = "linux")]
                    moved: false,
                    _stream: stream,
                };
                self.open.insert(ticket, open);
                (self.tell)(DeskEvent::Opened { ticket, card });
            }
            Err(why) => {
                let what = if input { "microphone" } else { "sound output" };
                let why = format!("the {what} {} cannot be used: {why}", words(&spec));
                (self.tell)(DeskEvent::Failed { ticket, why });
            }
        }
    }

    fn trouble(&mut self, ticket: u32, trouble: Trouble) {
        match trouble {
            Trouble::Lost(why) => self.lost(ticket, &why),
            #[cfg(target_os = "linux")]
            Trouble::Moved => self.moved(ticket),
        }
    }

    /// The server took what was open to another device: somebody wishes it so, or the chosen device is
    /// gone. Then it is lost, or nobody would look for it any more.
    #[cfg(target_os = "linux")]
    fn moved(&mut self, ticket: u32) {
        let Some(Open { spec, input, moved, .. }) = self.open.get_mut(&ticket) else { return };
        *moved = true;
        let system = self.system.get_or_insert_with(System::find);
        if matches!(spec, AudioSpec::Device(_)) && !system.has(spec, *input) {
            self.lost(ticket, "it is not connected any more");
        }
    }

    fn lost(&mut self, ticket: u32, why: &str) {
        // A stream tells of its end more than once, and also when it was closed on purpose.
        if let Some(stream) = self.open.remove(&ticket) {
            drop(stream);
            let why = format!("a sound device is gone: {why}");
            (self.tell)(DeskEvent::Failed { ticket, why });
            if self.open.is_empty() {
                self.system = None;
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
        self.system.get_or_insert_with(System::find);
        self.watch();
        let listing = self.refresh();
        let _ = reply.try_send(listing);
    }

    fn refresh(&mut self) -> Listing {
        // A server that was started anew does not know the connection of the one before.
        let listed = self.system.get_or_insert_with(System::find).list().or_else(|_| {
            let system = self.system.insert(System::find());
            system.list()
        });
        let listing =
            listed.unwrap_or_else(|why| Listing { problem: Some(why), ..Listing::default() });
        if self.listing.as_ref() != Some(&listing) {
            self.listing = Some(listing.clone());
            (self.tell)(DeskEvent::Changed(listing.clone()));
        }
        listing
    }
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
