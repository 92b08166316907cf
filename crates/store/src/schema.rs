//! The shape of the history database, and how an older one is brought up to date.

use rusqlite::Connection;

/// Each entry brings a database from the version of its index to the next.
const STEPS: [&str; 1] = ["
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
"];

/// Makes or updates the tables.
///
/// # Errors
/// The database cannot be changed, or was written by a newer version.
pub fn prepare(database: &mut Connection) -> Result<(), String> {
    let words = |error: rusqlite::Error| error.to_string();
    database.pragma_update(None, "journal_mode", "WAL").map_err(words)?;
    // A power cut may lose the last moments, never the database (SQLite documentation of WAL).
    database.pragma_update(None, "synchronous", "NORMAL").map_err(words)?;
    let version: usize = database
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(words)
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))?;
    let steps = STEPS.get(version..).ok_or("it was written by a newer version of the program")?;
    let change = database.transaction().map_err(words)?;
    for step in steps {
        change.execute_batch(step).map_err(words)?;
    }
    change.pragma_update(None, "user_version", STEPS.len() as i64).map_err(words)?;
    change.commit().map_err(words)
}
