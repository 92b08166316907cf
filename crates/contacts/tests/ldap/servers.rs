//! Which server is asked next, who is shown a password, and how far referrals are followed.

use std::time::Duration;

use futures_util::future::{join_all, select};
use offhook_contacts::ldap::{Given, LdapPlan, Standing, search};
use offhook_model::{Fault, Rule};
use offhook_ports::{
    BoxFuture, Clock, Ldap, LdapAnswer, LdapBind, LdapEnd, LdapFailure, LdapRequest, LdapSecurity,
};
use offhook_testkit::{VirtualClock, block_on};

use crate::support::{Directory, entry, file, found, plan, refers, typed};

fn hosts(directory: &Directory) -> Vec<String> {
    directory.asked().into_iter().map(|request| request.server.host).collect()
}

#[test]
fn the_next_server_is_asked_and_kept() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let down = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&down);
    let directory = Directory::new(move |request| match &*request.server.host {
        "one" if seen.load(Ordering::Relaxed) => Err(LdapFailure::Fault(Fault::Closed)),
        "three" => Err(LdapFailure::Result(52)),
        _ => found(vec![entry("cn=a", &[("cn", "A")])]),
    });
    let plan = plan(&[("PrimaryServerName", "one"), ("SecondaryServerName", "two")]);
    let standing = Standing::default();
    let report = directory.search(&plan, &standing, &typed("alice"));
    assert_eq!(hosts(&directory), ["one", "two"]);
    assert_eq!((report.people.len(), report.problems.len()), (1, 1));
    down.store(false, Ordering::Relaxed);
    let report = directory.search(&plan, &standing, &typed("alice"));
    assert_eq!(hosts(&directory), ["two"], "the one that worked");
    assert!(report.problems.is_empty());
    directory.search(&plan, &Standing::default(), &typed("alice"));
    assert_eq!(hosts(&directory), ["one"], "after a restart the primary one again");
}

#[test]
fn when_all_are_gone_each_is_told() {
    let directory = Directory::new(|request| match &*request.server.host {
        "one" => Err(LdapFailure::Fault(Fault::ConnectTimeout)),
        _ => Err(LdapFailure::Result(52)),
    });
    let plan = plan(&[("PrimaryServerName", "one"), ("SecondaryServerName", "two")]);
    let report = directory.search(&plan, &Standing::default(), &typed("alice"));
    assert_eq!((report.people.len(), report.problems.len(), report.asked), (0, 2, true));
    let rules: Vec<_> = report.problems.iter().map(|it| it.rule).collect();
    assert_eq!(rules, [Some(Rule(7)), Some(Rule(31))]);
    // One that goes away in the middle is down too.
    let directory = Directory::new(|_| Err(LdapFailure::Fault(Fault::Closed)));
    let report = directory.search(&plan, &Standing::default(), &typed("alice"));
    assert!(report.problems.iter().all(|it| it.rule == Some(Rule(7))), "{:?}", report.problems);
}

#[test]
fn a_server_lost_between_two_bases_is_asked_no_more() {
    let directory = Directory::new(|request| match (&*request.server.host, &*request.base) {
        ("one", "ou=b") => Err(LdapFailure::Fault(Fault::Closed)),
        (_, base) => found(vec![entry(&format!("cn=a,{base}"), &[("cn", "A")])]),
    });
    let plan = plan(&[
        ("PrimaryServerName", "one"),
        ("SecondaryServerName", "two"),
        ("SearchBase1", "ou=a"),
        ("SearchBase2", "ou=b"),
    ]);
    let report = directory.search(&plan, &Standing::default(), &typed("alice"));
    assert_eq!(hosts(&directory), ["one", "one", "two", "two"]);
    assert_eq!(report.people.len(), 2, "whole from the second one");
}

