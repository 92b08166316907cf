//! The jobs of transfers: one task each, and pictures of the screen for them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use offhook_core::Event;
use offhook_model::{CaptureArea, TransferId};
use offhook_net::Net;
use offhook_ports::{TransferFact, TransferOrder};
use tokio::sync::mpsc;

/// How many orders of one job may wait. In-band transfers have the most: as many blocks as the
/// machine lets the other side send ahead.
const ORDERS: usize = 64;

/// How many facts of one job may wait for the core before the job is slowed down.
const FACTS: usize = 16;

/// Running jobs by transfer.
pub(crate) struct Jobs {
    net: Arc<Net>,
    events: mpsc::Sender<Event>,
    places: FileFolders,
    running: HashMap<TransferId, mpsc::Sender<TransferOrder>>,
    /// Pictures of the screen that are ours to remove.
    pictures: HashMap<TransferId, PathBuf>,
}

/// Folders that jobs write to.
#[derive(Clone, Debug)]
pub struct FileFolders {
    /// Received files, where the user chose no other folder.
    pub downloads: PathBuf,
    /// Pictures of the screen until they are sent.
    pub captures: PathBuf,
}

impl Jobs {
    pub(crate) fn new(net: Arc<Net>, events: mpsc::Sender<Event>, places: FileFolders) -> Self {
        Self { net, events, places, running: HashMap::new(), pictures: HashMap::new() }
    }

    /// Passes an order on; the first one of a transfer begins its job.
    pub(crate) fn order(&mut self, id: TransferId, order: TransferOrder) {
        let over = matches!(order, TransferOrder::End);
        if over && !self.running.contains_key(&id) {
            return;
        }
        let stop = matches!(order, TransferOrder::Stop { .. });
        if stop || over {
            self.remove_picture(id);
        }
        let job = self.job(id);
        let order = match order {
            TransferOrder::Capture { area, name } => {
                return self.capture(id, area, &name, job);
            }
            order => order,
        };
        if job.try_send(order).is_err() && !over {
            // A job that does not keep up is no good; the core hears of it as of any failure.
            self.running.remove(&id);
            self.later(id, failed("The disk or the network did not keep up. Try again."));
        }
        if over {
            self.running.remove(&id);
        }
    }

    /// All jobs stop.
    pub(crate) fn end_all(&mut self) {
        self.running.clear();
        let ids: Vec<TransferId> = self.pictures.keys().copied().collect();
        ids.into_iter().for_each(|id| self.remove_picture(id));
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    fn job(&mut self, id: TransferId) -> mpsc::Sender<TransferOrder> {
        if let Some(job) = self.running.get(&id).filter(|job| !job.is_closed()) {
            return job.clone();
        }
        let (orders, wanted) = mpsc::channel(ORDERS);
        let (told, mut facts) = mpsc::channel(FACTS);
        let downloads = self.places.downloads.clone();
        tokio::spawn(offhook_net::files::run(Arc::clone(&self.net), downloads, wanted, told));
        let events = self.events.clone();
        tokio::spawn(async move {
            while let Some(fact) = facts.recv().await {
                if events.send(Event::Transfer(id, fact)).await.is_err() {
                    return;
                }
            }
        });
        self.running.insert(id, orders.clone());
        orders
    }

    /// The picture is taken beside everything else, and then is a file like others.
    fn capture(
        &mut self,
        id: TransferId,
        area: CaptureArea,
        name: &str,
        job: mpsc::Sender<TransferOrder>,
    ) {
        let path = self.places.captures.join(format!("{}-{id}", std::process::id())).join(name);
        self.pictures.insert(id, path.clone());
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let taken = offhook_platform::capture(area);
            match taken.and_then(|picture| offhook_platform::save_picture(&picture, &path)) {
                Ok(()) => drop(job.blocking_send(TransferOrder::Look(path))),
                Err(why) => drop(events.blocking_send(Event::Transfer(id, failed(&why)))),
            }
        });
    }

    fn remove_picture(&mut self, id: TransferId) {
        if let Some(path) = self.pictures.remove(&id) {
            tokio::task::spawn_blocking(move || {
                // It may never have been taken.
                let _ = path.parent().map(std::fs::remove_dir_all);
            });
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    fn later(&self, id: TransferId, fact: TransferFact) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::Transfer(id, fact)).await;
        });
    }
}

fn failed(why: &str) -> TransferFact {
    TransferFact::Failed { why: why.to_owned(), again: true }
}
