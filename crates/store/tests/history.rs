//! What is kept of an account, as the core asks for it.

mod support;

use offhook_model::{
    Alerts, CallDirection, CallRecord, ChatKind, Delivery, Message, MessageId, Reaction,
    Retraction, Secret, Timestamp,
};
use offhook_ports::{Amendment, ChatRow, KeepingPlan, StoreAnswer, StoreRequest, Unplaced};
use support::{ALICE, Kept, bob, ids, jid, message};

fn filled(folder: &std::path::Path) -> Kept {
    let kept = Kept::open(folder);
    for (id, time, own, body) in [
        ("a", 1, true, "one 100%"),
        ("b", 2, false, "two words"),
        ("c", 2, false, "two more"),
        ("d", 3, true, "last"),
    ] {
        kept.put(&message(id, time, own, body));
    }
    kept
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn pages_are_in_order_and_meet_without_gap_or_overlap() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    assert_eq!(kept.page(None, 2), (texts(&["c", "d"]), true));
    assert_eq!(kept.page(Some("c"), 2), (texts(&["a", "b"]), false));
    let from = StoreRequest::HistoryFrom { with: bob(), id: MessageId("c".into()), context: 1 };
    assert_eq!(ids(&kept.messages(from).0), ["b", "c", "d"]);
    let lost =
        StoreRequest::History { with: bob(), before: Some(MessageId("nowhere".into())), limit: 2 };
    assert!(matches!(kept.ask(lost), StoreAnswer::Failed(_)));
}

#[test]
fn a_burst_within_one_instant_stays_in_order_of_arrival() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    let (send, receive) = std::sync::mpsc::sync_channel(5_000);
    for n in 0..5_000 {
        let send = send.clone();
        let request = StoreRequest::PutMessage(message(&format!("m{n}"), 7, false, "burst"));
        kept.store.submit(request, move |answer| drop(send.send(answer)));
    }
    drop(send);
    assert!(receive.iter().all(|answer| matches!(answer, StoreAnswer::Kept)));
    kept.put(&message("later", 8, false, "after the burst"));
    let all: Vec<String> = (0..5_000).map(|n| format!("m{n}")).collect();
    let (page, more) = kept.page(None, 5_001);
    assert!(!more);
    assert_eq!(page.len(), 5_001);
    let burst: Vec<String> = page.into_iter().filter(|id| id != "later").collect();
    assert_eq!(burst, all);
}

#[test]
fn delivery_only_moves_on_and_an_id_is_not_taken_by_the_other_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    let id = || MessageId("a".into());
    kept.keep(StoreRequest::SetDelivery(id(), Delivery::Delivered, None));
    kept.keep(StoreRequest::SetDelivery(id(), Delivery::Sent, None));
    assert_eq!(kept.get("a").state, Delivery::Delivered);
    kept.put(&message("a", 9, false, "somebody else's words"));
    assert_eq!(kept.get("a").body, "one 100%");
}

