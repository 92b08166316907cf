//! Finding the services of an address: manual settings, SRV questions, open standards.
//!
//! The ladder is a list of rungs, asked in order; the first that answers decides (reference
//! discovery.md section 1). This crate asks only through [`offhook_ports::World`]: it opens no
//! socket, keeps no cache and sees no password.

mod asked;
mod cisco;
mod manual;
mod rank;
mod standard;

use offhook_model::{
    AccountType, ManualAccount, Preset, Problem, Timestamp, TraceStep, UserAddress,
};
use offhook_ports::{Found, Progress, Remembered, Tell, World};

pub use rank::rank;

use asked::Asker;

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
    /// Every question and its answer, in the order in which they were judged.
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
    /// What to keep for the next time; nothing when there is nothing to keep (manual settings).
    pub remember: Option<Remembered>,
}

/// One way to find the services. The order of [`LADDER`] is the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    /// Manual connection settings.
    Manual,
    /// The three SRV names of Cisco services.
    Cisco,
    /// XMPP and SIP records of the open standards.
    Standard,
}

/// Between `Manual` and `Cisco` belong a cached cloud result, the cloud's own look-up and a
/// cached result of the last time (reference discovery.md section 1).
const LADDER: [Rung; 3] = [Rung::Manual, Rung::Cisco, Rung::Standard];

/// What a rung says.
enum Verdict {
    /// It decides.
    Decided(Found),
    /// It decides that nothing can be found.
    Refused(Problem),
    /// It knows nothing; the next one is asked.
    Pass,
}

/// Looks for the services of an address. Dropping the future cancels it.
pub async fn discover(world: &World, request: &Request, tell: Tell<'_>) -> Report {
    let domain = request.address.domain().to_owned();
    tell(Progress::Doing(format!("Looking for the services of {domain}")));
    let mut asker = Asker::new(world, tell, &domain, request.seed);
    let mut outcome = Err(Problem::no_services(&domain));
    for rung in LADDER {
        match climb(&mut asker, rung, request).await {
            Verdict::Decided(found) => {
                outcome = Ok(found);
                break;
            }
            Verdict::Refused(problem) => {
                outcome = Err(problem);
                break;
            }
            Verdict::Pass => {}
        }
    }
    let Asker { steps, warnings, network, .. } = asker;
    let voice_domain = domain.clone();
    Report {
        domain,
        steps,
        outcome,
        warnings,
        network,
        voice_domain,
        from_memory: false,
        remember: None,
    }
}

async fn climb(asker: &mut Asker<'_>, rung: Rung, request: &Request) -> Verdict {
    match rung {
        Rung::Manual => manual::decide(asker, &request.manual),
        Rung::Cisco if request.manual.account_type == AccountType::Standard => Verdict::Pass,
        Rung::Cisco => cisco::decide(asker).await,
        Rung::Standard => standard::decide(asker).await,
    }
}
