//! Encryption at rest: with a credential store, without one, and with one that lost or locked the
//! key; and the way from a history in clear to an encrypted one, cut short at each step.

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use keyring_core::{CredentialStore, Error, mock};
use offhook_model::{Keeping, SourceKind};
use offhook_ports::KeepingPlan;
use offhook_store::Keeper;
use support::{ALICE, Kept, message, on_disk, person, plain_file};

static STORE: OnceLock<Arc<CredentialStore>> = OnceLock::new();

fn unlocked() -> Result<Arc<CredentialStore>, Error> {
    let make = || -> Arc<CredentialStore> { mock::Store::new().expect("a store") };
    Ok(STORE.get_or_init(make).clone())
}

fn locked() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoStorageAccess("alice's keyring".into()))
}

fn absent() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoDefaultStore)
}

/// A keyring of a profile of its own.
fn keeper(folder: &Path, open: fn() -> Result<Arc<CredentialStore>, Error>) -> Option<Keeper> {
    Some(Keeper { service: folder.display().to_string(), open })
}

fn sealed(folder: &Path) -> Kept {
    Kept::with(folder, keeper(folder, unlocked), KeepingPlan::default())
}

fn opened(folder: &Path, open: fn() -> Result<Arc<CredentialStore>, Error>) -> (Kept, Keeping) {
    let kept = Kept::closed(folder, keeper(folder, open));
    let keeping = kept.opened(ALICE, KeepingPlan::default());
    (kept, keeping)
}

fn forget_key(folder: &Path) {
    let entry = unlocked()
        .and_then(|it| it.build(&folder.display().to_string(), &format!("{ALICE} (history)"), None))
        .expect("an entry");
    entry.delete_credential().expect("deleted");
}

fn history(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("data/history")).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn names(folder: &Path) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    history(folder).iter().map(name).collect()
}

fn in_clear(folder: &Path, text: &str) -> bool {
    history(folder).iter().any(|path| {
        let bytes = std::fs::read(path).expect("read");
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

const SECRET: &str = "plovergarden";

fn write(kept: &Kept, ids: std::ops::Range<i64>) {
    for n in ids {
        kept.put(&message(&format!("m{n}"), n, n % 2 == 0, &format!("{SECRET} number {n}")));
    }
}

fn check(kept: &Kept, count: usize) {
    assert_eq!(kept.page(None, 10_000).0.len(), count);
    assert_eq!(kept.search(SECRET).len(), count.min(10));
}

#[test]
fn with_a_key_no_file_holds_a_word_of_it_and_everything_is_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, keeping) = opened(folder.path(), unlocked);
    assert_eq!(keeping, Keeping { kept: true, encrypted: true, why: None });
    write(&kept, 0..50);
    // While it is open, so in the log as well.
    assert!(!in_clear(folder.path(), SECRET) && !in_clear(folder.path(), "SQLite format"));
    check(&kept, 50);
    kept.close();
    assert!(!in_clear(folder.path(), SECRET) && !in_clear(folder.path(), "SQLite format"));
    assert_eq!(names(folder.path()), ["alice@example.com.sealed"]);
    check(&sealed(folder.path()), 50);
}

/// Names, addresses, numbers and ids, while it is open and so in the log as well, and afterwards.
#[test]
fn with_a_key_no_file_holds_anything_of_people() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = "cn=ragnhild,ou=harbour,dc=example,dc=com";
    let people = [person(SourceKind::Own, "1f0e"), person(SourceKind::Ldap, id)];
    let clear = || {
        let words = ["Ragnhild", "ragnhild", "bjornstjerne", "22 55 51", "lighthouse", "1f0e", id];
        words.iter().any(|word| on_disk(folder.path(), word))
    };
    let kept = sealed(folder.path());
    kept.put_people(&people);
    assert!(names(folder.path()).iter().any(|name| name.ends_with("-wal")));
    assert!(!clear());
    kept.close();
    assert!(!clear());
    assert_eq!(sealed(folder.path()).people_since(0), people);
}

#[test]
fn people_in_clear_are_encrypted_with_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let people = [person(SourceKind::Own, "1f0e"), person(SourceKind::Uds, "ragnhild")];
    let kept = Kept::with(folder.path(), None, KeepingPlan::default());
    kept.put_people(&people);
    kept.close();
    assert!(in_clear(folder.path(), "lighthouse"));
    assert_eq!(sealed(folder.path()).people_since(0), people);
    assert!(!in_clear(folder.path(), "lighthouse"));
}

