//! Kills the program while it writes, again and again, and looks at what is left. The program is
//! this test itself, started once more as a child.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use keyring_core::{CredentialStore, Error, mock};
use offhook_model::{
    Delivery, DirectoryEntry, Jid, Message, MessageId, More, SourceKind, Timestamp,
};
use offhook_ports::{Amendment, KeepingPlan, StoreAnswer, StoreRequest};

use crate::keys::Keys;
use crate::opening;
use crate::passwords::Vault;
use crate::{Keeper, Places, Store};

const ALICE: &str = "alice@example.com";

/// Tells the child where to write, and that it is one.
const FOLDER: &str = "OFFHOOK_STORE_CRASH_FOLDER";

/// How often the child is killed, with and without encryption; and after how many times a new
/// folder is begun, so that looking through it stays quick.
const ROUNDS: u64 = 50;
const ROUNDS_A_FOLDER: u64 = 5;

/// A credential store that has a key already, the same in each process.
fn keyring() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = mock::Store::new()?;
    let digits: String =
        (0..128_u32).map(|n| char::from(b"0123456789abcdef"[n as usize % 16])).collect();
    store
        .build("crash", &format!("{ALICE} (history)"), None)?
        .set_password(&format!("xts-aes-256:{digits}"))?;
    Ok(store)
}

fn keeper(encrypted: bool) -> Option<Keeper> {
    encrypted.then(|| Keeper { service: "crash".into(), open: keyring })
}

fn is_encrypted(folder: &Path) -> bool {
    folder.ends_with("sealed")
}

fn jid(text: &str) -> Jid {
    text.parse().expect("a JID")
}

fn message(id: &str, n: i64) -> Message {
    let (alice, bob) = (jid(ALICE), jid("bob@example.com"));
    let own = n % 3 == 0;
    Message {
        id: MessageId(id.into()),
        with: bob.clone(),
        from: if own { alice.clone() } else { bob.clone() },
        to: if own { bob } else { alice },
        body: format!("the {n}th of many words that are looked for"),
        time: Timestamp(1_700_000_000_000 + n),
        own,
        state: if own { Delivery::Queued } else { Delivery::Delivered },
        error: None,
        more: More::default(),
    }
}

/// What is done with the nth message: written, then moved on or changed, or a person with its id
/// is written.
fn wishes(id: &str, n: i64) -> Vec<(char, StoreRequest)> {
    let message = message(id, n);
    let mut wishes = vec![('m', StoreRequest::PutMessage(message.clone()))];
    match n % 3 {
        0 => wishes.push(('d', StoreRequest::SetDelivery(message.id, Delivery::Sent, None))),
        1 => wishes.push((
            'a',
            StoreRequest::Amend {
                with: message.with,
                id: message.id,
                change: Box::new(Amendment::Body {
                    by: message.from,
                    body: "changed".into(),
                    html: None,
                }),
            },
        )),
        _ => {
            let source = if n % 2 == 0 { SourceKind::Own } else { SourceKind::Ldap };
            let entry = Arc::new(DirectoryEntry::new(source, id));
            wishes.push(('p', StoreRequest::PutPeople(vec![entry])));
        }
    }
    wishes
}

/// Writes as fast as it can until it is killed, and says what was answered `Kept`.
#[test]
#[ignore = "the child of the test below"]
#[expect(clippy::disallowed_methods, reason = "this is how the parent speaks to its child")]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let run = std::process::id();
    let places = Places { config: folder.join("config"), data: folder.join("data") };
    let (store, _) = Store::open(places, keeper(is_encrypted(folder))).expect("opened");
    store.submit(StoreRequest::Open(ALICE.into(), KeepingPlan::default()), drop);
    // Bounded, in case nobody comes to kill it.
    for n in 0..1_000_000 {
        let id = format!("{run}-{n}");
        for (kind, wish) in wishes(&id, n) {
            let id = id.clone();
            store.submit(wish, move |answer| {
                if matches!(answer, StoreAnswer::Kept) {
                    let _ = writeln!(std::io::stdout(), "\n{kind} {id}");
                }
            });
        }
    }
}

/// Everything that was answered, by message.
type Answered = BTreeMap<String, Vec<char>>;

