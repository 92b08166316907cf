//! The control API over a real socket, with a client that is made up.
#![cfg(unix)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use offhook_control::{Client, ClientError};
use offhook_model::{AudioSpec, Command, Notice, NoticeBody, Role, Secret, Timestamp};
use serde_json::{Value, json};
use support::Served;

#[tokio::test]
async fn what_only_looks_is_answered_from_the_picture() {
    let served = Served::start().await;
    let session = served.ok("session.state", Value::Null).await;
    assert_eq!(session["state"], "signedIn");
    assert_eq!(session["services"]["im"]["state"], "off");
    assert!(session.get("prompt").is_none() && session.get("trace").is_none());
    assert_eq!(served.ok("presence.get", json!({})).await, json!({ "availability": "away" }));
    let calls = served.ok("call.list", json!({})).await;
    assert_eq!(
        (&calls["items"][0]["id"], &calls["items"][0]["state"]),
        (&json!("c7"), &json!("remoteHeld"))
    );
    assert_eq!(calls["more"], false);
    assert_eq!(served.ok("roster.list", json!({})).await, json!({ "items": [], "more": false }));
    assert_eq!(served.ok("settings.get", json!({})).await["theme"], "system");
    assert_eq!(served.ok("devices.list", json!({})).await["input"], "default");
    let accepted = served.ok("trust.list", json!({})).await;
    assert_eq!(accepted["items"][0]["host"], "cucm1.example.com");
    let policy = served.ok("policy.get", json!({})).await;
    let domain = &policy["items"][0];
    assert_eq!(
        (&domain["key"], &domain["value"], &domain["source"]),
        (&json!("ServicesDomain"), &json!("example.com"), &json!("url"))
    );
    let keeping = json!({ "kept": false, "encrypted": false });
    assert_eq!(served.ok("history.state", json!({})).await, keeping);
    let diagnostics = served.ok("diagnostics.get", json!({})).await;
    for member in ["session", "trace", "problems", "devices"] {
        assert!(diagnostics.get(member).is_some(), "{member}");
    }
    assert!(served.host.commands.lock().expect("commands").is_empty());
}

