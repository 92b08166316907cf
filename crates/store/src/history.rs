//! Messages and calls of one account, in SQLite.

use std::path::Path;

use offhook_model::{
    CallDirection, CallRecord, Chat, ChatKind, Delivery, Jid, Keeping, Message, MessageId, More,
    Timestamp,
};
use offhook_ports::{Loaded, StoreAnswer};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::schema;

/// How many conversations and calls are read at sign-in.
const CHATS: u32 = 500;
const CALLS: u32 = 200;

/// The columns of a message, in the order that [`message`] reads.
const COLUMNS: &str = "chat, id, writer, reader, body, time, own, state, error";

/// An open history.
pub struct History {
    database: Connection,
}

impl History {
    /// Opens or makes the account's database.
    ///
    /// # Errors
    /// In words, without private content.
    pub fn open(data: &Path, account: &str) -> Result<Self, String> {
        let folder = data.join("history");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let path = folder.join(format!("{}.db", file_name(account)));
        let mut database = Connection::open(path).map_err(|error| error.to_string())?;
        schema::prepare(&mut database)?;
        Ok(Self { database })
    }

    /// Keeps a message, or its new state.
    pub fn put_message(&mut self, message: &Message) -> Result<(), String> {
        self.run(
            "INSERT INTO message (chat, id, writer, reader, body, time, own, state, error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (chat, id) DO UPDATE SET body = ?5, time = ?6, state = ?8, error = ?9",
            params![
                message.with.bare_str(),
                message.id.0,
                message.from.bare_str(),
                message.to.bare_str(),
                message.body,
                message.time.0,
                message.own,
                number(message.state),
                message.error
            ],
        )
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
            params![id.0, number(state), error],
        )
    }

    /// All received messages of a conversation have been seen.
    pub fn mark_read(&mut self, with: &Jid) -> Result<(), String> {
        self.run(
            "UPDATE message SET state = ?2 WHERE chat = ?1 AND own = 0 AND state < ?2",
            params![with.bare_str(), number(Delivery::Read)],
        )
    }

    /// Keeps a call.
    pub fn put_call(&mut self, call: &CallRecord) -> Result<(), String> {
        self.run(
            "INSERT INTO call (remote, name, incoming, started, seconds, missed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                call.remote,
                call.name,
                call.direction == CallDirection::Incoming,
                call.started.0,
                call.seconds,
                call.missed
            ],
        )
    }

    /// Everything needed at sign-in.
    pub fn load(&mut self) -> Result<StoreAnswer, String> {
        let chats = self.chats()?;
        let queued = self.select("WHERE own = 1 AND state = 0 ORDER BY time, id", params![])?;
        Ok(StoreAnswer::Loaded(Box::new(Loaded {
            chats,
            keeping: Keeping { kept: true, ..Keeping::default() },
            calls: self.calls()?,
            queued,
            ..Loaded::default()
        })))
    }

    /// The newest messages older than `before`, in order of time.
    pub fn messages(
        &mut self,
        with: &Jid,
        before: Option<&MessageId>,
        limit: u32,
    ) -> Result<StoreAnswer, String> {
        let bound = match before {
            Some(id) => self.position(with, id)?,
            None => (i64::MAX, String::new()),
        };
        let items = self.select(
            "WHERE chat = ?1 AND (time, id) < (?2, ?3) ORDER BY time DESC, id DESC LIMIT ?4",
            params![with.bare_str(), bound.0, bound.1, limit.saturating_add(1)],
        )?;
        Ok(newest_last(items, limit))
    }

    /// Messages that contain every word, in order of time.
    pub fn search(&mut self, query: &str, limit: u32) -> Result<StoreAnswer, String> {
        let words: Vec<String> = query.split_whitespace().map(contains).collect();
        if words.is_empty() {
            return Ok(StoreAnswer::Messages { items: vec![], more: false });
        }
        let clauses: Vec<String> =
            (1..=words.len()).map(|n| format!("body LIKE ?{n} ESCAPE '\\'")).collect();
        let rest = format!(
            "WHERE {} ORDER BY time DESC, id DESC LIMIT {}",
            clauses.join(" AND "),
            limit.saturating_add(1)
        );
        let items = self.select(&rest, rusqlite::params_from_iter(words))?;
        Ok(newest_last(items, limit))
    }

    fn position(&self, with: &Jid, id: &MessageId) -> Result<(i64, String), String> {
        self.database
            .prepare_cached("SELECT time, id FROM message WHERE chat = ?1 AND id = ?2")
            .and_then(|mut query| {
                query
                    .query_row(params![with.bare_str(), id.0], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "there is no such message".to_owned())
    }

    fn chats(&self) -> Result<Vec<Chat>, String> {
        let last = self.select(
            "WHERE (chat, time, id) IN
                (SELECT chat, time, MAX(id) FROM message AS inner
                 WHERE time = (SELECT MAX(time) FROM message WHERE chat = inner.chat)
                 GROUP BY chat)
             ORDER BY time DESC LIMIT ?1",
            params![CHATS],
        )?;
        last.into_iter()
            .map(|message| {
                let unread = self.unread(&message.with)?;
                let name = message.with.local().unwrap_or(message.with.bare_str()).to_owned();
                let with = message.with.clone();
                let last = Some(message);
                Ok(Chat { last, unread, ..Chat::new(with, name, ChatKind::Person) })
            })
            .collect()
    }

    fn unread(&self, with: &Jid) -> Result<u32, String> {
        self.database
            .prepare_cached(
                "SELECT COUNT(*) FROM message WHERE chat = ?1 AND own = 0 AND state < ?2",
            )
            .and_then(|mut query| {
                query.query_row(params![with.bare_str(), number(Delivery::Read)], |row| row.get(0))
            })
            .map_err(|error| error.to_string())
    }

    fn calls(&self) -> Result<Vec<CallRecord>, String> {
        let read = |row: &Row<'_>| {
            Ok(CallRecord {
                remote: row.get(0)?,
                name: row.get(1)?,
                direction: if row.get(2)? {
                    CallDirection::Incoming
                } else {
                    CallDirection::Outgoing
                },
                started: Timestamp(row.get(3)?),
                seconds: row.get(4)?,
                missed: row.get(5)?,
            })
        };
        self.database
            .prepare_cached(
                "SELECT remote, name, incoming, started, seconds, missed FROM call
                 ORDER BY started DESC, number DESC LIMIT ?1",
            )
            .and_then(|mut query| query.query_map([CALLS], read)?.collect())
            .map_err(|error| error.to_string())
    }

    fn select(&self, rest: &str, values: impl rusqlite::Params) -> Result<Vec<Message>, String> {
        let sql = format!("SELECT {COLUMNS} FROM message {rest}");
        self.database
            .prepare_cached(&sql)
            .and_then(|mut query| query.query_map(values, message)?.collect())
            .map_err(|error| error.to_string())
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), String> {
        self.database
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// A pattern for LIKE in which nothing of the word is special.
fn contains(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn newest_last(mut items: Vec<Message>, limit: u32) -> StoreAnswer {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    items.reverse();
    StoreAnswer::Messages { items, more }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let jid = |column: usize| -> rusqlite::Result<Jid> {
        let text: String = row.get(column)?;
        text.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                column,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })
    };
    Ok(Message {
        with: jid(0)?,
        id: MessageId(row.get(1)?),
        from: jid(2)?,
        to: jid(3)?,
        body: row.get(4)?,
        time: Timestamp(row.get(5)?),
        own: row.get(6)?,
        state: delivery(row.get(7)?),
        error: row.get(8)?,
        more: More::default(),
    })
}

/// The numbers in the database; they must never change meaning.
fn number(state: Delivery) -> i64 {
    match state {
        Delivery::Queued => 0,
        Delivery::Sent => 1,
        Delivery::Delivered => 2,
        Delivery::Read => 3,
        Delivery::Failed => 4,
    }
}

fn delivery(number: i64) -> Delivery {
    match number {
        0 => Delivery::Queued,
        1 => Delivery::Sent,
        2 => Delivery::Delivered,
        3 => Delivery::Read,
        _ => Delivery::Failed,
    }
}

/// An account as a file name on every system: everything but letters, digits, `.`, `-`, `_` and
/// `@` is written as `%` and two hexadecimal digits.
fn file_name(account: &str) -> String {
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
    use offhook_model::{
        CallDirection, CallRecord, Delivery, Jid, Message, MessageId, More, Timestamp,
    };
    use offhook_ports::{Loaded, StoreAnswer};

    use super::{History, file_name};

    fn jid(text: &str) -> Jid {
        text.parse().expect("a JID")
    }

    fn message(id: &str, time: i64, own: bool, body: &str) -> Message {
        let (alice, bob) = (jid("alice@example.com"), jid("bob@example.com"));
        let (from, to) = if own { (alice, bob.clone()) } else { (bob.clone(), alice) };
        let state = if own { Delivery::Queued } else { Delivery::Delivered };
        Message {
            id: MessageId(id.into()),
            with: bob,
            from,
            to,
            body: body.into(),
            time: Timestamp(time),
            own,
            state,
            error: None,
            more: More::default(),
        }
    }

    fn ids(answer: StoreAnswer) -> (Vec<String>, bool) {
        match answer {
            StoreAnswer::Messages { items, more } => {
                (items.into_iter().map(|message| message.id.0).collect(), more)
            }
            other => panic!("{other:?}"),
        }
    }

    fn filled(folder: &std::path::Path) -> History {
        let mut history = History::open(folder, "alice@example.com").expect("open");
        for (id, time, own, body) in [
            ("a", 1, true, "one 100%"),
            ("b", 2, false, "two words"),
            ("c", 2, false, "two more"),
            ("d", 3, true, "last"),
        ] {
            history.put_message(&message(id, time, own, body)).expect("kept");
        }
        history
    }

    #[test]
    fn pages_are_in_order_and_meet_without_gap_or_overlap() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut history = filled(folder.path());
        let bob = jid("bob@example.com");
        assert_eq!(
            ids(history.messages(&bob, None, 2).expect("read")),
            (vec!["c".into(), "d".into()], true)
        );
        let before = MessageId("c".into());
        let page = ids(history.messages(&bob, Some(&before), 2).expect("read"));
        assert_eq!(page, (vec!["a".into(), "b".into()], false));
    }

    #[test]
    fn delivery_only_moves_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut history = filled(folder.path());
        let id = MessageId("a".into());
        history.set_delivery(&id, Delivery::Delivered, None).expect("kept");
        history.set_delivery(&id, Delivery::Sent, None).expect("ignored");
        let StoreAnswer::Messages { items, .. } =
            history.messages(&jid("bob@example.com"), None, 10).expect("read")
        else {
            panic!("no messages")
        };
        assert_eq!(items[0].state, Delivery::Delivered);
    }

    #[test]
    fn everything_is_there_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = CallRecord {
            remote: "2002".into(),
            name: Some("Bob".into()),
            direction: CallDirection::Incoming,
            started: Timestamp(5),
            seconds: 0,
            missed: true,
        };
        filled(folder.path()).put_call(&record).expect("kept");
        let mut again = History::open(folder.path(), "alice@example.com").expect("open");
        let StoreAnswer::Loaded(loaded) = again.load().expect("read") else { panic!("not loaded") };
        let Loaded { chats, calls, queued, .. } = *loaded;
        assert_eq!(calls, [record]);
        assert_eq!(queued.iter().map(|m| m.id.0.as_str()).collect::<Vec<_>>(), ["a", "d"]);
        assert_eq!((chats.len(), chats[0].unread), (1, 2));
        assert_eq!(chats[0].last.as_ref().map(|m| m.id.0.as_str()), Some("d"));
        again.mark_read(&jid("bob@example.com")).expect("kept");
        let StoreAnswer::Loaded(loaded) = again.load().expect("read") else { panic!() };
        assert_eq!(loaded.chats[0].unread, 0);
    }

    #[test]
    fn accounts_of_any_script_have_histories_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let accounts =
            ["jörg@bücher.example", "jorg@bucher.example", "用户@例子.example", "a/b@x", "a%2fb@x"];
        for (n, account) in accounts.iter().enumerate() {
            let mut history = History::open(folder.path(), account).expect("open");
            let mut kept = message(&format!("m{n}"), 1, false, "Grüße, мир, 世界, 👋🏽");
            kept.with = jid("jürgen@bücher.example");
            history.put_message(&kept).expect("kept");
        }
        for (n, account) in accounts.iter().enumerate() {
            let mut history = History::open(folder.path(), account).expect("open");
            let found = ids(history.search("世界 👋🏽", 10).expect("read")).0;
            assert_eq!(found, [format!("m{n}")], "{account}");
            let with = jid("jürgen@bücher.example");
            assert_eq!(ids(history.messages(&with, None, 10).expect("read")).0.len(), 1);
        }
    }

    #[test]
    fn a_history_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(filled(folder.path()));
        let path = folder.path().join("history/alice@example.com.db");
        let database = rusqlite::Connection::open(&path).expect("open");
        database.pragma_update(None, "user_version", 99).expect("written");
        drop(database);
        let error = History::open(folder.path(), "alice@example.com").err().expect("refused");
        assert!(error.contains("newer version"), "{error}");
        let database = rusqlite::Connection::open(&path).expect("open");
        let kept: i64 =
            database.query_row("SELECT COUNT(*) FROM message", [], |row| row.get(0)).expect("read");
        assert_eq!(kept, 4);
    }

    #[test]
    fn a_file_that_is_no_database_is_an_error_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("history")).expect("made");
        let path = folder.path().join("history/a@b.c.db");
        std::fs::write(&path, "this was never a database, whatever it is called").expect("written");
        assert!(History::open(folder.path(), "a@b.c").is_err());
        let text = std::fs::read_to_string(&path).expect("there");
        assert!(text.starts_with("this was never"), "{text}");
    }

    #[test]
    fn search_takes_words_literally() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut history = filled(folder.path());
        assert_eq!(ids(history.search("two MORE", 10).expect("read")).0, ["c"]);
        assert_eq!(ids(history.search("100%", 10).expect("read")).0, ["a"]);
        assert!(ids(history.search("1_0", 10).expect("read")).0.is_empty());
        assert!(ids(history.search("  ", 10).expect("read")).0.is_empty());
    }

    #[test]
    fn an_account_is_a_safe_file_name() {
        assert_eq!(file_name("a@b.c"), "a@b.c");
        assert_eq!(file_name("../x/y"), "..%2fx%2fy");
    }
}
