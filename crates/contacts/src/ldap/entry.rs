//! From an entry as it came to what it says of a person: bounded, and safe to show.

use offhook_model::{DirectoryEntry, Jid, PersonNumber, PhotoSource, SourceKind};
use offhook_ports::LdapEntry;
use offhook_text::safe_line;

use super::plan::LdapPlan;
use super::wish::without_scheme;

/// Characters of a text that is shown.
pub(super) const TEXT: usize = 256;
/// Characters of a number or an address.
const ADDRESS: usize = 254;
/// Values of a kind.
const MOST: usize = 10;

/// Reads one entry. One without any name is none of a person.
pub(super) fn person(plan: &LdapPlan, entry: &LdapEntry) -> Option<DirectoryEntry> {
    let names = &plan.attributes;
    let values = Values(entry);
    let first = |attribute: &str| values.text(attribute, TEXT).next();
    let mut person = DirectoryEntry::new(SourceKind::Ldap, entry.dn.clone());
    person.first_name = first(&names.first_name);
    person.last_name = first(&names.last_name);
    let joined = || match (&person.first_name, &person.last_name) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (one, other) => one.clone().or(other.clone()),
    };
    person.display_name = first(&names.display_name)
        .or_else(|| first(&names.common_name))
        .or_else(joined)
        .or_else(|| first(&names.account));
    person.display_name.as_ref()?;
    person.nickname = first(&names.nickname).filter(|it| Some(it) != person.display_name.as_ref());
    person.user_name = first(&names.account).or_else(|| first(&names.second_account));
    person.im = im_address(plan, &values);
    person.mail = unique(values.text(&names.mail, ADDRESS).filter(|it| is_address(it)));
    person.uris = uris(plan, &values);
    for (kind, attribute) in names.numbers() {
        for number in values.text(attribute, 64).take(MOST) {
            let number = PersonNumber { kind, number };
            let digits = number.number.chars().any(|c| c.is_ascii_digit());
            if digits && !person.numbers.contains(&number) {
                person.numbers.push(number);
            }
        }
    }
    person.title = first(&names.title);
    person.company = first(&names.company);
    person.department = first(&names.department);
    person.location = location(plan, &values);
    person.photo = photo(plan, &values);
    Some(person)
}

/// The values of an entry by attribute, without regard to case and to options such as `;binary`.
pub(super) struct Values<'a>(pub(super) &'a LdapEntry);

impl<'a> Values<'a> {
    pub(super) fn raw(&self, attribute: &str) -> impl Iterator<Item = &'a [u8]> {
        let attribute = attribute.to_owned();
        let named = self.0.attributes.iter().filter(move |(name, _)| {
            let plain = name.split(';').next().unwrap_or(name);
            !attribute.is_empty()
                && (name.eq_ignore_ascii_case(&attribute) || plain.eq_ignore_ascii_case(&attribute))
        });
        named.flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// Values that are there, as they may be shown.
    pub(super) fn text(&self, attribute: &str, most: usize) -> impl Iterator<Item = String> {
        self.raw(attribute).filter_map(move |value| {
            let text = safe_line(&String::from_utf8_lossy(value));
            let text: String = text.trim().chars().take(most).collect();
            (!text.is_empty()).then_some(text)
        })
    }
}

fn unique(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = vec![];
    for value in values {
        if kept.len() < MOST && !kept.iter().any(|other| other.eq_ignore_ascii_case(&value)) {
            kept.push(value);
        }
    }
    kept
}

fn is_address(text: &str) -> bool {
    text.parse::<Jid>().is_ok_and(|address| address.local().is_some())
}

/// Where chats go: the SIP address where the settings say so, else the account at the domain of
/// presence, else at the domain of the account's own name (`DomainName`).
fn im_address(plan: &LdapPlan, values: &Values<'_>) -> Option<Jid> {
    let names = &plan.attributes;
    if plan.by_sip_uri {
        let address = values.text(&names.sip_uri, ADDRESS).next()?;
        let address = stripped(&address, &plan.uri_prefix);
        return address.parse().ok().filter(|address: &Jid| address.local().is_some());
    }
    let account = values.text(&names.account, ADDRESS).next();
    let second = || values.text(&names.second_account, ADDRESS).next();
    let account = account.or_else(second)?;
    let local = account.split('@').next().unwrap_or_default();
    let domain = plan.presence_domain.clone().or_else(|| {
        let name = values.text(&names.domain_name, ADDRESS).next()?;
        name.split_once('@').map(|(_, domain)| domain.to_owned())
    })?;
    let address: Jid = format!("{local}@{domain}").parse().ok()?;
    address.local().is_some().then_some(address)
}

fn uris(plan: &LdapPlan, values: &Values<'_>) -> Vec<String> {
    let names = &plan.attributes;
    let sip = values.text(&names.sip_uri, ADDRESS);
    let sip = sip.map(|it| stripped(&it, &plan.uri_prefix).to_owned());
    let own = values.text(&names.directory_uri, ADDRESS);
    let own = own.map(|it| stripped(&it, &plan.directory_uri_prefix).to_owned());
    unique(own.chain(sip).filter(|it| is_address(it)))
}

fn stripped<'a>(address: &'a str, prefix: &str) -> &'a str {
    let head = address.get(..prefix.len());
    let own = head.is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    without_scheme(if own { address.get(prefix.len()..).unwrap_or(address) } else { address })
}

/// In words: place, or street, town, state, country.
fn location(plan: &LdapPlan, values: &Values<'_>) -> Option<String> {
    let names = &plan.attributes;
    let first = |attribute: &str| values.text(attribute, TEXT).next();
    let town = match (first(&names.postal_code), first(&names.city)) {
        (Some(code), Some(town)) => Some(format!("{code} {town}")),
        (code, town) => town.or(code),
    };
    let street = first(&names.street);
    let parts = [street, town, first(&names.state), first(&names.country), first(&names.location)];
    let parts = unique(parts.into_iter().flatten());
    let whole: String = parts.join(", ").chars().take(TEXT).collect();
    (!whole.is_empty()).then_some(whole)
}

fn photo(plan: &LdapPlan, values: &Values<'_>) -> Option<PhotoSource> {
    let Some(by) = &plan.photo_url else {
        let attribute = &plan.attributes.photo;
        return (!attribute.is_empty()).then(|| PhotoSource::Attribute(attribute.clone()));
    };
    let value =
        values.raw(&by.token).next().filter(|value| (1..=ADDRESS).contains(&value.len()))?;
    Some(PhotoSource::Url(by.url.replace(&by.token, &encoded(value))))
}

/// What is not of RFC 3986 section 2.3 in per cent.
fn encoded(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}
