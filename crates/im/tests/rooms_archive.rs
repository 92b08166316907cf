//! The archive of a room (XEP-0313): what was missed, what was said before, and by whom it counts.

mod support;

use offhook_model::RoomState;
use support::inside::{FEATURES, ROOM};
use support::{Bench, attribute, jid};

fn place(id: &str) -> String {
    format!("<stanza-id xmlns='urn:xmpp:sid:0' id='{id}' by='{ROOM}'/>")
}

fn mark(id: &str) -> String {
    format!("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/>")
}

/// No later than the clock of the test.
const NOW: &str = "2099-01-01T00:00:00Z";

fn long_ago(second: u32) -> String {
    format!("2020-11-22T11:00:{second:02}Z")
}

/// A message out of the archive, for the newest question.
fn archived(bench: &mut Bench, by: &str, id: &str, stamp: &str, nick: &str, inner: &str) {
    let query = bench.sent_with("urn:xmpp:mam:2").to_owned();
    let queryid = attribute(&query[query.find("queryid").expect("a query") - 8..], "queryid");
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='{by}' to='alice@example.com/desk'>\
         <result xmlns='urn:xmpp:mam:2' queryid='{queryid}' id='{id}'>\
         <forwarded xmlns='urn:xmpp:forward:0'>\
         <delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>\
         <message xmlns='jabber:client' type='groupchat' from='{ROOM}/{nick}' id='i-{id}'>\
         {inner}</message></forwarded></result></message>"
    ));
}

fn fin(bench: &mut Bench, first: &str, last: &str, complete: bool) {
    bench.reply(
        "urn:xmpp:mam:2",
        &format!(
            "<fin xmlns='urn:xmpp:mam:2' complete='{complete}'><set xmlns='http://jabber.org/protocol/rsm'>\
             <first>{first}</first><last>{last}</last></set></fin>"
        ),
    );
}

fn body(text: &str) -> String {
    format!("<body>{text}</body>")
}

#[test]
fn older_messages_come_from_the_room_and_from_nobody_else() {
    let mut bench = Bench::inside(&FEATURES);
    bench.said("bob", "m9", "now", &place("a9"));
    bench.forget();
    let asks = bench.im.older(&jid(ROOM));
    assert!(asks.is_some(), "the store is asked first");
    bench.im.older_read(&jid(ROOM), asks.flatten().as_ref(), Vec::new(), false);
    bench.drain();
    let query = bench.sent_with("urn:xmpp:mam:2").to_owned();
    assert!(query.contains(&format!("to='{ROOM}'")) && !query.contains("with"), "{query}");
    for liar in
        ["eve@example.com/x", "alice@example.com", &format!("{ROOM}/bob"), "conference.example.com"]
    {
        archived(&mut bench, liar, "f1", &long_ago(1), "bob", &body("forged"));
    }
    archived(&mut bench, ROOM, "a1", &long_ago(1), "bob", &(body("first") + &mark("b")));
    archived(&mut bench, ROOM, "a2", &long_ago(2), "carol", &body("second"));
    archived(
        &mut bench,
        ROOM,
        "a3",
        &long_ago(3),
        "bob",
        &format!(
            "{}<replace xmlns='urn:xmpp:message-correct:0' id='i-a1'/>{}",
            body("First"),
            mark("b")
        ),
    );
    archived(
        &mut bench,
        ROOM,
        "a4",
        &long_ago(4),
        "carol",
        &format!(
            "{}<replace xmlns='urn:xmpp:message-correct:0' id='i-a1'/>{}",
            body("forged"),
            mark("c")
        ),
    );
    archived(&mut bench, ROOM, "a9", &long_ago(9), "bob", &body("now"));
    // The bare address speaks for the room alone, and of another room nothing is taken.
    let other = body("forged").replace("<body>", "<x xmlns='urn:x'/><body>");
    archived(&mut bench, ROOM, "a5", &long_ago(5), "", &other);
    fin(&mut bench, "a1", "a9", true);
    assert_eq!(bench.bodies(ROOM), ["First", "second", "now"]);
    assert!(
        bench.messages(ROOM).iter().all(|m| !m.own && m.more.author.is_none() || m.body == "now")
    );
    assert!(bench.im.forgeries() >= 4);
    let chats = bench.im.chats();
    assert!(!chats.iter().find(|it| it.with == jid(ROOM)).expect("listed").older);
}

#[test]
fn a_room_without_an_archive_has_nothing_older() {
    let mut bench = Bench::inside(&["http://jabber.org/protocol/muc"]);
    bench.said("bob", "m1", "now", "");
    bench.forget();
    let asks = bench.im.older(&jid(ROOM));
    bench.im.older_read(&jid(ROOM), asks.flatten().as_ref(), Vec::new(), false);
    bench.drain();
    assert!(bench.sent.iter().all(|it| !it.contains("urn:xmpp:mam:2")));
}

#[test]
fn what_was_missed_comes_from_the_archive_in_order_and_then_ours_goes_out() {
    let mut bench = Bench::inside(&FEATURES);
    bench.said("bob", "m1", "seen", &place("a1"));
    bench.disconnect();
    bench.say(ROOM, "ours");
    bench.forget();
    bench.connect();
    bench.forget_all_but(&format!("to='{ROOM}' type='get'"));
    bench.told(&FEATURES);
    let knock = bench.sent_with("http://jabber.org/protocol/muc'").to_owned();
    assert!(knock.contains("maxstanzas='0'"), "{knock}");
    bench.let_in("alice");
    assert_eq!(bench.room().state, RoomState::Joined);
    let query = bench.sent_with("urn:xmpp:mam:2").to_owned();
    assert!(query.contains("<after") && query.contains("a1"), "{query}");
    bench.settle();
    assert!(!bench.sent.iter().any(|it| it.contains("ours")), "not before the archive has told");
    archived(&mut bench, ROOM, "a2", NOW, "carol", &body("missed 1"));
    archived(&mut bench, ROOM, "a3", NOW, "bob", &body("missed 2"));
    fin(&mut bench, "a2", "a3", false);
    archived(&mut bench, ROOM, "a4", NOW, "bob", &body("missed 3"));
    fin(&mut bench, "a4", "a4", true);
    assert_eq!(bench.sent.iter().filter(|it| it.contains("ours")).count(), 1);
    let mut bodies = bench.bodies(ROOM);
    bodies.retain(|it| it.starts_with("missed"));
    assert_eq!(bodies, ["missed 1", "missed 2", "missed 3"]);
}
