//! The servers that discovery named, before anybody connects to them: does the name stand for the
//! host itself (D04), and has it an address that this computer uses (D05)?

use std::net::IpAddr;

use futures_util::future::join_all;
use offhook_model::{Area, DnsFault, IpMode, Outcome, Owner, Problem, TraceStep};
use offhook_ports::Found;

use crate::check::{Checks, MOST};

/// Checks the name of every server once.
pub(crate) async fn check(checks: &mut Checks<'_>, found: &Found) {
    let mut hosts: Vec<&str> = match found {
        Found::Cucm(list) | Found::Cup(list) | Found::Edge(list) => {
            list.iter().map(|target| target.host.as_str()).collect()
        }
        Found::Standard { xmpp, sip } => {
            let xmpp = xmpp.iter().map(|server| server.host.as_str());
            xmpp.chain(sip.iter().map(|server| server.host.as_str())).collect()
        }
        Found::Webex { .. } => vec![],
    };
    hosts.sort_unstable();
    hosts.dedup();
    // A literal address needs no name; that it stands in a record is discovery's finding.
    hosts.retain(|host| host.parse::<IpAddr>().is_err());
    let judged = join_all(hosts.into_iter().take(MOST).map(|host| one(checks, host))).await;
    for (step, problem) in judged {
        checks.note(step);
        if let Some(problem) = problem {
            checks.findings.warn(problem);
        }
    }
}

async fn one(checks: &Checks<'_>, host: &str) -> (TraceStep, Option<Problem>) {
    let begin = checks.world.clock.now();
    let answer = checks.world.dns.addresses(host).await;
    let (of, words, problem) = match &answer {
        Ok(answer) => {
            let list: Vec<_> = answer.records.iter().take(8).map(ToString::to_string).collect();
            let problem = match &answer.alias_of {
                Some(real) => Some(alias(host, real)),
                None => wrong_family(host, &answer.records, checks.ip_mode),
            };
            (answer.server.clone(), list.join(", "), problem)
        }
        Err(fault @ (DnsFault::NoName | DnsFault::NoRecord)) => {
            (String::new(), "no address".to_owned(), Some(no_address(host, fault)))
        }
        // A name server that fails is told by those who need its answer.
        Err(fault) => (String::new(), format!("{fault:?}"), None),
    };
    let of = if of.is_empty() { "name server".to_owned() } else { of };
    let outcome = match (&answer, &problem) {
        (Ok(_), None) => Outcome::Won,
        (Ok(_), Some(_)) => Outcome::Lost,
        (Err(_), _) => Outcome::Failed,
    };
    let step = TraceStep {
        step: "address".into(),
        asked: format!("A/AAAA {host}"),
        of,
        answer: words,
        ms: checks.ms_since(begin),
        outcome,
        why: "a server's name must lead to the server itself".into(),
    };
    (step, problem)
}

fn alias(host: &str, real: &str) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The service records name {host}, which is an alias of {real}."),
        format!(
            "Let the records name {real} itself: an SRV target must not be an alias (RFC 2782)."
        ),
    )
    .with_rule(4)
    .with_evidence(format!("CNAME {host} → {real}"))
}

fn no_address(host: &str, fault: &DnsFault) -> Problem {
    Problem::new(
        Area::Dns,
        Owner::Admin,
        format!("The name {host} has no address."),
        format!("Add an A or AAAA record for {host}, or correct the record that names it."),
    )
    .with_rule(5)
    .with_evidence(format!("A/AAAA {host}: {fault:?}"))
}

/// Only addresses of a family that is switched off here (`IP_Mode`).
fn wrong_family(host: &str, addresses: &[IpAddr], mode: IpMode) -> Option<Problem> {
    let (used, family, other) = match mode {
        IpMode::Both => return None,
        IpMode::V4 => (addresses.iter().any(IpAddr::is_ipv4), "IPv6", "IPv4"),
        IpMode::V6 => (addresses.iter().any(IpAddr::is_ipv6), "IPv4", "IPv6"),
    };
    if used {
        return None;
    }
    Some(
        Problem::new(
            Area::Dns,
            Owner::Network,
            format!(
                "{host} has {family} addresses only, and this computer is set to {other} only."
            ),
            format!("Give {host} an {other} address, or let IP_Mode allow {family}."),
        )
        .with_rule(5)
        .with_evidence(format!("A/AAAA {host}: {family} only; IP_Mode {mode:?}")),
    )
}
