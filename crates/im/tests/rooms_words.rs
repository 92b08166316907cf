//! What is said in rooms and by whom it counts; invitations; bookmarks.

mod support;

use offhook_model::{Delivery, Reply, RoomState, RoomWish, Ticket};
use support::inside::{FEATURES, ROOM, room_jid};
use support::{Bench, ME, attribute, jid};

const PLAIN: [&str; 1] = ["http://jabber.org/protocol/muc"];

fn stanza_id(id: &str) -> String {
    format!("<stanza-id xmlns='urn:xmpp:sid:0' id='{id}' by='{ROOM}'/>")
}

fn mark(id: &str) -> String {
    format!("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/>")
}

#[test]
fn words_of_rooms_we_are_not_in_are_not_heard() {
    let mut bench = Bench::online();
    bench.said("bob", "m1", "forged", "");
    assert!(bench.bodies(ROOM).is_empty());
    let mut bench = Bench::inside(&FEATURES);
    assert!(matches!(bench.wish(RoomWish::Leave { room: room_jid() }), Some(Ok(Reply::Done))));
    bench.forget();
    bench.said("alice", "m2", "as if we were there", "");
    bench.let_in("alice");
    assert_eq!(bench.room().state, RoomState::Left);
    assert!(bench.bodies(ROOM).is_empty() && bench.sent.is_empty());
}

#[test]
fn a_message_is_of_the_occupant_and_its_author_is_whom_the_room_names() {
    let mut bench = Bench::inside(&FEATURES);
    let forged = "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='boss@example.com'/></x>\
                  <x xmlns='http://www.jabber.com/protocol/muc#history'/>";
    bench.said("carol", "m1", "trust me", forged);
    bench.said("bob", "m2", "hello", &stanza_id("a2"));
    let messages = bench.messages(ROOM);
    assert_eq!(messages[0].from, jid(&format!("{ROOM}/carol")));
    assert_eq!(messages[0].more.author, None);
    assert_eq!(messages[1].more.author, Some(jid("bob@example.com")));
    assert_eq!(messages[1].more.archive_id.as_deref(), Some("a2"));
}

#[test]
fn times_and_ids_of_others_than_the_room_do_not_count() {
    let mut bench = Bench::inside(&PLAIN);
    let delay = |from: &str| {
        format!("<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z' from='{from}'/>")
    };
    bench.said("bob", "m2", "then", &delay(ROOM));
    bench.said(
        "bob",
        "m1",
        "now",
        &format!("{}{}", delay("bob@example.com"), stanza_id("made up")),
    );
    let messages = bench.messages(ROOM);
    assert_eq!((messages[0].body.as_str(), messages[0].time.0 / 1000), ("then", 1_577_836_800));
    assert_eq!((messages[1].body.as_str(), messages[1].time), ("now", bench.now.wall));
    assert_eq!(messages[1].more.archive_id, None);
}

#[test]
fn a_message_under_our_nickname_in_the_replay_is_not_ours_without_proof() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    bench.told(&FEATURES);
    bench.occupant("alice", "affiliation='none' role='participant'", "<status code='110'/>");
    let then =
        format!("<delay xmlns='urn:xmpp:delay' stamp='2026-11-22T11:00:00Z' from='{ROOM}'/>");
    bench.said("alice", "x1", "somebody who had the name", &then);
    bench.settle();
    bench.said("alice", "x2", "our other device", "");
    let own: Vec<bool> = bench.messages(ROOM).iter().map(|it| it.own).collect();
    assert_eq!(own, [false, true]);
}

