//! What goes into a problem report.

use std::path::PathBuf;

use offhook_model::Snapshot;
use offhook_platform::Folders;
use offhook_report::Part;
use serde_json::{Value, json};

use crate::{PRODUCT, logging};

/// How much of the log goes in, in bytes.
const LOG: usize = 4 << 20;

/// The running client's state, as far as a report shows it.
pub fn state(snapshot: &Snapshot) -> Value {
    let problems: Vec<_> = snapshot.toasts.iter().map(|toast| &toast.problem).collect();
    json!({
        "session": snapshot.session,
        "trace": &*snapshot.session.trace,
        "problems": problems,
        "devices": &*snapshot.devices,
        "settings": &*snapshot.settings,
        "calls": snapshot.calls.len(),
        "contacts": snapshot.contacts.len(),
        "chats": snapshot.chats.len(),
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
) -> Result<PathBuf, String> {
    let now = offhook_engine::moment().wall.to_utc();
    let about = format!(
        "{PRODUCT}\nsystem: {} {}\nsaved: {}\nclient: {}\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
        now.to_rfc3339(),
        if state.is_some() { "running" } else { "not running" },
    );
    let part = |name: &str, text: String| Part { name: name.to_owned(), text };
    let mut parts = vec![
        part("about.txt", about),
        part("note.txt", note.to_owned()),
        part("log.txt", logging::tail(&folders.logs(), LOG)),
    ];
    if let Some(Value::Object(state)) = state {
        for (name, value) in state {
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            parts.push(part(&format!("{name}.json"), text));
        }
    }
    let folder = folder.unwrap_or_else(|| folders.data.join("reports"));
    offhook_report::save(&folder, &now.format("%Y%m%d-%H%M%S-%3f").to_string(), &parts)
}
