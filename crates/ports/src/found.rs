//! What discovery hands to sign-in, and how flows tell of their progress.

use offhook_model::{Endpoint, Link, Service, Timestamp, TraceStep};
use serde::{Deserialize, Serialize};

use crate::{SipServer, XmppServer};

/// A host to try, from an SRV record or a setting; lists are in the order to try.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Found {
    /// Communications Manager's user data services, from `_cisco-uds._tcp` or manual settings.
    /// The service profile may name IM and Presence as authenticator in its stead.
    Cucm(Vec<Target>),
    /// IM and Presence, from `_cuplogin._tcp` or manual settings.
    Cup(Vec<Target>),
    /// The edge, from `_collab-edge._tls`.
    Edge(Vec<Target>),
    /// The cloud (WebEx Messenger).
    Webex {
        /// The CAS address that said so, or that manual settings name.
        cas: String,
        /// Where the browser must go, when the organisation uses single sign-on.
        sso: Option<String>,
        /// Communications Manager of a hybrid account, from `_cisco-uds._tcp` of the voice services
        /// domain: chat comes from the cloud, the phone from there. Empty when there is none.
        #[serde(default)]
        voice: Vec<Target>,
    },
    /// Open standards. A domain without SIP records is a chat account, one without XMPP records
    /// a phone account.
    Standard {
        /// Chat servers.
        xmpp: Vec<XmppServer>,
        /// Call servers.
        sip: Vec<SipServer>,
    },
}

/// What discovery found the last time, kept until a sign-in with it fails, "reset" is chosen or the
/// network changes (reference discovery.md section 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    /// Services domain it was found for.
    pub domain: String,
    /// Domain of the SRV questions.
    pub voice_domain: String,
    /// What was found.
    pub found: Found,
    /// When.
    pub at: Timestamp,
    /// The network it was found on ([`NetworkState::fingerprint`]).
    pub network: Option<String>,
}

/// The machine's connection to the world, as the network watch sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkState {
    /// There is an address besides loopback's and link-local ones, or nobody knows.
    pub online: bool,
    /// Differs between networks, the same on return to one: a digest of addresses, routes and name
    /// servers. It names none of them.
    pub fingerprint: String,
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
