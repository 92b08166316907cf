//! The whole way against OpenLDAP's servers: settings, plan, flow, adapter. Needs the programs
//! `slapd` and `slapadd`; without them each test says so and passes.

mod support;

use std::sync::Arc;

use offhook_config::Layers;
use offhook_contacts::ldap::{
    Given, LdapPlan, LdapReport, MOST_MEMBERS, Standing, Wish, members, picture, search,
};
use offhook_ldap::Directories;
use offhook_model::{Layer, PhotoSource, Setting, Source};
use offhook_net::Net;
use support::people::{self, PICTURE};
use support::slapd::{Like, Slapd};
use support::{Authority, READER, free_port, plain_net};

/// A plan for the people of the servers of these ports.
fn plan(port: u16, more: &[(&str, &str)]) -> LdapPlan {
    let port = port.to_string();
    let usual = [
        ("DirectoryServerType", "BDI"),
        ("BDILDAPServerType", "OpenLDAP"),
        ("BDIPrimaryServerName", "127.0.0.1"),
        ("BDIServerPort1", port.as_str()),
        ("BDISearchBase1", support::BASE),
        ("BDIBaseFilter", "(&objectClass=inetOrgPerson)"),
        ("BDIPresenceDomain", "example.test"),
    ];
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).to_owned(),
        section: Some("Directory".into()),
        value: (*value).to_owned(),
        line: None,
    };
    let settings = usual.iter().chain(more).map(setting).collect();
    let (source, origin) = (Source::GlobalFile, "jabber-config.xml".to_owned());
    let layer = Layer { source, origin, settings, oddities: vec![] };
    let given = Given { file_password: Some(READER.1.into()), ..Given::default() };
    LdapPlan::read(&Layers::new([layer]), &given).expect("a plan")
}

async fn ask(net: Arc<Net>, plan: &LdapPlan, wish: Wish) -> LdapReport {
    search(&Directories::new(net), plan, &Standing::default(), &wish, 50).await
}

fn causes(report: &LdapReport) -> Vec<&str> {
    report.problems.iter().map(|problem| problem.cause.as_str()).collect()
}

#[tokio::test]
async fn people_are_found_by_what_is_typed_and_by_all_their_addresses() {
    let Some(slapd) = Slapd::start(Like { people: 300, ..Like::default() }).await else { return };
    let plan = plan(slapd.port, &[("PhoneNumberMasks", "+1408|+# ### ### ####")]);
    let (first, last) = people::name(23);
    let wishes = [
        Wish::Typed("user00023".into()),
        Wish::Number("+14085550023".into()),
        Wish::Number("+1 (650) 556-0023".into()),
        Wish::Mail("USER00023@example.test".into()),
        Wish::Im("user00023@example.test/home".parse().expect("an address")),
        Wish::Account("user00023".into()),
        Wish::Uri("sip:user00023@example.test".into()),
    ];
    for wish in wishes {
        let report = ask(plain_net(), &plan, wish.clone()).await;
        assert_eq!(causes(&report), Vec::<&str>::new(), "{wish:?}");
        let [person] = &report.people[..] else { panic!("{} for {wish:?}", report.people.len()) };
        assert_eq!(person.display_name, Some(format!("{last}, {first}")));
        assert_eq!(person.im.as_ref().map(|im| im.bare_str()), Some("user00023@example.test"));
    }
    // Two words, of any script, in any order; and what would be a filter is none.
    for number in [5, 11, 12] {
        let (first, last) = people::name(number);
        let report = ask(plain_net(), &plan, Wish::Typed(format!("{last} {first}"))).await;
        assert!(!report.people.is_empty(), "{first} {last}");
        let same = |name: &Option<String>| *name == Some(format!("{last}, {first}"));
        assert!(report.people.iter().all(|person| same(&person.display_name)));
    }
    for text in ["*)(uid=*", "user0002*", "\\2a\\2a\\2a", "a\0b\u{7f}"] {
        let report = ask(plain_net(), &plan, Wish::Typed(text.into())).await;
        assert_eq!((report.people.len(), causes(&report)), (0, vec![]), "{text:?}");
    }
    let list = (100..150).map(|number| format!("user{number:05}@example.test"));
    let list = list.map(|address| address.parse().expect("an address")).collect();
    let list = ask(plain_net(), &plan, Wish::ImAll(list)).await;
    assert_eq!((list.people.len(), list.more, causes(&list)), (50, false, vec![]));
    let many = ask(plain_net(), &plan, Wish::Typed("user".into())).await;
    assert_eq!((many.people.len(), many.more, causes(&many)), (50, true, vec![]));
}

