//! People to cards (RFC 6350).

use base64::Engine as _;
use offhook_model::{DirectoryEntry, NumberKind, PhotoSource};

use super::Picture;
use crate::numbers::Dialled;
use crate::uri::encoded;

/// Longest line without its end, in bytes (RFC 6350 section 3.2).
const LINE: usize = 75;

/// Writes one card of version 4.0.
///
/// It has a name in any case, since a card must (section 6.2.1): the best thing known stands in.
/// User names are not written, for there is no property of that meaning.
pub fn write(entry: &DirectoryEntry, picture: Option<&Picture>) -> String {
    let mut card = Writer(String::new());
    card.line("BEGIN:VCARD");
    card.line("VERSION:4.0");
    if !entry.id.is_empty() {
        card.text("UID", &[&entry.id], ';');
    }
    card.text("FN", &[&name(entry)], ';');
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    if entry.first_name.is_some() || entry.last_name.is_some() {
        let (last, first) = (part(&entry.last_name), part(&entry.first_name));
        card.text("N", &[&last, &first, "", "", ""], ';');
    }
    let one = |card: &mut Writer, name: &str, text: &Option<String>| {
        text.iter().for_each(|text| card.text(name, &[text], ';'));
    };
    one(&mut card, "NICKNAME", &entry.nickname);
    one(&mut card, "TITLE", &entry.title);
    match (&entry.company, &entry.department) {
        (company, Some(department)) => card.text("ORG", &[&part(company), department], ';'),
        (Some(company), None) => card.text("ORG", &[company], ';'),
        (None, None) => {}
    }
    if let Some(place) = &entry.location {
        card.text("ADR", &["", "", "", place, "", "", ""], ';');
    }
    for number in &entry.numbers {
        let kind = match number.kind {
            NumberKind::Work => ";TYPE=work;TYPE=voice",
            NumberKind::Mobile => ";TYPE=cell;TYPE=voice",
            NumberKind::Home => ";TYPE=home;TYPE=voice",
            NumberKind::Other => "",
        };
        match uri(&number.number) {
            Some(uri) => card.line(&format!("TEL;VALUE=uri{}:{uri}", kind)),
            None => card.text(&format!("TEL{}", kind), &[&number.number], ';'),
        }
    }
    entry.mail.iter().for_each(|mail| card.text("EMAIL", &[mail], ';'));
    entry.im.iter().for_each(|jid| card.address("xmpp", jid.bare_str()));
    entry.uris.iter().for_each(|uri| card.address("sip", uri));
    if !entry.groups.is_empty() {
        let groups: Vec<&str> = entry.groups.iter().map(String::as_str).collect();
        card.text("CATEGORIES", &groups, ',');
    }
    match (picture, &entry.photo) {
        (Some(picture), _) => {
            let kind = picture.kind.as_deref().filter(|kind| is_media_type(kind));
            let data = base64::engine::general_purpose::STANDARD.encode(&picture.data);
            card.line(&format!("PHOTO:data:{};base64,{data}", kind.unwrap_or("image/jpeg")));
        }
        (None, Some(PhotoSource::Url(url))) => card.line(&format!("PHOTO:{}", clean(url))),
        (
            None,
            Some(PhotoSource::Attribute(_) | PhotoSource::Kept(_) | PhotoSource::Of { .. }) | None,
        ) => {}
    }
    card.line("END:VCARD");
    card.0
}

fn name(entry: &DirectoryEntry) -> String {
    let both = [entry.first_name.as_deref(), entry.last_name.as_deref()];
    let both = both.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let number = entry.numbers.first().map(|number| number.number.clone());
    let im = entry.im.as_ref().map(|jid| jid.bare_str().to_owned());
    let names = [
        entry.display_name.clone(),
        Some(both),
        entry.nickname.clone(),
        entry.mail.first().cloned(),
        im,
        number,
    ];
    names.into_iter().flatten().find(|name| !name.trim().is_empty()).unwrap_or_else(|| "?".into())
}

/// A number of the world as `tel:` (RFC 3966). Numbers that mean something in one place only would
/// need to say where, so they stay text.
fn uri(number: &str) -> Option<String> {
    let read = Dialled::read(number).filter(|read| read.number.starts_with('+'))?;
    let digits = read.number.get(1..)?.bytes().all(|byte| byte.is_ascii_digit());
    let extension = read.extension.map(|extension| format!(";ext={extension}")).unwrap_or_default();
    digits.then(|| format!("tel:{}{extension}", read.number))
}

fn is_media_type(kind: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    kind.split_once('/').is_some_and(|(one, two)| {
        !one.is_empty() && !two.is_empty() && one.chars().all(token) && two.chars().all(token)
    })
}

/// What would end the line early.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

struct Writer(String);

impl Writer {
    /// A property of one or several texts, escaped (RFC 6350 section 3.4).
    fn text(&mut self, name: &str, values: &[&str], between: char) {
        let mut row = format!("{name}:");
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                row.push(between);
            }
            for c in value.chars() {
                match c {
                    '\\' | ',' | ';' => row.extend(['\\', c]),
                    '\n' => row.push_str("\\n"),
                    c if c.is_control() => {}
                    c => row.push(c),
                }
            }
        }
        self.line(&row);
    }

    /// An address of its scheme, which knows other escapes than texts do.
    fn address(&mut self, scheme: &str, address: &str) {
        let parts: Vec<String> = address.split('@').map(encoded).collect();
        self.line(&format!("IMPP:{scheme}:{}", parts.join("@")));
    }

    /// A line, folded between characters (section 3.2).
    fn line(&mut self, text: &str) {
        let mut rest = text;
        let mut room = LINE;
        while rest.len() > room {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(room));
            self.0.push_str(head);
            self.0.push_str("\r\n ");
            (rest, room) = (tail, LINE - 1);
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }
}
