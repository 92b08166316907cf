//! Requests that are too large for a datagram (RFC 3261 section 18.1.1): first in compact form,
//! and where that is not enough, over a connection to the same server, which is opened when it is needed.
//! A server that takes no connection gets the datagram after all.
//!
//! Registration stays with its datagrams, as the registrar sends calls where REGISTER came from. Call
//! managers know a phone by its one flow [I], so they get datagrams of any size.

use std::time::{Duration, Instant};

use offhook_model::Link;
use offhook_ports::{FlowId, SipServer};

use super::flow::{Flow, Received, host_port};
use super::{Output, Purpose, UserAgent};
use crate::message::{Request, parse};
use crate::transaction::Path;

/// Most bytes of a request in a datagram: 200 below the smallest MTU that is usual.
const LARGEST: usize = 1_300;
/// How long the connection may take to open; somebody waits for the call meanwhile.
const OPEN_WITHIN: Duration = Duration::from_secs(3);
/// How often an open connection is looked at: it is closed when no call goes on.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long a server that took no connection is not asked again.
const NOT_BEFORE: Duration = Duration::from_secs(600);

/// The connection beside the datagrams.
#[derive(Debug, Default)]
pub(super) enum Wide {
    #[default]
    Closed,
    Opening {
        flow: FlowId,
        deadline: Instant,
    },
    Open {
        flow: Box<Flow>,
        look_at: Instant,
    },
    Refused {
        until: Instant,
    },
}

impl Wide {
    pub fn id(&self) -> Option<FlowId> {
        match self {
            Self::Opening { flow, .. } => Some(*flow),
            Self::Open { flow, .. } => Some(flow.id),
            Self::Closed | Self::Refused { .. } => None,
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match self {
            Self::Opening { deadline, .. } => Some(*deadline),
            Self::Open { look_at, .. } => Some(*look_at),
            Self::Closed | Self::Refused { .. } => None,
        }
    }
}

impl UserAgent {
    /// The path of a request and its Via under this branch; the request becomes compact where
    /// that helps. Nothing without flow.
    pub(super) fn path_of(
        &mut self,
        request: &mut Request,
        purpose: &Purpose,
        branch: &str,
        now: Instant,
    ) -> Option<(Path, String)> {
        let path = self.path()?;
        let flow = self.flow.as_ref()?;
        let via = flow.via(branch);
        let stays =
            matches!(purpose, Purpose::Register | Purpose::Unregister | Purpose::KeepAlive(_));
        if stays || path.reliable || self.is_cucm() || request.write(&via).len() <= LARGEST {
            return Some((path, via));
        }
        request.compact();
        if request.write(&via).len() <= LARGEST {
            return Some((path, via));
        }
        let local = host_port(flow.local);
        Some(match self.wide_flow(now) {
            Some(flow) => {
                let path = Path { flow, reliable: true };
                // Its own port is not known before it is open; answers come by the connection.
                (path, format!("SIP/2.0/TCP {local};branch={branch};rport"))
            }
            None => (path, via),
        })
    }

    /// The connection, which is opened if need be; nothing when there is none to be had.
    fn wide_flow(&mut self, now: Instant) -> Option<FlowId> {
        match &self.wide {
            Wide::Refused { until } if *until > now => return None,
            wide if wide.id().is_some() => return wide.id(),
            _ => {}
        }
        let server = SipServer { link: Link::Tcp, ..self.server()?.clone() };
        let flow = self.new_flow();
        self.wide = Wide::Opening { flow, deadline: now + OPEN_WITHIN };
        self.out.push_back(Output::Open { flow, server, dscp: self.account.signalling_dscp });
        Some(flow)
    }

    /// True when the flow is this one.
    pub(super) fn wide_opened(&mut self, flow: &Flow, now: Instant) -> bool {
        if self.wide.id() != Some(flow.id) {
            return false;
        }
        let flow = Flow::new(flow.id, Link::Tcp, flow.local, flow.remote);
        self.wide = Wide::Open { flow: Box::new(flow), look_at: now + LOOK_EVERY };
        true
    }

    /// It could not be opened: what was to go over it goes as datagrams. Or it was closed: what
    /// waits for an answer has none. True when the flow is this one.
    pub(super) fn wide_failed(&mut self, flow: FlowId, now: Instant) -> bool {
        if self.wide.id() != Some(flow) {
            return false;
        }
        let opening = matches!(self.wide, Wide::Opening { .. });
        self.wide = if opening { Wide::Refused { until: now + NOT_BEFORE } } else { Wide::Closed };
        for delivered in self.transactions.flow_lost(flow) {
            if !opening {
                self.unanswered(delivered, 503, now);
                continue;
            }
            let purpose = delivered.context.purpose.clone();
            if let Some(key) = self.send(delivered.request, delivered.context, now) {
                self.sent_again(&purpose, key);
            }
        }
        true
    }

    /// Closes the connection.
    pub(super) fn close_wide(&mut self, now: Instant) {
        if let Some(flow) = self.wide.id() {
            self.flush();
            self.out.push_back(Output::Close { flow });
            // Nothing is sent again: the flow beside it goes as well, or nothing waits.
            self.wide = Wide::Closed;
            for delivered in self.transactions.flow_lost(flow) {
                self.unanswered(delivered, 503, now);
            }
        }
    }

    pub(super) fn tend_wide(&mut self, now: Instant) {
        match &mut self.wide {
            Wide::Opening { flow, deadline } if *deadline <= now => {
                let flow = *flow;
                self.out.push_back(Output::Close { flow });
                self.wide_failed(flow, now);
            }
            Wide::Open { look_at, .. } if *look_at <= now => {
                *look_at = now + LOOK_EVERY;
                if self.calls.is_empty() && !self.transactions.busy() {
                    self.close_wide(now);
                }
            }
            Wide::Closed | Wide::Opening { .. } | Wide::Open { .. } | Wide::Refused { .. } => {}
        }
    }

    /// Bytes of the connection. Servers may send requests of a call the way its INVITE came, so
    /// all messages count. True when the flow is this one.
    pub(super) fn take_wide(&mut self, id: FlowId, bytes: &[u8], now: Instant) -> bool {
        let Wide::Open { flow, .. } = &mut self.wide else { return self.wide.id() == Some(id) };
        if flow.id != id {
            return false;
        }
        match flow.receive(bytes) {
            Received::Messages { messages, pings } => {
                for _ in 0..pings {
                    self.out.push_back(Output::Send { flow: id, bytes: b"\r\n".to_vec() });
                }
                self.came_by = Some(Path { flow: id, reliable: true });
                for bytes in messages {
                    if let Ok(message) = parse(&bytes) {
                        self.message(&message, now);
                    }
                }
                self.came_by = None;
            }
            Received::Nonsense => self.close_wide(now),
        }
        true
    }
}
