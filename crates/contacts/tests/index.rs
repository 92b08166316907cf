//! The index finds whom a look at every entry would find, best first.

use offhook_contacts::{Index, Query};
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, SourceKind, Timestamp};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_000_000_000);
const DAY: i64 = 86_400_000;

fn person(source: SourceKind, id: &str, first: &str, last: &str) -> DirectoryEntry {
    let mut entry = DirectoryEntry::new(source, id);
    entry.first_name = Some(first.to_owned());
    entry.last_name = Some(last.to_owned());
    entry.display_name = Some(format!("{first} {last}"));
    entry
}

fn stranger(id: &str, first: &str, last: &str) -> DirectoryEntry {
    person(SourceKind::Ldap, id, first, last)
}

fn number(text: &str) -> PersonNumber {
    PersonNumber { kind: NumberKind::Work, number: text.to_owned() }
}

fn found(index: &Index, typed: &str) -> Vec<String> {
    let (found, _) = index.search(&Query::read(typed), 50, NOW);
    found.into_iter().map(|found| found.entry.id.clone()).collect()
}

fn team() -> Index {
    let mut index = Index::new();
    let mut mueller = stranger("mueller", "Jörg", "Müller");
    mueller.numbers = vec![number("+49 (0)30 1234-567"), number("4711")];
    mueller.title = Some("Senior Engineer".to_owned());
    mueller.department = Some("Research".to_owned());
    let mut obrien = stranger("obrien", "Mary-Ann", "O'Brien");
    obrien.mail = vec!["mary.obrien@lab.example".to_owned()];
    obrien.user_name = Some("mobrien1".to_owned());
    let mut ivan = stranger("ivan", "Иван", "Петров");
    ivan.im = "ipetrov@lab.example".parse().ok();
    index.extend([mueller, obrien, ivan, stranger("eleni", "Ελένη", "Weiß")]);
    index
}

#[test]
fn the_right_person_by_any_word() {
    let index = team();
    for typed in [
        "mül",
        "mue",
        "mul",
        "MULL",
        "jorg mu",
        "mu jo",
        "joerg",
        "engi",
        "müller sen",
        "4930",
        "030 12",
        "+49 30 1234",
        "+49 (0)30",
        "0049301",
        "1234",
        "567",
        "4567",
        "47",
        "711",
        "research",
        "(030) 1234-567",
    ] {
        assert_eq!(found(&index, typed), ["mueller"], "{typed}");
    }
    for typed in ["brien", "obri", "o'br", "mary-a", "maryann", "mobrien", "mary.obrien@lab"] {
        assert_eq!(found(&index, typed), ["obrien"], "{typed}");
    }
    for typed in ["ива", "iva", "petr", "ПЕТР", "ipet", "ipetrov@lab.example"] {
        assert_eq!(found(&index, typed), ["ivan"], "{typed}");
    }
    for typed in ["ελε", "ele", "weiss", "WEISS", "weiß", "weis"] {
        assert_eq!(found(&index, typed), ["eleni"], "{typed}");
    }
    for typed in ["", "   ", "üll", "mül petr", "lab", "ipetrov@other", "34567890", "67"] {
        assert!(found(&index, typed).is_empty(), "{typed}");
    }
}

#[test]
fn better_places_come_first() {
    let mut index = Index::new();
    let mut by_title = stranger("title", "Zoe", "Abel");
    by_title.title = Some("Annual reports".to_owned());
    let mut by_mail = stranger("mail", "Zoe", "Baker");
    by_mail.mail = vec!["ann@lab.example".to_owned()];
    let mut nick = stranger("nick", "Zoe", "Cook");
    nick.nickname = Some("Annie".to_owned());
    index.extend([by_title, by_mail, nick, stranger("whole", "Ann", "Young")]);
    index.extend([
        stranger("begin", "Annabel", "Adams"),
        person(SourceKind::Roster, "contact", "Anne", "Zimmer"),
    ]);
    assert_eq!(found(&index, "ann"), ["whole", "contact", "begin", "nick", "mail", "title"]);
    assert_eq!(found(&index, "zoe").len(), 3);
}

