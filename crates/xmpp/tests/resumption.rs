//! A stream that breaks and goes on over another connection (XEP-0198 section 5), against a server
//! that says exactly what a test wants.

mod support;

use std::time::Duration;

use offhook_im::Stanza;
use offhook_model::{Fault, Jid, Link};
use offhook_ports::{Resumption, Unacknowledged};
use offhook_xmpp::{LinkEvent, postpone};
use support::{Authority, DOMAIN, Driven, Peer, listen, password, plan};
use xmpp_parsers::message::{Id, Message};

const SM: &str = "<sm xmlns='urn:xmpp:sm:3'/>";
const CSI: &str = "<csi xmlns='urn:xmpp:csi:0'/>";
const ENABLED: &str = "<enabled xmlns='urn:xmpp:sm:3' resume='true' id='st&amp;r' max='60'/>";

fn message(id: &str) -> Stanza {
    let to = xmpp_parsers::jid::Jid::new("bob@example.test").expect("valid");
    let mut message = Message::chat(to).with_body("".into(), format!("text of {id}"));
    message.id = Some(Id(id.into()));
    Stanza::Message(message)
}

/// A stream on which `count` messages went out that nobody acknowledged.
fn earlier(count: u32) -> Box<Resumption> {
    let ids = (1..=count).map(|n| format!("m{n}"));
    Box::new(Resumption {
        id: "st&r".into(),
        jid: format!("alice@{DOMAIN}/desk").parse::<Jid>().expect("valid"),
        location: None,
        max: Duration::from_secs(60),
        received: 5,
        acknowledged: 10,
        unacknowledged: ids
            .map(|id| Unacknowledged {
                bytes: format!("<message id='{id}'><body>text of {id}</body></message>").into(),
                id: Some(id),
            })
            .collect(),
    })
}

/// A link that takes up `stream`, or a new one, at a server with this script: its events up to the
/// end, and what the server saw.
async fn played(
    stream: Option<Box<Resumption>>,
    script: impl AsyncFnOnce(&mut Peer),
    act: impl AsyncFnOnce(&mut Driven),
) -> (Vec<LinkEvent>, String) {
    let authority = Authority::new();
    let identity = authority.identity(&[DOMAIN]);
    let (listener, port) = listen().await;
    let plan = plan("alice", password("alice", "x"), &[(port, Link::StartTls)]);
    let mut driven = Driven::going_on(&authority.net(), plan, stream);
    let server = async {
        let mut peer = Peer::accept(&listener, &identity.config).await;
        script(&mut peer).await;
        peer.seen
    };
    let client = async {
        act(&mut driven).await;
        let mut events = Vec::new();
        while let Some(event) = driven.next().await {
            events.push(event);
        }
        events
    };
    let (events, seen) = tokio::join!(client, server);
    (events, seen)
}

/// Up to the wish to go on.
async fn asked_to_go_on(peer: &mut Peer) {
    peer.sign_in().await;
    peer.open(&format!("{}{SM}", support::BIND)).await;
    assert!(peer.expect("<resume xmlns='urn:xmpp:sm:3' h='5' previd='st&amp;r'/>").await);
}

fn acked(events: &[LinkEvent]) -> Vec<&str> {
    let ids = events.iter().filter_map(|event| match event {
        LinkEvent::Acked(id) => Some(id.as_str()),
        _ => None,
    });
    ids.collect()
}

