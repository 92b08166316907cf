//! Whom is asked, as whom, how protected, and with which filter.

use std::time::Duration;

use offhook_config::Layers;
use offhook_contacts::ldap::{Given, LdapPlan, SignIn, SignInOf, Standing, Wish};
use offhook_discovery::directory_servers;
use offhook_model::{Rule, Secret, Source, TicketFault};
use offhook_ports::{LdapBind, LdapFailure, LdapScope, LdapSecurity, Target};
use offhook_testkit::TestWorld;

use crate::support::{Directory, entry, file, found, layer, plan, typed};

/// What was asked first.
fn first(plan: &LdapPlan, wish: &Wish) -> offhook_ports::LdapRequest {
    let directory = Directory::empty();
    directory.search(plan, &Standing::default(), wish);
    directory.asked().into_iter().next().expect("a question")
}

fn filter(settings: &[(&str, &str)], wish: Wish) -> String {
    let all = [&[("PrimaryServerName", "dc1.example.com")], settings].concat();
    first(&plan(&all), &wish).filter
}

#[test]
fn a_directory_by_uds_has_no_plan() {
    let uds = file(&[("DirectoryServerType", "UDS"), ("PrimaryServerName", "dc1")]);
    assert!(LdapPlan::read(&uds, &Given::default()).is_none());
}

#[test]
fn ports_and_protection() {
    use LdapSecurity::{None, StartTls, Tls};
    for (settings, port, security) in [
        (&[][..], 3268, None),
        (&[("UseSSL", "1")], 3269, Tls),
        (&[("BDIEnableTLS", "True")], 3269, Tls),
        (&[("ConnectionType", "1")], 389, None),
        (&[("ConnectionType", "1"), ("UseSSL", "true")], 636, Tls),
        (&[("BDILDAPServerType", "OpenLDAP")], 389, None),
        (&[("ServerPort1", "1389")], 1389, None),
        (&[("ServerPort1", "1636"), ("UseSSL", "1")], 1636, Tls),
        // Where clear text is spoken, TLS begins later.
        (&[("ServerPort1", "389"), ("UseSSL", "1")], 389, StartTls),
        (&[("BDIServerPort1", "3268"), ("UseSSL", "1")], 3268, StartTls),
    ] {
        let all = [&[("PrimaryServerName", "dc1")], settings].concat();
        let server = first(&plan(&all), &typed("alice")).server;
        assert_eq!((server.port, server.security), (port, security), "{settings:?}");
    }
}

#[test]
fn limits_and_time() {
    let asked = first(&plan(&[("PrimaryServerName", "dc1")]), &typed("alice"));
    assert_eq!((asked.limit, asked.page, asked.timeout), (50, 0, Duration::from_secs(5)));
    assert_eq!((asked.base.as_str(), asked.scope), ("", LdapScope::Subtree));
    assert!(asked.attributes.iter().any(|name| name == "telephoneNumber"));
    assert!(!asked.attributes.iter().any(|name| name == "thumbnailPhoto"), "pictures are large");
}

/// The order of the binds, as (name, password) pairs; `-` is nobody, `*` the system's ticket.
fn order(layers: &Layers, given: &Given) -> Vec<String> {
    let plan = LdapPlan::read(layers, given).expect("a plan");
    let directory = Directory::new(|request| match &request.bind {
        LdapBind::Anonymous => found(vec![]),
        LdapBind::Simple { .. } => Err(LdapFailure::BadCredentials),
        LdapBind::Gssapi => Err(LdapFailure::Ticket(TicketFault::NoTicket)),
    });
    directory.search(&plan, &Standing::default(), &typed("alice"));
    let told = |bind: &LdapBind| match bind {
        LdapBind::Anonymous => "-".to_owned(),
        LdapBind::Gssapi => "*".to_owned(),
        LdapBind::Simple { name, password } => format!("{name}/{}", password.expose()),
    };
    directory.asked().iter().map(|asked| told(&asked.bind)).collect()
}

