//! The thread that owns the files.

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use offhook_model::{AcceptedKey, ManualAccount, Provisioned, Settings};
use offhook_ports::{Remembered, StoreAnswer, StoreRequest};

use crate::files;
use crate::keys::Keys;
use crate::passwords::{Keeper, Task, Vault};
use crate::worker::Worker;

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
    /// Layers of settings that others made.
    pub provisioned: Provisioned,
    /// What discovery found the last time.
    pub remembered: Option<Remembered>,
    /// Keys that the user accepted.
    pub accepted: Vec<AcceptedKey>,
    /// Until when the phone's certificate counts that the credential store has, in seconds since 1970.
    pub certified_until: Option<i64>,
}

/// A request, and who waits for its answer.
pub type Job = (StoreRequest, Box<dyn FnOnce(StoreAnswer) + Send>);

/// A cheap handle to the thread.
#[derive(Clone)]
pub struct Store {
    jobs: SyncSender<Option<Job>>,
    vault: Arc<Mutex<Option<Vault>>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Makes the folders where they are missing, reads the settings and starts the threads.
    /// Without a keeper passwords stay in memory.
    ///
    /// # Errors
    /// A sentence that names the folder or file and what to do. Nothing was changed then.
    pub fn open(places: Places, keeper: Option<Keeper>) -> Result<(Self, Kept), String> {
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
        let vault = Vault::start(keeper)?;
        let keys = Keys::new(vault.jobs());
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("offhook-store".into())
            .spawn(move || Worker::new(places, keys).run(&queue))
            .map_err(|error| format!("No thread for the history could be started ({error})."))?;
        let vault = Arc::new(Mutex::new(Some(vault)));
        Ok((Self { jobs, vault, thread: Arc::new(Mutex::new(Some(thread))) }, kept))
    }

    /// Reads what earlier runs kept, and makes or changes nothing.
    ///
    /// # Errors
    /// A sentence that names the file and what to do.
    pub fn peek(places: &Places) -> Result<Kept, String> {
        Ok(Kept {
            settings: files::read(&places.config.join(files::SETTINGS))?,
            manual: files::read(&places.config.join(files::MANUAL))?,
            provisioned: files::read(&places.config.join(files::PROVISIONED))?,
            remembered: files::read_cache::<files::Discovery>(
                &places.config.join(files::DISCOVERY),
            )
            .found,
            accepted: files::read::<files::Certificates>(&places.config.join(files::CERTIFICATES))?
                .accepted,
            certified_until: files::read_cache::<files::Phone>(&places.config.join(files::PHONE))
                .certified_until,
        })
    }

    /// Asks for something to be kept or read. `answer` is called on the store's thread; it is not
    /// called when the store was closed before.
    pub fn submit(&self, request: StoreRequest, answer: impl FnOnce(StoreAnswer) + Send + 'static) {
        let job: Job = (request, Box::new(answer));
        // Closed: the program is ending.
        match &job.0 {
            StoreRequest::PutPassword(..)
            | StoreRequest::GetPassword(_)
            | StoreRequest::ForgetPassword(_) => {
                let vault = self.vault.lock().ok().and_then(|it| it.as_ref().map(Vault::jobs));
                if let Some(jobs) = vault {
                    drop(jobs.send(Task::Password(Box::new(job))));
                }
            }
            _ => drop(self.jobs.send(Some(job))),
        }
    }

    /// Waits until everything asked for is on disk, and ends the thread.
    pub fn close(&self) {
        let _ = self.jobs.send(None);
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        if let Some(vault) = self.vault.lock().ok().and_then(|mut vault| vault.take()) {
            vault.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use offhook_model::{
        AcceptedKey, Layer, ManualAccount, Provisioned, Secret, Settings, Source, Theme, Timestamp,
    };
    use offhook_ports::{Found, KeepingPlan, Remembered, StoreAnswer, StoreRequest, Target};

    use super::{Places, Store};

    fn places(folder: &std::path::Path) -> Places {
        Places { config: folder.join("config"), data: folder.join("data") }
    }

    /// Asks and waits for the answer.
    fn ask(store: &Store, request: StoreRequest) -> StoreAnswer {
        let (send, receive) = sync_channel(1);
        store.submit(request, move |answer| drop(send.send(answer)));
        receive.recv().expect("an answer")
    }

    #[test]
    fn settings_are_there_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, kept) = Store::open(places(folder.path()), None).expect("opened");
        assert_eq!(kept.settings, Settings::default());
        let settings = Settings { theme: Theme::Dark, ..Settings::default() };
        let manual =
            ManualAccount { sip_server: Some("host:5060".into()), ..ManualAccount::default() };
        ask(&store, StoreRequest::PutSettings(Box::new(settings.clone())));
        store.submit(StoreRequest::PutManual(Box::new(manual.clone())), drop);
        store.close();
        let kept = Store::peek(&places(folder.path())).expect("read");
        assert_eq!((kept.settings, kept.manual), (settings, manual));
    }

