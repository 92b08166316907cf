//! Databases that others made: an earlier version, a later one, and what is none.

mod support;

use offhook_model::{Delivery, MessageId};
use offhook_ports::{KeepingPlan, StoreRequest};
use rusqlite::Connection;
use support::{ALICE, Kept, bob, ids, message, plain_file};

/// The shape of version 1, as the program of 2026 wrote it, with messages, written out.
const VERSION_1: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE message (
        chat   TEXT NOT NULL,
        id     TEXT NOT NULL,
        writer TEXT NOT NULL,
        reader TEXT NOT NULL,
        body   TEXT NOT NULL,
        time   INTEGER NOT NULL,
        own    INTEGER NOT NULL,
        state  INTEGER NOT NULL,
        error  TEXT,
        PRIMARY KEY (chat, id)
    ) WITHOUT ROWID;
    CREATE INDEX message_time ON message (chat, time, id);
    CREATE INDEX message_waiting ON message (state, time) WHERE own = 1 AND state = 0;
    CREATE TABLE call (
        number   INTEGER PRIMARY KEY,
        remote   TEXT NOT NULL,
        name     TEXT,
        incoming INTEGER NOT NULL,
        started  INTEGER NOT NULL,
        seconds  INTEGER NOT NULL,
        missed   INTEGER NOT NULL
    );
    CREATE INDEX call_time ON call (started);
    INSERT INTO message VALUES
        ('bob@example.com', 'a', 'alice@example.com', 'bob@example.com', 'sent once', 1000, 1, 3, NULL),
        ('bob@example.com', 'b', 'bob@example.com', 'alice@example.com', 'Grüße', 1000, 0, 3, NULL),
        ('bob@example.com', 'c', 'bob@example.com', 'alice@example.com', 'not seen', 1000, 0, 2, NULL),
        ('bob@example.com', 'd', 'alice@example.com', 'bob@example.com', 'failed', 1001, 1, 4, 'no'),
        ('carol@example.com', 'a', 'carol@example.com', 'alice@example.com', 'same id', 5, 0, 2, NULL),
        ('carol@example.com', 'e', 'alice@example.com', 'carol@example.com', 'waits', -7, 1, 0, NULL);
    INSERT INTO call VALUES (1, '2002', 'Bob', 1, 5, 0, 1);
    PRAGMA user_version = 1;
";

fn make(folder: &std::path::Path, sql: &str) -> std::path::PathBuf {
    let path = plain_file(folder);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    Connection::open(&path).expect("open").execute_batch(sql).expect("made");
    path
}

#[test]
fn a_history_of_version_1_is_brought_up_with_all_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    make(folder.path(), VERSION_1);
    for _ in 0..2 {
        let kept = Kept::open(folder.path());
        assert_eq!(kept.page(None, 10).0, ["a", "b", "c", "d"]);
        assert_eq!(kept.get("d").error.as_deref(), Some("no"));
        assert_eq!(kept.get("b").state, Delivery::Read);
        assert_eq!(kept.search("gruß"), ["b"]);
        assert_eq!(kept.search("same"), ["a"]);
        let loaded = kept.load();
        assert_eq!(ids(&loaded.queued), ["e"]);
        assert_eq!(loaded.calls.len(), 1);
        let unread: Vec<_> =
            loaded.chats.iter().map(|chat| (chat.with.to_string(), chat.unread)).collect();
        let expected = [("bob@example.com".to_owned(), 1), ("carol@example.com".to_owned(), 1)];
        assert_eq!(unread, expected);
        assert_eq!(loaded.chats[0].first_unread, Some(MessageId("c".into())));
        kept.close();
    }
}

#[test]
fn a_history_of_a_newer_version_is_left_alone_and_the_session_goes_on_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = make(folder.path(), "CREATE TABLE future (it); PRAGMA user_version = 99;");
    let before = std::fs::read(&path).expect("read");
    let kept = Kept::closed(folder.path(), None);
    let opened = kept.opened(ALICE, KeepingPlan::default());
    kept.put(&message("a", 1, true, "in memory"));
    assert_eq!(kept.page(None, 10).0, ["a"]);
    let keeping = kept.load().keeping;
    assert_eq!(opened, keeping);
    assert!(!keeping.kept && keeping.why.is_some_and(|why| why.contains("newer version")));
    kept.close();
    assert_eq!(std::fs::read(&path).expect("there"), before);
}

#[test]
fn a_file_that_is_no_database_is_an_error_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = plain_file(folder.path());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let text = "this was never a database, whatever it is called";
    std::fs::write(&path, text).expect("written");
    let kept = Kept::closed(folder.path(), None);
    let opened = kept.opened(ALICE, KeepingPlan::default());
    assert!(!opened.kept && opened.why.is_some(), "{opened:?}");
    kept.put(&message("a", 1, true, "in memory"));
    let before = StoreRequest::History { with: bob(), before: None, limit: 5 };
    assert_eq!(kept.messages(before).0.len(), 1);
    kept.close();
    assert_eq!(std::fs::read_to_string(&path).expect("there"), text);
}

#[test]
fn a_damaged_row_costs_that_message_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        kept.put(&message(id, n as i64, false, "words"));
    }
    kept.close();
    let database = Connection::open(plain_file(folder.path())).expect("open");
    let spoil = "UPDATE message SET writer = CAST(X'ff00fe' AS TEXT), more = '{' WHERE id = 'b'";
    database.execute(spoil, []).expect("spoilt");
    drop(database);
    let kept = Kept::open(folder.path());
    assert_eq!(kept.page(None, 10).0, ["a", "c"]);
    assert_eq!(kept.search("words"), ["a", "c"]);
    assert_eq!(kept.load().chats[0].unread, 3);
}
