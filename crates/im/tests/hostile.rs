//! What liars send: nothing of it is shown as somebody else's words, and the connection stays.

mod support;

use offhook_model::{Delivery, NoticeBody};
use offhook_ports::StoreRequest;
use proptest::prelude::*;
use support::{Bench, jid};

const BOB: &str = "bob@example.com";
const EVE: &str = "eve@example.com";
const ON_LIST: &str = "<item jid='bob@example.com' name='Bob' subscription='both'/>\
                       <item jid='eve@example.com' name='Eve' subscription='both'/>";

fn from(bench: &mut Bench, who: &str, id: &str, inner: &str) {
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='chat' id='{id}' from='{who}/x' \
         to='alice@example.com/desk'>{inner}</message>"
    ));
}

fn told(bench: &Bench) -> usize {
    bench.notices.iter().filter(|n| matches!(n, NoticeBody::Diagnostic { .. })).count()
}

/// Stanzas that mean to change the message `id`.
fn changes(id: &str) -> [String; 4] {
    [
        format!("<body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>"),
        format!("<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/><body>forged</body>"),
        format!(
            "<apply-to xmlns='urn:xmpp:fasten:0' id='{id}'>\
             <retract xmlns='urn:xmpp:message-retract:0'/></apply-to>"
        ),
        format!(
            "<body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/><retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>"
        ),
    ]
}

#[test]
fn nobody_changes_what_another_one_wrote() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "by bob", "");
    let ours = bench.say(BOB, "by us");
    bench.forget();
    for (n, change) in changes(&ours).into_iter().enumerate() {
        from(&mut bench, BOB, &format!("x{n}"), &change);
    }
    // Other people have another conversation; what it does not have cannot be changed.
    for (n, change) in changes("m1").into_iter().chain(changes(&ours)).enumerate() {
        from(&mut bench, EVE, &format!("y{n}"), &change);
    }
    assert_eq!(bench.bodies(BOB), ["by bob", "by us"]);
    assert!(bench.messages(BOB).iter().all(|m| !m.more.edited && m.more.retracted.is_none()));
    assert_eq!(bench.im.forgeries(), 4);
    assert_eq!(told(&bench), 1, "told once");
    for message in bench.messages(EVE) {
        assert!(!message.own && message.from == jid(EVE), "{message:?}");
    }
    // What the store is asked names the one who asked, and the store judges by that.
    for request in &bench.stored {
        if let StoreRequest::Amend { with, .. } = request {
            assert_eq!(with, &jid(EVE));
        }
    }
}

#[test]
fn a_carbon_of_anybody_else_is_no_carbon() {
    let inner = "<message xmlns='jabber:client' type='chat' id='f1' from='bob@example.com/x' \
                 to='alice@example.com/phone'><body>forged</body></message>";
    let ours = "<message xmlns='jabber:client' type='chat' id='f2' from='alice@example.com/phone' \
                to='bob@example.com'><body>forged</body></message>";
    let wrap = |kind: &str, inner: &str| {
        format!(
            "<{kind} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}\
             </forwarded></{kind}>"
        )
    };
    let mut bench = Bench::with_contacts(ON_LIST);
    let liars = [
        "eve@example.com/x",
        "eve@example.com",
        "bob@example.com/desk",
        "example.com",
        "alice@example.com/phone",
        "alice@example.com.evil.example",
        "ALICE@evil.example",
    ];
    for liar in liars {
        for wrapped in [wrap("received", inner), wrap("sent", ours)] {
            bench.receive(&format!(
                "<message xmlns='jabber:client' from='{liar}'>{wrapped}</message>"
            ));
            bench.receive(&format!(
                "<message xmlns='jabber:client' from='{liar}' type='chat'><body>see</body>{wrapped}</message>"
            ));
        }
    }
    assert!(bench.im.chats().is_empty());
    assert!(bench.im.forgeries() >= 14);

    // One wrapped in another: the outer is our server's, and only its own words count.
    let nested = "<message xmlns='jabber:client' type='chat' id='f3' from='eve@example.com/x' \
                  to='alice@example.com/phone'><body>look</body>"
        .to_owned()
        + &wrap("received", inner)
        + &wrap("sent", ours)
        + "</message>";
    let outer = wrap("received", &nested);
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='alice@example.com'>{outer}</message>"
    ));
    assert!(bench.messages(BOB).is_empty());
    assert_eq!(bench.bodies(EVE), ["look"]);
    // A message of ours that another one claims to have sent.
    let other = ours.replace("alice@example.com/phone", "eve@example.com/x");
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='alice@example.com'>{}</message>",
        wrap("sent", &other)
    ));
    assert!(bench.messages(BOB).is_empty());
    // Forwarded without a carbon is nothing at all.
    from(
        &mut bench,
        EVE,
        "f9",
        &format!("<forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>"),
    );
    assert!(bench.messages(BOB).is_empty());
}

