//! What the recorder keeps, and what a replay gives back.

use std::time::Duration;

use offhook_model::{DnsFault, Fault, Secret};
use offhook_ports::{HttpRequest, World};
use offhook_report::{Answer, Content, Part, Recorded, Recorder, Redactor, Replay, Situation};
use offhook_testkit::{Reply, TestWorld, epoch};

fn situation() -> Situation {
    Situation { address: "alice@example.com".into(), seed: 3, ..Situation::default() }
}

/// Asks everything once, as a flow would.
async fn ask(world: &World) -> Vec<String> {
    let mut heard = vec![];
    heard.push(format!("{:?}", world.dns.srv("_cisco-uds._tcp.example.com").await));
    heard.push(format!("{:?}", world.dns.addresses("cucm1.example.com").await));
    heard.push(format!("{:?}", world.dns.naptr("example.com").await));
    for _ in 0..2 {
        let request = HttpRequest::get("https://cucm1.example.com:8443/cucm-uds/user/alice")
            .with_basic("alice", &Secret::from("hunter22"));
        let answer = world.http.send(request).await.map(|it| (it.status, it.body));
        heard.push(format!("{answer:?}"));
    }
    heard
}

fn world() -> TestWorld {
    let world = TestWorld::new();
    world
        .srv("_cisco-uds._tcp.example.com", &[(10, 5, 8443, "cucm1.example.com")])
        .address("cucm1.example.com", "192.0.2.1")
        .web(
            "GET https://cucm1.example.com:8443/cucm-uds/user/alice",
            Reply::ok("<user><userName>alice</userName><displayName>Alice Smith</displayName><session-key>hunter22</session-key></user>"),
        );
    world
}

fn record(double: &TestWorld) -> Recorded {
    let recorder = Recorder::default();
    recorder.begin(situation());
    recorder.signs_in("alice", "hunter22");
    let world = recorder.wrap(&double.world());
    double.run(ask(&world));
    recorder.recorded(&[])
}

