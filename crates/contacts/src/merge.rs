//! One person of all that sources say of them.
//!
//! A chat or SIP address is one person's. A mail address, a user name and a number may be shared,
//! by a team or a switchboard: they join only those whose names do not contradict each other, and
//! nobody at all where some of their holders contradict. Whatever order the entries come in, the
//! same are joined.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use offhook_model::{DirectoryEntry, Person, PersonId, PhotoSource, SourceKind};

use crate::fields::name_of;
use crate::fold::words;
use crate::numbers::Ending;

/// More holders than this, and an address or number is nobody's own.
const MOST_HOLDERS: usize = 16;
/// Most members of a list of a person: addresses, numbers, groups.
const MOST_LISTED: usize = 32;

/// A person, and of which entries.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The person, without why they were found.
    pub person: Person,
    /// Places in the list that was given, those whose word counts most first.
    pub members: Vec<usize>,
}

/// How much two names have to agree.
#[derive(Clone, Copy)]
enum Agreement {
    /// One word in common: whoever shares a mail address and a family name is the same.
    Some,
    /// Every word of the shorter name: a number may be of a whole family.
    Full,
}

/// Joins entries into persons, in the order in which the first entry of each came. `number` says
/// how a number is compared, `None` where it leads to nobody in particular; as with
/// [`comparable`](crate::numbers::comparable), those that are the same have the same extension and
/// end in the same four digits.
pub fn merge(
    entries: &[Arc<DirectoryEntry>],
    number: impl Fn(&str) -> Option<String>,
) -> Vec<Merged> {
    let mut persons: Vec<Merged> = members(entries, &number)
        .into_iter()
        .map(|members| {
            let of = |at: &usize| Arc::clone(&entries[*at]);
            let own: Vec<Arc<DirectoryEntry>> = members.iter().map(of).collect();
            Merged { person: person(&own, &number), members }
        })
        .collect();
    distinguish(entries, &mut persons);
    persons
}

/// As [`merge`], but only which entries make up each person.
pub(crate) fn members(
    entries: &[Arc<DirectoryEntry>],
    number: impl Fn(&str) -> Option<String>,
) -> Vec<Vec<usize>> {
    let numbers = shared_numbers(entries, number);
    let mut groups = Groups::new(entries);
    groups.join_addresses();
    groups.join_shared(&numbers);
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut first: HashMap<usize, usize> = HashMap::new();
    for at in 0..entries.len() {
        let root = groups.root(at);
        let first = *first.entry(root).or_insert(at);
        members.entry(first).or_default().push(at);
    }
    let key = |&at: &usize| (entries[at].source, entries[at].id.as_str());
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.iter_mut().for_each(|members| members.sort_by(|a, b| key(a).cmp(&key(b))));
    members
}

/// The numbers of each entry, as they are compared, that another entry may have as well. To read a
/// number by its country's plan costs more than all else here, and most are somebody's alone: those
/// that nobody else's end like are not read.
fn shared_numbers(
    entries: &[Arc<DirectoryEntry>],
    number: impl Fn(&str) -> Option<String>,
) -> Vec<Vec<String>> {
    let endings: Vec<Vec<Option<Ending>>> = entries
        .iter()
        .map(|entry| entry.numbers.iter().map(|it| Ending::of(&it.number)).collect())
        .collect();
    // Who has it first, and whether somebody else has.
    let mut holders: HashMap<&Ending, (usize, bool)> = HashMap::new();
    for (at, endings) in endings.iter().enumerate() {
        for ending in endings.iter().flatten() {
            let (first, shared) = holders.entry(ending).or_insert((at, false));
            *shared |= *first != at;
        }
    }
    let mut read: HashMap<&str, Option<String>> = HashMap::new();
    let mut numbers: Vec<Vec<String>> = Vec::with_capacity(entries.len());
    for (entry, endings) in entries.iter().zip(&endings) {
        let mut shared = vec![];
        for (it, ending) in entry.numbers.iter().zip(endings) {
            if ending.as_ref().is_none_or(|ending| holders[ending].1) {
                let known = read.entry(&it.number).or_insert_with(|| number(&it.number));
                shared.extend(known.clone());
            }
        }
        numbers.push(shared);
    }
    numbers
}

/// Two who are known by the same shared address are told apart by what their sources call them.
fn distinguish(entries: &[Arc<DirectoryEntry>], persons: &mut [Merged]) {
    let mut seen: HashMap<PersonId, usize> = HashMap::new();
    for merged in persons.iter() {
        *seen.entry(merged.person.id.clone()).or_default() += 1;
    }
    for merged in persons {
        if seen.get(&merged.person.id).is_some_and(|&count| count > 1)
            && let Some(&at) = merged.members.first()
        {
            merged.person.id = by_source(&entries[at]);
        }
    }
}

