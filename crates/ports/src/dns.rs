//! Questions to the name system.

use std::net::IpAddr;

use offhook_model::DnsFault;

use crate::BoxFuture;

/// One SRV record (RFC 2782), as it came; ranking is the asker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower is tried first.
    pub priority: u16,
    /// Share among equals.
    pub weight: u16,
    /// Port.
    pub port: u16,
    /// Host, without a trailing dot; `.` alone (written as the empty text) means "not here".
    pub target: String,
}

/// One NAPTR record (RFC 3403), as RFC 3263 uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower is taken first.
    pub order: u16,
    /// Lower is taken first among equal order.
    pub preference: u16,
    /// `s`, `a`, `u`… in lower case.
    pub flags: String,
    /// `SIP+D2U`, `SIPS+D2T`… in upper case.
    pub service: String,
    /// The next name to ask, without a trailing dot.
    pub replacement: String,
}

/// Records with the server that gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer<T> {
    /// The records, in the order of the answer.
    pub records: Vec<T>,
    /// Which name server answered, as far as known: `192.0.2.53:53`, or words for one that has no
    /// address.
    pub server: String,
    /// The name that the records belong to, when the name asked for is an alias (CNAME) of it;
    /// without a trailing dot.
    pub alias_of: Option<String>,
}

/// The name system.
pub trait Dns: Send + Sync {
    /// SRV records of `name`. An existing name without SRV records is [`DnsFault::NoRecord`].
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Srv>, DnsFault>>;

    /// NAPTR records of `name`.
    fn naptr<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<DnsAnswer<Naptr>, DnsFault>>;

    /// Addresses of `host`, both families, in the order to try. A literal address is its own
    /// answer. `--hosts` entries answer first.
    fn addresses<'a>(&'a self, host: &'a str)
    -> BoxFuture<'a, Result<DnsAnswer<IpAddr>, DnsFault>>;
}