#[tokio::test]
async fn a_broken_stream_gives_back_what_the_server_does_not_have() {
    let (events, seen) = played(
        None,
        async |peer| {
            peer.bring_online(SM).await;
            assert!(peer.expect("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await);
            peer.send(&format!("{ENABLED}<presence from='bob@example.test/x'/>")).await;
            assert!(peer.expect("text of m2").await);
            peer.send("<a xmlns='urn:xmpp:sm:3' h='1'/>").await;
            assert!(peer.expect("text of m3").await);
        },
        async |driven| {
            driven.until(|event| matches!(event, LinkEvent::Stanza(_))).await;
            driven.handle.send(message("m1")).expect("queued");
            driven.handle.send(message("m2")).expect("queued");
            driven.until(|event| matches!(event, LinkEvent::Acked(_))).await;
            driven.handle.send(message("m3")).expect("queued");
        },
    )
    .await;
    let Some(LinkEvent::Offline { resumption: Some(resumption), .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!((resumption.received, resumption.acknowledged), (1, 1));
    assert_eq!(resumption.max, Duration::from_secs(60));
    let ids: Vec<_> = resumption.unacknowledged.iter().filter_map(|it| it.id.as_deref()).collect();
    assert_eq!(ids, ["m2", "m3"]);
    assert!(!seen.contains("</stream:stream>"), "no farewell: {seen}");
    assert!(!format!("{resumption:?}").contains("text of"), "nothing private");
}

#[tokio::test]
async fn a_stream_goes_on_where_the_server_has_it() {
    let mut stream = earlier(3);
    postpone(&mut stream, &message("m4"));
    let (events, seen) = played(
        Some(stream),
        async |peer| {
            asked_to_go_on(peer).await;
            peer.send("<resumed xmlns='urn:xmpp:sm:3' h='12' previd='st&amp;r'/>").await;
            assert!(peer.expect("<r xmlns='urn:xmpp:sm:3'/>").await);
            peer.send("<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='14'/>").await;
            assert!(peer.expect("<a xmlns='urn:xmpp:sm:3' h='5'/>").await);
            peer.send("</stream:stream>").await;
        },
        async |_| {},
    )
    .await;
    assert_eq!(acked(&events), ["m1", "m2", "m3", "m4"]);
    let online = events.iter().position(|it| matches!(it, LinkEvent::Online { .. }));
    let Some(LinkEvent::Online { resumed, jid, .. }) = events.get(online.expect("online")) else {
        panic!("{events:?}")
    };
    assert!(*resumed);
    assert_eq!(jid.to_string(), format!("alice@{DOMAIN}/desk"));
    assert_eq!(acked(&events[..online.expect("online")]), ["m1", "m2"], "known before");
    let again = seen.split("<resume ").nth(1).expect("asked");
    assert!(!again.contains("text of m1") && !again.contains("text of m2"), "{again}");
    assert!(again.find("text of m3") < again.find("text of m4"), "{again}");
    assert_eq!(again.matches("<message").count(), 2, "{again}");
    assert!(!seen.contains("<bind"), "{seen}");
    let end = events.last();
    assert!(matches!(end, Some(LinkEvent::Offline { resumption: None, .. })), "ended in words");
}

#[tokio::test]
async fn a_stream_that_is_gone_begins_anew_in_the_same_connection() {
    for (refusal, want) in [("h='11'", vec!["m1"]), ("", vec![])] {
        let (events, seen) = played(
            Some(earlier(3)),
            async |peer| {
                asked_to_go_on(peer).await;
                peer.send(&format!(
                    "<failed xmlns='urn:xmpp:sm:3' {refusal}><item-not-found \
                     xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
                ))
                .await;
                assert!(peer.expect("</iq>").await, "a bind request");
                peer.send(&format!(
                    "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                     <jid>alice@{DOMAIN}/desk</jid></bind></iq>"
                ))
                .await;
                assert!(peer.expect("<enable ").await);
                peer.send(ENABLED).await;
            },
            async |_| {},
        )
        .await;
        assert_eq!(acked(&events), want);
        let resumed = events.iter().find_map(|event| match event {
            LinkEvent::Online { resumed, .. } => Some(*resumed),
            _ => None,
        });
        assert_eq!(resumed, Some(false));
        assert!(!seen.contains("text of"), "the outbox sends again, not the link: {seen}");
    }
}

#[tokio::test]
async fn a_stream_that_was_not_asked_for_yet_is_given_back() {
    let authority = Authority::new();
    // Nobody listens on port 1 of loopback.
    let plan = plan("alice", password("alice", "x"), &[(1, Link::StartTls)]);
    let mut driven = Driven::going_on(&authority.net(), plan, Some(earlier(2)));
    let end = driven.end().await;
    let LinkEvent::Failed { resumption: Some(resumption), .. } = end else { panic!("{end:?}") };
    assert_eq!(resumption.unacknowledged.len(), 2);
}

#[tokio::test]
async fn a_resumption_without_sense_is_not_tried_again() {
    for answer in
        ["<resumed xmlns='urn:xmpp:sm:3' h='99' previd='x'/>", "<resumed xmlns='urn:xmpp:sm:3'/>"]
    {
        let (events, _) = played(
            Some(earlier(1)),
            async |peer| {
                asked_to_go_on(peer).await;
                peer.send(answer).await;
                peer.drain().await;
            },
            async |_| {},
        )
        .await;
        let Some(LinkEvent::Failed { fault, resumption, .. }) = events.last() else {
            panic!("{events:?}")
        };
        assert!(matches!(fault, Fault::Nonsense(_)) && resumption.is_none(), "{fault:?}");
    }
}

#[tokio::test]
async fn an_abandoned_link_gives_its_stream_back_at_once() {
    let (events, seen) = played(
        None,
        async |peer| {
            peer.bring_online(SM).await;
            peer.send(ENABLED).await;
            peer.drain().await;
        },
        async |driven| {
            driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
            driven.handle.send(message("m1")).expect("queued");
            driven.handle.abandon();
        },
    )
    .await;
    let Some(LinkEvent::Offline { resumption: Some(resumption), .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(resumption.unacknowledged.len(), 1);
    assert!(!seen.contains("</stream:stream>"), "{seen}");
}

#[tokio::test]
async fn the_server_is_told_whether_anybody_looks_where_it_wants_to_know() {
    for wants in [true, false] {
        let (_, seen) = played(
            None,
            async |peer| {
                let features = if wants { format!("{SM}{CSI}") } else { SM.to_owned() };
                peer.bring_online(&features).await;
                peer.send(ENABLED).await;
                assert!(peer.expect("text of m1").await);
            },
            async |driven| {
                driven.until(|event| matches!(event, LinkEvent::Online { .. })).await;
                driven.handle.attention(false);
                tokio::time::sleep(Duration::from_millis(20)).await;
                driven.handle.send(message("m1")).expect("queued");
            },
        )
        .await;
        assert_eq!(seen.contains("<inactive xmlns='urn:xmpp:csi:0'/>"), wants, "{seen}");
    }
}
