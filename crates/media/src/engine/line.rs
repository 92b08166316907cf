//! One call: its sockets, what it sends and what it hears.

mod legs;
mod reports;
mod stats;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use offhook_model::CallId;
use offhook_ports::{MediaFact, MediaPlan, Microphone};
use offhook_rtp::packet::is_rtcp;
use offhook_rtp::{Collisions, Packet, Reporter};

use super::conference::Said;
use super::listen::{Heard, Listen};
use super::quality::{Opinions, Window};
use super::shield::Shield;
use super::talk::Talk;
use super::thread::Now;
use super::wire::{Came, RTCP, Wire};

/// No packet for this long while some are due is silence; told again each time it has doubled.
const SILENCE: Duration = Duration::from_secs(3);
/// A sender that has described a silence may say nothing for longer, but not for ever.
const RESTS: Duration = Duration::from_secs(30);

/// How long the negotiated address must have been quiet before another port of the same host is
/// listened to.
const LATCH: Duration = Duration::from_secs(2);

/// What reading a socket brought.
#[derive(Clone, Copy, Default)]
pub(super) struct Got {
    /// There is more to read.
    pub(super) more: bool,
    /// Sound to be played came.
    pub(super) sound: bool,
    /// It was the first of the call, or of a new source.
    pub(super) first_sound: bool,
}

/// One call.
pub(super) struct Line {
    call: CallId,
    wire: Wire,
    plan: Option<MediaPlan>,
    shield: Shield,
    pub(super) muted: bool,
    /// What the core is to be told.
    pub(super) facts: Vec<MediaFact>,
    talk: Talk,
    listen: Listen,
    reporter: Option<Reporter>,
    /// Who else was found to use our source.
    collisions: Collisions,
    seed: u64,
    dscp: u8,
    /// The first packet was told.
    heard: bool,
    /// When the last packet came, or sound began to be due.
    last_packet: Instant,
    /// When a packet last came from the negotiated address.
    last_exact: Option<Instant>,
    /// How long the silence was when it was told last.
    silence: Duration,
    sent: Window,
    received: Window,
    opinions: Opinions,
    legs: legs::Watch,
    /// When the figures were told last.
    told: Option<Instant>,
    buffer: Vec<u8>,
    /// Microphone and others together.
    blend: Vec<f32>,
    /// What was heard and the others of a conference have not been sent yet.
    said: Said,
}

impl Line {
    pub(super) fn new(call: CallId, wire: Wire, seed: u64) -> Self {
        Self {
            call,
            wire,
            plan: None,
            shield: Shield::Clear,
            muted: false,
            facts: vec![],
            talk: Talk::new(seed),
            listen: Listen::new(),
            reporter: None,
            collisions: Collisions::default(),
            seed,
            dscp: 0,
            heard: false,
            last_packet: super::thread::clock(),
            last_exact: None,
            silence: Duration::ZERO,
            sent: Window::new(),
            received: Window::new(),
            opinions: Opinions::default(),
            legs: legs::Watch::default(),
            told: None,
            buffer: vec![0; 2_048],
            blend: vec![],
            said: Said::default(),
        }
    }

    /// Goes on from other ports, as it is.
    pub(super) fn move_to(&mut self, wire: Wire) {
        std::mem::replace(&mut self.wire, wire).close();
        if let Some(plan) = &self.plan {
            self.dscp = self.wire.mark(plan);
            if plan.ice.is_some() {
                self.wire.await_agreement();
            }
        }
        self.last_exact = None;
    }

    pub(super) fn sockets(&mut self) -> impl Iterator<Item = &mut UdpSocket> {
        self.wire.sockets()
    }

    pub(super) fn has_plan(&self) -> bool {
        self.plan.is_some()
    }