#[test]
fn who_is_called_every_day_comes_first_and_is_forgotten_slowly() {
    let mut index = Index::new();
    let mut daily = stranger("daily", "Annabel", "Zimmer");
    daily.mail = vec!["A.Zimmer@lab.example".to_owned()];
    daily.numbers = vec![number("+49 30 99")];
    index.extend([stranger("whole", "Ann", "Young"), daily.clone()]);
    assert_eq!(found(&index, "ann"), ["whole", "daily"]);
    for day in 0..4 {
        index.note_use("a.zimmer@LAB.example", Timestamp(NOW.0 - day * DAY));
    }
    assert_eq!(found(&index, "ann"), ["daily", "whole"]);
    let year = Timestamp(NOW.0 + 365 * DAY);
    let (later, _) = index.search(&Query::read("ann"), 9, year);
    assert_eq!(later[0].entry.id, "whole");
    // What is known of an address stays when the entry is read anew, and numbers count as well.
    index.insert(daily);
    assert_eq!(found(&index, "ann"), ["daily", "whole"]);
    index.note_use("+493099", NOW);
    assert!(index.use_of("+49 (0)30 99", NOW) > 0.9);
    assert!(index.use_of("+49 30 99", year) < 0.01);
}

#[test]
fn a_longer_text_keeps_the_order_of_equals() {
    let mut index = Index::new();
    let names = ["Schmidt", "Schmitt", "Schmied", "Schmid", "Schmitz"];
    for (at, name) in names.iter().enumerate() {
        index.insert(stranger(name, "Kim", &format!("{name}son{at}")));
    }
    let mut before = found(&index, "s");
    for typed in ["sc", "sch", "schm", "schmi", "schmit"] {
        let now = found(&index, typed);
        before.retain(|id| now.contains(id));
        assert_eq!(now, before, "{typed}");
    }
    assert_eq!(before.len(), 2);
}

#[test]
fn an_entry_is_replaced_and_removed() {
    let mut index = Index::new();
    index.insert(stranger("1", "Anna", "Old"));
    index.insert(stranger("1", "Anna", "New"));
    index.insert(person(SourceKind::Roster, "1", "Anna", "Third"));
    assert_eq!(index.len(), 2);
    assert!(found(&index, "old").is_empty());
    assert_eq!(found(&index, "new"), ["1"]);
    assert_eq!(index.get(SourceKind::Roster, "1").unwrap().last_name.as_deref(), Some("Third"));
    index.retain(SourceKind::Ldap, |_| false);
    assert!(!index.remove(SourceKind::Ldap, "1"));
    assert_eq!((index.len(), found(&index, "anna").len()), (1, 1));
}

#[test]
fn a_limit_says_that_there_are_more() {
    let mut index = Index::new();
    index.extend((0..500).map(|at| stranger(&at.to_string(), "Anna", &format!("Name{at:03}"))));
    let (found, more) = index.search(&Query::read("ann"), 10, NOW);
    assert!(more && found.len() == 10);
    assert_eq!(found[0].entry.last_name.as_deref(), Some("Name000"));
    let (found, more) = index.search(&Query::read("name00"), 10, NOW);
    assert!(!more && found.len() == 10);
}

/// What people are called, in several scripts, with few letters so that words meet.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[abäöüo]{1,4}",
        "[ab]{9,14}",
        "[aб]{1,3}",
        "[ab]{1,2}['.-][ab]{1,2}",
        "[0-2]{1,4}",
    ];
    prop::collection::vec(word, 1..3).prop_map(|words| words.join(" "))
}

fn digits() -> impl Strategy<Value = String> {
    prop_oneof!["[0-2]{1,6}", "\\+49 ?[0-2]{1,4}[ /-][0-2]{1,4}", "\\+49 \\(0\\)[1-2]{2} [0-2]{3}"]
}

