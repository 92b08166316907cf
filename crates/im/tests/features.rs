//! Messages that are more than text, and changes of messages, both ways.

mod support;

use offhook_im::Unfit;
use offhook_model::{
    Alerts, ChatSettings, Delivery, Message, MessageId, NoticeBody, Protection, Timestamp,
};
use offhook_ports::{Amendment, Loaded, StoreRequest};
use support::{Bench, attribute, jid};

const BOB: &str = "bob@example.com";
const ON_LIST: &str = "<item jid='bob@example.com' name='Bob' subscription='both'/>";

fn bench() -> Bench {
    Bench::with_contacts(ON_LIST)
}

fn id(text: &str) -> MessageId {
    MessageId(text.to_owned())
}

fn message(bench: &Bench, id: &str) -> Message {
    let found = bench.messages(BOB).into_iter().find(|m| m.id.0 == id);
    found.unwrap_or_else(|| panic!("{id} in {:?}", bench.messages(BOB)))
}

/// A stanza of bob without text.
fn payload(bench: &mut Bench, wire_id: &str, inner: &str) {
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='chat' id='{wire_id}' from='bob@example.com/desk' \
         to='alice@example.com/desk'>{inner}</message>"
    ));
}

#[test]
fn an_answer_names_and_quotes_what_it_answers() {
    let mut bench = bench();
    bench.hear("m1", "Lunch?\nAt noon.", "");
    let now = bench.now;
    let answer = bench.im.reply(&jid(BOB), &id("m1"), "Yes".into(), now).expect("fit");
    bench.drain();
    let sent = bench.sent_with("<body");
    assert!(sent.contains("&gt; Lunch?\n&gt; At noon.\nYes"), "{sent}");
    assert!(
        sent.contains("<reply xmlns='urn:xmpp:reply:0' id='m1' to='bob@example.com'/>"),
        "{sent}"
    );
    assert!(sent.contains("start='0'") && sent.contains("end='20'"), "{sent}");
    assert!(
        sent.contains(&format!("<origin-id xmlns='urn:xmpp:sid:0' id='{}'", answer.0)),
        "{sent}"
    );
    let shown = message(&bench, &answer.0);
    assert_eq!(shown.body, "Yes");
    assert_eq!(shown.more.reply_to.map(|r| r.id), Some(id("m1")));
    assert_eq!(bench.im.reply(&jid(BOB), &id("no"), "x".into(), now), Err(Unfit::NoSuchMessage));
    assert_eq!(bench.im.reply(&jid(BOB), &id("m1"), " ".into(), now), Err(Unfit::Empty));
}

#[test]
fn an_answer_of_theirs_loses_its_quotation() {
    let mut bench = bench();
    let ours = bench.say(BOB, "Lunch?");
    bench.hear(
        "m1",
        "&gt; Lunch?\nJa \u{1f600}",
        &format!(
            "<reply xmlns='urn:xmpp:reply:0' id='{ours}' to='{}'/>\
             <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>\
             <body start='0' end='9'/></fallback>",
            support::ME
        ),
    );
    let shown = message(&bench, "m1");
    assert_eq!(shown.body, "Ja \u{1f600}");
    assert_eq!(shown.more.reply_to.map(|r| r.id.0), Some(ours));
    // Bounds that make no sense cut nothing but what is there.
    for (n, bounds) in
        ["start='5' end='2'", "start='-1' end='x'", "start='99999999999999999999'", "start='4'"]
            .into_iter()
            .enumerate()
    {
        bench.hear(
            &format!("odd{n}"),
            "abcdef",
            &format!(
                "<reply xmlns='urn:xmpp:reply:0' id='m1'/>\
                 <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body {bounds}/></fallback>"
            ),
        );
    }
    let bodies: Vec<String> = (0..4).map(|n| message(&bench, &format!("odd{n}")).body).collect();
    assert_eq!(bodies, ["abcdef", "abcdef", "abcdef", "abcd"]);
}

