//! Signing in to servers of open standards with nothing but address and password: SRV and NAPTR
//! records from Knot, chat from Prosody, telephony from Kamailio.

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, Scratch, Standard, Transport, doctor, have,
};
use serde_json::Value;

const PEERS: &[&str] = &["knotd", "prosody", "kamailio", "kamcmd"];

fn check(parts: &Parts, services: &[&str], fits: impl Fn(&Value) -> bool) {
    if !have("signing in to a standard account", PEERS) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, parts);
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    let session = client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, services);
    assert_eq!(session["authenticator"], "standard", "{session:#}");
    assert!(fits(&session), "{session:#}");
    if services.contains(&"phone") {
        servers.sip().until_registered("alice", 20);
    }
}

fn row<'a>(session: &'a Value, service: &str, member: &str) -> &'a str {
    session["services"][service][member].as_str().unwrap_or_default()
}

#[test]
fn an_address_and_a_password_are_enough() {
    check(&Parts::default(), &["im", "phone"], |session| {
        session["productMode"] == "full"
            && session["via"] == "direct"
            && row(session, "phone", "protocol").contains("TLS")
            && row(session, "phone", "tls").contains("TLS")
            && row(session, "im", "tls").contains("TLS")
    });
}

#[test]
fn the_order_of_naptr_records_is_followed() {
    let sip = vec![Transport::Udp, Transport::Tls, Transport::Tcp];
    check(&Parts { sip, ..Parts::default() }, &["im", "phone"], |session| {
        row(session, "phone", "protocol").contains("UDP")
    });
}

#[test]
fn srv_records_alone_and_starttls_alone_are_enough() {
    let parts = Parts {
        xmpp: Some((false, true)),
        sip: vec![Transport::Tcp],
        naptr: false,
        ..Parts::default()
    };
    check(&parts, &["im", "phone"], |session| {
        row(session, "phone", "protocol").contains("TCP") && !row(session, "im", "tls").is_empty()
    });
}

#[test]
fn a_domain_without_sip_records_is_a_chat_account() {
    check(&Parts::chat(), &["im"], |session| {
        session["productMode"] == "imOnly" && row(session, "phone", "state") == "notConfigured"
    });
}

#[test]
fn a_domain_without_xmpp_records_is_a_phone_account() {
    check(&Parts::phone(Transport::Tls), &["phone"], |session| {
        session["productMode"] == "phoneOnly" && row(session, "im", "state") == "notConfigured"
    });
}

#[test]
fn the_doctor_finds_nothing_wrong_and_registers_nothing() {
    if !have("the doctor on a standard account", PEERS) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::default());
    let profile = scratch.path().join("profile");
    let (status, diagnosis, _) =
        doctor(&profile, &servers.setup(), &format!("alice@{DOMAIN}"), PASSWORD);
    assert_eq!((status, &diagnosis["exit"]), (0, &Value::from(0)), "{diagnosis:#}");
    assert_eq!(diagnosis["authenticator"], "standard");
    let steps = diagnosis["steps"].as_array().cloned().unwrap_or_default();
    assert!(steps.iter().any(|step| step["outcome"] == "won"), "{diagnosis:#}");
    assert!(servers.sip().contacts("alice").is_none(), "the doctor has registered a phone");
    assert!(!profile.exists(), "the doctor has made a profile");
}
