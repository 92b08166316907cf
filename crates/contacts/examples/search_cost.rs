//! What finding people costs while somebody types, among as many as the first argument says. Prints
//! one JSON object a line for `cargo xtask bench contacts`.
//!
//! The people are made of a fixed seed: names of twelve languages in four scripts, few of them
//! frequent and most rare (Zipf), with what directories hold. One in fifty, a thousand at most, is
//! in the contact list as well. What is timed is a key: from the text in the search box until the
//! persons are there who are to be shown, merged, in order and with why they were found.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a measurement")]
#![expect(clippy::cast_sign_loss, clippy::unwrap_used, reason = "a measurement")]

use std::sync::Arc;
use std::time::Instant;

use any_ascii::any_ascii;
use offhook_contacts::numbers::comparable;
use offhook_contacts::{Index, Known, Query, Search, SearchLimits, merge};
use offhook_model::{DirectoryEntry, Moment, NumberKind, PersonNumber, SourceKind, Timestamp};

/// Given names, family names, and how family names may go on.
const NAMES: [[&str; 3]; 12] = [
    ["Anna Jörg Günther Käthe Max Sophie", "Müll Schmid Weiß Schäf Bäck Krüg", "er ler t mann s"],
    [
        "Zoë François Hélène Luc Chloé Rémi",
        "Lefèv Garn Mar Dub Beaum Gér",
        "re ier tin ois ont ard",
    ],
    ["José María Iñigo Lucía Raúl Ana", "Garc Muñ Núñ Fernánd Ibáñ Lóp", "ía oz ez eda ero"],
    [
        "Łukasz Agnieszka Jan Żaneta Paweł",
        "Kowal Wiśniew Wójcik Zieliń Dąbrow",
        "ski czyk ska ik owicz",
    ],
    ["Jiří Šárka Tomáš Žofie Luboš Eva", "Novot Dvoř Černo Hruš Řezní Kuč", "ný ák vá ka ek era"],
    [
        "Åsa Bjørn Søren Ragnhild Örjan Liv",
        "Bjørn Lind Håk Østerg Niel Sjö",
        "son sen berg gren ström dal",
    ],
    ["Şule Çağlar Gökçe İbrahim Ömer Ece", "Yıl Öz Kaya Çeli Güne Şah", "maz türk oğlu k ş in dız"],
    ["Анна Дмитрий Сергей Ольга Иван", "Петр Иван Кузнец Соколов Лебед", "ов ова ский енко ев ин"],
    [
        "Ελένη Γιώργος Μαρία Νίκος Σοφία",
        "Παπαδ Γεωργ Δημητρ Νικολα Αθαν",
        "όπουλος ίου άκης ίδης έας",
    ],
    ["王伟 李娜 张敏 Wei Xiaoming Jing", "王 李 陈 Zhang Chen Huang", "明 华 g ng a 芳"],
    ["Haruto Yūki 陽菜 さくら Ken Emi", "田 Tana 鈴 Suzu Yama 佐", "中 ka ki moto 木 藤"],
    ["Thị Văn Đức Hương Minh Ngọc", "Nguyễ Trầ Phạ Đặ Lê Hoà", "n m ng nh"],
];

/// How many persons are shown at most, as the window does.
const SHOWN: usize = 200;

/// Chance of a fixed seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % bound
    }

    /// A place, the first the most frequent.
    fn rank(&mut self, bound: usize) -> usize {
        let even = self.below(1 << 30) as f64 / f64::from(1 << 30);
        (((bound + 1) as f64).powf(even) - 1.0) as usize % bound
    }

    fn word<'a>(&mut self, words: &'a str) -> &'a str {
        let all: Vec<&str> = words.split(' ').collect();
        all[self.rank(all.len())]
    }
}

