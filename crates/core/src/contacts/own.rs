//! Contacts of our own, and files of people.

use std::path::PathBuf;
use std::sync::Arc;

use offhook_contacts::{name_of, tidied};
use offhook_model::{
    CardsDone, CommandError, DirectoryEntry, ErrorCode, LeftOut, Reply, SourceKind, Ticket,
};
use offhook_ports::StoreRequest;

use crate::phase::Phase;
use crate::{CardsFor, Core, Effect};

/// Most contacts of our own.
const MOST: usize = 100_000;

impl Core {
    fn may_keep_own(&self, what: &str) -> Result<(), CommandError> {
        match self.phase {
            Phase::Up(_) => Ok(()),
            _ => Err(CommandError::not_signed_in(what)),
        }
    }

    /// Keeps a contact; the answer is its id.
    pub(super) fn save_own(&mut self, entry: DirectoryEntry) -> Result<String, CommandError> {
        self.may_keep_own("Keeping a contact")?;
        let mut entry =
            tidied(DirectoryEntry { source: SourceKind::Own, kept_photo: None, ..entry });
        let named = [&entry.display_name, &entry.first_name, &entry.last_name, &entry.nickname];
        let named = named.iter().any(|name| name.is_some()) || entry.company.is_some();
        let reached = entry.im.is_some()
            || !(entry.numbers.is_empty() && entry.uris.is_empty() && entry.mail.is_empty());
        if !named && !reached {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "The contact has neither a name nor a number or address.",
                "Fill in one of them.",
            ));
        }
        if entry.id.is_empty() {
            if self.contacts.own.len() >= MOST {
                return Err(CommandError::user(
                    ErrorCode::NotPossible,
                    format!("There are {MOST} contacts of your own already."),
                    "Delete some of them first.",
                ));
            }
            entry.id = format!("own-{:016x}", self.chance.next());
        } else if self.contacts.index.get(SourceKind::Own, &entry.id).is_none() {
            return Err(no_own());
        }
        let id = entry.id.clone();
        self.take_own(vec![entry]);
        Ok(id)
    }

    /// Forgets a contact.
    pub(super) fn forget_own(&mut self, id: &str) -> Result<(), CommandError> {
        self.may_keep_own("Deleting a contact")?;
        if !self.contacts.index.remove(SourceKind::Own, id) {
            return Err(no_own());
        }
        self.store(StoreRequest::ForgetPeople(SourceKind::Own, Some(vec![id.to_owned()])));
        self.show_own();
        Ok(())
    }

    fn take_own(&mut self, entries: Vec<DirectoryEntry>) {
        let kept = entries.iter().cloned().map(Arc::new).collect();
        self.store(StoreRequest::PutPeople(kept));
        self.contacts.index.extend(entries);
        self.show_own();
    }

    /// The list for the window.
    pub(super) fn show_own(&mut self) {
        let entries = self.contacts.index.entries();
        let own = entries.filter(|entry| entry.source == SourceKind::Own).cloned();
        let mut own: Vec<_> = own.collect();
        own.sort_by_cached_key(|entry| (name_of(entry).to_lowercase(), entry.id.clone()));
        self.contacts.own = Arc::new(own);
    }

    pub(super) fn import_cards(
        &mut self,
        ticket: Ticket,
        path: PathBuf,
    ) -> Option<Result<Reply, CommandError>> {
        if let Err(error) = self.may_keep_own("Importing contacts") {
            self.show_cards(false, path, Err(error.clone()));
            return Some(Err(error));
        }
        self.out.push_back(Effect::ReadCards(CardsFor::Import(ticket), path));
        None
    }

    pub(super) fn export_cards(
        &mut self,
        ticket: Ticket,
        path: PathBuf,
        roster: bool,
    ) -> Option<Result<Reply, CommandError>> {
        if let Err(error) = self.may_keep_own("Exporting contacts") {
            self.show_cards(true, path, Err(error.clone()));
            return Some(Err(error));
        }
        let mut entries: Vec<Arc<DirectoryEntry>> = self.contacts.own.iter().cloned().collect();
        if roster && let Some(im) = self.chat.im() {
            entries.extend(
                im.contacts().iter().map(|contact| Arc::new(DirectoryEntry::of_contact(contact))),
            );
        }
        self.out.push_back(Effect::WriteCards(ticket, path, entries));
        None
    }

    /// Reads the folder or file of cards that the settings name, if they name one.
    pub(crate) fn read_card_folder(&mut self) {
        self.contacts.index.retain(SourceKind::Vcards, |_| false);
        if let (Some(path), Phase::Up(_)) = (&self.settings.contacts.cards, &self.phase) {
            self.out.push_back(Effect::ReadCards(CardsFor::Folder, path.clone()));
        }
    }

    /// People were written, or could not be, in words.
    pub(crate) fn cards_written(
        &mut self,
        ticket: Ticket,
        path: PathBuf,
        written: Result<u64, String>,
    ) {
        let written = written.map(|people| (people, LeftOut::default())).map_err(|why| {
            CommandError::user(
                ErrorCode::Failed,
                format!("The contacts cannot be written: {why}."),
                "Choose another place; a file that is there already is left alone.",
            )
        });
        self.cards_done(ticket, true, path, written);
    }

    fn show_cards(
        &mut self,
        written: bool,
        path: PathBuf,
        outcome: Result<(u64, LeftOut), CommandError>,
    ) {
        let number = self.contacts.cards.as_ref().map_or(1, |before| before.number + 1);
        self.contacts.cards = Some(Arc::new(CardsDone { number, written, path, outcome }));
    }

    /// Who asked is answered, and the window shows it.
    fn cards_done(
        &mut self,
        ticket: Ticket,
        written: bool,
        path: PathBuf,
        outcome: Result<(u64, LeftOut), CommandError>,
    ) {
        self.show_cards(written, path.clone(), outcome.clone());
        let reply = outcome.map(|(people, left_out)| Reply::Cards { path, people, left_out });
        self.reply(ticket, reply);
    }

    /// People were read, or could not be, in words.
    pub(crate) fn cards_read(
        &mut self,
        what: CardsFor,
        path: PathBuf,
        read: Result<(Vec<DirectoryEntry>, LeftOut), String>,
        now: offhook_model::Moment,
    ) {
        let Phase::Up(_) = self.phase else {
            if let CardsFor::Import(ticket) = what {
                self.reply(ticket, Err(CommandError::not_signed_in("Importing contacts")));
            }
            return;
        };
        match (what, read) {
            (CardsFor::Import(ticket), Ok((entries, left_out))) => {
                let people = u64::try_from(entries.len()).unwrap_or(u64::MAX);
                let own = |entry| DirectoryEntry { source: SourceKind::Own, ..entry };
                self.take_own(entries.into_iter().map(own).take(MOST).collect());
                self.cards_done(ticket, false, path, Ok((people, left_out)));
            }
            (CardsFor::Import(ticket), Err(why)) => {
                let error = CommandError::user(
                    ErrorCode::InvalidParams,
                    format!("The contacts cannot be read: {why}."),
                    "Choose another file.",
                );
                self.cards_done(ticket, false, path, Err(error));
            }
            (CardsFor::Folder, Ok((entries, _))) => self.contacts.index.extend(entries),
            (CardsFor::Folder, Err(why)) => {
                let problem = offhook_model::Problem::new(
                    offhook_model::Area::Provisioning,
                    offhook_model::Owner::User,
                    format!("The folder of vCards in the settings cannot be read: {why}."),
                    "Choose another folder or file in the settings under Contacts.",
                );
                self.toast(problem, now);
            }
        }
    }
}

fn no_own() -> CommandError {
    CommandError::user(
        ErrorCode::NoSuchObject,
        "There is no such contact of your own.",
        "It may have been deleted already.",
    )
}