#[test]
fn without_a_store_it_is_kept_in_clear_and_that_is_said() {
    for (open, word) in [(absent as fn() -> _, "Secret Service"), (locked, "locked")] {
        let folder = tempfile::tempdir().expect("a folder");
        let (kept, keeping) = opened(folder.path(), open);
        assert!(keeping.kept && !keeping.encrypted);
        let why = keeping.why.expect("a reason");
        assert!(why.contains("without encryption") && why.contains(word), "{why}");
        assert!(!why.contains("alice"), "{why}");
        write(&kept, 0..5);
        kept.close();
        assert!(in_clear(folder.path(), SECRET));
        // A store that is there the next time gets its key, and what was there is encrypted.
        let (kept, keeping) = opened(folder.path(), unlocked);
        assert_eq!(keeping, Keeping { kept: true, encrypted: true, why: None });
        check(&kept, 5);
        kept.close();
        assert!(!in_clear(folder.path(), SECRET));
        assert_eq!(names(folder.path()), ["alice@example.com.sealed"]);
    }
}

#[test]
fn a_locked_store_leaves_the_history_alone_for_better_days() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = sealed(folder.path());
    write(&kept, 0..5);
    kept.close();
    for open in [locked as fn() -> _, absent] {
        let before = std::fs::read(&history(folder.path())[0]).expect("read");
        let (kept, keeping) = opened(folder.path(), open);
        assert!(!keeping.kept && !keeping.encrypted);
        let why = keeping.why.expect("a reason");
        assert!(why.contains("encrypted") && why.contains("sign in again"), "{why}");
        assert!(kept.load().shut, "there may be keys in it, so that no others are made");
        kept.put(&message("now", 1, true, "in memory"));
        assert_eq!(kept.page(None, 10).0, ["now"]);
        kept.close();
        assert_eq!(names(folder.path()), ["alice@example.com.sealed"]);
        assert_eq!(std::fs::read(&history(folder.path())[0]).expect("read"), before);
    }
    let kept = sealed(folder.path());
    assert!(!kept.load().shut);
    check(&kept, 5);
}

#[test]
fn a_lost_key_sets_the_history_aside_and_a_new_one_is_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 1..3 {
        let kept = sealed(folder.path());
        write(&kept, 0..5);
        kept.close();
        let before = std::fs::read(folder.path().join("data/history/alice@example.com.sealed"));
        forget_key(folder.path());
        let (kept, keeping) = opened(folder.path(), unlocked);
        assert!(keeping.kept && keeping.encrypted);
        assert!(keeping.why.is_some_and(|why| why.contains("set aside")));
        assert!(kept.page(None, 10).0.is_empty());
        let aside = format!("data/history/alice@example.com.aside-{round}.sealed");
        let after = std::fs::read(folder.path().join(aside));
        assert_eq!(after.expect("there"), before.expect("read"));
        kept.close();
    }
}

#[test]
fn a_damaged_beginning_is_set_aside_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = sealed(folder.path());
    write(&kept, 0..5);
    kept.close();
    let path = folder.path().join("data/history/alice@example.com.sealed");
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[0] ^= 1;
    std::fs::write(&path, &bytes).expect("written");
    let (kept, keeping) = opened(folder.path(), unlocked);
    assert!(keeping.encrypted && keeping.why.is_some());
    write(&kept, 0..3);
    check(&kept, 3);
    let aside = folder.path().join("data/history/alice@example.com.aside-1.sealed");
    assert_eq!(std::fs::read(aside).expect("there"), bytes);
}

/// The program may end between any two steps of the way from clear to encrypted.
#[test]
fn the_way_to_encryption_may_be_cut_short_anywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = Kept::with(folder.path(), None, KeepingPlan::default());
    write(&plain, 0..300);
    plain.close();
    let clear = std::fs::read(plain_file(folder.path())).expect("read");
    let kept = sealed(folder.path());
    check(&kept, 300);
    kept.close();
    let path = folder.path().join("data/history/alice@example.com.sealed");
    let whole = std::fs::read(&path).expect("read");
    let new = path.with_extension("sealed.new");

    // While it was being written, once it was written, and once it had its name.
    let halves = [0, 1, 4096, whole.len() / 2, whole.len()].map(|length| (length, false));
    for (length, named) in halves.into_iter().chain([(whole.len(), true)]) {
        let _ = std::fs::remove_file(&path);
        std::fs::write(plain_file(folder.path()), &clear).expect("written");
        std::fs::write(if named { &path } else { &new }, &whole[..length]).expect("written");
        let (kept, keeping) = opened(folder.path(), unlocked);
        assert_eq!(keeping, Keeping { kept: true, encrypted: true, why: None }, "{length}");
        check(&kept, 300);
        kept.close();
        assert_eq!(names(folder.path()), ["alice@example.com.sealed"], "{length}");
        assert!(!in_clear(folder.path(), SECRET));
    }
}

#[test]
fn a_log_in_clear_that_was_left_behind_is_encrypted_with_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = Kept::with(folder.path(), None, KeepingPlan::default());
    write(&plain, 0..20);
    // As the kill of the program leaves them.
    let log = plain_file(folder.path()).with_extension("db-wal");
    let files = [plain_file(folder.path()), log].map(|path| {
        let bytes = std::fs::read(&path).expect("read");
        (path, bytes)
    });
    plain.close();
    for (path, bytes) in &files {
        std::fs::write(path, bytes).expect("written");
    }
    check(&sealed(folder.path()), 20);
}
