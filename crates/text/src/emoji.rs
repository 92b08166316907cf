//! Emoji: a table of those that a desk needs, short codes, search, and texts of nothing else.

use std::ops::Range;
use std::sync::OnceLock;

const TABLE: &str = include_str!("emoji.txt");

/// Longest short code, in bytes, without its colons.
const LONGEST_CODE: usize = 32;

/// One emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emoji {
    /// Itself.
    pub text: &'static str,
    /// What is typed between colons.
    pub code: &'static str,
    english: &'static str,
    german: &'static str,
}

/// Languages that have words for emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

impl Emoji {
    /// Words to say for it and to find it by.
    pub fn words(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::German => self.german,
        }
    }
}

/// All of the table, in the order in which a picker shows them.
pub fn emoji() -> &'static [Emoji] {
    static ALL: OnceLock<Vec<Emoji>> = OnceLock::new();
    ALL.get_or_init(|| TABLE.lines().filter_map(line).collect())
}

fn line(line: &'static str) -> Option<Emoji> {
    let mut parts = line.split('|');
    let mut next = || parts.next();
    Some(Emoji { text: next()?, code: next()?, english: next()?, german: next()? })
}

/// The emoji of a short code without its colons.
pub fn by_shortcode(code: &str) -> Option<Emoji> {
    emoji().iter().find(|one| one.code.eq_ignore_ascii_case(code)).copied()
}

/// Those whose code or one of whose words in either language begins with the query, codes first;
/// all for an empty query.
pub fn search(query: &str) -> Vec<Emoji> {
    let query = query.trim().trim_matches(':').to_lowercase();
    if query.is_empty() {
        return emoji().to_vec();
    }
    let rank = |one: &Emoji| {
        let words = || one.english.split(' ').chain(one.german.split(' '));
        if one.code.starts_with(&query) {
            Some(0)
        } else if words().any(|word| word.starts_with(&query)) {
            Some(1)
        } else if one.code.contains(&query) {
            Some(2)
        } else {
            None
        }
    };
    let mut found: Vec<_> = emoji().iter().filter_map(|one| Some((rank(one)?, *one))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, one)| one).collect()
}

/// The finished short code that ends at `cursor` (in bytes), such as `:smile:` whose last colon
/// was typed just now, with the emoji that takes its place.
pub fn expand_shortcode(text: &str, cursor: usize) -> Option<(Range<usize>, Emoji)> {
    let before = text.get(..cursor)?.strip_suffix(':')?;
    let start = begin(before)?;
    let code = before.get(start + 1..)?;
    Some((start..cursor, by_shortcode(code)?))
}

/// A short code of at least two letters that is being written up to `cursor`: its place, the
/// colon among it, and what was typed.
pub fn shortcode_at(text: &str, cursor: usize) -> Option<(Range<usize>, &str)> {
    let before = text.get(..cursor)?;
    let start = begin(before)?;
    let code = before.get(start + 1..)?;
    (code.len() >= 2).then_some((start..cursor, code))
}

/// The colon that begins the code at the end of `before`; it stands behind no letter or digit, so
/// that times and addresses stay what they are.
fn begin(before: &str) -> Option<usize> {
    let start = before.rfind(':')?;
    let code = before.get(start + 1..)?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    let word = before.get(..start)?.chars().next_back().is_some_and(char::is_alphanumeric);
    (!word && code.len() <= LONGEST_CODE && code.chars().all(good)).then_some(start)
}

/// How many emoji a text is made of, when it is made of nothing else and they are at most eight.
pub fn emoji_only(text: &str) -> Option<usize> {
    let text = text.trim();
    if text.is_empty() || text.len() > 256 {
        return None;
    }
    let (mut count, mut joined, mut flag) = (0, false, false);
    for c in text.chars() {
        match c {
            ' ' | '\n' => (joined, flag) = (false, false),
            '\u{200d}' if count > 0 => joined = true,
            // Variation, skin and tag characters belong to the one before.
            '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' if count > 0 => {}
            // Two letters make a flag.
            '\u{1f1e6}'..='\u{1f1ff}' => {
                if !std::mem::take(&mut flag) {
                    (count, flag) = (count + 1, true);
                }
                joined = false;
            }
            _ if is_picture(c) => {
                if !std::mem::take(&mut joined) {
                    count += 1;
                }
                flag = false;
            }
            _ => return None,
        }
    }
    (1..=8).contains(&count).then_some(count)
}

/// Characters that are pictures wherever they stand.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{1f004}' | '\u{1f0cf}' | '\u{1f17e}'..='\u{1f19a}'
        | '\u{2600}'..='\u{27bf}' | '\u{231a}' | '\u{231b}' | '\u{23e9}'..='\u{23fa}'
        | '\u{2b05}'..='\u{2b07}' | '\u{2b1b}' | '\u{2b1c}' | '\u{2b50}' | '\u{2b55}')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        Language, by_shortcode, emoji, emoji_only, expand_shortcode, search, shortcode_at,
    };

    #[test]
    fn the_table_is_sound() {
        let all = emoji();
        assert!(all.len() >= 150, "{}", all.len());
        assert_eq!(all.len(), super::TABLE.lines().count());
        let codes: BTreeSet<&str> = all.iter().map(|one| one.code).collect();
        let texts: BTreeSet<&str> = all.iter().map(|one| one.text).collect();
        assert_eq!((codes.len(), texts.len()), (all.len(), all.len()));
        for one in all {
            assert_eq!(emoji_only(one.text), Some(1), "{one:?}");
            assert!(!one.words(Language::English).is_empty(), "{one:?}");
            assert!(!one.words(Language::German).is_empty(), "{one:?}");
        }
    }

    #[test]
    fn codes_become_emoji_when_they_are_closed() {
        let (range, one) = expand_shortcode("well done :tada:", 16).expect("code");
        assert_eq!((range, one.text), (10..16, "🎉"));
        assert_eq!(expand_shortcode("10:30:", 6), None);
        assert_eq!(expand_shortcode(":nonsense:", 10), None);
        assert_eq!(expand_shortcode("::", 2), None);
        assert_eq!(by_shortcode("+1").map(|one| one.text), Some("👍"));
        assert_eq!(shortcode_at("so :smi", 7), Some((3..7, "smi")));
        assert_eq!(shortcode_at("at 10:30", 8), None);
        assert_eq!(shortcode_at(":s", 2), None);
    }

    #[test]
    fn words_of_both_languages_find() {
        for (query, wanted) in
            [("rocket", "🚀"), ("rakete", "🚀"), ("Danke", "🙏"), (":tada", "🎉")]
        {
            assert!(search(query).iter().any(|one| one.text == wanted), "{query}");
        }
        assert_eq!(search("").len(), emoji().len());
        assert!(search("qqq").is_empty());
    }

    #[test]
    fn texts_of_emoji_alone_are_known() {
        for (text, wanted) in [
            ("👍", Some(1)),
            ("👍🏽 🎉", Some(2)),
            ("👩\u{200d}💻", Some(1)),
            ("🇩🇪🇫🇷", Some(2)),
            ("❤\u{fe0f}", Some(1)),
            ("👍 ok", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(emoji_only(text), wanted, "{text}");
        }
        assert_eq!(emoji_only(&"🎉".repeat(9)), None);
    }
}
