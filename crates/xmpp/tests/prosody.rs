//! The link and the chat machine against a real server. Needs the program `prosody` (0.12);
//! without it the test says so and passes.

mod support;

use std::time::Duration;

use offhook_im::{Im, Output};
use offhook_model::{Availability, Delivery, Fault, Jid, Link, Moment, Subscription, Timestamp};
use offhook_net::Net;
use offhook_ports::XmppLogin;
use offhook_xmpp::{LinkEvent, LoginProbe};
use std::sync::Arc;
use support::prosody::Prosody;
use support::{DOMAIN, Driven, password, plan};

/// A person: a link and the machine above it.
struct Person {
    im: Im,
    driven: Driven,
    jid: Jid,
}

impl Person {
    fn new(net: &Arc<Net>, user: &str, port: u16, link: Link) -> Self {
        let plan = plan(user, password(user, "secret"), &[(port, link)]);
        Self {
            im: Im::new(plan.jid.clone(), u64::from(port) + user.len() as u64, now()),
            jid: plan.jid.clone(),
            driven: Driven::new(net, plan),
        }
    }

    /// Handles one event, or `None` when the link is over.
    async fn step(&mut self) -> Option<()> {
        let now = now();
        match self.driven.next().await? {
            LinkEvent::Online { jid, resumed, .. } => self.im.online(jid, resumed, now),
            LinkEvent::Stanza(stanza) => self.im.receive(stanza, now),
            LinkEvent::Acked(id) => self.im.acknowledged(&id, now),
            LinkEvent::Connecting { .. } | LinkEvent::Refused { .. } => {}
            LinkEvent::Failed { fault, .. } | LinkEvent::Offline { fault, .. } => {
                panic!("{}: {fault:?}", self.jid)
            }
            LinkEvent::Closed => self.im.offline(now),
        }
        self.drain();
        Some(())
    }

    fn drain(&mut self) {
        while let Some(output) = self.im.poll() {
            if let Output::Store(offhook_ports::StoreRequest::PutMessage(it)) = &output
                && it.own
            {
                self.im.message_kept(&it.id);
            }
            if let Output::Send(stanza) = output {
                self.driven.handle.send(stanza).expect("queued");
            }
        }
    }
}

fn now() -> Moment {
    Moment { at: offhook_net::now(), wall: Timestamp(1_795_000_000_000) }
}

