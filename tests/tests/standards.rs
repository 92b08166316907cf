//! What standard accounts have beyond calls, through Kamailio with the modules for it: outbound
//! (RFC 5626) and GRUU (RFC 5627), lamps (RFC 4235), messages waiting (RFC 3842), presence (RFC 3856,
//! RFC 3903), large requests, and a second server.

use offhook_interop::{
    Authority, Baresip, Client, DOMAIN, Flaw, Kamailio, Knot, PASSWORD, Parts, PhoneAccount,
    Scenario, Scratch, Setup, Standard, Transport, free_port, have, pause, until,
};
use serde_json::{Value, json};

const BOB: [PhoneAccount<'_>; 1] = [PhoneAccount { user: "bob", codec: "", more: "" }];

struct Stage {
    client: Client,
    // Ended last.
    servers: Standard,
    scratch: Scratch,
}

impl Stage {
    /// Alice is registered at a Kamailio that knows more.
    fn set(what: &str, transport: Transport, extra: &'static str, peers: &[&str]) -> Option<Self> {
        if !have(what, &[&["knotd", "kamailio", "kamcmd"], peers].concat()) {
            return None;
        }
        let scratch = Scratch::new();
        let parts = Parts { sip_extras: vec![extra], ..Parts::phone(transport) };
        let servers = Standard::start(&scratch, &parts);
        let client = Client::start(scratch.path(), "alice", &servers.setup());
        client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
        servers.sip().until_registered("alice", 20);
        Some(Self { client, servers, scratch })
    }

    #[track_caller]
    fn until_phone(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let state = || self.client.must("phone.state", Value::Null);
        until(what, 20, || Some(state()).filter(|state| wanted(state)))
    }
}

/// The line of the registrar's answer that begins so.
fn line<'a>(contacts: &'a str, name: &str) -> &'a str {
    let found = contacts.lines().find(|line| line.trim_start().starts_with(name));
    found.unwrap_or_else(|| panic!("no {name} in {contacts}")).trim()
}

/// Calls each way, and hangs up.
fn call_both_ways(client: &Client, phone: &mut Baresip) {
    let (since, theirs) = (client.count(), phone.count());
    phone.command("dial", &format!("sip:alice@{DOMAIN}"));
    let id = client.until_called(since);
    client.must("call.answer", json!({ "id": id }));
    phone.until_event("CALL_ESTABLISHED", theirs);
    // What they send within the call goes to the Contact that we gave.
    phone.command("hangup", "");
    client.until_ended(&id, "remoteHungUp", since);
    let (since, theirs) = (client.count(), phone.count());
    let id = client.dial(&format!("sip:bob@{DOMAIN}"));
    client.until_call(&id, "connected", since);
    phone.until_event("CALL_ESTABLISHED", theirs);
    phone.command("hangup", "");
    client.until_ended(&id, "remoteHungUp", since);
}

fn flow_and_name(transport: Transport) {
    let what = format!("outbound over {}", transport.word());
    let peers = ["kamailio-outbound-modules", "baresip"];
    let Some(mut stage) = Stage::set(&what, transport, "WITH_OUTBOUND", &peers) else { return };
    let kamailio = stage.servers.sip();
    let contacts = kamailio.until_registered("alice", 20);
    let instance = line(&contacts, "Instance:").to_owned();
    assert!(instance.contains("<urn:uuid:"), "{contacts}");
    assert_eq!(line(&contacts, "Reg-Id:"), "Reg-Id: 1", "{contacts}");
    let mut phone = stage.servers.phone(transport, &BOB);
    call_both_ways(&stage.client, &mut phone);
    // Flow-Timer is 5 s: two keep-alives are answered, and the flow stays the same one.
    let registers = || kamailio.log().matches("REGISTER sip:").count();
    let before = registers();
    pause(11.0);
    assert_eq!(registers(), before, "the flow was given up:\n{}", kamailio.log());
    call_both_ways(&stage.client, &mut phone);
    // The device is the same after a restart, and so is its place at the registrar.
    stage.client.end();
    until("alice has gone", 20, || kamailio.contacts("alice").is_none().then_some(()));
    stage.client = Client::start(stage.scratch.path(), "alice", &stage.servers.setup());
    stage.client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    let again = kamailio.until_registered("alice", 20);
    assert_eq!(line(&again, "Instance:"), instance);
    assert_eq!(again.matches("Instance:").count(), 1, "{again}");
}

#[test]
fn a_device_registers_its_flow_and_is_known_again_over_tcp() {
    flow_and_name(Transport::Tcp);
}

#[test]
fn a_device_registers_its_flow_and_is_known_again_over_udp() {
    flow_and_name(Transport::Udp);
}

#[test]
fn the_lamp_of_a_line_follows_its_calls() {
    let peers = ["kamailio-presence-modules", "baresip"];
    let what = "the lamp of a line";
    let Some(stage) = Stage::set(what, Transport::Tcp, "WITH_PRESENCE", &peers) else { return };
    let mut phone = stage.servers.phone(Transport::Tcp, &BOB);
    let bob = format!("bob@{DOMAIN}");
    stage.client.must("call.watch", json!({ "numbers": [bob] }));
    let is = |wanted: &'static str| move |state: &Value| state["lines"][0]["state"] == wanted;
    let since = stage.client.count();
    let id = stage.client.dial(&format!("sip:{bob}"));
    stage.client.until_call(&id, "connected", since);
    stage.until_phone("bob's line is busy", is("busy"));
    phone.command("hangup", "");
    stage.client.until_ended(&id, "remoteHungUp", since);
    stage.until_phone("bob's line is free", is("idle"));
}

