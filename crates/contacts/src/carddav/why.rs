//! What keeps an address book from being read, and the one sentence about each.

use offhook_config::HttpUrl;
use offhook_model::{Area, Endpoint, Fault, Owner, Problem};

use super::address::Mistyped;
use super::asker::endpoint;

/// Why an address book cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookFault {
    /// What was typed is no address.
    BadAddress,
    /// The password would travel in clear to this host.
    InClear(String),
    /// User name and password are not taken.
    Refused {
        /// By whom.
        host: String,
        /// Names of the ways to authenticate that it knows, such as `Basic`.
        offered: Vec<String>,
    },
    /// The account may not read there.
    Forbidden(String),
    /// There is nothing at this address of the host.
    NotThere(String),
    /// The host is no server for address books, or not at this address.
    NoCardDav(String),
    /// The account has no address book.
    NoBook(String),
    /// They are said to be on a host that nobody has typed.
    Elsewhere {
        /// Who says so.
        host: String,
        /// Host, and port where it is not the usual one.
        other: String,
    },
    /// The host refers from one address to the next, or to nothing.
    Lost(String),
    /// It takes too long.
    TooLong(String),
    /// It is larger than what is read at once.
    TooLarge(String),
    /// The server has no room, or finds the address book too large to list.
    Full(String),
    /// What breaks the way to it, its certificate, or the answer.
    Way(Endpoint, Fault),
}

impl From<Mistyped> for BookFault {
    fn from(why: Mistyped) -> Self {
        match why {
            Mistyped::Unreadable => Self::BadAddress,
            Mistyped::InClear(host) => Self::InClear(host),
        }
    }
}

impl BookFault {
    pub(super) fn of_way(at: &HttpUrl, fault: Fault) -> Self {
        Self::Way(endpoint(at), fault)
    }

    /// What a status says that is no success.
    pub(super) fn of_status(at: &HttpUrl, status: u16) -> Self {
        let host = at.host.clone();
        match status {
            403 => Self::Forbidden(host),
            404 | 410 => Self::NotThere(host),
            // It has answered, and with no list.
            200..=299 | 405 | 501 => Self::NoCardDav(host),
            507 => Self::Full(host),
            status => Self::of_way(at, Fault::Status(status)),
        }
    }

    /// Another address of the same server may do better.
    pub(super) fn is_of_the_path(&self) -> bool {
        match self {
            Self::Forbidden(_) | Self::NotThere(_) | Self::NoCardDav(_) | Self::Lost(_) => true,
            Self::Way(_, fault) => {
                matches!(fault, Fault::Status(_) | Fault::Html | Fault::Nonsense(_))
            }
            Self::BadAddress
            | Self::InClear(_)
            | Self::Refused { .. }
            | Self::NoBook(_)
            | Self::Elsewhere { .. }
            | Self::TooLong(_)
            | Self::TooLarge(_)
            | Self::Full(_) => false,
        }
    }

