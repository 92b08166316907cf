//! People beyond the contact list: what is known of them here, the directory, and contacts of our
//! own.
//!
//! [`Known`](known) keeps everybody who is known here in one index; `directory` decides who is asked
//! about others and takes the answers, `federated` tries other forms of addresses; `callers` gives names to calls; `own` keeps contacts that were
//! made here; `groups` takes groups of the directory over; `book` reads the address book on a server; `portraits` fetches pictures. What the window shows of a search is decided by
//! [`offhook_contacts::Search`].

mod book;
mod callers;
mod directory;
mod federated;
mod groups;
mod known;
mod own;
mod portraits;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_contacts::federation::ContactIdFormat;
use offhook_contacts::numbers::{Country, comparable};
use offhook_contacts::{
    AskId, Directory, Index, Known, Query, Search, SearchLimits, SearchOutput, merge,
};
use offhook_model::{
    CallId, CallRecord, CardsDone, CommandError, Contact, ContactSettings, ContactsWish,
    DirectoryEntry, ErrorCode, GroupTaking, Jid, Moment, PeopleSearch, Person, Portraits, Reply,
    SearchStage, SourceKind, Ticket,
};
use offhook_signin::People;

use book::Book;
pub use book::BookRead;

use crate::{Core, RunId};

/// Searches of the control API that run at once.
const MOST_SEARCHES: usize = 32;
/// Bounds of `limit` of a search.
const LIMIT: std::ops::RangeInclusive<u32> = 1..=1_000;
/// Bounds of `keepDays` of the settings.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

/// Settings that cannot be are refused before they are kept.
///
/// # Errors
/// Which one, and its bounds.
pub(crate) fn check(settings: &ContactSettings) -> Result<(), CommandError> {
    if DAYS.contains(&settings.keep_days) {
        return Ok(());
    }
    Err(CommandError::user(
        ErrorCode::InvalidParams,
        format!("People cannot be kept for {} days.", settings.keep_days),
        "Choose 1 to 3,650 days.",
    ))
}

/// What is known of people, and who is being looked for.
pub(crate) struct ContactSide {
    pub(crate) people: Arc<PeopleSearch>,
    pub(crate) own: Arc<Vec<Arc<DirectoryEntry>>>,
    pub(crate) portraits: Arc<Portraits>,
    pub(crate) cards: Option<Arc<CardsDone>>,
    pub(crate) taking: Option<Arc<GroupTaking>>,
    /// What the last sign-in gave for finding people.
    pub(crate) given: People,
    /// Tells the sessions of a run apart; 0 is none.
    session: u32,
    index: Index,
    search: Search,
    /// Searches of the control API.
    once: Vec<Once>,
    /// The contact list and the call history as far as the index knows them.
    roster: Arc<Vec<Arc<Contact>>>,
    log: Arc<Vec<Arc<CallRecord>>>,
    directory: Option<Directory>,
    asks: HashMap<RunId, Ask>,
    /// Calls for which a name was looked for.
    named: BTreeSet<CallId>,
    /// Contacts that the directory was asked about.
    resolved: HashSet<Jid>,
    /// Those of them that are not known by their user names, with the formats to try, the next one
    /// last; and how many there were.
    federated: VecDeque<(Jid, Vec<ContactIdFormat>)>,
    looked_for: usize,
    /// Chat addresses of those who were found so, by the directory's id of the entry.
    addresses: HashMap<String, Jid>,
    /// Pictures that are being fetched, and those that are here in the order in which they came.
    fetching: HashSet<(SourceKind, String)>,
    fetched: VecDeque<(SourceKind, String)>,
    book: Book,
}

/// A search that is answered once.
struct Once {
    ticket: Ticket,
    search: Search,
}

/// What the directory is asked for.
enum Ask {
    /// The search box.
    Typed(AskId),
    /// A search that is answered once.
    Once(Ticket, AskId),
    /// Groups, for the search box or for a search that is answered once.
    Groups(Option<Ticket>, AskId),
    /// Who is in the group that the directory calls so, to take it over.
    Group(Ticket, String),
    /// Whose number or address this is, for the control API.
    Resolve(Ticket, String),
    /// Who calls.
    Caller(String),
    /// Who stands on the contact list.
    Roster(Vec<Jid>),
    /// The same of one of them, by another form of the address.
    Federated(Jid),
    /// A picture.
    Portrait(SourceKind, String),
}

impl Default for ContactSide {
    fn default() -> Self {
        Self {
            people: Arc::default(),
            own: Arc::default(),
            portraits: Arc::default(),
            cards: None,
            taking: None,
            given: People::default(),
            session: 0,
            index: Index::new(),
            search: Search::new(SearchLimits::default()),
            once: vec![],
            roster: Arc::default(),
            log: Arc::default(),
            directory: None,
            asks: HashMap::new(),
            named: BTreeSet::new(),
            resolved: HashSet::new(),
            federated: VecDeque::new(),
            looked_for: 0,
            addresses: HashMap::new(),
            fetching: HashSet::new(),
            fetched: VecDeque::new(),
            book: Book::default(),
        }
    }
}