fn entry(chance: &mut Chance, at: usize) -> DirectoryEntry {
    const TITLES: [&str; 6] =
        ["Engineer", "Senior Engineer", "Administrator", "Sales Manager", "Team Lead", "Director"];
    let [given, family, ending] = NAMES[chance.below(NAMES.len())];
    let first = chance.word(given).to_owned();
    let mut last = chance.word(family).to_owned() + chance.word(ending);
    // Rare names: every third goes on.
    if chance.below(3) == 0 {
        last += chance.word(ending);
    }
    let plain = |text: &str| any_ascii(text).to_lowercase().replace(' ', "");
    let user = format!("{}{}{at}", &plain(&first)[..1], plain(&last));
    let mut entry = DirectoryEntry::new(SourceKind::Ldap, format!("cn={user},ou=people,dc=lab"));
    entry.display_name = Some(format!("{first} {last}"));
    entry.mail = vec![format!("{}.{}{at}@lab.example", plain(&first), plain(&last))];
    entry.im = format!("{user}@lab.example").parse().ok();
    entry.user_name = Some(user);
    entry.first_name = Some(first);
    entry.last_name = Some(last);
    let number = |kind, number| PersonNumber { kind, number };
    entry.numbers = vec![
        number(NumberKind::Work, format!("+49 30 {:04}-{:04}", chance.below(10_000), at % 10_000)),
        number(NumberKind::Mobile, format!("+49 171 {:07}", chance.below(10_000_000))),
    ];
    entry.title = Some(TITLES[chance.below(TITLES.len())].to_owned());
    entry.department = Some(format!("Department {}", chance.below(200)));
    entry
}

/// The same person in the contact list.
fn contact(of: &DirectoryEntry) -> DirectoryEntry {
    let mut entry = DirectoryEntry::new(SourceKind::Roster, of.im.as_ref().unwrap().to_string());
    entry.display_name.clone_from(&of.display_name);
    entry.im.clone_from(&of.im);
    entry
}

fn everybody(total: usize) -> impl Iterator<Item = DirectoryEntry> {
    let mut chance = Chance(0x0ff_400c);
    let contacts = (total / 50).min(1_000);
    let step = total / contacts.max(1);
    (0..total).flat_map(move |at| {
        let entry = entry(&mut chance, at);
        let contact = (at % step == 0).then(|| contact(&entry));
        contact.into_iter().chain([entry])
    })
}

/// Texts as they stand in the box, key by key, for one person.
fn typed(it: &DirectoryEntry) -> Vec<(&'static str, String)> {
    let first = it.first_name.as_deref().unwrap();
    let last: Vec<char> = it.last_name.as_deref().unwrap().to_lowercase().chars().collect();
    let begin = |letters: usize| last.iter().take(letters).collect::<String>();
    let number = it.numbers[0].number.as_str();
    let last_four = number[number.len() - 4..].to_owned();
    let mut all = vec![("one letter", begin(1)), ("three letters", begin(3))];
    all.extend((4..=last.len()).map(|letters| ("each letter after them", begin(letters))));
    let plain = any_ascii(&begin(4)).to_lowercase();
    if plain != begin(4) {
        all.push(("letters without their marks", plain));
    }
    all.push(("first name and a letter", format!("{first} {}", begin(1))));
    // Any of the ten: some of them begin a group of everybody's number.
    all.push(("one digit", last_four[3..].to_owned()));
    all.push(("last four digits", last_four));
    all.push(("a whole number", number.replace(' ', "")));
    all
}

/// A scan that knows no index: all texts of everybody, folded beforehand and one behind the other,
/// a line each; how many lines have all words.
fn scan(lines: &[String], text: &str) -> usize {
    let folded = fold(text);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-".contains(&byte));
    let words: Vec<String> = match digits {
        true => vec![folded.replace(['+', '-', ' '], "")],
        false => folded.split_whitespace().map(|word| format!(" {word}")).collect(),
    };
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

fn fold(text: &str) -> String {
    any_ascii(text).to_lowercase()
}

fn line(entry: &DirectoryEntry) -> String {
    let texts = [&entry.first_name, &entry.last_name, &entry.user_name, &entry.title];
    let mut line = String::new();
    for text in texts.into_iter().flatten().chain(&entry.mail).chain(&entry.department) {
        line += " ";
        line += &fold(text);
    }
    for number in &entry.numbers {
        line += " ";
        line.extend(number.number.chars().filter(char::is_ascii_digit));
    }
    line
}

/// Figures of one kind of text, in milliseconds.
#[derive(Default)]
struct Kind {
    name: &'static str,
    /// Until the index has said who it is.
    found: Vec<f64>,
    /// Until they are as they are shown.
    shown: Vec<f64>,
    /// Until a scan has said who it is.
    scanned: Vec<f64>,
}

/// Time since then, in milliseconds. Of the system's clock, which others who work beside it make
/// longer: the processor's time of a thread moves in steps of 4 ms here.
fn since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// The figure that a share of all, in hundredths, is not above.
fn at(times: &mut [f64], share: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() * share / 100).min(times.len() - 1)]
}

