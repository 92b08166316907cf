//! What a call's packets go through: its two sockets, and the search for a way where there is one.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use mio::net::UdpSocket;
use offhook_ice::{Agent, Base, Config};
use offhook_model::{CallId, Link, MediaWay};
use offhook_ports::{Helper, IceFact, MediaFact, MediaPlan};

use super::marks::Marks;
use super::order::{Ports, Search, ToRelay};
use super::socket::Pair;

/// The number of the socket for RTP, and of its component. Those of the other family follow, then
/// streams to relays.
pub(super) const RTP: (usize, u8) = (0, 1);
/// The same for RTCP.
pub(super) const RTCP: (usize, u8) = (1, 2);

/// Something that came and is not for the search.
pub(super) struct Came {
    /// Where it lies in the datagram.
    pub(super) range: Range<usize>,
    /// 1 for RTP, 2 for RTCP.
    pub(super) component: u8,
    pub(super) from: SocketAddr,
    /// Whether it is from one of their candidates; nothing where those do not count.
    pub(super) vouched: Option<bool>,
}

/// The sockets of one call.
pub(super) struct Wire {
    /// Of the call's own family, then perhaps of the other.
    pairs: Vec<Pair>,
    marks: Marks,
    /// Streams to relays: to which helper, for which component. Numbered after the sockets.
    streams: Vec<(usize, u8)>,
    to_relay: Option<ToRelay>,
    agent: Option<Box<Agent>>,
    /// For what a relay wants wrapped.
    room: Vec<u8>,
    /// Nothing goes before it is agreed what the way is looked for with.
    awaits: bool,
}

impl Wire {
    pub(super) fn new(ports: Ports, seed: u64, now: Instant) -> Self {
        let Ports { pairs, search } = ports;
        let mut wire = Self {
            pairs,
            marks: Marks::default(),
            streams: vec![],
            to_relay: None,
            agent: None,
            room: vec![],
            awaits: false,
        };
        if let Some(Search { ice, to_relay, .. }) = search {
            let by_stream = |(at, helper): (usize, &Helper)| {
                (helper.link != Link::Udp).then_some([(at, RTP.1), (at, RTCP.1)])
            };
            if to_relay.is_some() {
                wire.streams =
                    ice.helpers.iter().enumerate().filter_map(by_stream).flatten().collect();
            }
            wire.to_relay = to_relay;
            let (bases, helpers) = (wire.bases(), ice.helpers);
            let (relay_only, local) = (ice.relay_only, ice.local);
            let config = Config { bases, helpers, relay_only, local, seed };
            wire.agent = Some(Box::new(Agent::new(config, now)));
        }
        wire.flush();
        wire
    }

    fn bases(&self) -> Vec<Base> {
        let base = |component, address| Base { component, address, stream_to: None };
        let sockets = self
            .pairs
            .iter()
            .flat_map(|pair| [base(RTP.1, pair.local), base(RTCP.1, pair.local_rtcp)]);
        let own = |component| {
            self.pairs.first().map(|pair| match component {
                1 => pair.local,
                _ => pair.local_rtcp,
            })
        };
        let streams = self.streams.iter().filter_map(|(helper, component)| {
            let address = own(*component)?;
            Some(Base { component: *component, address, stream_to: Some(*helper) })
        });
        sockets.chain(streams).collect()
    }

    /// All sockets, in the order of their numbers.
    pub(super) fn sockets(&mut self) -> impl Iterator<Item = &mut UdpSocket> {
        self.pairs.iter_mut().flat_map(|pair| [&mut pair.rtp, &mut pair.rtcp])
    }

    pub(super) fn socket(&self, base: usize) -> Option<&UdpSocket> {
        let pair = self.pairs.get(base / 2)?;
        Some(if base % 2 == RTP.0 { &pair.rtp } else { &pair.rtcp })
    }

    pub(super) fn port(&self) -> u16 {
        self.pairs.first().map_or(0, |pair| pair.local.port())
    }

    /// Marks what goes out; gives what the system says it will mark with.
    pub(super) fn mark(&mut self, plan: &MediaPlan) -> u8 {
        self.marks.set(&self.pairs, plan)
    }

    /// The call had a way, and the other side has not agreed to a new one yet: they want nothing that
    /// comes from elsewhere (RFC 7675 section 5.1).
    pub(super) fn await_agreement(&mut self) {
        self.awaits = self.agent.is_some();
    }

    /// Looks for the ways of this plan, or goes without.
    pub(super) fn apply(&mut self, plan: &MediaPlan, now: Instant) {
        self.awaits = false;
        if let Some(agent) = &mut self.agent {
            match &plan.ice {
                Some(ice) => agent.begin(ice, if plan.remote_rtcp.is_some() { 2 } else { 1 }, now),
                None => agent.go_plain(plan.remote, plan.remote_rtcp, now),
            }
            self.flush();
        }
    }

