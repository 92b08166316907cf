//! Messages as rows of the database. The numbers must never change their meaning.

use offhook_model::{Alerts, ChatKind, Delivery, Jid, Message, MessageId, More, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Error, Row};

/// A message with its conversation, in the order that [`message`] reads. Goes before a `WHERE`.
pub const SELECT: &str = "SELECT address, id, writer, reader, body, time, own, state, error, \
     archive, author, named, more, unplaced, message.number \
     FROM message JOIN chat ON chat.number = message.chat";

/// How many columns [`SELECT`] has.
pub const COLUMNS: usize = 15;

/// Reads a message whose columns begin at `first`.
///
/// # Errors
/// The row does not hold a message.
pub fn message(row: &Row<'_>, first: usize) -> rusqlite::Result<Message> {
    let more: Option<String> = row.get(first + 12)?;
    let more: More = match more {
        Some(text) => serde_json::from_str(&text).map_err(|error| odd(first + 12, error))?,
        None => More::default(),
    };
    let author: Option<String> = row.get(first + 10)?;
    Ok(Message {
        with: jid(row, first)?,
        id: MessageId(row.get(first + 1)?),
        from: jid(row, first + 2)?,
        to: jid(row, first + 3)?,
        body: row.get(first + 4)?,
        time: Timestamp(row.get(first + 5)?),
        own: row.get(first + 6)?,
        state: delivery(row.get(first + 7)?),
        error: row.get(first + 8)?,
        more: More {
            archive_id: row.get(first + 9)?,
            author: author
                .map(|author| author.parse().map_err(|error| odd(first + 10, error)))
                .transpose()?,
            mentions_me: row.get(first + 11)?,
            unplaced: row.get(first + 13)?,
            ..more
        },
    })
}

/// Reads an address.
///
/// # Errors
/// It is none.
pub fn jid(row: &Row<'_>, column: usize) -> rusqlite::Result<Jid> {
    row.get::<_, String>(column)?.parse().map_err(|error| odd(column, error))
}

/// The error of a row whose column does not hold what it should.
pub fn odd(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// What has no column of its own, if there is any.
///
/// # Errors
/// It cannot be written as JSON.
pub fn rest(more: &More) -> Result<Option<String>, String> {
    let own_columns = (None, None, false, false);
    let (archive_id, author, mentions_me, unplaced) = own_columns;
    let rest = More { archive_id, author, mentions_me, unplaced, ..more.clone() };
    if rest == More::default() {
        return Ok(None);
    }
    serde_json::to_string(&rest).map(Some).map_err(|error| error.to_string())
}

/// How far an own message has come.
pub fn number(state: Delivery) -> i64 {
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

/// A kind of conversation as a number.
pub fn kind_number(kind: ChatKind) -> i64 {
    match kind {
        ChatKind::Person => 0,
        ChatKind::Room => 1,
    }
}

/// And back.
pub fn kind(number: i64) -> ChatKind {
    if number == 1 { ChatKind::Room } else { ChatKind::Person }
}

/// Alerts as a number.
pub fn alerts_number(alerts: Alerts) -> i64 {
    match alerts {
        Alerts::All => 0,
        Alerts::Mentions => 1,
        Alerts::None => 2,
    }
}

/// And back.
pub fn alerts(number: i64) -> Alerts {
    match number {
        1 => Alerts::Mentions,
        2 => Alerts::None,
        _ => Alerts::All,
    }
}
