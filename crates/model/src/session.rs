//! Being signed in: as whom, by whom, and what of it works.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{EnrolmentQuestion, Problem, TraceStep, TrustQuestion, UserAddress};

/// The states of contract section 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    /// Nobody is signed in.
    #[default]
    SignedOut,
    /// The services are being looked for.
    Discovering,
    /// They are being asked to let us in, or the user for a password.
    SigningIn,
    /// The authenticator let us in.
    SignedIn,
    /// It did, and the network is gone.
    Reconnecting,
    /// It did not.
    Failed,
}

/// What the user may do with this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProductMode {
    /// Chat and phone.
    Full,
    /// Chat.
    ImOnly,
    /// Phone.
    PhoneOnly,
}

/// Who lets us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authenticator {
    /// IM and Presence by SOAP.
    Cup,
    /// Communications Manager.
    Cucm,
    /// The cloud.
    Webex,
    /// An XMPP or SIP server of the open kind.
    Standard,
}

/// Which way the services are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// Straight.
    Direct,
    /// Through the edge.
    Edge,
}

/// How one service fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ServiceState {
    /// Not wanted, or nobody is signed in.
    #[default]
    Off,
    /// The user's account has none.
    NotConfigured,
    /// On its way.
    Connecting,
    /// Works.
    Ready,
    /// Does not; see the error.
    Failed,
}

/// A row of the connection status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// How it fares.
    pub state: ServiceState,
    /// Host and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `XMPP`, `SIP/UDP`, `SIP/TLS`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// `TLSv1.3` and cipher, nothing when in clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// All rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Services {
    /// Chat and presence.
    pub im: ServiceStatus,
    /// Calls.
    pub phone: ServiceStatus,
    /// Voice messages.
    pub voicemail: ServiceStatus,
    /// Contact search.
    pub directory: ServiceStatus,
    /// Outside connection.
    pub edge: ServiceStatus,
    /// Meetings.
    pub calendar: ServiceStatus,
}

/// What the user must say before sign-in can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    /// User name to begin with.
    pub username: String,
    /// Who asks, in words.
    pub of: String,
    /// Why it is asked again, if so.
    pub error: Option<Problem>,
}

/// Sign-in goes on in the system's browser: the organisation uses single sign-on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserSignIn {
    /// Where the browser is sent.
    pub url: String,
    /// Who asks for it, in words.
    pub of: String,
}

/// Something that the way in use does not allow, in the user's words (the seed's Table 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restriction {
    /// Stable name, such as `ldapDirectory`, `peerFileTransfer`, `deskPhoneControl`.
    pub feature: &'static str,
    /// One sentence that says what cannot be done, and what can be done instead.
    pub words: String,
}

/// The session, as `session.state` tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Where it stands.
    pub state: SessionState,
    /// What is being done at this moment, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The address, as long as one is known.
    #[serde(skip)]
    pub address: Option<UserAddress>,
    /// What the account allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_mode: Option<ProductMode>,
    /// Who let us in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator: Option<Authenticator>,
    /// Which way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// How each service fares.
    pub services: Services,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// What the user is asked for.
    #[serde(skip)]
    pub prompt: Option<Prompt>,
    /// A certificate that the user must decide on; nothing else goes on meanwhile that needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Arc<TrustQuestion>>,
    /// The phone waits for the authentication string of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<EnrolmentQuestion>,
    /// Sign-in waits for the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserSignIn>,
    /// What is not possible the way we are connected; empty when nothing is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restrictions: Vec<Restriction>,
    /// Every question asked so far.
    #[serde(skip)]
    pub trace: Arc<Vec<TraceStep>>,
}
