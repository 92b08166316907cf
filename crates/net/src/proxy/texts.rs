//! Reads what systems say about their proxies: GNOME's `gsettings`, KDE's `kioslaverc`, the
//! `scutil --proxy` of macOS, and Windows' `reg query`. All are texts of lines, all are bounded, and
//! what is not understood is passed over.

use crate::proxy::settings::Settings;

/// Lines past this many are not looked at.
const MOST_LINES: usize = 2000;

/// `gsettings list-recursively org.gnome.system.proxy`: schema, key, value in GVariant's text form.
pub(super) fn gnome(text: &str) -> Settings {
    let value = |schema: &str, key: &str| {
        let mut lines = text.lines().take(MOST_LINES);
        lines.find_map(|line| {
            let rest = line.strip_prefix("org.gnome.system.proxy")?.strip_prefix(schema)?;
            rest.strip_prefix(' ')?.strip_prefix(key)?.strip_prefix(' ').map(str::trim)
        })
    };
    let string =
        |schema: &str, key: &str| value(schema, key).map(unquoted).filter(|it| !it.is_empty());
    let server = |schema: &str| {
        let host = string(schema, "host")?;
        let port: u16 = value(schema, "port")?.parse().ok().filter(|port| *port != 0)?;
        Some(format!("{}:{port}", bracketed(host)))
    };
    match value("", "mode").map(unquoted) {
        Some("auto") => automatic(string("", "autoconfig-url").map(str::to_owned)),
        Some("manual") => {
            let http = server(".http");
            Settings {
                https: server(".https").or_else(|| http.clone()),
                http,
                bypass: list(value("", "ignore-hosts").unwrap_or_default()),
                ..Settings::default()
            }
        }
        Some(_) | None => Settings::default(),
    }
}

/// `kioslaverc`, group `Proxy Settings`: type 1 is manual, 2 automatic, 3 found by name, 4 the
/// environment.
pub(super) fn kde(text: &str) -> Settings {
    let mut inside = false;
    let mut settings = Settings::default();
    let (mut kind, mut script) = (0, None);
    for line in text.lines().take(MOST_LINES).map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[Proxy Settings]");
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| inside) else { continue };
        // Marks such as [$e] follow the key.
        let key = key.split('[').next().unwrap_or_default().trim();
        let value = value.trim();
        match key {
            "ProxyType" => kind = value.parse().unwrap_or(0),
            "Proxy Config Script" => script = Some(value.to_owned()),
            "httpProxy" => settings.http = with_space(value),
            "httpsProxy" => settings.https = with_space(value),
            "NoProxyFor" => settings.bypass = split(value, ','),
            "ReversedException" if value == "true" => {
                let what = "a list of the only hosts that use the proxy is not understood";
                settings.trouble.push(what.to_owned());
            }
            _ => {}
        }
    }
    match kind {
        1 => settings,
        2 => automatic(script.filter(|script| !script.is_empty())),
        3 => automatic(None),
        _ => Settings::default(),
    }
}

/// `scutil --proxy`: a dictionary in which `ExceptionsList` is an array.
pub(super) fn macos(text: &str) -> Settings {
    let mut settings = Settings::default();
    let mut pairs = std::collections::HashMap::new();
    let mut in_list = false;
    for line in text.lines().take(MOST_LINES).map(str::trim) {
        let Some((key, value)) = line.split_once(" : ") else {
            in_list &= line != "}";
            continue;
        };
        if in_list {
            settings.bypass.push(value.to_owned());
        } else if key == "ExceptionsList" {
            in_list = true;
        } else {
            pairs.insert(key, value);
        }
    }
    let on = |key: &str| pairs.get(key) == Some(&"1");
    let server = |kind: &str| {
        let host = pairs.get(format!("{kind}Proxy").as_str())?;
        let port = pairs.get(format!("{kind}Port").as_str())?;
        on(&format!("{kind}Enable")).then(|| format!("{}:{port}", bracketed(host)))
    };
    if on("ProxyAutoConfigEnable") {
        return automatic(pairs.get("ProxyAutoConfigURLString").map(|url| (*url).to_owned()));
    }
    settings.bypass_local = on("ExcludeSimpleHostnames");
    Settings { http: server("HTTP"), https: server("HTTPS"), ..settings }
}

/// `reg query …\Internet Settings`: name, type, value in columns.
pub(super) fn windows(text: &str) -> Settings {
    let value = |name: &str| {
        let mut lines = text.lines().take(MOST_LINES);
        lines.find_map(|line| {
            let rest = line.trim().strip_prefix(name)?;
            let (_, value) = rest.split_once("REG_")?;
            rest.starts_with(char::is_whitespace).then_some(())?;
            value.split_once(char::is_whitespace).map(|(_, value)| value.trim())
        })
    };
    if let Some(url) = value("AutoConfigURL").filter(|url| !url.is_empty()) {
        return automatic(Some(url.to_owned()));
    }
    if value("ProxyEnable").is_none_or(|on| on == "0x0") {
        return Settings::default();
    }
    let server = value("ProxyServer").unwrap_or_default();
    let of = |kind: &str| {
        if !server.contains('=') {
            return Some(server.to_owned()).filter(|server| !server.is_empty());
        }
        server.split(';').find_map(|one| Some(one.trim().strip_prefix(kind)?.to_owned()))
    };
    let (local, bypass): (Vec<_>, Vec<_>) = split(value("ProxyOverride").unwrap_or_default(), ';')
        .into_iter()
        .partition(|it| it == "<local>");
    Settings {
        http: of("http="),
        https: of("https="),
        bypass,
        bypass_local: !local.is_empty(),
        ..Settings::default()
    }
}

