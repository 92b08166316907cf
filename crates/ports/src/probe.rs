//! Connections that are opened only to learn whether they can be: for the doctor, and for choosing
//! among targets.

use std::net::SocketAddr;

use offhook_model::{Endpoint, Fault};

use crate::{BoxFuture, XmppPlan};

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The address that answered.
    pub peer: SocketAddr,
    /// Our address on that way.
    pub local: SocketAddr,
    /// TLS version and cipher.
    pub tls: Option<String>,
}

/// Tries connections and closes them again.
pub trait Probe: Send + Sync {
    /// Connects to the endpoint (and shakes hands where its link is TLS; `names` are the names
    /// of which the certificate must hold one, the host alone when empty).
    fn reach<'a>(
        &'a self,
        at: &'a Endpoint,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Reached, Fault>>;
}

/// Tries chat sign-ins.
pub trait XmppLogin: Send + Sync {
    /// Signs in to XMPP as far as the answer to authentication, without binding a resource or
    /// sending presence, then closes the stream.
    fn login<'a>(&'a self, plan: &'a XmppPlan)
    -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>>;
}
