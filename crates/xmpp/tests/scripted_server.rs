//! The link against servers that say exactly what a test wants.

mod support;

use offhook_im::Stanza;
use std::sync::Arc;

use offhook_model::{Fault, Link, TlsFault, TrustQuestion};
use offhook_ports::{AskTrust, BoxFuture, XmppAuth, XmppLogin};
use offhook_xmpp::{LinkEvent, LoginProbe};
use support::{
    Authority, BIND, DOMAIN, Driven, Peer, STARTTLS, listen, mechanisms, password, plan,
};
use xmpp_parsers::message::{Id, Message};

/// How a link ended that was told nothing else.
async fn ended(script: impl AsyncFnOnce(&mut Peer)) -> (LinkEvent, String) {
    ended_with(Link::StartTls, &[DOMAIN], script).await
}

async fn ended_with(
    link: Link,
    names: &[&str],
    script: impl AsyncFnOnce(&mut Peer),
) -> (LinkEvent, String) {
    let authority = Authority::new();
    let identity = authority.identity(names);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "hunter2"), &[(port, link)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        script(&mut peer).await;
        peer.seen
    };
    let (event, seen) = tokio::join!(driven.end(), server);
    assert!(driven.next().await.is_none(), "nothing follows the end");
    (event, seen)
}

fn failed(event: LinkEvent) -> Fault {
    match event {
        LinkEvent::Failed { fault, .. } => fault,
        other => panic!("not a failed sign-in: {other:?}"),
    }
}

fn offline(event: LinkEvent) -> Fault {
    match event {
        LinkEvent::Offline { fault, .. } => fault,
        other => panic!("not the end of a session: {other:?}"),
    }
}

fn message(id: &str, body: &str) -> Stanza {
    let to = xmpp_parsers::jid::Jid::new("bob@example.test").expect("valid");
    let mut message = Message::chat(to).with_body("".into(), body.into());
    message.id = Some(Id(id.into()));
    Stanza::Message(message)
}

fn failure(condition: &str) -> String {
    format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>")
}

fn stream_error(condition: &str) -> String {
    format!(
        "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>words</text></stream:error></stream:stream>"
    )
}

const SM: &str = "<sm xmlns='urn:xmpp:sm:3'/>";

