//! Opening an address in the system's browser.

use std::process::{Command, Stdio};

/// Longer addresses are refused; browsers and command lines have bounds of their own near this.
const LONGEST: usize = 8_192;

/// Opens an `https` or `http` address in the browser that the user chose. The address goes to the
/// system as one argument, never through a shell. Waits until the system has taken it over.
///
/// # Errors
/// In words: no web address, or the system has nothing that opens it.
pub fn open_browser(url: &str) -> Result<(), String> {
    if !is_web(url) {
        return Err("Only https and http addresses are opened in the browser.".to_owned());
    }
    let (program, before) = opener();
    let status = Command::new(program)
        .args(before)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| {
            format!("{program} cannot be started ({error}). Open the address by hand.")
        })?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{program} opens no browser here. Open the address by hand."))
    }
}

#[cfg(target_os = "macos")]
fn opener() -> (&'static str, &'static [&'static str]) {
    ("open", &[])
}

#[cfg(windows)]
fn opener() -> (&'static str, &'static [&'static str]) {
    ("rundll32.exe", &["url.dll,FileProtocolHandler"])
}

#[cfg(not(any(target_os = "macos", windows)))]
fn opener() -> (&'static str, &'static [&'static str]) {
    ("xdg-open", &[])
}

/// An address of the web without anything that a command line could take for something else.
fn is_web(url: &str) -> bool {
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
        url.get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .and_then(|_| url.get(scheme.len()..))
    });
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`');
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && url.len() <= LONGEST && rest.chars().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_web, open_browser};

    #[test]
    fn only_web_addresses_are_opened() {
        for good in ["https://login.example.test/sso?org=example.test&x=1", "HTTP://a/"] {
            assert!(is_web(good), "{good}");
        }
        let long = format!("https://a/{}", "x".repeat(9_000));
        for bad in [
            "",
            "https://",
            "https:///etc/passwd",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "-https://a",
            "--help",
            "https://a b",
            "https://a\n",
            "https://a\"",
            "ftp://a/",
            long.as_str(),
        ] {
            assert!(!is_web(bad), "{bad}");
            assert!(open_browser(bad).is_err());
        }
    }
}
