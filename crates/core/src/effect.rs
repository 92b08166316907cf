//! What the core wants done.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use offhook_call::Tone;
use offhook_contacts::Directory;
use offhook_contacts::carddav::{BookPlan, Kept};
use offhook_contacts::ldap::Wish;
use offhook_discovery as discovery;
use offhook_im::Stanza;
use offhook_model::{
    AcceptedKey, AudioSpec, CallId, CertificatePolicy, CommandError, DirectoryEntry, IpMode, Jid,
    MessageId, Notice, PhotoId, PhotoSource, Reply, Role, SoundSettings, SourceKind, Ticket,
    TransferId,
};
use offhook_ports::{
    ClientIdentity, DeskControl, DeskOrder, EnrolPlan, FlowId, IceStart, MediaPlan, PortRange,
    Resumption, SipServer, StoreRequest, TransferOrder, XmppPlan,
};
use offhook_signin as signin;
use offhook_signin::EdgeRoute;

use crate::{LinkId, RunId};

/// What a store answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreTag {
    /// Nobody waits for it.
    Nothing,
    /// The account's history at sign-in.
    Loaded,
    /// The kept password for this run of the sign-in.
    Password(RunId),
    /// The kept password of the relay for sound.
    RelayPassword,
    /// The kept password of the address book on a server.
    BookPassword,
    /// The kept certificate of the phone.
    Identity(RunId),
    /// Messages for a conversation on the screen.
    OpenChat(Jid),
    /// A picture for the chat machine.
    Photo(PhotoId),
    /// A picture of this entry of an address book.
    Portrait(SourceKind, String),
    /// What is known of people, for the session of this number.
    People(u32),
    /// Messages of that conversation older than this one, for the screen.
    Older(Jid, Option<MessageId>),
    /// A private value of the account was kept, the so-manieth.
    Value(u64),
    /// Messages for whoever asked.
    Query(Ticket),
    /// A message of ours that is sent once it is kept.
    Own(MessageId),
}

/// What a file of people is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardsFor {
    /// To become contacts of our own, as this command wants.
    Import(Ticket),
    /// The folder or file that the settings name.
    Folder,
}

