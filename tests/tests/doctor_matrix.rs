//! Every fault of the laboratory that belongs to a rule of the doctor: fault on, and the doctor names
//! that rule and its owner first; fault off, and it does not. What it found is saved as a problem
//! report, which tells nothing of the user and comes to the same end when it is gone through again.
//!
//! The table of `docs/doctor.md` is written from what is proved here:
//! `OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-interop --test doctor_matrix`.

#![allow(clippy::print_stdout, reason = "what was found, to be read by somebody")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use offhook_interop::{Client, Lab, Scratch, Setup, offhook, pause};
use serde_json::{Value, json};

/// Nobody else has such a name, number or password, so that no chance puts them into a file.
const USER: &str = "quentin.zzyx";
const WORDS: [&str; 6] =
    ["quentin", "zzyx", "hunter2hunter2", "493055501427", "bob robot", "secret-of-the-line"];
const PASSWORD: &str = "hunter2hunter2";
const PEOPLE: &str = "[[users]]\nname = \"quentin.zzyx\"\nnumber = \"493055501427\"\n\
     password = \"hunter2hunter2\"\nfirstName = \"Quentina\"\nlastName = \"Zzyxfield\"\n";

/// Who must act, rule by rule; where it depends, all who may.
const OWNERS: &[(u8, &[&str])] = &[
    (7, &["network"]),
    (13, &["admin", "user"]),
    (17, &["user"]),
    (29, &["admin", "server", "user"]),
    (30, &["admin", "server", "network"]),
    (32, &["server"]),
    (34, &["network"]),
];

/// Rules that no fault of the laboratory makes, with the test that proves them, or why none can.
const ELSEWHERE: &[(u8, &str, &str)] = &[
    (
        3,
        "recorded answers",
        "discovery/tests/findings.rs::inside_records_from_a_public_name_server_are_d03",
    ),
    (
        17,
        "recorded answers",
        "signin/tests/edge_budget.rs::a_thousand_lives_and_no_edge_shuts_us_out",
    ),
    (
        21,
        "the address that a browser comes back with",
        "doctor/tests/browser.rs::a_browser_that_comes_back_without_a_user_is_told",
    ),
    (
        23,
        "a bootstrap file that changes",
        "tests/tests/doctor_matrix.rs::a_bootstrap_file_that_changes_is_told",
    ),
    (
        24,
        "settings in a table",
        "signin/src/mode.rs::a_restart_is_needed_only_when_chat_started_against_a_new_wish",
    ),
    (
        31,
        "OpenLDAP with wrong settings",
        "tests/tests/contacts/doctor.rs::the_doctor_says_what_is_wrong_with_the_directory",
    ),
    (
        33,
        "recorded answers",
        "discovery/tests/findings.rs::a_proxy_in_the_way_is_d33_and_no_obstacle",
    ),
    (37, "a call in virtual time", "call/tests/ladders/unheard.rs::unheard"),
];

struct Fault {
    name: String,
    rule: Option<u8>,
}

fn faults() -> Vec<Fault> {
    let list = Lab::list();
    let faults = list["faults"].as_array().expect("faults");
    faults
        .iter()
        .map(|fault| Fault {
            name: fault["name"].as_str().expect("a name").to_owned(),
            rule: fault["rule"].as_str().and_then(|rule| rule[1..].parse().ok()),
        })
        .collect()
}

/// How the doctor has to be asked to see a fault.
struct Recipe {
    scenario: &'static str,
    /// A phone is registered for a moment.
    register: bool,
    /// A client runs meanwhile, and is in a call.
    client: Option<bool>,
    bootstrap: &'static str,
    /// Names come from the laboratory's name server alone.
    by_name: bool,
}

fn recipe(fault: &Fault) -> Recipe {
    let edge = fault.name.contains("edge");
    Recipe {
        scenario: match fault.name.as_str() {
            "home-node-busy" => "multi-cluster",
            _ if edge => "edge",
            _ => "on-prem",
        },
        register: matches!(fault.rule, Some(29 | 30)),
        client: match fault.rule {
            Some(19) => Some(false),
            Some(34) => Some(true),
            _ => None,
        },
        bootstrap: if fault.name == "only-ipv6" { "IP_Mode=IPv4-Only\n" } else { "" },
        by_name: matches!(fault.name.as_str(), "only-ipv6" | "no-address"),
    }
}

/// A laboratory and a profile.
struct Bench<'a> {
    folder: PathBuf,
    lab: Lab,
    recipe: &'a Recipe,
}