    /// Sends a packet the way that there is; `to` is where their description wants it. Nothing goes
    /// while a way is looked for.
    pub(super) fn send(
        &mut self,
        (base, component): (usize, u8),
        packet: &[u8],
        to: SocketAddr,
    ) -> io::Result<()> {
        if self.awaits {
            return Ok(());
        }
        let mut room = std::mem::take(&mut self.room);
        let way = match &self.agent {
            None => Some((base, to, packet)),
            Some(agent) => agent.wrap(component, to, packet, &mut room),
        };
        let sent = match way.map(|(base, to, bytes)| (self.socket(base), base, to, bytes)) {
            Some((Some(socket), _, to, bytes)) => socket.send_to(bytes, to).map(drop),
            Some((None, base, _, bytes)) => {
                self.stream(base, bytes.to_vec());
                Ok(())
            }
            None => Ok(()),
        };
        self.room = room;
        sent
    }

    /// Gives bytes to a stream.
    fn stream(&self, base: usize, bytes: Vec<u8>) {
        let stream = base.checked_sub(self.pairs.len() * 2).and_then(|at| self.streams.get(at));
        if let (Some((helper, component)), Some(to_relay)) = (stream, &self.to_relay) {
            to_relay(*helper, *component, bytes);
        }
    }

    /// The number of a stream, and who is at its other end.
    pub(super) fn stream_of(&self, helper: usize, component: u8) -> Option<(usize, SocketAddr)> {
        let place = self.streams.iter().position(|it| *it == (helper, component))?;
        let server = self.agent.as_ref()?.server(helper)?;
        Some((self.pairs.len() * 2 + place, server))
    }

    /// A stream is no more.
    pub(super) fn stream_ended(&mut self, base: usize, now: Instant) {
        if let Some(agent) = &mut self.agent {
            agent.stream_ended(base, now);
        }
        self.flush();
    }

    /// A datagram came; nothing when it was for the search.
    pub(super) fn receive(
        &mut self,
        base: usize,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
    ) -> Option<Came> {
        let Some(agent) = &mut self.agent else {
            let component = if base % 2 == RTP.0 { RTP.1 } else { RTCP.1 };
            return Some(Came { range: 0..datagram.len(), component, from, vouched: None });
        };
        let came = agent.receive(base, from, datagram, now);
        self.flush();
        let it = came?;
        let (component, from, vouched) = (it.component, it.from, it.vouched);
        Some(Came { range: it.start..it.end, component, from, vouched })
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.agent.as_ref().and_then(|agent| agent.next_timeout())
    }

    /// Does what is due, and tells what came of it.
    pub(super) fn turn(&mut self, call: CallId, facts: &mut Vec<MediaFact>, now: Instant) {
        let Some(agent) = &mut self.agent else { return };
        if agent.next_timeout().is_some_and(|at| at <= now) {
            agent.handle_timeout(now);
        }
        while let Some(fact) = agent.poll_fact() {
            note(call, &fact);
            facts.push(MediaFact::Way(call, fact));
        }
        self.flush();
    }

    /// The way in use.
    pub(super) fn way(&self) -> Option<MediaWay> {
        let (local, remote) = self.agent.as_ref()?.kinds()?;
        Some(MediaWay { local, remote })
    }

    /// Gives relays back.
    pub(super) fn close(&mut self) {
        if let Some(agent) = &mut self.agent {
            agent.close();
        }
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(parcel) = self.agent.as_mut().and_then(|agent| agent.poll_parcel()) {
            match self.socket(parcel.base) {
                Some(socket) => {
                    if let Err(error) = socket.send_to(&parcel.bytes, parcel.to) {
                        tracing::trace!("a check was not sent: {error}");
                    }
                }
                None => self.stream(parcel.base, parcel.bytes),
            }
        }
    }
}

/// For the support desk: what was found, by kinds, never by addresses.
fn note(call: CallId, fact: &IceFact) {
    match fact {
        IceFact::Candidates(all) => {
            let kinds: Vec<_> = all.iter().map(|it| (it.component, it.kind)).collect();
            tracing::info!("call {call}: our addresses are {kinds:?}");
        }
        IceFact::Unhelped { relay, fault } => {
            let who = if *relay { "the relay" } else { "the STUN server" };
            tracing::warn!("call {call}: {who} does not help: {fault:?}");
        }
        IceFact::Found { local, remote } => {
            tracing::info!("call {call}: the way is {local:?} to {remote:?}");
        }
        IceFact::NoWay { tried } => {
            tracing::warn!("call {call}: no way was found, {tried} pairs were tried");
        }
        IceFact::Lost => tracing::warn!("call {call}: the way that was found is silent"),
    }
}