/// One wish, carried out by the engine.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are carried out as soon as they are polled"
)]
pub enum Effect {
    /// Look for services.
    Discover {
        /// Name of the run.
        run: RunId,
        /// What for.
        request: Box<discovery::Request>,
    },
    /// Ask an authenticator.
    SignIn {
        /// Name of the run.
        run: RunId,
        /// Whom for, whom to ask and with what.
        request: Box<signin::Request>,
    },
    /// Ask for a new one-time password.
    Renew {
        /// Name of the run.
        run: RunId,
        /// How.
        renewal: Box<signin::Renewal>,
        /// With what.
        credentials: signin::Credentials,
    },
    /// Ask something of a phone on the desk.
    Desk {
        /// Name of the run.
        run: RunId,
        /// How.
        control: DeskControl,
        /// What.
        order: DeskOrder,
    },
    /// Ask for the phone's certificate.
    Enrol {
        /// Name of the run.
        run: RunId,
        /// Where and how.
        plan: Box<EnrolPlan>,
        /// Name in the credential store under which the certificate is put
        /// ([`identity_words`](crate::identity_words)) before its receipt is confirmed.
        kept_as: String,
    },
    /// Drop a flow.
    Cancel(RunId),
    /// Open a chat connection.
    XmppOpen {
        /// Its name.
        link: LinkId,
        /// How.
        plan: Box<XmppPlan>,
        /// The stream that is to go on (XEP-0198), as a link before gave it.
        earlier: Option<Box<Resumption>>,
    },
    /// Send a stanza.
    XmppSend(LinkId, Box<Stanza>),
    /// Close a chat connection.
    XmppClose(LinkId),
    /// Drop a chat connection whose stream is to go on over another one; its last event has what is
    /// needed for that.
    XmppAbandon(LinkId),
    /// Tell the chat server whether anybody looks (XEP-0352).
    XmppAttention(LinkId, bool),
    /// Open a SIP connection.
    SipOpen {
        /// Its name.
        flow: FlowId,
        /// Where to.
        server: SipServer,
        /// The certificate to show to who asks for one.
        identity: Option<Arc<ClientIdentity>>,
        /// DSCP, 0 to 63.
        dscp: u8,
    },
    /// Send a SIP message.
    SipSend(FlowId, Vec<u8>),
    /// Close a SIP connection.
    SipClose(FlowId),
    /// Bind media ports; answered with [`crate::Event::Reserved`].
    MediaReserve {
        /// For this call.
        call: CallId,
        /// On this address.
        ip: IpAddr,
        /// Out of this range.
        range: PortRange,
        /// Look for ways from there.
        ice: Option<Box<IceStart>>,
    },
    /// Begin or change a call's sound.
    MediaApply(CallId, Box<MediaPlan>),
    /// End a call's sound.
    MediaRelease(CallId),
    /// Send digits.
    MediaDtmf(CallId, String),
    /// Microphone off or on.
    MediaMute(CallId, bool),
    /// The phone's own sound.
    MediaTone(Option<Tone>),
    /// Try a device.
    MediaTest(Role),
    /// Open the microphone anew.
    MediaReopen,
    /// Use this device.
    MediaSelect(Role, AudioSpec),
    /// Do this to the microphone's sound from now on.
    MediaSound(SoundSettings),
    /// Answer this ticket with the call's figures.
    MediaStats(Ticket, CallId),
    /// Look for devices; answered with [`crate::Event::Devices`].
    MediaDevices,
    /// For the job of this transfer, which begins with its first order.
    Transfer(TransferId, TransferOrder),
    /// All jobs stop.
    TransfersOver,
    /// Keep or read.
    Store(StoreTag, StoreRequest),
    /// The user's word on a certificate: the handshake that asked goes on or fails.
    AnswerTrust {
        /// Which question.
        id: u32,
        /// Accept.
        accept: bool,
    },
    /// From now on this policy and these keys count for every connection.
    SetTrust {
        /// What to do about others.
        policy: CertificatePolicy,
        /// Accepted keys.
        accepted: Vec<AcceptedKey>,
    },
    /// Address families to use from now on.
    SetIpMode(IpMode),
    /// Open this address in the system's browser.
    OpenBrowser(String),
    /// Forget addresses learnt from the name system.
    ForgetNames,
    /// Forget cookies.
    ForgetCookies,
    /// Tell when key and pointer were not used for so long, when they are used again, and when the
    /// screen is locked; nothing asks for no more of it. Answered with [`crate::Event::Desk`].
    WatchDesk(Option<Duration>),
    /// Ask the directory; answered with [`crate::FlowOutcome::People`].
    FindPeople {
        /// Name of the run.
        run: RunId,
        /// How.
        directory: Directory,
        /// The way through the edge, where we came that way.
        through: Option<EdgeRoute>,
        /// For whom.
        wish: Box<Wish>,
        /// People at most.
        limit: u32,
    },
    /// Read a picture of the directory; answered with [`crate::FlowOutcome::Portrait`].
    FetchPortrait {
        /// Name of the run.
        run: RunId,
        /// How.
        directory: Directory,
        /// The way through the edge, where we came that way.
        through: Option<EdgeRoute>,
        /// How the directory calls the entry.
        id: String,
        /// Where its picture is.
        photo: PhotoSource,
    },
    /// Ask the directory who is in a group; answered with [`crate::FlowOutcome::Group`].
    ReadGroup {
        /// Name of the run.
        run: RunId,
        /// How.
        directory: Directory,
        /// The way through the edge, where we came that way.
        through: Option<EdgeRoute>,
        /// How the directory calls the group.
        id: String,
    },
    /// Read the address book on a server; answered with [`crate::FlowOutcome::AddressBook`].
    ReadAddressBook {
        /// Name of the run.
        run: RunId,
        /// Which one.
        plan: Box<BookPlan>,
        /// What the last reading left.
        since: Option<Kept>,
    },
    /// Close connections to directories.
    ForgetDirectory,
    /// Read people of a file, vCards or a table, or the vCards of a folder; answered with [`crate::Event::Cards`].
    ReadCards(CardsFor, PathBuf),
    /// Write people to this file, as its name ends; answered with [`crate::Event::CardsWritten`].
    WriteCards(Ticket, PathBuf, Vec<Arc<DirectoryEntry>>),
    /// Read this file, of at most 1 MiB; answered with [`crate::Event::PhotoFile`].
    ReadPhoto(Ticket, PathBuf),
    /// Show a notification of the system; a later one about the same conversation replaces it.
    Notify {
        /// First line.
        title: String,
        /// The rest, plain text.
        body: String,
        /// Person or room.
        about: Jid,
    },
    /// Answer a command.
    Reply(Ticket, Result<Reply, CommandError>),
    /// Tell those who watch.
    Notice(Notice),
    /// End the program.
    Quit,
}
