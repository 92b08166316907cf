//! Rooms as the vendor's servers have them (reference im-presence.md section 6).

mod support;

use std::sync::Arc;

use offhook_model::{ChatPolicy, ChatSettings, ErrorCode, RoomState, RoomWish};
use support::inside::{ROOM, room_jid};
use support::{Bench, attribute, jid};

fn bench(persistent_rooms: bool) -> Bench {
    let mut bench = Bench::online();
    let policy = ChatPolicy { vendor: true, persistent_rooms, ..ChatPolicy::default() };
    bench.im.configure(Arc::new(policy), ChatSettings::default(), bench.now);
    bench.drain();
    bench.forget();
    bench
}

#[test]
fn our_nickname_is_our_address_and_names_are_made_of_addresses() {
    let mut bench = bench(true);
    bench.ask_in(None);
    // Hosts answer 404 for rooms that are there: only the room itself is believed.
    bench.refuse("disco#info", "item-not-found");
    assert_eq!(attribute(bench.sent_with("<presence"), "to"), format!("{ROOM}/alice@example.com"));
    bench.occupant("bob@example.com/jabber_402", "affiliation='member' role='participant'", "");
    bench.let_in("alice@example.com");
    let room = bench.room();
    assert_eq!(room.state, RoomState::Joined);
    let bob = room.occupants.iter().find(|it| !it.me).expect("bob");
    assert_eq!((bob.name.as_str(), &bob.jid), ("bob", &Some(jid("bob@example.com"))));
}

#[test]
fn a_taken_nickname_is_followed_by_our_full_address() {
    let mut bench = bench(true);
    bench.ask_in(None);
    bench.told(&[]);
    let id = attribute(bench.sent_with("<presence"), "id");
    bench.forget();
    bench.receive(&format!(
        "<presence xmlns='jabber:client' type='error' from='{ROOM}/alice@example.com' id='{id}'>\
         <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    ));
    let to = attribute(bench.sent_with("<presence"), "to");
    assert_eq!(to, format!("{ROOM}/alice@example.com/desk"));
}

#[test]
fn replayed_words_have_the_author_whom_the_room_names() {
    let mut bench = bench(true);
    bench.ask_in(None);
    bench.told(&[]);
    bench.let_in("alice@example.com");
    let replayed = |from: &str, jid: &str, mark: &str| {
        format!(
            "<delay xmlns='urn:xmpp:delay' from='{from}' stamp='2026-11-22T11:00:00Z'/>\
             <x xmlns='http://jabber.org/protocol/muc#user'><item jid='{jid}'/></x>{mark}"
        )
    };
    let mark = "<x xmlns='http://www.jabber.com/protocol/muc#history'/>";
    bench.said("bob@example.com", "h1", "one", &replayed(ROOM, "bob@example.com/j", mark));
    bench.said("alice@example.com", "h2", "two", &replayed(ROOM, "alice@example.com/j", mark));
    bench.said("carol@example.com", "h3", "three", &replayed(ROOM, "boss@example.com", ""));
    let got: Vec<_> =
        bench.messages(ROOM).into_iter().map(|it| (it.body, it.more.author, it.own)).collect();
    assert_eq!(
        got,
        [
            ("one".to_owned(), Some(jid("bob@example.com")), false),
            ("two".to_owned(), Some(jid("alice@example.com")), true),
            ("three".to_owned(), None, false),
        ]
    );
}

#[test]
fn invitations_go_out_in_the_vendors_form() {
    let mut bench = bench(true);
    bench.ask_in(None);
    bench.told(&[]);
    bench.let_in("alice@example.com");
    bench.settle();
    bench.forget();
    let wish = RoomWish::Invite { room: room_jid(), who: jid("bob@example.com"), reason: None };
    bench.wish(wish);
    let sent = bench.sent_with("<invite");
    assert!(sent.contains("<reason>Lunch</reason>"), "the topic: {sent}");
    assert!(sent.contains(&format!("<x xmlns='jabber:x:conference' jid='{ROOM}'/>")), "{sent}");
}

#[test]
fn persistent_rooms_need_the_policy() {
    let room = jid("pchatroom12@conference.example.com");
    let mut off = bench(false);
    let wish = |room| RoomWish::Join { room, nick: None, password: None };
    let answer = off.wish(wish(room.clone()));
    assert!(matches!(answer, Some(Err(error)) if error.code == ErrorCode::Refused));
    assert!(bench(true).wish(wish(room)).is_none());
}
