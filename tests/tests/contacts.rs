//! People beyond the contact list: found in the directories of the laboratory and of OpenLDAP,
//! kept, and named when they call.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;

use offhook_interop::{
    Client, Desktop, Lab, Like, Radicale, Scratch, Setup, Slapd, doctor, free_port, have, pause,
    until,
};
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

/// What the doctor finds with this directory section, and these authorities beside the laboratory's.
fn findings(folder: &Path, keys: &[(&'static str, String)], trusted: &[&Slapd]) -> Vec<Value> {
    let lab = Lab::start(folder, &[], &configuration(keys));
    let mut setup = setup(&lab);
    for slapd in trusted {
        setup.ca_file = setup.ca_file.map(|file| both(folder, &file, &slapd.authority));
    }
    let (status, diagnosis, _) = doctor(&folder.join("doctor"), &setup, ALICE, "secret");
    assert_eq!(status, 0, "a directory does not stop a sign-in: {diagnosis:#}");
    diagnosis["findings"].as_array().cloned().unwrap_or_default()
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

/// Somebody is told of this rule, in words with a remedy, and who must act.
#[track_caller]
fn is_told(found: &[Value], rule: &str, owner: &str, cause: &str) {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let there = found.iter().any(|it| {
        let whole = ["remedy", "who", "evidence"].iter().all(|key| !text(it, key).is_empty());
        whole && it["rule"] == rule && it["owner"] == owner && text(it, "cause").contains(cause)
    });
    assert!(there, "{rule} {owner} {cause}: {found:#?}");
}

#[test]
fn the_doctor_says_what_is_wrong_with_the_directory() {
    if !have("a directory by LDAP", &["slapd", "slapadd"]) {
        return;
    }
    let scratch = Scratch::new();
    let slapd = Slapd::start(scratch.path(), PEOPLE);
    let cases = std::cell::Cell::new(0);
    let find = |changes: &[(&'static str, &str)], trusted: &[&Slapd]| {
        cases.set(cases.get() + 1);
        let folder = scratch.folder(&cases.get().to_string());
        findings(&folder, &changed(keys(&slapd), changes), trusted)
    };
    assert_eq!(find(&[], &[&slapd]), [] as [Value; 0]);
    let refused = find(&[("BDIConnectionPassword", "wrong")], &[&slapd]);
    is_told(&refused, "D31", "admin", "does not take the name and password that are set");
    assert_eq!(refused.len(), 1, "nobody is shown the base, which is there: {refused:#?}");
    let nowhere = find(&[("BDISearchBase1", "ou=nowhere,dc=lab,dc=example")], &[&slapd]);
    is_told(&nowhere, "D31", "admin", "ou=nowhere");
    is_told(&find(&[], &[]), "D08", "admin", "127.0.0.1");
    let port = slapd.port.to_string();
    let clear = [("BDIServerPort1", port.as_str()), ("BDIEnableTLS", "False")];
    is_told(&find(&clear, &[&slapd]), "D36", "admin", "in clear");
    // Nobody listens there.
    is_told(&find(&[("BDIServerPort1", "9")], &[&slapd]), "D07", "network", "127.0.0.1");
    let broken = find(&[("BDIBaseFilter", "((objectClass=")], &[&slapd]);
    is_told(&broken, "D31", "admin", "BaseFilter");
}

/// Alice, or another one whose name begins like hers.
fn person(at: usize) -> String {
    let user = if at == 0 { "alice".to_owned() } else { format!("alina{at}") };
    format!(
        "dn: uid={user},ou=people,dc=lab,dc=example\nobjectClass: inetOrgPerson\ncn: {user}\n\
         sn: {user}\ndisplayName: {user}\nuid: {user}\n"
    )
}

fn many(count: usize) -> String {
    (0..count).map(|at| person(at) + "\n").collect()
}

#[test]
fn the_doctor_meets_limits_and_closed_doors_of_a_directory() {
    if !have("a directory by LDAP", &["slapd", "slapadd"]) {
        return;
    }
    let scratch = Scratch::new();
    let find = |name: &str, like: Like<'_>, changes: &[(&'static str, &str)]| {
        let folder = scratch.folder(name);
        let slapd = Slapd::like(&folder, &many(5), like);
        findings(&folder, &changed(keys(&slapd), changes), &[&slapd])
    };
    let usual = Like::default();
    assert_eq!(find("usual", usual, &[]), [] as [Value; 0]);
    // Nobody is let in by name and password with so little protection.
    let bind = find("bind", Like { lines: "security simple_bind=4096", ..usual }, &[]);
    is_told(&bind, "D31", "admin", "does not let us in this way");
    let nameless = [("BDIConnectionUsername", ""), ("BDIConnectionPassword", "")];
    let bind = find("nameless", Like { lines: "disallow bind_anon", ..usual }, &nameless);
    is_told(&bind, "D31", "admin", "does not let us in this way");
    let size = find("size", Like { lines: "sizelimit 2", ..usual }, &[]);
    is_told(&size, "D31", "admin", "gives out fewer people than were asked for");
    // Two seconds pass before anything is done, and one is what the server gives a search.
    let slow = "moduleload retcode\noverlay retcode\nretcode-parent ou=none,dc=lab,dc=example\n\
                retcode-sleep 2";
    let like = Like { lines: "timelimit 1", database: slow, ..usual };
    let time = find("time", like, &[("SearchTimeout", "30")]);
    is_told(&time, "D31", "server", "gave up its search before it was through");
}

#[test]
fn the_doctor_follows_referrals_that_lead_in_a_circle_to_their_end() {
    if !have("a directory by LDAP", &["slapd", "slapadd"]) {
        return;
    }
    let scratch = Scratch::new();
    let ports = [free_port(), free_port()];
    let start = |name: &str, at: usize| {
        let elsewhere = format!(
            "dn: ou=elsewhere,ou=people,dc=lab,dc=example\nobjectClass: referral\n\
             objectClass: extensibleObject\nou: elsewhere\n\
             ref: ldap://127.0.0.1:{}/ou=people,dc=lab,dc=example??sub\n\n",
            ports[1 - at]
        );
        let like = Like { port: Some(ports[at]), ..Like::default() };
        Slapd::like(&scratch.folder(name), &(many(2) + &elsewhere), like)
    };
    let (one, two) = (start("one", 0), start("two", 1));
    let found = findings(&scratch.folder("doctor"), &keys(&one), &[&one, &two]);
    is_told(&found, "D31", "admin", "refers to others that refer back");
    assert!(two.words().contains("base=\"ou=people,dc=lab,dc=example\""), "{}", two.words());
}

/// A way to a server on which each connection ends after so many bytes of the server's.
fn cut_after(bytes: u64, to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = move |client: TcpStream| -> std::io::Result<()> {
        let server = TcpStream::connect(("127.0.0.1", to))?;
        let (mut asks, mut asked) = (client.try_clone()?, server.try_clone()?);
        std::thread::spawn(move || std::io::copy(&mut asks, &mut asked));
        std::io::copy(&mut (&server).take(bytes), &mut &client)?;
        client.shutdown(Shutdown::Both)?;
        server.shutdown(Shutdown::Both)
    };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(client));
        }
    });
    port
}

