//! One person of many entries, and never two people in one.

use std::sync::Arc;

use offhook_contacts::{Merged, Query, merge};
use offhook_model::{
    DirectoryEntry, MatchedField, NumberKind, PersonNumber, PhotoSource, SourceKind,
};
use proptest::prelude::*;

fn entry(source: SourceKind, id: &str, name: &str) -> DirectoryEntry {
    let mut entry = DirectoryEntry::new(source, id);
    entry.display_name = Some(name.to_owned()).filter(|name| !name.is_empty());
    entry
}

fn with_number(mut entry: DirectoryEntry, number: &str) -> DirectoryEntry {
    entry.numbers.push(PersonNumber { kind: NumberKind::Work, number: number.to_owned() });
    entry
}

fn with_mail(mut entry: DirectoryEntry, mail: &str) -> DirectoryEntry {
    entry.mail.push(mail.to_owned());
    entry
}

fn with_im(mut entry: DirectoryEntry, im: &str) -> DirectoryEntry {
    entry.im = im.parse().ok();
    entry
}

fn digits(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 3).then_some(digits)
}

fn joined(entries: &[DirectoryEntry]) -> Vec<Merged> {
    let entries: Vec<Arc<DirectoryEntry>> = entries.iter().cloned().map(Arc::new).collect();
    merge(&entries, digits)
}

#[test]
fn addresses_mail_user_name_and_number_make_one_person() {
    use SourceKind::{History, Ldap, Roster, Uds, Vcards};
    let roster = with_im(entry(Roster, "alice@lab.example", "Ali"), "alice@lab.example");
    let mut ldap = with_mail(entry(Ldap, "cn=alice", "Alice Adams"), "a.adams@lab.example");
    ldap.user_name = Some("ALICE".to_owned());
    ldap.title = Some("Director".to_owned());
    let mut uds = with_number(entry(Uds, "7", "Adams, Alice"), "+49 30 1234");
    uds.mail = vec!["A.Adams@lab.example".to_owned()];
    let card = with_number(entry(Vcards, "x", "A. Adams"), "+49 (30) 12-34");
    let call = with_number(entry(History, "call", ""), "+49301234");
    // The nickname of the contact list shares no word with the name of the directory; the chat
    // address of both says that it is the same.
    ldap.im = Some("alice@lab.example".parse().unwrap());
    let people = joined(&[call, card, uds, ldap, roster]);
    assert_eq!(people.len(), 1, "{people:#?}");
    let person = &people[0].person;
    assert_eq!(person.id.0, "alice@lab.example");
    assert_eq!(person.name, "Ali");
    assert_eq!(person.entry.title.as_deref(), Some("Director"));
    assert_eq!(person.entry.numbers.len(), 1);
    assert_eq!(person.entry.mail, ["a.adams@lab.example"]);
    assert_eq!(person.sources, [Roster, Ldap, Uds, Vcards, History]);
}

#[test]
fn a_user_name_is_a_chat_address_of_its_domain() {
    let roster = with_im(entry(SourceKind::Roster, "r", ""), "bob@lab.example");
    let mut uds = with_mail(entry(SourceKind::Uds, "u", "Bob Burns"), "burns@lab.example");
    uds.user_name = Some("bob".to_owned());
    assert_eq!(joined(&[roster.clone(), uds.clone()]).len(), 1);
    uds.mail = vec!["burns@other.example".to_owned()];
    assert_eq!(joined(&[roster, uds]).len(), 2);
}

#[test]
fn a_switchboard_joins_nobody() {
    let ldap = |name: &str| with_number(entry(SourceKind::Ldap, name, name), "+49 30 1000");
    let call = with_number(entry(SourceKind::History, "call", ""), "+49 30 1000");
    let people = joined(&[ldap("Anna Schmidt"), ldap("Anna Weber"), call.clone()]);
    assert_eq!(people.len(), 3);
    // One holder alone is who calls from it.
    assert_eq!(joined(&[ldap("Anna Schmidt"), call]).len(), 1);
    let shared = |name: &str| with_mail(entry(SourceKind::Ldap, name, name), "sales@lab.example");
    let people = joined(&[shared("Anna Schmidt"), shared("Bert Weber")]);
    assert_eq!(people.len(), 2);
    assert_ne!(people[0].person.id, people[1].person.id);
    assert_eq!(joined(&[shared("Bob Smith"), shared("Robert Smith")]).len(), 1);
}

