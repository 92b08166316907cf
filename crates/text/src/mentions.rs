//! `@name` in a text.

use std::ops::Range;

use crate::{Mention, Names};

/// At most this many `@` of one text are looked at.
const MOST: usize = 100;
/// Names beyond these are not looked for.
const MOST_NAMES: usize = 2_000;
/// Longest name that is looked for, in characters.
const LONGEST: usize = 64;

/// Places of mentions with whom each names. Upper and lower case are the same; of two names that
/// fit, the longer counts.
pub fn find(text: &str, names: Names<'_>) -> Vec<(Range<usize>, Mention)> {
    let mut found = Vec::new();
    let mut end = 0;
    for (at, _) in text.match_indices('@').take(MOST) {
        let word_before = text.get(..at).and_then(|before| before.chars().next_back());
        if at < end || word_before.is_some_and(char::is_alphanumeric) {
            continue;
        }
        let Some(tail) = text.get(at + 1..) else { continue };
        let us = fits(tail, names.us).map(|length| (length, Mention::Us));
        let others = names.others.iter().take(MOST_NAMES);
        let others = others.filter_map(|name| Some((fits(tail, name)?, Mention::Other)));
        // Our own name wins over an equal one of somebody else.
        let best = others.chain(us).max_by_key(|(length, _)| *length);
        if let Some((length, who)) = best {
            end = at + 1 + length;
            found.push((at..end, who));
        }
    }
    found
}

/// The text names us: `@name`, or our name as a word of its own, as other clients write it.
pub fn names_us(text: &str, us: &str) -> bool {
    let us = us.trim();
    if us.is_empty() || us.chars().count() > LONGEST {
        return false;
    }
    let text = text.get(..text.floor_char_boundary(crate::MAX_BYTES)).unwrap_or_default();
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let begins = before.is_none_or(|before| !before.is_alphanumeric());
        before = Some(c);
        if begins && text.get(at..).and_then(|tail| fits(tail, us)).is_some() {
            return true;
        }
    }
    false
}

/// The bytes of `tail` that the name takes, when it stands there as a whole word.
fn fits(tail: &str, name: &str) -> Option<usize> {
    let mut rest = tail.char_indices();
    let mut length = 0;
    let mut count = 0;
    for wanted in name.chars() {
        let (at, c) = rest.next()?;
        count += 1;
        if count > LONGEST || !same(c, wanted) {
            return None;
        }
        length = at + c.len_utf8();
    }
    let next = rest.next().map(|(_, c)| c);
    (length > 0 && next.is_none_or(|c| !c.is_alphanumeric())).then_some(length)
}

fn same(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// A mention that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MentionAt {
    /// Bytes of the text that the finished mention replaces, the `@` among them.
    pub range: Range<usize>,
    /// What was typed of the name.
    pub typed: String,
}

/// The mention that ends at `cursor` (in bytes), if one is being written.
pub fn mention_at(text: &str, cursor: usize) -> Option<MentionAt> {
    let before = text.get(..cursor)?;
    let start = before.rfind('@')?;
    let typed = before.get(start + 1..)?;
    let behind = before.get(..start)?.chars().next_back();
    let word = behind.is_none_or(|c| !c.is_alphanumeric());
    let short = typed.chars().take(LONGEST).count() < LONGEST && !typed.contains(['\n', '@']);
    // One space is part of a name, two words behind the sign are a sentence.
    let name = typed.matches(' ').count() <= 1 && !typed.starts_with(' ');
    (word && short && name).then(|| MentionAt { range: start..cursor, typed: typed.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{find, mention_at, names_us};
    use crate::{Mention, Names};

    #[track_caller]
    fn check(text: &str, wanted: &[(&str, Mention)]) {
        let names = Names { us: "Mary Smith", others: &["Amira", "Amira Khalil", "jonas"] };
        let found = find(text, names);
        let found: Vec<_> = found.into_iter().map(|(range, who)| (&text[range], who)).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn names_are_found_as_whole_words() {
        check("@Amira, look", &[("@Amira", Mention::Other)]);
        check("hi @amira khalil!", &[("@amira khalil", Mention::Other)]);
        check(
            "@Mary Smith and @JONAS",
            &[("@Mary Smith", Mention::Us), ("@JONAS", Mention::Other)],
        );
        check("mail@jonas.example @jonass @", &[]);
    }

    #[test]
    fn our_name_counts_without_the_sign_too() {
        assert!(names_us("ask mary smith about it", "Mary Smith"));
        assert!(names_us("mary: hello", "mary"));
        assert!(!names_us("primary", "mary"));
        assert!(!names_us("anything", ""));
    }

    #[test]
    fn a_mention_is_recognised_while_it_is_written() {
        let at = mention_at("hello @ami", 10).expect("mention");
        assert_eq!((at.range, at.typed.as_str()), (6..10, "ami"));
        assert_eq!(mention_at("a@b", 3), None);
        assert_eq!(mention_at("@one two three", 14), None);
        assert_eq!(mention_at("é", 1), None);
    }
}
