//! What a process and its children have used, read from Linux's /proc.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// The kernel counts CPU time of whole processes in hundredths of a second (USER_HZ).
const TICKS: f64 = 100.0;

/// Everything used so far.
struct Used {
    at: Instant,
    seconds: f64,
    voluntary: u64,
    involuntary: u64,
}

/// A stretch of time in which a process is watched.
pub struct Watch {
    pid: u32,
    from: Used,
    threads: BTreeMap<String, (String, u64)>,
}

/// What a process used in that stretch.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Length of the stretch in seconds.
    pub seconds: f64,
    /// CPU seconds per minute, to nanoseconds, of threads that live at both ends.
    pub cpu_per_minute: f64,
    /// Voluntary context switches a second over all threads: how often it woke up.
    pub wakeups: f64,
    /// Involuntary ones: how often others took the CPU away; load of the machine, not of ours.
    pub preempted: f64,
}

/// Resident memory in MiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Every resident page.
    pub rss: f64,
    /// Shared pages divided among those who share them.
    pub pss: f64,
    /// Of it what is no page of a file: what the program has written or asked for itself.
    pub own: f64,
}

impl Watch {
    /// Begins.
    pub fn start(pid: u32) -> Self {
        Self { pid, from: used(pid), threads: threads(pid) }
    }

    /// Which threads woke up how often a second since: what one wants to know next when there were
    /// too many wake-ups.
    pub fn by_thread(&self) -> String {
        let seconds = self.from.at.elapsed().as_secs_f64();
        let mut found: Vec<(u64, String)> = threads(self.pid)
            .into_iter()
            .map(|(task, (name, switches))| {
                let before = self.threads.get(&task).map_or(0, |(_, before)| *before);
                (switches.saturating_sub(before), name)
            })
            .filter(|(switches, _)| *switches > 0)
            .collect();
        found.sort_by_key(|(switches, _)| std::cmp::Reverse(*switches));
        let shown = found.iter().take(6);
        let words = shown.map(|(n, name)| format!("{name} {:.1}", *n as f64 / seconds));
        words.collect::<Vec<_>>().join(", ")
    }

    /// Who is watched.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends.
    pub fn stop(&self) -> Usage {
        let to = used(self.pid);
        let seconds = (to.at - self.from.at).as_secs_f64();
        let per_second = |to: u64, from: u64| to.saturating_sub(from) as f64 / seconds;
        Usage {
            seconds,
            cpu_per_minute: (to.seconds - self.from.seconds).max(0.0) / seconds * 60.0,
            wakeups: per_second(to.voluntary, self.from.voluntary),
            preempted: per_second(to.involuntary, self.from.involuntary),
        }
    }
}

fn used(pid: u32) -> Used {
    let mut used = Used { at: Instant::now(), seconds: 0.0, voluntary: 0, involuntary: 0 };
    for task in family(pid).into_iter().flat_map(tasks) {
        let read = |name: &str| fs::read_to_string(format!("{task}/{name}")).unwrap_or_default();
        used.seconds += first(&read("schedstat")) as f64 / 1e9;
        for line in read("status").lines() {
            if let Some(rest) = line.strip_prefix("voluntary_ctxt_switches:") {
                used.voluntary += first(rest);
            } else if let Some(rest) = line.strip_prefix("nonvoluntary_ctxt_switches:") {
                used.involuntary += first(rest);
            }
        }
    }
    used
}

/// CPU seconds since its start, of threads and children that ended as well; in hundredths.
pub fn cpu_since_start(pid: u32) -> f64 {
    let ticks = family(pid).into_iter().map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name stands in brackets and may hold anything, also brackets.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        fields
            .split_whitespace()
            .skip(11)
            .take(4)
            .filter_map(|n| n.parse::<f64>().ok())
            .sum::<f64>()
    });
    ticks.sum::<f64>() / TICKS
}

/// What a program had used when it came to rest.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    /// CPU seconds since its start.
    pub cpu: f64,
    /// Seconds from `begin` until it came to rest.
    pub wall: f64,
}

/// Waits until a program rests: for three seconds it uses less than a tenth of a core in every
/// fifth of a second.
///
/// # Errors
/// It ended, or does not come to rest within `patience`.
pub fn settle(pid: u32, begin: Instant, patience: Duration) -> Result<Settled, String> {
    let (step, quiet) = (Duration::from_millis(200), Duration::from_secs(3));
    let (mut last, mut active) = (cpu_since_start(pid), Instant::now());
    while begin.elapsed() < patience {
        std::thread::sleep(step);
        let now = cpu_since_start(pid);
        if fs::metadata(format!("/proc/{pid}")).is_err() {
            return Err("a program ended while it was measured".into());
        }
        // Two hundredths, with room for how fractions are kept.
        if now - last > 0.019 {
            active = Instant::now();
        }
        last = now;
        if active.elapsed() >= quiet {
            return Ok(Settled { cpu: now, wall: (active - begin).as_secs_f64() });
        }
    }
    Err("a program does not come to rest".into())
}

/// Memory at this moment.
pub fn memory(pid: u32) -> Memory {
    let mut memory = Memory { rss: 0.0, pss: 0.0, own: 0.0 };
    for pid in family(pid) {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        for line in rollup.lines() {
            if let Some(rest) = line.strip_prefix("Rss:") {
                memory.rss += first(rest) as f64 / 1024.0;
            } else if let Some(rest) = line.strip_prefix("Pss:") {
                memory.pss += first(rest) as f64 / 1024.0;
            } else if let Some(rest) = line.strip_prefix("Anonymous:") {
                memory.own += first(rest) as f64 / 1024.0;
            }
        }
    }
    memory
}

/// Name and voluntary switches so far of each thread, by its directory.
fn threads(pid: u32) -> BTreeMap<String, (String, u64)> {
    let each = tasks(pid).into_iter().map(|task| {
        let read = |name: &str| fs::read_to_string(format!("{task}/{name}")).unwrap_or_default();
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        (task.clone(), (read("comm").trim().to_owned(), line.map_or(0, first)))
    });
    each.collect()
}

/// What kind of machine this is, in one line.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{cores} cores, {}, load {load}", std::env::consts::ARCH)
}

fn tasks(pid: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().to_string_lossy().into_owned()).collect()
}

/// A process and all its descendants.
pub fn family(pid: u32) -> Vec<u32> {
    let (mut found, mut open) = (Vec::new(), vec![pid]);
    while let Some(pid) = open.pop() {
        found.push(pid);
        for task in tasks(pid) {
            let children = fs::read_to_string(format!("{task}/children")).unwrap_or_default();
            open.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    found
}

fn first(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