#[tokio::test]
async fn every_command_has_its_method() {
    let served = Served::start().await;
    let state = json!({ "state": "signedIn" });
    let done = json!({});
    let id = json!({ "id": "c7" });
    let bob = "bob@example.com";
    for (method, params, result, command) in [
        (
            "session.signIn",
            json!({ "address": "alice@example.com", "password": "x" }),
            &state,
            "SignIn {",
        ),
        ("session.signOut", json!({}), &state, "SignOut"),
        ("session.quit", json!({}), &state, "Quit"),
        (
            "session.setManual",
            json!({ "accountType": "standard", "sipServer": "h:5060" }),
            &state,
            "SetManual(",
        ),
        ("session.tryAgain", json!({}), &state, "TryAgain"),
        ("session.reset", json!({}), &state, "Reset"),
        (
            "session.provision",
            json!({ "url": "offhook://provision?ServicesDomain=example.com" }),
            &state,
            "Provision(",
        ),
        (
            "trust.answer",
            json!({ "id": 3, "accept": true }),
            &done,
            "AnswerTrust { id: 3, accept: true }",
        ),
        ("phone.enrol", json!({ "string": "12345" }), &done, "GiveAuthString(Some(Secret(…)))"),
        ("diagnostics.dismiss", json!({ "id": 4 }), &done, "Dismiss(ProblemId(4))"),
        ("trust.revoke", json!({ "key": "00aa" }), &done, "RevokeTrust { key: \"00aa\" }"),
        (
            "presence.set",
            json!({ "availability": "dnd", "note": "n" }),
            &done,
            "SetPresence { availability: Dnd",
        ),
        (
            "roster.add",
            json!({ "contact": bob, "name": "Bob", "group": "g" }),
            &done,
            "RosterAdd {",
        ),
        ("roster.remove", json!({ "contact": bob }), &done, "RosterRemove {"),
        ("chat.send", json!({ "to": bob, "body": "hello" }), &json!({ "id": "m1" }), "SendChat {"),
        (
            "chat.history",
            json!({ "with": bob, "before": "m1", "limit": 3 }),
            &json!({ "items": [], "more": true }),
            "limit: 3",
        ),
        (
            "chat.history",
            json!({ "with": bob }),
            &json!({ "items": [], "more": true }),
            "limit: 50",
        ),
        ("chat.search", json!({ "query": "x" }), &done, "ChatSearch {"),
        (
            "contacts.search",
            json!({ "query": "mil" }),
            &done,
            "Contacts(Search { query: \"mil\", limit: 50 })",
        ),
        ("contacts.resolve", json!({ "number": "2002" }), &done, "Resolve { who: \"2002\" }"),
        ("contacts.resolve", json!({ "uri": bob }), &done, "Resolve { who: \"bob@example.com\" }"),
        (
            "contacts.save",
            json!({ "displayName": "Bob", "numbers": [{ "kind": "mobile", "number": "1" }] }),
            &done,
            "numbers: [PersonNumber { kind: Mobile, number: \"1\" }]",
        ),
        ("contacts.remove", json!({ "id": "own-1" }), &done, "Forget { id: \"own-1\" }"),
        (
            "contacts.import",
            json!({ "path": "/p.csv" }),
            &json!({ "path": "/p.csv", "people": 2, "leftOut": 3, "lines": [4, 9] }),
            "Import { path: \"/p.csv\" }",
        ),
        (
            "contacts.takeGroup",
            json!({ "id": "cn=Sales" }),
            &done,
            "TakeGroup { id: \"cn=Sales\" }",
        ),
        (
            "contacts.export",
            json!({ "path": "/p.vcf", "roster": true }),
            &json!({ "path": "/p.vcf", "people": 2, "leftOut": 0 }),
            "Export { path: \"/p.vcf\", roster: true }",
        ),
        ("contacts.refresh", json!({}), &done, "Contacts(Refresh)"),
        ("chat.typing", json!({ "with": bob }), &done, "typing: true"),
        ("chat.typing", json!({ "with": bob, "typing": false }), &done, "typing: false"),
        ("chat.markRead", json!({ "with": bob }), &done, "MarkRead {"),
        ("call.dial", json!({ "to": "2002" }), &json!({ "id": "c8" }), "video: false"),
        ("call.answer", id.clone(), &done, "Answer(CallId(7))"),
        ("call.decline", id.clone(), &done, "Decline(CallId(7))"),
        ("call.hold", id.clone(), &done, "Hold(CallId(7))"),
        ("call.resume", id.clone(), &done, "Resume(CallId(7))"),
        ("call.mute", id.clone(), &done, "muted: true"),
        ("call.mute", json!({ "id": "c7", "muted": false }), &done, "muted: false"),
        ("call.dtmf", json!({ "id": "c7", "digits": "1#" }), &done, "Dtmf {"),
        ("devices.select", json!({ "role": "ringer", "device": "null" }), &done, "SelectDevice {"),
        ("devices.test", json!({ "role": "input" }), &done, "TestDevice(Input)"),
        ("settings.set", json!({ "theme": "dark" }), &done, "theme: Dark"),
        (
            "settings.set",
            json!({ "calls": { "ways": { "turn": "turn.example.com", "relayOnly": true } } }),
            &done,
            "relay_only: true",
        ),
        // What an object holds beside what is given stays.
        (
            "settings.set",
            json!({ "sound": { "automaticGain": false } }),
            &done,
            "echo_cancellation: true, noise_suppression: false, automatic_gain: false",
        ),
        (
            "settings.setRelayPassword",
            json!({ "password": "not to be seen" }),
            &done,
            "SetRelayPassword(Secret(…))",
        ),
    ] {
        assert_eq!(&served.ok(method, params.clone()).await, result, "{method}");
        let last = served.host.last();
        assert!(last.contains(command), "{method} {params}: {last}");
        assert!(
            !last.contains("\"x\"") || method == "chat.search",
            "a password is never shown: {last}"
        );
    }
    let wish = Command::SelectDevice { role: Role::Output, spec: AudioSpec::Device("a".into()) };
    served.ok("devices.select", json!({ "role": "output", "device": "device:a" })).await;
    assert_eq!(served.host.last(), format!("{wish:?}"));
    assert_ne!(format!("{:?}", Secret::from("x")), "x");
}

