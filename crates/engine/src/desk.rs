//! Whether somebody is at the desk, and notifications on it: only where a person sits in front of a
//! window.

use std::sync::Arc;
use std::time::Duration;

use offhook_core::Event;
use offhook_platform::{Desk, DeskNews, Note, Notifier};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

/// Notifications that may wait for a slow desktop; later ones are lost.
const NOTES: usize = 16;

/// How things stand. Who tells never waits, and what is lost in between is no longer true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stands {
    idle: Option<Duration>,
    locked: bool,
}

/// The desk of whoever uses this program.
pub(crate) struct AtDesk {
    stands: Arc<watch::Sender<Stands>>,
    desk: Option<Desk>,
    tasks: Vec<AbortHandle>,
    notes: Option<mpsc::Sender<Note>>,
}

impl AtDesk {
    /// Without a window nothing is watched and nothing shown.
    pub(crate) fn new(attended: bool, events: mpsc::Sender<Event>) -> Self {
        let (stands, told) = watch::channel(Stands::default());
        let mut at = Self { stands: Arc::new(stands), desk: None, tasks: vec![], notes: None };
        if attended {
            at.tasks.push(spawn(pass_on(told, events)));
            let (notes, waiting) = mpsc::channel(NOTES);
            at.tasks.push(spawn(show(waiting)));
            at.notes = Some(notes);
        }
        at
    }

    /// From now on this time without key and pointer counts; nothing: none does, and nothing is
    /// watched.
    pub(crate) fn watch(&mut self, after: Option<Duration>) {
        if self.notes.is_none() {
            return;
        }
        if self.desk.is_none() && after.is_some() && self.tasks.len() == 2 {
            let stands = Arc::clone(&self.stands);
            let tell = move |news| note(&stands, news);
            match Desk::start(tell.clone()) {
                Ok(desk) => self.desk = Some(desk),
                Err(why) => tracing::info!(%why, "the user does not turn away by themselves"),
            }
            self.tasks.push(spawn(Desk::locks(tell)));
        }
        if let Some(desk) = &self.desk {
            desk.after(after);
        }
    }

    /// Shows a notification.
    pub(crate) fn notify(&self, title: String, body: String, subject: String) {
        if let Some(notes) = &self.notes {
            let _ = notes.try_send(Note { title, body, subject });
        }
    }
}

impl Drop for AtDesk {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

fn note(stands: &watch::Sender<Stands>, news: DeskNews) {
    stands.send_if_modified(|stands| {
        let before = *stands;
        match news {
            DeskNews::Idle(idle) => stands.idle = idle,
            DeskNews::Locked(locked) => stands.locked = locked,
        }
        *stands != before
    });
}

async fn pass_on(mut told: watch::Receiver<Stands>, events: mpsc::Sender<Event>) {
    while told.changed().await.is_ok() {
        let Stands { idle, locked } = *told.borrow_and_update();
        if events.send(Event::Desk { idle, locked }).await.is_err() {
            return;
        }
    }
}

async fn show(mut waiting: mpsc::Receiver<Note>) {
    let mut notifier = Notifier::new();
    let mut complained = false;
    while let Some(note) = waiting.recv().await {
        if let Err(error) = notifier.show(&note).await
            && !std::mem::replace(&mut complained, true)
        {
            tracing::warn!(%error, "no notifications");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(task).abort_handle()
}