#[tokio::test]
async fn a_wrong_password_is_reported_and_not_tried_again() {
    for condition in ["not-authorized", "account-disabled", "credentials-expired"] {
        let (event, seen) = ended(async |peer| {
            peer.start_tls().await;
            peer.open(&mechanisms(&["PLAIN"])).await;
            peer.expect("</auth>").await;
            peer.send(&failure(condition)).await;
            peer.drain().await;
        })
        .await;
        assert_eq!(failed(event), Fault::BadCredentials);
        assert_eq!(seen.matches("<auth").count(), 1);
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_told() {
    let (event, seen) = ended(async |peer| {
        peer.open(&mechanisms(&["PLAIN"])).await;
        peer.drain().await;
    })
    .await;
    assert_eq!(failed(event), Fault::NoEncryption);
    assert!(!seen.contains("<auth"));
}

#[tokio::test]
async fn without_a_common_mechanism_the_offer_is_reported() {
    let (event, seen) = ended(async |peer| {
        peer.start_tls().await;
        peer.open(&mechanisms(&["GSSAPI", "EXTERNAL"])).await;
        peer.drain().await;
    })
    .await;
    let offer = vec!["GSSAPI".to_owned(), "EXTERNAL".to_owned()];
    assert_eq!(failed(event), Fault::NoMechanism(offer));
    assert!(!seen.contains("<auth"));
}

#[tokio::test]
async fn a_taken_resource_is_a_conflict() {
    let (event, _) = ended(async |peer| {
        peer.sign_in().await;
        peer.open(BIND).await;
        peer.expect("</iq>").await;
        peer.send(
            "<iq type='error' id='bind'><error type='cancel'>\
             <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        )
        .await;
        peer.drain().await;
    })
    .await;
    assert_eq!(failed(event), Fault::Conflict);
}

#[tokio::test]
async fn stream_errors_are_named_before_and_after_sign_in() {
    let (event, _) = ended(async |peer| {
        peer.open(STARTTLS).await;
        peer.send(&stream_error("host-unknown")).await;
        peer.drain().await;
    })
    .await;
    assert_eq!(failed(event), Fault::Stream("host-unknown".into()));

    for (condition, want) in [
        ("conflict", Fault::Conflict),
        ("system-shutdown", Fault::Stream("system-shutdown".into())),
    ] {
        let (event, _) = ended(async |peer| {
            peer.bring_online("").await;
            peer.send(&stream_error(condition)).await;
            peer.drain().await;
        })
        .await;
        assert_eq!(offline(event), want);
    }
}

#[tokio::test]
async fn a_web_server_is_recognised_in_clear_and_under_tls() {
    let page = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html></html>";
    let (event, _) = ended(async |peer| {
        peer.expect("<?xml").await;
        peer.send(page).await;
        peer.drain().await;
    })
    .await;
    assert_eq!(failed(event), Fault::Html);

    let (event, _) = ended_with(Link::Tls, &[DOMAIN], async |peer| {
        peer.secure().await;
        peer.expect("<?xml").await;
        peer.send("<!DOCTYPE html>\n<html><body>Sign in to the guest network</body>").await;
        peer.drain().await;
    })
    .await;
    assert_eq!(failed(event), Fault::Html);
}

#[tokio::test]
async fn stanzas_beyond_all_measure_are_passed_over_and_counted() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "hunter2"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online(SM).await;
        peer.expect("<enable").await;
        peer.send("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>").await;
        peer.send("<message from='bob@example.test'><body>").await;
        for _ in 0..40 {
            peer.send(&"x".repeat(16 * 1024)).await;
        }
        peer.send("</body></message><iq type='get' id='deep' from='bob@example.test/x'>").await;
        peer.send(&("<a>".repeat(100_000) + &"</a>".repeat(100_000) + "</iq>")).await;
        peer.send("<iq type='result' id='late' from='bob@example.test/x'>").await;
        peer.send(&("<a>".repeat(100) + &"</a>".repeat(100) + "</iq>")).await;
        peer.send("<r xmlns='urn:xmpp:sm:3'/>").await;
        peer.expect("h='3'").await;
        peer.seen
    };
    let refused = async {
        let mut said = Vec::new();
        while said.len() < 4 {
            match driven.next().await {
                Some(LinkEvent::Refused { what, fault }) => said.push(format!("{what} {fault:?}")),
                Some(LinkEvent::Stanza(stanza)) => said.push(format!("{:?}", stanza.id())),
                Some(LinkEvent::Failed { .. } | LinkEvent::Offline { .. }) | None => break,
                Some(_) => {}
            }
        }
        said
    };
    let (said, seen) = tokio::join!(refused, server);
    assert_eq!(said[0], format!("message {:?}", Fault::TooLarge(512 * 1024)));
    assert!(said[1].starts_with("iq "), "{said:?}");
    assert_eq!(said[2], "Some(\"late\")", "who waits for an answer hears that it failed");
    assert!(seen.contains("policy-violation") && seen.contains("deep"), "{seen}");
}

#[tokio::test]
async fn a_stanza_without_end_ends_the_link_not_the_program() {
    let (event, seen) = ended(async |peer| {
        peer.bring_online("").await;
        peer.send("<message from='bob@example.test'><body>").await;
        for _ in 0..(65 * 1024 / 16) {
            peer.send(&"x".repeat(16 * 1024)).await;
        }
        peer.drain().await;
    })
    .await;
    assert_eq!(offline(event), Fault::TooLarge(64 * 1024 * 1024));
    assert!(seen.contains("<policy-violation"), "{seen}");
}

#[tokio::test]
async fn a_broken_stream_is_told_that_it_is_broken() {
    let (event, seen) = ended(async |peer| {
        peer.bring_online("").await;
        peer.send("<message></body>").await;
        peer.drain().await;
    })
    .await;
    assert!(matches!(offline(event), Fault::Nonsense(_)));
    assert!(seen.contains("<not-well-formed") && seen.contains("</stream:stream>"), "{seen}");
}

#[tokio::test]
async fn a_connection_closed_midway_is_reported_wherever_it_happens() {
    for stage in 0..5 {
        let (event, _) = ended(async |peer| {
            match stage {
                0 => {
                    peer.expect("xml:lang").await;
                }
                1 => peer.open(STARTTLS).await,
                2 => {
                    peer.start_tls().await;
                    peer.expect("xml:lang").await;
                }
                3 => {
                    peer.sign_in().await;
                }
                _ => {
                    peer.bring_online(SM).await;
                    peer.expect("<enable").await;
                }
            };
        })
        .await;
        assert_eq!(failed(event), Fault::Closed, "stage {stage}");
    }
    let (event, _) = ended(async |peer| {
        peer.bring_online("").await;
        peer.send("<message from='b@example.test'><bo").await;
    })
    .await;
    assert_eq!(offline(event), Fault::Closed);
}

#[tokio::test]
async fn certificates_are_checked_against_the_domain_not_the_host() {
    let (event, _) = ended_with(Link::Tls, &["127.0.0.1", "other.test"], async |peer| {
        peer.secure().await;
    })
    .await;
    let fault = failed(event);
    assert!(
        matches!(&fault, Fault::Tls(TlsFault::WrongName { wanted, .. }) if wanted == DOMAIN),
        "{fault:?}"
    );

    // A name that the plan vouches for is as good.
    let authority = Authority::new();
    let identity = authority.identity(&["node1.cluster.test"]);
    let (listener, port) = listen().await;
    let mut plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    plan.names = vec!["node1.cluster.test".into()];
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online("").await;
        peer
    };
    let online = driven.until(|event| matches!(event, LinkEvent::Online { .. }));
    tokio::join!(online, server);
}

