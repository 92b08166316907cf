//! Files in conversations, as a machine over questions of the stream and facts of an adapter: which
//! way a file takes (the server, a bytestream between the two programs, the chat connection), what
//! is said for it on the stream, and what the adapter is to do.
//!
//! Managed transfer is XEP-0363. Between programs files are offered by Jingle (XEP-0166, XEP-0234)
//! over SOCKS5 (XEP-0260) or in band (XEP-0261), or by stream initiation (XEP-0095, XEP-0096) over
//! XEP-0065 or XEP-0047, which is what the vendor's programs speak. Nothing of a file that somebody
//! offers touches the disk before it was accepted. This crate opens nothing and reads no clock.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{
    Attachment, CaptureArea, ChatPolicy, Jid, MessageId, Moment, NoticeBody, Transfer,
    TransferDirection, TransferId, TransferState, TransferWay,
};
use offhook_ports::{StreamHost, TransferOrder};
use xmpp_parsers::iq::Iq;

mod choice;
mod facts;
#[doc(hidden)]
pub mod fuzzing;
mod inband;
mod initiation;
mod jingle;
mod questions;
mod sentence;
mod session;
mod socks;
mod stanza;
mod wishes;

use questions::Pending;
use session::Session;

/// How many transfers are remembered in a session; the oldest that are over are forgotten.
const KEPT: usize = 500;

/// How many offers of others may wait for the user's word, in all and from one person.
const WAITING: (usize, usize) = (50, 10);

/// Progress is told at most this often.
const PROGRESS: Duration = Duration::from_millis(200);

/// What our program can do, for its answer to disco#info.
pub const FEATURES: [&str; 8] = [
    stanza::ns::JINGLE,
    stanza::ns::FILE,
    stanza::ns::S5B,
    stanza::ns::JINGLE_IBB,
    stanza::ns::BYTESTREAMS,
    stanza::ns::IBB,
    stanza::ns::SI,
    stanza::ns::SI_FILE,
];

/// What the machine wants done. Its debug form holds names of files: not for logs.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send on the stream.
    Send(Box<Iq>),
    /// For the adapter's job of this transfer.
    Order(TransferId, TransferOrder),
    /// Tell watchers.
    Notice(NoticeBody),
    /// Show an offered file as a message, and tell its id by [`Transfers::shown`].
    Show {
        /// Which.
        id: TransferId,
        /// Conversation.
        with: Jid,
        /// What.
        attachment: Attachment,
    },
    /// What the message that shows the file says from now on.
    Message {
        /// Conversation.
        with: Jid,
        /// Which message.
        message: MessageId,
        /// What.
        change: Change,
    },
}

/// What became of a file, as its message shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It lies at the server under this link, which is to be sent.
    Link(String),
    /// The other side has it.
    Delivered,
    /// It did not get there, in words.
    Failed(String),
    /// It is tried again.
    Again,
    /// It lies here.
    Path(PathBuf),
}

/// What the server has for files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// Upload service and its largest file in bytes.
    pub upload: Option<(Jid, Option<u64>)>,
    /// Proxy for bytestreams.
    pub proxy: Option<Jid>,
}

/// A file to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Conversation.
    pub with: Jid,
    /// It is a room.
    pub room: bool,
    /// Full addresses at which the person is, the likeliest first.
    pub addresses: Vec<Jid>,
    /// What.
    pub source: Source,
}

/// Where a file to be sent comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is there.
    File(PathBuf),
    /// A picture of the screen.
    Capture(CaptureArea),
}

/// Where one transfer stands.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// An offer of theirs, or a link, waits for the user.
    Waiting,
    /// The adapter looks at the file.
    Looking,
    /// Programs of the receiver are asked what they can: answers to come, and what is known.
    Asking(usize, Vec<(Jid, choice::Ability)>),
    /// The server is asked for a place.
    Slot,
    /// On its way to the server; the link under which it will lie.
    Uploading(String),
    /// On its way from the server.
    Fetching,
    /// Between the two programs.
    Session,
    /// Done, refused or failed.
    Over,
}

/// One transfer.
struct Item {
    view: Transfer,
    room: bool,
    source: Option<Source>,
    addresses: Vec<Jid>,
    url: Option<String>,
    media_type: Option<String>,
    /// Where the user wants it.
    wished: Option<PathBuf>,
    stage: Stage,
    session: Option<Session>,
    /// An earlier attempt found no other way.
    in_band_only: bool,
    told: Option<Instant>,
}

