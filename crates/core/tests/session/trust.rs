//! Certificates that the system does not trust.

use offhook_core::{Effect, Event, Options};
use offhook_model::{
    AcceptedKey, CertificatePolicy, Command, Endpoint, ErrorCode, Layer, Link, NoticeBody, Problem,
    Provisioned, Service, Setting, Source, TlsFault, TrustQuestion,
};
use offhook_ports::StoreRequest;

use crate::bench::{Bench, cucm, full, secs};

/// Somebody shows a certificate that nobody vouches for.
pub fn question(id: u32, host: &str, key: &str) -> TrustQuestion {
    TrustQuestion {
        id,
        at: Endpoint { service: Service::Uds, host: host.into(), port: 8443, link: Link::Tls },
        why: TlsFault::UnknownIssuer,
        words: "Nobody vouches for it.".into(),
        wanted: vec![host.into()],
        present: vec![host.into()],
        subject: format!("CN={host}"),
        issuer: "CN=Somebody".into(),
        not_before: "2026-01-01".into(),
        not_after: "2027-01-01".into(),
        fingerprint: "00:aa".into(),
        key: key.into(),
        remembered: true,
    }
}

fn ask(bench: &mut Bench, id: u32, host: &str, key: &str) {
    bench.send(Event::Trust(Box::new(question(id, host, key))));
}

fn answered(bench: &Bench) -> Vec<(u32, bool)> {
    let of = |effect: &Effect| match effect {
        Effect::AnswerTrust { id, accept } => Some((*id, *accept)),
        _ => None,
    };
    bench.effects.iter().filter_map(of).collect()
}

fn in_force(bench: &Bench) -> Vec<AcceptedKey> {
    let of = |effect: &Effect| match effect {
        Effect::SetTrust { accepted, .. } => Some(accepted.clone()),
        _ => None,
    };
    bench.effects.iter().rev().find_map(of).unwrap_or_default()
}

fn signing_in() -> Bench {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    bench
}

fn under(policy: &str) -> Bench {
    let setting = Setting {
        key: "InvalidCertificateBehavior".into(),
        section: None,
        value: policy.into(),
        line: None,
    };
    let layer = Layer {
        source: Source::Url,
        origin: "offhook://provision".into(),
        settings: vec![setting],
        oddities: vec![],
    };
    let provisioned =
        Provisioned { launched: true, bootstrap_digest: None, instance: None, layers: vec![layer] };
    let mut bench = Bench::with(Options { provisioned, ..Bench::options() });
    bench.effects.clear();
    bench.sign_in(Some("secret")).expect("begun");
    bench
}

#[test]
fn one_question_at_a_time_and_an_acceptance_is_kept() {
    let mut bench = signing_in();
    ask(&mut bench, 1, "CUCM1.example.test", "aa");
    ask(&mut bench, 2, "cup1.example.test", "bb");
    ask(&mut bench, 3, "cucm1.example.test", "aa");
    let told = bench.notices.iter().any(
        |notice| matches!(&notice.body, NoticeBody::Session(session) if session.question.is_some()),
    );
    assert!(told);
    assert_eq!(bench.session().question.expect("asked").id, 1);
    bench.command(Command::AnswerTrust { id: 1, accept: true }).expect("taken");
    // Whoever asked the same got the same answer.
    assert_eq!(answered(&bench), [(1, true), (3, true)]);
    assert_eq!(bench.session().question.expect("asked").id, 2);
    assert_eq!(
        bench.stored(
            |request| matches!(request, StoreRequest::PutAccepted(keys) if keys.len() == 1)
        ),
        1
    );
    let accepted = in_force(&bench);
    assert_eq!((accepted[0].host.as_str(), accepted[0].key.as_str()), ("cucm1.example.test", "aa"));
    assert_eq!(*bench.snapshot().accepted, accepted);
    ask(&mut bench, 4, "cucm1.example.test", "aa");
    assert_eq!(answered(&bench).last(), Some(&(4, true)), "it is not asked again");
    let error = bench.command(Command::AnswerTrust { id: 9, accept: true }).expect_err("unknown");
    assert_eq!(error.code, ErrorCode::NoSuchObject);
}

