//! Why somebody was found: which of their fields, and what of its text was typed.

use offhook_model::{DirectoryEntry, Matched};

use crate::digits::Digits;
use crate::fields::{Field, fields};
use crate::query::{Hit, Query, Term, digits_at, joined};

impl Query {
    /// The field in which most of the words are found, and of those the one that counts most.
    pub fn why(&self, entry: &DirectoryEntry) -> Option<Matched> {
        let mut best: Option<((usize, Hit), Matched)> = None;
        for field in fields(entry) {
            let hits: Vec<Hit> = self.terms.iter().filter_map(|term| term.hit(&field)).collect();
            let Some(top) = hits.iter().max().copied() else { continue };
            let worth = (hits.len(), top);
            // Of equals the first: fields come with those that count most before the others.
            if best.as_ref().is_some_and(|(known, _)| *known >= worth) {
                continue;
            }
            let ranges = joined_up(self.terms.iter().filter_map(|term| term.range(&field)));
            let matched = Matched { field: field.kind, text: field.text.to_owned(), ranges };
            best = Some((worth, matched));
        }
        best.map(|(_, matched)| matched)
    }
}

impl Term {
    /// What of the field's text was typed.
    fn range(&self, field: &Field<'_>) -> Option<(usize, usize)> {
        if field.is_number() {
            let digits = Digits::of(field.text);
            let at = |typed: &str| {
                let from = digits_at(&digits, typed)?;
                digits.range(from, from + typed.len())
            };
            return self.numbers().find_map(at);
        }
        if let Self::Address { whole, .. } = self {
            // Small letters may be longer or shorter than the large ones.
            let mut small = whole.chars().peekable();
            let mut end = 0;
            for (at, c) in field.text.char_indices() {
                if small.peek().is_none() {
                    break;
                }
                for c in c.to_lowercase() {
                    small.next_if_eq(&c);
                }
                end = at + c.len_utf8();
            }
            return (end > 0 && self.hit(field).is_some()).then_some((0, end));
        }
        let found = field.words().filter_map(|(word, class)| {
            let fits = |typed: &str| word.begins_with(typed).map(|length| (word.is(typed), length));
            let (exact, length) = self.spellings().filter_map(fits).max()?;
            Some((Hit { class, exact }, word.range(length)))
        });
        // Of equals the first.
        let best = found.reduce(|a, b| if b.0 > a.0 { b } else { a }).map(|(_, range)| range);
        best.or_else(|| {
            let typed = self
                .spellings()
                .find(|typed| joined(field).is_some_and(|joined| joined.starts_with(*typed)))?;
            let mut left = typed.len();
            let mut end = 0;
            for (word, _) in field.words() {
                let of_word = left.min(word.plain.len());
                end = word.range(of_word).1;
                left -= of_word;
                if left == 0 {
                    break;
                }
            }
            let begin = field.words().next()?.0.range(1).0;
            Some((begin, end))
        })
    }
}

/// Ranges in order; those that meet become one.
fn joined_up(ranges: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> = ranges.collect();
    all.sort_unstable();
    let mut kept: Vec<(usize, usize)> = vec![];
    for (from, to) in all {
        match kept.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => kept.push((from, to)),
        }
    }
    kept
}