/// Lets a child run for a while, counted from its start or from its first answer, and kills it.
fn run_and_kill(folder: &Path, after_first: bool, milliseconds: u64, answered: &mut Answered) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let told = BufReader::new(child.stdout.take().expect("its words"));
    let (begun, first) = sync_channel(1);
    let reader = std::thread::spawn(move || {
        let lines = told.split(b'\n').map_while(Result::ok);
        let note = lines.inspect(|line| {
            if line.starts_with(b"m ") {
                let _ = begun.try_send(());
            }
        });
        note.collect::<Vec<_>>()
    });
    if after_first {
        let _ = first.recv_timeout(Duration::from_secs(20));
    }
    std::thread::sleep(Duration::from_millis(milliseconds));
    child.kill().expect("killed");
    child.wait().expect("gone");
    let lines = reader.join().expect("read");
    // The last line may be cut short.
    let whole = lines.len().saturating_sub(1);
    for line in lines.iter().take(whole).map(|line| String::from_utf8_lossy(line)) {
        if let Some((kind @ ("m" | "d" | "a" | "p"), id)) = line.split_once(' ')
            && id.contains('-')
        {
            answered.entry(id.to_owned()).or_default().extend(kind.chars());
        }
    }
}

/// Opens what is left and looks through it.
fn look(folder: &Path, answered: &Answered) {
    let vault = Vault::start(keeper(is_encrypted(folder))).expect("started");
    let keys = Keys::new(vault.jobs());
    let history = folder.join("data/history");
    let mut history =
        opening::open(&history, ALICE, KeepingPlan::default(), &keys).expect("opened");
    let keeping = history.keeping().clone();
    assert_eq!((keeping.kept, keeping.encrypted), (true, is_encrypted(folder)), "{keeping:?}");
    let base = history.messages().expect("messages");
    let check: Option<String> = base.one("PRAGMA integrity_check", []).expect("checked");
    assert_eq!(check.as_deref(), Some("ok"));
    base.run("INSERT INTO word (word, rank) VALUES ('integrity-check', 1)", [])
        .expect("the index fits the messages");
    let mut there = BTreeMap::new();
    base.each(None, |message| {
        assert!(there.insert(message.id.0.clone(), message).is_none(), "twice");
        Ok(())
    })
    .expect("read");
    let people = history.load_people(Timestamp(0)).expect("read");
    let people: BTreeSet<_> = people.into_iter().map(|entry| entry.id).collect();
    for (id, kinds) in answered {
        let message = there.get(id).unwrap_or_else(|| panic!("{id} was answered and is not there"));
        assert!(!kinds.contains(&'d') || message.state == Delivery::Sent, "{id}");
        assert!(!kinds.contains(&'a') || message.body == "changed", "{id}");
        assert!(!kinds.contains(&'p') || people.contains(id), "{id}");
    }
    let unread = there.values().filter(|message| !message.own).count();
    let loaded = history.load().expect("loaded");
    assert_eq!(loaded.chats.iter().map(|chat| chat.unread as usize).sum::<usize>(), unread);
}

#[test]
fn what_was_answered_outlives_a_kill_at_any_moment() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut all: BTreeMap<std::path::PathBuf, Answered> = BTreeMap::new();
    for round in 0..ROUNDS {
        let group = round / 2 / ROUNDS_A_FOLDER;
        let name = if round % 2 == 0 { "plain" } else { "sealed" };
        let folder = scratch.path().join(group.to_string()).join(name);
        // A fixed series of pauses; where in its work they meet the child is chance.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let answered = all.entry(folder.clone()).or_default();
        // One in five is killed while it starts, for that is when files are made.
        run_and_kill(&folder, !state.is_multiple_of(5), state % 90, answered);
        if folder.join("data/history").exists() {
            look(&folder, answered);
        }
    }
    for encrypted in [false, true] {
        let of_kind = all.iter().filter(|(folder, _)| is_encrypted(folder) == encrypted);
        let seen: usize = of_kind.map(|(_, answered)| answered.len()).sum();
        assert!(seen > 200, "the children hardly wrote: {seen}");
    }
}
