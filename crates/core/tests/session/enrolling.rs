//! The certificate of a phone with a secure profile.

use std::sync::Arc;
use std::time::Duration;

use offhook_core::{Effect, Event, FlowOutcome, RunId, StoreTag};
use offhook_model::{
    Command, Endpoint, EnrolFault, Fault, Link, Rule, Secret, Service, ServiceState, TlsFault,
};
use offhook_ports::{
    ClientIdentity, EnrolMode, EnrolPlan, Enrolled, PhoneAccount, SecureProfile, StoreAnswer,
    StoreRequest,
};
use offhook_signin as signin;

use crate::bench::{Bench, grant, phone, plan};

fn secure(mode: EnrolMode) -> Bench {
    let at = Endpoint {
        service: Service::Capf,
        host: "cucm1.example.test".into(),
        port: 3804,
        link: Link::Tls,
    };
    let secure = SecureProfile { device: "CSFALICE".into(), authority: Some(at), mode };
    let account = PhoneAccount { secure: Some(secure), ..phone() };
    let mut bench = Bench::new();
    bench.let_in(grant(signin::Service::Ready(plan(true)), signin::Service::Ready(account)));
    bench
}

/// Valid for ever, or over long ago.
fn identity(valid: bool) -> ClientIdentity {
    let (certificate, key) = (vec![0x30, 0], Secret::new(vec![1, 2, 3]));
    let not_after = if valid { i64::MAX / 4 } else { 1 };
    ClientIdentity { certificate, key, not_before: 0, not_after }
}

/// The store says what it kept under the phone's name.
fn kept(bench: &mut Bench, kept: Option<&str>) {
    let of = |effect: &Effect| match effect {
        Effect::Store(tag @ StoreTag::Identity(_), StoreRequest::GetPassword(name)) => {
            assert_eq!(name, "certificate CSFALICE");
            Some(tag.clone())
        }
        _ => None,
    };
    let tag = bench.effects.iter().rev().find_map(of).expect("what was kept is asked for");
    bench.send(Event::Store(tag, StoreAnswer::Password(kept.map(Secret::from))));
}

fn asked(bench: &Bench) -> Option<(RunId, EnrolPlan)> {
    bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::Enrol { run, plan, kept_as } => {
            assert_eq!(kept_as, "certificate CSFALICE");
            Some((*run, EnrolPlan::clone(plan)))
        }
        _ => None,
    })
}

fn shown(bench: &Bench) -> Option<Arc<ClientIdentity>> {
    bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::SipOpen { identity, .. } => identity.clone(),
        _ => None,
    })
}

fn answer(bench: &mut Bench, result: Result<Enrolled, Fault>) {
    let (run, _) = asked(bench).expect("asked");
    bench.send(Event::Flow(run, FlowOutcome::Enrolled(result)));
}

fn give(bench: &mut Bench, string: &str) {
    bench.command(Command::GiveAuthString(Some(string.into()))).expect("asked for");
}

#[test]
fn a_string_is_asked_for_and_brings_a_certificate_that_is_kept_and_shown() {
    let mut bench = secure(EnrolMode::String);
    assert!(bench.command(Command::GiveAuthString(None)).is_err(), "nobody asked yet");
    kept(&mut bench, None);
    let question = bench.session().enrolment.expect("a question");
    assert_eq!((question.device.as_str(), question.error), ("CSFALICE", None));
    assert!(asked(&bench).is_none() && shown(&bench).is_none());
    give(&mut bench, "12345");
    let (_, plan) = asked(&bench).expect("asked");
    assert_eq!(plan.string.as_ref().map(Secret::expose).map(String::as_str), Some("12345"));
    assert_eq!(bench.session().enrolment, None);
    answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
    let keeps = |request: &StoreRequest| matches!(request, StoreRequest::PutCertified(Some(_)));
    assert_eq!(bench.stored(keeps), 1, "the certificate itself is kept before it is confirmed");
    assert_eq!(shown(&bench).as_deref(), Some(&identity(true)));
}

