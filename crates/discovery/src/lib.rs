//! Finding the services of an address: manual settings, SRV questions, open standards.
//!
//! The ladder is a list of rungs, asked in order; the first that answers decides (reference
//! discovery.md section 1). This crate asks only through [`offhook_ports::World`]: it opens no
//! socket, keeps no cache and sees no password.

use offhook_model::{ManualAccount, Problem, TraceStep, UserAddress};
use offhook_ports::{Found, Tell, World};

/// What to look for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The address as typed; its domain is the services domain.
    pub address: UserAddress,
    /// Settings that outrank everything found.
    pub manual: ManualAccount,
    /// Chance for the weights of SRV records (RFC 2782).
    pub seed: u64,
}

/// Which side of the edge we are on, as far as the records say.
#[derive(Clone, Debug)]
pub struct Report {
    /// The domain that was asked about.
    pub domain: String,
    /// Every question and its answer, in the order in which they were over.
    pub steps: Vec<TraceStep>,
    /// Who is to authenticate the user, or why nobody was found.
    pub outcome: Result<Found, Problem>,
    /// What should be mended although it did not decide.
    pub warnings: Vec<Problem>,
    /// `inside`, `outside` or `unknown`.
    pub network: &'static str,
}

/// Looks for the services of an address. Dropping the future cancels it.
pub async fn discover(_world: &World, request: &Request, _tell: Tell<'_>) -> Report {
    let domain = request.address.domain().to_owned();
    Report {
        outcome: Err(Problem::no_services(&domain)),
        domain,
        steps: vec![],
        warnings: vec![],
        network: "unknown",
    }
}
