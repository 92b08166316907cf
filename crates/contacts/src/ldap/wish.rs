//! What somebody wants to know, as a filter.

use offhook_model::Jid;

use super::filters::{all, any, equal};
use super::masks::{forms, is_number};
use super::plan::{Base, LdapPlan};

/// Addresses that are looked for at once: a filter of some ten thousand bytes.
const AT_ONCE: usize = 50;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// People whose names begin so, while somebody types; or, of digits, whose number it is.
    Typed(String),
    /// Whose number this is.
    Number(String),
    /// Whose mail address this is.
    Mail(String),
    /// Whose chat address this is.
    Im(Jid),
    /// Whose chat addresses these are, for a contact list: the first fifty count.
    ImAll(Vec<Jid>),
    /// Whose address for calls this is, with or without its scheme.
    Uri(String),
    /// Who has this account.
    Account(String),
    /// Groups whose names begin so.
    Groups(String),
}

impl LdapPlan {
    /// The filter of a wish; nothing when too little was typed to ask anybody.
    pub(super) fn filter(&self, wish: &Wish) -> Option<String> {
        let condition = match wish {
            Wish::Typed(text) => {
                if text.trim().chars().count() < self.least {
                    return None;
                }
                let mut ways = vec![self.predictive.filter(text)];
                if is_number(text) {
                    ways.extend(self.number(text));
                }
                any(ways)
            }
            Wish::Number(number) => self.number(number)?,
            Wish::Mail(address) => self.mail(address.trim())?,
            Wish::Im(address) => self.im(address),
            Wish::ImAll(addresses) if addresses.is_empty() => return None,
            Wish::ImAll(addresses) => {
                any(addresses.iter().take(AT_ONCE).map(|address| self.im(address)).collect())
            }
            Wish::Uri(address) => self.uri(address.trim())?,
            Wish::Account(name) if name.trim().is_empty() => return None,
            Wish::Account(name) => self.account(name.trim()),
            Wish::Groups(text) => {
                if text.trim().chars().count() < self.least {
                    return None;
                }
                let name = super::filters::Predictive {
                    anr: self.predictive.anr,
                    attributes: vec![self.attributes.common_name.clone()],
                    wildcards: self.predictive.wildcards,
                };
                return Some(all(vec![self.group_filter.clone(), name.filter(text)]));
            }
        };
        Some(all(vec![self.base_filter.clone(), condition]))
    }

    /// Below what it is looked for.
    pub(super) fn bases_of(&self, wish: &Wish) -> &[Base] {
        let groups = matches!(wish, Wish::Groups(_)) && !self.group_bases.is_empty();
        if groups { &self.group_bases } else { &self.bases }
    }

    fn number(&self, number: &str) -> Option<String> {
        let forms = forms(number, &self.masks);
        let numbers = self.attributes.numbers();
        let kinds = if self.one_number { &numbers[..1] } else { &numbers[..] };
        let each = kinds.iter().filter(|(_, attribute)| !attribute.is_empty());
        let each = each.flat_map(|(_, attribute)| forms.iter().map(|it| equal(attribute, it)));
        let each: Vec<_> = each.collect();
        (!each.is_empty()).then(|| any(each))
    }

    fn mail(&self, address: &str) -> Option<String> {
        (!address.is_empty()).then(|| equal(&self.attributes.mail, address))
    }

    /// The way back from [`super::entry::im_address`].
    fn im(&self, address: &Jid) -> String {
        let bare = address.bare_str();
        if self.by_sip_uri {
            return self.sip_uri(bare);
        }
        let ours = self.presence_domain.as_deref();
        let ours = ours.is_none_or(|domain| domain.eq_ignore_ascii_case(address.domain()));
        let account = address.local().filter(|_| ours).map(|local| self.account(local));
        any(account.into_iter().chain(self.mail(bare)).collect())
    }

    fn uri(&self, address: &str) -> Option<String> {
        let address = without_scheme(address);
        if address.is_empty() {
            return None;
        }
        let own = format!("{}{address}", self.directory_uri_prefix);
        Some(any(vec![equal(&self.attributes.directory_uri, &own), self.sip_uri(address)]))
    }

    /// Where no prefix is set, both ways are in use.
    fn sip_uri(&self, address: &str) -> String {
        let attribute = &self.attributes.sip_uri;
        match &*self.uri_prefix {
            "" => any(vec![equal(attribute, address), equal(attribute, &format!("sip:{address}"))]),
            prefix => equal(attribute, &format!("{prefix}{address}")),
        }
    }

    fn account(&self, name: &str) -> String {
        let mut ways = vec![equal(&self.attributes.account, name)];
        let second = &self.attributes.second_account;
        if !second.is_empty() {
            let domain = self.presence_domain.as_deref().filter(|_| !name.contains('@'));
            let whole = domain.map_or(name.to_owned(), |domain| format!("{name}@{domain}"));
            ways.push(equal(second, &whole));
        }
        any(ways)
    }
}

/// An address for calls without `sip:`.
pub(super) fn without_scheme(address: &str) -> &str {
    let schemes = ["sip:", "sips:"];
    let cut = schemes.iter().find_map(|scheme| {
        let head = address.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| address.get(scheme.len()..))?
    });
    cut.unwrap_or(address)
}
