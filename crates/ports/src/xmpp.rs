//! How to open the chat connection.

use offhook_model::{Endpoint, Jid, Link, Secret, Service};

/// One chat server to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmppServer {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// [`Link::Tls`] (XEP-0368) or [`Link::StartTls`] (RFC 6120).
    pub link: Link,
}

impl XmppServer {
    /// The server as an endpoint, for problems and traces.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            service: Service::Xmpp,
            host: self.host.clone(),
            port: self.port,
            link: self.link,
        }
    }
}

/// How to prove who we are.
#[derive(Clone, Debug)]
pub enum XmppAuth {
    /// SCRAM, else PLAIN; never in clear.
    Password {
        /// User name.
        username: String,
        /// Password.
        password: Secret<String>,
    },
    /// SASL `CISCO-VTG-TOKEN` (reference im-presence.md section 2): good for one sign-in, so a
    /// reconnect needs a new plan.
    VtgToken {
        /// `user@domain`.
        userid: String,
        /// One-time password from the SOAP service.
        token: Secret<String>,
    },
}

/// Everything needed to open the chat connection.
#[derive(Clone, Debug)]
pub struct XmppPlan {
    /// Our bare JID; its domain is the stream's `to`.
    pub jid: Jid,
    /// Resource to ask for.
    pub resource: String,
    /// Servers in the order to try.
    pub servers: Vec<XmppServer>,
    /// Names of which the certificate must hold one, besides the JID's domain. IM and Presence
    /// nodes name the node as well as the domain (reference im-presence.md section 2).
    pub extra_names: Vec<String>,
    /// How to prove who we are.
    pub auth: XmppAuth,
}
