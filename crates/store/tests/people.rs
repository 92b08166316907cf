//! What is kept of people: what sources say, for how long, and what of it an administrator's plan
//! lets stay.

mod support;

use offhook_model::{DirectoryEntry, SourceKind};
use offhook_ports::{KeepingPlan, StoreAnswer, StoreRequest};
use rusqlite::Connection;
use support::{ALICE, Kept, message, on_disk, person, plain_file};

const EVERYBODY: [SourceKind; 8] = [
    SourceKind::Own,
    SourceKind::Roster,
    SourceKind::Ldap,
    SourceKind::Uds,
    SourceKind::AddressBook,
    SourceKind::CardDav,
    SourceKind::Vcards,
    SourceKind::History,
];

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn none() -> KeepingPlan {
    KeepingPlan { history: false, ..KeepingPlan::default() }
}

/// One of ours and one of the directory.
fn both() -> [DirectoryEntry; 2] {
    [person(SourceKind::Own, "ours"), person(SourceKind::Ldap, "cn=theirs")]
}

/// Changes a closed history by hand.
fn change(folder: &std::path::Path, sql: &str) {
    let database = Connection::open(plain_file(folder)).expect("open");
    database.execute_batch(sql).expect("changed");
}

#[test]
fn what_each_source_says_is_there_again_and_told_anew_it_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    // One id, as directories that are no copies of each other may have it.
    let mut entries: Vec<_> = EVERYBODY.map(|source| person(source, "ragnhild")).into();
    let kept = Kept::open(folder.path());
    kept.put_people(&entries);
    assert_eq!(kept.people_since(0), entries);
    kept.close();
    let kept = Kept::open(folder.path());
    assert_eq!(kept.people_since(0), entries);
    let mut moved = entries.remove(2);
    moved.location = Some("the lighthouse".into());
    moved.numbers.clear();
    entries.push(moved.clone());
    kept.put_people(&[moved]);
    assert_eq!(kept.people_since(0), entries);
    kept.close();
    assert_eq!(Kept::open(folder.path()).people_since(0), entries);
}

#[test]
fn some_of_a_source_are_forgotten_or_all_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    let told = |source, ids: &[&str]| {
        let entries: Vec<_> = ids.iter().map(|id| person(source, id)).collect();
        kept.put_people(&entries);
    };
    told(SourceKind::Own, &["a", "b"]);
    told(SourceKind::Ldap, &["a", "b", "c"]);
    told(SourceKind::Uds, &["a"]);
    let some = vec!["a".to_owned(), "b".to_owned(), "nobody".to_owned()];
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Ldap, Some(some)));
    assert_eq!(kept.people(), ["a", "b", "c", "a"]);
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Uds, None));
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Ldap, Some(vec![])));
    assert_eq!(kept.people(), ["a", "b", "c"]);
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Own, Some(vec!["b".into()])));
    kept.close();
    let kept = Kept::open(folder.path());
    assert_eq!(kept.people(), ["a", "c"]);
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Own, None));
    assert_eq!(kept.people(), ["c"]);
}

#[test]
fn what_others_said_long_ago_is_forgotten_and_what_we_wrote_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put_people(&both());
    kept.put_people(&[person(SourceKind::Uds, "old")]);
    kept.close();
    change(folder.path(), "UPDATE person SET told = 1000 WHERE id IN ('old', 'ours')");
    let kept = Kept::open(folder.path());
    assert_eq!(kept.people_since(1_000).len(), 3, "not before that time");
    let recent: Vec<_> = kept.people_since(1_001).into_iter().map(|entry| entry.id).collect();
    assert_eq!(recent, ["ours", "cn=theirs"]);
    assert_eq!(kept.people(), ["ours", "cn=theirs"], "it is deleted, not hidden");
    // Told anew it is of today.
    kept.put_people(&[person(SourceKind::Uds, "old")]);
    assert_eq!(kept.people_since(1_001).len(), 3);
    // Some time has passed.
    assert_eq!(kept.people_since(i64::MAX), both()[..1]);
}

#[test]
fn the_days_of_messages_count_for_what_others_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put_people(&both());
    kept.put_people(&[person(SourceKind::Uds, "old")]);
    kept.close();
    let month = 31 * DAY;
    let back = format!("UPDATE person SET told = told - {month} WHERE id IN ('old', 'ours')");
    change(folder.path(), &back);
    let plan = KeepingPlan { retention_days: 30, ..KeepingPlan::default() };
    let kept = Kept::with(folder.path(), None, plan);
    assert_eq!(kept.people(), ["ours", "cn=theirs"]);
}