pub(crate) fn by_source(entry: &DirectoryEntry) -> PersonId {
    PersonId(format!("{:?}:{}", entry.source, entry.id))
}

/// Which entries are the same person so far.
struct Groups<'a> {
    entries: &'a [Arc<DirectoryEntry>],
    parent: Vec<usize>,
    /// Members of each group, at its root.
    members: Vec<Vec<usize>>,
    names: Vec<Vec<String>>,
}

impl<'a> Groups<'a> {
    fn new(entries: &'a [Arc<DirectoryEntry>]) -> Self {
        Self {
            entries,
            parent: (0..entries.len()).collect(),
            members: (0..entries.len()).map(|at| vec![at]).collect(),
            names: entries.iter().map(|entry| name_words(entry)).collect(),
        }
    }

    fn root(&mut self, at: usize) -> usize {
        let mut root = at;
        while self.parent[root] != root {
            self.parent[root] = self.parent[self.parent[root]];
            root = self.parent[root];
        }
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parent[b] = a;
            let moved = std::mem::take(&mut self.members[b]);
            self.members[a].extend(moved);
        }
    }

    /// By what is one person's alone.
    fn join_addresses(&mut self) {
        let entries = self.entries;
        let mut known: HashMap<String, usize> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let same = format!("{:?}:{}", entry.source, entry.id);
            for key in own_addresses(entry).chain([same]) {
                match known.get(&key) {
                    Some(&other) => self.join(other, at),
                    None => {
                        known.insert(key, at);
                    }
                }
            }
        }
    }

    /// By what may be shared. Keys come in their own order, so that the order of the entries does
    /// not count.
    fn join_shared(&mut self, numbers: &[Vec<String>]) {
        let mut holders: BTreeMap<(u8, String), Vec<usize>> = BTreeMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            for mail in entry.mail.iter().map(|mail| mail.to_lowercase()) {
                holders.entry((0, mail)).or_default().push(at);
            }
            for address in own_addresses(entry) {
                // Chat addresses are often mail addresses or user names of the same domain.
                holders.entry((0, address.clone())).or_default().push(at);
                if entry.im.as_ref().is_some_and(|im| im.bare_str() == address) {
                    holders.entry((1, address)).or_default().push(at);
                }
            }
            for user in users(entry) {
                holders.entry((1, user)).or_default().push(at);
            }
            for number in &numbers[at] {
                holders.entry((2, number.clone())).or_default().push(at);
            }
        }
        for ((kind, _), holders) in holders {
            let agreement = if kind == 2 { Agreement::Full } else { Agreement::Some };
            let mut roots: Vec<usize> = holders.into_iter().map(|at| self.root(at)).collect();
            roots.sort_unstable();
            roots.dedup();
            if roots.len() < 2 || roots.len() > MOST_HOLDERS {
                continue;
            }
            let mut pairs = roots
                .iter()
                .enumerate()
                .flat_map(|(nth, &a)| roots[nth + 1..].iter().map(move |&b| (a, b)));
            if pairs.all(|(a, b)| self.agree(a, b, agreement)) {
                for &other in &roots[1..] {
                    self.join(roots[0], other);
                }
            }
        }
    }

    /// Whether the names of two groups do not contradict: one name of each agrees with one of the
    /// other, since who is joined already may be called *Ali* by one source. Who has no name
    /// contradicts nobody.
    fn agree(&self, a: usize, b: usize, agreement: Agreement) -> bool {
        let named = |root: usize| {
            self.members[root].iter().map(|&at| &self.names[at]).filter(|name| !name.is_empty())
        };
        let nameless = named(a).next().is_none() || named(b).next().is_none();
        nameless || named(a).any(|a| named(b).any(|b| same_name(a, b, agreement)))
    }
}

fn same_name(a: &[String], b: &[String], agreement: Agreement) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let met = |word: &String| long.iter().any(|other| other == word || initial(word, other));
    match agreement {
        Agreement::Some => short.iter().any(|word| long.contains(word)),
        Agreement::Full => short.iter().all(met),
    }
}

/// `R` of `Robert`, whichever of the two has the letter alone.
fn initial(a: &str, b: &str) -> bool {
    (a.len() == 1 && b.starts_with(a)) || (b.len() == 1 && a.starts_with(b))
}

