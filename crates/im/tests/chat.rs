//! One-to-one chat.

mod support;

use offhook_model::{Chat, Delivery, NoticeBody};
use offhook_ports::{Loaded, StoreRequest};
use support::{Bench, attribute, jid};

const BOB: &str = "bob@example.com";
const ON_LIST: &str = "<item jid='bob@example.com' name='Bob' subscription='both'/>";

#[test]
fn an_own_message_goes_from_queued_to_read() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let id = bench.say("bob@example.com/desk", "Hello");
    assert_eq!(bench.state(&id), Some(Delivery::Queued));
    let sent = bench.sent_with("<body>Hello</body>");
    assert_eq!(attribute(sent, "id"), id);
    assert_eq!(attribute(sent, "to"), BOB, "the first goes to the bare address");
    for extra in ["urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "<active"] {
        assert!(sent.contains(extra), "{extra} in {sent}");
    }
    bench.acknowledge(&id);
    assert_eq!(bench.state(&id), Some(Delivery::Sent));
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='bob@example.com/desk'>\
         <received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
    ));
    assert_eq!(bench.state(&id), Some(Delivery::Delivered));
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='bob@example.com/desk'>\
         <displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>"
    ));
    assert_eq!(bench.state(&id), Some(Delivery::Read));
    bench.acknowledge(&id);
    assert_eq!(bench.state(&id), Some(Delivery::Read), "never back");
    let states: Vec<Delivery> = bench.stored_states().into_iter().map(|(_, s)| s).collect();
    assert_eq!(states, [Delivery::Sent, Delivery::Delivered, Delivery::Read]);
    let told: Vec<Option<Delivery>> = bench
        .notices
        .iter()
        .filter_map(|notice| match notice {
            NoticeBody::Chat { state, .. } => Some(*state),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 4);
    assert_eq!(told[0], Some(Delivery::Queued));
}

#[test]
fn nobody_else_can_say_that_a_message_arrived_or_came_back() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let id = bench.say(BOB, "Hello");
    bench.acknowledge(&id);
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='eve@example.com/x'>\
         <received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
    ));
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{id}' from='eve@example.com'>\
         <error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    assert_eq!(bench.state(&id), Some(Delivery::Sent));
}

#[test]
fn a_marker_covers_everything_before_it() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let ids: Vec<String> = ["a", "b", "c"].iter().map(|body| bench.say(BOB, body)).collect();
    for id in &ids {
        bench.acknowledge(id);
    }
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='bob@example.com/desk'>\
         <displayed xmlns='urn:xmpp:chat-markers:0' id='{}'/></message>",
        ids[1]
    ));
    let states: Vec<_> = ids.iter().map(|id| bench.state(id)).collect();
    assert_eq!(states, [Some(Delivery::Read), Some(Delivery::Read), Some(Delivery::Sent)]);
}

#[test]
fn a_returned_message_fails_with_a_sentence() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let id = bench.say(BOB, "Hello");
    bench.acknowledge(&id);
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{id}' from='bob@example.com'>\
         <body>Hello</body><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Mailbox full</text></error></message>"
    ));
    let message = &bench.messages(BOB)[0];
    assert_eq!(message.state, Delivery::Failed);
    let error = message.error.as_deref().unwrap_or_default();
    assert!(error.contains("not signed in") && error.contains("Mailbox full"), "{error}");
    assert_eq!(bench.bodies(BOB), ["Hello"], "the echo is no message");

    // Unreadable reasons fail it as well.
    let id = bench.say(BOB, "Again");
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{id}' from='bob@example.com'/>"
    ));
    assert_eq!(bench.state(&id), Some(Delivery::Failed));
}

#[test]
fn a_received_message_is_kept_told_and_counted() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "Hi &amp; hello", "");
    let message = bench.messages(BOB).remove(0);
    assert_eq!(message.body, "Hi & hello");
    assert!(!message.own);
    assert_eq!(message.time, bench.now.wall);
    let chats = bench.im.chats();
    assert_eq!((chats[0].unread, chats[0].name.as_str()), (1, "Bob"));
    assert!(matches!(&bench.stored[..], [StoreRequest::PutMessage(m)] if m.id.0 == "m1"));
    assert!(matches!(&bench.notices[..], [NoticeBody::Chat { state: None, .. }]));
    assert!(bench.sent.is_empty(), "no receipt was asked for");
}

