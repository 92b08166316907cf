//! The core itself: its state, and the way in and out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use offhook_config::ProvisionLimit;
use offhook_model::{
    AcceptedKey, CallRecord, ChatFound, CommandError, Devices, ErrorCode, Jid, Keeping,
    ManualAccount, Moment, Notice, NoticeBody, Problem, ProblemId, Provisioned, Reply, Session,
    Settings, Snapshot, Ticket, Toast, UserAddress,
};
use offhook_ports::{EntropySource, Loaded, MediaFact, Remembered, StoreAnswer, StoreRequest};
use offhook_signin::EdgeBudget;

use crate::budget::Budget;
use crate::calls::PhoneSide;
use crate::chance::Chance;
use crate::chat::ChatSide;
use crate::contacts::ContactSide;
use crate::enrolling::Enrolling;
use crate::files::FileSide;
use crate::gate::Gate;
use crate::history::Reads;
use crate::memory::Memory;
use crate::network::Network;
use crate::notify::NotifySide;
use crate::people::PeopleSide;
use crate::phase::Phase;
use crate::policy::PolicySide;
use crate::trust::Trust;
use crate::{Effect, Event, LinkId, RunId, StoreTag};

/// How many problems are shown; the oldest go first.
const TOASTS: usize = 20;

/// What a core starts with.
pub struct Options {
    /// Product name and version, as User-Agent.
    pub product: String,
    /// Chance. Two cores with the same seed and events do the same.
    pub seed: u64,
    /// The user's settings.
    pub settings: Settings,
    /// Manual connection settings.
    pub manual: ManualAccount,
    /// Layers of settings that others made, kept from earlier runs or read on this first launch.
    pub provisioned: Provisioned,
    /// What discovery found the last time.
    pub remembered: Option<Remembered>,
    /// Keys that the user accepted.
    pub accepted: Vec<AcceptedKey>,
    /// The domain of this computer as its system knows it (`USERDNSDOMAIN`), in which directory
    /// servers are looked for that nobody named.
    pub workstation_domain: Option<String>,
    /// A person sits in front of a window. Without one a question about a certificate is answered
    /// with no at once, and stays to be answered otherwise for the next attempt.
    pub attended: bool,
    /// Devices in use.
    pub devices: Devices,
    /// Where chance for keys comes from.
    pub entropy: EntropySource,
}

/// All application state.
pub struct Core {
    pub(crate) product: String,
    pub(crate) chance: Chance,
    pub(crate) entropy: EntropySource,
    pub(crate) gate: Gate,
    pub(crate) settings: Arc<Settings>,
    pub(crate) manual: ManualAccount,
    pub(crate) helpers: crate::ways::Helpers,
    pub(crate) devices: Arc<Devices>,
    pub(crate) phase: Phase,
    pub(crate) session: Session,
    pub(crate) told: Session,
    pub(crate) chat: ChatSide,
    pub(crate) phone: PhoneSide,
    pub(crate) enrolling: Enrolling,
    pub(crate) files: FileSide,
    pub(crate) policy: PolicySide,
    pub(crate) people: PeopleSide,
    pub(crate) contacts: ContactSide,
    pub(crate) notify: NotifySide,
    pub(crate) keeping: Keeping,
    pub(crate) call_log: Arc<Vec<Arc<CallRecord>>>,
    /// The search in kept messages whose answer the snapshot will show.
    pub(crate) searched: Option<(Ticket, String, Option<Jid>)>,
    pub(crate) found: Arc<ChatFound>,
    pub(crate) toasts: Arc<Vec<Toast>>,
    pub(crate) out: VecDeque<Effect>,
    pub(crate) last_run: u32,
    pub(crate) reads: Reads,
    pub(crate) memory: Memory,
    pub(crate) network: Network,
    pub(crate) budget: Budget,
    pub(crate) trust: Trust,
    pub(crate) urls: ProvisionLimit,
    /// The user knows that the password is kept in memory only.
    pub(crate) memory_only_told: bool,
    /// Who signed in last, and under which user name.
    pub(crate) last_user: Option<(UserAddress, String)>,
    /// How often edges may be asked; it outlives sessions, so that no row of them is too many.
    pub(crate) edge_budget: EdgeBudget,
    pub(crate) workstation_domain: Option<String>,
    last_toast: u32,
    revision: u64,
}

