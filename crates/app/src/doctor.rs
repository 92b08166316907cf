//! `offhook doctor`: the flows of a sign-in, explained; over the network, or over the recorded
//! answers of a problem report.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use offhook_config::Layers;
use offhook_discovery::Request;
use offhook_doctor::{Asking, Case, Diagnosis, Finding, Registrar};
use offhook_model::{Layer, Problem, Secret, Severity, UserAddress};
use offhook_net::Net;
use offhook_platform::Folders;
use offhook_ports::{BoxFuture, PhoneAccount, Progress};
use offhook_report::{MOST_FILE, Recorded, Recorder, Replay, Situation};
use offhook_signin::Credentials;
use offhook_store::{Places, Store};
use serde_json::Value;

use crate::PRODUCT;
use crate::args::Global;
use crate::bootstrap;
use crate::client::{net, workstation_domain};
use crate::headless::block_on;
use crate::report::{self, Heard};

/// Chance for the order among equal servers. A constant, so that two examinations can be compared.
const SEED: u64 = 1;

/// What is wanted.
pub struct Wish<'a> {
    /// Whom to examine; the last who signed in without it.
    pub address: Option<&'a str>,
    /// Print JSON.
    pub json: bool,
    /// The password, from the environment.
    pub password: Option<String>,
    /// Where to save a report of the examination.
    pub report: Option<PathBuf>,
    /// Register the phone and withdraw.
    pub register: bool,
}

/// Registers by the machine of a client; keeps what went wrong for the report.
struct Phone {
    net: Arc<Net>,
    problems: Mutex<Vec<Problem>>,
}

impl Registrar for Phone {
    fn register<'a>(&'a self, account: &'a PhoneAccount) -> BoxFuture<'a, Vec<Problem>> {
        Box::pin(async move {
            let net = Arc::clone(&self.net);
            let problems = offhook_engine::register(net, account.clone(), PRODUCT, SEED).await;
            *self.problems.lock().unwrap_or_else(PoisonError::into_inner) = problems.clone();
            problems
        })
    }
}

/// Examines an address; the result is the exit status.
///
/// # Errors
/// One sentence for exit status 2.
pub fn run(global: &Global, wish: Wish<'_>) -> Result<u8, String> {
    let folders = Folders::of(global.profile.as_deref())?;
    let net = net(global)?;
    let kept = kept(&folders)?;
    let text = wish.address.map(str::to_owned).or(kept.settings.last_address).ok_or(
        "No address was given and nobody has signed in on this profile. Write offhook doctor \
         name@company.com.",
    )?;
    let address: UserAddress =
        text.parse().map_err(|error: offhook_model::AddressError| format!("{error}."))?;
    let password = read_password(wish.password)?;
    let credentials =
        password.map(|password| Credentials { username: address.user().to_owned(), password });
    let (known, told) = bootstrap::apply(kept.provisioned, bootstrap::read(global)?.as_ref());
    let layers = known.layers;
    let request = Request {
        manual: kept.manual,
        preset: Layers::new(layers.clone()).preset(),
        remembered: kept.remembered,
        now: offhook_engine::moment().wall,
        ..Request::new(address, SEED)
    };
    net.set_ip_mode(request.preset.ip_mode);
    // Nobody is asked; what was accepted before is trusted, as a sign-in would.
    net.set_trust(request.preset.certificates, &kept.accepted);
    let recorder = Recorder::default();
    let certified = kept.certified_until.is_some_and(|until| until > request.now.0 / 1000);
    begin(&recorder, &request, (&layers, &told), credentials.as_ref(), certified);
    let world = recorder.wrap(&offhook_engine::world(&net));
    let phone = Phone { net: Arc::clone(&net), problems: Mutex::default() };
    let directories = offhook_engine::directories(&net);
    let workstation_domain = workstation_domain();
    let (mut seen, mut diagnosis) = block_on(async {
        let state = state(&folders).await;
        if wish.register && state.is_some() {
            return Err(RUNS.to_owned());
        }
        let seen = state.map(|state| report::seen(&state)).unwrap_or_default();
        let case = Case {
            request: &request,
            credentials: credentials.as_ref(),
            layers: &layers,
            told: &told,
            seen: &seen,
            certified,
            registrar: wish.register.then_some(&phone as &dyn Registrar),
            directory: Some(Asking {
                ldap: &directories,
                workstation_domain: workstation_domain.as_deref(),
            }),
        };
        let diagnosis = offhook_doctor::examine(&world, &case, &teller(wish.json)).await;
        Ok((seen, diagnosis))
    })??;
    // What is wrong with the proxy settings shows only to those who follow them. Sorting is stable.
    let odd = net.proxy_problems().into_iter().map(|it| Finding::new(it, Severity::Warning));
    diagnosis.findings.extend(odd);
    diagnosis.findings.sort_by_key(|finding| finding.severity);
    print(&diagnosis, wish.json)?;
    if let Some(folder) = wish.report {
        seen.extend(phone.problems.into_inner().unwrap_or_else(PoisonError::into_inner));
        let heard = Heard::of(&recorder, &seen);
        let state = serde_json::json!({ "diagnosis": diagnosis });
        let path = report::save(&folders, Some(folder), "", Some(&state), heard)?;
        crate::complain(&format!("the report of this examination is {}", path.display()));
    }
    Ok(diagnosis.exit)
}

