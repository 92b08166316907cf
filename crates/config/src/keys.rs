//! The catalogue of settings: every documented key with its kind, its default, and who may set it.
//! The table itself is `keys.txt` beside this file, and says where its lines come from.

use std::collections::HashMap;
use std::sync::LazyLock;

use offhook_model::Source;

/// What values a key takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false; also `1`, `0`, `ON`, `OFF`.
    Flag,
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// One of these words, without regard to case, `-`, `_` and spaces.
    OneOf(Vec<&'static str>),
    /// Any text.
    Text,
    /// Words divided by commas, semicolons or spaces.
    List,
    /// A host name or address.
    Host,
    /// A domain name.
    Domain,
    /// A web address.
    Url,
    /// A password: never kept, only that it was there.
    Secret,
}

/// A documented key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Name by which the product knows it: that of the configuration file where there is one.
    pub name: &'static str,
    /// Section of `jabber-config.xml`, or else where it is documented.
    pub section: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Built-in value; nothing when there is none.
    pub default: Option<&'static str>,
    /// Names of equal standing: installer switches, the twins of the two directory flavours.
    pub aliases: Vec<&'static str>,
    /// Misspellings that are accepted and told.
    pub misspellings: Vec<&'static str>,
    /// The product acts on it today; otherwise it is understood and not yet acted on.
    pub acted_on: bool,
    /// It counts before discovery, when there are no files of the cluster yet.
    pub early: bool,
    setters: &'static str,
}

/// How a name was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As documented.
    Right,
    /// Accepted, and the documented name is this.
    Meant(&'static str),
}

/// All keys in the order of the table.
pub fn keys() -> &'static [Key] {
    CATALOGUE.keys
}

/// The key of exactly this canonical name.
pub fn key(name: &str) -> Option<&'static Key> {
    CATALOGUE.exact.get(name).map(|(key, _)| *key).filter(|key| key.name == name)
}

/// The key that a source means by a name. Elements of files count in their exact spelling only
/// (reference client-config.md section 1). A configuration URL may differ in case, which is told
/// (bootstrap.md section 3), a bootstrap file in case and `_`, which is nothing to tell
/// (section 2).
pub fn find(name: &str, source: Source) -> Option<(&'static Key, Spelling)> {
    let exact = CATALOGUE.exact.get(name).copied();
    let found = match source {
        Source::Bootstrap => loosely(name).map(|key| (key, Spelling::Right)),
        Source::Url => exact.or_else(|| {
            let key = loosely(name)?;
            Some((key, Spelling::Meant(key.name)))
        }),
        _ => exact,
    };
    found.filter(|(key, _)| key.may_be_set_by(source))
}

/// The documented name that an unknown one resembles: of another case, or at most two letters
/// away. The work is bounded by the catalogue's size.
pub fn resembling(name: &str) -> Option<&'static str> {
    if name.len() > 64 {
        return None;
    }
    if let Some(key) = loosely(name) {
        return Some(key.spelling(&folded(name)));
    }
    let name = folded(name);
    let near = |known: &'static str| {
        let short = name.len().min(known.len());
        // Two letters of a short name make another word of it.
        let allowed = if short < 6 { 0 } else { 1 + usize::from(short > 9) };
        Some((distance(known, &name, allowed)?, known))
    };
    let names = CATALOGUE.folded.keys().map(String::as_str);
    let (_, nearest) = names.filter_map(near).min()?;
    Some(CATALOGUE.folded.get(nearest)?.spelling(nearest))
}

