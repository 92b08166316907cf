//! What each key of the directory changes on the wire: OpenLDAP's server writes down what it is asked.
//! Needs the programs `slapd` and `slapadd`; without them the test says so and passes.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use offhook_config::{Layers, keys};
use offhook_contacts::ldap::{Given, LdapPlan, SignIn, SignInOf, Wish};
use offhook_contacts::{Directory, Means, Servers};
use offhook_ldap::Directories;
use offhook_model::{Layer, Setting, Source};
use offhook_net::{Net, NetOptions};
use offhook_ports::{BoxFuture, World};
use offhook_testkit::{DIRECTORY_KEYS_ELSEWHERE, NoChat};
use support::slapd::{Like, Slapd};
use support::web::Web;
use support::{BASE, READER, free_port};

/// Keys that no server of the directory sees, and why.
const UNSEEN: [(&str, &str); 4] = [
    (
        "UseWindowsCredentials",
        "a ticket of the system needs a realm: `active_directory.rs` and `gssapi.rs` have one",
    ),
    ("UdsServer", "of User Data Services: crates/contacts/tests/uds_keys.rs"),
    ("UdsPhotoUriWithToken", "of User Data Services, likewise"),
    (
        "UseUDSForContactResolution",
        "rightly ignored: its name is seen nowhere in what the vendor has published, and so is what it would do",
    ),
];

