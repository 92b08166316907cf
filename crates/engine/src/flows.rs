//! Runs flows and brings their results back as events.

use std::collections::HashMap;

use offhook_core::{Event, FlowOutcome, RunId};
use offhook_discovery as discovery;
use offhook_ports::{Progress, World};
use offhook_signin as signin;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// The flows that run.
pub(crate) struct Flows {
    world: World,
    events: mpsc::Sender<Event>,
    running: HashMap<RunId, AbortHandle>,
}

impl Flows {
    pub(crate) fn new(world: World, events: mpsc::Sender<Event>) -> Self {
        Self { world, events, running: HashMap::new() }
    }

    pub(crate) fn discover(&mut self, run: RunId, request: discovery::Request) {
        let (world, tell) = (self.world.clone(), self.teller(run));
        self.spawn(run, async move {
            let report = discovery::discover(&world, &request, &tell).await;
            FlowOutcome::Discovered(Box::new(report))
        });
    }

    pub(crate) fn sign_in(&mut self, run: RunId, request: signin::Request) {
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
            let plan = signin::renew(&world, &renewal, &credentials, &tell).await;
            FlowOutcome::Renewed(plan.map(Box::new))
        });
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

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    fn spawn(&mut self, run: RunId, flow: impl Future<Output = FlowOutcome> + Send + 'static) {
        let events = self.events.clone();
        let task = tokio::spawn(async move {
            let outcome = flow.await;
            let _ = events.send(Event::Flow(run, outcome)).await;
        });
        self.running.retain(|_, task| !task.is_finished());
        self.running.insert(run, task.abort_handle());
    }
}
