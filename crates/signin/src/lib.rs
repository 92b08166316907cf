//! Being let in: the chain of questions between the services found and the plans that the chat
//! and phone machines start from.
//!
//! Straight-line flows over [`offhook_ports::World`]. This crate opens no socket, keeps no
//! password and never puts one into a step, a problem or a URL.

mod grant;

pub use grant::{Credentials, Grant, Renewal, Report, Service};

use offhook_model::{Area, Owner, Problem, UserAddress};
use offhook_ports::{Found, Tell, World, XmppPlan};

/// Signs in with the authenticator that discovery found. Dropping the future cancels it.
///
/// The outcome is an error when nobody let us in, or when nothing of the account works.
pub async fn sign_in(
    _world: &World,
    _address: &UserAddress,
    _found: &Found,
    _credentials: &Credentials,
    _seed: u64,
    _tell: Tell<'_>,
) -> Report {
    Report { steps: vec![], outcome: Err(not_built("This kind of sign-in")), warnings: vec![] }
}

/// Fetches a fresh one-time password for a chat reconnect: with the SOAP session while it lives,
/// else by a new SOAP sign-in.
///
/// # Errors
/// The problem of the last node that was asked.
pub async fn renew(
    _world: &World,
    _renewal: &Renewal,
    _credentials: &Credentials,
    _tell: Tell<'_>,
) -> Result<XmppPlan, Problem> {
    Err(not_built("Renewal"))
}

fn not_built(what: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::User,
        format!("{what} is not built yet."),
        "Use manual setup with a standard account, or wait for a later release.",
    )
}