#[test]
fn a_wrong_string_is_told_and_asked_for_again() {
    let mut bench = secure(EnrolMode::String);
    kept(&mut bench, None);
    give(&mut bench, "1");
    answer(&mut bench, Err(Fault::Enrolment(EnrolFault::WrongString)));
    let error = bench.session().enrolment.and_then(|question| question.error).expect("why");
    assert_eq!(error.rule, Some(Rule(28)));
    assert!(!format!("{error:?}").contains("12345"));
    give(&mut bench, "12345");
    answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
    assert!(shown(&bench).is_some());
}

#[test]
fn nothing_is_tried_where_no_enrolment_is_pending() {
    let mut bench = secure(EnrolMode::Nothing);
    kept(&mut bench, None);
    let row = bench.session().services.phone;
    assert_eq!(
        (row.state, row.error.and_then(|it| it.rule)),
        (ServiceState::Failed, Some(Rule(28)))
    );
    assert!(asked(&bench).is_none() && shown(&bench).is_none());
}

#[test]
fn a_kept_certificate_is_shown_and_one_that_is_over_is_not() {
    let good = "1 0 9000000000000 MAA= AQID";
    let mut bench = secure(EnrolMode::Nothing);
    kept(&mut bench, Some(good));
    assert!(shown(&bench).is_some() && asked(&bench).is_none());
    for broken in ["1 0 1 MAA= AQID", "nonsense"] {
        let mut bench = secure(EnrolMode::Null);
        kept(&mut bench, Some(broken));
        assert!(asked(&bench).is_some() && shown(&bench).is_none(), "{broken}");
    }
}

#[test]
fn a_certificate_that_is_refused_is_asked_for_anew_once() {
    let mut bench = secure(EnrolMode::Null);
    kept(&mut bench, None);
    answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
    for round in 0..2 {
        let flow = bench.flow().expect("a connection");
        bench.sip_opened(flow);
        bench.sip_answer(flow, "403 TLS Authentication failure");
        let enrolments = bench.count(|effect| matches!(effect, Effect::Enrol { .. }));
        assert_eq!(enrolments, 2, "round {round}");
        if round == 0 {
            answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
        }
    }
}

/// How often a certificate was asked for, with the present one to vouch for it or without.
fn asked_by(mode: EnrolMode, kept_one: &str) -> Vec<bool> {
    let mut bench = secure(mode);
    kept(&mut bench, Some(kept_one));
    assert!(shown(&bench).is_some() && asked(&bench).is_none(), "nothing is waited for");
    for _ in 0..2 {
        let mut flow = bench.flow();
        while flow.is_none() {
            bench.advance(Duration::from_secs(1));
            flow = bench.flow();
        }
        let flow = flow.expect("a connection");
        bench.registered(flow);
        if asked(&bench).is_some() {
            answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
        }
        bench.send(Event::SipFailed(flow, Fault::Closed));
    }
    bench.advance(Duration::from_secs(120));
    let shows = shown(&bench).is_some_and(|ours| *ours == identity(true));
    let by = |effect: &Effect| match effect {
        Effect::Enrol { plan, .. } => Some(plan.present.is_some()),
        _ => None,
    };
    let by: Vec<bool> = bench.effects.iter().filter_map(by).collect();
    assert_eq!(shows, !by.is_empty(), "the successor is shown by the next connection");
    by
}

#[test]
fn a_certificate_is_renewed_once_while_it_is_used() {
    let (fresh, due) = ("1 0 9000000000000 MAA= AQID", "1 -9000000000000 9000000000 MAA= AQID");
    assert_eq!(asked_by(EnrolMode::Certificate, due), [true]);
    assert_eq!(asked_by(EnrolMode::Null, due), [false]);
    for nothing in [EnrolMode::Nothing, EnrolMode::String] {
        assert!(asked_by(nothing, due).is_empty());
    }
    assert!(asked_by(EnrolMode::Certificate, fresh).is_empty());
}

