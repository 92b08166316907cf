//! Every combination of what the ladder can meet, against a table written from the seed's text.
//!
//! The table below knows nothing of the code: a row is a condition on the case, the outcome, and
//! the chapter of the planning guide that says so. The first row that fits counts. Cases run in
//! virtual time, tens of thousands in seconds.

use std::time::Duration;

use offhook_discovery::{Report, Request, discover};
use offhook_model::{
    AccountType, Excluded, Fault, ManualAccount, Outcome, Preset, Rule, Timestamp,
};
use offhook_ports::{Found, Remembered, Target};
use offhook_testkit::{Reply, TestWorld};

/// What the cloud does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cas {
    No,
    Yes,
    /// Says yes, after two seconds.
    SlowYes,
    Portal,
    Saml,
    Unreachable,
}

/// The pinpoint zone holds a `_cisco-uds` record or not; the switch is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pinpoint {
    Empty,
    Filled,
    FilledAndOff,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    manual: AccountType,
    /// Cloud result of an earlier start.
    remembered_cloud: bool,
    /// Result of earlier SRV questions (`_cisco-uds` of `old.example.com`).
    remembered_records: bool,
    cas: Cas,
    /// `_cisco-uds`, `_cuplogin`, `_collab-edge`.
    srv: [bool; 3],
    /// `WEBEX`, `CUCM`, `CUP`.
    excluded: [bool; 3],
    pinpoint: Pinpoint,
    voice: bool,
}

/// Who must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Manual,
    Cloud {
        sso: bool,
        from_memory: bool,
    },
    RememberedRecords,
    /// Communications Manager, by the domain's own record or that of the pinpoint zone.
    Uds {
        pinpoint: bool,
    },
    CupLogin,
    Edge,
    /// The user is asked for settings: nothing is looked for.
    NoDiscovery,
    /// The user is asked for settings: nothing was found.
    NothingFound,
}

struct Row {
    chapter: &'static str,
    fits: fn(&Case) -> bool,
    outcome: fn(&Case) -> Expected,
}

fn own_uds(case: &Case) -> bool {
    case.srv[0] && !case.excluded[1]
}

fn own_cup(case: &Case) -> bool {
    case.srv[1] && !case.excluded[2]
}

/// "it issues additional queries if the name server does not return _cisco-uds or _cuplogin".
fn pinpoint_uds(case: &Case) -> bool {
    case.pinpoint == Pinpoint::Filled && !own_uds(case) && !own_cup(case) && !case.excluded[1]
}

fn any_record(case: &Case) -> bool {
    own_uds(case) || own_cup(case) || pinpoint_uds(case) || case.srv[2]
}

/// In the seed's order, with the name of the chapter.
const TABLE: &[Row] = &[
    Row {
        chapter: "How the Client Gets an Authenticator, 1; Manual Connection Settings",
        fits: |case| case.manual != AccountType::Automatic,
        outcome: |_| Expected::Manual,
    },
    Row {
        chapter: "Create Configuration URL: \"If you exclude all three services\"",
        fits: |case| case.excluded == [true; 3],
        outcome: |_| Expected::NoDiscovery,
    },
    Row {
        chapter: "How the Client Gets an Authenticator, 2 (unless WEBEX is excluded)",
        fits: |case| case.remembered_cloud && !case.excluded[0],
        outcome: |_| Expected::Cloud { sso: false, from_memory: true },
    },
    Row {
        chapter: "How the Client Gets an Authenticator, 3; Client Issues HTTP Query",
        fits: |case| !case.excluded[0] && case.cas == Cas::Yes,
        outcome: |_| Expected::Cloud { sso: false, from_memory: false },
    },
    Row {
        chapter: "How the Client Gets an Authenticator, 3 (reference: redirect means SSO)",
        fits: |case| !case.excluded[0] && case.cas == Cas::Saml,
        outcome: |_| Expected::Cloud { sso: true, from_memory: false },
    },
    Row {
        chapter: "How the Client Gets an Authenticator, 4 (CUCM excluded: not even remembered)",
        fits: |case| case.remembered_records && !case.excluded[1],
        outcome: |_| Expected::RememberedRecords,
    },
    Row {
        chapter: "reference: a slow cloud counts as no, once records have decided; else it counts",
        fits: |case| !case.excluded[0] && case.cas == Cas::SlowYes && !any_record(case),
        outcome: |_| Expected::Cloud { sso: false, from_memory: false },
    },
    Row {
        chapter: "Client Queries the Name Server: _cisco-uds",
        fits: own_uds,
        outcome: |_| Expected::Uds { pinpoint: false },
    },
    Row {
        chapter: "Client Queries the Name Server: _cuplogin",
        fits: own_cup,
        outcome: |_| Expected::CupLogin,
    },
    Row {
        chapter: "Use a Pinpoint Subdomain Zone",
        fits: pinpoint_uds,
        outcome: |_| Expected::Uds { pinpoint: true },
    },
    Row {
        chapter: "Client Queries the Name Server: _collab-edge",
        fits: |case| case.srv[2],
        outcome: |_| Expected::Edge,
    },
    Row {
        chapter: "Client Queries the Name Server: none of the SRV records",
        fits: |_| true,
        outcome: |_| Expected::NothingFound,
    },
];

