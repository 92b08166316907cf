//! One database: the messages, conversations, calls and people of an account, on disk or in memory.
//!
//! What writes several rows runs inside the batch's transaction ([`Base::begin`]) with a savepoint
//! of its own, so that it is done as a whole or not at all.

use std::collections::HashMap;

use offhook_model::{
    CallDirection, CallRecord, Delivery, Jid, Message, MessageId, Secret, Timestamp,
};
use offhook_ports::{Amendment, ChatRow};
use rusqlite::{Connection, OptionalExtension, Params, params};

use crate::amend::amend;
use crate::people::People;
use crate::rows::{self, COLUMNS, SELECT};
use crate::schema::{self, COUNT_BITS, words};
use crate::seal::Sealed;
use crate::words::apart;

/// The account's own place among archives.
const OURS: &str = "";

/// A database in the present shape.
pub struct Base {
    pub(crate) database: Connection,
    /// What encrypts its files; dropped after the connection, so it stands behind it.
    _seal: Option<Sealed>,
    /// Numbers of conversations by address.
    pub(crate) chats: HashMap<String, i64>,
    /// What is kept of people.
    pub(crate) people: People,
    /// A savepoint may be needed: a batch is being carried out.
    in_batch: bool,
}

/// What became of a message that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    Added,
    /// It was there.
    Replaced,
    /// Its id is taken by the other side, and it is not kept.
    Passed,
}

/// A message as it lies there.
struct Found {
    number: i64,
    chat: i64,
    message: Message,
}

impl Base {
    /// Takes a connection, and makes or updates its tables.
    ///
    /// # Errors
    /// In words, when it is no database of ours or of a newer version. It is as it was then.
    pub fn new(mut database: Connection, seal: Option<Sealed>) -> Result<Self, String> {
        schema::prepare(&mut database)?;
        let (chats, people) = (HashMap::new(), People::default());
        Ok(Self { database, _seal: seal, chats, people, in_batch: false })
    }

    /// One that is gone with the program.
    ///
    /// # Errors
    /// There is no memory.
    pub fn in_memory() -> Result<Self, String> {
        Self::new(Connection::open_in_memory().map_err(words)?, None)
    }

