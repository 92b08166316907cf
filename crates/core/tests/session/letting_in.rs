//! From an address to being signed in, or not.

use offhook_core::{Effect, Event};
use offhook_model::{
    Command, ErrorCode, Fault, ProductMode, Secret, ServiceState, SessionState, TraceStep,
};
use offhook_ports::{Found, Progress, StoreRequest};
use offhook_signin::Service;

use crate::bench::{
    ADDRESS, Bench, cucm, full, grant, phone, plain, plan, standard, target, unreachable,
    wrong_password,
};

#[test]
fn an_account_of_a_company_is_let_in() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    let session = bench.session();
    assert_eq!(session.state, SessionState::Discovering);
    assert_eq!(session.step.as_deref(), Some("Looking for the services of example.test"));
    assert_eq!(session.address.expect("known").to_string(), ADDRESS);
    bench.found(Ok(cucm()));
    assert_eq!(bench.state(), SessionState::SigningIn);
    let (run, username, password) = bench.authenticating().expect("asked");
    assert_eq!((username.as_str(), password.as_str()), ("alice", "secret"));
    bench.answered(run, Ok(full()));
    let session = bench.session();
    assert_eq!(
        (session.state, session.product_mode),
        (SessionState::SignedIn, Some(ProductMode::Full))
    );
    assert_eq!(session.services.im.state, ServiceState::Connecting);
    assert_eq!(session.services.phone.state, ServiceState::Connecting);
    assert_eq!(session.services.voicemail.state, ServiceState::NotConfigured);
    assert_eq!((session.step, session.error, session.prompt), (None, None, None));
    assert_eq!(
        bench.stored(|request| matches!(request, StoreRequest::Open(who, _) if who == ADDRESS)),
        1
    );
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::Load)), 1);
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutPassword(..))), 1);
    bench.all_online();
    let snapshot = bench.snapshot();
    let services = &snapshot.session.services;
    assert_eq!(
        (services.im.state, services.phone.state),
        (ServiceState::Ready, ServiceState::Ready)
    );
    assert_eq!(services.im.tls.as_deref(), Some("TLSv1.3"));
    assert_eq!(services.phone.protocol.as_deref(), Some("SIP/TCP"));
    assert_eq!(snapshot.me.name, "Alice Example");
    assert_eq!(snapshot.me.number.as_deref(), Some("2001"));
    assert_eq!(snapshot.settings.last_address.as_deref(), Some(ADDRESS));
    use SessionState::{Discovering, SignedIn, SigningIn};
    assert_eq!(bench.told(), [Discovering, SigningIn, SignedIn]);
}

#[test]
fn a_plain_account_is_let_in_by_the_first_server_that_says_so() {
    for chat_first in [true, false] {
        let mut bench = Bench::new();
        bench.let_in(plain(true, true));
        let session = bench.session();
        assert_eq!(
            (session.state, session.step.as_deref()),
            (SessionState::SigningIn, Some("Connecting"))
        );
        assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutPassword(..))), 0);
        let (link, flow) = (bench.link().expect("a link"), bench.flow().expect("a flow"));
        if chat_first {
            bench.online(link);
        } else {
            bench.registered(flow);
        }
        assert_eq!(bench.state(), SessionState::SignedIn);
        assert_eq!(bench.stored(|request| matches!(request, StoreRequest::PutPassword(..))), 1);
    }
}

#[test]
fn a_domain_with_one_service_is_enough() {
    for (im, sip) in [(true, false), (false, true)] {
        let mut bench = Bench::new();
        bench.let_in(plain(im, sip));
        bench.all_online();
        let session = bench.session();
        assert_eq!(session.state, SessionState::SignedIn);
        let absent = if im { session.services.phone } else { session.services.im };
        assert_eq!(absent.state, ServiceState::NotConfigured);
    }
}

