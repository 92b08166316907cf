//! What a directory by LDAP fails with, each with its rule, its owner and its words in both languages.
//! The same against OpenLDAP: `tests/tests/contacts/doctor.rs`.

mod support;

use std::sync::{Mutex, PoisonError};

use offhook_doctor::{Asking, Diagnosis};
use offhook_model::{
    DirectoryFault, Endpoint, Fault, Link, Owner, Problem, Rule, Service, Severity, TlsFault,
};
use offhook_ports::{BoxFuture, Ldap, LdapAnswer, LdapEnd, LdapEntry, LdapFailure, LdapRequest};
use offhook_testkit::deployment;

/// What the window says in German.
const GERMAN: &str = include_str!("../../../assets/locale/problems.de.ftl");

type Answer = Result<LdapAnswer, LdapFailure>;

/// Directory servers that answer by a function and remember what they were asked.
struct Directory {
    answer: fn(&LdapRequest) -> Answer,
    asked: Mutex<Vec<LdapRequest>>,
}

impl Ldap for Directory {
    fn search(&self, request: LdapRequest) -> BoxFuture<'_, Answer> {
        let answer = (self.answer)(&request);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        Box::pin(std::future::ready(answer))
    }

    fn forget(&self) {}
}

/// So many people, and how the search ended.
fn people(count: usize, end: LdapEnd) -> Answer {
    let person = |at| LdapEntry {
        dn: format!("uid=ali{at},dc=example"),
        attributes: vec![("cn".into(), vec![b"Ali".to_vec()])],
    };
    Ok(LdapAnswer {
        entries: (0..count).map(person).collect(),
        referrals: vec![],
        end,
        left_out: 0,
        peer: ([192, 0, 2, 7], 389).into(),
        tls: None,
    })
}

fn whole(_: &LdapRequest) -> Answer {
    people(1, LdapEnd::Complete)
}

/// One person by name; more are cut short like this.
fn cut(request: &LdapRequest, end: LdapEnd) -> Answer {
    if request.limit > 1 { people(2, end) } else { whole(request) }
}

fn refers(to: &str) -> Answer {
    let referrals = vec![to.to_owned()];
    people(0, LdapEnd::Complete).map(|answer| LdapAnswer { referrals, ..answer })
}