#[tokio::test]
async fn a_picture_comes_by_itself() {
    let Some(slapd) = Slapd::start(Like { people: 5, ..Like::default() }).await else { return };
    let plan = plan(slapd.port, &[]);
    let (directories, standing) = (Directories::new(plain_net()), Standing::default());
    for (user, bytes) in [(2, Some([&PICTURE[..], &[2]].concat())), (4, None)] {
        let wish = Wish::Account(format!("user0000{user}"));
        let report = search(&directories, &plan, &standing, &wish, 5).await;
        let person = &report.people[0];
        let Some(PhotoSource::Attribute(name)) = &person.photo else { panic!("no attribute") };
        let read = picture(&directories, &plan, &standing, &person.id, name).await;
        assert_eq!((read.0, read.1.len()), (bytes, 0), "{user}");
    }
}

#[tokio::test]
async fn a_picture_that_is_too_large_does_not_come_and_a_bomb_comes_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        format!(
            "dn: uid={name},{}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: {name}\nuid: {name}\n\
             jpegPhoto:< file://{}\n\n",
            support::BASE,
            path.display()
        )
    };
    // The head of a PNG of 30,000 by 30,000 with no more than that; nobody decodes it here. What the
    // window makes of a whole one: `tests/tests/contacts/pictures.rs`.
    let bomb = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..],
        &30_000_u32.to_be_bytes(),
        &30_000_u32.to_be_bytes(),
        b"\x08\x06\0\0\0",
    ]
    .concat();
    let most = vec![0xff; 1024 * 1024];
    let large = vec![0xff; 20 * 1024 * 1024];
    let entries = write("bomb", &bomb) + &write("most", &most) + &write("large", &large);
    let like = Like { people: 1, entries: &entries, ..Like::default() };
    let Some(slapd) = Slapd::start(like).await else { return };
    let plan = plan(slapd.port, &[]);
    let (directories, standing) = (Directories::new(plain_net()), Standing::default());
    for (user, bytes) in [("bomb", Some(bomb)), ("most", Some(most)), ("large", None)] {
        let wish = Wish::Account(user.into());
        let report = search(&directories, &plan, &standing, &wish, 5).await;
        assert_eq!((report.people.len(), causes(&report)), (1, vec![]), "{user}");
        let person = &report.people[0];
        let Some(PhotoSource::Attribute(name)) = &person.photo else { panic!("no attribute") };
        let (read, problems) = picture(&directories, &plan, &standing, &person.id, name).await;
        assert!(read == bytes && problems.is_empty(), "{user}: {problems:?}");
    }
}

#[tokio::test]
async fn passwords_over_tls_and_what_is_wrong_in_words() {
    let Some(slapd) = Slapd::start(Like { people: 5, ..Like::default() }).await else { return };
    let reader = [("BDIConnectionUsername", READER.0), ("BDIConnectionPassword", "")];
    let port = slapd.tls.to_string();
    let secure = [&reader[..], &[("BDIEnableTLS", "true"), ("ServerPort1", &port)]].concat();
    let wish = || Wish::Account("user00001".into());
    let good = ask(slapd.authority.net(), &plan(slapd.port, &secure), wish()).await;
    assert_eq!((good.people.len(), causes(&good)), (1, vec![]));
    let strange = ask(Authority::new().net(), &plan(slapd.port, &secure), wish()).await;
    let cause =
        "The certificate of 127.0.0.1 comes from an authority that this computer does not know.";
    assert_eq!((strange.people.len(), causes(&strange)), (0, vec![cause]));
    // A wrong name: nobody is asked instead, and it is said.
    let wrong = [("BDIConnectionUsername", "cn=nobody,dc=example,dc=test"), reader[1]];
    let wrong = ask(plain_net(), &plan(slapd.port, &wrong), wish()).await;
    let cause = "The directory 127.0.0.1 does not take the name and password that are set for it.";
    assert_eq!((wrong.people.len(), causes(&wrong)), (1, vec![cause]));
    let lost = [("BDISearchBase2", "ou=none,dc=example,dc=test")];
    let lost = ask(plain_net(), &plan(slapd.port, &lost), wish()).await;
    let cause = "The directory 127.0.0.1 has no entry ou=none,dc=example,dc=test, below which it is to be searched.";
    assert_eq!((lost.people.len(), causes(&lost)), (1, vec![cause]));
    let broken = [("BDIBaseFilter", "(&(objectClass=inetOrgPerson)(=x))")];
    let broken = ask(plain_net(), &plan(slapd.port, &broken), wish()).await;
    assert_eq!(causes(&broken), ["The directory setting BaseFilter cannot be used as it is."]);
}

#[tokio::test]
async fn the_limit_of_a_server_is_told() {
    let like = Like { people: 40, lines: "sizelimit 10", ..Like::default() };
    let Some(slapd) = Slapd::start(like).await else { return };
    let report = ask(plain_net(), &plan(slapd.port, &[]), Wish::Typed("user".into())).await;
    let cause = "The directory 127.0.0.1 gives out fewer people than were asked for.";
    assert_eq!((report.people.len(), report.more, causes(&report)), (10, true, vec![cause]));
}

