//! A store in a folder of its own, asked one thing after the other.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use offhook_model::{
    Delivery, DirectoryEntry, Jid, Keeping, Message, MessageId, More, NumberKind, PersonNumber,
    SourceKind, Timestamp,
};
use offhook_ports::{KeepingPlan, Loaded, StoreAnswer, StoreRequest};
use offhook_store::{Keeper, Places, Store};

pub const ALICE: &str = "alice@example.com";

pub fn jid(text: &str) -> Jid {
    text.parse().expect("a JID")
}

pub fn bob() -> Jid {
    jid("bob@example.com")
}

pub fn message(id: &str, time: i64, own: bool, body: &str) -> Message {
    let alice = jid(ALICE);
    let (from, to) = if own { (alice, bob()) } else { (bob(), alice) };
    let state = if own { Delivery::Queued } else { Delivery::Delivered };
    Message {
        id: MessageId(id.into()),
        with: bob(),
        from,
        to,
        body: body.into(),
        time: Timestamp(time),
        own,
        state,
        error: None,
        more: More::default(),
    }
}

/// An entry with something in each kind of field.
pub fn person(source: SourceKind, id: &str) -> DirectoryEntry {
    DirectoryEntry {
        display_name: Some("Ragnhild Bjørnstjerne".into()),
        im: Some(jid("ragnhild@example.com")),
        mail: vec!["bjornstjerne@mail.example.com".into()],
        numbers: vec![PersonNumber { kind: NumberKind::Work, number: "+47 22 55 51 23".into() }],
        department: Some("\"Quoted\" & \\ 研究".into()),
        groups: vec!["lighthouse keepers".into()],
        ..DirectoryEntry::new(source, id)
    }
}

/// Text anywhere under the profile.
pub fn on_disk(folder: &Path, text: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.map(|entry| entry.expect("an entry").path()).any(|path| {
        if path.is_dir() {
            return on_disk(&path, text);
        }
        let bytes = std::fs::read(&path).expect("read");
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

/// A store whose account is opened.
pub struct Kept {
    pub store: Store,
}

impl Kept {
    pub fn open(folder: &Path) -> Self {
        Self::with(folder, None, KeepingPlan::default())
    }

    pub fn with(folder: &Path, keeper: Option<Keeper>, plan: KeepingPlan) -> Self {
        let kept = Self::closed(folder, keeper);
        kept.opened(ALICE, plan);
        kept
    }

    pub fn closed(folder: &Path, keeper: Option<Keeper>) -> Self {
        let places = Places { config: folder.join("config"), data: folder.join("data") };
        Self { store: Store::open(places, keeper).expect("opened").0 }
    }

    /// Opens an account's history; how it is kept.
    pub fn opened(&self, account: &str, plan: KeepingPlan) -> Keeping {
        match self.ask(StoreRequest::Open(account.into(), plan)) {
            StoreAnswer::Opened(keeping) => keeping,
            other => panic!("{other:?}"),
        }
    }

    /// Asks and waits for the answer.
    pub fn ask(&self, request: StoreRequest) -> StoreAnswer {
        let (send, receive) = sync_channel(1);
        self.store.submit(request, move |answer| drop(send.send(answer)));
        receive.recv().expect("an answer")
    }

    pub fn keep(&self, request: StoreRequest) {
        match self.ask(request) {
            StoreAnswer::Kept => {}
            other => panic!("{other:?}"),
        }
    }

    pub fn put(&self, message: &Message) {
        self.keep(StoreRequest::PutMessage(message.clone()));
    }

    pub fn load(&self) -> Loaded {
        match self.ask(StoreRequest::Load) {
            StoreAnswer::Loaded(loaded) => *loaded,
            other => panic!("{other:?}"),
        }
    }

    pub fn put_people(&self, entries: &[DirectoryEntry]) {
        let entries = entries.iter().cloned().map(Arc::new).collect();
        self.keep(StoreRequest::PutPeople(entries));
    }

    /// What is known of people that was told since then.
    pub fn people_since(&self, before: i64) -> Vec<DirectoryEntry> {
        match self.ask(StoreRequest::LoadPeople(Timestamp(before))) {
            StoreAnswer::People(people) => people,
            other => panic!("{other:?}"),
        }
    }

    /// The ids of all people who are known.
    pub fn people(&self) -> Vec<String> {
        self.people_since(0).into_iter().map(|entry| entry.id).collect()
    }

    pub fn messages(&self, request: StoreRequest) -> (Vec<Message>, bool) {
        match self.ask(request) {
            StoreAnswer::Messages { items, more } => (items, more),
            other => panic!("{other:?}"),
        }
    }

    pub fn page(&self, before: Option<&str>, limit: u32) -> (Vec<String>, bool) {
        let before = before.map(|id| MessageId(id.into()));
        let (items, more) = self.messages(StoreRequest::History { with: bob(), before, limit });
        (ids(&items), more)
    }

    pub fn get(&self, id: &str) -> Message {
        let (items, _) =
            self.messages(StoreRequest::History { with: bob(), before: None, limit: 1_000 });
        items.into_iter().find(|message| message.id.0 == id).expect("there")
    }

    pub fn search(&self, query: &str) -> Vec<String> {
        self.search_in(query, None)
    }

    pub fn search_in(&self, query: &str, with: Option<Jid>) -> Vec<String> {
        let query = query.to_owned();
        ids(&self.messages(StoreRequest::Search { query, with, limit: 10 }).0)
    }

    pub fn close(self) {
        self.store.close();
    }
}

pub fn ids(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.id.0.clone()).collect()
}

/// The account's database in clear.
pub fn plain_file(folder: &Path) -> std::path::PathBuf {
    folder.join("data/history/alice@example.com.db")
}
