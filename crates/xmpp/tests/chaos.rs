//! The link cut at random points while two of our clients write to each other through a real server:
//! every message once and in order at both ends. Needs the program `prosody`; without it the test
//! says so and passes. `OFFHOOK_CHAOS=full` goes on until there were 1,000 cuts and 10,000 messages.
//!
//! The clients here are link and machine without the store; what is "kept" is kept at once.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use offhook_im::{Im, Output, Stanza};
use offhook_model::{Delivery, Jid, Link, MessageId, Moment, Timestamp};
use offhook_net::Net;
use offhook_ports::{Amendment, Loaded, Resumption, StoreRequest, XmppPlan};
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

/// How far one may write ahead of what the other has read. The relay lets more of ours through than
/// of what comes (each connection costs the same, and what comes is longer), so whoever writes
/// without regard writes faster than anybody could ever read.
const AHEAD: u32 = 200;

/// How far both are, and when they may stop.
struct Course {
    /// Messages each has to say at least.
    messages: u32,
    /// Cuts there have to be at least; both go on talking until then.
    cuts: u32,
    lossy: Lossy,
    said: [AtomicU32; 2],
    heard: [AtomicU32; 2],
    over: AtomicU32,
}

impl Course {
    fn goes_on(&self, said: u32) -> bool {
        said < self.messages || self.lossy.cuts() < self.cuts
    }

    /// Whether one of them may say more: it waits for the other as somebody does who reads answers.
    fn may_say(&self, who: usize, said: u32) -> bool {
        self.goes_on(said) && said < self.heard[1 - who].load(Ordering::Relaxed) + AHEAD
    }

    /// What one of them has said in all, once it says no more.
    fn all_of(&self, who: usize) -> Option<u32> {
        let said = self.said[who].load(Ordering::Relaxed);
        (!self.goes_on(said)).then_some(said)
    }
}

/// A client that comes back.
struct Client {
    who: usize,
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
    heard: Vec<(Timestamp, MessageId, String)>,
    resumed: u32,
    anew: u32,
}

impl Client {
    fn new(net: &Arc<Net>, who: usize, user: &str, to: &str, port: u16) -> Self {
        let plan = plan(user, password(user, "secret"), &[(port, Link::StartTls)]);
        let mut im = Im::new(plan.jid.clone(), u64::from(port), now());
        im.loaded(Loaded::default());
        Self {
            who,
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
    async fn run(&mut self, course: &Course) {
        let mut told = false;
        while course.over.load(Ordering::Relaxed) < 2 {
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
            if course.may_say(self.who, self.said) {
                self.said += 1;
                course.said[self.who].store(self.said, Ordering::Relaxed);
                let body = format!("{} {}", self.plan.jid.local().unwrap_or_default(), self.said);
                self.im.send_chat(self.to.clone(), body, now());
            }
            if self.im.next_timeout().is_some_and(|at| at <= now().at) {
                self.im.handle_timeout(now());
            }
            self.drain();
            course.heard[self.who].store(self.heard.len() as u32, Ordering::Relaxed);
            let sent = course.all_of(self.who) == Some(self.arrived.len() as u32);
            let heard = course.all_of(1 - self.who).is_some_and(|it| self.heard.len() as u32 >= it);
            if sent && heard && !std::mem::replace(&mut told, true) {
                course.over.fetch_add(1, Ordering::Relaxed);
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
                        self.heard.push((it.time, it.id, it.body));
                    }
                }
                Output::Store(StoreRequest::Amend { id, change, .. }) => self.amend(&id, &change),
                Output::Store(StoreRequest::SetDelivery(id, state, _)) => {
                    assert_ne!(state, Delivery::Failed, "nothing fails");
                    self.arrived.insert(id.0);
                }
                _ => {}
            }
        }
    }

    /// What is put into another place stands there as the newest of its time.
    fn amend(&mut self, id: &MessageId, change: &Amendment) {
        let place = self.heard.iter().rposition(|(_, known, _)| known == id);
        if let (Amendment::Placed(time), Some(place)) = (change, place)
            && self.heard[place].0 != *time
        {
            let (_, id, body) = self.heard.remove(place);
            self.heard.push((*time, id, body));
        }
    }

    /// What came, as a reader sees it.
    fn read(&self) -> Vec<String> {
        let mut heard = self.heard.clone();
        heard.sort_by_key(|(time, ..)| *time);
        heard.into_iter().map(|(.., body)| body).collect()
    }
}

/// What comes after "bob 7".
fn follows(body: &str) -> String {
    let (writer, number) = body.split_once(' ').unwrap_or_default();
    format!("{writer} {}", number.parse::<u32>().unwrap_or_default() + 1)
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how much of it is asked for by hand")]
async fn every_message_arrives_once_and_in_order_however_often_the_link_is_cut() {
    let full = std::env::var("OFFHOOK_CHAOS").is_ok_and(|it| it == "full");
    let (cuts, messages, patience) = if full { (1_000, 5_000, 3_600) } else { (60, 300, 240) };
    let Some(server) = Prosody::start("SHA-1").await else {
        return;
    };
    let lossy = Lossy::start(server.starttls, cuts, 7).await;
    let net = server.authority.net();
    let mut alice = Client::new(&net, 0, "alice", "bob", lossy.port);
    let mut bob = Client::new(&net, 1, "bob", "alice", lossy.port);
    let (said, heard, over) = Default::default();
    let course = Course { messages, cuts, lossy, said, heard, over };
    let both = async {
        tokio::join!(alice.run(&course), bob.run(&course));
    };
    let ended = tokio::time::timeout(Duration::from_secs(patience), both).await;
    eprintln!(
        "{} cuts; resumed {} and {}, anew {} and {}; said {} and {}, arrived {} and {}, heard {} and {}",
        course.lossy.cuts(),
        alice.resumed,
        bob.resumed,
        alice.anew,
        bob.anew,
        alice.said,
        bob.said,
        alice.arrived.len(),
        bob.arrived.len(),
        alice.heard.len(),
        bob.heard.len(),
    );
    for (reader, writer, said) in [(&alice, "bob", bob.said), (&bob, "alice", alice.said)] {
        let heard: BTreeSet<String> = reader.read().into_iter().collect();
        let missing = (1..=said).map(|n| format!("{writer} {n}")).filter(|it| !heard.contains(it));
        let missing: Vec<String> = missing.collect();
        eprintln!("of {writer}'s not heard: {missing:?}");
    }
    assert!(ended.is_ok(), "not everything arrived in time");
    for (reader, writer, said) in [(&alice, "bob", bob.said), (&bob, "alice", alice.said)] {
        let want: Vec<String> = (1..=said).map(|n| format!("{writer} {n}")).collect();
        let read = reader.read();
        let breaks: Vec<_> = read.windows(2).filter(|two| follows(&two[0]) != two[1]).collect();
        assert!(read == want, "what {writer} wrote has breaks: {breaks:?}");
    }
}