#[test]
fn an_own_message_is_corrected_after_it_was_sent() {
    let mut bench = bench();
    let first = bench.say(BOB, "Helo");
    bench.acknowledge(&first);
    bench.forget();
    let now = bench.now;
    bench.im.correct(&jid(BOB), &id(&first), "Hello".into(), now).expect("fit");
    bench.drain();
    let sent = bench.sent_with("<body>Hello</body>").to_owned();
    assert!(sent.contains(&format!("<replace xmlns='urn:xmpp:message-correct:0' id='{first}'/>")));
    let change = attribute(&sent, "id");
    assert_ne!(change, first);
    let shown = message(&bench, &first);
    assert!(shown.more.edited && shown.body == "Hello" && shown.state == Delivery::Sent);
    assert!(
        bench
            .notices
            .iter()
            .any(|n| matches!(n, NoticeBody::Message { message } if message.body == "Hello"))
    );
    // Until the server has it, it is kept, and sent again.
    let kept = |bench: &Bench, want: bool| {
        bench.stored.iter().any(|request| {
            matches!(request, StoreRequest::PutValue(key, value)
                if *key == format!("change:{change}") && value.is_some() == want)
        })
    };
    assert!(kept(&bench, true));
    bench.disconnect();
    bench.forget();
    bench.connect_without_archive();
    assert_eq!(attribute(bench.sent_with("<replace"), "id"), change);
    bench.acknowledge(&change);
    assert!(kept(&bench, false));
    // Their marker for the correction is one for the message.
    payload(
        &mut bench,
        "k",
        &format!("<displayed xmlns='urn:xmpp:chat-markers:0' id='{change}'/>"),
    );
    assert_eq!(bench.state(&first), Some(Delivery::Read));
    assert_eq!(bench.bodies(BOB), ["Hello"]);
}

#[test]
fn what_nobody_heard_yet_is_changed_in_the_outbox() {
    let mut bench = Bench::offline();
    let (first, second) = (bench.say(BOB, "Helo"), bench.say(BOB, "secret"));
    let now = bench.now;
    bench.im.correct(&jid(BOB), &id(&first), "Hello".into(), now).expect("fit");
    bench.im.retract(&jid(BOB), &id(&second), now).expect("fit");
    bench.drain();
    assert!(!message(&bench, &first).more.edited);
    bench.connect();
    assert!(bench.sent_with("<body").contains("<body>Hello</body>"));
    assert!(bench.sent.iter().all(|s| !s.contains("secret") && !s.contains("replace")));
    assert!(message(&bench, &second).more.retracted.is_some());
    assert_eq!(bench.state(&second), Some(Delivery::Failed));
}

