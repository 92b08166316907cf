//! What is read out of a database: pages of messages, conversations, search.

use offhook_model::{
    CallDirection, CallRecord, Chat, Delivery, Jid, Message, MessageId, Mos, Secret, Timestamp,
};
use offhook_ports::{ChatRow, Unplaced};
use rusqlite::{Params, Row, params};

use crate::base::Base;
use crate::rows::{self, COLUMNS, SELECT};
use crate::schema::{is_of_row, words};
use crate::words::asked;

/// How many conversations and calls are read at sign-in.
const CHATS: u32 = 500;
const CALLS: u32 = 200;

/// How many messages are shown from one on.
const FROM: u32 = 200_000;

/// How many of the newest messages are gone through for signs, which the index does not have.
const SIGNS_WITHIN: u32 = 50_000;

/// Messages in order of time, and whether there are more.
pub type Page = (Vec<Message>, bool);

impl Base {
    /// The newest messages older than `before`.
    ///
    /// # Errors
    /// As every function here: the database's words, without content. Here also when there is no
    /// such message.
    pub fn page(&self, with: &Jid, before: Option<&MessageId>, limit: u32) -> Result<Page, String> {
        let before = match before {
            Some(id) => self.number_of(with, id)?.ok_or_else(no_such_message)?,
            None => i64::MAX,
        };
        let Some(chat) = self.known_chat(with)? else { return Ok((vec![], false)) };
        let items = self.select(
            "WHERE message.chat = ?1 AND message.number < ?2
             ORDER BY message.number DESC LIMIT ?3",
            params![chat, before, limit.saturating_add(1)],
        )?;
        Ok(newest_last(items, limit))
    }

