//! A person is asked about certificates that nobody vouches for.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join3;
use offhook_model::{
    AcceptedKey, CertificatePolicy, Fault, Link, Timestamp, TlsFault, TrustQuestion,
};
use offhook_net::Net;
use offhook_ports::{AskTrust, BoxFuture, FlowId, Http, HttpRequest, Probe, SipServer};
use tokio::sync::{Notify, mpsc};

use crate::doubles::authority::{Authority, Days, Identity, self_signed};
use crate::doubles::web::{self, Web};
use crate::doubles::{knowing, uds};

const HOST: &str = "cucm1.example.com";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Somebody who answers the same to everything, when told to.
struct Person {
    answer: bool,
    heard: Mutex<Vec<TrustQuestion>>,
    ready: Arc<Notify>,
}

impl Person {
    /// Answers at once.
    fn saying(answer: bool) -> Arc<Self> {
        let person = Self::thinking(answer);
        person.ready.notify_one();
        person
    }

    /// Answers the first question after `ready`.
    fn thinking(answer: bool) -> Arc<Self> {
        Arc::new(Self { answer, heard: Mutex::default(), ready: Arc::default() })
    }

    fn heard(&self) -> Vec<TrustQuestion> {
        self.heard.lock().expect("heard").clone()
    }
}

impl AskTrust for Person {
    fn ask(&self, question: TrustQuestion) -> BoxFuture<'static, bool> {
        self.heard.lock().expect("heard").push(question);
        let (ready, answer) = (self.ready.clone(), self.answer);
        Box::pin(async move {
            ready.notified().await;
            ready.notify_one();
            answer
        })
    }
}

fn asking(person: &Arc<Person>, authorities: &[&std::path::Path]) -> Arc<Net> {
    let net = knowing(&[HOST, "two.example.com"], authorities);
    net.ask_about_certificates(person.clone());
    net
}

fn get(web: &Web, host: &str) -> HttpRequest {
    HttpRequest::get(format!("https://{host}:{}/", web.at.port()))
}

fn serve(identity: &Identity) -> Web {
    Web::new(Some(identity.config()), &[OK])
}

async fn status(net: &Net, request: HttpRequest) -> Result<u16, Fault> {
    net.send(request).await.map(|answer| answer.status)
}

fn self_signed_fault() -> Option<Fault> {
    Some(Fault::Tls(TlsFault::SelfSigned))
}

#[tokio::test]
async fn yes_pins_the_key_for_this_host_and_no_other() {
    let web = serve(&self_signed(&[HOST, "two.example.com"], Days::Now, false));
    let person = Person::saying(true);
    let net = asking(&person, &[]);
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
    assert_eq!(status(&net, get(&web, "CUCM1.example.com")).await, Ok(200));
    assert_eq!(person.heard().len(), 1, "an accepted key is not asked about again");
    assert_eq!(status(&net, get(&web, "two.example.com")).await, Ok(200));
    let hosts: Vec<_> = person.heard().into_iter().map(|it| it.at.host).collect();
    assert_eq!(hosts, [HOST, "two.example.com"]);
}

#[tokio::test]
async fn the_question_holds_what_a_person_needs_to_decide() {
    let stranger = Authority::new("strange authority");
    let web = serve(&stranger.issue(&["a.example.com", "10.1.2.3"], Days::Now));
    let person = Person::saying(false);
    let net = asking(&person, &[]);
    let fault = status(&net, get(&web, HOST)).await.err();
    assert_eq!(fault, Some(Fault::Tls(TlsFault::UnknownIssuer)));
    let question = person.heard().remove(0);
    assert_eq!(question.at, uds(HOST, web.at.port()));
    assert_eq!(question.why, TlsFault::UnknownIssuer);
    assert!(question.words.contains(HOST), "{}", question.words);
    assert_eq!(question.wanted, [HOST]);
    assert_eq!(question.present, ["a.example.com", "10.1.2.3"]);
    assert_eq!(question.subject, "CN=offhook test leaf");
    assert_eq!(question.issuer, "CN=strange authority");
    assert_eq!((&*question.not_before, &*question.not_after), ("2020-01-01", "2099-01-01"));
    assert_eq!(question.fingerprint.len(), 32 * 3 - 1, "{}", question.fingerprint);
    assert_eq!(question.key.len(), 64, "{}", question.key);
    assert!(question.remembered);
}

