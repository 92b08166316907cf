//! The sound of this machine: what the microphone takes goes to the calls, what the calls bring and
//! the phone's own tones go to the speakers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use offhook_model::{AudioSpec, CallId, Role, SoundSettings, SoundTest, StreamStats};

use super::Shared;
use super::conference::without;
use super::ends::{End, Sinks, Surroundings, Tickets};
use super::line::Line;
use super::still::{Source, Still};
use super::trial::Trial;
use crate::device::{Capture, Card, Desk, DeskEvent, Playout};
use crate::dsp::{GRAIN, Tone, TonePlayer};
use crate::processing::Voice;

/// The calls that have ports.
pub(super) type Lines = BTreeMap<CallId, Line>;

/// Devices, tones, and what is done between them and the calls.
pub(super) struct Sound {
    pub(super) desk: Desk,
    tickets: Tickets,
    /// Failures to tell of, in words.
    pub(super) lost: Vec<String>,
    source: End<Capture>,
    sinks: Sinks,
    /// On the output, and on the ringer.
    tone: Option<TonePlayer>,
    ring_tone: Option<TonePlayer>,
    wanted: SoundSettings,
    voice: Option<Voice>,
    /// A device is tried out.
    trial: Option<Trial>,
    still: Still,
    frame: Vec<f32>,
    mix: Vec<f32>,
    ring: Vec<f32>,
}

impl Sound {
    pub(super) fn new(
        [input, output, ringer]: [AudioSpec; 3],
        wanted: SoundSettings,
        desk: Desk,
    ) -> Self {
        Self {
            desk,
            tickets: Tickets::default(),
            lost: vec![],
            source: End::new(input),
            sinks: Sinks::new(output, ringer),
            tone: None,
            ring_tone: None,
            wanted,
            voice: None,
            trial: None,
            still: Still::default(),
            frame: vec![],
            mix: vec![],
            ring: vec![],
        }
    }

    // ---- orders ----------------------------------------------------------------------------

    /// Plays this from now on. A waiting call is heard in the ear, and rings where the ringer is
    /// another device.
    pub(super) fn play_tone(&mut self, tone: Option<Tone>) {
        let country = self.wanted.tones;
        let ring = matches!(tone, Some(Tone::Ring | Tone::Waiting));
        let here = tone.filter(|tone| *tone != Tone::Ring);
        let same = self.tone.as_ref().map(TonePlayer::tone) == here;
        if !same || tone == Some(Tone::Test) {
            self.tone = here.map(|tone| TonePlayer::new(tone, country));
        }
        if ring != self.ring_tone.is_some() {
            self.ring_tone = ring.then(|| TonePlayer::new(Tone::Ring, country));
        }
    }

    /// There is a tone on the output.
    pub(super) fn has_tone(&self) -> bool {
        self.tone.is_some()
    }

    pub(super) fn process(&mut self, wanted: SoundSettings) {
        self.wanted = wanted;
        self.voice = None;
    }

    pub(super) fn select(&mut self, role: Role, spec: AudioSpec) {
        match role {
            Role::Input => {
                self.source.close(&mut self.desk);
                self.source = End::new(spec);
                self.voice = None;
            }
            Role::Output => self.sinks.output = self.sinks.place(spec),
            Role::Ringer => self.sinks.ringer = self.sinks.place(spec),
        }
    }

    /// Tries a device out.
    pub(super) fn test(&mut self, role: Role) {
        self.trial = Some(Trial::new(role));
    }

    /// How a try stands, where that is news.
    pub(super) fn test_news(&mut self) -> Option<SoundTest> {
        self.trial.as_mut().and_then(Trial::news)
    }

    /// The microphone is listened to without a call.
    pub(super) fn records(&self) -> bool {
        self.trial.as_ref().is_some_and(Trial::records)
    }

