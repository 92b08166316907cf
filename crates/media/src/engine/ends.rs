//! The two ends of the sound path: the microphone, and the places where sound is heard. Each opens
//! when it is needed, closes when it is not, and puts up with loss.

use std::time::{Duration, Instant};

use offhook_model::AudioSpec;

use crate::device::{Capture, Desk, Playout};

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
}

impl<T: Gate> End<T> {
    pub(super) fn new(spec: AudioSpec) -> Self {
        Self { spec, substitute: false, told: false, state: State::Closed, close_at: None }
    }

    pub(super) fn spec(&self) -> &AudioSpec {
        &self.spec
    }

    /// The open device.
    pub(super) fn device(&mut self) -> Option<&mut T> {
        match &mut self.state {
            State::Open { device, .. } => Some(device),
            State::Closed | State::Opening { .. } | State::Broken { .. } => None,
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
