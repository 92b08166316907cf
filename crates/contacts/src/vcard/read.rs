//! Cards to people.

use calcard::common::IanaString as _;
use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameterName, VCardParameterValue, VCardProperty,
    VCardType, VCardValue,
};
use calcard::{Entry, Parser};
use offhook_config::HttpUrl;
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, PhotoSource, SourceKind};

use super::{Card, Cards, MAX_CARDS, MAX_FILE, MAX_PICTURE, Picture};
use crate::charset::text;
use crate::numbers::Dialled;
use crate::shown::{MOST, line};
use crate::taken::{add, finished, put, put_jid};
use crate::uri::decoded;

/// Reads a file. What is no card in it is passed over, so any bytes give a value.
///
/// The entries are of this source. Cards without a UID get an id made of what they say, which
/// stays the same as long as name, first address and first number do.
pub fn read(data: &[u8], source: SourceKind) -> Cards {
    let (data, rest) = data.split_at(data.len().min(MAX_FILE));
    let text = text(data);
    let mut found = Cards { left_out: usize::from(!rest.is_empty()), ..Cards::default() };
    let mut parser = Parser::new(&text);
    loop {
        match parser.entry() {
            Entry::VCard(_) if found.cards.len() >= MAX_CARDS => {
                found.left_out += 1;
                break;
            }
            Entry::VCard(card) => {
                let (card, lost) = person(&card, source);
                found.left_out += usize::from(lost) + usize::from(card.is_none());
                found.cards.extend(card);
            }
            Entry::Eof => break,
            _ => {}
        }
    }
    found
}

/// The person of a card, and whether a picture was left out.
fn person(card: &VCard, source: SourceKind) -> (Option<Card>, bool) {
    let mut entry = DirectoryEntry::new(source, "");
    let mut picture = None;
    let mut lost = false;
    let mut role = None;
    // What is preferred comes first; the others stay in their order.
    let mut rows: Vec<&VCardEntry> = card.entries.iter().collect();
    rows.sort_by_cached_key(|row| preference(row));
    for row in rows {
        let first = || texts(row).next();
        match &row.name {
            VCardProperty::Fn => put(&mut entry.display_name, first()),
            VCardProperty::N => {
                let mut parts = parts(row).into_iter();
                put(&mut entry.last_name, parts.next().flatten());
                put(&mut entry.first_name, parts.next().flatten());
            }
            VCardProperty::Nickname => put(&mut entry.nickname, first()),
            VCardProperty::Uid if entry.id.is_empty() => entry.id = first().unwrap_or_default(),
            VCardProperty::Title => put(&mut entry.title, first()),
            VCardProperty::Role => put(&mut role, first()),
            VCardProperty::Org => {
                let mut parts = parts(row).into_iter();
                put(&mut entry.company, parts.next().flatten());
                put(&mut entry.department, parts.next().flatten());
            }
            VCardProperty::Adr => put(&mut entry.location, place(row)),
            VCardProperty::Tel => entry.numbers.extend(number(row)),
            VCardProperty::Email => {
                add(&mut entry.mail, first().filter(|mail| mail.contains('@')));
            }
            VCardProperty::Impp => {
                first().into_iter().for_each(|address| chat(&mut entry, row, &address));
            }
            VCardProperty::Categories => {
                texts(row).for_each(|group| add(&mut entry.groups, Some(group)));
            }
            VCardProperty::Photo if picture.is_none() && entry.photo.is_none() => {
                (picture, entry.photo) = photo(row);
                lost |= picture.is_none() && entry.photo.is_none();
            }
            VCardProperty::Kind if is_of_many(row) => return (None, lost),
            VCardProperty::Other(name) => extra(&mut entry, name, first()),
            _ => {}
        }
    }
    if group_of_apple(card) {
        return (None, lost);
    }
    entry.title = entry.title.or(role);
    (finished(entry).map(|entry| Card { entry, picture }), lost)
}

/// All texts of a row that say something.
fn texts(row: &VCardEntry) -> impl Iterator<Item = String> {
    parts(row).into_iter().flatten()
}

/// The components of a row; several values of one component are joined.
fn parts(row: &VCardEntry) -> Vec<Option<String>> {
    let part = |value: &VCardValue| match value {
        VCardValue::Text(text) => line(text),
        VCardValue::Component(texts) => line(&texts.join(" ")),
        VCardValue::Integer(number) => Some(number.to_string()),
        VCardValue::Float(_)
        | VCardValue::Boolean(_)
        | VCardValue::PartialDateTime(_)
        | VCardValue::Binary(_)
        | VCardValue::Sex(_)
        | VCardValue::GramGender(_)
        | VCardValue::Kind(_) => None,
    };
    row.values.iter().take(4 * MOST).map(part).collect()
}

