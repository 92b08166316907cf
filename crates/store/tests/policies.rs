//! What administrators and users decide: no history, for how long, a text archive, an export.

mod support;

use offhook_model::{Delivery, MessageId, Secret};
use offhook_ports::{KeepingPlan, StoreAnswer, StoreRequest};
use support::{ALICE, Kept, bob, ids, jid, message, on_disk, plain_file};

fn none() -> KeepingPlan {
    KeepingPlan { history: false, ..KeepingPlan::default() }
}

#[test]
fn without_a_history_only_what_is_to_be_sent_reaches_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::with(folder.path(), None, none());
    kept.put(&message("a", 1, false, "plovergarden"));
    kept.put(&message("b", 2, true, "waitingroom"));
    kept.put(&message("c", 3, true, "sentalready"));
    kept.keep(StoreRequest::SetDelivery(MessageId("c".into()), Delivery::Sent, None));
    kept.keep(StoreRequest::PutValue("key".into(), Some(Secret::from("private"))));
    kept.keep(StoreRequest::PutArchive(None, "here".into()));
    // This session has all of it.
    assert_eq!(kept.page(None, 10).0, ["a", "b", "c"]);
    assert_eq!(kept.search("plover"), ["a"]);
    let loaded = kept.load();
    assert!(!loaded.keeping.kept);
    assert_eq!(loaded.chats.len(), 1);
    assert!(!on_disk(folder.path(), "plovergarden"));
    assert!(on_disk(folder.path(), "waitingroom"));
    kept.close();
    assert!(!on_disk(folder.path(), "plovergarden"));

    let again = Kept::with(folder.path(), None, none());
    let loaded = again.load();
    assert_eq!(ids(&loaded.queued), ["b"]);
    assert_eq!((loaded.values.len(), loaded.archives.len()), (1, 1));
    assert_eq!(again.page(None, 10).0, ["b"]);
    again.keep(StoreRequest::SetDelivery(MessageId("b".into()), Delivery::Sent, None));
    again.close();
    assert!(Kept::with(folder.path(), None, none()).load().queued.is_empty());
}

#[test]
fn a_history_that_is_forbidden_later_is_deleted_and_one_that_is_allowed_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put(&message("a", 1, false, "plovergarden"));
    kept.put(&message("b", 2, true, "waits"));
    assert!(!kept.opened(ALICE, none()).kept);
    assert_eq!(kept.page(None, 10).0, ["b"]);
    kept.put(&message("c", 3, false, "only now"));
    assert!(kept.opened(ALICE, KeepingPlan::default()).kept);
    assert_eq!(kept.page(None, 10).0, ["b", "c"]);
    assert!(kept.search("plovergarden").is_empty());
    kept.close();
    assert!(!on_disk(folder.path(), "plovergarden"), "deleted text is overwritten");
    let again = Kept::open(folder.path());
    assert_eq!(again.page(None, 10).0, ["b", "c"]);
    assert_eq!(again.search("now"), ["c"]);
}

#[test]
fn old_messages_are_deleted_but_for_those_that_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    let far = 4_000_000_000_000;
    kept.put(&message("old", 1_000, false, "plovergarden"));
    kept.put(&message("waits", 2_000, true, "to be sent"));
    kept.put(&message("new", far, false, "from the future"));
    kept.close();
    let plan = KeepingPlan { retention_days: 30, ..KeepingPlan::default() };
    let kept = Kept::with(folder.path(), None, plan);
    assert_eq!(kept.page(None, 10).0, ["waits", "new"]);
    assert!(kept.search("plovergarden").is_empty());
    assert_eq!(kept.load().chats[0].unread, 1);
    kept.close();
    assert!(!on_disk(folder.path(), "plovergarden"));
}

#[test]
fn the_text_archive_grows_with_what_is_kept_and_its_failure_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let chats = folder.path().join("chats");
    let plan = KeepingPlan { archive_folder: Some(chats.clone()), ..KeepingPlan::default() };
    let kept = Kept::with(folder.path(), None, plan.clone());
    kept.put(&message("a", 1_700_000_000_000, false, "one\ntwo"));
    kept.put(&message("a", 1_700_000_000_000, false, "one\ntwo"));
    kept.put(&message("b", 1_700_000_000_001, true, "three"));
    let text = std::fs::read_to_string(chats.join("bob@example.com 2023-11.txt")).expect("read");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("bob@example.com: one\n\ttwo\n") && text.contains(": three\n"), "{text}");

    std::fs::write(folder.path().join("file"), "in the way").expect("written");
    let folder = Some(folder.path().join("file"));
    kept.opened(ALICE, KeepingPlan { archive_folder: folder, ..plan });
    let answer = kept.ask(StoreRequest::PutMessage(message("c", 5, false, "four")));
    assert!(matches!(&answer, StoreAnswer::KeptBut(why) if why.contains("archive")), "{answer:?}");
    kept.put(&message("d", 6, false, "five"));
}

fn export(kept: &Kept, with: Option<&str>, path: &std::path::Path) -> StoreAnswer {
    kept.ask(StoreRequest::Export { with: with.map(jid), path: path.to_owned() })
}

#[test]
fn an_export_can_be_read_by_people_and_programs_and_takes_no_file_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put(&message("a", 1_700_000_000_000, false, "<script>alert('x')</script> & \u{202e}more"));
    let mut carol = message("b", 1_700_000_100_000, false, "from Carol");
    carol.with = jid("carol@example.com");
    kept.put(&carol);
    let path = |name: &str| folder.path().join(name);
    for (name, with, count) in [
        ("all.html", None, 2),
        ("all.json", None, 2),
        ("all.txt", None, 2),
        ("bob.txt", Some("bob@example.com"), 1),
        ("nobody.txt", Some("nobody@example.com"), 0),
    ] {
        let answer = export(&kept, with, &path(name));
        let StoreAnswer::Exported(where_to, written) = answer else { panic!("{answer:?}") };
        assert_eq!((where_to, written), (path(name), count), "{name}");
    }
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("read");
    let page = read("all.html");
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    assert!(!page.contains('\u{202e}') && page.contains("<h1>carol@example.com</h1>"), "{page}");
    assert!(page.contains("November 2023</h2>") && page.ends_with("</html>\n"), "{page}");
    let json: serde_json::Value = serde_json::from_str(&read("all.json")).expect("JSON");
    assert_eq!(json["messages"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["messages"][1]["body"], "from Carol");
    assert!(
        read("all.txt").contains("== carol@example.com ==") && !read("bob.txt").contains("Carol")
    );

    for (name, word) in [
        ("all.html", "already"),
        ("all.doc", ".html, .txt or .json"),
        ("a/b.txt", "cannot be written"),
    ] {
        let answer = export(&kept, None, &path(name));
        assert!(matches!(&answer, StoreAnswer::Failed(why) if why.contains(word)), "{answer:?}");
    }
    assert_eq!(read("all.html"), page);
    assert!(plain_file(folder.path()).exists());
    assert_eq!(kept.search_in("carol", Some(bob())), Vec::<String>::new());
}
