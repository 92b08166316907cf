//! An allocation on a relay (RFC 8656): asking for it, keeping it, and sending through it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_model::Secret;
use offhook_ports::HelperFault;

use crate::agent::{Agent, Via};
use crate::asking::{Asked, HELPER_PACE, Purpose, Repeat};
use offhook_stun::{Attribute, Class, Draft, ErrorCode, Key, Message, Method, Sort};

/// A permission lasts five minutes (RFC 8656 section 9).
const PERMIT: Duration = Duration::from_secs(240);
/// A channel lasts ten minutes (RFC 8656 section 12).
const CHANNEL: Duration = Duration::from_secs(540);
/// An allocation is renewed so long before its end.
const MARGIN: Duration = Duration::from_secs(60);
/// The first number of a channel (RFC 8656 section 12).
const FIRST_CHANNEL: u16 = 0x4000;
/// More hosts than this are not let in by one relay.
const MAX_PERMITS: usize = 32;
/// More addresses than this get no short name; sound to others goes in indications.
const MAX_CHANNELS: usize = 64;
/// A request is asked anew so often with other credentials.
const TRIES: u8 = 3;
/// A question on a stream is not repeated (RFC 8489 section 6.2.2); without an answer for so long it
/// was lost with the stream.
const STREAM_REPEAT: Repeat = Repeat(Duration::from_secs(10), 0);
/// 17 is UDP (RFC 8656 section 18.8).
const UDP: [u8; 4] = [17, 0, 0, 0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Asked for, or about to be.
    Wanted,
    Ready,
    Gone,
}

/// Credentials as the server wants them.
#[derive(Clone, Debug)]
struct Login {
    realm: String,
    nonce: String,
    key: Key,
    /// PASSWORD-ALGORITHMS as it came, where SHA-256 was chosen of it.
    algorithms: Option<Vec<u8>>,
}

/// Whether a host may send to us through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Asked for.
    Asked,
    /// Given, and renewed then.
    Given(Instant),
    /// Refused.
    Refused,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    /// In use once the relay confirmed it; renewed then.
    renew_at: Option<Instant>,
}

/// One allocation.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) base: usize,
    /// It is spoken to over a stream.
    pub(crate) streams: bool,
    /// Place of its server among the helpers.
    pub(crate) turn: usize,
    pub(crate) server: SocketAddr,
    user: String,
    password: Secret<String>,
    login: Option<Login>,
    state: State,
    renew_at: Option<Instant>,
    permits: Vec<(IpAddr, Permission)>,
    channels: Vec<Channel>,
}

impl Allocation {
    pub(crate) fn new(
        (base, turn, streams): (usize, usize, bool),
        server: SocketAddr,
        (user, password): &(String, Secret<String>),
    ) -> Self {
        Self {
            base,
            turn,
            streams,
            server,
            user: user.clone(),
            password: password.clone(),
            login: None,
            state: State::Wanted,
            renew_at: None,
            permits: vec![],
            channels: vec![],
        }
    }