#[test]
fn a_stranger_makes_a_conversation_and_learns_nothing() {
    let mut bench = Bench::online();
    bench.receive(
        "<message xmlns='jabber:client' type='chat' id='s1' from='eve@elsewhere.example/x'>\
         <body>Who are you?</body><request xmlns='urn:xmpp:receipts'/>\
         <markable xmlns='urn:xmpp:chat-markers:0'/></message>",
    );
    assert_eq!(bench.im.chats()[0].name, "eve@elsewhere.example");
    let now = bench.now;
    bench.im.mark_read(&jid("eve@elsewhere.example"), now);
    bench.im.typing(&jid("eve@elsewhere.example"), true, now);
    bench.drain();
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    bench.say("eve@elsewhere.example", "Alice");
    bench.forget();
    bench.receive(
        "<message xmlns='jabber:client' type='chat' id='s2' from='eve@elsewhere.example/x'>\
         <body>Thanks</body><request xmlns='urn:xmpp:receipts'/></message>",
    );
    assert_eq!(attribute(bench.sent_with("urn:xmpp:receipts"), "to"), "eve@elsewhere.example/x");
}

#[test]
fn receipts_and_markers_answer_those_who_ask() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let asks = "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>";
    bench.hear("m1", "one", asks);
    bench.hear("m2", "two", asks);
    let receipts: Vec<String> = bench.sent.clone();
    assert_eq!(receipts.len(), 2);
    assert!(receipts[0].contains("<received") && receipts[0].contains("id='m1'"));
    assert_eq!(attribute(&receipts[0], "to"), "bob@example.com/desk");
    bench.forget();
    let now = bench.now;
    bench.im.mark_read(&jid(BOB), now);
    bench.drain();
    let marker = bench.sent_with("<displayed");
    assert!(marker.contains("id='m2'"), "{marker}");
    assert_eq!(bench.im.chats()[0].unread, 0);
    assert!(matches!(&bench.stored[..], [StoreRequest::MarkRead(with)] if with == &jid(BOB)));
    bench.forget();
    bench.im.mark_read(&jid(BOB), now);
    bench.drain();
    assert!(bench.sent.is_empty() && bench.stored.is_empty(), "once is enough");
}

#[test]
fn copies_are_known_and_clashes_are_not_lost() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "one", "");
    bench.hear("m1", "one", "");
    assert_eq!(bench.bodies(BOB), ["one"]);
    bench.hear("m1", "another", "");
    bench.hear("", "no id", "");
    bench.hear("", "no id", "");
    assert_eq!(bench.bodies(BOB), ["one", "another", "no id", "no id"]);
    let mut ids: Vec<_> = bench.messages(BOB).into_iter().map(|m| m.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(bench.im.chats()[0].unread, 4);
}

#[test]
fn our_words_cannot_be_replaced_by_sending_their_id_back() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let id = bench.say(BOB, "I said no");
    bench.hear(&id, "I said yes", "");
    assert_eq!(bench.bodies(BOB), ["I said no", "I said yes"]);
    let messages = bench.messages(BOB);
    assert!(messages[0].own && messages[0].id.0 == id);
    assert_ne!(messages[1].id.0, id);
}

#[test]
fn delayed_messages_stand_in_their_time_and_never_in_the_future() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("now", "now", "");
    bench.hear(
        "old",
        "this morning",
        "<delay xmlns='urn:xmpp:delay' stamp='2026-11-22T08:00:00Z'/>",
    );
    bench.hear("odd", "tomorrow", "<delay xmlns='urn:xmpp:delay' stamp='2036-11-22T08:00:00Z'/>");
    bench.hear("bad", "never", "<delay xmlns='urn:xmpp:delay' stamp='soon'/>");
    assert_eq!(bench.bodies(BOB), ["this morning", "now", "tomorrow", "never"]);
    assert!(bench.messages(BOB).iter().all(|m| m.time <= bench.now.wall));
}

