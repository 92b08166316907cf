//! Ways of sound through translators: with coturn as relay, with baresip and linphone, and what is
//! said when a relay does not help.

use std::process::Command;

use offhook_interop::{
    Client, DOMAIN, Identity, Linphone, PASSWORD, Parts, PhoneAccount, SPEECH_DB, SPEECH_HZ,
    Scratch, Setup, Standard, Transport, Turn, TurnBy, WAY_ADDRESS, have, in_namespace, pause,
    until,
};
use serde_json::{Value, json};

const RELAY_USER: &str = "relay-user";
const RELAY_PASSWORD: &str = "Secret-0f-the-relay";
/// What alice and bob say.
const ALICE_HZ: f64 = 440.0;
const BOB_HZ: f64 = 660.0;
/// Level of what a client says, in dB.
const LEVEL: f64 = -12.0;

/// Two clients of ours.
struct Pair {
    alice: Client,
    bob: Client,
    // Ended last.
    servers: Standard,
    scratch: Scratch,
}

impl Pair {
    fn set(what: &str, ways: &Value, relay_password: Option<&str>) -> Option<Self> {
        if !have(what, &["knotd", "kamailio", "kamcmd", "turnserver"]) {
            return None;
        }
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, &Parts::phone(Transport::Tls));
        let start = |name: &str, input: &str| {
            let setup = Setup { input: Some(input.to_owned()), ..servers.setup() };
            let client = Client::start(scratch.path(), name, &setup);
            client.must("settings.set", json!({ "calls": { "ways": ways } }));
            if let Some(password) = relay_password {
                client.must("settings.setRelayPassword", json!({ "password": password }));
            }
            client.sign_in(&format!("{name}@{DOMAIN}"), PASSWORD, &["phone"]);
            servers.sip().until_registered(name, 20);
            client
        };
        let (alice, bob) = (start("alice", "tone:440"), start("bob", "tone:660"));
        Some(Self { alice, bob, servers, scratch })
    }

    /// Alice calls, bob answers; both ids.
    fn call(&self) -> (String, String) {
        let (since, there) = (self.alice.count(), self.bob.count());
        let id = self.alice.dial(&format!("sip:bob@{DOMAIN}"));
        let other = self.bob.until_called(there);
        self.bob.must("call.answer", json!({ "id": other }));
        self.alice.until_call(&id, "connected", since);
        self.bob.until_call(&other, "connected", there);
        (id, other)
    }

    fn until_way(&self, id: &str, other: &str, way: &Value) {
        for (client, id) in [(&self.alice, id), (&self.bob, other)] {
            until(&format!("{id} goes {way}"), 20, || {
                (client.stream(id, "send")["way"] == *way).then_some(())
            });
        }
    }

    fn hear_each_other(&self, seconds: f64) {
        let played = (self.alice.played(), self.bob.played());
        pause(seconds + 1.0);
        self.alice.expect_heard(played.0, BOB_HZ, LEVEL, seconds * 0.7);
        self.bob.expect_heard(played.1, ALICE_HZ, LEVEL, seconds * 0.7);
    }
}

fn relay(address: &str) -> Value {
    json!({ "turn": address, "turnUser": RELAY_USER, "relayOnly": true })
}

