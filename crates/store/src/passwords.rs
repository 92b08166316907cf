//! Passwords: in the credential store of the operating system, and in memory until the program
//! ends. No password is ever written to a file.
//!
//! The system may ask the person to unlock its store, which takes as long as it takes; a thread of
//! their own does the asking, so that histories do not wait for it. It holds no connection between
//! two requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use offhook_model::Secret;
use offhook_ports::{StoreAnswer, StoreRequest};

use crate::keys::KeyWish;
use crate::thread::Job;

/// How many requests may wait.
const QUEUE: usize = 64;

/// How long the end of the program waits for the system; it may just be asking the person.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where the system keeps passwords.
#[derive(Clone)]
pub struct Keeper {
    /// The name under which the system keeps our entries, and that its password manager shows.
    pub service: String,
    /// Opens the system's store; it is closed when dropped.
    pub open: fn() -> Result<Arc<CredentialStore>, Error>,
}

/// What the thread is asked for.
pub enum Task {
    /// Something about a password.
    Password(Box<Job>),
    /// The key of a history.
    Key(KeyWish),
}

/// The thread that asks the system.
pub struct Vault {
    jobs: SyncSender<Task>,
    /// Hangs up when the thread is over.
    over: Receiver<()>,
}

impl Vault {
    /// Starts the thread. Without a keeper everything stays in memory.
    ///
    /// # Errors
    /// In words, when there is no thread to be had.
    pub fn start(keeper: Option<Keeper>) -> Result<Self, String> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (alive, over) = sync_channel(0);
        std::thread::Builder::new()
            .name("offhook-passwords".into())
            .spawn(move || {
                Passwords::new(keeper).run(&queue);
                drop(alive);
            })
            .map_err(|error| format!("No thread for the passwords could be started ({error})."))?;
        Ok(Self { jobs, over })
    }

    /// A sender of requests.
    pub fn jobs(&self) -> SyncSender<Task> {
        self.jobs.clone()
    }

    /// Waits until what was asked for is done, for a while.
    pub fn close(self) {
        drop(self.jobs);
        let _ = self.over.recv_timeout(FAREWELL);
    }
}

/// Passwords by account.
pub struct Passwords {
    keeper: Option<Keeper>,
    memory: HashMap<String, Known>,
}

struct Known {
    password: Secret<String>,
    /// The system has it as well.
    kept: bool,
}

impl Passwords {
    pub(crate) fn new(keeper: Option<Keeper>) -> Self {
        Self { keeper, memory: HashMap::new() }
    }

    fn run(mut self, queue: &Receiver<Task>) {
        while let Ok(task) = queue.recv() {
            match task {
                Task::Password(job) => {
                    let (request, answer) = *job;
                    answer(self.carry_out(request));
                }
                Task::Key(wish) => self.key(wish),
            }
        }
    }

    fn carry_out(&mut self, request: StoreRequest) -> StoreAnswer {
        match request {
            StoreRequest::PutPassword(account, password) => self.put(account, password),
            StoreRequest::GetPassword(account) => self.get(&account),
            StoreRequest::ForgetPassword(account) => self.forget(&account),
            _ => StoreAnswer::Failed("this is no password".into()),
        }
    }

    fn put(&mut self, account: String, password: Secret<String>) -> StoreAnswer {
        let known = self.memory.get(&account);
        if known.is_some_and(|it| it.kept && it.password.expose() == password.expose()) {
            return StoreAnswer::Kept;
        }
        let result = self.put_in_system(&account, &password);
        self.memory.insert(account, Known { password, kept: result.is_ok() });
        match result {
            Ok(()) => StoreAnswer::Kept,
            Err(error) => StoreAnswer::MemoryOnly(words(&error)),
        }
    }

    fn put_in_system(&self, account: &str, password: &Secret<String>) -> Result<(), Error> {
        let Some(entry) = self.entry(account)? else { return Ok(()) };
        match entry.set_password(password.expose()) {
            // Several entries of one name were made by somebody else; one of ours takes their place.
            Err(Error::Ambiguous(entries)) => {
                entries.iter().try_for_each(Entry::delete_credential)?;
                entry.set_password(password.expose())
            }
            other => other,
        }
    }

