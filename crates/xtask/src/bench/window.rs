//! From the command to the first painted window.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::display::Display;
use super::stage::{Client, Lab, home};
use super::table::{Peer, Row, middle};
use super::usage::cpu_since_start;
use crate::packages::exists;
use crate::process::{Running, Scratch};

/// Starts of each program, taken in turn so that both meet the same load; the median counts.
const RUNS: usize = 5;

/// How long a window may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One start.
struct Start {
    cpu: f64,
    wall: f64,
}

type Figure = fn(&Start) -> f64;

/// Starts our window and dino's in turn.
///
/// # Errors
/// A window does not come.
pub fn measure() -> Result<Vec<Row>, String> {
    if !exists("Xvfb") {
        return Err("Xvfb is missing".into());
    }
    let scratch = Scratch::new("window")?;
    let lab = Lab::up(&scratch)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        ours.push(start(&scratch.0.join(format!("o{run}")), |folder, display| {
            Client::start(&lab, folder, &[], Some(display)).map(|client| (client.running, None))
        })?);
        if exists("dino-im") && exists("dbus-daemon") {
            theirs.push(start(&scratch.0.join(format!("d{run}")), dino)?);
        }
    }
    let peer = |figure: Figure, recorded: Option<f64>| match (theirs.len(), recorded) {
        (0, Some(value)) => Peer::Recorded("dino", value),
        (0, None) => Peer::None,
        (_, _) => Peer::Measured("dino", middle(&theirs, figure)),
    };
    let (cpu, wall): (Figure, Figure) = (|it| it.cpu, |it| it.wall);
    Ok(vec![
        Row::new("first painted window, CPU s", middle(&ours, cpu))
            .beside(peer(cpu, Some(0.41)))
            .at_most(0.25),
        Row::new("first painted window, wall s", middle(&ours, wall)).beside(peer(wall, None)),
    ])
}

type Started = (Running, Option<Running>);

/// A fresh display and a fresh home for each start.
fn start(
    folder: &Path,
    program: impl FnOnce(&Path, &str) -> Result<Started, String>,
) -> Result<Start, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let display = Display::start(folder)?;
    let begin = Instant::now();
    let (running, _bus) = program(folder, &display.name)?;
    while !display.painted()? {
        if begin.elapsed() > PATIENCE {
            return Err("no window is painted".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let wall = begin.elapsed().as_secs_f64();
    Ok(Start { cpu: cpu_since_start(running.id()), wall })
}

/// dino wants a session bus, whose cost is not counted.
fn dino(folder: &Path, display: &str) -> Result<Started, String> {
    let address = format!("unix:path={}", folder.join("bus").display());
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--session", "--nofork", "--nopidfile", "--address", &address]);
    home(&mut bus, folder, None)?;
    let bus = Running::start("dbus-daemon", &mut bus)?;
    while !folder.join("bus").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut command = Command::new("dino-im");
    home(&mut command, folder, Some(display))?;
    // Its painting without OpenGL is its best figure.
    command.env("DBUS_SESSION_BUS_ADDRESS", &address).env("GSK_RENDERER", "cairo");
    Ok((Running::start("dino", &mut command)?, Some(bus)))
}