#[test]
fn changes_made_offline_survive_a_restart_behind_their_message() {
    let mut before = Bench::session(1);
    before.connect();
    let sent = before.say(BOB, "Helo");
    before.disconnect();
    before.wait(1);
    let now = before.now;
    before.im.correct(&jid(BOB), &id(&sent), "Hello".into(), now).expect("fit");
    before.im.react(&jid(BOB), &id(&sent), vec!["👍".into()], now).expect("fit");
    before.drain();
    let values: Vec<_> = before
        .stored
        .iter()
        .filter_map(|request| match request {
            StoreRequest::PutValue(key, Some(value)) => Some((key.clone(), value.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(values.len(), 2);
    let mut bench = Bench::session(2);
    let queued = before.messages(BOB);
    bench.im.loaded(Loaded { queued, values, ..Loaded::default() });
    bench.connect_without_archive();
    let order: Vec<&str> = bench
        .sent
        .iter()
        .filter_map(|s| {
            ["<replace", "<reactions"]
                .into_iter()
                .find(|n| s.contains(n))
                .or(s.contains("<body").then_some("text"))
        })
        .collect();
    assert_eq!(order[0], "text");
    assert_eq!(order.len(), 3);
    assert!(order.contains(&"<replace") && order.contains(&"<reactions"));
}

#[test]
fn their_corrections_replace_their_own_words() {
    let mut bench = bench();
    bench.hear("m1", "Helo", "");
    bench.hear("c1", "Hello", "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>");
    assert_eq!(bench.bodies(BOB), ["Hello"]);
    // Of the correction, as some clients have it, and of the first once more.
    bench.hear("c2", "Hello!", "<replace xmlns='urn:xmpp:message-correct:0' id='c1'/>");
    assert_eq!(bench.bodies(BOB), ["Hello!"]);
    bench.hear("c3", "Hello.", "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>");
    // A copy that comes late changes nothing back.
    bench.hear("c1", "Hello", "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>");
    bench.hear("m1", "Helo", "");
    assert_eq!(bench.bodies(BOB), ["Hello."]);
    assert!(message(&bench, "m1").more.edited);
    assert_eq!(bench.im.chats()[0].unread, 1);
    assert_eq!(bench.im.chats()[0].last.as_ref().map(|l| l.body.as_str()), Some("Hello."));
    assert_eq!(bench.im.forgeries(), 0);
}

#[test]
fn a_correction_of_what_never_came_is_a_message() {
    let mut bench = bench();
    bench.hear("c1", "Hello", "<replace xmlns='urn:xmpp:message-correct:0' id='lost'/>");
    assert_eq!(bench.bodies(BOB), ["Hello"]);
    assert!(message(&bench, "c1").more.edited);
    // Where the store may have the first one, it is the store's.
    bench.hear("c2", "Hello?", "<replace xmlns='urn:xmpp:message-correct:0' id='older'/>");
    assert!(bench.stored.iter().any(|request| matches!(request,
        StoreRequest::Amend { id, change, .. } if id.0 == "older"
            && matches!(&**change, Amendment::Body { by, body, .. } if *by == jid(BOB) && body == "Hello?"))));
}

#[test]
fn reactions_are_sets_of_their_sender() {
    let mut bench = bench();
    let ours = bench.say(BOB, "Done");
    let theirs = |bench: &mut Bench, n: u32, emoji: &[&str]| {
        let emoji: String = emoji.iter().map(|e| format!("<reaction>{e}</reaction>")).collect();
        payload(
            bench,
            &format!("r{n}"),
            &format!("<reactions xmlns='urn:xmpp:reactions:0' id='{ours}'>{emoji}</reactions>"),
        );
        message(bench, &ours).more.reactions
    };
    let found = theirs(&mut bench, 1, &["👍", "🎉", "👍", "no", "&lt;b&gt;"]);
    let emoji: Vec<&str> = found.iter().map(|r| r.emoji.as_str()).collect();
    assert_eq!(emoji, ["👍", "🎉"]);
    assert!(found.iter().all(|r| r.from == [jid(BOB)] && !r.own));
    let now = bench.now;
    bench.im.react(&jid(BOB), &id(&ours), vec!["🎉".into()], now).expect("fit");
    bench.drain();
    let sent = bench.sent_with("<reactions");
    assert!(
        sent.contains(&format!("id='{ours}'")) && sent.contains("<reaction>🎉</reaction>"),
        "{sent}"
    );
    assert!(sent.contains("urn:xmpp:hints"));
    let found = theirs(&mut bench, 2, &["❤️"]);
    let emoji: Vec<(&str, bool)> = found.iter().map(|r| (r.emoji.as_str(), r.own)).collect();
    assert_eq!(emoji, [("🎉", true), ("❤️", false)]);
    assert_eq!(theirs(&mut bench, 3, &[]).len(), 1);
    let many = vec!["👍".to_owned(); 21];
    assert_eq!(bench.im.react(&jid(BOB), &id(&ours), many, now), Err(Unfit::TooMany));
    assert_eq!(bench.im.react(&jid(BOB), &id(&ours), vec!["ok".into()], now), Err(Unfit::NoEmoji));
    assert_eq!(bench.im.chats()[0].unread, 0);
}

#[test]
fn retractions_leave_nothing_of_the_text() {
    let mut bench = bench();
    bench.hear("m1", "Oops", "");
    bench.hear(
        "t1",
        "My client took something back.",
        "<retract xmlns='urn:xmpp:message-retract:1' id='m1'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'><body/></fallback>",
    );
    bench.hear("m2", "Oops 2", "");
    payload(
        &mut bench,
        "t2",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='m2'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>",
    );
    assert_eq!(bench.bodies(BOB), ["", ""]);
    assert!(
        bench.messages(BOB).iter().all(|m| m
            .more
            .retracted
            .as_ref()
            .is_some_and(|r| r.by == jid(BOB)))
    );
    bench.hear("c1", "Back", "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>");
    assert_eq!(bench.bodies(BOB), ["", ""], "what is gone stays gone");

    let ours = bench.say(BOB, "Mine");
    bench.acknowledge(&ours);
    let now = bench.now;
    bench.im.retract(&jid(BOB), &id(&ours), now).expect("fit");
    bench.drain();
    let sent = bench.sent_with("<retract ");
    assert!(sent.contains("urn:xmpp:message-retract:1") && sent.contains(&format!("id='{ours}'")));
    assert!(sent.contains("urn:xmpp:fallback:0") && !sent.contains("Mine"), "{sent}");
    assert_eq!(message(&bench, &ours).body, "");
    assert_eq!(bench.im.retract(&jid(BOB), &id(&ours), now), Err(Unfit::TakenBack));
    bench.hear("m3", "Theirs", "");
    assert_eq!(bench.im.retract(&jid(BOB), &id("m3"), now), Err(Unfit::NotOurs));
    assert_eq!(bench.im.correct(&jid(BOB), &id("m3"), "x".into(), now), Err(Unfit::NotOurs));
}

#[test]
fn a_change_that_comes_back_is_told_at_the_message() {
    let mut bench = bench();
    let ours = bench.say(BOB, "Helo");
    bench.acknowledge(&ours);
    bench.forget();
    let now = bench.now;
    bench.im.correct(&jid(BOB), &id(&ours), "Hello".into(), now).expect("fit");
    bench.drain();
    let change = attribute(bench.sent_with("<replace"), "id");
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{change}' from='bob@example.com'>\
         <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    let shown = message(&bench, &ours);
    assert_eq!(shown.state, Delivery::Sent, "the message itself arrived");
    assert!(shown.error.is_some_and(|e| e.contains("do not see the last change")));
}

#[test]
fn changes_made_at_another_device_are_ours() {
    let copy = |inner: &str| {
        format!(
            "<message xmlns='jabber:client' from='alice@example.com' to='alice@example.com/desk'>\
             <sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <message xmlns='jabber:client' type='chat' from='alice@example.com/phone' \
             to='bob@example.com' {inner}</message></forwarded></sent></message>"
        )
    };
    let mut bench = bench();
    let ours = bench.say(BOB, "Helo");
    bench.hear("m1", "Hi", "");
    bench.receive(&copy(&format!(
        "id='p1'><body>Hello</body><replace xmlns='urn:xmpp:message-correct:0' id='{ours}'/>"
    )));
    bench.receive(&copy(
        "id='p2'><reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction></reactions>",
    ));
    let (mine, theirs) = (message(&bench, &ours), message(&bench, "m1"));
    assert!(mine.body == "Hello" && mine.more.edited);
    assert!(theirs.more.reactions[0].own && theirs.more.reactions[0].from == [jid(support::ME)]);
    bench.receive(&copy(&format!(
        "id='p3'><retract xmlns='urn:xmpp:message-retract:1' id='{ours}'/>"
    )));
    assert!(message(&bench, &ours).more.retracted.is_some());
    assert_eq!(bench.im.forgeries(), 0);
    // A marker of the phone says what was seen there.
    assert_eq!(bench.im.chats()[0].unread, 1);
    bench.receive(&copy("id='p4'><displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>"));
    assert_eq!(bench.im.chats()[0].unread, 0);
}

#[test]
fn files_labels_and_rich_text_are_read() {
    let mut bench = bench();
    bench.hear(
        "m1",
        "https://up.example.com/a/plan%20b.pdf",
        "<x xmlns='jabber:x:oob'><url>https://up.example.com/a/plan%20b.pdf</url></x>",
    );
    let file = message(&bench, "m1").more.attachment.expect("a file");
    assert_eq!(
        (file.name.as_str(), file.url.as_deref()),
        ("plan b.pdf", Some("https://up.example.com/a/plan%20b.pdf"))
    );
    for (wire, body, url) in [
        ("a", "see my holiday", "https://evil.example/x.exe"),
        ("b", "http://plain.example/x", "http://plain.example/x"),
        ("c", "file:///etc/passwd", "file:///etc/passwd"),
    ] {
        bench.hear(wire, body, &format!("<x xmlns='jabber:x:oob'><url>{url}</url></x>"));
        assert_eq!(message(&bench, wire).more.attachment, None, "{url}");
    }
    bench.hear(
        "m2",
        "Hello",
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml' \
         style='x>y'><div><b>Hello</b> &amp; more</div></body></html>\
         <securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking fgcolor='black' bgcolor='red'>\
         SECRET\u{202e}</displaymarking><label/></securitylabel>",
    );
    let shown = message(&bench, "m2");
    assert_eq!(shown.more.html.as_deref(), Some("<div><b>Hello</b> &amp; more</div>"));
    assert_eq!(shown.more.label.as_deref(), Some("SECRET"));
    assert_eq!(shown.more.protection, Protection::None);
}

#[test]
fn who_is_named_is_counted() {
    let mut bench = bench();
    bench.hear("m1", "Did Alice call?", "");
    bench.hear("m2", "malice", "");
    bench.hear(
        "m3",
        "you there",
        "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:alice@example.com' begin='0' end='3'/>",
    );
    let named: Vec<bool> = bench.messages(BOB).iter().map(|m| m.more.mentions_me).collect();
    assert_eq!(named, [true, false, true]);
    let chat = &bench.im.chats()[0];
    assert_eq!((chat.unread, chat.mentions, chat.first_unread.as_ref()), (3, 2, Some(&id("m1"))));
    let now = bench.now;
    bench.im.mark_read(&jid(BOB), now);
    let chat = &bench.im.chats()[0];
    assert_eq!((chat.unread, chat.mentions, chat.first_unread.as_ref()), (0, 0, None));
}

#[test]
fn drafts_and_alerts_are_kept() {
    let mut bench = bench();
    bench.im.set_draft(&jid(BOB), "Dear");
    bench.drain();
    assert_eq!(bench.im.chats()[0].draft, "Dear", "a begun message makes a conversation");
    bench.im.set_alerts(&jid(BOB), Alerts::Mentions);
    bench.im.set_draft(&jid(BOB), "Dear Bob");
    bench.drain();
    let Some(StoreRequest::PutChat(row)) = bench.stored.last().cloned() else {
        panic!("{:?}", bench.stored);
    };
    assert_eq!((row.draft.as_str(), row.alerts), ("Dear Bob", Alerts::Mentions));
    let mut other = Bench::session(2);
    other.im.loaded(Loaded { rows: vec![*row], ..Loaded::default() });
    assert_eq!(other.im.chats()[0].draft, "Dear Bob");
    assert_eq!(other.im.chats()[0].alerts, Alerts::Mentions);
    bench.say(BOB, "Dear Bob, hello");
    assert_eq!(bench.im.chats()[0].draft, "", "what was sent is no draft");
}

#[test]
fn what_failed_is_sent_again_as_the_newest() {
    let mut bench = bench();
    let first = bench.say(BOB, "one");
    bench.acknowledge(&first);
    bench.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{first}' from='bob@example.com'>\
         <error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    let failed = message(&bench, &first);
    assert!(
        failed.state == Delivery::Failed && failed.error.is_some_and(|e| e.contains("Try again"))
    );
    bench.wait(5);
    bench.hear("m1", "two", "");
    bench.forget();
    bench.wait(5);
    let now = bench.now;
    bench.im.again(&jid(BOB), &id(&first), now).expect("failed");
    bench.drain();
    assert_eq!(attribute(bench.sent_with("<body>one</body>"), "id"), first);
    assert_eq!(bench.bodies(BOB), ["two", "one"]);
    assert_eq!(bench.state(&first), Some(Delivery::Queued));
    assert!(message(&bench, &first).error.is_none());
    bench.acknowledge(&first);
    assert_eq!(bench.state(&first), Some(Delivery::Sent));
    assert_eq!(bench.im.again(&jid(BOB), &id(&first), now), Err(Unfit::NotFailed));
}

#[test]
fn who_does_not_want_to_tell_tells_nothing() {
    let mut bench = bench();
    let quiet = ChatSettings { tell_read: false, tell_typing: false, ..ChatSettings::default() };
    let now = bench.now;
    bench.im.configure(std::sync::Arc::default(), quiet, now);
    bench.drain();
    bench.forget();
    bench.hear(
        "m1",
        "hi",
        "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>",
    );
    bench.im.mark_read(&jid(BOB), now);
    bench.im.typing(&jid(BOB), true, now);
    bench.drain();
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    bench.say(BOB, "hi");
    assert!(!bench.sent_with("<body").contains("chatstates"));
}

fn stored(n: i64) -> Message {
    let bench = Bench::offline();
    let mut other = bench;
    let wire = other.say(BOB, &n.to_string());
    let mut message = message(&other, &wire);
    message.id = id(&format!("s{n}"));
    message.time = Timestamp(n);
    message.state = Delivery::Sent;
    message
}

#[test]
fn older_messages_come_without_a_gap_and_go_when_another_is_opened() {
    let all: Vec<Message> = (0..1_200).map(stored).collect();
    let mut bench = bench();
    bench.im.open_chat(jid(BOB), all[1_000..].to_vec(), true);
    let before = bench.im.older(&jid(BOB)).expect("the store has more");
    assert_eq!(before, Some(id("s1000")));
    bench.im.older_read(&jid(BOB), before.as_ref(), all[500..1_000].to_vec(), true);
    assert_eq!(bench.messages(BOB).len(), 700);
    // An answer to another question is no use: it would leave a gap.
    bench.im.older_read(&jid(BOB), Some(&id("s300")), all[..100].to_vec(), false);
    assert_eq!(bench.messages(BOB).len(), 700);
    let before = bench.im.older(&jid(BOB)).expect("more");
    bench.im.older_read(&jid(BOB), before.as_ref(), all[..500].to_vec(), false);
    assert_eq!(bench.messages(BOB).len(), 1_200);
    assert!(bench.messages(BOB).iter().map(|m| m.time).is_sorted());
    bench.hear("new", "now", "");
    assert_eq!(bench.messages(BOB).len(), 1_201, "what is open stays");
    assert_eq!(bench.im.older(&jid(BOB)), None, "the store has no more");
    bench.im.open_chat(jid("carol@example.com"), Vec::new(), false);
    assert_eq!(bench.messages(BOB).len(), 200);
    assert_eq!(bench.messages(BOB).last().map(|m| m.body.clone()).as_deref(), Some("now"));
    assert!(bench.im.chats()[0].older);
}

#[test]
fn a_cleared_conversation_is_gone_but_for_what_waits() {
    let mut bench = Bench::offline();
    bench.hear("m1", "old", "");
    let waiting = bench.say(BOB, "not sent yet");
    bench.im.clear(&jid(BOB));
    bench.drain();
    assert!(
        bench.stored.iter().any(|r| matches!(r, StoreRequest::Clear(with) if *with == jid(BOB)))
    );
    assert_eq!(bench.bodies(BOB), ["not sent yet"]);
    bench.connect();
    bench.acknowledge(&waiting);
    bench.im.clear(&jid(BOB));
    bench.drain();
    assert!(bench.messages(BOB).is_empty() && bench.im.chats().is_empty());
    bench.hear("m1", "old", "");
    assert!(bench.messages(BOB).is_empty(), "a copy does not bring it back");
}

/// The seed's example of Multiple Resource Login, with us as Adam: Anita has a laptop and a phone.
#[test]
fn adam_and_anita() {
    const ANITA: &str = "anita@example.com";
    let mut bench = Bench::with_contacts("<item jid='anita@example.com' subscription='both'/>");
    let say = |bench: &mut Bench, text: &str| {
        bench.forget();
        bench.say(ANITA, text);
        attribute(bench.sent_with(text), "to")
    };
    let hears = |bench: &mut Bench, device: &str, text: &str| {
        bench.receive(&format!(
            "<message xmlns='jabber:client' type='chat' id='{text}' from='{ANITA}/{device}'><body>{text}</body></message>"
        ));
    };
    for device in ["laptop", "phone"] {
        bench.receive(&format!("<presence xmlns='jabber:client' from='{ANITA}/{device}'/>"));
    }
    assert_eq!(say(&mut bench, "Hi Anita. Are you free?"), ANITA, "both devices get it");
    hears(&mut bench, "laptop", "I can chat briefly");
    assert_eq!(say(&mut bench, "This will only take a minute"), "anita@example.com/laptop");
    hears(&mut bench, "phone", "Now I am on my way");
    assert_eq!(say(&mut bench, "Safe travels"), "anita@example.com/phone");
    // The laptop says something of itself: that is not the device in use.
    bench.receive(&format!(
        "<presence xmlns='jabber:client' from='{ANITA}/laptop'><show>away</show></presence>"
    ));
    assert_eq!(say(&mut bench, "One more thing"), "anita@example.com/phone");
    bench.receive(&format!(
        "<presence xmlns='jabber:client' type='unavailable' from='{ANITA}/phone'/>"
    ));
    assert_eq!(say(&mut bench, "Are you there?"), ANITA, "back to all of them");
}
