//! Nothing is lost, nothing is doubled, nothing overtakes.

mod support;

use offhook_model::Delivery;
use offhook_ports::Loaded;
use proptest::prelude::*;
use support::{Bench, attribute};

const BOB: &str = "bob@example.com";

#[test]
fn what_is_written_offline_goes_out_in_order() {
    let mut bench = Bench::offline();
    let ids: Vec<String> = ["a", "b", "c"].iter().map(|body| bench.say(BOB, body)).collect();
    assert!(bench.sent.is_empty());
    assert!(ids.iter().all(|id| bench.state(id) == Some(Delivery::Queued)));
    bench.connect_without_archive();
    assert_eq!(sent_messages(&bench.sent), ids);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_with_the_same_id() {
    let mut bench = Bench::online();
    let (first, second) = (bench.say(BOB, "a"), bench.say(BOB, "b"));
    bench.acknowledge(&first);
    bench.disconnect();
    assert_eq!(bench.state(&first), Some(Delivery::Sent));
    assert_eq!(bench.state(&second), Some(Delivery::Queued));
    bench.forget();
    bench.connect_without_archive();
    assert_eq!(sent_messages(&bench.sent), [second]);
}

#[test]
fn what_the_store_kept_goes_out_first() {
    let mut before = Bench::session(1);
    before.say(BOB, "from yesterday");
    before.say(BOB, "also from yesterday");
    let queued = before.messages(BOB);
    let mut want: Vec<String> = queued.iter().map(|m| m.id.0.clone()).collect();
    let mut bench = Bench::session(2);
    bench.wait(86_400);
    want.push(bench.say("carol@example.com", "today"));
    let loaded = Loaded { queued, ..Loaded::default() };
    bench.im.loaded(loaded.clone());
    bench.im.loaded(loaded);
    bench.connect_without_archive();
    assert_eq!(sent_messages(&bench.sent), want, "in order, once each");
}

#[test]
fn a_message_is_sent_when_the_store_has_it_and_not_before() {
    let mut bench = Bench::online();
    let (first, second) = {
        let mut say =
            |body: &str| bench.im.send_chat(support::jid(BOB), body.to_owned(), bench.now);
        (say("a"), say("b"))
    };
    assert_eq!(bench.drain_unkept(), [first.clone(), second.clone()]);
    assert!(sent_messages(&bench.sent).is_empty(), "nothing is sent that a crash would forget");
    bench.im.message_kept(&second);
    bench.drain();
    assert!(sent_messages(&bench.sent).is_empty(), "nothing overtakes");
    bench.im.message_kept(&first);
    bench.drain();
    assert_eq!(sent_messages(&bench.sent), [first.0, second.0]);
}

#[test]
fn too_many_waiting_messages_fail_with_a_sentence_and_the_others_go_out() {
    let mut bench = Bench::offline();
    let ids: Vec<String> = (0..1_000).map(|n| bench.say(BOB, &n.to_string())).collect();
    let id = bench.say(BOB, "one too many");
    assert_eq!(bench.state(&id), Some(Delivery::Failed));
    assert!(bench.messages(BOB).last().is_some_and(|m| m.error.is_some()));
    bench.connect_without_archive();
    assert!(sent_messages(&bench.sent).len() < 100, "not all at once");
    for id in &ids {
        bench.acknowledge(id);
    }
    assert_eq!(sent_messages(&bench.sent), ids);
}

fn sent_messages(sent: &[String]) -> Vec<String> {
    sent.iter().filter(|s| s.contains("<body")).map(|s| attribute(s, "id")).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Say,
    Online,
    Offline,
    /// The server takes so many of the stanzas under way and acknowledges so many of these.
    Server {
        takes: usize,
        acknowledges: usize,
    },
    /// The receiver's client confirms everything it has.
    Receipts,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Say),
        2 => Just(Step::Online),
        1 => Just(Step::Offline),
        4 => (0..6_usize, 0..6_usize)
            .prop_map(|(takes, acknowledges)| Step::Server { takes, acknowledges }),
        1 => Just(Step::Receipts),
    ]
}

/// The world outside: a server that takes stanzas in order and a receiver that knows copies.
#[derive(Default)]
struct World {
    said: Vec<String>,
    online: bool,
    under_way: Vec<String>,
    taken: Vec<String>,
    unacknowledged: Vec<String>,
    settled: Vec<String>,
}

impl World {
    fn collect(&mut self, bench: &mut Bench) {
        let sent = sent_messages(&std::mem::take(&mut bench.sent));
        assert!(self.online || sent.is_empty(), "nothing is sent offline");
        for id in sent {
            assert!(!self.settled.contains(&id), "what arrived is not sent again");
            assert!(!self.under_way.contains(&id), "nothing is sent twice on one connection");
            assert!(!self.unacknowledged.contains(&id), "nor while the server works on it");
            self.under_way.push(id);
        }
    }

    fn server(&mut self, bench: &mut Bench, takes: usize, acknowledges: usize) {
        let takes = takes.min(self.under_way.len());
        for id in self.under_way.drain(..takes) {
            if !self.taken.contains(&id) {
                self.taken.push(id.clone());
            }
            self.unacknowledged.push(id);
        }
        let acknowledges = acknowledges.min(self.unacknowledged.len());
        for id in self.unacknowledged.drain(..acknowledges).collect::<Vec<_>>() {
            bench.acknowledge(&id);
            self.settled.push(id);
            self.collect(bench);
        }
    }

    fn apply(&mut self, bench: &mut Bench, step: &Step) {
        match step {
            Step::Say => self.said.push(bench.say(BOB, "x")),
            Step::Online if !self.online => {
                self.online = true;
                bench.connect_without_archive();
            }
            Step::Offline if self.online => {
                self.online = false;
                self.under_way.clear();
                self.unacknowledged.clear();
                bench.disconnect();
            }
            Step::Online | Step::Offline => {}
            Step::Server { takes, acknowledges } => {
                self.server(bench, *takes, *acknowledges);
            }
            Step::Receipts if self.online => {
                for id in self.taken.clone() {
                    bench.receive(&format!(
                        "<message xmlns='jabber:client' from='bob@example.com/x'>\
                         <received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
                    ));
                    self.settled.push(id);
                }
            }
            Step::Receipts => {}
        }
        self.collect(bench);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_is_lost_doubled_or_overtaken(steps in proptest::collection::vec(step(), 0..120)) {
        let mut bench = Bench::offline();
        let mut world = World::default();
        for step in &steps {
            world.apply(&mut bench, step);
        }
        world.apply(&mut bench, &Step::Online);
        while !world.under_way.is_empty() || !world.unacknowledged.is_empty() {
            world.server(&mut bench, usize::MAX, usize::MAX);
        }
        prop_assert_eq!(&world.taken, &world.said);
        for id in &world.said {
            prop_assert!(bench.state(id) >= Some(Delivery::Sent));
        }
    }
}
