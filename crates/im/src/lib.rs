//! Contact list, presence, chats, rooms and the outbox of one account, as a machine over
//! stanzas: feed it with [`Im::receive`] and the wishes of the user, drain [`Im::poll`], and call
//! [`Im::handle_timeout`] when [`Im::next_timeout`] has come.
//!
//! This crate never opens a socket, reads a clock, draws a random number or writes a log.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use offhook_model::{
    Availability, Chat, ChatPolicy, ChatSettings, CommandError, Contact, Delivery, Jid, Message,
    MessageId, Moment, NoticeBody, Presence, Reply, Ticket,
};
use offhook_ports::{Loaded, StoreRequest};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::DefinedCondition;

mod activity;
mod ahead;
mod amending;
mod archive;
mod asking;
mod blocking;
mod caps_cache;
mod changes;
mod chat;
mod contacts;
mod content;
mod copies;
mod encryption;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod incoming;
mod interruption;
mod iq;
mod keeping;
mod listing;
mod ordering;
mod outbox;
mod own;
mod packed;
mod people;
mod people_info;
mod pep;
mod photos;
mod presence;
mod rooms;
mod sealing;
mod sentence;
mod services;
mod stanza;
mod taking;
mod talk;
mod text;
mod trespass;
mod watch;
mod writing;
mod xhtml;

use archive::Archives;
use asking::Pending;
use blocking::Blocking;
use caps_cache::CapsCache;
use encryption::Encryption;
pub use files::{FileChange, FileServers, UPLOAD};
use ids::Ids;
use interruption::Interruption;
use outbox::{Outbox, Parcel};
use own::{Own, Rules, Shown};
pub use packed::pack_contact;
use people::People;
use people_info::Details;
pub use photos::LARGEST_OWN as LARGEST_OWN_PHOTO;
use photos::Photos;
use rooms::Rooms;
use services::Services;
pub use stanza::{Stanza, jid_from_wire, jid_to_wire};
use talk::Talk;
use trespass::{Trespass, Trespasses};
use watch::Watching;
pub use writing::Unfit;

/// What the machine wants done. Its debug form holds private text: not for logs.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send on the stream.
    Send(Stanza),
    /// Keep.
    Store(StoreRequest),
    /// Tell watchers.
    Notice(NoticeBody),
    /// The answer to a wish that took time.
    Answer(Ticket, Result<Reply, CommandError>),
    /// A message came, or was read from the store, whose file lies at a server.
    File {
        /// Conversation.
        with: Jid,
        /// Which message.
        message: MessageId,
        /// The file.
        attachment: offhook_model::Attachment,
    },
}

/// Chat and presence of one account.
///
/// Own messages go `Queued` → `Sent` → `Delivered` → `Read`, or `Failed`. A message that was on
/// its way when the connection broke stays `Queued` and is sent again with the same id.
pub struct Im {
    me: Jid,
    /// Our full address while connected.
    full: Option<Jid>,
    /// It broke, and may go on.
    interruption: Option<Interruption>,
    own: Own,
    /// What the server was told last in this connection.
    told: Option<Shown>,
    shown: Presence,
    ids: Ids,
    /// When the machine was last told the time.
    time: Moment,
    policy: Arc<ChatPolicy>,
    settings: ChatSettings,
    asked: BTreeMap<String, Pending>,
    services: Services,
    archives: Archives,
    people: People,
    caps: CapsCache,
    details: Details,
    photos: Photos,
    blocking: Blocking,
    watching: Watching,
    rooms: Rooms,
    talks: BTreeMap<Jid, Talk>,
    /// The conversation that was shown last.
    opened: Option<Jid>,
    /// How often somebody tried to change what is not theirs.
    trespasses: Trespasses,
    /// Conversations in which somebody is writing.
    writing: Vec<Jid>,
    chats: Arc<Vec<Arc<Chat>>>,
    messages: Arc<BTreeMap<Jid, Arc<Vec<Arc<Message>>>>>,
    outbox: Outbox,
    encryption: Encryption,
    outputs: VecDeque<Output>,
}

/// Numbers only: what people write is not for logs.
impl fmt::Debug for Im {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Im")
            .field("online", &self.full.is_some())
            .field("contacts", &self.people.list().len())
            .field("conversations", &self.talks.len())
            .finish_non_exhaustive()
    }
}

