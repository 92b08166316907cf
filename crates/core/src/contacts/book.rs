//! The address book on a server (RFC 6352) that the settings name: read at sign-in, once an hour, and
//! when somebody wishes. What was read is found like everything else, and kept where people are kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_contacts::carddav::{BookPlan, Kept};
use offhook_model::{Area, DirectoryEntry, Moment, Owner, Problem, Secret, SourceKind};
use offhook_ports::StoreRequest;

use crate::phase::Phase;
use crate::{Core, Effect, RunId, StoreTag};

/// Name of its password in the credential store. Accounts there have an @ in theirs.
const KEPT_AS: &str = "address book (CardDAV)";
/// Between two readings. After the first one the server tells what has changed.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// Readings at once of an address book that is larger than what one takes.
const MOST_AT_ONCE: u8 = 20;

/// What a reading brought.
#[derive(Debug, Default)]
pub struct BookRead {
    /// It is all that there is.
    pub whole: bool,
    /// People that are new or have changed.
    pub entries: Vec<DirectoryEntry>,
    /// Ids of those that are there no longer.
    pub gone: Vec<String>,
    /// There is more.
    pub more: bool,
    /// Why single address books could not be read.
    pub problems: Vec<Problem>,
    /// For the next time.
    pub kept: Kept,
}

/// What is known of the address book in this session.
#[derive(Default)]
pub(super) struct Book {
    password: Option<Secret<String>>,
    /// Of the last reading. Not kept beyond the session: what the store has of people may have been
    /// forgotten by its age meanwhile.
    kept: Option<Kept>,
    run: Option<RunId>,
    /// When it is read again.
    pub(super) due: Option<Instant>,
    /// Readings one after the other.
    readings: u8,
    /// Its address was typed in this session.
    typed: bool,
}

impl Core {
    /// Reads the address book, if there is one; without its password that is looked for first.
    pub(super) fn read_address_book(&mut self) {
        let Phase::Up(_) = self.phase else { return };
        let side = &mut self.contacts.book;
        let Some(book) = self.settings.contacts.address_book.clone() else { return };
        let Some(password) = side.password.clone() else {
            let request = StoreRequest::GetPassword(KEPT_AS.to_owned());
            self.out.push_back(Effect::Store(StoreTag::BookPassword, request));
            return;
        };
        if side.run.is_some() {
            return;
        }
        let plan = BookPlan { address: book.url, user_name: book.user_name, password };
        let since = side.kept.clone();
        let run = self.next_run();
        self.contacts.book.run = Some(run);
        self.contacts.book.due = None;
        self.out.push_back(Effect::ReadAddressBook { run, plan: Box::new(plan), since });
    }

    /// The credential store's answer. Without a password nobody is asked.
    pub(crate) fn book_password_read(&mut self, password: Option<Secret<String>>, now: Moment) {
        let side = &mut self.contacts.book;
        if side.password.is_some() {
            return;
        }
        match password {
            Some(password) => {
                side.password = Some(password);
                self.read_address_book();
            }
            // Who has just typed an address types its password next.
            None if side.typed => {}
            None => {
                let problem = Problem::new(
                    Area::Authentication,
                    Owner::User,
                    "The password of the address book is not known on this computer, so it is not read.",
                    "Type it in the settings under Contacts.",
                )
                .coded("address-book-password", []);
                self.toast(problem, now);
            }
        }
    }

    /// Keeps the password; an empty one forgets it.
    pub(crate) fn set_address_book_password(&mut self, password: Secret<String>) {
        let name = KEPT_AS.to_owned();
        self.stop_reading_book();
        if password.expose().is_empty() {
            self.contacts.book.password = None;
            self.store(StoreRequest::ForgetPassword(name));
        } else {
            self.contacts.book.password = Some(password.clone());
            self.store(StoreRequest::PutPassword(name, password));
            self.read_address_book();
        }
    }

    /// The settings name another one, or none any more. The password was for the one before: it is
    /// not shown to whoever is named now.
    pub(super) fn address_book_changed(&mut self) {
        self.stop_reading_book();
        self.contacts.book = Book { typed: true, ..Book::default() };
        self.store(StoreRequest::ForgetPassword(KEPT_AS.to_owned()));
        self.forget_cards(None);
    }

    fn stop_reading_book(&mut self) {
        self.contacts.book.due = None;
        self.contacts.book.readings = 0;
        if let Some(run) = self.contacts.book.run.take() {
            self.out.push_back(Effect::Cancel(run));
        }
    }

    pub(super) fn end_address_book(&mut self) {
        self.stop_reading_book();
    }

    pub(super) fn address_book_due(&mut self, now: Moment) {
        if self.contacts.book.due.is_some_and(|due| due <= now.at) {
            self.contacts.book.due = None;
            self.read_address_book();
        }
    }

    fn forget_cards(&mut self, gone: Option<Vec<String>>) {
        match &gone {
            None => self.contacts.index.retain(SourceKind::CardDav, |_| false),
            Some(gone) => {
                for id in gone {
                    self.contacts.index.remove(SourceKind::CardDav, id);
                }
            }
        }
        let nobody = gone.as_ref().is_some_and(Vec::is_empty);
        if !nobody && matches!(self.phase, Phase::Up(_)) {
            self.store(StoreRequest::ForgetPeople(SourceKind::CardDav, gone));
        }
    }

    /// The address book was read, or could not be.
    pub(crate) fn address_book_read(
        &mut self,
        run: RunId,
        read: Result<BookRead, Problem>,
        now: Moment,
    ) {
        if self.contacts.book.run != Some(run) {
            return;
        }
        self.contacts.book.run = None;
        self.contacts.book.due = Some(now.at + EVERY);
        let read = match read {
            Ok(read) => read,
            Err(problem) => {
                self.contacts.book.readings = 0;
                if problem.area == Area::Authentication {
                    // Servers lock accounts after some wrong passwords; the next try is the user's.
                    self.contacts.book.due = None;
                }
                return self.toast(problem, now);
            }
        };
        self.forget_cards(if read.whole { None } else { Some(read.gone) });
        if self.settings.contacts.keep && !read.entries.is_empty() {
            let kept = read.entries.iter().cloned().map(Arc::new).collect();
            self.store(StoreRequest::PutPeople(kept));
        }
        self.contacts.index.extend(read.entries);
        for problem in read.problems {
            self.toast(problem, now);
        }
        let side = &mut self.contacts.book;
        side.kept = Some(read.kept);
        side.readings = if read.more { side.readings + 1 } else { 0 };
        if (1..MOST_AT_ONCE).contains(&side.readings) {
            self.read_address_book();
        }
    }
}
