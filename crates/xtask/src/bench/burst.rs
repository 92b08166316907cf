//! 10,000 messages from one person, as fast as they are taken: CPU a message, storing included,
//! for us and for others at the same server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::foreign::Kind;
use super::guest::{Who, each_run};
use super::post::{DOMAIN, Post};
use super::stage::Client;
use super::table::{Peer, Row, middle};
use super::usage::{memory, settle};
use crate::process::Scratch;

/// How many messages.
const COUNT: usize = 10_000;
/// Bursts each client receives, each on an account as new; the median counts.
const RUNS: usize = 3;
/// How long a client may be busy with them.
const PATIENCE: Duration = Duration::from_secs(180);

/// One burst.
struct Burst {
    /// CPU microseconds a message.
    micros: f64,
    /// Seconds until the client rests.
    wall: f64,
    /// MiB resident that it has more than before.
    grown: f64,
}

/// Lets each client receive the burst.
///
/// # Errors
/// A client of ours does not get in, or has not every message once and in order.
pub fn measure() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("burst")?;
    let Some(post) = Post::start(&scratch)? else { return Ok(Vec::new()) };
    let of = |who: Who, runs: usize| bursts(&post, &scratch, who, runs);
    let (headless, window) = (of(Who::Headless, RUNS)?, of(Who::Window, RUNS)?);
    let slixmpp = of(Who::Other(Kind::Slixmpp), RUNS)?;
    let (profanity, gajim) = (of(Who::Other(Kind::Profanity), 1)?, of(Who::Other(Kind::Gajim), 1)?);
    let mut rows = Vec::new();
    for (who, ours, goal, peers) in [
        (
            Who::Headless,
            &headless,
            80.0,
            [(Kind::Slixmpp, &slixmpp), (Kind::Profanity, &profanity)],
        ),
        (Who::Window, &window, 250.0, [(Kind::Profanity, &profanity), (Kind::Gajim, &gajim)]),
    ] {
        if let Some(ours) = ours {
            rows.extend(rows_of(who, ours, goal, &peers));
        }
    }
    Ok(rows)
}

fn rows_of(who: Who, ours: &Burst, goal: f64, peers: &[(Kind, &Option<Burst>)]) -> Vec<Row> {
    let row = |what: &str, figure: fn(&Burst) -> f64| {
        Row::new(format!("{COUNT} messages, {}: {what}", who.name()), figure(ours)).digits(1)
    };
    let here = peers.iter().filter_map(|(kind, burst)| Some((kind, burst.as_ref()?)));
    let mut rows: Vec<Row> = here
        .map(|(kind, theirs)| {
            row("CPU µs a message", |it| it.micros)
                .beside(Peer::Measured(kind.name(), theirs.micros))
                .at_most(goal)
        })
        .collect();
    if rows.is_empty() {
        rows.push(row("CPU µs a message", |it| it.micros).at_most(goal));
    }
    rows.push(row("s until it rests", |it| it.wall));
    rows.push(row("RSS MiB more than before", |it| it.grown));
    rows
}

/// Nothing when the client is not installed.
fn bursts(post: &Post, scratch: &Scratch, who: Who, runs: usize) -> Result<Option<Burst>, String> {
    let found = each_run(who, post, scratch, &vec!["one"; runs], |guest, folder| {
        let before = settle(guest.pid, guest.begin, PATIENCE)?;
        let rss = memory(guest.pid).rss;
        post.burst("one", COUNT)?;
        let after = settle(guest.pid, Instant::now(), PATIENCE)?;
        let micros = (after.cpu - before.cpu) / COUNT as f64 * 1e6;
        let grown = memory(guest.pid).rss - rss;
        if let Some(client) = &guest.client {
            complete(client, folder)?;
        }
        let (name, wall) = (who.name(), after.wall);
        println!(
            "  {name}: {micros:.1} µs a message, at rest after {wall:.1} s, {grown:.1} MiB more"
        );
        Ok(Burst { micros, wall, grown })
    })?;
    Ok(found.map(|all| Burst {
        micros: middle(&all, |it| it.micros),
        wall: middle(&all, |it| it.wall),
        grown: middle(&all, |it| it.grown),
    }))
}

/// What was received is on disk: every message, once, in order.
fn complete(client: &Client, folder: &std::path::Path) -> Result<(), String> {
    let with = format!("p00000@people.{DOMAIN}");
    let path = folder.join("all.json");
    client.call("chat.export", &json!({ "with": with, "path": path }))?;
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let all: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let messages = all["messages"].as_array().or_else(|| all.as_array());
    let bodies = messages.into_iter().flatten().filter_map(|it| it["body"].as_str());
    let numbers: Vec<usize> = bodies
        .filter_map(|body| body.strip_prefix("Message number ")?.split(':').next()?.parse().ok())
        .collect();
    if numbers.iter().copied().eq(1..=COUNT) {
        return Ok(());
    }
    Err(format!("{} messages are kept, or not in order", numbers.len()))
}
