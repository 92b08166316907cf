//! Small JSON files, replaced as a whole so that a crash leaves the old or the new one.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The user's settings.
pub const SETTINGS: &str = "settings.json";

/// Manual connection settings.
pub const MANUAL: &str = "manual.json";

/// Layers of settings that others made.
pub const PROVISIONED: &str = "provisioned.json";

/// What discovery found the last time.
pub const DISCOVERY: &str = "discovery.json";

/// Keys that the user accepted.
pub const CERTIFICATES: &str = "certificates.json";

/// What is known of the phone's own certificate.
pub const PHONE: &str = "phone.json";

/// What the outside answered the last time, for a problem report.
pub const ANSWERS: &str = "answers.json";

/// A file with what discovery found.
#[derive(Default, Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Discovery {
    /// Nothing when it was forgotten.
    pub found: Option<offhook_ports::Remembered>,
}

/// A file with accepted keys.
#[derive(Default, Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Certificates {
    /// The keys.
    pub accepted: Vec<offhook_model::AcceptedKey>,
}

/// A file about the phone's own certificate.
#[derive(Default, Serialize, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Phone {
    /// It counts until then, in seconds since 1970; nothing when there is none.
    pub certified_until: Option<i64>,
}

/// Reads a cache: what cannot be read is as good as nothing, for it can be had again.
pub fn read_cache<T: DeserializeOwned + Default + Serialize>(path: &Path) -> T {
    read(path).unwrap_or_default()
}

/// Members that a newer version wrote are kept in the file under their own names.
fn split<T: DeserializeOwned + Default + Serialize>(
    text: &str,
) -> Result<(T, Map<String, Value>), String> {
    let value: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let known = match serde_json::to_value(T::default()) {
        Ok(Value::Object(known)) => known,
        Ok(_) | Err(_) => Map::new(),
    };
    let (ours, theirs): (Map<_, _>, Map<_, _>) =
        value.into_iter().partition(|(key, _)| known.contains_key(key));
    let ours = serde_json::from_value(Value::Object(ours)).map_err(|error| error.to_string())?;
    Ok((ours, theirs))
}

/// Reads a file; a missing one is the default.
///
/// # Errors
/// A sentence that names the file and the remedy when it cannot be read or understood.
pub fn read<T: DeserializeOwned + Default + Serialize>(path: &Path) -> Result<T, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(unreadable(path, &error.to_string())),
    };
    split(&text).map(|(value, _)| value).map_err(|why| unreadable(path, &why))
}

fn unreadable(path: &Path, why: &str) -> String {
    format!(
        "The settings file {} cannot be read ({why}). Mend it, or move it away to begin with \
         defaults.",
        path.display()
    )
}

/// Replaces a file.
///
/// # Errors
/// In words, when it cannot be written. The old file is then still there.
pub fn write<T: DeserializeOwned + Default + Serialize>(
    path: &Path,
    value: &T,
) -> Result<(), String> {
    let theirs = fs::read_to_string(path).ok().and_then(|text| split::<T>(&text).ok());
    let mut whole = match serde_json::to_value(value) {
        Ok(Value::Object(ours)) => ours,
        Ok(_) | Err(_) => return Err("the settings are no object".to_owned()),
    };
    whole.extend(theirs.map(|(_, theirs)| theirs).unwrap_or_default());
    let text = serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())?;
    replace(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
}

/// Replaces a file by a text.
///
/// # Errors
/// In words, when it cannot be written.
pub fn write_text(path: &Path, text: &str) -> Result<(), String> {
    replace(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use offhook_model::{Settings, Theme};

    use super::{read, write};

    #[test]
    fn members_of_a_newer_version_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.json");
        std::fs::write(&path, r#"{"theme":"dark","fromTheFuture":7}"#).expect("written");
        let mut settings: Settings = read(&path).expect("read");
        assert_eq!(settings.theme, Theme::Dark);
        settings.theme = Theme::Light;
        write(&path, &settings).expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.contains("fromTheFuture") && text.contains("light"), "{text}");
    }

    #[test]
    fn a_broken_file_is_named_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.json");
        std::fs::write(&path, "{ broken").expect("written");
        let error = read::<Settings>(&path).expect_err("broken");
        assert!(error.contains("settings.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "{ broken");
    }
}
