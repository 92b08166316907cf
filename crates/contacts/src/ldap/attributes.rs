//! Which attribute holds what (reference client-config.md section 7.4), with defaults for Active
//! Directory and for OpenLDAP. AD LDS is Active Directory without `sAMAccountName`: where that is
//! the default, `userPrincipalName` stands in for it.

use offhook_config::Layers;
use offhook_model::{DirectoryFault, NumberKind};

use super::plan::Flavour;

/// Attributes by what they hold; an empty name is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) common_name: String,
    pub(super) display_name: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) nickname: String,
    pub(super) mail: String,
    pub(super) sip_uri: String,
    pub(super) directory_uri: String,
    pub(super) photo: String,
    pub(super) business: String,
    pub(super) mobile: String,
    pub(super) home: String,
    pub(super) other: String,
    pub(super) title: String,
    pub(super) company: String,
    pub(super) department: String,
    pub(super) account: String,
    /// Stands in where the account is missing.
    pub(super) second_account: String,
    pub(super) domain_name: String,
    pub(super) location: String,
    pub(super) country: String,
    pub(super) postal_code: String,
    pub(super) city: String,
    pub(super) state: String,
    pub(super) street: String,
}

impl Attributes {
    /// By the settings; what is no name of an attribute is told and left at its default.
    pub(super) fn read(
        layers: &Layers,
        flavour: Flavour,
        faults: &mut Vec<DirectoryFault>,
    ) -> Self {
        let mut named = |key: &'static str, open: Option<&str>| {
            let own = match (open, flavour) {
                (Some(open), Flavour::OpenLdap) => open,
                _ => default(key),
            };
            let Some((setting, _)) = layers.setting(key) else { return own.to_owned() };
            let written = setting.value.trim();
            if !is_attribute(written) {
                faults.push(DirectoryFault::BadSetting(key));
                return own.to_owned();
            }
            written.to_owned()
        };
        let account = named("UserAccountName", Some("uid"));
        let second = flavour == Flavour::ActiveDirectory
            && account.eq_ignore_ascii_case(default("UserAccountName"));
        Self {
            common_name: named("CommonName", None),
            display_name: named("DisplayName", None),
            first_name: named("Firstname", None),
            last_name: named("Lastname", None),
            nickname: named("Nickname", None),
            mail: named("EmailAddress", None),
            sip_uri: named("SipUri", None),
            directory_uri: named("DirectoryUri", None),
            photo: named("PhotoSource", Some("jpegPhoto")),
            business: named("BusinessPhone", None),
            mobile: named("MobilePhone", None),
            home: named("HomePhone", None),
            other: named("OtherPhone", None),
            title: named("Title", None),
            company: named("CompanyName", Some("o")),
            department: match flavour {
                Flavour::ActiveDirectory => "department".to_owned(),
                Flavour::OpenLdap => "ou".to_owned(),
            },
            second_account: if second { "userPrincipalName".to_owned() } else { String::new() },
            account,
            domain_name: named("DomainName", None),
            location: named("Location", Some("physicalDeliveryOfficeName")),
            country: named("Country", None),
            postal_code: named("PostalCode", None),
            city: named("City", None),
            state: named("State", None),
            street: named("StreetAddress", Some("street")),
        }
    }

    /// All names to ask for, except that of the picture: it is large, and asked for by itself.
    pub(super) fn names(&self) -> Vec<String> {
        let all = [
            &self.common_name,
            &self.display_name,
            &self.first_name,
            &self.last_name,
            &self.nickname,
            &self.mail,
            &self.sip_uri,
            &self.directory_uri,
            &self.business,
            &self.mobile,
            &self.home,
            &self.other,
            &self.title,
            &self.company,
            &self.department,
            &self.account,
            &self.second_account,
            &self.domain_name,
            &self.location,
            &self.country,
            &self.postal_code,
            &self.city,
            &self.state,
            &self.street,
        ];
        let mut names: Vec<String> = vec![];
        for name in all {
            let known = names.iter().any(|other| other.eq_ignore_ascii_case(name));
            if !name.is_empty() && !known {
                names.push(name.clone());
            }
        }
        names
    }

    /// The attributes of numbers with what these are for.
    pub(super) fn numbers(&self) -> [(NumberKind, &str); 4] {
        [
            (NumberKind::Work, &self.business),
            (NumberKind::Mobile, &self.mobile),
            (NumberKind::Home, &self.home),
            (NumberKind::Other, &self.other),
        ]
    }
}

fn default(key: &str) -> &'static str {
    offhook_config::keys().iter().find(|it| it.name == key).and_then(|it| it.default).unwrap_or("")
}

/// A name, an OID, an option behind `;` (RFC 4512 section 2.5).
pub(super) fn is_attribute(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';' | '_');
    (1..=128).contains(&name.len()) && name.chars().all(good)
}
