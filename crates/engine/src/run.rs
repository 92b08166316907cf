//! The loop itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use offhook_core::{Core, Event, Options};
use offhook_ldap::Directories;
use offhook_media::{MediaEngine, MediaOptions};
use offhook_model::{
    AcceptedKey, ManualAccount, Moment, Problem, Provisioned, Settings, Snapshot, Ticket, Timestamp,
};
use offhook_net::{Net, Watch};
use offhook_ports::{Ldap, Remembered, World};
use offhook_report::Recorder;
use offhook_store::Store;
use offhook_xmpp::LoginProbe;
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;

use crate::desk::AtDesk;
use crate::effects::Hands;
use crate::flows::{Flows, Keeper};
use crate::handle::{COMMANDS, Handle, NOTICES, Wanted};
use crate::jobs::{FileFolders, Jobs};
use crate::links::Links;
use crate::questions::Questions;

/// How many events may wait for the core; adapters are slowed down beyond it.
const EVENTS: usize = 1_024;

/// How many answers of the store may wait. Each turn of the loop asks for fewer than this and begins
/// with taking all that came.
const ANSWERS: usize = 1_024;

/// How many waiting events are taken before a new picture is published.
const BATCH: usize = 64;

/// What the engine works with.
pub struct Setup {
    /// Product name and version.
    pub product: String,
    /// Chance.
    pub seed: u64,
    /// The user's settings.
    pub settings: Settings,
    /// Manual connection settings.
    pub manual: ManualAccount,
    /// Layers of settings that others made.
    pub provisioned: Provisioned,
    /// What the user is to be told about them.
    pub told: Vec<Problem>,
    /// What discovery found the last time.
    pub remembered: Option<Remembered>,
    /// Keys that the user accepted.
    pub accepted: Vec<AcceptedKey>,
    /// The domain of this computer; see [`offhook_core::Options::workstation_domain`].
    pub workstation_domain: Option<String>,
    /// A person sits in front of a window; see [`offhook_core::Options::attended`].
    pub attended: bool,
    /// Sound devices to begin with.
    pub audio: MediaOptions,
    /// The way out.
    pub net: Arc<Net>,
    /// Where received files and pictures go.
    pub places: FileFolders,
    /// What is kept.
    pub store: Store,
    /// Keeps what the outside answers, for problem reports.
    pub recorder: Recorder,
    /// Called after each new picture; must return at once.
    pub on_change: Box<dyn Fn() + Send>,
}

/// Both clocks, read at once.
#[expect(clippy::disallowed_methods, reason = "the wall clock is read here and nowhere else")]
pub fn moment() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let wall = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Moment { at: offhook_net::now(), wall: Timestamp(wall) }
}

/// The questions flows may ask, answered by the real world.
pub fn world(net: &Arc<Net>) -> World {
    World {
        dns: net.clone(),
        http: net.clone(),
        probe: net.clone(),
        xmpp: Arc::new(LoginProbe::new(Arc::clone(net))),
        clock: net.clone(),
    }
}

/// Directories by LDAP, for who asks one without an engine.
pub fn directories(net: &Arc<Net>) -> impl Ldap + use<> {
    Directories::new(Arc::clone(net))
}

