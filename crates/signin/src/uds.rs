//! Sign-in with Communications Manager: its user data services name everything else (reference
//! uds.md, start-up sequence).

use futures_util::join;
use offhook_config::{HttpUrl, Layers, UdsUser};
use offhook_model::{AccountType, Authenticator, Layer, ManualAccount, Problem, UserAddress, Via};
use offhook_ports::Target;

use crate::files::{self, FileServer, Group};
use crate::flow::{Flow, place};
use crate::home::{self, Entered};
use crate::phone::{self, Holder, Phone};
use crate::{Credentials, Grant, People, Request, Service, im, mode, older};

/// Communications Manager as it is reached, and what is known before it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Cluster<'a> {
    /// Nodes to ask for the home cluster, in order.
    pub(crate) targets: &'a [Target],
    /// TFTP servers that discovery named (`get_edge_config`), as `host` or `host:port`.
    pub(crate) tftp: &'a [String],
    /// Which way we come. From outside the edge stands in for the phone's own certificate.
    pub(crate) via: Via,
    /// Who has accepted the same password already, as an edge has: a refusal is not about the
    /// password then (D13).
    pub(crate) proved_by: Option<&'a str>,
}

/// The node that knows the user, and what it says.
pub(crate) struct Account<'a> {
    pub(crate) node: &'a Target,
    pub(crate) user_id: &'a str,
    pub(crate) user: &'a UdsUser,
    pub(crate) address: &'a UserAddress,
    pub(crate) credentials: &'a Credentials,
    pub(crate) via: Via,
}

impl<'a> Account<'a> {
    pub(crate) fn new(
        entered: &'a Entered,
        address: &'a UserAddress,
        credentials: &'a Credentials,
        via: Via,
    ) -> Self {
        let Entered { node, user_id, user, .. } = entered;
        Self { node, user_id, user, address, credentials, via }
    }

    pub(crate) fn holder(&self) -> Holder<'a> {
        Holder {
            user_id: self.user_id,
            display_name: self.user.display_name.as_deref(),
            voicemail_pilot: self.user.voicemail_pilot.as_deref(),
            via: self.via,
        }
    }

    fn display_name(&self) -> String {
        self.user.display_name.clone().unwrap_or_else(|| self.user_id.to_owned())
    }
}

pub(crate) async fn sign_in(
    flow: &Flow<'_>,
    request: &Request,
    cluster: &Cluster<'_>,
) -> Result<Grant, Problem> {
    let settled = settled(request, cluster.targets);
    match home::enter(flow, &request.address, &request.credentials, cluster).await {
        Ok(entered) => inside(flow, request, cluster, &entered, settled.is_some()).await,
        Err(refusal) => match settled {
            Some(servers) if refusal.silent => {
                older::sign_in(flow, request, servers, refusal.problem).await
            }
            Some(_) | None => Err(refusal.problem),
        },
    }
}

/// Settings that name Communications Manager, and with it phone mode (the seed, manual connection
/// settings in phone mode): the user's own, or those of the installation where they were what
/// discovery fell back on.
fn settled<'a>(request: &'a Request, targets: &[Target]) -> Option<&'a ManualAccount> {
    let Request { manual, preset, .. } = request;
    if manual.account_type == AccountType::Cucm {
        return Some(manual);
    }
    let fallback = &preset.fallback;
    let named = [&fallback.server, &fallback.ccmcip, &fallback.tftp];
    let places = named.into_iter().flatten().filter_map(|text| place(text, 8443));
    let hosts: Vec<String> = places.map(|place| place.host).collect();
    let fell_back = targets.iter().all(|target| hosts.contains(&target.host));
    (fallback.account_type == AccountType::Cucm && !targets.is_empty() && fell_back)
        .then_some(fallback)
}

/// Everything that a node which let us in leads to.
async fn inside(
    flow: &Flow<'_>,
    request: &Request,
    cluster: &Cluster<'_>,
    entered: &Entered,
    phone_only: bool,
) -> Result<Grant, Problem> {
    let Request { address, credentials, preset, .. } = request;
    let account = Account::new(entered, address, credentials, cluster.via);
    let phone_only = phone_only || preset.phone_mode;
    let early = preset.im && !phone_only;
    flow.doing("Fetching your services and your phone");
    let chat = async {
        let profile = im::profile(flow, account.user).await;
        let chat = if early {
            im::enter(flow, request, &account, &profile).await
        } else {
            im::Chat::none()
        };
        (profile, chat)
    };
    let servers = file_servers(request, cluster, entered);
    let phone = phone::of_user(flow, &account);
    let ((profile, chat), (phone, layers)) = join!(chat, desk(flow, request, &servers, phone));
    let layers: Vec<Layer> =
        profile.as_ref().ok().and_then(im::Profile::layer).into_iter().chain(layers).collect();
    let files = Layers::new(layers.iter().cloned());
    let wanted = mode::wanted(preset, &files, phone_only);
    // A file of this sign-in allows what was switched off before it.
    let chat = match (wanted.im, early) {
        (true, false) => im::enter(flow, request, &account, &profile).await,
        _ => chat,
    };
    conclude(flow, &account, chat, phone, Settled { preset, wanted, layers, files })
}

