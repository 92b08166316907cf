//! Databases that others made: an earlier version, a later one, and what is none.

mod support;

use offhook_model::{Delivery, MessageId, Mos, SourceKind};
use offhook_ports::{KeepingPlan, StoreRequest};
use rusqlite::Connection;
use support::{ALICE, Kept, bob, ids, message, person, plain_file};

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

/// The shape of version 5, the last before people were kept, with what it held.
const VERSION_5: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE call (
        number INTEGER PRIMARY KEY, remote TEXT NOT NULL, name TEXT, incoming INTEGER NOT NULL,
        started INTEGER NOT NULL, seconds INTEGER NOT NULL, missed INTEGER NOT NULL, mos INTEGER
    );
    CREATE INDEX call_time ON call (started);
    CREATE TABLE chat (
        number INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL DEFAULT 0,
        name TEXT, draft TEXT NOT NULL DEFAULT '', alerts INTEGER NOT NULL DEFAULT 0,
        encrypt INTEGER, known INTEGER NOT NULL DEFAULT 0, last INTEGER,
        unread INTEGER NOT NULL DEFAULT 0, mentions INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX chat_last ON chat (last);
    CREATE TABLE message (
        number INTEGER PRIMARY KEY, chat INTEGER NOT NULL, id TEXT NOT NULL, writer TEXT NOT NULL,
        reader TEXT NOT NULL, body TEXT NOT NULL, time INTEGER NOT NULL, own INTEGER NOT NULL,
        state INTEGER NOT NULL, error TEXT, archive TEXT, author TEXT,
        named INTEGER NOT NULL DEFAULT 0, more TEXT, unplaced INTEGER NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX message_id ON message (id, chat);
    CREATE UNIQUE INDEX message_archive ON message (archive, chat) WHERE archive IS NOT NULL;
    CREATE INDEX message_chat ON message (chat);
    CREATE INDEX message_unread ON message (chat) WHERE own = 0 AND state < 3;
    CREATE INDEX message_waiting ON message (state) WHERE own = 1 AND state = 0;
    CREATE INDEX message_unplaced ON message (unplaced) WHERE unplaced = 1;
    CREATE TABLE archive (place TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE value (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
    CREATE VIEW spoken AS
        SELECT number, apart(body) AS body, 'c' || chat AS place FROM message;
    CREATE VIRTUAL TABLE word USING fts5(
        body, place, content = 'spoken', content_rowid = 'number', prefix = '2 3',
        tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co So Sk'\"
    );
    CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
        INSERT INTO word (word, rowid, body, place)
        VALUES ('delete', old.number, apart(old.body), 'c' || old.chat);
    END;
    CREATE TRIGGER message_changed AFTER UPDATE OF number, body ON message
    WHEN old.number IS NOT new.number OR old.body IS NOT new.body BEGIN
        INSERT INTO word (word, rowid, body, place)
        VALUES ('delete', old.number, apart(old.body), 'c' || old.chat);
        INSERT INTO word (rowid, body, place)
        VALUES (new.number, apart(new.body), 'c' || new.chat);
    END;
    INSERT INTO chat (number, address, known, draft, last, unread)
        VALUES (1, 'bob@example.com', 1, 'begun', 4096000, 1);
    INSERT INTO message (number, chat, id, writer, reader, body, time, own, state) VALUES
        (4096000, 1, 'a', 'bob@example.com', 'alice@example.com', 'Grüße', 1000, 0, 2);
    INSERT INTO word (rowid, body, place) VALUES (4096000, 'Grüße', 'c1');
    INSERT INTO call VALUES (1, '2002', 'Bob', 1, 5, 0, 1, 412);
    INSERT INTO value VALUES ('key', 'private');
    PRAGMA user_version = 5;
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
fn a_history_of_version_5_is_brought_up_and_takes_people() {
    let folder = tempfile::tempdir().expect("a folder");
    make(folder.path(), VERSION_5);
    for people in [vec![], vec!["cn=ragnhild".to_owned()]] {
        let kept = Kept::open(folder.path());
        assert_eq!(kept.search("gruß"), ["a"]);
        let loaded = kept.load();
        assert_eq!((loaded.calls[0].mos, loaded.values.len()), (Some(Mos(412)), 1));
        assert_eq!((loaded.chats[0].unread, loaded.chats[0].draft.as_str()), (1, "begun"));
        assert_eq!(kept.people(), people);
        kept.put_people(&[person(SourceKind::Ldap, "cn=ragnhild")]);
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
