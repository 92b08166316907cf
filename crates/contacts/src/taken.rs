//! Entries as they are made of files, text by text.

use offhook_model::{DirectoryEntry, Jid};

use crate::shown::{MOST, line};

/// The first text that is said of something counts.
pub(crate) fn put(field: &mut Option<String>, text: Option<String>) {
    if field.is_none() {
        *field = text;
    }
}

/// Into a list, unless it is there already or the list is full.
pub(crate) fn add(list: &mut Vec<String>, text: Option<String>) {
    let known = |text: &String| list.iter().any(|other| other.eq_ignore_ascii_case(text));
    if let Some(text) = text.filter(|text| list.len() < MOST && !known(text)) {
        list.push(text);
    }
}

/// Where chats go, if it is somebody's address.
pub(crate) fn put_jid(entry: &mut DirectoryEntry, address: &str) {
    let jid: Option<Jid> = address.parse().ok();
    let jid = jid.filter(|jid| jid.local().is_some() && jid.resource().is_none());
    entry.im = entry.im.take().or(jid);
}

/// An entry of which all is said: bounded, with a name to show where there is one, and an id.
/// Nothing when it names nobody and leads nowhere.
pub(crate) fn finished(mut entry: DirectoryEntry) -> Option<DirectoryEntry> {
    entry.numbers.truncate(MOST);
    let name = [entry.first_name.as_deref(), entry.last_name.as_deref()];
    let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let company = entry.company.as_deref().unwrap_or_default();
    entry.display_name = entry
        .display_name
        .or_else(|| line(&name))
        .or_else(|| entry.nickname.clone())
        .or_else(|| line(company));
    let known = entry.display_name.is_some() || !entry.mail.is_empty() || !entry.numbers.is_empty();
    if !known && entry.im.is_none() && entry.uris.is_empty() {
        return None;
    }
    if entry.id.is_empty() {
        entry.id = made_id(&entry);
    }
    Some(entry)
}

/// Of the same person the same at the next reading.
fn made_id(entry: &DirectoryEntry) -> String {
    let number = entry.numbers.first().map(|number| number.number.as_str());
    let im = entry.im.as_ref().map(Jid::bare_str);
    let (mail, uri) = (entry.mail.first(), entry.uris.first());
    let address = mail.or(uri).map(String::as_str);
    let parts = [entry.display_name.as_deref(), address, im, number];
    parts.into_iter().flatten().collect::<Vec<_>>().join("|")
}
