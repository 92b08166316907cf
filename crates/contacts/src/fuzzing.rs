//! One entry per kind of outside bytes, named like its folder under `corpus/`: runs the reader and
//! checks what must hold of everything it accepts.

use offhook_model::SourceKind;

use crate::numbers::{Country, Dialled, Dialling, Matching, Typed, apply, same, world_number};
use crate::shown::LONGEST;
use crate::table;
use crate::vcard::{MAX_PICTURE, read, write};

/// Files of vCards. What is written of a card reads as the same person.
///
/// # Panics
/// When a bound does not hold, or a card does not survive.
pub fn vcard(data: &[u8]) {
    let found = read(data, SourceKind::Vcards);
    for card in found.cards.iter().take(64) {
        let entry = &card.entry;
        assert!(!entry.id.is_empty());
        assert!(entry.mail.len() <= 32 && entry.numbers.len() <= 32 && entry.groups.len() <= 32);
        let texts = [&entry.display_name, &entry.title, &entry.company, &entry.location];
        for text in texts.into_iter().flatten() {
            assert!(!text.contains(char::is_control) && text.chars().count() <= LONGEST);
        }
        assert!(card.picture.as_ref().is_none_or(|it| it.data.len() <= MAX_PICTURE));
        let written = write(entry, card.picture.as_ref());
        assert!(written.split("\r\n").all(|line| line.len() <= 75));
        let again = read(written.as_bytes(), SourceKind::Vcards);
        assert_eq!(again.cards.len(), 1);
        for copy in again.cards {
            assert!(copy.entry.display_name.is_some());
            assert_eq!(copy.entry.mail, entry.mail);
            assert_eq!(copy.entry.im, entry.im);
            assert_eq!(copy.entry.numbers.len(), entry.numbers.len());
            assert_eq!(
                copy.picture.map(|it| it.data),
                card.picture.as_ref().map(|it| it.data.clone())
            );
        }
    }
}

/// Tables of contacts. What is written of them reads as the same people.
///
/// # Panics
/// When a bound does not hold, or a person does not survive.
pub fn table(data: &[u8]) {
    let Some(found) = table::read(data, SourceKind::Own) else { return };
    assert!(found.lines.len() <= table::MAX_LINES && found.lines.is_sorted());
    assert!(found.left_out >= found.lines.len());
    for entry in found.people.iter().take(64) {
        assert!(!entry.id.is_empty());
        assert!(entry.mail.len() <= 32 && entry.numbers.len() <= 32 && entry.groups.len() <= 32);
        let texts = [&entry.display_name, &entry.title, &entry.company, &entry.location];
        for text in texts.into_iter().flatten() {
            assert!(!text.contains(char::is_control) && text.chars().count() <= LONGEST);
        }
        let again = table::read(&table::write([entry].into_iter()), SourceKind::Own);
        let copy = again.and_then(|again| again.people.into_iter().next()).expect("one person");
        assert_eq!(copy.im, entry.im);
        assert_eq!(copy.mail.len(), entry.mail.len());
        assert_eq!(copy.numbers.len(), entry.numbers.len());
    }
}

/// Numbers as people type and paste them; the second line is one to compare with.
///
/// # Panics
/// When a bound does not hold.
pub fn number(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, two) = text.split_once('\n').unwrap_or((&text, ""));
    let germany: Option<Country> = "DE".parse().ok();
    let matching = Matching { country: germany, last: 7 };
    assert_eq!(same(one, two, &matching), same(two, one, &matching));
    let dialling = Dialling {
        country: germany,
        addresses: true,
        domain: Some("example.com".into()),
        ..Dialling::default()
    };
    match dialling.read(one) {
        Typed::Number(number) => {
            assert!(number.number.len() <= 41 && !number.number.is_empty());
            // A number stands for itself.
            let again = Dialled::read(&number.number).map(|it| it.number);
            assert_eq!(again.as_ref(), Some(&number.number));
            assert_eq!(apply(&[], &number.number), number.number);
            assert!(same(one, one, &matching));
            let _ = number.shown(germany);
        }
        Typed::Address(address) => assert!(address.contains('@')),
        Typed::Nothing | Typed::Name { .. } => {}
    }
    if let Some(number) = world_number(one, germany) {
        assert!(number.e164.starts_with('+') && number.e164.len() <= 20);
    }
}

/// Lists of address books on servers.
///
/// # Panics
/// When a bound does not hold.
pub fn carddav(data: &[u8]) {
    crate::carddav::fuzzing::answer(data);
}
