//! The contact list and presence.

mod support;

use offhook_model::{Availability, NoticeBody, Subscription};
use support::{Bench, ME, attribute, jid};

const BOB: &str = "<item jid='bob@example.com' name='Bob' subscription='both'>\
                   <group>Team</group></item>";

fn presence(of: &Bench, who: &str) -> Option<(Availability, Option<String>)> {
    let contacts = of.im.contacts();
    let contact = contacts.iter().find(|c| c.contact == jid(who))?;
    Some((contact.presence.availability, contact.presence.note.clone()))
}

fn push(from: &str, item: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='set' id='p1'{from}>\
         <query xmlns='jabber:iq:roster'>{item}</query></iq>"
    )
}

#[test]
fn a_new_connection_asks_for_the_list_and_shows_itself() {
    let mut bench = Bench::offline();
    bench.connect();
    let kinds: Vec<bool> = ["jabber:iq:roster", "urn:xmpp:carbons:2", "<presence"]
        .iter()
        .zip(&bench.sent)
        .map(|(want, sent)| sent.contains(want))
        .collect();
    assert_eq!(kinds, [true, true, true], "{:?}", bench.sent);
    let presence = bench.sent_with("<presence");
    assert!(presence.contains("http://jabber.org/protocol/caps"));
    assert!(presence.contains("<priority>5</priority>"));
    assert_eq!(bench.im.own_presence().availability, Availability::Available);

    bench.disconnect();
    assert_eq!(bench.im.own_presence().availability, Availability::Offline);
}

#[test]
fn an_item_that_cannot_be_read_does_not_cost_the_list() {
    let bench = Bench::with_contacts(
        "<item jid='bad@@example.com' name='Bad'/><item name='Nobody'/><odd xmlns='odd'/>\
         <item jid='gone@example.com' subscription='remove'/>\
         <item jid='Carol@Example.com' name=' ' subscription='to' ask='subscribe' more='1'/>\
         <item jid='bob@example.com/x' subscription='both'/>\
         <item jid='dora@example.com' name='Dora' subscription='odd'>\
         <group>A</group><x xmlns='x'/><group>B</group></item>",
    );
    let list = bench.im.contacts();
    let seen: Vec<_> = list
        .iter()
        .map(|it| (it.contact.to_string(), it.name.as_str(), it.subscription, it.groups.concat()))
        .collect();
    let carol = "carol@example.com";
    assert_eq!(
        seen,
        [
            (carol.to_owned(), carol, Subscription::To, String::new()),
            ("dora@example.com".to_owned(), "Dora", Subscription::None, "AB".to_owned()),
        ]
    );
}

#[test]
fn the_list_arrives_once_and_only_as_the_answer() {
    let mut bench = Bench::offline();
    bench.connect();
    let id = attribute(bench.sent_with("jabber:iq:roster"), "id");
    let answer = |id: &str, from: &str| {
        format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'{from}>\
             <query xmlns='jabber:iq:roster'>{BOB}</query></iq>"
        )
    };
    bench.receive(&answer("guess", ""));
    bench.receive(&answer(&id, " from='mallory@evil.example'"));
    assert!(bench.im.contacts().is_empty());
    bench.receive(&answer(&id, " from='alice@example.com'"));
    let contacts = bench.im.contacts();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].groups, ["Team"]);
    assert_eq!(contacts[0].subscription, Subscription::Both);
}

#[test]
fn a_push_is_taken_from_our_server_only() {
    let item = "<item jid='eve@example.com' subscription='both'/>";
    let mut bench = Bench::with_contacts(BOB);
    for from in [
        " from='mallory@evil.example'",
        " from='bob@example.com/desk'",
        " from='alice@evil.example'",
    ] {
        bench.receive(&push(from, item));
        assert_eq!(bench.im.contacts().len(), 1, "{from}");
        assert!(bench.sent_with("service-unavailable").contains("type='error'"));
        bench.forget();
    }
    for from in ["", " from='alice@example.com'", " from='example.com'"] {
        let mut bench = Bench::with_contacts(BOB);
        bench.receive(&push(from, item));
        assert_eq!(bench.im.contacts().len(), 2, "{from}");
        assert!(bench.sent_with("p1").contains("type='result'"));
    }
}

#[test]
fn a_push_changes_and_removes() {
    let mut bench = Bench::with_contacts(BOB);
    bench.receive(&push("", "<item jid='bob@example.com' name='Robert' subscription='to'/>"));
    assert_eq!(bench.im.contacts()[0].name, "Robert");
    assert_eq!(bench.im.contacts()[0].subscription, Subscription::To);
    bench.receive(&push("", "<item jid='bob@example.com' subscription='remove'/>"));
    assert!(bench.im.contacts().is_empty());
    let removed = NoticeBody::Roster { item: None, removed: Some(jid("bob@example.com")) };
    assert!(bench.notices.contains(&removed));
}

