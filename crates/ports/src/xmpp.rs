//! How to open the chat connection.

use offhook_model::{Endpoint, Jid, Link, Secret, Service};
use serde::{Deserialize, Serialize};

/// One chat server to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// SASL `WEBEX-TOKEN` (reference im-presence.md section 8): a reconnect needs a new plan once
    /// the token's time is over.
    WebexToken {
        /// The cloud's token.
        token: Secret<String>,
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
    /// Names of which the certificate must hold one; the JID's domain alone when empty (RFC 6120
    /// section 13.7.2). Through an edge it is the edge that shows its certificate.
    pub names: Vec<String>,
    /// How to prove who we are.
    pub auth: XmppAuth,
}
