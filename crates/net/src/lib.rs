//! The way out: names, connections, TLS trust, HTTP and SIP flows over the sockets of this machine.
//!
//! One [`Net`] is the adapter behind four port traits (`Dns`, `Http`, `Probe`, `Clock`), so that
//! all of them share one resolver and one idea of whom to trust. It decides nothing: it asks once,
//! and says exactly what came back as a [`Fault`](offhook_model::Fault). It never asks whether the
//! machine "has a network": a loopback interface is one.
//!
//! Nothing here runs by itself. There are no tasks, and no timer exists while no question,
//! connection attempt or write is under way; an idle flow only waits for its socket.

mod capf;
mod clock;
mod datagrams;
mod dns;
mod entropy;
mod errors;
pub mod files;
#[doc(hidden)]
pub mod fuzzing;
mod hosts;
mod http;
mod kerberos;
mod mark;
mod own;
mod probe;
mod proxy;
pub mod sip;
mod tcp;
mod tls;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use offhook_model::{AcceptedKey, CertificatePolicy, IpMode};
use offhook_ports::AskTrust;

pub use clock::now;
pub use entropy::entropy;
pub use hosts::{HostEntry, NoHostEntry};
pub use kerberos::{Tickets, end_point};
pub use proxy::ProxySources;
pub use tls::{Refused, Wanted, install_crypto};
pub use watch::Watch;

/// What an administrator or a laboratory sets on the command line (contract section 1).
#[derive(Clone, Debug, Default)]
pub struct NetOptions {
    /// `--name-server`: ask these instead of the system's, in this order.
    pub name_servers: Vec<SocketAddr>,
    /// `--hosts`: names with the address to use for them, before any name server is asked.
    pub hosts: Vec<HostEntry>,
    /// `--ca-file`: PEM files of authorities to trust besides the system's.
    pub ca_files: Vec<PathBuf>,
    /// What the system's proxy settings are found by.
    pub proxies: ProxySources,
}

/// The network as the rest of the program sees it.
#[derive(Debug)]
pub struct Net {
    names: Arc<dns::Names>,
    trust: tls::Trust,
    decisions: tls::Decisions,
    cookies: http::Jar,
    proxies: proxy::Proxies,
}

impl Net {
    /// Reads the certificate files. The system's name servers and authorities are read when they
    /// are first needed, so a machine that has neither still starts.
    ///
    /// # Errors
    /// One sentence that names the certificate file which cannot be used, and the remedy.
    pub fn new(options: NetOptions) -> Result<Arc<Self>, String> {
        let authorities = tls::read_authorities(&options.ca_files)?;
        Ok(Arc::new(Self {
            names: Arc::new(dns::Names::new(options.name_servers, options.hosts)),
            trust: tls::Trust::new(authorities),
            decisions: tls::Decisions::default(),
            cookies: http::Jar::default(),
            proxies: proxy::Proxies::new(options.proxies),
        }))
    }

    /// Whom to ask about certificates that are not trusted; nobody to begin with, and then they are
    /// refused.
    pub fn ask_about_certificates(&self, asker: Arc<dyn AskTrust>) {
        self.decisions.ask(asker);
    }

    /// What to do about certificates that are not trusted, and all keys that are accepted, those of
    /// this session included. A key that is missing is asked about again; connections that stand
    /// are not looked at.
    pub fn set_trust(&self, policy: CertificatePolicy, accepted: &[AcceptedKey]) {
        self.decisions.set(policy, accepted);
    }

    /// Which address families to use from now on, for resolution and connections alike. A host that
    /// has addresses of the other family only has none ([`offhook_model::DnsFault::NoRecord`]). Name servers are asked
    /// by either.
    pub fn set_ip_mode(&self, mode: IpMode) {
        self.names.use_families(mode);
    }

    /// Forgets addresses learnt from the name system and the proxy's script, for when the network
    /// has changed.
    pub fn forget_names(&self) {
        self.names.forget();
        self.proxies.forget();
    }
}
