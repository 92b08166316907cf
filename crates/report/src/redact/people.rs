//! Stand-ins for single words: user ids, names, numbers, devices, secrets.

use super::{Redactor, is_stand_in};

/// Prefixes of a user's devices by kind (reference device-config.md section 1); what follows is
/// mostly the user id.
const PREFIXES: [&str; 4] = ["CSF", "BOT", "TCT", "TAB"];

/// What follows the prefix in a stand-in.
const DEVICE: &str = "DEVICE";

impl Redactor {
    /// A user id, local part of an address or the like. Another spelling of the same id keeps its
    /// difference: some faults are about nothing else.
    pub(super) fn person(&mut self, id: &str) -> String {
        if id.is_empty() || is_stand_in(id) {
            return id.to_owned();
        }
        let number = self.people.number(id);
        self.person_word(id).unwrap_or_else(|| format!("person-{number}"))
    }

    /// The stand-in of a user id that is known.
    pub(super) fn person_word(&self, id: &str) -> Option<String> {
        let (number, same) = self.people.find(id)?;
        Some(format!("{}erson-{number}", if same { 'p' } else { 'P' }))
    }

    /// A name to show to others.
    pub(super) fn name(&mut self, name: &str) -> String {
        if name.is_empty() || is_stand_in(name) {
            return name.to_owned();
        }
        if let Some(known) = self.person_word(name) {
            return known;
        }
        format!("name-{}", self.names.number(name))
    }

    /// A telephone number, in any form.
    pub(super) fn number(&mut self, number: &str) -> String {
        if number.is_empty() || is_stand_in(number) {
            return number.to_owned();
        }
        format!("number-{}", self.numbers.number(number))
    }

    /// A device name: prefix and length stay, for there are faults about both.
    pub(super) fn device(&mut self, name: &str) -> String {
        if name.is_empty() || is_device(name) {
            return name.to_owned();
        }
        let number = self.devices.number(name);
        let prefix = PREFIXES.iter().find(|prefix| has_prefix(name, prefix));
        let mut made = format!("{}{DEVICE}{number}", prefix.unwrap_or(&""));
        while made.len() < name.len() {
            made.push('X');
        }
        made
    }

    /// A password, token, key or other thing that opens doors.
    pub(super) fn secret(&mut self, secret: &str) -> String {
        if secret.is_empty() || is_stand_in(secret) {
            return secret.to_owned();
        }
        format!("secret-{}", self.secrets.number(secret))
    }

    /// `local@host` with a stand-in for the first part; nothing for other words.
    pub(super) fn address(&mut self, word: &str) -> Option<String> {
        let (local, host) = word.rsplit_once('@')?;
        if local.is_empty() || host.is_empty() {
            return None;
        }
        let (scheme, local) = match local.split_once(':') {
            Some((scheme, local)) => (format!("{scheme}:"), local),
            None => (String::new(), local),
        };
        let local = if is_number(local) { self.number(local) } else { self.person(local) };
        Some(format!("{scheme}{local}@{host}"))
    }
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The name of somebody's device as it is written everywhere: a prefix and what follows it, in
/// capitals and digits.
pub(super) fn looks_like_device(word: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    word.len() > 3 && PREFIXES.iter().any(|it| word.starts_with(it)) && word.chars().all(capital)
}

/// A stand-in of [`Redactor::device`].
pub(super) fn is_device(word: &str) -> bool {
    let rest = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word);
    let Some(rest) = rest.strip_prefix(DEVICE) else { return false };
    let rest = rest.trim_end_matches('X');
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
}

/// A telephone number: `+` and digits, or at least seven digits. Shorter runs are ports, codes and
/// durations; dates and times have other characters between their digits.
pub(super) fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('+').unwrap_or(word);
    let enough = if digits.len() < word.len() { 3 } else { 7 };
    digits.len() >= enough && digits.bytes().all(|byte| byte.is_ascii_digit())
}
