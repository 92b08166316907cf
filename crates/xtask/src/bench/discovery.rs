//! How long discovery takes, beside `dig` asking the same questions one by one, and beside the
//! slowest single answer: nothing may be serial that could be parallel.

mod servers;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::stage::until;
use super::table::{Peer, Row, median};
use crate::packages::exists;
use crate::process::{Scratch, built, cargo, run};

use servers::{Cloud, Names};

/// How often each is measured; the median counts.
const ROUNDS: usize = 9;

/// One deployment: what is published, and how long each answer takes.
struct Place {
    what: &'static str,
    domain: &'static str,
    found: &'static str,
    /// Names that have a record, without the domain.
    published: &'static [&'static str],
    /// Milliseconds of each answer, by what its name begins with.
    delays: &'static [(&'static str, u64)],
    /// Milliseconds of the cloud's answer.
    cloud: u64,
    /// The slowest single answer, times this, is the goal.
    goal: Option<f64>,
}

const PLACES: [Place; 3] = [
    Place {
        what: "on-prem, slow answers",
        domain: "inside.test",
        found: "cucm",
        published: &["_cisco-uds._tcp"],
        delays: &[("_cisco-uds", 60), ("_cuplogin", 90), ("_collab-edge", 120), ("", 40)],
        cloud: 150,
        goal: Some(1.3),
    },
    // The pinpoint zone is asked only when no inner record came, so these two have two rounds: a
    // cloud account may have its phone there.
    Place {
        what: "cloud, slow answers, two rounds",
        domain: "cloud.test",
        found: "webex",
        published: &[],
        delays: &[("_cisco-uds", 80), ("_cuplogin", 90), ("_collab-edge", 120), ("", 40)],
        cloud: 150,
        goal: None,
    },
    Place {
        what: "outside, slow answers, two rounds",
        domain: "outside.test",
        found: "edge",
        published: &["_collab-edge._tls"],
        delays: &[("_cisco-uds", 60), ("_cuplogin", 90), ("_collab-edge", 120), ("", 40)],
        cloud: 150,
        goal: None,
    },
];

/// What discovery asks in its first round, for `dig`.
const QUESTIONS: [(&str, &str); 9] = [
    ("_cisco-uds._tcp.", "SRV"),
    ("_cuplogin._tcp.", "SRV"),
    ("_collab-edge._tls.", "SRV"),
    ("_xmpps-client._tcp.", "SRV"),
    ("_xmpp-client._tcp.", "SRV"),
    ("_sips._tcp.", "SRV"),
    ("_sip._tcp.", "SRV"),
    ("_sip._udp.", "SRV"),
    ("", "NAPTR"),
];

/// Measures.
///
/// # Errors
/// It cannot be built or run.
pub fn measure() -> Result<Vec<Row>, String> {
    let package = ["-p", "offhook-net"];
    run(cargo().args(["build", "--release", "--example", "discovery_cost"]).args(package))?;
    if !exists("dig") {
        return Err("dig is not installed (bind9-dnsutils)".into());
    }
    let mut rows = vec![];
    for place in &PLACES {
        rows.extend(slow(place)?);
    }
    rows.extend(warm()?);
    Ok(rows)
}

/// Answers with delays of their own, so that the slowest one stands out.
fn slow(place: &Place) -> Result<Vec<Row>, String> {
    let names = Names::start(place.domain, place.published, place.delays)?;
    let code = if place.found == "webex" { 7 } else { 1 };
    let cloud = Cloud::start(Duration::from_millis(place.cloud), code)?;
    let ours = ours(names.address, cloud.address, place.domain, place.found)?;
    let dig = digs(names.address, place.domain)?;
    let asked = single(&cloud)?;
    let slowest = dig.iter().copied().fold(asked, f64::max);
    let what = |other: &str| format!("discovery, {}: ms{other}", place.what);
    let mut row = Row::new(what(""), ours).beside(Peer::Measured("slowest answer", slowest));
    if let Some(goal) = place.goal {
        row = row.at_most(goal * slowest);
    }
    let sum = dig.iter().sum::<f64>() + asked;
    let beside = Row::new(what(" beside one by one"), ours).beside(Peer::Measured("dig", sum));
    Ok(vec![row.digits(1), beside.digits(1)])
}

