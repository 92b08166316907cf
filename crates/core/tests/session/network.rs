//! A session whose network goes, comes back, or is another one.

use std::time::Duration;

use offhook_core::{Effect, Event};
use offhook_model::{Command, Delivery, NoticeBody, Reply, ServiceState, SessionState, Via};
use offhook_ports::{NetworkState, PhoneAccount, PhoneDialect, StoreRequest};
use offhook_signin::{Grant, Service};

use crate::bench::{Bench, cucm, full, phone, secs, unreachable, wrong_password};
use crate::world::{broken_node, edge, portal_page};

fn network(bench: &mut Bench, online: bool, name: &str) {
    bench.send(Event::Network(NetworkState { online, fingerprint: name.into() }));
}

/// Signed in at the office.
fn at_office() -> Bench {
    let mut bench = Bench::new();
    network(&mut bench, true, "office");
    bench.let_in(full());
    bench.all_online();
    bench.effects.clear();
    bench.notices.clear();
    bench
}

fn outside() -> Grant {
    Grant { via: Via::Edge, ..full() }
}

fn tried(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Discover { .. }
            | Effect::SignIn { .. }
            | Effect::Renew { .. }
            | Effect::XmppOpen { .. }
            | Effect::SipOpen { .. }
            | Effect::Enrol { .. }
    )
}

#[test]
fn without_a_network_nothing_is_tried() {
    let mut bench = at_office();
    network(&mut bench, false, "");
    let session = bench.session();
    assert_eq!(
        (session.state, session.step.as_deref()),
        (SessionState::Reconnecting, Some("Waiting for the network"))
    );
    let told = bench
        .notices
        .iter()
        .any(|notice| matches!(notice.body, NoticeBody::Network { online: false, .. }));
    assert!(told);
    bench.advance(secs(4_000));
    assert_eq!(bench.count(tried), 0, "{:?}", bench.effects);
    network(&mut bench, true, "office");
    assert_eq!(bench.count(|effect| matches!(effect, Effect::ForgetNames)), 1);
    bench.found(Ok(cucm()));
    let run = bench.renewing().expect("a new one-time password");
    assert!(bench.authenticating().is_none(), "the same place needs no new sign-in");
    let plan = Box::new(crate::bench::plan(true).into());
    bench.send(Event::Flow(run, offhook_core::FlowOutcome::Renewed(Ok(plan))));
    bench.all_online();
    assert_eq!(bench.state(), SessionState::SignedIn);
    assert_eq!(bench.session().services.phone.state, ServiceState::Ready);
}

#[test]
fn from_inside_to_outside_chat_and_phone_move_over() {
    let mut bench = at_office();
    let to = "bob@example.test".parse().expect("a JID");
    network(&mut bench, true, "street");
    assert_eq!(bench.state(), SessionState::SignedIn, "what works goes on meanwhile");
    let sent = bench.command(Command::SendChat { to, body: "on my way".into() });
    let Ok(Reply::Message(id)) = sent else { panic!("{sent:?}") };
    bench.found(Ok(edge()));
    assert_eq!(bench.count(|effect| matches!(effect, Effect::XmppAbandon(_))), 1);
    let (run, username, password) = bench.authenticating().expect("with the kept words");
    assert_eq!((username.as_str(), password.as_str()), ("alice", "secret"));
    assert_ne!(bench.state(), SessionState::SigningIn);
    bench.answered(run, Ok(outside()));
    let resent = |effect: &Effect| match effect {
        Effect::XmppSend(_, stanza) => stanza.id() == Some(id.0.as_str()),
        _ => false,
    };
    bench.effects.retain(|effect| !resent(effect));
    bench.all_online();
    assert_eq!(bench.count(resent), 0, "an archive may know whether it arrived");
    bench.account_has_no_archive();
    assert_eq!(bench.count(resent), 1, "what waited goes out over the new way");
    let session = bench.session();
    assert_eq!((session.state, session.via), (SessionState::SignedIn, Some(Via::Edge)));
    let opened = bench.stored(|it| matches!(it, StoreRequest::Open(..) | StoreRequest::Close));
    assert_eq!(opened, 0, "the history stays as it is");
    let message = bench.snapshot().messages.values().next().and_then(|all| all.last().cloned());
    assert_eq!(message.expect("still there").state, Delivery::Queued);
}

/// The server may not have seen the end of the old connection, and would refuse the device as one
/// that is registered elsewhere.
#[test]
fn a_phone_that_was_ours_is_taken_along_and_not_asked_about() {
    let device = || {
        let (device, line_contact) = ("CSFALICE".to_owned(), "a1b2".to_owned());
        let dialect = PhoneDialect::Cucm { device, model: 503, line_contact };
        let account = PhoneAccount { dialect, ..phone() };
        Grant { phone: Service::Ready(account), ..full() }
    };
    let takes = |bench: &mut Bench| {
        let flow = bench.flow().expect("a flow");
        bench.sip_opened(flow);
        let (_, request) = bench.sip().expect("a registration");
        assert!(request.starts_with("REGISTER "), "{request}");
        request.contains("cisco-alarm:111")
    };
    let mut bench = Bench::new();
    network(&mut bench, true, "office");
    bench.let_in(device());
    let first = bench.flow().expect("a flow");
    bench.registered(first);
    bench.all_online();
    bench.effects.clear();
    network(&mut bench, true, "street");
    bench.found(Ok(edge()));
    bench.granted(Ok(Grant { via: Via::Edge, ..device() }));
    assert!(takes(&mut bench), "in the place of our own");
    // A first registration takes nothing from anybody.
    let mut other = Bench::new();
    other.let_in(device());
    assert!(!takes(&mut other));
}