impl Core {
    /// A core that nobody has signed in to. It has wishes already; see [`Core::poll_effect`].
    pub fn new(options: Options) -> Self {
        let mut chance = Chance::new(options.seed);
        let chat = ChatSide::new(chance.next());
        let mut core = Self {
            product: options.product,
            chance,
            entropy: options.entropy,
            gate: Gate::default(),
            settings: Arc::new(options.settings),
            manual: options.manual,
            helpers: crate::ways::Helpers::default(),
            devices: Arc::new(options.devices),
            phase: Phase::SignedOut,
            session: Session::default(),
            told: Session::default(),
            chat,
            phone: PhoneSide::default(),
            enrolling: Enrolling::default(),
            files: FileSide::default(),
            policy: PolicySide::default(),
            people: PeopleSide::default(),
            contacts: ContactSide::default(),
            notify: NotifySide::default(),
            keeping: Keeping::default(),
            call_log: Arc::default(),
            searched: None,
            found: Arc::default(),
            toasts: Arc::default(),
            out: VecDeque::new(),
            last_run: 0,
            reads: Reads::default(),
            memory: Memory::new(options.provisioned, options.remembered),
            network: Network::default(),
            budget: Budget::default(),
            trust: Trust::new(options.accepted, options.attended),
            urls: ProvisionLimit::default(),
            memory_only_told: false,
            last_user: None,
            edge_budget: EdgeBudget::default(),
            workstation_domain: options.workstation_domain,
            last_toast: 0,
            revision: 0,
        };
        core.begin();
        core
    }

    /// Takes one event.
    pub fn handle(&mut self, event: Event, now: Moment) {
        self.notice_sleep(now);
        match event {
            Event::Command(ticket, command) => self.command(ticket, command, now),
            Event::Progress(run, progress) => self.progress(run, progress),
            Event::Told(problems) => problems.into_iter().for_each(|it| self.toast(it, now)),
            Event::Flow(run, outcome) => self.flow_over(run, outcome, now),
            Event::Xmpp(link, event) => self.xmpp(link, event, now),
            Event::SipOpened { flow, local, remote, tls } => {
                self.sip_opened(flow, local, remote, tls, now);
            }
            Event::SipData(flow, bytes) => self.sip_data(flow, &bytes, now),
            Event::SipFailed(flow, fault) => self.sip_failed(flow, fault, now),
            Event::Reserved(call, ports) => {
                self.with_phone(|phone| phone.reserved(call, ports, now));
            }
            Event::Media(fact) => self.media(&fact, now),
            Event::Devices(devices) => self.devices_came(devices, now),
            Event::Transfer(id, fact) => self.transfer_fact(id, fact, now),
            Event::Store(tag, answer) => self.stored(tag, answer, now),
            Event::Network(state) => self.network_is(state, now),
            Event::Desk { idle, locked } => self.desk_is(idle, locked, now),
            Event::Cards(what, path, read) => self.cards_read(what, path, read, now),
            Event::CardsWritten(ticket, path, written) => {
                self.cards_written(ticket, path, written);
            }
            Event::PhotoFile(ticket, read) => self.photo_file(ticket, read, now),
            Event::Trust(question) => self.trust_asked(*question, now),
            Event::Timeout => self.timeout(now),
        }
        self.settle(now);
    }