#[test]
fn credentials_in_the_order_of_the_seed() {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let sign_in = |of, name: &str| SignIn { of, name: name.into(), password: "mine".into() };
    let given = Given {
        profile_password: secret("p"),
        file_password: secret("f"),
        sign_ins: vec![sign_in(SignInOf::Cup, "alice"), sign_in(SignInOf::Cucm, "alice.c")],
        ..Given::default()
    };
    let server = ("PrimaryServerName", "dc1");
    let reader = [("BDIConnectionUsername", "reader"), ("BDIConnectionPassword", "")];
    let file_of = |more: &[(&str, &str)]| file(&[&[server], &reader[..], more].concat());
    assert_eq!(order(&file(&[server]), &given), ["-"]);
    assert_eq!(order(&file_of(&[]), &given), ["reader/f", "-"]);
    let jabber = [("BDIUseJabberCredentials", "true")];
    assert_eq!(order(&file_of(&jabber), &given), ["reader/f", "alice/mine", "-"]);
    let from = [("LDAP_UseCredentialsFrom", "CUCM")];
    assert_eq!(order(&file_of(&from), &given), ["reader/f", "alice.c/mine", "-"]);
    let windows = [("DirectoryServerType", "EDI")];
    assert_eq!(order(&file_of(&windows), &given), ["*", "reader/f", "-"]);
    let none = [("DirectoryServerType", "EDI"), ("UseWindowsCredentials", "0")];
    assert_eq!(order(&file_of(&none), &given), ["reader/f", "-"]);
    let nobody = [("LdapAnonymousBinding", "true")];
    assert_eq!(order(&file_of(&nobody), &given), ["-"]);

    let profile = |settings: &[(&str, &str)]| {
        let mut layers = file_of(&windows);
        layers.put(layer(Source::ServiceProfile, settings));
        layers
    };
    let named = [("ConnectionUsername", "cn=p"), ("ConnectionPassword", "")];
    assert_eq!(order(&profile(&named), &given), ["cn=p/p", "*", "-"]);
    let own = [("UseUserCredential", "true"), named[0], named[1]];
    assert_eq!(order(&profile(&own), &given), ["alice/mine", "-"]);
    // Active Directory takes a name with its domain, and only then.
    let domain = Given { dns_domain: Some("corp.test".into()), ..given.clone() };
    assert_eq!(order(&profile(&own), &domain), ["alice@corp.test/mine", "-"]);
}

/// Whoever signs in to the domain later is found by the next search; what was refused stays so.
#[test]
fn a_ticket_may_come_later() {
    let windows = file(&[("PrimaryServerName", "dc1"), ("DirectoryServerType", "EDI")]);
    let plan = LdapPlan::read(&windows, &Given::default()).expect("a plan");
    let tickets = |fault: TicketFault| {
        Directory::new(move |request| match &request.bind {
            LdapBind::Gssapi => Err(LdapFailure::Ticket(fault)),
            LdapBind::Simple { .. } | LdapBind::Anonymous => Err(LdapFailure::BindRefused(48)),
        })
    };
    for (fault, binds) in [
        (TicketFault::NoTicket, 3),
        (TicketFault::Expired, 3),
        (TicketFault::UnknownServer, 2),
        (TicketFault::Refused, 2),
    ] {
        let directory = tickets(fault);
        let standing = Standing::default();
        for _ in 0..2 {
            let report = directory.search(&plan, &standing, &typed("alice"));
            let told = report.problems.iter().filter_map(|one| one.coded.as_ref());
            assert!(told.into_iter().any(|one| one.code.starts_with("ticket-")), "{fault:?}");
        }
        assert_eq!(directory.asked().len(), binds, "{fault:?}");
    }
}

