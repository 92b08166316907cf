//! A registrar that is restarted, and one that is left.

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, PhoneAccount, Scratch, Standard, Transport, have, pause,
};
use serde_json::{Value, json};

const PEERS: &[&str] = &["knotd", "kamailio", "kamcmd", "baresip"];

/// The registrar is away for `away` seconds.
fn survives_a_restart(transport: Transport, expires: u32, away: f64, within: u64) {
    if !have("registration after a restart of the registrar", PEERS) {
        return;
    }
    let scratch = Scratch::new();
    let parts = Parts { expires, ..Parts::phone(transport) };
    let mut servers = Standard::start(&scratch, &parts);
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    let kamailio = servers.kamailio.as_mut().expect("kamailio");
    kamailio.until_registered("alice", 20);
    kamailio.stop();
    pause(away);
    kamailio.start_again();
    // The registrar itself is asked; it has forgotten everybody.
    kamailio.until_registered("alice", within);
    client.until_session("ready to call", |it| it["services"]["phone"]["state"] == "ready");

    let phone = PhoneAccount { user: "bob", codec: "PCMU/8000/1", more: "" };
    let mut phone = servers.phone(transport, &[phone]);
    let since = client.count();
    phone.command("dial", &format!("sip:alice@{DOMAIN}"));
    let id = client.until_called(since);
    client.must("call.answer", json!({ "id": id }));
    client.until_call(&id, "connected", since);
    client.must("call.hangUp", json!({ "id": id }));
    client.until_ended(&id, "hungUp", since);
}

#[test]
fn a_restart_is_survived_within_half_a_minute_over_tcp() {
    survives_a_restart(Transport::Tcp, 600, 0.0, 30);
}

#[test]
fn a_restart_is_survived_within_half_a_minute_over_tls() {
    survives_a_restart(Transport::Tls, 600, 12.0, 30);
}

#[test]
fn a_restart_is_survived_within_one_expiry_over_udp() {
    survives_a_restart(Transport::Udp, 30, 1.0, 30);
}

#[test]
fn signing_out_takes_the_phone_off_the_registrar() {
    if !have("un-registration", PEERS) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::phone(Transport::Tcp));
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    servers.sip().until_registered("alice", 20);
    client.must("session.signOut", Value::Null);
    client.until_session("signed out", |it| it["state"] == "signedOut");
    offhook_interop::until("the registrar has nobody", 20, || {
        servers.sip().contacts("alice").is_none().then_some(())
    });
}