#[test]
fn a_refusal_is_not_asked_again_until_the_user_begins_anew() {
    let mut bench = signing_in();
    ask(&mut bench, 1, "cucm1.example.test", "aa");
    bench.command(Command::AnswerTrust { id: 1, accept: false }).expect("taken");
    assert_eq!((answered(&bench), bench.session().question), (vec![(1, false)], None));
    ask(&mut bench, 2, "cucm1.example.test", "aa");
    assert_eq!(answered(&bench).last(), Some(&(2, false)));
    bench.found(Err(crate::bench::unreachable()));
    bench.command(Command::TryAgain).expect("begun");
    ask(&mut bench, 3, "cucm1.example.test", "aa");
    assert!(bench.session().question.is_some());
}

#[test]
fn what_was_accepted_for_a_session_ends_with_it() {
    let mut bench = under("PromptPerSession");
    bench.found(Ok(cucm()));
    ask(&mut bench, 1, "cucm1.example.test", "aa");
    bench.command(Command::AnswerTrust { id: 1, accept: true }).expect("taken");
    assert_eq!((in_force(&bench).len(), bench.snapshot().accepted.len()), (1, 0));
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutAccepted(_))), 0);
    bench.granted(Ok(full()));
    bench.command(Command::SignOut).expect("begun");
    bench.advance(secs(3));
    assert!(in_force(&bench).is_empty());
}

#[test]
fn by_policy_nobody_is_asked_and_it_is_said() {
    let mut bench = under("RejectAndNotify");
    ask(&mut bench, 1, "cucm1.example.test", "aa");
    assert_eq!((answered(&bench), bench.session().question), (vec![(1, false)], None));
    let snapshot = bench.snapshot();
    assert_eq!(snapshot.preset.certificates, CertificatePolicy::Reject);
    assert!(snapshot.toasts[0].problem.cause.contains("cucm1.example.test"));
}

#[test]
fn a_question_goes_with_the_sign_in_that_asked() {
    let mut bench = signing_in();
    ask(&mut bench, 1, "cucm1.example.test", "aa");
    bench.command(Command::SignOut).expect("done");
    assert_eq!((answered(&bench), bench.session().question), (vec![(1, false)], None));
    // Nobody is there any more whom one could ask.
    ask(&mut bench, 2, "cucm1.example.test", "aa");
    assert_eq!(answered(&bench).last(), Some(&(2, false)));
}

#[test]
fn a_key_can_be_revoked() {
    let key = AcceptedKey {
        host: "cucm1.example.test".into(),
        key: "aa".into(),
        subject: "CN=cucm1".into(),
        since: offhook_model::Timestamp(1),
    };
    let mut bench = Bench::with(Options { accepted: vec![key], ..Bench::options() });
    assert_eq!(in_force(&bench).len(), 1);
    bench.command(Command::RevokeTrust { key: "AA".into() }).expect("done");
    assert!(in_force(&bench).is_empty() && bench.snapshot().accepted.is_empty());
    assert_eq!(
        bench.stored(
            |request| matches!(request, StoreRequest::PutAccepted(keys) if keys.is_empty())
        ),
        1
    );
    let error = bench.command(Command::RevokeTrust { key: "aa".into() }).expect_err("gone");
    assert_eq!(error.code, ErrorCode::NoSuchObject);
}

#[test]
fn without_a_window_nothing_waits_and_the_question_stays_for_the_next_attempt() {
    let mut bench = Bench::with(Options { attended: false, ..Bench::options() });
    bench.sign_in(Some("secret")).expect("begun");
    ask(&mut bench, 1, "cucm1.example.test", "aa");
    ask(&mut bench, 2, "cucm1.example.test", "aa");
    assert_eq!(answered(&bench), [(1, false), (2, false)]);
    bench.found(Err(Problem::no_services("example.test")));
    let open = bench.session().question.expect("it can still be decided");
    assert_eq!(open.id, 1);
    bench.command(Command::AnswerTrust { id: 1, accept: true }).expect("taken");
    assert_eq!(in_force(&bench).len(), 1);
    assert!(bench.session().question.is_none());
}