/// Somebody who says yes after a while.
struct Slow(std::sync::Mutex<Vec<TrustQuestion>>);

impl AskTrust for Slow {
    fn ask(&self, question: TrustQuestion) -> BoxFuture<'static, bool> {
        self.0.lock().expect("questions").push(question);
        Box::pin(async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            true
        })
    }
}

#[tokio::test]
async fn a_person_can_accept_an_unknown_authority_and_the_connection_is_made_again() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let identity = theirs.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let (net, person) = (ours.net(), Arc::new(Slow(std::sync::Mutex::default())));
    net.ask_about_certificates(person.clone());
    let mut driven = Driven::new(&net, plan);
    let server = async {
        let mut refused = Peer::accept(&listener, &identity.config).await;
        assert!(!refused.start_tls().await, "nobody was asked yet");
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online("").await;
        peer
    };
    let online = driven.until(|event| matches!(event, LinkEvent::Online { .. }));
    tokio::join!(online, server);
    let questions = person.0.lock().expect("questions");
    assert_eq!(questions.len(), 1);
    assert_eq!(
        (&*questions[0].at.host, &*questions[0].wanted),
        ("127.0.0.1", &[DOMAIN.to_owned()][..])
    );
    assert_eq!(questions[0].why, TlsFault::UnknownIssuer);
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let identity = theirs.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::Tls)]);
    let mut driven = Driven::new(&ours.net(), plan);
    let server = async {
        Peer::accept(&listener, &identity.config).await.secure().await;
    };
    let (event, ()) = tokio::join!(driven.end(), server);
    assert_eq!(failed(event), Fault::Tls(TlsFault::UnknownIssuer));
}