#[test]
fn carbons_are_taken_from_our_server_only() {
    let copy = |from: &str, kind: &str, inner: &str| {
        format!(
            "<message xmlns='jabber:client' from='{from}' to='alice@example.com/desk'>\
             <{kind} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             {inner}</forwarded></{kind}></message>"
        )
    };
    let from_bob = "<message xmlns='jabber:client' type='chat' id='c1' from='bob@example.com/x' \
                    to='alice@example.com/phone'><body>to my phone</body>\
                    <request xmlns='urn:xmpp:receipts'/></message>";
    let from_us = "<message xmlns='jabber:client' type='chat' id='c2' \
                   from='alice@example.com/phone' to='bob@example.com'>\
                   <body>from my phone</body></message>";
    let mut bench = Bench::with_contacts(ON_LIST);
    for liar in ["mallory@evil.example", "bob@example.com/x", "alice@example.com/phone"] {
        bench.receive(&copy(liar, "received", from_bob));
        bench.receive(&copy(liar, "sent", from_us));
        assert!(bench.bodies(BOB).is_empty(), "{liar}");
    }
    bench.receive(&copy("alice@example.com", "received", from_bob));
    assert_eq!(bench.bodies(BOB), ["to my phone"]);
    assert!(bench.sent.is_empty(), "the phone sends the receipt");
    assert_eq!(bench.im.chats()[0].unread, 1);
    bench.receive(&copy("alice@example.com", "sent", from_us));
    assert_eq!(bench.bodies(BOB), ["to my phone", "from my phone"]);
    let messages = bench.messages(BOB);
    assert!(messages[1].own && messages[1].state == Delivery::Sent);
    assert_eq!(bench.im.chats()[0].unread, 0, "who answers elsewhere has read");
}

#[test]
fn typing_comes_goes_and_wears_off() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "hi", "");
    let state = |bench: &mut Bench, state: &str| {
        bench.receive(&format!(
            "<message xmlns='jabber:client' type='chat' from='bob@example.com/desk'>\
             <{state} xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ));
        bench.im.chats()[0].typing
    };
    assert!(state(&mut bench, "composing"));
    assert!(!state(&mut bench, "paused"));
    assert!(state(&mut bench, "composing"));
    bench.wait(59);
    assert!(bench.im.chats()[0].typing);
    bench.wait(1);
    assert!(!bench.im.chats()[0].typing);
    assert!(state(&mut bench, "composing"));
    bench.hear("m2", "done", "<active xmlns='http://jabber.org/protocol/chatstates'/>");
    assert!(!bench.im.chats()[0].typing);
    assert!(state(&mut bench, "composing"));
    bench.receive(
        "<presence xmlns='jabber:client' type='unavailable' from='bob@example.com/desk'/>",
    );
    assert!(!bench.im.chats()[0].typing);
    assert!(bench.im.next_timeout().is_none());
}

#[test]
fn our_typing_is_told_once_and_ends_by_itself() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let keys = |bench: &mut Bench, typing: bool| {
        let now = bench.now;
        bench.im.typing(&jid(BOB), typing, now);
        bench.drain();
        std::mem::take(&mut bench.sent)
    };
    assert!(keys(&mut bench, true)[0].contains("<composing"));
    bench.wait(20);
    assert!(keys(&mut bench, true).is_empty());
    bench.wait(29);
    assert!(bench.sent.is_empty());
    bench.wait(1);
    assert!(bench.sent_with("<paused").contains("to='bob@example.com'"));
    bench.forget();
    keys(&mut bench, true);
    bench.say(BOB, "done");
    assert!(keys(&mut bench, false).iter().all(|sent| !sent.contains("<paused")));
}

#[test]
fn the_resource_that_wrote_last_is_answered_while_it_is_there() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let mut target = |xml: Option<&str>| {
        if let Some(xml) = xml {
            bench.receive(xml);
        }
        bench.forget();
        let id = bench.say(BOB, "x");
        attribute(bench.sent_with(&id), "to")
    };
    let here = "<presence xmlns='jabber:client' from='bob@example.com/desk'/>";
    let writes = "<message xmlns='jabber:client' type='chat' from='bob@example.com/desk'>\
                  <body>x</body></message>";
    assert_eq!(target(Some(writes)), BOB, "its presence is not known");
    assert_eq!(target(Some(here)), BOB);
    assert_eq!(target(Some(writes)), "bob@example.com/desk");
    assert_eq!(target(None), "bob@example.com/desk");
    assert_eq!(target(Some(here)), BOB, "a change of presence unlocks");
}