#[test]
fn what_was_typed_is_marked_in_the_text_as_written() {
    let mut weiss = entry(SourceKind::Ldap, "1", "Jörg Weiß-O'Brien");
    weiss = with_number(with_mail(weiss, "J.Weiss@lab.example"), "+49 (0)30 12-34");
    weiss.title = Some("Senior Jurist".to_owned());
    for (typed, field, marked) in [
        ("joerg weiss", MatchedField::Name, vec!["Jörg", "Weiß"]),
        ("wei jo", MatchedField::Name, vec!["Jö", "Wei"]),
        ("brien", MatchedField::Name, vec!["Brien"]),
        ("3012", MatchedField::Number, vec!["30 12"]),
        ("030 123", MatchedField::Number, vec!["30 12-3"]),
        ("234", MatchedField::Number, vec!["2-34"]),
        ("j.weiss@LAB", MatchedField::Mail, vec!["J.Weiss@lab"]),
        ("jur", MatchedField::Title, vec!["Jur"]),
        ("jur senior", MatchedField::Title, vec!["Senior", "Jur"]),
    ] {
        let found = Query::read(typed).why(&weiss).unwrap();
        let marks: Vec<&str> =
            found.ranges.iter().map(|&(from, to)| &found.text[from..to]).collect();
        assert_eq!((found.field, marks), (field, marked), "{typed}");
    }
    assert!(Query::read("nobody").why(&weiss).is_none());
}

fn any_entry() -> impl Strategy<Value = DirectoryEntry> {
    let source = prop::sample::select(vec![
        SourceKind::Own,
        SourceKind::Roster,
        SourceKind::Ldap,
        SourceKind::Uds,
        SourceKind::History,
    ]);
    let name = prop_oneof![Just(String::new()), "(Ann|Bob|Eve)( (Ann|Lee|Ray))?"];
    let address = || prop::option::of("[abc]@[xy]\\.example");
    let parts = (name, address(), address(), prop::option::of("[ab]"), prop::option::of("10[0-4]"));
    (source, 0..200_u32, parts).prop_map(|(source, id, (name, im, mail, user, number))| {
        let mut entry = entry(source, &id.to_string(), &name);
        entry.im = im.and_then(|im| im.parse().ok());
        entry.mail.extend(mail);
        entry.user_name = user;
        match number {
            Some(number) => with_number(entry, &number),
            None => entry,
        }
    })
}

/// Who is in which person, as names that do not depend on the order.
fn partition(entries: &[DirectoryEntry]) -> Vec<(String, Vec<String>)> {
    let mut people: Vec<(String, Vec<String>)> = joined(entries)
        .into_iter()
        .map(|merged| {
            let name = |&at: &usize| format!("{:?}{}", entries[at].source, entries[at].id);
            let mut members: Vec<String> = merged.members.iter().map(name).collect();
            members.sort();
            (merged.person.id.0, members)
        })
        .collect();
    people.sort();
    people
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_entries_does_not_count(
        mut entries in prop::collection::vec(any_entry(), 0..24),
        seed in any::<u64>(),
    ) {
        let mut seen = std::collections::HashSet::new();
        entries.retain(|entry| seen.insert((entry.source, entry.id.clone())));
        let before = partition(&entries);
        let mut chance = seed;
        for at in (1..entries.len()).rev() {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            entries.swap(at, usize::try_from(chance >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(partition(&entries), before);
    }

    #[test]
    fn everybody_is_in_one_person_and_ids_differ(
        entries in prop::collection::vec(any_entry(), 0..24),
    ) {
        let people = joined(&entries);
        let mut members: Vec<usize> = people.iter().flat_map(|it| it.members.clone()).collect();
        members.sort_unstable();
        prop_assert_eq!(members, (0..entries.len()).collect::<Vec<_>>());
        let mut ids: Vec<_> = people.iter().map(|it| &it.person.id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), people.len());
        // Joining the persons again finds nothing new to join by chat address.
        for (nth, a) in people.iter().enumerate() {
            for b in &people[nth + 1..] {
                prop_assert!(a.person.entry.im.is_none() || a.person.entry.im != b.person.entry.im);
            }
        }
    }
}

#[test]
fn a_picture_says_whose_it_is() {
    let ours = with_mail(entry(SourceKind::Own, "o", "Anna Adams"), "anna@lab.example");
    let mut theirs =
        with_mail(entry(SourceKind::Ldap, "cn=anna", "Anna Adams"), "anna@lab.example");
    theirs.photo = Some(PhotoSource::Attribute("thumbnailPhoto".to_owned()));
    let people = joined(&[ours, theirs.clone()]);
    let of = PhotoSource::Of { source: SourceKind::Ldap, id: "cn=anna".to_owned() };
    assert_eq!((people.len(), &people[0].person.entry.photo), (1, &Some(of)));
    let alone = joined(&[theirs]);
    let own = PhotoSource::Attribute("thumbnailPhoto".to_owned());
    assert_eq!(alone[0].person.entry.photo, Some(own));
}
