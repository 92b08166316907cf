//! What the thread does: requests in the order in which they came, those that wait together in one
//! transaction.
//!
//! A commit costs more than a message. So everything that waits is carried out, then committed
//! once, and only then answered: `Kept` means that it outlives the end of the program from now on
//! (`schema.rs`), and an own message that is still to be sent, or an own contact, also a power cut.

use std::sync::mpsc::Receiver;

use offhook_model::{Delivery, SourceKind};
use offhook_ports::{KeepingPlan, StoreAnswer, StoreRequest};

use crate::export::export;
use crate::files;
use crate::history::History;
use crate::keys::Keys;
use crate::opening;
use crate::photos::Photos;
use crate::reading::Page;
use crate::thread::{Job, Places};

/// How many requests share a transaction at most, so that the first is not answered too late.
const BATCH: usize = 1_000;

/// Owner of the files.
pub struct Worker {
    places: Places,
    photos: Photos,
    keys: Keys,
    history: Option<History>,
    account: Option<String>,
}

/// An answer that is given when the transaction is over.
struct Held {
    answer: Box<dyn FnOnce(StoreAnswer) + Send>,
    said: StoreAnswer,
    /// It is only true when the transaction is committed.
    written: bool,
}

impl Worker {
    /// A worker that has nothing open.
    pub fn new(places: Places, keys: Keys) -> Self {
        let photos = Photos::new(places.data.join("photos"));
        Self { places, photos, keys, history: None, account: None }
    }

    /// Works until the queue ends.
    pub fn run(mut self, queue: &Receiver<Option<Job>>) {
        while let Ok(Some(first)) = queue.recv() {
            let mut batch = vec![first];
            let mut over = false;
            while batch.len() < BATCH && !over {
                match queue.try_recv() {
                    Ok(Some(job)) => batch.push(job),
                    Ok(None) => over = true,
                    Err(_) => break,
                }
            }
            self.carry_out_all(batch);
            if over {
                break;
            }
        }
    }

    fn carry_out_all(&mut self, batch: Vec<Job>) {
        let lasting = batch.iter().any(|(request, _)| must_last(request));
        let mut held = Vec::new();
        let mut begun = false;
        for (request, answer) in batch {
            let kind = kind(&request);
            if kind == Kind::Alone && std::mem::take(&mut begun) {
                self.commit(&mut held);
            }
            if kind == Kind::Write && !begun {
                begun = match self.history.as_mut().map(|history| history.begin(lasting)) {
                    None => false,
                    Some(Ok(())) => true,
                    Some(Err(why)) => {
                        held.push(Held { answer, said: StoreAnswer::Failed(why), written: false });
                        continue;
                    }
                };
            }
            let said = self.carry_out(request).unwrap_or_else(StoreAnswer::Failed);
            if begun && self.history.as_mut().is_some_and(History::lost_batch) {
                begun = false;
                fail(&mut held, "the disk is full or cannot be written");
            }
            held.push(Held { answer, said, written: kind == Kind::Write });
        }
        self.commit(&mut held);
    }

    fn commit(&mut self, held: &mut Vec<Held>) {
        if let Some(Err(why)) = self.history.as_mut().map(History::commit) {
            fail(held, &why);
        }
        // A word about the archive takes the place of one that says only that all is well.
        if let Some(why) = self.history.as_mut().and_then(History::archive)
            && let Some(last) = held.iter_mut().rfind(|held| held.written)
        {
            last.said = StoreAnswer::KeptBut(why);
        }
        for Held { answer, said, .. } in held.drain(..) {
            answer(said);
        }
    }

