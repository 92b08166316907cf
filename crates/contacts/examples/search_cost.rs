//! What a search costs, in time and memory: `cargo run --release -p offhook-contacts --example
//! search_cost`. Prints p50 and p95 of searches of one letter to whole names, in milliseconds.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]
#![allow(clippy::cast_precision_loss, clippy::unwrap_used, reason = "a measurement")]

use std::time::Instant;

use offhook_contacts::{Index, Query};
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, SourceKind, Timestamp};

/// Results that a window shows.
const LIMIT: usize = 100;

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap() % bound
    }

    /// Syllables, so that beginnings repeat as those of names do.
    fn name(&mut self, syllables: usize) -> String {
        const SOUNDS: [&str; 40] = [
            "an", "ma", "sch", "mi", "ber", "ger", "lo", "ri", "na", "el", "jo", "ha", "ne", "ter",
            "mül", "ler", "wei", "ka", "ro", "sen", "son", "to", "vi", "do", "fe", "gu", "hei",
            "ing", "ja", "ke", "li", "mo", "no", "os", "pe", "re", "sa", "ste", "ul", "wal",
        ];
        (0..syllables).map(|_| SOUNDS[self.below(SOUNDS.len())]).collect()
    }
}

fn entry(chance: &mut Chance, at: usize) -> DirectoryEntry {
    const TITLES: [&str; 6] =
        ["Engineer", "Senior Engineer", "Administrator", "Sales Manager", "Team Lead", "Director"];
    let (syllables, more) = (chance.below(2), chance.below(2));
    let first = chance.name(1 + syllables);
    let last = chance.name(2 + more);
    let user = format!("{}{}{at}", &first[..1], last);
    let mut entry = DirectoryEntry::new(SourceKind::Ldap, format!("cn={at},ou=people,dc=lab"));
    entry.display_name = Some(format!("{first} {last}"));
    entry.mail = vec![format!("{first}.{last}{at}@lab.example")];
    entry.im = format!("{user}@lab.example").parse().ok();
    entry.user_name = Some(user);
    entry.first_name = Some(first);
    entry.last_name = Some(last);
    let number = format!("+49 30 {:04}-{:04}", chance.below(10_000), at % 10_000);
    entry.numbers = vec![PersonNumber { kind: NumberKind::Work, number }];
    entry.title = Some(TITLES[chance.below(TITLES.len())].to_owned());
    entry.department = Some(format!("Department {}", chance.below(200)));
    entry
}

fn main() {
    let now = Timestamp(1_795_000_000_000);
    println!("entries    kind             p50 ms   p95 ms   slowest");
    for total in [10_000, 100_000, 1_000_000] {
        let mut chance = Chance(0x0ff_400c);
        let entries: Vec<DirectoryEntry> = (0..total).map(|at| entry(&mut chance, at)).collect();
        let samples: Vec<DirectoryEntry> =
            (0..200).map(|_| entries[chance.below(total)].clone()).collect();
        let mut index = Index::new();
        let begun = Instant::now();
        index.extend(entries);
        let built = begun.elapsed();
        let cut = |text: &Option<String>, letters: usize| -> String {
            text.as_deref().unwrap_or_default().chars().take(letters).collect()
        };
        type Typed<'a> = (&'a str, &'a dyn Fn(&DirectoryEntry) -> String);
        let kinds: [Typed<'_>; 9] = [
            ("one letter", &|it| cut(&it.last_name, 1)),
            ("two letters", &|it| cut(&it.last_name, 2)),
            ("three letters", &|it| cut(&it.last_name, 3)),
            ("whole name", &|it| cut(&it.display_name, 99)),
            ("two words", &|it| format!("{} {}", cut(&it.first_name, 2), cut(&it.last_name, 2))),
            ("title, long", &|it| format!("administrator {}", cut(&it.first_name, 1))),
            ("mail", &|it| it.mail[0][..it.mail[0].len() - 4].to_owned()),
            ("number", &|it| it.numbers[0].number[4..].to_owned()),
            ("last digits", &|it| it.numbers[0].number[it.numbers[0].number.len() - 4..].into()),
        ];
        for (name, typed) in kinds {
            let mut times: Vec<f64> = vec![];
            for sample in &samples {
                let typed = typed(sample);
                let begun = Instant::now();
                let (found, _) = index.search(&Query::read(&typed), LIMIT, now);
                times.push(begun.elapsed().as_secs_f64() * 1000.0);
                assert!(!found.is_empty() || name == "title, long", "{typed}");
            }
            times.sort_by(f64::total_cmp);
            let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
            println!(
                "{total:>9}  {name:<15}  {:>6.2}   {:>6.2}   {:>6.2}",
                at(50),
                at(95),
                at(100)
            );
        }
        let mut times: Vec<f64> = vec![];
        for added in 0..20_000 {
            let entry = entry(&mut chance, total + added);
            let begun = Instant::now();
            index.insert(entry);
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{total:>9}  built in {} ms; {} bytes an entry besides it; an insert p95 {:.3} ms, slowest {:.1} ms",
            built.as_millis(),
            index.overhead() / index.len(),
            times[times.len() * 95 / 100],
            times[times.len() - 1],
        );
    }
}