impl Im {
    /// A machine for the account `me`. Two sessions of an account need different seeds, or their
    /// message ids repeat.
    pub fn new(me: Jid, seed: u64, now: Moment) -> Self {
        let me = me.bare();
        Self {
            ids: Ids::new(&me, seed),
            me,
            full: None,
            interruption: None,
            own: Own::default(),
            told: None,
            shown: Presence::default(),
            time: now,
            policy: Arc::default(),
            settings: ChatSettings::default(),
            asked: BTreeMap::new(),
            services: Services::default(),
            archives: Archives::default(),
            people: People::default(),
            caps: CapsCache::default(),
            details: Details::default(),
            photos: Photos::default(),
            blocking: Blocking::default(),
            watching: Watching::default(),
            rooms: Rooms::default(),
            talks: BTreeMap::new(),
            opened: None,
            trespasses: Trespasses::default(),
            writing: Vec::new(),
            chats: Arc::default(),
            messages: Arc::default(),
            outbox: Outbox::default(),
            encryption: Encryption::default(),
            outputs: VecDeque::new(),
        }
    }

    /// What administrators and the user chose; counts from now on.
    pub fn configure(&mut self, policy: Arc<ChatPolicy>, settings: ChatSettings, now: Moment) {
        self.time = now;
        self.own.rules = Rules::new(&policy, &settings);
        self.policy = policy;
        self.settings = settings;
        self.refresh_presence();
        self.begin_encryption();
        self.show_protections();
    }

    /// What the store holds: conversations in any order, and own messages that wait to be sent,
    /// oldest first. These go out before what was written since.
    pub fn loaded(&mut self, loaded: Loaded) {
        let Loaded { chats, rows, values, shut, settled, unplaced, archives, queued, .. } = loaded;
        self.alerts_loaded(&values);
        for chat in chats {
            self.load_chat(chat);
        }
        self.load_rows(rows);
        self.load_keys(&values, shut);
        self.show_protections();
        self.publish_all();
        let queued = self.without_lost_files(queued);
        self.load_waiting(queued, changes::kept(&values));
        self.orders_loaded(settled, unplaced);
        self.archives_loaded(archives, self.time);
        self.flush();
    }

    /// The connection stands as `full`. A stream that was not resumed asks for the contact list
    /// and for copies of other devices' messages, and shows our presence; in both cases waiting
    /// messages go out.
    pub fn online(&mut self, full: Jid, resumed: bool, now: Moment) {
        self.time = now;
        if !resumed && self.interruption.is_some() {
            self.offline(now);
        }
        self.full = Some(full);
        if !(resumed && self.go_on()) {
            self.outbox.turn_back();
            self.archives_doubtful();
            self.ask_roster();
            self.ask_copies();
            self.told = None;
            self.photos_again();
            self.caps.ask_again();
            self.refresh_presence();
            self.ask_services();
            self.rooms_online();
            self.forget_devices();
            self.begin_encryption();
        }
        let shown = self.own.compose(now.wall).presence;
        self.show(shown);
        self.flush();
    }

    /// The connection is gone: nobody's presence is known, and unacknowledged messages wait for
    /// the next one.
    pub fn offline(&mut self, _now: Moment) {
        self.full = None;
        self.interruption = None;
        self.forget_questions();
        self.forget_waiting_details();
        self.rooms_offline();
        self.forget_device_questions();
        self.outbox.turn_back();
        self.people.forget_presence();
        self.show(Presence {
            availability: Availability::Offline,
            activity: None,
            note: self.own.note().cloned(),
        });
        self.notice(NoticeBody::Roster { item: None, removed: None });
        for with in std::mem::take(&mut self.writing) {
            if let Some(talk) = self.talks.get_mut(&with) {
                talk.writing_until = None;
            }
            self.their_typing(&with, None);
        }
    }

    /// A stanza came.
    pub fn receive(&mut self, stanza: Stanza, now: Moment) {
        self.time = now;
        match stanza {
            Stanza::Iq(iq) => self.receive_iq(iq, now),
            Stanza::Message(message) => self.receive_message(message, now),
            Stanza::Presence(presence) => self.receive_presence(presence, now),
        }
    }

    /// The server has the stanza with this id. Ids of anything but chat messages are passed over.
    pub fn acknowledged(&mut self, id: &str, _now: Moment) {
        if let Some((with, parcel)) = self.outbox.confirm(id) {
            match parcel {
                Parcel::Message(_) => {
                    self.progress(&with, MessageId(id.to_owned()), Delivery::Sent, None);
                }
                Parcel::Change(_) => self.forget_change(id),
            }
            self.flush();
        }
    }

    /// Whether an own message waits for the store's word ([`Im::message_kept`]).
    pub fn is_unkept(&self, id: &MessageId) -> bool {
        self.outbox.is_unkept(id)
    }

    /// The store keeps this message of ours, or cannot: from now on it may be sent. Before that it is
    /// not: what others have and we do not after a crash would be sent a second time.
    pub fn message_kept(&mut self, id: &MessageId) {
        if self.outbox.kept(id) {
            self.flush();
        }
    }

