//! Everybody who is known here, found by the beginnings of words.
//!
//! A sorted list of words of twelve bytes each ([`posting`]) leads to entries; what was added
//! lately waits in a small tree until there is enough of it to be sorted in. Work grows with how
//! many have the words, and nothing is allocated for an entry that is not looked at.

mod posting;
mod ranking;
mod usage;

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use offhook_model::{DirectoryEntry, SourceKind, Timestamp};

use posting::{Posting, postings};
pub use ranking::Found;
use usage::Use;

use crate::fields::name_of;
use crate::fold::squeezed;

/// Fewest postings that are sorted in at once.
const FRESH: usize = 4096;
/// Most addresses whose use is kept; those used least and longest ago are forgotten.
const MAX_USED: usize = 20_000;

/// All entries that are known here.
#[derive(Default)]
pub struct Index {
    docs: Vec<Doc>,
    /// What is known of each without a look at it: [`LIVES`], [`CONTACT`], [`USED`].
    marks: Vec<u8>,
    /// The beginning of each name, folded, for the order of those who are found equally well.
    names: Vec<u64>,
    /// Places in `docs` that no posting leads to any more.
    free: Vec<u32>,
    /// Places whose entry is gone and to which postings may still lead.
    gone: Vec<u32>,
    by_key: HashTable<u32>,
    hasher: RandomState,
    sorted: Vec<Posting>,
    fresh: BTreeSet<Posting>,
    used: HashMap<String, Use>,
}

/// A place of an entry.
#[derive(Default)]
struct Doc {
    entry: Option<Arc<DirectoryEntry>>,
}

/// There is an entry at the place.
const LIVES: u8 = 1;
/// It is somebody's contact.
const CONTACT: u8 = 2;
/// One of its addresses is in `used`.
const USED: u8 = 4;

impl Index {
    /// An index that knows nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Nobody is known.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Bytes that the index itself takes, without the entries.
    pub fn overhead(&self) -> usize {
        self.docs.capacity() * (size_of::<Doc>() + size_of::<u8>() + size_of::<u64>())
            + self.sorted.capacity() * size_of::<Posting>()
            + self.fresh.len() * size_of::<Posting>() * 2
            + self.by_key.allocation_size()
    }

    /// The entry that its source calls `id`.
    pub fn get(&self, source: SourceKind, id: &str) -> Option<&Arc<DirectoryEntry>> {
        self.docs[self.place(source, id)? as usize].entry.as_ref()
    }

    /// Adds an entry, in place of the one that its source calls the same.
    pub fn insert(&mut self, entry: DirectoryEntry) {
        let doc = self.add(entry);
        if let Some(entry) = &self.docs[doc as usize].entry {
            self.fresh.extend(postings(entry, doc));
        }
        if self.fresh.len() > FRESH.max(self.sorted.len() / 8) {
            self.settle();
        }
    }

