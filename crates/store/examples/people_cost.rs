//! What keeping people costs: 10,000 and 100,000 entries of a directory, encrypted: until they are
//! kept, told again and read, and the bytes on disk. Prints one JSON object a line for `cargo xtask
//! bench contacts`.
#![expect(clippy::print_stdout, reason = "this is its output")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use keyring_core::{CredentialStore, Error, mock};
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, SourceKind, Timestamp};
use offhook_ports::{KeepingPlan, StoreAnswer, StoreRequest};
use offhook_store::{Keeper, Places, Store};

const ALICE: &str = "alice@example.com";

/// How many entries come at once, as a page of a directory does.
const PAGE: usize = 500;

fn keyring() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = mock::Store::new()?;
    let key = format!("xts-aes-256:{}", "0123456789abcdef".repeat(8));
    store.build("bench", &format!("{ALICE} (history)"), None)?.set_password(&key)?;
    Ok(store)
}

/// Somebody of a large organisation, with what directories usually hold.
fn person(n: usize) -> DirectoryEntry {
    let number = |kind, number| PersonNumber { kind, number };
    let id = format!("CN=Given{n} Family{n},OU=Users,OU=Site {},DC=example,DC=com", n % 40);
    DirectoryEntry {
        display_name: Some(format!("Given{n} Family{n}")),
        first_name: Some(format!("Given{n}")),
        last_name: Some(format!("Family{n}")),
        user_name: Some(format!("gfamily{n}")),
        im: format!("gfamily{n}@example.com").parse().ok(),
        mail: vec![format!("given{n}.family{n}@example.com")],
        numbers: vec![
            number(NumberKind::Work, format!("+49 30 1234 {n:06}")),
            number(NumberKind::Mobile, format!("+49 170 {n:08}")),
        ],
        title: Some("Engineer".into()),
        department: Some(format!("Department {}", n % 300)),
        company: Some("Example Corporation".into()),
        location: Some(format!("Site {}", n % 40)),
        ..DirectoryEntry::new(SourceKind::Ldap, id)
    }
}

fn open(folder: &Path) -> Store {
    let places = Places { config: folder.join("config"), data: folder.join("data") };
    let keeper = Keeper { service: "bench".into(), open: keyring };
    let (store, _) = Store::open(places, Some(keeper)).expect("opened");
    match ask(&store, StoreRequest::Open(ALICE.into(), KeepingPlan::default())) {
        StoreAnswer::Opened(keeping) if keeping.kept && keeping.encrypted => store,
        other => panic!("{other:?}"),
    }
}

fn ask(store: &Store, request: StoreRequest) -> StoreAnswer {
    let (send, receive) = sync_channel(1);
    store.submit(request, move |answer| drop(send.send(answer)));
    receive.recv().expect("an answer")
}

/// Puts everybody page by page, as fast as the queue takes them, and waits for the last answer.
fn put(store: &Store, people: &[Arc<DirectoryEntry>]) {
    for page in people.chunks(PAGE) {
        store.submit(StoreRequest::PutPeople(page.to_vec()), |answer| {
            assert!(matches!(answer, StoreAnswer::Kept), "{answer:?}");
        });
    }
    ask(store, StoreRequest::GetPhoto(offhook_model::PhotoId(String::new())));
}

fn size(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder.join("data/history")).expect("a folder").flatten();
    files.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum()
}

fn measure(total: usize) {
    let say = |what: &str, value: f64| {
        let what = format!("{total} people kept, encrypted: {what}");
        println!("{}", serde_json::json!({ "what": what, "value": value }));
    };
    let folder = std::env::temp_dir().join(format!("offhook-people-{}", std::process::id()));
    let store = open(&folder);
    let people: Vec<_> = (0..total).map(|n| Arc::new(person(n))).collect();
    for what in ["ms until all are kept", "ms until all are kept again"] {
        let begun = Instant::now();
        put(&store, &people);
        say(what, begun.elapsed().as_secs_f64() * 1_000.0);
    }
    store.close();
    say("bytes each", size(&folder) as f64 / total as f64);
    let store = open(&folder);
    let begun = Instant::now();
    match ask(&store, StoreRequest::LoadPeople(Timestamp(0))) {
        StoreAnswer::People(loaded) if loaded.len() == total => {}
        _ => panic!("they are not all there"),
    }
    say("ms until all are read", begun.elapsed().as_secs_f64() * 1_000.0);
    store.close();
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    for total in [10_000, 100_000] {
        measure(total);
    }
}
