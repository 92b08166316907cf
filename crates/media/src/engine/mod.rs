//! The media engine: one thread for the sound of all calls, and a handle on it.
//!
//! The thread starts with the first order and sleeps without a timer while there is neither call
//! nor tone. In a call it wakes for each packet that comes and for each that goes.

mod conference;
mod emodel;
mod ends;
mod heard;
mod line;
mod listen;
mod losses;
mod marks;
mod order;
mod quality;
#[doc(hidden)]
pub mod rehearsal;
mod schedule;
mod shield;
mod socket;
mod sound;
mod still;
mod talk;
mod thread;
mod trial;
mod voice;
mod wire;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use offhook_model::{
    AudioSpec, Bluetooth, CallId, Device, Devices, Problem, Role, SoundSettings, SoundTest,
    StreamStats,
};
use offhook_ports::{MediaFact, MediaPlan, PortRange};

use crate::device::Listing;
use crate::dsp::{Level, Tone};
use order::{Order, Ports};
pub use order::{Search, ToRelay};

/// How long a question to the media thread may take before the answer is done without.
const PATIENCE: Duration = Duration::from_millis(50);

/// Orders that may wait for the thread; it takes them at once, so this is never reached but by a
/// machine that stands still.
const QUEUE: usize = 256;

/// What the engine begins with.
#[derive(Clone, Debug, Default)]
pub struct MediaOptions {
    /// Microphone.
    pub input: AudioSpec,
    /// Loudspeaker or headset.
    pub output: AudioSpec,
    /// What rings.
    pub ringer: AudioSpec,
    /// What is done to the sound of a microphone.
    pub sound: SoundSettings,
    /// Where random numbers (RTP sources, sequence numbers, ports) begin; must be unforeseeable.
    pub seed: u64,
}

/// What handle and thread share beside orders.
struct Shared {
    input_level: Level,
    output_level: Level,
    seed: AtomicU64,
    chosen: Mutex<[AudioSpec; 3]>,
    sound: Mutex<SoundSettings>,
    listing: Mutex<Listing>,
    /// The last try of a device.
    test: Mutex<Option<SoundTest>>,
    /// The last failure of a device, until one opens again.
    trouble: Mutex<Option<String>>,
    stopped: AtomicBool,
    /// The thread was woken and has not looked at its orders since: several orders in a row wake it
    /// once.
    called: AtomicBool,
}

type Facts = Box<dyn Fn(MediaFact) + Send>;

