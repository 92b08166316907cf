//! The chat link: one connection from TCP to an orderly end, as a future that its owner drives.
//!
//! The link tries the servers of a plan, signs in, and carries stanzas. It decides nothing else:
//! it never reconnects, and when it is over its last event says why. Stanzas that the server does
//! not acknowledge are the outbox's to send again; streams are not resumed yet (XEP-0198 section
//! 5), so [`LinkEvent::Online`] never says so.
//!
//! Passwords go out over verified TLS only. Logs hold names and sizes of stanzas, never content.
//! An idle link wakes the process once in four minutes.

use std::future::Future;
use std::sync::Arc;

use offhook_im::Stanza;
use offhook_model::{Endpoint, Fault, Jid};
use offhook_net::Net;
use offhook_ports::{XmppPlan, XmppServer};
use tokio::sync::{mpsc, watch};

mod faults;
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod login;
mod reader;
mod sasl;
mod session;
mod sign_in;
mod stream;
mod wire;

pub use login::LoginProbe;

/// How many stanzas wait for the network before [`LinkHandle::send`] refuses more.
const QUEUE: usize = 1_024;

/// What happens on the link. The debug form holds private text: not for logs.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all events are stanzas; a box for each would cost more than it saves"
)]
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
    /// The server has the stanza with this id (XEP-0198). Of a server that does not acknowledge:
    /// the stanza went to the socket, which is less.
    Acked(String),
    /// No server let us in; the link is over.
    Failed {
        /// Who came closest to letting us in.
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

/// Holds the link: sends on it and closes it. When every copy is dropped, the link closes.
#[derive(Clone, Debug)]
pub struct LinkHandle {
    queue: mpsc::Sender<Stanza>,
    closing: watch::Sender<bool>,
}

impl LinkHandle {
    /// Queues a stanza. False when the queue is full (the network takes nothing) or the link is
    /// over; the stanza is lost then.
    pub fn send(&self, stanza: Stanza) -> bool {
        self.queue.try_send(stanza).is_ok()
    }

    /// Sends what is queued and closes the stream; [`LinkEvent::Closed`] follows within about two
    /// seconds.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// Opens the link. The future drives it until it is over; its last event is
/// [`LinkEvent::Failed`], [`LinkEvent::Offline`] or [`LinkEvent::Closed`]. Dropping the future
/// drops the connection.
///
/// Each server of the plan gets 10 seconds to accept the connection and 15 to let us in. A wrong
/// password is not tried at the next server, and a one-time token is shown to one server only.
pub fn connect(
    net: Arc<Net>,
    plan: XmppPlan,
    events: mpsc::Sender<LinkEvent>,
) -> (LinkHandle, impl Future<Output = ()> + Send + 'static) {
    let (queue, queued) = mpsc::channel(QUEUE);
    let (closing, told) = watch::channel(false);
    let handle = LinkHandle { queue, closing };
    (handle, Box::pin(link::live(net, plan, queued, told, events)))
}