    /// What the desk tells; true when a device opened.
    pub(super) fn device_event(&mut self, event: DeskEvent, now: Instant) -> bool {
        match event {
            DeskEvent::Opened { ticket, card: Card::Capture(card) } => {
                self.voice = None;
                if self.source.opened(ticket, Capture::Card(card)).is_some() {
                    self.desk.close(ticket);
                }
                true
            }
            DeskEvent::Opened { ticket, card: Card::Playout(card) } => {
                let mut device = Some(Playout::Card(card));
                for sink in self.sinks.iter_mut() {
                    device = device.and_then(|device| sink.opened(ticket, device));
                }
                if device.is_some() {
                    self.desk.close(ticket);
                }
                true
            }
            DeskEvent::Failed { ticket, why } => {
                let Self { source, sinks, desk, tickets, lost, .. } = self;
                let mut around = Surroundings { desk, tickets, lost, now };
                source.failed(ticket, &why, &mut around);
                for sink in sinks.iter_mut() {
                    sink.failed(ticket, &why, &mut around);
                }
                false
            }
            DeskEvent::Changed(listing) => {
                let Self { source, sinks, desk, tickets, lost, .. } = self;
                let mut around = Surroundings { desk, tickets, lost, now };
                source.listed(&listing, &mut around);
                for sink in sinks.iter_mut() {
                    sink.listed(&listing, &mut around);
                }
                false
            }
        }
    }

    // ---- ticks -----------------------------------------------------------------------------

    /// Takes a frame of the microphone and sends it in all calls.
    pub(super) fn send(
        &mut self,
        lines: &mut Lines,
        shared: &Shared,
        quantum: Duration,
        now: super::thread::Now,
    ) {
        self.take(quantum);
        shared.input_level.note(&self.frame);
        self.still.note(self.source.kind(), &self.frame, now.instant);
        for line in lines.values_mut() {
            line.take_note(self.still.state(now.instant));
        }
        self.work();
        let open = self.source.kind() != Source::Nothing;
        if let Some(trial) = &mut self.trial {
            trial.hear(&self.frame, open);
        }
        if lines.values().filter(|line| line.mixes()).count() > 1 {
            return self.send_conference(lines, now);
        }
        for line in lines.values_mut() {
            line.send(&self.frame, None, now);
        }
    }

    fn take(&mut self, quantum: Duration) {
        self.frame.resize(samples(quantum), 0.0);
        match self.source.device() {
            Some(source) => source.pull(&mut self.frame),
            None => self.frame.fill(0.0),
        }
    }

    /// Echo, noise and level; of sound that a card took only.
    fn work(&mut self) {
        if !matches!(self.source.device(), Some(Capture::Card(_))) {
            return;
        }
        if self.voice.is_none() {
            self.voice = Voice::new(&self.wanted);
        }
        if let Some(voice) = &mut self.voice {
            voice.spoken(&mut self.frame);
        }
    }

    /// Everybody in the conference is sent the microphone and all others.
    fn send_conference(&mut self, lines: &mut Lines, now: super::thread::Now) {
        let count = self.frame.len();
        let mut sum = vec![0.0; count];
        let mut parts: Vec<Vec<f32>> = vec![];
        for line in lines.values_mut().filter(|line| line.mixes()) {
            let mut own = vec![0.0; count];
            line.say(&mut own);
            for (all, one) in sum.iter_mut().zip(&own) {
                *all += one;
            }
            parts.push(own);
        }
        let mut parts = parts.into_iter();
        let mut others = vec![];
        for line in lines.values_mut() {
            if line.mixes()
                && let Some(own) = parts.next()
            {
                without(&sum, &own, &mut others);
                line.send(&self.frame, Some(&others), now);
            } else {
                line.send(&self.frame, None, now);
            }
        }
    }

