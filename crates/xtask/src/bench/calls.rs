//! Calls that come fast and overlap: how many are taken, what one costs with its sound, and whether
//! anything of them stays in memory. Ours and baresip answer the same SIPp behind the same
//! Kamailio. And what a client that only is registered has in memory.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::baresip::Baresip;
use super::phones::{DOMAIN, Outcome, Registrar};
use super::stage::{Client, until};
use super::table::{Peer, Row};
use super::usage::{cpu_since_start, memory, settle};
use crate::process::Scratch;

/// Calls a second.
const RATE: usize = 50;
/// Calls that all have to be taken.
const FEW: usize = 500;
/// Calls before memory is looked at first.
const WARM: usize = 2_000;
/// Calls after which nothing may be left of them.
const MANY: usize = 10_000;
/// A rate at which the peer takes all.
const SLOW: usize = 20;
/// How long calls last: those of one second overlap, and each that is answered holds the one before.
const LONG: Duration = Duration::from_millis(200);
/// So short that at the slow rate each has ended before the next comes.
const SHORT: Duration = Duration::from_millis(10);
/// How long a registered client is left alone before its memory is read.
const QUIET: Duration = Duration::from_secs(30);
/// How long after calls a client may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What calls cost one phone.
struct Cost {
    outcome: Outcome,
    /// CPU milliseconds a call that was made, taken or not.
    milliseconds: f64,
}

/// Calls ours and baresip.
///
/// # Errors
/// Ours does not register, or takes no call.
pub fn measure() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("calls")?;
    let Some(registrar) = Registrar::start(&scratch)? else { return Ok(Vec::new()) };
    let client = ours(&registrar, &scratch.0.join("p"))?;
    let place = registrar.address();
    let peer = Baresip::start_for_many(&scratch.0.join("b"), "them", (DOMAIN, &place));
    let peer = peer.unwrap_or_else(|why| {
        println!("baresip: {why}; left out.");
        None
    });
    std::thread::sleep(QUIET);
    let pid = client.running.id();
    let idle = memory(pid);
    let theirs = peer.as_ref().map(|peer| peer.running.id());
    let idle_there = theirs.map(memory);

    let turn = calls(&registrar, "us", pid, FEW, SLOW, SHORT)?;
    let turn_there =
        theirs.map(|pid| calls(&registrar, "them", pid, FEW, SLOW, SHORT)).transpose()?;
    let few = calls(&registrar, "us", pid, FEW, RATE, LONG)?;
    let few_there =
        theirs.map(|pid| calls(&registrar, "them", pid, FEW, RATE, LONG)).transpose()?;
    let slow = calls(&registrar, "us", pid, FEW, SLOW, LONG)?;
    let slow_there =
        theirs.map(|pid| calls(&registrar, "them", pid, FEW, SLOW, LONG)).transpose()?;
    // What is said of a call is kept for half a minute (RFC 3261, timers J and L): as many calls as
    // come in that time make room for any number.
    calls(&registrar, "us", pid, WARM, RATE, LONG)?;
    let before = memory(pid).rss;
    let many = calls(&registrar, "us", pid, MANY, RATE, LONG)?;
    let grown = (memory(pid).rss / before - 1.0) * 100.0;
    // Those that ended a moment ago are still shown.
    until("the end of the last call", || {
        let left = client.call("call.list", &json!({}))?;
        Ok(left["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })?;
    let beside = |row: Row, figure: fn(&Cost) -> f64, there: &Option<Cost>| match there {
        Some(there) => row.beside(Peer::Measured("baresip", figure(there))),
        None => row,
    };
    let failed = |what: String, ours: &Cost, there: &Option<Cost>| {
        let figure = |cost: &Cost| cost.outcome.failed as f64;
        beside(Row::new(what, figure(ours)).at_most(0.0).digits(0), figure, there)
    };
    let cost = |what: String, ours: &Cost, there: &Option<Cost>| {
        let figure = |cost: &Cost| cost.milliseconds;
        beside(Row::new(what, figure(ours)).at_most(1.3), figure, there)
    };
    let mut registered = Row::new("registered, idle, RSS MiB", idle.rss).digits(1);
    if let Some(there) = idle_there {
        registered = registered.beside(Peer::Measured("baresip", there.rss));
    }
    Ok(vec![
        registered,
        Row::new("registered, idle, PSS MiB", idle.pss).digits(1),
        failed(format!("{FEW} calls one after the other: failed"), &turn, &turn_there),
        cost(format!("{FEW} calls one after the other: CPU ms a call"), &turn, &turn_there),
        failed(format!("{FEW} calls at {RATE} a second: failed"), &few, &few_there),
        cost(format!("{FEW} calls at {RATE} a second: CPU ms a call"), &few, &few_there),
        failed(format!("{FEW} calls at {SLOW} a second: failed"), &slow, &slow_there),
        cost(format!("{FEW} calls at {SLOW} a second: CPU ms a call"), &slow, &slow_there),
        failed(format!("{MANY} calls at {RATE} a second: failed"), &many, &None),
        cost(format!("{MANY} calls at {RATE} a second: CPU ms a call"), &many, &None),
        Row::new(format!("{MANY} calls: memory grown, %"), grown).at_most(5.0).digits(1),
    ])
}

/// Ours, registered, and a watcher on its control socket that takes every call.
fn ours(registrar: &Registrar, folder: &Path) -> Result<Client, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let sound = ["--audio-input", "tone:440", "--audio-output", "null", "--ringer-output", "null"];
    // Nothing is looked up: the server is named by hand.
    let options = [&["--headless", "--name-server", "127.0.0.1:9"], &sound[..]].concat();
    let client = Client::launch(folder, &options, None)?;
    client.phone_by_hand(&format!("us@{DOMAIN}"), &registrar.address())?;
    client.take_calls()?;
    Ok(client)
}

fn calls(
    registrar: &Registrar,
    user: &str,
    pid: u32,
    count: usize,
    rate: usize,
    stay: Duration,
) -> Result<Cost, String> {
    let before = cpu_since_start(pid);
    let outcome = registrar.calls(user, count, rate, stay)?;
    let after = settle(pid, Instant::now(), PATIENCE)?.cpu;
    let milliseconds = (after - before) / count as f64 * 1e3;
    println!(
        "  {user}: {} of {count} calls of {stay:?} at {rate} a second, {milliseconds:.2} ms a call, RSS {:.1} MiB",
        outcome.whole,
        memory(pid).rss
    );
    Ok(Cost { outcome, milliseconds })
}
