//! The way out: names, connections, TLS trust, HTTP and SIP flows over the sockets of this machine.
//!
//! One [`Net`] is the adapter behind four port traits (`Dns`, `Http`, `Probe`, `Clock`), so that
//! all of them share one resolver and one idea of whom to trust. It decides nothing: it asks once,
//! and says exactly what came back as a [`Fault`](offhook_model::Fault). It never asks whether the
//! machine "has a network": a loopback interface is one.
//!
//! Nothing here runs by itself. There are no tasks, and no timer exists while no question,
//! connection attempt or write is under way; an idle flow only waits for its socket.

mod clock;
mod datagrams;
mod dns;
mod errors;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod probe;
pub mod sip;
mod tcp;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

pub use clock::now;
pub use tls::install_crypto;

/// What an administrator or a laboratory sets on the command line (contract section 1).
#[derive(Clone, Debug, Default)]
pub struct NetOptions {
    /// `--name-server`: ask these instead of the system's, in this order.
    pub name_servers: Vec<SocketAddr>,
    /// `--hosts`: names with the address to use for them, before any name server is asked.
    pub hosts: Vec<(String, IpAddr)>,
    /// `--ca-file`: PEM files of authorities to trust besides the system's.
    pub ca_files: Vec<PathBuf>,
}

/// The network as the rest of the program sees it.
#[derive(Debug)]
pub struct Net {
    names: dns::Names,
    trust: tls::Trust,
    cookies: http::Jar,
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
            names: dns::Names::new(options.name_servers, options.hosts),
            trust: tls::Trust::new(authorities),
            cookies: http::Jar::default(),
        }))
    }

    /// Forgets addresses learnt from the name system, for when the network has changed.
    pub fn forget_names(&self) {
        self.names.forget();
    }
}