/// Registered with a certificate that has its time still.
fn registered(mode: EnrolMode, not_after: i64) -> Bench {
    let mut bench = secure(mode);
    kept(&mut bench, Some(&format!("1 0 {not_after} MAA= AQID")));
    let flow = bench.flow().expect("a connection");
    bench.registered(flow);
    bench
}

fn enrolments(bench: &Bench) -> usize {
    bench.count(|effect| matches!(effect, Effect::Enrol { .. }))
}

#[test]
fn a_certificate_is_renewed_when_its_time_comes_without_another_registration() {
    let second = Bench::new().now.wall.0 / 1000;
    // Two thirds of its life are over in three hours.
    let mut bench = registered(EnrolMode::Certificate, (second + 3 * 3600) / 2 * 3);
    assert_eq!(enrolments(&bench), 0);
    bench.advance(Duration::from_secs(3 * 3600 - 60));
    assert_eq!(enrolments(&bench), 0, "not before its time");
    bench.advance(Duration::from_secs(120));
    assert_eq!(enrolments(&bench), 1);
    assert!(asked(&bench).is_some_and(|(_, plan)| plan.present.is_some()));
    // What fails is tried again after an hour, and not before.
    let row = bench.session().services.phone;
    answer(&mut bench, Err(Fault::ConnectTimeout));
    assert_eq!(bench.session().services.phone, row, "the present one still counts");
    bench.advance(Duration::from_secs(3500));
    assert_eq!(enrolments(&bench), 1);
    bench.advance(Duration::from_secs(120));
    assert_eq!(enrolments(&bench), 2);
    answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
    bench.advance(Duration::from_secs(4 * 3600));
    assert_eq!(enrolments(&bench), 2);
}

#[test]
fn a_server_that_gives_no_answer_is_asked_again_ever_less_often() {
    let mut bench = secure(EnrolMode::String);
    kept(&mut bench, None);
    give(&mut bench, "12345");
    // Each pause, and five seconds of chance.
    for (round, pause) in [15, 30, 60, 120, 240, 480, 900, 900].into_iter().enumerate() {
        answer(&mut bench, Err(Fault::PortRefused));
        let row = bench.session().services.phone;
        assert_eq!(row.state, ServiceState::Failed);
        assert!(row.error.is_some() && bench.session().enrolment.is_none());
        bench.advance(Duration::from_secs(pause - 1));
        assert_eq!(enrolments(&bench), round + 1, "too early");
        bench.advance(Duration::from_secs(6));
        assert_eq!(enrolments(&bench), round + 2, "forgotten");
        let row = bench.session().services.phone;
        assert!(row.state == ServiceState::Connecting && row.error.is_some(), "still said why");
    }
    // Nobody is asked for the string again.
    let (_, plan) = asked(&bench).expect("asked");
    assert_eq!(plan.string.as_ref().map(Secret::expose).map(String::as_str), Some("12345"));
    // A busy server says when.
    answer(&mut bench, Err(Fault::Enrolment(EnrolFault::Later(Some(3600)))));
    bench.advance(Duration::from_secs(3599));
    assert_eq!(enrolments(&bench), 9);
    bench.advance(Duration::from_secs(6));
    assert_eq!(enrolments(&bench), 10);
    answer(&mut bench, Ok(Enrolled::Issued(identity(true))));
    assert_eq!(shown(&bench).as_deref(), Some(&identity(true)));
}

#[test]
fn what_another_attempt_does_not_mend_is_not_tried_again() {
    for fault in [
        Fault::Enrolment(EnrolFault::NothingPending),
        Fault::Enrolment(EnrolFault::NotKept),
        Fault::Enrolment(EnrolFault::OtherKey),
        Fault::Tls(TlsFault::SelfSigned),
    ] {
        let mut bench = secure(EnrolMode::Null);
        kept(&mut bench, None);
        answer(&mut bench, Err(fault));
        bench.advance(Duration::from_secs(24 * 3600));
        assert_eq!(enrolments(&bench), 1);
    }
}