#[test]
fn a_directory_server_that_goes_away_in_mid_search_is_told_and_the_next_one_asked() {
    if !have("a directory by LDAP", &["slapd", "slapadd"]) {
        return;
    }
    let scratch = Scratch::new();
    let one = Slapd::start(&scratch.folder("one"), &many(5));
    let two = Slapd::start(&scratch.folder("two"), &many(5));
    // The answer to the bind passes, and the beginning of somebody's entry.
    let (cut, whole) = (cut_after(40, one.port).to_string(), two.port.to_string());
    let changes = [
        ("BDIEnableTLS", "False"),
        ("BDIServerPort1", cut.as_str()),
        ("BDISecondaryServerName", "localhost"),
        ("BDIServerPort2", whole.as_str()),
    ];
    let keys = changed(keys(&one), &changes);
    let found = findings(&scratch.folder("doctor"), &keys, &[]);
    is_told(&found, "D07", "server", "directory server on 127.0.0.1 closed the connection");
    let searched = |slapd: &Slapd| slapd.words().matches("SRCH base=\"ou=people").count();
    assert!(searched(&one) == 1 && searched(&two) == 1, "{} {}", one.words(), two.words());

    let lab = Lab::start(scratch.path(), &[], &configuration(&keys));
    let client = alice(&scratch, &setup(&lab));
    let answer = client.must("contacts.search", json!({ "query": "alina3" }));
    assert_eq!(answer["items"][0]["name"], "alina3", "{answer:#}");
    assert_eq!(answer["problems"][0]["rule"], "D07", "{answer:#}");
}