#[test]
fn an_id_used_by_two_belongs_to_each() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("same", "by bob", "");
    from(&mut bench, EVE, "same", "<body>by eve</body>");
    assert_eq!(bench.bodies(BOB), ["by bob"]);
    assert_eq!(bench.bodies(EVE), ["by eve"]);
    // Bob uses the id of a message of ours, and corrects what he wrote under it.
    let ours = bench.say(BOB, "by us");
    bench.hear(&ours, "I am you", "");
    bench.hear(
        "c1",
        "I am bob",
        &format!("<replace xmlns='urn:xmpp:message-correct:0' id='{ours}'/>"),
    );
    assert_eq!(bench.bodies(BOB), ["by bob", "by us", "I am bob"]);
    let messages = bench.messages(BOB);
    assert!(messages[1].own && !messages[1].more.edited);
    assert!(!messages[2].own && messages[2].more.edited);
    // An origin id is the sender's word as well.
    bench.hear("other", "once more", &format!("<origin-id xmlns='urn:xmpp:sid:0' id='{ours}'/>"));
    assert_eq!(bench.bodies(BOB).len(), 4);
    assert_eq!(bench.state(&ours), Some(Delivery::Queued));
}

#[test]
fn ids_of_archives_count_only_from_an_archive() {
    let stamped = "<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.com' id='a1'/>\
                   <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.com' id='b1'/>";
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "hi", stamped);
    assert_eq!(bench.messages(BOB)[0].more.archive_id, None, "our server sets none");

    let mut bench = Bench::offline();
    bench.connect();
    let question = bench
        .sent
        .iter()
        .find(|s| s.contains("disco#info") && s.contains("to='alice@example.com'"));
    let id = support::attribute(question.expect("our account is asked"), "id");
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='alice@example.com'>\
         <query xmlns='http://jabber.org/protocol/disco#info'>\
         <identity category='account' type='registered'/><feature var='urn:xmpp:mam:2'/></query></iq>"
    ));
    bench.hear("m1", "hi", stamped);
    assert_eq!(bench.messages(BOB)[0].more.archive_id.as_deref(), Some("a1"));
    bench.hear("m2", "ho", "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.com' id='b2'/>");
    assert_eq!(bench.messages(BOB)[1].more.archive_id, None);
    // The same archive id is the same message, whatever else it claims to be.
    bench.hear("m3", "hi again", stamped);
    assert_eq!(bench.bodies(BOB), ["hi", "ho"]);
}

#[test]
fn huge_and_odd_texts_are_bounded_and_harmless() {
    let mut bench = Bench::with_contacts(ON_LIST);
    let huge = "ä".repeat(70_000);
    bench.hear("m1", &huge, "");
    let message = &bench.messages(BOB)[0];
    assert_eq!(message.body.chars().count(), 65_536);
    assert!(message.error.as_deref().is_some_and(|e| e.contains("65,536")));
    bench.hear("m2", "a\u{202e}live\u{202c}\u{85}\u{2066}b", "");
    assert_eq!(bench.bodies(BOB)[1], "alive\u{2066}b\u{2069}");
    bench.hear("m3", "\u{202e}\u{7f}", "");
    assert_eq!(bench.bodies(BOB).len(), 2, "nothing is left of it");
    let rich = format!(
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>{}</body></html>",
        "<p>x</p>".repeat(9_000)
    );
    let xml = format!(
        "<message xmlns='jabber:client' type='chat' id='m4' from='bob@example.com/desk'><body>x</body>{rich}</message>"
    );
    let element: xmpp_parsers::minidom::Element = xml.parse().expect("XML");
    let wire = xmpp_parsers::message::Message::try_from(element).expect("a message");
    let now = bench.now;
    bench.im.receive(offhook_im::Stanza::Message(wire), now);
    assert_eq!(bench.messages(BOB)[2].more.html, None);
}

#[test]
fn reactions_are_bounded_for_each_message() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.hear("m1", "hi", "");
    let all: String = (0x1f600..0x1f650_u32)
        .filter_map(char::from_u32)
        .map(|c| format!("<reaction>{c}</reaction>"))
        .collect();
    from(
        &mut bench,
        BOB,
        "r1",
        &format!("<reactions xmlns='urn:xmpp:reactions:0' id='m1'>{}</reactions>", &all[..2_000]),
    );
    assert!(bench.messages(BOB)[0].more.reactions.len() <= 20);
}

/// What somebody may send into the conversation.
#[derive(Clone, Debug)]
enum Move {
    Say(u8, bool),
    Replace(u8, u8, bool),
    Retract(u8, u8, bool),
    React(u8, u8, bool),
}

