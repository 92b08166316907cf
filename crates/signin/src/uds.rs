//! Sign-in with user data services of Communications Manager (reference uds.md, start-up
//! sequence).

use futures_util::join;
use offhook_config::{HomeCluster, HttpUrl, UdsUser, read_cluster_user, read_servers, read_user};
use offhook_model::{
    Area, Authenticator, Fault, Owner, Problem, ProductMode, Service as Kind, UserAddress, Via,
};
use offhook_ports::{HttpRequest, Target};

use crate::flow::{Failure, Flow, Purpose, encode, https, most_important};
use crate::{Credentials, Grant, Request, Service, im, phone};

/// Communications Manager as it is reached, and what is known before it is asked.
pub(crate) struct Cluster<'a> {
    /// Nodes to ask for the home cluster, in order.
    pub(crate) targets: &'a [Target],
    /// TFTP servers that discovery named (`get_edge_config`), as `host` or `host:port`.
    #[expect(dead_code, reason = "read by the configuration files, which come next")]
    pub(crate) tftp: &'a [String],
    /// Which way we come. From outside the edge stands in for the phone's own certificate.
    pub(crate) via: Via,
    /// Who has accepted the same password already, as an edge has: a refusal is not about the
    /// password then (D13).
    pub(crate) proved_by: Option<&'a str>,
}