/// Examines what a problem report recorded; the result is the exit status.
///
/// # Errors
/// One sentence for exit status 2: the file is no report.
pub fn replay(zip: &Path, json: bool) -> Result<u8, String> {
    let recorded = open(zip)?;
    let no_address = |error| format!("{} is no problem report ({error}).", zip.display());
    let address: UserAddress = recorded
        .situation
        .address
        .parse()
        .map_err(|error: offhook_model::AddressError| no_address(error.to_string()))?;
    let Situation {
        username,
        manual,
        preset,
        layers,
        told,
        remembered,
        network,
        certified,
        now,
        seed,
        ..
    } = recorded.situation;
    // Whatever the password was, the recorded answers are those that it got.
    let credentials = username
        .map(|username| Credentials { username, password: Secret::new("recorded".to_owned()) });
    let request = Request { address, manual, preset, remembered, network, now, seed };
    let case = Case {
        request: &request,
        credentials: credentials.as_ref(),
        layers: &layers,
        told: &told,
        seen: &recorded.seen,
        certified,
        registrar: None,
        directory: None,
    };
    let replay = Replay::new(&recorded.answers, offhook_engine::moment().at);
    let world = replay.world();
    let diagnosis = replay
        .run(offhook_doctor::examine(&world, &case, &teller(true)))
        .ok_or_else(|| no_address("its answers lead nowhere".to_owned()))?;
    print(&diagnosis, json)?;
    for question in replay.missing() {
        crate::complain(&format!("the report does not hold the answer to {question}"));
    }
    Ok(diagnosis.exit)
}

fn open(zip: &Path) -> Result<Recorded, String> {
    let words = |why: &dyn std::fmt::Display| {
        format!(
            "{} {why}. Give a problem report that offhook report save or offhook doctor --report \
             has written.",
            zip.display()
        )
    };
    let file =
        std::fs::File::open(zip).map_err(|error| words(&format!("cannot be read ({error})")))?;
    let mut bytes = vec![];
    file.take(MOST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| words(&format!("cannot be read ({error})")))?;
    offhook_report::read(&bytes).map_err(|why| words(&why))
}

fn begin(
    recorder: &Recorder,
    request: &Request,
    (layers, told): (&[Layer], &[Problem]),
    credentials: Option<&Credentials>,
    certified: bool,
) {
    recorder.begin(Situation {
        address: request.address.to_string(),
        username: None,
        manual: request.manual.clone(),
        preset: request.preset.clone(),
        layers: layers.to_vec(),
        told: told.to_vec(),
        remembered: request.remembered.clone(),
        network: request.network.clone(),
        certified,
        now: request.now,
        seed: request.seed,
    });
    if let Some(who) = credentials {
        recorder.signs_in(&who.username, who.password.expose());
    }
}

/// Two clients must not hold one phone.
const RUNS: &str = "A client runs on this profile and has the phone. Quit it, or leave out --register: \
     what the client sees is shown anyway.";

/// The state of the client that runs on this profile, if one does.
async fn state(folders: &Folders) -> Option<Value> {
    let mut client = offhook_control::Client::connect(&folders.run).await.ok()?;
    let mut state = client.call("diagnostics.get", Value::Null).await.ok()?.ok()?;
    let calls = client.call("call.list", Value::Null).await.ok()?.ok()?;
    let calls = calls["items"].as_array().cloned().unwrap_or_default();
    state["silentCall"] = calls.iter().any(|call| call["sound"] == "silent").into();
    let silences: Vec<_> = calls.iter().map(|call| call["silence"].clone()).collect();
    state["silences"] = silences.into_iter().filter(|silence| !silence.is_null()).collect();
    Some(state)
}

fn teller(quiet: bool) -> impl Fn(Progress) + Send + Sync {
    let quiet = quiet || !io::stderr().is_terminal();
    move |progress: Progress| {
        if let Progress::Doing(words) = progress
            && !quiet
        {
            crate::complain(&format!("{words}…"));
        }
    }
}

fn print(diagnosis: &Diagnosis, json: bool) -> Result<(), String> {
    let text = if json {
        serde_json::to_string(diagnosis).map_err(|error| error.to_string())?
    } else {
        diagnosis.text()
    };
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
    Ok(())
}

/// Settings are read, and nothing is made or written: the doctor leaves a profile as it was.
fn kept(folders: &Folders) -> Result<offhook_store::Kept, String> {
    Store::peek(&Places { config: folders.config.clone(), data: folders.data.clone() })
}

/// From the environment, else from one line of standard input when that is no terminal, else from
/// the person.
fn read_password(given: Option<String>) -> Result<Option<Secret<String>>, String> {
    if let Some(password) = given {
        return Ok(Some(Secret::new(password)));
    }
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password("Password (empty to go without): ")
            .map_err(|error| format!("The password cannot be read ({error})."))?;
        return Ok(Some(typed).filter(|typed| !typed.is_empty()).map(Secret::new));
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| format!("The password cannot be read ({error})."))?;
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Some(line).filter(|line| !line.is_empty()).map(Secret::new))
}
