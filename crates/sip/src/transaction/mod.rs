//! Transactions (RFC 3261 section 17, RFC 6026): retransmission, timeouts and matching.
//!
//! [`Transactions`] holds them all. It decides what is delivered to its user and what was only a
//! repetition, and queues the bytes that must be sent.

mod client;
mod server;
mod timed;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use offhook_ports::FlowId;

use crate::message::{Message, Method, Name, Request, Response};
use client::Client;
use server::Server;
use timed::Shelf;

/// Estimate of the round trip (RFC 3261 section 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of anything but INVITE.
pub const T2: Duration = Duration::from_secs(4);
/// How long a message may stay in the network.
pub const T4: Duration = Duration::from_secs(5);
/// 64 times T1: how long a transaction waits.
pub const PATIENCE: Duration = Duration::from_secs(32);

/// Most transactions of each side that are kept. A phone does not have so many; a flood does.
const MAX_TRANSACTIONS: usize = 4096;

/// Names a client transaction: its branch and method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientKey(String);

/// Names a server transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerKey(String);

impl ServerKey {
    /// RFC 3261 section 17.2.3, with the rule for branches without magic cookie. ACK and CANCEL
    /// find the transaction of their INVITE with `method`.
    fn of(request: &Message, method: &Method) -> Option<Self> {
        let via = request.via()?;
        if via.has_unique_branch() {
            let port = via.port.unwrap_or(0);
            return Some(Self(format!("{} {}:{port} {method}", via.branch()?, via.host)));
        }
        let hop = request.tokens(Name::Via).next()?;
        let cseq = request.cseq().ok()?.number;
        let call_id = request.header(Name::CallId)?;
        let from = request.tag(Name::From).unwrap_or("");
        Some(Self(format!("{hop} {call_id} {from} {cseq} {method}")))
    }
}

/// What the flow is like for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The flow.
    pub flow: FlowId,
    /// It delivers by itself (TCP, TLS), so nothing is sent twice.
    pub reliable: bool,
}

/// A response that matters.
#[derive(Debug)]
pub struct Delivered<C> {
    /// Which transaction.
    pub key: ClientKey,
    /// Its context; taken out of the transaction with the final response unless more may come.
    pub context: C,
    /// The request it answers.
    pub request: Request,
}

/// What a request turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A new one, which must be answered under this name.
    New(ServerKey),
    /// A repetition that has been dealt with.
    Repeated,
    /// The ACK of a non-2xx answer, which has been dealt with.
    Absorbed,
    /// An ACK that belongs to a dialog.
    Ack,
    /// A CANCEL; it must be answered as the first, the second is what it cancels, if that is
    /// there.
    Cancel(ServerKey, Option<ServerKey>),
    /// It cannot be told apart from others, or there are too many.
    Unusable,
}

/// What came of waiting.
#[derive(Debug)]
pub enum Expired<C> {
    /// No final response came.
    Client(Delivered<C>),
    /// No ACK came for our 2xx.
    Unacknowledged(ServerKey),
}

/// All transactions of one endpoint. `C` is what the user wants back with a response.
pub struct Transactions<C> {
    clients: Shelf<ClientKey, Client<C>>,
    servers: Shelf<ServerKey, Server>,
    out: VecDeque<(FlowId, Vec<u8>)>,
}

impl<C: fmt::Debug> fmt::Debug for Transactions<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions")
            .field("clients", &self.clients.len())
            .field("servers", &self.servers.len())
            .finish_non_exhaustive()
    }
}

impl<C> Default for Transactions<C> {
    fn default() -> Self {
        Self { clients: Shelf::default(), servers: Shelf::default(), out: VecDeque::new() }
    }
}

impl<C: Clone> Transactions<C> {
    /// Sends a request under a new branch. `via` is the whole header with that branch.
    pub fn send(
        &mut self,
        path: Path,
        request: Request,
        via: &str,
        branch: &str,
        context: C,
        now: Instant,
    ) -> ClientKey {
        let key = ClientKey(format!("{branch} {}", request.method));
        let bytes = request.write(via);
        self.out.push_back((path.flow, bytes.clone()));
        let client = Client::new(path, request, via.to_owned(), bytes, context, now);
        self.clients.insert(key.clone(), client);
        key
    }

    /// Sends a CANCEL for an INVITE that has had a provisional response. False, and nothing is
    /// sent, when it has not, or is over.
    /// `reason` is the value of its Reason header, where it is to have one (RFC 3326).
    pub fn cancel(
        &mut self,
        key: &ClientKey,
        reason: Option<&str>,
        context: C,
        now: Instant,
    ) -> bool {
        let cancelled =
            self.clients.change(key, |client| client.cancel(now).map(|it| (it, client.path)));
        let Some(((mut request, via), path)) = cancelled.flatten() else { return false };
        if let Some(reason) = reason {
            request.push(Name::Reason, reason);
        }
        let branch = key.0.split(' ').next().unwrap_or_default().to_owned();
        self.send(path, request, &via, &branch, context, now);
        true
    }