/// What the doctor says, and what the servers were asked.
fn examined(
    settings: &[(&str, &str)],
    answer: fn(&LdapRequest) -> Answer,
) -> (Diagnosis, Vec<LdapRequest>) {
    let usual = [
        ("DirectoryServerType", "BDI"),
        ("BDILDAPServerType", "OpenLDAP"),
        ("PrimaryServerName", "dir1.example.com"),
        ("SearchBase1", "dc=example"),
    ];
    let world = deployment();
    world.reach("dir1.example.com:389", Ok(())).reach("dir2.example.com:389", Ok(()));
    let directory = Directory { answer, asked: Mutex::default() };
    let asking = Asking { ldap: &directory, workstation_domain: None };
    let settings = [&usual[..], settings].concat();
    let diagnosis = support::examined(&world, &settings, Some(asking));
    (diagnosis, directory.asked.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// One failure: what the servers answer, what of it is wrong, and its rule and owner.
type Row = (&'static str, fn(&LdapRequest) -> Answer, Problem, u8, Owner);

fn failures() -> Vec<Row> {
    use Owner::{Admin, Server};
    let at = Endpoint {
        service: Service::Directory,
        host: "dir1.example.com".into(),
        port: 389,
        link: Link::Tcp,
    };
    let words = |fault: DirectoryFault| fault.problem(&at);
    let way = |fault: Fault| fault.problem(&at);
    let names =
        || TlsFault::WrongName { wanted: "dir1.example.com".into(), present: vec!["dc1".into()] };
    let tls = |fault| way(Fault::Tls(fault));
    vec![
        (
            "bind refused",
            |_| Err(LdapFailure::BindRefused(48)),
            words(DirectoryFault::BindRefused(48)),
            31,
            Admin,
        ),
        (
            "password refused",
            |_| Err(LdapFailure::BadCredentials),
            words(DirectoryFault::BadReader),
            31,
            Admin,
        ),
        (
            "nothing may be searched",
            |_| Err(LdapFailure::NotAllowed),
            words(DirectoryFault::NotAllowed),
            31,
            Admin,
        ),
        (
            "base missing",
            |_| Err(LdapFailure::NoSuchBase),
            words(DirectoryFault::NoSuchBase("dc=example".into())),
            31,
            Admin,
        ),
        (
            "size limit",
            |request| cut(request, LdapEnd::SizeLimit),
            words(DirectoryFault::ServerLimit),
            31,
            Admin,
        ),
        (
            "an administrator's limit",
            |request| cut(request, LdapEnd::AdminLimit),
            words(DirectoryFault::ServerLimit),
            31,
            Admin,
        ),
        (
            "time limit",
            |request| cut(request, LdapEnd::TimeLimit),
            words(DirectoryFault::TimeLimit),
            31,
            Server,
        ),
        (
            "referral loop",
            |_| refers("ldap://dir1.example.com/dc=example??sub"),
            words(DirectoryFault::ReferralCircle),
            31,
            Admin,
        ),
        (
            "a referral to nowhere",
            |request| match &*request.server.host {
                "gone.example.com" => Err(LdapFailure::Fault(Fault::PortRefused)),
                _ => refers("ldap://gone.example.com/dc=example??sub"),
            },
            words(DirectoryFault::ReferralLost("gone.example.com".into())),
            31,
            Admin,
        ),
        (
            "another result",
            |_| Err(LdapFailure::Result(52)),
            words(DirectoryFault::Refused(52)),
            31,
            Server,
        ),
        (
            "certificate of nobody known",
            |_| Err(LdapFailure::Fault(Fault::Tls(TlsFault::UnknownIssuer))),
            tls(TlsFault::UnknownIssuer),
            8,
            Admin,
        ),
        (
            "certificate expired",
            |_| Err(LdapFailure::Fault(Fault::Tls(TlsFault::Expired(None)))),
            tls(TlsFault::Expired(None)),
            12,
            Admin,
        ),
        (
            "certificate of another name",
            |_| {
                let present = vec!["dc1".into()];
                let wanted = "dir1.example.com".into();
                Err(LdapFailure::Fault(Fault::Tls(TlsFault::WrongName { wanted, present })))
            },
            tls(names()),
            9,
            Admin,
        ),
        (
            "gone in mid-search",
            |request| match &*request.server.host {
                "dir1.example.com" => Err(LdapFailure::Fault(Fault::Closed)),
                _ => whole(request),
            },
            way(Fault::Closed),
            7,
            Server,
        ),
        (
            "silent in mid-search",
            |request| match &*request.server.host {
                "dir1.example.com" => Err(LdapFailure::Fault(Fault::AnswerTimeout)),
                _ => whole(request),
            },
            way(Fault::AnswerTimeout),
            7,
            Server,
        ),
    ]
}

#[test]
fn each_failure_has_its_rule_its_owner_and_its_words() {
    for (what, answer, problem, rule, owner) in failures() {
        let next = what.ends_with("in mid-search");
        let second = [("SecondaryServerName", "dir2.example.com")];
        let (diagnosis, asked) = examined(if next { &second } else { &[] }, answer);
        let [found] = &diagnosis.findings[..] else { panic!("{what}: {:?}", diagnosis.findings) };
        assert_eq!((found.rule, found.owner), (Some(Rule(rule)), owner), "{what}");
        assert_eq!((found.severity, diagnosis.exit), (Severity::Warning, 0), "{what}");
        assert_eq!((&found.cause, &found.remedy), (&problem.cause, &problem.remedy), "{what}");
        assert!(!found.who.is_empty() && !found.evidence.is_empty(), "{what}");
        // The window says it in German by its code.
        let code = problem.coded.unwrap_or_else(|| panic!("{what} has no code")).code;
        for key in [format!("\nproblem-{code} = "), format!("\nproblem-{code}-remedy = ")] {
            assert!(GERMAN.contains(&key), "{what}: {key}");
        }
        let by_next = asked.iter().any(|request| request.server.host == "dir2.example.com");
        assert_eq!(by_next, next, "{what}");
    }
}

#[test]
fn people_are_looked_for_by_a_name_and_by_what_somebody_would_type() {
    let (diagnosis, asked) = examined(&[], whole);
    assert_eq!(diagnosis.findings, []);
    let [one, many] = &asked[..] else { panic!("{asked:#?}") };
    assert!(one.limit == 1 && one.filter.contains("(uid=alice)"), "{one:?}");
    assert!(many.limit == 100 && many.filter.contains("(cn=ali*)"), "{many:?}");
    let (_, asked) = examined(&[("MinimumCharacterQuery", "5")], whole);
    assert!(asked[1].filter.contains("(cn=alice*)"), "{asked:#?}");
    // A client asks nothing for so few letters.
    assert_eq!(examined(&[("MinimumCharacterQuery", "6")], whole).1.len(), 1);
}