fn cases() -> Vec<Case> {
    use AccountType::{Automatic, Cucm, Cup, Webex};
    let bits = |number: u8| [0, 1, 2].map(|bit| number & (1 << bit) != 0);
    let casses = [Cas::No, Cas::Yes, Cas::SlowYes, Cas::Portal, Cas::Saml, Cas::Unreachable];
    let mut all = vec![];
    for manual in [Automatic, Cup, Cucm, Webex] {
        for cas in casses {
            for number in 0..=u8::MAX {
                let [remembered_cloud, remembered_records, _] = bits(number);
                // One result is remembered at a time.
                if remembered_cloud && remembered_records {
                    continue;
                }
                let (srv, excluded) = (bits(number >> 2), bits(number >> 5));
                for pinpoint in [Pinpoint::Empty, Pinpoint::Filled, Pinpoint::FilledAndOff] {
                    for voice in [false, true] {
                        all.push(Case {
                            manual,
                            remembered_cloud,
                            remembered_records,
                            cas,
                            srv,
                            excluded,
                            pinpoint,
                            voice,
                        });
                    }
                }
            }
        }
    }
    all
}

const SERVICES: &str = "example.com";
const CAS_URL: &str = "GET https://loginp.webexconnect.com/cas/FederatedSSO?org=example.com";
const CAS_URL_IN_CLEAR: &str =
    "GET http://loginp.webexconnect.com/cas/FederatedSSO?org=example.com";
const IDP: &str = "https://idp.example.net/sso?SAMLRequest=abc";
const NOW: Timestamp = Timestamp(1_795_348_800_000);

fn voice_domain(case: &Case) -> &'static str {
    if case.voice { "voice.example.com" } else { SERVICES }
}

fn world_of(case: &Case) -> TestWorld {
    let world = TestWorld::new();
    let domain = voice_domain(case);
    let names = ["_cisco-uds._tcp", "_cuplogin._tcp", "_collab-edge._tls"];
    for (index, host) in
        ["cucm1.example.com", "cup1.example.com", "xpre1.example.com"].iter().enumerate()
    {
        if case.srv[index] {
            world.srv(&format!("{}.{domain}", names[index]), &[(1, 0, 8443, host)]);
        }
    }
    if case.voice {
        // What stands in the services domain must not count.
        world.srv("_cisco-uds._tcp.example.com", &[(1, 0, 8443, "wrong.example.com")]);
    }
    if case.pinpoint != Pinpoint::Empty {
        let name = format!("_cisco-uds._tcp.cisco-internal.{domain}");
        world.srv(&name, &[(1, 0, 8443, "pinpoint1.example.com")]);
    }
    let code =
        |code: u8| Reply::ok(format!("<CASResponse><errorcode>{code}</errorcode></CASResponse>"));
    match case.cas {
        Cas::No => world.web(CAS_URL, code(1)),
        Cas::Yes => world.web(CAS_URL, code(7)),
        Cas::SlowYes => world.web(CAS_URL, code(7).after(Duration::from_secs(2))),
        // A guest network lets nothing through but its own page, in clear.
        Cas::Portal => world.web(CAS_URL, Reply::fault(Fault::Closed)).web(
            CAS_URL_IN_CLEAR,
            Reply::ok("<html><body>Welcome, guest<form></form></body></html>"),
        ),
        Cas::Saml => world.web(CAS_URL, Reply::status(302, "").with_header("location", IDP)),
        Cas::Unreachable => {
            world.web(CAS_URL, Reply::silence()).web(CAS_URL_IN_CLEAR, Reply::silence())
        }
    };
    world
}

