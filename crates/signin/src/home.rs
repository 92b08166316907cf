//! Finding the user's home cluster and being let in there (reference uds.md, start-up sequence).

use std::time::Duration;

use futures_util::join;
use offhook_config::{HomeCluster, HttpUrl, UdsUser, read_cluster_user, read_servers, read_user};
use offhook_model::{Area, Fault, Owner, Problem, Service as Kind, UserAddress};
use offhook_ports::{HttpRequest, Target};

use crate::Credentials;
use crate::flow::{Failure, Flow, Purpose, encode, https, most_important};
use crate::uds::Cluster;

/// The asked node asks the other clusters in turn, for which 10 s are to be allowed (reference
/// uds.md); the way there and back comes on top.
const FAN_OUT: Duration = Duration::from_secs(12);
/// At most so many nodes of a cluster are asked for the user.
const MOST_NODES: usize = 8;

/// Let in, by this node.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) node: Target,
    /// User id as the server spells it.
    pub(crate) user_id: String,
    pub(crate) user: UdsUser,
    /// All nodes of the home cluster that are known, the one that let us in first.
    pub(crate) nodes: Vec<String>,
}

/// Not let in.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) problem: Problem,
    /// No node answered as user data services do: the cluster may be one of before 9.0, which
    /// has none.
    pub(crate) silent: bool,
}

/// The user's own cluster.
struct Home {
    node: Target,
    /// User id as the server spells it.
    user_id: String,
    servers_url: HttpUrl,
    /// The node that told it, which need not be one of the cluster.
    told_by: Target,
}

pub(crate) async fn enter(
    flow: &Flow<'_>,
    address: &UserAddress,
    credentials: &Credentials,
    cluster: &Cluster<'_>,
) -> Result<Entered, Refusal> {
    flow.doing("Looking for your home cluster");
    let home = find_home(flow, address, cluster.targets, credentials).await?;
    flow.doing(format!("Signing in at {}", home.node.host));
    fetch_user(flow, &home, credentials, cluster.proved_by)
        .await
        .map_err(|problem| Refusal { problem, silent: false })
}

/// Asks the targets in order until one knows the user. Dead ones are passed over after the
/// request's own timeout.
async fn find_home(
    flow: &Flow<'_>,
    address: &UserAddress,
    targets: &[Target],
    credentials: &Credentials,
) -> Result<Home, Refusal> {
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
        let problem = Problem::no_home_cluster(&credentials.username, &target.host);
        return Err(Refusal { problem, silent: false });
    }
    let (problem, others) = most_important(failures)
        .unwrap_or_else(|| (Problem::no_services(address.domain()), vec![]));
    others.into_iter().for_each(|other| flow.warn(other));
    Err(Refusal { problem, silent: true })
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
    let question =
        |url: &HttpUrl| HttpRequest { timeout: FAN_OUT, ..HttpRequest::get(url.to_string()) };
    let show = |home: &Option<HomeCluster>| match home {
        Some(home) => format!("home cluster {}", home.host),
        None => "the user is not known".to_owned(),
    };
    let by_name = query("username", &credentials.username);
    let found = flow.ask(purpose, &by_name, question(&by_name), read_cluster_user, show).await?;
    if found.is_some() || !credentials.username.eq_ignore_ascii_case(address.user()) {
        return Ok(found);
    }
    let by_mail = query("email", &address.to_string());
    // Servers that do not know this question have answered the first one, and that counts.
    let found = flow.ask(purpose, &by_mail, question(&by_mail), read_cluster_user, show).await;
    Ok(found.unwrap_or(None))
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
        told_by: target.clone(),
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
) -> Result<Entered, Problem> {
    let (listed, first) = join!(servers(flow, home), user(flow, &home.node, home, credentials));
    let mut failures = match first {
        Ok(user) => return Ok(entered(flow, home, home.node.clone(), user, listed)),
        Err(failure) => vec![failure],
    };
    let others: Vec<Target> = listed
        .iter()
        .filter(|host| !host.eq_ignore_ascii_case(&home.node.host))
        .map(|host| Target { host: host.clone(), port: home.node.port })
        .collect();
    for node in others.into_iter().take(MOST_NODES) {
        if failures.last().is_some_and(is_final) {
            break;
        }
        match user(flow, &node, home, credentials).await {
            Ok(user) => {
                passed_over(flow, failures, &node);
                return Ok(entered(flow, home, node, user, listed));
            }
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(last) = failures.last().filter(|failure| is_final(failure)) {
        return Err(refused(last, home, proved_by));
    }
    let (problem, others) = most_important(failures)
        .unwrap_or_else(|| (Problem::no_home_cluster(&home.user_id, &home.node.host), vec![]));
    others.into_iter().for_each(|other| flow.warn(other));
    Err(problem)
}

fn entered(
    flow: &Flow<'_>,
    home: &Home,
    node: Target,
    user: UdsUser,
    listed: Vec<String>,
) -> Entered {
    let mut nodes = vec![node.host.clone()];
    for host in std::iter::once(home.node.host.clone()).chain(listed) {
        if !nodes.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
            nodes.push(host);
        }
    }
    let cluster = nodes.iter().map(|host| Target { host: host.clone(), port: node.port });
    flow.learn(|people| people.clusters = vec![cluster.collect()]);
    let user_id = user.user_name.clone().unwrap_or_else(|| home.user_id.clone());
    Entered { node, user_id, user, nodes }
}

/// What no other node would answer differently.
fn is_final(failure: &Failure) -> bool {
    matches!(failure.fault, Fault::BadCredentials | Fault::Status(403 | 404))
}

fn refused(failure: &Failure, home: &Home, proved_by: Option<&str>) -> Problem {
    let host = &failure.at.host;
    match (&failure.fault, proved_by) {
        (Fault::Status(404), _) => Problem::no_home_cluster(&home.user_id, host),
        (Fault::Status(403), _) => may_not(&home.user_id, host),
        (Fault::BadCredentials, Some(other)) => refused_by_one(host, other),
        _ => failure.problem(),
    }
}

/// The reference does not list this status for user data services; servers answer so whose users
/// lack the role (inferred).
fn may_not(user: &str, host: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("{host} does not let {user} read the own account."),
        "Add the user to the access control group Standard CCM End Users.",
    )
    .with_evidence(format!("HTTP 403 from {host}"))
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

/// The nodes of the home cluster. When the home node does not say, the node that knew it may: it
/// mostly is of the same cluster, and its list counts only if it is.
async fn servers(flow: &Flow<'_>, home: &Home) -> Vec<String> {
    if let Ok(hosts) = list(flow, &home.servers_url).await {
        return hosts;
    }
    let other = https(&home.told_by, "/cucm-uds/servers".to_owned());
    if other == home.servers_url {
        return vec![];
    }
    let hosts = list(flow, &other).await.unwrap_or_default();
    let same = |host: &String| host.eq_ignore_ascii_case(&home.node.host);
    if hosts.iter().any(same) { hosts } else { vec![] }
}

async fn list(flow: &Flow<'_>, url: &HttpUrl) -> Result<Vec<String>, Failure> {
    let purpose = Purpose {
        step: "servers",
        service: Kind::Uds,
        why: "other nodes to turn to when the home node fails",
    };
    let request = HttpRequest::get(url.to_string());
    let show = |hosts: &Vec<String>| hosts.join(", ");
    flow.ask(purpose, url, request, read_servers, show).await
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