#[test]
fn a_word_that_is_refused_on_the_other_side_is_not_tried_again() {
    let mut bench = at_office();
    network(&mut bench, true, "street");
    bench.found(Ok(edge()));
    bench.granted(Err(wrong_password()));
    let session = bench.session();
    assert_eq!(session.state, SessionState::Failed);
    assert!(session.prompt.is_some());
    bench.effects.clear();
    bench.advance(secs(3_600));
    assert_eq!(bench.count(tried), 0);
}

#[test]
fn when_the_budget_is_out_it_waits_and_says_until_when() {
    let mut bench = at_office();
    network(&mut bench, true, "street");
    let mut attempts = 0;
    for _ in 0..40 {
        if bench.discovering_and_found(edge()) {
            continue;
        }
        if let Some((run, ..)) = bench.authenticating() {
            attempts += 1;
            bench.answered(run, Err(broken_node()));
        } else {
            bench.advance(secs(10));
        }
    }
    assert_eq!(attempts, 5);
    // The phone hangs on to the old way and fails, and then it shows.
    bench.send(Event::SipFailed(bench.open_flow(), offhook_model::Fault::Closed));
    let step = bench.session().step.expect("words");
    assert!(step.starts_with("Waiting until 00:"), "{step}");
    let rules: Vec<_> =
        bench.snapshot().toasts.iter().filter_map(|toast| toast.problem.rule).collect();
    assert!(rules.contains(&offhook_model::Rule(17)), "{rules:?}");
    // Ten minutes after the first attempt there is one more.
    for _ in 0..20 {
        bench.advance(secs(30));
        bench.discovering_and_found(edge());
    }
    let (run, ..) = bench.authenticating().expect("it goes on by itself");
    bench.answered(run, Ok(outside()));
    assert_eq!(bench.session().via, Some(Via::Edge));
}

#[test]
fn a_login_page_is_waited_for_and_named() {
    let mut bench = at_office();
    network(&mut bench, true, "hotel");
    bench.found(Ok(edge()));
    bench.send(Event::SipFailed(bench.open_flow(), offhook_model::Fault::Closed));
    for _ in 0..20 {
        bench.granted(Err(portal_page()));
        let step = bench.session().step.expect("words");
        assert!(step.contains("browser"), "{step}");
        assert!(bench.snapshot().toasts.iter().any(|toast| toast.problem == portal_page()));
        bench.advance(Duration::from_millis(1_500));
        bench.found(Ok(edge()));
    }
    bench.granted(Ok(outside()));
    bench.all_online();
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn a_machine_that_slept_looks_around() {
    let mut bench = at_office();
    bench.now.wall.0 += 3_600_000;
    bench.send(Event::Timeout);
    assert!(bench.discovering().is_some());
    assert_eq!(bench.count(|effect| matches!(effect, Effect::ForgetNames)), 1);
    // Time that passes awake is no sleep.
    bench.effects.clear();
    bench.advance(secs(86_400));
    assert_eq!(bench.count(|effect| matches!(effect, Effect::ForgetNames)), 0);
}

#[test]
fn a_machine_that_never_had_a_network_works_on_loopback() {
    let mut bench = Bench::new();
    network(&mut bench, false, "");
    bench.let_in(full());
    bench.all_online();
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn a_sign_in_that_lacked_a_network_goes_on_when_there_is_one() {
    let mut bench = Bench::new();
    network(&mut bench, false, "");
    bench.sign_in(Some("secret")).expect("begun");
    bench.found(Err(unreachable()));
    assert_eq!(bench.state(), SessionState::Failed);
    network(&mut bench, true, "office");
    bench.found(Ok(cucm()));
    bench.granted(Ok(full()));
    assert_eq!(bench.state(), SessionState::SignedIn);
    // A wrong password is no matter of the network.
    let mut bench = Bench::new();
    network(&mut bench, true, "office");
    bench.sign_in(Some("typo")).expect("begun");
    bench.found(Ok(cucm()));
    bench.granted(Err(wrong_password()));
    network(&mut bench, true, "street");
    assert!(bench.discovering().is_none());
}

#[test]
fn trying_again_while_reconnecting_looks_at_once() {
    let mut bench = at_office();
    network(&mut bench, false, "");
    bench.command(Command::TryAgain).expect("begun");
    assert!(bench.discovering().is_some());
    let mut bench = at_office();
    let error = bench.command(Command::TryAgain).expect_err("all is well");
    assert_eq!(error.code, offhook_model::ErrorCode::NotPossible);
}
