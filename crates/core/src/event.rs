//! What happens to the core.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use offhook_contacts::DirectoryAnswer;
use offhook_contacts::ldap::MembersReport;
use offhook_discovery as discovery;
use offhook_im::Stanza;
use offhook_model::{
    CallId, Command, Devices, DirectoryEntry, Endpoint, Fault, Jid, LeftOut, PhotoId, Problem,
    Ticket, TransferId, TrustQuestion,
};
use offhook_ports::{
    DeskOrder, Enrolled, FlowId, MediaFact, NetworkState, Progress, Resumption, StoreAnswer,
    TransferFact, XmppServer,
};
use offhook_signin as signin;

use crate::{BookRead, CardsFor, StoreTag};

/// One run of a flow. A result of a run that is no longer wanted is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u32);

/// One chat connection, from its opening to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u32);

/// The result of a flow.
#[derive(Debug)]
pub enum FlowOutcome {
    /// Services were looked for.
    Discovered(Box<discovery::Report>),
    /// An authenticator was asked.
    SignedIn(Box<signin::Report>),
    /// A new one-time password was asked for.
    Renewed(Result<Box<signin::Renewed>, Problem>),
    /// A phone on the desk was asked something: the number of its line, where it is known.
    Desk(DeskOrder, Result<Option<String>, Problem>),
    /// The phone's certificate was asked for.
    Enrolled(Result<Enrolled, Fault>),
    /// The directory was asked.
    People(Box<DirectoryAnswer>),
    /// The directory was asked who is in a group.
    Group(Box<MembersReport>),
    /// A picture of the directory was asked for.
    Portrait(Option<(PhotoId, Vec<u8>)>),
    /// The address book on a server was read.
    AddressBook(Box<Result<BookRead, Problem>>),
}

/// What the chat connection tells.
#[derive(Debug)]
pub enum XmppEvent {
    /// Authenticated and bound.
    Online {
        /// Our full JID.
        jid: Jid,
        /// An earlier session goes on (XEP-0198).
        resumed: bool,
        /// Where.
        server: XmppServer,
        /// TLS version and cipher.
        tls: Option<String>,
    },
    /// A stanza came.
    Stanza(Box<Stanza>),
    /// A stanza came that is beyond all measure, and was not read.
    Refused {
        /// `message`, `presence` or `iq`.
        what: String,
        /// What was wrong with it.
        fault: Fault,
    },
    /// The server has our stanza with this id.
    Acked(String),
    /// It could not be opened.
    Failed {
        /// Where.
        at: Endpoint,
        /// Why.
        fault: Fault,
        /// The stream that was to go on; it still can.
        resumption: Option<Box<Resumption>>,
    },
    /// It was open and is no more.
    Offline {
        /// Where.
        at: Endpoint,
        /// Why.
        fault: Fault,
        /// How its stream can go on, where nobody ended it.
        resumption: Option<Box<Resumption>>,
    },
    /// We closed it.
    Closed,
}

/// One event.
#[derive(Debug)]
pub enum Event {
    /// Somebody wants something; the answer goes to this ticket.
    Command(Ticket, Command),
    /// A flow tells how far it is.
    Progress(RunId, Progress),
    /// A flow is over.
    Flow(RunId, FlowOutcome),
    /// The chat connection tells something.
    Xmpp(LinkId, XmppEvent),
    /// A SIP connection is open.
    SipOpened {
        /// Which.
        flow: FlowId,
        /// Our end.
        local: SocketAddr,
        /// Theirs.
        remote: SocketAddr,
        /// TLS version and cipher.
        tls: Option<String>,
    },
    /// Bytes on a SIP connection.
    SipData(FlowId, Vec<u8>),
    /// A SIP connection failed or ended.
    SipFailed(FlowId, Fault),
    /// Media ports were bound, RTP and RTCP, or could not be.
    Reserved(CallId, Result<(SocketAddr, SocketAddr), String>),
    /// The media engine tells something.
    Media(MediaFact),
    /// The sound devices there are.
    Devices(Devices),
    /// The network is another one, came or went.
    Network(NetworkState),
    /// What was found out before the core began, such as a bootstrap file that has no effect.
    Told(Vec<Problem>),
    /// Key and pointer have not been used for so long, or were just used; whether the screen is
    /// locked.
    Desk {
        /// How long; nothing while somebody is there.
        idle: Option<Duration>,
        /// Locked.
        locked: bool,
    },
    /// The file for our own picture was read, or could not be, in words.
    PhotoFile(Ticket, Result<Vec<u8>, String>),
    /// People of this file or folder were read, with what was left out, or could not be, in words.
    Cards(CardsFor, PathBuf, Result<(Vec<DirectoryEntry>, LeftOut), String>),
    /// So many people were written to this file for this command, or could not be, in words.
    CardsWritten(Ticket, PathBuf, Result<u64, String>),
    /// A handshake waits for the user's word on a certificate.
    Trust(Box<TrustQuestion>),
    /// The job of a transfer saw something.
    Transfer(TransferId, TransferFact),
    /// The store answered.
    Store(StoreTag, StoreAnswer),
    /// The time that `next_timeout` named has come.
    Timeout,
}