impl ContactSide {
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let once = self.once.iter().map(|once| &once.search);
        let searches = once.chain([&self.search]).filter_map(Search::next_timeout);
        searches.chain(self.book.due).min()
    }
}

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn contacts_wish(
        &mut self,
        ticket: Ticket,
        wish: ContactsWish,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        match wish {
            ContactsWish::Type { query } => {
                self.type_into_search(&query, now);
                Some(Ok(Reply::Done))
            }
            ContactsWish::Search { query, limit } => self.search_once(ticket, &query, limit, now),
            ContactsWish::Resolve { who } => self.resolve(ticket, who, now),
            ContactsWish::Portrait { source, id } => {
                Some(self.want_portrait(source, id).map(|()| Reply::Done))
            }
            ContactsWish::Save { entry } => Some(self.save_own(*entry).map(Reply::Contact)),
            ContactsWish::Forget { id } => Some(self.forget_own(&id).map(|()| Reply::Done)),
            ContactsWish::Import { path } => self.import_cards(ticket, path),
            ContactsWish::Export { path, roster } => self.export_cards(ticket, path, roster),
            ContactsWish::TakeGroup { id } => self.take_group(ticket, id),
            ContactsWish::Refresh => {
                self.read_address_books();
                Some(Ok(Reply::Done))
            }
        }
    }

    /// Where numbers without a country code are from: the country whose tones are used.
    fn country(&self) -> Option<Country> {
        self.wanted_sound().tones.and_then(|country| country.code().parse().ok())
    }

    fn limits(&self) -> SearchLimits {
        let fewest = match &self.contacts.directory {
            Some(_) => self.memory.settings().number("MinimumCharacterQuery").unwrap_or(3),
            // Nobody is asked.
            None => u64::MAX,
        };
        let fewest = usize::try_from(fewest).unwrap_or(usize::MAX);
        let groups = self.contacts.directory.as_ref().is_some_and(Directory::has_groups);
        SearchLimits { fewest, groups, ..SearchLimits::default() }
    }

    fn type_into_search(&mut self, query: &str, now: Moment) {
        self.know_local(now);
        let (limits, country) = (self.limits(), self.country());
        let side = &mut self.contacts;
        side.search.set_limits(limits);
        let known = Known { index: &side.index, number: &|text| comparable(text, country) };
        side.search.handle_typed(query, known, now);
    }

    fn search_once(
        &mut self,
        ticket: Ticket,
        query: &str,
        limit: u32,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        if !LIMIT.contains(&limit) {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                format!("limit {limit} is out of range."),
                "Use 1 to 1000.",
            )));
        }
        if self.contacts.once.len() >= MOST_SEARCHES {
            return Some(Err(CommandError::user(
                ErrorCode::NotPossible,
                "Too many searches run at once.",
                "Wait until one of them is answered.",
            )));
        }
        self.know_local(now);
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let limits = SearchLimits { pause: Duration::ZERO, most, ..self.limits() };
        let country = self.country();
        let side = &mut self.contacts;
        let known = Known { index: &side.index, number: &|text| comparable(text, country) };
        let mut search = Search::new(limits);
        search.handle_typed(query, known, now);
        search.handle_timeout(now);
        side.once.push(Once { ticket, search });
        None
    }

    pub(crate) fn contacts_due(&mut self, now: Moment) {
        self.contacts.search.handle_timeout(now);
        self.address_book_due(now);
        for once in &mut self.contacts.once {
            once.search.handle_timeout(now);
        }
    }

    /// Runs after every event: what the searches want goes out, callers get their names.
    pub(crate) fn drain_contacts(&mut self, now: Moment) {
        let mut changed = false;
        while let Some(output) = self.contacts.search.poll() {
            match output {
                SearchOutput::Ask(ask, text) => self.ask_typed(Ask::Typed(ask), text),
                SearchOutput::AskGroups(ask, text) => self.ask_groups(None, ask, text),
                SearchOutput::Cancel(ask) => self.cancel_asks(|one| {
                    matches!(one, Ask::Typed(other) | Ask::Groups(None, other) if *other == ask)
                }),
                SearchOutput::Changed => changed = true,
            }
        }
        if changed {
            self.contacts.people = Arc::new(self.contacts.search.shown().clone());
        }
        self.drain_once();
        self.name_callers(now);
        self.resolve_roster();
        self.ask_federated();
    }

    fn drain_once(&mut self) {
        for at in 0..self.contacts.once.len() {
            let ticket = self.contacts.once[at].ticket;
            while let Some(output) = self.contacts.once[at].search.poll() {
                match output {
                    SearchOutput::Ask(ask, text) => self.ask_typed(Ask::Once(ticket, ask), text),
                    SearchOutput::AskGroups(ask, text) => {
                        self.ask_groups(Some(ticket), ask, text);
                    }
                    SearchOutput::Cancel(_) | SearchOutput::Changed => {}
                }
            }
        }
        let over = |once: &Once| {
            let waits = once.search.next_timeout().is_some();
            !waits || once.search.shown().stage == SearchStage::Done
        };
        let (over, on): (Vec<Once>, Vec<Once>) =
            std::mem::take(&mut self.contacts.once).into_iter().partition(over);
        self.contacts.once = on;
        for once in over {
            let found = once.search.shown().clone();
            self.reply(once.ticket, Ok(Reply::People(Box::new(found))));
        }
    }

    /// Persons of these entries, the best first.
    fn persons(&self, entries: &[Arc<DirectoryEntry>], query: &str) -> PeopleSearch {
        let country = self.country();
        let people = merge(entries, |text| comparable(text, country));
        let words = Query::read(query);
        let mut people: Vec<Person> = people.into_iter().map(|merged| merged.person).collect();
        for person in &mut people {
            person.matched = words.why(&person.entry);
        }
        PeopleSearch {
            query: query.to_owned(),
            people,
            stage: SearchStage::Done,
            ..PeopleSearch::default()
        }
    }
}
