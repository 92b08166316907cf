//! Where the address books are: from what was typed by way of well-known address, principal and home
//! (RFC 6764 section 6).

use std::cmp::Reverse;

use offhook_config::HttpUrl;

use super::BookFault;
use super::address::{Astray, Typed, path_at, place, same_folder};
use super::answer::Answer;
use super::asker::{Asker, Said};
use super::question::{self, Depth};

/// Most address books of an account.
const MOST_BOOKS: usize = 32;
/// Most servers of a domain that are tried.
const MOST_SERVERS: usize = 4;
/// RFC 6764 section 5.
const WELL_KNOWN: &str = "/.well-known/carddav";

/// An address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Book {
    pub at: HttpUrl,
    /// It tells of changes (RFC 6578).
    pub syncs: bool,
    /// Another one, and something has changed.
    pub ctag: Option<String>,
}

/// Finds the address books, at least one. The one of them that was typed is the only one.
pub(super) async fn books(asker: &mut Asker<'_>, typed: &Typed) -> Result<Vec<Book>, BookFault> {
    let starts = match typed {
        Typed::Address(url) => vec![url.clone()],
        Typed::Domain(domain) => servers(asker, typed, domain).await?,
    };
    let mut failed = None;
    for start in starts {
        asker.home = Some(start.clone());
        match from(asker, &start).await {
            // Another server of the domain may be up.
            Err(fault @ BookFault::Way(..)) => failed = Some(fault),
            done => return done,
        }
    }
    Err(failed.unwrap_or_else(|| BookFault::NoCardDav(typed.host().to_owned())))
}

/// The servers of a domain by the name system, the best first; the domain itself where it names none.
async fn servers(
    asker: &Asker<'_>,
    typed: &Typed,
    domain: &str,
) -> Result<Vec<HttpUrl>, BookFault> {
    let at =
        |host: &str, port| HttpUrl { secure: true, host: host.to_owned(), port, path: "/".into() };
    let answer = asker.world.dns.srv(&format!("_carddavs._tcp.{domain}")).await;
    let mut records = answer.map(|answer| answer.records).unwrap_or_default();
    if records.is_empty() {
        return Ok(vec![at(domain, 443)]);
    }
    records.retain(|record| !record.target.is_empty() && record.port != 0);
    records.sort_by_key(|record| (record.priority, Reverse(record.weight)));
    let found: Vec<HttpUrl> = records.iter().map(|it| at(&it.target, it.port)).collect();
    let ours: Vec<HttpUrl> = found.iter().filter(|url| typed.covers(url)).cloned().collect();
    match found.first() {
        Some(other) if ours.is_empty() => {
            Err(BookFault::Elsewhere { host: domain.to_owned(), other: place(other) })
        }
        _ => Ok(ours.into_iter().take(MOST_SERVERS).collect()),
    }
}

/// From the address that was typed; from that of a server alone by what it says itself.
async fn from(asker: &mut Asker<'_>, start: &HttpUrl) -> Result<Vec<Book>, BookFault> {
    if start.path != "/" {
        return look(asker, start, true).await;
    }
    let known = HttpUrl { path: WELL_KNOWN.to_owned(), ..start.clone() };
    match look(asker, &known, false).await {
        Err(fault) if fault.is_of_the_path() => look(asker, start, false).await,
        done => done,
    }
}

/// What is at an address, which is the one that was `typed` or not.
async fn look(asker: &mut Asker<'_>, at: &HttpUrl, typed: bool) -> Result<Vec<Book>, BookFault> {
    let (at, mut answer) = list(asker, at, Depth::Itself).await?;
    let own = answer
        .items
        .iter()
        .position(|item| path_at(&at, &item.href).is_ok_and(|path| same_folder(&path, &at.path)));
    let own = if answer.items.is_empty() {
        None
    } else {
        Some(answer.items.swap_remove(own.unwrap_or(0)))
    };
    let own = own.map(|item| item.props).unwrap_or_default();
    if own.address_book {
        return Ok(vec![Book { at, syncs: own.syncs, ctag: own.ctag }]);
    }
    // Who types a folder means the address books in it, whosever they are.
    if own.collection && typed {
        match members(asker, &at).await {
            Ok(books) if books.is_empty() => {}
            Err(fault) if fault.is_of_the_path() => {}
            done => return done,
        }
    }
    let (homes_at, homes) = match own.principal {
        Some(principal) if own.homes.is_empty() => homes(asker, &follow(&at, &principal)?).await?,
        _ => (at.clone(), own.homes),
    };
    let mut books = vec![];
    for home in &homes {
        for book in members(asker, &follow(&homes_at, home)?).await? {
            if !books.contains(&book) && books.len() < MOST_BOOKS {
                books.push(book);
            }
        }
    }
    if books.is_empty() { Err(BookFault::NoBook(at.host)) } else { Ok(books) }
}

/// Where somebody's address books are.
async fn homes(
    asker: &mut Asker<'_>,
    principal: &HttpUrl,
) -> Result<(HttpUrl, Vec<String>), BookFault> {
    let (at, answer) = list(asker, principal, Depth::Itself).await?;
    let homes = answer.items.into_iter().map(|item| item.props.homes);
    Ok((at, homes.into_iter().find(|homes| !homes.is_empty()).unwrap_or_default()))
}

/// The address books in a folder.
async fn members(asker: &mut Asker<'_>, folder: &HttpUrl) -> Result<Vec<Book>, BookFault> {
    let (at, answer) = list(asker, folder, Depth::Members).await?;
    let mut books: Vec<Book> = vec![];
    for item in answer.items.into_iter().filter(|item| item.props.address_book) {
        let at = follow(&at, &item.href)?;
        let known = books.iter().any(|book| same_folder(&book.at.path, &at.path));
        if !known && books.len() < MOST_BOOKS {
            books.push(Book { at, syncs: item.props.syncs, ctag: item.props.ctag });
        }
    }
    Ok(books)
}

async fn list(
    asker: &mut Asker<'_>,
    at: &HttpUrl,
    depth: Depth,
) -> Result<(HttpUrl, Answer), BookFault> {
    match asker.ask(&question::what(depth), at).await? {
        (at, Said::List(answer)) => Ok((at, answer)),
        (at, Said::Status(status)) => Err(BookFault::of_status(&at, status)),
        (at, Said::TooMuch) => Err(BookFault::TooLarge(at.host)),
    }
}

/// The address that a server refers to, at the same server.
fn follow(at: &HttpUrl, href: &str) -> Result<HttpUrl, BookFault> {
    match path_at(at, href) {
        Ok(path) => Ok(HttpUrl { path, ..at.clone() }),
        Err(Astray::Foreign(other)) => Err(BookFault::Elsewhere { host: at.host.clone(), other }),
        Err(Astray::Unusable) => Err(BookFault::Lost(at.host.clone())),
    }
}