#[tokio::test]
async fn figures_of_a_call_have_the_names_of_the_contract() {
    let served = Served::start().await;
    let stats = served.ok("call.stats", json!({ "id": "c7" })).await;
    let stream = stats["streams"][0].as_object().expect("a stream").clone();
    for name in [
        "kind",
        "direction",
        "codec",
        "payloadType",
        "packets",
        "bytes",
        "lost",
        "recovered",
        "jitterMs",
        "roundTripMs",
        "delayMs",
        "mosEstimate",
        "dscp",
        "localPort",
        "remotePort",
        "srtp",
        "ageMs",
        "bitRate",
        "voice",
    ] {
        assert!(stream.contains_key(name), "{name}");
    }
    assert_eq!((&stream["codec"], &stream["srtp"]), (&json!("PCMU"), &Value::Null));
}

#[tokio::test]
async fn a_report_is_saved_where_wished() {
    let served = Served::start().await;
    let result = served.ok("report.save", json!({ "output": "/some/folder" })).await;
    assert_eq!(result, json!({ "path": "/some/folder/report.zip" }));
    let error = served.error("report.save", json!({ "output": "/f", "note": "fail" })).await;
    assert_eq!((&error["code"], &error["message"]), (&json!(-32005), &json!("/f is full.")));
}

#[tokio::test]
async fn wrong_requests_are_refused_with_cause_owner_and_remedy() {
    let served = Served::start().await;
    let id = json!({ "id": "c9" });
    for (method, params, code) in [
        ("session.state", json!({ "more": 1 }), -32602),
        ("session.signOut", json!({ "more": 1 }), -32602),
        ("session.signIn", json!({ "address": "alice@example.com", "pasword": "x" }), -32602),
        ("session.signIn", json!({ "address": "nobody" }), -32602),
        ("session.signIn", json!({}), -32602),
        ("session.setManual", json!({ "accountType": "other" }), -32602),
        ("session.setManual", json!({ "server": "a", "port": 1 }), -32602),
        ("presence.set", json!({ "availability": "busy" }), -32602),
        ("chat.send", json!({ "to": "bob@example.com", "body": "x", "html": "x" }), -32602),
        ("chat.history", json!({ "with": "bob@example.com", "limit": -1 }), -32602),
        ("call.dial", json!({ "to": "" }), -32602),
        ("call.hangUp", json!({ "id": 7 }), -32602),
        ("call.hangUp", json!({ "id": "7" }), -32602),
        ("call.hangUp", json!(["c7"]), -32602),
        ("devices.select", json!({ "role": "camera", "device": "default" }), -32602),
        ("settings.set", json!({ "colour": "red" }), -32602),
        ("settings.set", json!([]), -32602),
        ("report.save", json!({ "file": "x" }), -32602),
        ("call.hangUp", id.clone(), -32002),
        ("call.stats", id, -32002),
        ("call.explode", json!({}), -32601),
    ] {
        let error = served.error(method, params.clone()).await;
        assert_eq!(error["code"], code, "{method} {params}: {error}");
        let data = &error["data"];
        assert_eq!(data["owner"], "user", "{method}");
        assert!(data["cause"].is_string() && data["remedy"].is_string(), "{method}: {error}");
        assert!(data.get("notBuilt").is_none(), "{method}");
        assert!(!error.to_string().contains("alice"), "what was given is not said again: {error}");
    }
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let served = Served::start().await;
    for method in ["voicemail.play", "call.share", "call.video", "voicemail.list"] {
        let error = served.error(method, json!({ "anything": 1 })).await;
        assert_eq!((&error["code"], &error["data"]["notBuilt"]), (&json!(-32601), &json!(true)));
    }
}

#[tokio::test]
async fn events_come_between_answers_and_to_everybody() {
    let served = Served::start().await;
    let (mut one, mut two) = (served.client().await, served.client().await);
    // A call makes sure that the connection is being served.
    one.call("session.state", Value::Null).await.expect("answered").expect("a result");
    two.call("session.state", Value::Null).await.expect("answered").expect("a result");
    let body = NoticeBody::Typing { with: "bob@example.com".parse().expect("a JID"), typing: true };
    served.host.notices.send(Notice { time: Timestamp(0), body }).expect("watched");
    let wanted = json!({
        "type": "typing",
        "time": "1970-01-01T00:00:00.000Z",
        "with": "bob@example.com",
        "typing": true
    });
    assert_eq!(one.event().await.expect("an event"), wanted);
    let body = NoticeBody::Network { online: false, change: "the network is gone".into() };
    served.host.notices.send(Notice { time: Timestamp(0), body }).expect("watched");
    let event = one.event().await.expect("an event");
    assert_eq!((&event["type"], &event["online"]), (&json!("network"), &json!(false)));
    // An answer finds its question although an event came first.
    let list = two.call("roster.list", Value::Null).await.expect("answered").expect("a result");
    assert_eq!(list["more"], false);
}

