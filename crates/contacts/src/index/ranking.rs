//! Who is found, best first.
//!
//! How well comes first: a name that begins with what was typed, another word of a name, an
//! address, a number, then what somebody does. Among those it counts most how often somebody was
//! used lately, then that the word is whole, then that they are somebody's contact: the right
//! person of three letters is the colleague of every day, not a stranger who happens to be
//! called *Ann*. Nothing of this but the first two depends on the text, so that a longer text
//! keeps the order of those who stay and are found as well as before.

use std::cmp::Reverse;
use std::collections::btree_set;
use std::sync::Arc;

use offhook_model::{DirectoryEntry, SourceKind, Timestamp};

use super::posting::{Borders, Kind, LETTERS, Posting, borders, reversed};
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

    /// Met by the first step with this, or with something better before.
    fn met_first(self, value: u32) -> Self {
        Self(self.0.max(Self::of(1, 0, 0, value).0))
    }

    /// The last word is done: what it was goes into the rest.
    fn closed(self) -> (u32, u32) {
        let (class, exact) = (self.last() >> 1, self.last() & 1);
        let worst = if self.steps() == 1 { class } else { self.worst().min(class) };
        (self.exact() + exact, worst)
    }
}

/// Postings whose words begin with the same letters.
struct Stretch<'a> {
    /// Of words that are what was typed and no more, or of parts of words.
    exact: &'a [Posting],
    /// Of words that go on.
    longer: &'a [Posting],
    /// What was added lately, of both kinds.
    fresh: btree_set::Range<'a, Posting>,
    exact_until: Posting,
}

impl Stretch<'_> {
    /// How many there are, without those that were added lately.
    fn len(&self) -> usize {
        self.exact.len() + self.longer.len()
    }

    /// Hands over whose each is, and how good: its class, and in the lowest bit that it is exact.
    fn each(self, mut hand: impl FnMut(u32, u32)) {
        let mut one = |posting: &Posting, exact| {
            hand(posting.doc, (posting.class() as u32) << 1 | u32::from(exact));
        };
        self.exact.iter().for_each(|posting| one(posting, true));
        self.longer.iter().for_each(|posting| one(posting, false));
        self.fresh.for_each(|posting| one(posting, *posting < self.exact_until));
    }
}

/// Who was met by the first step.
enum Met {
    /// These.
    Few(Vec<u32>),
    /// So many that all are looked at in turn.
    Many,
}

/// The best of all who are offered, without a list of all: what is worse than enough others goes
/// at once.
struct Best {
    limit: usize,
    offered: usize,
    /// At most twice the limit, in no order.
    kept: Vec<Ranked>,
    /// As many as the limit are as good as this.
    bound: Option<Ranked>,
}

impl Best {
    fn new(limit: usize) -> Self {
        Self { limit, offered: 0, kept: vec![], bound: None }
    }

