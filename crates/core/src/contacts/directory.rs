//! The directory: which one, what it is asked, and what its answers are good for.

use std::sync::Arc;

use offhook_contacts::ldap::Wish;
use offhook_contacts::numbers::comparable;
use offhook_contacts::{AskId, Directory, DirectoryAnswer, Known, MOST_GROUPS, SignedIn};
use offhook_model::{
    CommandError, DirectoryEntry, ErrorCode, Jid, Moment, ServiceState, ServiceStatus, SourceKind,
    Ticket,
};
use offhook_ports::StoreRequest;
use offhook_signin::EdgeRoute;

use super::Ask;
use crate::phase::Phase;
use crate::{Core, Effect, RunId};

/// People of one answer.
const MOST: u32 = 100;
/// Contacts that are asked about at once.
const AT_ONCE: usize = 50;
/// Contacts that are asked about in one session.
const MOST_CONTACTS: usize = 2_000;

impl Core {
    /// Decides how the directory is asked, with the settings and the sign-in as they are now.
    pub(crate) fn draw_directory(&mut self) {
        let drawn = self.directory();
        self.cancel_asks(|_| true);
        if self.contacts.directory.take().is_some() {
            self.out.push_back(Effect::ForgetDirectory);
        }
        self.contacts.search.forget();
        self.contacts.search.give_up();
        self.contacts.once.iter_mut().for_each(|once| once.search.give_up());
        self.contacts.resolved.clear();
        self.contacts.federated.clear();
        let Phase::Up(_) = self.phase else { return };
        let state = match &drawn {
            // Nobody was asked yet.
            Some(_) => ServiceState::Off,
            None => ServiceState::NotConfigured,
        };
        let protocol = drawn.as_ref().map(protocol);
        self.session.services.directory =
            ServiceStatus { state, protocol, ..ServiceStatus::default() };
        self.contacts.directory = drawn;
    }

    fn directory(&self) -> Option<Directory> {
        let Phase::Up(up) = &self.phase else { return None };
        let people = &self.contacts.given;
        let of = SignedIn {
            authenticator: self.session.authenticator,
            name: up.credentials.username.clone(),
            password: Some(up.credentials.password.clone()).filter(|_| up.wish.token.is_none()),
            outside: up.edge.is_some(),
            im_domain: Some(up.wish.address.domain().to_owned()),
            workstation_domain: self.workstation_domain.clone(),
            clusters: people.clusters.clone(),
            secure_search: people.secure_search.clone(),
            profile_password: people.profile_password.clone(),
            file_password: people.file_password.clone(),
            country: self.country(),
        };
        Directory::drawn(self.memory.settings(), &of)
    }

    pub(super) fn way_to_directory(&self) -> Option<(Directory, Option<EdgeRoute>)> {
        let directory = self.contacts.directory.clone()?;
        let Phase::Up(up) = &self.phase else { return None };
        Some((directory, up.edge.clone()))
    }

    /// Asks the directory for what was typed.
    pub(super) fn ask_typed(&mut self, ask: Ask, text: String) {
        self.ask_directory(ask, Wish::Typed(text));
    }

    /// Asks the directory for groups by what was typed, for the search box or for who asked.
    pub(super) fn ask_groups(&mut self, once: Option<Ticket>, ask: AskId, text: String) {
        let most = u32::try_from(MOST_GROUPS).unwrap_or(u32::MAX);
        self.ask_for(Ask::Groups(once, ask), Wish::Groups(text), most);
    }

    /// Asks, if there is a directory. Says whether somebody was asked.
    pub(super) fn ask_directory(&mut self, ask: Ask, wish: Wish) -> bool {
        self.ask_for(ask, wish, MOST)
    }

    fn ask_for(&mut self, ask: Ask, wish: Wish, limit: u32) -> bool {
        let Some((directory, through)) = self.way_to_directory() else { return false };
        let run = self.next_run();
        self.contacts.asks.insert(run, ask);
        let wish = Box::new(wish);
        self.out.push_back(Effect::FindPeople { run, directory, through, wish, limit });
        true
    }

    /// Asks for a picture.
    pub(super) fn ask_portrait(&mut self, entry: &DirectoryEntry) -> bool {
        let (Some((directory, through)), Some(photo)) = (self.way_to_directory(), &entry.photo)
        else {
            return false;
        };
        let run = self.next_run();
        self.contacts.asks.insert(run, Ask::Portrait(entry.source, entry.id.clone()));
        let (id, photo) = (entry.id.clone(), photo.clone());
        self.out.push_back(Effect::FetchPortrait { run, directory, through, id, photo });
        true
    }

    pub(super) fn cancel_asks(&mut self, unwanted: impl Fn(&Ask) -> bool) {
        let runs = self.contacts.asks.iter().filter(|(_, ask)| unwanted(ask));
        let runs: Vec<RunId> = runs.map(|(run, _)| *run).collect();
        for run in runs {
            self.out.push_back(Effect::Cancel(run));
            match self.contacts.asks.remove(&run) {
                Some(Ask::Portrait(source, id)) => {
                    self.contacts.fetching.remove(&(source, id));
                }
                Some(Ask::Resolve(ticket, _)) => self.reply(ticket, Err(dropped())),
                Some(Ask::Group(ticket, id)) => self.group_over(ticket, id, Err(dropped())),
                Some(
                    Ask::Typed(_)
                    | Ask::Once(..)
                    | Ask::Groups(..)
                    | Ask::Caller(_)
                    | Ask::Roster(_)
                    | Ask::Federated(_),
                )
                | None => {}
            }
        }
    }

