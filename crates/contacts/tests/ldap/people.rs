//! From entries to people.

use offhook_contacts::ldap::{Given, LdapPlan, Standing, picture};
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, PhotoSource, SourceKind};
use offhook_ports::{LdapEntry, LdapScope};
use offhook_testkit::{VirtualClock, block_on};

use crate::support::{Directory, entry, file, found, typed};

fn people(settings: &[(&str, &str)], entries: Vec<LdapEntry>) -> Vec<DirectoryEntry> {
    let all = [&[("PrimaryServerName", "dc1")], settings].concat();
    let plan = LdapPlan::read(&file(&all), &Given::default()).expect("a plan");
    let directory = Directory::new(move |_| found(entries.clone()));
    directory.search(&plan, &Standing::default(), &typed("alice")).people
}

fn person(settings: &[(&str, &str)], attributes: &[(&str, &str)]) -> DirectoryEntry {
    let mut people = people(settings, vec![entry("cn=a,dc=x", attributes)]);
    people.pop().expect("a person")
}

#[test]
fn all_fields_of_an_entry_of_active_directory() {
    let found = person(
        &[("PresenceDomain", "chat.test"), ("DirectoryUri", "msRTCSIP-PrimaryUserAddress")],
        &[
            ("displayname", "Smith, Alice"),
            ("givenName", "Alice"),
            ("sn", "Smith"),
            ("sAMAccountName", "ASmith"),
            ("mail", "alice@x.test"),
            ("telephoneNumber", "+1 408 555 0100"),
            ("mobile", "none"),
            ("homePhone", "555-0101"),
            ("title", "Engineer"),
            ("company", "Example"),
            ("department", "R\u{202e}&D"),
            ("co", "Iceland"),
            ("l", "Reykjavík"),
            ("postalCode", "101"),
            ("msRTCSIP-PrimaryUserAddress", "sip:alice@voice.test"),
        ],
    );
    let number = |kind, number: &str| PersonNumber { kind, number: number.into() };
    let wanted = DirectoryEntry {
        display_name: Some("Smith, Alice".into()),
        first_name: Some("Alice".into()),
        last_name: Some("Smith".into()),
        user_name: Some("ASmith".into()),
        im: Some("asmith@chat.test".parse().expect("an address")),
        uris: vec!["alice@voice.test".into()],
        mail: vec!["alice@x.test".into()],
        numbers: vec![
            number(NumberKind::Work, "+1 408 555 0100"),
            number(NumberKind::Home, "555-0101"),
        ],
        title: Some("Engineer".into()),
        department: Some("R\u{fffd}&D".into()),
        company: Some("Example".into()),
        location: Some("101 Reykjavík, Iceland".into()),
        photo: Some(PhotoSource::Attribute("thumbnailPhoto".into())),
        ..DirectoryEntry::new(SourceKind::Ldap, "cn=a,dc=x")
    };
    assert_eq!(found, wanted);
}

#[test]
fn chat_addresses_by_the_settings() {
    let im = |settings: &[(&str, &str)], attributes: &[(&str, &str)]| {
        let all = [&[("cn", "A")], attributes].concat();
        person(settings, &all).im.map(|im| im.to_string())
    };
    let account = [("sAMAccountName", "alice"), ("userPrincipalName", "alice@upn.test")];
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(im(&[("BDIPresenceDomain", "chat.test")], &account), is("alice@chat.test"));
    assert_eq!(im(&[], &account), is("alice@upn.test"));
    assert_eq!(im(&[("PresenceDomain", "chat.test")], &[("mail", "a@x.test")]), None);
    // AD LDS has no account names of the old kind.
    assert_eq!(im(&[("PresenceDomain", "chat.test")], &account[1..]), is("alice@chat.test"));
    let sip =
        [("UseSIPURIToResolveContacts", "1"), ("UriPrefix", "im:"), ("PresenceDomain", "c.test")];
    let address = [("msRTCSIP-PrimaryUserAddress", "im:alice@sip.test"), account[0]];
    assert_eq!(im(&sip, &address), is("alice@sip.test"));
    assert_eq!(im(&sip, &account), None);
    assert_eq!(im(&[("PresenceDomain", "chat.test")], &[("sAMAccountName", "a b")]), None);
}