impl Key {
    /// Which of its names reads so when case and `_` do not matter: a switch is mended into a switch.
    fn spelling(&self, folded_name: &str) -> &'static str {
        let mut names = std::iter::once(self.name).chain(self.aliases.iter().copied());
        names.find(|name| folded(name) == folded_name).unwrap_or(self.name)
    }

    /// A value from this source counts.
    pub fn may_be_set_by(&self, source: Source) -> bool {
        let any = |setters: &[char]| self.setters.contains(setters);
        match source {
            Source::Default | Source::User => true,
            Source::Bootstrap => any(&['b', 'f']),
            Source::Url => any(&['u']),
            Source::Cloud | Source::GlobalFile | Source::GroupFile => any(&['f']),
            Source::ServiceProfile => any(&['p']),
            Source::Manual => any(&['b', 'f', 'u', 'm']),
        }
    }

    /// The section of `jabber-config.xml` it belongs into, if it may stand there.
    pub fn file_section(&self) -> Option<&'static str> {
        self.setters.contains('f').then_some(self.section)
    }

    /// Who may set it, in the words of `docs/policy.md`.
    pub fn setters(&self) -> Vec<&'static str> {
        [('b', "bootstrap"), ('u', "URL"), ('f', "file"), ('p', "profile"), ('m', "manual")]
            .into_iter()
            .filter_map(|(mark, words)| self.setters.contains(mark).then_some(words))
            .collect()
    }

    /// What is wrong with a value, in words that begin after the key's name; nothing when it can
    /// be read.
    pub fn objection(&self, value: &str) -> Option<String> {
        let wrong = |wanted: String| Some(format!("takes {wanted}"));
        match &self.kind {
            Kind::Flag if flag(value).is_none() => wrong("true or false".into()),
            Kind::Number(low, high) => match value.parse::<u64>() {
                Ok(number) if (*low..=*high).contains(&number) => None,
                _ => wrong(format!("a number from {low} to {high}")),
            },
            Kind::OneOf(words) if !words.iter().any(|word| folded(word) == folded(value)) => {
                wrong(words.join(", "))
            }
            Kind::Host | Kind::Domain if !is_host(value) => {
                wrong("a host name, domain or address".into())
            }
            Kind::Url if !is_url(value) => wrong("a web address".into()),
            Kind::Flag
            | Kind::OneOf(_)
            | Kind::Host
            | Kind::Domain
            | Kind::Url
            | Kind::Text
            | Kind::List
            | Kind::Secret => None,
        }
    }
}

impl Kind {
    fn read(text: &'static str) -> Option<Self> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        Some(match word {
            "flag" => Self::Flag,
            "int" => {
                let (low, high) = rest.split_once("..")?;
                Self::Number(low.parse().ok()?, high.parse().ok()?)
            }
            "one" => Self::OneOf(rest.split('/').collect()),
            "text" => Self::Text,
            "list" => Self::List,
            "host" => Self::Host,
            "domain" => Self::Domain,
            "url" => Self::Url,
            "secret" => Self::Secret,
            _ => return None,
        })
    }

    /// In the words of `docs/policy.md`.
    pub fn words(&self) -> String {
        match self {
            Self::Flag => "true, false".into(),
            Self::Number(low, high) => format!("{low}–{high}"),
            Self::OneOf(words) => words.join(", "),
            Self::Text => "text".into(),
            Self::List => "list".into(),
            Self::Host => "host".into(),
            Self::Domain => "domain".into(),
            Self::Url => "URL".into(),
            Self::Secret => "password, never kept".into(),
        }
    }
}

/// Reads a truth value in any of the forms that are in use.
pub(crate) fn flag(value: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    if is(&["true", "1", "on", "yes", "enabled"]) {
        return Some(true);
    }
    is(&["false", "0", "off", "no", "disabled"]).then_some(false)
}

/// Lower case, without `_`, `-` and spaces.
pub(crate) fn folded(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

/// Names with `_` and addresses pass here: that they are bad targets is told where they are used.
fn is_host(value: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !value.is_empty() && value.len() <= 260 && value.chars().all(good)
}

fn is_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && !rest.is_empty() && !value.contains(char::is_whitespace)
    })
}

/// Letters to change, add or leave out to make one of the other; `None` when more than `most`.
fn distance(one: &str, other: &str, most: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, c) in one.bytes().enumerate() {
        // The cells above and to the left, and the one to the left, of the cell in hand.
        let (mut diagonal, mut left) = (i, i + 1);
        let mut least = left;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, d) in row.iter_mut().skip(1).zip(other.bytes()) {
            let changed = diagonal + usize::from(c != d);
            left = changed.min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, left);
            least = least.min(left);
        }
        if least > most {
            return None;
        }
    }
    row.last().copied().filter(|last| *last <= most)
}

fn loosely(name: &str) -> Option<&'static Key> {
    CATALOGUE.folded.get(&folded(name)).copied()
}

