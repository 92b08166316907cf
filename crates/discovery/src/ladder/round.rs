//! Asking: all questions that do not depend on each other are under way at once, and waiting ends
//! as soon as nothing that is still to come could change the decision.

use std::time::Duration;

use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use offhook_model::Problem;
use offhook_ports::{BoxFuture, Found, Srv};

use crate::asked::{Asked, Questions};
use crate::cisco::{self, Standing};
use crate::cloud::{self, Said};
use crate::standard::{self, Bare};

use super::Run;

/// How long questions that outrank a decision already made, or only complete the picture, may lag
/// behind it: the cloud's answer, which networks without a way to the Internet never get, and the
/// SRV names after the one that decides. Long enough for a name look-up, a TLS handshake and an
/// answer across an ocean; short enough that every start without Internet can bear it.
const GRACE: Duration = Duration::from_secs(1);

/// A question that may not be asked at all.
pub(crate) enum Reply<T> {
    /// It is not asked; why, in words.
    Skipped(&'static str),
    /// It is under way.
    Waiting,
    /// It was answered.
    Came(T),
}

impl<T> Reply<T> {
    pub(crate) fn came(&self) -> Option<&T> {
        match self {
            Self::Came(value) => Some(value),
            Self::Skipped(_) | Self::Waiting => None,
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting)
    }
}

/// Everything that was heard.
pub(crate) struct Heard {
    pub(crate) cloud: Reply<Said>,
    pub(crate) records: cisco::Answers,
    pub(crate) open: Reply<standard::Answers>,
    pub(crate) bare: Reply<Bare>,
}

/// One answer.
enum Event {
    Cloud(Said),
    Record(usize, Asked<Srv>),
    Open(Box<standard::Answers>),
    Bare(Bare),
}

/// How far the decision is.
#[derive(PartialEq, Eq)]
enum Progress {
    /// Answers that decide are still to come.
    Waiting,
    /// Decided, unless the cloud still says otherwise.
    Settled,
    /// Nothing can change it.
    Final,
}

type Pending<'a> = FuturesUnordered<BoxFuture<'a, Event>>;

impl Run<'_> {
    /// Nobody is asked, for this reason.
    pub(super) fn silence(&self, why: &'static str) -> Heard {
        Heard {
            cloud: Reply::Skipped(why),
            records: cisco::Answers::unasked(&self.domains.voice, why),
            open: Reply::Skipped(why),
            bare: Reply::Skipped(why),
        }
    }

    pub(super) async fn listen(&self, questions: Questions<'_>) -> Heard {
        let mut heard = self.begin();
        let mut pending = Pending::new();
        self.first_round(&heard, questions, &mut pending);
        let mut grace: Option<BoxFuture<'static, ()>> = None;
        loop {
            self.further_rounds(&mut heard, questions, &mut pending);
            match self.progress(&heard) {
                Progress::Final => break,
                Progress::Settled if grace.is_none() => {
                    grace = Some(questions.world.clock.sleep(GRACE));
                }
                Progress::Settled | Progress::Waiting => {}
            }
            match next(&mut pending, grace.as_mut()).await {
                Some(event) => heard.take(event),
                None => break,
            }
        }
        // What came in the same moment belongs to the picture.
        while let Some(Some(event)) = pending.next().now_or_never() {
            heard.take(event);
        }
        heard
    }

    fn begin(&self) -> Heard {
        let preset = &self.request.preset;
        let mut heard = self.silence("");
        heard.bare = Reply::Skipped("it is tried only when no record answers");
        if self.open_only {
            let why = "manual settings ask for a standard account";
            heard.cloud = Reply::Skipped(why);
            heard.records = cisco::Answers::unasked(&self.domains.voice, why);
        } else {
            heard.cloud = match preset.excluded.webex {
                true => Reply::Skipped("WEBEX is excluded"),
                false => Reply::Waiting,
            };
        }
        if self.memory.is_ok() {
            let why = "the result of the last time is remembered";
            heard.records = cisco::Answers::unasked(&self.domains.voice, why);
            heard.open = Reply::Skipped(why);
            heard.bare = Reply::Skipped(why);
        } else {
            heard.open = Reply::Waiting;
            if !self.open_only {
                heard.records = cisco::Answers::begin(&self.domains.voice, preset);
            }
        }
        heard
    }