    /// Begins a batch. `lasting`: it must outlive a power cut from the moment it is committed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn begin(&mut self, lasting: bool) -> Result<(), String> {
        // With NORMAL the log is not flushed at a commit, with FULL it is
        // (sqlite.org/pragma.html#pragma_synchronous).
        let level = if lasting { "FULL" } else { "NORMAL" };
        self.database.pragma_update(None, "synchronous", level).map_err(words)?;
        self.run("BEGIN IMMEDIATE", [])?;
        self.in_batch = true;
        Ok(())
    }

    /// Ends a batch: everything in it is kept from now on.
    ///
    /// # Errors
    /// It could not be written; nothing of the batch is kept.
    pub fn commit(&mut self) -> Result<(), String> {
        if !std::mem::take(&mut self.in_batch) {
            return Ok(());
        }
        let done = self.run("COMMIT", []).map(drop);
        if done.is_err() {
            self.give_up();
        }
        done
    }

    /// Whether the database threw the batch away, as it does when the disk is full.
    pub fn lost_batch(&mut self) -> bool {
        let lost = self.in_batch && self.database.is_autocommit();
        if lost {
            self.give_up();
        }
        lost
    }

    fn give_up(&mut self) {
        self.in_batch = false;
        self.doubt();
        if !self.database.is_autocommit() {
            // The transaction ends with the connection if not now.
            let _ = self.run("ROLLBACK", []);
        }
    }

    /// What is remembered of rows may be of ones that are taken back.
    fn doubt(&mut self) {
        self.chats.clear();
        self.people.count = None;
    }

    /// Carries out several statements as one.
    pub(crate) fn whole<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.run("SAVEPOINT one", [])?;
        let done = work(self);
        if done.is_err() {
            self.doubt();
            if !self.database.is_autocommit() {
                self.run("ROLLBACK TO one", [])?;
            }
        }
        if !self.database.is_autocommit() {
            self.run("RELEASE one", [])?;
        }
        done
    }

    // ---- messages ---------------------------------------------------------------------------

    /// Keeps a message, or what has become of it. What was received never takes the place of what
    /// we wrote, nor the other way round.
    ///
    /// # Errors
    /// As every function here: the database's words, without content.
    pub fn put(&mut self, message: &Message) -> Result<Put, String> {
        let chat = self.chat(&message.with)?;
        if self.add(chat, message)? {
            return Ok(Put::Added);
        }
        self.whole(|base| match base.find_id(chat, &message.id)? {
            Some(old) if old.message.own != message.own => Ok(Put::Passed),
            // What was received comes again after a crash: it keeps its place.
            Some(old) if !message.own && old.message.body == message.body => {
                let message = Message { time: old.message.time, ..message.clone() };
                base.replace(&old, &message).map(|()| Put::Replaced)
            }
            Some(old) => base.replace(&old, message).map(|()| Put::Replaced),
            None => Err("it is damaged".into()),
        })
    }

    /// Keeps a message of an archive, unless it is here.
    ///
    /// # Errors
    /// As every function here.
    pub fn put_archived(&mut self, message: &Message) -> Result<(), String> {
        let chat = self.chat(&message.with)?;
        let archive = message.more.archive_id.as_deref();
        if archive.is_some() && self.free_archive(chat, archive, 0)?.is_none() {
            return Ok(());
        }
        self.add(chat, message).map(drop)
    }

    /// Adds a message, its words and what it means for its conversation, as a whole; false, and
    /// nothing, when there is one with its id. In a batch there is no savepoint around it, at which
    /// the index would be written out each time (see `schema.rs`): if a part fails, the whole
    /// batch is thrown away, as it is when the disk is full.
    fn add(&mut self, chat: i64, message: &Message) -> Result<bool, String> {
        if !self.in_batch {
            return self.whole(|base| base.add_parts(chat, message));
        }
        let done = self.add_parts(chat, message);
        if done.is_err() && !self.database.is_autocommit() {
            // `lost_batch` sees it.
            self.run("ROLLBACK", [])?;
        }
        done
    }

    fn add_parts(&self, chat: i64, message: &Message) -> Result<bool, String> {
        let number = self.place(message.time.0)?;
        let archive = self.free_archive(chat, message.more.archive_id.as_deref(), number)?;
        let added = self.run(
            "INSERT OR IGNORE INTO message (number, chat, id, writer, reader, body, time, own, state,
                error, archive, author, named, more, unplaced)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                number,
                chat,
                message.id.0,
                message.from.to_string(),
                message.to.to_string(),
                message.body,
                message.time.0,
                message.own,
                rows::number(message.state),
                message.error,
                archive,
                message.more.author.as_ref().map(Jid::to_string),
                message.more.mentions_me,
                rows::rest(&message.more)?,
                message.more.unplaced,
            ],
        )?;
        if added == 0 {
            return Ok(false);
        }
        self.run(
            "INSERT INTO word (rowid, body, place) VALUES (?1, ?2, ?3)",
            params![number, apart(&message.body), format!("c{chat}")],
        )?;
        let unread = !message.own && message.state < Delivery::Read;
        self.run(
            "UPDATE chat SET last = MAX(IFNULL(last, ?2), ?2), unread = unread + ?3,
                mentions = mentions + ?4 WHERE number = ?1",
            params![chat, number, unread, unread && message.more.mentions_me],
        )?;
        Ok(true)
    }

    fn replace(&mut self, old: &Found, message: &Message) -> Result<(), String> {
        let number =
            if old.message.time == message.time { old.number } else { self.place(message.time.0)? };
        let archive = message.more.archive_id.as_ref().or(old.message.more.archive_id.as_ref());
        let archive = self.free_archive(old.chat, archive.map(String::as_str), old.number)?;
        self.run(
            "UPDATE message SET number = ?2, writer = ?3, reader = ?4, body = ?5, time = ?6,
                state = ?7, error = ?8, archive = ?9, author = ?10, named = ?11, more = ?12
             WHERE number = ?1",
            params![
                old.number,
                number,
                message.from.to_string(),
                message.to.to_string(),
                message.body,
                message.time.0,
                rows::number(message.state),
                message.error,
                archive,
                message.more.author.as_ref().map(Jid::to_string),
                message.more.mentions_me,
                rows::rest(&message.more)?,
            ],
        )?;
        let same = number == old.number
            && (message.own
                || (old.message.state < Delivery::Read) == (message.state < Delivery::Read)
                    && old.message.more.mentions_me == message.more.mentions_me);
        if same { Ok(()) } else { self.recount(old.chat) }
    }

    /// The archive's id, unless another message of the conversation has it.
    fn free_archive<'a>(
        &self,
        chat: i64,
        archive: Option<&'a str>,
        number: i64,
    ) -> Result<Option<&'a str>, String> {
        let Some(id) = archive else { return Ok(None) };
        let taken = self.one::<i64>(
            "SELECT number FROM message WHERE archive = ?1 AND chat = ?2 AND number <> ?3",
            params![id, chat, number],
        )?;
        Ok(archive.filter(|_| taken.is_none()))
    }

    /// A free number at this time; see `schema.rs`.
    fn place(&self, time: i64) -> Result<i64, String> {
        let mut first = time.clamp(0, i64::MAX >> (COUNT_BITS + 1)) << COUNT_BITS;
        loop {
            let next = first + (1 << COUNT_BITS);
            let last: Option<i64> = self
                .one(
                    "SELECT MAX(number) FROM message WHERE number >= ?1 AND number < ?2",
                    params![first, next],
                )?
                .flatten();
            match last {
                None => return Ok(first),
                Some(last) if last + 1 < next => return Ok(last + 1),
                Some(_) => first = next,
            }
        }
    }

    /// Moves an own message on; never back.
    pub fn set_delivery(
        &mut self,
        id: &MessageId,
        state: Delivery,
        error: Option<&str>,
    ) -> Result<(), String> {
        self.run(
            "UPDATE message SET state = ?2, error = ?3 WHERE id = ?1 AND own = 1 AND state < ?2",
            params![id.0, rows::number(state), error],
        )
        .map(drop)
    }

    /// Changes a message; see [`Amendment`].
    pub fn amend(&mut self, with: &Jid, id: &MessageId, change: &Amendment) -> Result<(), String> {
        let Some(mut found) = self.find(with, id)? else { return Ok(()) };
        let time = found.message.time;
        if !amend(&mut found.message, change) {
            return Ok(());
        }
        if let Amendment::Placed(_) = change {
            return self.whole(|base| base.placed(found, time));
        }
        let Found { number, chat, message } = found;
        let archive = self.free_archive(chat, message.more.archive_id.as_deref(), number)?;
        self.run(
            "UPDATE message SET body = ?2, archive = ?3, more = ?4 WHERE number = ?1",
            params![number, message.body, archive, rows::rest(&message.more)?],
        )
        .map(drop)
    }

    /// A message has its place, and stood under this time before.
    fn placed(&mut self, found: Found, time: Timestamp) -> Result<(), String> {
        let Found { number, chat, message } = found;
        self.run("UPDATE message SET unplaced = 0 WHERE number = ?1", [number])?;
        if message.time == time {
            return Ok(());
        }
        let old = Found { number, chat, message: Message { time, ..message.clone() } };
        self.replace(&old, &message)
    }

    /// See [`offhook_ports::StoreRequest::AllPlaced`].
    pub fn all_placed(&mut self) -> Result<(), String> {
        self.run("UPDATE message SET unplaced = 0 WHERE unplaced = 1", []).map(drop)
    }

    /// All received messages of a conversation have been seen.
    pub fn mark_read(&mut self, with: &Jid) -> Result<(), String> {
        let Some(chat) = self.known_chat(with)? else { return Ok(()) };
        self.whole(|base| {
            base.run(
                "UPDATE message SET state = 3 WHERE chat = ?1 AND own = 0 AND state < 3",
                [chat],
            )?;
            base.run("UPDATE chat SET unread = 0, mentions = 0 WHERE number = ?1", [chat]).map(drop)
        })
    }

    fn find(&self, with: &Jid, id: &MessageId) -> Result<Option<Found>, String> {
        let Some(chat) = self.known_chat(with)? else { return Ok(None) };
        if let Some(found) = self.find_id(chat, id)? {
            return Ok(Some(found));
        }
        self.find_by("archive", chat, &id.0)
    }

    fn find_id(&self, chat: i64, id: &MessageId) -> Result<Option<Found>, String> {
        self.find_by("id", chat, &id.0)
    }

    fn find_by(&self, column: &str, chat: i64, id: &str) -> Result<Option<Found>, String> {
        let sql = format!("{SELECT} WHERE message.{column} = ?1 AND message.chat = ?2");
        self.database
            .prepare_cached(&sql)
            .and_then(|mut query| {
                let read = |row: &rusqlite::Row<'_>| {
                    let message = rows::message(row, 0)?;
                    Ok(Found { number: row.get(COLUMNS - 1)?, chat, message })
                };
                query.query_row(params![id, chat], read).optional()
            })
            .map_err(words)
    }

    /// The place of a message in time.
    pub fn number_of(&self, with: &Jid, id: &MessageId) -> Result<Option<i64>, String> {
        Ok(self.find(with, id)?.map(|found| found.number))
    }

    // ---- conversations and values -----------------------------------------------------------

    /// The conversation's number, made when it is new.
    fn chat(&mut self, with: &Jid) -> Result<i64, String> {
        if let Some(number) = self.chats.get(with.bare_str()) {
            return Ok(*number);
        }
        let number = match self.known_chat(with)? {
            Some(number) => number,
            None => {
                self.run("INSERT INTO chat (address) VALUES (?1)", [with.bare_str()])?;
                self.database.last_insert_rowid()
            }
        };
        self.chats.insert(with.bare_str().to_owned(), number);
        Ok(number)
    }

    /// The conversation's number, if there is one.
    pub fn known_chat(&self, with: &Jid) -> Result<Option<i64>, String> {
        if let Some(number) = self.chats.get(with.bare_str()) {
            return Ok(Some(*number));
        }
        self.one("SELECT number FROM chat WHERE address = ?1", [with.bare_str()])
    }

    /// Keeps what is known of a conversation beside its messages.
    pub fn put_chat(&mut self, row: &ChatRow) -> Result<(), String> {
        self.whole(|base| {
            let chat = base.chat(&row.with)?;
            base.run(
                "UPDATE chat SET kind = ?2, name = ?3, draft = ?4, alerts = ?5, encrypt = ?6,
                    known = 1 WHERE number = ?1",
                params![
                    chat,
                    rows::kind_number(row.kind),
                    row.name,
                    row.draft,
                    rows::alerts_number(row.alerts),
                    row.encrypt
                ],
            )
            .map(drop)
        })
    }

    /// Keeps a position in an archive.
    pub fn put_archive(&mut self, place: Option<&Jid>, position: &str) -> Result<(), String> {
        self.run(
            "INSERT INTO archive (place, position) VALUES (?1, ?2)
             ON CONFLICT (place) DO UPDATE SET position = ?2",
            params![place.map_or(OURS, Jid::bare_str), position],
        )
        .map(drop)
    }

    /// Keeps or forgets a private value.
    pub fn put_value(&mut self, name: &str, value: Option<&Secret<String>>) -> Result<(), String> {
        match value {
            Some(value) => self.run(
                "INSERT INTO value (name, content) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET content = ?2",
                params![name, value.expose()],
            ),
            None => self.run("DELETE FROM value WHERE name = ?1", [name]),
        }
        .map(drop)
    }

    /// Keeps a call.
    pub fn put_call(&mut self, call: &CallRecord) -> Result<(), String> {
        self.run(
            "INSERT INTO call (remote, name, incoming, started, seconds, missed, mos)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                call.remote,
                call.name,
                call.direction == CallDirection::Incoming,
                call.started.0,
                call.seconds,
                call.missed,
                call.mos.map(|mos| mos.0)
            ],
        )
        .map(drop)
    }

    /// This computer's clock, in milliseconds since 1970.
    pub(crate) fn now(&self) -> Result<i64, String> {
        let seconds: Option<i64> = self.one("SELECT CAST(strftime('%s', 'now') AS INTEGER)", [])?;
        Ok(seconds.unwrap_or_default() * 1_000)
    }

    pub(crate) fn run(&self, sql: &str, values: impl Params) -> Result<usize, String> {
        self.database
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map_err(words)
    }

    pub(crate) fn one<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Option<T>, String> {
        self.database
            .prepare_cached(sql)
            .and_then(|mut query| query.query_row(values, |row| row.get(0)).optional())
            .map_err(words)
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::{Delivery, Jid, Message, MessageId, More, Timestamp};

    use super::{Base, Put};

    fn message(id: &str) -> Message {
        let bob: Jid = "bob@example.com".parse().expect("a JID");
        Message {
            id: MessageId(id.into()),
            with: bob.clone(),
            from: bob.clone(),
            to: "alice@example.com".parse().expect("a JID"),
            body: "some words".into(),
            time: Timestamp(1),
            own: false,
            state: Delivery::Delivered,
            error: None,
            more: More::default(),
        }
    }

    /// Half a message is never kept: one whose words are not takes its batch with it.
    #[test]
    fn a_message_without_its_words_is_not_kept_nor_what_was_with_it() {
        let mut base = Base::in_memory().expect("made");
        let count = |base: &Base| base.one::<i64>("SELECT COUNT(*) FROM message", []);
        base.begin(false).expect("begun");
        assert_eq!(base.put(&message("a")), Ok(Put::Added));
        base.commit().expect("kept");
        base.database
            .execute_batch(
                "CREATE TABLE kept AS SELECT * FROM word_docsize; DROP TABLE word_docsize",
            )
            .expect("damaged");
        base.begin(false).expect("begun");
        assert_eq!(base.put_value("name", None), Ok(()));
        assert!(base.put(&message("b")).is_err());
        assert!(base.lost_batch());
        assert_eq!(count(&base), Ok(Some(1)));
        // The next batch finds nothing of it in its way.
        base.begin(false).expect("begun");
        assert_eq!(base.put(&message("a")), Ok(Put::Replaced));
        base.commit().expect("kept");
        assert!(!base.lost_batch());
    }
}
