//! Addresses of colleagues who chat with another vendor's program in the same domain (intradomain
//! federation). From outside, through an edge, such a contact is found by directory search only when
//! the part before the `@` is one of five things (the seed, directory through the edge).

use offhook_model::{DirectoryEntry, Jid};

use crate::ldap::Wish;
use crate::numbers::digits;

/// What stands before the `@` of a contact's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContactIdFormat {
    /// The account of the directory (`sAMAccountName`).
    AccountName,
    /// The sign-in name of the directory (`userPrincipalName`).
    PrincipalName,
    /// What stands before the `@` of the mail address.
    MailAddress,
    /// The number of the employee (`employeeNumber`).
    EmployeeNumber,
    /// The telephone number.
    TelephoneNumber,
}

impl ContactIdFormat {
    /// All five, in the order of the seed.
    pub const ALL: [Self; 5] = [
        Self::AccountName,
        Self::PrincipalName,
        Self::MailAddress,
        Self::EmployeeNumber,
        Self::TelephoneNumber,
    ];
}

/// What a directory holds of somebody that addresses are made of. Any of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `sAMAccountName`, or the user name of User Data Services.
    pub account: Option<String>,
    /// `userPrincipalName`, with or without its domain.
    pub principal: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// `employeeNumber`.
    pub employee: Option<String>,
    /// Telephone number as written.
    pub telephone: Option<String>,
}

impl Identity {
    /// What an entry of a directory tells. Entries hold no employee number.
    pub fn of(entry: &DirectoryEntry) -> Self {
        let user = entry.user_name.clone();
        Self {
            principal: user.clone().filter(|name| name.contains('@')),
            account: user,
            mail: entry.mail.first().cloned(),
            employee: None,
            telephone: entry.numbers.first().map(|number| number.number.clone()),
        }
    }

    /// The address of somebody in this domain. `None` when the directory does not hold what it is
    /// made of, or when that cannot stand in an address (RFC 6122 appendix A.5).
    pub fn address(&self, format: ContactIdFormat, domain: &str) -> Option<Jid> {
        let local = self.local(format)?;
        let unfit = |c: char| c.is_whitespace() || c.is_control() || "\"&'/:<>@".contains(c);
        if local.is_empty() || local.contains(unfit) {
            return None;
        }
        let address: Jid = format!("{local}@{domain}").parse().ok()?;
        address.resource().is_none().then_some(address)
    }

    fn local(&self, format: ContactIdFormat) -> Option<String> {
        let before = |text: &Option<String>| {
            let text = text.as_deref()?.trim();
            Some(text.split_once('@').map_or(text, |(local, _)| local).to_owned())
        };
        match format {
            // `DOMAIN\account` is how it is typed, not how it is kept.
            ContactIdFormat::AccountName => before(&self.account)
                .map(|name| name.rsplit('\\').next().unwrap_or_default().to_owned()),
            ContactIdFormat::PrincipalName => before(&self.principal),
            ContactIdFormat::MailAddress => {
                before(&self.mail.clone().filter(|it| it.contains('@')))
            }
            ContactIdFormat::EmployeeNumber => {
                self.employee.as_deref().map(|it| it.trim().to_owned())
            }
            ContactIdFormat::TelephoneNumber => Some(digits(self.telephone.as_deref()?)),
        }
    }

    /// Which of the five an address is of; the first that fits.
    pub fn format_of(&self, address: &Jid) -> Option<ContactIdFormat> {
        let fits = |format: &ContactIdFormat| {
            let own = self.address(*format, address.domain());
            own.is_some_and(|own| own.bare_str() == address.bare_str())
        };
        ContactIdFormat::ALL.into_iter().find(fits)
    }
}

/// What to ask a directory for whose contact has this address, by each format in turn; nothing for
/// one that User Data Services have no filter for.
pub fn wish(address: &Jid, format: ContactIdFormat) -> Option<Wish> {
    let local = address.local()?;
    match format {
        ContactIdFormat::AccountName => Some(Wish::Account(local.to_owned())),
        ContactIdFormat::PrincipalName => Some(Wish::Account(address.bare_str().to_owned())),
        ContactIdFormat::MailAddress => Some(Wish::Mail(address.bare_str().to_owned())),
        ContactIdFormat::EmployeeNumber => None,
        ContactIdFormat::TelephoneNumber => {
            Some(Wish::Number(local.to_owned())).filter(|_| !digits(local).is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::Jid;

    use super::{ContactIdFormat, Identity, wish};
    use crate::ldap::Wish;

    use ContactIdFormat::{
        AccountName, EmployeeNumber, MailAddress, PrincipalName, TelephoneNumber,
    };

    fn alice() -> Identity {
        Identity {
            account: Some("CORP\\asmith".into()),
            principal: Some("Alice.Smith@corp.example.net".into()),
            mail: Some("alice@mail.example.com".into()),
            employee: Some(" 004711 ".into()),
            telephone: Some("+49 (30) 555-0142".into()),
        }
    }

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    #[test]
    fn each_format_makes_its_address_and_is_known_by_it() {
        for (format, address) in [
            (AccountName, "asmith@example.com"),
            (PrincipalName, "alice.smith@example.com"),
            (MailAddress, "alice@example.com"),
            (EmployeeNumber, "004711@example.com"),
            (TelephoneNumber, "+49305550142@example.com"),
        ] {
            let alice = alice();
            let made = alice.address(format, "example.com");
            assert_eq!(made, Some(jid(address)), "{format:?}");
            assert_eq!(alice.format_of(&jid(address)), Some(format));
            assert_eq!(Identity::default().address(format, "example.com"), None);
        }
        assert_eq!(alice().format_of(&jid("bob@example.com")), None);
    }

    #[test]
    fn what_cannot_stand_in_an_address_makes_none() {
        for bad in ["a b", "a/b", "a:b", "<a>", "", "  ", "a&b"] {
            let odd = Identity { account: Some(bad.into()), ..Identity::default() };
            assert_eq!(odd.address(AccountName, "example.com"), None, "{bad}");
        }
        let odd = Identity {
            mail: Some("no address".into()),
            telephone: Some("ask".into()),
            ..Identity::default()
        };
        assert_eq!(odd.address(MailAddress, "example.com"), None);
        assert_eq!(odd.address(TelephoneNumber, "example.com"), None);
        assert_eq!(alice().address(AccountName, "not a domain"), None);
    }

    #[test]
    fn a_directory_is_asked_by_what_the_address_is_made_of() {
        let address = jid("asmith@example.com");
        assert_eq!(wish(&address, AccountName), Some(Wish::Account("asmith".into())));
        let whole = "asmith@example.com".to_owned();
        assert_eq!(wish(&address, PrincipalName), Some(Wish::Account(whole.clone())));
        assert_eq!(wish(&address, MailAddress), Some(Wish::Mail(whole)));
        assert_eq!(wish(&address, EmployeeNumber), None);
        assert_eq!(wish(&address, TelephoneNumber), None);
        let number = jid("+49305550142@example.com");
        assert_eq!(wish(&number, TelephoneNumber), Some(Wish::Number("+49305550142".into())));
    }
}
