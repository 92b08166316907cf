//! The cards of address books, as people.

use std::collections::BTreeMap;

use offhook_model::SourceKind;

use super::address::{key, path_at};
use super::asker::{Asker, Said};
use super::change::{self, Change, Row};
use super::find::Book;
use super::question;
use super::{AddressBookCards, BookFault, KeptBook};
use crate::vcard::{self, MAX_CARDS};

/// Cards that are asked for at once.
const PAGE: usize = 100;

/// One reading of all address books.
pub(super) struct Reading<'a> {
    asker: Asker<'a>,
    pub found: AddressBookCards,
    /// So many cards more are read.
    room: usize,
}

/// One address book while it is read.
struct Shelf<'b> {
    book: &'b Book,
    /// What is known of it now.
    kept: KeptBook,
    /// Everything was read, as far as it can be.
    complete: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(asker: Asker<'a>) -> Self {
        Self { asker, found: AddressBookCards::default(), room: MAX_CARDS }
    }

    /// Reads what has changed in an address book, and says what to keep of it. When this one cannot be
    /// read, or the reading has used up what it may, the others go on with what is known.
    ///
    /// # Errors
    /// What would keep every address book of the server from being read.
    pub(super) async fn book(
        &mut self,
        book: &Book,
        kept: KeptBook,
    ) -> Result<KeptBook, BookFault> {
        let mut shelf = Shelf { book, kept, complete: true };
        match self.changes(&mut shelf).await {
            Ok(()) => {}
            Err(BookFault::TooLong(_) | BookFault::TooLarge(_)) if !self.found.cards.is_empty() => {
                self.found.more = true;
            }
            Err(fault) if fault.is_of_the_path() => self.found.problems.push(fault),
            Err(fault @ (BookFault::Full(_) | BookFault::TooLarge(_))) => {
                self.found.problems.push(fault);
            }
            Err(fault) => return Err(fault),
        }
        self.room = self.room.saturating_sub(shelf.kept.etags.len());
        Ok(shelf.kept)
    }

    async fn changes(&mut self, shelf: &mut Shelf<'_>) -> Result<(), BookFault> {
        let mut change = change::ask(&mut self.asker, shelf.book, &shelf.kept).await?;
        let token = change.token.take();
        let wanted = self.wanted(shelf, change);
        self.cards(shelf, wanted).await?;
        // Else the server would not tell of what is not read yet.
        if shelf.complete {
            (shelf.kept.token, shelf.kept.ctag) = (token, shelf.book.ctag.clone());
        }
        Ok(())
    }

    /// Forgets what is gone, and says what must be read.
    fn wanted(&mut self, shelf: &mut Shelf<'_>, change: Change) -> BTreeMap<String, Row> {
        let Change { mut rows, all, mut gone, .. } = change;
        if all {
            gone.extend(shelf.kept.etags.keys().filter(|id| !rows.contains_key(*id)).cloned());
        }
        for id in gone {
            if shelf.kept.etags.remove(&id).is_some() {
                self.found.gone.push(id);
            }
        }
        rows.retain(|id, row| row.etag.is_empty() || shelf.kept.etags.get(id) != Some(&row.etag));
        let mut room = self.room.saturating_sub(shelf.kept.etags.len());
        let before = rows.len();
        rows.retain(|id, _| {
            let fits = shelf.kept.etags.contains_key(id) || room > 0;
            room -= usize::from(fits && !shelf.kept.etags.contains_key(id));
            fits
        });
        if rows.len() < before {
            self.found.more = true;
            shelf.complete = false;
        }
        rows
    }

    /// Reads these cards, page by page.
    async fn cards(
        &mut self,
        shelf: &mut Shelf<'_>,
        mut wanted: BTreeMap<String, Row>,
    ) -> Result<(), BookFault> {
        let mut most = PAGE;
        self.take_those_here(shelf, &mut wanted);
        while !wanted.is_empty() {
            let ids: Vec<String> = wanted.keys().take(most).cloned().collect();
            let paths = ids.iter().filter_map(|id| Some(wanted.get(id)?.path.as_str()));
            let asked = question::cards(paths);
            let (at, said) = self.asker.ask(&asked, &shelf.book.at).await?;
            match said {
                Said::List(answer) => {
                    for item in answer.items {
                        let Ok(path) = path_at(&at, &item.href) else { continue };
                        let id = key(&path);
                        let Some(row) = wanted.get(&id).filter(|_| ids.contains(&id)) else {
                            continue;
                        };
                        match (item.props.card, item.status) {
                            (Some(card), _) => {
                                let etag = item.props.etag.unwrap_or_else(|| row.etag.clone());
                                self.person(shelf, &id, etag, &card);
                            }
                            // It was there a moment ago.
                            (None, Some(404 | 410)) => self.forget(shelf, &id),
                            (None, _) => continue,
                        }
                        wanted.remove(&id);
                    }
                    // What is not answered is not asked for again now.
                    for id in &ids {
                        if wanted.remove(id).is_some() {
                            self.found.left_out += 1;
                            shelf.complete = false;
                        }
                    }
                }
                Said::TooMuch if ids.len() > 1 => most = ids.len() / 2,
                Said::TooMuch => {
                    for id in ids {
                        self.found.left_out += 1;
                        self.forget(shelf, &id);
                        let row = wanted.remove(&id).unwrap_or_default();
                        shelf.kept.etags.insert(id, row.etag);
                    }
                }
                // It cannot be asked for single cards.
                Said::Status(_) => {
                    let all = change::everything(&mut self.asker, shelf.book).await?;
                    let mut rows = all.rows;
                    rows.retain(|id, _| wanted.contains_key(id));
                    self.take_those_here(shelf, &mut rows);
                    let missing =
                        wanted.keys().filter(|id| !shelf.kept.etags.contains_key(*id)).count();
                    self.found.left_out += missing;
                    shelf.complete &= missing == 0;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes the cards that came with the list.
    fn take_those_here(&mut self, shelf: &mut Shelf<'_>, wanted: &mut BTreeMap<String, Row>) {
        wanted.retain(|id, row| {
            let Some(card) = row.card.take() else { return true };
            self.person(shelf, id, std::mem::take(&mut row.etag), &card);
            false
        });
    }

    /// One card, of which there is one at each place (RFC 6352 section 5.1).
    fn person(&mut self, shelf: &mut Shelf<'_>, id: &str, etag: String, card: &str) {
        let read = vcard::read(card.as_bytes(), SourceKind::CardDav);
        let mut cards = read.cards.into_iter();
        self.found.left_out += read.left_out;
        match cards.next() {
            Some(mut card) => {
                id.clone_into(&mut card.entry.id);
                self.found.cards.push(card);
            }
            None => {
                self.found.left_out += usize::from(read.left_out == 0);
                // It may have been a person before.
                self.forget(shelf, id);
            }
        }
        self.found.left_out += cards.count();
        shelf.kept.etags.insert(id.to_owned(), etag);
    }

    fn forget(&mut self, shelf: &mut Shelf<'_>, id: &str) {
        if shelf.kept.etags.remove(id).is_some() {
            self.found.gone.push(id.to_owned());
        }
    }
}