#[tokio::test]
async fn without_a_base_the_server_is_asked_for_it() {
    let Some(slapd) = Slapd::start(Like { people: 5, ..Like::default() }).await else { return };
    let plan = plan(slapd.port, &[("SearchBase1", "")]);
    let report = ask(plain_net(), &plan, Wish::Account("user00001".into())).await;
    assert_eq!((report.people.len(), causes(&report)), (1, vec![]));
}

#[tokio::test]
async fn two_servers_that_refer_to_each_other_are_asked_once_each() {
    let ports = [free_port(), free_port()];
    let url = |port: u16| format!("ldap://127.0.0.1:{port}/{}??sub", support::BASE);
    let (to_second, to_first) = (url(ports[1]), url(ports[0]));
    let like =
        |port, elsewhere, people| Like { people, port: Some(port), elsewhere, ..Like::default() };
    let first = Slapd::start(like(ports[0], Some(to_second.as_str()), 2)).await;
    let second = Slapd::start(like(ports[1], Some(to_first.as_str()), 6)).await;
    let (Some(_first), Some(second)) = (first, second) else { return };
    let plan = plan(ports[0], &[]);
    let report = ask(plain_net(), &plan, Wish::Typed("user0000".into())).await;
    let cause = "The directory 127.0.0.1 refers to others that refer back, or on and on.";
    assert_eq!((report.people.len(), causes(&report)), (6, vec![cause]));
    drop(second);
    let report = ask(plain_net(), &plan, Wish::Typed("user0000".into())).await;
    let cause = "The directory 127.0.0.1 says that 127.0.0.1 knows more, and that leads nowhere.";
    assert_eq!((report.people.len(), causes(&report)), (2, vec![cause]));
}

#[tokio::test]
async fn the_second_server_takes_over_from_the_first() {
    let like = || Like { people: 5, ..Like::default() };
    let (Some(mut one), Some(two)) = (Slapd::start(like()).await, Slapd::start(like()).await)
    else {
        return;
    };
    let port = two.port.to_string();
    let plan = plan(one.port, &[("SecondaryServerName", "localhost"), ("ServerPort2", &port)]);
    let (directories, standing) = (Directories::new(plain_net()), Standing::default());
    let wish = Wish::Account("user00003".into());
    let report = search(&directories, &plan, &standing, &wish, 50).await;
    assert_eq!((report.people.len(), causes(&report)), (1, vec![]));
    one.kill();
    let report = search(&directories, &plan, &standing, &wish, 50).await;
    assert_eq!((report.people.len(), report.problems.len()), (1, 1));
    let report = search(&directories, &plan, &standing, &wish, 50).await;
    assert_eq!((report.people.len(), report.problems.len()), (1, 0), "it is asked first now");
}

#[tokio::test]
async fn groups_are_found_and_say_who_is_in_them() {
    let Some(slapd) = Slapd::start(Like { people: 130, ..Like::default() }).await else { return };
    let plan = plan(slapd.port, &[("GroupSearchBase1", "ou=groups,dc=example,dc=test")]);
    let names = |report: &LdapReport| {
        report.groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>()
    };
    let found = ask(plain_net(), &plan, Wish::Groups("engine".into())).await;
    assert_eq!(names(&found), ["Engineering", people::ODD_GROUP]);
    assert_eq!((found.people.len(), causes(&found)), (0, vec![]));
    assert_eq!(found.groups[0].description.as_deref(), Some("Who builds it"));
    for text in ["*)(cn=*", "Engines, \\ (old) *x"] {
        let none = ask(plain_net(), &plan, Wish::Groups(text.into())).await;
        assert_eq!((names(&none), causes(&none)), (vec![], vec![]), "{text}");
    }
    let odd = ask(plain_net(), &plan, Wish::Groups("Engines, \\ (old) *".into())).await;
    assert_eq!(names(&odd), [people::ODD_GROUP]);

    let (directories, standing) = (Directories::new(plain_net()), Standing::default());
    let read = async |id: &str| members(&directories, &plan, &standing, id).await;
    let first = read(&found.groups[0].id).await;
    assert_eq!(first.group.as_ref(), Some(&found.groups[0]));
    let im: Vec<_> = first.people.iter().filter_map(|person| person.im.clone()).collect();
    assert_eq!(im.len(), 12);
    assert!(im.iter().any(|im| im.bare_str() == "user00011@example.test"));
    assert_eq!((first.no_people, first.left_out, first.problems.len()), (2, 0, 0));
    let odd = read(&odd.groups[0].id).await;
    assert_eq!((odd.people.len(), odd.no_people, odd.problems.len()), (1, 0, 0));
    let every = ask(plain_net(), &plan, Wish::Groups("every".into())).await;
    let every = read(&every.groups[0].id).await;
    assert_eq!((every.people.len(), every.left_out, every.more), (MOST_MEMBERS, 30, false));
    let nobody = read("uid=user00001,ou=people,dc=example,dc=test").await;
    assert!(nobody.group.is_none() && nobody.problems.is_empty(), "that is a person");
}