#[test]
fn a_wrong_password_is_shown_once_and_never_again() {
    let given = Given { file_password: Some("wrong".into()), ..Given::default() };
    let bases = ["SearchBase1", "SearchBase2", "SearchBase3", "SearchBase4", "SearchBase5"];
    let mut settings = vec![
        ("PrimaryServerName", "one"),
        ("SecondaryServerName", "two"),
        ("ConnectionUsername", "r"),
        ("ConnectionPassword", ""),
    ];
    settings.extend(
        bases.iter().zip(["ou=1", "ou=2", "ou=3", "ou=4", "ou=5"]).map(|(key, dn)| (*key, dn)),
    );
    let plan = LdapPlan::read(&file(&settings), &given).expect("a plan");
    let directory = Directory::new(|request| match request.bind {
        LdapBind::Anonymous => found(vec![]),
        LdapBind::Simple { .. } | LdapBind::Gssapi => Err(LdapFailure::BadCredentials),
    });
    let standing = Standing::default();
    let report = directory.search(&plan, &standing, &typed("alice"));
    let shown = |directory: &Directory| {
        directory.asked().iter().filter(|it| it.bind != LdapBind::Anonymous).count()
    };
    assert_eq!(shown(&directory), 1);
    assert_eq!(report.problems.len(), 1);
    let again = directory.search(&plan, &standing, &typed("alice"));
    assert_eq!(shown(&directory), 0);
    assert_eq!(again.problems.len(), 1, "it is still said");
    let nobody = Directory::new(|request| match request.bind {
        LdapBind::Anonymous => Err(LdapFailure::Result(1)),
        LdapBind::Simple { .. } | LdapBind::Gssapi => Err(LdapFailure::BadCredentials),
    });
    let report = nobody.search(&plan, &Standing::default(), &typed("alice"));
    assert_eq!(nobody.asked().len(), 2, "not at the second server either");
    assert_eq!(report.problems.len(), 2);
}

/// Answers each question after a second, as if the server were far away.
struct Far(Directory, VirtualClock);

impl Ldap for Far {
    fn search(&self, request: LdapRequest) -> BoxFuture<'_, Result<LdapAnswer, LdapFailure>> {
        Box::pin(async move {
            self.1.sleep(Duration::from_secs(1)).await;
            Ldap::search(&self.0, request).await
        })
    }

    fn forget(&self) {}
}

#[test]
fn many_searches_at_once_show_a_wrong_password_once() {
    let clock = VirtualClock::new();
    let refusing = Directory::new(|request| match request.bind {
        LdapBind::Anonymous => found(vec![]),
        LdapBind::Simple { .. } | LdapBind::Gssapi => Err(LdapFailure::BadCredentials),
    });
    let far = Far(refusing, clock.clone());
    let (plan, standing, wish) = (with_password(&[]), Standing::default(), typed("alice"));
    let all = (0..20).map(|_| search(&far, &plan, &standing, &wish, 50));
    let reports = block_on(&clock, join_all(all));
    assert!(reports.iter().all(|report| report.problems.len() == 1));
    let asked = far.0.asked();
    let shown = asked.iter().filter(|it| it.bind != LdapBind::Anonymous).count();
    assert_eq!((shown, asked.len()), (1, 21));
    // One that is let in is shown by one, and by all others side by side.
    let far = Far(Directory::empty(), clock.clone());
    let (standing, begun) = (Standing::default(), clock.passed());
    let all = (0..20).map(|_| search(&far, &plan, &standing, &wish, 50));
    block_on(&clock, join_all(all));
    assert_eq!(clock.passed() - begun, Duration::from_secs(2));
}

#[test]
fn a_search_that_is_dropped_forgets_no_refusal() {
    let clock = VirtualClock::new();
    let refusing = Directory::new(|request| match request.bind {
        LdapBind::Anonymous => found(vec![]),
        LdapBind::Simple { .. } | LdapBind::Gssapi => Err(LdapFailure::BadCredentials),
    });
    let far = Far(refusing, clock.clone());
    let (plan, standing, wish) = (with_password(&[]), Standing::default(), typed("alice"));
    for _ in 0..3 {
        // Long enough for one answer and no second.
        let dropped: BoxFuture<'_, _> = Box::pin(search(&far, &plan, &standing, &wish, 50));
        let late = clock.sleep(Duration::from_millis(1_500));
        block_on(&clock, select(dropped, late));
    }
    let shown = far.0.asked().iter().filter(|it| it.bind != LdapBind::Anonymous).count();
    assert_eq!(shown, 1);
}

#[test]
fn limits_of_the_server_are_told() {
    let ended = |end: LdapEnd| {
        let directory = Directory::new(move |_| {
            let answer = found(vec![entry("cn=a", &[("cn", "A")])]);
            answer.map(|answer| LdapAnswer { end, ..answer })
        });
        let plan = plan(&[("PrimaryServerName", "one")]);
        let report = directory.search(&plan, &Standing::default(), &typed("alice"));
        (report.people.len(), report.more, report.problems.len())
    };
    assert_eq!(ended(LdapEnd::Complete), (1, false, 0));
    assert_eq!(ended(LdapEnd::SizeLimit), (1, true, 1));
    assert_eq!(ended(LdapEnd::AdminLimit), (1, true, 1));
    assert_eq!(ended(LdapEnd::TimeLimit), (1, true, 1));
    let many = Directory::new(|_| {
        found((0..60).map(|number| entry(&format!("cn={number}"), &[("cn", "A")])).collect())
    });
    let plan = plan(&[("PrimaryServerName", "one")]);
    let report = many.search(&plan, &Standing::default(), &typed("alice"));
    assert_eq!((report.people.len(), report.more, report.problems.len()), (50, true, 0));
}