    fn get(&mut self, account: &str) -> StoreAnswer {
        if let Some(known) = self.memory.get(account) {
            return StoreAnswer::Password(Some(known.password.clone()));
        }
        match self.get_from_system(account) {
            Ok(Some(password)) => {
                let known = Known { password: password.clone(), kept: true };
                self.memory.insert(account.to_owned(), known);
                StoreAnswer::Password(Some(password))
            }
            // An entry that cannot be read as a password is as good as none: it is replaced.
            Ok(None) | Err(Error::BadEncoding(_) | Error::BadDataFormat(..)) => {
                StoreAnswer::Password(None)
            }
            // Where there is a password, somebody must open the store; where there is no store, it
            // is early enough to say so when there is something to keep.
            Err(error @ Error::NoStorageAccess(_)) => StoreAnswer::MemoryOnly(words(&error)),
            Err(_) => StoreAnswer::Password(None),
        }
    }

    fn get_from_system(&self, account: &str) -> Result<Option<Secret<String>>, Error> {
        let Some(entry) = self.entry(account)? else { return Ok(None) };
        match entry.get_password() {
            Ok(password) => Ok(Some(Secret::new(password))),
            Err(Error::NoEntry | Error::Ambiguous(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn forget(&mut self, account: &str) -> StoreAnswer {
        self.memory.remove(account);
        let gone = self.entry(account).and_then(|entry| match entry {
            Some(entry) => entry.delete_credential(),
            None => Ok(()),
        });
        match gone {
            Ok(()) | Err(Error::NoEntry) => StoreAnswer::Kept,
            Err(Error::Ambiguous(entries)) => {
                match entries.iter().try_for_each(Entry::delete_credential) {
                    Ok(()) => StoreAnswer::Kept,
                    Err(error) => StoreAnswer::MemoryOnly(words(&error)),
                }
            }
            Err(error) => StoreAnswer::MemoryOnly(words(&error)),
        }
    }

    pub(crate) fn entry(&self, account: &str) -> Result<Option<Entry>, Error> {
        let Some(keeper) = &self.keeper else { return Ok(None) };
        let store = (keeper.open)()?;
        store.build(&keeper.service, account, None).map(Some)
    }
}

/// What the person can do about it. The library's own text can name the entry, and so the account;
/// it is not repeated.
fn words(error: &Error) -> String {
    match error {
        Error::NoStorageAccess(_) => "The system's password store is locked, or another program \
             took its place, so the password is kept only until Offhook ends. Unlock it and sign \
             in again; if its password is an earlier login password, change it in the system's \
             password manager, or delete the keyring there and sign in again."
            .into(),
        Error::PlatformFailure(_)
        | Error::NoDefaultStore
        | Error::NotSupportedByStore(_)
        | Error::BadStoreFormat(_) => "This system has no password store that answers, so the \
             password is kept only until Offhook ends. Start a Secret Service such as GNOME \
             Keyring or KWallet and sign in again."
            .into(),
        _ => "The system's password store did not take the password, so it is kept only until \
             Offhook ends. Look for entries named Offhook in the system's password manager, \
             delete them and sign in again."
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keyring_core::{CredentialStore, Error};
    use offhook_ports::StoreAnswer;

    use super::{Keeper, Passwords};

    /// A system whose store stays away.
    fn locked() -> Result<Arc<CredentialStore>, Error> {
        Err(Error::NoStorageAccess("alice's keyring".into()))
    }

    fn password(answer: StoreAnswer) -> Option<String> {
        match answer {
            StoreAnswer::Password(password) => password.map(|it| it.expose().clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_store_a_password_lasts_as_long_as_the_program_and_that_is_said() {
        let mut passwords =
            Passwords::new(Some(Keeper { service: "Offhook".into(), open: locked }));
        match passwords.put("alice@example.com".into(), "secret".into()) {
            StoreAnswer::MemoryOnly(words) => {
                assert!(
                    words.contains("until Offhook ends") && !words.contains("alice"),
                    "{words}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(password(passwords.get("alice@example.com")).as_deref(), Some("secret"));
        passwords.put("alice@example.com".into(), "changed".into());
        assert!(matches!(passwords.get("carol@example.com"), StoreAnswer::MemoryOnly(_)));
        passwords.forget("alice@example.com");
        assert!(matches!(passwords.get("alice@example.com"), StoreAnswer::MemoryOnly(_)));
    }

    #[test]
    fn a_profile_that_wants_no_store_is_kept_in_memory_silently() {
        let mut passwords = Passwords::new(None);
        assert!(matches!(passwords.put("a@b.c".into(), "secret".into()), StoreAnswer::Kept));
        assert_eq!(password(passwords.get("a@b.c")).as_deref(), Some("secret"));
        assert!(matches!(passwords.forget("a@b.c"), StoreAnswer::Kept));
        assert_eq!(password(passwords.get("a@b.c")), None);
    }
}
