//! How the inside asks the outside: port traits for flows, and plain requests for adapters.
//!
//! A *flow* holds a [`World`] and awaits its answers. A *machine* never sees this crate's traits;
//! the core turns its outputs into effects that carry the plans below. Nothing here opens a
//! socket; the adapters that do are in ring 4, the doubles in `testkit`.

mod clock;
mod desk;
mod dns;
mod enrol;
mod entropy;
mod found;
mod http;
mod ice;
mod ldap;
mod media;
mod phone;
mod probe;
mod store;
mod transfer;
mod trust;
mod xmpp;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use clock::Clock;
pub use desk::{DeskControl, DeskOrder};
pub use dns::{Dns, DnsAnswer, Naptr, Srv};
pub use enrol::{ClientIdentity, EnrolMode, EnrolPlan, Enrolled, SecureProfile};
pub use entropy::{Entropy, EntropySource};
pub use found::{Found, NetworkState, Progress, Remembered, Target, Tell};
pub use http::{Http, HttpFailure, HttpRequest, HttpResponse, Method};
pub use ice::{
    Helper, HelperFault, HelperName, IceAccount, IceCandidate, IceCredentials, IceFact, IceGather,
    IcePlan, IceStart, default_candidate,
};
pub use ldap::{
    Ldap, LdapAnswer, LdapBind, LdapEnd, LdapEntry, LdapFailure, LdapRequest, LdapScope,
    LdapSecurity, LdapServer,
};
pub use media::{
    CodecPlan, ExtendedReports, Figures, Legs, MediaFact, MediaPlan, Microphone, Opinion,
    PortRange, Redundancy, SrtpPlan,
};
pub use phone::{
    FlowId, MediaEncryption, PhoneAccount, PhoneDialect, PhoneFeatures, PhoneUpkeep, SipServer,
};
pub use probe::{Probe, Reached, XmppLogin};
pub use store::{Amendment, ChatRow, KeepingPlan, Loaded, StoreAnswer, StoreRequest, Unplaced};
pub use transfer::{Carrier, Place, StreamHost, TransferFact, TransferOrder};
pub use trust::AskTrust;
pub use xmpp::{Resumption, Unacknowledged, XmppAuth, XmppPlan, XmppServer};

/// A future that may move between threads. Port traits are used as objects, so they return this.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything a flow may ask.
#[derive(Clone)]
pub struct World {
    /// Names.
    pub dns: Arc<dyn Dns>,
    /// The web.
    pub http: Arc<dyn Http>,
    /// Connections that are opened only to see whether they can be.
    pub probe: Arc<dyn Probe>,
    /// Chat sign-ins that stop before presence.
    pub xmpp: Arc<dyn XmppLogin>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}