fn target(host: &str) -> Target {
    Target { host: host.into(), port: 8443 }
}

fn remembered(case: &Case) -> Option<Remembered> {
    let found = if case.remembered_cloud {
        Found::Webex { cas: "https://old.example.net/cas".into(), sso: None, voice: vec![] }
    } else if case.remembered_records {
        Found::Cucm(vec![target("old.example.com")])
    } else {
        return None;
    };
    Some(Remembered {
        domain: SERVICES.into(),
        voice_domain: voice_domain(case).into(),
        found,
        at: Timestamp(NOW.0 - 24 * 60 * 60 * 1000),
        network: None,
    })
}

fn request_of(case: &Case) -> Request {
    let [webex, cucm, cup] = case.excluded;
    let address = "adam@example.com".parse().expect("an address");
    let manual = ManualAccount {
        account_type: case.manual,
        server: Some("manual.example.com".into()),
        ..ManualAccount::default()
    };
    Request {
        manual,
        preset: Preset {
            voice_services_domain: case.voice.then(|| voice_domain(case).to_owned()),
            excluded: Excluded { webex, cucm, cup },
            pinpoint: case.pinpoint != Pinpoint::FilledAndOff,
            ..Preset::default()
        },
        remembered: remembered(case),
        now: NOW,
        ..Request::new(address, 1)
    }
}

/// What the report says, in the table's terms; the hosts prove which record it was.
fn seen(report: &Report) -> Expected {
    let first = |list: &[Target]| list.first().map(|it| it.host.clone()).unwrap_or_default();
    match &report.outcome {
        Ok(Found::Cucm(list) | Found::Cup(list)) if first(list) == "manual.example.com" => {
            Expected::Manual
        }
        Ok(Found::Cucm(list)) => match first(list).as_str() {
            "old.example.com" => Expected::RememberedRecords,
            "cucm1.example.com" => Expected::Uds { pinpoint: false },
            "pinpoint1.example.com" => Expected::Uds { pinpoint: true },
            other => panic!("servers of {other}"),
        },
        Ok(Found::Cup(list)) if first(list) == "cup1.example.com" => Expected::CupLogin,
        Ok(Found::Edge(list)) if first(list) == "xpre1.example.com" => Expected::Edge,
        Ok(Found::Webex { sso, .. }) => {
            assert!(sso.as_deref().is_none_or(|url| url == IDP));
            Expected::Cloud { sso: sso.is_some(), from_memory: report.from_memory }
        }
        Ok(other) => panic!("nobody can have found {other:?}"),
        Err(problem) if problem.rule == Some(Rule(1)) => Expected::NothingFound,
        Err(problem) if problem.cause.contains("all excluded") => Expected::NoDiscovery,
        Err(problem) => panic!("{problem:?}"),
    }
}

fn expected(case: &Case) -> (&'static str, Expected) {
    let row = TABLE.iter().find(|row| (row.fits)(case)).expect("the last row fits always");
    (row.chapter, (row.outcome)(case))
}

#[test]
fn every_combination_is_decided_as_the_seed_says() {
    let cases = cases();
    assert!(cases.len() > 20_000, "{}", cases.len());
    let mut used = vec![0_usize; TABLE.len()];
    for case in cases {
        let world = world_of(&case);
        let report = world.run(discover(&world.world(), &request_of(&case), &|_| {}));
        let (chapter, mut expected) = expected(&case);
        if case.manual == AccountType::Webex {
            // Manual settings of the cloud name no host of ours.
            expected = Expected::Cloud { sso: false, from_memory: false };
        }
        assert_eq!(seen(&report), expected, "{chapter}\n{case:?}\n{:#?}", report.steps);
        check_questions(&case, expected, &world);
        check_report(&case, expected, &report);
        check_time(&case, expected, &world);
        let row = TABLE.iter().position(|row| row.chapter == chapter).expect("a row");
        used[row] += 1;
    }
    assert!(used.iter().all(|count| *count > 10), "rows that no case reaches: {used:?}");
}