#[test]
fn two_of_ours_hear_each_other_through_a_relay_and_after_hold() {
    if !have("calls through coturn", &["turnserver"]) {
        return;
    }
    let scratch = Scratch::new();
    let turn = Turn::start(scratch.path(), (RELAY_USER, RELAY_PASSWORD), DOMAIN);
    let ways = relay(&turn.address);
    let Some(pair) = Pair::set("calls through coturn", &ways, Some(RELAY_PASSWORD)) else { return };
    let (id, other) = pair.call();
    pair.until_way(&id, &other, &json!({ "local": "relayed", "remote": "relayed" }));
    pair.hear_each_other(3.0);
    // TLS carries the keys: what the relay sees is encrypted.
    assert!(pair.alice.stream(&id, "send")["srtp"].is_string());
    let since = pair.alice.count();
    pair.alice.must("call.hold", json!({ "id": id }));
    pair.alice.until_call(&id, "held", since);
    let since = pair.alice.count();
    pair.alice.must("call.resume", json!({ "id": id }));
    pair.alice.until_call(&id, "connected", since);
    pair.until_way(&id, &other, &json!({ "local": "relayed", "remote": "relayed" }));
    pair.hear_each_other(2.0);
    let since = pair.alice.count();
    pair.alice.must("call.hangUp", json!({ "id": id }));
    pair.alice.until_ended(&id, "hungUp", since);
    assert!(!pair.alice.words().contains(RELAY_PASSWORD));
    until("the relay is given back", 20, || turn.words().contains("lifetime=0").then_some(()));
}

/// A call by a relay that is spoken to over a stream; what it wrote.
fn over_streams(what: &str, by: fn(&Identity) -> TurnBy<'_>, scheme: &str, transport: &str) {
    if !have(what, &["turnserver"]) {
        return;
    }
    let port = offhook_interop::free_port();
    let place = format!("{scheme}127.0.0.1:{port}{transport}");
    let Some(pair) = Pair::set(what, &relay(&place), Some(RELAY_PASSWORD)) else { return };
    let login = (RELAY_USER, RELAY_PASSWORD);
    let turn = Turn::start_by(pair.scratch.path(), login, DOMAIN, by(&pair.servers.identity), port);
    let (id, other) = pair.call();
    pair.until_way(&id, &other, &json!({ "local": "relayed", "remote": "relayed" }));
    pair.hear_each_other(3.0);
    let since = pair.alice.count();
    pair.alice.must("call.hangUp", json!({ "id": id }));
    pair.alice.until_ended(&id, "hungUp", since);
    until("the relay is given back", 60, || turn.words().contains("lifetime=0").then_some(()));
}

#[test]
fn where_datagrams_do_not_get_out_the_relay_is_spoken_to_over_tcp() {
    over_streams("coturn without UDP", |_| TurnBy::Tcp, "", "");
}

#[test]
fn where_only_tls_gets_out_the_relay_is_spoken_to_over_tls() {
    over_streams("coturn with TLS alone", |it| TurnBy::Tls(it), "", "");
}

#[test]
fn a_relay_is_spoken_to_as_its_uri_says() {
    over_streams("coturn by turn:", |_| TurnBy::Tcp, "turn:", "?transport=tcp");
    over_streams("coturn by turns:", |it| TurnBy::Tls(it), "turns:", "");
}

#[test]
fn a_relay_that_was_restarted_is_found_again_within_the_call() {
    let what = "coturn started anew";
    if !have(what, &["turnserver"]) {
        return;
    }
    let scratch = Scratch::new();
    let (login, port) = ((RELAY_USER, RELAY_PASSWORD), offhook_interop::free_port());
    let start = || Turn::start_by(scratch.path(), login, DOMAIN, TurnBy::All, port);
    let first = start();
    let ways = relay(&first.address);
    let Some(pair) = Pair::set(what, &ways, Some(RELAY_PASSWORD)) else { return };
    let (id, other) = pair.call();
    let relayed = json!({ "local": "relayed", "remote": "relayed" });
    pair.until_way(&id, &other, &relayed);
    pair.hear_each_other(2.0);
    drop(first);
    let second = start();
    until("both ask the new one", 120, || {
        let words = second.words();
        (words.matches("ALLOCATE processed, success").count() >= 4).then_some(())
    });
    let again = |client: &Client, id: &str| {
        until(&format!("{id} goes by the relay again"), 120, || {
            (client.stream(id, "send")["way"] == relayed).then_some(())
        });
    };
    again(&pair.alice, &id);
    again(&pair.bob, &other);
    pair.hear_each_other(3.0);
    let since = pair.alice.count();
    pair.alice.must("call.hangUp", json!({ "id": id }));
    pair.alice.until_ended(&id, "hungUp", since);
}