struct Catalogue {
    keys: &'static [Key],
    exact: HashMap<&'static str, (&'static Key, Spelling)>,
    folded: HashMap<String, &'static Key>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // Made once and kept for the life of the program.
    let keys: &'static [Key] = Vec::leak(read(include_str!("keys.txt")));
    let mut exact = HashMap::new();
    let mut loose = HashMap::new();
    for key in keys {
        let right = std::iter::once(&key.name).chain(&key.aliases);
        for name in right {
            exact.entry(*name).or_insert((key, Spelling::Right));
            loose.entry(folded(name)).or_insert(key);
        }
    }
    for key in keys {
        for name in &key.misspellings {
            exact.entry(*name).or_insert((key, Spelling::Meant(key.name)));
            loose.entry(folded(name)).or_insert(key);
        }
    }
    Catalogue { keys, exact, folded: loose }
});

/// Lines that cannot be read are left out; the test below sees to it that there are none.
fn read(table: &'static str) -> Vec<Key> {
    let mut section = "";
    let mut keys = vec![];
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name,
            None => keys.extend(read_line(section, line)),
        }
    }
    keys
}

fn read_line(section: &'static str, line: &'static str) -> Option<Key> {
    let mut cells = line.split('|').map(str::trim);
    let name = cells.next().filter(|name| !name.is_empty())?;
    let kind = Kind::read(cells.next()?)?;
    let default = cells.next().filter(|value| !value.is_empty());
    let setters = cells.next()?;
    let others: Vec<_> = cells.next()?.split_whitespace().collect();
    let marks = cells.next()?;
    let misspellings = others.iter().filter_map(|name| name.strip_prefix('~')).collect();
    let aliases = others.iter().filter(|name| !name.starts_with('~')).copied().collect();
    Some(Key {
        name,
        section,
        kind,
        default,
        aliases,
        misspellings,
        acted_on: marks.contains("acts"),
        early: marks.contains("early"),
        setters,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use offhook_model::Source;

    use super::{Spelling, find, folded, key, keys, resembling};

    #[test]
    fn every_line_of_the_table_is_read_and_sound() {
        let lines = include_str!("keys.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        assert_eq!(keys().len(), lines.count());
        assert!(keys().len() > 300);
        let mut seen = HashSet::new();
        for key in keys() {
            assert!(!key.section.is_empty() && !key.setters().is_empty(), "{}", key.name);
            if let Some(default) = key.default
                && key.name != "MakeCallHotKey"
            {
                assert_eq!(key.objection(default), None, "{}", key.name);
            }
            for name in [key.name].iter().chain(&key.aliases).chain(&key.misspellings) {
                assert!(seen.insert(*name), "{name} is there twice");
            }
        }
    }

    #[test]
    fn names_that_fold_together_mean_one_key() {
        let mut seen = std::collections::HashMap::new();
        for key in keys() {
            for name in [key.name].iter().chain(&key.aliases).chain(&key.misspellings) {
                let first = seen.entry(folded(name)).or_insert(key.name);
                assert_eq!(*first, key.name, "{name}");
            }
        }
    }

    #[test]
    fn each_source_has_its_own_idea_of_a_name() {
        let found = |name, source| find(name, source).map(|(key, how)| (key.name, how));
        let right = Some(("ServicesDomain", Spelling::Right));
        let meant = Some(("ServicesDomain", Spelling::Meant("ServicesDomain")));
        assert_eq!(found("SERVICES_DOMAIN", Source::Bootstrap), right);
        assert_eq!(found("services_domain", Source::Bootstrap), right);
        assert_eq!(found("ServicesDomain", Source::Url), right);
        assert_eq!(found("servicesdomain", Source::Url), meant);
        assert_eq!(found("ServicesDomain", Source::GlobalFile), None);
        assert_eq!(found("telephony_enabled", Source::GlobalFile), None);
        assert_eq!(found("UpdateURL", Source::Url), None, "no URL says where updates come from");
    }

    #[test]
    fn a_name_resembles_the_documented_one() {
        assert_eq!(resembling("telephony_enabled"), Some("Telephony_Enabled"));
        assert_eq!(resembling("CUP_ADDRES"), Some("CUP_ADDRESS"));
        assert_eq!(resembling("BDISearchbase1"), Some("BDISearchBase1"));
        assert_eq!(resembling("VoiceServicDomain"), Some("VoiceServicesDomain"));
        assert_eq!(resembling("TelephonyEnable"), Some("Telephony_Enabled"));
        assert_eq!(resembling("Tile"), None);
        assert_eq!(resembling("SomethingElse"), None);
        assert!(key("ServicesDomain").is_some_and(|key| key.early && key.acted_on));
    }
}
