//! How speech sounds at the other end, and how late: the same speech through the same networks, from
//! our client to our client and from each peer to itself. Ours has files for what the network does, and
//! for the delay, as the peers always, sound cards of one sound server.

mod desk;
mod ends;
mod network;
mod relay;
mod rooms;
mod score;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::baresip::Codec;
use super::stage::within;
use super::table::{Peer, Row};
use crate::process::Scratch;
use desk::Desk;
use ends::{Make, Phone, Place};
use network::Network;
use relay::Counts;
use rooms::Rooms;
use score::{Score, Scorer, Speech};

/// Calls at a time; each has a room. More would wait for each other on two cores.
const PARALLEL: usize = 6;
/// Packets after which a call is up.
const UP: u64 = 50;
/// How long a call may take to come about.
const PATIENCE: Duration = Duration::from_secs(40);

/// The networks of a quick run.
const QUICK: [&str; 4] = ["clean", "loss5", "jitter60", "loss5+jitter60"];

/// Where a figure should be: network, codec, PESQ at least, mouth to ear in ms at most.
const GOALS: [(&str, Codec, Option<f64>, Option<f64>); 9] = [
    ("clean", Codec::Pcmu, None, Some(55.0)),
    ("jitter60", Codec::Pcmu, Some(3.85), Some(125.0)),
    ("loss1", Codec::Pcmu, Some(3.75), None),
    ("loss5", Codec::Pcmu, Some(3.1), None),
    ("loss10", Codec::Pcmu, Some(2.8), None),
    ("loss5+jitter60", Codec::Pcmu, Some(3.0), None),
    ("loss1", Codec::Opus, Some(4.15), None),
    ("loss5", Codec::Opus, Some(3.8), None),
    ("loss10", Codec::Opus, Some(3.35), None),
];

/// A call to be made.
#[derive(Clone, Copy)]
struct Job {
    make: Make,
    codec: Codec,
    network: Network,
}

/// What came of it.
struct Heard {
    job: Job,
    counts: Counts,
    recording: PathBuf,
    score: Option<Score>,
}

/// Makes all calls, `quick` only a few.
///
/// # Errors
/// The sound server does not start, or no call of ours comes about.
pub fn measure(quick: bool) -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("quality")?;
    let Some(scorer) = Scorer::ready(&scratch.0)? else { return Ok(Vec::new()) };
    let ahead = Ahead::go();
    let Some(rooms) = Rooms::start(&scratch, PARALLEL)? else {
        println!("PulseAudio is not installed: quality is left out.");
        return Ok(Vec::new());
    };
    let (desk, speech) = (Desk::start()?, scorer.speech(&scratch.0)?);
    let jobs = jobs(quick);
    println!(
        "  {} calls of {:.0} s, {PARALLEL} at a time",
        jobs.len(),
        speech.length.as_secs_f64()
    );
    let heard = Mutex::new(Vec::new());
    let (alone, together): (Vec<_>, Vec<_>) =
        jobs.into_iter().enumerate().partition(|(_, job)| job.make == Make::Default);
    for (jobs, parallel) in [(together, PARALLEL), (alone, 1)] {
        let queue = Mutex::new(jobs);
        std::thread::scope(|scope| {
            for room in 0..parallel {
                let (desk, rooms, speech, scratch) = (&desk, &rooms, &speech, &scratch);
                let (queue, heard) = (&queue, &heard);
                scope.spawn(move || {
                    while let Some((number, job)) = next(queue) {
                        let folder = scratch.0.join(number.to_string());
                        let file = &speech.file;
                        let place = Place { desk, rooms, folder: &folder, room, speech: file };
                        // On a machine with much to do a phone may not come up in time, once.
                        let again = |_| call(&place, job, number, speech);
                        match call(&place, job, number, speech).or_else(again) {
                            Ok(it) => heard.lock().unwrap_or_else(PoisonError::into_inner).push(it),
                            Err(why) => println!("  {}: {why}", job.title()),
                        }
                    }
                });
            }
        });
    }
    let mut heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    drop(ahead);
    // After all calls, because scoring needs every core that there is.
    let rooms = heard.iter().map(|it| (it.recording.as_path(), it.job.codec));
    let scores = scorer.score(&speech, rooms)?;
    for (it, score) in heard.iter_mut().zip(scores) {
        it.score = score;
    }
    print_all(&heard);
    if heard.is_empty() { Err("no call came about".into()) } else { Ok(rows(&heard)) }
}

/// All phones, the sound server and the relay come before other programs while this lives: speech that is
/// cut to pieces by a compiler beside says nothing about a phone. Without the right to it, as is usual
/// for anybody but root, nothing changes.
struct Ahead;

impl Ahead {
    fn go() -> Self {
        if !nice("-15") {
            println!(
                "  without the right to go before other programs: on a busy machine the figures say little"
            );
        }
        Self
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        nice("0");
    }
}