#[test]
fn a_message_of_the_archive_that_comes_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    kept.keep(StoreRequest::SetDelivery(MessageId("a".into()), Delivery::Read, None));
    let mut again = message("a", 9, true, "one 100%");
    again.state = Delivery::Sent;
    for archive in [None, Some("p1".to_owned()), Some("p1".to_owned())] {
        again.more.archive_id = archive;
        kept.keep(StoreRequest::PutArchived(again.clone()));
    }
    assert_eq!((kept.get("a").state, kept.get("a").time), (Delivery::Read, Timestamp(1)));
    let mut new = message("e", 4, false, "out of the archive");
    new.more.archive_id = Some("p2".into());
    kept.keep(StoreRequest::PutArchived(new.clone()));
    kept.keep(StoreRequest::PutArchived(new.clone()));
    // Under another id of ours it is still the same place of the archive.
    new.id = MessageId("f".into());
    kept.keep(StoreRequest::PutArchived(new));
    assert_eq!(kept.page(None, 9), (texts(&["a", "b", "c", "d", "e"]), false));
}

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = CallRecord {
        remote: "2002".into(),
        name: Some("Bob".into()),
        direction: CallDirection::Incoming,
        started: Timestamp(5),
        seconds: 0,
        missed: true,
        mos: Some(offhook_model::Mos(431)),
    };
    let row = ChatRow {
        with: jid("room@conference.example.com"),
        kind: ChatKind::Room,
        name: Some("The room".into()),
        draft: "half a sen".into(),
        alerts: Alerts::Mentions,
        encrypt: Some(false),
    };
    let kept = filled(folder.path());
    kept.keep(StoreRequest::PutCall(record.clone()));
    kept.keep(StoreRequest::PutChat(Box::new(row.clone())));
    kept.keep(StoreRequest::PutArchive(None, "old".into()));
    kept.keep(StoreRequest::PutArchive(None, "here".into()));
    kept.keep(StoreRequest::PutArchive(Some(row.with.clone()), "there".into()));
    kept.keep(StoreRequest::PutValue("key".into(), Some(Secret::from("private"))));
    kept.keep(StoreRequest::PutValue("gone".into(), Some(Secret::from("private"))));
    kept.keep(StoreRequest::PutValue("gone".into(), None));
    kept.close();

    let again = Kept::open(folder.path());
    let loaded = again.load();
    assert_eq!(loaded.calls, [record]);
    assert_eq!(ids(&loaded.queued), ["a", "d"]);
    assert_eq!(loaded.rows, [row]);
    assert_eq!(loaded.archives.len(), 2);
    assert!(loaded.archives.contains(&(None, "here".into())));
    // The newest of all waits to be sent.
    assert_eq!(loaded.settled, [(bob(), Timestamp(2))]);
    let [(name, value)] = &loaded.values[..] else { panic!("{:?}", loaded.values) };
    assert_eq!((name.as_str(), value.expose().as_str()), ("key", "private"));
    assert!(loaded.keeping.kept);
    let [chat, room] = &loaded.chats[..] else { panic!("{:?}", loaded.chats) };
    assert_eq!((chat.unread, chat.mentions, chat.name.as_str()), (2, 0, "bob"));
    assert_eq!(chat.first_unread, Some(MessageId("b".into())));
    assert_eq!(chat.last.as_ref().map(|m| m.id.0.as_str()), Some("d"));
    assert_eq!((room.name.as_str(), room.draft.as_str()), ("The room", "half a sen"));
    again.keep(StoreRequest::MarkRead(bob()));
    let chats = again.load().chats;
    assert_eq!((chats[0].unread, chats[0].first_unread.clone()), (0, None));
    assert_eq!(again.get("b").state, Delivery::Read);
}

/// A message with everything that is rarely there.
fn rich() -> Message {
    let mut rich = message("rich", 4, false, "look");
    rich.from = jid("room@conference.example.com/Bob");
    rich.with = bob();
    rich.more.archive_id = Some("archived".into());
    rich.more.author = Some(bob());
    rich.more.mentions_me = true;
    rich.more.label = Some("SECRET".into());
    rich.more.html = Some("<b>look</b>".into());
    rich
}

#[test]
fn a_message_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    kept.put(&rich());
    assert_eq!(kept.get("rich"), rich());
    let chats = kept.load().chats;
    assert_eq!((chats[0].unread, chats[0].mentions), (3, 1));
    // Seen elsewhere.
    kept.put(&Message { state: Delivery::Read, ..rich() });
    let chats = kept.load().chats;
    assert_eq!((chats[0].unread, chats[0].mentions), (2, 0));
    // Another message that says it has the same id in the archive does not get it.
    let mut other = message("other", 5, false, "no");
    other.more.archive_id = Some("archived".into());
    kept.put(&other);
    assert_eq!(kept.get("other").more.archive_id, None);
}

