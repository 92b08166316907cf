//! A number in what somebody typed or pasted: `tel:+49-30-5550142;ext=12`, `+49 (0)30 555 0142`,
//! `(408) 555-0142 ext. 12`.

use super::{Country, parsed};
use crate::uri::decoded;

/// A number as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// What is dialled: digits, `*`, `#`, and a leading `+`.
    pub number: String,
    /// What is dialled once somebody has answered, 1 to 15 digits, `*` and `#`.
    pub extension: Option<String>,
    /// The number with the spaces and brackets that it came with, without scheme and extension.
    pub(super) written: String,
}

/// Longest number, in digits: longer than any that exists, shorter than what is pasted by mistake.
const MOST_DIGITS: usize = 40;
/// Longest extension, in digits.
const MOST_EXTENSION: usize = 15;
/// What stands before an extension, in small letters. Longer words first.
const EXTENSION_WORDS: &[&str] =
    &["extension", "durchwahl", "apparat", "poste", "extn", "app", "ext", "dw", "x"];
/// What stands between digits.
const BETWEEN: &str = " \t()[]-./\u{a0}\u{2009}\u{202f}\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}\u{200e}\u{200f}\u{2060}\u{2068}\u{2069}\u{ad}\u{202a}\u{202c}";

impl Dialled {
    /// Reads a number. `None` when the text is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > 1024 {
            return None;
        }
        let (text, scheme) = without_scheme(text);
        let text: String = if scheme { decoded(text) } else { text.to_owned() };
        let text: String = text.chars().map(plain).collect();
        let (number, extension) = divide(&text, scheme);
        let written = without_trunk(number.trim());
        let number: String = written.chars().filter(|c| !BETWEEN.contains(*c)).collect();
        let rest = number.strip_prefix('+').unwrap_or(&number);
        let good = (1..=MOST_DIGITS).contains(&rest.len())
            && rest.bytes().all(|byte| is_dialled(char::from(byte)))
            && rest.bytes().any(|byte| byte.is_ascii_digit());
        good.then_some(Self { number, extension, written })
    }

    /// The number with the spaces and brackets that it came with, without scheme and extension; an
    /// extension in the way that people write it.
    pub fn written(&self) -> String {
        let extension = self.extension.iter().map(|extension| format!(" ext. {extension}"));
        std::iter::once(self.written.clone()).chain(extension).collect()
    }

    /// The number as it is written for people: by the custom of its country where it is a number
    /// of the world, else as it came.
    pub fn shown(&self, country: Option<Country>) -> String {
        use rlibphonenumber::{PhoneNumber, PhoneNumberFormat};
        let number = parsed(&self.written, country).filter(PhoneNumber::is_valid);
        let shown = number.map(|number| number.format_as(PhoneNumberFormat::International).into());
        shown.unwrap_or_else(|| self.written.clone())
    }
}

/// The digits of a number, `*`, `#` and a leading `+` with nothing between them; empty when it is
/// none.
pub fn digits(text: &str) -> String {
    Dialled::read(text).map(|dialled| dialled.number).unwrap_or_default()
}

/// The text is a number and nothing else, complete or not.
pub fn looks_like_number(text: &str) -> bool {
    Dialled::read(text).is_some()
}

fn is_dialled(c: char) -> bool {
    c.is_ascii_digit() || c == '*' || c == '#'
}

/// The text behind `tel:` and its kin, and whether there was one. Behind a scheme a number may be
/// percent-encoded (RFC 3966 section 3).
fn without_scheme(text: &str) -> (&str, bool) {
    let Some((scheme, rest)) = text.split_once(':') else { return (text, false) };
    let known = ["tel", "callto", "ciscotel", "sip", "sips"];
    match known.iter().any(|known| scheme.trim().eq_ignore_ascii_case(known)) {
        true => (rest.trim_start_matches('/'), true),
        false => (text, false),
    }
}

/// Digits of other scripts as ours, the wide plus as a plus.
fn plain(c: char) -> char {
    let zeros = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}'];
    let digit = zeros.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    });
    match c {
        '\u{ff0b}' => '+',
        c => digit.unwrap_or(c),
    }
}

/// Divides number and extension: `;ext=12` (RFC 3966 section 3), `ext. 12`, `x12`. Behind a scheme
/// other parameters are dropped.
fn divide(text: &str, scheme: bool) -> (&str, Option<String>) {
    let (number, parameters) = text.split_once(';').unwrap_or((text, ""));
    let named = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("ext").then(|| extension(value))?
    });
    if named.is_some() || (scheme && !parameters.is_empty()) {
        return (number, named);
    }
    let number = text;
    let end = number.rfind(|c: char| !is_dialled(c) && !BETWEEN.contains(c));
    let behind = end
        .map(|at| at + number.get(at..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8));
    let Some((head, tail)) = behind.and_then(|at| number.split_at_checked(at)) else {
        return (number, None);
    };
    let head = head.trim_end_matches(['.', ':', '#', ' ']);
    let word = EXTENSION_WORDS.iter().find_map(|word| {
        let at = head.len().checked_sub(word.len())?;
        let (before, last) = head.split_at_checked(at)?;
        last.eq_ignore_ascii_case(word).then_some(before)
    });
    match (word, extension(tail)) {
        (Some(before), Some(extension)) => {
            (before.trim_end_matches([' ', ',', '\u{a0}']), Some(extension))
        }
        _ => (number, None),
    }
}

fn extension(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !BETWEEN.contains(*c)).collect();
    let good = (1..=MOST_EXTENSION).contains(&digits.len()) && digits.chars().all(is_dialled);
    good.then_some(digits)
}

/// `+49 (0)30`: the zero is for those who dial without the country code. In Italy, San Marino and
/// the Vatican it belongs to the number.
fn without_trunk(number: &str) -> String {
    let abroad = number.strip_prefix('+').or_else(|| number.strip_prefix("00"));
    let keeps = |code: &str| ["39", "378", "379"].iter().any(|keeps| code.starts_with(keeps));
    match number.split_once("(0)") {
        Some((code, rest)) if abroad.is_some_and(|code| !keeps(code)) => {
            format!("{} {}", code.trim_end(), rest.trim_start())
        }
        _ => number.to_owned(),
    }
}
