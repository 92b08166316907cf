//! SIP flows, and streams to relays: a datagram socket or a connection per flow. Bytes go through as
//! they are; messages are made and taken apart elsewhere.

mod datagram;
mod stream;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use offhook_model::{Endpoint, Fault, Link};
use offhook_ports::{ClientIdentity, FlowId, SipServer};
use tokio::sync::{mpsc, oneshot};

use crate::Net;

pub(crate) use datagram::socket as datagram_socket;

/// Messages that may wait to be written. A phone has a few transactions at a time.
const QUEUE: usize = 64;

/// What a flow tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SipFlowEvent {
    /// Messages can be sent. Those given before are on their way.
    Opened {
        /// Which flow.
        flow: FlowId,
        /// Our address on the way to the server, for Via and Contact.
        local: SocketAddr,
        /// The server's address.
        remote: SocketAddr,
        /// TLS version and cipher.
        tls: Option<String>,
    },
    /// A whole datagram, or the next bytes of a stream.
    Data {
        /// Which flow.
        flow: FlowId,
        /// What came; never empty.
        bytes: Vec<u8>,
    },
    /// It could not be opened, or it ended: nothing more comes from it.
    Failed {
        /// Which flow.
        flow: FlowId,
        /// Why.
        fault: Fault,
    },
}

/// The sending end of a flow. Dropping it closes the flow after what waits has been written.
#[derive(Debug)]
pub struct SipFlowHandle {
    out: mpsc::Sender<Vec<u8>>,
    _alive: oneshot::Sender<()>,
}

impl SipFlowHandle {
    /// Puts one message into the queue; false when the flow has ended or its queue is full, and
    /// then the message is lost.
    pub fn send(&self, message: Vec<u8>) -> bool {
        self.out.try_send(message).is_ok()
    }

    /// Closes the flow after what waits has been written.
    pub fn close(self) {}
}

/// The inner end of a flow.
struct Flow {
    flow: FlowId,
    at: Endpoint,
    identity: Option<Arc<ClientIdentity>>,
    dscp: u8,
    out: mpsc::Receiver<Vec<u8>>,
    events: mpsc::Sender<SipFlowEvent>,
}

/// The core is gone; there is nobody to tell.
struct Unheard;

impl Flow {
    async fn opened(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        tls: Option<String>,
    ) -> Result<(), Unheard> {
        self.tell(SipFlowEvent::Opened { flow: self.flow, local, remote, tls }).await
    }

    async fn tell(&self, event: SipFlowEvent) -> Result<(), Unheard> {
        self.events.send(event).await.map_err(|_| Unheard)
    }
}

/// How a flow came to its end.
enum End {
    /// By our will.
    Closed,
    /// By itself.
    Failed(Fault),
}

impl From<Unheard> for End {
    fn from(_: Unheard) -> Self {
        Self::Closed
    }
}

impl Net {
    /// A flow to `server`. Nothing happens until the future is polled; it ends with the flow and
    /// never panics. `dscp` is 0 to 63; `identity` is shown to a server that asks for it under TLS.
    pub fn open(
        self: &Arc<Self>,
        flow: FlowId,
        server: SipServer,
        identity: Option<Arc<ClientIdentity>>,
        dscp: u8,
        events: mpsc::Sender<SipFlowEvent>,
    ) -> (SipFlowHandle, impl Future<Output = ()> + Send + 'static + use<>) {
        self.begin(flow, server.endpoint(), identity, dscp, events)
    }

    /// The same to any endpoint, such as a relay.
    pub fn open_at(
        self: &Arc<Self>,
        flow: FlowId,
        at: Endpoint,
        dscp: u8,
        events: mpsc::Sender<SipFlowEvent>,
    ) -> (SipFlowHandle, impl Future<Output = ()> + Send + 'static + use<>) {
        self.begin(flow, at, None, dscp, events)
    }

    fn begin(
        self: &Arc<Self>,
        flow: FlowId,
        at: Endpoint,
        identity: Option<Arc<ClientIdentity>>,
        dscp: u8,
        events: mpsc::Sender<SipFlowEvent>,
    ) -> (SipFlowHandle, impl Future<Output = ()> + Send + 'static + use<>) {
        let (sender, out) = mpsc::channel(QUEUE);
        let (alive, dropped) = oneshot::channel();
        let net = Arc::clone(self);
        let inner = Flow { flow, at, identity, dscp: dscp.min(63), out, events };
        let run = async move { Box::pin(net.run(inner, dropped)).await };
        (SipFlowHandle { out: sender, _alive: alive }, run)
    }

    async fn run(&self, flow: Flow, dropped: oneshot::Receiver<()>) {
        let events = flow.events.clone();
        let id = flow.flow;
        let end = match flow.at.link {
            Link::Udp => datagram::run(self, flow, dropped).await,
            Link::Tcp | Link::Tls | Link::StartTls => stream::run(self, flow, dropped).await,
        };
        if let End::Failed(fault) = end {
            // Nobody listens any more: nobody need be told.
            let _ = events.send(SipFlowEvent::Failed { flow: id, fault }).await;
        }
    }
}

/// Waits for `opening` unless the handle is dropped with nothing left to send.
async fn unless_dropped<T>(
    opening: impl Future<Output = T>,
    dropped: oneshot::Receiver<()>,
    out: &mpsc::Receiver<Vec<u8>>,
) -> Option<T> {
    tokio::pin!(opening);
    tokio::select! {
        result = &mut opening => Some(result),
        _ = dropped => if out.is_empty() { None } else { Some(opening.await) },
    }
}