#[test]
fn odd_characters_are_left_out_and_bad_addresses_fail() {
    let mut bench = Bench::online();
    bench.say(BOB, "a\u{0}b\u{b}c\r\nd\re\u{ffff}\u{1f600}");
    assert_eq!(bench.bodies(BOB), ["abc\nd\ne\u{1f600}"]);
    let id = bench.say("b\"<>ad@example.com", "x");
    assert_eq!(bench.state(&id), Some(Delivery::Failed));
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn memory_holds_two_hundred_messages_of_a_conversation() {
    let mut bench = Bench::with_contacts(ON_LIST);
    for n in 0..300 {
        bench.wait(1);
        bench.hear(&format!("m{n}"), &format!("{n}"), "");
    }
    let bodies = bench.bodies(BOB);
    assert_eq!(bodies.len(), 200);
    assert_eq!(bodies[0], "100");
    // What is older than memory still finds its way to the store.
    let first = bench.say(BOB, "first");
    bench.acknowledge(&first);
    for n in 0..300 {
        bench.wait(1);
        bench.hear(&format!("n{n}"), "x", "");
    }
    bench.forget();
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='bob@example.com/desk'>\
         <received xmlns='urn:xmpp:receipts' id='{first}'/></message>"
    ));
    assert_eq!(bench.stored_states(), [(first, Delivery::Delivered)]);
}

#[test]
fn an_opened_conversation_shows_what_the_store_has() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "one", "");
    let stored = bench.messages(BOB);
    let mut other = Bench::with_contacts(ON_LIST);
    other.wait(60);
    other.hear("m2", "two", "");
    other.im.open_chat(jid(BOB), stored.clone(), false);
    other.im.open_chat(jid(BOB), stored, false);
    assert_eq!(other.bodies(BOB), ["one", "two"]);
    other.hear("m1", "one", "");
    assert_eq!(other.bodies(BOB), ["one", "two"], "a copy of a stored message is known");
    other.im.open_chat(jid("carol@example.com"), Vec::new(), false);
    assert_eq!(other.im.chats().len(), 1, "an empty conversation is not listed");
}

#[test]
fn what_came_before_the_store_was_read_is_added_to_it() {
    let mut before = Bench::with_contacts("");
    before.hear("m1", "yesterday", "");
    before.wait(1);
    before.receive(
        "<message xmlns='jabber:client' type='chat' id='m2' from='carol@example.com/x'>\
         <body>later</body></message>",
    );
    let stored: Vec<Chat> = before.im.chats().iter().map(|chat| chat.as_ref().clone()).collect();
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.wait(3_600);
    bench.hear("m3", "today", "");
    bench.im.loaded(Loaded { chats: stored, ..Loaded::default() });
    let rows: Vec<(String, String, u32)> = bench
        .im
        .chats()
        .iter()
        .map(|chat| {
            let last = chat.last.as_ref().map(|last| last.body.clone());
            (chat.name.clone(), last.unwrap_or_default(), chat.unread)
        })
        .collect();
    let want = [("Bob", "today", 2), ("carol@example.com", "later", 1)];
    assert_eq!(rows, want.map(|(name, last, unread)| (name.into(), last.into(), unread)));
}

#[test]
fn conversations_are_listed_newest_first() {
    let mut bench = Bench::online();
    for (id, who) in [("1", "bob"), ("2", "carol"), ("3", "bob"), ("4", "dave")] {
        bench.wait(1);
        bench.receive(&format!(
            "<message xmlns='jabber:client' type='chat' id='{id}' from='{who}@example.com/x'>\
             <body>x</body></message>"
        ));
    }
    let names: Vec<_> = bench.im.chats().iter().map(|c| c.with.to_string()).collect();
    assert_eq!(names, ["dave@example.com", "bob@example.com", "carol@example.com"]);
}

#[test]
fn rooms_headlines_and_empty_messages_are_passed_over() {
    let mut bench = Bench::online();
    for xml in [
        "<message xmlns='jabber:client' type='groupchat' from='room@c.example.com/bob'><body>x</body></message>",
        "<message xmlns='jabber:client' type='headline' from='example.com'><body>x</body></message>",
        "<message xmlns='jabber:client' type='chat' from='bob@example.com/x'><body/></message>",
        "<message xmlns='jabber:client' type='chat'><body>from nobody</body></message>",
    ] {
        bench.receive(xml);
        assert!(bench.im.chats().is_empty(), "{xml}");
    }
}