    /// The next wish.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.out.pop_front()
    }

    /// When [`Event::Timeout`] is due; nothing means only an event can change anything.
    pub fn next_timeout(&self) -> Option<Instant> {
        [
            self.chat.next_timeout(),
            self.files.next_timeout(),
            self.phone.next_timeout(),
            self.session_timeout(),
            self.moving_timeout(),
            self.enrolment_timeout(),
            self.notify_timeout(),
            self.contacts.next_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Everything as it is now.
    pub fn snapshot(&mut self) -> Snapshot {
        self.revision += 1;
        self.project(self.revision)
    }

    fn timeout(&mut self, now: Moment) {
        self.session_due(now);
        self.moving_due(now);
        self.enrolment_due(now);
        self.notify_due(now);
        self.chat_due(now);
        self.files_due(now);
        self.contacts_due(now);
        self.with_phone(|phone| phone.handle_timeout(now));
    }

    /// Runs after every event: what the machines want goes out, what changed is told.
    fn settle(&mut self, now: Moment) {
        self.follow_policy(now);
        self.follow_people(now);
        self.drain_chat(now);
        self.drain_files(now);
        self.drain_chat(now);
        self.drain_phone(now);
        self.drain_contacts(now);
        self.reconsider(now);
        if !looks_the_same(&self.session, &self.told) {
            self.told = self.session.clone();
            let session = Box::new(self.session.clone());
            self.notice(NoticeBody::Session(session), now);
        }
    }

    fn media(&mut self, fact: &MediaFact, now: Moment) {
        match fact {
            MediaFact::DevicesChanged => self.out.push_back(Effect::MediaDevices),
            MediaFact::DeviceLost(why) => {
                let problem = Problem::new(
                    offhook_model::Area::Media,
                    offhook_model::Owner::User,
                    format!("A sound device is not usable: {why}."),
                    "Plug it in again or choose another one in the settings; a call goes on meanwhile.",
                );
                self.toast(problem, now);
                self.out.push_back(Effect::MediaDevices);
            }
            MediaFact::FirstPacket(_)
            | MediaFact::Silence(..)
            | MediaFact::SoundAgain(_)
            | MediaFact::Digit(..)
            | MediaFact::Legs(..)
            | MediaFact::Way(..)
            | MediaFact::Figures { .. }
            | MediaFact::DigitsSent(_) => self.with_phone(|phone| phone.media(fact, now)),
        }
    }

    fn stored(&mut self, tag: StoreTag, answer: StoreAnswer, now: Moment) {
        let of_session =
            matches!(tag, StoreTag::Loaded | StoreTag::OpenChat(_) | StoreTag::Older(..));
        if of_session && !self.read_is_wanted() {
            return;
        }
        if let StoreTag::Own(id) = &tag {
            self.own_message_kept(id);
        }
        match (tag, answer) {
            (StoreTag::Query(ticket), StoreAnswer::Messages { items, more }) => {
                if let Some((_, query, with)) = self.searched.take_if(|one| one.0 == ticket) {
                    self.found = Arc::new(ChatFound { query, with, items: items.clone() });
                }
                self.reply(ticket, Ok(Reply::Messages { items, more }));
            }
            (StoreTag::Query(ticket), StoreAnswer::Failed(why)) => {
                self.reply(ticket, Err(store_failed(&why)));
            }
            (StoreTag::Query(ticket), StoreAnswer::Exported(path, messages)) => {
                self.reply(ticket, Ok(Reply::Exported { path, messages }));
            }
            (StoreTag::Older(with, before), StoreAnswer::Messages { items, more }) => {
                self.chat.older_read(&with, before.as_ref(), items, more);
            }
            (StoreTag::OpenChat(with), StoreAnswer::Messages { items, more }) => {
                self.chat.open_chat(with, items, more);
            }
            (_, StoreAnswer::KeptBut(why)) => self.archive_failed(why, now),
            (_, StoreAnswer::Opened(keeping)) => self.history_opened(keeping, now),
            (StoreTag::Loaded, StoreAnswer::Loaded(mut loaded)) => {
                self.keeping = loaded.keeping.clone();
                let calls = std::mem::take(&mut loaded.calls);
                self.call_log = Arc::new(calls.into_iter().map(Arc::new).collect());
                self.chat.loaded(*loaded);
                self.wait_no_longer(now);
            }
            (StoreTag::Value(number), answer) => {
                self.value_kept(number, &answer);
                if !matches!(answer, StoreAnswer::Kept) {
                    self.stored(StoreTag::Nothing, answer, now);
                }
            }
            (StoreTag::People(session), StoreAnswer::People(entries)) => {
                self.people_loaded(session, entries);
            }
            (StoreTag::Portrait(source, id), StoreAnswer::Photo(_, bytes)) => {
                self.portrait_read((source, id), bytes);
            }
            (StoreTag::Photo(id), answer) => self.chat.photo_read(id, answer, now),
            (StoreTag::Identity(run), StoreAnswer::Password(kept)) => {
                self.identity_read(run, kept.as_ref(), now);
            }
            (StoreTag::Identity(run), StoreAnswer::Failed(_)) => self.identity_read(run, None, now),
            (StoreTag::Identity(run), StoreAnswer::MemoryOnly(why)) => {
                self.no_credential_store(&why, now);
                self.identity_read(run, None, now);
            }
            (StoreTag::Password(run), StoreAnswer::Password(password)) => {
                self.password_read(run, password, now);
            }
            (StoreTag::Password(run), StoreAnswer::Failed(_)) => self.password_read(run, None, now),
            (StoreTag::Password(run), StoreAnswer::MemoryOnly(why)) => {
                self.no_credential_store(&why, now);
                self.password_read(run, None, now);
            }
            (StoreTag::RelayPassword, StoreAnswer::Password(password)) => {
                self.relay_password_read(password);
            }
            (StoreTag::BookPassword, StoreAnswer::Password(password)) => {
                self.book_password_read(password, now);
            }
            (StoreTag::BookPassword, StoreAnswer::Failed(_)) => self.book_password_read(None, now),
            (StoreTag::BookPassword, StoreAnswer::MemoryOnly(why)) => {
                self.no_credential_store(&why, now);
                self.book_password_read(None, now);
            }
            (StoreTag::Portrait(source, id), StoreAnswer::Failed(_)) => {
                self.portrait_read((source, id), None);
            }
            (tag, StoreAnswer::Failed(why)) => {
                if tag == StoreTag::Loaded {
                    // What waits for it goes on with nothing.
                    self.chat.loaded(Loaded::default());
                    self.wait_no_longer(now);
                }
                let problem = Problem::new(
                    offhook_model::Area::Provisioning,
                    offhook_model::Owner::User,
                    format!("The history on this computer cannot be kept: {why}."),
                    "Check that the disk is not full and that the profile folder may be written.",
                );
                self.toast(problem, now);
            }
            (_, StoreAnswer::MemoryOnly(why)) => self.no_credential_store(&why, now),
            // Answers that nobody waits for.
            (
                _,
                StoreAnswer::Kept
                | StoreAnswer::Loaded(_)
                | StoreAnswer::Messages { .. }
                | StoreAnswer::Photo(..)
                | StoreAnswer::People(_)
                | StoreAnswer::Exported(..)
                | StoreAnswer::Password(_),
            ) => {}
        }
    }

    /// Told once a session.
    fn no_credential_store(&mut self, words: &str, now: Moment) {
        if !std::mem::replace(&mut self.memory_only_told, true) {
            self.toast(no_credential_store(words), now);
        }
    }

    // ---- helpers for the rooms -------------------------------------------------------------

    pub(crate) fn next_run(&mut self) -> RunId {
        self.last_run += 1;
        RunId(self.last_run)
    }

    pub(crate) fn next_link(&mut self) -> LinkId {
        self.last_run += 1;
        LinkId(self.last_run)
    }

    pub(crate) fn store(&mut self, request: StoreRequest) {
        self.out.push_back(Effect::Store(StoreTag::Nothing, request));
    }

    pub(crate) fn reply(&mut self, ticket: Ticket, answer: Result<Reply, CommandError>) {
        self.out.push_back(Effect::Reply(ticket, answer));
    }

    pub(crate) fn notice(&mut self, body: NoticeBody, now: Moment) {
        self.out.push_back(Effect::Notice(Notice { time: now.wall, body }));
    }

    /// Shows a problem until it is dismissed; the same problem is shown once.
    pub(crate) fn toast(&mut self, problem: Problem, now: Moment) {
        if self.toasts.iter().any(|toast| toast.problem == problem) {
            return;
        }
        self.last_toast += 1;
        let toast = Toast { id: ProblemId(self.last_toast), problem: problem.clone() };
        let toasts = Arc::make_mut(&mut self.toasts);
        toasts.push(toast);
        let old = toasts.len().saturating_sub(TOASTS);
        toasts.drain(..old);
        self.notice(NoticeBody::Diagnostic { problem: Box::new(problem) }, now);
    }

    pub(crate) fn dismiss(&mut self, id: ProblemId) -> Result<Reply, CommandError> {
        let before = self.toasts.len();
        Arc::make_mut(&mut self.toasts).retain(|toast| toast.id != id);
        if self.toasts.len() == before {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "There is no such problem on the screen.",
                "It may have been dismissed already.",
            ));
        }
        Ok(Reply::Done)
    }
}

/// Watchers cannot tell these two apart: address, prompt and trace are not told.
fn looks_the_same(a: &Session, b: &Session) -> bool {
    let seen = |s: &Session| (s.state, s.product_mode, s.authenticator, s.via);
    let asks = |s: &Session| (s.question.clone(), s.browser.clone(), s.enrolment.clone());
    seen(a) == seen(b)
        && asks(a) == asks(b)
        && a.step == b.step
        && a.services == b.services
        && a.error == b.error
        && a.restrictions == b.restrictions
}

/// The words hold cause and remedy, in two sentences or more.
fn no_credential_store(words: &str) -> Problem {
    let (cause, remedy) = words.split_once(". ").unwrap_or((words, ""));
    Problem::new(
        offhook_model::Area::Authentication,
        offhook_model::Owner::User,
        format!("{}.", cause.trim_end_matches('.')),
        remedy,
    )
}

fn store_failed(why: &str) -> CommandError {
    CommandError::user(
        ErrorCode::Failed,
        format!("The history on this computer cannot be read: {why}."),
        "Check the profile folder and its rights.",
    )
}