    fn first_round<'a>(
        &'a self,
        heard: &Heard,
        questions: Questions<'a>,
        pending: &mut Pending<'a>,
    ) {
        for index in heard.records.first_round() {
            pending.push(record(heard, index, questions));
        }
        if heard.cloud.is_waiting() {
            let organisation = self.request.preset.sso_org_domain.as_deref();
            let organisation = organisation.unwrap_or(&self.domains.services);
            pending.push(Box::pin(cloud::ask(questions, organisation).map(Event::Cloud)));
        }
        if heard.open.is_waiting() {
            let answers = standard::ask(questions, &self.domains.services);
            pending.push(Box::pin(answers.map(|it| Event::Open(Box::new(it)))));
        }
    }

    /// Questions that depend on the absence of others.
    fn further_rounds<'a>(
        &'a self,
        heard: &mut Heard,
        questions: Questions<'a>,
        pending: &mut Pending<'a>,
    ) {
        if self.memory.is_err() && !self.open_only {
            for index in heard.records.second_round(&self.request.preset) {
                pending.push(record(heard, index, questions));
            }
        }
        if heard.is_absent() && matches!(heard.bare, Reply::Skipped(_)) {
            heard.bare = Reply::Waiting;
            let tried = standard::try_domain(questions, &self.domains.services);
            pending.push(Box::pin(tried.map(Event::Bare)));
        }
    }

    fn progress(&self, heard: &Heard) -> Progress {
        if heard.cloud_says_yes() {
            // A hybrid account has its phone from the own servers, if there are any.
            let pending = heard.records.voice_is_waiting();
            return if pending { Progress::Settled } else { Progress::Final };
        }
        let records = heard.records.standing();
        let decided = match records {
            _ if self.memory.is_ok() => true,
            Standing::Decided(_) => true,
            Standing::Open => false,
            Standing::Nothing => heard.dead_end().is_none() && heard.open_found(0).is_some(),
        };
        let complete = !heard.cloud.is_waiting() && !heard.records.is_waiting();
        match (decided, complete) {
            (true, true) => Progress::Final,
            (true, false) => Progress::Settled,
            (false, _) => Progress::Waiting,
        }
    }
}

/// The next answer; nothing when there are none left or the time of grace is over.
async fn next(
    pending: &mut Pending<'_>,
    grace: Option<&mut BoxFuture<'static, ()>>,
) -> Option<Event> {
    match grace {
        None => pending.next().await,
        Some(grace) => match select(pending.next(), grace).await {
            Either::Left((event, _)) => event,
            Either::Right(((), _)) => None,
        },
    }
}

fn record<'a>(heard: &Heard, index: usize, questions: Questions<'a>) -> BoxFuture<'a, Event> {
    let name = heard.records.name(index);
    Box::pin(questions.srv(name).map(move |asked| Event::Record(index, asked)))
}

impl Heard {
    fn take(&mut self, event: Event) {
        match event {
            Event::Cloud(said) => self.cloud = Reply::Came(said),
            Event::Record(index, asked) => self.records.put(index, asked),
            Event::Open(answers) => self.open = Reply::Came(*answers),
            Event::Bare(bare) => self.bare = Reply::Came(bare),
        }
    }

    fn cloud_says_yes(&self) -> bool {
        self.cloud.came().is_some_and(|said| said.ours.is_some())
    }

    pub(super) fn cloud_found(&self, seed: u64) -> Option<Found> {
        let ours = self.cloud.came()?.ours.clone()?;
        let voice = self.records.voice(seed);
        Some(Found::Webex { cas: ours.cas, sso: ours.sso, voice })
    }

    pub(super) fn records_decide(&self) -> Option<usize> {
        match self.records.standing() {
            Standing::Decided(index) => Some(index),
            Standing::Open | Standing::Nothing => None,
        }
    }

    /// Why nothing of lower rank is believed although no SRV record can be used: a record that
    /// names only itself is a mistake to tell and not an absence, and when no question was answered
    /// the domain may well have them.
    pub(super) fn dead_end(&self) -> Option<Problem> {
        let mistake = self.records.bad_targets().into_iter().next();
        let silence = || {
            let failed = self.records.all_failed();
            failed.then(|| self.records.failures().into_iter().next()).flatten()
        };
        mistake.or_else(silence)
    }

    /// Every record was asked for and is absent. After a failure that could not be said.
    fn is_absent(&self) -> bool {
        let absent = |answers: &standard::Answers| {
            let faults = answers.failures().len() + answers.bad_targets().len();
            answers.found(0).is_none() && faults == 0
        };
        self.records.standing() == Standing::Nothing
            && self.records.failures().is_empty()
            && self.dead_end().is_none()
            && self.open.came().is_some_and(absent)
    }

    pub(super) fn open_found(&self, seed: u64) -> Option<Found> {
        if self.dead_end().is_some() {
            return None;
        }
        let records = self.open.came().and_then(|answers| answers.found(seed));
        records.or_else(|| self.bare.came()?.found())
    }
}
