//! `offhook doctor`: goes as far as a sign-in would and explains every step.
//!
//! The rules are those of `docs/doctor.md`. This crate decides what a finding is and which comes
//! first; it asks the outside only through [`offhook_ports::World`] and prints nothing.

mod diagnosis;

pub use diagnosis::{Diagnosis, Finding};

use offhook_discovery::{Request, discover};
use offhook_ports::{Tell, World};
use offhook_signin::Credentials;

/// Examines an address: finds its services, signs in as far as the flows go when there are
/// credentials, and tries the chat and call servers without registering anything.
pub async fn examine(
    world: &World,
    request: &Request,
    _credentials: Option<&Credentials>,
    tell: Tell<'_>,
) -> Diagnosis {
    let report = discover(world, request, tell).await;
    Diagnosis::begin(&request.address.to_string(), report)
}