/// Settings that a key needs beside it to make a difference, and its other value.
fn case(key: &str, ports: &Ports) -> (Vec<(&'static str, String)>, String) {
    let text = |key: &'static str, value: &str| (key, value.to_owned());
    let reader = [text("ConnectionUsername", READER.0), text("ConnectionPassword", "")];
    let photo = [
        text("PhotoUriSubstitutionEnabled", "true"),
        text("PhotoUriWithToken", "http://p/sAMAccountName"),
    ];
    let (beside, value): (Vec<_>, &str) = match key {
        "DirectoryServerType" => (vec![], "UDS"),
        "PrimaryServerName" => (vec![text("PrimaryServerName", "")], "127.0.0.1"),
        "SecondaryServerName" => (
            vec![("ServerPort1", ports.dead.clone()), ("ServerPort2", ports.clear.clone())],
            "127.0.0.1",
        ),
        "ServerPort1" => (vec![("ServerPort1", ports.dead.clone())], ports.clear.as_str()),
        "ServerPort2" => (
            vec![("ServerPort1", ports.dead.clone()), text("SecondaryServerName", "127.0.0.1")],
            ports.clear.as_str(),
        ),
        // It chooses the usual port of Active Directory, 3268 or 389.
        "ConnectionType" => (
            vec![
                text("BDILDAPServerType", "AD"),
                text("PrimaryServerName", CONTROLLER),
                text("ServerPort1", ""),
            ],
            "1",
        ),
        // It has no port of its own.
        "TertiaryServerName" => (vec![("ServerPort1", ports.dead.clone())], CONTROLLER),
        "LdapAnonymousBinding" => (reader.to_vec(), "true"),
        "RecursiveSearch1" => (vec![], "false"),
        "RecursiveSearch2" => (vec![text("SearchBase2", BASE)], "false"),
        "RecursiveSearch3" => (vec![text("SearchBase3", BASE)], "false"),
        "BDILDAPServerType" => (vec![], "AD"),
        "PresenceDomain" => (vec![], "other.test"),
        "BDIUseJabberCredentials" | "UseUserCredential" => (vec![], "true"),
        "LDAP_UseCredentialsFrom" => (vec![], "CUCM"),
        "ConnectionUsername" => (vec![reader[1].clone()], READER.0),
        "ConnectionPassword" => (vec![reader[0].clone()], ""),
        "UseSSL" => (vec![("ServerPort1", ports.tls.clone())], "true"),
        "UseSecureConnection" => (reader.to_vec(), "true"),
        "BaseFilter" | "GroupBaseFilter" => (vec![], "(objectClass=organizationalRole)"),
        "UseANR" => (vec![text("BDILDAPServerType", "AD")], "false"),
        "PredictiveSearchFilter" => (vec![], "uid"),
        "UseWildcards"
        | "DisableSecondaryNumberLookups"
        | "UseWindowsCredentials"
        | "UseUDSForContactResolution" => (vec![], "true"),
        "SearchTimeout" => (vec![], "7"),
        "MinimumCharacterQuery" => (vec![], "2"),
        "PhoneNumberMasks" => (vec![], "+1408|+# ### ### ####"),
        "UseSIPURIToResolveContacts" => (vec![], "true"),
        "DirectoryUriPrefix" => (vec![], "im:"),
        "UriPrefix" => (vec![text("UseSIPURIToResolveContacts", "true")], "im:"),
        "PhotoUriSubstitutionEnabled" => (vec![photo[1].clone()], "true"),
        "PhotoUriSubstitutionToken" => (
            vec![
                photo[0].clone(),
                text("PhotoUriWithToken", "http://p/sAMAccountName/employeeNumber"),
            ],
            "employeeNumber",
        ),
        "PhotoUriWithToken" => {
            let picture = |folder: &str| format!("http://{}/{folder}/uid.jpg", ports.web);
            let usual = vec![
                photo[0].clone(),
                text("PhotoUriSubstitutionToken", "uid"),
                ("PhotoUriWithToken", picture("old")),
            ];
            return (usual, picture("new"));
        }
        key if key.contains("SearchBase") => (vec![], "ou=elsewhere,dc=example,dc=test"),
        // What is left are names of attributes.
        _ => (vec![], "employeeType"),
    };
    (beside, value.to_owned())
}

/// A name under which the server has the port of the field, 389, and nobody listens on 3268.
const CONTROLLER: &str = "controller.test";

/// Of the server, one where nobody listens, and where a web server does.
struct Ports {
    clear: String,
    tls: String,
    dead: String,
    web: String,
}

/// The outside as far as a directory needs it.
fn world(slapd: &Slapd, ports: &Ports) -> (World, Directories) {
    let on = |port: u16, to: &str| {
        format!("{CONTROLLER}:{port}=127.0.0.1:{to}").parse().expect("an entry")
    };
    let net = Net::new(NetOptions {
        ca_files: vec![slapd.authority.folder.path().join("ca.pem")],
        hosts: vec![on(389, &ports.clear), on(3268, &ports.dead)],
        ..NetOptions::default()
    })
    .expect("a network");
    let world = World {
        dns: net.clone(),
        http: net.clone(),
        probe: net.clone(),
        xmpp: Arc::new(NoChat),
        clock: net.clone(),
    };
    (world, Directories::new(net))
}

fn plan(settings: &[(&str, String)], ports: &Ports) -> Option<LdapPlan> {
    let usual = [
        ("DirectoryServerType", "BDI".to_owned()),
        ("BDILDAPServerType", "OpenLDAP".to_owned()),
        ("PrimaryServerName", "127.0.0.1".to_owned()),
        ("ServerPort1", ports.clear.clone()),
        ("SearchBase1", "dc=example,dc=test".to_owned()),
        ("GroupSearchBase1", BASE.to_owned()),
    ];
    // Of two values of a key the last counts, and none is none.
    let mut all: Vec<(&str, String)> = vec![];
    for (key, value) in usual.iter().chain(settings) {
        all.retain(|(other, _)| other != key);
        all.push((*key, value.clone()));
    }
    all.retain(|(key, value)| !value.is_empty() || *key == "ConnectionPassword");
    let setting = |(key, value): &(&str, String)| Setting {
        key: (*key).to_owned(),
        section: Some("Directory".into()),
        value: value.clone(),
        line: None,
    };
    let layer = |source| Layer {
        source,
        origin: "settings".into(),
        settings: all.iter().map(setting).collect(),
        oddities: vec![],
    };
    let given = Given {
        im_domain: Some("example.test".into()),
        profile_password: Some(READER.1.into()),
        file_password: Some(READER.1.into()),
        sign_ins: vec![
            SignIn { of: SignInOf::Cup, name: "cn=cup".into(), password: "mine".into() },
            SignIn { of: SignInOf::Cucm, name: "cn=cucm".into(), password: "mine".into() },
        ],
        ..Given::default()
    };
    LdapPlan::read(&Layers::new([layer(Source::GroupFile), layer(Source::ServiceProfile)]), &given)
}

/// What the servers write down while one of each wish is asked, without counters.
async fn asked(
    (slapd, web): (&Slapd, &Web),
    settings: &[(&str, String)],
    ports: &Ports,
) -> BTreeSet<String> {
    let Some(plan) = plan(settings, ports) else { return BTreeSet::new() };
    let before = slapd.words().len();
    let (world, directories) = world(slapd, ports);
    let look =
        |_: String| -> BoxFuture<'_, Servers> { Box::pin(std::future::ready(<_>::default())) };
    let means = Means { world: &world, ldap: &directories, look: &look };
    let directory = Directory::by_ldap(plan);
    let address = "user00001@example.test";
    let wishes = [
        Wish::Typed("us".into()),
        Wish::Typed("user".into()),
        Wish::Number("+14085550001".into()),
        Wish::Mail(address.into()),
        Wish::Im(address.parse().expect("an address")),
        Wish::Uri(address.into()),
        Wish::Account("user00001".into()),
        Wish::Groups("eng".into()),
    ];
    for wish in wishes {
        let answer = directory.ask(means, &wish, 50).await;
        for person in answer.entries.iter().take(1) {
            if let Some(photo) = &person.photo {
                directory.picture(means, &person.id, photo).await;
            }
        }
    }
    drop(directories);
    let words = slapd.words();
    let said = words[before..].lines().filter_map(|line| {
        let at =
            ["BIND dn", "SRCH ", "STARTTLS", "TLS established"].iter().find_map(|it| line.find(it));
        Some(line[at?..].to_owned())
    });
    said.chain(web.heard()).collect()
}

/// What the server must say that it did not say before; nothing where it is asked less, or elsewhere.
fn shows<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    match key {
        "DirectoryServerType" | "DisableSecondaryNumberLookups" => None,
        "PrimaryServerName"
        | "SecondaryServerName"
        | "TertiaryServerName"
        | "ServerPort1"
        | "ServerPort2" => Some("(uid=user*)"),
        "LdapAnonymousBinding" => Some("BIND dn=\"\" method=128"),
        "UseUserCredential" => Some("BIND dn=\"cn=cup\""),
        "RecursiveSearch1" => Some("SRCH base=\"dc=example,dc=test\" scope=1 "),
        "RecursiveSearch2" | "RecursiveSearch3" => {
            Some("SRCH base=\"ou=people,dc=example,dc=test\" scope=1 ")
        }
        "PhotoUriWithToken" => Some("GET /new/user0"),
        "ConnectionType" | "BDILDAPServerType" => Some("objectCategory=person"),
        "PresenceDomain" => None,
        "BDIUseJabberCredentials" => Some("BIND dn=\"cn=cup\""),
        "LDAP_UseCredentialsFrom" => Some("BIND dn=\"cn=cucm\""),
        "ConnectionPassword" => Some("BIND dn=\"cn=reader,dc=example,dc=test\""),
        "UseSSL" | "UseSecureConnection" => Some("TLS established"),
        "UseANR" => Some("(sn=user*)"),
        "UseWildcards" => Some("(cn=*user*)"),
        "SearchTimeout" => Some(" 50 7 0"),
        "MinimumCharacterQuery" => Some("(uid=us*)"),
        "PhoneNumberMasks" => Some("+1 408 555 0001"),
        "UseSIPURIToResolveContacts" => Some("msRTCSIP-PrimaryUserAddress=sip:"),
        "PhotoUriSubstitutionEnabled" => Some("sAMAccountName"),
        // Names of attributes, filters, bases and binds are there as they are written.
        _ => Some(value),
    }
}

