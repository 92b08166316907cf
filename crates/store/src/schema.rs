//! The shape of the history database, and how an older one is brought up to date.
//!
//! A message's number says its place in time: milliseconds times 4096, plus a count within the
//! millisecond in order of arrival, which runs on into the next one when it is full (servers
//! whose stamps have whole seconds make bursts). So numbers, which are also the row ids of the
//! index of words, are in order of time, and the newest of a million hits are found without
//! sorting.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Transaction};

use crate::words::apart;

/// Numbers a millisecond has, as a power of two.
pub const COUNT_BITS: u32 = 12;

/// Each entry brings a database from the version of its index to the next. What was released is
/// never changed.
const STEPS: [&str; 6] = [
    "
    CREATE TABLE message (
        chat   TEXT NOT NULL,
        id     TEXT NOT NULL,
        writer TEXT NOT NULL,
        reader TEXT NOT NULL,
        body   TEXT NOT NULL,
        time   INTEGER NOT NULL,
        own    INTEGER NOT NULL,
        state  INTEGER NOT NULL,
        error  TEXT,
        PRIMARY KEY (chat, id)
    ) WITHOUT ROWID;
    CREATE INDEX message_time ON message (chat, time, id);
    CREATE INDEX message_waiting ON message (state, time) WHERE own = 1 AND state = 0;
    CREATE TABLE call (
        number   INTEGER PRIMARY KEY,
        remote   TEXT NOT NULL,
        name     TEXT,
        incoming INTEGER NOT NULL,
        started  INTEGER NOT NULL,
        seconds  INTEGER NOT NULL,
        missed   INTEGER NOT NULL
    );
    CREATE INDEX call_time ON call (started);
    ",
    "
    DROP INDEX message_time;
    DROP INDEX message_waiting;
    ALTER TABLE message RENAME TO message1;
    CREATE TABLE chat (
        number   INTEGER PRIMARY KEY,
        address  TEXT NOT NULL UNIQUE,
        kind     INTEGER NOT NULL DEFAULT 0,
        name     TEXT,
        draft    TEXT NOT NULL DEFAULT '',
        alerts   INTEGER NOT NULL DEFAULT 0,
        encrypt  INTEGER,
        known    INTEGER NOT NULL DEFAULT 0,
        last     INTEGER,
        unread   INTEGER NOT NULL DEFAULT 0,
        mentions INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX chat_last ON chat (last);
    CREATE TABLE message (
        number  INTEGER PRIMARY KEY,
        chat    INTEGER NOT NULL,
        id      TEXT NOT NULL,
        writer  TEXT NOT NULL,
        reader  TEXT NOT NULL,
        body    TEXT NOT NULL,
        time    INTEGER NOT NULL,
        own     INTEGER NOT NULL,
        state   INTEGER NOT NULL,
        error   TEXT,
        archive TEXT,
        author  TEXT,
        named   INTEGER NOT NULL DEFAULT 0,
        more    TEXT
    );
    CREATE UNIQUE INDEX message_id ON message (id, chat);
    CREATE UNIQUE INDEX message_archive ON message (archive, chat) WHERE archive IS NOT NULL;
    CREATE INDEX message_chat ON message (chat);
    CREATE INDEX message_unread ON message (chat) WHERE own = 0 AND state < 3;
    CREATE INDEX message_waiting ON message (state) WHERE own = 1 AND state = 0;
    CREATE TABLE archive (place TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE value (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
    CREATE VIEW spoken AS
        SELECT number, apart(body) AS body, 'c' || chat AS place FROM message;
    CREATE VIRTUAL TABLE word USING fts5(
        body, place, content = 'spoken', content_rowid = 'number', prefix = '2 3',
        tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co So Sk'\"
    );
    CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
        INSERT INTO word (rowid, body, place)
        VALUES (new.number, apart(new.body), 'c' || new.chat);
    END;
    CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
        INSERT INTO word (word, rowid, body, place)
        VALUES ('delete', old.number, apart(old.body), 'c' || old.chat);
    END;
    CREATE TRIGGER message_changed AFTER UPDATE OF number, body ON message
    WHEN old.number IS NOT new.number OR old.body IS NOT new.body BEGIN
        INSERT INTO word (word, rowid, body, place)
        VALUES ('delete', old.number, apart(old.body), 'c' || old.chat);
        INSERT INTO word (rowid, body, place)
        VALUES (new.number, apart(new.body), 'c' || new.chat);
    END;
    INSERT INTO chat (address) SELECT DISTINCT chat FROM message1;
    INSERT INTO message (number, chat, id, writer, reader, body, time, own, state, error)
        SELECT place + MAX((MAX(time, 0) << 12) - place) OVER (ORDER BY place), chat.number, id,
            writer, reader, body, time, own, state, error
        FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY time, id) AS place FROM message1) AS old
        JOIN chat ON chat.address = old.chat;
    UPDATE chat SET
        last = (SELECT MAX(number) FROM message WHERE chat = chat.number),
        unread = (SELECT COUNT(*) FROM message
                  WHERE message.chat = chat.number AND own = 0 AND state < 3);
    DROP TABLE message1;
    ",
    // A statement with a trigger runs in a transaction of its own within the batch's, and at each
    // such border FTS5 writes out what it has gathered: a part of the index for every message.
    // `Base::add` tells the index itself.
    "
    DROP TRIGGER message_added;
    ",
    "
    ALTER TABLE message ADD COLUMN unplaced INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX message_unplaced ON message (unplaced) WHERE unplaced = 1;
    ",
    // Hundredths of an opinion from 1 to 5.
    "
    ALTER TABLE call ADD COLUMN mos INTEGER;
    ",
    // Source 0 is ourselves; see `people.rs`.
    "
    CREATE TABLE person (
        number INTEGER PRIMARY KEY,
        source INTEGER NOT NULL,
        id     TEXT NOT NULL,
        told   INTEGER NOT NULL,
        entry  TEXT NOT NULL
    );
    CREATE UNIQUE INDEX person_id ON person (source, id);
    CREATE INDEX person_told ON person (told) WHERE source <> 0;
    ",
];

/// Makes or updates the tables.
///
/// # Errors
/// The database cannot be changed, or was written by a newer version; it is as it was then.
pub fn prepare(database: &mut Connection) -> Result<(), String> {
    let version = version(database)?;
    let steps = STEPS.get(version..).ok_or("it was written by a newer version of the program")?;
    settle(database)?;
    if steps.is_empty() {
        return Ok(());
    }
    let change = database.transaction().map_err(words)?;
    bring_up(&change, steps).map_err(words)?;
    change.commit().map_err(words)
}

fn version(database: &Connection) -> Result<usize, String> {
    database
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(words)
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
}

fn bring_up(change: &Transaction<'_>, steps: &[&str]) -> rusqlite::Result<()> {
    for step in steps {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", STEPS.len() as i64)
}

/// What holds for a connection, not for the file.
fn settle(database: &Connection) -> Result<(), String> {
    let set = || -> rusqlite::Result<()> {
        // One thread of one program works on it; without memory shared between programs the index
        // of the log is in memory only.
        database.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        // What was committed outlives the program's end by any signal; a power cut may lose the
        // last moments, never the database (sqlite.org/pragma.html#pragma_synchronous, WAL).
        database.pragma_update(None, "synchronous", "NORMAL")?;
        // Nothing spills into files of the system's folder for temporary ones.
        database.pragma_update(None, "temp_store", "MEMORY")?;
        // Deleted text is overwritten where that costs no writing of its own.
        database.pragma_update(None, "secure_delete", "FAST")?;
        database.pragma_update(None, "cache_size", -8_000)?;
        database.set_prepared_statement_cache_capacity(64);
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_INNOCUOUS;
        database.create_scalar_function("apart", 1, flags, |context| {
            Ok(apart(context.get_raw(0).as_str().unwrap_or_default()))
        })
    };
    set().map_err(words)
}

/// What went wrong, without content: the library's own text can name the file, and so the account,
/// or repeat what is in a row.
pub fn words(error: rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, _) => code.to_string(),
        rusqlite::Error::SqlInputError { error, .. } => error.to_string(),
        error if is_of_row(&error) => "a row cannot be read".to_owned(),
        _ => "the database does not understand what it is asked".to_owned(),
    }
}

/// Whether a single row is damaged, and not the database.
pub fn is_of_row(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}
