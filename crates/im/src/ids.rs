//! Ids for what we send: unique in a session by a counter, between sessions by the seed, and
//! recognisable as ours by the account's mark.

use offhook_model::Jid;

/// Gives out ids.
#[derive(Debug)]
pub(crate) struct Ids {
    mark: String,
    seed: u64,
    given: u64,
}

impl Ids {
    /// A source for this account. Two sessions need different seeds.
    pub(crate) fn new(me: &Jid, seed: u64) -> Self {
        let account = me.bare_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { mark: format!("oh{:08x}-", account as u32), seed, given: 0 }
    }

    /// A new id.
    pub(crate) fn next(&mut self) -> String {
        self.given += 1;
        let mixed = mix(self.seed.wrapping_add(self.given.wrapping_mul(GOLDEN)));
        format!("{}{mixed:016x}{:x}", self.mark, self.given)
    }

    /// A new number, for names that others should not have thought of.
    pub(crate) fn number(&mut self) -> u64 {
        self.given += 1;
        mix(self.seed.wrapping_add(self.given.wrapping_mul(GOLDEN)))
    }

    /// Whether this account, in any session, would write such an id. A stranger must not be able
    /// to replace one of our messages by sending its id back with other words.
    pub(crate) fn is_ours(&self, id: &str) -> bool {
        id.starts_with(&self.mark)
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output step of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Ids;

    #[test]
    fn ids_differ_within_and_between_sessions_and_are_known_as_ours() {
        let me = "alice@example.com".parse().expect("valid");
        let (mut one, mut two) = (Ids::new(&me, 1), Ids::new(&me, 2));
        let all: BTreeSet<String> = (0..500).flat_map(|_| [one.next(), two.next()]).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|id| one.is_ours(id)));
        let other = Ids::new(&"bob@example.com".parse().expect("valid"), 1).next();
        assert!(!one.is_ours(&other));
    }
}
