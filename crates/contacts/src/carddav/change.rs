//! Which cards of an address book are new, have changed or are gone.

use std::collections::BTreeMap;

use offhook_config::HttpUrl;

use super::address::{key, path_at, same_folder};
use super::answer::Item;
use super::asker::{Asker, Said};
use super::find::Book;
use super::question::{self, Question};
use super::{BookFault, KeptBook};

/// Most answers of a server that tells of its changes bit by bit.
const MOST_PAGES: usize = 200;

/// A card on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Its address as it is asked for.
    pub path: String,
    /// Its entity tag; empty when the server says none.
    pub etag: String,
    /// Itself, where it came along.
    pub card: Option<String>,
}

/// What a server says of the cards of an address book.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// Cards by their id: all, or those that are not what they were.
    pub rows: BTreeMap<String, Row>,
    /// `rows` are all that there are, so whatever else is known is gone.
    pub all: bool,
    /// Ids of those that are gone.
    pub gone: Vec<String>,
    /// Where the next question goes on; none when it must begin anew.
    pub token: Option<String>,
}

/// Asks in the cheapest way that the server has.
pub(super) async fn ask(
    asker: &mut Asker<'_>,
    book: &Book,
    kept: &KeptBook,
) -> Result<Change, BookFault> {
    if book.syncs
        && let Some(change) = synced(asker, book, kept.token.as_deref()).await?
    {
        return Ok(change);
    }
    if book.ctag.is_some() && book.ctag == kept.ctag {
        return Ok(Change::default());
    }
    match rows(asker, &question::list(), book).await? {
        Ok(change) => Ok(change),
        Err(_) => everything(asker, book).await,
    }
}

/// All cards at once, of a server that has no other way.
pub(super) async fn everything(asker: &mut Asker<'_>, book: &Book) -> Result<Change, BookFault> {
    match rows(asker, &question::everything(), book).await? {
        Ok(change) => Ok(change),
        Err(Some(status)) => Err(BookFault::of_status(&book.at, status)),
        Err(None) => Err(BookFault::TooLarge(book.at.host.clone())),
    }
}

/// The answer to one question, or its status, or nothing when it is too large.
async fn rows(
    asker: &mut Asker<'_>,
    question: &Question,
    book: &Book,
) -> Result<Result<Change, Option<u16>>, BookFault> {
    let (at, said) = asker.ask(question, &book.at).await?;
    let answer = match said {
        Said::List(answer) => answer,
        Said::Status(status) => return Ok(Err(Some(status))),
        Said::TooMuch => return Ok(Err(None)),
    };
    // RFC 4918 section 9.1: it finds itself too large.
    if answer.items.iter().any(|item| item.status == Some(507)) {
        return Ok(Err(Some(507)));
    }
    let mut change = Change { all: true, ..Change::default() };
    answer.items.into_iter().for_each(|item| change.take(&at, item));
    Ok(Ok(change))
}

/// By the token of the last time (RFC 6578). Nothing when the server cannot do what it has said.
async fn synced(
    asker: &mut Asker<'_>,
    book: &Book,
    token: Option<&str>,
) -> Result<Option<Change>, BookFault> {
    let mut token = token.map(str::to_owned);
    let mut change = Change { all: token.is_none(), ..Change::default() };
    // A token that the server has given for a part of this answer; it is none of the last time.
    let mut going_on = false;
    for _ in 0..MOST_PAGES {
        let asked = question::changes(token.as_deref().unwrap_or_default());
        let (at, answer) = match asker.ask(&asked, &book.at).await? {
            (at, Said::List(answer)) => (at, answer),
            // Section 3.2: tokens of long ago may be forgotten, and then all begins anew.
            (_, Said::Status(_) | Said::TooMuch) if token.is_some() && !going_on => {
                (token, change) = (None, Change { all: true, ..Change::default() });
                continue;
            }
            (_, Said::Status(_) | Said::TooMuch) => return Ok(None),
        };
        // Section 3.6: there is more, which the server says of the address book itself.
        let more = answer.items.iter().any(|item| item.status == Some(507));
        answer.items.into_iter().for_each(|item| change.take(&at, item));
        if !more {
            change.token = answer.token;
            return Ok(Some(change));
        }
        if answer.token.is_none() || answer.token == token {
            return Ok(None);
        }
        (token, going_on) = (answer.token, true);
    }
    Ok(None)
}

impl Change {
    /// What is said of one resource. Other folders and other hosts are passed over.
    fn take(&mut self, book: &HttpUrl, item: Item) {
        let Ok(path) = path_at(book, &item.href) else { return };
        if same_folder(&path, &book.path) || item.props.collection {
            return;
        }
        let id = key(&path);
        match item.status {
            Some(404 | 410) => {
                self.rows.remove(&id);
                self.gone.push(id);
            }
            Some(status) if status / 100 != 2 => {}
            Some(_) | None => {
                let etag = item.props.etag.unwrap_or_default();
                self.gone.retain(|gone| *gone != id);
                self.rows.insert(id, Row { path, etag, card: item.props.card });
            }
        }
    }
}
