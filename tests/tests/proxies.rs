//! The question to the cloud by way of real proxies: tinyproxy, Squid, and a script that nginx serves.
//! Neither proxy lets anybody through, and the name server knows no cloud, so nothing leaves this
//! machine.

use std::path::Path;

use offhook_interop::{
    DOMAIN, Knot, Nginx, PASSWORD, Scratch, Setup, Squid, Tinyproxy, doctor, free_port, have,
};
use serde_json::Value;

const CLOUD: &str = "loginp.webexconnect.com:443";

/// What the doctor finds with this environment.
fn findings(
    scratch: &Scratch,
    knot: &Knot,
    environment: Vec<(&'static str, String)>,
) -> Vec<Value> {
    let setup = Setup { name_server: Some(knot.address.clone()), environment, ..Setup::default() };
    let profile = scratch.folder("profile");
    let address = format!("alice@{DOMAIN}");
    let (_, diagnosis, _) = doctor(&profile, &setup, &address, PASSWORD);
    diagnosis["findings"].as_array().expect("findings").clone()
}

/// The sentences of rule D33.
fn about_proxies(findings: &[Value]) -> Vec<String> {
    let ours = findings.iter().filter(|finding| finding["rule"] == "D33");
    ours.map(|finding| finding["cause"].as_str().unwrap_or_default().to_owned()).collect()
}

fn explicit(port: u16) -> Vec<(&'static str, String)> {
    let proxy = format!("http://127.0.0.1:{port}");
    vec![("https_proxy", proxy.clone()), ("http_proxy", proxy)]
}

/// A desktop of KDE with this script.
fn by_script(folder: &Path, url: &str) -> Vec<(&'static str, String)> {
    let settings = format!("[Proxy Settings]\nProxyType=2\nProxy Config Script={url}\n");
    std::fs::write(folder.join("kioslaverc"), settings).expect("a file of settings");
    vec![
        ("XDG_CURRENT_DESKTOP", "KDE".to_owned()),
        ("XDG_CONFIG_HOME", folder.display().to_string()),
    ]
}

#[test]
fn an_explicit_proxy_is_used_and_its_refusal_is_told() {
    if !have("an explicit proxy", &["knotd", "tinyproxy"]) {
        return;
    }
    let scratch = Scratch::new();
    let knot = Knot::start(scratch.path(), DOMAIN, "");
    let proxy = Tinyproxy::start(scratch.path());
    // Only for TLS: in clear the refusal would be a page like any other.
    let found = findings(&scratch, &knot, explicit(proxy.port)[..1].to_vec());
    assert!(proxy.was_asked_for(CLOUD), "{found:#?}");
    assert!(about_proxies(&found).iter().any(|it| it.contains("403")), "{found:#?}");
}

#[test]
fn a_proxy_that_wants_a_password_gets_none_and_that_is_told() {
    if !have("a proxy with a password", &["knotd", "squid"]) {
        return;
    }
    let scratch = Scratch::new();
    let knot = Knot::start(scratch.path(), DOMAIN, "");
    let proxy = Squid::start(scratch.path());
    let found = findings(&scratch, &knot, explicit(proxy.port));
    assert!(about_proxies(&found).iter().any(|it| it.contains("password")), "{found:#?}");
}

#[test]
fn the_bypass_list_is_followed_and_a_wildcard_in_it_is_told() {
    if !have("a bypass list", &["knotd", "tinyproxy"]) {
        return;
    }
    let scratch = Scratch::new();
    let knot = Knot::start(scratch.path(), DOMAIN, "");
    let proxy = Tinyproxy::start(scratch.path());
    let with = |none: &str| [explicit(proxy.port), vec![("no_proxy", none.to_owned())]].concat();
    let found = findings(&scratch, &knot, with("localhost, webexconnect.com"));
    assert!(!proxy.was_asked_for(CLOUD), "{found:#?}");
    assert!(about_proxies(&found).is_empty(), "{found:#?}");
    let found = findings(&scratch, &knot, with("*.webexconnect.com"));
    assert!(proxy.was_asked_for(CLOUD), "{found:#?}");
    let wildcard = |it: &String| it.contains("*.webexconnect.com");
    assert!(about_proxies(&found).iter().any(wildcard), "{found:#?}");
}

#[test]
fn a_script_from_a_web_server_names_the_proxy_and_a_broken_one_is_told() {
    if !have("a proxy's script", &["knotd", "tinyproxy", "nginx"]) {
        return;
    }
    let scratch = Scratch::new();
    let knot = Knot::start(scratch.path(), DOMAIN, "");
    let proxy = Tinyproxy::start(scratch.path());
    let pages = scratch.folder("pages");
    let script = format!(
        "function FindProxyForURL(url, host) {{\n  if (isPlainHostName(host) || dnsDomainIs(host, \
         '.{DOMAIN}')) return 'DIRECT';\n  if (shExpMatch(host, '*.webexconnect.com')) return \
         'PROXY 127.0.0.1:{}';\n  return 'DIRECT';\n}}\n",
        proxy.port
    );
    std::fs::write(pages.join("good.pac"), script).expect("a script");
    std::fs::write(pages.join("broken.pac"), "function FindProxyForURL(url, host) { return")
        .expect("a script");
    let port = free_port();
    let servers = format!("server {{ listen 127.0.0.1:{port}; root {}; }}", pages.display());
    let _nginx = Nginx::start(scratch.path(), &[port], &servers);
    let desktop = scratch.folder("desktop");

    let url = |name: &str| format!("http://127.0.0.1:{port}/{name}");
    let found = findings(&scratch, &knot, by_script(&desktop, &url("broken.pac")));
    assert!(!proxy.was_asked_for(CLOUD), "{found:#?}");
    assert!(about_proxies(&found).iter().any(|it| it.contains("script fails")), "{found:#?}");
    let found = findings(&scratch, &knot, by_script(&desktop, &url("missing.pac")));
    assert!(about_proxies(&found).iter().any(|it| it.contains("404")), "{found:#?}");
    let found = findings(&scratch, &knot, by_script(&desktop, &url("good.pac")));
    assert!(proxy.was_asked_for(CLOUD), "{found:#?}");
}
