//! A session that stands moves to another way: the services are looked for anew in the background;
//! where they are the same the links are opened again, where they are others (inside, outside)
//! the kept credentials sign in there and chat and phone move over. Contact list, conversations and
//! the outbox stay as they are meanwhile.
//!
//! The re-login of IM and Presence after a node failed (reference im-presence.md section 3) is another
//! matter (`failover`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_discovery as discovery;
use offhook_model::{Moment, Problem, Timestamp};
use offhook_signin as signin;

use crate::budget::{Ended, clock, spent_problem};
use crate::memory::{Way, same_place};
use crate::phase::{Phase, password_can_mend};
use crate::standing::Up;
use crate::{Core, Effect, RunId};

/// Pause after a round that failed: doubles from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// How far a move is.
#[derive(Debug, Default)]
pub(crate) enum Move {
    /// Nothing is to be moved.
    #[default]
    Settled,
    /// The services are looked for.
    Looking { run: RunId, base: usize },
    /// The authenticator of the other way is asked.
    Asking { run: RunId, way: Way },
    /// A round failed, or no attempt is left; the next begins then. `words` where there is more to
    /// say than that.
    Pausing { until: Instant, words: Option<String> },
}

impl Move {
    /// The run that is under way.
    pub(crate) fn run(&self) -> Option<RunId> {
        match self {
            Self::Looking { run, .. } | Self::Asking { run, .. } => Some(*run),
            Self::Settled | Self::Pausing { .. } => None,
        }
    }

    fn until(&self) -> Option<Instant> {
        match self {
            Self::Pausing { until, .. } => Some(*until),
            Self::Settled | Self::Looking { .. } | Self::Asking { .. } => None,
        }
    }
}

impl Core {
    /// Looks for the services anew, because the network changed.
    pub(crate) fn begin_move(&mut self, now: Moment) {
        let Phase::Up(up) = &mut self.phase else { return };
        up.rounds = 0;
        self.next_round(now);
    }

    /// What we were given no longer holds (token, cookie): signs in anew even if nothing moved.
    pub(crate) fn sign_in_anew(&mut self, now: Moment) {
        let Phase::Up(up) = &mut self.phase else { return };
        if up.anew {
            return;
        }
        up.anew = true;
        self.begin_move(now);
    }

    /// The call manager resets the phone: its device file is read again, and it registers anew.
    pub(crate) fn reset_phone(&mut self, now: Moment) {
        if let Phase::Up(up) = &mut self.phase {
            up.reset = true;
        }
        self.sign_in_anew(now);
    }

    fn next_round(&mut self, now: Moment) {
        self.stop_moving();
        let Phase::Up(up) = &self.phase else { return };
        let address = up.wish.address.clone();
        let request = self.discovery_request(&address, true, now);
        let (run, base) = (self.next_run(), self.session.trace.len());
        if let Phase::Up(up) = &mut self.phase {
            up.moving = Move::Looking { run, base };
        }
        self.out.push_back(Effect::Discover { run, request: Box::new(request) });
    }

    /// Drops what is under way. An attempt that is dropped stays spent: nobody knows how far it came.
    pub(crate) fn stop_moving(&mut self) {
        let Phase::Up(up) = &mut self.phase else { return };
        if let Some(run) = std::mem::take(&mut up.moving).run() {
            self.out.push_back(Effect::Cancel(run));
        }
    }

    /// The services were looked for.
    pub(crate) fn looked(&mut self, report: discovery::Report, now: Moment) {
        let Phase::Up(up) = &mut self.phase else { return };
        let Move::Looking { base, .. } = std::mem::take(&mut up.moving) else { return };
        let trace = Arc::make_mut(&mut self.session.trace);
        trace.truncate(base);
        trace.extend(report.steps);
        self.dedupe_trace();
        let Phase::Up(up) = &mut self.phase else { return };
        match report.outcome {
            Ok(found) if same_place(&found, &up.way.found) && !up.anew => {
                up.rounds = 0;
                self.remember(report.remember);
                self.reconnect_chat(now);
            }
            Ok(found) => {
                let way = Way { found, from_memory: false, remember: report.remember };
                self.ask_other_way(way, now);
            }
            Err(problem) => {
                // The name system may be the only thing that is broken: what stood is tried as it
                // was, once.
                let first = up.rounds == 0;
                self.stall(problem, now);
                if first {
                    self.reconnect_chat(now);
                }
            }
        }
    }