#[tokio::test]
async fn every_key_changes_what_the_server_sees() {
    let like = Like { people: 20, loud: true, ..Like::default() };
    let Some(slapd) = Slapd::start(like).await else { return };
    let web = Web::start().await;
    let ports = Ports {
        clear: slapd.port.to_string(),
        tls: slapd.tls.to_string(),
        dead: free_port().to_string(),
        web: web.at(),
    };
    let servers = (&slapd, &web);
    let usual = asked(servers, &[], &ports).await;
    assert!(usual.iter().any(|line| line.contains("(uid=user*)")), "{usual:#?}");
    let (mut seen, mut unseen) = (0, vec![]);
    let of_directory = |name: &str, section: &str| {
        section == "Directory" || DIRECTORY_KEYS_ELSEWHERE.contains(&name)
    };
    for key in keys().iter().filter(|key| of_directory(key.name, key.section)) {
        let (beside, value) = case(key.name, &ports);
        let before = asked(servers, &beside, &ports).await;
        let with = [&beside[..], &[(key.name, value.clone())]].concat();
        let after = asked(servers, &with, &ports).await;
        if before == after {
            unseen.push(key.name);
        } else if let Some(wanted) = shows(key.name, &value) {
            let new: Vec<&String> = after.difference(&before).collect();
            let there = new.iter().any(|line| line.contains(wanted));
            assert!(there, "{}: {wanted} is not in {new:#?}", key.name);
        }
        seen += 1;
    }
    let mut known = UNSEEN.map(|(key, _)| key).to_vec();
    known.sort_unstable();
    unseen.sort_unstable();
    assert_eq!(unseen, known);
    assert!(seen > 66, "{seen} keys");
}
