//! What somebody wants to know, as the filters that servers have (reference uds.md, "users").

use offhook_model::DirectoryEntry;

use super::UdsPlan;
use crate::ldap::Wish;
use crate::numbers::{digits, looks_like_number, same};
use crate::uri::encoded;

/// One filter with its value. Several in one question would have to fit all at once, so each is a
/// question of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    filter: &'static str,
    value: String,
}

/// Longest text that is asked for, in characters.
const LONGEST: usize = 128;
/// Fewest digits that a server compares from the right (reference uds.md, `numberlast`).
const FEWEST_LAST: usize = 4;
/// As many are compared unless the administrator has set it: a number without area code.
const USUAL_LAST: usize = 7;

impl Query {
    fn new(filter: &'static str, value: &str) -> Self {
        let value = value.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        Self { filter, value }
    }

    /// The query of the address, for the people from this place on.
    pub(super) fn path(&self, start: usize, max: usize) -> String {
        format!("{}={}&start={start}&max={max}", self.filter, encoded(&self.value))
    }
}

impl UdsPlan {
    /// The questions of a wish, in the order to ask them; the first that brings somebody is enough.
    /// None when too little was typed.
    pub(super) fn queries(&self, wish: &Wish) -> Vec<Query> {
        match wish {
            Wish::Typed(text) => self.typed(text.trim()),
            Wish::Number(number) => self.number(number),
            Wish::Mail(address) => one("email", address.trim()),
            Wish::Uri(address) => {
                let address = without_scheme(address.trim());
                [one("uri", address), one("email", address)].concat()
            }
            Wish::Account(name) => one("username", name.trim()),
            Wish::Im(address) => {
                let ours = self.domain.as_deref();
                let ours = ours.is_none_or(|domain| domain.eq_ignore_ascii_case(address.domain()));
                let account = address.local().filter(|_| ours && !self.by_uri);
                let account = account.map(|local| one("username", local)).unwrap_or_default();
                let bare = address.bare_str();
                [account, one("uri", bare), one("email", bare)].concat()
            }
            // There is no filter for several: the flow asks for one after the other.
            Wish::ImAll(_) | Wish::Groups(_) => vec![],
        }
    }

    /// `name` looks into mail addresses as well, and not into directory URIs and user names.
    fn typed(&self, text: &str) -> Vec<Query> {
        if text.chars().count() < self.least.max(1) {
            return vec![];
        }
        if looks_like_number(text) {
            return one("number", digits(text).trim_start_matches('+'));
        }
        let whole = text.split_once('@').is_some_and(|(_, host)| host.contains('.'));
        let exact = match text {
            _ if whole => one("uri", without_scheme(text)),
            _ if text.contains(char::is_whitespace) => vec![],
            _ => one("username", text),
        };
        [one("name", text), exact].concat()
    }

    /// The whole number first; then its end, for it may be written with or without what is dialled
    /// before it.
    fn number(&self, number: &str) -> Vec<Query> {
        let all = digits(number);
        let all = all.trim_start_matches('+');
        let wanted = match usize::from(self.matching.last) {
            0 => USUAL_LAST,
            last => last.max(FEWEST_LAST),
        };
        let end = all.len().checked_sub(wanted).and_then(|from| all.get(from..));
        [one("number", all), end.map(|end| one("numberlast", end)).unwrap_or_default()].concat()
    }

    /// Filters for numbers look at their beginning or their end only.
    pub(super) fn is_meant(&self, wish: &Wish, entry: &DirectoryEntry) -> bool {
        match wish {
            Wish::Number(number) => {
                entry.numbers.iter().any(|own| same(&own.number, number, &self.matching))
            }
            Wish::Typed(_)
            | Wish::Mail(_)
            | Wish::Im(_)
            | Wish::ImAll(_)
            | Wish::Uri(_)
            | Wish::Account(_)
            | Wish::Groups(_) => true,
        }
    }
}

fn one(filter: &'static str, value: &str) -> Vec<Query> {
    let query = Query::new(filter, value);
    if query.value.is_empty() { vec![] } else { vec![query] }
}

/// An address for calls without `sip:`.
pub(super) fn without_scheme(address: &str) -> &str {
    let schemes = ["sip:", "sips:"];
    let cut = schemes.iter().find_map(|scheme| {
        let head = address.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| address.get(scheme.len()..))?
    });
    cut.unwrap_or(address)
}
