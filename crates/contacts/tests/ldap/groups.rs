//! Groups: how they are asked for, and who is in one.

use offhook_contacts::ldap::{MOST_MEMBERS, MembersReport, Standing, Wish, members};
use offhook_model::{DirectoryGroup, Fault};
use offhook_ports::{LdapEntry, LdapFailure, LdapRequest, LdapScope};
use offhook_testkit::{VirtualClock, block_on};

use crate::support::{Directory, entry, found, plan};

const SERVER: (&str, &str) = ("PrimaryServerName", "dc1");
const OPEN: [(&str, &str); 5] = [
    SERVER,
    ("BDILDAPServerType", "OpenLDAP"),
    ("SearchBase1", "ou=people"),
    ("GroupSearchBase1", "ou=groups"),
    ("PresenceDomain", "x.test"),
];
const PEOPLE: &str = "(objectClass=inetOrgPerson)";

fn read(directory: &Directory, settings: &[(&str, &str)], id: &str) -> MembersReport {
    let plan = plan(settings);
    block_on(&VirtualClock::new(), members(directory, &plan, &Standing::default(), id))
}

fn group(members: &[(&str, &[&str])]) -> LdapEntry {
    let mut group = entry("cn=eng", &[("cn", "Engineering"), ("description", "Who builds it")]);
    for (attribute, values) in members {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        group.attributes.push(((*attribute).to_owned(), values));
    }
    group
}

/// Knows the group, and everybody whose name begins with `uid=`.
fn knows(group: LdapEntry) -> Directory {
    Directory::new(move |request: &LdapRequest| match request.base.strip_prefix("uid=") {
        _ if request.base == "cn=eng" => found(vec![group.clone()]),
        Some(uid) => found(vec![entry(&request.base, &[("cn", uid), ("uid", uid)])]),
        None if request.base == "cn=gone" => Err(LdapFailure::NoSuchBase),
        None if request.base == "cn=closed" => Err(LdapFailure::NotAllowed),
        None => found(vec![]),
    })
}

fn names(report: &MembersReport) -> Vec<&str> {
    report.people.iter().filter_map(|person| person.display_name.as_deref()).collect()
}

#[test]
fn groups_have_a_name_and_perhaps_a_description() {
    let directory = Directory::new(|_| {
        found(vec![
            entry("cn=a", &[("cn", "Engineering"), ("description", "Who\nbuilds it")]),
            entry("cn=b", &[("CN", "English"), ("description", "English")]),
            entry("cn=c", &[("description", "without a name")]),
        ])
    });
    let report =
        directory.search(&plan(&OPEN), &Standing::default(), &Wish::Groups("eng (x)".into()));
    let group = |id: &str, name: &str, description: Option<&str>| DirectoryGroup {
        id: id.into(),
        name: name.into(),
        description: description.map(str::to_owned),
    };
    let wanted =
        [group("cn=a", "Engineering", Some("Who builds it")), group("cn=b", "English", None)];
    assert_eq!((&report.groups[..], report.people.len()), (&wanted[..], 0));
    let asked = directory.asked();
    assert_eq!((asked[0].base.as_str(), asked[0].scope), ("ou=groups", LdapScope::Subtree));
    assert_eq!(asked[0].attributes, ["cn", "description"]);
    assert!(asked[0].filter.contains("(cn=eng*)") && asked[0].filter.contains("\\28x\\29"));
}

#[test]
fn members_are_read_by_their_names() {
    let directory = knows(group(&[
        ("member", &["uid=ann", "UID=ann", "cn=gone", "", "uid=bob"]),
        ("uniqueMember", &["uid=cem", "cn=closed", "cn=inner"]),
    ]));
    let report = read(&directory, &OPEN, "cn=eng");
    let group = report.group.as_ref().expect("a group");
    assert_eq!((group.id.as_str(), group.name.as_str()), ("cn=eng", "Engineering"));
    assert_eq!(names(&report), ["ann", "bob", "cem"]);
    assert_eq!(report.people[0].im.as_ref().map(|im| im.bare_str()), Some("ann@x.test"));
    // What is gone or closed is nothing for an administrator to mend.
    assert_eq!((report.no_people, report.left_out, report.more), (3, 0, false));
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let asked = directory.asked();
    let groups = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))";
    assert_eq!((asked[0].filter.as_str(), asked[0].scope), (groups, LdapScope::Base));
    assert!(asked[1..].iter().all(|it| it.filter == PEOPLE && it.scope == LdapScope::Base));
    assert_eq!(asked.len(), 7, "nobody is asked for twice, and not for everything");
}

