//! The link cut at random points while two of our clients write to each other through a real server:
//! every message once and in order at both ends. Needs the program `prosody`; without it the test
//! says so and passes. `OFFHOOK_CHAOS=full` cuts 1,000 times under 10,000 messages.
//!
//! The clients here are link and machine without the store; what is "kept" is kept at once.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use offhook_im::{Im, Output, Stanza};
use offhook_model::{Delivery, Jid, Link, Moment, Timestamp};
use offhook_net::Net;
use offhook_ports::{Loaded, Resumption, StoreRequest, XmppPlan};
use offhook_xmpp::{LinkEvent, postpone};
use support::lossy::Lossy;
use support::prosody::Prosody;
use support::{DOMAIN, Driven, password, plan};

#[expect(clippy::disallowed_methods, reason = "the archive's stamps are of the real clock")]
fn now() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let wall = i64::try_from(since.expect("after 1970").as_millis()).expect("in range");
    Moment { at: offhook_net::now(), wall: Timestamp(wall) }
}

/// A client that comes back.
struct Client {
    im: Im,
    net: Arc<Net>,
    plan: XmppPlan,
    to: Jid,
    link: Option<Driven>,
    earlier: Option<Box<Resumption>>,
    late: Vec<Stanza>,
    said: u32,
    /// Own messages that the server has.
    arrived: BTreeSet<String>,
    /// What came, with the time it is shown under.
    heard: Vec<(Timestamp, String)>,
    resumed: u32,
    anew: u32,
}

impl Client {
    fn new(net: &Arc<Net>, user: &str, to: &str, port: u16) -> Self {
        let plan = plan(user, password(user, "secret"), &[(port, Link::StartTls)]);
        let mut im = Im::new(plan.jid.clone(), u64::from(port), now());
        im.loaded(Loaded::default());
        Self {
            im,
            net: Arc::clone(net),
            plan,
            to: format!("{to}@{DOMAIN}").parse().expect("valid"),
            link: None,
            earlier: None,
            late: Vec::new(),
            said: 0,
            arrived: BTreeSet::new(),
            heard: Vec::new(),
            resumed: 0,
            anew: 0,
        }
    }

    /// Lives until both have everything.
    async fn run(&mut self, messages: u32, over: &AtomicU32) {
        let mut told = false;
        while over.load(Ordering::Relaxed) < 2 {
            match &mut self.link {
                None => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let earlier = self.earlier.take();
                    self.link = Some(Driven::going_on(&self.net, self.plan.clone(), earlier));
                }
                Some(driven) => {
                    tokio::select! {
                        event = driven.next() => match event {
                            Some(event) => self.take(event),
                            None => self.link = None,
                        },
                        () = tokio::time::sleep(Duration::from_millis(5)) => {}
                    }
                }
            }
            // At most so many wait, as at the fingers of somebody who reads what comes.
            if self.said < messages && self.said < self.arrived.len() as u32 + 100 {
                self.said += 1;
                let body = format!("{} {}", self.plan.jid.local().unwrap_or_default(), self.said);
                self.im.send_chat(self.to.clone(), body, now());
            }
            if self.im.next_timeout().is_some_and(|at| at <= now().at) {
                self.im.handle_timeout(now());
            }
            self.drain();
            let done = self.arrived.len() as u32 == messages && self.heard.len() as u32 >= messages;
            if done && !std::mem::replace(&mut told, true) {
                over.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn take(&mut self, event: LinkEvent) {
        let now = now();
        match event {
            LinkEvent::Online { jid, resumed, .. } => {
                let count = if resumed { &mut self.resumed } else { &mut self.anew };
                *count += 1;
                self.im.online(jid, resumed, now);
            }
            LinkEvent::Stanza(stanza) => self.im.receive(stanza, now),
            LinkEvent::Acked(id) => self.im.acknowledged(&id, now),
            LinkEvent::Connecting { .. } | LinkEvent::Refused { .. } => {}
            LinkEvent::Failed { resumption, .. } => {
                if resumption.is_none() {
                    self.im.offline(now);
                }
                self.earlier = resumption;
                self.link = None;
            }
            LinkEvent::Offline { resumption: Some(mut resumption), .. } => {
                self.late.drain(..).for_each(|stanza| postpone(&mut resumption, &stanza));
                self.earlier = Some(resumption);
                self.im.interrupted(now);
                self.link = None;
            }
            LinkEvent::Offline { .. } | LinkEvent::Closed => {
                self.late.clear();
                self.im.offline(now);
                self.link = None;
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.im.poll() {
            match output {
                Output::Send(stanza) => {
                    if let Some(driven) = &self.link
                        && let Err(stanza) = driven.handle.send(stanza)
                    {
                        self.late.push(*stanza);
                    }
                }
                Output::Store(StoreRequest::PutMessage(it) | StoreRequest::PutArchived(it)) => {
                    if it.own && it.state == Delivery::Queued {
                        self.im.message_kept(&it.id);
                    } else if !it.own {
                        self.heard.push((it.time, it.body));
                    }
                }
                Output::Store(StoreRequest::SetDelivery(id, state, _)) => {
                    assert_ne!(state, Delivery::Failed, "nothing fails");
                    self.arrived.insert(id.0);
                }
                _ => {}
            }
        }
    }

    /// What came, as a reader sees it.
    fn read(&self) -> Vec<String> {
        let mut heard = self.heard.clone();
        heard.sort_by_key(|(time, _)| *time);
        heard.into_iter().map(|(_, body)| body).collect()
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how much of it is asked for by hand")]
async fn every_message_arrives_once_and_in_order_however_often_the_link_is_cut() {
    let full = std::env::var("OFFHOOK_CHAOS").is_ok_and(|it| it == "full");
    let (cuts, messages, patience) = if full { (1_000, 5_000, 3_000) } else { (60, 300, 240) };
    let Some(server) = Prosody::start("SHA-1").await else {
        return;
    };
    let lossy = Lossy::start(server.starttls, cuts, 7).await;
    let net = server.authority.net();
    let mut alice = Client::new(&net, "alice", "bob", lossy.port);
    let mut bob = Client::new(&net, "bob", "alice", lossy.port);
    let over = AtomicU32::new(0);
    let both = async {
        tokio::join!(alice.run(messages, &over), bob.run(messages, &over));
    };
    let ended = tokio::time::timeout(Duration::from_secs(patience), both).await;
    eprintln!(
        "{} cuts; resumed {} and {}, anew {} and {}; arrived {} and {}, heard {} and {} of {messages}",
        lossy.cuts(),
        alice.resumed,
        bob.resumed,
        alice.anew,
        bob.anew,
        alice.arrived.len(),
        bob.arrived.len(),
        alice.heard.len(),
        bob.heard.len(),
    );
    assert!(ended.is_ok(), "not everything arrived in time");
    for (reader, writer) in [(&alice, "bob"), (&bob, "alice")] {
        let want: Vec<String> = (1..=messages).map(|n| format!("{writer} {n}")).collect();
        assert_eq!(reader.read(), want);
    }
}
