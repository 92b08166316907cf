//! What a server says of a person, made safe to show.

use offhook_config::{HttpUrl, UdsPerson};
use offhook_model::{DirectoryEntry, Jid, NumberKind, PersonNumber, PhotoSource, SourceKind};

use super::UdsPlan;
use super::query::without_scheme;
use crate::shown::line;
use crate::uri::encoded;

impl UdsPlan {
    pub(super) fn entry(&self, person: &UdsPerson) -> DirectoryEntry {
        let text = |text: &Option<String>| line(text.as_deref().unwrap_or_default());
        let user_name = text(&person.user_name);
        let id = text(&person.id).or_else(|| user_name.clone()).unwrap_or_default();
        let (first, last) = (text(&person.first_name), text(&person.last_name));
        let both = [first.as_deref(), last.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        let numbers = [
            (NumberKind::Work, &person.phone),
            (NumberKind::Mobile, &person.mobile),
            (NumberKind::Home, &person.home),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(kind, number)| Some(PersonNumber { kind, number: text(number)? }));
        let mut uris: Vec<String> = vec![];
        for uri in [&person.directory_uri, &person.ms_uri] {
            let uri = text(uri).map(|uri| without_scheme(&uri).to_owned());
            let uri = uri.filter(|uri| uri.contains('@'));
            let known = |uri: &String| uris.iter().any(|other| other.eq_ignore_ascii_case(uri));
            uris.extend(uri.filter(|uri| !known(uri)));
        }
        DirectoryEntry {
            display_name: text(&person.display_name).or_else(|| line(&both.join(" "))),
            first_name: first,
            last_name: last,
            nickname: text(&person.nickname),
            im: self.im(person),
            mail: text(&person.email).into_iter().collect(),
            uris,
            numbers: numbers.collect(),
            title: text(&person.title),
            department: text(&person.department),
            photo: person.user_name.as_deref().and_then(|name| self.picture(name)),
            user_name,
            ..DirectoryEntry::new(SourceKind::Uds, id)
        }
    }

    /// The directory URI, or the user name in the domain of chat: which of them comes first is the
    /// administrator's choice, the other stands in where it is missing (reference uds.md). A user
    /// name that is an address already needs no domain.
    fn im(&self, person: &UdsPerson) -> Option<Jid> {
        let uri = || person.directory_uri.as_deref().map(|uri| without_scheme(uri).to_owned());
        let account = || {
            let name = person.user_name.as_deref()?;
            match &self.domain {
                _ if name.contains('@') => Some(name.to_owned()),
                Some(domain) => Some(format!("{name}@{domain}")),
                None => None,
            }
        };
        let address = if self.by_uri { uri().or_else(account) } else { account().or_else(uri) };
        let jid: Jid = address?.parse().ok()?;
        (jid.local().is_some() && jid.resource().is_none()).then_some(jid)
    }

    /// `%%uid%%` stands for the user name; the planning guide prints it with one sign less at the
    /// end, and files are written after it.
    fn picture(&self, user_name: &str) -> Option<PhotoSource> {
        let address = self.photo.as_deref()?;
        let token = ["%%uid%%", "%%uid%"].into_iter().find(|token| address.contains(token))?;
        let url = address.replace(token, &encoded(user_name));
        HttpUrl::parse(&url).map(|_| PhotoSource::Url(url))
    }
}
