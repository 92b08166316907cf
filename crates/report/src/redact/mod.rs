//! Takes out of texts what belongs to people, and puts the same stand-in in its place each time, so
//! that a report can still be followed and replayed: `person-1`, `name-1`, `number-1`, `secret-1`,
//! and a device name of the same length and prefix.
//!
//! Host names, addresses, status codes and the names of elements stay: a support desk needs them.
//! What is a stand-in already stays as it is, so that redacting twice changes nothing.

mod people;
mod text;
mod url;
mod xml;

use std::collections::HashMap;

use serde_json::Value;

/// Replaces people by stand-ins.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    people: Stands,
    names: Stands,
    numbers: Stands,
    devices: Stands,
    secrets: Stands,
}

/// What was met, in lower case, with its number.
#[derive(Clone, Debug, Default)]
struct Stands {
    /// Number, and the spelling that was met first.
    known: HashMap<String, (usize, String)>,
    after: usize,
}

impl Stands {
    fn number(&mut self, word: &str) -> usize {
        let next = self.after + self.known.len() + 1;
        self.known.entry(word.to_lowercase()).or_insert_with(|| (next, word.to_owned())).0
    }

    /// The number of a word that is known, and whether it is spelt as the first time.
    fn find(&self, word: &str) -> Option<(usize, bool)> {
        let (number, first) = self.known.get(&word.to_lowercase())?;
        Some((*number, first == word))
    }
}

impl Redactor {
    /// A redactor whose stand-ins begin after those of an earlier text that is not at hand.
    pub fn beginning_after(number: usize) -> Self {
        let stands = || Stands { after: number, ..Stands::default() };
        Self {
            people: stands(),
            names: stands(),
            numbers: stands(),
            devices: stands(),
            secrets: stands(),
        }
    }

    /// This is a user id or the local part of an address.
    pub fn learn_person(&mut self, id: &str) {
        let id = id.split('@').next().unwrap_or_default();
        if id.chars().count() > 1 && !is_stand_in(id) {
            self.people.number(id);
        }
    }

    /// This is a password, token or key; it is shorter than nobody's business.
    pub fn learn_secret(&mut self, secret: &str) {
        if secret.len() >= MIN_SECRET && !is_stand_in(secret) {
            self.secrets.number(secret);
        }
    }

    /// All texts of a JSON value, not its members' names. What stands under a name that means a
    /// secret is removed.
    pub fn json(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if text::is_secret_word(name) => {
                            *text = REMOVED.to_owned();
                        }
                        value => self.json(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Stands where a secret stood.
const REMOVED: &str = "<removed>";

/// Shorter secrets are not looked for in texts: they would take ordinary words with them.
const MIN_SECRET: usize = 4;

/// A word that this module made.
pub(crate) fn is_stand_in(word: &str) -> bool {
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let made = ["person-", "Person-", "name-", "number-", "secret-", "text-"];
    made.iter().any(|kind| word.strip_prefix(kind).is_some_and(digits)) || people::is_device(word)
}

#[cfg(test)]
mod tests;