#[test]
fn pictures_by_address_or_attribute() {
    let by_url = [
        ("PhotoUriSubstitutionEnabled", "true"),
        ("PhotoUriSubstitutionToken", "sAMAccountName"),
        ("PhotoUriWithToken", "http://photos.test/sAMAccountName.jpg"),
    ];
    let photo = |account: &str| person(&by_url, &[("cn", "A"), ("samaccountname", account)]).photo;
    let url = |text: &str| Some(PhotoSource::Url(text.into()));
    assert_eq!(photo("alice"), url("http://photos.test/alice.jpg"));
    assert_eq!(photo("../é?"), url("http://photos.test/..%2F%C3%A9%3F.jpg"));
    assert_eq!(person(&by_url, &[("cn", "A")]).photo, None);
    let open = [("BDILDAPServerType", "OpenLDAP"), ("SearchBase1", "dc=x")];
    let attribute = |name: &str| Some(PhotoSource::Attribute(name.into()));
    assert_eq!(person(&open, &[("cn", "A")]).photo, attribute("jpegPhoto"));
    assert_eq!(person(&[("PhotoSource", "photo")], &[("cn", "A")]).photo, attribute("photo"));
    let bad = [by_url[0], ("PhotoUriWithToken", "file:///sAMAccountName")];
    assert_eq!(person(&bad, &[("cn", "A")]).photo, attribute("thumbnailPhoto"));
}

#[test]
fn a_picture_is_read_by_itself() {
    let plan = LdapPlan::read(&file(&[("PrimaryServerName", "dc1")]), &Given::default());
    let plan = plan.expect("a plan");
    let directory = Directory::new(|request| {
        let bytes = LdapEntry {
            dn: request.base.clone(),
            attributes: vec![("thumbnailPhoto".into(), vec![vec![0xff, 0xd8]])],
        };
        found(vec![bytes])
    });
    let standing = Standing::default();
    let read = picture(&directory, &plan, &standing, "cn=a,dc=x", "thumbnailPhoto");
    let (bytes, problems) = block_on(&VirtualClock::new(), read);
    assert_eq!((bytes, problems.len()), (Some(vec![0xff, 0xd8]), 0));
    let asked = directory.asked().pop().expect("a question");
    assert_eq!(
        (asked.scope, &*asked.base, asked.attributes.len()),
        (LdapScope::Base, "cn=a,dc=x", 1)
    );
    assert!(asked.value_limit >= 512 * 1024);
}

#[test]
fn odd_entries_are_bounded_or_passed_over() {
    let long = "x".repeat(5_000);
    let mut odd =
        entry("cn=a,dc=x", &[("cn", &long), ("mail", "no address"), ("title", "a\nb\u{0}")]);
    let numbers = (0..50).map(|number| format!("{number}00").into_bytes()).collect();
    odd.attributes.push(("otherTelephone".into(), numbers));
    odd.attributes.push(("company".into(), vec![vec![], b" \t ".to_vec(), vec![0xff, b'x']]));
    let nobody = entry("cn=b,dc=x", &[("objectClass", "container")]);
    let found = people(&[], vec![odd, nobody]);
    let [odd] = &found[..] else { panic!("{} people", found.len()) };
    assert_eq!(odd.display_name.as_ref().map(String::len), Some(256));
    assert_eq!((odd.mail.len(), odd.numbers.len()), (0, 10));
    assert_eq!(odd.title.as_deref(), Some("a b"));
    assert_eq!(odd.company.as_deref(), Some("\u{fffd}x"));
}
