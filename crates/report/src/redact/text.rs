//! Free text: log lines, sentences, evidence.

use super::people::{is_number, looks_like_device};
use super::{MIN_SECRET, Redactor, is_stand_in};

/// What follows one of these words, up to the end of the line, is a secret.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "token",
    "cookie",
    "authorization",
    "session-key",
    "sessionkey",
    "secret",
    "inline",
    "jsessionid",
    "x-auth",
    "credential",
];

impl Redactor {
    /// The text without what belongs to people.
    pub fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let line = self.known_secrets(hide_secrets(line));
            self.words(&line, &mut out);
        }
        out
    }

    /// Secrets that were met elsewhere, wherever they stand.
    fn known_secrets(&self, mut line: String) -> String {
        for (number, secret) in self.secrets.known.values() {
            if secret.len() >= MIN_SECRET && line.contains(secret.as_str()) {
                line = line.replace(secret.as_str(), &format!("secret-{number}"));
            }
        }
        line
    }

    /// Words are runs of characters that an address or a number can have.
    fn words(&mut self, line: &str, out: &mut String) {
        let mut rest = line;
        let mut before = String::new();
        while !rest.is_empty() {
            let end = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let gap = after.find(in_word).unwrap_or(after.len());
            // What follows `/user/` in a path, or `/home/`, is somebody.
            let somebody = matches!(before.as_str(), "user" | "users" | "home" | "Users")
                && out.ends_with(['/', '\\']);
            if somebody {
                out.push_str(&self.person(word));
            } else {
                out.push_str(&self.word(word));
            }
            out.push_str(&after[..gap]);
            before.clear();
            before.push_str(word);
            rest = &after[gap..];
        }
    }

    /// One word of a sentence; a full stop may follow it.
    pub(super) fn word(&mut self, word: &str) -> String {
        let bare = word.trim_end_matches('.');
        if bare.is_empty() || is_stand_in(bare) {
            return word.to_owned();
        }
        let stops = &word[bare.len()..];
        match self.known(bare) {
            Some(stand_in) => stand_in + stops,
            None => word.to_owned(),
        }
    }

    fn known(&mut self, word: &str) -> Option<String> {
        if let Some(address) = self.address(word) {
            return Some(address);
        }
        if let Some(person) = self.person_word(word) {
            return Some(person);
        }
        if is_number(word) || self.numbers.find(word).is_some() {
            return Some(self.number(word));
        }
        if looks_like_device(word) || self.devices.find(word).is_some() {
            return Some(self.device(word));
        }
        if let Some((number, _)) = self.names.find(word) {
            return Some(format!("name-{number}"));
        }
        self.device_file(word)
    }

    /// `CSFALICE.cnf.xml`; the name of a device may have dots of its own.
    pub(super) fn device_file(&mut self, word: &str) -> Option<String> {
        let dots = word.match_indices('.').map(|(at, _)| word.split_at(at)).rev();
        let known = dots.clone().find(|(name, _)| self.devices.find(name).is_some());
        let (name, rest) =
            known.or_else(|| dots.rev().find(|(name, _)| looks_like_device(name)))?;
        (!is_stand_in(name)).then(|| self.device(name) + rest)
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || "@._+%-".contains(c)
}

fn hide_secrets(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let first = SECRET_WORDS
        .iter()
        .flat_map(|word| lower.match_indices(word).map(|(at, _)| at + word.len()))
        .filter(|&at| names_a_value(&line[at..]))
        .min();
    let Some(at) = first else { return line.to_owned() };
    let ending = if line.ends_with('\n') { "\n" } else { "" };
    // To the end of the line: what follows a secret on its line may be part of it.
    format!("{} <removed>{ending}", &line[..at])
}

/// `:` or `=` follows, perhaps after a closing quote or `>`: a word in a sentence is no secret.
fn names_a_value(rest: &str) -> bool {
    rest.trim_start_matches(['"', '\'', ' ', '\\']).starts_with([':', '=', '>'])
}

/// The name of a member or element whose value opens doors.
pub(super) fn is_secret_word(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) || matches!(name.as_str(), "pin" | "otp")
}
