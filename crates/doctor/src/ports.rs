//! Servers that the account's settings name beyond sign-in: directory and voicemail. Connected to and
//! nothing more (D07); a directory is not bound to.

use offhook_config::Layers;
use offhook_model::{Endpoint, Layer, Link, Outcome, Service as Kind, TraceStep, Via};
use offhook_signin::Grant;

use crate::check::Checks;
use crate::policy::effective;

/// Visual voicemail (reference voicemail.md); its notifications come on a port of their own.
const VOICEMAIL: [u16; 2] = [443, 7080];

/// Tries them. From outside there is no straight way to them, and none is expected.
pub(crate) async fn check(checks: &mut Checks<'_>, grant: &Grant, layers: &[Layer]) {
    let layers = effective(layers, &[]);
    let endpoints: Vec<Endpoint> =
        directory(&layers).into_iter().chain(voicemail(&layers)).collect();
    if grant.via == Via::Edge {
        endpoints.iter().for_each(|at| checks.note(skipped(at)));
        return;
    }
    let tried = checks.reach_all(&endpoints).await;
    checks.remark(tried);
}

fn skipped(at: &Endpoint) -> TraceStep {
    TraceStep {
        step: "reach".into(),
        asked: format!("connect to the {} at {at}", at.service.words()),
        of: at.to_string(),
        answer: "not tried".into(),
        ms: 0,
        outcome: Outcome::Skipped,
        why: "it is inside, and we are connected through the edge".into(),
    }
}

/// LDAP servers; contact search by UDS uses the servers of the sign-in (reference client-config.md
/// section 7.2).
fn directory(layers: &Layers) -> Vec<Endpoint> {
    if layers.text("DirectoryServerType").is_some_and(|kind| kind.eq_ignore_ascii_case("UDS")) {
        return vec![];
    }
    let secure = layers.flag("UseSSL");
    let catalogue = layers.number("ConnectionType").unwrap_or(0) == 0
        && !layers
            .text("BDILDAPServerType")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("OpenLDAP"));
    let usual = match (catalogue, secure) {
        (true, false) => 3268,
        (true, true) => 3269,
        (false, false) => 389,
        (false, true) => 636,
    };
    let link = if secure { Link::Tls } else { Link::Tcp };
    [("PrimaryServerName", "ServerPort1"), ("SecondaryServerName", "ServerPort2")]
        .into_iter()
        .filter_map(|(host, port)| {
            let host = host_of(layers, host)?;
            let port = layers.number(port).and_then(|port| u16::try_from(port).ok());
            Some(Endpoint { service: Kind::Directory, host, port: port.unwrap_or(usual), link })
        })
        .collect()
}

fn voicemail(layers: &Layers) -> Vec<Endpoint> {
    if !layers.flag("Voicemail_Enabled") {
        return vec![];
    }
    let Some(named) = host_of(layers, "VoicemailPrimaryServer") else { return vec![] };
    let place = |host: &str, port| Endpoint {
        service: Kind::Voicemail,
        host: host.to_owned(),
        port,
        link: Link::Tls,
    };
    // A laboratory may name another port; notifications are then not looked for.
    match named.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) if !host.contains(':') => vec![place(host, port)],
        Some(_) | None => VOICEMAIL.map(|port| place(&named, port)).into(),
    }
}

fn host_of(layers: &Layers, key: &str) -> Option<String> {
    let value = layers.setting(key)?.0.value.trim().to_owned();
    (!value.is_empty()).then_some(value)
}
