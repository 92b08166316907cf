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

/// The name of an entry as a list shows it: the display name, or what else names it.
pub fn name_of(entry: &DirectoryEntry) -> String {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let both = || {
        let parts = [&entry.first_name, &entry.last_name].into_iter().flatten();
        let parts: Vec<&str> = parts.map(|part| part.trim()).filter(|it| !it.is_empty()).collect();
        Some(parts.join(" ")).filter(|name| !name.is_empty())
    };
    given(&entry.display_name)
        .or_else(both)
        .or_else(|| given(&entry.nickname))
        .or_else(|| entry.mail.first().cloned())
        .or_else(|| entry.im.as_ref().map(|im| im.bare_str().to_owned()))
        .or_else(|| entry.uris.first().cloned())
        .or_else(|| entry.numbers.first().map(|number| number.number.clone()))
        .or_else(|| given(&entry.user_name))
        .unwrap_or_else(|| entry.id.clone())
}
