//! What goes into a problem report.

use std::path::{Path, PathBuf};

use offhook_model::{Problem, Snapshot};
use offhook_platform::Folders;
use offhook_report::{ANSWERS, Content, Part, Recorded, Recorder, Redactor};
use offhook_store::{Places, Store};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{PRODUCT, logging};

/// How much of the log goes in, in bytes.
const LOG: usize = 4 << 20;

/// What the outside answered, and who is who.
pub struct Heard {
    recorded: Option<Recorded>,
    redactor: Redactor,
}

impl Heard {
    /// What this recorder heard, with what was seen besides.
    pub fn of(recorder: &Recorder, seen: &[Problem]) -> Self {
        let recorded = (!recorder.is_empty()).then(|| recorder.recorded(seen));
        Self { recorded, redactor: recorder.redactor() }
    }

    /// What the last client that ran on this profile left. Who is who is not kept, so the other
    /// parts get stand-ins of their own.
    pub fn kept(folders: &Folders) -> Self {
        let text = std::fs::read(folders.data.join(ANSWERS)).unwrap_or_default();
        let recorded: Option<Recorded> = serde_json::from_slice(&text).ok();
        let used = recorded.as_ref().map_or(0, |it| it.answers.len() + 1);
        let mut redactor = Redactor::beginning_after(used * 100);
        let places = Places { config: folders.config.clone(), data: folders.data.clone() };
        if let Ok(kept) = Store::peek(&places)
            && let Some(address) = kept.settings.last_address
        {
            redactor.learn_person(&address);
        }
        Self { recorded, redactor }
    }
}

/// The running client's state, as far as a report shows it.
pub fn state(snapshot: &Snapshot) -> Value {
    let problems: Vec<_> = snapshot.toasts.iter().map(|toast| &toast.problem).collect();
    let silences = snapshot.calls.iter().filter_map(|call| call.silence.as_ref());
    let silences: Vec<_> = silences.collect();
    json!({
        "session": snapshot.session,
        "trace": &*snapshot.session.trace,
        "problems": problems,
        "devices": &*snapshot.devices,
        "settings": &*snapshot.settings,
        "calls": snapshot.calls.len(),
        "silences": silences,
        "silentCall": snapshot.calls.iter().any(|call| call.sound.as_deref() == Some("silent")),
        "contacts": snapshot.contacts.len(),
        "chats": snapshot.chats.len(),
    })
}

/// The problems of a client's state ([`state`], or `diagnostics.get`): of the session, of its
/// services, and of the phone. Each once.
pub fn seen(state: &Value) -> Vec<Problem> {
    let session = &state["session"];
    let of_services = session["services"].as_object().into_iter().flat_map(|it| it.values());
    // Of the problems that it shows only those of the phone: all others were told to the user, and
    // are not about what is examined.
    let of_phone = |problem: &&Value| {
        problem["rule"].as_str().is_some_and(|rule| ["D29", "D30", "D34", "D37"].contains(&rule))
    };
    let shown = state["problems"].as_array().into_iter().flatten().filter(of_phone);
    let mut problems: Vec<Problem> = vec![];
    // What is known better is not told a second time.
    let silences = state["silences"].as_array().into_iter().flatten();
    let of_calls = || silences.clone().map(|silence| &silence["problem"]);
    if state["silentCall"] == true && of_calls().next().is_none() {
        problems.push(Problem::silent_call());
    }
    for value in std::iter::once(&session["error"])
        .chain(of_services.map(|service| &service["error"]))
        .chain(of_calls())
        .chain(shown)
    {
        match Problem::deserialize(value) {
            Ok(problem) if !problems.contains(&problem) => problems.push(problem),
            Ok(_) | Err(_) => {}
        }
    }
    problems
}

/// Asks the client that runs on this profile for a report. Nothing when none runs.
pub async fn ask(
    folders: &Folders,
    output: Option<&Path>,
    note: &str,
) -> Option<Result<PathBuf, String>> {
    let mut client = offhook_control::Client::connect(&folders.run).await.ok()?;
    let wish = match output {
        Some(folder) => json!({ "output": folder, "note": note }),
        None => json!({ "note": note }),
    };
    Some(match client.call("report.save", wish).await.ok()? {
        Ok(answer) => {
            answer["path"].as_str().map(PathBuf::from).ok_or_else(|| "No path came.".to_owned())
        }
        Err(error) => Err(error["data"]["cause"].as_str().unwrap_or("It failed.").to_owned()),
    })
}

/// Writes a report into `folder`, or the profile's.
///
/// # Errors
/// A sentence that names the file and what to do.
pub fn save(
    folders: &Folders,
    folder: Option<PathBuf>,
    note: &str,
    state: Option<&Value>,
    heard: Heard,
) -> Result<PathBuf, String> {
    let now = offhook_engine::moment().wall.to_utc();
    let about = format!(
        "{PRODUCT}\nsystem: {} {}\nsaved: {}\nclient: {}\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
        now.to_rfc3339(),
        if state.is_some() { "running" } else { "not running" },
    );
    let part = |name: &str, content: Content| Part { name: name.to_owned(), content };
    let mut parts = vec![
        part("about.txt", Content::Text(about)),
        part("note.txt", Content::Text(note.to_owned())),
        part("log.txt", Content::Text(logging::tail(&folders.logs(), LOG))),
    ];
    if let Some(recorded) = &heard.recorded
        && let Ok(text) = serde_json::to_string_pretty(recorded)
    {
        parts.push(part(ANSWERS, Content::Redacted(text)));
    }
    if let Some(Value::Object(state)) = state {
        for (name, value) in state {
            parts.push(part(&format!("{name}.json"), Content::Json(value.clone())));
        }
    }
    let folder = folder.unwrap_or_else(|| folders.data.join("reports"));
    let stamp = now.format("%Y%m%d-%H%M%S-%3f").to_string();
    let mut redactor = heard.redactor;
    offhook_report::save(&folder, &stamp, parts, &mut redactor)
}
