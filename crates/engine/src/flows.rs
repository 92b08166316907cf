//! Runs flows and brings their results back as events.

use std::collections::HashMap;
use std::sync::Arc;

use offhook_contacts::carddav::{self, BookFault, BookPlan, Kept};
use offhook_contacts::ldap::Wish;
use offhook_contacts::{Directory, Look, Means, Servers};
use offhook_core::{BookRead, Event, FlowOutcome, RunId, identity_words};
use offhook_discovery as discovery;
use offhook_ldap::Directories;
use offhook_model::PhotoSource;
use offhook_net::Net;
use offhook_ports::{
    BoxFuture, ClientIdentity, DeskControl, DeskOrder, EnrolPlan, Ldap, Progress, StoreAnswer,
    StoreRequest, World,
};
use offhook_report::{Recorder, Situation};
use offhook_signin as signin;
use offhook_signin::EdgeRoute;
use offhook_store::{Store, photo_id};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::cards::with_picture;

/// Keeps what the outside answers, for problem reports of a client that runs and of one that does
/// not run any more.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) recorder: Recorder,
    pub(crate) store: Store,
}

impl Keeper {
    fn begin(&self, request: &discovery::Request) {
        self.recorder.begin(Situation {
            address: request.address.to_string(),
            username: None,
            manual: request.manual.clone(),
            preset: request.preset.clone(),
            layers: vec![],
            told: vec![],
            remembered: request.remembered.clone(),
            network: request.network.clone(),
            certified: false,
            now: request.now,
            seed: request.seed,
        });
    }

    fn keep(&self) {
        if let Ok(text) = serde_json::to_string(&self.recorder.recorded(&[])) {
            self.store.submit(StoreRequest::PutAnswers(text), drop);
        }
    }
}

/// The flows that run.
pub(crate) struct Flows {
    world: World,
    /// Not recorded for problem reports: what it says is about people.
    private: World,
    directories: Arc<Directories>,
    seed: u64,
    keeper: Keeper,
    events: mpsc::Sender<Event>,
    running: HashMap<RunId, AbortHandle>,
    /// Closes connections to directories that nobody uses.
    idle: AbortHandle,
}

impl Flows {
    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    pub(crate) fn new(
        (world, net): (World, &Arc<Net>),
        seed: u64,
        events: mpsc::Sender<Event>,
        keeper: Keeper,
    ) -> Self {
        let directories = Arc::new(Directories::new(Arc::clone(net)));
        let idle = Arc::clone(&directories);
        let idle = tokio::spawn(async move { idle.close_idle().await }).abort_handle();
        let recorded = keeper.recorder.wrap(&world);
        let running = HashMap::new();
        Self { world: recorded, private: world, directories, seed, keeper, events, running, idle }
    }

    pub(crate) fn find_people(
        &mut self,
        run: RunId,
        directory: Directory,
        through: Option<EdgeRoute>,
        wish: Wish,
        limit: u32,
    ) {
        let asker = self.asker(through);
        self.spawn_unkept(run, async move {
            let look = |domain| asker.look(domain);
            let answer = directory.ask(asker.means(&look), &wish, limit).await;
            FlowOutcome::People(Box::new(answer))
        });
    }

    pub(crate) fn read_group(
        &mut self,
        run: RunId,
        directory: Directory,
        through: Option<EdgeRoute>,
        id: String,
    ) {
        let asker = self.asker(through);
        self.spawn_unkept(run, async move {
            let look = |domain| asker.look(domain);
            let read = directory.members(asker.means(&look), &id).await;
            FlowOutcome::Group(Box::new(read))
        });
    }

    pub(crate) fn fetch_portrait(
        &mut self,
        run: RunId,
        directory: Directory,
        through: Option<EdgeRoute>,
        id: String,
        photo: PhotoSource,
    ) {
        let asker = self.asker(through);
        self.spawn_unkept(run, async move {
            let look = |domain| asker.look(domain);
            let (bytes, _) = directory.picture(asker.means(&look), &id, &photo).await;
            FlowOutcome::Portrait(bytes.map(|bytes| (photo_id(&bytes), bytes)))
        });
    }

    pub(crate) fn read_address_book(
        &mut self,
        run: RunId,
        plan: BookPlan,
        since: Option<Kept>,
        store: &Store,
    ) {
        let (world, store) = (self.private.clone(), store.clone());
        self.spawn_unkept(run, async move {
            let read = carddav::fetch(&world, &plan, since.as_ref()).await;
            let read = read.map_err(|fault| fault.problem()).map(|read| BookRead {
                whole: read.whole,
                entries: read.cards.into_iter().map(|card| with_picture(&store, card)).collect(),
                gone: read.gone,
                more: read.more,
                problems: read.problems.iter().map(BookFault::problem).collect(),
                kept: read.kept,
            });
            FlowOutcome::AddressBook(Box::new(read))
        });
    }

    /// Closes connections to directories.
    pub(crate) fn forget_directory(&self) {
        self.directories.forget();
    }