#[test]
fn passwords_go_out_as_protected_as_told() {
    let given = Given { file_password: Some("f".into()), ..Given::default() };
    let how = |more: &[(&str, &str)]| {
        let reader = [("ConnectionUsername", "reader"), ("ConnectionPassword", "")];
        let all = [&[("PrimaryServerName", "dc1")], &reader[..], more].concat();
        let plan = LdapPlan::read(&file(&all), &given).expect("a plan");
        let clear = plan.findings().iter().any(|problem| problem.rule == Some(Rule(36)));
        (first(&plan, &typed("alice")).server.security, clear)
    };
    assert_eq!(how(&[]), (LdapSecurity::None, true));
    assert_eq!(how(&[("UseSSL", "1")]), (LdapSecurity::Tls, false));
    // Kerberos is wanted and not to be had: at least nobody reads along.
    let edi = [("DirectoryServerType", "EDI"), ("UseWindowsCredentials", "0")];
    assert_eq!(how(&edi), (LdapSecurity::StartTls, false));
    let simple = [edi[0], edi[1], ("UseSecureConnection", "0")];
    assert_eq!(how(&simple), (LdapSecurity::None, true));
}

#[test]
fn found_servers_stand_in_for_named_ones() {
    let target = |host: &str, port| Target { host: host.into(), port };
    let (gc, dc) = ([target("gc1", 3268), target("gc2", 3268)], [target("dc1", 389)]);
    let given = Given { dns_domain: Some("corp.test".into()), ..Given::default() };
    let asked = |settings: &[(&str, &str)], gc: &[Target]| {
        let plan = LdapPlan::read(&file(settings), &given).expect("a plan");
        assert_eq!(plan.looks_for(), Some("corp.test"));
        let plan = plan.with_found(gc, &dc);
        assert_eq!(plan.looks_for(), None);
        let server = first(&plan, &typed("alice")).server;
        (server.host, server.port, server.security)
    };
    assert_eq!(asked(&[], &gc), ("gc1".into(), 3268, LdapSecurity::None));
    assert_eq!(asked(&[("UseSSL", "1")], &gc), ("gc1".into(), 3269, LdapSecurity::Tls));
    assert_eq!(asked(&[("ConnectionType", "1")], &gc), ("dc1".into(), 389, LdapSecurity::None));
    assert_eq!(asked(&[], &[]), ("dc1".into(), 389, LdapSecurity::None));
    let named = plan(&[("PrimaryServerName", "dc9")]);
    assert_eq!(first(&named.with_found(&gc, &dc), &typed("alice")).server.host, "dc9");
    let directory = Directory::empty();
    let nobody = directory.search(&plan(&[]), &Standing::default(), &typed("alice"));
    assert_eq!((directory.asked().len(), nobody.problems.len()), (0, 1));
}

#[test]
fn what_discovery_finds_is_asked_in_its_order() {
    let world = TestWorld::new();
    world.srv(
        "_gc._tcp.corp.test",
        &[(10, 0, 3268, "gc2.corp.test"), (5, 0, 3268, "gc1.corp.test")],
    );
    world.srv("_ldap._msdcs._tcp.corp.test", &[(0, 0, 389, "dc1.corp.test")]);
    let given = Given { dns_domain: Some("corp.test".into()), ..Given::default() };
    let asked = |settings: &[(&str, &str)]| {
        let plan = LdapPlan::read(&file(settings), &given).expect("a plan");
        let domain = plan.looks_for().expect("a domain").to_owned();
        let servers = world.run(directory_servers(&world.world(), &domain, 7));
        let plan = plan.with_found(&servers.catalogue, &servers.ldap);
        let directory = Directory::new(|request| match &*request.server.host {
            "gc1.corp.test" => Err(LdapFailure::Result(52)),
            _ => found(vec![]),
        });
        directory.search(&plan, &Standing::default(), &typed("alice"));
        let hosts = directory.asked().into_iter().map(|it| it.server.host);
        hosts.collect::<Vec<_>>()
    };
    assert_eq!(asked(&[]), ["gc1.corp.test", "gc2.corp.test"]);
    let own = [("ConnectionType", "1"), ("SearchBase1", "dc=corp,dc=test")];
    assert_eq!(asked(&own), ["dc1.corp.test"]);
}