#[tokio::test]
async fn a_watcher_that_sleeps_misses_events_and_goes_on() {
    let served = Served::start().await;
    let mut client = served.client().await;
    client.call("session.state", Value::Null).await.expect("answered").expect("a result");
    for n in 0..200 {
        let body = NoticeBody::Network { online: true, change: format!("change {n}") };
        served.host.notices.send(Notice { time: Timestamp(0), body }).expect("watched");
    }
    let first = client.event().await.expect("an event");
    assert_ne!(first["change"], "change 0", "only the newest are kept");
}

#[tokio::test]
async fn lines_that_are_no_requests_get_errors_and_the_connection_stays() {
    let served = Served::start().await;
    let lines = "nonsense\n\
                 [1]\n\
                 \n\
                 {\"jsonrpc\":\"2.0\",\"method\":\"session.state\"}\n\
                 {\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"session.state\"}\n\
                 {\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"session.state\"}\r\n";
    let (answers, closed) = served.raw(lines.as_bytes(), 4).await;
    let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error"]["code"]).collect();
    assert_eq!(codes, [&json!(-32700), &json!(-32600), &json!(-32600), &Value::Null]);
    assert_eq!((&answers[0]["id"], &answers[3]["id"]), (&Value::Null, &json!("a")));
    assert!(!closed);
}

#[tokio::test]
async fn a_line_without_end_closes_the_connection() {
    let served = Served::start().await;
    let (answers, closed) = served.raw(&vec![b' '; (1 << 20) + 1], 1).await;
    assert!(answers.is_empty() && closed);
    // Just within the bound is fine.
    let request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"call.list\"}";
    let mut line = request.as_bytes().to_vec();
    line.resize((1 << 20) - 1, b' ');
    line.push(b'\n');
    let (answers, closed) = served.raw(&line, 1).await;
    assert_eq!((answers.len(), closed), (1, false));
    served.ok("session.state", Value::Null).await;
}

#[tokio::test]
async fn the_socket_is_for_this_user_alone() {
    let served = Served::start().await;
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&served.socket()), mode(&served.run())), (0o600, 0o700));
}

#[tokio::test]
async fn a_second_instance_is_refused_and_a_dead_one_replaced() {
    let served = Served::start().await;
    let Err(sentence) = offhook_platform::listen(&served.run()).await else { panic!("two listen") };
    assert!(sentence.contains("already runs") && sentence.contains("--profile"), "{sentence}");
    served.ok("session.state", Value::Null).await;

    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    std::fs::create_dir(&run).expect("made");
    // A crash leaves the socket's file behind.
    drop(std::os::unix::net::UnixListener::bind(run.join("control.sock")).expect("bound"));
    let missing = Client::connect(&run).await;
    assert!(matches!(missing, Err(ClientError::NobodyThere)));
    let listener = offhook_platform::listen(&run).await.expect("the file is replaced");
    drop(listener);
    assert!(!run.join("control.sock").exists(), "the file goes with the instance");
    offhook_platform::listen(&run).await.expect("and again");
}

#[tokio::test]
async fn an_instance_that_ends_is_noticed() {
    let served = Served::start().await;
    let mut client = served.client().await;
    client.call("session.state", Value::Null).await.expect("answered").expect("a result");
    served.task.abort();
    let ended = tokio::time::timeout(Duration::from_secs(20), client.event()).await;
    assert!(matches!(ended.expect("in time"), Err(ClientError::Broken(_))));
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let Err(sentence) = offhook_platform::listen(&folder.path().join("x".repeat(120))).await else {
        panic!("too long")
    };
    assert!(sentence.contains("too long") && sentence.contains("--profile"), "{sentence}");
}
