//! Who is found, best first.
//!
//! How well comes first: a name that begins with what was typed, another word of a name, an
//! address, a number, then what somebody does. Among those it counts most how often somebody was
//! used lately, then that the word is whole, then that they are somebody's contact: the right
//! person of three letters is the colleague of every day, not a stranger who happens to be
//! called *Ann*. Nothing of this but the first two depends on the text, so that a longer text
//! keeps the order of those who stay and are found as well as before.

use std::cmp::Reverse;
use std::sync::Arc;

use offhook_model::{DirectoryEntry, SourceKind, Timestamp};

use super::posting::{Kind, LETTERS, reversed, stretch};
use super::{CONTACT, Index, LIVES, USED, usage};
use crate::fields::Class;
use crate::query::{Hit, Query, Term};

/// Between one class and the next; more than all else together.
const CLASS: u32 = 1000;
/// Every word is whole.
const EXACT: u32 = 200;
/// They are a contact.
const OF_CONTACT: u32 = 150;
/// Most that use counts.
const MOST_USE: f32 = 300.0;
/// Most entries that are read where postings do not keep enough.
const MOST_READ: usize = 5_000;

/// Who was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The entry.
    pub entry: Arc<DirectoryEntry>,
    /// How good it is, more is better. Comparable among the results of one query.
    pub score: u32,
}

/// An entry among those who were found. Sorted: by score, then by name, then as they came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    score: Reverse<u32>,
    name: u64,
    doc: u32,
}

/// What is known of one entry while words are looked up, in four bytes.
#[derive(Clone, Copy)]
struct Tally(u32);

impl Tally {
    fn steps(self) -> u32 {
        self.0 >> 24
    }

    fn exact(self) -> u32 {
        self.0 >> 16 & 0xff
    }

    /// The worst class of all words but the last.
    fn worst(self) -> u32 {
        self.0 >> 8 & 0xff
    }

    /// The best of the last word: class and whether it is whole.
    fn last(self) -> u32 {
        self.0 & 0xff
    }

    fn of(steps: u32, exact: u32, worst: u32, last: u32) -> Self {
        Self(steps << 24 | exact << 16 | worst << 8 | last)
    }

    /// The last word is done: what it was goes into the rest.
    fn closed(self) -> (u32, u32) {
        let (class, exact) = (self.last() >> 1, self.last() & 1);
        let worst = if self.steps() == 1 { class } else { self.worst().min(class) };
        (self.exact() + exact, worst)
    }
}

impl Index {
    /// Who has all words of the query, best first, at most `limit`. The flag says whether there
    /// are more.
    pub fn search(&self, query: &Query, limit: usize, now: Timestamp) -> (Vec<Found>, bool) {
        let steps = steps(query);
        let (tallies, mut touched) = self.tally(&steps);
        let total = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        let met = |&doc: &u32| tallies[doc as usize].steps() == total;
        if touched.len() > self.docs.len() / 16 {
            // In the order in which they lie in memory: many at random cost more than all in turn.
            let all = 0..u32::try_from(tallies.len()).unwrap_or(u32::MAX);
            touched = all.filter(|doc| met(doc) && self.lives(*doc)).collect();
        } else {
            touched.retain(met);
        }
        let mut ranked: Vec<Ranked> = touched
            .into_iter()
            .map(|doc| {
                let (exact, worst) = tallies[doc as usize].closed();
                self.ranked(doc, worst * CLASS + self.prior(doc, now, exact == total))
            })
            .collect();
        let to_read = steps.iter().any(|step| !step.certain);
        let first = if to_read { MOST_READ.max(limit) } else { limit };
        let mut more = ranked.len() > first;
        best(&mut ranked, first);
        if to_read {
            let mut read: Vec<Ranked> = vec![];
            for known in ranked {
                if read.len() > limit {
                    break;
                }
                let entry = self.docs[known.doc as usize].entry.as_ref();
                if let Some(hits) = entry.and_then(|entry| query.judge(entry)) {
                    let score = class(&hits) + self.prior(known.doc, now, exact(&hits));
                    read.push(self.ranked(known.doc, score));
                }
            }
            more |= read.len() > limit;
            best(&mut read, limit);
            ranked = read;
        }
        let found = |ranked: Ranked| {
            let entry = self.docs[ranked.doc as usize].entry.clone()?;
            Some(Found { entry, score: ranked.score.0 })
        };
        (ranked.into_iter().filter_map(found).collect(), more)
    }

    /// How well an entry answers that is perhaps not in the index: a directory's, which may have
    /// found it by something that we do not know. That is worth 0 and more.
    pub fn rate(&self, entry: &DirectoryEntry, query: &Query, now: Timestamp) -> u32 {
        let hits = query.judge(entry);
        let found = hits.map_or(0, |hits| class(&hits) + of_exact(exact(&hits)));
        let contact = if is_contact(entry.source) { OF_CONTACT } else { 0 };
        found + contact + points(self.uses(entry, now))
    }

    /// Who has this address; for [`Index::note_use`].
    pub(super) fn holders(&self, address: &str) -> Vec<u32> {
        let steps = steps(&Query::read(address));
        let (_, touched) = self.tally(steps.get(..1).unwrap_or_default());
        let has = |doc: &u32| {
            let entry = self.docs[*doc as usize].entry.as_ref();
            entry.is_some_and(|entry| usage::addresses(entry).any(|it| it == address))
        };
        touched.into_iter().filter(has).collect()
    }

