//! The order in which the targets of SRV records are tried (RFC 2782, "Usage rules").

use offhook_ports::Srv;

/// Sorts records by priority, and by a weighted draw among equals. The same seed gives the same
/// order.
pub fn rank(records: Vec<Srv>, seed: u64) -> Vec<Srv> {
    rank_by(records, seed, |record| (record.priority, record.weight))
}

/// The same for anything that carries a priority and a weight.
pub(crate) fn rank_by<T>(mut items: Vec<T>, seed: u64, key: impl Fn(&T) -> (u16, u16)) -> Vec<T> {
    // Within a priority, records of weight 0 stand first, so that the draw seldom takes them.
    items.sort_by_key(&key);
    let mut chance = Chance(seed);
    let mut ranked = Vec::with_capacity(items.len());
    while let Some(first) = items.first() {
        let priority = key(first).0;
        let equals = items.iter().take_while(|item| key(item).0 == priority).count();
        let total: u64 = items.iter().take(equals).map(|item| u64::from(key(item).1)).sum();
        let drawn = chance.up_to(total);
        let mut sum = 0;
        let chosen = items.iter().take(equals).position(|item| {
            sum += u64::from(key(item).1);
            sum >= drawn
        });
        ranked.push(items.remove(chosen.unwrap_or(0)));
    }
    ranked
}

/// SplitMix64: repeatable chance from a seed.
struct Chance(u64);

impl Chance {
    /// A number from 0 to `most`, both included. The bias of the remainder is below 2⁻³².
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % (most + 1)
    }
}

#[cfg(test)]
mod tests {
    use offhook_ports::Srv;

    use super::rank;

    fn records(list: &[(u16, u16, &str)]) -> Vec<Srv> {
        let record = |(priority, weight, target): &(u16, u16, &str)| Srv {
            priority: *priority,
            weight: *weight,
            port: 8443,
            target: (*target).to_owned(),
        };
        list.iter().map(record).collect()
    }

    fn first_of(list: &[(u16, u16, &str)], seed: u64) -> String {
        rank(records(list), seed).first().map(|record| record.target.clone()).unwrap_or_default()
    }

    #[test]
    fn priority_outranks_weight() {
        for seed in 0..50 {
            let ranked = rank(records(&[(20, 65_535, "c"), (10, 0, "a"), (10, 0, "b")]), seed);
            assert_eq!(ranked.last().map(|record| record.target.as_str()), Some("c"));
        }
    }

    #[test]
    fn weights_are_shares() {
        let list = [(10, 75, "heavy"), (10, 25, "light")];
        let heavy = (0..4000).filter(|seed| first_of(&list, *seed) == "heavy").count();
        assert!((2800..3200).contains(&heavy), "{heavy} of 4000");
    }

    #[test]
    fn weight_zero_is_seldom_first_and_never_lost() {
        let list = [(10, 100, "some"), (10, 0, "none")];
        let zero = (0..4000).filter(|seed| first_of(&list, *seed) == "none").count();
        assert!(zero < 120, "{zero} of 4000");
        assert_eq!(rank(records(&list), 7).len(), 2);
    }

    #[test]
    fn the_same_seed_gives_the_same_order() {
        let list = [(1, 10, "a"), (1, 10, "b"), (1, 10, "c"), (0, 0, "d")];
        assert_eq!(rank(records(&list), 42), rank(records(&list), 42));
        assert!(rank(vec![], 1).is_empty());
    }
}