/// The thread as the handle knows it.
struct Running {
    orders: Sender<Order>,
    waker: Arc<mio::Waker>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

struct Inner {
    shared: Arc<Shared>,
    facts: Mutex<Option<Facts>>,
    running: OnceLock<Option<Running>>,
}

/// A handle on the media thread: cheap to clone, usable from any thread, never blocks for long.
#[derive(Clone)]
pub struct MediaEngine {
    inner: Arc<Inner>,
}

/// A lock that outlives the panic of another holder: the data behind these is plain.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MediaEngine {
    /// Makes an engine. Its thread starts with the first call, tone or question about devices.
    /// `facts` is called on the media thread and must return at once.
    pub fn start(options: MediaOptions, facts: impl Fn(MediaFact) + Send + 'static) -> Self {
        let shared = Shared {
            input_level: Level::default(),
            output_level: Level::default(),
            seed: AtomicU64::new(options.seed),
            chosen: Mutex::new([options.input, options.output, options.ringer]),
            sound: Mutex::new(options.sound),
            listing: Mutex::default(),
            test: Mutex::default(),
            trouble: Mutex::default(),
            stopped: AtomicBool::new(false),
            called: AtomicBool::new(false),
        };
        let inner = Inner {
            shared: Arc::new(shared),
            facts: Mutex::new(Some(Box::new(facts))),
            running: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Binds an even port for RTP and the odd one above it for RTCP at `ip`, in the audio half of
    /// `range` (reference qos-ports.md section 2). They stay bound until [`Self::release`].
    /// The streams of a call that has ports already go on from the new ones.
    ///
    /// # Errors
    /// In words: the range is too small or full, or the address is not ours.
    pub fn reserve(
        &self,
        call: CallId,
        ip: IpAddr,
        range: PortRange,
    ) -> Result<(SocketAddr, SocketAddr), String> {
        self.reserve_with(call, ip, range, None)
    }

    /// As [`Self::reserve`]; with `search` the search for ways begins, and [`MediaFact::Way`] tells of
    /// it, first of all our candidates. An address of the other family that cannot be bound is left
    /// out.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub fn reserve_with(
        &self,
        call: CallId,
        ip: IpAddr,
        range: PortRange,
        search: Option<Search>,
    ) -> Result<(SocketAddr, SocketAddr), String> {
        let pair = socket::bind_pair(ip, range, self.inner.shared.next_seed())?;
        let addresses = (pair.local, pair.local_rtcp);
        let beside = search.as_ref().and_then(|search| search.beside);
        let beside = beside.map(|ip| socket::bind_pair(ip, range, self.inner.shared.next_seed()));
        let mut pairs = vec![pair];
        match beside {
            Some(Ok(pair)) => pairs.push(pair),
            Some(Err(why)) => tracing::debug!("no ports of the other family: {why}"),
            None => {}
        }
        if self.order(Order::Reserve { call, wire: Box::new(Ports { pairs, search }) }) {
            Ok(addresses)
        } else {
            Err("the media engine does not run".to_owned())
        }
    }

    /// A stream to a relay brought this, one whole message; nothing when it has ended or could not be
    /// opened. `helper` and `component` as in [`ToRelay`].
    pub fn take_relayed(&self, call: CallId, helper: usize, component: u8, bytes: Option<Vec<u8>>) {
        self.order(Order::FromRelay { call, helper, component, bytes });
    }

    /// Starts the sound of a call whose ports were reserved, or changes it.
    pub fn apply(&self, call: CallId, plan: MediaPlan) {
        self.order(Order::Apply { call, plan: Box::new(plan) });
    }

    /// Ends the sound of a call and closes its ports.
    pub fn release(&self, call: CallId) {
        self.order(Order::Release { call });
    }

    /// Sends digits (0–9, *, #, A–D; others are passed over) as telephone events, one after the
    /// other; [`MediaFact::DigitsSent`] tells the end. Without an agreed payload type for events
    /// they are given up with the same fact.
    pub fn dtmf(&self, call: CallId, digits: &str) {
        self.order(Order::Dtmf { call, digits: digits.to_owned() });
    }

    /// Sends silence in place of the microphone, or the microphone again.
    pub fn mute(&self, call: CallId, muted: bool) {
        self.order(Order::Mute { call, muted });
    }

    /// Plays a tone until told otherwise, or no more.
    pub fn tone(&self, tone: Option<Tone>) {
        // An engine that sleeps has no tone to end.
        if tone.is_some() || self.inner.running.get().is_some() {
            self.order(Order::Tone(tone));
        }
    }

    /// The figures of a call: one entry for what is sent and one for what is received, none for a
    /// call without sound. May wait up to 50 ms.
    pub fn stats(&self, call: CallId) -> Vec<StreamStats> {
        if self.inner.running.get().is_none() {
            return vec![];
        }
        let (reply, answer) = bounded(1);
        self.ask(Order::Stats { call, reply }, &answer).unwrap_or_default()
    }

    /// Uses another device for a role from now on, in calls too.
    pub fn select(&self, role: Role, spec: AudioSpec) {
        {
            let mut chosen = lock(&self.inner.shared.chosen);
            let [input, output, ringer] = &mut *chosen;
            *match role {
                Role::Input => input,
                Role::Output => output,
                Role::Ringer => ringer,
            } = spec.clone();
        }
        if self.inner.running.get().is_some() {
            self.order(Order::Select { role, spec });
        }
    }

    /// Does this to the microphone's sound from now on, in calls too.
    pub fn process(&self, wanted: SoundSettings) {
        *lock(&self.inner.shared.sound) = wanted;
        if self.inner.running.get().is_some() {
            self.order(Order::Process(wanted));
        }
    }

    /// Tries a device: a tone, or four seconds that are recorded and played back. Each step of it is a
    /// [`MediaFact::DevicesChanged`]; [`Self::devices`] says how it stands. A call ends it.
    pub fn test(&self, role: Role) {
        self.order(Order::Test(role));
    }

    /// Opens the microphone anew, in calls too: one that gives nothing may then give something.
    pub fn reopen_input(&self) {
        let [input, ..] = lock(&self.inner.shared.chosen).clone();
        self.select(Role::Input, input);
    }

    /// The devices of the system and the choices. Asks the system anew; where that takes longer
    /// than 50 ms the last answer is given and [`MediaFact::DevicesChanged`] follows if it is out
    /// of date.
    pub fn devices(&self) -> Devices {
        let (reply, answer) = bounded(1);
        let shared = &self.inner.shared;
        let listing = match self.ask(Order::Devices { reply }, &answer) {
            Some(listing) => listing,
            None => lock(&shared.listing).clone(),
        };
        let [input, output, ringer] = lock(&shared.chosen).clone();
        let needs_card = [&input, &output, &ringer]
            .iter()
            .any(|spec| matches!(spec, AudioSpec::Default | AudioSpec::Device(_)));
        let advice = advice(&listing, &input);
        let problem = lock(&shared.trouble).clone().or(listing.problem.filter(|_| needs_card));
        let test = *lock(&shared.test);
        Devices { items: listing.items, input, output, ringer, problem, advice, test }
    }

    /// Peak levels of microphone and output at present, 0 to 1.
    pub fn levels(&self) -> (f32, f32) {
        (self.inner.shared.input_level.get(), self.inner.shared.output_level.get())
    }

    /// Ends the thread: calls say goodbye, ports and devices close, files are complete. The engine
    /// does nothing any more afterwards. May wait up to half a second.
    pub fn shutdown(&self) {
        self.inner.shutdown();
    }

    fn order(&self, order: Order) -> bool {
        let Some(running) = self.inner.running() else { return false };
        let sent = running.orders.send_timeout(order, PATIENCE).is_ok();
        if !sent {
            tracing::warn!("an order to the media thread was lost");
        }
        let called = &self.inner.shared.called;
        sent && (called.swap(true, Ordering::AcqRel) || running.waker.wake().is_ok())
    }

    fn ask<T>(&self, order: Order, answer: &Receiver<T>) -> Option<T> {
        self.order(order).then(|| answer.recv_timeout(PATIENCE).ok()).flatten()
    }
}

/// What could be better with this microphone.
fn advice(listing: &Listing, input: &AudioSpec) -> Option<Problem> {
    let chosen = match input {
        AudioSpec::Default => listing.preferred(true)?,
        AudioSpec::Device(name) => name,
        AudioSpec::File { .. } | AudioSpec::Tone(_) | AudioSpec::Silence | AudioSpec::Null => {
            return None;
        }
    };
    let is_it = |device: &&Device| {
        device.input && (device.name == chosen || device.input_id.as_deref() == Some(chosen))
    };
    let device = listing.items.iter().find(is_it)?;
    (device.bluetooth == Some(Bluetooth::Headset)).then(|| Devices::headset_profile(&device.name))
}

impl Shared {
    fn next_seed(&self) -> u64 {
        // SplitMix64, whose state is a counter and so needs no lock.
        let mut value = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }
}

impl Inner {
    /// The thread, started if need be; nothing after shutdown or when the system has none to give.
    fn running(&self) -> Option<&Running> {
        if self.shared.stopped.load(Ordering::Acquire) {
            return None;
        }
        let start = || {
            let facts = lock(&self.facts).take()?;
            match thread::start(self.shared.clone(), facts) {
                Ok(running) => Some(running),
                Err(error) => {
                    tracing::error!("the media thread cannot start: {error}");
                    None
                }
            }
        };
        self.running.get_or_init(start).as_ref()
    }

    fn shutdown(&self) {
        if self.shared.stopped.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(Some(running)) = self.running.get() else { return };
        let (reply, done) = bounded(1);
        let asked = running.orders.send_timeout(Order::Shutdown { reply }, PATIENCE).is_ok();
        let woken = running.waker.wake().is_ok();
        if asked && woken && done.recv_timeout(Duration::from_millis(500)).is_ok() {
            let thread = lock(&running.thread).take();
            // Facts may be told from within; a thread cannot wait for itself.
            if let Some(thread) = thread.filter(|t| t.thread().id() != std::thread::current().id())
            {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shutdown();
    }
}