    fn ask_other_way(&mut self, way: Way, now: Moment) {
        // A renewal is an attempt as well, and never two go on at once.
        self.park_chat(now);
        let ready = self.budget.ready_at(now.at);
        if ready > now.at {
            return self.wait_for_budget(ready, now);
        }
        self.budget.begin(now.at);
        let Phase::Up(up) = &self.phase else { return };
        let (address, credentials) = (up.wish.address.clone(), up.credentials.clone());
        let token = up.wish.token.clone();
        let request = self.sign_in_request(address, &way, credentials, token);
        let run = self.next_run();
        if let Phase::Up(up) = &mut self.phase {
            up.moving = Move::Asking { run, way };
        }
        self.out.push_back(Effect::SignIn { run, request: Box::new(request) });
    }

    fn wait_for_budget(&mut self, ready: Instant, now: Moment) {
        let words = self.budget_words(ready, now);
        if let Phase::Up(up) = &mut self.phase {
            up.moving = Move::Pausing { until: ready, words };
        }
    }

    /// What is said, and told, when no attempt is left before `ready`; nothing for a short pause
    /// between two.
    pub(crate) fn budget_words(&mut self, ready: Instant, now: Moment) -> Option<String> {
        if !self.budget.is_out(now.at) {
            return None;
        }
        let until = later(now, ready);
        self.toast(spent_problem(until), now);
        Some(format!("Waiting until {} before the next attempt", clock(until)))
    }

    /// The other way's authenticator answered.
    pub(crate) fn other_way_answered(&mut self, report: signin::Report, now: Moment) {
        self.budget.end(Ended::of(&report.outcome), now.at);
        Arc::make_mut(&mut self.session.trace).extend(report.steps);
        self.dedupe_trace();
        let Phase::Up(up) = &mut self.phase else { return };
        let Move::Asking { way, .. } = std::mem::take(&mut up.moving) else { return };
        match report.outcome {
            Ok(grant) => self.moved(way, grant, now),
            Err(problem) if password_can_mend(&problem) => self.give_up(problem, now),
            Err(problem) => self.stall(problem, now),
        }
    }

    /// A round failed; another follows.
    fn stall(&mut self, problem: Problem, now: Moment) {
        let portal = self.network.portal_pause(&problem);
        let chance = self.chance.below(250);
        let Phase::Up(up) = &mut self.phase else { return };
        let doubled = FIRST_PAUSE * 2_u32.pow(up.rounds.min(5));
        let announced = up.rounds > 0;
        up.rounds = up.rounds.saturating_add(1);
        let pause = portal.unwrap_or(doubled.min(LAST_PAUSE) + Duration::from_millis(chance));
        up.moving = Move::Pausing { until: now.at + pause, words: None };
        // A network that has just come is not ready at once; that is nothing to speak of.
        if portal.is_some() || announced {
            self.toast(problem, now);
        }
    }

    /// Begins the next round when its time has come.
    pub(crate) fn moving_due(&mut self, now: Moment) {
        if self.network.lost {
            return;
        }
        let Phase::Up(up) = &mut self.phase else { return };
        if up.moving.until().is_none_or(|until| until > now.at) {
            return;
        }
        up.moving = Move::Settled;
        // The links may have found their own way back meanwhile. One that is parked cannot.
        if up.anew || self.chat.is_parked() || !self.works() {
            self.next_round(now);
        }
    }

    /// When the next round is due.
    pub(crate) fn moving_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Up(up) if !self.network.lost => up.moving.until(),
            Phase::Up(_)
            | Phase::SignedOut
            | Phase::Discovering { .. }
            | Phase::Recalling { .. }
            | Phase::Asking { .. }
            | Phase::Authenticating { .. }
            | Phase::Failed { .. }
            | Phase::Leaving { .. } => None,
        }
    }

    /// More than "connecting again", where there is more to say.
    pub(crate) fn moving_words(&self) -> Option<String> {
        let Phase::Up(up) = &self.phase else { return None };
        match &up.moving {
            Move::Pausing { words, .. } => words.clone(),
            Move::Asking { .. } => Some("Signing in again".into()),
            Move::Settled | Move::Looking { .. } => self.chat.waiting.clone(),
        }
    }
}

impl Up {
    /// Nothing is being moved.
    pub(crate) fn is_settled(&self) -> bool {
        match self.moving {
            Move::Settled => true,
            Move::Looking { .. } | Move::Asking { .. } | Move::Pausing { .. } => false,
        }
    }
}

/// The wall clock at a moment to come.
pub(crate) fn later(now: Moment, at: Instant) -> Timestamp {
    now.plus(at.saturating_duration_since(now.at)).wall
}
