//! People to tables.

use csv::{Terminator, WriterBuilder};
use offhook_model::{DirectoryEntry, NumberKind};

/// Columns before numbers and addresses, as Outlook calls them in English: its German edition and
/// Google Contacts read these as well.
const FIRST: [&str; 8] = [
    "First Name",
    "Last Name",
    "Display Name",
    "Nickname",
    "Company",
    "Department",
    "Job Title",
    "Business City",
];
/// Columns of numbers, by what numbers are for.
const NUMBERS: [(NumberKind, &str); 4] = [
    (NumberKind::Work, "Business Phone"),
    (NumberKind::Mobile, "Mobile Phone"),
    (NumberKind::Home, "Home Phone"),
    (NumberKind::Other, "Other Phone"),
];

/// Writes a table with a first line that says what is below it: UTF-8 with a mark, without which
/// spreadsheets take it for something else. There are as many columns of numbers and addresses as
/// somebody has.
pub fn write<'a>(people: impl Iterator<Item = &'a DirectoryEntry> + Clone) -> Vec<u8> {
    let most = |many: &dyn Fn(&DirectoryEntry) -> usize| people.clone().map(many).max();
    let mails = most(&|it| it.mail.len()).unwrap_or(0);
    let uris = most(&|it| it.uris.len()).unwrap_or(0);
    let numbers =
        NUMBERS.map(|(kind, name)| (kind, name, most(&|it| of(it, kind).count()).unwrap_or(0)));

    let mut table = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(vec![]);
    let mut row: Vec<String> = FIRST.map(str::to_owned).to_vec();
    // Outlook's *E-mail 2 Address*, but *Business Phone 2*.
    row.extend((1..=mails).map(|nth| match nth {
        1 => "E-mail Address".to_owned(),
        nth => format!("E-mail {nth} Address"),
    }));
    let named = |name: &str, nth| if nth == 1 { name.to_owned() } else { format!("{name} {nth}") };
    for (_, name, many) in numbers {
        row.extend((1..=many).map(|nth| named(name, nth)));
    }
    row.push("IM Address".to_owned());
    row.extend((1..=uris).map(|nth| named("SIP Address", nth)));
    row.push("Categories".to_owned());
    // Into memory nothing fails.
    let _ = table.write_record(&row);
    for person in people {
        row.clear();
        let single = [
            &person.first_name,
            &person.last_name,
            &person.display_name,
            &person.nickname,
            &person.company,
            &person.department,
            &person.title,
            &person.location,
        ];
        row.extend(single.map(|text| harmless(text.as_deref().unwrap_or_default())));
        list(&mut row, person.mail.iter().map(String::as_str), mails);
        for (kind, _, many) in numbers {
            list(&mut row, of(person, kind), many);
        }
        row.push(person.im.as_ref().map(|im| harmless(im.bare_str())).unwrap_or_default());
        list(&mut row, person.uris.iter().map(String::as_str), uris);
        row.push(harmless(&person.groups.join(";")));
        let _ = table.write_record(&row);
    }
    let mut written = "\u{feff}".as_bytes().to_vec();
    written.extend(table.into_inner().unwrap_or_default());
    written
}

fn of(person: &DirectoryEntry, kind: NumberKind) -> impl Iterator<Item = &str> {
    let numbers = person.numbers.iter().filter(move |number| number.kind == kind);
    numbers.map(|number| number.number.as_str())
}

fn list<'a>(row: &mut Vec<String>, texts: impl Iterator<Item = &'a str>, many: usize) {
    let filled = texts.map(harmless).chain(std::iter::repeat(String::new()));
    row.extend(filled.take(many));
}

/// What a spreadsheet would compute is text to it with an apostrophe before it: what is written here
/// was said by others. Numbers of the world begin with a plus and digits.
fn harmless(text: &str) -> String {
    let mut chars = text.chars();
    let computed = match chars.next() {
        Some('=' | '@') => true,
        Some('+' | '-') => !text.chars().all(|c| c.is_ascii_digit() || "+-()/. ".contains(c)),
        _ => false,
    };
    if computed { format!("'{text}") } else { text.to_owned() }
}
