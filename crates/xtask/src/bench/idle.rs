//! What a client costs that does nothing: memory, CPU, wake-ups; and that its window stands still.

use std::time::Duration;

use super::baresip::{Baresip, Codec};
use super::display::Display;
use super::stage::{Client, Lab};
use super::table::{Peer, Row};
use super::usage::{Memory, Usage, Watch, memory};
use crate::packages::exists;
use crate::process::{Running, Scratch};

/// Quiet time after sign-in before anything is read.
const SETTLE: Duration = Duration::from_secs(30);
/// How long the idle clients are watched.
const WATCHED: Duration = Duration::from_secs(30);

/// A client with a window, one without, and baresip, all signed in to one lab and watched at the
/// same time.
///
/// # Errors
/// One of them does not get in.
pub fn measure() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("idle")?;
    let lab = Lab::up(&scratch)?;
    let headless = Client::start(&lab, &scratch.0.join("h"), &["--headless"], None)?;
    headless.sign_in(&lab, 1)?;
    let display = if exists("Xvfb") { Some(Display::start(&scratch.0)?) } else { None };
    let window = match &display {
        Some(display) => {
            let client = Client::start(&lab, &scratch.0.join("w"), &[], Some(&display.name))?;
            client.sign_in(&lab, 0)?;
            Some(client)
        }
        None => None,
    };
    let baresip = Baresip::start(&lab, &scratch, 1, Codec::Pcmu, false)?;
    std::thread::sleep(SETTLE);

    let programs: Vec<&Running> = [
        Some(&headless.running),
        window.as_ref().map(|client| &client.running),
        baresip.as_ref().map(|phone| &phone.running),
        display.as_ref().map(|display| &display.running),
    ]
    .into_iter()
    .flatten()
    .collect();
    let before = display.as_ref().map(Display::pixels).transpose()?;
    let watches: Vec<Watch> = programs.iter().map(|program| Watch::start(program.id())).collect();
    std::thread::sleep(WATCHED);
    let found: Vec<(u32, Usage)> = programs
        .iter()
        .zip(&watches)
        .map(|(program, watch)| (program.id(), watch.stop()))
        .collect();
    for (who, program) in [
        ("without a window", Some(&headless.running)),
        ("window", window.as_ref().map(|client| &client.running)),
        ("baresip", baresip.as_ref().map(|phone| &phone.running)),
        ("display server", display.as_ref().map(|display| &display.running)),
    ] {
        let watch = program.and_then(|it| watches.iter().find(|watch| watch.pid() == it.id()));
        if let Some(watch) = watch {
            println!("  wake-ups a second by thread, {who}: {}", watch.by_thread());
        }
    }
    let of = |program: &Running| found.iter().find(|(id, _)| *id == program.id()).map(|it| it.1);
    let after = display.as_ref().map(Display::pixels).transpose()?;

    let phone = baresip
        .as_ref()
        .and_then(|phone| of(&phone.running).map(|usage| (usage, memory(phone.running.id()))));
    let mut rows = Vec::new();
    if let Some(usage) = of(&headless.running) {
        rows.extend(rows_of("without a window", usage, phone.as_ref()));
    }
    let ours = memory(headless.running.id());
    let theirs = |recorded: f64, figure: fn(&Memory) -> f64| match &phone {
        Some((_, memory)) => Peer::Measured("baresip", figure(memory)),
        None => Peer::Recorded("baresip", recorded),
    };
    let row = Row::new("without a window, RSS MiB", ours.rss).digits(1);
    rows.push(row.beside(theirs(9.3, |it| it.rss)).at_most(12.0));
    rows.push(Row::new("without a window, PSS MiB", ours.pss).digits(1));
    let row = Row::new("without a window, MiB that are no pages of files", ours.own).digits(1);
    rows.push(match &phone {
        Some((_, memory)) => row.beside(Peer::Measured("baresip", memory.own)),
        None => row,
    });
    if let (Some(window), Some(display)) = (&window, &display) {
        if let Some(usage) = of(&window.running) {
            rows.extend(rows_of("window", usage, phone.as_ref()));
        }
        let ours = memory(window.running.id());
        let row = Row::new("window, RSS MiB", ours.rss).digits(1);
        rows.push(row.beside(Peer::Recorded("gajim", 112.0)).at_most(85.0));
        let row = Row::new("window, PSS MiB", ours.pss).digits(1);
        rows.push(row.beside(Peer::Recorded("dino", 86.0)).at_most(60.0));
        let asked = of(&display.running).map_or(f64::NAN, |usage| usage.wakeups);
        rows.push(Row::new("window, wake-ups a second of its display server", asked).at_most(0.1));
        let changed = usize::from(before != after);
        rows.push(Row::new("window, changed picture", changed as f64).at_most(0.0).digits(0));
    }
    Ok(rows)
}

fn rows_of(who: &str, usage: Usage, phone: Option<&(Usage, Memory)>) -> Vec<Row> {
    let peer = |recorded: f64, figure: fn(&Usage) -> f64| match phone {
        Some((usage, _)) => Peer::Measured("baresip", figure(usage)),
        None => Peer::Recorded("baresip", recorded),
    };
    vec![
        Row::new(format!("{who}, idle, CPU s a minute"), usage.cpu_per_minute)
            .beside(peer(0.02, |it| it.cpu_per_minute))
            .at_most(0.02)
            .digits(3),
        Row::new(format!("{who}, idle, wake-ups a second"), usage.wakeups)
            .beside(peer(9.8, |it| it.wakeups))
            .at_most(2.0),
        Row::new(format!("{who}, idle, preempted a second"), usage.preempted),
    ]
}
