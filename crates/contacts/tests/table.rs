//! Tables of other programs become people, and people become tables.

use offhook_contacts::table::{MAX_LINES, Table, read, write};
use offhook_contacts::vcard::MAX_CARDS;
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, SourceKind};

macro_rules! seed {
    ($path:literal) => {
        include_bytes!(concat!("../corpus/table/", $path)).as_slice()
    };
}

fn table(data: &[u8]) -> Table {
    read(data, SourceKind::Own).expect("a table")
}

fn numbers(entry: &DirectoryEntry) -> Vec<(NumberKind, &str)> {
    entry.numbers.iter().map(|it| (it.kind, it.number.as_str())).collect()
}

fn names(table: &Table) -> Vec<&str> {
    table.people.iter().filter_map(|it| it.display_name.as_deref()).collect()
}

#[test]
fn what_outlook_writes_is_read() {
    let table = table(seed!("outlook.csv"));
    assert_eq!((names(&table), table.left_out), (vec!["Jörg Müller", "Zoë Miller"], 0));
    let entry = &table.people[0];
    assert_eq!(entry.first_name.as_deref(), Some("Jörg"));
    assert_eq!(entry.last_name.as_deref(), Some("Müller"));
    assert_eq!(
        numbers(entry),
        [
            (NumberKind::Work, "+49 (30) 5550142"),
            (NumberKind::Work, "2001"),
            (NumberKind::Mobile, "0170 5550142")
        ],
        "nobody calls a facsimile machine"
    );
    assert_eq!(entry.company.as_deref(), Some("Example, Inc."));
    assert_eq!(entry.department.as_deref(), Some("Sales"));
    assert_eq!(entry.title.as_deref(), Some("Engineer"), "not how he is addressed");
    assert_eq!(entry.location.as_deref(), Some("Berlin, Germany"));
    assert_eq!(entry.mail, ["joerg@example.com"], "nothing that is no mail address");
    assert_eq!(entry.groups, ["Friends", "Work, Team"]);
    assert_eq!(entry.id, "Jörg Müller|joerg@example.com|+49 (30) 5550142");
    assert_eq!(table.people[1].location.as_deref(), Some("Paris"));
}

#[test]
fn what_outlook_writes_in_german_is_read() {
    let table = table(seed!("outlook-de.csv"));
    let [entry] = table.people.as_slice() else { panic!("{table:?}") };
    assert_eq!(entry.display_name.as_deref(), Some("Jürgen Weiß"));
    assert_eq!(
        numbers(entry),
        [(NumberKind::Work, "0221 555-42"), (NumberKind::Mobile, "0171 5550142")]
    );
    assert_eq!(entry.mail, ["juergen@example.com", "weiss@example.org"]);
    assert_eq!(entry.title.as_deref(), Some("Leiter"));
    assert_eq!(entry.department.as_deref(), Some("Einkauf"));
    assert_eq!(entry.company.as_deref(), Some("Beispiel GmbH"));
    assert_eq!(entry.location.as_deref(), Some("Köln, Deutschland"));
    assert_eq!(entry.groups, ["Kunden"]);
}

#[test]
fn what_google_writes_and_wrote_is_read() {
    let today = table(seed!("google.csv"));
    let [entry] = today.people.as_slice() else { panic!("{today:?}") };
    assert_eq!(entry.display_name.as_deref(), Some("Søren Ångström"));
    assert_eq!(entry.nickname.as_deref(), Some("Ang"));
    assert_eq!(
        numbers(entry),
        [
            (NumberKind::Mobile, "+46 70 555 01 42"),
            (NumberKind::Mobile, "+46 70 555 01 43"),
            (NumberKind::Work, "+46 8 555 01 42")
        ]
    );
    assert_eq!(entry.mail, ["soren@example.com", "s@example.com", "soren@example.org"]);
    assert_eq!(entry.groups, ["Friends", "Chess"]);
    assert_eq!(entry.location.as_deref(), Some("Uppsala, SE"));
    let before = table(seed!("google-2016.csv"));
    assert_eq!(names(&before), ["Alice Smith", "Bob Stone"]);
    let im = |at: usize| before.people[at].im.as_ref().map(|im| im.bare_str().to_owned());
    assert_eq!((im(0), im(1)), (Some("alice@chat.example.com".into()), None));
    assert_eq!(numbers(&before.people[0]), [(NumberKind::Other, "2001")]);
    assert!(before.people[0].groups.is_empty() && before.people[1].numbers.is_empty());
    assert_eq!(before.people[0].company.as_deref(), Some("Example"));
}

#[test]
fn contact_lists_of_im_and_presence_are_read() {
    let table = table(seed!("presence.csv"));
    let ims: Vec<_> =
        table.people.iter().filter_map(|it| Some(it.im.as_ref()?.bare_str())).collect();
    assert_eq!(ims, ["bob@example.com", "zoe@example.com"]);
    assert_eq!(names(&table), ["Bob Stone"]);
    assert_eq!(table.people[1].groups, ["Work"]);
}

#[test]
fn tabs_and_columns_of_ones_own_are_read() {
    let table = table(seed!("tabs.csv"));
    let [entry] = table.people.as_slice() else { panic!("{table:?}") };
    assert_eq!(entry.display_name.as_deref(), Some("Zoë Ünal"));
    assert_eq!(numbers(entry), [(NumberKind::Other, "0221 555"), (NumberKind::Mobile, "0171 555")]);
    assert_eq!(entry.im.as_ref().map(|im| im.bare_str()), Some("zoe@chat.example.com"));
    assert_eq!(entry.uris, ["zoe@voice.example.com"]);
}