#[test]
fn without_a_history_what_others_said_is_there_until_signing_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::with(folder.path(), None, none());
    kept.put_people(&both());
    assert_eq!(kept.people_since(0), both());
    assert!(!on_disk(folder.path(), "cn=theirs") && on_disk(folder.path(), "ours"));
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Own, Some(vec!["nobody".into()])));
    kept.keep(StoreRequest::Close);
    kept.opened(ALICE, none());
    assert_eq!(kept.people(), ["ours"]);
    kept.put_people(&both());
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Own, None));
    assert_eq!(kept.people(), ["cn=theirs"]);
    kept.keep(StoreRequest::ForgetPeople(SourceKind::Ldap, None));
    kept.close();
    assert!(!on_disk(folder.path(), "cn=theirs"));
    assert!(Kept::with(folder.path(), None, none()).people().is_empty());
}

#[test]
fn what_others_said_is_deleted_with_the_history_and_kept_again_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put_people(&both());
    kept.opened(ALICE, none());
    assert_eq!(kept.people(), ["ours"]);
    kept.put_people(&[person(SourceKind::Uds, "later")]);
    kept.opened(ALICE, KeepingPlan::default());
    assert_eq!(kept.people(), ["ours", "later"]);
    kept.close();
    assert!(!on_disk(folder.path(), "cn=theirs"), "deleted text is overwritten");
    assert_eq!(Kept::open(folder.path()).people(), ["ours", "later"]);
}

#[test]
fn each_account_has_its_people_and_without_one_there_are_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    kept.put_people(&both());
    kept.opened("carol@example.com", KeepingPlan::default());
    assert!(kept.people().is_empty());
    kept.keep(StoreRequest::Close);
    let entries = vec![std::sync::Arc::new(person(SourceKind::Own, "ours"))];
    for request in [
        StoreRequest::PutPeople(entries),
        StoreRequest::ForgetPeople(SourceKind::Ldap, None),
        StoreRequest::LoadPeople(offhook_model::Timestamp(0)),
    ] {
        let answer = kept.ask(request);
        assert!(matches!(answer, StoreAnswer::Failed(_)), "{answer:?}");
    }
    kept.opened(ALICE, KeepingPlan::default());
    assert_eq!(kept.people_since(0), both());
}

#[test]
fn a_file_that_cannot_be_used_leaves_people_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = plain_file(folder.path());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, "this was never a database, whatever it is called").expect("written");
    let kept = Kept::open(folder.path());
    kept.put_people(&both());
    assert_eq!(kept.people_since(0), both());
    kept.close();
    assert!(!on_disk(folder.path(), "theirs"));
}

#[test]
fn a_damaged_row_costs_that_person_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    let entries: Vec<_> =
        ["a", "b", "c", "d", "e", "f"].map(|id| person(SourceKind::Ldap, id)).into();
    kept.put_people(&entries);
    kept.put(&message("m", 1, false, "words"));
    kept.close();
    change(
        folder.path(),
        "UPDATE person SET entry = '{' WHERE id = 'b';
         UPDATE person SET entry = CAST(X'ff00fe' AS TEXT) WHERE id = 'c';
         UPDATE person SET source = 99 WHERE id = 'd';
         UPDATE person SET told = 'never' WHERE id = 'e';
         UPDATE person SET id = CAST(X'ff00fe' AS TEXT) WHERE id = 'f'",
    );
    let kept = Kept::open(folder.path());
    let people = kept.people();
    assert!(people.contains(&"a".to_owned()), "{people:?}");
    assert!(["b", "c", "d", "f"].iter().all(|id| !people.contains(&(*id).to_owned())));
    // Those that are told again are well again.
    kept.put_people(&entries[1..4]);
    assert!(["a", "b", "c", "d"].iter().all(|id| kept.people().contains(&(*id).to_owned())));
    assert_eq!(kept.page(None, 10).0, ["m"]);
    // A history that is forbidden deletes damaged ones as well, and the way back is open.
    kept.opened(ALICE, none());
    assert!(kept.people().is_empty());
    kept.opened(ALICE, KeepingPlan::default());
    assert!(kept.people().is_empty());
}

#[test]
fn a_picture_for_a_person_has_its_name_from_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept::open(folder.path());
    let (bytes, id) = (b"a picture".to_vec(), offhook_store::photo_id(b"a picture"));
    kept.keep(StoreRequest::PutPhoto(id.clone(), bytes.clone()));
    let answer = kept.ask(StoreRequest::GetPhoto(id));
    assert!(matches!(&answer, StoreAnswer::Photo(_, Some(it)) if *it == bytes), "{answer:?}");
}
