//! Registers a phone for a moment, for `offhook doctor --register`: the same machine and the same
//! connections as a client's, and nothing else of it.

use std::sync::Arc;
use std::time::Duration;

use offhook_call::{Output, Phone, Registration};
use offhook_core::Event;
use offhook_model::{Fault, Problem};
use offhook_net::Net;
use offhook_ports::{PhoneAccount, PhoneUpkeep};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::links::Links;
use crate::moment;

/// How many events may wait; a registration is a handful.
const EVENTS: usize = 64;
/// Bound on all attempts together.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long it stays registered, to see whether it is left so.
const STAY: Duration = Duration::from_secs(4);
/// Bound on taking leave.
const LEAVE: Duration = Duration::from_secs(3);

/// Registers, stays so for four seconds, and withdraws. What went wrong, the gravest last; nothing
/// when it stayed registered.
pub async fn register(
    net: Arc<Net>,
    mut account: PhoneAccount,
    product: &str,
    seed: u64,
) -> Vec<Problem> {
    // One server after the other is looked at, and nobody else is asked.
    account.upkeep = PhoneUpkeep { keep_alive: Duration::ZERO, ..PhoneUpkeep::default() };
    let servers = account.servers.len().max(1);
    let (events, happened) = mpsc::channel(EVENTS);
    let phone = Phone::new(account, product, 0, seed, offhook_net::entropy());
    let mut attempt = Attempt {
        phone,
        links: Links::new(net, events),
        happened,
        servers,
        failures: vec![],
        ready: false,
        stopped: false,
    };
    attempt.phone.start(moment());
    attempt.run(Instant::now() + PATIENCE, Attempt::decided).await;
    if attempt.ready {
        // Earlier servers were passed over; only what happens from now on is a loss.
        attempt.failures.clear();
        attempt.run(Instant::now() + STAY, |it| !it.failures.is_empty()).await;
    }
    let failures = std::mem::take(&mut attempt.failures);
    attempt.phone.stop(moment());
    attempt.run(Instant::now() + LEAVE, |it| it.stopped).await;
    failures
}

struct Attempt {
    phone: Phone,
    links: Links,
    happened: mpsc::Receiver<Event>,
    servers: usize,
    failures: Vec<Problem>,
    ready: bool,
    stopped: bool,
}

impl Attempt {
    fn decided(&self) -> bool {
        self.ready || self.failures.len() >= self.servers
    }

    async fn run(&mut self, until: Instant, over: impl Fn(&Self) -> bool) {
        loop {
            self.drain();
            if over(self) || Instant::now() >= until {
                return;
            }
            let due = self.phone.next_timeout().map_or(until, |due| until.min(due.into()));
            match timeout_at(due, self.happened.recv()).await {
                Ok(Some(event)) => self.take(event),
                Ok(None) => return,
                Err(_) => self.phone.handle_timeout(moment()),
            }
        }
    }

    fn take(&mut self, mut event: Event) {
        let now = moment();
        self.links.forget(&mut event);
        match event {
            Event::SipOpened { flow, local, remote, .. } => {
                self.phone.flow_opened(flow, local, remote, now);
            }
            Event::SipData(flow, bytes) => self.phone.receive(flow, &bytes, now),
            Event::SipFailed(flow, fault) => self.phone.flow_failed(flow, fault, now),
            _ => {}
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.phone.poll() {
            match output {
                Output::Open { flow, server, dscp } => {
                    self.links.open_sip(flow, server, None, dscp)
                }
                Output::Send { flow, bytes } => self.links.send_sip(flow, bytes),
                Output::Close(flow) => self.links.close_sip(flow),
                Output::Registration(it) => self.registration(it),
                Output::Stopped => self.stopped = true,
                // Nobody is at this phone.
                _ => {}
            }
        }
    }

    fn registration(&mut self, registration: Registration) {
        match registration {
            Registration::Ready { .. } => self.ready = true,
            Registration::Failed { server, fault, .. } => {
                let problem = problem(self.ready, &fault, &server.endpoint());
                if !self.failures.contains(&problem) {
                    self.failures.push(problem);
                }
            }
            Registration::Trying(_) | Registration::Gone => {}
        }
    }
}

fn problem(was_ready: bool, fault: &Fault, at: &offhook_model::Endpoint) -> Problem {
    if was_ready { Problem::registration_lost(at, fault) } else { fault.problem(at) }
}
