//! The two ends of the sound path: the microphone, and the places where sound is heard. Each opens
//! when it is needed, closes when it is not, and puts up with loss.

use std::time::{Duration, Instant};

use offhook_model::{AudioSpec, Device};

use super::still::Source;
use crate::device::{Capture, Desk, Listing, Playout};

/// How long a card stays open after its last use: long enough for the next ring or call to start
/// without a gap, short enough that nobody wonders about the microphone light.
const LINGER: Duration = Duration::from_secs(2);

/// How long to wait before a card that failed is tried again.
const RETRY: Duration = Duration::from_secs(3);

/// Names requests to the desk.
#[derive(Default)]
pub(super) struct Tickets(u32);

impl Tickets {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// What [`End`] needs from its surroundings.
pub(super) struct Surroundings<'a> {
    pub(super) desk: &'a mut Desk,
    pub(super) tickets: &'a mut Tickets,
    /// Failures to tell of, in words.
    pub(super) lost: &'a mut Vec<String>,
    pub(super) now: Instant,
}

/// What differs between the two directions.
pub(super) trait Gate: Sized {
    /// It is a microphone.
    const INPUT: bool;
    /// Opens what needs no card.
    fn generated(spec: &AudioSpec) -> Option<Result<Self, String>>;
    /// Nothing to do for now.
    fn rest(&mut self);
}

impl Gate for Capture {
    const INPUT: bool = true;

    fn generated(spec: &AudioSpec) -> Option<Result<Self, String>> {
        Self::generated(spec)
    }

    fn rest(&mut self) {}
}

impl Gate for Playout {
    const INPUT: bool = false;

    fn generated(spec: &AudioSpec) -> Option<Result<Self, String>> {
        Self::generated(spec)
    }

    fn rest(&mut self) {
        Self::rest(self);
    }
}

enum State<T> {
    Closed,
    Opening { ticket: u32 },
    Open { device: T, ticket: Option<u32> },
    Broken { retry_at: Option<Instant> },
}

/// One end.
pub(super) struct End<T> {
    /// As chosen.
    spec: AudioSpec,
    /// The chosen device is gone and the system's choice takes its place.
    substitute: bool,
    /// Its failure was told already.
    told: bool,
    state: State<T>,
    close_at: Option<Instant>,
    /// The system's choice as it was last listed.
    follows: Option<String>,
}

impl<T: Gate> End<T> {
    pub(super) fn new(spec: AudioSpec) -> Self {
        Self {
            spec,
            substitute: false,
            told: false,
            state: State::Closed,
            close_at: None,
            follows: None,
        }
    }

    pub(super) fn spec(&self) -> &AudioSpec {
        &self.spec
    }

    /// What is or should be there.
    pub(super) fn kind(&self) -> Source {
        match (&self.state, &self.spec) {
            (State::Open { ticket: Some(_), .. }, _) => Source::Card,
            (State::Open { ticket: None, .. }, _) => Source::Made,
            (_, AudioSpec::Default | AudioSpec::Device(_) | AudioSpec::File { .. }) => {
                Source::Nothing
            }
            (_, AudioSpec::Tone(_) | AudioSpec::Silence | AudioSpec::Null) => Source::Made,
        }
    }

    /// The open device.
    pub(super) fn device(&mut self) -> Option<&mut T> {
        match &mut self.state {
            State::Open { device, .. } => Some(device),
            State::Closed | State::Opening { .. } | State::Broken { .. } => None,
        }
    }

