//! Transactions by name and by the time at which they want to be looked at.
//!
//! Over UDP each stays for half a minute after its end, so that a phone with fifty calls a second
//! has thousands. Looking at all of them after every message would cost more than the message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What wants to be looked at some time.
pub(super) trait Timed {
    /// When; nothing means only a message can change anything.
    fn due(&self) -> Option<Instant>;
    /// It may be forgotten.
    fn is_over(&self) -> bool;
}

/// See the module. Every change goes through [`Shelf::change`], which files anew what it changed.
pub(super) struct Shelf<K, V> {
    items: BTreeMap<K, V>,
    due: BTreeSet<(Instant, K)>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), due: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V: Timed> Shelf<K, V> {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.items.get(key)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.items.values()
    }

    /// Puts a new one there; nobody else has its name.
    pub fn insert(&mut self, key: K, value: V) {
        if let Some(at) = value.due() {
            self.due.insert((at, key.clone()));
        }
        self.items.insert(key, value);
    }

    /// Changes one, and forgets it when it is over by that.
    pub fn change<T>(&mut self, key: &K, work: impl FnOnce(&mut V) -> T) -> Option<T> {
        let item = self.items.get_mut(key)?;
        let before = item.due();
        let done = work(item);
        let (after, over) = (item.due(), item.is_over());
        if before != after || over {
            if let Some(at) = before {
                self.due.remove(&(at, key.clone()));
            }
            if let Some(at) = after.filter(|_| !over) {
                self.due.insert((at, key.clone()));
            }
        }
        if over {
            self.items.remove(key);
        }
        Some(done)
    }

    /// Keeps those of which `keeps` says so.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &V) -> bool) {
        let due = &mut self.due;
        self.items.retain(|key, item| {
            let kept = keeps(key, item);
            if let Some(at) = item.due().filter(|_| !kept) {
                due.remove(&(at, key.clone()));
            }
            kept
        });
    }

    /// When the first one is due.
    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Changes each that is due by now, the earliest first, and forgets those that are over by that.
    pub fn change_due(&mut self, now: Instant, mut work: impl FnMut(&K, &mut V)) {
        let late = self.due.iter().take_while(|(at, _)| *at <= now);
        let late: Vec<K> = late.map(|(_, key)| key.clone()).collect();
        for key in late {
            self.change(&key, |item| work(&key, item));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Shelf, Timed};

    struct Item(Option<Instant>, bool);

    impl Timed for Item {
        fn due(&self) -> Option<Instant> {
            self.0
        }

        fn is_over(&self) -> bool {
            self.1
        }
    }

    #[test]
    fn what_changes_is_due_at_its_new_time_and_what_is_over_never() {
        #[expect(clippy::disallowed_methods, reason = "some point to count from")]
        let begin = Instant::now();
        let at = |seconds| Some(begin + Duration::from_secs(seconds));
        let mut shelf = Shelf::default();
        shelf.insert("a", Item(at(3), false));
        shelf.insert("b", Item(at(5), false));
        shelf.insert("c", Item(None, false));
        assert_eq!(shelf.next(), at(3));
        shelf.change(&"a", |item| item.0 = at(9));
        assert_eq!(shelf.next(), at(5));
        let mut seen = vec![];
        shelf.change_due(begin + Duration::from_secs(5), |key, item| {
            seen.push(*key);
            item.0 = at(7);
        });
        assert_eq!((seen, shelf.next()), (vec!["b"], at(7)));
        shelf.change(&"b", |item| item.1 = true);
        assert_eq!((shelf.len(), shelf.next()), (2, at(9)));
        shelf.retain(|key, _| *key == "c");
        assert_eq!((shelf.len(), shelf.next()), (1, None));
        assert!(shelf.get(&"c").is_some() && shelf.change(&"a", |_| ()).is_none());
    }
}