#[tokio::test]
async fn the_policy_decides_whether_there_is_a_question() {
    let web = serve(&self_signed(&[HOST], Days::Now, false));
    let person = Person::saying(true);
    let net = asking(&person, &[]);
    net.set_trust(CertificatePolicy::Reject, &[]);
    assert_eq!(status(&net, get(&web, HOST)).await.err(), self_signed_fault());
    assert!(person.heard().is_empty());
    net.set_trust(CertificatePolicy::AskEachSession, &[]);
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
    assert!(!person.heard()[0].remembered);
    let nobody = knowing(&[HOST], &[]);
    assert_eq!(status(&nobody, get(&web, HOST)).await.err(), self_signed_fault());
}

#[tokio::test]
async fn no_is_the_fault_and_the_next_connection_asks_again() {
    let web = serve(&self_signed(&[HOST], Days::Now, false));
    let person = Person::saying(false);
    let net = asking(&person, &[]);
    for times in 1..=2 {
        assert_eq!(status(&net, get(&web, HOST)).await.err(), self_signed_fault());
        assert_eq!(person.heard().len(), times);
    }
}

#[tokio::test]
async fn handshakes_side_by_side_share_one_question() {
    let web = serve(&self_signed(&[HOST], Days::Now, false));
    let person = Person::thinking(true);
    let net = asking(&person, &[]);
    let answer = async {
        while person.heard().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The others come to the same question meanwhile.
        tokio::time::sleep(Duration::from_millis(200)).await;
        person.ready.notify_one();
    };
    let (one, two, ()) =
        join3(status(&net, get(&web, HOST)), status(&net, get(&web, HOST)), answer).await;
    assert_eq!((one, two), (Ok(200), Ok(200)));
    assert_eq!(person.heard().len(), 1);
}

#[tokio::test]
async fn thinking_does_not_count_as_waiting_for_the_server() {
    let web = serve(&self_signed(&[HOST], Days::Now, false));
    let person = Person::thinking(true);
    let net = asking(&person, &[]);
    let request = HttpRequest { timeout: Duration::from_millis(700), ..get(&web, HOST) };
    let answer = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        person.ready.notify_one();
    };
    let (status, ()) = futures_util::future::join(status(&net, request), answer).await;
    assert_eq!(status, Ok(200));
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_dropped() {
    let web = serve(&self_signed(&[HOST], Days::Now, false));
    let person = Person::thinking(true);
    let net = asking(&person, &[]);
    tokio::select! {
        _ = status(&net, get(&web, HOST)) => panic!("nobody answers"),
        () = async {
            while person.heard().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        } => {}
    }
    person.ready.notify_one();
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
    assert_eq!(person.heard().len(), 2, "the first was given up");
}

#[tokio::test]
async fn accepted_keys_come_in_and_a_revoked_one_asks_again() {
    let web = serve(&self_signed(&["other.example.com"], Days::Past, false));
    let person = Person::saying(true);
    let net = asking(&person, &[]);
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
    let key = person.heard()[0].key.clone();
    let accepted = |host: &str| AcceptedKey {
        host: host.to_owned(),
        key: key.clone(),
        subject: String::new(),
        since: Timestamp(0),
    };
    let net = asking(&person, &[]);
    net.set_trust(CertificatePolicy::Reject, &[accepted(HOST)]);
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200), "whatever its name and dates");
    net.set_trust(CertificatePolicy::Ask, &[accepted("two.example.com")]);
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
    assert_eq!(person.heard().len(), 2, "it was accepted for another host");
    net.set_trust(CertificatePolicy::Ask, &[]);
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
    assert_eq!(person.heard().len(), 3);
}