    /// Adds many entries at once, which is cheaper than one by one.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = DirectoryEntry>) {
        for entry in entries {
            let doc = self.add(entry);
            if let Some(entry) = &self.docs[doc as usize].entry {
                self.sorted.extend(postings(entry, doc));
            }
        }
        self.settle();
        self.sorted.shrink_to_fit();
        self.docs.shrink_to_fit();
    }

    /// Takes an entry out. Says whether there was one.
    pub fn remove(&mut self, source: SourceKind, id: &str) -> bool {
        let Some(doc) = self.place(source, id) else { return false };
        let hash = self.hasher.hash_one((source, id));
        if let Ok(slot) = self.by_key.find_entry(hash, |&other| other == doc) {
            slot.remove();
        }
        self.docs[doc as usize] = Doc::default();
        self.marks[doc as usize] = 0;
        self.gone.push(doc);
        // Postings that lead nowhere are read for nothing.
        if self.gone.len() > FRESH.max(self.len() / 4) {
            self.settle();
        }
        true
    }

    /// Takes out all entries of a source that `keep` does not want.
    pub fn retain(&mut self, source: SourceKind, mut keep: impl FnMut(&DirectoryEntry) -> bool) {
        let unwanted: Vec<String> = self
            .entries()
            .filter(|entry| entry.source == source && !keep(entry))
            .map(|entry| entry.id.clone())
            .collect();
        for id in unwanted {
            self.remove(source, &id);
        }
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<DirectoryEntry>> {
        self.docs.iter().filter_map(|doc| doc.entry.as_ref())
    }

    /// Somebody was called, written to or chosen by this address or number. It counts for all
    /// entries that have it, those of later included.
    pub fn note_use(&mut self, address: &str, now: Timestamp) {
        let address = usage::key(address);
        if address.is_empty() {
            return;
        }
        if self.used.len() >= MAX_USED && !self.used.contains_key(&address) {
            self.forget_uses(now);
        }
        self.used.entry(address.clone()).or_default().again(now);
        for doc in self.holders(&address) {
            self.marks[doc as usize] |= USED;
        }
    }

    /// How often an address was used, what is long ago counting less.
    pub fn use_of(&self, address: &str, now: Timestamp) -> f32 {
        self.used.get(&usage::key(address)).map_or(0.0, |used| used.at(now))
    }

    fn forget_uses(&mut self, now: Timestamp) {
        let mut all: Vec<f32> = self.used.values().map(|used| used.at(now)).collect();
        let middle = all.len() / 2;
        let (_, bound, _) = all.select_nth_unstable_by(middle, f32::total_cmp);
        let bound = *bound;
        self.used.retain(|_, used| used.at(now) > bound);
    }

    fn add(&mut self, entry: DirectoryEntry) -> u32 {
        self.remove(entry.source, &entry.id);
        let hash = self.hasher.hash_one((entry.source, entry.id.as_str()));
        let mut name = [0; 8];
        for (to, from) in name.iter_mut().zip(squeezed(&name_of(&entry)).bytes()) {
            *to = from;
        }
        let name = u64::from_be_bytes(name);
        let used = !self.used.is_empty()
            && usage::addresses(&entry).any(|address| self.used.contains_key(&address));
        let contact = if ranking::is_contact(entry.source) { CONTACT } else { 0 };
        let mark = LIVES | contact | if used { USED } else { 0 };
        let doc = Doc { entry: Some(Arc::new(entry)) };
        let at = match self.free.pop() {
            Some(at) => {
                let place = at as usize;
                (self.docs[place], self.marks[place], self.names[place]) = (doc, mark, name);
                at
            }
            None => {
                self.docs.push(doc);
                self.marks.push(mark);
                self.names.push(name);
                u32::try_from(self.docs.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let Self { by_key, hasher, docs, .. } = self;
        by_key.insert_unique(hash, at, |&other| match &docs[other as usize].entry {
            Some(entry) => hasher.hash_one((entry.source, entry.id.as_str())),
            None => 0,
        });
        at
    }

    fn place(&self, source: SourceKind, id: &str) -> Option<u32> {
        let is = |&doc: &u32| {
            let entry = self.docs[doc as usize].entry.as_ref();
            entry.is_some_and(|entry| entry.source == source && entry.id == id)
        };
        self.by_key.find(self.hasher.hash_one((source, id)), is).copied()
    }

    /// Sorts in what waits, and lets go of what leads nowhere.
    fn settle(&mut self) {
        let docs = &self.docs;
        let lives = |posting: &Posting| docs[posting.doc as usize].entry.is_some();
        let fresh = std::mem::take(&mut self.fresh);
        self.sorted.reserve_exact(fresh.len());
        self.sorted.extend(fresh);
        if !self.gone.is_empty() {
            self.sorted.retain(lives);
        }
        // Stretches that are in order already cost the stable sort one look.
        self.sorted.sort();
        self.free.append(&mut self.gone);
    }
}
