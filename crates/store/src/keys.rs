//! The keys of histories, in the credential store of the operating system beside the passwords.
//!
//! The store's thread waits here for the passwords' thread, which may have to wait for a person
//! who unlocks the system's store; not without end, for the store's queue is finite.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use keyring_core::Error;

use crate::passwords::{Passwords, Task};
use crate::seal::Key;

/// How long the system is waited for. A person needs some of it to type a password.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the system said about a key.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    /// Here it is.
    Found(Key),
    /// The store answers and has none.
    Missing,
    /// There is no store, or it is locked; in words, with the remedy.
    Unavailable(String),
}

/// A question for the passwords' thread.
pub struct KeyWish {
    account: String,
    make: bool,
    answer: SyncSender<KeyAnswer>,
}

/// The way to the passwords' thread.
pub struct Keys {
    tasks: SyncSender<Task>,
}

impl Keys {
    /// Questions go this way.
    pub fn new(tasks: SyncSender<Task>) -> Self {
        Self { tasks }
    }

    /// The key of an account's history.
    pub fn read(&self, account: &str) -> KeyAnswer {
        self.ask(account, false)
    }

    /// A new key, kept by the system before it is here. One that was there is replaced.
    pub fn make(&self, account: &str) -> KeyAnswer {
        self.ask(account, true)
    }

    fn ask(&self, account: &str, make: bool) -> KeyAnswer {
        let (answer, heard) = sync_channel(1);
        let wish = KeyWish { account: account.to_owned(), make, answer };
        if self.tasks.send(Task::Key(wish)).is_err() {
            return KeyAnswer::Unavailable(NONE.into());
        }
        match heard.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => KeyAnswer::Unavailable(SLOW.into()),
            Err(RecvTimeoutError::Disconnected) => KeyAnswer::Unavailable(NONE.into()),
        }
    }
}

impl Passwords {
    pub(crate) fn key(&mut self, wish: KeyWish) {
        let name = format!("{} (history)", wish.account);
        let found = if wish.make { self.make_key(&name) } else { self.read_key(&name) };
        // Nobody waits any more: the store's thread went on without.
        let _ = wish.answer.try_send(
            found.unwrap_or_else(|error| KeyAnswer::Unavailable(words(&error).to_owned())),
        );
    }

    fn read_key(&self, name: &str) -> Result<KeyAnswer, Error> {
        let Some(entry) = self.entry(name)? else {
            return Ok(KeyAnswer::Unavailable(UNWANTED.into()));
        };
        match entry.get_password() {
            Ok(text) => Ok(match Key::read(&text) {
                Some(key) => KeyAnswer::Found(key),
                None => KeyAnswer::Unavailable(ODD.into()),
            }),
            Err(Error::NoEntry) => Ok(KeyAnswer::Missing),
            Err(error) => Err(error),
        }
    }

    /// A key counts when the system gives it back: what is encrypted with one that it only says
    /// it took would be lost.
    fn make_key(&self, name: &str) -> Result<KeyAnswer, Error> {
        let Some(entry) = self.entry(name)? else {
            return Ok(KeyAnswer::Unavailable(UNWANTED.into()));
        };
        let Ok(key) = Key::random() else { return Ok(KeyAnswer::Unavailable(NONE.into())) };
        entry.set_password(key.text().expose())?;
        match self.read_key(name)? {
            KeyAnswer::Found(kept) if kept == key => Ok(KeyAnswer::Found(key)),
            _ => Ok(KeyAnswer::Unavailable(ODD.into())),
        }
    }
}

const SLOW: &str = "The system's password store did not answer within a minute. Unlock it and \
     sign in again";
const NONE: &str = "This system has no password store that answers, which would keep the key. \
     Start a Secret Service such as GNOME Keyring or KWallet and sign in again";
const LOCKED: &str = "The system's password store is locked. Unlock it and sign in again";
const ODD: &str = "The system's password store gives back something else than was kept. Look for \
     entries named Offhook in the system's password manager";
const UNWANTED: &str = "This profile does not use the system's password store";

/// What the person can do about it; the library's own text can name the entry.
fn words(error: &Error) -> &'static str {
    match error {
        Error::NoStorageAccess(_) => LOCKED,
        Error::PlatformFailure(_)
        | Error::NoDefaultStore
        | Error::NotSupportedByStore(_)
        | Error::BadStoreFormat(_) => NONE,
        _ => ODD,
    }
}