#[test]
fn without_a_password_the_kept_one_is_used() {
    let mut bench = Bench::new();
    bench.sign_in(None).expect("begun");
    bench.found(Ok(cucm()));
    assert!(bench.authenticating().is_none());
    bench.kept_password(Some("kept"));
    let (run, _, password) = bench.authenticating().expect("asked");
    assert_eq!(password, "kept");
    bench.answered(run, Ok(full()));
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn without_any_password_the_user_is_asked() {
    let mut bench = Bench::new();
    bench.sign_in(None).expect("begun");
    bench.found(Ok(cucm()));
    bench.kept_password(None);
    let session = bench.session();
    assert_eq!(
        (session.state, session.step.as_deref()),
        (SessionState::SigningIn, Some("Waiting for the password"))
    );
    let prompt = session.prompt.expect("a prompt");
    assert_eq!((prompt.username.as_str(), prompt.of.as_str()), ("alice", "cucm1.example.test"));
    assert_eq!(prompt.error, None);
    bench.give_password("alice.e", "typed").expect("taken");
    let (run, username, password) = bench.authenticating().expect("asked");
    assert_eq!((username.as_str(), password.as_str()), ("alice.e", "typed"));
    assert_eq!(bench.session().prompt, None);
    bench.answered(run, Ok(full()));
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn a_kept_password_that_is_refused_is_forgotten_and_asked_for() {
    let mut bench = Bench::new();
    bench.sign_in(None).expect("begun");
    bench.found(Ok(cucm()));
    bench.kept_password(Some("old"));
    bench.granted(Err(wrong_password()));
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::ForgetPassword(_))), 1);
    let session = bench.session();
    assert_eq!(session.state, SessionState::SigningIn);
    assert_eq!(session.prompt.expect("a prompt").error, Some(wrong_password()));
}

#[test]
fn a_kept_password_survives_a_network_that_is_down() {
    let mut bench = Bench::new();
    bench.sign_in(None).expect("begun");
    bench.found(Ok(cucm()));
    bench.kept_password(Some("kept"));
    bench.granted(Err(unreachable()));
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::ForgetPassword(_))), 0);
    let session = bench.session();
    assert_eq!((session.state, session.error), (SessionState::Failed, Some(unreachable())));
    assert_eq!(session.prompt, None, "another password would not help");
}

#[test]
fn a_wrong_password_is_asked_again_without_looking_again() {
    let mut bench = Bench::new();
    bench.sign_in(Some("wrong")).expect("begun");
    bench.found(Ok(cucm()));
    bench.granted(Err(wrong_password()));
    let session = bench.session();
    assert_eq!((session.state, session.error), (SessionState::Failed, Some(wrong_password())));
    assert_eq!(session.prompt.expect("a prompt").username, "alice");
    bench.give_password("alice.e", "wrong too").expect("taken");
    assert!(bench.discovering().is_none());
    let session = bench.session();
    assert_eq!((session.state, session.error), (SessionState::SigningIn, None));
    bench.granted(Err(wrong_password()));
    assert_eq!(bench.session().prompt.expect("a prompt").username, "alice.e", "as typed last");
    bench.give_password("alice.e", "right").expect("taken");
    bench.granted(Ok(full()));
    assert_eq!(bench.state(), SessionState::SignedIn);

    // The user name goes with the password that is kept.
    bench.command(Command::SignOut).expect("begun");
    bench.advance(crate::bench::secs(3));
    bench.sign_in(None).expect("begun");
    bench.found(Ok(cucm()));
    bench.kept_password(Some("right"));
    assert_eq!(bench.authenticating().expect("asked").1, "alice.e");
}

#[test]
fn services_that_are_not_found_are_looked_for_again() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    let problem = offhook_model::Problem::no_services("example.test");
    bench.found(Err(problem.clone()));
    let session = bench.session();
    assert_eq!(
        (session.state, session.error, session.prompt),
        (SessionState::Failed, Some(problem), None)
    );
    bench.give_password("alice", "secret").expect("taken");
    assert_eq!((bench.state(), bench.session().error), (SessionState::Discovering, None));
    bench.found(Ok(cucm()));
    assert_eq!(bench.authenticating().expect("asked").2, "secret");
}

#[test]
fn whoever_was_found_the_password_is_recalled_for() {
    for found in [
        Found::Cup(vec![target()]),
        Found::Webex { cas: "https://cas.example.test".into(), sso: None, voice: vec![] },
    ] {
        let mut bench = Bench::new();
        bench.sign_in(None).expect("begun");
        bench.found(Ok(found));
        assert!(bench.recalling().is_some());
        assert_eq!(bench.session().state, SessionState::SigningIn);
    }
}

#[test]
fn one_service_that_fails_leaves_us_signed_in() {
    let mut bench = Bench::new();
    bench.let_in(grant(Service::Failed(unreachable()), Service::Ready(phone())));
    bench.all_online();
    let session = bench.session();
    assert_eq!(session.state, SessionState::SignedIn);
    assert_eq!(
        (session.services.im.state, session.services.im.error),
        (ServiceState::Failed, Some(unreachable()))
    );

    let mut bench = Bench::new();
    bench.let_in(grant(Service::Ready(plan(true)), Service::Ready(phone())));
    let link = bench.link().expect("a link");
    bench.failed(link, Fault::NoEncryption);
    let flow = bench.flow().expect("a flow");
    bench.registered(flow);
    let session = bench.session();
    assert_eq!(
        (session.state, session.services.im.state),
        (SessionState::SignedIn, ServiceState::Failed)
    );
}

