//! Signing in with 10,000 people on the contact list: what it costs beside an empty list, for us and
//! for others at the same server.

use std::time::Duration;

use super::foreign::Kind;
use super::guest::{Who, each_run};
use super::post::Post;
use super::table::{Peer, Row, median, middle};
use super::usage::{memory, settle};
use crate::process::Scratch;

/// Sign-ins of each client with each list, in turn; the median counts.
const RUNS: usize = 3;
/// How long a client may be busy with a sign-in.
const PATIENCE: Duration = Duration::from_secs(900);
/// The accounts, and how many contacts each has.
const LISTS: [(&str, usize); 2] = [("none", 0), ("many", 10_000)];

/// One sign-in.
#[derive(Clone, Copy)]
struct SignIn {
    /// CPU seconds from the start of the program until it rests.
    cpu: f64,
    /// MiB resident then.
    rss: f64,
    /// Seconds until it rests.
    rest: f64,
    /// Seconds until the list is there, where the client tells.
    listed: Option<f64>,
}

/// The medians of the empty and the long list.
struct Pair {
    none: SignIn,
    many: SignIn,
}

/// Signs in with each client, with the empty and with the long list.
///
/// # Errors
/// A client of ours does not get in, or has another list than the server.
pub fn measure() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("roster")?;
    let Some(post) = Post::start(&scratch)? else { return Ok(Vec::new()) };
    let of = |who: Who, runs: usize| pair(&post, &scratch, who, runs);
    let (headless, window) = (of(Who::Headless, RUNS)?, of(Who::Window, RUNS)?);
    // Not profanity 0.13: it asks for a list of 10,000 and shows none of it.
    let slixmpp = of(Who::Other(Kind::Slixmpp), RUNS)?;
    // Busy for minutes with the long list: hundredths do not matter.
    let gajim = of(Who::Other(Kind::Gajim), 1)?;
    let mut rows = Vec::new();
    if let Some(ours) = &headless {
        rows.extend(rows_of(Who::Headless, ours, Kind::Slixmpp, slixmpp.as_ref()));
    }
    if let Some(ours) = &window {
        rows.extend(rows_of(Who::Window, ours, Kind::Gajim, gajim.as_ref()));
    }
    Ok(rows)
}

fn rows_of(who: Who, ours: &Pair, kind: Kind, theirs: Option<&Pair>) -> Vec<Row> {
    let row = |what: &str, figure: fn(&Pair) -> f64| {
        let row = Row::new(format!("10,000 contacts, {}: {what}", who.name()), figure(ours));
        match theirs {
            Some(theirs) => row.beside(Peer::Measured(kind.name(), figure(theirs))),
            None => row,
        }
    };
    let mut rows = vec![
        row("CPU s over an empty list", |it| it.many.cpu - it.none.cpu).at_most(0.1),
        row("RSS MiB over an empty list", |it| it.many.rss - it.none.rss).at_most(10.0).digits(1),
        row("CPU s from start to rest", |it| it.many.cpu),
        row("s until it rests", |it| it.many.rest),
        row("RSS MiB", |it| it.many.rss).digits(1),
    ];
    if let Some(listed) = ours.many.listed {
        rows.push(Row::new(format!("10,000 contacts, {}: s to the list", who.name()), listed));
    }
    rows
}

/// Nothing when the client is not installed.
fn pair(post: &Post, scratch: &Scratch, who: Who, runs: usize) -> Result<Option<Pair>, String> {
    let accounts = LISTS.map(|(account, _)| account).repeat(runs);
    let mut turn = LISTS.iter().map(|(_, contacts)| *contacts).cycle();
    let found = each_run(who, post, scratch, &accounts, |guest, _| {
        let contacts = turn.next().unwrap_or_default();
        let settled = settle(guest.pid, guest.begin, PATIENCE)?;
        let (rss, listed) = (memory(guest.pid).rss, guest.listed);
        // Asked last: the answer costs as well.
        let has = guest.contacts()?;
        if has.is_some_and(|has| has != contacts) {
            return Err(format!("{} has {has:?} contacts, not {contacts}", who.name()));
        }
        println!(
            "  {}, {contacts} contacts: CPU {:.2} s, at rest after {:.1} s, RSS {rss:.1} MiB",
            who.name(),
            settled.cpu,
            settled.wall,
        );
        Ok(SignIn { cpu: settled.cpu, rss, rest: settled.wall, listed })
    })?;
    let lists = |at: usize| {
        let every = |all: &Vec<SignIn>| all.iter().skip(at).step_by(LISTS.len()).copied().collect();
        found.as_ref().map(every).map(|all: Vec<SignIn>| medians(&all))
    };
    Ok(lists(0).zip(lists(1)).map(|(none, many)| Pair { none, many }))
}

fn medians(all: &[SignIn]) -> SignIn {
    SignIn {
        cpu: middle(all, |it| it.cpu),
        rss: middle(all, |it| it.rss),
        rest: middle(all, |it| it.rest),
        listed: median(all.iter().filter_map(|it| it.listed).collect()),
    }
}
