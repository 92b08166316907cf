//! People of a directory, of address books and of our own, as a search finds them.

use std::sync::Arc;

use offhook_model::{
    Area, DirectoryEntry, DirectoryGroup, GroupTaken, GroupTaking, Matched, MatchedField,
    NumberKind, Owner, PeopleSearch, Person, PersonId, PersonNumber, PhotoSource, Problem,
    SearchStage, Snapshot, SourceKind,
};

use super::sample::{hub, jid};

/// Somebody whom a source knows by this name.
pub fn person(name: &str, source: SourceKind, id: &str) -> Person {
    let mut entry = DirectoryEntry::new(source, id);
    entry.display_name = Some(name.into());
    let id = PersonId(format!("{source:?}:{id}"));
    Person { id, name: name.into(), entry, sources: vec![source], matched: None }
}

fn number(kind: NumberKind, number: &str) -> PersonNumber {
    PersonNumber { kind, number: number.into() }
}

fn matched(
    mut person: Person,
    field: MatchedField,
    text: &str,
    ranges: &[(usize, usize)],
) -> Person {
    person.matched = Some(Matched { field, text: text.into(), ranges: ranges.to_vec() });
    person
}

/// Amira of the contact list, of whom the directory knows more.
pub fn amira() -> Person {
    let mut amira = person("Amira Khalil", SourceKind::Roster, "amira@northwind.example");
    amira.id = PersonId("amira@northwind.example".into());
    amira.entry.im = Some(jid("amira"));
    amira.entry.title = Some("Network engineer".into());
    amira.entry.department = Some("Network engineering".into());
    amira.entry.company = Some("Northwind".into());
    amira.entry.mail = vec!["amira.khalil@northwind.example".into()];
    amira.entry.numbers =
        vec![number(NumberKind::Work, "4217"), number(NumberKind::Mobile, "+49 170 5550 0188")];
    amira.sources = vec![SourceKind::Roster, SourceKind::Uds];
    matched(amira, MatchedField::Name, "Amira Khalil", &[(0, 2)])
}

/// Somebody of the directory who is not on the contact list.
pub fn amelie() -> Person {
    let mut amelie = person("Amélie Østergård", SourceKind::Ldap, "cn=amelie");
    amelie.entry.im = Some(jid("amelie"));
    amelie.entry.title = Some("Head of purchasing".into());
    amelie.entry.department = Some("Purchasing".into());
    amelie.entry.location = Some("Aarhus, second floor".into());
    amelie.entry.numbers = vec![
        number(NumberKind::Work, "+45 86 55 01 42"),
        number(NumberKind::Mobile, "+45 20 55 01 43"),
        number(NumberKind::Home, "+45 86 55 01 44"),
    ];
    amelie.entry.uris = vec!["amelie@voice.northwind.example".into()];
    amelie.entry.mail = vec!["amelie@northwind.example".into()];
    amelie.entry.groups = vec!["Board".into(), "Purchasing".into()];
    amelie.entry.photo = Some(PhotoSource::Url("https://photos.example/amelie.png".into()));
    matched(amelie, MatchedField::Name, "Amélie Østergård", &[(0, 2)])
}

/// Who was found for `am`: by name, number, mail, title, group; of all kinds of sources.
pub fn found() -> Vec<Person> {
    let mut plumber = person("Plumber Amsel & Sons", SourceKind::Own, "own-1");
    plumber.entry.numbers = vec![number(NumberKind::Work, "+49 30 5550 0177")];
    plumber.entry.company = Some("Amsel & Sons".into());
    let long = "Prof. Dr. Dr. h. c. Maximiliane Alexandra Amalie von Hohenlohe-Langenburg";
    let mut noble = person(long, SourceKind::Uds, "42");
    noble.entry.title = Some("Member of the supervisory board for strategic matters".into());
    noble.entry.department = Some("Office of the chair of the supervisory board".into());
    noble.entry.numbers = vec![number(NumberKind::Work, "4001")];
    let from = long.find("Amalie").expect("there");
    let noble = matched(noble, MatchedField::Name, long, &[(from, from + 2)]);
    let mut by_mail = person("Sophie Laurent", SourceKind::CardDav, "card-7");
    by_mail.entry.mail = vec!["amsterdam@laurent.example".into()];
    let by_mail = matched(by_mail, MatchedField::Mail, "amsterdam@laurent.example", &[(0, 2)]);
    let mut by_number = person("Jonas Weber", SourceKind::Roster, "jonas@northwind.example");
    by_number.entry.im = Some(jid("jonas"));
    by_number.entry.numbers = vec![number(NumberKind::Work, "4302")];
    let by_group = matched(by_number, MatchedField::Group, "Amsterdam", &[(0, 2)]);
    let caller = person("+49 30 5550 0142", SourceKind::History, "+493055500142");
    let mut caller = matched(caller, MatchedField::Number, "+49 30 5550 0142", &[(4, 6)]);
    caller.entry.numbers = vec![number(NumberKind::Mobile, "+49 30 5550 0142")];
    vec![
        amira(),
        amelie(),
        matched(plumber, MatchedField::Name, "Amsel", &[(0, 2)]),
        noble,
        by_mail,
        by_group,
        caller,
    ]
}