    /// Goes all steps. Gives what is known of every entry, and who was met by the first.
    fn tally(&self, steps: &[Step]) -> (Vec<Tally>, Vec<u32>) {
        let mut tallies: Vec<Tally> = vec![Tally(0); self.docs.len()];
        let mut touched: Vec<u32> = vec![];
        for (at, step) in (0_u32..).zip(steps) {
            for (kind, typed) in &step.lookups {
                let found = stretch(*kind, typed);
                for posting in self.stretch(found.range) {
                    let tally = &mut tallies[posting.doc as usize];
                    let exact = step.part || posting.is_below(found.exact_until);
                    let value = (posting.class() as u32) << 1 | u32::from(exact);
                    if tally.steps() == at + 1 {
                        let last = tally.last().max(value);
                        *tally = Tally::of(at + 1, tally.exact(), tally.worst(), last);
                    } else if tally.steps() == at {
                        let (exact, worst) = if at == 0 { (0, 0) } else { tally.closed() };
                        *tally = Tally::of(at + 1, exact, worst, value);
                        if at == 0 {
                            touched.push(posting.doc);
                        }
                    }
                }
            }
        }
        touched.retain(|&doc| self.lives(doc));
        (tallies, touched)
    }

    fn lives(&self, doc: u32) -> bool {
        self.marks[doc as usize] & LIVES != 0
    }

    fn ranked(&self, doc: u32, score: u32) -> Ranked {
        Ranked { score: Reverse(score), name: self.names[doc as usize], doc }
    }

    fn prior(&self, doc: u32, now: Timestamp, exact: bool) -> u32 {
        let mark = self.marks[doc as usize];
        let contact = if mark & CONTACT != 0 { OF_CONTACT } else { 0 };
        // Only of those who were used is more read than their mark.
        let entry = self.docs[doc as usize].entry.as_ref().filter(|_| mark & USED != 0);
        contact + of_exact(exact) + entry.map_or(0, |entry| points(self.uses(entry, now)))
    }

    fn uses(&self, entry: &DirectoryEntry, now: Timestamp) -> f32 {
        if self.used.is_empty() {
            return 0.0;
        }
        let each = usage::addresses(entry).filter_map(|address| self.used.get(&address));
        each.map(|uses| uses.at(now)).fold(0.0, f32::max)
    }
}

/// The best `limit`, in order.
fn best(ranked: &mut Vec<Ranked>, limit: usize) {
    if ranked.len() > limit {
        if limit > 0 {
            ranked.select_nth_unstable(limit - 1);
        }
        ranked.truncate(limit);
    }
    ranked.sort_unstable();
}

/// Whether entries of a source are somebody's contacts.
pub(super) fn is_contact(source: SourceKind) -> bool {
    match source {
        SourceKind::Own
        | SourceKind::Roster
        | SourceKind::AddressBook
        | SourceKind::CardDav
        | SourceKind::Vcards => true,
        SourceKind::Ldap | SourceKind::Uds | SourceKind::History => false,
    }
}

fn of_exact(exact: bool) -> u32 {
    if exact { EXACT } else { 0 }
}

/// What uses are worth: the first ones most.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 300")]
fn points(uses: f32) -> u32 {
    ((1.0 + uses.max(0.0)).log2() * 100.0).min(MOST_USE) as u32
}

fn exact(hits: &[Hit]) -> bool {
    !hits.is_empty() && hits.iter().all(|hit| hit.exact)
}

fn class(hits: &[Hit]) -> u32 {
    hits.iter().map(|hit| hit.class).min().unwrap_or(Class::Work) as u32 * CLASS
}

/// One look at the list of words. Who is found has to be met by all of them.
struct Step {
    /// Meeting one of these is enough.
    lookups: Vec<(Kind, String)>,
    /// It is a part of a word, and says nothing about whether the word is whole.
    part: bool,
    /// Postings alone say who it is.
    certain: bool,
}

fn steps(query: &Query) -> Vec<Step> {
    query.terms.iter().flat_map(of_term).collect()
}

fn of_term(term: &Term) -> Vec<Step> {
    if let Term::Address { local, .. } = term {
        let word = |word: &String| Step {
            lookups: vec![(Kind::Word, word.chars().take(LETTERS).collect())],
            part: true,
            certain: false,
        };
        return local.iter().map(word).collect();
    }
    let words = term.spellings().map(|typed| (Kind::Word, typed.to_owned()));
    let begins = term.numbers().map(|typed| (Kind::Number, typed.to_owned()));
    let ends = term.numbers().filter(|typed| Term::may_end(typed));
    let ends = ends.map(|typed| (Kind::Reversed, reversed(typed)));
    let lookups: Vec<(Kind, String)> = words.chain(begins).chain(ends).collect();
    // A word that fills a posting may be whole or not.
    let certain = lookups.iter().all(|(kind, typed)| typed.len() < kind.places());
    let long = |(kind, typed): &(Kind, String)| *kind == Kind::Word && typed.len() > LETTERS;
    if !lookups.iter().any(long) {
        return vec![Step { lookups, part: false, certain }];
    }
    let tail = |lookup: &(Kind, String)| match long(lookup) {
        true => (Kind::Tail, lookup.1[LETTERS..].to_owned()),
        false => lookup.clone(),
    };
    let tails = lookups.iter().map(tail).collect();
    vec![Step { lookups, part: true, certain }, Step { lookups: tails, part: false, certain }]
}