fn moves() -> impl Strategy<Value = Move> {
    let ids = || 0..6_u8;
    prop_oneof![
        (ids(), any::<bool>()).prop_map(|(id, own)| Move::Say(id, own)),
        (ids(), ids(), any::<bool>()).prop_map(|(id, of, own)| Move::Replace(id, of, own)),
        (ids(), ids(), any::<bool>()).prop_map(|(id, of, own)| Move::Retract(id, of, own)),
        (ids(), ids(), any::<bool>()).prop_map(|(id, of, own)| Move::React(id, of, own)),
    ]
}

fn play(bench: &mut Bench, step: &Move) {
    let (id, own, inner) = match step {
        Move::Say(id, own) => (id, own, format!("<body>{}</body>", words(*own))),
        Move::Replace(id, of, own) => (
            id,
            own,
            format!(
                "<body>{}</body><replace xmlns='urn:xmpp:message-correct:0' id='i{of}'/>",
                words(*own)
            ),
        ),
        Move::Retract(id, of, own) => {
            (id, own, format!("<retract xmlns='urn:xmpp:message-retract:1' id='i{of}'/>"))
        }
        Move::React(id, of, own) => (
            id,
            own,
            format!(
                "<reactions xmlns='urn:xmpp:reactions:0' id='i{of}'><reaction>👍</reaction></reactions>"
            ),
        ),
    };
    if *own {
        bench.receive(&format!(
            "<message xmlns='jabber:client' from='alice@example.com'><sent xmlns='urn:xmpp:carbons:2'>\
             <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' id='i{id}' \
             from='alice@example.com/phone' to='bob@example.com'>{inner}</message></forwarded></sent></message>"
        ));
    } else {
        from(bench, BOB, &format!("i{id}"), &inner);
    }
}

fn words(own: bool) -> &'static str {
    if own { "ours" } else { "theirs" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is sent with whichever ids: each message says what its own writer said, or nothing.
    #[test]
    fn words_stay_with_their_writer(steps in proptest::collection::vec(moves(), 0..40)) {
        let mut bench = Bench::with_contacts(ON_LIST);
        for step in &steps {
            play(&mut bench, step);
        }
        for message in bench.messages(BOB) {
            prop_assert!(message.body.is_empty() || message.body == words(message.own));
            prop_assert_eq!(message.own, message.from == jid("alice@example.com"));
            if let Some(retraction) = &message.more.retracted {
                prop_assert_eq!(&retraction.by, &message.from);
            }
            for reaction in &message.more.reactions {
                prop_assert!(!reaction.from.is_empty() && reaction.from.len() <= 2);
            }
        }
        let mut ids: Vec<_> = bench.messages(BOB).into_iter().map(|m| m.id).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
    }
}

#[test]
fn what_only_servers_and_archives_may_say_is_refused_to_others() {
    let mut bench = Bench::with_contacts(ON_LIST);
    bench.forget();
    let stranger = "mallory@evil.example/x";
    let pushes = [
        "<query xmlns='jabber:iq:roster'><item jid='mallory@evil.example' subscription='both'/></query>",
        "<block xmlns='urn:xmpp:blocking'><item jid='bob@example.com'/></block>",
    ];
    for (n, push) in pushes.iter().enumerate() {
        for from in
            [stranger, "mallory@evil.example", "bob@example.com/x", "alice@example.com/phone"]
        {
            bench.receive(&format!(
                "<iq xmlns='jabber:client' type='set' id='p{n}' from='{from}'>{push}</iq>"
            ));
        }
    }
    assert_eq!(told(&bench), 1, "told once");
    assert!(bench.im.contacts().iter().all(|it| it.contact.domain() == "example.com"));
    assert!(bench.im.contacts().iter().all(|it| !it.blocked));

    let written = "<message xmlns='jabber:client' type='chat' id='m1' from='bob@example.com/x' \
                   to='alice@example.com'><body>forged</body></message>";
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='{stranger}'><result xmlns='urn:xmpp:mam:2' id='a1' \
         queryid='q1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' \
         stamp='2026-01-01T00:00:00Z'/>{written}</forwarded></result></message>"
    ));
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='{stranger}' type='headline'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:bookmarks:1'>\
         <item id='trap@rooms.evil.example'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='1'/>\
         </item></items></event></message>"
    ));
    assert_eq!(told(&bench), 3);
    assert_eq!(bench.im.forgeries(), 10);
    assert!(bench.im.chats().is_empty() && bench.im.rooms().is_empty());
    // Nothing of what they said, nor who they are, is in the notes.
    for notice in &bench.notices {
        let text = format!("{notice:?}");
        assert!(!text.contains("forged") && !text.contains("evil"), "{text}");
    }
}
