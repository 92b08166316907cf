//! Which entry has which word, in twelve bytes.

use std::ops::Range;

use offhook_model::DirectoryEntry;

use crate::digits::Digits;
use crate::fields::{Class, fields};
use crate::query::joined;

/// Letters of a word that a posting keeps. Of longer words a second posting keeps as many more;
/// that both are of the same word is looked up in the entry.
pub(crate) const LETTERS: usize = 11;
/// Digits of a number that a posting keeps.
pub(crate) const DIGITS: usize = 16;

/// What a posting is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The beginning of a word.
    Word,
    /// What a long word has after it.
    Tail,
    /// A number from the beginning of one of its groups on.
    Number,
    /// A number from its end.
    Reversed,
}

impl Kind {
    fn base(self) -> u64 {
        match self {
            Self::Word | Self::Tail => 37,
            Self::Number | Self::Reversed => 11,
        }
    }

    pub(crate) fn places(self) -> usize {
        match self {
            Self::Word | Self::Tail => LETTERS,
            Self::Number | Self::Reversed => DIGITS,
        }
    }

    /// In the highest bits, so that each kind is a stretch of its own.
    fn bits(self) -> u64 {
        let kind: u64 = match self {
            Self::Word => 0,
            Self::Number => 1,
            Self::Reversed => 2,
            Self::Tail => 3,
        };
        kind << 62
    }

    /// The text in 58 bits at most, in the order of the alphabet: 37^11 is less than 2^58, and
    /// 11^16 than 2^56.
    fn packed(self, text: &[u8]) -> u64 {
        let code = |byte: Option<&u8>| match byte {
            None => 0,
            Some(digit @ b'0'..=b'9') => u64::from(digit - b'0') + 1,
            Some(letter @ b'a'..=b'z') => u64::from(letter - b'a') + 11,
            // Folded text has nothing else.
            Some(_) => 0,
        };
        (0..self.places()).fold(0, |sum, at| sum * self.base() + code(text.get(at)))
    }
}

/// A word, how much it counts, and whose it is. Sorted by word first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting {
    // Two halves, since a whole one would be kept on eight bytes and the posting on sixteen.
    high: u32,
    low: u32,
    pub(crate) doc: u32,
}

impl Posting {
    fn new(key: u64, doc: u32) -> Self {
        let high = u32::try_from(key >> 32).unwrap_or(u32::MAX);
        let low = u32::try_from(key & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Self { high, low, doc }
    }

    pub(crate) fn class(self) -> Class {
        Class::from_bits(self.low)
    }
}

/// Where the postings are that begin with the same letters.
pub(crate) struct Borders {
    pub(crate) range: Range<Posting>,
    /// Before this one the word is what was typed and no more.
    pub(crate) exact_until: Posting,
}

/// Where words are that begin with `typed`, as far as postings know them.
pub(crate) fn borders(kind: Kind, typed: &str) -> Borders {
    let bytes = typed.as_bytes();
    let bytes = &bytes[..bytes.len().min(kind.places())];
    let from = kind.packed(bytes);
    let free = u32::try_from(kind.places() - bytes.len()).unwrap_or(0);
    let to = from + kind.base().pow(free);
    let at = |packed: u64| Posting::new(kind.bits() | packed << 4, 0);
    // A word that fills the posting may go on.
    let exact_until = if free == 0 { at(from) } else { at(from + 1) };
    Borders { range: at(from)..at(to), exact_until }
}

/// All postings of an entry; of those of the same word the one that counts most.
pub(crate) fn postings(entry: &DirectoryEntry, doc: u32) -> Vec<Posting> {
    let mut keys: Vec<u64> = vec![];
    let mut add = |kind: Kind, text: &str, class: Class| {
        keys.push(kind.bits() | kind.packed(text.as_bytes()) << 4 | class as u64);
        if kind == Kind::Word && text.len() > LETTERS {
            let tail = Kind::Tail.packed(&text.as_bytes()[LETTERS..]);
            keys.push(Kind::Tail.bits() | tail << 4 | class as u64);
        }
    };
    for field in fields(entry) {
        if field.is_number() {
            let digits = Digits::of(field.text);
            for &group in &digits.groups {
                add(Kind::Number, &digits.all[group..], Class::Number);
            }
            if !digits.all.is_empty() {
                add(Kind::Reversed, &reversed(&digits.all), Class::Number);
            }
            continue;
        }
        for (word, class) in field.words() {
            add(Kind::Word, &word.plain, class);
            if let Some(spelt) = &word.spelt {
                add(Kind::Word, spelt, class);
            }
        }
        if let Some(joined) = joined(&field) {
            add(Kind::Word, &joined, field.first_class());
        }
    }
    keys.sort_unstable();
    let mut kept: Vec<u64> = Vec::with_capacity(keys.len());
    for key in keys {
        match kept.last_mut() {
            Some(last) if *last >> 4 == key >> 4 => *last = key,
            _ => kept.push(key),
        }
    }
    kept.into_iter().map(|key| Posting::new(key, doc)).collect()
}

pub(crate) fn reversed(digits: &str) -> String {
    digits.chars().rev().collect()
}