#[test]
fn a_plain_account_of_which_nothing_works_fails_with_what_the_user_can_mend() {
    let mut bench = Bench::new();
    bench.let_in(plain(true, true));
    let (link, flow) = (bench.link().expect("a link"), bench.flow().expect("a flow"));
    bench.send(Event::SipFailed(flow, Fault::PortRefused));
    assert_eq!(bench.state(), SessionState::SigningIn, "chat may still work");
    bench.failed(link, Fault::BadCredentials);
    let session = bench.session();
    assert_eq!(session.state, SessionState::Failed);
    let error = session.error.expect("a problem");
    assert_eq!(error.area, offhook_model::Area::Authentication);
    assert!(session.prompt.is_some());
    assert_eq!(session.services.phone.state, ServiceState::Failed, "the rows still say why");
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::Close)), 1);
    // Nothing goes on behind the back of a session that failed.
    bench.effects.clear();
    bench.advance(crate::bench::secs(120));
    assert!(bench.effects.is_empty(), "{:?}", bench.effects);
    bench.give_password("alice", "right").expect("taken");
    bench.granted(Ok(plain(true, true)));
    bench.all_online();
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn there_is_never_a_second_sign_in_beside_the_first() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    let refused = |bench: &mut Bench| {
        let error = bench.sign_in(Some("other")).expect_err("busy");
        assert_eq!(error.code, ErrorCode::NotPossible);
        let error = bench.give_password("alice", "x").expect_err("not asked");
        assert_eq!(error.code, ErrorCode::NotPossible);
    };
    refused(&mut bench);
    bench.found(Ok(cucm()));
    refused(&mut bench);
    bench.granted(Ok(full()));
    refused(&mut bench);
    assert!(bench.discovering().is_none());
    let manual = Command::SetManual(offhook_model::ManualAccount::default());
    assert!(bench.command(manual).is_err());
}

#[test]
fn another_address_may_be_tried_instead_of_a_password() {
    let mut bench = Bench::new();
    bench.sign_in(None).expect("begun");
    bench.found(Ok(cucm()));
    bench.kept_password(None);
    bench
        .command(Command::SignIn {
            address: "bob@example.test".parse().expect("an address"),
            username: Some("robert".into()),
            password: Some(Secret::from("secret")),
        })
        .expect("begun");
    assert_eq!(bench.session().prompt, None);
    bench.found(Ok(standard()));
    assert_eq!(bench.authenticating().expect("asked").1, "robert");
}

#[test]
fn results_of_runs_that_are_over_change_nothing() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    let old = bench.discovering().expect("a discovery");
    bench.command(Command::SignOut).expect("cancelled");
    assert_eq!(bench.count(|effect| matches!(effect, Effect::Cancel(run) if *run == old)), 1);
    assert_eq!(bench.state(), SessionState::SignedOut);
    bench.discovered(old, Ok(cucm()));
    assert_eq!(bench.state(), SessionState::SignedOut);
    bench.sign_in(Some("secret")).expect("begun");
    bench.discovered(old, Err(unreachable()));
    bench.send(Event::Progress(old, Progress::Doing("something old".into())));
    let session = bench.session();
    assert_eq!(session.state, SessionState::Discovering);
    assert_ne!(session.step.as_deref(), Some("something old"));
    bench.answered(old, Ok(full()));
    assert_eq!(bench.state(), SessionState::Discovering);
}

#[test]
fn progress_is_shown_while_it_runs() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    let run = bench.discovering().expect("a discovery");
    bench.send(Event::Progress(run, Progress::Doing("Asking the name system".into())));
    let step = TraceStep {
        step: "srv".into(),
        asked: "_cisco-uds._tcp.example.test".into(),
        of: "127.0.0.1:53".into(),
        answer: "nothing".into(),
        ms: 1,
        outcome: offhook_model::Outcome::Lost,
        why: "the first name of the ladder".into(),
    };
    let told = bench.notices.len();
    bench.send(Event::Progress(run, Progress::Step(step.clone())));
    let session = bench.session();
    assert_eq!(session.step.as_deref(), Some("Asking the name system"));
    assert_eq!(*session.trace, [step]);
    assert_eq!(bench.notices.len(), told, "watchers are not told of steps");
}