#[tokio::test]
async fn words_sent_ahead_of_encryption_are_refused() {
    let (event, seen) = ended(async |peer| {
        peer.open(STARTTLS).await;
        peer.expect("<starttls").await;
        peer.send(
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message><body>injected</body></message>",
        )
        .await;
        peer.drain().await;
    })
    .await;
    assert!(matches!(failed(event), Fault::Nonsense(_)));
    assert!(!seen.contains("<auth"));
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_is_refused() {
    let (event, _) = ended(async |peer| {
        peer.start_tls().await;
        peer.open(&mechanisms(&["SCRAM-SHA-1"])).await;
        peer.expect("</auth>").await;
        // "v=" of something else, without ever asking for our proof.
        peer.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dj1BQUFB</success>").await;
        peer.drain().await;
    })
    .await;
    assert!(matches!(failed(event), Fault::Nonsense(_)));
}

#[tokio::test]
async fn a_server_may_send_us_elsewhere_once() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (first, port) = listen().await;
    let (second, other_port) = listen().await;
    let elsewhere = |port: u16| {
        format!(
            "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\
             127.0.0.1:{port}</see-other-host></stream:error></stream:stream>"
        )
    };
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan.clone());
    let server = async {
        let mut peer = Peer::accept(&first, &identity.config).await;
        peer.start_tls().await;
        peer.open(&mechanisms(&["PLAIN"])).await;
        peer.send(&elsewhere(other_port)).await;
        let mut other = Peer::accept(&second, &identity.config).await;
        other.bring_online("").await;
        (peer, other)
    };
    let online = driven.until(|event| matches!(event, LinkEvent::Online { .. }));
    let (event, _peers) = tokio::join!(online, server);
    assert!(matches!(event, LinkEvent::Online { server, .. } if server.port == other_port));

    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        for listener in [&first, &second] {
            let mut peer = Peer::accept(listener, &identity.config).await;
            peer.open(STARTTLS).await;
            peer.send(&elsewhere(other_port)).await;
            peer.drain().await;
        }
    };
    let (event, ()) = tokio::join!(driven.end(), server);
    assert_eq!(failed(event), Fault::Stream("see-other-host".into()));
}

#[tokio::test]
async fn the_next_server_is_tried_but_not_with_a_wrong_password() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let (dead, dead_port) = listen().await;
    drop(dead);
    let servers = [(dead_port, Link::StartTls), (port, Link::StartTls)];
    let mut driven = Driven::new(&authority.net(), plan("alice", password("alice", "x"), &servers));
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online("").await;
        peer
    };
    let online = driven.until(|event| matches!(event, LinkEvent::Online { .. }));
    tokio::join!(online, server);

    let servers = [(port, Link::StartTls), (port, Link::StartTls)];
    let mut driven = Driven::new(&authority.net(), plan("alice", password("alice", "x"), &servers));
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.start_tls().await;
        peer.open(&mechanisms(&["PLAIN"])).await;
        peer.expect("</auth>").await;
        peer.send(&failure("not-authorized")).await;
        peer.drain().await;
    };
    let (event, ()) = tokio::join!(driven.end(), server);
    assert_eq!(failed(event), Fault::BadCredentials);
}

#[tokio::test]
async fn a_token_is_shown_to_one_server_only() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let auth = XmppAuth::VtgToken { userid: "user@server.com".into(), token: "foo".into() };
    let servers = [(port, Link::Tls), (port, Link::Tls)];
    let mut driven = Driven::new(&authority.net(), plan("alice", auth, &servers));
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.secure().await;
        peer.open(&mechanisms(&["PLAIN", "CISCO-VTG-TOKEN"])).await;
        peer.expect("</auth>").await;
        assert!(peer.seen.contains(
            "mechanism='CISCO-VTG-TOKEN'>dXNlcmlkPXVzZXJAc2VydmVyLmNvbQB0b2tlbj1mb28=</auth>"
        ));
        peer.send(&failure("temporary-auth-failure")).await;
        peer.drain().await;
    };
    let (event, ()) = tokio::join!(driven.end(), server);
    assert_eq!(failed(event), Fault::Stream("temporary-auth-failure".into()));
}

