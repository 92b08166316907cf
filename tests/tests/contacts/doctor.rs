//! What keeps a directory from answering, as the doctor tells it and the client bears it.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;

use offhook_interop::{Lab, Like, Scratch, Slapd, doctor, free_port, have};
use serde_json::{Value, json};

use super::{ALICE, PEOPLE, alice, both, changed, configuration, keys, person, setup};

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
