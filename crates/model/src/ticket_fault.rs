//! Why the ticket of who is signed in at the system (Kerberos) is of no use for a directory, and the
//! one sentence about each.

use crate::{Area, Owner, Problem};

/// What is wrong with a Kerberos ticket (RFC 4120), or with the way to get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketFault {
    /// The system has no library that shows tickets.
    NoLibrary,
    /// Nobody is signed in to a Kerberos realm at this system.
    NoTicket,
    /// Somebody was, and it has run out.
    Expired,
    /// The realm knows no directory of this server's name.
    UnknownServer,
    /// No server of the realm answers, or none is known.
    NoRealm,
    /// The clocks are too far apart.
    Clock,
    /// The directory does not take it.
    Refused,
    /// The directory wants a protection of the connection that we cannot give.
    Protection,
    /// Anything else: the major and minor status (RFC 2743 section 1.2.1.1).
    Other(u32, u32),
}

impl TicketFault {
    /// It can pass while the program runs, and finding out again costs nothing: tickets are renewed
    /// and asked for by others.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::NoTicket | Self::Expired)
    }

    /// Code of the sentence, and the sentence.
    pub(crate) fn problem(self, host: &str) -> (&'static str, Problem) {
        const ACCOUNT: &str =
            "or set an account that may only read (ConnectionUsername, UseWindowsCredentials 0)";
        let (code, owner, cause, remedy) = match self {
            Self::NoLibrary => (
                "ticket-no-library",
                Owner::Admin,
                format!(
                    "The directory {host} is to be asked with the Kerberos ticket of this system, which has no library for that."
                ),
                format!(
                    "Install the system's Kerberos library (on Linux libgssapi_krb5), {ACCOUNT}."
                ),
            ),
            Self::NoTicket => (
                "ticket-none",
                Owner::User,
                format!(
                    "The directory {host} is to be asked with a Kerberos ticket, and nobody is signed in to the domain at this system."
                ),
                format!("Sign in to the domain (kinit), {ACCOUNT}."),
            ),
            Self::Expired => (
                "ticket-expired",
                Owner::User,
                format!(
                    "The Kerberos ticket with which the directory {host} is asked has run out."
                ),
                "Lock and unlock the desktop, or sign in to the domain again (kinit).".to_owned(),
            ),
            Self::UnknownServer => (
                "ticket-server",
                Owner::Admin,
                format!("The Kerberos realm knows no directory by the name {host}."),
                "Set PrimaryServerName to the name that the server has in the domain; an address or an alias is not enough.".to_owned(),
            ),
            Self::NoRealm => (
                "ticket-no-realm",
                Owner::Network,
                format!(
                    "No Kerberos server answers that could give out a ticket for the directory {host}."
                ),
                "Reach the network of the domain (VPN), or have the realm's servers and krb5.conf checked.".to_owned(),
            ),
            Self::Clock => (
                "ticket-clock",
                Owner::Admin,
                format!(
                    "The clocks of this machine and of the directory {host} are too far apart for Kerberos."
                ),
                "Set the clock of this machine by the domain's time server.".to_owned(),
            ),
            Self::Refused => (
                "ticket-refused",
                Owner::Admin,
                format!("The directory {host} does not take the Kerberos ticket of this system."),
                format!("Have the directory's key and its log looked at, {ACCOUNT}."),
            ),
            Self::Protection => (
                "ticket-protection",
                Owner::Admin,
                format!(
                    "The directory {host} takes Kerberos tickets only with a protection of the connection that this program cannot give."
                ),
                "Turn TLS on (UseSSL), or off where it is on and the directory wants its own encryption.".to_owned(),
            ),
            Self::Other(major, minor) => (
                "ticket-other",
                Owner::Admin,
                format!(
                    "Kerberos failed on the way to the directory {host} (status {major:#x}, {minor:#x})."
                ),
                format!("Look at krb5.conf and at what kinit says, {ACCOUNT}."),
            ),
        };
        (code, Problem::new(Area::Authentication, owner, cause, remedy))
    }

    /// What the sentence in other languages has in it beside the host.
    pub(crate) fn value(self) -> String {
        match self {
            Self::Other(major, minor) => format!("{major:#x}, {minor:#x}"),
            Self::NoLibrary
            | Self::NoTicket
            | Self::Expired
            | Self::UnknownServer
            | Self::NoRealm
            | Self::Clock
            | Self::Refused
            | Self::Protection => String::new(),
        }
    }
}