impl<'a> Bench<'a> {
    fn set(scratch: &Path, name: &str, faults: &[&str], recipe: &'a Recipe) -> Self {
        let folder = scratch.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let lab = Lab::scenario(&folder, recipe.scenario, faults, PEOPLE);
        if !recipe.bootstrap.is_empty() {
            std::fs::write(folder.join("bootstrap"), recipe.bootstrap).expect("a bootstrap file");
        }
        Self { folder, lab, recipe }
    }

    fn setup(&self) -> Setup {
        let bootstrap = self.folder.join("bootstrap");
        Setup {
            name_server: Some(self.lab.name_server()),
            ca_file: Some(self.lab.authority()),
            hosts: if self.recipe.by_name { vec![] } else { self.lab.hosts() },
            bootstrap: bootstrap.is_file().then_some(bootstrap),
            ..Setup::default()
        }
    }

    /// What the doctor says, and the report that it saved.
    fn examine(&self) -> (Value, PathBuf) {
        let client = self.recipe.client.map(|call| self.client(call));
        let profile = self.folder.join("client/profile");
        let mut command = offhook();
        command.args(["doctor", &format!("{USER}@lab.example"), "--json", "--profile"]);
        command.arg(profile).args(self.setup().arguments()).env("OFFHOOK_PASSWORD", PASSWORD);
        command.arg("--report").arg(&self.folder);
        if self.recipe.register {
            command.arg("--register");
        }
        let output = command.output().expect("the doctor runs");
        let diagnosis = diagnosis(&output);
        drop(client);
        let said = String::from_utf8_lossy(&output.stderr);
        let path = said.split_whitespace().last().unwrap_or_default();
        (diagnosis, path.into())
    }

    /// A client that is signed in, or as far as it comes, and perhaps in a call.
    fn client(&self, call: bool) -> Client {
        let client = Client::start(&self.folder, "client", &self.setup());
        client.begin_sign_in(&format!("{USER}@lab.example"), PASSWORD);
        if call {
            client.until_session("with a phone", |it| it["services"]["phone"]["state"] == "ready");
            client.dial("2002");
            offhook_interop::until("the call is silent", 30, || {
                let calls = client.must("call.list", Value::Null);
                (calls["items"][0]["sound"] == "silent").then_some(())
            });
        } else {
            client.until_session("without chat", |it| it["services"]["im"]["state"] == "failed");
        }
        client
    }
}

fn diagnosis(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&said).unwrap_or_else(|_| {
        panic!("no JSON but {said:?} {:?}", String::from_utf8_lossy(&output.stderr))
    })
}

fn rules(diagnosis: &Value) -> BTreeSet<String> {
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    findings.filter_map(|it| it["rule"].as_str().map(str::to_owned)).collect()
}

/// What has to be the same when a report is gone through again.
fn decision(diagnosis: &Value) -> Value {
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    let findings: Vec<Value> =
        findings.map(|it| json!([it["rule"], it["owner"], it["severity"]])).collect();
    json!({
        "authenticator": diagnosis["authenticator"],
        "via": diagnosis["via"],
        "productMode": diagnosis["productMode"],
        "findings": findings,
        "exit": diagnosis["exit"],
    })
}

#[track_caller]
fn replays_the_same(what: &str, seen: &Value, report: &Path) {
    let mut command = offhook();
    let output = command.args(["doctor", "--json", "--replay"]).arg(report).output();
    let output = output.expect("the doctor runs");
    let again = diagnosis(&output);
    assert_eq!(
        decision(&again),
        decision(seen),
        "{what}: {again:#} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code().map(i64::from), seen["exit"].as_i64(), "{what}");
}

/// Neither in the file as it lies there, nor in anything that it holds.
#[track_caller]
fn tells_nothing_of_the_user(what: &str, report: &Path) {
    let raw = std::fs::read(report).expect("a report");
    let file = std::fs::File::open(report).expect("a report");
    let mut zip = zip::ZipArchive::new(file).expect("a zip");
    let mut unpacked = Vec::new();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).expect("a part");
        part.read_to_end(&mut unpacked).expect("its content");
    }
    for bytes in [raw, unpacked] {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for word in WORDS {
            let at = text.find(word);
            let around = at.map(|at| text.get(at.saturating_sub(80)..at + 40));
            assert!(at.is_none(), "{what}: {word} in {}: {around:?}", report.display());
        }
    }
}

