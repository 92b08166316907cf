//! Texts of sources as they may be shown and kept.

use offhook_model::{DirectoryEntry, PersonNumber};
use offhook_text::safe_line;

/// Longest text of one field, in characters.
pub(crate) const LONGEST: usize = 256;

/// The text in one line without what misleads the eye, bounded. Nothing when nothing is left.
pub(crate) fn line(text: &str) -> Option<String> {
    let cut: String = text.chars().take(4 * LONGEST).collect();
    let line: String = safe_line(&cut).trim().chars().take(LONGEST).collect();
    Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
}

/// Most addresses, numbers or groups of one kind.
pub(crate) const MOST: usize = 32;

/// An entry as somebody wrote it, fit to be shown and kept: texts in one line and bounded, what is
/// empty left out.
pub fn tidied(entry: DirectoryEntry) -> DirectoryEntry {
    let one = |text: Option<String>| text.as_deref().and_then(line);
    let list = |texts: Vec<String>| -> Vec<String> {
        texts.iter().take(MOST).filter_map(|text| line(text)).collect()
    };
    let numbers = entry.numbers.into_iter().take(MOST).filter_map(|it| {
        let number = line(&it.number)?;
        Some(PersonNumber { number, ..it })
    });
    DirectoryEntry {
        source: entry.source,
        id: entry.id,
        display_name: one(entry.display_name),
        first_name: one(entry.first_name),
        last_name: one(entry.last_name),
        nickname: one(entry.nickname),
        user_name: one(entry.user_name),
        im: entry.im.map(|im| im.bare()),
        uris: list(entry.uris),
        mail: list(entry.mail),
        numbers: numbers.collect(),
        title: one(entry.title),
        department: one(entry.department),
        company: one(entry.company),
        location: one(entry.location),
        groups: list(entry.groups),
        photo: entry.photo,
        kept_photo: entry.kept_photo,
    }
}
