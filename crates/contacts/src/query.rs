//! What was typed, taken apart once for all that look at it.

use offhook_model::DirectoryEntry;

use crate::digits::Digits;
use crate::fields::{Class, Field, fields};
use crate::fold::{squeezed, words};

/// Longest text that is looked for, in bytes.
pub const MAX_QUERY: usize = 200;
/// Most words; those after them are not looked for.
const MAX_TERMS: usize = 8;
/// Fewest digits that are compared with the last digits of a number.
const LAST_DIGITS: usize = 3;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub(crate) terms: Vec<Term>,
}

/// One word. All have to be found, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// The beginning of a word, as typed and with umlauts written out.
    Word { plain: String, spelt: Option<String> },
    /// Digits alone: the beginning of a group of a number or its end, or a word. The second is
    /// without the zeros that a number at home begins with.
    Digits { all: String, bare: Option<String> },
    /// The beginning of an address, in small letters. The words before the `@` lead there.
    Address { whole: String, local: Vec<String> },
}

/// Where an entry was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) class: Class,
    /// The word is what was typed and no more.
    pub(crate) exact: bool,
}

impl Query {
    /// Reads what was typed.
    pub fn read(typed: &str) -> Self {
        let typed = &typed[..typed.floor_char_boundary(MAX_QUERY)];
        if let Some(number) = number_term(typed) {
            return Self { terms: vec![number] };
        }
        let mut terms: Vec<Term> = vec![];
        for chunk in typed.split_whitespace() {
            let lower = chunk.to_lowercase();
            let local = chunk.split_once('@').map(|(local, _)| words(local, 3));
            match local.filter(|local| !local.is_empty()) {
                Some(local) => {
                    let local = local.into_iter().map(|word| word.plain).collect();
                    terms.push(Term::Address { whole: lower, local });
                }
                None => terms.extend(words(chunk, MAX_TERMS).into_iter().map(Term::of)),
            }
        }
        terms.truncate(MAX_TERMS);
        Self { terms }
    }

    /// Nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether all words are found in the entry.
    pub fn finds(&self, entry: &DirectoryEntry) -> bool {
        !self.is_empty() && self.judge(entry).is_some()
    }

    /// How well an entry answers; `None` when one of the words is not found in it. The best place
    /// of each word counts, and of all words the worst.
    pub(crate) fn judge(&self, entry: &DirectoryEntry) -> Option<Vec<Hit>> {
        let fields = fields(entry);
        let best = |term: &Term| fields.iter().filter_map(|field| term.hit(field)).max();
        self.terms.iter().map(best).collect()
    }
}

fn number_term(typed: &str) -> Option<Term> {
    let body = typed.trim();
    let fits = |c: char| c.is_ascii_digit() || "+()-./ \u{a0}".contains(c);
    if !body.chars().all(fits) {
        return None;
    }
    let all = Digits::of(body).all;
    (!all.is_empty()).then(|| Term::digits(all))
}

impl Term {
    fn of(word: crate::fold::Word) -> Self {
        if word.plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::digits(word.plain);
        }
        Self::Word { plain: word.plain, spelt: word.spelt }
    }

    fn digits(all: String) -> Self {
        let bare = Some(all.trim_start_matches('0')).filter(|bare| *bare != all);
        let bare = bare.filter(|bare| !bare.is_empty()).map(str::to_owned);
        Self::Digits { all, bare }
    }

    /// The spellings in which a word may begin with it.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &str> {
        let (plain, spelt) = match self {
            Self::Word { plain, spelt } => (Some(plain.as_str()), spelt.as_deref()),
            Self::Digits { all, .. } => (Some(all.as_str()), None),
            Self::Address { .. } => (None, None),
        };
        [plain, spelt].into_iter().flatten()
    }

    /// The digits with which a number may begin or end.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &str> {
        let (all, bare) = match self {
            Self::Digits { all, bare } => (Some(all.as_str()), bare.as_deref()),
            Self::Word { .. } | Self::Address { .. } => (None, None),
        };
        [all, bare].into_iter().flatten()
    }

    /// Whether it is compared with the end of numbers as well.
    pub(crate) fn may_end(digits: &str) -> bool {
        digits.len() >= LAST_DIGITS
    }

    /// The best place in this field.
    pub(crate) fn hit(&self, field: &Field<'_>) -> Option<Hit> {
        if field.is_number() {
            let digits = Digits::of(field.text);
            let is_end = |typed: &&str| digits.groups.iter().any(|&at| digits.all[at..] == **typed);
            let found = self.numbers().any(|typed| digits_at(&digits, typed).is_some());
            let exact = self.numbers().any(|typed| is_end(&typed));
            return found.then_some(Hit { class: Class::Number, exact });
        }
        if let Self::Address { whole, .. } = self {
            let text = field.text.to_lowercase();
            let hit = field.is_address() && text.starts_with(whole);
            return hit.then(|| Hit { class: Class::Address, exact: text == *whole });
        }
        let one = |(word, class): (crate::fold::Word, Class)| {
            self.spellings()
                .filter(|typed| word.begins_with(typed).is_some())
                .map(|typed| Hit { class, exact: word.is(typed) })
                .max()
        };
        let glued = || {
            let joined = joined(field)?;
            let hit = self.spellings().find(|typed| joined.starts_with(typed))?;
            Some(Hit { class: field.first_class(), exact: hit.len() == joined.len() })
        };
        field.words().filter_map(one).max().max(glued())
    }
}

/// Where the digits of a number are that were typed: at the beginning of a group, or its last.
pub(crate) fn digits_at(digits: &Digits, typed: &str) -> Option<usize> {
    let end = || {
        let ends = Term::may_end(typed) && digits.all.ends_with(typed);
        ends.then(|| digits.all.len() - typed.len())
    };
    digits.group_with(typed).or_else(end)
}

/// A name of words that no space divides, as it is typed in a hurry: `obrien`, `maryann`.
pub(crate) fn joined(field: &Field<'_>) -> Option<String> {
    let name = field.kind == offhook_model::MatchedField::Name;
    // The dearest question comes last.
    let single = || field.text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let spaced = || field.text.trim().contains(char::is_whitespace);
    let glued = || field.words().any(|(word, _)| word.glued);
    (name && !single() && !spaced() && glued()).then(|| squeezed(field.text))
}