    /// Everything from `context` messages before this one on.
    pub fn page_from(&self, with: &Jid, id: &MessageId, context: u32) -> Result<Page, String> {
        let number = self.number_of(with, id)?.ok_or_else(no_such_message)?;
        let chat = self.known_chat(with)?.ok_or_else(no_such_message)?;
        let first: Option<i64> = self
            .one(
                "SELECT MIN(number) FROM (SELECT number FROM message WHERE chat = ?1
                    AND number < ?2 ORDER BY number DESC LIMIT ?3)",
                params![chat, number, context],
            )?
            .flatten();
        let items = self.select(
            "WHERE message.chat = ?1 AND message.number >= ?2
             ORDER BY message.number DESC LIMIT ?3",
            params![chat, first.unwrap_or(number), FROM + 1],
        )?;
        Ok(newest_last(items, FROM))
    }

    /// Messages that contain every word, the newest, in order of time.
    pub fn search(&self, query: &str, with: Option<&Jid>, limit: u32) -> Result<Page, String> {
        let asked = asked(query);
        let chat = match with.map(|with| self.known_chat(with)).transpose()? {
            Some(None) => return Ok((vec![], false)),
            Some(chat) => chat,
            None => None,
        };
        let found = match &asked.indexed {
            Some(indexed) => self.search_words(indexed, &asked.signs, chat, limit),
            None if asked.signs.is_empty() => return Ok((vec![], false)),
            None => self.search_signs(&asked.signs, chat, limit),
        };
        // The library quotes what it does not understand, and that is what somebody looks for.
        let items = found.map_err(|_| "the search failed".to_owned())?;
        Ok(newest_last(items, limit))
    }

    fn search_words(
        &self,
        indexed: &str,
        signs: &[String],
        chat: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, String> {
        // The conversation is a word as well, so that the index finds what is in both.
        let indexed = match chat {
            Some(chat) => format!("place : \"c{chat}\" AND {indexed}"),
            None => indexed.to_owned(),
        };
        // The index finds the newest first, so it goes first and stops when there are enough.
        let sql = format!(
            "WHERE message.number IN (
                SELECT word.rowid FROM word CROSS JOIN message ON message.number = word.rowid
                WHERE word MATCH ?1 {} ORDER BY word.rowid DESC LIMIT {})
             ORDER BY message.number DESC",
            likes(signs, 2),
            limit.saturating_add(1)
        );
        let values = std::iter::once(&indexed).chain(signs);
        self.select(&sql, rusqlite::params_from_iter(values))
    }

    fn search_signs(
        &self,
        signs: &[String],
        chat: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, String> {
        let newest = match chat {
            Some(chat) => format!("SELECT number FROM message WHERE chat = {chat}"),
            None => "SELECT number FROM message".to_owned(),
        };
        let sql = format!(
            "WHERE message.number IN ({newest} ORDER BY number DESC LIMIT {SIGNS_WITHIN}) {}
             ORDER BY message.number DESC LIMIT {}",
            likes(signs, 1),
            limit.saturating_add(1)
        );
        self.select(&sql, rusqlite::params_from_iter(signs))
    }

    /// Conversations with their newest message, newest first.
    pub fn chats(&self) -> Result<Vec<Chat>, String> {
        let sql = format!(
            "{SELECT_CHAT} LEFT JOIN message ON message.number = chat.last
             WHERE last IS NOT NULL OR draft <> '' ORDER BY last IS NULL, last DESC LIMIT ?1"
        );
        let mut chats = self.list(&sql, [CHATS], |row| {
            let with = rows::jid(row, COLUMNS)?;
            let name: Option<String> = row.get(COLUMNS + 2)?;
            let name = name.unwrap_or_else(|| with.local().unwrap_or(with.bare_str()).to_owned());
            let last = match row.get::<_, Option<i64>>(COLUMNS + 5)? {
                Some(_) => Some(rows::message(row, 0)?),
                None => None,
            };
            Ok(Chat {
                last,
                draft: row.get(COLUMNS + 3)?,
                alerts: rows::alerts(row.get(COLUMNS + 4)?),
                unread: row.get(COLUMNS + 6)?,
                mentions: row.get(COLUMNS + 7)?,
                ..Chat::new(with, name, rows::kind(row.get(COLUMNS + 1)?))
            })
        })?;
        for chat in chats.iter_mut().filter(|chat| chat.unread > 0) {
            chat.first_unread = self
                .one(
                    "SELECT id FROM message WHERE own = 0 AND state < 3
                     AND chat = (SELECT number FROM chat WHERE address = ?1)
                     ORDER BY number LIMIT 1",
                    [chat.with.bare_str()],
                )?
                .map(MessageId);
        }
        Ok(chats)
    }

    /// What was kept beside messages.
    pub fn chat_rows(&self) -> Result<Vec<ChatRow>, String> {
        let sql = "SELECT address, kind, name, draft, alerts, encrypt FROM chat WHERE known = 1";
        self.list(sql, [], |row| {
            Ok(ChatRow {
                with: rows::jid(row, 0)?,
                kind: rows::kind(row.get(1)?),
                name: row.get(2)?,
                draft: row.get(3)?,
                alerts: rows::alerts(row.get(4)?),
                encrypt: row.get(5)?,
            })
        })
    }

    /// Positions in archives.
    pub fn archives(&self) -> Result<Vec<(Option<Jid>, String)>, String> {
        self.list("SELECT place, position FROM archive", [], |row| {
            let place = match row.get::<_, String>(0)?.as_str() {
                "" => None,
                _ => Some(rows::jid(row, 0)?),
            };
            Ok((place, row.get(1)?))
        })
    }

    /// Private values.
    pub fn values(&self) -> Result<Vec<(String, Secret<String>)>, String> {
        self.list("SELECT name, content FROM value", [], |row| {
            Ok((row.get(0)?, Secret::new(row.get(1)?)))
        })
    }

    /// By conversation, the time of the newest message that has its place and is no own one that
    /// waits or failed.
    pub fn settled(&self) -> Result<Vec<(Jid, Timestamp)>, String> {
        let states = [Delivery::Queued, Delivery::Failed].map(rows::number);
        let found: Vec<(String, i64)> =
            self.list(SETTLED, states, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found
            .into_iter()
            .filter_map(|(with, time)| Some((with.parse().ok()?, Timestamp(time))))
            .collect())
    }

    /// Messages that are not placed.
    pub fn unplaced(&self) -> Result<Vec<Unplaced>, String> {
        let found = self.select(UNPLACED, [])?;
        Ok(found
            .into_iter()
            .map(|Message { with, id, time, own, .. }| Unplaced { with, id, time, own })
            .collect())
    }

    /// Own messages that wait to be sent, oldest first.
    pub fn queued(&self) -> Result<Vec<Message>, String> {
        self.select(QUEUED, [])
    }

    /// Earlier calls, newest first.
    pub fn calls(&self) -> Result<Vec<CallRecord>, String> {
        let sql = "SELECT remote, name, incoming, started, seconds, missed, mos FROM call
                   ORDER BY started DESC, number DESC LIMIT ?1";
        self.list(sql, [CALLS], |row| {
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
                mos: row.get::<_, Option<u16>>(6)?.map(Mos),
            })
        })
    }

    /// Passes every message on, by conversation and in order of time, one at a time. How many.
    pub fn each(
        &self,
        with: Option<&Jid>,
        mut take: impl FnMut(Message) -> Result<(), String>,
    ) -> Result<u64, String> {
        let chat = match with.map(|with| self.known_chat(with)).transpose()? {
            Some(None) => return Ok(0),
            Some(chat) => chat,
            None => None,
        };
        let which = chat.map(|chat| format!("WHERE message.chat = {chat}")).unwrap_or_default();
        let sql = format!("{SELECT} {which} ORDER BY message.chat, message.number");
        let mut query = self.database.prepare(&sql).map_err(words)?;
        let mut rows = query.query([]).map_err(words)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(words)? {
            match rows::message(row, 0) {
                Ok(message) => take(message)?,
                Err(error) if is_of_row(&error) => continue,
                Err(error) => return Err(words(error)),
            }
            count += 1;
        }
        Ok(count)
    }

    fn select(&self, rest: &str, values: impl Params) -> Result<Vec<Message>, String> {
        self.list(&format!("{SELECT} {rest}"), values, |row| rows::message(row, 0))
    }

    /// Reads rows. A damaged one, as a spoilt block of an encrypted file makes it, is passed over:
    /// it costs that message or person, not all others.
    pub(crate) fn list<T>(
        &self,
        sql: &str,
        values: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, String> {
        let mut query = self.database.prepare_cached(sql).map_err(words)?;
        let mut rows = query.query(values).map_err(words)?;
        let mut items = Vec::new();
        while let Some(row) = rows.next().map_err(words)? {
            match read(row) {
                Ok(item) => items.push(item),
                Err(error) if is_of_row(&error) => {}
                Err(error) => return Err(words(error)),
            }
        }
        Ok(items)
    }
}

