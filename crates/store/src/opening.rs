//! Opening an account's history, whatever is found in its place.
//!
//! `ACCOUNT.db` is in clear, `ACCOUNT.sealed` is encrypted. One in clear is encrypted as soon as
//! there is a key: into `ACCOUNT.sealed.new`, flushed and counted, which then takes its name, and
//! only then the one in clear is deleted. So of two that are found together the encrypted one is
//! whole, and a new one is begun anew. What cannot be decrypted is set aside, and what cannot be
//! decrypted today is left where it is; neither is ever deleted or written.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use offhook_model::Keeping;
use offhook_ports::KeepingPlan;
use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::base::Base;
use crate::history::History;
use crate::keys::{KeyAnswer, Keys};
use crate::schema::words;
use crate::seal::{Key, Sealed};

/// How many pages are copied at once.
const PAGES: i32 = 1_000;

/// What may lie beside a database (sqlite.org/tempfiles.html).
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Opens or makes the account's history in this folder. When no file can be used, messages are in
/// memory until the history is closed, and the history's `keeping` says why.
///
/// # Errors
/// In words, without private content, when not even that is possible.
pub fn open(
    folder: &Path,
    account: &str,
    plan: KeepingPlan,
    keys: &Keys,
) -> Result<History, String> {
    let (disk, encrypted, why) = match Files::new(folder, account).and_then(|it| it.open(keys)) {
        Ok(Opened { base, encrypted, why }) => (Some(base), encrypted, why),
        Err(why) => (None, false, Some(format!("{why}. {IN_MEMORY}"))),
    };
    History::new(disk, plan, Keeping { kept: false, encrypted, why })
}

const IN_MEMORY: &str = "Until then messages are kept only until you sign out";

/// Where a history is.
struct Files {
    account: String,
    folder: PathBuf,
    plain: PathBuf,
    sealed: PathBuf,
    new: PathBuf,
}

struct Opened {
    base: Base,
    encrypted: bool,
    why: Option<String>,
}

/// Why an encrypted file was not opened.
enum Refused {
    /// The key is not its key, or it is damaged from the beginning.
    Unreadable,
    /// Something else, in words.
    Other(String),
}

impl Files {
    fn new(folder: &Path, account: &str) -> Result<Self, String> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("The folder of the history cannot be made ({error})"))?;
        let path = |ending: &str| folder.join(format!("{}{ending}", file_name(account)));
        Ok(Self {
            account: account.to_owned(),
            folder: folder.to_owned(),
            plain: path(".db"),
            sealed: path(".sealed"),
            new: path(".sealed.new"),
        })
    }

    fn open(&self, keys: &Keys) -> Result<Opened, String> {
        match keys.read(&self.account) {
            KeyAnswer::Found(key) => self.open_with(&key),
            KeyAnswer::Missing if self.sealed.exists() => {
                let key = match keys.make(&self.account) {
                    KeyAnswer::Found(key) => key,
                    KeyAnswer::Missing => return Err(locked(LOST)),
                    KeyAnswer::Unavailable(why) => return Err(locked(&why)),
                };
                self.set_aside()?;
                self.open_with(&key).map(|opened| Opened { why: Some(ASIDE.into()), ..opened })
            }
            KeyAnswer::Missing => match keys.make(&self.account) {
                KeyAnswer::Found(key) => self.open_with(&key),
                KeyAnswer::Missing => self.open_plain(LOST.into()),
                KeyAnswer::Unavailable(why) => self.open_plain(why),
            },
            KeyAnswer::Unavailable(why) if self.sealed.exists() => Err(locked(&why)),
            KeyAnswer::Unavailable(why) => self.open_plain(why),
        }
    }

    /// `why` there is no key.
    fn open_plain(&self, why: String) -> Result<Opened, String> {
        let base = self.plain_base()?;
        Ok(Opened { base, encrypted: false, why: Some(format!("{UNENCRYPTED} {why}.")) })
    }

    fn plain_base(&self) -> Result<Base, String> {
        let usable = || Base::new(Connection::open(&self.plain).map_err(words)?, None);
        usable().map_err(|why| format!("The history on this computer cannot be used: {why}"))
    }

    fn open_with(&self, key: &Key) -> Result<Opened, String> {
        let mut why = None;
        if self.sealed.exists() {
            match sealed_base(&self.sealed, key) {
                Ok(base) => {
                    // It was made of the one in clear, and the program ended before that was gone.
                    self.remove_plain();
                    return Ok(Opened { base, encrypted: true, why: None });
                }
                Err(Refused::Unreadable) => {
                    self.set_aside()?;
                    why = Some(ASIDE.to_owned());
                }
                Err(Refused::Other(why)) => {
                    return Err(format!("The history on this computer cannot be used: {why}"));
                }
            }
        }
        if self.plain.exists() {
            let plain = self.plain_base()?;
            if let Err(error) = self.encrypt(&plain, key) {
                let why = format!("{UNENCRYPTED} It could not be encrypted: {error}.");
                return Ok(Opened { base: plain, encrypted: false, why: Some(why) });
            }
            drop(plain);
            self.remove_plain();
        }
        match sealed_base(&self.sealed, key) {
            Ok(base) => Ok(Opened { base, encrypted: true, why }),
            Err(Refused::Unreadable) => Err(locked(LOST)),
            Err(Refused::Other(why)) => {
                Err(format!("The history on this computer cannot be used: {why}"))
            }
        }
    }

    /// Makes the encrypted history out of the one in clear, whole or not at all.
    fn encrypt(&self, plain: &Base, key: &Key) -> Result<(), String> {
        // Of an attempt that was cut short.
        remove(&self.new);
        let made = copy(plain, &self.new, key).and_then(|()| {
            let flush = || File::open(&self.new)?.sync_all();
            flush().map_err(|error| error.to_string())?;
            fs::rename(&self.new, &self.sealed).map_err(|error| error.to_string())
        });
        if made.is_err() {
            remove(&self.new);
        }
        self.flush_folder();
        made
    }

    /// Out of the way, under a name of its own. The log goes first: one that belongs to another
    /// database would be overwritten.
    fn set_aside(&self) -> Result<(), String> {
        let free = (1_u32..).map(|n| {
            let name = format!("{}.aside-{n}.sealed", file_name(&self.account));
            self.folder.join(name)
        });
        let free = free.into_iter().find(|path| !path.exists() && !beside(path, "-wal").exists());
        let Some(aside) = free else { return Err("there is no name left".into()) };
        for ending in BESIDE {
            let from = beside(&self.sealed, ending);
            if from.exists() {
                fs::rename(from, beside(&aside, ending)).map_err(|error| error.to_string())?;
            }
        }
        fs::rename(&self.sealed, &aside).map_err(|error| error.to_string())?;
        self.flush_folder();
        Ok(())
    }

    fn remove_plain(&self) {
        if self.plain.exists() {
            // The encrypted one has its name for good before the other goes.
            self.flush_folder();
            remove(&self.plain);
        }
    }

    /// Renamed files keep their new names through a power cut, on systems where folders can be
    /// flushed.
    fn flush_folder(&self) {
        if let Ok(folder) = File::open(&self.folder) {
            let _ = folder.sync_all();
        }
    }
}