#[tokio::test]
async fn acknowledgements_are_passed_on_asked_for_and_given() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online(SM).await;
        assert!(peer.expect("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await);
        peer.send("<enabled xmlns='urn:xmpp:sm:3'/><presence from='bob@example.test/x'/>").await;
        assert!(peer.expect("<r xmlns='urn:xmpp:sm:3'/>").await);
        peer.send("<r xmlns='urn:xmpp:sm:3'/>").await;
        assert!(peer.expect("<a xmlns='urn:xmpp:sm:3' h='1'/>").await);
        peer.send("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
        peer.send("<a xmlns='urn:xmpp:sm:3' h='7'/>").await;
        peer.drain().await;
        peer.seen
    };
    let client = async {
        driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
        driven.handle.send(message("m1", "one")).expect("queued");
        driven.handle.send(message("m2", "two")).expect("queued");
        let mut acked = Vec::new();
        loop {
            match driven.next().await.expect("goes on") {
                LinkEvent::Acked(id) => acked.push(id),
                LinkEvent::Offline { fault, .. } => break (acked, fault),
                LinkEvent::Stanza(stanza) => assert_eq!(stanza.name(), "presence"),
                other => panic!("{other:?}"),
            }
        }
    };
    let ((acked, fault), seen) = tokio::join!(client, server);
    assert_eq!(acked, ["m1", "m2"]);
    assert!(matches!(fault, Fault::Nonsense(_)), "too many: {fault:?}");
    assert_eq!(seen.matches("<r ").count(), 1, "asked once: {seen}");
}

#[tokio::test]
async fn a_close_sends_what_is_queued_and_says_goodbye() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online("").await;
        assert!(peer.expect("last words").await);
        assert!(peer.expect("</stream:stream>").await);
        peer.send("</stream:stream>").await;
        peer.drain().await;
    };
    let client = async {
        driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
        driven.handle.send(message("m1", "last words")).expect("queued");
        driven.handle.close();
        driven.end().await
    };
    let (event, ()) = tokio::join!(client, server);
    assert!(matches!(event, LinkEvent::Closed));
    assert!(driven.handle.send(message("m2", "too late")).is_err());
}

#[tokio::test]
async fn the_last_acknowledgement_is_waited_for() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online(SM).await;
        peer.send("<enabled xmlns='urn:xmpp:sm:3'/>").await;
        assert!(peer.expect("</stream:stream>").await);
        peer.send("<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>").await;
        peer.drain().await;
        peer.seen
    };
    let client = async {
        driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
        driven.handle.send(message("m1", "last words")).expect("queued");
        driven.handle.close();
        driven.until(|event| matches!(event, LinkEvent::Acked(id) if id == "m1")).await;
        driven.end().await
    };
    let (event, seen) = tokio::join!(client, server);
    assert!(matches!(event, LinkEvent::Closed));
    assert!(seen.ends_with("<r xmlns='urn:xmpp:sm:3'/></stream:stream>"), "{seen}");
}

#[tokio::test]
async fn without_acknowledgements_a_stanza_counts_when_it_is_written() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online("").await;
        assert!(peer.expect("</message>").await);
        peer
    };
    let client = async {
        driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
        driven.handle.send(message("m1", "one")).expect("queued");
        driven.until(|event| matches!(event, LinkEvent::Acked(id) if id == "m1")).await
    };
    tokio::join!(client, server);
}

#[tokio::test]
async fn a_silent_server_is_given_up_before_and_after_sign_in() {
    let (event, _) = ended(async |peer| {
        peer.expect("xml:lang='en'>").await;
        tokio::time::pause();
        peer.drain().await;
    })
    .await;
    assert_eq!(failed(event), Fault::AnswerTimeout);

    tokio::time::resume();
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::new(&authority.net(), plan);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.bring_online(SM).await;
        peer.send("<enabled xmlns='urn:xmpp:sm:3'/>").await;
        assert!(peer.expect("<r ").await);
        tokio::time::pause();
        peer.drain().await;
    };
    let client = async {
        driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
        driven.handle.send(message("m1", "one")).expect("queued");
        driven.end().await
    };
    let (event, ()) = tokio::join!(client, server);
    assert_eq!(offline(event), Fault::AnswerTimeout);
}

#[tokio::test]
async fn a_login_probe_stops_before_the_session() {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let probe = LoginProbe::new(authority.net());
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        peer.sign_in().await;
        peer.drain().await;
        peer.seen
    };
    let (reached, seen) = tokio::join!(probe.login(&plan), server);
    let reached = reached.expect("signed in");
    assert_eq!(reached.peer.port(), port);
    assert!(reached.tls.is_some_and(|tls| tls.starts_with("TLS")));
    assert!(seen.ends_with("</auth></stream:stream>"), "{seen}");
}
