//! The chat link: one connection from TCP to an orderly end, as a future that its owner drives.
//!
//! The link tries the servers of a plan, signs in, and carries stanzas. It decides nothing else:
//! it never reconnects, and when it is over its last event says why. Stanzas that the server does
//! not acknowledge are in the [`Resumption`] that the end of the link gives back, and go out on the
//! next link that is given it, when the server takes the stream up again (XEP-0198 section 5). Where
//! it does not, they are the outbox's to send again.
//!
//! Passwords go out over verified TLS only. Logs hold names and sizes of stanzas, never content.
//! An idle link wakes the process once in four minutes.

use std::future::Future;
use std::sync::Arc;

use offhook_im::Stanza;
use offhook_model::{Endpoint, Fault, Jid};
use offhook_net::Net;
use offhook_ports::{Resumption, Unacknowledged, XmppPlan, XmppServer};
use tokio::sync::{mpsc, watch};

mod faults;
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod login;
mod management;
mod reader;
mod sasl;
mod session;
mod sign_in;
mod skim;
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
        /// The earlier stream goes on: nothing is lost, and presence stands as it was.
        resumed: bool,
        /// Where.
        server: XmppServer,
        /// TLS version and cipher.
        tls: Option<String>,
    },
    /// Something came.
    Stanza(Stanza),
    /// A stanza that was larger or deeper than is read came and was passed over; the link goes on.
    Refused {
        /// `message`, `presence`, `iq` or another word.
        what: String,
        /// How.
        fault: Fault,
    },
    /// The server has the stanza with this id (XEP-0198). Of a server that does not acknowledge:
    /// the stanza went to the socket, which is less.
    Acked(String),
    /// No server let us in; the link is over.
    Failed {
        /// Who came closest to letting us in.
        at: Endpoint,
        /// How.
        fault: Fault,
        /// The earlier stream that was to go on; it still can.
        resumption: Option<Box<Resumption>>,
    },
    /// Was online, is not; the link is over.
    Offline {
        /// Who.
        at: Endpoint,
        /// How.
        fault: Fault,
        /// How the stream can go on, where nobody ended it.
        resumption: Option<Box<Resumption>>,
    },
    /// We closed it; the link is over.
    Closed,
}

/// Holds the link: sends on it and closes it. When every copy is dropped, the link closes.
#[derive(Clone, Debug)]
pub struct LinkHandle {
    queue: mpsc::Sender<Stanza>,
    ending: watch::Sender<Ending>,
    attention: watch::Sender<bool>,
}

/// How a link is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Not.
    None,
    /// The stream is closed.
    Polite,
    /// The connection is dropped; the stream may go on over another one.
    Abrupt,
}

impl LinkHandle {
    /// Queues a stanza.
    ///
    /// # Errors
    /// The stanza, when the link is over, or the queue is full: the network takes nothing, and the
    /// link is given up. [`postpone`] keeps it for the next one.
    pub fn send(&self, stanza: Stanza) -> Result<(), Box<Stanza>> {
        self.queue.try_send(stanza).map_err(|error| {
            if let mpsc::error::TrySendError::Full(_) = error {
                self.abandon();
            }
            Box::new(error.into_inner())
        })
    }

    /// Tells the server whether anybody looks, where it wants to know (XEP-0352).
    pub fn attention(&self, attended: bool) {
        self.attention.send_if_modified(|it| std::mem::replace(it, attended) != attended);
    }

    /// Drops the connection without a word: [`LinkEvent::Offline`] or [`LinkEvent::Failed`] follows
    /// at once, with what is needed to go on.
    pub fn abandon(&self) {
        self.ending.send_if_modified(|it| {
            let stands = *it == Ending::None;
            if stands {
                *it = Ending::Abrupt;
            }
            stands
        });
    }

    /// Sends what is queued and closes the stream; [`LinkEvent::Closed`] follows within about two
    /// seconds.
    pub fn close(&self) {
        self.ending.send_replace(Ending::Polite);
    }
}

/// Opens the link. The future drives it until it is over; its last event is
/// [`LinkEvent::Failed`], [`LinkEvent::Offline`] or [`LinkEvent::Closed`]. Dropping the future
/// drops the connection.
///
/// Each server of the plan gets 10 seconds to accept the connection and 15 to let us in. A wrong
/// password is not tried at the next server, and a one-time token is shown to one server only.
/// `earlier` is the stream that is to go on, if the server still has it.
pub fn connect(
    net: Arc<Net>,
    plan: XmppPlan,
    earlier: Option<Box<Resumption>>,
    events: mpsc::Sender<LinkEvent>,
) -> (LinkHandle, impl Future<Output = ()> + Send + 'static) {
    let (queue, queued) = mpsc::channel(QUEUE);
    let (ending, told_ending) = watch::channel(Ending::None);
    let (attention, told_attention) = watch::channel(true);
    let handle = LinkHandle { queue, ending, attention };
    let told = session::Told { queue: queued, ending: told_ending, attention: told_attention };
    (handle, Box::pin(link::live(net, plan, earlier, told, events)))
}

/// Puts a stanza that came too late for a link behind those that go out on the next one.
pub fn postpone(resumption: &mut Resumption, stanza: &Stanza) {
    if let Some(bytes) = wire::write(stanza) {
        let id = stanza.id().map(str::to_owned);
        resumption.unacknowledged.push_back(Unacknowledged { id, bytes });
    }
}
