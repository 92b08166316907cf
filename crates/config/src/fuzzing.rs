//! One entry per kind of outside bytes, named like its folder under `corpus/`: runs the reader
//! and checks what must hold of everything it accepts.

use offhook_model::{Layer, Provisioned, Setting, Source};

use crate::text::MAX_SETTINGS;
use crate::xml::{self, MAX_DEPTH, MAX_ELEMENTS};

/// The tree reader.
///
/// # Panics
/// When a bound does not hold.
pub fn xml(data: &[u8]) {
    if let Ok(document) = xml::parse(data) {
        assert!(document.root.depth() <= MAX_DEPTH);
        assert!(document.root.count() <= MAX_ELEMENTS);
        // A byte that is not UTF-8 becomes a replacement character of three bytes.
        assert!(text_length(&document.root) <= data.len() * 3);
        assert!(document.oddities.len() <= 16);
    }
}

fn text_length(element: &xml::Element) -> usize {
    element.text.len() + element.children.iter().map(text_length).sum::<usize>()
}

/// All UDS answers.
pub fn uds(data: &[u8]) {
    if let Ok(Some(home)) = crate::read_cluster_user(data) {
        assert!(!home.host.is_empty());
    }
    if let Ok(hosts) = crate::read_servers(data) {
        assert!(hosts.len() <= 64 && hosts.iter().all(|host| !host.is_empty()));
    }
    let _ = crate::read_user(data);
    let _ = crate::read_devices(data);
    let _ = crate::read_device(data);
    if let Ok(page) = crate::read_users(data) {
        assert!(page.people.len() <= page.rows.min(500));
    }
}

/// Answers of WebDialer.
///
/// # Panics
/// When a bound does not hold.
pub fn web_dialer(data: &[u8]) {
    if let Ok(answer) = crate::read_dialer_answer(data) {
        assert!(answer.phones.len() <= 20);
        assert!(answer.phones.iter().all(|phone| phone.lines.len() <= 20));
    }
    let _ = crate::read_is_cluster_user(data);
}

/// The cloud's answer about a domain.
pub fn cas(data: &[u8]) {
    if let Ok(crate::CasAnswer::Password(code)) = crate::read_cas(data) {
        assert!(!code.is_empty() && code.chars().count() <= 16);
    }
}

/// The service profile.
pub fn service_profile(data: &[u8]) {
    if let Ok(profile) = crate::read_service_profile(data) {
        assert!(profile.im.servers.len() <= 3);
        assert!(profile.cti.iter().all(|server| !server.host.is_empty()));
    }
}

/// The device file.
pub fn device_file(data: &[u8]) {
    if let Ok(file) = crate::read_device_file(data) {
        assert!(file.media_ports.start >= 1024 && file.media_ports.start <= file.media_ports.end);
        assert!(file.dscp.audio < 64 && file.dscp.signalling < 64);
        assert!(file.members.is_sorted_by_key(|member| member.priority));
        assert!((96..=127).contains(&file.dtmf_payload));
    }
}

/// Dial rules.
pub fn dial_rules(data: &[u8]) {
    if let Ok(rules) = crate::read_dial_rules(data) {
        assert!(rules.len() <= 1000);
        for rule in rules {
            assert!(rule.begins.len() + rule.prefix.len() <= 128);
            let all = [&rule.begins, &rule.prefix];
            assert!(all.iter().all(|it| it.bytes().all(|byte| b"0123456789+*#".contains(&byte))));
            assert!(rule.digits.is_none_or(|digits| rule.strip <= digits));
        }
    }
}

/// SOAP answers.
pub fn soap(data: &[u8]) {
    let _ = crate::read_login(data);
    let _ = crate::read_one_time_password(data);
    let _ = crate::read_system_config(data);
}

