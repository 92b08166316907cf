//! The certificate of a phone with a secure profile.

use std::sync::Arc;

use offhook_core::{Effect, Event, FlowOutcome, RunId, StoreTag};
use offhook_model::{
    Command, Endpoint, EnrolFault, Fault, Link, Rule, Secret, Service, ServiceState,
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
        Effect::Enrol { run, plan } => Some((*run, EnrolPlan::clone(plan))),
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
    let keeps = |request: &StoreRequest| matches!(request, StoreRequest::PutPassword(name, _) if name == "certificate CSFALICE");
    assert_eq!(bench.stored(keeps), 1);
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