/// What a sign-in asks has an index of its own: a history may hold millions of messages.
const SETTLED: &str = "SELECT address, (SELECT time FROM message
        WHERE chat = chat.number AND unplaced = 0 AND NOT (own = 1 AND state IN (?1, ?2))
        ORDER BY message.number DESC LIMIT 1) AS newest
    FROM chat WHERE newest IS NOT NULL";
const UNPLACED: &str = "WHERE message.unplaced = 1 ORDER BY message.number";
const QUEUED: &str = "WHERE message.own = 1 AND message.state = 0 ORDER BY message.number";

/// The columns of `rows::SELECT` and those of the conversation.
const SELECT_CHAT: &str = "SELECT address, id, writer, reader, body, time, own, state, error, \
     archive, author, named, more, unplaced, message.number, \
     address, kind, name, draft, alerts, last, unread, mentions FROM chat";

fn likes(signs: &[String], first: usize) -> String {
    (first..first + signs.len())
        .map(|n| format!("AND message.body LIKE ?{n} ESCAPE '\\'"))
        .collect()
}

fn newest_last(mut items: Vec<Message>, limit: u32) -> Page {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    items.reverse();
    (items, more)
}

fn no_such_message() -> String {
    "there is no such message".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Base, QUEUED, SELECT, SETTLED, UNPLACED};

    /// Nothing that a sign-in asks reads the whole history.
    #[test]
    fn a_sign_in_scans_no_messages() {
        let base = Base::in_memory().expect("made");
        let asked = [UNPLACED, QUEUED].map(|rest| format!("{SELECT} {rest}"));
        for sql in asked.iter().map(String::as_str).chain([SETTLED]) {
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let mut query = base.database.prepare(&plan).expect("a plan");
            let values = vec![0; query.parameter_count()];
            let steps = query.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
            let steps: Vec<String> = steps.expect("steps").flatten().collect();
            assert!(!steps.is_empty());
            assert!(!steps.iter().any(|step| step.starts_with("SCAN message")), "{sql}: {steps:?}");
        }
    }
}