    fn asker(&self, through: Option<EdgeRoute>) -> Asker {
        let world = through.map_or_else(|| self.private.clone(), |edge| edge.world(&self.private));
        Asker { world, directories: Arc::clone(&self.directories), seed: self.seed }
    }

    pub(crate) fn discover(&mut self, run: RunId, request: discovery::Request) {
        self.keeper.begin(&request);
        let (world, tell) = (self.world.clone(), self.teller(run));
        self.spawn(run, async move {
            let report = discovery::discover(&world, &request, &tell).await;
            FlowOutcome::Discovered(Box::new(report))
        });
    }

    pub(crate) fn sign_in(&mut self, run: RunId, request: signin::Request) {
        let who = &request.credentials;
        self.keeper.recorder.signs_in(&who.username, who.password.expose());
        let (world, tell) = (self.world.clone(), self.teller(run));
        self.spawn(run, async move {
            let report = signin::sign_in(&world, &request, &tell).await;
            FlowOutcome::SignedIn(Box::new(report))
        });
    }

    pub(crate) fn renew(
        &mut self,
        run: RunId,
        renewal: signin::Renewal,
        credentials: signin::Credentials,
    ) {
        let (world, tell) = (self.world.clone(), self.teller(run));
        self.spawn(run, async move {
            let made = signin::renew(&world, &renewal, &credentials, &tell).await;
            FlowOutcome::Renewed(made.map(Box::new))
        });
    }

    pub(crate) fn desk(&mut self, run: RunId, control: DeskControl, order: DeskOrder) {
        let (world, tell) = (self.world.clone(), self.teller(run));
        self.spawn(run, async move {
            let done = signin::order_desk(&world, &control, &order, &tell).await;
            FlowOutcome::Desk(order, done)
        });
    }

    /// Not recorded for a problem report: it holds nothing but secrets and a certificate.
    pub(crate) fn enrol(&mut self, run: RunId, net: Arc<Net>, plan: EnrolPlan, kept_as: String) {
        let store = self.keeper.store.clone();
        self.spawn(run, async move {
            let keep = |identity: &ClientIdentity| keep_identity(&store, &kept_as, identity);
            FlowOutcome::Enrolled(net.enrol(plan, keep).await)
        });
    }

    /// The phone shows a certificate of its own, which a problem report has to say.
    pub(crate) fn certified(&self) {
        self.keeper.recorder.certified();
    }

    /// Dropping the task drops the flow, and with it its connections.
    pub(crate) fn cancel(&mut self, run: RunId) {
        if let Some(task) = self.running.remove(&run) {
            task.abort();
        }
    }

    /// Progress may be lost when the core is behind; results may not.
    fn teller(&self, run: RunId) -> impl Fn(Progress) + Send + Sync + use<> {
        let events = self.events.clone();
        move |progress| {
            let _ = events.try_send(Event::Progress(run, progress));
        }
    }

    fn spawn(&mut self, run: RunId, flow: impl Future<Output = FlowOutcome> + Send + 'static) {
        let keeper = self.keeper.clone();
        self.spawn_unkept(run, async move {
            let outcome = flow.await;
            keeper.keep();
            outcome
        });
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    fn spawn_unkept(
        &mut self,
        run: RunId,
        flow: impl Future<Output = FlowOutcome> + Send + 'static,
    ) {
        let events = self.events.clone();
        let task = tokio::spawn(async move {
            let outcome = flow.await;
            let _ = events.send(Event::Flow(run, outcome)).await;
        });
        self.running.retain(|_, task| !task.is_finished());
        self.running.insert(run, task.abort_handle());
    }
}

impl Drop for Flows {
    fn drop(&mut self) {
        self.idle.abort();
    }
}

/// Asks directories, in a task of its own.
struct Asker {
    world: World,
    directories: Arc<Directories>,
    seed: u64,
}

impl Asker {
    fn means<'a>(&'a self, look: Look<'a>) -> Means<'a> {
        Means { world: &self.world, ldap: &*self.directories, look }
    }

    fn look(&self, domain: String) -> BoxFuture<'_, Servers> {
        Box::pin(async move {
            let found = discovery::directory_servers(&self.world, &domain, self.seed).await;
            (found.catalogue, found.ldap)
        })
    }
}

/// Puts a certificate into the credential store. Where the desktop has none it lasts as long as the
/// program, as passwords do, and counts as kept: nothing better is to be had there.
fn keep_identity(
    store: &Store,
    kept_as: &str,
    identity: &ClientIdentity,
) -> impl Future<Output = bool> + use<> {
    let (answer, answered) = oneshot::channel();
    let request = StoreRequest::PutPassword(kept_as.to_owned(), identity_words(identity));
    store.submit(request, move |said| drop(answer.send(said)));
    // A store that is closed drops the question.
    async { matches!(answered.await, Ok(StoreAnswer::Kept | StoreAnswer::MemoryOnly(_))) }
}