    /// The devices are these now. A chosen one that came back takes its place again, a substitute
    /// moves on with the system, and what could not be opened is tried at once.
    pub(super) fn listed(&mut self, listing: &Listing, around: &mut Surroundings<'_>) {
        let here = |name: &str| {
            let is_it = |device: &Device| {
                let (fits, id) = if T::INPUT {
                    (device.input, &device.input_id)
                } else {
                    (device.output, &device.output_id)
                };
                fits && (device.name == name || id.as_deref() == Some(name))
            };
            listing.items.iter().any(is_it)
        };
        let preferred = listing.preferred(T::INPUT);
        let moved =
            self.follows.is_some() && preferred.is_some() && self.follows.as_deref() != preferred;
        let back = match &self.spec {
            AudioSpec::Device(name) => self.substitute && here(name),
            AudioSpec::Default
            | AudioSpec::File { .. }
            | AudioSpec::Tone(_)
            | AudioSpec::Silence
            | AudioSpec::Null => false,
        };
        let follows = self.substitute || self.spec == AudioSpec::Default;
        self.follows = preferred.map(str::to_owned);
        match &self.state {
            // What is still being opened is the new choice already.
            State::Open { ticket: Some(ticket), .. } if back || (follows && moved) => {
                around.desk.close(*ticket);
                self.substitute &= !back;
                self.told = false;
                self.open(around);
            }
            State::Broken { retry_at: Some(_) } if !listing.items.is_empty() => {
                self.substitute = false;
                self.open(around);
            }
            State::Closed | State::Opening { .. } | State::Open { .. } | State::Broken { .. } => {}
        }
    }

    /// It is needed now: opens it if need be.
    pub(super) fn want(&mut self, around: &mut Surroundings<'_>) {
        self.close_at = None;
        match &self.state {
            State::Closed => self.open(around),
            State::Broken { retry_at: Some(at) } if *at <= around.now => {
                self.substitute = false;
                self.open(around);
            }
            State::Opening { .. } | State::Open { .. } | State::Broken { .. } => {}
        }
    }

    /// It is not needed any more. A card closes after a while, what is not a card only rests.
    pub(super) fn spare(&mut self, now: Instant) {
        match &mut self.state {
            State::Open { ticket: Some(_), .. } | State::Opening { .. } => {
                self.close_at.get_or_insert(now + LINGER);
            }
            State::Open { device, ticket: None } => device.rest(),
            State::Broken { .. } => {
                self.state = State::Closed;
                self.told = false;
            }
            State::Closed => {}
        }
    }

    /// No call is left: like [`Self::spare`], and what is not a card starts anew next time.
    pub(super) fn release(&mut self, now: Instant) {
        match &self.state {
            State::Open { ticket: None, .. } => self.state = State::Closed,
            State::Closed | State::Opening { .. } | State::Open { .. } | State::Broken { .. } => {
                self.spare(now)
            }
        }
    }

    /// When [`Self::tidy`] has something to do.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.close_at
    }

    /// Closes what lingered long enough.
    pub(super) fn tidy(&mut self, now: Instant, desk: &mut Desk) {
        if self.close_at.is_some_and(|at| at <= now) {
            self.close(desk);
        }
    }

    /// Closes at once; what is not a card starts anew when it opens again.
    pub(super) fn close(&mut self, desk: &mut Desk) {
        if let State::Opening { ticket } | State::Open { ticket: Some(ticket), .. } = &self.state {
            desk.close(*ticket);
        }
        self.state = State::Closed;
        self.close_at = None;
        self.substitute = false;
        self.told = false;
    }

    fn open(&mut self, around: &mut Surroundings<'_>) {
        let spec = if self.substitute { AudioSpec::Default } else { self.spec.clone() };
        self.state = match T::generated(&spec) {
            Some(Ok(device)) => State::Open { device, ticket: None },
            Some(Err(why)) => {
                around.lost.push(why);
                State::Broken { retry_at: None }
            }
            None => {
                let ticket = around.tickets.next();
                around.desk.open(ticket, spec, T::INPUT);
                State::Opening { ticket }
            }
        };
    }

    /// The desk opened a card. Gives it back when it is not (any more) for this end.
    pub(super) fn opened(&mut self, ticket: u32, device: T) -> Option<T> {
        match self.state {
            State::Opening { ticket: own } if own == ticket => {
                self.state = State::Open { device, ticket: Some(ticket) };
                self.told = false;
                None
            }
            State::Closed | State::Opening { .. } | State::Open { .. } | State::Broken { .. } => {
                Some(device)
            }
        }
    }

    /// The desk could not open a card, or lost it. A chosen device is replaced by the system's
    /// choice; that by nothing, until it can be tried again.
    pub(super) fn failed(&mut self, ticket: u32, why: &str, around: &mut Surroundings<'_>) {
        match self.state {
            State::Opening { ticket: own } | State::Open { ticket: Some(own), .. }
                if own == ticket => {}
            State::Closed | State::Opening { .. } | State::Open { .. } | State::Broken { .. } => {
                return;
            }
        }
        if !std::mem::replace(&mut self.told, true) {
            around.lost.push(why.to_owned());
        }
        let idle = self.close_at.take().is_some();
        let chosen = matches!(self.spec, AudioSpec::Device(_)) && !self.substitute;
        if idle {
            self.state = State::Closed;
        } else if chosen {
            self.substitute = true;
            self.open(around);
        } else {
            self.state = State::Broken { retry_at: Some(around.now + RETRY) };
        }
    }

    /// The device itself said that it is gone.
    pub(super) fn broke(&mut self, why: String, around: &mut Surroundings<'_>) {
        around.lost.push(why);
        self.state = State::Broken { retry_at: None };
    }
}

