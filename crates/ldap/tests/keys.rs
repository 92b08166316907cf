//! What each key of the directory changes on the wire: OpenLDAP's server writes down what it is asked.
//! Needs the programs `slapd` and `slapadd`; without them the test says so and passes.

mod support;

use std::collections::BTreeSet;

use offhook_config::{Layers, keys};
use offhook_contacts::ldap::{Given, LdapPlan, SignIn, SignInOf, Standing, Wish, picture, search};
use offhook_ldap::Directories;
use offhook_model::{Layer, PhotoSource, Setting, Source};
use support::slapd::{Like, Slapd};
use support::{BASE, READER, free_port};

/// Keys that no server sees, and why.
const UNSEEN: [(&str, &str); 6] = [
    ("ConnectionType", "it chooses the usual port, 389 or 3268; the test's server has another"),
    ("PhotoUriWithToken", "the address of a picture, which the web server sees"),
    (
        "UseWindowsCredentials",
        "the system's ticket (GSSAPI) is not built, so nobody is asked with it",
    ),
    ("UdsServer", "of User Data Services"),
    ("UdsPhotoUriWithToken", "of User Data Services"),
    ("UseUDSForContactResolution", "nothing goes by it: not built"),
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
        "ConnectionType" => (vec![], "1"),
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
        key if key.contains("SearchBase") => (vec![], "ou=elsewhere,dc=example,dc=test"),
        // What is left are names of attributes.
        _ => (vec![], "employeeType"),
    };
    (beside, value.to_owned())
}

/// Of the server, and one where nobody listens.
struct Ports {
    clear: String,
    tls: String,
    dead: String,
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

/// What the server writes down while one of each wish is asked, without its counters.
async fn asked(slapd: &Slapd, settings: &[(&str, String)], ports: &Ports) -> BTreeSet<String> {
    let Some(plan) = plan(settings, ports) else { return BTreeSet::new() };
    let before = slapd.words().len();
    let directories = Directories::new(slapd.authority.net());
    let standing = Standing::default();
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
        let report = search(&directories, &plan, &standing, &wish, 50).await;
        for person in report.people.iter().take(1) {
            if let Some(PhotoSource::Attribute(name)) = &person.photo {
                picture(&directories, &plan, &standing, &person.id, name).await;
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
    said.collect()
}

/// What the server must say that it did not say before; nothing where it is asked less, or elsewhere.
fn shows<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    match key {
        "DirectoryServerType" | "DisableSecondaryNumberLookups" => None,
        "PrimaryServerName" | "SecondaryServerName" | "ServerPort1" | "ServerPort2" => {
            Some("(uid=user*)")
        }
        "BDILDAPServerType" => Some("objectCategory=person"),
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
    let ports = Ports {
        clear: slapd.port.to_string(),
        tls: slapd.tls.to_string(),
        dead: free_port().to_string(),
    };
    let usual = asked(&slapd, &[], &ports).await;
    assert!(usual.iter().any(|line| line.contains("(uid=user*)")), "{usual:#?}");
    let (mut seen, mut unseen) = (0, vec![]);
    for key in keys().iter().filter(|key| key.section == "Directory") {
        let (beside, value) = case(key.name, &ports);
        let before = asked(&slapd, &beside, &ports).await;
        let with = [&beside[..], &[(key.name, value.clone())]].concat();
        let after = asked(&slapd, &with, &ports).await;
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
    assert!(seen > 60, "{seen} keys");
}
