//! The whole program under Prosody, behind a relay that cuts, while it is killed again and again
//! (SIGKILL) and started on the same profile. The other end is slixmpp, connected directly: it keeps
//! nothing that it was not told is kept, so a cut of its own link would be its loss, not ours.
//!
//! `OFFHOOK_CHAOS=full` goes on until there were 1,000 cuts, 200 kills and 10,000 messages, and
//! `OFFHOOK_CHAOS=200,60,1000` until there were 200, 60 and 1,000 each way. `OFFHOOK_CHAOS_SEED` takes
//! the seed that a run has printed; what depends on the machine's speed is another in each run all the
//! same.

#![allow(clippy::disallowed_methods, reason = "it is real time that goes by")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use offhook_interop::{
    Cutter, DOMAIN, Dice, Keyring, PASSWORD, Parts, Said, Scratch, Setup, Standard, Survivor,
    XmppPeer, have, pause, python, until,
};
use serde_json::{Value, json};

/// How much of it there is.
struct Course {
    cuts: u32,
    kills: u32,
    /// Each way.
    messages: u32,
    /// Longest life of the program, in milliseconds.
    life: u64,
    /// How long it may take, in seconds.
    patience: u64,
}

const USUAL: Course = Course { cuts: 12, kills: 4, messages: 90, life: 8_000, patience: 240 };
const WITH_KEYS: Course = Course { cuts: 6, kills: 2, messages: 50, life: 8_000, patience: 180 };
const FULL: Course =
    Course { cuts: 1_000, kills: 200, messages: 5_000, life: 12_000, patience: 5_400 };

/// So many of ours may be on their way, as at the fingers of somebody who reads what comes.
const OUTSTANDING: u32 = 100;

