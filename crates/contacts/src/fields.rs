//! What of an entry can be found, and how much it counts.

use offhook_model::{DirectoryEntry, MatchedField};

use crate::fold::{Word, words};

/// Most addresses, numbers or groups of one entry that can be found.
const MAX_LIST: usize = 8;
/// Most words of one field that can be found.
const MAX_WORDS: usize = 12;

/// How good it is to be found there; more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    /// Title, department, company, group.
    Work,
    /// Digits of a number.
    Number,
    /// Chat, mail or SIP address, and the user name.
    Address,
    /// A further word of a name, or what friends say.
    Name,
    /// The beginning of first or last name.
    MainName,
}

impl Class {
    pub(crate) fn from_bits(bits: u32) -> Self {
        match bits & 7 {
            0 => Self::Work,
            1 => Self::Number,
            2 => Self::Address,
            3 => Self::Name,
            _ => Self::MainName,
        }
    }
}

/// One field as it can be found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: MatchedField,
    class: Class,
}

impl Field<'_> {
    /// Its words, each with how much it counts.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Word, Class)> {
        let text = match self.class {
            // The domain is the same for everybody; whole addresses are looked at when an `@`
            // was typed.
            Class::Address => self.text.split_once('@').map_or(self.text, |(local, _)| local),
            Class::Work | Class::Number | Class::Name | Class::MainName => self.text,
        };
        let class = self.class;
        words(text, MAX_WORDS).into_iter().enumerate().map(move |(at, word)| {
            let class = if class == Class::MainName && at > 0 { Class::Name } else { class };
            (word, class)
        })
    }

    /// How much its first word counts.
    pub(crate) fn first_class(&self) -> Class {
        self.class
    }

    /// A number, whose digits count and nothing else.
    pub(crate) fn is_number(&self) -> bool {
        self.kind == MatchedField::Number
    }

    /// An address, with a domain perhaps.
    pub(crate) fn is_address(&self) -> bool {
        self.class == Class::Address
    }
}

/// The fields of an entry that can be found, those that count most first.
pub(crate) fn fields(entry: &DirectoryEntry) -> Vec<Field<'_>> {
    let split = entry.first_name.is_some() || entry.last_name.is_some();
    let shown = if split { Class::Name } else { Class::MainName };
    let single = [
        (&entry.first_name, MatchedField::Name, Class::MainName),
        (&entry.last_name, MatchedField::Name, Class::MainName),
        (&entry.display_name, MatchedField::Name, shown),
        (&entry.nickname, MatchedField::Name, Class::Name),
        (&entry.user_name, MatchedField::Address, Class::Address),
    ];
    let mut all = Vec::with_capacity(12);
    let mut push = |text, kind, class| all.push(Field { text, kind, class });
    for (text, kind, class) in single {
        if let Some(text) = text {
            push(text, kind, class);
        }
    }
    if let Some(im) = &entry.im {
        push(im.bare_str(), MatchedField::Address, Class::Address);
    }
    for uri in entry.uris.iter().take(MAX_LIST) {
        push(uri, MatchedField::Address, Class::Address);
    }
    for mail in entry.mail.iter().take(MAX_LIST) {
        push(mail, MatchedField::Mail, Class::Address);
    }
    for number in entry.numbers.iter().take(MAX_LIST) {
        push(&number.number, MatchedField::Number, Class::Number);
    }
    if let Some(title) = &entry.title {
        push(title, MatchedField::Title, Class::Work);
    }
    for place in [&entry.department, &entry.company].into_iter().flatten() {
        push(place, MatchedField::Organisation, Class::Work);
    }
    for group in entry.groups.iter().take(MAX_LIST) {
        push(group, MatchedField::Group, Class::Work);
    }
    all
}

/// The name of an entry as a list shows it, or what its source calls it.
pub fn name_of(entry: &DirectoryEntry) -> String {
    let user = || entry.user_name.clone().filter(|name| !name.trim().is_empty());
    entry.shown_name().or_else(user).unwrap_or_else(|| entry.id.clone())
}
