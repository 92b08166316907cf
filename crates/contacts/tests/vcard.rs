//! Cards of three versions become people, and people become cards.

use offhook_contacts::vcard::{Card, MAX_PICTURE, Picture, read, write};
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, PhotoSource, SourceKind};

macro_rules! seed {
    ($path:literal) => {
        include_bytes!(concat!("../corpus/vcard/", $path)).as_slice()
    };
}

fn only(data: &[u8]) -> Card {
    let mut found = read(data, SourceKind::Vcards);
    assert_eq!(found.cards.len(), 1);
    found.cards.remove(0)
}

fn numbers(entry: &DirectoryEntry) -> Vec<(NumberKind, &str)> {
    entry.numbers.iter().map(|it| (it.kind, it.number.as_str())).collect()
}

#[test]
fn a_card_of_a_phone_is_read() {
    let Card { entry, picture } = only(seed!("v21.vcf"));
    assert_eq!(entry.display_name.as_deref(), Some("Jörg Müller"));
    assert_eq!(entry.first_name.as_deref(), Some("Jörg"));
    assert_eq!(entry.last_name.as_deref(), Some("Müller"));
    assert_eq!(
        numbers(&entry),
        [(NumberKind::Work, "+49 30 5550142"), (NumberKind::Mobile, "0170 5550142")],
        "nobody calls a facsimile machine"
    );
    assert_eq!(entry.company.as_deref(), Some("Example GmbH"));
    assert_eq!(entry.department.as_deref(), Some("Sales"));
    assert_eq!(entry.location.as_deref(), Some("Berlin, Germany"));
    assert_eq!(entry.id, "Jörg Müller|joerg@example.com|+49 30 5550142");
    let picture = picture.expect("a picture");
    assert_eq!(picture.kind.as_deref(), Some("image/jpeg"));
    assert!(picture.data.starts_with(&[0xff, 0xd8, 0xff]));
}

#[test]
fn a_card_of_an_address_book_is_read_and_its_groups_are_passed_over() {
    let found = read(seed!("v30.vcf"), SourceKind::AddressBook);
    assert_eq!((found.cards.len(), found.left_out), (1, 1));
    let entry = &found.cards[0].entry;
    assert_eq!((entry.source, entry.id.as_str()), (SourceKind::AddressBook, "urn:uuid:0f3c"));
    assert_eq!(entry.display_name.as_deref(), Some("Alice Smith"));
    assert_eq!(entry.nickname.as_deref(), Some("Al"));
    assert_eq!(
        numbers(entry),
        [(NumberKind::Other, "+1 201 555 0123"), (NumberKind::Home, "2001")]
    );
    assert_eq!(entry.mail, ["alice@example.com"]);
    assert_eq!(entry.im.as_ref().map(|jid| jid.bare_str()), Some("alice@chat.example.com"));
    assert_eq!(entry.uris, ["alice@voice.example.com"]);
    assert_eq!(entry.company.as_deref(), Some("Example, Inc."));
    assert_eq!(entry.department.as_deref(), Some("R;D"));
    assert_eq!(entry.title.as_deref(), Some("Engineer"));
    assert_eq!(entry.groups, ["Friends", "Work,Team"]);
    let photo = "https://photos.example.com/alice.jpg".to_owned();
    assert_eq!(entry.photo, Some(PhotoSource::Url(photo)));
}

#[test]
fn a_card_of_today_is_read_and_what_is_preferred_comes_first() {
    let found = read(seed!("v40.vcf"), SourceKind::Vcards);
    assert_eq!((found.cards.len(), found.left_out), (1, 2), "a group, and somebody without a name");
    let Card { entry, picture } = &found.cards[0];
    assert_eq!(
        numbers(entry),
        [(NumberKind::Mobile, "+49-170-5550142"), (NumberKind::Work, "+49-30-5550142 ext. 12")]
    );
    assert_eq!(
        entry.im.as_ref().map(|jid| jid.bare_str()),
        Some("bob@example.com"),
        "an address with a space in it is none"
    );
    assert_eq!(entry.uris, ["bob@voice.example.com"]);
    assert_eq!(picture.as_ref().and_then(|it| it.kind.as_deref()), Some("image/png"));
}

