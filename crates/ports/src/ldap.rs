//! Questions to directories by LDAP (RFC 4511).

use std::net::SocketAddr;
use std::time::Duration;

use offhook_model::{Endpoint, Fault, Link, Secret, Service, TicketFault};

use crate::BoxFuture;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LdapSecurity {
    /// In clear.
    None,
    /// TLS after the extended operation of RFC 4511 section 4.14.
    StartTls,
    /// TLS from the first byte (`ldaps`).
    Tls,
}

/// A directory server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LdapServer {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub security: LdapSecurity,
}

impl LdapServer {
    /// The same place as problems and questions about certificates name it.
    pub fn endpoint(&self) -> Endpoint {
        let link = match self.security {
            LdapSecurity::None => Link::Tcp,
            LdapSecurity::StartTls => Link::StartTls,
            LdapSecurity::Tls => Link::Tls,
        };
        Endpoint { service: Service::Directory, host: self.host.clone(), port: self.port, link }
    }
}

/// As whom it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LdapBind {
    /// As nobody (RFC 4513 section 5.1.1).
    Anonymous,
    /// By name and password (RFC 4513 section 5.1.3). An empty password is refused before it is
    /// sent: a server takes it for an anonymous bind (section 5.1.2).
    Simple {
        /// Distinguished name, or what Active Directory takes for one.
        name: String,
        /// Password.
        password: Secret<String>,
    },
    /// With the ticket of whoever is signed in at the system (RFC 4752).
    Gssapi,
}

/// How deep it is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LdapScope {
    /// Only the entry named.
    Base,
    /// What is directly below it, for an administrator's search base without recursion.
    OneLevel,
    /// It and everything below.
    Subtree,
}

/// One search at one server. Trying elsewhere is the flow's business, and so is following
/// referrals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapRequest {
    /// Whom to ask.
    pub server: LdapServer,
    /// As whom.
    pub bind: LdapBind,
    /// Below which entry; empty is the root.
    pub base: String,
    /// How deep.
    pub scope: LdapScope,
    /// What to look for, as the string of RFC 4515, already escaped.
    pub filter: String,
    /// What to tell; empty asks for everything.
    pub attributes: Vec<String>,
    /// Entries at most. The server is told, and no more are taken.
    pub limit: u32,
    /// Entries a page (RFC 2696), 1 to 1000; 0 asks without paging.
    pub page: u32,
    /// Bound on the whole exchange, connecting included; it begins anew after a person was asked about
    /// a certificate. The server is told whole seconds of it, one at least.
    pub timeout: Duration,
    /// Bytes of one value at most; a longer one is left out and counted.
    pub value_limit: usize,
}

/// An entry as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LdapEntry {
    /// Distinguished name.
    pub dn: String,
    /// Attributes with their values. Names are as the server writes them and compare without case.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

/// How a search ended that brought something or could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LdapEnd {
    /// All of it (result code 0).
    Complete,
    /// There is more than the limits let through (result code 4, or our own).
    SizeLimit,
    /// The server took too long for its own taste (result code 3).
    TimeLimit,
    /// An administrator's limit (result code 11).
    AdminLimit,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct LdapAnswer {
    /// Entries.
    pub entries: Vec<LdapEntry>,
    /// URLs of others who know more: continuation references, or a referral in place of a result
    /// (RFC 4511 sections 4.5.3 and 4.1.10).
    pub referrals: Vec<String>,
    /// How it ended.
    pub end: LdapEnd,
    /// Values that were too long, or more than a thousand of one attribute.
    pub left_out: u32,
    /// Who answered.
    pub peer: SocketAddr,
    /// TLS version and cipher, or nothing when in clear.
    pub tls: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LdapFailure {
    /// The way there failed: name, connection, TLS, silence.
    Fault(Fault),
    /// The server does not take the name and password (result code 49 and its kin).
    BadCredentials,
    /// The server wants protection or another way to bind (result codes 7, 8, 13, 48 and 53 of a
    /// bind); the code.
    BindRefused(u32),
    /// There is no entry of the base's name (result code 32).
    NoSuchBase,
    /// The filter is none of RFC 4515 from this byte on. Nobody was asked.
    BadFilter(usize),
    /// Not allowed (result code 50).
    NotAllowed,
    /// The ticket of who is signed in at the system is of no use ([`LdapBind::Gssapi`]).
    Ticket(TicketFault),
    /// Any other result code.
    Result(u32),
}

/// Directories. Connections that were bound are kept for a while and used again.
pub trait Ldap: Send + Sync {
    /// Makes one search. Dropping the future abandons it at the server (RFC 4511 section 4.11).
    fn search(&self, request: LdapRequest) -> BoxFuture<'_, Result<LdapAnswer, LdapFailure>>;

    /// Closes all connections: at sign-out, and when the network has changed.
    fn forget(&self);
}