/// All transfers of an account.
pub struct Transfers {
    me: Jid,
    /// Our full address while connected.
    full: Option<Jid>,
    /// The chat server, on whose side of the machine we listen.
    toward: StreamHost,
    time: Moment,
    seed: u64,
    given: u64,
    last: u32,
    policy: Arc<ChatPolicy>,
    downloads: Option<PathBuf>,
    servers: Servers,
    /// The server's proxy with its address.
    proxy: Option<(Jid, StreamHost)>,
    items: BTreeMap<TransferId, Item>,
    asked: BTreeMap<String, Pending>,
    list: Arc<Vec<Arc<Transfer>>>,
    outputs: VecDeque<Output>,
}

/// Numbers only: names of files are not for logs.
impl fmt::Debug for Transfers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfers").field("items", &self.items.len()).finish_non_exhaustive()
    }
}

impl Transfers {
    /// A machine for the account `me`. Two sessions of an account need different seeds.
    pub fn new(me: Jid, seed: u64, now: Moment) -> Self {
        Self {
            me: me.bare(),
            full: None,
            toward: StreamHost { host: String::new(), port: 0 },
            time: now,
            seed,
            given: 0,
            last: 0,
            policy: Arc::default(),
            downloads: None,
            servers: Servers::default(),
            proxy: None,
            items: BTreeMap::new(),
            asked: BTreeMap::new(),
            list: Arc::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Ids go on from those of an earlier machine of this process.
    pub fn continue_from(&mut self, last: u32) {
        self.last = self.last.max(last);
    }

    /// The last id given.
    pub fn last_id(&self) -> u32 {
        self.last
    }

    /// What administrators decided, and the user's folder for received files.
    pub fn configure(&mut self, policy: Arc<ChatPolicy>, downloads: Option<PathBuf>) {
        self.policy = policy;
        self.downloads = downloads;
    }

    /// The connection stands as `full`, by way of the server `toward`.
    pub fn online(&mut self, full: Jid, toward: StreamHost, now: Moment) {
        self.time = now;
        self.full = Some(full);
        self.toward = toward;
    }

    /// The connection is gone. What goes over the server goes on; the rest fails.
    pub fn offline(&mut self, now: Moment) {
        self.time = now;
        self.full = None;
        self.servers = Servers::default();
        self.proxy = None;
        self.asked.clear();
        for id in self.ids() {
            let Some(item) = self.items.get(&id) else { continue };
            match item.stage {
                Stage::Session | Stage::Asking(..) => self.fail(id, sentence::LOST, true),
                Stage::Waiting if item.session.is_some() => self.fail(id, sentence::LOST, false),
                Stage::Slot => self.fail(id, sentence::UNCONNECTED, true),
                Stage::Waiting
                | Stage::Looking
                | Stage::Uploading(_)
                | Stage::Fetching
                | Stage::Over => {}
            }
        }
    }

    /// What the server offers, as far as it is known.
    pub fn servers(&mut self, servers: Servers, now: Moment) {
        self.time = now;
        if self.full.is_none() || self.servers == servers {
            return;
        }
        let proxy = servers.proxy.clone().filter(|_| self.servers.proxy != servers.proxy);
        self.servers = servers;
        if let Some(proxy) = proxy {
            let query = stanza::el("query", stanza::ns::BYTESTREAMS, &[]);
            self.ask_get(None, proxy, query, questions::Ask::Proxy);
        }
    }

    /// The message that shows an offered file has this id.
    pub fn shown(&mut self, id: TransferId, message: MessageId) {
        if let Some(item) = self.items.get_mut(&id) {
            item.view.message = message;
            self.publish(id);
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// All transfers of the session, in the order in which they began.
    pub fn list(&self) -> Arc<Vec<Arc<Transfer>>> {
        Arc::clone(&self.list)
    }

    /// When [`Transfers::handle_timeout`] wants to be called next.
    pub fn next_timeout(&self) -> Option<Instant> {
        let sessions = self.items.values().filter_map(|item| item.session.as_ref()?.until);
        self.asked.values().map(|pending| pending.until).chain(sessions).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.time = now;
        self.give_up_questions();
        for id in self.ids() {
            let session = self.items.get_mut(&id).and_then(|item| item.session.as_mut());
            if let Some(session) = session
                && session.until.is_some_and(|until| until <= now.at)
            {
                session.until = None;
                self.waited(id);
            }
        }
    }

    // ---- helpers for the files of this crate -----------------------------------------------

    fn ids(&self) -> Vec<TransferId> {
        self.items.keys().copied().collect()
    }

    fn item(&mut self, id: TransferId) -> Option<&mut Item> {
        self.items.get_mut(&id)
    }

    fn session(&mut self, id: TransferId) -> Option<&mut Session> {
        self.items.get_mut(&id)?.session.as_mut()
    }

    /// A new id for stanzas and streams, hard to guess for others because of the seed.
    fn token(&mut self) -> String {
        self.given += 1;
        let mut mixed = self.seed.wrapping_add(self.given.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("oht{:016x}{:x}", mixed ^ (mixed >> 31), self.given)
    }

    fn add(&mut self, item: Item) -> TransferId {
        let id = item.view.id;
        self.items.insert(id, item);
        while self.items.len() > KEPT {
            let over = self.items.iter().find(|(_, it)| it.stage == Stage::Over).map(|it| *it.0);
            let Some(over) = over else { break };
            self.items.remove(&over);
        }
        self.publish(id);
        id
    }

    fn next_id(&mut self) -> TransferId {
        self.last += 1;
        TransferId(self.last)
    }

    fn order(&mut self, id: TransferId, order: TransferOrder) {
        self.outputs.push_back(Output::Order(id, order));
    }

    fn change(&mut self, id: TransferId, change: Change) {
        if let Some(item) = self.items.get(&id) {
            let (with, message) = (item.view.with.clone(), item.view.message.clone());
            self.outputs.push_back(Output::Message { with, message, change });
        }
    }

    /// Tells everybody how it stands.
    fn publish(&mut self, id: TransferId) {
        self.list = Arc::new(self.items.values().map(|it| Arc::new(it.view.clone())).collect());
        if let Some(item) = self.items.get_mut(&id) {
            item.told = Some(self.time.at);
            let transfer = Box::new(item.view.clone());
            self.outputs.push_back(Output::Notice(NoticeBody::File { transfer }));
        }
    }

    /// So many bytes; told not too often.
    fn progress(&mut self, id: TransferId, done: u64) {
        let now = self.time.at;
        let Some(item) = self.items.get_mut(&id) else { return };
        item.view.done = done;
        let recent = |told: Instant| now.saturating_duration_since(told) < PROGRESS;
        if !item.told.is_some_and(recent) {
            self.publish(id);
        }
    }

    fn set_state(&mut self, id: TransferId, state: TransferState) {
        if let Some(item) = self.items.get_mut(&id) {
            item.view.state = state;
            self.publish(id);
        }
    }

    fn set_way(&mut self, id: TransferId, way: TransferWay) {
        if let Some(item) = self.items.get_mut(&id) {
            item.view.way = Some(way);
        }
    }

    /// It is over and did not work.
    fn fail(&mut self, id: TransferId, why: &str, again: bool) {
        let Some(item) = self.items.get_mut(&id) else { return };
        if item.stage == Stage::Over {
            return;
        }
        let resumable = item.stage == Stage::Fetching;
        item.stage = Stage::Over;
        item.session = None;
        item.view.state = TransferState::Failed;
        item.view.error = Some(why.to_owned());
        item.view.again = again;
        self.asked.retain(|_, pending| pending.transfer != Some(id));
        self.order(id, TransferOrder::Stop { resumable });
        self.change(id, Change::Failed(why.to_owned()));
        self.publish(id);
    }

    /// It was refused, by us or by them.
    fn refuse(&mut self, id: TransferId, why: Option<&str>) {
        let Some(item) = self.items.get_mut(&id) else { return };
        item.stage = Stage::Over;
        item.session = None;
        item.view.state = TransferState::Declined;
        item.view.error = why.map(str::to_owned);
        item.view.again = item.url.is_some();
        let own = item.view.direction == TransferDirection::Outgoing;
        self.asked.retain(|_, pending| pending.transfer != Some(id));
        self.order(id, TransferOrder::Stop { resumable: false });
        if own {
            let why = why.unwrap_or("The other side refused the file.");
            self.change(id, Change::Failed(why.to_owned()));
        }
        self.publish(id);
    }

    /// It is there.
    fn done(&mut self, id: TransferId) {
        let Some(item) = self.items.get_mut(&id) else { return };
        item.stage = Stage::Over;
        item.session = None;
        item.view.state = TransferState::Done;
        item.view.error = None;
        item.view.again = false;
        if let Some(size) = item.view.size {
            item.view.done = size;
        }
        self.asked.retain(|_, pending| pending.transfer != Some(id));
        self.order(id, TransferOrder::End);
        self.publish(id);
    }
}