    pub(super) fn sends(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.sending)
    }

    /// It is part of a conference that is mixed here.
    pub(super) fn mixes(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.mix)
    }

    pub(super) fn receives(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.receiving)
    }

    /// Its packets are no whole number of 20 ms.
    pub(super) fn needs_fine_ticks(&self) -> bool {
        self.sends() && !self.talk.frame().as_millis().is_multiple_of(20)
    }

    /// When [`Self::turn`] has something to do.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let report = self.reporter.as_ref().map(Reporter::next_timeout);
        report.into_iter().chain(self.wire.next_timeout()).min()
    }

    /// What the microphone gives.
    pub(super) fn take_note(&mut self, microphone: Microphone) {
        self.legs.microphone = microphone;
    }

    /// Looks for ways and sends reports, where it is time.
    pub(super) fn turn(&mut self, now: Now) {
        self.tell_legs(now.instant);
        self.wire.turn(self.call, &mut self.facts, now.instant);
        self.report(now);
    }

    /// Starts, or goes on differently.
    pub(super) fn apply(&mut self, plan: MediaPlan, now: Now) {
        let old = self.plan.as_ref();
        let marked = |plan: &MediaPlan| (plan.dscp, plan.remote, plan.remote_rtcp);
        if old.is_none_or(|old| marked(old) != marked(&plan)) {
            self.dscp = self.wire.mark(&plan);
        }
        if old.is_none_or(|old| old.remote != plan.remote) {
            self.last_exact = None;
        }
        let was_receiving = old.is_some_and(|old| old.receiving);
        if plan.receiving && !was_receiving {
            self.last_packet = now.instant;
            self.silence = Duration::ZERO;
        }
        if !plan.sending {
            self.legs.begin_anew();
        }
        self.wire.apply(&plan, now.instant);
        self.shield.apply(plan.srtp.as_ref());
        self.talk.apply(&plan);
        self.listen.apply(&plan, was_receiving);
        if self.reporter.is_none() {
            let seed = self.seed.rotate_left(17);
            self.reporter = Some(Reporter::new(seed, plan.cname.clone(), now.instant));
        }
        if let Some(reporter) = &mut self.reporter {
            reporter.agree(plan.extended);
        }
        self.plan = Some(plan);
    }

    pub(super) fn dtmf(&mut self, digits: &str) {
        let possible = self.plan.as_ref().is_some_and(|plan| plan.dtmf.is_some());
        if !possible || !self.talk.dtmf(digits) {
            self.facts.push(MediaFact::DigitsSent(self.call));
        }
    }

    /// Time passed while nobody looked: `samples` at the engine's rate.
    pub(super) fn skip(&mut self, samples: usize) {
        if samples > 0 && self.sends() {
            self.talk.skip(samples as u64);
        }
    }

    /// Sends a frame of the microphone, and with it what the others of a conference say.
    pub(super) fn send(&mut self, frame: &[f32], others: Option<&[f32]>, now: Now) {
        let Some(plan) = self.plan.as_ref().filter(|plan| plan.sending) else { return };
        let (to, events) = (plan.remote, plan.dtmf);
        match others {
            None => self.talk.send(
                frame,
                self.muted,
                events,
                &mut self.shield,
                (&mut self.wire, to),
                now.instant,
            ),
            Some(others) => {
                let open = if self.muted { 0.0 } else { 1.0 };
                let sum = frame.iter().zip(others).map(|(own, other)| own * open + other);
                self.blend.clear();
                self.blend.extend(sum.map(|sample| sample.clamp(-1.0, 1.0)));
                self.talk.send(
                    &self.blend,
                    false,
                    events,
                    &mut self.shield,
                    (&mut self.wire, to),
                    now.instant,
                );
            }
        }
        if self.talk.digits_done() {
            self.facts.push(MediaFact::DigitsSent(self.call));
        }
        let (packets, bytes) = self.talk.state.sent();
        let lost = self.lost_there();
        self.sent.note(now.instant, bytes, packets, lost);
        self.tell_figures(now.instant);
    }

    /// Takes what was heard since the last frame, for the others of its conference.
    pub(super) fn say(&mut self, out: &mut [f32]) {
        self.said.take(out);
    }

    /// Adds what is heard to `mix`.
    pub(super) fn play(&mut self, mix: &mut [f32], now: Now) {
        if !self.receives() {
            return;
        }
        if self.mixes() {
            self.said.heard(mix, |out| self.listen.play(out, now.instant));
        } else {
            self.listen.play(mix, now.instant);
        }
        let silence = now.instant.saturating_duration_since(self.last_packet);
        let due = if self.listen.rests() { RESTS } else { SILENCE };
        if silence >= due.max(self.silence * 2) {
            self.silence = silence;
            self.facts.push(MediaFact::Silence(self.call, silence));
        }
        // What is missing where it is heard: lost and not made good, or late.
        let ((_, bytes), (due, missing)) =
            (self.listen.state.received(), self.listen.account.totals());
        self.received.note(now.instant, bytes, due, missing);
        self.tell_figures(now.instant);
    }

    /// Reads at most `share` datagrams from the socket of this number.
    pub(super) fn read(&mut self, base: usize, share: usize, now: Now) -> Got {
        let mut got = Got { more: true, ..Got::default() };
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..share {
            let Some(socket) = self.wire.socket(base) else { break };
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let datagram = buffer.get_mut(..length).unwrap_or(&mut []);
                    self.take((base, from), datagram, now, &mut got);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    got.more = false;
                    break;
                }
                // What an earlier packet of ours met (Windows tells it here).
                Err(error) => tracing::trace!("reading sound: {error}"),
            }
        }
        self.buffer = buffer;
        got
    }

    /// What a stream to a relay brought, or its end.
    pub(super) fn take_relayed(
        &mut self,
        (helper, component): (usize, u8),
        bytes: Option<Vec<u8>>,
        now: Now,
    ) -> Got {
        let mut got = Got::default();
        match (self.wire.stream_of(helper, component), bytes) {
            (Some(way), Some(mut bytes)) => self.take(way, &mut bytes, now, &mut got),
            (Some((base, _)), None) => self.wire.stream_ended(base, now.instant),
            (None, _) => {}
        }
        got
    }

    fn take(
        &mut self,
        (base, from): (usize, SocketAddr),
        datagram: &mut [u8],
        now: Now,
        got: &mut Got,
    ) {
        let Some(came) = self.wire.receive(base, datagram, from, now.instant) else { return };
        let datagram = datagram.get_mut(came.range.clone()).unwrap_or(&mut []);
        if came.component == RTCP.1 || is_rtcp(datagram) {
            self.hear_report(datagram, &came, now);
        } else {
            self.take_rtp(datagram, &came, now, got);
        }
    }

    fn take_rtp(&mut self, datagram: &mut [u8], came: &Came, now: Now, got: &mut Got) {
        let Some(plan) = &self.plan else { return };
        let (remote, wanted) = (plan.remote, plan.receiving);
        if !came.vouched.unwrap_or_else(|| self.accepts(came.from, remote, now.instant)) {
            return;
        }
        let Some(datagram) = self.shield.open(datagram) else { return };
        let Ok(packet) = Packet::parse(datagram) else { return };
        let (header, source) = (packet.header, self.listen.state.ssrc());
        match self.listen.receive(&packet, wanted, now.instant) {
            Heard::Sound => {
                got.sound = true;
                got.first_sound |= source != self.listen.state.ssrc();
                if !std::mem::replace(&mut self.heard, true) {
                    self.facts.push(MediaFact::FirstPacket(self.call));
                }
            }
            Heard::Digit(digit) => self.facts.push(MediaFact::Digit(self.call, digit)),
            Heard::Nothing => {}
        }
        if header.ssrc == self.talk.state.ssrc() {
            self.clash(came.from, now);
        }
        self.last_packet = now.instant;
        if !std::mem::take(&mut self.silence).is_zero() {
            self.facts.push(MediaFact::SoundAgain(self.call));
        }
    }

    /// Packets come from the negotiated address. Some senders use another port than they said: such
    /// packets of the same host are taken as long as none comes from the negotiated port.
    /// Other hosts are never listened to, whatever they send.
    fn accepts(&mut self, from: SocketAddr, remote: SocketAddr, now: Instant) -> bool {
        if plain(from.ip()) != plain(remote.ip()) {
            return false;
        }
        if from.port() == remote.port() {
            self.last_exact = Some(now);
            return true;
        }
        self.last_exact.is_none_or(|at| now.saturating_duration_since(at) > LATCH)
    }

    /// Its ports close.
    pub(super) fn close(&mut self) {
        self.wire.close();
    }
}

/// An IPv4 address in the clothes of IPv6 is that IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