    /// It was not granted yet, nor refused.
    pub(crate) fn is_wanted(&self) -> bool {
        self.state == State::Wanted
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    fn end(&mut self) {
        (self.state, self.renew_at) = (State::Gone, None);
        self.permits.clear();
        self.channels.clear();
    }

    /// Nobody waits for it any more.
    pub(crate) fn give_up_waiting(&mut self) {
        if self.state == State::Wanted {
            self.state = State::Gone;
        }
    }

    pub(crate) fn permission(&self, peer: IpAddr) -> Option<Permission> {
        self.permits.iter().find(|(ip, _)| *ip == peer).map(|(_, permission)| *permission)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let permits = self.permits.iter().filter_map(|(_, permission)| match permission {
            Permission::Given(at) => Some(*at),
            Permission::Asked | Permission::Refused => None,
        });
        let channels = self.channels.iter().filter_map(|channel| channel.renew_at);
        permits.chain(channels).chain(self.renew_at).min()
    }

    /// Wraps what goes to `peer`: in a channel where there is one, else in an indication.
    pub(crate) fn wrap(&self, peer: SocketAddr, bytes: &[u8], room: &mut Vec<u8>) {
        room.clear();
        let ready = |channel: &&Channel| channel.peer == peer && channel.renew_at.is_some();
        match self.channels.iter().find(ready) {
            Some(channel) => {
                room.extend(channel.number.to_be_bytes());
                room.extend((bytes.len() as u16).to_be_bytes());
                room.extend_from_slice(bytes);
            }
            None => {
                let id = indication_id(bytes);
                let draft = Draft::new(Class::Indication, Method::Send, id)
                    .with_address(Attribute::XorPeerAddress, peer)
                    .with(Attribute::Data, bytes);
                *room = draft.plain();
            }
        }
    }

    /// What the relay brings: who sent it, and where it lies in the datagram.
    fn unwrap(&self, datagram: &[u8]) -> Option<(SocketAddr, usize, usize)> {
        match Sort::of(datagram) {
            Sort::Channel => {
                let head = datagram.first_chunk::<4>()?;
                let number = u16::from_be_bytes([head[0], head[1]]);
                let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                let channel = self.channels.iter().find(|channel| channel.number == number)?;
                (datagram.len() >= 4 + length).then_some((channel.peer, 4, 4 + length))
            }
            Sort::Stun => {
                let message = Message::parse(datagram).ok()?;
                if (message.class, message.method) != (Class::Indication, Method::Data) {
                    return None;
                }
                let peer = message.address(Attribute::XorPeerAddress)?;
                let data = message.get(Attribute::Data)?;
                let start = (data.as_ptr() as usize).checked_sub(datagram.as_ptr() as usize)?;
                Some((peer, start, start + data.len()))
            }
            Sort::Media | Sort::Other => None,
        }
    }

    /// Takes over what a refusal says of credentials; false when they were refused themselves.
    fn learn(&mut self, message: &Message<'_>, code: ErrorCode) -> bool {
        let (Some(realm), Some(nonce)) =
            (message.text(Attribute::Realm), message.text(Attribute::Nonce))
        else {
            return false;
        };
        let again = self.login.as_ref().is_some_and(|login| login.realm == realm);
        if code == ErrorCode::UNAUTHENTICATED && again {
            return false;
        }
        let algorithms = message.get(Attribute::PasswordAlgorithms).filter(|list| offers(list));
        let key = Key::long_term(&self.user, realm, self.password.expose(), algorithms.is_some());
        self.login = Some(Login {
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            // A server that knows the new algorithms knows the new signature (RFC 8489 section
            // 9.2.3.1).
            key: if algorithms.is_some() { key.by_sha256() } else { key },
            algorithms: algorithms.map(<[u8]>::to_vec),
        });
        true
    }

    /// Puts the credentials under a request.
    fn sign(&self, draft: Draft) -> Draft {
        let Some(login) = &self.login else { return draft };
        let draft = draft
            .with(Attribute::Username, self.user.as_bytes())
            .with(Attribute::Realm, login.realm.as_bytes())
            .with(Attribute::Nonce, login.nonce.as_bytes());
        let draft = match &login.algorithms {
            Some(list) => draft
                .with(Attribute::PasswordAlgorithms, list)
                .with(Attribute::PasswordAlgorithm, &SHA256),
            None => draft,
        };
        draft.signed(&login.key)
    }

    /// A yes is signed where we signed.
    pub(crate) fn believes(&self, message: &Message<'_>) -> bool {
        self.login.as_ref().is_none_or(|login| message.is_signed(&login.key))
    }

    fn channel(&mut self, peer: SocketAddr) -> u16 {
        if let Some(channel) = self.channels.iter().find(|channel| channel.peer == peer) {
            return channel.number;
        }
        let number = FIRST_CHANNEL + self.channels.len() as u16;
        self.channels.push(Channel { number, peer, renew_at: None });
        number
    }
}

/// SHA-256 without parameters (RFC 8489 section 18.5.1).
const SHA256: [u8; 4] = [0, 2, 0, 0];

/// The list of password algorithms has SHA-256 in it.
fn offers(list: &[u8]) -> bool {
    let mut rest = list;
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        if head[..2] == SHA256[..2] {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])).next_multiple_of(4);
        rest = after.get(length..).unwrap_or_default();
    }
    false
}

/// Nothing answers an indication, so its name needs no chance, only to be another for other bytes.
fn indication_id(bytes: &[u8]) -> [u8; 12] {
    let mut id = [0; 12];
    for (place, byte) in id.iter_mut().zip(bytes.iter().rev()) {
        *place = *byte;
    }
    id
}

