//! From the user to the chat plan: service profile, then whoever it says gives chat.

use offhook_config::{
    HttpUrl, ImProduct, ServiceProfile, UcServer, UdsUser, read_directory_password,
    read_profile_layer, read_service_profile,
};
use offhook_model::{
    Area, Authenticator, Layer, LoginResource, Owner, Problem, Service as Kind, Source,
};
use offhook_ports::{HttpRequest, Target, XmppPlan};

use crate::flow::{Flow, Purpose, most_important};
use crate::soap::{self, Person};
use crate::uds::Account;
use crate::{Renewal, Request, Service, webex};

/// The SOAP service's port; the profile mostly leaves it open (reference service-profile.md).
const SOAP_PORT: u16 = 8443;

/// What chat starts from.
pub(crate) struct Chat {
    pub(crate) service: Service<XmppPlan>,
    pub(crate) renewal: Option<Renewal>,
    /// Who gives chat.
    pub(crate) authenticator: Authenticator,
    /// Why there is no chat, to be told where it is wanted.
    pub(crate) missing: Option<Problem>,
}

impl Chat {
    /// There is no chat.
    pub(crate) fn none() -> Self {
        Self::without(Service::NotConfigured)
    }

    fn without(service: Service<XmppPlan>) -> Self {
        Self { service, renewal: None, authenticator: Authenticator::Cup, missing: None }
    }
}

/// The user's service profile, if there is one.
pub(crate) struct Profile(Option<(ServiceProfile, Layer)>);

impl Profile {
    /// What it says as settings.
    pub(crate) fn layer(&self) -> Option<Layer> {
        self.0.as_ref().map(|(_, layer)| layer.clone())
    }
}

/// Fetches the service profile.
pub(crate) async fn profile(flow: &Flow<'_>, user: &UdsUser) -> Result<Profile, Problem> {
    let purpose = Purpose {
        step: "serviceProfile",
        service: Kind::ServiceProfile,
        why: "names the user's services and the authenticator",
    };
    let uris = &user.service_profiles;
    if uris.is_empty() {
        return Ok(Profile(None));
    }
    let mut failures = vec![];
    for url in uris.iter().filter_map(|uri| HttpUrl::parse(uri)).take(8) {
        let request = HttpRequest::get(url.to_string());
        let origin = url.to_string();
        let read = |data: &[u8]| {
            let password = read_directory_password(data, Source::ServiceProfile);
            flow.learn(|people| people.profile_password = password);
            Ok((read_service_profile(data)?, read_profile_layer(data, &origin)?))
        };
        match flow.ask(purpose, &url, request, read, show).await {
            Ok(profile) => return Ok(Profile(Some(profile))),
            Err(failure) => failures.push(failure),
        }
    }
    Err(most_important(failures).map_or_else(no_address, |(problem, _)| problem))
}

fn show((profile, _): &(ServiceProfile, Layer)) -> String {
    let hosts: Vec<_> = profile.im.servers.iter().map(|server| server.host.as_str()).collect();
    match profile.im.product {
        ImProduct::None => "no chat service".to_owned(),
        ImProduct::UnifiedCm => format!("chat on {}", hosts.join(", ")),
        ImProduct::Webex => "chat in the cloud".to_owned(),
    }
}

/// All that is needed to chat, or why the account has no chat.
pub(crate) async fn enter(
    flow: &Flow<'_>,
    request: &Request,
    account: &Account<'_>,
    profile: &Result<Profile, Problem>,
) -> Chat {
    let im = match profile {
        Ok(Profile(Some((profile, _)))) => &profile.im,
        Ok(Profile(None)) => return Chat::none(),
        Err(problem) => return Chat::without(Service::Failed(problem.clone())),
    };
    // The server says that the user may not use the chat nodes in house; the cloud is not meant.
    let barred = account.user.im_enabled == Some(false);
    match im.product {
        ImProduct::None => {
            // Otherwise a phone-only account is a fact and no fault.
            let enabled = account.user.im_enabled == Some(true);
            let missing = enabled.then(|| profile_without_chat(account.user_id));
            Chat { missing, ..Chat::none() }
        }
        ImProduct::UnifiedCm if barred => Chat::none(),
        ImProduct::UnifiedCm => in_house(flow, request, account, &im.servers).await,
        ImProduct::Webex => cloud(flow, request, account, &im.servers).await,
    }
}

async fn in_house(
    flow: &Flow<'_>,
    request: &Request,
    account: &Account<'_>,
    servers: &[UcServer],
) -> Chat {
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
        proved: true,
    };
    match soap::enter(flow, &nodes, &person, &resource(request)).await {
        Ok(entered) => Chat {
            service: Service::Ready(entered.plan),
            renewal: Some(Renewal::Soap(entered.renewal)),
            ..Chat::none()
        },
        Err(problem) => {
            // What was seen follows from the wrong name.
            let domain = account.address.domain();
            let by_domain = servers.iter().any(|server| server.host.eq_ignore_ascii_case(domain));
            Chat::without(Service::Failed(if by_domain {
                domain_as_host(domain).with_evidence(problem.evidence)
            } else {
                problem
            }))
        }
    }
}

/// The product type names the cloud: its token chain follows, with the same name and password.
async fn cloud(
    flow: &Flow<'_>,
    request: &Request,
    account: &Account<'_>,
    servers: &[UcServer],
) -> Chat {
    let cas = servers.first().map_or(webex::USUAL_CAS, |server| server.host.as_str());
    match webex::enter(flow, request, account.credentials, cas).await {
        Ok(entered) => Chat {
            service: Service::Ready(entered.plan),
            renewal: Some(Renewal::Cloud(entered.renewal)),
            authenticator: Authenticator::Webex,
            missing: None,
        },
        Err(problem) => {
            // A password that is right in house and refused there speaks against the product type.
            let doubt = product_in_doubt(account.user_id);
            Chat::without(Service::Failed(if problem.area == Area::Authentication {
                doubt.with_evidence(problem.evidence)
            } else {
                flow.warn(doubt);
                problem
            }))
        }
    }
}

/// The XMPP resource to ask for.
pub(crate) fn resource(request: &Request) -> String {
    match request.preset.login_resource {
        LoginResource::Wbx => "wbxconnect".to_owned(),
        // That the older instances are signed out is the server's doing.
        LoginResource::Multiple | LoginResource::Mutual => {
            format!("jabber_{}", 1000 + request.seed % 9000)
        }
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

pub(crate) fn profile_without_chat(user: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!(
            "{user} is enabled for IM and Presence, and the service profile names no chat server."
        ),
        "Add an IM and Presence service to the user's service profile.",
    )
    .with_rule(25)
    .with_evidence("service profile: the section IMandPresence names no server")
}

fn product_in_doubt(user: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The service profile of {user} says that chat is in the cloud, and the cloud does not let the user in."),
        "If chat is in house, choose the product type Unified CM (IM and Presence) in the UC service.",
    )
    .with_rule(25)
    .with_evidence("service profile: ProductType WebEx")
}

pub(crate) fn domain_as_host(domain: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The service profile names the domain {domain} as the IM and Presence server."),
        "Enter the host name of the IM and Presence node in the UC service.",
    )
    .with_rule(26)
    .with_evidence(format!("service profile: IMandPresence address {domain}"))
}
