//! Text of others made fit to be shown: nothing in it may reach beyond its own place, and nothing is
//! endless.

/// The text of a message without control characters, and without marks that turn the direction of
/// what follows it: overrides are left out, and what is opened in a line is closed at its end
/// (Unicode annex 9).
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let (mut embedded, mut isolated) = (0_u32, 0_u32);
        for c in line.chars().filter(|c| !is_control(*c) && !is_override(*c)) {
            match c {
                '\u{202a}' | '\u{202b}' => embedded += 1,
                '\u{202c}' if embedded == 0 => continue,
                '\u{202c}' => embedded -= 1,
                '\u{2066}'..='\u{2068}' => isolated += 1,
                '\u{2069}' if isolated == 0 => continue,
                '\u{2069}' => isolated -= 1,
                _ => {}
            }
            out.push(c);
        }
        out.extend((0..embedded).map(|_| '\u{202c}'));
        out.extend((0..isolated).map(|_| '\u{2069}'));
    }
    out
}

/// At most so many characters, and whether that left something out.
pub(crate) fn cut(text: String, most: usize) -> (String, bool) {
    match text.char_indices().nth(most) {
        Some((at, _)) => (text.get(..at).unwrap_or_default().to_owned(), true),
        None => (text, false),
    }
}

/// A short text for one line: without control and direction characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
        .filter(|c| !is_control(*c) && !is_direction(*c))
        .take(most)
        .collect();
    clean.trim().to_owned()
}

/// Whether a text holds a name as words of their own, in capitals or not.
pub(crate) fn holds_word(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.trim().to_lowercase());
    if name.is_empty() {
        return false;
    }
    text.match_indices(&name).any(|(at, found)| {
        let before = text.get(..at).and_then(|it| it.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|it| it.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// The emoji among these texts, each once, at most so many (XEP-0444 section 4).
pub(crate) fn emoji(texts: impl Iterator<Item = String>, most: usize) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::new();
    // Bounded before it is looked at: a stanza may hold thousands.
    for text in texts.take(most * 4) {
        let text = text.trim().to_owned();
        if chosen.len() < most && is_emoji(&text) && !chosen.contains(&text) {
            chosen.push(text);
        }
    }
    chosen
}

/// Whether a text is one emoji (Unicode technical standard 51, section 1.4.9, with the blocks that
/// hold emoji instead of the list of them: a newer emoji than this program is an emoji).
pub(crate) fn is_emoji(text: &str) -> bool {
    let chars: Vec<char> = text.chars().take(17).collect();
    if chars.len() > 16 {
        return false;
    }
    let mut rest = chars.as_slice();
    loop {
        let Some(after) = one_element(rest) else {
            return false;
        };
        match after {
            [] => return true,
            ['\u{200d}', joined @ ..] => rest = joined,
            _ => return false,
        }
    }
}

/// What follows one element of a sequence; nothing when there is none.
fn one_element(chars: &[char]) -> Option<&[char]> {
    match chars {
        ['0'..='9' | '#' | '*', '\u{fe0f}', '\u{20e3}', rest @ ..]
        | ['0'..='9' | '#' | '*', '\u{20e3}', rest @ ..] => Some(rest),
        [first, second, rest @ ..] if is_regional(*first) && is_regional(*second) => Some(rest),
        [first, rest @ ..] if is_pictograph(*first) => {
            let rest = match rest {
                ['\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}', rest @ ..] => rest,
                _ => rest,
            };
            let tags = rest.iter().take_while(|c| matches!(**c, '\u{e0020}'..='\u{e007f}')).count();
            rest.get(tags..)
        }
        _ => None,
    }
}

fn is_regional(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

fn is_pictograph(c: char) -> bool {
    let sign = matches!(
        c,
        '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{24c2}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{2934}'
            | '\u{2935}'
    );
    let block = matches!(
        c,
        '\u{2194}'..='\u{21aa}' | '\u{231a}'..='\u{23ff}' | '\u{25aa}'..='\u{25fe}'
            | '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}' | '\u{1f000}'..='\u{1f1e5}'
            | '\u{1f200}'..='\u{1faff}'
    );
    sign || block
}

fn is_control(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn is_override(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{emoji, holds_word, is_emoji, one_line, shown};

    #[test]
    fn nothing_in_a_text_reaches_beyond_it() {
        assert_eq!(shown("a\u{202e}b\u{1b}[31m\u{7f}\u{85}c\r\nd\te\rf"), "ab[31mc\nd\te\nf");
        assert_eq!(shown("\u{2066}x\ny"), "\u{2066}x\u{2069}\ny");
        assert_eq!(shown("x\u{202c}\u{2069}y"), "xy");
        assert_eq!(one_line(" SECRET\u{202e}\n//x ", 10), "SECRET //");
    }

    #[test]
    fn names_are_whole_words() {
        assert!(holds_word("Hi @Alice, look", "alice"));
        assert!(holds_word("ALICE", "alice"));
        assert!(!holds_word("malice and alices", "alice"));
        assert!(!holds_word("anything", " "));
    }

    #[test]
    fn only_emoji_are_reactions() {
        for good in ["👍", "👍🏽", "❤️", "❤", "👩‍👩‍👧", "🇩🇪", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☺️", "🫠"]
        {
            assert!(is_emoji(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "ok",
            "1",
            "👍👍",
            "👍a",
            "\u{200d}",
            "👍\u{200d}",
            "\u{fe0f}",
            "🇩",
            "<b>",
            "\u{202e}",
        ] {
            assert!(!is_emoji(bad), "{bad}");
        }
        assert!(!is_emoji(&"👩\u{200d}".repeat(40)));
        let many = (0..10_000)
            .map(|n| char::from_u32(0x1f600 + n % 50).map(String::from).unwrap_or_default());
        assert_eq!(emoji(many, 20).len(), 20);
        assert_eq!(emoji(["👍", " 👍 ", "x"].map(str::to_owned).into_iter(), 20), ["👍"]);
    }
}