/// The user's own cluster.
struct Home {
    node: Target,
    /// User id as the server spells it.
    user_id: String,
    servers_url: HttpUrl,
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

pub(crate) async fn sign_in(
    flow: &Flow<'_>,
    request: &Request,
    cluster: &Cluster<'_>,
) -> Result<Grant, Problem> {
    let Request { address, credentials, seed, .. } = request;
    flow.doing("Looking for your home cluster");
    let home = find_home(flow, address, cluster.targets, credentials).await?;
    flow.doing(format!("Signing in at {}", home.node.host));
    let (node, user) = fetch_user(flow, &home, credentials, cluster.proved_by).await?;
    let user_id = user.user_name.clone().unwrap_or(home.user_id);
    let account = Account {
        node: &node,
        user_id: &user_id,
        user: &user,
        address,
        credentials,
        via: cluster.via,
    };
    flow.doing("Fetching your services and your phone");
    let (im, phone) = join!(im::prepare(flow, &account, *seed), phone::prepare(flow, &account));
    grant(account, im, phone)
}

/// The service profile decides who the authenticator is (reference discovery.md section 3): IM
/// and Presence once it has let us in, else Communications Manager, which has.
fn grant(
    account: Account<'_>,
    im: im::Prepared,
    phone: Service<offhook_ports::PhoneAccount>,
) -> Result<Grant, Problem> {
    let mode = match (im.service.is_configured(), phone.is_configured()) {
        (true, true) => ProductMode::Full,
        (true, false) => ProductMode::ImOnly,
        (false, true) => ProductMode::PhoneOnly,
        (false, false) => return Err(Problem::no_device(account.user_id)),
    };
    let authenticator = match &im.service {
        Service::Ready(_) => Authenticator::Cup,
        Service::NotConfigured | Service::Failed(_) => Authenticator::Cucm,
    };
    if im.service.ready().is_none() && phone.ready().is_none() {
        let problems = [im.service.problem(), phone.problem()];
        let first = problems.into_iter().flatten().min_by_key(|problem| problem.area);
        return Err(first.cloned().unwrap_or_else(|| Problem::no_device(account.user_id)));
    }
    let line = phone.ready().map(|plan| plan.user.clone());
    Ok(Grant {
        authenticator,
        mode,
        via: account.via,
        username: account.user_id.to_owned(),
        display_name: account
            .user
            .display_name
            .clone()
            .unwrap_or_else(|| account.user_id.to_owned()),
        number: account.user.number.clone().or(line),
        im: im.service,
        phone,
        layers: vec![],
        edge: None,
        restrictions: vec![],
        renewal: im.renewal,
    })
}

/// Asks the targets in order until one knows the user. Dead ones are passed over after the
/// request's own timeout.
async fn find_home(
    flow: &Flow<'_>,
    address: &UserAddress,
    targets: &[Target],
    credentials: &Credentials,
) -> Result<Home, Problem> {
    let mut failures = vec![];
    let mut stranger = None;
    for target in targets {
        match cluster_user(flow, address, target, credentials).await {
            Ok(Some(found)) => {
                passed_over(flow, failures, target);
                return Ok(home(found, target, credentials));
            }
            Ok(None) => stranger = stranger.or(Some(target)),
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(target) = stranger {
        passed_over(flow, failures, target);
        return Err(Problem::no_home_cluster(&credentials.username, &target.host));
    }
    let (problem, others) = most_important(failures)
        .unwrap_or_else(|| (Problem::no_services(address.domain()), vec![]));
    others.into_iter().for_each(|other| flow.warn(other));
    Err(problem)
}

/// Asks by user name, and by the address when the user name was not typed but taken from it:
/// many user ids differ from what stands before the `@`.
async fn cluster_user(
    flow: &Flow<'_>,
    address: &UserAddress,
    target: &Target,
    credentials: &Credentials,
) -> Result<Option<HomeCluster>, Failure> {
    let purpose = Purpose {
        step: "homeCluster",
        service: Kind::Uds,
        why: "the user's home cluster must be known first",
    };
    let query = |key: &str, value: &str| {
        https(target, format!("/cucm-uds/clusterUser?{key}={}", encode(value)))
    };
    let show = |home: &Option<HomeCluster>| match home {
        Some(home) => format!("home cluster {}", home.host),
        None => "the user is not known".to_owned(),
    };
    let by_name = query("username", &credentials.username);
    let request = HttpRequest::get(by_name.to_string());
    let found = flow.ask(purpose, &by_name, request, read_cluster_user, show).await?;
    if found.is_some() || !credentials.username.eq_ignore_ascii_case(address.user()) {
        return Ok(found);
    }
    let by_mail = query("email", &address.to_string());
    let request = HttpRequest::get(by_mail.to_string());
    // Servers that do not know this question have answered the first one, and that counts.
    Ok(flow.ask(purpose, &by_mail, request, read_cluster_user, show).await.unwrap_or(None))
}

/// Ports are those that the answer writes, else the one that answered. Whatever the answer says,
/// the password goes to HTTPS only.
fn home(found: HomeCluster, target: &Target, credentials: &Credentials) -> Home {
    let secure = |uri: &Option<String>| HttpUrl::parse(uri.as_deref()?).filter(|url| url.secure);
    let user = secure(&found.user_uri);
    let servers = secure(&found.servers_uri);
    let port = user.as_ref().or(servers.as_ref()).map_or(target.port, |url| url.port);
    let node = Target { host: found.host, port };
    Home {
        user_id: user
            .and_then(|url| url.last_segment())
            .unwrap_or_else(|| credentials.username.clone()),
        servers_url: servers.unwrap_or_else(|| https(&node, "/cucm-uds/servers".to_owned())),
        node,
    }
}

/// Failures before a success are worth mending (D06), or worse than that.
fn passed_over(flow: &Flow<'_>, failures: Vec<Failure>, answered: &Target) {
    for failure in failures {
        flow.warn(passed_over_problem(&failure, &answered.host));
    }
}

pub(crate) fn passed_over_problem(failure: &Failure, answered: &str) -> Problem {
    let host = &failure.at.host;
    let problem = failure.problem();
    match problem.area {
        Area::Dns | Area::Network => Problem::new(
            Area::Network,
            Owner::Admin,
            format!("{host} is to be tried before {answered} and cannot be used, so sign-in had to wait for it in vain."),
            format!("Repair {host}, or let its record come after {answered}."),
        )
        .with_rule(6)
        .with_evidence(problem.evidence),
        Area::Tls
        | Area::Authentication
        | Area::Provisioning
        | Area::Registration
        | Area::Media => problem,
    }
}

/// Asks the home node and, should it fail, the other nodes of its cluster. A wrong password is
/// told at once: asking every node would lock the account.
async fn fetch_user(
    flow: &Flow<'_>,
    home: &Home,
    credentials: &Credentials,
    proved_by: Option<&str>,
) -> Result<(Target, UdsUser), Problem> {
    let (others, first) = join!(servers(flow, home), user(flow, &home.node, home, credentials));
    let mut failures = match first {
        Ok(user) => return Ok((home.node.clone(), user)),
        Err(failure) => vec![failure],
    };
    let is_home = |host: &String| host.eq_ignore_ascii_case(&home.node.host);
    for host in others.into_iter().filter(|host| !is_home(host)) {
        if failures.last().is_some_and(is_final) {
            break;
        }
        let node = Target { host, port: home.node.port };
        match user(flow, &node, home, credentials).await {
            Ok(user) => {
                passed_over(flow, failures, &node);
                return Ok((node, user));
            }
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(last) = failures.last().filter(|failure| is_final(failure)) {
        return Err(match (&last.fault, proved_by) {
            (Fault::Status(404), _) => Problem::no_home_cluster(&home.user_id, &last.at.host),
            (Fault::BadCredentials, Some(other)) => refused_by_one(&last.at.host, other),
            _ => last.problem(),
        });
    }
    let (problem, others) = most_important(failures)
        .unwrap_or_else(|| (Problem::no_home_cluster(&home.user_id, &home.node.host), vec![]));
    others.into_iter().for_each(|other| flow.warn(other));
    Err(problem)
}

fn is_final(failure: &Failure) -> bool {
    matches!(failure.fault, Fault::BadCredentials | Fault::Status(403 | 404))
}

/// One server accepts the password and another refuses it (D13).
pub(crate) fn refused_by_one(host: &str, accepted_by: &str) -> Problem {
    Problem::new(
        Area::Authentication,
        Owner::Admin,
        format!("{host} refuses the user name and password that {accepted_by} has accepted."),
        format!(
            "Check that {host} and {accepted_by} are linked and hold the same users and passwords."
        ),
    )
    .with_rule(13)
    .with_evidence(format!("HTTP 401 from {host}, accepted by {accepted_by}"))
}

async fn servers(flow: &Flow<'_>, home: &Home) -> Vec<String> {
    let purpose = Purpose {
        step: "servers",
        service: Kind::Uds,
        why: "other nodes to turn to when the home node fails",
    };
    let request = HttpRequest::get(home.servers_url.to_string());
    let show = |hosts: &Vec<String>| hosts.join(", ");
    flow.ask(purpose, &home.servers_url, request, read_servers, show).await.unwrap_or_default()
}

async fn user(
    flow: &Flow<'_>,
    node: &Target,
    home: &Home,
    credentials: &Credentials,
) -> Result<UdsUser, Failure> {
    let purpose = Purpose {
        step: "user",
        service: Kind::Uds,
        why: "proves the password and names the services",
    };
    let url = https(node, format!("/cucm-uds/user/{}", encode(&home.user_id)));
    let request =
        HttpRequest::get(url.to_string()).with_basic(&home.user_id, &credentials.password);
    let show = |user: &UdsUser| match user.service_profiles.len() {
        0 => "accepted; no service profile".to_owned(),
        _ => "accepted; a service profile is named".to_owned(),
    };
    flow.ask(purpose, &url, request, read_user, show).await
}
