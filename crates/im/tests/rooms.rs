//! Into rooms and out of them, who is in, what they are told.

mod support;

use offhook_model::{
    Affiliation, Delivery, ErrorCode, NoticeBody, Reply, RoomRole, RoomState, RoomWish,
};
use support::inside::{FEATURES, ROOM, room_jid};
use support::{Bench, attribute, jid};

#[test]
fn a_room_is_looked_at_entered_and_shown() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    assert_eq!(bench.room().state, RoomState::Joining);
    bench.told(&["muc_persistent", "muc_membersonly", "urn:xmpp:mam:2"]);
    let knock = bench.sent_with("<presence");
    assert_eq!(attribute(knock, "to"), format!("{ROOM}/alice"));
    assert!(knock.contains("maxstanzas"), "{knock}");
    bench.occupant("bob", "affiliation='owner' role='moderator' jid='bob@example.com/x'", "");
    assert!(bench.room().occupants.is_empty(), "not before we are in");
    bench.let_in("alice");
    let room = bench.room();
    assert_eq!(
        (room.state, room.name.as_str(), room.nick.as_str()),
        (RoomState::Joined, "Team", "alice")
    );
    assert!(room.traits.persistent && room.traits.members_only && room.traits.archive);
    let nicks: Vec<_> = room.occupants.iter().map(|it| (it.nick.as_str(), it.me)).collect();
    assert_eq!(nicks, [("bob", false), ("alice", true)], "moderators first");
    assert_eq!(room.occupants[0].jid, Some(jid("bob@example.com")));
    assert!(
        matches!(bench.answers.as_slice(), [(_, Ok(Reply::Room(room)))] if *room == room_jid())
    );
    bench.settle();
    assert_eq!(bench.room().subject, "Lunch");
    let members: Vec<_> = bench.sent.iter().filter(|it| it.contains("muc#admin")).collect();
    assert_eq!(members.len(), 3, "owners, admins and members of a room for members");
}

#[test]
fn why_a_room_does_not_let_us_in_is_said() {
    for (condition, words) in [
        ("not-authorized", "password"),
        ("registration-required", "members only"),
        ("forbidden", "shut out"),
        ("service-unavailable", "full"),
        ("item-not-found", "no such room"),
        ("gone", "closed"),
        ("jid-malformed", "nickname"),
        ("undefined-condition", "did not let you in"),
    ] {
        let mut bench = Bench::online();
        bench.ask_in(None);
        bench.told(&[]);
        let id = attribute(bench.sent_with("<presence"), "id");
        let error = |from: &str, id: &str| {
            format!(
                "<presence xmlns='jabber:client' type='error' from='{from}' id='{id}'>\
                 <error type='auth'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
            )
        };
        bench.receive(&error(&format!("{ROOM}/alice"), "another"));
        bench.receive(&error("other@conference.example.com/alice", &id));
        assert_eq!(bench.room().state, RoomState::Joining, "{condition}: not an answer to us");
        bench.receive(&error(&format!("{ROOM}/alice"), &id));
        assert!(bench.error().contains(words), "{condition}: {}", bench.error());
        assert!(
            matches!(bench.answers.as_slice(), [(_, Err(error))] if error.code == ErrorCode::Failed)
        );
    }
}

#[test]
fn a_room_that_does_not_exist_is_not_made_by_entering_it() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    bench.refuse("disco#info", "item-not-found");
    assert!(bench.error().contains("no such room"));
    assert!(!bench.sent.iter().any(|it| it.contains("<presence")));
}