#[test]
fn no_more_than_the_bound_are_read_and_the_others_counted() {
    let names: Vec<String> = (0..130).map(|at| format!("uid=u{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let directory = knows(group(&[("member;range=0-129", &names)]));
    let report = read(&directory, &OPEN, "cn=eng");
    assert_eq!(report.people.len(), MOST_MEMBERS);
    assert_eq!((report.left_out, report.more, report.no_people), (30, false, 0));
    assert_eq!(directory.asked().len(), 1 + MOST_MEMBERS);
    let names: Vec<String> = (0..1_000).map(|at| format!("uid=u{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let report = read(&knows(group(&[("member", &names)])), &OPEN, "cn=eng");
    assert_eq!((report.people.len(), report.left_out, report.more), (MOST_MEMBERS, 900, true));
}

#[test]
fn accounts_are_looked_for_below_the_bases_of_people() {
    let unix = group(&[("memberUid", &["ann", "b*b"])]);
    let directory = Directory::new(move |request| match &*request.base {
        "cn=unix" => found(vec![unix.clone()]),
        _ => found(vec![entry("uid=ann", &[("cn", "Ann"), ("uid", "ann")])]),
    });
    let settings = [&OPEN[..], &[("GroupBaseFilter", "(objectClass=posixGroup)")]].concat();
    let report = read(&directory, &settings, "cn=unix");
    assert_eq!((names(&report), report.no_people), (vec!["Ann"], 1));
    let asked = directory.asked();
    assert_eq!(asked[0].filter, "(objectClass=posixGroup)");
    assert_eq!(asked[1].base, "ou=people");
    assert_eq!(asked[1].filter, format!("(&{PEOPLE}(|(uid=ann)(uid=b\\2ab)))"));
}

#[test]
fn active_directory_is_asked_who_says_to_be_in_it() {
    let directory = |open: bool| {
        let directory = Directory::new(|request| match &*request.base {
            "cn=R\\2c D (x)" => found(vec![group(&[])]),
            base if base.starts_with("CN=") => {
                found(vec![entry(base, &[("cn", base), ("sAMAccountName", "a")])])
            }
            _ => found(vec![entry("CN=Ann", &[]), entry("CN=Bob", &[])]),
        });
        let active = [SERVER, ("SearchBase1", "dc=x")];
        let settings = if open { &OPEN[..] } else { &active[..] };
        (read(&directory, settings, "cn=R\\2c D (x)"), directory.asked())
    };
    let (report, asked) = directory(false);
    assert_eq!(names(&report), ["CN=Ann", "CN=Bob"]);
    assert!(asked[1].filter.ends_with("(memberOf=cn=R\\5c2c D \\28x\\29))"), "{}", asked[1].filter);
    assert_eq!(
        (asked[1].base.as_str(), &asked[1].attributes[..]),
        ("dc=x", &["1.1".to_owned()][..])
    );
    let (report, asked) = directory(true);
    assert!(report.group.is_some() && report.people.is_empty());
    assert_eq!(asked.len(), 1, "others do not know it from the people's side");
}

#[test]
fn what_is_no_group_and_who_does_not_answer() {
    let directory = knows(group(&[]));
    for id in ["cn=gone", "cn=closed", "cn=inner"] {
        let report = read(&directory, &OPEN, id);
        assert!(report.group.is_none() && report.problems.is_empty(), "{id}");
    }
    directory.asked();
    assert!(read(&directory, &OPEN, " ").group.is_none());
    assert_eq!(directory.asked().len(), 0, "below no name is everything");
    // One who goes away in the middle is not asked for everybody, and it is said.
    let names: Vec<String> = (0..90).map(|at| format!("uid=u{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let group = group(&[("member", &names)]);
    let directory = Directory::new(move |request| match &*request.base {
        "cn=eng" => found(vec![group.clone()]),
        _ => Err(LdapFailure::Fault(Fault::Closed)),
    });
    let report = read(&directory, &OPEN, "cn=eng");
    assert!(report.group.is_none() && report.people.is_empty());
    assert_eq!(report.problems.len(), 1);
    assert_eq!(directory.asked().len(), 2);
}