#[track_caller]
fn names_it_first(fault: &Fault, seen: &Value) {
    let (name, Some(rule)) = (&fault.name, fault.rule) else { return };
    let first = &seen["findings"][0];
    assert_eq!(first["rule"], format!("D{rule:02}"), "{name}: {seen:#}");
    let owners = OWNERS.iter().find(|(known, _)| *known == rule).map_or(&["admin"][..], |it| it.1);
    let owner = first["owner"].as_str().unwrap_or_default();
    assert!(owners.contains(&owner), "{name}: {owner} must act?");
    for member in ["cause", "who", "remedy", "evidence"] {
        assert!(first[member].as_str().is_some_and(|it| !it.is_empty()), "{name}: no {member}");
    }
}

fn one(scratch: &Path, fault: &Fault) {
    let recipe = recipe(fault);
    let bench = Bench::set(scratch, &fault.name, &[&fault.name], &recipe);
    let (seen, report) = bench.examine();
    println!("{}: {} {}", fault.name, seen["findings"][0]["rule"], seen["findings"][0]["cause"]);
    names_it_first(fault, &seen);
    replays_the_same(&fault.name, &seen, &report);
    tells_nothing_of_the_user(&fault.name, &report);
}

/// Runs all of them, a few at a time: most of what they do is waiting.
fn all_at_once<T: Sync>(items: &[T], act: impl Fn(&T) + Sync) {
    let next = Mutex::new(items.iter());
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(item) = take(&next) {
                    // One that fails must not keep the others from being seen.
                    let done = std::panic::catch_unwind(AssertUnwindSafe(|| act(item)));
                    failed.fetch_add(usize::from(done.is_err()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(failed.into_inner(), 0, "some failed, see above");
}

fn take<'a, T>(next: &Mutex<std::slice::Iter<'a, T>>) -> Option<&'a T> {
    next.lock().expect("nobody panics with it").next()
}

#[test]
fn every_fault_is_named_first() {
    let scratch = Scratch::new();
    all_at_once(&faults(), |fault| one(scratch.path(), fault));
}

#[test]
fn nothing_is_named_where_nothing_is_wrong() {
    let scratch = Scratch::new();
    let known: Vec<Fault> = faults().into_iter().filter(|it| it.rule.is_some()).collect();
    let mut ways: BTreeMap<String, Recipe> = BTreeMap::new();
    for fault in &known {
        let recipe = recipe(fault);
        let name = format!("{}-{}-{}", recipe.scenario, recipe.register, recipe.by_name);
        ways.entry(name).or_insert(Recipe { client: None, ..recipe });
    }
    let ways: Vec<_> = ways.into_iter().collect();
    all_at_once(&ways, |(name, recipe)| {
        let bench = Bench::set(scratch.path(), name, &[], recipe);
        let (seen, report) = bench.examine();
        assert_eq!(rules(&seen), BTreeSet::new(), "{name}: {seen:#}");
        assert_eq!(seen["exit"], 0, "{name}: {seen:#}");
        replays_the_same(name, &seen, &report);
        tells_nothing_of_the_user(name, &report);
    });
}

#[test]
fn a_bootstrap_file_that_changes_is_told() {
    let scratch = Scratch::new();
    let recipe = Recipe {
        scenario: "on-prem",
        register: false,
        client: None,
        bootstrap: "IP_Mode=IPv4-Only\n",
        by_name: false,
    };
    let bench = Bench::set(scratch.path(), "bootstrap", &[], &recipe);
    let (seen, _) = bench.examine();
    assert!(!rules(&seen).contains("D23"), "the doctor is no first launch: {seen:#}");
    let mut client = Client::start(&bench.folder, "client", &bench.setup());
    pause(0.5);
    assert_eq!(client.end(), Some(0));
    std::fs::write(bench.folder.join("bootstrap"), "IP_Mode=Two_Stacks\n").expect("written");
    let (seen, report) = bench.examine();
    assert_eq!(seen["findings"][0]["rule"], "D23", "{seen:#}");
    assert_eq!(seen["exit"], 0, "{seen:#}");
    replays_the_same("bootstrap", &seen, &report);
}

#[test]
fn a_client_that_ran_leaves_answers_for_a_report() {
    let scratch = Scratch::new();
    let recipe = recipe(&Fault { name: "refused-xmpp".into(), rule: Some(7) });
    let bench = Bench::set(scratch.path(), "running", &["refused-xmpp"], &recipe);
    let mut client = Client::start(&bench.folder, "client", &bench.setup());
    client.begin_sign_in(&format!("{USER}@lab.example"), PASSWORD);
    client.until_session("without chat", |it| it["services"]["im"]["state"] == "failed");
    let save = |folder: &str| {
        let mut command = offhook();
        command.args(["report", "save", "--profile"]).arg(&client.profile);
        command.arg("--output").arg(bench.folder.join(folder));
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    };
    let running = save("running");
    assert_eq!(client.running.end().and_then(|it| it.code()), Some(0));
    let gone = save("gone");
    for (what, report, first) in [("running", &running, "D07"), ("not running", &gone, "")] {
        tells_nothing_of_the_user(what, report);
        let output = offhook().args(["doctor", "--json", "--replay"]).arg(report).output();
        let seen = diagnosis(&output.expect("it runs"));
        assert_eq!(seen["authenticator"], "cup", "{what}: {seen:#}");
        assert_eq!(seen["address"], "person-1@lab.example", "{what}");
        let rule = seen["findings"][0]["rule"].as_str().unwrap_or_default();
        assert!(first.is_empty() || rule == first, "{what}: {seen:#}");
    }
}

#[test]
fn a_phone_is_not_registered_beside_a_client() {
    let scratch = Scratch::new();
    let client = Client::start(scratch.path(), "client", &Setup::default());
    let mut command = offhook();
    command.args(["doctor", "alice@lab.example", "--register", "--profile"]).arg(&client.profile);
    let output = command.env("OFFHOOK_PASSWORD", "x").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("A client runs on this profile"), "{said}");
}

