//! Everybody who is known here: the contact list, calls that were, contacts of our own, and what
//! directories said before.

use std::collections::HashSet;
use std::sync::Arc;

use offhook_contacts::numbers::{Matching, looks_like_number, same};
use offhook_contacts::{Index, Query};
use offhook_model::{
    CallRecord, Contact, ContactSettings, DirectoryEntry, Jid, Moment, NumberKind, PersonNumber,
    SourceKind, Timestamp,
};
use offhook_ports::StoreRequest;

use super::{ContactSide, DAYS};
use crate::phase::Phase;
use crate::{Core, Effect, StoreTag};

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000;
/// Whose word is kept only where that is wanted.
const DIRECTORIES: [SourceKind; 3] = [SourceKind::Ldap, SourceKind::Uds, SourceKind::CardDav];
/// Entries that are looked at for one number or address.
const MOST: usize = 50;

impl Core {
    /// The account's history is open: whom it knows is read.
    pub(crate) fn begin_contacts(&mut self, now: Moment) {
        self.last_run += 1;
        let session = self.last_run;
        self.contacts = ContactSide { session, ..ContactSide::default() };
        let days = i64::from(self.settings.contacts.keep_days.clamp(*DAYS.start(), *DAYS.end()));
        let before = Timestamp(now.wall.0.saturating_sub(days * DAY));
        let request = StoreRequest::LoadPeople(before);
        self.out.push_back(Effect::Store(StoreTag::People(session), request));
    }

    /// The session stands: what the settings name of address books is read.
    pub(crate) fn read_address_books(&mut self) {
        self.read_card_folder();
        self.read_address_book();
    }

    /// What the new settings of people want that the old ones did not. What directories said in this
    /// session is known on without being kept, as for somebody who never kept it.
    pub(crate) fn contact_settings_changed(&mut self, before: &ContactSettings) {
        let now = &self.settings.contacts;
        let (forget, cards) = (before.keep && !now.keep, before.cards != now.cards);
        let book = before.address_book != now.address_book;
        if let Phase::Up(_) = self.phase {
            for source in DIRECTORIES.into_iter().filter(|_| forget) {
                let of = |entry: &&Arc<DirectoryEntry>| entry.source == source;
                let entries = self.contacts.index.entries().filter(of);
                let photos: Vec<_> = entries.filter_map(|it| it.kept_photo.clone()).collect();
                self.store(StoreRequest::ForgetPeople(source, None));
                for photo in photos {
                    self.store(StoreRequest::ForgetPhoto(photo));
                }
            }
        }
        if cards {
            self.read_card_folder();
        }
        if book {
            self.address_book_changed();
        }
    }

    /// Nobody is signed in any more.
    pub(crate) fn end_contacts(&mut self) {
        self.cancel_asks(|_| true);
        self.end_address_book();
        if self.contacts.directory.take().is_some() {
            self.out.push_back(Effect::ForgetDirectory);
        }
        for once in std::mem::take(&mut self.contacts.once) {
            let error = offhook_model::CommandError::not_signed_in("Searching");
            self.reply(once.ticket, Err(error));
        }
        self.contacts = ContactSide::default();
    }

    /// What was kept of people was read.
    pub(crate) fn people_loaded(&mut self, session: u32, entries: Vec<DirectoryEntry>) {
        if self.contacts.session != session {
            return;
        }
        let (own, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.source == SourceKind::Own);
        // What was said in this session is newer.
        let new =
            |entry: &DirectoryEntry| self.contacts.index.get(entry.source, &entry.id).is_none();
        let others: Vec<_> = others.into_iter().filter(new).collect();
        self.contacts.index.extend(own.into_iter().chain(others));
        self.show_own();
    }

    /// The index learns of the contact list and of calls as they are now.
    pub(super) fn know_local(&mut self, now: Moment) {
        let side = &mut self.contacts;
        let roster = self.chat.im().map(|im| im.contacts()).unwrap_or_default();
        if !Arc::ptr_eq(&roster, &side.roster) {
            know_roster(&mut side.index, &roster);
            side.roster = roster;
        }
        if !Arc::ptr_eq(&self.call_log, &side.log) {
            know_calls(&mut side.index, &self.call_log, &side.log, now.wall);
            side.log = Arc::clone(&self.call_log);
        }
    }

    /// The directory has told of this contact.
    pub(super) fn is_known(&self, source: SourceKind, jid: &Jid) -> bool {
        let (found, _) =
            self.contacts.index.search(&Query::read(jid.bare_str()), MOST, Timestamp(0));
        found.iter().any(|it| it.entry.source == source && it.entry.im.as_ref() == Some(jid))
    }

    /// Who is known by this number or address, whose word counts most first. Calls that were say
    /// nothing: their names are those that somebody sent.
    pub(super) fn known_by(&mut self, who: &str, now: Moment) -> Vec<Arc<DirectoryEntry>> {
        self.know_local(now);
        let matching = Matching { country: self.country(), last: 0 };
        let address = who.strip_prefix("sip:").unwrap_or(who).to_lowercase();
        let number = looks_like_number(who);
        let fits = |entry: &DirectoryEntry| {
            if number {
                return entry.numbers.iter().any(|it| same(&it.number, who, &matching));
            }
            let is = |text: &String| text.to_lowercase() == address;
            entry.im.as_ref().is_some_and(|im| im.bare_str() == address)
                || entry.uris.iter().any(is)
                || entry.mail.iter().any(is)
        };
        // The last digits are written alike everywhere.
        let digits = offhook_contacts::numbers::digits(who);
        let end = digits.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
        let query = if number { Query::read(&digits[end..]) } else { Query::read(&address) };
        let (found, _) = self.contacts.index.search(&query, MOST, now.wall);
        let mut found: Vec<_> = found.into_iter().map(|it| it.entry).collect();
        found.retain(|entry| entry.source != SourceKind::History && fits(entry));
        found.sort_by_key(|entry| entry.source);
        found
    }
}

fn know_roster(index: &mut Index, roster: &[Arc<Contact>]) {
    let there: HashSet<&str> = roster.iter().map(|one| one.contact.bare_str()).collect();
    index.retain(SourceKind::Roster, |entry| there.contains(entry.id.as_str()));
    for contact in roster {
        let entry = DirectoryEntry::of_contact(contact);
        let known = index.get(SourceKind::Roster, &entry.id);
        if known.is_none_or(|known| **known != entry) {
            index.insert(entry);
        }
    }
}

/// Calls are newest first; those that are known stand at the end.
fn know_calls(
    index: &mut Index,
    log: &[Arc<CallRecord>],
    before: &[Arc<CallRecord>],
    now: Timestamp,
) {
    let known = before.first();
    let new = log.iter().take_while(|record| known.is_none_or(|it| !Arc::ptr_eq(it, record)));
    let new: Vec<&Arc<CallRecord>> = new.collect();
    for record in new.into_iter().rev() {
        index.note_use(&record.remote, record.started.min(now));
        let mut entry = DirectoryEntry::new(SourceKind::History, record.remote.clone());
        entry.display_name.clone_from(&record.name);
        if looks_like_number(&record.remote) {
            let number = record.remote.clone();
            entry.numbers.push(PersonNumber { kind: NumberKind::Other, number });
        } else {
            entry.uris.push(record.remote.clone());
        }
        index.insert(entry);
    }
}
