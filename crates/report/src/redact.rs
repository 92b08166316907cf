//! Takes out of a text what belongs to people.

use std::collections::HashMap;

/// What follows one of these words, up to the end of the value, is a secret.
const SECRET_WORDS: [&str; 10] = [
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
];

/// Replaces people by stand-ins, the same one each time, so that a report can still be followed.
#[derive(Default)]
pub struct Redactor {
    people: HashMap<String, usize>,
    numbers: HashMap<String, usize>,
}

impl Redactor {
    /// The text without what belongs to people.
    pub fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let line = hide_secrets(line);
            self.words(&line, &mut out);
        }
        out
    }

    /// Words are runs of characters that an address or a number can have.
    fn words(&mut self, line: &str, out: &mut String) {
        let mut rest = line;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            self.word(word, out);
            let gap = after.find(in_word).unwrap_or(after.len());
            out.push_str(&after[..gap]);
            rest = &after[gap..];
        }
    }

    fn word(&mut self, word: &str, out: &mut String) {
        if let Some((person, host)) = word.split_once('@')
            && !person.is_empty()
            && !host.is_empty()
        {
            let next = self.people.len() + 1;
            let number = *self.people.entry(person.to_lowercase()).or_insert(next);
            out.push_str(&format!("person-{number}@{host}"));
        } else if is_number(word) {
            let next = self.numbers.len() + 1;
            let number = *self.numbers.entry(word.to_owned()).or_insert(next);
            out.push_str(&format!("number-{number}"));
        } else {
            out.push_str(word);
        }
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || "@._+%-".contains(c)
}

/// A telephone number: `+` and digits, or at least seven digits. Shorter runs are ports, codes and
/// durations; dates and times have other characters between their digits.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('+').unwrap_or(word);
    let enough = if digits.len() < word.len() { 3 } else { 7 };
    digits.len() >= enough && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn hide_secrets(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let first = SECRET_WORDS
        .iter()
        .filter_map(|word| lower.find(word).map(|at| at + word.len()))
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

#[cfg(test)]
mod tests {
    use super::Redactor;

    fn check(text: &str) -> String {
        Redactor::default().text(text)
    }

    #[test]
    fn people_and_numbers_get_stand_ins() {
        let text = "call from +49305550142 to alice@example.com, then Alice@example.com\n";
        assert_eq!(
            check(text),
            "call from number-1 to person-1@example.com, then person-1@example.com\n"
        );
    }

    #[test]
    fn what_support_needs_stays() {
        let text = "2026-11-22T12:39:12.123Z cucm1.example.com:8443 answered 503 in 1204 ms\n";
        assert_eq!(check(text), text);
    }

    #[test]
    fn secrets_go_to_the_end_of_their_line() {
        for line in [
            "Authorization: Basic YWxpY2U6c2VjcmV0",
            "{\"password\": \"hunter2\", \"x\": 1}",
            "Set-Cookie: JSESSIONID=abc; Path=/",
            "<session-key>5e0c</session-key>",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3",
        ] {
            let out = check(line);
            assert!(out.ends_with("<removed>"), "{out}");
            for secret in ["YWxp", "hunter2", "abc", "5e0c", "d0Rm"] {
                assert!(!out.contains(secret), "{out}");
            }
        }
        assert_eq!(check("the password was refused"), "the password was refused");
    }
}