fn entry() -> impl Strategy<Value = DirectoryEntry> {
    let option = || prop::option::of(text());
    let names = (option(), option(), option(), option());
    let mail = prop::collection::vec("[ab]{1,3}\\.[ab]{1,12}@[ab]\\.example", 0..2);
    let kind = prop_oneof![Just(SourceKind::Ldap), Just(SourceKind::Roster)];
    (kind, 0..30_u8, names, mail, prop::collection::vec(digits(), 0..3), option()).prop_map(
        |(source, id, (display, first, last, nick), mail, numbers, title)| {
            let mut entry = DirectoryEntry::new(source, id.to_string());
            entry.display_name = display;
            entry.first_name = first;
            entry.last_name = last;
            entry.nickname = nick;
            entry.mail = mail;
            entry.numbers = numbers.iter().map(|text| number(text)).collect();
            entry.title = title;
            entry
        },
    )
}

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![text(), digits(), "[ab]{1,3}\\.[ab]{1,2}@[ab.ex]{0,4}", "[ab]{10,13}"]
}

fn key(entry: &DirectoryEntry) -> (SourceKind, String) {
    (entry.source, entry.id.clone())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_index_finds_what_a_look_at_all_finds(
        bulk in prop::collection::vec(entry(), 0..20),
        single in prop::collection::vec(entry(), 0..20),
        gone in prop::collection::vec(0..30_u8, 0..8),
        typed in prop::collection::vec(typed(), 1..12),
    ) {
        let mut index = Index::new();
        let mut all: Vec<DirectoryEntry> = vec![];
        index.extend(bulk.clone());
        for entry in bulk.iter().chain(&single) {
            all.retain(|other| key(other) != key(entry));
            all.push(entry.clone());
        }
        for entry in single {
            index.insert(entry);
        }
        for id in gone.iter().map(u8::to_string) {
            let there = all.iter().any(|it| it.source == SourceKind::Ldap && it.id == id);
            prop_assert_eq!(index.remove(SourceKind::Ldap, &id), there);
            all.retain(|it| it.source != SourceKind::Ldap || it.id != id);
        }
        prop_assert_eq!(index.len(), all.len());
        for typed in typed {
            let query = Query::read(&typed);
            let (found, more) = index.search(&query, 100, NOW);
            prop_assert!(!more);
            prop_assert!(found.is_sorted_by(|a, b| a.score >= b.score));
            for hit in &found {
                prop_assert_eq!(hit.score, index.rate(&hit.entry, &query, NOW), "{}", typed);
            }
            let mut here: Vec<_> = found.iter().map(|hit| key(&hit.entry)).collect();
            let mut there: Vec<_> =
                all.iter().filter(|entry| query.finds(entry)).map(key).collect();
            here.sort();
            there.sort();
            prop_assert_eq!(here, there, "{}", typed);
        }
    }

    #[test]
    fn whoever_stays_keeps_their_place_among_equals(
        all in prop::collection::vec(entry(), 0..30),
        typed in "[abo]{2,6}",
    ) {
        let mut index = Index::new();
        index.extend(all);
        let (shorter, _) = index.search(&Query::read(&typed[..1]), 100, NOW);
        let (longer, _) = index.search(&Query::read(&typed), 100, NOW);
        let score = |list: &[offhook_contacts::Found], entry| {
            list.iter().position(|hit| key(&hit.entry) == entry).map(|at| (at, list[at].score))
        };
        for pair in longer.windows(2) {
            let places = pair.iter().map(|hit| score(&shorter, key(&hit.entry)));
            let [Some(a), Some(b)] = places.collect::<Vec<_>>()[..] else {
                prop_assert!(false, "who is found by more is found by less");
                return Ok(());
            };
            if a.1 == b.1 && pair[0].score == pair[1].score {
                prop_assert!(a.0 < b.0);
            }
        }
    }
}
