//! Being let in: the chain of questions between the services found and the plans that the chat
//! and phone machines start from.
//!
//! Straight-line flows over [`offhook_ports::World`]. This crate opens no socket, keeps no
//! password and never puts one into a step, a problem or a URL.

mod browser;
mod ccmcip;
mod cup;
mod desk;
mod device;
mod edge;
mod files;
mod flow;
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod home;
mod im;
mod mode;
mod older;
mod phone;
mod profile;
mod soap;
mod standard;
mod uds;
mod webex;

pub use browser::{CloudToken, browser_needed, returned, webex_from_fragment};
pub use edge::{EdgeBudget, EdgeRoute, restricted, restrictions};
pub use grant::{
    CloudRenewal, Credentials, Grant, People, Renewal, Renewed, Report, Service, SoapRenewal,
    SoapStep,
};

use offhook_model::{ManualAccount, Preset, Problem, UserAddress, Via};
use offhook_ports::{DeskControl, DeskOrder, Found, Tell, World};

use flow::Flow;
use uds::Cluster;

/// Who wants to be let in, and by whom.
#[derive(Clone, Debug)]
pub struct Request {
    /// The address as typed.
    pub address: UserAddress,
    /// The authenticator that discovery found.
    pub found: Found,
    /// Who we say we are.
    pub credentials: Credentials,
    /// The cloud's token that the browser brought back; the password is not used then.
    pub cloud_token: Option<CloudToken>,
    /// Who we say we are to the phone's servers, where a hybrid account has another name or password
    /// there.
    pub phone: Option<Credentials>,
    /// Manual connection settings: TFTP, CCMCIP and CTI servers.
    pub manual: ManualAccount,
    /// What is settled before: product mode, configuration file, resource.
    pub preset: Preset,
    /// How often edges may be asked; the same in all requests of this program.
    pub edge_budget: EdgeBudget,
    /// Chance: XMPP resource, order among equal servers.
    pub seed: u64,
}

impl Request {
    /// A request with nothing settled and no manual settings.
    pub fn new(address: UserAddress, found: Found, credentials: Credentials, seed: u64) -> Self {
        Self {
            address,
            found,
            credentials,
            cloud_token: None,
            phone: None,
            manual: ManualAccount::default(),
            preset: Preset::default(),
            edge_budget: EdgeBudget::default(),
            seed,
        }
    }
}

/// Signs in with the authenticator that discovery found. Dropping the future cancels it.
///
/// The outcome is an error when nobody let us in, or when nothing of the account works.
pub async fn sign_in(world: &World, request: &Request, tell: Tell<'_>) -> Report {
    let Request { address, found, credentials, seed, .. } = request;
    let flow = Flow::new(world, tell);
    let outcome = match found {
        Found::Cucm(targets) => {
            let cluster = Cluster { targets, tftp: &[], via: Via::Direct, proved_by: None };
            Box::pin(uds::sign_in(&flow, request, &cluster)).await
        }
        Found::Standard { xmpp, sip } => standard::sign_in(address, xmpp, sip, credentials, *seed),
        Found::Edge(targets) => Box::pin(edge::sign_in(&flow, request, targets)).await,
        Found::Cup(targets) => Box::pin(cup::sign_in(&flow, request, targets)).await,
        Found::Webex { sso: Some(url), .. } if request.cloud_token.is_none() => {
            Err(browser::wanted(url))
        }
        Found::Webex { cas, voice, .. } => {
            Box::pin(webex::sign_in(&flow, request, cas, voice)).await
        }
    };
    let people = flow.people();
    let outcome = outcome.map(|grant| Grant { people, ..grant });
    let (steps, warnings) = flow.finish();
    Report { steps, outcome, warnings }
}

/// Asks something of a phone on the desk; the number of the line that it uses, where it is known.
///
/// # Errors
/// The service cannot be reached, or refuses.
pub async fn order_desk(
    world: &World,
    control: &DeskControl,
    order: &DeskOrder,
    tell: Tell<'_>,
) -> Result<Option<String>, Problem> {
    let flow = Flow::new(world, tell);
    Box::pin(desk::carry_out(&flow, control, order)).await
}

/// A fresh plan for a chat reconnect: with the SOAP session or the cloud's token while it lives, else
/// by a new sign-in at the same servers. With it comes what the next reconnect needs.
///
/// # Errors
/// The problem of the node that decided.
pub async fn renew(
    world: &World,
    renewal: &Renewal,
    credentials: &Credentials,
    tell: Tell<'_>,
) -> Result<Renewed, Problem> {
    match renewal {
        Renewal::Soap(renewal) => {
            let inside = renewal.edge.as_ref().map(|route| route.world(world));
            let flow = Flow::new(inside.as_ref().unwrap_or(world), tell);
            let made = Box::pin(soap::renew(&flow, renewal, &credentials.password)).await?;
            let plan = match &renewal.edge {
                Some(route) => route.chat(made.plan)?,
                None => made.plan,
            };
            let next = SoapRenewal { edge: renewal.edge.clone(), ..made.renewal };
            Ok(Renewed { plan, renewal: Some(Renewal::Soap(next)) })
        }
        Renewal::Cloud(renewal) => {
            let flow = Flow::new(world, tell);
            Box::pin(webex::renew(&flow, renewal, &credentials.password)).await
        }
    }
}