    /// The sentence, what to do, and whose business it is.
    pub fn problem(&self) -> Problem {
        let make =
            |area, owner, cause: String, remedy: &str| Problem::new(area, owner, cause, remedy);
        let set = |owner, cause, remedy: &str| make(Area::Provisioning, owner, cause, remedy);
        let problem = match self {
            Self::BadAddress => set(
                Owner::User,
                "The address of the address book is no web address and no domain.".to_owned(),
                "Type the address that your provider names for CardDAV, such as https://dav.example.com/, without name and password in it.",
            ),
            Self::InClear(host) => make(
                Area::Tls,
                Owner::User,
                format!("The password of the address book would travel to {host} in clear."),
                "Type the address with https:// in place of http://; if the server has no encryption, have it switched on.",
            ),
            Self::Refused { host, offered } => return refused(host, offered),
            Self::Forbidden(host) => make(
                Area::Authentication,
                Owner::Admin,
                format!("{host} does not allow this account to read the address book."),
                "Check that the address is that of an own address book, or have the right to read it given.",
            ),
            Self::NotThere(host) => set(
                Owner::User,
                format!("{host} has no address book at this address."),
                "Check the address; that of the server alone is enough where it can say itself where the address books are.",
            ),
            Self::NoCardDav(host) => set(
                Owner::User,
                format!("{host} is no server for address books (CardDAV), or not at this address."),
                "Type the address that your provider names for CardDAV.",
            ),
            Self::NoBook(host) => set(
                Owner::User,
                format!("The account on {host} has no address book."),
                "Make one there, or type the address of the address book itself.",
            ),
            Self::Elsewhere { host, other } => set(
                Owner::User,
                format!(
                    "{host} says that the address books are on {other}, and the password is not shown there unasked."
                ),
                &format!(
                    "If that is right, set https://{other}/ as the address of the address book."
                ),
            ),
            Self::Lost(host) => set(
                Owner::Admin,
                format!("{host} refers from one address to the next and to no address book."),
                "Correct the redirection of /.well-known/carddav on the server, or set the address of the address book itself.",
            ),
            Self::TooLong(host) => make(
                Area::Network,
                Owner::Server,
                format!("{host} takes too long to list its address books."),
                "Try again later; if it stays so, have the server's log looked at.",
            ),
            Self::TooLarge(host) => set(
                Owner::User,
                format!("The address book on {host} is larger than what is read."),
                "Divide it, and set the address of the part that is needed here.",
            ),
            Self::Full(host) => set(
                Owner::Server,
                format!(
                    "{host} says that the address book is too large for it to list, or that it has no room left."
                ),
                "Try again later; if it stays so, have the server's limits looked at, or divide the address book.",
            ),
            Self::Way(at, fault) => return fault.problem(at),
        };
        let problem = match self {
            Self::BadAddress => problem.coded("address-book-address", []),
            Self::InClear(host) => problem.coded("address-book-in-clear", [("host", host)]),
            Self::Forbidden(host) => problem.coded("address-book-forbidden", [("host", host)]),
            Self::NotThere(host) => problem.coded("address-book-not-there", [("host", host)]),
            Self::NoCardDav(host) => problem.coded("address-book-no-server", [("host", host)]),
            Self::NoBook(host) => problem.coded("address-book-none", [("host", host)]),
            Self::Elsewhere { host, other } => {
                problem.coded("address-book-elsewhere", [("host", host), ("other", other)])
            }
            Self::Lost(host) => problem.coded("address-book-lost", [("host", host)]),
            Self::TooLong(host) => problem.coded("address-book-too-long", [("host", host)]),
            Self::TooLarge(host) => problem.coded("address-book-too-large", [("host", host)]),
            Self::Full(host) => problem.coded("address-book-full", [("host", host)]),
            Self::Refused { .. } | Self::Way(..) => problem,
        };
        problem.with_evidence(format!("address book: {self:?}"))
    }
}

fn refused(host: &str, offered: &[String]) -> Problem {
    let evidence = format!("address book on {host}: HTTP status 401, offered: {offered:?}");
    let problem = if offered.is_empty()
        || offered.iter().any(|way| way.eq_ignore_ascii_case("basic"))
    {
        Problem::new(
            Area::Authentication,
            Owner::User,
            format!("The address book on {host} does not accept the user name and password."),
            "Type both again; where the provider asks for a second factor, make a password for this program there.",
        )
        .coded("address-book-refused", [("host", host)])
    } else {
        Problem::new(
            Area::Authentication,
            Owner::Admin,
            format!("The address book on {host} lets nobody in by user name and password alone."),
            format!(
                "Allow Basic authentication over TLS on the server (it offers: {}).",
                offered.join(", ")
            ),
        )
        .coded("address-book-no-basic", [("host", host), ("offered", &offered.join(", "))])
    };
    problem.with_evidence(evidence)
}
