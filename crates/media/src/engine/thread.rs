//! The media thread: sockets, ticks, orders.
//!
//! Two schedules without drift: one sends (20 ms, or 10 when a call's packets are no whole number
//! of 20), one plays. The playing one is laid just behind the arrival of packets, and a packet that
//! comes a moment before its tick brings the tick forward, so that a call without jitter waits for
//! nothing and the thread wakes once for both.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, bounded};
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use offhook_model::{CallId, Role};
use offhook_ports::MediaFact;
use offhook_rtp::NtpTime;

use super::conference::without;
use super::ends::{End, Sinks, Surroundings, Tickets};
use super::line::{Got, Line};
use super::order::{Order, Ports};
use super::schedule::Schedule;
use super::wire::Wire;
use super::{Facts, PATIENCE, QUEUE, Running, Shared, lock};
use crate::device::{Capture, Card, Desk, DeskEvent};
use crate::dsp::{GRAIN, Tone, TonePlayer};

const WAKE: Token = Token(0);

/// A packet this long before the playing tick brings the tick forward.
pub(super) const FORWARD: Duration = Duration::from_millis(4);

/// Datagrams read from one socket before others get their turn.
const FAIR_SHARE: usize = 256;

/// Time since start-up, for everything on this thread.
#[expect(clippy::disallowed_methods, reason = "this thread owns the time of the sound")]
pub(super) fn clock() -> Instant {
    Instant::now()
}

/// The time of day, which RTCP sender reports carry.
#[expect(clippy::disallowed_methods, reason = "RTCP sender reports carry the time of day")]
fn wall_clock() -> NtpTime {
    NtpTime::from_unix(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// The instant of one wake-up, in both kinds of time.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) ntp: NtpTime,
}

impl Now {
    fn read() -> Self {
        Self { instant: clock(), ntp: wall_clock() }
    }
}

/// Starts the thread.
pub(super) fn start(shared: Arc<Shared>, facts: Facts) -> io::Result<Running> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let (orders, inbox) = bounded(QUEUE);
    let tell = {
        let (orders, waker) = (orders.clone(), waker.clone());
        Arc::new(move |event| {
            let _ = orders.send_timeout(Order::Desk(event), PATIENCE);
            let _ = waker.wake();
        })
    };
    let desk = Desk::new(tell);
    let thread = std::thread::Builder::new()
        .name("offhook-media".into())
        .spawn(move || Engine::new(poll, inbox, shared, facts, desk).run())?;
    Ok(Running { orders, waker, thread: std::sync::Mutex::new(Some(thread)) })
}

struct Engine {
    poll: Poll,
    inbox: Receiver<Order>,
    shared: Arc<Shared>,
    facts: Facts,
    desk: Desk,
    tickets: Tickets,
    lost: Vec<String>,
    source: End<Capture>,
    sinks: Sinks,
    tone: Option<TonePlayer>,
    lines: BTreeMap<CallId, Line>,
    sending: Schedule,
    playing: Schedule,
    /// Sockets that have more to read than their share.
    unread: Vec<Token>,
    /// Sound that sets the beat came over a stream.
    relayed: bool,
    frame: Vec<f32>,
    mix: Vec<f32>,
    ring: Vec<f32>,
}

