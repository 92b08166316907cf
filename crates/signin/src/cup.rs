//! Sign-in with IM and Presence as the authenticator: Unified Presence 8.x, and newer nodes that manual
//! settings name. `get-all-config` stands in for the service profile (reference im-presence.md section
//! 1), the device list for user data services (device-config.md section 4).

use offhook_config::Layers;
use offhook_model::{Area, Authenticator, Layer, Problem, ProductMode, Via};
use offhook_ports::Target;

use crate::flow::Flow;
use crate::home::refused_by_one;
use crate::phone::{self, Holder, Phone};
use crate::soap::{self, Person};
use crate::uds::{Account, Cluster};
use crate::{Grant, People, Renewal, Request, Service, home, im, mode, older, profile, uds};

pub(crate) async fn sign_in(
    flow: &Flow<'_>,
    request: &Request,
    targets: &[Target],
) -> Result<Grant, Problem> {
    flow.doing("Signing in to IM and Presence");
    let entered = enter(flow, request, targets).await?;
    flow.doing("Looking for your phone");
    let origin = format!("get-all-config of {}", entered.node.host);
    let own = profile::layer(&entered.config, &origin);
    let servers = Servers::of(request, &entered);
    let files = servers.files();
    let phone = find_phone(flow, request, &entered, &servers);
    let (phone, files) = uds::desk(flow, request, &files, phone).await;
    let layers: Vec<Layer> = std::iter::once(own).chain(files).collect();
    grant(flow, request, entered, phone, layers)
}

async fn enter(
    flow: &Flow<'_>,
    request: &Request,
    targets: &[Target],
) -> Result<soap::Entered, Problem> {
    let (user_id, domain) = (account_name(request), request.address.domain());
    let password = &request.credentials.password;
    let person = Person { user_id, domain, password, proved: false };
    let entered = soap::enter(flow, targets, &person, &im::resource(request)).await;
    let by_domain = targets.iter().any(|target| target.host.eq_ignore_ascii_case(domain));
    entered.map_err(|problem| match problem.area {
        Area::Dns | Area::Network | Area::Tls if by_domain => {
            im::domain_as_host(domain).with_evidence(problem.evidence)
        }
        _ => problem,
    })
}

/// People type the whole address where the user id is meant.
fn account_name(request: &Request) -> &str {
    let typed = request.credentials.username.as_str();
    let whole = typed.eq_ignore_ascii_case(&request.address.to_string());
    if whole { request.address.user() } else { typed }
}

/// Who knows the phone, and who has its file.
struct Servers {
    lists: Vec<Target>,
    tftp: Vec<String>,
}

impl Servers {
    /// Manual settings first, then what IM and Presence says, then what installation settled
    /// (reference client-config.md section 1).
    fn of(request: &Request, entered: &soap::Entered) -> Self {
        let Request { manual, preset, .. } = request;
        let own = entered.config.tftp();
        let tftp = manual.tftp.iter().chain(&own).chain(&preset.tftp).cloned();
        let tftp: Vec<String> = tftp.collect();
        let own = entered.config.ccmcip();
        let named = manual.ccmcip.iter().chain(&own).chain(&preset.fallback.ccmcip);
        Self { lists: older::list_servers(named, &tftp), tftp }
    }

    fn files(&self) -> Vec<crate::files::FileServer> {
        older::file_servers(self.tftp.iter(), self.lists.first())
    }
}

/// The phone by the device list. Where nobody keeps one any more, user data services of the same
/// hosts do (Communications Manager 9.0 and later).
async fn find_phone(
    flow: &Flow<'_>,
    request: &Request,
    entered: &soap::Entered,
    servers: &Servers,
) -> Phone {
    if servers.lists.is_empty() {
        return Phone::missing(None);
    }
    let holder = Holder {
        user_id: account_name(request),
        display_name: None,
        voicemail_pilot: None,
        via: Via::Direct,
    };
    let failed = match older::find(flow, &servers.lists, &request.credentials).await {
        Ok(found) => return older::of_found(flow, found, &servers.files(), holder).await,
        Err(failed) => failed,
    };
    let accepted_by = entered.node.host.as_str();
    if let Some(host) = failed.refused_by {
        return Phone::failed(refused_by_one(&host, accepted_by));
    }
    let cluster = Cluster {
        targets: &servers.lists,
        tftp: &servers.tftp,
        via: Via::Direct,
        proved_by: Some(accepted_by),
    };
    match home::enter(flow, &request.address, &request.credentials, &cluster).await {
        Ok(inside) => {
            let account =
                Account::new(&inside, &request.address, &request.credentials, Via::Direct);
            phone::of_user(flow, &account).await
        }
        Err(refusal) if refusal.silent => Phone::failed(failed.problem),
        Err(refusal) => Phone::failed(refusal.problem),
    }
}

fn grant(
    flow: &Flow<'_>,
    request: &Request,
    entered: soap::Entered,
    phone: Phone,
    layers: Vec<Layer>,
) -> Result<Grant, Problem> {
    let files = Layers::new(layers.iter().cloned());
    let wanted = mode::wanted(&request.preset, &files, false);
    let phone = if wanted.phone { phone } else { Phone::missing(None) };
    let has_phone = phone.service.is_configured();
    let mode = match mode::decide(wanted, true, has_phone) {
        Some(mode) => mode,
        None if wanted.phone => {
            let none = || Problem::no_device(account_name(request));
            return Err(phone.missing.unwrap_or_else(none));
        }
        None => return Err(mode::nothing_wanted()),
    };
    phone.missing.into_iter().for_each(|problem| flow.warn(problem));
    if let Some(problem) = mode::restart_needed(&request.preset, &files, mode) {
        flow.warn(problem);
    }
    let with_chat = mode != ProductMode::PhoneOnly;
    let plan = phone.service.ready();
    let user_id = account_name(request).to_owned();
    Ok(Grant {
        authenticator: Authenticator::Cup,
        mode,
        via: Via::Direct,
        display_name: plan.map_or_else(|| user_id.clone(), |plan| plan.display_name.clone()),
        number: plan.map(|plan| plan.user.clone()),
        username: user_id,
        im: if with_chat { Service::Ready(entered.plan) } else { Service::NotConfigured },
        phone: phone.service,
        layers,
        edge: None,
        restrictions: vec![],
        renewal: with_chat.then_some(Renewal::Soap(entered.renewal)),
        people: People::default(),
    })
}