/// Lets both live until `reached` says yes.
async fn until(a: &mut Person, b: &mut Person, what: &str, reached: impl Fn(&Im, &Im) -> bool) {
    let work = async {
        while !reached(&a.im, &b.im) {
            tokio::select! {
                step = a.step() => assert!(step.is_some(), "{what}"),
                step = b.step() => assert!(step.is_some(), "{what}"),
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), work).await;
    assert!(waited.is_ok(), "never: {what}");
}

fn sees(im: &Im, who: &Jid, availability: Availability) -> bool {
    im.contacts().iter().any(|c| &c.contact == who && c.presence.availability == availability)
}

fn last(im: &Im, with: &Jid) -> Option<(String, Delivery)> {
    let messages = im.messages();
    let last = messages.get(with)?.last()?;
    Some((last.body.clone(), last.state))
}

async fn two_people_meet(server: &Prosody, links: [(u16, Link); 2]) {
    let net = server.authority.net();
    let mut alice = Person::new(&net, "alice", links[0].0, links[0].1);
    let mut bob = Person::new(&net, "bob", links[1].0, links[1].1);
    let (a, b) = (alice.jid.clone(), bob.jid.clone());
    until(&mut alice, &mut bob, "both are online", |x, y| {
        [x, y].iter().all(|im| im.own_presence().availability == Availability::Available)
    })
    .await;

    alice.im.roster_add(b.clone(), Some("Bob".into()), Some(vec!["Team".into()]), now());
    alice.drain();
    until(&mut alice, &mut bob, "bob is asked", |_, y| {
        y.contacts().iter().any(|c| c.contact == a && c.wants_us)
    })
    .await;
    bob.im.roster_answer(&a, true, now());
    bob.im.roster_add(a.clone(), None, None, now());
    bob.drain();
    until(&mut alice, &mut bob, "alice is asked", |x, _| {
        x.contacts().iter().any(|c| c.contact == b && c.wants_us)
    })
    .await;
    alice.im.roster_answer(&b, true, now());
    alice.drain();
    until(&mut alice, &mut bob, "they see each other", |x, y| {
        let both = |im: &Im, who: &Jid| {
            im.contacts()
                .iter()
                .any(|c| &c.contact == who && c.subscription == Subscription::Both && !c.wants_us)
        };
        both(x, &b)
            && both(y, &a)
            && sees(x, &b, Availability::Available)
            && sees(y, &a, Availability::Available)
    })
    .await;
    assert!(alice.im.contacts().iter().any(|c| c.name == "Bob" && c.groups == ["Team"]));

    bob.im.set_presence(Availability::Dnd, Some("Writing <tests> & more".into()), now());
    bob.drain();
    until(&mut alice, &mut bob, "the note arrives", |x, _| {
        x.contacts().iter().any(|c| {
            c.presence.availability == Availability::Dnd
                && c.presence.note.as_deref() == Some("Writing <tests> & more")
        })
    })
    .await;

    alice.im.send_chat(b.clone(), "Hello, Bob \u{1f44b} <&>".into(), now());
    alice.drain();
    until(&mut alice, &mut bob, "the message is delivered", |x, y| {
        last(x, &b).is_some_and(|(_, state)| state == Delivery::Delivered)
            && last(y, &a).is_some_and(|(body, _)| body == "Hello, Bob \u{1f44b} <&>")
    })
    .await;
    bob.im.mark_read(&a, now());
    bob.im.send_chat(a.clone(), "Hello back".into(), now());
    bob.drain();
    until(&mut alice, &mut bob, "read, and answered", |x, y| {
        let read = x
            .messages()
            .get(&b)
            .is_some_and(|m| m.iter().any(|m| m.own && m.state == Delivery::Read));
        read && last(x, &b).is_some_and(|(body, _)| body == "Hello back")
            && last(y, &a).is_some_and(|(_, state)| state == Delivery::Delivered)
    })
    .await;
    alice.im.typing(&b, true, now());
    alice.drain();
    until(&mut alice, &mut bob, "typing is seen", |_, y| y.chats().iter().any(|c| c.typing)).await;

    for person in [&mut alice, &mut bob] {
        person.driven.handle.close();
        while person.step().await.is_some() {}
        assert_eq!(person.im.own_presence().availability, Availability::Offline);
    }
}

#[tokio::test]
async fn two_people_meet_over_starttls_and_direct_tls() {
    let Some(server) = Prosody::start("SHA-256").await else {
        return;
    };
    let links = [(server.starttls, Link::StartTls), (server.direct, Link::Tls)];
    two_people_meet(&server, links).await;
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_right_one() {
    let Some(server) = Prosody::start("SHA-1").await else {
        return;
    };
    let net = server.authority.net();
    for (port, link) in [(server.starttls, Link::StartTls), (server.direct, Link::Tls)] {
        let wrong = plan("alice", password("alice", "wrong"), &[(port, link)]);
        let right = plan("alice", password("alice", "secret"), &[(port, link)]);
        let probe = LoginProbe::new(Arc::clone(&net));
        let refused = probe.login(&wrong).await.map_err(|(_, fault)| fault);
        assert_eq!(refused, Err(Fault::BadCredentials));
        let reached = probe.login(&right).await.expect("let in");
        assert_eq!(reached.peer.port(), port);
        let mut driven = Driven::new(&net, wrong);
        let event = driven.end().await;
        assert!(
            matches!(&event, LinkEvent::Failed { fault: Fault::BadCredentials, .. }),
            "{event:?}"
        );
    }
}

#[tokio::test]
async fn the_same_resource_twice_is_a_conflict_for_the_first() {
    let Some(server) = Prosody::start("SHA-1").await else {
        return;
    };
    let net = server.authority.net();
    let servers = [(server.starttls, Link::StartTls)];
    let plan = plan("alice", password("alice", "secret"), &servers);
    let mut first = Driven::new(&net, plan.clone());
    first.until(|event| matches!(event, LinkEvent::Online { .. })).await;
    let mut second = Driven::new(&net, plan);
    let online = second.until(|event| matches!(event, LinkEvent::Online { .. }));
    let (end, _) = tokio::join!(first.end(), online);
    let conflict = matches!(&end, LinkEvent::Offline { fault: Fault::Conflict, .. });
    assert!(conflict, "{end:?}");
}

#[tokio::test]
async fn what_is_written_to_an_absent_person_waits_at_the_server() {
    let Some(server) = Prosody::start("SHA-1").await else {
        return;
    };
    let net = server.authority.net();
    let (port, link) = (server.starttls, Link::StartTls);
    let mut alice = Person::new(&net, "alice", port, link);
    let bob: Jid = format!("bob@{DOMAIN}").parse().expect("valid");
    alice.im.send_chat(bob.clone(), "one".into(), now());
    alice.im.send_chat(bob.clone(), "two".into(), now());
    while last(&alice.im, &bob).is_none_or(|(_, state)| state < Delivery::Sent) {
        alice.step().await.expect("goes on");
    }
    let a = alice.jid.clone();
    let mut bob_here = Person::new(&net, "bob", port, link);
    until(&mut alice, &mut bob_here, "both arrive in order", |x, y| {
        let bodies: Vec<String> = y
            .messages()
            .get(&a)
            .map(|messages| messages.iter().map(|m| m.body.clone()).collect())
            .unwrap_or_default();
        bodies == ["one", "two"]
            && last(x, &bob).is_some_and(|(_, state)| state == Delivery::Delivered)
    })
    .await;
}