/// The words of a name, umlauts written out. An entry that is called by its address has none.
fn name_words(entry: &DirectoryEntry) -> Vec<String> {
    let parts = [&entry.display_name, &entry.first_name, &entry.last_name];
    let shown = parts.into_iter().flatten().filter(|text| !text.contains('@'));
    let lettered = shown.filter(|text| text.contains(char::is_alphabetic));
    let mut all: Vec<String> = lettered
        .flat_map(|text| words(text, 16))
        .map(|word| word.spelt.unwrap_or(word.plain))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Chat and SIP addresses, in small letters.
fn own_addresses(entry: &DirectoryEntry) -> impl Iterator<Item = String> {
    let im = entry.im.iter().map(|im| im.bare_str().to_owned());
    im.chain(entry.uris.iter().map(|uri| uri.to_lowercase()))
}

/// The user name in each of the domains that the entry names.
fn users(entry: &DirectoryEntry) -> Vec<String> {
    let Some(user) = entry.user_name.as_deref().map(str::to_lowercase) else { return vec![] };
    if user.contains('@') {
        return vec![user];
    }
    let chat = entry.im.iter().map(|im| im.domain().to_owned());
    let mail = entry.mail.iter().filter_map(|mail| Some(mail.rsplit_once('@')?.1.to_lowercase()));
    let mut all: Vec<String> = chat.chain(mail).map(|domain| format!("{user}@{domain}")).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// One person of these entries, those whose word counts most first.
pub(crate) fn person(
    entries: &[Arc<DirectoryEntry>],
    number: impl Fn(&str) -> Option<String>,
) -> Person {
    let each = || entries.iter().map(|entry| &**entry);
    let mut sources: Vec<SourceKind> = each().map(|entry| entry.source).collect();
    sources.dedup();
    let nobody = || DirectoryEntry::new(SourceKind::History, "");
    let mut entry = each().next().cloned().unwrap_or_else(nobody);
    for other in each().skip(1) {
        fill(&mut entry, other);
    }
    // Who is seen by their number alone is called by the number, and by their name as soon as
    // anybody knows one.
    let smallest = |addresses: &mut dyn Iterator<Item = String>| addresses.min();
    let named = || each().any(|entry| !name_words(entry).is_empty());
    let id = smallest(&mut each().filter_map(|it| Some(it.im.as_ref()?.bare_str().to_owned())))
        .or_else(|| smallest(&mut each().flat_map(|it| &it.uris).map(|uri| uri.to_lowercase())))
        .or_else(|| smallest(&mut each().flat_map(|it| &it.mail).map(|it| it.to_lowercase())))
        .or_else(|| {
            let numbers = || each().flat_map(|it| &it.numbers).filter_map(|it| number(&it.number));
            if named() { None } else { numbers().min() }
        })
        .map_or_else(|| by_source(&entry), PersonId);
    let name = each().map(name_of).find(|name| name.contains(char::is_alphabetic));
    let name = name.unwrap_or_else(|| name_of(&entry));
    Person { id, name, entry, sources, matched: None }
}

/// Adds what `other` knows beyond `entry`.
fn fill(entry: &mut DirectoryEntry, other: &DirectoryEntry) {
    let texts = [
        (&mut entry.display_name, &other.display_name),
        (&mut entry.first_name, &other.first_name),
        (&mut entry.last_name, &other.last_name),
        (&mut entry.nickname, &other.nickname),
        (&mut entry.user_name, &other.user_name),
        (&mut entry.title, &other.title),
        (&mut entry.department, &other.department),
        (&mut entry.company, &other.company),
        (&mut entry.location, &other.location),
    ];
    for (ours, theirs) in texts {
        if ours.as_deref().is_none_or(|text| text.trim().is_empty()) {
            ours.clone_from(theirs);
        }
    }
    if entry.im.is_none() {
        entry.im.clone_from(&other.im);
    }
    if entry.photo.is_none() {
        let of = || PhotoSource::Of { source: other.source, id: other.id.clone() };
        entry.photo = other.photo.is_some().then(of);
    }
    let lists = [
        (&mut entry.uris, &other.uris),
        (&mut entry.mail, &other.mail),
        (&mut entry.groups, &other.groups),
    ];
    for (ours, theirs) in lists {
        for text in theirs {
            if ours.len() < MOST_LISTED && !ours.iter().any(|it| it.eq_ignore_ascii_case(text)) {
                ours.push(text.clone());
            }
        }
    }
    for number in &other.numbers {
        let digits = |text: &str| crate::digits::Digits::of(text).all;
        let known = digits(&number.number);
        let same = |it: &offhook_model::PersonNumber| digits(&it.number) == known;
        if entry.numbers.len() < MOST_LISTED && !entry.numbers.iter().any(same) {
            entry.numbers.push(number.clone());
        }
    }
}
