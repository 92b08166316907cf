//! What a store makes of what it is asked to keep, and what a program finds there after a kill.

use std::collections::BTreeMap;

use offhook_model::{Chat, ChatKind, Delivery, Message, Timestamp};
use offhook_ports::{Amendment, Loaded, StoreRequest, Unplaced};

use super::{Bench, jid};

const BOB: &str = "bob@example.com";

/// The conversation with Bob on disk.
#[derive(Default)]
pub struct Disk {
    /// With the place within a millisecond.
    rows: Vec<(Timestamp, usize, Message)>,
    position: Option<String>,
    values: BTreeMap<String, offhook_model::Secret<String>>,
}

/// As the store has it after these requests: by time, and within a millisecond as they came.
pub fn disk(requests: &[StoreRequest]) -> Disk {
    let mut disk = Disk::default();
    for (count, request) in requests.iter().enumerate() {
        disk.keep(count, request);
    }
    disk.rows.sort_by_key(|(time, count, _)| (*time, *count));
    disk
}

impl Disk {
    fn keep(&mut self, count: usize, request: &StoreRequest) {
        match request {
            StoreRequest::PutMessage(m) => match self.row(&m.id.0) {
                // What is here keeps its place.
                Some((_, _, old)) => {
                    let unplaced = old.more.unplaced;
                    let time = if m.own { m.time } else { old.time };
                    *old = Message { time, ..m.clone() };
                    old.more.unplaced = unplaced;
                }
                None => self.rows.push((m.time, count, m.clone())),
            },
            StoreRequest::PutArchived(m) if self.row(&m.id.0).is_none() => {
                self.rows.push((m.time, count, m.clone()));
            }
            StoreRequest::Amend { id, change, .. } => {
                if let (Some(row), Amendment::Placed(time)) = (self.row(&id.0), &**change) {
                    row.2.more.unplaced = false;
                    if row.0 != *time {
                        (row.0, row.1, row.2.time) = (*time, count, *time);
                    }
                }
            }
            StoreRequest::SetDelivery(id, state, _) => {
                if let Some((_, _, m)) = self.row(&id.0).filter(|(_, _, m)| m.own) {
                    m.state = m.state.max(*state);
                }
            }
            StoreRequest::AllPlaced => {
                self.rows.iter_mut().for_each(|(.., m)| m.more.unplaced = false);
            }
            StoreRequest::PutArchive(None, position) => self.position = Some(position.clone()),
            StoreRequest::PutValue(name, Some(value)) => {
                self.values.insert(name.clone(), value.clone());
            }
            StoreRequest::PutValue(name, None) => drop(self.values.remove(name)),
            _ => {}
        }
    }

    fn row(&mut self, id: &str) -> Option<&mut (Timestamp, usize, Message)> {
        self.rows.iter_mut().find(|(.., m)| m.id.0 == id)
    }

    /// Oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.rows.iter().map(|(.., message)| message)
    }

    /// What is read at a sign-in.
    pub fn loaded(&self) -> Loaded {
        let mut chat = Chat::new(jid(BOB), "bob".into(), ChatKind::Person);
        chat.last = self.messages().last().cloned();
        let waits = |m: &&Message| m.own && matches!(m.state, Delivery::Queued | Delivery::Failed);
        let settled = self.messages().filter(|m| !m.more.unplaced && !waits(m)).last();
        let unplaced = self.messages().filter(|m| m.more.unplaced).map(|m| Unplaced {
            with: m.with.clone(),
            id: m.id.clone(),
            time: m.time,
            own: m.own,
        });
        Loaded {
            archives: self.position.iter().map(|it| (None, it.clone())).collect(),
            chats: chat.last.is_some().then_some(chat).into_iter().collect(),
            settled: settled.map(|m| (m.with.clone(), m.time)).into_iter().collect(),
            unplaced: unplaced.collect(),
            queued: self.messages().filter(waits).cloned().collect(),
            values: self.values.clone().into_iter().collect(),
            ..Loaded::default()
        }
    }
}

/// Bodies as the store has them.
pub fn kept(bench: &Bench) -> Vec<String> {
    disk(&bench.stored).messages().map(|message| message.body.clone()).collect()
}

/// A program that was killed and started again: what its store has is all that is left. With this
/// position in the archive, if that is another than the store's.
pub fn killed(bench: &Bench, position: Option<&str>) -> Bench {
    let mut again = Bench::offline();
    again.wait(5);
    again.stored.clone_from(&bench.stored);
    again.im.loaded(Loaded {
        archives: position.map(|it| (None, it.to_owned())).into_iter().collect(),
        ..disk(&bench.stored).loaded()
    });
    again.connect();
    again.account_can(&["urn:xmpp:mam:2"]);
    again
}