/// City and country of an address (RFC 6350 section 6.3.1: the fourth and the last component).
fn place(row: &VCardEntry) -> Option<String> {
    let mut parts = parts(row).into_iter();
    let (city, country) = (parts.nth(3).flatten(), parts.nth(2).flatten());
    line(&[city, country].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// The types of a row, in small letters.
fn kinds(row: &VCardEntry) -> Vec<String> {
    let kind = |value: &VCardParameterValue| match value {
        VCardParameterValue::Type(kind) => Some(kind.as_str().to_ascii_lowercase()),
        VCardParameterValue::Text(text) => Some(text.to_ascii_lowercase()),
        _ => None,
    };
    let named = row.params.iter().filter(|it| it.name == VCardParameterName::Type);
    // 2.1 and careless writers of 3.0 leave the name out: `TEL;CELL:`.
    let bare = row.params.iter().filter_map(|it| match (&it.name, &it.value) {
        (VCardParameterName::Other(name), VCardParameterValue::Null) => {
            Some(name.to_ascii_lowercase())
        }
        _ => None,
    });
    let named = named.filter_map(|it| kind(&it.value)).take(MOST);
    named.chain(bare).flat_map(|it| it.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// 1 is best (RFC 6350 section 5.3), 100 what it is not said of; `TYPE=pref` in older cards.
fn preference(row: &VCardEntry) -> u32 {
    let said = row.params.iter().filter(|it| it.name == VCardParameterName::Pref);
    let said = said.filter_map(|it| match &it.value {
        VCardParameterValue::Integer(number) => Some(*number),
        VCardParameterValue::Text(text) => text.trim().parse().ok(),
        VCardParameterValue::Null => Some(1),
        _ => None,
    });
    let older = || kinds(row).iter().any(|kind| kind == "pref").then_some(1);
    said.min().or_else(older).unwrap_or(100)
}

/// Facsimile machines and pagers are nobody to talk to.
fn number(row: &VCardEntry) -> Option<PersonNumber> {
    let kinds = kinds(row);
    let is = |kind: VCardType| kinds.iter().any(|it| it.eq_ignore_ascii_case(kind.as_str()));
    if is(VCardType::Fax) || is(VCardType::Pager) {
        return None;
    }
    let kind = if is(VCardType::Cell) {
        NumberKind::Mobile
    } else if is(VCardType::Work) {
        NumberKind::Work
    } else if is(VCardType::Home) {
        NumberKind::Home
    } else {
        NumberKind::Other
    };
    let text = texts(row).next()?;
    let number = match text.split_once(':') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("tel") => Dialled::read(&text)?.written(),
        _ => text,
    };
    Some(PersonNumber { kind, number })
}

/// An address for chats or calls: `xmpp:`, `sip:`, or bare with the service beside it.
fn chat(entry: &mut DirectoryEntry, row: &VCardEntry, address: &str) {
    let service = row.params.iter().find_map(|it| match (&it.name, &it.value) {
        (VCardParameterName::ServiceType, VCardParameterValue::Text(text)) => Some(text.as_str()),
        (VCardParameterName::Other(name), VCardParameterValue::Text(text))
            if name.eq_ignore_ascii_case("X-SERVICE-TYPE") =>
        {
            Some(text.as_str())
        }
        _ => None,
    });
    let (scheme, rest) = match address.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('@') => (scheme, rest),
        _ => (service.unwrap_or_default(), address),
    };
    let rest = rest.trim_start_matches('/').split(['?', ';']).next().unwrap_or_default();
    let rest = if scheme.is_empty() { rest.to_owned() } else { decoded(rest) };
    match scheme.to_ascii_lowercase().as_str() {
        "xmpp" | "jabber" => put_jid(entry, &rest),
        "sip" | "sips" => add(&mut entry.uris, line(&rest).filter(|uri| uri.contains('@'))),
        _ => {}
    }
}

/// What programs wrote before there was `IMPP`.
fn extra(entry: &mut DirectoryEntry, name: &str, text: Option<String>) {
    let Some(text) = text else { return };
    match name.to_ascii_uppercase().as_str() {
        "X-JABBER" => put_jid(entry, &text),
        "X-SIP" => {
            let uri = text.strip_prefix("sip:").unwrap_or(&text).to_owned();
            add(&mut entry.uris, Some(uri).filter(|uri| uri.contains('@')));
        }
        "X-DEPARTMENT" | "X-EVOLUTION-DEPARTMENT" => put(&mut entry.department, Some(text)),
        _ => {}
    }
}

fn photo(row: &VCardEntry) -> (Option<Picture>, Option<PhotoSource>) {
    match row.values.first() {
        Some(VCardValue::Binary(data)) if (1..=MAX_PICTURE).contains(&data.data.len()) => {
            let kind = data.content_type.as_deref().and_then(line);
            (Some(Picture { kind, data: data.data.clone() }), None)
        }
        Some(VCardValue::Text(text)) => {
            let url = HttpUrl::parse(text).map(|_| PhotoSource::Url(text.trim().to_owned()));
            (None, url)
        }
        _ => (None, None),
    }
}

fn is_of_many(row: &VCardEntry) -> bool {
    row.values.iter().any(|value| {
        matches!(
            value,
            VCardValue::Kind(VCardKind::Group | VCardKind::Location | VCardKind::Device)
        )
    })
}

/// How Apple's address book marks its groups in cards of 3.0.
fn group_of_apple(card: &VCard) -> bool {
    card.entries.iter().any(|row| {
        let VCardProperty::Other(name) = &row.name else { return false };
        let group = || texts(row).any(|text| text.eq_ignore_ascii_case("group"));
        name.eq_ignore_ascii_case("X-ADDRESSBOOKSERVER-KIND") && group()
    })
}
