//! What the records lead to, looked at for the doctor: names without addresses and aliases. Sign-in
//! itself does not wait for this; it meets the same names when it connects.

use futures_util::future::join_all;
use offhook_model::{Area, DnsFault, IpMode, Outcome, Owner, Problem, TraceStep};
use offhook_ports::{Found, Target, World};

use crate::asked::{Asked, Fate, Notes, Questions};

/// At most so many names are asked for.
const MOST: usize = 16;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct CheckedTargets {
    /// One step for each name.
    pub steps: Vec<TraceStep>,
    /// D04 for aliases, D05 for names without a usable address, failures of the name system.
    pub problems: Vec<Problem>,
}

/// Asks for the addresses of everything that was found, all at once. Targets that are addresses
/// themselves are left out: there is nothing to ask.
pub async fn check_targets(world: &World, found: &Found, mode: IpMode) -> CheckedTargets {
    let questions = Questions { world };
    let hosts = hosts(found);
    let answers = join_all(hosts.into_iter().map(|host| questions.addresses(host))).await;
    let mut notes = Notes::new(&|_| {});
    for asked in &answers {
        notes.judge("target", asked, Fate::Won("the server has an address"), ToString::to_string);
        if let Some(problem) = judge(asked, mode) {
            notes.warn(problem);
        }
    }
    // Absence is an answer elsewhere; here it is a failure.
    for step in notes.steps.iter_mut().filter(|step| step.outcome == Outcome::Lost) {
        step.outcome = Outcome::Failed;
    }
    CheckedTargets { steps: notes.steps, problems: notes.warnings }
}

fn hosts(found: &Found) -> Vec<String> {
    let of = |list: &[Target]| list.iter().map(|it| it.host.clone()).collect::<Vec<_>>();
    let all = match found {
        Found::Cucm(list) | Found::Cup(list) | Found::Edge(list) => of(list),
        Found::Webex { .. } => vec![],
        Found::Standard { xmpp, sip } => {
            let chat = xmpp.iter().map(|it| it.host.clone());
            chat.chain(sip.iter().map(|it| it.host.clone())).collect()
        }
    };
    let mut hosts: Vec<String> = vec![];
    for host in all {
        let known = hosts.iter().any(|it| it.eq_ignore_ascii_case(&host));
        if !known && host.parse::<std::net::IpAddr>().is_err() && hosts.len() < MOST {
            hosts.push(host);
        }
    }
    hosts
}

fn judge(asked: &Asked<std::net::IpAddr>, mode: IpMode) -> Option<Problem> {
    let host = &asked.name;
    let usable = |address: &std::net::IpAddr| match mode {
        IpMode::Both => true,
        IpMode::V4 => address.is_ipv4(),
        IpMode::V6 => address.is_ipv6(),
    };
    match &asked.result {
        Ok(addresses) if !addresses.iter().any(usable) => Some(other_family(host, mode)),
        Ok(_) => asked.alias_of.as_deref().map(|of| alias(host, of)),
        // The adapter may have left out the addresses of the other family already.
        Err(DnsFault::NoRecord) if mode != IpMode::Both => Some(other_family(host, mode)),
        Err(DnsFault::NoName | DnsFault::NoRecord) => Some(no_address(host)),
        Err(_) => asked.problem(host),
    }
}

/// D04: RFC 2782, "Target: … the name MUST NOT be an alias".
fn alias(host: &str, of: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The SRV target {host} is an alias of {of}, which records must not name."),
        format!("Let the SRV record name {of}, and see that the certificate has that name."),
    )
    .with_rule(4)
    .with_evidence(format!("CNAME {host} → {of}"))
}

fn no_address(host: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The name {host} has no address."),
        format!("Add an A or AAAA record for {host}, or correct the record that names it."),
    )
    .with_rule(5)
    .with_evidence(format!("A/AAAA {host}: none"))
}

fn other_family(host: &str, mode: IpMode) -> Problem {
    let (used, kind) = match mode {
        IpMode::V6 => ("IPv6", "AAAA"),
        IpMode::V4 | IpMode::Both => ("IPv4", "A"),
    };
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The name {host} has no {used} address, and only {used} is used here (IP_Mode)."),
        format!("Add an {kind} record for {host}, or set IP_Mode to use both families."),
    )
    .with_rule(5)
    .with_evidence(format!("{kind} {host}: none"))
}