fn amend(kept: &Kept, id: &str, change: Amendment) -> Message {
    let (id, own) = (MessageId(id.into()), "rich");
    kept.keep(StoreRequest::Amend { with: bob(), id, change: Box::new(change) });
    kept.get(own)
}

#[test]
fn only_those_change_a_message_who_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    kept.put(&rich());
    let body = |by: &str| Amendment::Body { by: jid(by), body: "new words".into(), html: None };
    let same = amend(&kept, "rich", body("room@conference.example.com/Mallory"));
    assert_eq!(same, rich());
    let changed = amend(&kept, "archived", body("room@conference.example.com/Bob"));
    assert_eq!((changed.body.as_str(), changed.more.edited), ("new words", true));
    assert_eq!(kept.search("new"), ["rich"]);
    assert!(kept.search("look").is_empty());

    let react = |by: &str, emoji: &[&str]| Amendment::Reactions {
        by: jid(by),
        own: by == ALICE,
        emoji: texts(emoji),
    };
    amend(&kept, "rich", react("carol@example.com", &["👍", "🎉", "👍"]));
    let both = amend(&kept, "rich", react(ALICE, &["🎉"]));
    let carol = jid("carol@example.com");
    let expected = [
        Reaction { emoji: "👍".into(), from: vec![carol.clone()], own: false },
        Reaction { emoji: "🎉".into(), from: vec![carol, jid(ALICE)], own: true },
    ];
    assert_eq!(both.more.reactions, expected);
    let one = amend(&kept, "rich", react("carol@example.com", &[]));
    assert_eq!(one.more.reactions.len(), 1);

    let retract = |by: &str, by_room| Amendment::Retract {
        retraction: Retraction { by: jid(by), reason: Some("rude".into()) },
        by_room,
    };
    let same = amend(&kept, "rich", retract("mallory@example.com", false));
    assert_eq!(same.more.retracted, None);
    let gone = amend(&kept, "rich", retract("room@conference.example.com/Mod", true));
    assert_eq!((gone.body.as_str(), gone.more.html, gone.more.reactions.len()), ("", None, 0));
    assert!(kept.search("new").is_empty());
    let still = amend(&kept, "rich", body("room@conference.example.com/Bob"));
    assert_eq!(still.body, "");
}

#[test]
fn an_archive_id_is_given_once_and_finds_the_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    kept.put(&rich());
    let given = |id: &str, archive: &str| StoreRequest::Amend {
        with: bob(),
        id: MessageId(id.into()),
        change: Box::new(Amendment::ArchiveId(archive.into())),
    };
    kept.keep(given("a", "one"));
    kept.keep(given("a", "two"));
    kept.keep(given("b", "one"));
    assert_eq!(kept.get("a").more.archive_id.as_deref(), Some("one"));
    assert_eq!(kept.get("b").more.archive_id, None);
    assert_eq!(kept.page(Some("archived"), 1), (texts(&["d"]), true));
}

#[test]
fn what_was_received_keeps_its_place_and_moves_only_where_the_archive_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    for (id, time) in [("one", 10), ("two", 20), ("three", 30)] {
        kept.put(&message(id, time, false, id));
    }
    // A server that was not told of its arrival gives it again.
    kept.put(&message("one", 40, false, "one"));
    assert_eq!(kept.page(None, 9).0, texts(&["one", "two", "three"]));
    let change = Box::new(Amendment::Placed(Timestamp(20)));
    let moved = StoreRequest::Amend { with: bob(), id: MessageId("three".into()), change };
    kept.keep(moved);
    assert_eq!(kept.page(None, 9).0, texts(&["one", "two", "three"]), "behind those of its time");
    let change = Box::new(Amendment::Placed(Timestamp(35)));
    kept.keep(StoreRequest::Amend { with: bob(), id: MessageId("one".into()), change });
    assert_eq!(kept.page(None, 9).0, texts(&["two", "three", "one"]));
    assert_eq!(kept.search("one"), ["one"], "and is found there");
    assert_eq!(kept.load().chats[0].last.as_ref().map(|it| it.id.0.as_str()), Some("one"));
    assert_eq!(kept.load().chats[0].unread, 3);
}