    fn carry_out(&mut self, request: StoreRequest) -> Result<StoreAnswer, String> {
        match request {
            StoreRequest::Open(account, plan) => return self.open(account, plan),
            StoreRequest::Close => {
                self.history = None;
                self.account = None;
            }
            StoreRequest::PutPhoto(id, bytes) => self.photos.put(&id, &bytes)?,
            StoreRequest::GetPhoto(id) => {
                let bytes = self.photos.get(&id);
                return Ok(StoreAnswer::Photo(id, bytes));
            }
            StoreRequest::ForgetPhoto(id) => self.photos.forget(&id),
            StoreRequest::PutPassword(..)
            | StoreRequest::GetPassword(_)
            | StoreRequest::ForgetPassword(_) => return Err("passwords have a keeper".into()),
            StoreRequest::PutSettings(_)
            | StoreRequest::PutManual(_)
            | StoreRequest::PutRemembered(_)
            | StoreRequest::PutProvisioned(_)
            | StoreRequest::PutAccepted(_)
            | StoreRequest::PutCertified(_)
            | StoreRequest::PutAnswers(_) => self.write_file(request)?,
            StoreRequest::Load
            | StoreRequest::LoadPeople(_)
            | StoreRequest::History { .. }
            | StoreRequest::HistoryFrom { .. }
            | StoreRequest::Search { .. }
            | StoreRequest::Export { .. } => return self.read(request),
            request => self.write(request)?,
        }
        Ok(StoreAnswer::Kept)
    }

    /// Opens an account's history, or changes how the open one is kept.
    fn open(&mut self, account: String, plan: KeepingPlan) -> Result<StoreAnswer, String> {
        match &mut self.history {
            Some(history) if self.account.as_ref() == Some(&account) => history.follow(plan)?,
            _ => {
                self.history = None;
                let folder = self.places.data.join("history");
                self.history = Some(opening::open(&folder, &account, plan, &self.keys)?);
                self.account = Some(account);
            }
        }
        Ok(StoreAnswer::Opened(self.history()?.keeping().clone()))
    }

    fn write(&mut self, request: StoreRequest) -> Result<(), String> {
        let history = self.history()?;
        match request {
            StoreRequest::PutMessage(message) => history.put(&message),
            StoreRequest::PutArchived(message) => history.put_archived(&message),
            StoreRequest::SetDelivery(id, state, error) => {
                history.set_delivery(&id, state, error.as_deref())
            }
            StoreRequest::Amend { with, id, change } => history.amend(&with, &id, &change),
            StoreRequest::MarkRead(with) => history.mark_read(&with),
            StoreRequest::AllPlaced => history.all_placed(),
            StoreRequest::PutChat(row) => history.put_chat(&row),
            StoreRequest::PutArchive(place, position) => {
                history.put_archive(place.as_ref(), &position)
            }
            StoreRequest::PutValue(name, value) => history.put_value(&name, value.as_ref()),
            StoreRequest::PutCall(record) => history.put_call(&record),
            StoreRequest::PutPeople(entries) => history.put_people(&entries),
            StoreRequest::ForgetPeople(source, ids) => {
                history.forget_people(source, ids.as_deref())
            }
            StoreRequest::Clear(with) => history.clear(&with),
            _ => Err("this is nothing to write".into()),
        }
    }

    fn read(&mut self, request: StoreRequest) -> Result<StoreAnswer, String> {
        let history = self.history()?;
        match request {
            StoreRequest::Load => Ok(StoreAnswer::Loaded(Box::new(history.load()?))),
            StoreRequest::LoadPeople(before) => {
                history.load_people(before).map(StoreAnswer::People)
            }
            StoreRequest::History { with, before, limit } => {
                history.page(&with, before.as_ref(), limit).map(messages)
            }
            StoreRequest::HistoryFrom { with, id, context } => {
                history.messages()?.page_from(&with, &id, context).map(messages)
            }
            StoreRequest::Search { query, with, limit } => {
                history.messages()?.search(&query, with.as_ref(), limit).map(messages)
            }
            StoreRequest::Export { with, path } => {
                let count = export(history.messages()?, with.as_ref(), &path)?;
                Ok(StoreAnswer::Exported(path, count))
            }
            _ => Err("this is nothing to read".into()),
        }
    }

