//! What discovery hands to sign-in, and how flows tell of their progress.

use offhook_model::{Endpoint, Link, Service, TraceStep};

use crate::{SipServer, XmppServer};

/// A host to try, from an SRV record or a setting; lists are in the order to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Target {
    /// The target as an endpoint of an HTTPS service.
    pub fn endpoint(&self, service: Service) -> Endpoint {
        Endpoint { service, host: self.host.clone(), port: self.port, link: Link::Tls }
    }
}

/// Who is to authenticate the user, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Communications Manager's user data services, from `_cisco-uds._tcp` or manual settings.
    /// The service profile may name IM and Presence as authenticator in its stead.
    Cucm(Vec<Target>),
    /// IM and Presence, from `_cuplogin._tcp` or manual settings.
    Cup(Vec<Target>),
    /// The edge, from `_collab-edge._tls`.
    Edge(Vec<Target>),
    /// The cloud; the text is the CAS address that said so.
    Webex(String),
    /// Open standards. A domain without SIP records is a chat account, one without XMPP records
    /// a phone account.
    Standard {
        /// Chat servers.
        xmpp: Vec<XmppServer>,
        /// Call servers.
        sip: Vec<SipServer>,
    },
}

/// What a flow tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// What it is about to do, in words for the first-run screen.
    Doing(String),
    /// A step that is over.
    Step(TraceStep),
}

/// Where a flow tells its progress to. It must return at once.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);