#[test]
fn filters_of_all_wishes() {
    let base = "(&(objectCategory=person)(objectClass=user))";
    let with = |condition: &str| format!("(&{base}{condition})");
    let open = [("BDILDAPServerType", "OpenLDAP"), ("BDISearchBase1", "dc=x")];
    assert_eq!(filter(&[], typed("jo smi")), with("(anr=jo smi)"));
    assert_eq!(filter(&[], typed("a*)(uid=*")), with("(anr=a\\2a\\29\\28uid=\\2a)"));
    assert_eq!(
        filter(&[("PredictiveSearchFilter", "uid, (sn=*)")], typed("jo*")),
        with("(|(uid=jo\\2a*)(sn=jo\\2a*))")
    );
    assert_eq!(
        filter(&[("BDIPredictiveSearchFilter", "uid"), ("BDIUseANR", "1")], typed("joe")),
        with("(|(anr=joe)(uid=joe*))")
    );
    assert_eq!(
        filter(
            &[("UseANR", "false"), ("PredictiveSearchFilter", "uid"), ("UseWildcards", "1")],
            typed("joe")
        ),
        with("(uid=*joe*)")
    );
    assert_eq!(
        filter(&open, typed("joe")),
        "(&(objectClass=inetOrgPerson)(|(cn=joe*)(displayName=joe*)(givenName=joe*)(sn=joe*)(uid=joe*)(mail=joe*)))"
    );
    assert_eq!(
        filter(&[("BDIBaseFilter", "(&objectClass=inetOrgPerson)")], typed("joe")),
        "(&(objectClass=inetOrgPerson)(anr=joe))"
    );
    assert_eq!(
        filter(&[("BaseFilter", "(broken")], typed("joe")),
        with("(anr=joe)"),
        "what nobody can mend is told, and the default stands in"
    );
    assert_eq!(
        filter(
            &[
                ("DisableSecondaryNumberLookups", "1"),
                ("PhoneNumberMasks", "+1408|+(#) ### ### ####")
            ],
            Wish::Number("+14085550100".into())
        ),
        with(
            "(|(telephoneNumber=+14085550100)(telephoneNumber=14085550100)(telephoneNumber=+\\281\\29 408 555 0100))"
        )
    );
    let number = filter(&[], Wish::Number("8001".into()));
    for attribute in ["telephoneNumber", "mobile", "homePhone", "otherTelephone"] {
        assert!(number.contains(&format!("({attribute}=8001)")), "{number}");
    }
    assert!(filter(&[], typed("8001")).contains("(|(anr=8001)(|(telephoneNumber=8001)"));
    assert_eq!(filter(&[], Wish::Mail("a@x.test".into())), with("(mail=a@x.test)"));
    let presence = [("PresenceDomain", "x.test")];
    let im = |settings: &[(&str, &str)], address: &str| {
        filter(settings, Wish::Im(address.parse().expect("an address")))
    };
    assert_eq!(
        im(&presence, "a@x.test/r"),
        with("(|(|(sAMAccountName=a)(userPrincipalName=a@x.test))(mail=a@x.test))")
    );
    assert_eq!(im(&presence, "a@y.test"), with("(mail=a@y.test)"));
    let list = ["a@y.test", "b@y.test"].map(|it| it.parse().expect("an address"));
    assert_eq!(
        filter(&presence, Wish::ImAll(list.to_vec())),
        with("(|(mail=a@y.test)(mail=b@y.test))")
    );
    let sip = [("UseSIPURIToResolveContacts", "true"), ("UriPrefix", "sip:")];
    assert_eq!(im(&sip, "a@y.test"), with("(msRTCSIP-PrimaryUserAddress=sip:a@y.test)"));
    assert_eq!(
        filter(
            &[("DirectoryUri", "ipPhone"), ("DirectoryUriPrefix", "uri:"), ("UriPrefix", "sip:")],
            Wish::Uri("SIP:a@x.test".into())
        ),
        with("(|(ipPhone=uri:a@x.test)(msRTCSIP-PrimaryUserAddress=sip:a@x.test))")
    );
    assert_eq!(
        filter(&[("UserAccountName", "uid")], Wish::Account("al(ice".into())),
        with("(uid=al\\28ice)")
    );
    assert_eq!(
        filter(&[], Wish::Groups("eng".into())),
        "(&(objectClass=group)(|(anr=eng)(cn=eng*)))"
    );
}