/// Starts the engine as a task of the runtime in which this is called. The future ends when the
/// engine has: after `Quit`, or when every handle is gone.
///
/// A task, because to wake the future that a runtime is blocked on costs a system call, to wake a
/// task of the same thread none, and the engine is woken for everything that happens.
#[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
pub fn start(setup: Setup) -> (Handle, impl Future<Output = ()> + Send + 'static) {
    let (commands, wanted) = mpsc::channel(COMMANDS);
    let (events, happened) = mpsc::channel(EVENTS);
    let (answers, answered) = mpsc::channel(ANSWERS);
    let (notices, _) = broadcast::channel(NOTICES);
    let facts = events.clone();
    let audio = setup.audio;
    let devices = offhook_model::Devices {
        input: audio.input.clone(),
        output: audio.output.clone(),
        ringer: audio.ringer.clone(),
        ..offhook_model::Devices::default()
    };
    let media = MediaEngine::start(audio, move |fact| {
        // The media thread never waits: a fact that finds the queue full is lost, and the next one
        // of its kind says the same.
        let _ = facts.try_send(Event::Media(fact));
    });
    let core = Core::new(Options {
        product: setup.product,
        seed: setup.seed,
        settings: setup.settings,
        manual: setup.manual,
        provisioned: setup.provisioned,
        remembered: setup.remembered,
        accepted: setup.accepted,
        attended: setup.attended,
        devices,
        workstation_domain: setup.workstation_domain,
        entropy: offhook_net::entropy,
    });
    let published = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
    let handle = Handle {
        commands,
        published: Arc::clone(&published),
        notices: notices.clone(),
        media: media.clone(),
    };
    let questions = Questions::new(events.clone());
    setup.net.ask_about_certificates(Arc::new(questions.clone()));
    let desk_events = events.clone();
    let hands = Hands {
        flows: Flows::new(
            (world(&setup.net), &setup.net),
            setup.seed,
            events.clone(),
            Keeper { recorder: setup.recorder, store: setup.store.clone() },
        ),
        links: Links::new(Arc::clone(&setup.net), events.clone()),
        jobs: Jobs::new(Arc::clone(&setup.net), events.clone(), setup.places),
        media,
        store: setup.store,
        notices,
        events,
        answers,
        waiting: HashMap::new(),
        net: setup.net,
        questions,
        desk: AtDesk::new(setup.attended, desk_events),
        quit: false,
    };
    let engine = Engine {
        core,
        told: setup.told,
        hands,
        published,
        on_change: setup.on_change,
        wanted,
        happened,
        answered,
        last_ticket: 0,
    };
    let running = tokio::spawn(engine.run());
    (handle, async {
        let _ = running.await;
    })
}

struct Engine {
    core: Core,
    /// Handed over at the beginning.
    told: Vec<Problem>,
    hands: Hands,
    published: Arc<ArcSwap<Snapshot>>,
    on_change: Box<dyn Fn() + Send>,
    wanted: mpsc::Receiver<Wanted>,
    happened: mpsc::Receiver<Event>,
    answered: mpsc::Receiver<Event>,
    last_ticket: u64,
}

impl Engine {
    async fn run(mut self) {
        let told = std::mem::take(&mut self.told);
        self.take(Event::Told(told));
        self.publish();
        let watch = watch_network(self.hands.events.clone());
        while !self.hands.quit {
            let due = self.core.next_timeout();
            // In no fixed order: a flood on one side must not starve the user or the timers.
            let event = tokio::select! {
                Some(event) = self.answered.recv() => event,
                Some(event) = self.happened.recv() => event,
                wanted = self.wanted.recv() => match wanted {
                    Some(wanted) => self.ticketed(wanted),
                    None => break,
                },
                () = until(due) => Event::Timeout,
            };
            self.take(event);
            self.take_waiting();
            self.publish();
        }
        watch.abort();
        self.hands.media.shutdown();
        self.hands.store.close();
    }

    fn take(&mut self, mut event: Event) {
        let now = moment();
        self.hands.links.forget(&mut event);
        self.core.handle(event, now);
        self.hands.carry_out(&mut self.core);
    }

    /// What waits already is taken before the next picture, so that a burst costs one picture.
    fn take_waiting(&mut self) {
        while let Ok(event) = self.answered.try_recv() {
            self.take(event);
        }
        for _ in 0..BATCH {
            match self.happened.try_recv() {
                Ok(event) => self.take(event),
                Err(_) => return,
            }
        }
    }

    fn ticketed(&mut self, (command, answer): Wanted) -> Event {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        if let Some(answer) = answer {
            self.hands.waiting.insert(ticket, answer);
        }
        Event::Command(ticket, command)
    }

    fn publish(&mut self) {
        self.published.store(Arc::new(self.core.snapshot()));
        (self.on_change)();
    }
}

/// Tells of the network as it is, and then of every change. A machine that cannot be watched has the
/// network that it has.
#[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
fn watch_network(events: mpsc::Sender<Event>) -> AbortHandle {
    let watching = async move {
        let mut watch = match Watch::start() {
            Ok(watch) => watch,
            Err(error) => return tracing::warn!(%error, "network changes are not seen"),
        };
        let mut state = watch.state();
        while events.send(Event::Network(state)).await.is_ok() {
            state = watch.changed().await;
        }
    };
    tokio::spawn(watching).abort_handle()
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