#[test]
fn without_a_relay_in_between_the_way_is_the_shortest() {
    let scratch = Scratch::new();
    if !have("calls beside coturn", &["turnserver"]) {
        return;
    }
    let turn = Turn::start(scratch.path(), (RELAY_USER, RELAY_PASSWORD), DOMAIN);
    let ways = json!({ "turn": turn.address, "turnUser": RELAY_USER, "stun": turn.address });
    let Some(pair) = Pair::set("calls beside coturn", &ways, Some(RELAY_PASSWORD)) else { return };
    let (id, other) = pair.call();
    pair.until_way(&id, &other, &json!({ "local": "host", "remote": "host" }));
    pair.hear_each_other(2.0);
}

fn trouble(client: &Client, id: &str) -> String {
    until("a sentence about the relay", 20, || {
        let calls = client.must("call.list", json!({}));
        let items = calls["items"].as_array().cloned().unwrap_or_default();
        let call = items.into_iter().find(|call| call["id"] == id)?;
        call["trouble"]["cause"].as_str().map(str::to_owned)
    })
}

#[test]
fn a_relay_that_refuses_the_password_is_named_and_the_call_goes_on() {
    if !have("coturn with a wrong password", &["turnserver"]) {
        return;
    }
    let scratch = Scratch::new();
    let turn = Turn::start(scratch.path(), (RELAY_USER, RELAY_PASSWORD), DOMAIN);
    let ways = json!({ "turn": turn.address, "turnUser": RELAY_USER });
    let Some(pair) = Pair::set("coturn with a wrong password", &ways, Some("wrong")) else {
        return;
    };
    let (id, other) = pair.call();
    pair.until_way(&id, &other, &json!({ "local": "host", "remote": "host" }));
    let words = trouble(&pair.alice, &id);
    assert!(words.contains("does not know the user, or the password"), "{words}");
    pair.hear_each_other(2.0);
}

#[test]
fn a_relay_that_is_gone_is_named_and_the_call_goes_on_unless_it_may_not() {
    let gone = format!("127.0.0.1:{}", offhook_interop::free_port());
    let ways = json!({ "turn": gone, "turnUser": RELAY_USER });
    let Some(pair) = Pair::set("a relay that is gone", &ways, Some(RELAY_PASSWORD)) else { return };
    let (id, other) = pair.call();
    pair.until_way(&id, &other, &json!({ "local": "host", "remote": "host" }));
    let words = trouble(&pair.alice, &id);
    assert!(words.contains("does not answer"), "{words}");
    pair.hear_each_other(2.0);
    let since = pair.alice.count();
    pair.alice.must("call.hangUp", json!({ "id": id }));
    pair.alice.until_ended(&id, "hungUp", since);
    // No other address may be named: then there is no call without a relay.
    pair.alice.must("settings.set", json!({ "calls": { "ways": relay(&gone) } }));
    let since = pair.alice.count();
    let id = pair.alice.dial(&format!("sip:bob@{DOMAIN}"));
    pair.alice.until_ended(&id, "failed", since);
    assert!(pair.scratch.path().is_dir());
}

/// An address that is not loopback, and a way out by it that leads nowhere, in a namespace that has
/// nothing else: phones look for the address they would go out by.
fn own_address() {
    let address = format!("{WAY_ADDRESS}/32");
    for words in [
        &["address", "add", &address, "dev", "lo"][..],
        &["route", "add", "default", "dev", "lo", "src", WAY_ADDRESS],
    ] {
        let done = Command::new("ip").args(words).status();
        assert!(done.is_ok_and(|status| status.success()), "ip {words:?}");
    }
}

/// In clear: with SRTP it could not decrypt what came over a found way, which nobody has looked into
/// yet. Encryption over such a way is shown between two of ours.
const FOREIGN: PhoneAccount<'_> =
    PhoneAccount { user: "carol", codec: "PCMU/8000/1", more: "medianat=ice" };