#[test]
fn adding_asks_to_see_and_renaming_does_not() {
    let mut bench = Bench::with_contacts(BOB);
    let now = bench.now;
    assert!(bench.im.roster_add(jid("carol@example.com"), Some("Carol".into()), None, now));
    bench.drain();
    let item = bench.sent_with("jabber:iq:roster");
    assert!(item.contains("jid='carol@example.com'") && item.contains("name='Carol'"));
    assert!(bench.sent_with("type='subscribe'").contains("to='carol@example.com'"));

    bench.forget();
    bench.im.roster_add(jid("bob@example.com"), Some("Bobby".into()), None, now);
    bench.drain();
    assert_eq!(bench.sent.len(), 1);
    let item = bench.sent_with("jabber:iq:roster");
    assert!(item.contains("name='Bobby'") && item.contains("<group>Team</group>"));

    bench.forget();
    bench.im.roster_remove(&jid("bob@example.com"), now);
    bench.drain();
    assert!(bench.sent_with("jabber:iq:roster").contains("subscription='remove'"));
    assert_eq!(bench.im.contacts().len(), 1, "until the server says so");
}

#[test]
fn without_a_connection_the_list_cannot_be_changed() {
    let mut bench = Bench::offline();
    let now = bench.now;
    assert!(!bench.im.roster_add(jid("bob@example.com"), None, None, now));
    assert!(!bench.im.roster_remove(&jid("bob@example.com"), now));
    assert!(!bench.im.roster_answer(&jid("bob@example.com"), true, now));
    bench.drain();
    assert!(bench.sent.is_empty());
}

#[test]
fn a_request_waits_for_our_answer() {
    let mut bench = Bench::online();
    let now = bench.now;
    let ask = "<presence xmlns='jabber:client' type='subscribe' from='bob@example.com'/>";
    bench.receive(ask);
    assert!(bench.im.contacts()[0].wants_us);
    assert!(bench.sent.is_empty());
    bench.im.roster_answer(&jid("bob@example.com"), false, now);
    bench.drain();
    assert!(bench.sent_with("type='unsubscribed'").contains("to='bob@example.com'"));
    assert!(bench.im.contacts().is_empty());

    bench.receive(ask);
    bench.forget();
    bench.im.roster_answer(&jid("bob@example.com"), true, now);
    bench.drain();
    assert!(bench.sent_with("type='subscribed'").contains("to='bob@example.com'"));
}

#[test]
fn whoever_is_added_is_let_in() {
    let mut bench = Bench::online();
    let now = bench.now;
    bench.receive("<presence xmlns='jabber:client' type='subscribe' from='bob@example.com'/>");
    bench.forget();
    bench.im.roster_add(jid("bob@example.com"), None, None, now);
    bench.drain();
    assert!(bench.sent_with("type='subscribed'").contains("to='bob@example.com'"));
    assert!(bench.sent_with("type='subscribe'").contains("to='bob@example.com'"));
}

#[test]
fn who_sees_us_already_is_answered_at_once() {
    let mut bench = Bench::with_contacts(BOB);
    bench.receive("<presence xmlns='jabber:client' type='subscribe' from='bob@example.com'/>");
    assert!(bench.sent_with("type='subscribed'").contains("to='bob@example.com'"));
    assert!(!bench.im.contacts()[0].wants_us);
}

#[test]
fn presence_is_read_with_its_note_and_merged() {
    let mut bench = Bench::with_contacts(BOB);
    let mut check = |xml: &str, want: Availability, note: Option<&str>| {
        bench.receive(xml);
        let want = Some((want, note.map(str::to_owned)));
        assert_eq!(presence(&bench, "bob@example.com"), want, "{xml}");
    };
    check(
        "<presence xmlns='jabber:client' from='bob@example.com/desk'><priority>3</priority></presence>",
        Availability::Available,
        None,
    );
    check(
        "<presence xmlns='jabber:client' from='bob@example.com/desk'><show>dnd</show>\
         <status xml:lang='en'> Out for lunch </status><priority>3</priority></presence>",
        Availability::Dnd,
        Some("Out for lunch"),
    );
    check(
        "<presence xmlns='jabber:client' from='bob@example.com/phone'><show>xa</show></presence>",
        Availability::Dnd,
        Some("Out for lunch"),
    );
    check(
        "<presence xmlns='jabber:client' from='bob@example.com/desk' type='unavailable'/>",
        Availability::Away,
        None,
    );
    check(
        "<presence xmlns='jabber:client' from='bob@example.com/phone' type='unavailable'>\
         <status>Gone home</status></presence>",
        Availability::Offline,
        Some("Gone home"),
    );
    // The longer way to say nothing: a stranger.
    bench.receive("<presence xmlns='jabber:client' from='eve@example.com/x'/>");
    assert_eq!(bench.im.contacts().len(), 1);
}

