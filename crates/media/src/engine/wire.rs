//! What a call's packets go through: its two sockets, and the search for a way where there is one.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use mio::net::UdpSocket;
use offhook_ice::{Agent, Base, Config};
use offhook_model::{CallId, MediaWay};
use offhook_ports::{IceFact, IceGather, MediaFact, MediaPlan};

use super::socket::{Pair, mark};

/// The number of the socket for RTP, and of its component.
pub(super) const RTP: (usize, u8) = (0, 1);
/// The same for RTCP.
pub(super) const RTCP: (usize, u8) = (1, 2);

/// Something that came and is not for the search.
pub(super) struct Came {
    /// Where it lies in the datagram.
    pub(super) range: Range<usize>,
    pub(super) from: SocketAddr,
    /// Whether it is from one of their candidates; nothing where those do not count.
    pub(super) vouched: Option<bool>,
}

/// The sockets of one call.
pub(super) struct Wire {
    pair: Pair,
    agent: Option<Box<Agent>>,
    /// For what a relay wants wrapped.
    room: Vec<u8>,
}

impl Wire {
    pub(super) fn new(pair: Pair, ice: Option<IceGather>, seed: u64, now: Instant) -> Self {
        let agent = ice.map(|ice| {
            let bases = vec![
                Base { component: RTP.1, address: pair.local },
                Base { component: RTCP.1, address: pair.local_rtcp },
            ];
            let (helpers, relay_only, local) = (ice.helpers, ice.relay_only, ice.local);
            Box::new(Agent::new(Config { bases, helpers, relay_only, local, seed }, now))
        });
        let mut wire = Self { pair, agent, room: vec![] };
        wire.flush();
        wire
    }

    pub(super) fn sockets(&mut self) -> (&mut UdpSocket, &mut UdpSocket) {
        (&mut self.pair.rtp, &mut self.pair.rtcp)
    }

    pub(super) fn port(&self) -> u16 {
        self.pair.local.port()
    }

    /// Marks what goes out; gives what the system says it will mark with.
    pub(super) fn mark(&self, dscp: u8) -> u8 {
        mark(&self.pair.rtcp, self.pair.local_rtcp, dscp);
        mark(&self.pair.rtp, self.pair.local, dscp)
    }

    /// Looks for the ways of this plan, or goes without.
    pub(super) fn apply(&mut self, plan: &MediaPlan, now: Instant) {
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
        let (base, to, bytes) = match &self.agent {
            None => (base, to, packet),
            Some(agent) => match agent.wrap(component, to, packet, &mut self.room) {
                Some(way) => way,
                None => return Ok(()),
            },
        };
        let socket = if base == RTP.0 { &self.pair.rtp } else { &self.pair.rtcp };
        socket.send_to(bytes, to).map(drop)
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
            return Some(Came { range: 0..datagram.len(), from, vouched: None });
        };
        let came = agent.receive(base, from, datagram, now);
        self.flush();
        let it = came?;
        Some(Came { range: it.start..it.end, from: it.from, vouched: it.vouched })
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
        let Some(agent) = &mut self.agent else { return };
        while let Some(parcel) = agent.poll_parcel() {
            let socket = if parcel.base == RTP.0 { &self.pair.rtp } else { &self.pair.rtcp };
            if let Err(error) = socket.send_to(&parcel.bytes, parcel.to) {
                tracing::trace!("a check was not sent: {error}");
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