/// A plan with a password for `dc1.corp.test`, searched below `dc=corp,dc=test`.
fn with_password(more: &[(&str, &str)]) -> LdapPlan {
    let given = Given { file_password: Some("s3cret".into()), ..Given::default() };
    let settings = [
        &[
            ("PrimaryServerName", "dc1.corp.test"),
            ("ConnectionUsername", "r"),
            ("ConnectionPassword", ""),
            ("SearchBase1", "dc=corp,dc=test"),
        ],
        more,
    ];
    LdapPlan::read(&file(&settings.concat()), &given).expect("a plan")
}

#[test]
fn referrals_are_followed_and_passwords_stay_in_the_domain() {
    let directory = Directory::new(|request| match &*request.server.host {
        "dc1.corp.test" => refers(&[
            "ldap://sub.corp.test/dc=sub,dc=corp,dc=test??sub",
            "ldap://sub.corp.test/dc=sub,dc=corp,dc=test??sub",
            "ldap://stranger.example:1389/",
            "ldap://evilcorp.test/",
            "ldap://ForestDnsZones.corp.test/DC=ForestDnsZones,DC=corp,DC=test",
            "ldap://corp.test/CN=Configuration,DC=corp,DC=test",
            "ldap://corp.test/DC=DomainDnsZones,DC=corp,DC=test",
            "mailto:nobody",
        ]),
        host => found(vec![entry(&format!("cn={host}"), &[("cn", host)])]),
    });
    let report = directory.search(&with_password(&[]), &Standing::default(), &typed("alice"));
    let asked = directory.asked();
    let told: Vec<_> = asked
        .iter()
        .map(|it| (&*it.server.host, it.server.port, &*it.base, it.bind != LdapBind::Anonymous))
        .collect();
    assert_eq!(
        told,
        [
            ("dc1.corp.test", 3268, "dc=corp,dc=test", true),
            ("sub.corp.test", 389, "dc=sub,dc=corp,dc=test", true),
            ("stranger.example", 1389, "dc=corp,dc=test", false),
            ("evilcorp.test", 389, "dc=corp,dc=test", false),
        ]
    );
    assert_eq!((report.people.len(), report.problems.len()), (3, 0));
    // Who was asked under TLS does not send a password on in clear.
    directory.search(&with_password(&[("UseSSL", "1")]), &Standing::default(), &typed("alice"));
    let kinds: Vec<_> = directory.asked().iter().map(|it| it.server.security).collect();
    assert_eq!(kinds[..2], [LdapSecurity::Tls, LdapSecurity::StartTls]);
}

#[test]
fn circles_and_long_ways_end() {
    let two = Directory::new(|request| match &*request.server.host {
        "dc1.corp.test" => refers(&["ldap://b.corp.test/dc=corp,dc=test"]),
        _ => refers(&["ldap://dc1.corp.test:3268/dc=corp,dc=test"]),
    });
    let report = two.search(&with_password(&[]), &Standing::default(), &typed("alice"));
    assert_eq!(hosts(&two), ["dc1.corp.test", "b.corp.test"]);
    assert_eq!(report.problems.len(), 1, "a circle");
    let on = Directory::new(|request| {
        refers(&[&format!("ldap://{}.corp.test/", request.server.host.len())])
    });
    let report = on.search(&with_password(&[]), &Standing::default(), &typed("alice"));
    assert!(hosts(&on).len() <= 6);
    assert_eq!(report.problems.len(), 1);
    let wide = Directory::new(|request| match &*request.server.host {
        "dc1.corp.test" => {
            let urls: Vec<_> = (0..80).map(|n| format!("ldap://h{n}.corp.test/")).collect();
            refers(&urls.iter().map(String::as_str).collect::<Vec<_>>())
        }
        _ => found(vec![]),
    });
    wide.search(&with_password(&[]), &Standing::default(), &typed("alice"));
    assert_eq!(hosts(&wide).len(), 11);
}

#[test]
fn a_referral_that_leads_nowhere_takes_nothing_away() {
    let directory = Directory::new(|request| match &*request.server.host {
        "dc1.corp.test" => found(vec![entry("cn=a", &[("cn", "A")])]).map(|answer| LdapAnswer {
            referrals: vec!["ldap://gone.corp.test/".into()],
            ..answer
        }),
        _ => Err(LdapFailure::Fault(Fault::PortRefused)),
    });
    let report = directory.search(&with_password(&[]), &Standing::default(), &typed("alice"));
    assert_eq!((report.people.len(), report.problems.len()), (1, 1));
    assert!(report.problems[0].cause.contains("gone.corp.test"));
}