#[test]
fn nothing_is_lost_or_doubled_whatever_is_cut_and_killed() {
    if !have("chaos", &["knotd", "prosody", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut world = World::new(&scratch, vec![]);
    world.run(&course(USUAL));
    let bad = database_faults(&world.alice.profile);
    assert!(bad.is_empty(), "{bad}");
}

#[test]
fn nor_where_the_history_is_encrypted() {
    let programs = ["knotd", "prosody", "slixmpp", "gnome-keyring-daemon", "dbus-daemon"];
    if !have("chaos with a credential store", &programs) {
        return;
    }
    let scratch = Scratch::new();
    let keyring = Keyring::start(scratch.path(), "login password");
    let mut world = World::new(&scratch, keyring.environment());
    world.encrypted = true;
    world.run(&WITH_KEYS);
}

struct World {
    seed: u64,
    dice: Dice,
    _servers: Standard,
    cutter: Cutter,
    alice: Survivor,
    bob: XmppPeer,
    encrypted: bool,
    /// Of ours: the texts that the program took, and those where it was gone before it said so.
    accepted: Vec<u32>,
    doubtful: BTreeSet<u32>,
    said: u32,
    theirs: u32,
    /// What Bob heard, as it came.
    heard: Vec<String>,
    read: usize,
    kills: u32,
    begun: Instant,
}

impl World {
    fn new(scratch: &Scratch, environment: Vec<(&'static str, String)>) -> Self {
        let seed = seed();
        let servers =
            Standard::start(scratch, &Parts { xmpp: Some((true, false)), ..Parts::chat() });
        let chat = servers.chat.as_ref().expect("a chat server");
        let cutter = Cutter::start(chat.tls_port, seed);
        // The records lead to the relay, and nowhere else.
        let hosts = vec![format!("im.{DOMAIN}:{}=127.0.0.1:{}", chat.tls_port, cutter.port)];
        let setup = Setup { hosts, environment, ..servers.setup() };
        let address = format!("alice@{DOMAIN}");
        let alice = Survivor::new(scratch.path(), "alice", setup, &address, PASSWORD);
        let bob = servers.chat_client("bob");
        Self {
            seed,
            dice: Dice::new(seed ^ 1),
            _servers: servers,
            cutter,
            alice,
            bob,
            encrypted: false,
            accepted: Vec::new(),
            doubtful: BTreeSet::new(),
            said: 0,
            theirs: 0,
            heard: Vec::new(),
            read: 0,
            kills: 0,
            begun: Instant::now(),
        }
    }

    fn run(&mut self, course: &Course) {
        tell(&format!("seed {}", self.seed));
        self.begin();
        self.live(course);
        self.alice.start(None);
        self.settle(course);
        let figures = self.figures();
        let shown = self.shown();
        let text = serde_json::to_string_pretty(&shown).expect("written");
        std::fs::write(self.alice.profile.with_file_name("shown.json"), text).expect("written");
        self.judge(&shown, &figures);
        tell(&figures);
        assert_eq!(self.alice.end(), Some(0), "it ends well");
    }

    /// A first life in peace: the account's archive is read for the first time and its history made.
    fn begin(&mut self) {
        self.alice.start(None);
        until("the first message arrives", 60, || {
            self.alice.tend();
            if self.said == 0 {
                self.speak();
            }
            self.listen();
            (!self.heard.is_empty()).then_some(())
        });
        self.theirs = 1;
        self.bob.send(&format!("alice@{DOMAIN}"), "b 1");
        until("Bob's first message is shown", 60, || {
            self.newest().iter().any(|it| it["body"] == "b 1").then_some(())
        });
        // Nothing says that the archive's first reading is over.
        pause(3.0);
        assert_eq!(self.alice.end(), Some(0), "it ends well");
        self.begun = Instant::now();
        self.cutter.storm();
    }

    /// Both talk, until there was enough of everything.
    fn live(&mut self, course: &Course) {
        let end = Instant::now() + Duration::from_secs(course.patience);
        let mut next_cut = Instant::now();
        self.start(course);
        loop {
            assert!(Instant::now() < end, "it takes too long: {}", self.figures());
            if self.alice.is_dead() {
                self.kills += 1;
                self.look_at_the_body();
                if self.kills.is_multiple_of(20) {
                    tell(&self.figures());
                }
                let enough = self.said >= course.messages && self.cutter.cuts() >= course.cuts;
                if enough && self.kills >= course.kills {
                    return;
                }
                self.start(course);
            }
            if next_cut < Instant::now() {
                self.cutter.cut();
                next_cut = Instant::now() + Duration::from_millis(self.dice.below(6_000));
            }
            self.listen();
            if self.alice.tend().is_some() && self.said < self.most() {
                self.speak();
            }
            while self.theirs < self.said {
                self.theirs += 1;
                self.bob.send(&format!("alice@{DOMAIN}"), &format!("b {}", self.theirs));
            }
            std::thread::sleep(Duration::from_millis(self.dice.below(30)));
        }
    }

    fn start(&mut self, course: &Course) {
        let life = Duration::from_millis(self.dice.below(course.life));
        self.alice.start(Some(life));
    }

    /// The number of the newest message that may be written by now.
    fn most(&self) -> u32 {
        let arrived = self.heard.iter().rev().find_map(|it| number(it)).unwrap_or(0);
        arrived + OUTSTANDING
    }

    fn speak(&mut self) {
        let number = self.said + 1;
        let message = json!({ "to": format!("bob@{DOMAIN}"), "body": format!("a {number}") });
        match self.alice.call("chat.send", &message) {
            Some(Said::Yes(_)) => {
                self.said = number;
                self.accepted.push(number);
            }
            Some(Said::Nothing) => {
                self.said = number;
                self.doubtful.insert(number);
            }
            // Not signed in yet: it was not taken.
            Some(Said::No(_)) | None => {}
        }
    }

    fn listen(&mut self) {
        let events = self.bob.events_since(self.read);
        self.read += events.len();
        let messages = events.iter().filter(|it| it["event"] == "message");
        self.heard.extend(messages.filter_map(|it| it["body"].as_str().map(str::to_owned)));
    }

    /// The database as the kill left it is sound. What Python's SQLite says of a copy.
    fn look_at_the_body(&self) {
        if !self.encrypted {
            let bad = database_faults(&self.alice.profile);
            assert!(bad.is_empty(), "after kill {}: {bad}; {}", self.kills, self.figures());
        }
    }

    /// Nothing is cut any more: everything arrives.
    fn settle(&mut self, course: &Course) {
        self.cutter.calm();
        let end = Instant::now() + Duration::from_secs(60 + course.patience / 4);
        loop {
            self.listen();
            let heard: BTreeSet<u32> = self.heard.iter().filter_map(|it| number(it)).collect();
            let arrived = self.accepted.iter().all(|it| heard.contains(it));
            let newest = self.newest();
            let theirs = format!("b {}", self.theirs);
            let came = newest.iter().any(|it| it["body"] == theirs.as_str());
            let waits = newest.iter().any(|it| it["own"] == true && it["state"] == "queued");
            if arrived && came && !waits {
                break;
            }
            if Instant::now() > end {
                let missing: Vec<_> =
                    self.accepted.iter().filter(|it| !heard.contains(it)).collect();
                panic!(
                    "not everything arrived: of ours {missing:?}, theirs {came}, waiting {waits}; {}\n{}",
                    self.figures(),
                    self.alice.words()
                );
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        // A doubtful one may be on its way, and a second copy of anything.
        std::thread::sleep(Duration::from_secs(2));
        self.listen();
    }

    fn newest(&mut self) -> Vec<Value> {
        self.history(None, 100)
    }

    fn history(&mut self, before: Option<&str>, limit: u32) -> Vec<Value> {
        let mut params = json!({ "with": format!("bob@{DOMAIN}"), "limit": limit });
        if let Some(before) = before {
            params["before"] = before.into();
        }
        match self.alice.call("chat.history", &params) {
            Some(Said::Yes(found)) => found["items"].as_array().cloned().unwrap_or_default(),
            Some(Said::No(_) | Said::Nothing) | None => Vec::new(),
        }
    }

    /// The whole conversation as the program has it, oldest first.
    fn shown(&mut self) -> Vec<Value> {
        let mut all = self.history(None, 1_000);
        loop {
            let Some(oldest) = all.first().and_then(|it| it["id"].as_str()) else { return all };
            let mut older = self.history(Some(oldest), 1_000);
            if older.is_empty() {
                return all;
            }
            older.append(&mut all);
            all = older;
        }
    }

    fn judge(&self, shown: &[Value], figures: &str) {
        let mut faults = String::new();
        let bodies = |own: bool| -> Vec<&str> {
            let written = shown.iter().filter(|it| it["own"] == own);
            written.filter_map(|it| it["body"].as_str()).collect()
        };
        let heard: Vec<&str> = self.heard.iter().map(String::as_str).collect();
        let ours: Vec<String> = (1..=self.said)
            .filter(|it| !self.doubtful.contains(it) || heard.contains(&format!("a {it}").as_str()))
            .map(|it| format!("a {it}"))
            .collect();
        let theirs: Vec<String> = (1..=self.theirs).map(|it| format!("b {it}")).collect();
        compare(&mut faults, "what Bob heard", &ours, &heard);
        compare(&mut faults, "what we show of ours", &ours, &bodies(true));
        compare(&mut faults, "what we show of Bob's", &theirs, &bodies(false));
        let states = shown.iter().filter(|it| it["own"] == true);
        for it in states.filter(|it| it["state"] != "delivered" && it["state"] != "sent") {
            let _ = writeln!(faults, "{} is {}", it["body"], it["state"]);
        }
        assert!(faults.is_empty(), "{figures}\n{faults}");
    }

    fn figures(&self) -> String {
        format!(
            "{} s: {} cuts ({} after silence), {} kills, {} messages accepted, {} in doubt, {} heard, \
             {} of theirs, {} sign-ins asked for again; OFFHOOK_CHAOS_SEED={}",
            self.begun.elapsed().as_secs(),
            self.cutter.cuts(),
            self.cutter.silences(),
            self.kills,
            self.accepted.len(),
            self.doubtful.len(),
            self.heard.len(),
            self.theirs,
            self.alice.refused,
            self.seed
        )
    }
}

/// One line for each place where the order breaks, and one for what is missing.
fn compare(faults: &mut String, what: &str, want: &[String], got: &[&str]) {
    let mut seen = BTreeSet::new();
    let mut highest = 0;
    for (place, body) in got.iter().enumerate() {
        let number = number(body).unwrap_or(0);
        if !seen.insert(*body) {
            let _ = writeln!(faults, "{what}: {body:?} a second time, at {place}");
        } else if number < highest {
            let _ = writeln!(faults, "{what}: {body:?} at {place} stands behind {highest}");
        }
        highest = highest.max(number);
    }
    let missing: Vec<&String> = want.iter().filter(|it| !seen.contains(it.as_str())).collect();
    if !missing.is_empty() {
        let _ = writeln!(faults, "{what}: missing {missing:?}");
    }
    if seen.len() + missing.len() != want.len() {
        let _ =
            writeln!(faults, "{what}: there are {}, and {} were written", seen.len(), want.len());
    }
}

fn number(body: &str) -> Option<u32> {
    body.split_once(' ')?.1.parse().ok()
}

/// What is wrong with the database in clear, by a copy of it: nothing where there is none yet.
fn database_faults(profile: &Path) -> String {
    let Some(database) = found(&profile.join("data"), "db") else { return String::new() };
    let script = "import shutil, sqlite3, sys, tempfile, os\n\
                  with tempfile.TemporaryDirectory() as folder:\n \
                  copy = os.path.join(folder, 'copy.db')\n \
                  for end in ('', '-wal'):\n  \
                  os.path.exists(sys.argv[1] + end) and shutil.copy(sys.argv[1] + end, copy + end)\n \
                  rows = sqlite3.connect(copy).execute('pragma integrity_check').fetchall()\n \
                  print('' if rows == [('ok',)] else rows)\n";
    let mut command = Command::new(python().expect("a Python"));
    let output = command.args(["-c", script]).arg(&database).output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    said + String::from_utf8_lossy(&output.stderr).trim()
}

fn found(folder: &Path, ending: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths.find_map(|path| {
        if path.is_dir() {
            return found(&path, ending);
        }
        path.extension().is_some_and(|it| it == ending).then_some(path)
    })
}

/// What is asked for by hand, else the usual.
fn course(usual: Course) -> Course {
    let Ok(wanted) = std::env::var("OFFHOOK_CHAOS") else { return usual };
    let numbers: Vec<u32> = wanted.split(',').filter_map(|it| it.parse().ok()).collect();
    match numbers[..] {
        [cuts, kills, messages] => Course { cuts, kills, messages, ..FULL },
        _ if wanted == "full" => FULL,
        _ => panic!("OFFHOOK_CHAOS is {wanted:?}, neither full nor CUTS,KILLS,MESSAGES"),
    }
}

fn seed() -> u64 {
    let given = std::env::var("OFFHOOK_CHAOS_SEED").ok().and_then(|it| it.parse().ok());
    given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(1, |it| u64::from(it.subsec_nanos()))
    })
}

/// Past the test harness, which keeps what is printed by those who succeed.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "chaos: {text}");
}