#[test]
fn too_little_asks_nobody() {
    let directory = Directory::empty();
    let plan = plan(&[("PrimaryServerName", "dc1")]);
    for wish in [
        typed(" jo "),
        Wish::Number("12".into()),
        Wish::Mail(" ".into()),
        Wish::Uri("sip:".into()),
        Wish::Account(String::new()),
        Wish::ImAll(vec![]),
        Wish::Groups("x".into()),
    ] {
        let report = directory.search(&plan, &Standing::default(), &wish);
        assert!(!report.asked && report.people.is_empty(), "{wish:?}");
    }
    assert_eq!(directory.asked().len(), 0);
}

#[test]
fn bases_as_deep_as_told_and_shown_a_password_once() {
    let mut layers =
        file(&[("PrimaryServerName", "dc1"), ("SearchBase4", "ou=d"), ("SearchBase5", "OU=D")]);
    layers.put(layer(
        Source::ServiceProfile,
        &[("SearchBase1", "ou=a"), ("SearchBase2", "ou=b"), ("RecursiveSearch2", "false")],
    ));
    let plan = LdapPlan::read(&layers, &Given::default()).expect("a plan");
    let directory = Directory::new(|request| match request.base.as_str() {
        "ou=a" => Err(LdapFailure::NoSuchBase),
        "ou=b" => found(vec![entry("cn=x", &[("cn", "X")]), entry("cn=y", &[("cn", "Y")])]),
        _ => found(vec![entry("CN=X", &[("cn", "X again")])]),
    });
    let report = directory.search(&plan, &Standing::default(), &typed("alice"));
    let asked: Vec<_> = directory.asked().iter().map(|it| (it.base.clone(), it.scope)).collect();
    let deep = LdapScope::Subtree;
    assert_eq!(
        asked,
        [("ou=a".to_owned(), deep), ("ou=b".into(), LdapScope::OneLevel), ("ou=d".into(), deep)]
    );
    assert_eq!(report.people.len(), 2);
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].cause.contains("ou=a"), "{}", report.problems[0].cause);
}

#[test]
fn without_a_base_the_server_says_what_it_holds() {
    let plan = plan(&[("PrimaryServerName", "dc1"), ("ConnectionType", "1")]);
    let directory = Directory::new(|request| match request.scope {
        LdapScope::Base => found(vec![entry(
            "",
            &[("namingContexts", "dc=other"), ("DefaultNamingContext", "dc=corp")],
        )]),
        LdapScope::OneLevel | LdapScope::Subtree => found(vec![]),
    });
    let standing = Standing::default();
    directory.search(&plan, &standing, &typed("alice"));
    let bases: Vec<_> = directory.asked().into_iter().map(|it| it.base).collect();
    assert_eq!(bases, ["", "dc=corp"]);
    directory.search(&plan, &standing, &typed("alice"));
    let again: Vec<_> = directory.asked().into_iter().map(|it| it.base).collect();
    assert_eq!(again, ["dc=corp"], "asked once");
    let silent = Directory::empty();
    let report = silent.search(&plan, &Standing::default(), &typed("alice"));
    assert_eq!(report.problems.len(), 1);
}
