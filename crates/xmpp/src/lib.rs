//! The chat connection: TCP, TLS, sign-in, bind, acknowledgements.

use std::future::Future;
use std::sync::Arc;

use offhook_im::Stanza;
use offhook_model::{Endpoint, Fault, Jid};
use offhook_net::Net;
use offhook_ports::{XmppPlan, XmppServer};
use tokio::sync::mpsc;

/// What happens on the link.
#[derive(Debug)]
pub enum LinkEvent {
    /// This server is being tried.
    Connecting {
        /// Which.
        server: XmppServer,
    },
    /// Signed in and bound.
    Online {
        /// Our full JID, as the server gave it.
        jid: Jid,
        /// The earlier stream goes on (never, for now).
        resumed: bool,
        /// Where.
        server: XmppServer,
        /// TLS version and cipher.
        tls: Option<String>,
    },
    /// Something came.
    Stanza(Stanza),
    /// The server has the stanza with this id.
    Acked(String),
    /// No server let us in; the link is over.
    Failed {
        /// Who failed last.
        at: Endpoint,
        /// How.
        fault: Fault,
    },
    /// Was online, is not; the link is over.
    Offline {
        /// Who.
        at: Endpoint,
        /// How.
        fault: Fault,
    },
    /// We closed it; the link is over.
    Closed,
}

/// Holds the link: sends on it and closes it.
#[derive(Clone, Debug)]
pub struct LinkHandle {
    outgoing: mpsc::Sender<Stanza>,
}

impl LinkHandle {
    /// Queues a stanza. False when the queue is full or the link is over.
    pub fn send(&self, stanza: Stanza) -> bool {
        self.outgoing.try_send(stanza).is_ok()
    }

    /// Closes the stream politely; [`LinkEvent::Closed`] follows.
    pub fn close(&self) {}
}

/// Opens the link; the future drives it until it is over.
pub fn connect(
    net: Arc<Net>,
    plan: XmppPlan,
    events: mpsc::Sender<LinkEvent>,
) -> (LinkHandle, impl Future<Output = ()> + Send + 'static) {
    let (outgoing, _queue) = mpsc::channel(256);
    (LinkHandle { outgoing }, async move {
        let _ = (net, plan, events);
    })
}