#[test]
fn a_taken_nickname_gets_a_suffix_once() {
    let mut bench = Bench::online();
    bench.ask_in(Some("al"));
    bench.told(&[]);
    let conflict = |bench: &Bench| {
        let id = attribute(bench.sent_with("<presence"), "id");
        format!(
            "<presence xmlns='jabber:client' type='error' from='{ROOM}/al' id='{id}'>\
             <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        )
    };
    let first = conflict(&bench);
    bench.forget();
    bench.receive(&first);
    assert_eq!(attribute(bench.sent_with("<presence"), "to"), format!("{ROOM}/al_"));
    let second = conflict(&bench);
    bench.forget();
    bench.receive(&second);
    assert!(bench.error().contains("taken"));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_nickname_that_the_room_gives_is_taken() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    bench.told(&[]);
    bench.occupant(
        "Alice A.",
        "affiliation='member' role='participant'",
        "<status code='210'/><status code='110'/>",
    );
    assert_eq!((bench.room().state, bench.room().nick.as_str()), (RoomState::Joined, "Alice A."));
}

#[test]
fn who_puts_us_out_and_why_is_said() {
    for (codes, words) in [
        ("<status code='307'/>", "put out"),
        ("<status code='301'/>", "shut out"),
        ("<status code='321'/>", "rights"),
        ("<status code='322'/>", "members only"),
        (
            "<destroy jid='new@conference.example.com'><reason>Moved</reason></destroy>",
            "new@conference",
        ),
        ("", "no longer"),
    ] {
        let mut bench = Bench::inside(&FEATURES);
        bench.gone(
            "alice",
            "affiliation='none' role='none'",
            &format!("{codes}<status code='110'/>"),
        );
        assert!(bench.error().contains(words), "{codes}: {}", bench.error());
        assert!(bench.room().occupants.is_empty());
        bench.wait(2_000);
        assert!(bench.sent.is_empty(), "nobody goes back by himself: {:?}", bench.sent);
    }
}

#[test]
fn a_server_that_shuts_down_is_tried_again_with_pauses() {
    let mut bench = Bench::inside(&FEATURES);
    bench.gone(
        "alice",
        "affiliation='none' role='none'",
        "<status code='332'/><status code='110'/>",
    );
    assert!(bench.error().contains("shut down"));
    bench.wait(5);
    bench.refuse("disco#info", "remote-server-timeout");
    bench.let_in("alice");
    assert_eq!(bench.room().state, RoomState::Joined);
}

#[test]
fn silence_is_looked_into_and_a_room_that_lost_us_entered_anew() {
    let mut bench = Bench::inside(&FEATURES);
    bench.wait(601);
    assert_eq!(attribute(bench.sent_with("urn:xmpp:ping"), "to"), format!("{ROOM}/alice"));
    bench.reply("urn:xmpp:ping", "");
    assert_eq!(bench.room().state, RoomState::Joined);
    bench.wait(601);
    bench.refuse("urn:xmpp:ping", "not-acceptable");
    assert_eq!(bench.room().state, RoomState::Joining);
    bench.told(&FEATURES);
    bench.let_in("alice");
    assert_eq!(bench.room().state, RoomState::Joined);
    for _ in 0..20 {
        bench.wait(121);
    }
    assert_ne!(bench.room().state, RoomState::Joined, "nobody answers any more");
}

#[test]
fn a_new_connection_enters_again_and_a_resumed_one_does_not() {
    let mut bench = Bench::inside(&FEATURES);
    bench.said("bob", "m1", "hello", "");
    bench.im.interrupted(bench.now);
    bench.forget();
    bench.im.online(jid("alice@example.com/desk"), true, bench.now);
    bench.drain();
    assert_eq!(bench.room().state, RoomState::Joined);
    assert!(!bench.sent.iter().any(|it| it.contains(ROOM)), "{:?}", bench.sent);
    bench.disconnect();
    bench.forget();
    bench.connect();
    let questions: Vec<String> =
        bench.sent.iter().filter(|it| it.contains(ROOM)).cloned().collect();
    assert_eq!(questions.len(), 1, "{questions:?}");
    bench.sent = questions;
    bench.told(&FEATURES);
    let knock = bench.sent_with("<presence");
    assert!(knock.contains("since='2026-11-22T12:00:00Z'"), "{knock}");
}

#[test]
fn ten_thousand_occupants_come_and_are_shown_at_once() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    bench.told(&FEATURES);
    for n in 0..10_000 {
        bench.occupant(&format!("u{n}"), "affiliation='none' role='participant'", "");
    }
    bench.let_in("alice");
    bench.wait(1);
    assert_eq!(bench.room().occupants.len(), 10_001);
    let before = bench.im.rooms();
    for n in 0..1_000 {
        bench.gone(&format!("u{n}"), "affiliation='none' role='none'", "");
    }
    assert!(
        std::sync::Arc::ptr_eq(&before[&room_jid()], &bench.im.rooms()[&room_jid()]),
        "one picture for many"
    );
    bench.wait(1);
    assert_eq!(bench.room().occupants.len(), 9_001);
    for n in 0..15_000 {
        bench.occupant(&format!("more{n}"), "affiliation='none' role='participant'", "");
    }
    bench.wait(1);
    assert_eq!(bench.room().occupants.len(), 20_000, "a flood has a bound");
}

