//! How to open the chat connection.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

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

impl XmppPlan {
    /// The servers are the cloud's, which is reached through the system's proxy where there is one;
    /// services of the company never are (reference discovery.md section 2).
    pub fn leads_to_the_cloud(&self) -> bool {
        match self.auth {
            XmppAuth::WebexToken { .. } => true,
            XmppAuth::Password { .. } | XmppAuth::VtgToken { .. } => false,
        }
    }
}

/// An interrupted stream that may be taken up again (XEP-0198 section 5). Whoever carries it
/// between two connections looks at [`Resumption::max`] only.
#[derive(Clone)]
pub struct Resumption {
    /// The server's name for the stream; who knows it and the password may take it up.
    pub id: Secret<String>,
    /// Our full JID on it.
    pub jid: Jid,
    /// Where the server would have us come back to, as `host` or `host:port`.
    pub location: Option<String>,
    /// How long the server keeps it after the connection broke.
    pub max: Duration,
    /// Stanzas that came.
    pub received: u32,
    /// Stanzas that the server acknowledged.
    pub acknowledged: u32,
    /// Stanzas that it did not, in order, those that were never written last.
    pub unacknowledged: VecDeque<Unacknowledged>,
}

/// A stanza that the server may not have.
#[derive(Clone)]
pub struct Unacknowledged {
    /// Its id, where it has one.
    pub id: Option<String>,
    /// As it is written.
    pub bytes: Vec<u8>,
}

/// Numbers only: what people write is not for logs.
impl fmt::Debug for Resumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumption")
            .field("received", &self.received)
            .field("acknowledged", &self.acknowledged)
            .field("unacknowledged", &self.unacknowledged.len())
            .finish_non_exhaustive()
    }
}