#[tokio::test]
async fn another_key_than_the_accepted_one_is_asked_about_and_says_so() {
    let first = serve(&self_signed(&[HOST], Days::Now, false));
    let second = serve(&self_signed(&[HOST], Days::Now, false));
    let person = Person::saying(true);
    let net = asking(&person, &[]);
    assert_eq!(status(&net, get(&first, HOST)).await, Ok(200));
    assert_eq!(status(&net, get(&second, HOST)).await, Ok(200));
    let heard = person.heard();
    assert!(!heard[0].words.contains("another key"), "{}", heard[0].words);
    assert!(heard[1].words.contains("another key"), "{}", heard[1].words);
}

#[tokio::test]
async fn an_edge_is_held_to_its_domain_as_well() {
    let authority = Authority::new("edge authority");
    let trusted = [authority.file.0.as_path()];
    let also = vec!["example.com".to_owned(), "collab-edge.example.com".to_owned()];
    let net = knowing(&[HOST], &trusted);
    for (names, good) in [
        (&[HOST, "example.com"][..], true),
        (&[HOST, "collab-edge.example.com"], true),
        (&[HOST, "*.example.com"], true),
        (&[HOST], false),
        (&[HOST, "*.other.com"], false),
    ] {
        let web = serve(&authority.issue(names, Days::Now));
        let request = HttpRequest { also_named: also.clone(), ..get(&web, HOST) };
        let present = names.iter().map(|name| (*name).to_owned()).collect();
        let wrong = TlsFault::WrongName { wanted: "example.com".to_owned(), present };
        let expected = if good { Ok(200) } else { Err(Fault::Tls(wrong)) };
        assert_eq!(status(&net, request).await, expected, "{names:?}");
    }
}

#[tokio::test]
async fn calls_and_probes_ask_the_same_person() {
    let identity = self_signed(&[HOST], Days::Now, false);
    let wait = |stream: &mut dyn web::Stream| {
        let _ = stream.write_all(b"x").and_then(|()| stream.flush());
        let _ = stream.read(&mut [0; 100]);
    };
    let at = web::server(Some(identity.config()), wait);
    let person = Person::saying(true);
    let probing = asking(&person, &[]);
    let reached = probing.reach(&uds(HOST, at.port()), &[]).await.expect("reached");
    assert_eq!(reached.peer, at);
    let calling = asking(&person, &[]);
    let (sender, mut events) = mpsc::channel(4);
    let server = SipServer { host: HOST.to_owned(), port: at.port(), link: Link::Tls };
    let (_handle, run) = calling.open(FlowId(1), server, None, 0, sender);
    tokio::select! {
        () = run => panic!("the flow lives"),
        event = events.recv() => {
            let opened = matches!(event, Some(offhook_net::sip::SipFlowEvent::Opened { .. }));
            assert!(opened, "{event:?}");
        }
    }
    assert_eq!(person.heard().len(), 2);
    assert_eq!(person.heard()[1].at.service, offhook_model::Service::Sip);
}

#[tokio::test]
async fn whoever_is_trusted_is_not_asked_about() {
    let authority = Authority::new("good authority");
    let web = serve(&authority.issue(&[HOST], Days::Now));
    let net = knowing(&[HOST], &[&authority.file.0]);
    struct Never;
    impl AskTrust for Never {
        fn ask(&self, question: TrustQuestion) -> BoxFuture<'static, bool> {
            assert!(question.id == 0, "nobody should be asked: {question:?}");
            Box::pin(pending())
        }
    }
    net.ask_about_certificates(Arc::new(Never));
    assert_eq!(status(&net, get(&web, HOST)).await, Ok(200));
}