#[test]
fn messages_that_wait_are_told() {
    let peers = ["kamailio-presence-modules"];
    let what = "messages waiting";
    let Some(stage) = Stage::set(what, Transport::Udp, "WITH_PRESENCE", &peers) else { return };
    let alice = format!("sip:alice@{DOMAIN}");
    let publish = |waiting: &str, figures: &str| {
        let headers = format!(
            "From: <sip:voicemail@{DOMAIN}>\r\nTo: <{alice}>\r\nEvent: message-summary\r\n\
             Content-Type: application/simple-message-summary\r\nExpires: 600\r\n"
        );
        let body = format!(
            "Messages-Waiting: {waiting}\r\nMessage-Account: {alice}\r\n\
             Voice-Message: {figures}\r\n"
        );
        stage.servers.sip().publish(&alice, &headers, &body);
    };
    publish("yes", "2/8 (0/2)");
    let state = stage.until_phone("messages wait", |state| state["messages"]["waiting"] == true);
    assert_eq!((&state["messages"]["new"], &state["messages"]["old"]), (&json!(2), &json!(8)));
}

#[test]
fn presence_of_an_account_without_chat_is_published() {
    let peers = ["kamailio-presence-modules", "baresip", "sipp"];
    let what = "presence by PUBLISH";
    let Some(stage) = Stage::set(what, Transport::Tcp, "WITH_PRESENCE", &peers) else { return };
    let mine = |wanted: &'static str| {
        until("our own presence", 20, || {
            let presence = stage.client.must("presence.get", Value::Null);
            (presence["availability"] == wanted).then_some(())
        });
    };
    mine("available");
    let told = |scenario: Scenario| scenario.asked("NOTIFY").answer("200 OK", "", "");
    let mut scenario = Scenario::new("bob", DOMAIN).subscribe("alice", "presence");
    for _ in 0..5 {
        scenario = told(scenario);
    }
    let ports = (free_port(), stage.servers.sip().port);
    let watcher = scenario.play(&stage.scratch.folder("sipp"), "watcher", ports, PASSWORD);
    let seen = |what: &str, words: &str| {
        until(what, 20, || watcher.messages().contains(words).then_some(()));
    };
    seen("that we are there", "<basic>open</basic>");
    stage.client.must("presence.set", json!({ "availability": "away", "note": "at lunch" }));
    mine("away");
    seen("that we are away", "away/>");
    assert!(watcher.messages().contains("at lunch"));
    // A call is told with it, and its end.
    let phone = stage.servers.phone(Transport::Tcp, &BOB);
    let since = stage.client.count();
    let id = stage.client.dial(&format!("sip:bob@{DOMAIN}"));
    stage.client.until_call(&id, "connected", since);
    seen("that we are on the phone", "on-the-phone/>");
    stage.client.must("call.hangUp", json!({ "id": id }));
    stage.client.until_ended(&id, "hungUp", since);
    drop(phone);
    // Who leaves is not seen any more.
    stage.client.must("session.signOut", Value::Null);
    watcher.until_played();
}

/// An address so long that a request to it is too large for a datagram.
fn long() -> String {
    format!("sip:{}@{DOMAIN}", "a".repeat(480))
}

fn large_request(extra: &'static str, by: &str) {
    let what = format!("a large request by {by}");
    let Some(stage) = Stage::set(&what, Transport::Udp, extra, &[]) else { return };
    let since = stage.client.count();
    let id = stage.client.dial(&long());
    // Nobody has that name.
    stage.client.until_ended(&id, "noAnswer", since);
    let log = stage.servers.sip().log();
    let invites: Vec<&str> = log.lines().filter(|line| line.contains("interop: INVITE")).collect();
    assert!(!invites.is_empty(), "{log}");
    assert!(invites.iter().all(|line| line.contains(&format!(" by {by} "))), "{invites:#?}");
}

#[test]
fn a_request_too_large_for_a_datagram_goes_over_a_connection() {
    large_request("NOTHING_MORE", "tcp");
}

#[test]
fn a_server_that_takes_no_connection_gets_the_large_datagram() {
    large_request("WITHOUT_TCP", "udp");
}

#[test]
fn the_second_server_of_the_records_takes_over() {
    if !have("fail-over between two servers", &["knotd", "kamailio", "kamcmd", "baresip"]) {
        return;
    }
    let scratch = Scratch::new();
    let folder = scratch.folder("servers");
    let authority = Authority::new(&folder);
    let identity = authority.server(DOMAIN, Flaw::None);
    let start = |name: &str| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Kamailio::start(&folder, DOMAIN, &identity, PASSWORD, 600, &[])
    };
    let (mut first, second) = (start("first"), start("second"));
    let records = format!(
        "sip IN A 127.0.0.1\n_sip._tcp IN SRV 10 0 {} sip\n_sip._tcp IN SRV 20 0 {} sip\n",
        first.port, second.port
    );
    let knot = Knot::start(&folder, DOMAIN, &records);
    let setup = Setup {
        name_server: Some(knot.address.clone()),
        ca_file: Some(authority.file.clone()),
        ..Setup::default()
    };
    let client = Client::start(scratch.path(), "alice", &setup);
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    first.until_registered("alice", 20);
    assert_eq!(second.contacts("alice"), None);
    first.stop();
    second.until_registered("alice", 20);
    let at = (Transport::Tcp, second.port);
    let mut phone =
        Baresip::start(&folder, DOMAIN, PASSWORD, &BOB, at, (&identity, &authority.file));
    call_both_ways(&client, &mut phone);
}
