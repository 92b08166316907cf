//! What sign-in is given and what it gives.

use std::time::{Duration, Instant};

use offhook_config::DialRule;
use offhook_model::{
    Authenticator, Layer, Problem, ProductMode, Restriction, Secret, TraceStep, Via,
};
use offhook_ports::{PhoneAccount, Target, XmppPlan, XmppServer};

use crate::EdgeRoute;

/// Who we say we are.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// User name as typed, or the part before the `@` of the address.
    pub username: String,
    /// Password.
    pub password: Secret<String>,
}

/// One service of the account.
#[derive(Clone, Debug)]
pub enum Service<T> {
    /// The account has none. A fact, not a fault.
    NotConfigured,
    /// All that is needed to start it.
    Ready(T),
    /// It is set up and its settings could not be fetched.
    Failed(Problem),
}

impl<T> Service<T> {
    /// The plan, when there is one.
    pub fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(plan) => Some(plan),
            Self::NotConfigured | Self::Failed(_) => None,
        }
    }

    /// The problem, when there is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Failed(problem) => Some(problem),
            Self::NotConfigured | Self::Ready(_) => None,
        }
    }

    /// The account has this service, whether it works or not.
    pub fn is_configured(&self) -> bool {
        match self {
            Self::NotConfigured => false,
            Self::Ready(_) | Self::Failed(_) => true,
        }
    }
}

/// We are in.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who let us in.
    pub authenticator: Authenticator,
    /// What the account has.
    pub mode: ProductMode,
    /// Which way the services are reached.
    pub via: Via,
    /// The user id as the server spells it.
    pub username: String,
    /// The user's name to show; the user id when the server knows none.
    pub display_name: String,
    /// The user's own number, if there is a phone.
    pub number: Option<String>,
    /// Chat.
    pub im: Service<XmppPlan>,
    /// Phone.
    pub phone: Service<PhoneAccount>,
    /// Settings that the servers gave: service profile, group and global configuration file, the
    /// cloud's configuration.
    pub layers: Vec<Layer>,
    /// The way through the edge, when we came that way.
    pub edge: Option<EdgeRoute>,
    /// What is not possible the way we came.
    pub restrictions: Vec<Restriction>,
    /// What a chat reconnect needs, where the chat password is good for one sign-in only.
    pub renewal: Option<Renewal>,
    /// What finding people needs besides the settings.
    pub people: People,
}

/// What finding people needs besides the settings.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Nodes of user data services, by cluster: the user's own first.
    pub clusters: Vec<Vec<Target>>,
    /// Password of the service profile's directory section.
    pub profile_password: Option<Secret<String>>,
    /// `ConnectionPassword` of the client configuration file.
    pub file_password: Option<Secret<String>>,
    /// Where searches with a password go (`secureUDSUsersAccessURL` of the device file).
    pub secure_search: Option<String>,
    /// Domain of addresses that are dialled without one (`organizationTopLevelDomain`).
    pub dial_domain: Option<String>,
    /// Application dial rules.
    pub dial_rules: Vec<DialRule>,
    /// Directory lookup rules.
    pub lookup_rules: Vec<DialRule>,
}

/// What a chat reconnect needs, where what proves us to the chat server does not last.
#[derive(Clone, Debug)]
pub enum Renewal {
    /// One-time passwords of IM and Presence.
    Soap(SoapRenewal),
    /// The cloud's token, which lives for hours.
    Cloud(CloudRenewal),
}

/// A reconnect to the cloud's chat (reference im-presence.md section 8).
#[derive(Clone, Debug)]
pub struct CloudRenewal {
    /// Where name and password are taken; nothing when the token came by the browser, which must
    /// bring the next one too.
    pub cas: Option<String>,
    /// Mail address that the cloud knows the user by.
    pub username: String,
    /// The plan with the token as it is.
    pub plan: XmppPlan,
    /// Until then the token lives.
    pub until: Instant,
}

/// A reconnect to IM and Presence (reference im-presence.md section 3).
#[derive(Clone, Debug)]
pub struct SoapRenewal {
    /// IM and Presence nodes for SOAP, the one that let us in first.
    pub nodes: Vec<Target>,
    /// The newest session; the nodes share it.
    pub session: Secret<String>,
    /// User id.
    pub username: String,
    /// Presence domain; with the user id it makes the JID.
    pub domain: String,
    /// XMPP resource, kept over reconnects.
    pub resource: String,
    /// XMPP nodes known so far, used when the server does not tell them again.
    pub servers: Vec<XmppServer>,
    /// The shortest and the longest pause before a sign-in after a lost server (client re-login
    /// limits); a client draws its own between them, so that a failed node's users come back
    /// spread out.
    pub relogin: (Duration, Duration),
    /// The way through the edge, when we came that way.
    pub edge: Option<EdgeRoute>,
    /// What is tried.
    pub step: SoapStep,
}

/// What a chat reconnect starts from.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// How chat is opened.
    pub plan: XmppPlan,
    /// What the next reconnect needs, where it is not what this one needed: a new session or token,
    /// or other nodes.
    pub renewal: Option<Renewal>,
}

impl From<XmppPlan> for Renewed {
    fn from(plan: XmppPlan) -> Self {
        Self { plan, renewal: None }
    }
}

/// How far a reconnect to IM and Presence goes. Each is tried at the first node, then at the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SoapStep {
    /// By the session we have, and by a new one when that is over or cannot be used.
    #[default]
    Both,
    /// By the session we have.
    Session,
    /// By a new one.
    Login,
}

/// What became of a sign-in.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every question and its answer, in the order in which they were over.
    pub steps: Vec<TraceStep>,
    /// We are in, or why not.
    pub outcome: Result<Grant, Problem>,
    /// What should be mended although it did not decide.
    pub warnings: Vec<Problem>,
}