#[test]
fn what_has_no_place_yet_is_known_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put(&message("placed", 10, false, "placed"));
    for (id, time) in [("moved", 20), ("stays", 30), ("waits", 40)] {
        let mut message = message(id, time, false, id);
        message.more.unplaced = true;
        kept.put(&message);
    }
    for (id, time) in [("moved", 25), ("stays", 30)] {
        let change = Box::new(Amendment::Placed(Timestamp(time)));
        kept.keep(StoreRequest::Amend { with: bob(), id: MessageId(id.into()), change });
    }
    drop(kept);
    let kept = Kept::open(folder.path());
    let loaded = kept.load();
    let waits =
        Unplaced { with: bob(), id: MessageId("waits".into()), time: Timestamp(40), own: false };
    assert_eq!(loaded.unplaced, [waits]);
    assert_eq!(loaded.settled, [(bob(), Timestamp(30))]);
    kept.keep(StoreRequest::AllPlaced);
    assert!(kept.load().unplaced.is_empty());
    assert_eq!(kept.load().settled, [(bob(), Timestamp(40))]);
}

#[test]
fn accounts_of_any_script_have_histories_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let accounts =
        ["jörg@bücher.example", "jorg@bucher.example", "用户@例子.example", "a/b@x", "a%2fb@x"];
    let kept = Kept::closed(folder.path(), None);
    let open = |account: &str| kept.opened(account, KeepingPlan::default());
    for (n, account) in accounts.iter().enumerate() {
        open(account);
        let mut one = message(&format!("m{n}"), 1, false, "Grüße, мир, 你好世界, 👋🏽");
        one.with = jid("jürgen@bücher.example");
        kept.put(&one);
    }
    for (n, account) in accounts.iter().enumerate() {
        open(account);
        for words in ["世界 👋🏽", "GRUSSE", "grüß", "好世", "МИР"] {
            // Sharp s is not two: the index folds marks, not spellings.
            let expected = if words == "GRUSSE" { vec![] } else { vec![format!("m{n}")] };
            assert_eq!(kept.search(words), expected, "{account}: {words}");
        }
        let with = jid("jürgen@bücher.example");
        assert_eq!(kept.search_in("grusse", Some(with.clone())).len(), 0);
        assert_eq!(kept.search_in("gruß", Some(with)).len(), 1);
    }
}

#[test]
fn search_takes_words_literally_and_the_last_as_a_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    assert_eq!(kept.search("two MORE"), ["c"]);
    assert_eq!(kept.search("tw"), ["b", "c"]);
    assert_eq!(kept.search("tw more"), Vec::<String>::new());
    assert_eq!(kept.search("100%"), ["a"]);
    assert_eq!(kept.search("%"), ["a"]);
    assert_eq!(kept.search("one %"), ["a"]);
    assert!(kept.search("1_0").is_empty());
    assert!(kept.search("  ").is_empty());
    for hostile in
        ["\"", "AND", "two OR one", "body:two", "two*", "(", "NEAR(two words)", "-", "^two", "\0"]
    {
        kept.search(hostile);
    }
    assert!(kept.search("two OR one").is_empty());
    assert_eq!(kept.search_in("two", Some(bob())), ["b", "c"]);
    assert!(kept.search_in("two", Some(jid("carol@example.com"))).is_empty());
    // The conversation's own mark in the index is no word.
    assert!(kept.search("c1").is_empty());
}

#[test]
fn a_cleared_conversation_keeps_only_what_is_to_be_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path());
    kept.keep(StoreRequest::SetDelivery(MessageId("a".into()), Delivery::Sent, None));
    kept.keep(StoreRequest::Clear(bob()));
    assert_eq!(kept.page(None, 10).0, ["d"]);
    assert!(kept.search("two").is_empty());
    let chats = kept.load().chats;
    assert_eq!((chats.len(), chats[0].unread), (1, 0));
}
