//! The media thread: sockets, ticks, orders.
//!
//! Two schedules without drift: one sends (20 ms, or 10 when a call's packets are no whole number
//! of 20), one plays. The playing one is laid just behind the arrival of packets, and a packet that
//! comes a moment before its tick brings the tick forward, so that a call without jitter waits for
//! nothing and the thread wakes once for both. In the first seconds of a call the sending one slides
//! to the same moment, so that the thread wakes once for all three.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, bounded};
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use offhook_model::CallId;
use offhook_ports::MediaFact;
use offhook_rtp::NtpTime;

use super::line::{Got, Line};
use super::order::{Order, Ports};
use super::schedule::Schedule;
use super::sound::{Lines, Sound, samples};
use super::wire::Wire;
use super::{Facts, PATIENCE, QUEUE, Running, Shared, lock};
use crate::device::{Desk, DeskEvent};

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
    sound: Sound,
    lines: Lines,
    sending: Schedule,
    playing: Schedule,
    /// Sockets that have more to read than their share.
    unread: Vec<Token>,
    /// Sound that sets the beat came over a stream.
    relayed: bool,
}

impl Engine {
    fn new(
        poll: Poll,
        inbox: Receiver<Order>,
        shared: Arc<Shared>,
        facts: Facts,
        desk: Desk,
    ) -> Self {
        let sound = Sound::new(lock(&shared.chosen).clone(), *lock(&shared.sound), desk);
        Self {
            poll,
            inbox,
            shared,
            facts,
            sound,
            lines: Lines::new(),
            sending: Schedule::default(),
            playing: Schedule::default(),
            unread: vec![],
            relayed: false,
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
        self.lines
            .values()
            .filter_map(Line::next_timeout)
            .chain(self.sound.next_timeout())
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
            !self.sound.has_tone() && self.lines.values().filter(|l| l.receives()).count() == 1;
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
                Order::Tone(tone) => self.sound.play_tone(tone),
                Order::Stats { call, reply } => {
                    let mut stats = self
                        .lines
                        .get(&call)
                        .map(|line| line.stats(now.instant))
                        .unwrap_or_default();
                    self.sound.add_echo(&mut stats);
                    let _ = reply.try_send(stats);
                }
                Order::Select { role, spec } => {
                    self.sound.select(role, spec);
                    *lock(&self.shared.trouble) = None;
                }
                Order::Test(role) => self.sound.test(role),
                Order::Process(wanted) => self.sound.process(wanted),
                Order::Devices { reply } => self.sound.desk.list(reply),
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

    fn device_event(&mut self, event: DeskEvent, now: Instant) {
        if let DeskEvent::Changed(listing) = &event {
            *lock(&self.shared.listing) = listing.clone();
            (self.facts)(MediaFact::DevicesChanged);
        }
        if self.sound.device_event(event, now) {
            *lock(&self.shared.trouble) = None;
        }
    }

    fn tick(&mut self, now: Now, heard: bool) {
        let quantum = self.quantum();
        let until = if heard { now.instant + FORWARD } else { now.instant };
        let alone = self.lines.len() == 1 && self.lines.values().all(Line::receives);
        let late = self.sending.skip(now.instant, quantum);
        for line in self.lines.values_mut() {
            line.skip(late as usize * samples(quantum));
        }
        while self.sending.take(until, quantum) {
            self.sound.send(&mut self.lines, &self.shared, quantum, now);
            if alone {
                self.sending.draw_near(&self.playing, quantum);
            }
        }
        self.playing.skip(now.instant, quantum);
        while self.playing.take(until, quantum) {
            self.sound.play(&mut self.lines, &self.shared, quantum, now);
        }
        for line in self.lines.values_mut() {
            line.turn(now);
        }
        self.sound.tidy(now.instant);
    }

    /// The grain of both schedules.
    fn quantum(&self) -> Duration {
        let fine = self.lines.values().any(Line::needs_fine_ticks);
        Duration::from_millis(if fine { 10 } else { 20 })
    }

    /// Opens what is needed, spares what is not, and starts and ends the schedules.
    fn balance(&mut self, now: Instant) {
        let plays = self.sound.balance(&self.lines, &self.shared, now);
        let sends = self.sound.records() || self.lines.values().any(Line::sends);
        self.sending.run(sends, now);
        self.playing.run(plays, now);
    }

    /// Tells the facts that gathered.
    fn tell(&mut self) {
        for line in self.lines.values_mut() {
            line.facts.drain(..).for_each(&self.facts);
        }
        if let Some(test) = self.sound.test_news() {
            *lock(&self.shared.test) = Some(test);
            (self.facts)(MediaFact::DevicesChanged);
        }
        for why in self.sound.lost.drain(..) {
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
        self.sound.end();
    }
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