#[test]
fn occupants_change_their_names_and_rights() {
    let mut bench = Bench::inside(&FEATURES);
    let names: Vec<String> = bench.room().occupants.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["Bob Builder", "alice", "carol"], "names of the contact list");
    bench.gone("carol", "affiliation='none' role='visitor' nick='caro'", "<status code='303'/>");
    bench.occupant("caro", "affiliation='member' role='participant'", "");
    let caro = bench.room().occupants.into_iter().find(|it| it.nick == "caro").expect("she");
    assert_eq!((caro.role, caro.affiliation), (RoomRole::Participant, Affiliation::Member));
    bench.gone(
        "alice",
        "affiliation='member' role='participant' nick='al'",
        "<status code='303'/><status code='110'/>",
    );
    bench.let_in("al");
    assert_eq!((bench.room().nick.as_str(), bench.room().state), ("al", RoomState::Joined));
}

#[test]
fn a_new_room_is_set_up_as_asked_and_its_address_told() {
    let mut bench = Bench::offline();
    bench.connect();
    let services = |bench: &mut Bench| {
        for (needle, payload) in [
            (
                "to='example.com' type='get'><query xmlns='http://jabber.org/protocol/disco#info'",
                "<query xmlns='http://jabber.org/protocol/disco#info'/>",
            ),
            (
                "to='alice@example.com' type='get'><query xmlns='http://jabber.org/protocol/disco#info'",
                "<query xmlns='http://jabber.org/protocol/disco#info'/>",
            ),
            (
                "disco#items",
                "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='conference.example.com'/></query>",
            ),
        ] {
            let question = bench.sent.iter().find(|it| it.contains(needle)).cloned();
            let question = question.unwrap_or_else(|| panic!("{needle} in {:?}", bench.sent));
            let (id, to) = (attribute(&question, "id"), attribute(&question, "to"));
            bench.receive(&format!(
                "<iq xmlns='jabber:client' type='result' id='{id}' from='{to}'>{payload}</iq>"
            ));
        }
    };
    services(&mut bench);
    bench.forget_all_but("conference.example.com");
    let wish = RoomWish::Create {
        name: "Team Lunch".into(),
        topic: Some("Food".into()),
        persistent: true,
        members_only: true,
        invite: vec![jid("bob@example.com")],
    };
    assert!(bench.im.room_wish(offhook_model::Ticket(9), wish, bench.now).is_none());
    bench.reply("disco#info", "<query xmlns='http://jabber.org/protocol/disco#info'>\
        <identity category='conference' type='text'/><feature var='http://jabber.org/protocol/muc'/></query>");
    let ask = bench.sent_with("disco#info").to_owned();
    let room = attribute(&ask, "to");
    assert!(room.starts_with("team-lunch-") && room.ends_with("@conference.example.com"), "{room}");
    bench.refuse("disco#info", "item-not-found");
    assert!(bench.sent_with("<presence").contains(&room));
    bench.forget();
    bench.receive(&format!(
        "<presence xmlns='jabber:client' from='{room}/alice'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/></x></presence>"
    ));
    bench.reply(
        "muc#owner",
        "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'>\
         <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roomconfig</value></field>\
         <field type='fixed'><value>Hello</value></field>\
         <field var='muc#roomconfig_roomname' type='text-single'><value/></field>\
         <field var='muc#roomconfig_persistentroom' type='boolean'><value>0</value></field>\
         <field var='muc#roomconfig_membersonly' type='boolean'><value>0</value></field></x></query>",
    );
    let form = bench.sent_with("type='submit'").to_owned();
    for field in [
        "<field var='muc#roomconfig_roomname'><value>Team Lunch</value>",
        "<field var='muc#roomconfig_persistentroom'><value>1</value>",
        "<field var='muc#roomconfig_membersonly'><value>1</value>",
    ] {
        assert!(form.contains(field), "{field} in {form}");
    }
    bench.reply("type='submit'", "");
    assert!(bench.sent_with("<subject").contains("Food"));
    assert!(bench.sent_with("<invite").contains("bob@example.com"));
    assert!(bench.sent_with("affiliation='member'").contains("bob@example.com"));
    assert!(bench.sent_with("urn:xmpp:bookmarks:1").contains("autojoin='true'"));
    let made = bench
        .answers
        .iter()
        .any(|(_, answer)| matches!(answer, Ok(Reply::Room(made)) if made.to_string() == room));
    assert!(made, "{:?}", bench.answers);
}

