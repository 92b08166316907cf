//! What the history costs: a burst of messages, signing in and searching over a million of them,
//! encrypted. Prints one JSON object a line for `cargo xtask bench history`.
//!
//! The messages are made of a fixed seed: 500 conversations, words of a list in which few are
//! frequent and most are rare, as in any language (Zipf), 3 to 20 a message, a year long.
#![expect(clippy::print_stdout, reason = "this is its output")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use keyring_core::{CredentialStore, Error, mock};
use offhook_model::{Delivery, Jid, Message, MessageId, More, Timestamp};
use offhook_ports::{KeepingPlan, StoreAnswer, StoreRequest};
use offhook_store::{Keeper, Places, Store};

const ALICE: &str = "alice@example.com";
const CHATS: u64 = 500;
const YEAR: u64 = 365 * 24 * 60 * 60 * 1_000;

fn keyring() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = mock::Store::new()?;
    let key = format!("xts-aes-256:{}", "0123456789abcdef".repeat(8));
    store.build("bench", &format!("{ALICE} (history)"), None)?.set_password(&key)?;
    Ok(store)
}

/// Chance of a fixed seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// A rank of 20,000, the first the most frequent.
    fn rank(&mut self) -> u64 {
        let uniform = self.below(1 << 52) as f64 / (1_u64 << 52) as f64;
        (20_000_f64.powf(uniform) - 1.0) as u64
    }
}

/// The word of a rank: syllables, so that beginnings are shared.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 20] = [
        "me", "ta", "ri", "con", "so", "la", "ven", "di", "pra", "mo", "ke", "tu", "fi", "ran",
        "bel", "go", "si", "nor", "ha", "wi",
    ];
    let mut rest = rank;
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[(rest % 20) as usize]);
        rest /= 20;
        if rest == 0 {
            return word;
        }
    }
}

fn message(chance: &mut Chance, n: u64, total: u64) -> Message {
    let with: Jid = format!("user{}@example.com", chance.below(CHATS)).parse().expect("a JID");
    let alice: Jid = ALICE.parse().expect("a JID");
    let own = chance.below(2) == 0;
    let words = 3 + chance.below(18);
    let body: Vec<String> = (0..words).map(|_| word(chance.rank())).collect();
    Message {
        id: MessageId(format!("{n:08x}-{:012x}", chance.below(1 << 48))),
        from: if own { alice.clone() } else { with.clone() },
        to: if own { with.clone() } else { alice },
        with,
        body: body.join(" "),
        time: Timestamp((1_700_000_000_000 + n * (YEAR / total)) as i64),
        own,
        state: if own { Delivery::Sent } else { Delivery::Read },
        error: None,
        more: More::default(),
    }
}

fn open(folder: &Path) -> Store {
    let places = Places { config: folder.join("config"), data: folder.join("data") };
    let keeper = Keeper { service: "bench".into(), open: keyring };
    let (store, _) = Store::open(places, Some(keeper)).expect("opened");
    let plan = KeepingPlan::default();
    match ask(&store, StoreRequest::Open(ALICE.into(), plan)) {
        StoreAnswer::Opened(keeping) if keeping.kept && keeping.encrypted => store,
        other => panic!("{other:?}"),
    }
}

fn ask(store: &Store, request: StoreRequest) -> StoreAnswer {
    let (send, receive) = sync_channel(1);
    store.submit(request, move |answer| drop(send.send(answer)));
    receive.recv().expect("an answer")
}

/// Sends messages as they come, and waits for the last answer.
fn put(store: &Store, chance: &mut Chance, range: std::ops::Range<u64>, total: u64) {
    for n in range {
        store.submit(StoreRequest::PutMessage(message(chance, n, total)), |answer| {
            assert!(matches!(answer, StoreAnswer::Kept), "{answer:?}");
        });
    }
    ask(store, StoreRequest::GetPhoto(offhook_model::PhotoId(String::new())));
}

/// User and system time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn say(what: &str, value: f64) {
    println!("{}", serde_json::json!({ "what": what, "value": value }));
}

/// The median of nine, in milliseconds.
fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[4]
}

fn main() {
    let total: u64 = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let folder = std::env::temp_dir().join(format!("offhook-history-cost-{}", std::process::id()));
    let store = open(&folder);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);

    let (begun, before) = (Instant::now(), cpu());
    put(&store, &mut chance, 0..10_000, total);
    say("burst of 10,000 messages: CPU ms", (cpu() - before).as_secs_f64() * 1_000.0);
    say("burst of 10,000 messages: ms until all are kept", begun.elapsed().as_secs_f64() * 1_000.0);

    put(&store, &mut chance, 10_000..total, total);
    store.close();
    let size: u64 = std::fs::read_dir(folder.join("data/history"))
        .expect("a folder")
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|about| about.len())
        .sum();
    say("bytes a message", size as f64 / total as f64);

    let begun = Instant::now();
    let store = open(&folder);
    let loaded = match ask(&store, StoreRequest::Load) {
        StoreAnswer::Loaded(loaded) => loaded,
        other => panic!("{other:?}"),
    };
    assert_eq!(loaded.chats.len() as u64, CHATS.min(total));
    say("opened and 500 conversations loaded: ms", begun.elapsed().as_secs_f64() * 1_000.0);

    let user: Jid = "user7@example.com".parse().expect("a JID");
    let mut worst: f64 = 0.0;
    for (query, with) in [
        (word(0), None),
        (word(3_000), None),
        (word(19_999), None),
        (format!("{} {}", word(5), word(900)), None),
        (format!("{} {}", word(0), word(1)), None),
        ("me".to_owned(), None),
        ("meta".to_owned(), None),
        ("metari".to_owned(), None),
        (word(0), Some(user.clone())),
        (word(900), Some(user.clone())),
        ("con".to_owned(), Some(user)),
        ("nothing like it".to_owned(), None),
    ] {
        let scope = if with.is_some() { " in one conversation" } else { "" };
        let mut found = 0;
        let ms = median(|| {
            let request =
                StoreRequest::Search { query: query.clone(), with: with.clone(), limit: 50 };
            if let StoreAnswer::Messages { items, .. } = ask(&store, request) {
                found = items.len();
            }
        });
        eprint_figure(&query, scope, found, ms);
        worst = worst.max(ms);
    }
    say("slowest of twelve searches: ms", worst);
    store.close();
    let _ = std::fs::remove_dir_all(&folder);
}

#[expect(clippy::print_stderr, reason = "the single searches, for who looks closer")]
fn eprint_figure(query: &str, scope: &str, found: usize, ms: f64) {
    eprintln!("{query}{scope}: {found} found in {ms:.2} ms");
}
