//! Binds with a Kerberos ticket at OpenLDAP's server, with a realm of MIT's. Needs `slapd`, `krb5kdc`,
//! `kadmin.local`, `kinit` and Cyrus' module for GSSAPI; without them the test says so and passes.
//!
//! The system's library reads the environment of its process, so every part runs in one of its own.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use offhook_ldap::Directories;
use offhook_model::TicketFault;
use offhook_net::{Net, NetOptions};
use offhook_ports::{Ldap, LdapBind, LdapFailure, LdapRequest, LdapSecurity};
use support::realm::{REALM, Realm, WHO};
use support::slapd::{Like, Slapd};
use support::{BASE, question};

/// What a part is told: which one, the port in clear, the one of TLS, the authority's file.
const PART: &str = "OFFHOOK_TEST_PART";
/// People in the directory: more than fit into one frame.
const PEOPLE: usize = 2_000;

/// The realm is asked before a ticket for the directory is kept. One part: who shows which ticket to whom, and how that ends.
const PARTS: [&str; 6] =
    ["no realm", "silent realm", "let in", "no ticket", "unknown server", "refused"];

#[test]
fn tickets_are_shown_to_a_directory() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Some(told) = std::env::var_os(PART) {
        let told = told.into_string().expect("text");
        let runtime = runtime().expect("a runtime");
        runtime.block_on(part(&told));
        // The system's library waits for a realm longer than we do.
        runtime.shutdown_background();
    } else {
        runtime().expect("a runtime").block_on(all());
    }
}

async fn all() {
    if !Path::new("/usr/lib").exists() || !module() {
        use std::io::Write;
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED: no module for GSSAPI is installed");
        return;
    }
    let Some(realm) = Realm::start().await else { return };
    let text = |name: &str| realm.file(name).display().to_string();
    let environment = [("KRB5_CONFIG", text("krb5.conf")), ("KRB5_KTNAME", text("keytab"))];
    let lines = format!(
        "sizelimit unlimited\nsasl-host localhost\nsasl-realm {REALM}\n\
         sasl-cbinding tls-endpoint\n\
         authz-regexp uid=([^,]*),(cn=[^,]*,)?cn=gssapi,cn=auth uid=$1,{BASE}"
    );
    let like = Like {
        people: PEOPLE,
        lines: &lines,
        loud: true,
        environment: &environment,
        ..Like::default()
    };
    let Some(slapd) = Slapd::start(like).await else { return };
    realm.sign_in();
    for part in PARTS {
        if part == "refused" {
            realm.change_the_directorys_key();
            realm.sign_in();
        }
        let before = slapd.words().len();
        let realm_of = match part {
            "no realm" => "nobody.conf",
            "silent realm" => "silent.conf",
            _ => "krb5.conf",
        };
        let tickets = if part == "no ticket" { "none" } else { "tickets" };
        let authority = slapd.authority.folder.path().join("ca.pem");
        let output = Command::new(std::env::current_exe().expect("a test has a path"))
            .args(["tickets_are_shown_to_a_directory", "--exact", "--nocapture"])
            .env(PART, format!("{part}|{}|{}|{}", slapd.port, slapd.tls, authority.display()))
            .env("KRB5_CONFIG", realm.file(realm_of))
            .env("KRB5CCNAME", format!("FILE:{}", realm.file(tickets).display()))
            .output()
            .expect("the test runs again");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{part}: {said}{errors}");
        let words = slapd.words().split_off(before);
        if part == "let in" {
            // Three connections: each as the person of the ticket, in clear under its key, under
            // TLS without a second protection.
            let binds: Vec<_> =
                words.lines().filter(|line| line.contains("mech=GSSAPI bind_ssf")).collect();
            let person = format!("dn=\"uid={},{BASE}\"", WHO.0);
            assert_eq!(binds.len(), 3, "{words}");
            assert!(binds.iter().all(|line| line.contains(&person)), "{binds:?}");
            let strength = |strength: &str| {
                binds.iter().filter(|line| line.contains(&format!("bind_ssf={strength} "))).count()
            };
            assert_eq!((strength("256"), strength("0")), (1, 2), "{binds:?}");
            assert_eq!(words.matches(" SRCH base=").count(), 5, "{words}");
        } else {
            assert!(!words.contains(" SRCH base="), "{part}: {words}");
        }
    }
}

fn module() -> bool {
    let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    libraries.map(|one| one.path().join("sasl2/libgssapiv2.so")).any(|path| path.exists())
}

async fn part(told: &str) {
    let told: Vec<&str> = told.split('|').collect();
    let [part, port, tls, authority] = told[..] else { panic!("{told:?}") };
    let net = Net::new(NetOptions { ca_files: vec![authority.into()], ..NetOptions::default() });
    let directories = Directories::new(net.expect("a network"));
    let mut request = LdapRequest {
        bind: LdapBind::Gssapi,
        attributes: vec!["cn".into(), "mail".into(), "description".into()],
        limit: 10_000,
        page: 1_000,
        ..question(port.parse().expect("a port"), "(objectClass=inetOrgPerson)")
    };
    request.server.host = "localhost".into();
    let failure = |fault| Some(LdapFailure::Ticket(fault));
    match part {
        "let in" => {
            let answer = directories.search(request.clone()).await.expect("an answer");
            assert_eq!(answer.entries.len(), PEOPLE);
            assert_eq!(answer.tls, None);
            // The second question goes out on the same connection.
            request.limit = 1;
            request.page = 0;
            let _ = directories.search(request.clone()).await.expect("an answer");
            request.server.port = tls.parse().expect("a port");
            request.server.security = LdapSecurity::Tls;
            let answer = directories.search(request.clone()).await.expect("an answer");
            assert!(answer.tls.is_some());
            request.server.port = port.parse().expect("a port");
            request.server.security = LdapSecurity::StartTls;
            assert!(directories.search(request).await.is_ok());
        }
        "no ticket" => {
            assert_eq!(directories.search(request).await.err(), failure(TicketFault::NoTicket));
        }
        "no realm" => {
            let ended = directories.search(request).await.err();
            assert_eq!(ended, failure(TicketFault::NoRealm));
        }
        "silent realm" => {
            request.timeout = Duration::from_secs(2);
            let ended = directories.search(request).await.err();
            assert_eq!(ended, failure(TicketFault::NoRealm));
        }
        "unknown server" => {
            request.server.host = "127.0.0.1".into();
            let ended = directories.search(request).await.err();
            assert_eq!(ended, failure(TicketFault::UnknownServer));
        }
        "refused" => {
            let ended = directories.search(request).await.err();
            assert_eq!(ended, failure(TicketFault::Refused));
        }
        other => panic!("{other}"),
    }
}