#[test]
fn a_record_holds_nobody() {
    let recorded = record(&world());
    let text = serde_json::to_string(&recorded).expect("serialisable");
    for word in ["alice", "Alice", "Smith", "hunter22"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    for word in ["cucm1.example.com", "person-1", "192.0.2.1"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
}

#[test]
fn a_replay_gives_the_same_answers_to_the_stand_ins() {
    let recorded = record(&world());
    assert_eq!(recorded.situation.address, "person-1@example.com");
    let replay = Replay::new(&recorded.answers, epoch());
    let world = replay.world();
    let heard = replay.run(async {
        let srv = world.dns.srv("_cisco-uds._tcp.example.com").await;
        let request = HttpRequest::get("https://cucm1.example.com:8443/cucm-uds/user/person-1")
            .with_basic("person-1", &Secret::from("recorded"));
        (srv, world.http.send(request).await)
    });
    let (srv, page) = heard.expect("an end");
    assert_eq!(srv.expect("records").records.len(), 1);
    let page = page.expect("a page");
    let body = String::from_utf8_lossy(&page.body).into_owned();
    assert!(body.contains("<userName>person-1</userName>"), "{body}");
    assert_eq!(replay.missing(), Vec::<String>::new());
}

#[test]
fn what_was_never_asked_is_said_to_be_missing() {
    let replay = Replay::new(&record(&world()).answers, epoch());
    let world = replay.world();
    let heard = replay.run(async {
        let first = world.dns.srv("_cuplogin._tcp.example.com").await;
        let second = world.http.send(HttpRequest::get("https://other.example.com/")).await;
        (first, second.map(|page| page.status))
    });
    assert_eq!(heard, Some((Err(DnsFault::NotRecorded), Err(Fault::NotRecorded))));
    assert_eq!(
        replay.missing(),
        ["SRV _cuplogin._tcp.example.com", "GET https://other.example.com/"]
    );
}

#[test]
fn answers_take_the_time_that_they_took() {
    let double = world();
    double.web(
        "GET https://cucm1.example.com:8443/cucm-uds/user/alice",
        Reply::ok("<user/>").after(Duration::from_secs(3)),
    );
    let replay = Replay::new(&record(&double).answers, epoch());
    let world = replay.world();
    let passed = replay.run(async {
        let begin = world.clock.now();
        let request = HttpRequest::get("https://cucm1.example.com:8443/cucm-uds/user/person-1")
            .with_basic("person-1", &Secret::from("recorded"));
        let _ = world.http.send(request).await;
        world.clock.now() - begin
    });
    assert_eq!(passed, Some(Duration::from_secs(3)));
}

#[test]
fn a_question_that_was_given_up_has_no_answer_in_a_replay_either() {
    let double = world();
    double.srv_fault("_cuplogin._tcp.example.com", DnsFault::Silence);
    let recorder = Recorder::default();
    recorder.begin(situation());
    let recording = recorder.wrap(&double.world());
    let given_up = async |world: &World| {
        let patience = world.clock.sleep(Duration::from_secs(1));
        let question = world.dns.srv("_cuplogin._tcp.example.com");
        tokio_free_race(patience, question).await
    };
    assert!(double.run(given_up(&recording)));
    let recorded = recorder.recorded(&[]);
    assert_eq!(recorded.answers[0].answer, Answer::Nothing);
    assert_eq!(recorded.answers[0].ms, 1_000);
    let replay = Replay::new(&recorded.answers, epoch());
    assert_eq!(replay.run(given_up(&replay.world())), Some(true));
}

/// Whether the first of two is over before the second.
async fn tokio_free_race(mut first: impl Future + Unpin, mut second: impl Future + Unpin) -> bool {
    std::future::poll_fn(move |context| {
        use std::task::Poll;
        if std::pin::Pin::new(&mut second).poll(context).is_ready() {
            return Poll::Ready(false);
        }
        std::pin::Pin::new(&mut first).poll(context).map(|_| true)
    })
    .await
}

#[test]
fn a_record_stays_small() {
    let double = world();
    let big = format!("<user>{}</user>", format!("<x>{}</x>", "-".repeat(2_000)).repeat(150));
    let recorder = Recorder::default();
    recorder.begin(situation());
    let world = recorder.wrap(&double.world());
    for index in 0..14 {
        let url = format!("https://cucm1.example.com:8443/{index}");
        double.web(&format!("GET {url}"), Reply::ok(big.clone()));
        let _ = double.run(world.http.send(HttpRequest::get(url)));
    }
    let recorded = recorder.recorded(&[]);
    let bytes = serde_json::to_string(&recorded).expect("serialisable").len();
    assert!(bytes < 4 << 20, "{bytes}");
    assert!(recorded.dropped > 0);
    for index in 0..700 {
        let _ = double.run(world.dns.srv(&format!("{index}.example.com")));
    }
    assert!(recorder.recorded(&[]).answers.len() <= 600);
}

fn zip(parts: Vec<Part>) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = offhook_report::save(folder.path(), "now", parts, &mut Redactor::default());
    std::fs::read(path.expect("saved")).expect("read")
}

fn answers(text: &str) -> Vec<u8> {
    zip(vec![Part {
        name: offhook_report::ANSWERS.into(),
        content: Content::Redacted(text.to_owned()),
    }])
}

#[test]
fn a_saved_record_is_read_back() {
    let recorded = record(&world());
    let bytes = answers(&serde_json::to_string_pretty(&recorded).expect("serialisable"));
    assert_eq!(offhook_report::read(&bytes), Ok(recorded));
}

#[test]
fn what_is_no_report_is_refused_in_words() {
    let bomb =
        format!("{{\"version\":1,\"situation\":{{\"address\":\"{}\"}}}}", "0".repeat(7 << 20));
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("empty", vec![], "no zip file"),
        ("text", b"hello".to_vec(), "no zip file"),
        ("without answers", zip(vec![]), "no recorded answers"),
        ("no JSON", answers("{"), "cannot be read"),
        ("another form", answers(r#"{"version":9,"situation":{},"answers":[]}"#), "form 9"),
        ("deep", answers(&"[".repeat(60_000)), "cannot be read"),
        ("bomb", answers(&bomb), "more than any problem report"),
    ];
    for (what, bytes, words) in cases {
        let error = offhook_report::read(&bytes).expect_err(what);
        assert!(error.contains(words), "{what}: {error}");
    }
    let mut cut = answers(r#"{"version":1,"situation":{},"answers":[]}"#);
    cut.truncate(cut.len() / 2);
    assert!(offhook_report::read(&cut).is_err());
}