#[test]
fn a_bad_line_is_left_out_and_told_and_costs_no_other() {
    let table = table(seed!("broken.csv"));
    assert_eq!(names(&table), ["Anna", "Dora", "Emil", "Two lines"]);
    assert_eq!((table.left_out, table.lines.as_slice()), (4, [6, 7, 8, 13].as_slice()));
}

#[test]
fn many_bad_lines_are_counted_and_the_first_are_told() {
    let mut text = "Name,Phone\n".to_owned();
    text.extend((0..50).map(|_| "a,1,too many\n\"never closed,1\n"));
    text += "Zoe,1\n";
    let table = table(text.as_bytes());
    assert_eq!((names(&table), table.left_out), (vec!["Zoe"], 100));
    assert_eq!(table.lines, (2..).take(MAX_LINES).collect::<Vec<_>>());
}

#[test]
fn what_is_no_table_is_told_by_what_is_in_it() {
    let card = b"BEGIN:VCARD\r\nFN:Name,Phone\r\nEND:VCARD\r\n".as_slice();
    for data in [b"".as_slice(), b"hello", b"\xff\xfe", b"a,b,c\n1,2,3\n", card, b"sep=;", b"\"\""]
    {
        assert!(read(data, SourceKind::Own).is_none(), "{data:?}");
    }
    assert!(read(b"Name", SourceKind::Own).is_some_and(|table| table == Table::default()));
}

#[test]
fn rows_fields_and_lists_are_bounded() {
    let mut text = "Name,Phone,E-mail,Phone 1 - Value\n".to_owned();
    let many: Vec<String> = (0..100).map(|at| format!("m{at}@example.com")).collect();
    let numbers: Vec<String> = (0..100).map(|at| at.to_string()).collect();
    let name = format!("\u{202e}{}", "x".repeat(100_000));
    text += &format!("{name},{0},{1},{0}\n", numbers.join(" ::: "), many.join(" ::: "));
    text.extend((0..MAX_CARDS + 5).map(|at| format!("n{at},{at},,\n")));
    let table = table(text.as_bytes());
    assert_eq!((table.people.len(), table.left_out), (MAX_CARDS, 1));
    let first = &table.people[0];
    assert_eq!((first.numbers.len(), first.mail.len()), (32, 32));
    let name = first.display_name.as_deref().expect("a name");
    assert!(name.chars().count() == 256 && name.starts_with('\u{fffd}'));
}

#[test]
fn hostile_files_take_no_longer_than_they_are_long() {
    // Each of them took minutes if lines were read again and again, or every name compared.
    for text in [
        format!("Name{}\n", ",Phone 1 - Value".repeat(200_000)),
        format!("Name,Phone\n{}", "\"\n".repeat(500_000)),
        format!("Name,Phone\n{}", "\"x\r\n\"y\"z,1,2,3\r\n".repeat(100_000)),
        format!("Name\n{}", "\r\n".repeat(1_000_000)),
        format!("Name\n{}", ",1\n".repeat(1_000_000)),
    ] {
        let table = read(text.as_bytes(), SourceKind::Own).expect("a table");
        assert!(table.lines.len() <= MAX_LINES);
    }
}

#[test]
fn what_is_written_reads_the_same() {
    let number = |kind, number: &str| PersonNumber { kind, number: number.into() };
    let alice = DirectoryEntry {
        display_name: Some("Alice \"Al\" Smith, PhD".into()),
        first_name: Some("Alice".into()),
        last_name: Some("Smith".into()),
        nickname: Some("Al".into()),
        im: Some("alice@example.com".parse().expect("an address")),
        uris: vec!["alice@voice.example.com".into(), "a@voice.example.com".into()],
        mail: vec!["alice@example.com".into(), "a@example.com".into(), "b@example.com".into()],
        numbers: vec![
            number(NumberKind::Work, "2001"),
            number(NumberKind::Work, "+49 30 5550142"),
            number(NumberKind::Home, "+49 30 5550143"),
            number(NumberKind::Other, "3"),
        ],
        title: Some("Head; of things".into()),
        department: Some("R&D".into()),
        company: Some("Example, Inc.".into()),
        location: Some("Köln, Germany".into()),
        groups: vec!["Friends".into(), "A, B".into()],
        ..DirectoryEntry::new(SourceKind::Own, "1")
    };
    let bob = DirectoryEntry {
        display_name: Some("=HYPERLINK(\"http://x.example\")".into()),
        numbers: vec![number(NumberKind::Mobile, "+49 170 5550142")],
        ..DirectoryEntry::new(SourceKind::Own, "2")
    };
    let written = write([&alice, &bob].into_iter());
    assert!(written.starts_with("\u{feff}First Name,Last Name,Display Name".as_bytes()));
    let table = table(&written);
    let [first, second] = table.people.as_slice() else { panic!("{table:?}") };
    assert_eq!(DirectoryEntry { id: "1".into(), ..first.clone() }, alice);
    let name = second.display_name.as_deref();
    assert_eq!(name, Some("'=HYPERLINK(\"http://x.example\")"), "no spreadsheet computes it");
    assert_eq!(second.numbers, bob.numbers, "a number stays as it is");
    let nobody = write(std::iter::empty());
    assert!(table.left_out == 0 && read(&nobody, SourceKind::Own) == Some(Table::default()));
}
