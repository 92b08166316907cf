//! Every key of the directory changes what is asked, by either of its names.

use offhook_config::{Layers, keys};
use offhook_contacts::ldap::{Given, LdapPlan, SignIn, SignInOf, Standing, Wish, picture};
use offhook_model::{Fault, PhotoSource, Source, TicketFault};
use offhook_ports::{LdapBind, LdapFailure, LdapRequest};
use offhook_testkit::{DIRECTORY_KEYS_ELSEWHERE, VirtualClock, block_on};

use crate::support::{Directory, entry, found, layer};

/// Keys of contact search by User Data Services: `tests/uds_keys.rs`. The last one is rightly ignored,
/// for its name is seen nowhere in what the vendor has published.
const UDS: [&str; 3] = ["UdsServer", "UdsPhotoUriWithToken", "UseUDSForContactResolution"];
/// The settings that a key needs beside it to make a difference, and another value for it.
fn case(key: &str) -> (Vec<(&'static str, &'static str)>, &'static str) {
    let server = ("PrimaryServerName", "one");
    let reader = [("ConnectionUsername", "reader"), ("ConnectionPassword", "")];
    let photo =
        [("PhotoUriSubstitutionEnabled", "true"), ("PhotoUriWithToken", "http://p/sAMAccountName")];
    match key {
        "DirectoryServerType" => (vec![server], "UDS"),
        "PrimaryServerName" => (vec![], "one"),
        "SecondaryServerName" | "TertiaryServerName" => {
            (vec![("PrimaryServerName", "dead")], "two")
        }
        "ServerPort1" => (vec![server], "1389"),
        "ServerPort2" => {
            (vec![("PrimaryServerName", "dead"), ("SecondaryServerName", "two")], "1389")
        }
        "ConnectionType" => (vec![server], "1"),
        "BDILDAPServerType" => (vec![server], "OpenLDAP"),
        "PresenceDomain" => (vec![server], "other.test"),
        "UseWindowsCredentials" => (vec![server], "true"),
        "BDIUseJabberCredentials" | "UseUserCredential" => (vec![server], "true"),
        "LDAP_UseCredentialsFrom" => (vec![server], "CUCM"),
        "ConnectionUsername" => (vec![server, reader[1]], "reader"),
        "ConnectionPassword" => (vec![server, reader[0]], ""),
        "LdapAnonymousBinding" => ([&[server], &reader[..]].concat(), "true"),
        "UseSSL" => (vec![server], "true"),
        "UseSecureConnection" => ([&[server], &reader[..]].concat(), "true"),
        "BaseFilter" | "GroupBaseFilter" => (vec![server], "(objectClass=x)"),
        "UseANR" => (vec![server], "false"),
        "PredictiveSearchFilter" => (vec![server], "uid"),
        "UseWildcards" => (vec![server, ("UseANR", "0")], "true"),
        "DisableSecondaryNumberLookups" => (vec![server], "true"),
        "SearchTimeout" => (vec![server], "7"),
        "MinimumCharacterQuery" => (vec![server], "2"),
        "PhoneNumberMasks" => (vec![server], "+1408|+# ### ### ####"),
        "RecursiveSearch1" => (vec![server, ("SearchBase1", "ou=1")], "false"),
        "RecursiveSearch2" => (vec![server, ("SearchBase2", "ou=1")], "false"),
        "RecursiveSearch3" => (vec![server, ("SearchBase3", "ou=1")], "false"),
        key if key.contains("SearchBase") => (vec![server], "ou=x"),
        "UseSIPURIToResolveContacts" => (vec![server], "true"),
        "UriPrefix" | "DirectoryUriPrefix" => (vec![server], "im:"),
        "PhotoUriSubstitutionEnabled" => (vec![server, photo[1]], "true"),
        "PhotoUriWithToken" => (vec![server, photo[0]], "http://q/sAMAccountName"),
        "PhotoUriSubstitutionToken" => {
            (vec![server, photo[0], ("PhotoUriWithToken", "http://p/sAMAccountName/uid")], "uid")
        }
        // What is left are names of attributes.
        _ => (vec![server], "otherAttribute"),
    }
}

/// Who is asked what, for one of each wish, and what of the answer is shown.
fn trace(settings: &[(&str, &str)]) -> (Vec<LdapRequest>, Vec<String>) {
    let given = Given {
        im_domain: Some("im.test".into()),
        profile_password: Some("p".into()),
        file_password: Some("f".into()),
        sign_ins: vec![
            SignIn { of: SignInOf::Cup, name: "alice".into(), password: "mine".into() },
            SignIn { of: SignInOf::Cucm, name: "alice.c".into(), password: "mine".into() },
        ],
        ..Given::default()
    };
    let layers = |source| layer(source, settings);
    // Each key counts from those who may set it only.
    let layers = Layers::new([layers(Source::GroupFile), layers(Source::ServiceProfile)]);
    let Some(plan) = LdapPlan::read(&layers, &given) else { return (vec![], vec![]) };
    let directory = Directory::new(|request| match (&*request.server.host, &request.bind) {
        ("dead", _) => Err(LdapFailure::Fault(Fault::Closed)),
        (_, LdapBind::Gssapi) => Err(LdapFailure::Ticket(TicketFault::NoTicket)),
        _ => found(vec![entry(
            "cn=a",
            &[("cn", "A"), ("sAMAccountName", "alice"), ("uid", "u"), ("namingContexts", "dc=x")],
        )]),
    });
    let address = "alice@im.test";
    let wishes = [
        Wish::Typed("al".into()),
        Wish::Typed("alice".into()),
        Wish::Number("+14085550100".into()),
        Wish::Mail(address.into()),
        Wish::Im(address.parse().expect("an address")),
        Wish::Uri(address.into()),
        Wish::Account("alice".into()),
        Wish::Groups("eng".into()),
    ];
    let mut shown = vec![];
    for wish in wishes {
        let report = directory.search(&plan, &Standing::default(), &wish);
        for person in report.people {
            shown.push(format!("{person:?}"));
            if let Some(PhotoSource::Attribute(name)) = &person.photo {
                let standing = Standing::default();
                let read = picture(&directory, &plan, &standing, &person.id, name);
                block_on(&VirtualClock::new(), read);
            }
        }
    }
    (directory.asked(), shown)
}

#[test]
fn every_key_changes_what_is_asked() {
    let mut counted = 0;
    for key in keys() {
        let ours = key.section == "Directory" || DIRECTORY_KEYS_ELSEWHERE.contains(&key.name);
        if !ours || UDS.contains(&key.name) {
            continue;
        }
        counted += 1;
        let (beside, value) = case(key.name);
        let before = trace(&beside);
        for name in [key.name].iter().chain(&key.aliases) {
            let after = trace(&[&beside[..], &[(name, value)]].concat());
            // The address of a picture is part of the answer, and nothing of the directory's.
            let only_shown = key.name == "PhotoUriWithToken";
            let changed = if only_shown { before.1 != after.1 } else { before.0 != after.0 };
            assert!(changed, "{name} changes nothing");
        }
    }
    assert!(counted > 65, "{counted}");
}