/// Sets it for this thread, and so for the threads and programs that it starts from now on.
fn nice(value: &str) -> bool {
    let own = std::process::id().to_string();
    let mut command = std::process::Command::new("renice");
    command.args(["-n", value, "-p", &own]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Job {
    fn title(&self) -> String {
        format!("{} {} {}", self.make.name(), self.codec.name(), self.network.name)
    }
}

/// Those of one network one after the other, so that they meet the same load of the machine. Backwards,
/// since they are taken from the end.
fn jobs(quick: bool) -> Vec<Job> {
    let makes = [Make::Offhook, Make::Default, Make::Baresip, Make::Linphone];
    let makes: Vec<Make> = makes
        .into_iter()
        .filter(|make| make.is_here() && !(quick && *make == Make::Linphone))
        .collect();
    let networks =
        network::ALL.into_iter().filter(|network| !quick || QUICK.contains(&network.name));
    let mut jobs = Vec::new();
    for network in networks {
        for codec in [Codec::Pcmu, Codec::Opus] {
            // Delay is measured where there is a goal for it.
            let late = |it: &(&str, Codec, Option<f64>, Option<f64>)| {
                it.0 == network.name && it.1.name() == codec.name() && it.3.is_some()
            };
            let card = GOALS.iter().any(late);
            let wanted = |make: &&Make| **make != Make::Default || card;
            let here = makes.iter().filter(wanted);
            jobs.extend(here.map(|make| Job { make: *make, codec, network }));
        }
    }
    jobs.reverse();
    jobs
}

fn next<T>(queue: &Mutex<Vec<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn call(place: &Place<'_>, job: Job, number: usize, speech: &Speech) -> Result<Heard, String> {
    let (caller, callee) = (format!("a{number}"), format!("b{number}"));
    std::fs::create_dir_all(place.folder).map_err(|error| error.to_string())?;
    place.desk.expect(&caller, job.network, job.codec);
    let mut recording = place.folder.with_extension("wav");
    let recorder = place.rooms.record(place.room, &recording)?;
    let listener = Phone::listening(job.make, place, &callee)?;
    let speaker = Phone::speaking(job.make, place, &caller, &callee)?;
    within(PATIENCE, "sound", || Ok((place.desk.counts(&caller).packets > UP).then_some(())))?;
    if job.make == Make::Offhook {
        recording = ends::heard_file(place.folder);
        // The file has been heard since the call began.
        std::thread::sleep(speech.length);
    } else {
        place.rooms.say(place.room, &speech.file, speech.length)?;
    }
    // What is under way is still heard.
    std::thread::sleep(Duration::from_secs(2));
    let counts = place.desk.counts(&caller);
    drop((recorder, speaker, listener));
    place.desk.over(&caller);
    let _ = std::fs::remove_dir_all(place.folder);
    Ok(Heard { job, counts, recording, score: None })
}

fn rows(heard: &[Heard]) -> Vec<Row> {
    let of = |make: Make, network: &str, codec: Codec| {
        let fits = |it: &&Heard| {
            it.job.make == make
                && it.job.network.name == network
                && it.job.codec.name() == codec.name()
        };
        heard.iter().find(fits).and_then(|it| it.score)
    };
    let mut rows = Vec::new();
    for (network, codec, pesq, delay) in GOALS {
        let ours = of(Make::Offhook, network, codec);
        let late = of(Make::Default, network, codec).and_then(|it| it.delay);
        let peers = [Make::Baresip, Make::Linphone]
            .into_iter()
            .filter_map(|make| Some((make.name(), of(make, network, codec)?)));
        let name = codec.name();
        if let Some((least, ours)) = pesq.zip(ours) {
            let best = peers.clone().max_by(|a, b| a.1.pesq.total_cmp(&b.1.pesq));
            let row = Row::new(format!("{name}, {network}: PESQ"), ours.pesq).at_least(least);
            rows.push(match best {
                Some((peer, score)) => row.beside(Peer::Measured(peer, score.pesq)),
                None => row,
            });
        }
        if let Some((most, late)) = delay.zip(late) {
            let delays = peers.filter_map(|(peer, it)| Some((peer, it.delay?)));
            let best = delays.min_by(|a, b| a.1.total_cmp(&b.1));
            let what = format!("{name}, {network}: mouth to ear, ms");
            let row = Row::new(what, late).at_most(most).digits(0);
            rows.push(match best {
                Some((peer, delay)) => row.beside(Peer::Measured(peer, delay)),
                None => row,
            });
        }
    }
    rows
}

/// Everything, as a Markdown table of its own: its peers are columns.
fn print_all(heard: &[Heard]) {
    println!(
        "\n| network, codec | phone | PESQ | mouth to ear, ms | kbit/s | lost, % | redundant, % |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut lines: Vec<(usize, String)> = Vec::new();
    for it in heard {
        let place = network::ALL.iter().position(|other| other.name == it.job.network.name);
        let (pesq, delay) = it.score.map_or(("–".to_owned(), "–".to_owned()), |score| {
            let delay = score.delay.map_or(String::new(), |delay| format!("{delay:.0}"));
            (format!("{:.2}", score.pesq), delay)
        });
        let share = |count: u64| 100.0 * count as f64 / it.counts.packets.max(1) as f64;
        let redundant = match it.job.codec {
            Codec::Opus => format!("{:.0}", share(it.counts.redundant)),
            Codec::Pcmu | Codec::G722 => String::new(),
        };
        let order = place.unwrap_or_default() * 10
            + usize::from(matches!(it.job.codec, Codec::Opus)) * 5
            + it.job.make as usize;
        lines.push((
            order,
            format!(
                "| {}, {} | {} | {pesq} | {delay} | {:.0} | {:.1} | {redundant} |",
                it.job.network.name,
                it.job.codec.name(),
                it.job.make.name(),
                it.counts.rate(),
                share(it.counts.dropped),
            ),
        ));
    }
    lines.sort();
    for (_, line) in lines {
        println!("{line}");
    }
}

/// The middle; between the two middle ones of an even number.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values.get(low)? + values.get(high)?) / 2.0)
}