#[test]
fn files_in_other_character_sets_are_read() {
    assert_eq!(only(seed!("latin1.vcf")).entry.display_name.as_deref(), Some("Jörg Müller"));
    assert_eq!(only(seed!("utf16.vcf")).entry.display_name.as_deref(), Some("Zoë"));
}

#[test]
fn what_is_no_card_is_passed_over() {
    for data in
        [b"".as_slice(), b"hello", b"<html>", b"BEGIN:VCARD", b"\xff\xfe", b"BEGIN:VCARD\r\n"]
    {
        assert!(read(data, SourceKind::Vcards).cards.is_empty());
    }
    let found = read(seed!("broken.vcf"), SourceKind::Vcards);
    assert!(found.cards.iter().any(|card| numbers(&card.entry) == [(NumberKind::Other, "5")]));
}

#[test]
fn pictures_and_lists_are_bounded() {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(vec![7; MAX_PICTURE + 1]);
    let many: String = (0..500).map(|at| format!("TEL:{at}\nEMAIL:u{at}@example.com\n")).collect();
    let long = "x".repeat(10_000);
    let card = format!(
        "BEGIN:VCARD\nVERSION:4.0\nFN:\u{202e}{long}\n{many}PHOTO:data:image/png;base64,{data}\nEND:VCARD\n"
    );
    let found = read(card.as_bytes(), SourceKind::Vcards);
    let Card { entry, picture } = &found.cards[0];
    assert_eq!((picture, found.left_out), (&None, 1));
    assert_eq!((entry.numbers.len(), entry.mail.len()), (32, 32));
    let name = entry.display_name.as_deref().expect("a name");
    assert!(name.chars().count() == 256 && name.starts_with('\u{fffd}'), "{name}");
}

fn alice() -> DirectoryEntry {
    DirectoryEntry {
        display_name: Some("Alice Smith, PhD".into()),
        first_name: Some("Alice".into()),
        last_name: Some("Smith".into()),
        nickname: Some("Al".into()),
        im: Some("alice@example.com".parse().expect("an address")),
        uris: vec!["alice;x@voice.example.com".into()],
        mail: vec!["alice@example.com".into(), "a,b@example.com".into()],
        numbers: vec![
            PersonNumber { kind: NumberKind::Work, number: "2001".into() },
            PersonNumber { kind: NumberKind::Mobile, number: "+49 170 5550142".into() },
            PersonNumber { kind: NumberKind::Home, number: "+49 30 5550142 ext. 12".into() },
        ],
        title: Some("Head; of \\ things".into()),
        department: Some("R&D".into()),
        company: Some("Example, Inc.".into()),
        location: Some("Köln".into()),
        groups: vec!["Friends".into(), "A, B".into()],
        ..DirectoryEntry::new(SourceKind::Vcards, "urn:uuid:1")
    }
}

#[test]
fn what_is_written_reads_the_same() {
    let alice = alice();
    let picture = Picture { kind: Some("image/png".into()), data: (0..=255).collect() };
    let written = write(&alice, Some(&picture));
    let card = only(written.as_bytes());
    let mut expected = alice.clone();
    // The forms of `tel:` know neither spaces nor words.
    expected.numbers[1].number = "+491705550142".into();
    expected.numbers[2].number = "+49305550142 ext. 12".into();
    assert_eq!(card, Card { entry: expected, picture: Some(picture) });
}

#[test]
fn what_is_written_keeps_to_the_form() {
    let mut alice = alice();
    alice.nickname = Some("ü".repeat(200));
    alice.title = Some("two\r\nlines\u{7}".into());
    let written = write(&alice, None);
    assert!(written.starts_with("BEGIN:VCARD\r\nVERSION:4.0\r\n"));
    assert!(written.ends_with("END:VCARD\r\n"));
    assert!(written.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])));
    assert!(written.contains("\r\nTEL;VALUE=uri;TYPE=cell;TYPE=voice:tel:+491705550142\r\n"));
    assert!(written.contains("\r\nTITLE:two\\nlines\r\n"), "{written}");
    let nobody = write(&DirectoryEntry::new(SourceKind::Own, ""), None);
    assert_eq!(nobody, "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:?\r\nEND:VCARD\r\n");
}
