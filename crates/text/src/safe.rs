//! Characters that make a text look like another one.

use std::borrow::Cow;

/// Most marks that may stand on one letter; more of them cover the lines around.
const MOST_MARKS: usize = 4;

/// A text of several lines as it may be shown.
///
/// Controls that turn the direction of writing round (Unicode TR 36 section 3) show as U+FFFD.
/// Direction marks and isolates, zero-width characters and other controls do not show at all,
/// but for joiners between letters that need them and in emoji. Line breaks become `\n`.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    shown.push('\n');
                }
            }
            '\u{2028}' | '\u{2029}' | '\u{85}' => shown.push('\n'),
            '\u{202a}'..='\u{202e}' => shown.push('\u{fffd}'),
            '\u{200c}' | '\u{200d}' => {
                let before = shown.chars().next_back();
                let after = chars.peek().copied();
                if before.is_some_and(joins) && after.is_some_and(joins) {
                    shown.push(c);
                }
            }
            _ if is_hidden(c) || marks > MOST_MARKS => {}
            _ => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A name or another text of one line as it may be shown: like [`safe`], line breaks become
/// spaces.
pub fn safe_line(text: &str) -> String {
    safe(text).chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).collect()
}

/// Shows as itself, whatever stands around it.
fn is_plain(c: char) -> bool {
    c == '\n' || c == '\t' || (' '..'\u{7f}').contains(&c) || ('\u{a0}'..'\u{ad}').contains(&c) || {
        c > '\u{ad}'
            && !is_hidden(c)
            && !is_mark(c)
            && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{2028}'..='\u{202e}')
    }
}

/// Has no picture and does nothing that a reader misses.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}'
        | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}')
}

/// Stands on the letter before it: the blocks of combining diacritical marks.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Letters of scripts whose shapes depend on joiners (Arabic to the scripts of India), and emoji.
fn joins(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{d7f}' | '\u{fe0f}' | '\u{2190}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::{safe, safe_line};

    #[test]
    fn a_plain_text_is_not_touched() {
        for text in ["", "Grüße, 東京\n\tfine", "e = mc²", "🙂 ok"] {
            assert_eq!(safe(text), text);
        }
    }

    #[test]
    fn what_turns_a_text_round_is_shown_and_what_hides_is_not() {
        assert_eq!(safe("invoice\u{202e}fdp.exe"), "invoice\u{fffd}fdp.exe");
        assert_eq!(safe("pay\u{200b}pal\u{feff}\u{2066}\u{200f}"), "paypal");
        assert_eq!(safe("a\r\nb\rc\u{2028}d\0"), "a\nb\nc\nd");
        assert_eq!(safe_line("two\nlines\t."), "two lines .");
    }

    #[test]
    fn joiners_stay_where_they_mean_something() {
        assert_eq!(safe("\u{1f469}\u{200d}\u{1f4bb}"), "\u{1f469}\u{200d}\u{1f4bb}");
        assert_eq!(safe("می\u{200c}خواهم"), "می\u{200c}خواهم");
        assert_eq!(safe("ab\u{200d}cd"), "abcd");
    }

    #[test]
    fn a_tower_of_marks_is_cut_down() {
        let tower = format!("a{}b", "\u{301}".repeat(100));
        assert_eq!(safe(&tower), format!("a{}b", "\u{301}".repeat(4)));
        assert_eq!(safe("e\u{301}"), "e\u{301}");
    }
}
