//! What keeps a directory from telling who is who, and the one sentence about each (rules D31 and
//! D36 of `docs/doctor.md`). What breaks the way to it is a [`Fault`](crate::Fault) as everywhere.

use crate::{Area, Coded, Endpoint, Owner, Problem, TicketFault};

/// Why a directory (LDAP, User Data Services) does not answer as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryFault {
    /// The name and password that administrators have set are not taken.
    BadReader,
    /// The name and password of the sign-in are not taken.
    BadSignIn,
    /// This way to bind is not let in; the result code (RFC 4511 appendix A).
    BindRefused(u32),
    /// The reader may not search.
    NotAllowed,
    /// There is nothing of this distinguished name to search below.
    NoSuchBase(String),
    /// The base is not set, and the server names none.
    NoBase,
    /// The server gives out less than was asked for.
    ServerLimit,
    /// The server gave up before it was through.
    TimeLimit,
    /// Servers refer to each other in a circle, or too far.
    ReferralCircle,
    /// A referral leads nowhere; the text says where to.
    ReferralLost(String),
    /// A setting that cannot be used; its key.
    BadSetting(&'static str),
    /// A name and a password travel without encryption.
    CredentialsInClear,
    /// No server is named, and none was found.
    NoServer,
    /// User Data Services want to know who searches, and there is no password to show.
    Nameless,
    /// No node of User Data Services is known.
    NoNode,
    /// The ticket of who is signed in at the system is of no use.
    Ticket(TicketFault),
    /// Any other result code.
    Refused(u32),
}