/// A PNG of 30,000 by 30,000 points of one bit in 700 KB, which is less than any bound on the bytes of a
/// picture. Its rows are 112 MB, and a byte a point 900 MB.
fn bomb() -> Vec<u8> {
    const SIDE: u32 = 30_000;
    let rows = SIDE * (SIDE / 8 + 1);
    let (mut bits, mut count) = (vec![0x78, 0x01], 0);
    let mut push = |code: &str| {
        for bit in code.bytes() {
            if count % 8 == 0 {
                bits.push(0);
            }
            *bits.last_mut().expect("a byte") |= (bit - b'0') << (count % 8);
            count += 1;
        }
    };
    // The last block, by the fixed codes (RFC 1951 section 3.2.6): a zero, the same 258 times and
    // again, zeros for the rest, the end.
    push("110");
    push("00110000");
    (0..(rows - 1) / 258).for_each(|_| push("1100010100000"));
    (0..(rows - 1) % 258).for_each(|_| push("00110000"));
    push("0000000");
    // The checksum of zeros (RFC 1950).
    bits.extend(((rows % 65_521) << 16 | 1).to_be_bytes());
    let size = SIDE.to_be_bytes();
    let head = [&size[..], &size, &[1, 0, 0, 0, 0]].concat();
    let chunk = |kind: &[u8], data: &[u8]| {
        let data = [kind, data].concat();
        let length = u32::try_from(data.len() - 4).expect("short");
        let crc = !data.iter().fold(u32::MAX, |crc, byte| {
            let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            (0..8).fold(crc ^ u32::from(*byte), step)
        });
        [&length.to_be_bytes()[..], &data, &crc.to_be_bytes()].concat()
    };
    let parts = [chunk(b"IHDR", &head), chunk(b"IDAT", &bits), chunk(b"IEND", b"")];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

#[test]
fn pictures_that_are_bombs_or_too_large_take_no_memory_and_no_time_of_the_window() {
    let window = ["Xvfb", "xdotool", "dbus-daemon", "at-spi2-core", "pyatspi"];
    if !have("pictures in the window", &[&["slapd", "slapadd"], &window[..]].concat()) {
        return;
    }
    let scratch = Scratch::new();
    let pictures = [bomb(), vec![0xff; 20 * 1024 * 1024]];
    assert!(pictures[0].len() < 1024 * 1024, "it is let in");
    let mut people = String::new();
    for (at, bytes) in (1..).zip(&pictures) {
        let path = scratch.path().join(format!("picture{at}"));
        std::fs::write(&path, bytes).expect("written");
        people += &format!("{}jpegPhoto:< file://{}\n\n", person(at), path.display());
    }
    let like = Like { database: "maxsize 268435456", ..Like::default() };
    let slapd = Slapd::like(scratch.path(), &people, like);
    let lab = Lab::start(scratch.path(), &[], &configuration(&keys(&slapd)));
    let desktop = Desktop::start(scratch.path());
    let setup = Setup {
        ca_file: Some(both(scratch.path(), &lab.authority(), &slapd.authority)),
        environment: desktop.environment(),
        ..setup(&lab)
    };
    let client = Client::window(scratch.path(), "alice", &setup);
    client.sign_in(ALICE, "secret", &["im", "phone"]);
    desktop.focus("Offhook");
    desktop.press("ctrl+k");
    desktop.until_focus("Search or call");
    let before = client.running.peak_memory();
    desktop.type_text("alina");
    until("both pictures are asked for", 60, || {
        (slapd.words().matches("SRCH attr=jpegPhoto\n").count() == 2).then_some(())
    });
    // The one is here as it came, the other is none; the window has them as well.
    for (person, size) in [("alina1", json!(pictures[0].len())), ("alina2", Value::Null)] {
        let id = format!("uid={person},ou=people,dc=lab,dc=example");
        let there = until("it is known what picture there is", 30, || {
            let told = client.must("contacts.photo", json!({ "source": "ldap", "id": id }));
            (told["busy"] != true).then(|| told["size"].clone())
        });
        assert_eq!(there, size, "{person}");
    }
    pause(1.0);
    // A window that still unpacks has no time for a letter.
    desktop.until_there("alina2");
    desktop.type_text("1");
    desktop.until_gone("alina2");
    let grown = client.running.peak_memory().saturating_sub(before);
    assert!(grown < 150 * 1024 * 1024, "grew by {grown} bytes");
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