impl Agent {
    /// What came from a relay for us: which, who sent it, and where it lies in the datagram.
    pub(crate) fn unwrap(
        &self,
        base: usize,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<(usize, SocketAddr, usize, usize)> {
        let ours =
            |it: &Allocation| it.base == base && it.server == from && it.state == State::Ready;
        self.allocations.iter().enumerate().filter(|(_, it)| ours(it)).find_map(|(relay, it)| {
            let (peer, start, end) = it.unwrap(datagram)?;
            // Only who was let in is heard, whatever the relay lets through.
            matches!(it.permission(peer.ip()), Some(Permission::Given(_)))
                .then_some((relay, peer, start, end))
        })
    }

    pub(crate) fn ask_relay(&mut self, purpose: Purpose, tries: u8, now: Instant) {
        let id = self.draw();
        let Some(relay) = purpose.relay() else { return };
        let method = match purpose {
            Purpose::Refresh(_) => Method::Refresh,
            Purpose::Permit { .. } => Method::CreatePermission,
            Purpose::Channel { .. } => Method::ChannelBind,
            _ => Method::Allocate,
        };
        let Some(allocation) = self.allocations.get_mut(relay) else { return };
        let draft = Draft::new(Class::Request, method, id);
        let draft = match purpose {
            Purpose::Permit { peer, .. } => {
                draft.with_address(Attribute::XorPeerAddress, SocketAddr::new(peer, 0))
            }
            Purpose::Channel { peer, .. } => {
                let number = allocation.channel(peer).to_be_bytes();
                draft
                    .with(Attribute::ChannelNumber, &[number[0], number[1], 0, 0])
                    .with_address(Attribute::XorPeerAddress, peer)
            }
            Purpose::Allocate(_) => draft.with(Attribute::RequestedTransport, &UDP),
            _ => draft,
        };
        let bytes = allocation.sign(draft).finish();
        let way = (Via::Base(allocation.base), allocation.server);
        let repeat = if allocation.streams { STREAM_REPEAT } else { Repeat(HELPER_PACE, 5) };
        self.send(way.0, way.1, bytes.clone());
        self.asking.add((id, bytes), purpose, way, repeat, tries, now);
    }

    /// The relays over this stream are no more.
    pub(crate) fn relays_gone(&mut self, base: usize, now: Instant) {
        let gone: Vec<usize> =
            (0..self.allocations.len()).filter(|at| self.allocations[*at].base == base).collect();
        for relay in gone {
            self.asking.forget(|purpose| purpose.relay() == Some(relay));
            let (wanted, in_use) = (self.allocations[relay].is_wanted(), self.goes_by(relay));
            self.allocations[relay].end();
            if in_use {
                self.lose_soon(now);
            }
            if wanted {
                self.relay_refused(&Purpose::Allocate(relay), HelperFault::Silent, now);
            }
        }
        self.gather_on(now);
    }

    /// A relay answered.
    pub(crate) fn relay_said(&mut self, asked: Asked, message: &Message<'_>, now: Instant) {
        let Some(relay) = asked.purpose.relay() else { return };
        self.relay_spoke(now);
        let Some(allocation) = self.allocations.get_mut(relay) else { return };
        if let Some(code) = message.error() {
            let asks = matches!(code, ErrorCode::UNAUTHENTICATED | ErrorCode::STALE_NONCE);
            if asks && asked.tries < TRIES && allocation.learn(message, code) {
                return self.ask_relay(asked.purpose, asked.tries + 1, now);
            }
            let fault = if asks { HelperFault::Login } else { HelperFault::Refused(code.0) };
            return self.relay_refused(&asked.purpose, fault, now);
        }
        if message.class == Class::Success {
            self.relay_granted(&asked.purpose, message, now);
        }
    }

    fn relay_granted(&mut self, purpose: &Purpose, message: &Message<'_>, now: Instant) {
        match *purpose {
            Purpose::Allocate(relay) | Purpose::Refresh(relay) => {
                let Some(allocation) = self.allocations.get_mut(relay) else { return };
                let lifetime = message.number(Attribute::Lifetime).unwrap_or(600);
                let lifetime = Duration::from_secs(u64::from(lifetime.clamp(20, 3_600)));
                let soon = lifetime.saturating_sub(MARGIN).max(lifetime / 2);
                allocation.renew_at = Some(now + soon);
                if !matches!(purpose, Purpose::Allocate(_)) {
                    return;
                }
                allocation.state = State::Ready;
                let address = message.address(Attribute::XorRelayedAddress);
                match (address, message.mapped()) {
                    (Some(address), Some(mapped)) => self.relayed(relay, address, mapped),
                    _ => self.relay_refused(purpose, HelperFault::Refused(0), now),
                }
                self.gathered(now);
            }
            Purpose::Permit { relay, peer } => {
                self.permitted(relay, peer, Permission::Given(now + PERMIT));
            }
            Purpose::Channel { relay, peer } => {
                let Some(allocation) = self.allocations.get_mut(relay) else { return };
                if let Some(channel) = allocation.channels.iter_mut().find(|it| it.peer == peer) {
                    channel.renew_at = Some(now + CHANNEL);
                }
            }
            Purpose::Reflexive { .. } | Purpose::Check { .. } | Purpose::Consent { .. } => {}
        }
    }

    /// A relay refused, or said nothing.
    pub(crate) fn relay_refused(&mut self, purpose: &Purpose, fault: HelperFault, now: Instant) {
        match *purpose {
            Purpose::Allocate(relay) | Purpose::Refresh(relay) => {
                if let Some(allocation) = self.allocations.get_mut(relay) {
                    allocation.end();
                }
                self.relay_unhelped(fault);
                self.gathered(now);
            }
            Purpose::Permit { relay, peer } => {
                self.permitted(relay, peer, Permission::Refused);
            }
            // Sound goes on in indications.
            Purpose::Channel { relay, peer } => {
                if let Some(allocation) = self.allocations.get_mut(relay) {
                    for channel in allocation.channels.iter_mut().filter(|it| it.peer == peer) {
                        channel.renew_at = None;
                    }
                }
            }
            Purpose::Reflexive { .. } | Purpose::Check { .. } | Purpose::Consent { .. } => {}
        }
    }

    fn permitted(&mut self, relay: usize, peer: IpAddr, permission: Permission) {
        let Some(allocation) = self.allocations.get_mut(relay) else { return };
        for (_, known) in allocation.permits.iter_mut().filter(|(ip, _)| *ip == peer) {
            *known = permission;
        }
    }

    /// Lets a host send to us through the relay, once.
    pub(crate) fn permit(&mut self, relay: usize, peer: IpAddr, now: Instant) {
        let Some(allocation) = self.allocations.get_mut(relay) else { return };
        if allocation.permission(peer).is_some()
            || allocation.permits.len() >= MAX_PERMITS
            || allocation.state != State::Ready
        {
            return;
        }
        allocation.permits.push((peer, Permission::Asked));
        self.ask_relay(Purpose::Permit { relay, peer }, 0, now);
    }

    /// Sound will go to this address for long: with a channel every packet is shorter.
    pub(crate) fn open_for(&mut self, relay: usize, peer: SocketAddr, now: Instant) {
        self.permit(relay, peer.ip(), now);
        let open = |it: &Allocation| {
            it.channels.len() >= MAX_CHANNELS
                || it.channels.iter().any(|channel| channel.peer == peer)
        };
        if self.allocations.get(relay).is_some_and(|it| it.state == State::Ready && !open(it)) {
            self.ask_relay(Purpose::Channel { relay, peer }, 0, now);
        }
    }

    /// Renews what ends soon.
    pub(crate) fn renew(&mut self, now: Instant) {
        let mut due = vec![];
        for (relay, allocation) in self.allocations.iter_mut().enumerate() {
            if allocation.renew_at.take_if(|at| *at <= now).is_some() {
                due.push(Purpose::Refresh(relay));
            }
            for (peer, permission) in &mut allocation.permits {
                if let Permission::Given(at) = permission
                    && *at <= now
                {
                    *at = now + PERMIT;
                    due.push(Purpose::Permit { relay, peer: *peer });
                }
            }
            for channel in &mut allocation.channels {
                if let Some(at) = channel.renew_at.as_mut().filter(|at| **at <= now) {
                    *at = now + CHANNEL;
                    due.push(Purpose::Channel { relay, peer: channel.peer });
                }
            }
        }
        for purpose in due {
            self.ask_relay(purpose, 0, now);
        }
    }

    /// Ends all allocations: a lifetime of zero (RFC 8656 section 7).
    pub(crate) fn give_back(&mut self) {
        for relay in 0..self.allocations.len() {
            let id = self.draw();
            let allocation = &mut self.allocations[relay];
            if std::mem::replace(&mut allocation.state, State::Gone) != State::Ready {
                continue;
            }
            let draft =
                Draft::new(Class::Request, Method::Refresh, id).with(Attribute::Lifetime, &[0; 4]);
            let bytes = allocation.sign(draft).finish();
            let way = (Via::Base(allocation.base), allocation.server);
            self.send(way.0, way.1, bytes);
        }
    }
}