    fn write_file(&self, request: StoreRequest) -> Result<(), String> {
        let config = |name: &str| self.places.config.join(name);
        match request {
            StoreRequest::PutSettings(settings) => {
                files::write(&config(files::SETTINGS), &*settings)
            }
            StoreRequest::PutManual(manual) => files::write(&config(files::MANUAL), &*manual),
            StoreRequest::PutRemembered(found) => {
                let found = files::Discovery { found: found.map(|found| *found) };
                files::write(&config(files::DISCOVERY), &found)
            }
            StoreRequest::PutProvisioned(provisioned) => {
                files::write(&config(files::PROVISIONED), &*provisioned)
            }
            StoreRequest::PutAccepted(accepted) => {
                files::write(&config(files::CERTIFICATES), &files::Certificates { accepted })
            }
            StoreRequest::PutCertified(certified_until) => {
                files::write(&config(files::PHONE), &files::Phone { certified_until })
            }
            StoreRequest::PutAnswers(text) => {
                files::write_text(&self.places.data.join(files::ANSWERS), &text)
            }
            _ => Err("this has no file".into()),
        }
    }

    fn history(&mut self) -> Result<&mut History, String> {
        self.history.as_mut().ok_or_else(|| "no history is open".to_owned())
    }
}

/// How a request stands to a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Written in it.
    Write,
    /// Carried out between two.
    Alone,
    /// Makes no difference.
    Other,
}

fn kind(request: &StoreRequest) -> Kind {
    match request {
        StoreRequest::PutMessage(_)
        | StoreRequest::PutArchived(_)
        | StoreRequest::SetDelivery(..)
        | StoreRequest::Amend { .. }
        | StoreRequest::MarkRead(_)
        | StoreRequest::AllPlaced
        | StoreRequest::PutChat(_)
        | StoreRequest::PutArchive(..)
        | StoreRequest::PutValue(..)
        | StoreRequest::PutCall(_)
        | StoreRequest::PutPeople(_)
        | StoreRequest::ForgetPeople(..)
        | StoreRequest::Clear(_) => Kind::Write,
        StoreRequest::Open(..) | StoreRequest::Close | StoreRequest::Export { .. } => Kind::Alone,
        StoreRequest::PutPhoto(..)
        | StoreRequest::GetPhoto(_)
        | StoreRequest::ForgetPhoto(_)
        | StoreRequest::Load
        | StoreRequest::LoadPeople(_)
        | StoreRequest::History { .. }
        | StoreRequest::HistoryFrom { .. }
        | StoreRequest::Search { .. }
        | StoreRequest::PutSettings(_)
        | StoreRequest::PutManual(_)
        | StoreRequest::PutRemembered(_)
        | StoreRequest::PutProvisioned(_)
        | StoreRequest::PutAccepted(_)
        | StoreRequest::PutCertified(_)
        | StoreRequest::PutAnswers(_)
        | StoreRequest::PutPassword(..)
        | StoreRequest::GetPassword(_)
        | StoreRequest::ForgetPassword(_) => Kind::Other,
    }
}

/// A message or contact that nobody else has must outlive even a power cut.
fn must_last(request: &StoreRequest) -> bool {
    match request {
        StoreRequest::PutMessage(it) => it.own && it.state == Delivery::Queued,
        StoreRequest::PutPeople(entries) => entries.iter().any(|it| it.source == SourceKind::Own),
        _ => false,
    }
}

/// What was written with a transaction that came to nothing was not kept.
fn fail(held: &mut [Held], why: &str) {
    for held in held.iter_mut().filter(|held| held.written) {
        held.said = StoreAnswer::Failed(why.to_owned());
    }
}

fn messages((items, more): Page) -> StoreAnswer {
    StoreAnswer::Messages { items, more }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offhook_model::{DirectoryEntry, SourceKind};
    use offhook_ports::StoreRequest;

    use super::must_last;

    /// A directory can be asked again.
    #[test]
    fn only_our_own_contacts_must_outlive_a_power_cut() {
        let told = |sources: &[SourceKind]| {
            let entry = |source: &SourceKind| Arc::new(DirectoryEntry::new(*source, "id"));
            must_last(&StoreRequest::PutPeople(sources.iter().map(entry).collect()))
        };
        assert!(told(&[SourceKind::Ldap, SourceKind::Own]));
        assert!(!told(&[SourceKind::Ldap, SourceKind::Roster]) && !told(&[]));
    }
}