/// Knot with the records in memory: what remains is our own cost.
fn warm() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("bench-discovery")?;
    let Some((_running, address)) = servers::knot(&scratch.0)? else {
        println!("knotd is not installed: discovery with a warm name server is left out.");
        return Ok(vec![]);
    };
    let cloud = Cloud::start(Duration::ZERO, 1)?;
    let ours = ours(address, cloud.address, servers::KNOT_DOMAIN, "cucm")?;
    let sum = digs(address, servers::KNOT_DOMAIN)?.iter().sum::<f64>() + single(&cloud)?;
    let row = Row::new("discovery, on-prem, warm Knot: ms beside one by one", ours);
    Ok(vec![row.beside(Peer::Measured("dig", sum))])
}

fn ours(names: SocketAddr, cloud: SocketAddr, domain: &str, found: &str) -> Result<f64, String> {
    let mut command = Command::new(built("release", "examples/discovery_cost"));
    command.args([names.to_string(), cloud.to_string(), domain.into(), ROUNDS.to_string()]);
    let out = command.output().map_err(|error| format!("discovery_cost: {error}"))?;
    let said: Value = serde_json::from_slice(&out.stdout)
        .map_err(|_| format!("discovery_cost: {}", String::from_utf8_lossy(&out.stderr)))?;
    if said["found"] != found {
        return Err(format!("discovery found {} instead of {found}", said["found"]));
    }
    let times = said["ms"].as_array().cloned().unwrap_or_default();
    let times = times.iter().filter_map(Value::as_f64).collect();
    median(times).ok_or_else(|| "discovery_cost gave no figure".to_owned())
}

/// The query time that `dig` tells of each question, in ms: starting `dig` is not in it.
fn digs(names: SocketAddr, domain: &str) -> Result<Vec<f64>, String> {
    QUESTIONS.iter().map(|(prefix, kind)| dig(names, &format!("{prefix}{domain}"), kind)).collect()
}

fn dig(names: SocketAddr, name: &str, kind: &str) -> Result<f64, String> {
    let mut times = vec![];
    for _ in 0..ROUNDS {
        let mut command = Command::new("dig");
        command.args(["-u", "+tries=1", "-p", &names.port().to_string()]);
        command.args([&format!("@{}", names.ip()), name, kind]);
        let out = command.stdin(Stdio::null()).output().map_err(|error| format!("dig: {error}"))?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let time = text.lines().find_map(|line| line.strip_prefix(";; Query time: "));
        let time = time.and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
        times.push(time.ok_or_else(|| format!("dig gave no time: {text}"))? / 1000.0);
    }
    median(times).ok_or_else(|| "dig gave no figure".to_owned())
}

/// One plain request to the cloud, in ms.
fn single(cloud: &Cloud) -> Result<f64, String> {
    let times = (0..ROUNDS).map(|_| cloud.ask()).collect::<Result<Vec<_>, _>>()?;
    median(times).ok_or_else(|| "the cloud gave no figure".to_owned())
}

/// Waits until a name server answers.
fn answers(address: SocketAddr, domain: &str) -> Result<(), String> {
    until("the name server", || Ok(dig(address, domain, "SOA").ok())).map(drop)
}

fn knot_config(folder: &Path, port: u16, domain: &str) -> String {
    let place = folder.display();
    format!(
        "server:\n  rundir: \"{place}\"\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: \
         \"{place}\"\nzone:\n  - domain: {domain}\n    storage: \"{place}\"\n    file: zone\n"
    )
}