const UNENCRYPTED: &str = "Messages are kept on this computer without encryption.";
const ASIDE: &str = "The key of the encrypted history on this computer is not in the system's \
     password store any more. The history was set aside (a file with \"aside\" in its name, in the \
     folder \"history\" of the profile), and a new one was begun.";
const LOST: &str = "The key of the history is not in the system's password store";

fn locked(why: &str) -> String {
    format!(
        "The history on this computer is encrypted and cannot be read at present; it was left \
         as it is. {why}"
    )
}

/// Opens or makes an encrypted database.
fn sealed_base(path: &Path, key: &Key) -> Result<Base, Refused> {
    let seal = Sealed::new(key).map_err(Refused::Other)?;
    let database = connect(path, &seal).map_err(|error| Refused::Other(words(error)))?;
    match database.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)) {
        Ok(_) => {}
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(Refused::Unreadable);
        }
        Err(error) => return Err(Refused::Other(words(error))),
    }
    Base::new(database, Some(seal)).map_err(Refused::Other)
}

fn connect(path: &Path, seal: &Sealed) -> rusqlite::Result<Connection> {
    let database = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), seal.name())?;
    // Before the first look at the log: there is no memory to share below this layer.
    database.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    database.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(database)
}

/// Copies a whole database into a new encrypted one.
fn copy(from: &Base, to: &Path, key: &Key) -> Result<(), String> {
    let seal = Sealed::new(key)?;
    let mut made = connect(to, &seal).map_err(words)?;
    // It is nothing until it is whole, so it needs no journal.
    made.pragma_update(None, "journal_mode", "OFF").map_err(words)?;
    {
        let work = Backup::new(&from.database, &mut made).map_err(words)?;
        while let rusqlite::backup::StepResult::More = work.step(PAGES).map_err(words)? {}
    }
    drop(made);
    let again = connect(to, &seal).map_err(words)?;
    let count = |database: &Connection| {
        let sql = "SELECT (SELECT COUNT(*) FROM message) + (SELECT COUNT(*) FROM person)";
        database.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(words)
    };
    if count(&again)? == count(&from.database)? {
        Ok(())
    } else {
        Err("the copy is not whole".into())
    }
}

fn remove(path: &Path) {
    for ending in BESIDE {
        let _ = fs::remove_file(beside(path, ending));
    }
    let _ = fs::remove_file(path);
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// An account as a file name on every system: everything but letters, digits, `.`, `-`, `_` and
/// `@` is written as `%` and two hexadecimal digits.
pub fn file_name(account: &str) -> String {
    let mut name = String::with_capacity(account.len());
    for byte in account.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_@".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn an_account_is_a_safe_file_name() {
        assert_eq!(file_name("a@b.c"), "a@b.c");
        assert_eq!(file_name("../x/y"), "..%2fx%2fy");
    }
}