    fn offer(&mut self, ranked: Ranked) {
        self.offered += 1;
        if self.limit == 0 || self.bound.is_some_and(|bound| bound < ranked) {
            return;
        }
        self.kept.push(ranked);
        if self.kept.len() >= 2 * self.limit {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.limit && self.limit > 0 {
            self.bound = Some(*self.kept.select_nth_unstable(self.limit - 1).1);
            self.kept.truncate(self.limit);
        }
    }

    /// In order, and whether there were more.
    fn done(mut self) -> (Vec<Ranked>, bool) {
        self.cut();
        self.kept.sort_unstable();
        (self.kept, self.offered > self.limit)
    }
}

impl Index {
    /// Who has all words of the query, best first, at most `limit`. The flag says whether there
    /// are more.
    pub fn search(&self, query: &Query, limit: usize, now: Timestamp) -> (Vec<Found>, bool) {
        let steps = steps(query);
        let (tallies, met) = self.tally(&steps);
        let total = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        let to_read = steps.iter().any(|step| !step.certain);
        let mut best = Best::new(if to_read { MOST_READ.max(limit) } else { limit });
        let mut take = |doc: u32| {
            let tally = tallies[doc as usize];
            if tally.steps() == total && self.lives(doc) {
                let (exact, worst) = tally.closed();
                let score = worst * CLASS + self.prior(doc, now, exact == total);
                best.offer(self.ranked(doc, score));
            }
        };
        match met {
            Met::Few(docs) => docs.into_iter().for_each(&mut take),
            // In the order in which they lie in memory: many at random cost more than all in turn.
            Met::Many => (0..).zip(&tallies).for_each(|(doc, _)| take(doc)),
        }
        let (mut ranked, mut more) = best.done();
        if to_read {
            let mut read = Best::new(limit);
            for known in ranked {
                if read.offered > limit {
                    break;
                }
                let entry = self.docs[known.doc as usize].entry.as_ref();
                if let Some(hits) = entry.and_then(|entry| query.judge(entry)) {
                    let score = class(&hits) + self.prior(known.doc, now, exact(&hits));
                    read.offer(self.ranked(known.doc, score));
                }
            }
            let cut;
            (ranked, cut) = read.done();
            more |= cut;
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
        let (tallies, met) = self.tally(steps.get(..1).unwrap_or_default());
        let has = |doc: &u32| {
            let entry = self.docs[*doc as usize].entry.as_ref();
            entry.is_some_and(|entry| usage::addresses(entry).any(|it| it == address))
        };
        match met {
            Met::Few(docs) => docs.into_iter().filter(has).collect(),
            Met::Many => {
                let all = (0..).zip(&tallies).filter(|(_, tally)| tally.steps() > 0);
                all.map(|(doc, _)| doc).filter(has).collect()
            }
        }
    }

    /// Goes all steps. Gives what is known of every entry, and who was met by the first.
    fn tally(&self, steps: &[Step]) -> (Vec<Tally>, Met) {
        let mut tallies: Vec<Tally> = vec![Tally(0); self.docs.len()];
        let Some((first, others)) = steps.split_first() else { return (tallies, Met::Few(vec![])) };
        let few = self.docs.len() / 16;
        let (mut many, mut met) = (false, vec![]);
        for lookup in &first.lookups {
            let found = self.stretch(lookup, first.part);
            many |= met.len() + found.len() > few;
            if many {
                // Of a digit that begins everybody's number there are millions: nothing here
                // depends on what was met before.
                found.each(|doc, value| {
                    let tally = &mut tallies[doc as usize];
                    *tally = tally.met_first(value);
                });
                continue;
            }
            found.each(|doc, value| {
                let tally = &mut tallies[doc as usize];
                if tally.steps() == 0 {
                    met.push(doc);
                }
                *tally = tally.met_first(value);
            });
        }
        for (at, step) in (1_u32..).zip(others) {
            for lookup in &step.lookups {
                self.stretch(lookup, step.part).each(|doc, value| {
                    let tally = &mut tallies[doc as usize];
                    if tally.steps() == at + 1 {
                        let last = tally.last().max(value);
                        *tally = Tally::of(at + 1, tally.exact(), tally.worst(), last);
                    } else if tally.steps() == at {
                        let (exact, worst) = tally.closed();
                        *tally = Tally::of(at + 1, exact, worst, value);
                    }
                });
            }
        }
        (tallies, if many { Met::Many } else { Met::Few(met) })
    }

    /// The postings that a lookup leads to.
    fn stretch(&self, (kind, typed): &(Kind, String), part: bool) -> Stretch<'_> {
        let Borders { range, exact_until } = borders(*kind, typed);
        let until = |end: Posting| self.sorted.partition_point(|posting| *posting < end);
        let (from, to) = (until(range.start), until(range.end));
        let exact_until = if part { range.end } else { exact_until };
        let (exact, longer) = self.sorted[from..to].split_at(until(exact_until) - from);
        Stretch { exact, longer, fresh: self.fresh.range(range), exact_until }
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