#[test]
fn what_is_no_report_ends_with_a_sentence() {
    let scratch = Scratch::new();
    let file = scratch.path().join("no-report.zip");
    for content in [&b""[..], b"hello", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
        std::fs::write(&file, content).expect("written");
        let output = offhook().args(["doctor", "--replay"]).arg(&file).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no-report.zip") && said.contains("offhook report save"), "{said}");
    }
    std::fs::remove_file(&file).expect("removed");
    let output = offhook().args(["doctor", "--replay"]).arg(&file).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}

/// The table between the two marks of the page.
const BEGIN: &str = "<!-- matrix: written by tests/tests/doctor_matrix.rs -->\n";
const END: &str = "<!-- end of matrix -->";

#[test]
fn the_table_of_the_page_is_current() {
    let page = root().join("docs/doctor.md");
    let text = std::fs::read_to_string(&page).expect("docs/doctor.md");
    let (before, rest) = text.split_once(BEGIN).expect("the page has a place for the table");
    let (old, after) = rest.split_once(END).expect("and an end of it");
    let new = table();
    if std::env::var_os("OFFHOOK_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{BEGIN}{new}{END}{after}")).expect("written");
        return;
    }
    assert!(
        old == new,
        "the table in docs/doctor.md is not what is proved; write it with OFFHOOK_WRITE_DOCS=1 \
         cargo test -p offhook-interop --test doctor_matrix the_table"
    );
}

fn table() -> String {
    let faults = faults();
    let mut text = "| rule | made by | proved by |\n|---|---|---|\n".to_owned();
    for rule in 1..=37 {
        let names: Vec<String> = faults
            .iter()
            .filter(|it| it.rule == Some(rule))
            .map(|it| format!("`{}`", it.name))
            .collect();
        let elsewhere = ELSEWHERE.iter().find(|(known, ..)| *known == rule);
        let (made, proved) = match (names.as_slice(), elsewhere) {
            ([], Some((_, made, test))) => ((*made).to_owned(), proof(test)),
            ([], None) => panic!("D{rule:02} is neither made by the laboratory nor told elsewhere"),
            (names, _) => (
                format!("laboratory: {}", names.join(", ")),
                "`tests/tests/doctor_matrix.rs::every_fault_is_named_first`".to_owned(),
            ),
        };
        text.push_str(&format!("| D{rule:02} | {made} | {proved} |\n"));
    }
    text
}

/// The test must be there.
fn proof(test: &str) -> String {
    let Some((file, name)) = test.split_once("::") else { return "not proved".to_owned() };
    let folder = if file.starts_with("tests/") { root() } else { root().join("crates") };
    let mut source = String::new();
    let there = std::fs::File::open(folder.join(file))
        .and_then(|mut file| file.read_to_string(&mut source))
        .is_ok_and(|_| source.contains(&format!("fn {name}(")));
    assert!(there, "there is no test {test}");
    format!("`{test}`")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the root").to_owned()
}