    /// The directory has said which groups it has. It may know people and no groups, so this says
    /// nothing of its state.
    fn groups_found(
        &mut self,
        once: Option<Ticket>,
        ask: AskId,
        found: DirectoryAnswer,
        now: Moment,
    ) {
        let side = &mut self.contacts;
        let search = match once {
            None => Some(&mut side.search),
            Some(ticket) => {
                let asked = side.once.iter_mut().find(|once| once.ticket == ticket);
                asked.map(|once| &mut once.search)
            }
        };
        if let Some(search) = search {
            search.handle_groups(ask, found, now);
        }
    }

    /// The directory has answered.
    pub(crate) fn people_found(&mut self, run: RunId, mut answer: DirectoryAnswer, now: Moment) {
        let Some(ask) = self.contacts.asks.remove(&run) else { return };
        if let Ask::Groups(once, id) = ask {
            return self.groups_found(once, id, answer, now);
        }
        self.directory_row(&answer);
        if let Ask::Federated(jid) = &ask {
            answer.entries = self.federated(jid, &answer.entries);
        }
        self.with_federated_addresses(&mut answer.entries);
        self.with_kept_photos(&mut answer.entries);
        self.keep_found(&answer.entries);
        let country = self.country();
        match ask {
            Ask::Typed(id) => {
                let side = &mut self.contacts;
                let number = |text: &str| comparable(text, country);
                let known = Known { index: &side.index, number: &number };
                side.search.handle_answer(id, answer, known, now);
            }
            Ask::Once(ticket, id) => {
                let side = &mut self.contacts;
                let number = |text: &str| comparable(text, country);
                let known = Known { index: &side.index, number: &number };
                if let Some(once) = side.once.iter_mut().find(|once| once.ticket == ticket) {
                    once.search.handle_answer(id, answer, known, now);
                }
            }
            Ask::Resolve(ticket, who) => {
                let entries: Vec<_> = answer.entries.into_iter().map(Arc::new).collect();
                let mut found = self.persons(&entries, &who);
                found.problems = answer.problems;
                self.reply(ticket, Ok(offhook_model::Reply::People(Box::new(found))));
            }
            Ask::Caller(number) => self.caller_found(&number, now),
            Ask::Roster(asked) => self.roster_found(asked),
            Ask::Federated(_) | Ask::Portrait(..) | Ask::Groups(..) | Ask::Group(..) => {}
        }
    }

    /// What the directory said is known from now on, and kept where that is wanted.
    pub(super) fn keep_found(&mut self, entries: &[DirectoryEntry]) {
        if entries.is_empty() {
            return;
        }
        for entry in entries {
            self.contacts.index.insert(entry.clone());
        }
        if self.settings.contacts.keep {
            let kept = entries.iter().cloned().map(Arc::new).collect();
            self.store(StoreRequest::PutPeople(kept));
        }
    }

    fn directory_row(&mut self, answer: &DirectoryAnswer) {
        let error = answer.problems.first().filter(|_| answer.entries.is_empty()).cloned();
        let row = &mut self.session.services.directory;
        row.state = if error.is_some() { ServiceState::Failed } else { ServiceState::Ready };
        row.error = error;
    }

    /// Asks about contacts of whom the directory has not said anything yet, some at a time: their
    /// numbers and pictures are found without a search then, and callers have names.
    pub(super) fn resolve_roster(&mut self) {
        let Some(directory) = &self.contacts.directory else { return };
        let source = directory.source();
        if self.contacts.asks.values().any(|ask| matches!(ask, Ask::Roster(_)))
            || self.contacts.resolved.len() >= MOST_CONTACTS
        {
            return;
        }
        let Some(im) = self.chat.im() else { return };
        let contacts = im.contacts();
        if self.contacts.resolved.len() >= contacts.len() {
            return;
        }
        let new = |contact: &&Arc<offhook_model::Contact>| {
            !self.contacts.resolved.contains(&contact.contact)
        };
        let new: Vec<Jid> =
            contacts.iter().filter(new).map(|it| it.contact.clone()).take(AT_ONCE).collect();
        if new.is_empty() {
            return;
        }
        self.contacts.resolved.extend(new.iter().cloned());
        let unknown: Vec<Jid> = new.into_iter().filter(|jid| !self.is_known(source, jid)).collect();
        if !unknown.is_empty() {
            self.ask_directory(Ask::Roster(unknown.clone()), Wish::ImAll(unknown));
        }
    }
}

fn protocol(directory: &Directory) -> String {
    match directory.source() {
        SourceKind::Uds => "UDS",
        _ => "LDAP",
    }
    .to_owned()
}

/// The directory is another one now, or nobody is signed in.
fn dropped() -> CommandError {
    CommandError::user(
        ErrorCode::Failed,
        "The question to the directory was dropped: the sign-in or its settings have changed.",
        "Try again.",
    )
}
