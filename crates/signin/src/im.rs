//! From the user to the chat plan: service profile, then IM and Presence.

use offhook_config::{HttpUrl, ImProduct, ServiceProfile, UcServer, read_service_profile};
use offhook_model::{Area, Owner, Problem, Service as Kind};
use offhook_ports::{HttpRequest, Target, XmppPlan};

use crate::flow::{Flow, Purpose, most_important};
use crate::soap::{self, Person};
use crate::uds::Account;
use crate::{Renewal, Service, not_built};

/// The SOAP service's port; the profile mostly leaves it open (reference service-profile.md).
const SOAP_PORT: u16 = 8443;

/// What chat starts from.
pub(crate) struct Prepared {
    pub(crate) service: Service<XmppPlan>,
    pub(crate) renewal: Option<Renewal>,
}

impl Prepared {
    fn without(service: Service<XmppPlan>) -> Self {
        Self { service, renewal: None }
    }
}

/// All that is needed to chat, or why the account has no chat.
pub(crate) async fn prepare(flow: &Flow<'_>, account: &Account<'_>, seed: u64) -> Prepared {
    let profile = match fetch_profile(flow, account).await {
        Ok(Some(profile)) => profile,
        Ok(None) => return Prepared::without(Service::NotConfigured),
        Err(problem) => return Prepared::without(Service::Failed(problem)),
    };
    match profile.im.product {
        ImProduct::None => {
            // Otherwise a phone-only account is a fact and no fault.
            if account.user.im_enabled == Some(true) {
                flow.warn(profile_without_chat(account.user_id));
            }
            Prepared::without(Service::NotConfigured)
        }
        ImProduct::Webex => {
            let problem = not_built("Sign-in with the cloud (WebEx Messenger)");
            Prepared::without(Service::Failed(problem))
        }
        ImProduct::UnifiedCm => enter(flow, account, &profile.im.servers, seed).await,
    }
}

async fn enter(
    flow: &Flow<'_>,
    account: &Account<'_>,
    servers: &[UcServer],
    seed: u64,
) -> Prepared {
    flow.doing("Signing in to chat");
    let node = |server: &UcServer| Target {
        host: server.host.clone(),
        port: server.port.unwrap_or(SOAP_PORT),
    };
    let nodes: Vec<Target> = servers.iter().map(node).collect();
    let person = Person {
        user_id: account.user_id,
        domain: account.address.domain(),
        password: &account.credentials.password,
    };
    let resource = format!("jabber_{}", 1000 + seed % 9000);
    match soap::enter(flow, &nodes, &person, &resource, true).await {
        Ok((plan, renewal)) => Prepared { service: Service::Ready(plan), renewal: Some(renewal) },
        Err(problem) => {
            let domain = account.address.domain();
            if servers.iter().any(|server| server.host.eq_ignore_ascii_case(domain)) {
                flow.warn(domain_as_host(domain));
            }
            Prepared::without(Service::Failed(problem))
        }
    }
}

/// `None` when the user has no profile at all.
async fn fetch_profile(
    flow: &Flow<'_>,
    account: &Account<'_>,
) -> Result<Option<ServiceProfile>, Problem> {
    let purpose = Purpose {
        step: "serviceProfile",
        service: Kind::ServiceProfile,
        why: "names the user's services and the authenticator",
    };
    let uris = &account.user.service_profiles;
    if uris.is_empty() {
        return Ok(None);
    }
    let mut failures = vec![];
    for url in uris.iter().filter_map(|uri| HttpUrl::parse(uri)).take(8) {
        let request = HttpRequest::get(url.to_string());
        match flow.ask(purpose, &url, request, read_service_profile, show).await {
            Ok(profile) => return Ok(Some(profile)),
            Err(failure) => failures.push(failure),
        }
    }
    Err(most_important(failures).map_or_else(no_address, |(problem, _)| problem))
}

fn show(profile: &ServiceProfile) -> String {
    let hosts: Vec<_> = profile.im.servers.iter().map(|server| server.host.as_str()).collect();
    match profile.im.product {
        ImProduct::None => "no chat service".to_owned(),
        ImProduct::UnifiedCm => format!("chat on {}", hosts.join(", ")),
        ImProduct::Webex => "chat in the cloud".to_owned(),
    }
}

fn no_address() -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        "The user's service profile is named by something that is no web address.",
        "Have the user's service profile assigned anew.",
    )
}

fn profile_without_chat(user: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!(
            "{user} is enabled for IM and Presence, and the service profile names no chat server."
        ),
        "Add an IM and Presence service to the user's service profile.",
    )
    .with_rule(25)
}

fn domain_as_host(domain: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The service profile names the domain {domain} as the IM and Presence server."),
        "Enter the host name of the IM and Presence node in the UC service.",
    )
    .with_rule(26)
}