/// Somebody whose name is read from right to left; for the gallery, since tests have no font for it.
pub fn right_to_left() -> Person {
    let mut right = person("أميرة خليل", SourceKind::AddressBook, "card-8");
    right.entry.numbers = vec![number(NumberKind::Mobile, "+962 79 555 0199")];
    matched(right, MatchedField::Name, "أميرة خليل", &[(0, 6)])
}

/// A directory that could not be asked.
pub fn unreachable() -> Problem {
    Problem::new(
        Area::Network,
        Owner::Admin,
        "The directory ldap.northwind.example does not answer.",
        "Check that the directory server runs and that port 636 is open from here.",
    )
}

/// A snapshot in which this is the search.
pub fn searched(search: PeopleSearch) -> Snapshot {
    Snapshot { people: Arc::new(search), ..hub() }
}

/// The search for `am` at this stage.
pub fn search(stage: SearchStage) -> Snapshot {
    let query = "am".into();
    searched(PeopleSearch { query, people: found(), stage, ..PeopleSearch::default() })
}

/// Groups of the directory: with and without a description, with too much of both.
pub fn groups() -> Vec<DirectoryGroup> {
    let group = |name: &str, description: Option<&str>| DirectoryGroup {
        id: format!("cn={name},ou=groups,dc=northwind,dc=example"),
        name: name.into(),
        description: description.map(str::to_owned),
    };
    let long = "Everybody in Amsterdam who has anything to do with the rollout of the new phones";
    vec![
        group("Amsterdam", Some("The office in Amsterdam")),
        group("Ambassadors", None),
        group("Amsterdam rollout of the new phones, second half", Some(long)),
    ]
}

/// The search for `am` found groups as well, and so many people.
pub fn search_with_groups(stage: SearchStage, count: usize) -> Snapshot {
    let people = found().into_iter().take(count).collect();
    let query = "am".into();
    searched(PeopleSearch { query, people, groups: groups(), stage, ..PeopleSearch::default() })
}

/// The first of these groups was taken over, and of all kinds of members there were some.
pub fn taken() -> GroupTaking {
    let taken = GroupTaken {
        group: "Amsterdam".into(),
        added: 84,
        joined: 6,
        present: 1,
        without_address: 5,
        no_people: 3,
        left_out: 12,
        more: false,
    };
    GroupTaking { number: 1, id: groups()[0].id.clone(), outcome: Some(Ok(taken)) }
}

/// The most people who are shown, and not all who match; two places could not be asked.
pub fn many() -> Snapshot {
    let people = (0..200).map(|at| {
        let mut one = person(&format!("Person {at:03}"), SourceKind::Ldap, &format!("cn={at}"));
        one.entry.im = Some(jid(&format!("user{at:03}")));
        one.entry.title = Some("Engineer".into());
        one.entry.numbers = vec![number(NumberKind::Work, &format!("7{at:03}"))];
        let name = one.name.clone();
        matched(one, MatchedField::Name, &name, &[(0, 6)])
    });
    let second = Problem::new(
        Area::Authentication,
        Owner::User,
        "The address book did not accept the password.",
        "Enter the password again in Settings, Contacts.",
    );
    searched(PeopleSearch {
        query: "person".into(),
        people: people.collect(),
        stage: SearchStage::Done,
        more: true,
        problems: vec![unreachable(), second],
        ..PeopleSearch::default()
    })
}

/// The window of somebody who has three contacts of their own, one of them on the contact list.
pub fn own() -> Snapshot {
    let mut plumber = DirectoryEntry::new(SourceKind::Own, "own-1");
    plumber.first_name = Some("Paula".into());
    plumber.last_name = Some("Amsel".into());
    plumber.company = Some("Amsel & Sons, plumbing".into());
    plumber.numbers = vec![
        number(NumberKind::Work, "+49 30 5550 0177"),
        number(NumberKind::Mobile, "+49 170 5550 0177"),
    ];
    plumber.groups = vec!["House".into()];
    let mut amira = DirectoryEntry::new(SourceKind::Own, "own-2");
    amira.display_name = Some("Amira Khalil".into());
    amira.im = Some(jid("amira"));
    amira.numbers = vec![number(NumberKind::Home, "+49 30 5550 0188")];
    let mut nameless = DirectoryEntry::new(SourceKind::Own, "own-3");
    nameless.mail = vec!["office@a-very-long-name-of-a-company.example".into()];
    let own = [nameless, amira, plumber].map(Arc::new);
    Snapshot { own_contacts: Arc::new(own.into()), ..hub() }
}