    #[test]
    fn what_was_found_and_accepted_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = Store::open(places(folder.path()), None).expect("opened");
        let target = Target { host: "cucm1.example.com".into(), port: 8443 };
        let remembered = Remembered {
            domain: "example.com".into(),
            voice_domain: "voice.example.com".into(),
            found: Found::Cucm(vec![target]),
            at: Timestamp(1_000),
            network: Some("here".into()),
        };
        let provisioned = Provisioned {
            launched: true,
            bootstrap_digest: None,
            instance: Some("f81d4fae-7dec-41d0-a765-00a0c91e6bf6".into()),
            layers: vec![Layer {
                source: Source::Url,
                origin: "ciscojabber://provision".into(),
                settings: vec![],
                oddities: vec![],
            }],
        };
        let key = AcceptedKey {
            host: "cucm1.example.com".into(),
            key: "00".into(),
            subject: "CN=cucm1".into(),
            since: Timestamp(2_000),
        };
        store.submit(StoreRequest::PutRemembered(Some(Box::new(remembered.clone()))), drop);
        store.submit(StoreRequest::PutProvisioned(Box::new(provisioned.clone())), drop);
        store.submit(StoreRequest::PutAccepted(vec![key.clone()]), drop);
        store.close();
        let kept = Store::peek(&places(folder.path())).expect("read");
        assert_eq!(kept.remembered, Some(remembered));
        assert_eq!((kept.provisioned, kept.accepted), (provisioned, vec![key]));
        // A cache that cannot be read is no reason not to start.
        std::fs::write(folder.path().join("config/discovery.json"), "{").expect("written");
        assert_eq!(Store::peek(&places(folder.path())).expect("read").remembered, None);
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        // A file where the folder should be stops even those who may write everywhere.
        std::fs::write(folder.path().join("config"), "a file").expect("written");
        let error = Store::open(places(folder.path()), None).err().expect("refused");
        assert!(error.contains("config") && error.contains("--profile"), "{error}");
        assert!(!folder.path().join("data").exists(), "nothing was changed");
    }

    #[test]
    fn history_needs_an_account_and_answers_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = Store::open(places(folder.path()), None).expect("opened");
        let answer = ask(&store, StoreRequest::Load);
        assert!(matches!(answer, StoreAnswer::Failed(_)), "{answer:?}");
        ask(&store, StoreRequest::Open("alice@example.com".into(), KeepingPlan::default()));
        let answer = ask(&store, StoreRequest::Load);
        assert!(matches!(answer, StoreAnswer::Loaded(_)), "{answer:?}");
        ask(&store, StoreRequest::Close);
        assert!(matches!(ask(&store, StoreRequest::Load), StoreAnswer::Failed(_)));
        store.close();
        // Nobody answers any more, and nobody waits for ever.
        let (send, receive) = sync_channel(1);
        store.submit(StoreRequest::Load, move |answer| drop(send.send(answer)));
        assert!(receive.recv().is_err());
    }

    #[test]
    fn a_password_lives_as_long_as_the_program_and_in_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = Store::open(places(folder.path()), None).expect("opened");
        let account = || "alice@example.com".to_owned();
        ask(&store, StoreRequest::Open(account(), KeepingPlan::default()));
        ask(&store, StoreRequest::PutPassword(account(), Secret::from("xyzzy-secret")));
        let StoreAnswer::Password(Some(password)) =
            ask(&store, StoreRequest::GetPassword(account()))
        else {
            panic!("forgotten")
        };
        assert_eq!(password.expose(), "xyzzy-secret");
        ask(&store, StoreRequest::ForgetPassword(account()));
        let answer = ask(&store, StoreRequest::GetPassword(account()));
        assert!(matches!(answer, StoreAnswer::Password(None)), "{answer:?}");
        store.close();
        let mut folders = vec![folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("read");
                    let found = bytes.windows(12).any(|window| window == b"xyzzy-secret");
                    assert!(!found, "{}", path.display());
                }
            }
        }
    }
}