#[test]
fn what_is_replayed_stands_behind_what_is_here_of_its_second() {
    let mut bench = Bench::inside(&FEATURES);
    bench.now = bench.now.plus(std::time::Duration::from_millis(400));
    bench.said("bob", "m1", "here already", "");
    bench.now = bench.now.plus(std::time::Duration::from_secs(5));
    let stamp = bench.now.wall.0 / 1_000 - 5;
    let stamp = offhook_model::Timestamp(stamp * 1_000).to_utc().format("%Y-%m-%dT%H:%M:%SZ");
    let then = format!("<delay xmlns='urn:xmpp:delay' stamp='{stamp}' from='{ROOM}'/>");
    bench.said("bob", "m2", "said right after it", &then);
    assert_eq!(bench.bodies(ROOM), ["here already", "said right after it"]);
}

#[test]
fn only_the_writer_corrects_and_retracts_by_the_rooms_mark() {
    let mut bench = Bench::inside(&FEATURES);
    bench.said("carol", "m1", "first", &mark("c1"));
    let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    bench.said("bob", "m2", "put in her mouth", &format!("{replace}{}", mark("b1")));
    bench.gone("carol", "affiliation='none' role='none'", "");
    bench.occupant("carol", "affiliation='none' role='participant'", "");
    bench.said("carol", "m3", "by who took her name", &format!("{replace}{}", mark("c2")));
    assert_eq!(bench.messages(ROOM)[0].body, "first");
    bench.said("carol", "m4", "second", &format!("{replace}{}", mark("c1")));
    assert_eq!(bench.messages(ROOM)[0].body, "second");
    assert!(bench.messages(ROOM)[0].more.edited);
}

#[test]
fn where_a_room_gives_no_marks_the_nickname_counts_for_as_long_as_it_is_held() {
    let mut bench = Bench::inside(&PLAIN);
    bench.said("carol", "m1", "frist", "");
    let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    bench.said("carol", "m2", "first", replace);
    assert_eq!(bench.bodies(ROOM), ["first"]);
    bench.gone("carol", "affiliation='none' role='none'", "");
    bench.wait(10);
    bench.occupant("carol", "affiliation='none' role='participant'", "");
    bench.said("carol", "m3", "forged", replace);
    assert_eq!(bench.bodies(ROOM), ["first", "forged"], "as words of whoever has the name now");
    assert!(!bench.messages(ROOM)[1].more.edited);
}

#[test]
fn only_the_room_says_that_a_moderator_took_a_message_back() {
    let words = [
        "<retract xmlns='urn:xmpp:message-retract:1' id='a1'><moderated xmlns='urn:xmpp:message-moderate:1' by='team@conference.example.com/bob'/><reason>spam</reason></retract>",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='a1'><moderated xmlns='urn:xmpp:message-moderate:0' by='team@conference.example.com/bob'><retract xmlns='urn:xmpp:message-retract:0'/><reason>spam</reason></moderated></apply-to>",
    ];
    for word in words {
        let mut bench = Bench::inside(&FEATURES);
        bench.said("carol", "m1", "buy this", &stanza_id("a1"));
        bench.receive(&format!(
            "<message xmlns='jabber:client' type='groupchat' from='{ROOM}/bob'>{word}</message>"
        ));
        bench.receive(&format!("<message xmlns='jabber:client' type='groupchat' from='other@conference.example.com'>{word}</message>"));
        bench.receive(&format!(
            "<message xmlns='jabber:client' type='chat' from='{ROOM}'>{word}</message>"
        ));
        assert_eq!(bench.messages(ROOM)[0].body, "buy this");
        bench.receive(&format!(
            "<message xmlns='jabber:client' type='groupchat' from='{ROOM}'>{word}</message>"
        ));
        let message = &bench.messages(ROOM)[0];
        assert_eq!(message.body, "");
        let retracted = message.more.retracted.clone().expect("taken back");
        assert_eq!(retracted.reason.as_deref(), Some("spam"));
    }
}