/// The places where sound is heard: one for each choice in use, so that a file named twice is
/// opened once.
pub(super) struct Sinks {
    items: Vec<End<Playout>>,
    /// Which item the output and the ringer are.
    pub(super) output: usize,
    pub(super) ringer: usize,
}

impl Sinks {
    pub(super) fn new(output: AudioSpec, ringer: AudioSpec) -> Self {
        let mut sinks = Self { items: vec![], output: 0, ringer: 0 };
        sinks.output = sinks.place(output);
        sinks.ringer = sinks.place(ringer);
        sinks
    }

    /// The place for this choice. Places are kept, so that a file goes on growing when it is
    /// chosen again.
    pub(super) fn place(&mut self, spec: AudioSpec) -> usize {
        if let Some(at) = self.items.iter().position(|item| *item.spec() == spec) {
            return at;
        }
        self.items.push(End::new(spec));
        self.items.len() - 1
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut End<Playout>> {
        self.items.iter_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &End<Playout>> {
        self.items.iter()
    }

    pub(super) fn get(&mut self, at: usize) -> Option<&mut End<Playout>> {
        self.items.get_mut(at)
    }
}

#[cfg(test)]
mod tests {
    use super::{End, LINGER, RETRY, State, Surroundings, Tickets};
    use crate::device::{Capture, Desk, Listing, Playout};
    use offhook_model::{AudioSpec, Device};
    use std::time::{Duration, Instant};

    /// The end of a path with everything around it.
    struct Bench<T> {
        end: End<T>,
        desk: Desk,
        tickets: Tickets,
        lost: Vec<String>,
        now: Instant,
    }

    impl<T: super::Gate> Bench<T> {
        #[expect(clippy::disallowed_methods, reason = "some point to count from")]
        fn new(spec: &str) -> Self {
            Self {
                end: End::new(spec.parse::<AudioSpec>().expect("a specification")),
                desk: Desk::unconnected(),
                tickets: Tickets::default(),
                lost: vec![],
                now: Instant::now(),
            }
        }

        fn with(&mut self, act: impl FnOnce(&mut End<T>, &mut Surroundings<'_>)) {
            let Self { end, desk, tickets, lost, now } = self;
            act(end, &mut Surroundings { desk, tickets, lost, now: *now });
        }

        fn want(&mut self) {
            self.with(|end, around| end.want(around));
        }

        fn fail(&mut self, ticket: u32) {
            self.with(|end, around| end.failed(ticket, "gone", around));
        }

        fn opening(&self) -> Option<u32> {
            match self.end.state {
                State::Opening { ticket } => Some(ticket),
                State::Closed | State::Open { .. } | State::Broken { .. } => None,
            }
        }
    }

    #[test]
    fn a_chosen_card_that_is_gone_is_replaced_and_tried_again_later() {
        let mut bench = Bench::<Capture>::new("device:Headset");
        bench.want();
        assert_eq!(bench.opening(), Some(1));
        bench.fail(1);
        // The system's choice in its place, then nothing, then the chosen one again.
        assert!(bench.end.substitute);
        assert_eq!(bench.opening(), Some(2));
        bench.fail(2);
        bench.want();
        assert_eq!(bench.opening(), None);
        bench.now += RETRY;
        bench.want();
        assert!(!bench.end.substitute);
        assert_eq!(bench.opening(), Some(3));
        assert_eq!(bench.lost, ["gone"], "told once");
    }

    fn listing(names: &[&str], default: &str) -> Listing {
        let device = |name: &&str| Device {
            name: (*name).to_owned(),
            input: true,
            output: false,
            is_default: *name == default,
            ..Device::default()
        };
        Listing {
            items: names.iter().map(device).collect(),
            default_input: Some(default.to_owned()),
            ..Listing::default()
        }
    }

    #[test]
    fn a_chosen_card_that_comes_back_is_used_again_at_once() {
        let mut bench = Bench::<Capture>::new("device:Headset");
        bench.want();
        bench.fail(1);
        bench.with(|end, _| assert!(end.opened(2, Capture::Silence).is_none()));
        bench.with(|end, around| end.listed(&listing(&["Built-in"], "Built-in"), around));
        assert!(bench.end.device().is_some(), "the substitute stays");
        let both = listing(&["Built-in", "Headset"], "Built-in");
        bench.with(|end, around| end.listed(&both, around));
        assert_eq!((bench.end.substitute, bench.opening()), (false, Some(3)));
    }

    #[test]
    fn the_default_moves_with_the_system_and_a_choice_does_not() {
        for (spec, moves) in [("default", true), ("device:Built-in", false)] {
            let mut bench = Bench::<Capture>::new(spec);
            bench.want();
            bench.with(|end, _| assert!(end.opened(1, Capture::Silence).is_none()));
            let before = listing(&["Built-in", "Headset"], "Built-in");
            bench.with(|end, around| end.listed(&before, around));
            assert!(bench.end.device().is_some(), "nothing moved yet");
            let after = listing(&["Built-in", "Headset"], "Headset");
            bench.with(|end, around| end.listed(&after, around));
            assert_eq!(bench.opening().is_some(), moves, "{spec}");
        }
    }

    #[test]
    fn news_of_an_earlier_opening_changes_nothing() {
        let mut bench = Bench::<Capture>::new("default");
        bench.want();
        bench.fail(7);
        assert_eq!(bench.opening(), Some(1));
        assert!(bench.end.opened(7, Capture::Silence).is_some(), "given back to be closed");
        assert!(bench.end.opened(1, Capture::Silence).is_none());
        assert!(bench.end.device().is_some());
    }

    #[test]
    fn a_card_lingers_and_closes() {
        let mut bench = Bench::<Playout>::new("default");
        bench.want();
        assert!(bench.end.opened(1, Playout::Null).is_none());
        bench.end.spare(bench.now);
        assert_eq!(bench.end.next_timeout(), Some(bench.now + LINGER));
        bench.want();
        assert_eq!(bench.end.next_timeout(), None, "wanted again");
        bench.end.spare(bench.now);
        bench.now += LINGER + Duration::from_millis(1);
        bench.end.tidy(bench.now, &mut bench.desk);
        assert!(bench.end.device().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_once_for_each_use() {
        let mut bench = Bench::<Playout>::new("file:/no/such/folder/out.wav");
        for _ in 0..2 {
            for _ in 0..3 {
                bench.want();
                assert!(bench.end.device().is_none());
            }
            bench.end.spare(bench.now);
        }
        assert_eq!(bench.lost.len(), 2);
    }
}