/// The phone, and beside it the client configuration files, the stronger one last.
pub(crate) async fn desk(
    flow: &Flow<'_>,
    request: &Request,
    servers: &[FileServer],
    phone: impl Future<Output = Phone>,
) -> (Phone, Vec<Layer>) {
    let settled = Group::settled(&request.preset);
    let phone_and_group = async {
        let early = async {
            match &settled {
                Some(group) => files::group(flow, servers, group).await,
                None => None,
            }
        };
        let (phone, group) = join!(phone, early);
        match (&settled, &phone.group) {
            (None, Some(named)) => {
                let at = servers.iter().cloned().chain(phone.at.clone());
                let group = files::group(flow, &files::in_order(at), named).await;
                (phone, group)
            }
            _ => (phone, group),
        }
    };
    let (global, rules) = (files::global(flow, servers), files::rules(flow, servers));
    let (global, (phone, group), ()) = join!(global, phone_and_group, rules);
    (phone, global.into_iter().chain(group).collect())
}

/// TFTP servers in the order of reference client-config.md section 1: manual settings, what
/// discovery gave, the servers that the user's files come from, the nodes of the cluster, the
/// installation's.
fn file_servers(request: &Request, cluster: &Cluster<'_>, entered: &Entered) -> Vec<FileServer> {
    let manual = request.manual.tftp.iter();
    let found = manual.chain(cluster.tftp).filter_map(|text| FileServer::named(text));
    let profiles = entered.user.service_profiles.iter();
    let profiles = profiles.filter_map(|uri| HttpUrl::parse(uri)).map(|url| FileServer::of(&url));
    let nodes = entered.nodes.iter().filter_map(|host| FileServer::named(host));
    let last = request.preset.tftp.iter().filter_map(|text| FileServer::named(text));
    files::in_order(found.chain(profiles).chain(nodes).chain(last))
}

/// What was settled before, and what the files of this sign-in say.
struct Settled<'a> {
    preset: &'a offhook_model::Preset,
    wanted: mode::Wanted,
    layers: Vec<Layer>,
    files: Layers,
}

/// The service profile decides who the authenticator is (reference discovery.md section 3): IM
/// and Presence or the cloud once it has let us in, else Communications Manager, which has.
fn conclude(
    flow: &Flow<'_>,
    account: &Account<'_>,
    mut chat: im::Chat,
    mut phone: Phone,
    settled: Settled<'_>,
) -> Result<Grant, Problem> {
    let Settled { preset, wanted, layers, files } = settled;
    if !wanted.im {
        chat = im::Chat::none();
    }
    if !wanted.phone {
        phone = Phone::missing(None);
    }
    let missing = [chat.missing, phone.missing.clone()];
    let (has_im, has_phone) = (chat.service.is_configured(), phone.service.is_configured());
    let Some(mode) = mode::decide(wanted, has_im, has_phone) else {
        let missing = [phone.missing, missing.into_iter().flatten().next()];
        return Err(missing.into_iter().flatten().next().unwrap_or_else(|| match wanted {
            mode::Wanted { im: false, phone: false } => mode::nothing_wanted(),
            mode::Wanted { phone: true, .. } => Problem::no_device(account.user_id),
            mode::Wanted { phone: false, .. } => im::profile_without_chat(account.user_id),
        }));
    };
    missing.into_iter().flatten().for_each(|problem| flow.warn(problem));
    if chat.service.ready().is_none() && phone.service.ready().is_none() {
        return Err(most_telling(account, &chat.service, &phone.service));
    }
    if let Some(problem) = mode::restart_needed(preset, &files, mode) {
        flow.warn(problem);
    }
    let line = phone.service.ready().map(|plan| plan.user.clone());
    let in_chat = chat.service.ready().is_some();
    Ok(Grant {
        authenticator: if in_chat { chat.authenticator } else { Authenticator::Cucm },
        mode,
        via: account.via,
        username: account.user_id.to_owned(),
        display_name: account.display_name(),
        number: account.user.number.clone().or(line),
        im: chat.service,
        phone: phone.service,
        layers,
        edge: None,
        restrictions: vec![],
        renewal: chat.renewal,
        people: People::default(),
    })
}

fn most_telling<A, B>(account: &Account<'_>, im: &Service<A>, phone: &Service<B>) -> Problem {
    let problems = [im.problem(), phone.problem()];
    let first = problems.into_iter().flatten().min_by_key(|problem| problem.area);
    first.cloned().unwrap_or_else(|| Problem::no_device(account.user_id))
}

/// The phone of an account whose chat is elsewhere.
pub(crate) struct Half {
    pub(crate) phone: Phone,
    pub(crate) layers: Vec<Layer>,
    pub(crate) display_name: Option<String>,
    pub(crate) number: Option<String>,
}

impl Half {
    /// There is no phone.
    pub(crate) fn none() -> Self {
        Self { phone: Phone::missing(None), layers: vec![], display_name: None, number: None }
    }

    /// There is one, and it cannot be had.
    pub(crate) fn failed(problem: Problem) -> Self {
        Self { phone: Phone::failed(problem), ..Self::none() }
    }
}

/// The phone half of a hybrid account: chat stays where it is.
pub(crate) async fn phone_half(
    flow: &Flow<'_>,
    request: &Request,
    credentials: &Credentials,
    cluster: &Cluster<'_>,
) -> Half {
    let entered = match home::enter(flow, &request.address, credentials, cluster).await {
        Ok(entered) => entered,
        Err(refusal) => return Half::failed(refusal.problem),
    };
    let account = Account::new(&entered, &request.address, credentials, cluster.via);
    let servers = file_servers(request, cluster, &entered);
    let phone = desk(flow, request, &servers, phone::of_user(flow, &account));
    let (profile, (phone, layers)) = join!(im::profile(flow, account.user), phone);
    let profile = profile.as_ref().ok().and_then(im::Profile::layer);
    let line = phone.service.ready().map(|plan| plan.user.clone());
    Half {
        layers: profile.into_iter().chain(layers).collect(),
        display_name: account.user.display_name.clone(),
        number: account.user.number.clone().or(line),
        phone,
    }
}
