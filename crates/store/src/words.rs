//! What is a word, for the index and for a search.
//!
//! The index splits text at everything that is no letter, digit or picture. Scripts that write
//! without spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer) would be one word a sentence, so
//! each of their characters is made a word of its own, and a search for several in a row is one
//! for neighbours: any part of a sentence is found, by the index. Korean has spaces and stays.

/// The text with spaces around each character of a script without spaces.
pub fn apart(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + text.len() / 4);
    for c in text.chars() {
        if is_without_spaces(c) {
            spaced.push(' ');
            spaced.push(c);
            spaced.push(' ');
        } else {
            spaced.push(c);
        }
    }
    spaced
}

fn is_without_spaces(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' // Burmese
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{2e80}'..='\u{2fdf}' // radicals
        | '\u{3005}'..='\u{3007}' // Han marks
        | '\u{3040}'..='\u{30ff}' // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' // Han
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A search, ready for the index.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// An FTS5 expression; nothing when no word can be in the index.
    pub indexed: Option<String>,
    /// Patterns for LIKE: words without letter, digit or picture, which the index does not have.
    pub signs: Vec<String>,
}

/// At most this many words count, so that a pasted page is no expression without end.
const WORDS: usize = 32;

/// Reads what somebody looks for. Every word is meant literally, whatever its signs mean to the
/// index; the last may be the beginning of a word.
pub fn asked(query: &str) -> Asked {
    let words: Vec<&str> = query.split_whitespace().take(WORDS).collect();
    let mut asked = Asked::default();
    let mut terms = Vec::new();
    for (n, word) in words.iter().enumerate() {
        if !word.chars().any(is_indexed) {
            asked.signs.push(contains(word));
            continue;
        }
        let quoted = apart(word).replace('"', "\"\"");
        // One letter begins half of all words: it is meant as a word.
        let last = n + 1 == words.len() && word.chars().filter(|c| is_indexed(*c)).count() > 1;
        let star = if last && word.chars().next_back().is_some_and(is_indexed) { " *" } else { "" };
        terms.push(format!("\"{quoted}\"{star}"));
    }
    if !terms.is_empty() {
        asked.indexed = Some(format!("body : ({})", terms.join(" AND ")));
    }
    asked
}

/// Near enough to what the index takes (letters, digits, pictures, modifiers): what is wrongly
/// taken for a word finds nothing, what is wrongly taken for a sign is looked for in the text.
fn is_indexed(c: char) -> bool {
    c.is_alphanumeric()
        || is_without_spaces(c)
        || matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// A pattern for LIKE in which nothing of the word is special.
fn contains(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{apart, asked};

    #[test]
    fn what_the_index_would_take_for_an_operator_is_text() {
        let of = |query: &str| asked(query).indexed.unwrap_or_default();
        assert_eq!(of("one two"), r#"body : ("one" AND "two" *)"#);
        assert_eq!(of(r#"a" OR b*"#), r#"body : ("a""" AND "OR" AND "b*")"#);
        assert_eq!(of("NEAR(x"), r#"body : ("NEAR(x" *)"#);
        assert_eq!(asked("100% %").signs, [r"%\%%"]);
        assert_eq!(asked("  "), super::Asked::default());
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_characters() {
        assert_eq!(apart("a世界b").split_whitespace().collect::<Vec<_>>(), ["a", "世", "界", "b"]);
        assert_eq!(apart("한국어 abc"), "한국어 abc");
    }
}