/// Bytes of this process that are in memory.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kib: f64 = line.and_then(|it| it.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
    kib * 1024.0
}

fn say(what: &str, value: f64, scan: Option<f64>) {
    // Names and figures only, so nothing needs an escape.
    let scan = scan.map(|scan| format!(",\"scan\":{scan}")).unwrap_or_default();
    println!("{{\"what\":\"{what}\",\"value\":{value}{scan}}}");
}

fn main() {
    let total = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(10_000);
    let now = Moment { at: Instant::now(), wall: Timestamp(1_795_000_000_000) };

    let before = resident();
    let mut index = Index::new();
    index.extend(everybody(total));
    say("bytes each, with the entry", (resident() - before) / total as f64, None);
    say("bytes each, of the index", index.overhead() as f64 / total as f64, None);
    drop(index);

    let entries: Vec<DirectoryEntry> = everybody(total).collect();
    let lines: Vec<String> = entries.iter().map(line).collect();
    let mut chance = Chance(0x5eed);
    let samples: Vec<DirectoryEntry> = (0..200)
        .map(|_| entries[chance.below(entries.len())].clone())
        .filter(|entry| entry.last_name.is_some())
        .collect();
    let mut index = Index::new();
    let begun = Instant::now();
    index.extend(entries);
    say("ms until the index stands", since(begun), None);
    for colleague in samples.iter().take(50) {
        index.note_use(colleague.im.as_ref().unwrap().bare_str(), now.wall);
    }

    let country = "DE".parse().ok();
    let number = |text: &str| comparable(text, country);
    let known = Known { index: &index, number: &number };
    let (mut keys, mut merges) = (vec![], vec![]);
    let mut kinds: Vec<Kind> = vec![];
    for (nth, sample) in samples.iter().enumerate() {
        let mut search = Search::new(SearchLimits { most: SHOWN, ..SearchLimits::default() });
        for (name, text) in typed(sample) {
            if !kinds.iter().any(|kind| kind.name == name) {
                kinds.push(Kind { name, ..Kind::default() });
            }
            let kind = kinds.iter_mut().find(|kind| kind.name == name).unwrap();

            let begun = Instant::now();
            search.handle_typed(&text, known, now);
            let key = since(begun);
            keys.push(key);
            kind.shown.push(key);
            while search.poll().is_some() {}
            assert!(!search.shown().people.is_empty(), "nobody for {text}");

            let begun = Instant::now();
            let (found, _) = index.search(&Query::read(&text), SHOWN, now.wall);
            kind.found.push(since(begun));

            let found: Vec<Arc<DirectoryEntry>> = found.into_iter().map(|it| it.entry).collect();
            let begun = Instant::now();
            assert!(merge(&found, number).len() <= found.len());
            merges.push(since(begun));

            // A scan takes as long for every text; a few are enough.
            if nth < 20 {
                let begun = Instant::now();
                assert!(scan(&lines, &text) > 0, "nobody for {text}");
                kind.scanned.push(since(begun));
            }
        }
    }
    for mut kind in kinds {
        let name = kind.name;
        let scanned = at(&mut kind.scanned, 95);
        say(&format!("{name}: ms until found, p95"), at(&mut kind.found, 95), Some(scanned));
        for (called, share) in [("p50", 50), ("p95", 95), ("p99", 99), ("worst", 100)] {
            say(&format!("{name}: ms until shown, {called}"), at(&mut kind.shown, share), None);
        }
    }
    for share in [50, 95, 99] {
        say(&format!("any key: ms until shown, p{share}"), at(&mut keys, share), None);
    }
    say("any key, of that making persons of entries: ms, p99", at(&mut merges, 99), None);
}
