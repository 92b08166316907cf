//! Where this system keeps its proxy settings. A program of the system is asked, because each keeps
//! them in a format of its own.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::proxy::ProxySources;
use crate::proxy::settings::Settings;
use crate::proxy::texts;

/// How long such a program may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bound on what is read of it in bytes.
const LARGEST: usize = 256 * 1024;

/// The desktop's settings: KDE's where KDE runs, else GNOME's, which other desktops use as well.
#[cfg(not(any(target_os = "macos", windows)))]
pub(super) async fn desktop(sources: &ProxySources) -> Settings {
    let desktop = sources.desktop.as_deref().unwrap_or_default();
    if desktop.split(':').any(|name| name.eq_ignore_ascii_case("KDE")) {
        let file = sources.config_home.as_ref().map(|folder| folder.join("kioslaverc"));
        let read = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
        return texts::kde(&bounded(&read));
    }
    let words = ["gsettings", "list-recursively", "org.gnome.system.proxy"];
    output(&words).await.map(|text| texts::gnome(&text)).unwrap_or_default()
}

/// Not compiled by us so far: there is no such machine here. The reading of the text is tested.
#[cfg(target_os = "macos")]
pub(super) async fn desktop(_: &ProxySources) -> Settings {
    output(&["scutil", "--proxy"]).await.map(|text| texts::macos(&text)).unwrap_or_default()
}

/// Not compiled by us so far: there is no such machine here. The reading of the text is tested.
#[cfg(windows)]
pub(super) async fn desktop(_: &ProxySources) -> Settings {
    let key = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";
    output(&["reg", "query", key]).await.map(|text| texts::windows(&text)).unwrap_or_default()
}

/// What a program says; nothing when there is no such program, or it fails or takes too long.
async fn output(words: &[&str]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?;
    let output = output
        .inspect_err(|error| tracing::debug!(program, %error, "the proxy settings are not known"))
        .ok()?;
    output.status.success().then(|| bounded(&output.stdout))
}

fn bounded(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..bytes.len().min(LARGEST)).unwrap_or_default()).into_owned()
}