    /// Takes a response. Nothing when it is a repetition or belongs to no transaction.
    pub fn response(&mut self, message: &Message, now: Instant) -> Option<Delivered<C>> {
        let branch = message.via()?.branch()?;
        let key = ClientKey(format!("{branch} {}", message.cseq().ok()?.method));
        let out = &mut self.out;
        let taken = self.clients.change(&key, |client| {
            let verdict = client.receive(message, now);
            if let Some(ack) = verdict.ack {
                out.push_back((client.path.flow, ack));
            }
            verdict.deliver.then(|| client.delivered(&key))
        });
        taken.flatten()
    }

    /// The request of a transaction that is not over.
    pub fn request_of(&self, key: &ClientKey) -> Option<&Request> {
        self.clients.get(key).map(|client| &client.request)
    }

    /// Takes a request.
    pub fn request(&mut self, message: &Message, path: Path, now: Instant) -> Arrived {
        let Some(method) = message.method() else { return Arrived::Unusable };
        if *method == Method::Ack {
            let key = ServerKey::of(message, &Method::Invite);
            let found = key.and_then(|key| self.servers.change(&key, |it| it.acknowledge(now)));
            return if found == Some(true) { Arrived::Absorbed } else { Arrived::Ack };
        }
        let Some(key) = ServerKey::of(message, method) else { return Arrived::Unusable };
        if let Some(server) = self.servers.get(&key) {
            if let Some(bytes) = server.repeated() {
                self.out.push_back((path.flow, bytes));
            }
            return Arrived::Repeated;
        }
        if self.servers.len() >= MAX_TRANSACTIONS {
            return Arrived::Unusable;
        }
        self.servers.insert(key.clone(), Server::new(path, *method == Method::Invite));
        if *method == Method::Cancel {
            let target = ServerKey::of(message, &Method::Invite)
                .filter(|key| self.servers.get(key).is_some());
            return Arrived::Cancel(key, target);
        }
        Arrived::New(key)
    }

    /// Answers a request. Does nothing after a final response.
    pub fn respond(&mut self, key: &ServerKey, response: &Response, now: Instant) {
        let out = &mut self.out;
        self.servers.change(key, |server| {
            let bytes = response.write();
            if server.respond(response.status(), bytes.clone(), now) {
                out.push_back((server.path.flow, bytes));
            }
        });
    }

    /// The dialog's ACK came: our 2xx needs no repeating any more.
    pub fn acknowledged(&mut self, key: &ServerKey) {
        self.servers.change(key, Server::acknowledged);
    }

    /// A flow is gone: its transactions end. Those of ours that waited for an answer come back.
    pub fn flow_lost(&mut self, flow: FlowId) -> Vec<Delivered<C>> {
        let mut lost = vec![];
        self.clients.retain(|key, client| {
            if client.path.flow != flow {
                return true;
            }
            if client.waits() {
                lost.push(client.delivered(key));
            }
            false
        });
        self.servers.retain(|_, server| server.path.flow != flow);
        self.out.retain(|(to, _)| *to != flow);
        lost
    }

    /// When [`Transactions::expire`] wants to be called.
    pub fn next_timeout(&self) -> Option<Instant> {
        [self.clients.next(), self.servers.next()].into_iter().flatten().min()
    }

    /// Sends again what is due, and gives up on what has waited long enough.
    pub fn expire(&mut self, now: Instant) -> Vec<Expired<C>> {
        let mut expired = vec![];
        let out = &mut self.out;
        self.clients.change_due(now, |key, client| {
            if let Some(bytes) = client.expire(now) {
                out.push_back((client.path.flow, bytes));
            }
            if client.timed_out() {
                expired.push(Expired::Client(client.delivered(key)));
            }
        });
        self.servers.change_due(now, |key, server| {
            if let Some(bytes) = server.expire(now) {
                out.push_back((server.path.flow, bytes));
            }
            if server.unacknowledged() {
                expired.push(Expired::Unacknowledged(key.clone()));
            }
        });
        expired
    }

    /// The next bytes to send.
    pub fn poll(&mut self) -> Option<(FlowId, Vec<u8>)> {
        self.out.pop_front()
    }

    /// Sends bytes that belong to no transaction: the ACK of a 2xx.
    pub fn send_plain(&mut self, flow: FlowId, bytes: Vec<u8>) {
        self.out.push_back((flow, bytes));
    }

    /// Whether a transaction of ours still waits for an answer.
    pub fn busy(&self) -> bool {
        self.clients.values().any(Client::waits)
    }
}
