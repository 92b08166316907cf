//! The thread that owns the files.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use offhook_model::{ManualAccount, Settings};
use offhook_ports::{StoreAnswer, StoreRequest};

use crate::files;
use crate::history::History;
use crate::passwords::Passwords;

/// How many requests may wait; a sender that finds the queue full waits.
const QUEUE: usize = 1_024;

/// The folders of a profile.
#[derive(Clone, Debug)]
pub struct Places {
    /// Settings; roams with the user.
    pub config: PathBuf,
    /// History and caches; stays on this machine.
    pub data: PathBuf,
}

/// What was kept by earlier runs.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The user's settings.
    pub settings: Settings,
    /// Manual connection settings.
    pub manual: ManualAccount,
}

type Job = (StoreRequest, Box<dyn FnOnce(StoreAnswer) + Send>);

/// A cheap handle to the thread.
#[derive(Clone)]
pub struct Store {
    jobs: SyncSender<Option<Job>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Makes the folders where they are missing, reads the settings and starts the thread.
    ///
    /// # Errors
    /// A sentence that names the folder or file and what to do. Nothing was changed then.
    pub fn open(places: Places) -> Result<(Self, Kept), String> {
        for folder in [&places.config, &places.data] {
            std::fs::create_dir_all(folder).map_err(|error| {
                format!(
                    "The profile folder {} cannot be made or read ({error}). Check its rights or \
                     choose another with --profile DIR.",
                    folder.display()
                )
            })?;
        }
        let kept = Self::peek(&places)?;
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("offhook-store".into())
            .spawn(move || Worker::new(places).run(&queue))
            .map_err(|error| format!("No thread for the history could be started ({error})."))?;
        Ok((Self { jobs, thread: Arc::new(Mutex::new(Some(thread))) }, kept))
    }

    /// Reads what earlier runs kept, and makes or changes nothing.
    ///
    /// # Errors
    /// A sentence that names the file and what to do.
    pub fn peek(places: &Places) -> Result<Kept, String> {
        Ok(Kept {
            settings: files::read(&places.config.join(files::SETTINGS))?,
            manual: files::read(&places.config.join(files::MANUAL))?,
        })
    }

    /// Asks for something to be kept or read. `answer` is called on the store's thread; it is not
    /// called when the store was closed before.
    pub fn submit(&self, request: StoreRequest, answer: impl FnOnce(StoreAnswer) + Send + 'static) {
        // Closed: the program is ending.
        let _ = self.jobs.send(Some((request, Box::new(answer))));
    }

    /// Waits until everything asked for is on disk, and ends the thread.
    pub fn close(&self) {
        let _ = self.jobs.send(None);
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

struct Worker {
    places: Places,
    history: Option<History>,
    passwords: Passwords,
}

impl Worker {
    fn new(places: Places) -> Self {
        Self { places, history: None, passwords: Passwords::default() }
    }

    fn run(mut self, queue: &Receiver<Option<Job>>) {
        while let Ok(Some((request, answer))) = queue.recv() {
            answer(self.carry_out(request).unwrap_or_else(StoreAnswer::Failed));
        }
    }

    fn carry_out(&mut self, request: StoreRequest) -> Result<StoreAnswer, String> {
        match request {
            StoreRequest::Open(account) => {
                self.history = None;
                self.history = Some(History::open(&self.places.data, &account)?);
            }
            StoreRequest::Close => self.history = None,
            StoreRequest::PutSettings(settings) => {
                files::write(&self.places.config.join(files::SETTINGS), &*settings)?;
            }
            StoreRequest::PutManual(manual) => {
                files::write(&self.places.config.join(files::MANUAL), &*manual)?;
            }
            StoreRequest::PutPassword(account, password) => self.passwords.put(account, password),
            StoreRequest::GetPassword(account) => {
                return Ok(StoreAnswer::Password(self.passwords.get(&account)));
            }
            StoreRequest::ForgetPassword(account) => self.passwords.forget(&account),
            StoreRequest::PutMessage(message) => self.history()?.put_message(&message)?,
            StoreRequest::SetDelivery(id, state, error) => {
                self.history()?.set_delivery(&id, state, error.as_deref())?;
            }
            StoreRequest::MarkRead(with) => self.history()?.mark_read(&with)?,
            StoreRequest::PutCall(record) => self.history()?.put_call(&record)?,
            StoreRequest::Load => return self.history()?.load(),
            StoreRequest::History { with, before, limit } => {
                return self.history()?.messages(&with, before.as_ref(), limit);
            }
            StoreRequest::Search { query, limit } => return self.history()?.search(&query, limit),
        }
        Ok(StoreAnswer::Kept)
    }

    fn history(&mut self) -> Result<&mut History, String> {
        self.history.as_mut().ok_or_else(|| "no history is open".to_owned())
    }
}