/// Settings by a script; without its address it would have to be looked for (WPAD), which is not
/// done: any host of the network could then answer.
fn automatic(url: Option<String>) -> Settings {
    let trouble = match url {
        Some(_) => vec![],
        None => vec!["an automatic configuration is switched on without its address".to_owned()],
    };
    Settings { pac: url, trouble, ..Settings::default() }
}

/// KDE writes a space between address and port.
fn with_space(value: &str) -> Option<String> {
    let value = value.trim();
    match value.rsplit_once(' ') {
        Some((address, port)) => Some(format!("{}:{port}", address.trim())),
        None if value.is_empty() => None,
        None => Some(value.to_owned()),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

fn unquoted(value: &str) -> &str {
    let quoted = |mark: char| value.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    quoted('\'').or_else(|| quoted('"')).unwrap_or(value)
}

/// A list in GVariant's text form: `['localhost', '127.0.0.0/8']`, or `@as []`.
fn list(value: &str) -> Vec<String> {
    let inner = value.split_once('[').map_or("", |(_, rest)| rest.trim_end_matches(']'));
    split(inner, ',').iter().map(|one| unquoted(one).to_owned()).collect()
}

fn split(text: &str, at: char) -> Vec<String> {
    let parts = text.split(at).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// The environment's settings. `no_proxy` has commas or spaces between its entries.
pub(super) fn environment(sources: &super::ProxySources) -> Settings {
    let set = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    let none = sources.none.as_deref().unwrap_or_default().replace(' ', ",");
    Settings {
        http: set(&sources.http).or_else(|| set(&sources.all)),
        https: set(&sources.https).or_else(|| set(&sources.all)),
        bypass: split(&none, ','),
        ..Settings::default()
    }
}

/// Reads `data` as each kind of text and asks what it means.
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for read in [gnome, kde, macos, windows] {
        let settings = read(&text);
        let _ = settings.wildcards().count();
        for secure in [false, true] {
            if let Ok(super::Way::Proxy(server)) = settings.way(secure, "a.example.com", 443) {
                assert!(!server.host.is_empty() && server.port != 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{gnome, kde, macos, windows};
    use crate::proxy::settings::Settings;

    const GNOME: &str = include_str!("../../corpus/proxy_settings/gnome-manual");
    const GNOME_AUTO: &str = include_str!("../../corpus/proxy_settings/gnome-auto");
    const KDE: &str = include_str!("../../corpus/proxy_settings/kde-manual");
    const MACOS: &str = include_str!("../../corpus/proxy_settings/macos");
    const WINDOWS: &str = include_str!("../../corpus/proxy_settings/windows");

    fn manual(http: &str, https: &str, bypass: &[&str]) -> Settings {
        Settings {
            http: Some(http.into()),
            https: Some(https.into()),
            bypass: bypass.iter().map(|entry| (*entry).to_owned()).collect(),
            ..Settings::default()
        }
    }

    #[test]
    fn desktops_are_understood() {
        let expected = manual(
            "proxy.example.com:3128",
            "proxy.example.com:3129",
            &["localhost", "127.0.0.0/8", "::1"],
        );
        assert_eq!(gnome(GNOME), expected);
        assert_eq!(gnome(&GNOME.replace("'manual'", "'none'")), Settings::default());
        let pac = "http://wpad.example.com/proxy.pac".to_owned();
        assert_eq!(gnome(GNOME_AUTO), Settings { pac: Some(pac.clone()), ..Settings::default() });
        let lost = gnome(&GNOME_AUTO.replace(&pac, ""));
        assert!(lost.is_empty() && lost.trouble.len() == 1, "{lost:?}");
        let expected = manual(
            "http://proxy.example.com:3128",
            "http://proxy.example.com:3129",
            &["localhost", ".example.com"],
        );
        assert_eq!(kde(KDE), expected);
        let auto = KDE.replace("ProxyType=1", "ProxyType=2");
        assert_eq!(kde(&auto), Settings { pac: Some(pac), ..Settings::default() });
        assert_eq!(kde(&KDE.replace("[Proxy Settings]", "[Other]")), Settings::default());
    }

    #[test]
    fn other_systems_are_understood() {
        let mac =
            manual("proxy.example.com:3128", "proxy.example.com:3129", &["*.local", "169.254/16"]);
        assert_eq!(macos(MACOS), Settings { bypass_local: true, ..mac });
        let local =
            manual("proxy.example.com:3128", "proxy.example.com:3129", &["10.*", "example.com"]);
        assert_eq!(windows(WINDOWS), Settings { bypass_local: true, ..local });
        let off = WINDOWS.replace("0x1", "0x0");
        assert_eq!(windows(&off), Settings::default());
    }
}