/// What was asked, and what must not have been.
fn check_questions(case: &Case, expected: Expected, world: &TestWorld) {
    let asked = world.asked();
    let was = |question: &str| asked.iter().any(|it| it.starts_with(question));
    let silent = case.manual != AccountType::Automatic
        || matches!(expected, Expected::NoDiscovery | Expected::Cloud { from_memory: true, .. });
    assert!(!silent || asked.is_empty(), "{case:?} asked {asked:?}");
    if silent {
        return;
    }
    // "WEBEX: Does not perform CAS lookup", "CUCM: Does not look for _cisco-uds" and so on.
    assert_eq!(was("GET "), !case.excluded[0], "{case:?}");
    let domain = voice_domain(case);
    let by_memory = case.remembered_records && !case.excluded[1];
    for (name, excluded) in [
        ("_cisco-uds._tcp", case.excluded[1]),
        ("_cuplogin._tcp", case.excluded[2]),
        ("_collab-edge._tls", false),
    ] {
        let question = format!("SRV {name}.{domain}");
        assert_eq!(was(&question), !excluded && !by_memory, "{question}: {case:?}");
        assert!(asked.iter().filter(|it| **it == question).count() <= 1, "{case:?}");
    }
    let inner = own_uds(case) || own_cup(case);
    let switched_off = case.pinpoint == Pinpoint::FilledAndOff;
    let pinpoint = asked.iter().filter(|it| it.contains(".cisco-internal.")).count();
    assert!(pinpoint == 0 || !(inner || switched_off || by_memory), "{case:?}");
    // There are no edge records in the pinpoint zone.
    assert!(!was(&format!("SRV _collab-edge._tls.cisco-internal.{domain}")), "{case:?}");
}

/// One winner at most, a reason for everybody, and what is remembered.
fn check_report(case: &Case, expected: Expected, report: &Report) {
    let won: Vec<_> = report
        .steps
        .iter()
        .filter(|step| step.outcome == Outcome::Won)
        .map(|it| &it.step)
        .collect();
    assert_eq!(won.len(), usize::from(report.outcome.is_ok()), "{case:?}: {won:?}");
    assert!(report.steps.iter().all(|step| !step.why.is_empty()), "{case:?}: {:#?}", report.steps);
    for rung in ["manual", "rememberedCloud", "cas", "remembered", "srv", "pinpointSrv", "fallback"]
    {
        assert!(report.steps.iter().any(|step| step.step == rung), "{rung}: {case:?}");
    }
    let by_hand = case.manual != AccountType::Automatic;
    assert_eq!(report.remember.is_some(), report.outcome.is_ok() && !by_hand, "{case:?}");
    assert_eq!(report.voice_domain, voice_domain(case));
    let kept = report.remember.as_ref().map(|kept| kept.at);
    let old = matches!(expected, Expected::RememberedRecords) || report.from_memory;
    assert!(kept.is_none_or(|at| (at == NOW) != old), "{case:?}");
    if let (Expected::Cloud { from_memory: false, .. }, Ok(Found::Webex { voice, .. })) =
        (expected, &report.outcome)
    {
        let hybrid = own_uds(case) && !by_hand && !case.remembered_records;
        let expected = if hybrid { vec![target("cucm1.example.com")] } else { vec![] };
        let pinpoint = pinpoint_uds(case);
        assert!(*voice == expected || pinpoint, "{case:?}: {voice:?}");
    }
    let portal = report.warnings.iter().any(|problem| problem.cause.contains("web page"));
    let asked = report.steps.iter().any(|it| it.step == "cas" && it.outcome == Outcome::Failed);
    assert_eq!(portal, asked && case.cas == Cas::Portal, "{case:?}");
}

/// Nothing waits longer than it must.
fn check_time(case: &Case, expected: Expected, world: &TestWorld) {
    let passed = world.clock().passed();
    let most = match (case.cas, expected) {
        _ if case.excluded[0] || case.manual != AccountType::Automatic => Duration::ZERO,
        (_, Expected::NoDiscovery | Expected::Cloud { from_memory: true, .. }) => Duration::ZERO,
        // Records have decided: the cloud has one second more.
        (Cas::SlowYes | Cas::Unreachable, Expected::RememberedRecords)
        | (Cas::SlowYes | Cas::Unreachable, Expected::Uds { .. })
        | (Cas::SlowYes | Cas::Unreachable, Expected::CupLogin | Expected::Edge) => {
            Duration::from_secs(1)
        }
        (Cas::SlowYes, _) => Duration::from_secs(2),
        (Cas::Unreachable, _) => Duration::from_secs(5),
        (Cas::No | Cas::Yes | Cas::Portal | Cas::Saml, _) => Duration::ZERO,
    };
    assert_eq!(passed, most, "{case:?}");
}