    /// Plays what the calls bring and the phone's own tones.
    pub(super) fn play(
        &mut self,
        lines: &mut Lines,
        shared: &Shared,
        quantum: Duration,
        now: super::thread::Now,
    ) {
        let count = samples(quantum);
        for sound in [&mut self.mix, &mut self.ring] {
            sound.clear();
            sound.resize(count, 0.0);
        }
        for line in lines.values_mut() {
            line.play(&mut self.mix, now);
        }
        if self.tone.as_mut().is_some_and(|tone| !tone.add(&mut self.mix)) {
            self.tone = None;
        }
        let (output, ringer) = (self.sinks.output, self.sinks.ringer);
        let (rings, apart) = (self.rings(), output != ringer);
        if let Some(trial) = &mut self.trial {
            let ring = trial.plays(true) && apart;
            trial.add(if ring { &mut self.ring } else { &mut self.mix });
        }
        if let Some(tone) = self.ring_tone.as_mut().filter(|_| rings) {
            tone.add(if apart { &mut self.ring } else { &mut self.mix });
        }
        for sample in self.mix.iter_mut().chain(&mut self.ring) {
            *sample = sample.clamp(-1.0, 1.0);
        }
        shared.output_level.note(&self.mix);
        if let Some(voice) = &mut self.voice {
            voice.played(&self.mix, &self.ring);
        }
        let speaks = self.tone.is_some() || !rings || !apart || lines.values().any(Line::receives);
        let Self { sinks, desk, tickets, lost, mix, ring, .. } = self;
        let mut around = Surroundings { desk, tickets, lost, now: now.instant };
        for (at, used, sound) in [(output, speaks, mix), (ringer, rings && apart, ring)] {
            let Some(sink) = sinks.get(at).filter(|_| used) else { continue };
            if let Some(Err(why)) = sink.device().map(|device| device.push(sound)) {
                sink.broke(why, &mut around);
            }
        }
    }

    /// It rings: alone, or beside a conversation where the ringer is another device.
    fn rings(&self) -> bool {
        let apart = self.sinks.output != self.sinks.ringer;
        let tried = self.trial.as_ref().is_some_and(|trial| trial.plays(true));
        tried || (self.ring_tone.is_some() && (self.tone.is_none() || apart))
    }

    /// Opens what is needed and spares what is not; answers whether anything is to be played.
    pub(super) fn balance(&mut self, lines: &Lines, shared: &Shared, now: Instant) -> bool {
        let calls = lines.values().any(Line::has_plan);
        if let Some(trial) = self.trial.as_mut().filter(|_| calls) {
            trial.stop();
        }
        let tried = self.trial.as_ref().is_some_and(|trial| trial.plays(false));
        let sends = lines.values().any(Line::sends) || self.records();
        let rings = self.rings();
        let speaks = lines.values().any(Line::receives) || self.tone.is_some() || tried;
        let idle = !calls;
        let Self { source, sinks, desk, tickets, lost, .. } = self;
        let mut around = Surroundings { desk, tickets, lost, now };
        if sends {
            source.want(&mut around);
        } else if idle {
            source.release(now);
        } else {
            source.spare(now);
        }
        let (output, ringer) = (sinks.output, sinks.ringer);
        for (at, sink) in sinks.iter_mut().enumerate() {
            if (at == output && speaks) || (at == ringer && rings) {
                sink.want(&mut around);
            } else {
                sink.spare(now);
            }
        }
        if !sends {
            self.voice = None;
            self.still = Still::default();
            shared.input_level.clear();
        }
        if !speaks {
            shared.output_level.clear();
        }
        speaks || rings
    }

    /// Closes what lingered long enough.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.source.tidy(now, &mut self.desk);
        for sink in self.sinks.iter_mut() {
            sink.tidy(now, &mut self.desk);
        }
    }

    /// When [`Self::tidy`] has something to do.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let sinks = self.sinks.iter().filter_map(End::next_timeout);
        sinks.chain(self.source.next_timeout()).min()
    }

    /// Puts what the echo canceller found out into the figures of what is sent.
    pub(super) fn add_echo(&self, stats: &mut [StreamStats]) {
        let Some(found) = self.voice.as_ref().and_then(Voice::echo) else { return };
        if let Some(sent) = stats.first_mut() {
            sent.echo_delay_ms = found.delay_ms.map(|delay| delay as f32);
            sent.echo_removed_db = found.removed_db.map(|removed| removed as f32);
        }
    }

    /// Closes everything.
    pub(super) fn end(&mut self) {
        self.source.close(&mut self.desk);
        for sink in self.sinks.iter_mut() {
            if let Some(device) = sink.device() {
                device.rest();
            }
            sink.close(&mut self.desk);
        }
    }
}

/// Samples in a tick.
pub(super) fn samples(quantum: Duration) -> usize {
    GRAIN * (quantum.as_millis() / 10) as usize
}