/// Calls in both directions with baresip.
fn with_baresip() {
    own_address();
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::phone(Transport::Tls));
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.must("settings.set", json!({ "calls": { "ways": { "ice": true } } }));
    let mut phone = servers.phone(Transport::Tls, &[FOREIGN]);
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    servers.sip().until_registered("alice", 20);
    for ours in [true, false] {
        let (since, theirs, played) = (client.count(), phone.count(), client.played());
        let id = if ours {
            client.dial(&format!("sip:carol@{DOMAIN}"))
        } else {
            phone.command("dial", &format!("sip:alice@{DOMAIN}"));
            let id = client.until_called(since);
            client.must("call.answer", json!({ "id": id }));
            id
        };
        client.until_call(&id, "connected", since);
        phone.until_event("CALL_ESTABLISHED", theirs);
        until_some_way(&client, &id);
        pause(3.0);
        let stream = client.stream(&id, "receive");
        assert!(stream["packets"].as_u64() > Some(25), "we call: {ours}: {stream:#}");
        client.must("call.hangUp", json!({ "id": id }));
        client.until_ended(&id, "hungUp", since);
        phone.until_event("CALL_CLOSED", theirs);
        phone.recording().expect_tone("baresip", ALICE_HZ, LEVEL, 1.0);
        client.expect_heard(played, SPEECH_HZ, SPEECH_DB, 1.0);
    }
}

fn until_some_way(client: &Client, id: &str) {
    until("a way is found", 20, || {
        client.stream(id, "send")["way"]["local"].is_string().then_some(())
    });
}

#[test]
fn a_way_is_found_with_baresip_whoever_offers() {
    let what = "ICE with baresip";
    if have(what, &["knotd", "kamailio", "kamcmd", "baresip", "ip"]) {
        in_namespace("a_way_is_found_with_baresip_whoever_offers", what, with_baresip);
    }
}

/// Calls in both directions with linphone.
fn with_linphone() {
    own_address();
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::phone(Transport::Udp));
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.must("settings.set", json!({ "calls": { "ways": { "ice": true } } }));
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    servers.sip().until_registered("alice", 20);
    let mut phone = Linphone::start_with(
        scratch.path(),
        (DOMAIN, servers.sip().port),
        ("carol", PASSWORD),
        "none",
        "[net]\nfirewall_policy=4\nnat_policy_ref=way\n[nat_policy_0]\nref=way\nprotocols=ice\n",
    );
    servers.sip().until_registered("carol", 20);
    for ours in [true, false] {
        let (since, theirs) = (client.count(), phone.count());
        let id = if ours {
            client.dial(&format!("sip:carol@{DOMAIN}"))
        } else {
            phone.command(&format!("call sip:alice@{DOMAIN}"));
            let id = client.until_called(since);
            client.must("call.answer", json!({ "id": id }));
            id
        };
        client.until_call(&id, "connected", since);
        // It says itself that its checks found a way; sound it has none to give without a card.
        phone.until_said("IceStateHostConnection", theirs);
        until_some_way(&client, &id);
        assert!(client.stream(&id, "send")["packets"].as_u64() > Some(0), "we call: {ours}");
        if ours {
            // It speaks RTCP XR (RFC 3611), and tells how we sound there.
            let voice = until("linphone tells how we sound", 60, || {
                let voice = client.stream(&id, "send")["voice"].clone();
                voice.is_object().then_some(voice)
            });
            assert!(voice["lossPercent"].as_f64() < Some(50.0), "{voice}");
        }
        client.must("call.hangUp", json!({ "id": id }));
        client.until_ended(&id, "hungUp", since);
        // It takes the next command only without a call.
        phone.until_said("to LinphoneCallReleased", theirs);
    }
}

#[test]
fn a_way_is_found_with_linphone_whoever_offers() {
    let what = "ICE with linphone";
    if have(what, &["knotd", "kamailio", "kamcmd", "linphonec", "ip"]) {
        in_namespace("a_way_is_found_with_linphone_whoever_offers", what, with_linphone);
    }
}