#[test]
fn a_wish_about_a_room_we_are_not_in_is_refused() {
    let mut bench = Bench::online();
    let answer = bench.wish(RoomWish::Subject { room: room_jid(), subject: "x".into() });
    assert!(matches!(answer, Some(Err(error)) if error.code == ErrorCode::NoSuchObject));
    let answer = bench.wish(RoomWish::Leave { room: room_jid() });
    assert!(matches!(answer, Some(Err(error)) if error.code == ErrorCode::NoSuchObject));
    let answer =
        bench.wish(RoomWish::Join { room: jid("example.com"), nick: None, password: None });
    assert!(matches!(answer, Some(Err(error)) if error.code == ErrorCode::InvalidParams));
}

#[test]
fn rights_are_asked_for_and_a_refusal_is_told() {
    let mut bench = Bench::inside(&FEATURES);
    let wish = RoomWish::Role {
        room: room_jid(),
        nick: "carol".into(),
        role: RoomRole::None,
        reason: Some("Bye".into()),
    };
    assert!(bench.wish(wish).is_none());
    assert!(
        bench
            .sent_with("muc#admin")
            .contains("<item nick='carol' role='none'><reason>Bye</reason>")
    );
    bench.refuse("muc#admin", "forbidden");
    assert!(
        matches!(bench.answers.as_slice(), [(_, Err(error))] if error.cause.contains("does not allow"))
    );
    let wish = RoomWish::Affiliate {
        room: room_jid(),
        who: jid("eve@example.com"),
        affiliation: Affiliation::Outcast,
        reason: None,
    };
    assert!(bench.wish(wish).is_none());
    bench.reply("affiliation='outcast'", "");
    assert!(matches!(bench.answers.as_slice(), [(_, Ok(Reply::Done))]));
}

#[test]
fn what_is_written_waits_until_everything_said_before_is_here() {
    let mut bench = Bench::online();
    bench.ask_in(None);
    bench.told(&FEATURES);
    bench.let_in("alice");
    bench.forget();
    let id = bench.say(ROOM, "Hello");
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    bench.settle();
    let sent = bench.sent_with("<body>Hello</body>").to_owned();
    assert!(sent.contains("type='groupchat'"), "{sent}");
    bench.acknowledge(&id);
    assert_eq!(bench.state(&id), Some(Delivery::Sent));
    bench.said("alice", &id, "Hello", "");
    assert_eq!(bench.state(&id), Some(Delivery::Delivered));
    assert_eq!(bench.bodies(ROOM), ["Hello"], "once");
    assert!(
        bench
            .notices
            .iter()
            .any(|it| matches!(it, NoticeBody::Chat { state: Some(Delivery::Delivered), .. }))
    );
}
