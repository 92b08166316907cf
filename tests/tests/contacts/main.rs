//! People beyond the contact list: found in the directories of the laboratory and of OpenLDAP,
//! kept, and named when they call.

mod doctor;
mod pictures;

use std::path::Path;

use offhook_interop::{Client, Lab, Radicale, Scratch, Setup, Slapd, have, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";

fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    }
}

fn alice(scratch: &Scratch, setup: &Setup) -> Client {
    let client = Client::start(scratch.path(), "alice", setup);
    client.sign_in(ALICE, "secret", &["im", "phone"]);
    client
}

/// The persons found by a method, best first.
#[track_caller]
fn found(client: &Client, method: &str, params: Value) -> Vec<Value> {
    let found = client.must(method, params);
    assert_eq!(found["problems"], json!([]), "{found:#}");
    found["items"].as_array().cloned().unwrap_or_default()
}

fn search(client: &Client, query: &str) -> Vec<Value> {
    found(client, "contacts.search", json!({ "query": query }))
}

fn names(people: &[Value]) -> Vec<String> {
    people.iter().map(|it| it["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn user_data_services_are_searched_and_own_contacts_outlive_the_program() {
    let scratch = Scratch::new();
    let config = configuration(&[
        ("DirectoryServerType", "UDS".to_owned()),
        ("UdsPhotoUriWithToken", "http://photos.lab.example/photo-%%uid%%.png".to_owned()),
    ]);
    let config =
        format!("[uds]\npeople = 200\n{config}\"photo-bob.png\" = \"seventeen bytes !\"\n");
    let lab = Lab::start(scratch.path(), &[], &config);
    let mut setup = setup(&lab);
    setup.hosts = vec![format!("photos.lab.example:80=127.0.0.1:{}", lab.port("files"))];
    let mut client = alice(&scratch, &setup);
    // Bob is on the contact list too, which comes when it comes, and the directory has the picture.
    let bob = until("Bob is found in both", 10, || {
        let bob = search(&client, "bob");
        bob.first()?["entry"]["photo"]["of"].is_object().then_some(bob)
    });
    assert_eq!(names(&bob)[..1], ["Bob Robot"], "{bob:#?}");
    assert_eq!(names(&search(&client, "person17")).len(), 11);
    assert_eq!(
        names(&found(&client, "contacts.resolve", json!({ "number": "2003" })))[..1],
        ["Carol Clark"]
    );
    let directory = client.session()["services"]["directory"].clone();
    assert_eq!((&directory["state"], &directory["protocol"]), (&json!("ready"), &json!("UDS")));

    let entry = &bob[0]["entry"];
    let of = entry["photo"]["of"].clone();
    let size = until("the picture is here", 10, || {
        let told = client.must("contacts.photo", of.clone());
        told["size"].as_u64()
    });
    assert_eq!(size, 17, "{entry:#}");

    // A contact of our own, which outlives the program.
    let saved = client.must(
        "contacts.save",
        json!({ "displayName": "Zoë Plumber", "numbers": [{ "kind": "mobile", "number": "+1 555 010 7777" }] }),
    );
    assert!(saved["id"].as_str().is_some_and(|id| !id.is_empty()), "{saved}");
    assert_eq!(client.end(), Some(0));
    let client = alice(&scratch, &setup);
    // What was kept is read while the sign-in goes on.
    let own = until("own contacts are read", 10, || {
        let own = client.must("contacts.list", json!({}));
        own["items"].get(0).is_some().then_some(own)
    });
    assert_eq!(own["items"][0]["displayName"], "Zoë Plumber", "{own:#}");
    assert_eq!(names(&search(&client, "zoe plu"))[..1], ["Zoë Plumber"]);
}

const PEOPLE: &str = "dn: uid=yuki,ou=people,dc=lab,dc=example\nobjectClass: inetOrgPerson\n\
    cn: Yuki Mori\nsn: Mori\ngivenName: Yuki\ndisplayName: Yuki Mori\nuid: yuki\n\
    mail: yuki@lab.example\ntelephoneNumber: 2002\ntitle: Engineer\n\n\
    dn: uid=jurgen,ou=people,dc=lab,dc=example\nobjectClass: inetOrgPerson\n\
    cn:: SsO8cmdlbiBNw7xsbGVy\nsn:: TcO8bGxlcg==\ngivenName:: SsO8cmdlbg==\nuid: jurgen\n\
    mail: jurgen@lab.example\ntelephoneNumber: +1 555 010 3000\n\n";

/// A directory section of the configuration file for OpenLDAP, as an administrator writes it.
fn configuration(keys: &[(&'static str, String)]) -> String {
    let rows: String = keys.iter().map(|(key, value)| format!("<{key}>{value}</{key}>")).collect();
    format!(
        "[profileDirectory]\n[files]\n\"jabber-config.xml\" = '''<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <config version=\"1.0\"><Directory>{rows}</Directory></config>'''\n"
    )
}

/// One file with both authorities.
fn both(folder: &Path, one: &Path, other: &Path) -> std::path::PathBuf {
    let read = |path: &Path| std::fs::read_to_string(path).expect("an authority");
    let path = folder.join("authorities.pem");
    std::fs::write(&path, read(one) + &read(other)).expect("written");
    path
}

/// What settings lead to the directory by TLS.
fn keys(slapd: &Slapd) -> Vec<(&'static str, String)> {
    let text = |key, value: &str| (key, value.to_owned());
    vec![
        text("DirectoryServerType", "BDI"),
        text("BDILDAPServerType", "OpenLDAP"),
        text("BDIPrimaryServerName", "127.0.0.1"),
        ("BDIServerPort1", slapd.tls.to_string()),
        text("BDIEnableTLS", "True"),
        text("BDISearchBase1", "ou=people,dc=lab,dc=example"),
        text("BDIBaseFilter", "(objectClass=inetOrgPerson)"),
        text("BDIPresenceDomain", "lab.example"),
        text("BDIConnectionUsername", "cn=reader,dc=lab,dc=example"),
        text("BDIConnectionPassword", "reads"),
    ]
}

/// These settings changed, or added.
fn changed(
    mut keys: Vec<(&'static str, String)>,
    changes: &[(&'static str, &str)],
) -> Vec<(&'static str, String)> {
    keys.retain(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
    keys.extend(changes.iter().map(|(key, value)| (*key, (*value).to_owned())));
    keys
}

/// Alice, or another one whose name begins like hers.
fn person(at: usize) -> String {
    let user = if at == 0 { "alice".to_owned() } else { format!("alina{at}") };
    format!(
        "dn: uid={user},ou=people,dc=lab,dc=example\nobjectClass: inetOrgPerson\ncn: {user}\n\
         sn: {user}\ndisplayName: {user}\nuid: {user}\n"
    )
}

#[test]
fn a_directory_by_ldap_is_searched_as_the_configuration_file_says() {
    if !have("a directory by LDAP", &["slapd", "slapadd"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut slapd = Slapd::start(scratch.path(), PEOPLE);
    let nameless = "[[robots]]\nname = \"bob\"\ndisplayName = \"\"\n";
    let config = format!("{nameless}{}", configuration(&keys(&slapd)));
    let lab = Lab::start(scratch.path(), &[], &config);
    let mut setup = setup(&lab);
    setup.ca_file = Some(both(scratch.path(), &lab.authority(), &slapd.authority));
    let client = alice(&scratch, &setup);
    // Who calls has no name there, and one in the directory.
    let (since, before) = (client.count(), lab.count());
    client.say("bob@lab.example", "call me", "delivered");
    let id = client.until_called(since);
    let name = until("the caller has a name", 10, || {
        let calls = client.must("call.list", json!({}));
        let call = calls["items"].as_array()?.iter().find(|it| it["id"] == json!(id))?.clone();
        call["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    });
    assert_eq!(name, "Yuki Mori");
    client.must("call.decline", json!({ "id": id }));
    lab.until_event("robotCallFailed", before);

    assert_eq!(names(&search(&client, "yuk"))[..1], ["Yuki Mori"]);
    assert_eq!(names(&search(&client, "müller jür"))[..1], ["Jürgen Müller"]);
    let said = slapd.words();
    assert!(said.contains("BIND dn=\"cn=reader,dc=lab,dc=example\""), "{said}");
    assert!(said.contains("base=\"ou=people,dc=lab,dc=example\""), "{said}");
    assert!(said.contains("TLS established"), "{said}");

    // The server is gone: that is said, and what it said is still known.
    slapd.kill();
    let answer = client.must("contacts.search", json!({ "query": "yuki" }));
    assert_eq!(answer["items"][0]["name"], "Yuki Mori", "{answer:#}");
    assert_eq!(answer["problems"].as_array().map(Vec::len), Some(1), "{answer:#}");
    assert_eq!(client.session()["services"]["directory"]["state"], "failed");
}

#[test]
fn an_address_book_on_a_server_is_searched_and_follows_its_changes() {
    if !have("an address book on a server", &["radicale"]) {
        return;
    }
    let scratch = Scratch::new();
    let radicale = Radicale::start(scratch.path());
    radicale.card("zoe", "Zoë Plumber", "+1 555 010 7777");
    radicale.card("max", "Max Painter", "+1 555 010 8888");
    let lab = Lab::start(scratch.path(), &[], "");
    let setup = setup(&lab);
    let mut client = alice(&scratch, &setup);
    let url = format!("http://127.0.0.1:{}/", radicale.port);
    let book = json!({ "contacts": { "addressBook": { "url": url, "userName": "ann" } } });
    client.must("settings.set", book);
    let since = client.count();
    client.must("settings.setAddressBookPassword", json!({ "password": "wrong" }));
    let told =
        client.until_event("the password is not taken", since, |it| it["type"] == "diagnostic");
    assert_eq!(told["problem"]["area"], "authentication", "{told:#}");
    client.must("settings.setAddressBookPassword", json!({ "password": "s3cret" }));
    let shown = |client: &Client, query: &str, wanted: &[&str]| {
        until(&format!("{query} finds {wanted:?}"), 20, || {
            (names(&search(client, query)) == wanted).then_some(())
        });
    };
    shown(&client, "zoe", &["Zoë Plumber"]);
    shown(&client, "painter", &["Max Painter"]);
    let who = found(&client, "contacts.resolve", json!({ "number": "+15550108888" }));
    assert_eq!(who[0]["sources"], json!(["cardDav"]), "{who:#?}");

    radicale.remove("max");
    radicale.card("kim", "Kim Painter", "+1 555 010 9999");
    client.must("contacts.refresh", json!({}));
    shown(&client, "painter", &["Kim Painter"]);

    // There is no credential store here: the next start knows the people, and asks for the password.
    assert_eq!(client.end(), Some(0));
    radicale.remove("zoe");
    let client = alice(&scratch, &setup);
    client.until_event("the password is wanted", 0, |it| {
        let cause = it["problem"]["cause"].as_str();
        it["type"] == "diagnostic" && cause.is_some_and(|it| it.contains("address book"))
    });
    shown(&client, "zoe", &["Zoë Plumber"]);
    client.must("settings.setAddressBookPassword", json!({ "password": "s3cret" }));
    shown(&client, "painter", &["Kim Painter"]);
    shown(&client, "zoe", &[]);
    assert!(!client.words().contains("s3cret"));
}

#[test]
fn a_group_of_the_directory_becomes_a_group_of_the_contact_list() {
    if !have("a directory by LDAP", &["slapd", "slapadd"]) {
        return;
    }
    let scratch = Scratch::new();
    // Bob is a contact already; one member has left, and one is a group.
    let members = ["uid=yuki", "uid=jurgen", "uid=bob", "uid=gone"];
    let members: String =
        members.map(|uid| format!("member: {uid},ou=people,dc=lab,dc=example\n")).concat();
    let groups = format!(
        "dn: uid=bob,ou=people,dc=lab,dc=example\nobjectClass: inetOrgPerson\ncn: Bob Baker\n\
         sn: Baker\nuid: bob\n\n\
         dn: ou=groups,dc=lab,dc=example\nobjectClass: organizationalUnit\nou: groups\n\n\
         dn: cn=Engineers,ou=groups,dc=lab,dc=example\nobjectClass: groupOfNames\ncn: Engineers\n\
         description: Who builds it\n{members}member: ou=groups,dc=lab,dc=example\n\n"
    );
    let slapd = Slapd::start(scratch.path(), &format!("{PEOPLE}{groups}"));
    let keys = changed(keys(&slapd), &[("GroupSearchBase1", "ou=groups,dc=lab,dc=example")]);
    let lab = Lab::start(scratch.path(), &[], &configuration(&keys));
    let mut setup = setup(&lab);
    setup.ca_file = Some(both(scratch.path(), &lab.authority(), &slapd.authority));
    let client = alice(&scratch, &setup);
    let answer = client.must("contacts.search", json!({ "query": "engin" }));
    let group = &answer["groups"][0];
    assert_eq!(
        (&group["name"], &group["description"]),
        (&json!("Engineers"), &json!("Who builds it"))
    );
    let take = || client.must("contacts.takeGroup", json!({ "id": group["id"] }));
    let taken = json!({
        "group": "Engineers", "added": 2, "joined": 1, "present": 0,
        "withoutAddress": 0, "noPeople": 2, "leftOut": 0, "more": false,
    });
    assert_eq!(take(), taken);
    let inside = until("all of them are in the group", 10, || {
        let list = client.must("roster.list", json!({}));
        let inside = list["items"].as_array()?.iter().filter(|one| {
            one["groups"].as_array().is_some_and(|all| all.contains(&json!("Engineers")))
        });
        let inside: Vec<String> =
            inside.filter_map(|one| Some(one["contact"].as_str()?.to_owned())).collect();
        (inside.len() == 3).then_some(inside)
    });
    for who in ["bob@lab.example", "jurgen@lab.example", "yuki@lab.example"] {
        assert!(inside.iter().any(|one| one == who), "{inside:?}");
    }
    let again = take();
    assert_eq!(
        (&again["added"], &again["joined"], &again["present"]),
        (&json!(0), &json!(0), &json!(3))
    );
}