#[test]
fn moderation_speaks_as_the_room_does() {
    for (feature, needle) in [
        ("urn:xmpp:message-moderate:1", "<moderate xmlns='urn:xmpp:message-moderate:1' id='a1'>"),
        ("urn:xmpp:message-moderate:0", "<apply-to xmlns='urn:xmpp:fasten:0' id='a1'>"),
    ] {
        let mut bench = Bench::inside(&["urn:xmpp:sid:0", feature]);
        bench.said("carol", "m1", "buy this", &stanza_id("a1"));
        let wish = || RoomWish::Moderate {
            room: room_jid(),
            id: offhook_model::MessageId("m1".into()),
            reason: None,
        };
        assert!(bench.wish(wish()).is_none());
        bench.sent_with(needle);
    }
}

#[test]
fn a_server_that_gives_our_words_another_id_is_understood() {
    let mut bench = Bench::inside(&PLAIN);
    let first = bench.say(ROOM, "same");
    let second = bench.say(ROOM, "same");
    bench.acknowledge(&first);
    bench.acknowledge(&second);
    bench.said("alice", "rewritten-1", "same", "");
    assert_eq!(
        (bench.state(&first), bench.state(&second)),
        (Some(Delivery::Delivered), Some(Delivery::Sent))
    );
    bench.said("alice", "rewritten-2", "same", "");
    assert_eq!(bench.state(&second), Some(Delivery::Delivered));
    assert_eq!(bench.bodies(ROOM), ["same", "same"]);
}

#[test]
fn errors_of_strangers_change_nothing_and_the_rooms_do() {
    let mut bench = Bench::inside(&PLAIN);
    let id = bench.say(ROOM, "Hello");
    let error = |from: &str| {
        format!(
            "<message xmlns='jabber:client' type='error' id='{id}' from='{from}'><error type='auth'>\
             <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
    };
    for stranger in
        ["eve@example.com", "other@conference.example.com", "team@conference.example.com/carol"]
    {
        bench.receive(&error(stranger));
        assert_eq!(bench.state(&id), Some(Delivery::Queued), "{stranger}");
    }
    bench.receive(&error(ROOM));
    let message = bench.messages(ROOM).pop().expect("it");
    assert_eq!(message.state, Delivery::Failed);
    assert!(message.error.expect("why").contains("voice"));
}

#[test]
fn what_waits_for_a_room_that_puts_us_out_fails_with_the_reason() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    bench.told(&PLAIN);
    bench.let_in("alice");
    let id = bench.say(ROOM, "Hello");
    bench.gone(
        "alice",
        "affiliation='outcast' role='none'",
        "<status code='301'/><status code='110'/>",
    );
    assert_eq!(bench.state(&id), Some(Delivery::Failed));
    let later = bench.say(ROOM, "Hello?");
    assert_eq!(bench.state(&later), Some(Delivery::Queued), "until the bookmarks are read");
}

#[test]
fn private_words_inside_a_room_are_refused() {
    let mut bench = Bench::inside(&PLAIN);
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='chat' id='p1' from='{ROOM}/carol'><body>psst</body></message>"
    ));
    let answer = bench.sent_with("type='error'");
    assert!(
        answer.contains("feature-not-implemented") && attribute(answer, "id") == "p1",
        "{answer}"
    );
    assert!(bench.bodies(ROOM).is_empty());
}

#[test]
fn who_writes_is_told_by_name_and_wears_off() {
    let mut bench = Bench::inside(&PLAIN);
    bench.said("bob", "m1", "hello", "");
    let composing = |nick: &str| {
        format!(
            "<message xmlns='jabber:client' type='groupchat' from='{ROOM}/{nick}'>\
             <composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
    };
    bench.receive(&composing("bob"));
    bench.receive(&composing("alice"));
    let writers = |bench: &Bench| bench.im.chats()[0].writers.clone();
    assert_eq!(writers(&bench), ["Bob Builder"]);
    bench.wait(61);
    assert!(writers(&bench).is_empty());
}

#[test]
fn a_room_is_never_encrypted_and_says_so() {
    let mut bench = Bench::inside(&PLAIN);
    bench.said("bob", "m1", "hello", "");
    let protection = bench.im.chats()[0].protection.clone();
    assert!(!protection.on && !protection.changeable);
    assert!(protection.why.expect("why").contains("never encrypted"));
}

fn invite(room: &str, by: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{room}'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <invite from='{by}'><reason>Lunch</reason></invite><password>key</password></x>\
         <x xmlns='jabber:x:conference' jid='{room}'/></message>"
    )
}

