//! Finding the services of an address: manual settings, the cloud, what is remembered, SRV records,
//! open standards, and the bootstrap file's fallback.
//!
//! The ladder is walked in the seed's order ("How the Client Gets an Authenticator"): manual
//! settings, a remembered cloud result, the cloud's own answer, a remembered result of records, SRV
//! records. Whatever can be asked at once is asked at once; the order decides what counts, not what
//! is asked first. This crate asks only through [`offhook_ports::World`]: it opens no socket, keeps
//! nothing and sees no password.

mod asked;
mod cisco;
mod cloud;
mod directory;
mod ladder;
mod manual;
mod memory;
mod opinion;
mod rank;
mod standard;
mod targets;

use offhook_model::{ManualAccount, Preset, Problem, Timestamp, TraceStep, UserAddress};
use offhook_ports::{Found, Progress, Remembered, Tell, World};

pub use directory::{DirectoryServers, directory_servers};
pub use opinion::overruled;
pub use rank::rank;
pub use targets::{CheckedTargets, check_targets};

/// What to look for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The address as typed; its domain is the services domain unless `preset` names another.
    pub address: UserAddress,
    /// Settings that outrank everything found.
    pub manual: ManualAccount,
    /// What is settled before discovery.
    pub preset: Preset,
    /// What was found the last time. Without it everything is asked anew.
    pub remembered: Option<Remembered>,
    /// The network we are on ([`offhook_ports::NetworkState::fingerprint`]), when it is known.
    pub network: Option<String>,
    /// The wall clock, to age what is remembered by.
    pub now: Timestamp,
    /// Chance for the weights of SRV records (RFC 2782).
    pub seed: u64,
}

impl Request {
    /// A request for this address with nothing settled, nothing remembered and no manual settings.
    pub fn new(address: UserAddress, seed: u64) -> Self {
        Self {
            address,
            manual: ManualAccount::default(),
            preset: Preset::default(),
            remembered: None,
            network: None,
            now: Timestamp::default(),
            seed,
        }
    }
}

/// What was found and how.
#[derive(Clone, Debug)]
pub struct Report {
    /// The domain that was asked about.
    pub domain: String,
    /// Every rung of the ladder with its questions and answers, in the order of precedence; those
    /// that were not asked say why.
    pub steps: Vec<TraceStep>,
    /// Who is to authenticate the user, or why nobody was found.
    pub outcome: Result<Found, Problem>,
    /// What should be mended although it did not decide.
    pub warnings: Vec<Problem>,
    /// `inside`, `outside` or `unknown`.
    pub network: &'static str,
    /// The domain of the SRV questions.
    pub voice_domain: String,
    /// The outcome is what was remembered; nobody was asked for it.
    pub from_memory: bool,
    /// What to keep for the next time; nothing when there is nothing to keep (manual settings, the
    /// bootstrap file's fallback). A remembered result comes back as it was, with its old date.
    pub remember: Option<Remembered>,
    /// Default server of the Advanced settings window: the first target of `_cuplogin`, if that
    /// record answered.
    pub suggested_server: Option<String>,
}

/// The two domains of a request, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Domains {
    /// Asked of the cloud and for open standards.
    pub(crate) services: String,
    /// Asked for the SRV records of Cisco services.
    pub(crate) voice: String,
}

impl Domains {
    pub(crate) fn of(request: &Request) -> Self {
        let plain = |text: &String| {
            let text = text.trim().trim_end_matches('.').to_lowercase();
            Some(text).filter(|text| !text.is_empty())
        };
        let preset = &request.preset;
        let services = preset.services_domain.as_ref().and_then(plain);
        let services = services.unwrap_or_else(|| request.address.domain().to_owned());
        let voice = preset.voice_services_domain.as_ref().and_then(plain);
        Self { voice: voice.unwrap_or_else(|| services.clone()), services }
    }
}

/// Looks for the services of an address. Dropping the future cancels it.
pub async fn discover(world: &World, request: &Request, tell: Tell<'_>) -> Report {
    let domains = Domains::of(request);
    tell(Progress::Doing(format!("Looking for the services of {}", domains.services)));
    ladder::climb(world, request, domains, tell).await
}