impl DirectoryFault {
    /// The sentence, what to do, and whose business it is.
    pub fn problem(&self, at: &Endpoint) -> Problem {
        let host = &at.host;
        let make =
            |area, owner, cause: String, remedy: &str| Problem::new(area, owner, cause, remedy);
        let admin = |area, cause: String, remedy: &str| make(area, Owner::Admin, cause, remedy);
        let set = Area::Provisioning;
        let problem = match self {
            Self::BadReader => admin(
                Area::Authentication,
                format!(
                    "The directory {host} does not take the name and password that are set for it."
                ),
                "Check ConnectionUsername and ConnectionPassword, or the directory section of the service profile; the account may be locked or its password expired.",
            ),
            Self::BadSignIn => admin(
                Area::Authentication,
                format!("The directory {host} does not take the name and password of the sign-in."),
                "Set an account that may only read (ConnectionUsername), or check that the directory knows users by the names they sign in with.",
            ),
            Self::BindRefused(_) => admin(
                Area::Authentication,
                format!("The directory {host} does not let us in this way."),
                "It wants encryption (UseSSL, BDIEnableTLS) or an account: set one, or allow this kind of bind on the server.",
            ),
            Self::NotAllowed => admin(
                Area::Authentication,
                format!("The directory {host} does not allow us to search."),
                "Give the account that is used the right to read the people below the search bases.",
            ),
            Self::NoSuchBase(base) => admin(
                set,
                format!(
                    "The directory {host} has no entry {base}, below which it is to be searched."
                ),
                "Correct the search base (SearchBase1 and so on, or the search contexts of the service profile).",
            ),
            Self::NoBase => admin(
                set,
                format!("The directory {host} is searched from no base, so nobody will be found."),
                "Set SearchBase1 (BDISearchBase1) to the distinguished name under which the people are.",
            ),
            Self::ServerLimit => admin(
                set,
                format!("The directory {host} gives out fewer people than were asked for."),
                "Type more of the name. If too few are shown all the time, raise the server's size limit.",
            ),
            Self::TimeLimit => make(
                set,
                Owner::Server,
                format!("The directory {host} gave up its search before it was through."),
                "Have an index made of the attributes that are searched, or narrow the search base.",
            ),
            Self::ReferralCircle => admin(
                set,
                format!("The directory {host} refers to others that refer back, or on and on."),
                "Correct the referrals of these servers, or search a global catalogue.",
            ),
            Self::ReferralLost(to) => admin(
                set,
                format!("The directory {host} says that {to} knows more, and that leads nowhere."),
                "Correct the referral, or make that server reachable from here.",
            ),
            Self::BadSetting(key) => admin(
                set,
                format!("The directory setting {key} cannot be used as it is."),
                "Correct it in the client configuration file or the service profile.",
            ),
            Self::CredentialsInClear => admin(
                Area::Authentication,
                format!("A name and a password travel to the directory {host} in clear."),
                "Set UseSSL (BDIEnableTLS) to true, and use an account that may only read.",
            ),
            Self::NoServer => admin(
                set,
                "No directory server is set, and none was found.".to_owned(),
                "Set PrimaryServerName (BDIPrimaryServerName), or publish the SRV records of the domain.",
            ),
            Self::Nameless => admin(
                Area::Authentication,
                format!(
                    "{host} lets only people who show a password search its directory, and this sign-in has none for it."
                ),
                "Sign in with a Communications Manager account, or turn contact search authentication off there (utils contactsearchauthentication disable).",
            ),
            Self::NoNode => admin(
                set,
                "No server is known that could be asked for people.".to_owned(),
                "Set UdsServer, or have the servers of Communications Manager named by discovery.",
            ),
            Self::Ticket(fault) => fault.problem(host).1,
            Self::Refused(code) => make(
                set,
                Owner::Server,
                format!("The directory {host} refused the search with result code {code}."),
                "Have the directory server's log looked at.",
            ),
        };
        let rule = if *self == Self::CredentialsInClear { 36 } else { 31 };
        let problem = problem.with_rule(rule);
        let problem = problem.with_evidence(format!("directory server {at}: {self:?}"));
        let values = |value: &str| [("host", host.clone()), ("value", value.to_owned())];
        let (code, values) = match self {
            Self::BadReader => ("directory-reader", values("")),
            Self::BadSignIn => ("directory-sign-in", values("")),
            Self::BindRefused(_) => ("directory-bind", values("")),
            Self::NotAllowed => ("directory-not-allowed", values("")),
            Self::NoSuchBase(base) => ("directory-base", values(base)),
            Self::NoBase => ("directory-no-base", values("")),
            Self::ServerLimit => ("directory-size-limit", values("")),
            Self::TimeLimit => ("directory-time-limit", values("")),
            Self::ReferralCircle => ("directory-referral-circle", values("")),
            Self::ReferralLost(to) => ("directory-referral-lost", values(to)),
            Self::BadSetting(key) => ("directory-setting", values(key)),
            Self::CredentialsInClear => ("directory-in-clear", values("")),
            Self::NoServer => ("directory-no-server", values("")),
            Self::Nameless => ("directory-nameless", values("")),
            Self::NoNode => ("directory-no-node", values("")),
            Self::Refused(code) => ("directory-refused", values(&code.to_string())),
            Self::Ticket(fault) => (fault.problem(host).0, values(&fault.value())),
        };
        let coded = Coded { code, values: values.into() };
        Problem { coded: Some(Box::new(coded)), ..problem }
    }
}

#[cfg(test)]
mod tests {
    use super::DirectoryFault;
    use crate::{Endpoint, Link, Rule, Service};

    #[test]
    fn each_names_the_server_and_its_rule() {
        let at = Endpoint {
            service: Service::Directory,
            host: "dc1.example.com".into(),
            port: 389,
            link: Link::Tcp,
        };
        let bad = DirectoryFault::BadReader.problem(&at);
        assert!(bad.cause.contains("dc1.example.com"), "{}", bad.cause);
        assert_eq!(bad.rule, Some(Rule(31)));
        assert_eq!(DirectoryFault::CredentialsInClear.problem(&at).rule, Some(Rule(36)));
        let base = DirectoryFault::NoSuchBase("ou=x".into()).problem(&at);
        assert!(base.cause.contains("ou=x"), "{}", base.cause);
    }
}