#[test]
fn since_is_told_where_it_is_known() {
    let mut bench = Bench::with_contacts(BOB);
    bench.receive("<presence xmlns='jabber:client' from='bob@example.com/desk'/>");
    assert_eq!(bench.im.contacts()[0].since, None, "it was so before we came");
    bench.wait(60);
    bench.receive(
        "<presence xmlns='jabber:client' from='bob@example.com/desk'><show>away</show></presence>",
    );
    assert_eq!(bench.im.contacts()[0].since, Some(bench.now.wall));
    bench.receive(
        "<presence xmlns='jabber:client' from='bob@example.com/desk'><show>dnd</show>\
         <delay xmlns='urn:xmpp:delay' stamp='2026-11-22T09:00:00Z'/></presence>",
    );
    let since = bench.im.contacts()[0].since.map(|since| since.to_string());
    assert_eq!(since.as_deref(), Some("2026-11-22T09:00:00.000Z"));
}

#[test]
fn own_presence_goes_out_with_its_note() {
    let mut bench = Bench::with_contacts(BOB);
    bench.receive("<presence xmlns='jabber:client' from='bob@example.com/desk'/>");
    let now = bench.now;
    bench.forget();
    bench.im.set_presence(Availability::Away, Some("Lunch\u{b} & more".into()), now);
    bench.drain();
    let sent = bench.sent_with("<presence");
    assert!(sent.contains("<show>away</show>"), "{sent}");
    assert!(sent.contains("<status>Lunch &amp; more</status>"), "{sent}");
    assert!(matches!(
        &bench.notices[..],
        [NoticeBody::Presence { contact, availability: Availability::Away, .. }]
            if contact == &jid(ME)
    ));

    bench.forget();
    bench.im.set_presence(Availability::Offline, None, now);
    bench.drain();
    assert!(bench.sent_with("<presence").contains("type='unavailable'"));
    assert_eq!(
        presence(&bench, "bob@example.com"),
        Some((Availability::Offline, None)),
        "who hides sees nobody"
    );
}

#[test]
fn a_choice_made_offline_is_shown_at_the_next_connection() {
    let mut bench = Bench::offline();
    let now = bench.now;
    bench.im.set_presence(Availability::Dnd, None, now);
    assert_eq!(bench.im.own_presence().availability, Availability::Offline);
    bench.connect();
    assert!(bench.sent_with("<presence").contains("<show>dnd</show>"));
    assert_eq!(bench.im.own_presence().availability, Availability::Dnd);
}

#[test]
fn a_lost_connection_makes_everybody_offline() {
    let mut bench = Bench::with_contacts(BOB);
    bench.receive("<presence xmlns='jabber:client' from='bob@example.com/desk'/>");
    bench.disconnect();
    assert_eq!(presence(&bench, "bob@example.com"), Some((Availability::Offline, None)));
    assert_eq!(bench.im.contacts().len(), 1, "the list stays");
}

#[test]
fn questions_are_answered_or_refused() {
    let mut bench = Bench::online();
    let mut check = |payload: &str, want: &[&str]| {
        bench.receive(&format!(
            "<iq xmlns='jabber:client' type='get' id='q' from='bob@example.com/x'>{payload}</iq>"
        ));
        let answer = bench.sent_with("id='q'").to_owned();
        assert!(answer.contains("to='bob@example.com/x'"));
        for want in want {
            assert!(answer.contains(want), "{want} in {answer}");
        }
        bench.forget();
    };
    check("<ping xmlns='urn:xmpp:ping'/>", &["type='result'"]);
    check("<query xmlns='jabber:iq:version'/>", &["<name>Offhook</name>", "<version>"]);
    check(
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        &["category='client'", "urn:xmpp:receipts", "urn:xmpp:chat-markers:0"],
    );
    check(
        "<query xmlns='http://jabber.org/protocol/disco#info' node='other'/>",
        &["item-not-found"],
    );
    check("<query xmlns='jabber:iq:last'/>", &["service-unavailable"]);
}

#[test]
fn the_fingerprint_in_our_presence_is_that_of_our_answer() {
    let mut bench = Bench::offline();
    bench.connect();
    let presence = bench.sent_with("<presence").to_owned();
    let node = attribute(&presence, "node").replace("&amp;", "&");
    let fingerprint = attribute(&presence, "ver");
    bench.forget();
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='q' from='bob@example.com/x'>\
         <query xmlns='http://jabber.org/protocol/disco#info' node='{}#{fingerprint}'/></iq>",
        node.replace('&', "&amp;")
    ));
    assert!(bench.sent_with("id='q'").contains("type='result'"));
    assert!(node.contains("v=") && node.contains("p=Offhook"));
}