/// The device list of 8.x.
pub fn ccmcip(data: &[u8]) {
    if let Ok(crate::Answered::Success(devices)) = crate::read_device_list(data) {
        assert!(devices.len() <= 256);
        assert!(devices.iter().all(|device| !device.name.is_empty() && !device.model.is_empty()));
    }
}

/// Answers of the cloud.
pub fn webex(data: &[u8]) {
    if let Ok(crate::Answered::Success(login)) = crate::read_cloud_login(data) {
        assert!(!login.token.expose().is_empty());
        assert!((60..=7 * 86_400).contains(&login.lives.as_secs()));
    }
    if let Ok(crate::Answered::Success(session)) = crate::read_cloud_session(data) {
        assert!(!session.credential.expose().is_empty());
    }
    if let Ok(crate::Answered::Success(layer)) = crate::read_cloud_config(data, "cloud") {
        assert!(layer.settings.len() <= 500);
        let secret = |key: &str| key.to_ascii_lowercase().contains("password");
        assert!(layer.settings.iter().all(|setting| !secret(&setting.key)));
    }
}

/// Web addresses.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(url) = crate::HttpUrl::parse(&text) {
        assert_eq!(crate::HttpUrl::parse(&url.to_string()).as_ref(), Some(&url));
        let _ = url.last_segment();
    }
}

/// The bootstrap file.
pub fn bootstrap(data: &[u8]) {
    let layer = crate::read_bootstrap(data, "b");
    assert!(layer.settings.len() <= MAX_SETTINGS && layer.oddities.len() <= 4);
    let (known, _) = crate::first_launch(Provisioned::default(), Some(("b", data)));
    assert_eq!(known.layers, std::slice::from_ref(&layer));
    all_of(layer);
}

/// The configuration URL.
pub fn provision_url(data: &[u8]) {
    if let Ok(layer) = crate::read_provision_url(&String::from_utf8_lossy(data)) {
        assert!(layer.settings.len() <= 64);
        assert!(crate::Layers::new([layer.clone()]).text("ServicesDomain").is_some());
        all_of(layer);
    }
}

/// The client configuration file.
pub fn client_config(data: &[u8]) {
    if let Ok(layer) = crate::read_client_config(data, Source::GlobalFile, "f") {
        assert!(layer.settings.len() <= MAX_SETTINGS && layer.oddities.len() <= 64);
        all_of(layer);
    }
    if let Ok(layer) = crate::read_profile_layer(data, "p") {
        all_of(layer);
    }
}

/// What holds of every layer: passwords are not in it, and everything can be told about it.
fn all_of(layer: Layer) {
    let secret = |it: &&Setting| it.key.to_ascii_lowercase().contains("connectionpassword");
    assert!(layer.settings.iter().filter(secret).all(|it| it.value.is_empty()));
    assert!(layer.settings.iter().all(|it| !it.value.chars().any(char::is_control)));
    assert!(crate::problems(&layer).len() <= 20);
    let layers = crate::Layers::new([layer]);
    let _ = (layers.preset(), layers.problems());
    assert!(layers.explain().len() <= layers.layers().iter().map(|it| it.settings.len() + 1).sum());
}

/// The edge's answer.
pub fn edge(data: &[u8]) {
    let Ok(config) = crate::read_edge_config(data) else { return };
    let targets = [&config.sip, &config.xmpp, &config.http, &config.turn, &config.user_uds];
    assert!(targets.iter().all(|list| list.len() <= 32));
    assert!(targets.iter().copied().flatten().all(|it| it.port != 0 && !it.host.is_empty()));
    assert!(config.routes.iter().all(|route| !route.chars().any(|c| c.is_control())));
    for target in config.http.iter().chain(&config.user_uds) {
        let url = crate::HttpUrl {
            secure: true,
            host: target.host.clone(),
            port: target.port,
            path: "/".into(),
        };
        let written = crate::edge_rewrite(&url, "example.com", target);
        assert_eq!(crate::HttpUrl::parse(&written.to_string()), Some(written));
    }
}
