//! Texts of sources as they may be shown and kept.

use offhook_text::safe_line;

/// Longest text of one field, in characters.
pub(crate) const LONGEST: usize = 256;

/// The text in one line without what misleads the eye, bounded. Nothing when nothing is left.
pub(crate) fn line(text: &str) -> Option<String> {
    let cut: String = text.chars().take(4 * LONGEST).collect();
    let line: String = safe_line(&cut).trim().chars().take(LONGEST).collect();
    Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
}