    /// When [`Im::handle_timeout`] wants to be called next.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.writing
            .iter()
            .filter_map(|with| self.talks.get(with))
            .flat_map(|talk| [talk.typing_until, talk.writing_until])
            .flatten()
            .chain(self.next_question_timeout())
            .chain(self.presence_due())
            .chain(self.next_rooms_timeout())
            .min()
    }

    /// Time has passed: typing that nobody confirmed has ended.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.time = now;
        self.give_up_questions(now);
        self.refresh_presence();
        self.rooms_timeout();
        for with in self.writing.clone() {
            let Some(talk) = self.talks.get(&with) else {
                continue;
            };
            let (theirs, ours) = (talk.typing_until, talk.writing_until);
            if theirs.is_some_and(|until| until <= now.at) {
                self.their_typing(&with, None);
            }
            if ours.is_some_and(|until| until <= now.at) {
                self.typing(&with, false, now);
            }
        }
        self.forget_idle_writers();
    }

    /// The next thing to do, until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        if self.outputs.is_empty() {
            self.settle_keys();
        }
        self.outputs.pop_front()
    }

    /// Contacts in order of their names, with those who wait for an answer to
    /// [`Im::roster_answer`].
    pub fn contacts(&self) -> Arc<Vec<Arc<Contact>>> {
        self.people.list()
    }

    /// Conversations that have a message, newest first.
    pub fn chats(&self) -> Arc<Vec<Arc<Chat>>> {
        Arc::clone(&self.chats)
    }

    /// How often somebody tried what is not theirs to do: to change another one's message, to play our
    /// other device, our server or an archive.
    pub fn forgeries(&self) -> u64 {
        self.trespasses.count()
    }

    /// Messages in memory by conversation, in order of time and without a gap up to the newest: of
    /// the one that was opened last as many as were asked for, of each other at most 200.
    pub fn messages(&self) -> Arc<BTreeMap<Jid, Arc<Vec<Arc<Message>>>>> {
        Arc::clone(&self.messages)
    }

    /// Our presence as others see it: offline without a connection.
    pub fn own_presence(&self) -> &Presence {
        &self.shown
    }

    fn receive_iq(&mut self, iq: Iq, now: Moment) {
        match iq {
            Iq::Get { from, id, payload, .. } => {
                self.send(Stanza::Iq(iq::answer_get(from, id, payload)))
            }
            Iq::Set { from, id, payload, .. } => {
                let trusted = self.is_own_server(from.as_ref());
                if !trusted && (payload.has_ns(ns::ROSTER) || payload.has_ns(ns::BLOCKING)) {
                    self.refuse(Trespass::Contacts, None);
                }
                if trusted && self.blocking_push(&payload) {
                    return self.send(Stanza::Iq(iq::result(from, id, None)));
                }
                let answer = match payload.try_into() {
                    Ok(push) if trusted => {
                        self.roster_push(push);
                        iq::result(from, id, None)
                    }
                    Ok(_) | Err(_) => iq::refusal(from, id, DefinedCondition::ServiceUnavailable),
                };
                self.send(Stanza::Iq(answer));
            }
            Iq::Result { from, id, payload, .. } => {
                self.receive_answer(from, &id, Ok(payload), now);
            }
            Iq::Error { from, id, error, .. } => self.receive_answer(from, &id, Err(error), now),
        }
    }

    /// Whether a stanza comes from our own account or server: without an address, from our bare
    /// one, or from the domain (RFC 6121 section 2.1.6).
    fn is_own_server(&self, from: Option<&xmpp_parsers::jid::Jid>) -> bool {
        let Some(from) = from else {
            return true;
        };
        jid_from_wire(from).is_some_and(|from| {
            from.resource().is_none() && (from == self.me || from.bare_str() == self.me.domain())
        })
    }

    fn show(&mut self, presence: Presence) {
        if self.shown != presence {
            self.shown = presence;
            self.notice(NoticeBody::Presence {
                contact: self.me.clone(),
                availability: self.shown.availability,
                activity: self.shown.activity,
                note: self.shown.note.clone(),
            });
        }
    }

    fn send(&mut self, stanza: Stanza) {
        if self.full.is_some() {
            self.outputs.push_back(Output::Send(stanza));
        } else if let Some(interruption) = &mut self.interruption {
            interruption.postpone(stanza);
        }
    }

    fn store(&mut self, request: StoreRequest) {
        self.outputs.push_back(Output::Store(request));
    }

    fn notice(&mut self, body: NoticeBody) {
        self.outputs.push_back(Output::Notice(body));
    }
}
