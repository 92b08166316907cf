//! Address books on a server: CardDAV (RFC 6352).
//!
//! [`fetch`] finds the address books of an account (RFC 6764, RFC 5397) and reads what has changed in
//! them since the last time: by `sync-collection` (RFC 6578) where the server has it, else by a list
//! of entity tags, else all cards at once. Nothing is ever written there.
//!
//! The password is shown under TLS only, or on this machine, and to nobody but the host and port that
//! was typed, or that the name system has for the domain that was typed and that lies within it.

mod address;
mod answer;
mod asker;
mod change;
mod find;
pub(crate) mod fuzzing;
mod question;
mod read;
mod why;

use std::collections::BTreeMap;

use offhook_model::Secret;
use offhook_ports::World;
use serde::{Deserialize, Serialize};

pub use why::BookFault;

use crate::vcard::Card;
use address::Typed;
use asker::Asker;
use read::Reading;

/// Whose address books are read, and where they are.
#[derive(Clone, Debug)]
pub struct BookPlan {
    /// Address of the server or of an address book, or a domain whose server is looked for.
    pub address: String,
    /// Name to sign in with.
    pub user_name: String,
    /// Its password.
    pub password: Secret<String>,
}

/// What has changed since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBookCards {
    /// There was no last time, or it was another account: what was read before is of no use, and
    /// `cards` is all that there is.
    pub whole: bool,
    /// People that are new or have changed. Ids are the places of the cards on the server.
    pub cards: Vec<Card>,
    /// Ids of those that are there no longer. Some may never have been in `cards`.
    pub gone: Vec<String>,
    /// Cards that were read now and name nobody: broken ones, groups, pictures that are too large.
    pub left_out: usize,
    /// The address books hold more than one reading takes; the next one goes on.
    pub more: bool,
    /// Why single address books could not be read while others could.
    pub problems: Vec<BookFault>,
    /// For the next time.
    pub kept: Kept,
}

/// What is remembered from one reading to the next: which cards are known, and how far the server has
/// told of changes. It holds no card and no password, and the names of places on the server, which
/// are as private as the cards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Kept {
    /// The account that it is of: what was typed as address and name.
    account: (String, String),
    /// By the path of the address book.
    books: BTreeMap<String, KeptBook>,
}

/// The same of one address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KeptBook {
    /// Of RFC 6578, from when everything was read the last time.
    token: Option<String>,
    /// Tag of the whole address book, of servers that do not know tokens.
    ctag: Option<String>,
    /// Entity tags of cards by their id; empty ones of servers that give none.
    etags: BTreeMap<String, String>,
}

/// Reads the address books of an account. It takes five minutes at most, and 128 MiB; what is beyond
/// these bounds comes with the next reading.
///
/// # Errors
/// [`BookFault`] when no address book can be read. What is kept of the last time stays good.
pub async fn fetch(
    world: &World,
    plan: &BookPlan,
    since: Option<&Kept>,
) -> Result<AddressBookCards, BookFault> {
    let typed = Typed::read(&plan.address).map_err(BookFault::from)?;
    let account = (plan.address.trim().to_owned(), plan.user_name.clone());
    let since = since.filter(|since| since.account == account);
    let mut asker = Asker::new(world, plan);
    let books = find::books(&mut asker, &typed).await?;
    let mut before = since.map(|since| since.books.clone()).unwrap_or_default();
    let mut reading = Reading::new(asker);
    let mut kept = BTreeMap::new();
    for book in &books {
        let known = before.remove(&book.at.path).unwrap_or_default();
        kept.insert(book.at.path.clone(), reading.book(book, known).await?);
    }
    let mut found = reading.found;
    if found.problems.len() == books.len()
        && let Some(problem) = found.problems.pop()
    {
        return Err(problem);
    }
    found.whole = since.is_none();
    // Address books that are no longer there.
    found.gone.extend(before.into_values().flat_map(|book| book.etags.into_keys()));
    found.kept = Kept { account, books: kept };
    Ok(found)
}