impl Engine {
    fn new(
        poll: Poll,
        inbox: Receiver<Order>,
        shared: Arc<Shared>,
        facts: Facts,
        desk: Desk,
    ) -> Self {
        let [input, output, ringer] = lock(&shared.chosen).clone();
        Self {
            poll,
            inbox,
            shared,
            facts,
            desk,
            tickets: Tickets::default(),
            lost: vec![],
            source: End::new(input),
            sinks: Sinks::new(output, ringer),
            tone: None,
            lines: BTreeMap::new(),
            sending: Schedule::default(),
            playing: Schedule::default(),
            unread: vec![],
            relayed: false,
            frame: vec![],
            mix: vec![],
            ring: vec![],
        }
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(64);
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!("the media thread cannot wait: {error}");
                    return;
                }
            }
            let now = Now::read();
            // Orders first: what came together with a plan belongs to it.
            if let Some(done) = self.take_orders(now) {
                self.end(now);
                let _ = done.try_send(());
                return;
            }
            let mut ready = std::mem::take(&mut self.unread);
            ready.extend(events.iter().map(|event| event.token()).filter(|token| *token != WAKE));
            let relayed = std::mem::take(&mut self.relayed);
            let heard =
                ready.into_iter().fold(relayed, |heard, token| self.read(token, now) | heard);
            self.tick(now, heard);
            self.balance(now.instant);
            self.tell();
        }
    }

    /// How long to sleep; nothing is for ever.
    fn timeout(&self) -> Option<Duration> {
        if !self.unread.is_empty() {
            return Some(Duration::ZERO);
        }
        let ends = self.sinks.iter().filter_map(End::next_timeout);
        self.lines
            .values()
            .filter_map(Line::next_timeout)
            .chain(ends)
            .chain(self.source.next_timeout())
            .chain(self.sending.next())
            .chain(self.playing.next())
            .min()
            .map(|at| at.saturating_duration_since(clock()))
    }

    /// Reads a socket; true when sound came that sets the beat: that of the first call heard.
    fn read(&mut self, token: Token, now: Now) -> bool {
        let (call, base) = of_token(token);
        self.hear(call, |line| line.read(base, FAIR_SHARE, now), Some(token), now)
    }

    /// Lets a call take what came; true when it was sound that sets the beat.
    fn hear(
        &mut self,
        call: CallId,
        take: impl FnOnce(&mut Line) -> Got,
        token: Option<Token>,
        now: Now,
    ) -> bool {
        let beat = self.lines.iter().find(|(_, line)| line.receives()).map(|(call, _)| *call);
        let Some(line) = self.lines.get_mut(&call) else { return false };
        let got = take(line);
        self.unread.extend(token.filter(|_| got.more));
        if beat != Some(call) {
            return false;
        }
        let alone =
            self.tone.is_none() && self.lines.values().filter(|l| l.receives()).count() == 1;
        if got.first_sound && alone {
            self.playing.lay_behind(now.instant);
        } else if got.sound {
            self.playing.lean(now.instant);
        }
        got.sound
    }

    /// Carries out what was ordered; answers where to report the end, if that was ordered.
    fn take_orders(&mut self, now: Now) -> Option<crossbeam_channel::Sender<()>> {
        // Before the first is taken: who orders from here on calls again.
        self.shared.called.swap(false, Ordering::AcqRel);
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Reserve { call, wire } => self.reserve(call, *wire, now.instant),
                Order::FromRelay { call, helper, component, bytes } => {
                    let take = |line: &mut Line| line.take_relayed((helper, component), bytes, now);
                    self.relayed |= self.hear(call, take, None, now);
                }
                Order::Apply { call, plan } => match self.lines.get_mut(&call) {
                    Some(line) => line.apply(*plan, now),
                    None => tracing::warn!("a media plan for {call}, which has no ports"),
                },
                Order::Release { call } => self.release(call, now),
                Order::Dtmf { call, digits } => {
                    if let Some(line) = self.lines.get_mut(&call) {
                        line.dtmf(&digits);
                    }
                }
                Order::Mute { call, muted } => {
                    if let Some(line) = self.lines.get_mut(&call) {
                        line.muted = muted;
                    }
                }
                Order::Tone(tone) => {
                    if self.tone.as_ref().map(TonePlayer::tone) != tone || tone == Some(Tone::Test)
                    {
                        self.tone = tone.map(TonePlayer::new);
                    }
                }
                Order::Stats { call, reply } => {
                    let stats = self.lines.get(&call).map(|line| line.stats(now.instant));
                    let _ = reply.try_send(stats.unwrap_or_default());
                }
                Order::Select { role, spec } => self.select(role, spec),
                Order::Devices { reply } => self.desk.list(reply),
                Order::Desk(event) => self.device_event(event, now.instant),
                Order::Shutdown { reply } => return Some(reply),
            }
        }
        None
    }

    /// A new call, or one that goes on from another address of ours.
    fn reserve(&mut self, call: CallId, ports: Ports, now: Instant) {
        let wire = Wire::new(ports, self.shared.next_seed(), now);
        let registry = self.poll.registry();
        if let Some(line) = self.lines.get_mut(&call) {
            forget(registry, line);
            line.move_to(wire);
        } else {
            self.lines.insert(call, Line::new(call, wire, self.shared.next_seed()));
        }
        let Some(line) = self.lines.get_mut(&call) else { return };
        for (base, socket) in line.sockets().enumerate() {
            if let Err(error) = registry.register(socket, token(call, base), Interest::READABLE) {
                tracing::error!("media sockets cannot be watched: {error}");
            }
        }
    }

    fn release(&mut self, call: CallId, now: Now) {
        if let Some(mut line) = self.lines.remove(&call) {
            line.goodbye(now);
            line.close();
            forget(self.poll.registry(), &mut line);
        }
    }

    fn select(&mut self, role: Role, spec: offhook_model::AudioSpec) {
        match role {
            Role::Input => {
                self.source.close(&mut self.desk);
                self.source = End::new(spec);
            }
            Role::Output => self.sinks.output = self.sinks.place(spec),
            Role::Ringer => self.sinks.ringer = self.sinks.place(spec),
        }
        *lock(&self.shared.trouble) = None;
    }

    fn device_event(&mut self, event: DeskEvent, now: Instant) {
        match event {
            DeskEvent::Opened { ticket, card: Card::Capture(card) } => {
                *lock(&self.shared.trouble) = None;
                if self.source.opened(ticket, Capture::Card(card)).is_some() {
                    self.desk.close(ticket);
                }
            }
            DeskEvent::Opened { ticket, card: Card::Playout(card) } => {
                *lock(&self.shared.trouble) = None;
                let mut device = Some(crate::device::Playout::Card(card));
                for sink in self.sinks.iter_mut() {
                    device = device.and_then(|device| sink.opened(ticket, device));
                }
                if device.is_some() {
                    self.desk.close(ticket);
                }
            }
            DeskEvent::Failed { ticket, why } => {
                let Self { source, sinks, desk, tickets, lost, .. } = self;
                let mut around = Surroundings { desk, tickets, lost, now };
                source.failed(ticket, &why, &mut around);
                for sink in sinks.iter_mut() {
                    sink.failed(ticket, &why, &mut around);
                }
            }
            DeskEvent::Changed(listing) => {
                *lock(&self.shared.listing) = listing;
                (self.facts)(MediaFact::DevicesChanged);
            }
        }
    }

    fn tick(&mut self, now: Now, heard: bool) {
        let quantum = self.quantum();
        let late = self.sending.skip(now.instant, quantum);
        for line in self.lines.values_mut() {
            line.skip(late as usize * samples(quantum));
        }
        while self.sending.take(now.instant, quantum) {
            self.send(quantum, now);
        }
        self.playing.skip(now.instant, quantum);
        let until = if heard { now.instant + FORWARD } else { now.instant };
        while self.playing.take(until, quantum) {
            self.play(quantum, now);
        }
        for line in self.lines.values_mut() {
            line.turn(now);
        }
        self.source.tidy(now.instant, &mut self.desk);
        for sink in self.sinks.iter_mut() {
            sink.tidy(now.instant, &mut self.desk);
        }
    }

    /// The grain of both schedules.
    fn quantum(&self) -> Duration {
        let fine = self.lines.values().any(Line::needs_fine_ticks);
        Duration::from_millis(if fine { 10 } else { 20 })
    }

    fn send(&mut self, quantum: Duration, now: Now) {
        self.frame.resize(samples(quantum), 0.0);
        match self.source.device() {
            Some(source) => source.pull(&mut self.frame),
            None => self.frame.fill(0.0),
        }
        self.shared.input_level.note(&self.frame);
        let mixing = self.lines.values().filter(|line| line.mixes()).count() > 1;
        if mixing {
            return self.send_conference(now);
        }
        for line in self.lines.values_mut() {
            line.send(&self.frame, None, now);
        }
    }

    /// Everybody in the conference is sent the microphone and all others.
    fn send_conference(&mut self, now: Now) {
        let count = self.frame.len();
        let mut sum = vec![0.0; count];
        let mut parts: Vec<Vec<f32>> = vec![];
        for line in self.lines.values_mut().filter(|line| line.mixes()) {
            let mut own = vec![0.0; count];
            line.say(&mut own);
            for (all, one) in sum.iter_mut().zip(&own) {
                *all += one;
            }
            parts.push(own);
        }
        let mut parts = parts.into_iter();
        let mut others = vec![];
        for line in self.lines.values_mut() {
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

    fn play(&mut self, quantum: Duration, now: Now) {
        let count = samples(quantum);
        self.mix.clear();
        self.mix.resize(count, 0.0);
        self.ring.clear();
        self.ring.resize(count, 0.0);
        for line in self.lines.values_mut() {
            line.play(&mut self.mix, now);
        }
        let ringing = self.rings();
        let target = if ringing { &mut self.ring } else { &mut self.mix };
        if self.tone.as_mut().is_some_and(|tone| !tone.add(target)) {
            self.tone = None;
        }
        let (output, ringer) = (self.sinks.output, self.sinks.ringer);
        if ringing && output == ringer {
            for (mixed, ring) in self.mix.iter_mut().zip(&self.ring) {
                *mixed += ring;
            }
        }
        for sample in self.mix.iter_mut().chain(&mut self.ring) {
            *sample = sample.clamp(-1.0, 1.0);
        }
        self.shared.output_level.note(&self.mix);
        let Self { sinks, desk, tickets, lost, mix, ring, lines, .. } = self;
        let mut around = Surroundings { desk, tickets, lost, now: now.instant };
        let speaks = !ringing || output == ringer || lines.values().any(Line::receives);
        for (at, used, sound) in
            [(output, speaks, mix), (ringer, ringing && output != ringer, ring)]
        {
            let Some(sink) = sinks.get(at).filter(|_| used) else { continue };
            if let Some(Err(why)) = sink.device().map(|device| device.push(sound)) {
                sink.broke(why, &mut around);
            }
        }
    }

    fn rings(&self) -> bool {
        self.tone.as_ref().map(TonePlayer::tone) == Some(Tone::Ring)
    }

    /// Opens what is needed, spares what is not, and starts and ends the schedules.
    fn balance(&mut self, now: Instant) {
        let sends = self.lines.values().any(Line::sends);
        let receives = self.lines.values().any(Line::receives);
        let rings = self.rings();
        let speaks = receives || (self.tone.is_some() && !rings);
        let idle = !self.lines.values().any(Line::has_plan);
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
        self.sending.run(sends, now);
        self.playing.run(speaks || rings, now);
        if !sends {
            self.shared.input_level.clear();
        }
        if !speaks {
            self.shared.output_level.clear();
        }
    }

    /// Tells the facts that gathered.
    fn tell(&mut self) {
        for line in self.lines.values_mut() {
            line.facts.drain(..).for_each(&self.facts);
        }
        for why in self.lost.drain(..) {
            tracing::warn!("sound device: {why}");
            *lock(&self.shared.trouble) = Some(why.clone());
            (self.facts)(MediaFact::DeviceLost(why));
        }
    }

    fn end(&mut self, now: Now) {
        let calls: Vec<CallId> = self.lines.keys().copied().collect();
        for call in calls {
            self.release(call, now);
        }
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
fn samples(quantum: Duration) -> usize {
    GRAIN * (quantum.as_millis() / 10) as usize
}

/// Sockets of one call at most: two components, two families.
const SOCKETS: usize = 4;

fn token(call: CallId, base: usize) -> Token {
    Token(call.0 as usize * SOCKETS + base + 1)
}

fn of_token(token: Token) -> (CallId, usize) {
    let index = token.0.saturating_sub(1);
    (CallId((index / SOCKETS) as u32), index % SOCKETS)
}

/// The sockets of a call are watched no more.
fn forget(registry: &Registry, line: &mut Line) {
    for socket in line.sockets() {
        let _ = registry.deregister(socket);
    }
}