#[test]
fn invitations_are_merged_bounded_and_answered() {
    let mut bench = Bench::online();
    bench.receive(&invite(ROOM, "bob@example.com/x"));
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='bob@example.com/x'>\
         <x xmlns='jabber:x:conference' jid='{ROOM}' reason='Again'/></message>"
    ));
    let invitations = bench.im.invitations();
    assert_eq!(invitations.len(), 1);
    assert_eq!(invitations[0].from, Some(jid("bob@example.com")));
    assert_eq!(invitations[0].reason.as_deref(), Some("Lunch"));
    assert!(bench.wish(RoomWish::Answer { room: room_jid(), accept: true }).is_none());
    bench.told(&PLAIN);
    assert!(bench.sent_with("<presence").contains("<password>key</password>"));
    assert!(bench.im.invitations().is_empty());
    for n in 0..60 {
        bench.receive(&invite(&format!("r{n}@conference.example.com"), "bob@example.com"));
    }
    assert_eq!(bench.im.invitations().len(), 50);
    bench.forget();
    let room = jid("r59@conference.example.com");
    assert!(matches!(bench.wish(RoomWish::Answer { room, accept: false }), Some(Ok(Reply::Done))));
    assert!(bench.sent_with("<decline").contains("to='bob@example.com'"));
}

#[test]
fn bookmarks_of_others_are_not_ours() {
    let event = |from: &str| {
        format!(
            "<message xmlns='jabber:client' from='{from}'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
             <items node='urn:xmpp:bookmarks:1'><item id='{ROOM}'><conference xmlns='urn:xmpp:bookmarks:1' \
             autojoin='true' name='Team'><nick>al</nick></conference></item></items></event></message>"
        )
    };
    let mut bench = Bench::online();
    for stranger in ["eve@example.com", "alice@evil.example", "example.com"] {
        bench.receive(&event(stranger));
        assert!(bench.im.rooms().is_empty(), "{stranger}");
    }
    bench.receive(&event(ME));
    let room = bench.room();
    assert!(room.bookmarked && room.autojoin);
    assert_eq!((room.state, room.nick.as_str()), (RoomState::Joining, "al"));
    bench.told(&PLAIN);
    bench.let_in("al");
    bench.receive(&event(ME).replace("autojoin='true'", "autojoin='false'"));
    assert_eq!(bench.room().state, RoomState::Left, "another device of ours left");
}

#[test]
fn bookmarks_are_written_in_the_way_that_the_server_takes() {
    let mut bench = Bench::inside(&PLAIN);
    let wish = RoomWish::Bookmark { room: room_jid(), keep: true, autojoin: true };
    assert!(bench.im.room_wish(Ticket(3), wish, bench.now).is_none());
    bench.drain();
    let refuse = |bench: &mut Bench, needle: &str, condition: &str| {
        let question = bench.sent_with(needle).to_owned();
        let id = attribute(&question, "id");
        bench.forget();
        bench.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
    };
    assert!(bench.sent_with("publish-options").contains("pubsub#max_items"));
    refuse(&mut bench, "publish-options", "resource-constraint");
    assert!(!bench.sent_with("publish-options").contains("pubsub#max_items"));
    refuse(&mut bench, "publish-options", "feature-not-implemented");
    let old = bench.sent_with("storage:bookmarks").to_owned();
    assert!(old.contains(&format!("jid='{ROOM}'")) && old.contains("autojoin='true'"), "{old}");
    let id = attribute(&old, "id");
    bench.receive(&format!("<iq xmlns='jabber:client' type='result' id='{id}'/>"));
    assert!(matches!(bench.answers.as_slice(), [(Ticket(3), Ok(Reply::Done))]));
}
