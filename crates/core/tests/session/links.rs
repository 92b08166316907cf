//! Connections that are lost, and the way back.

use std::time::Duration;

use offhook_core::{Effect, Event, FlowOutcome};
use offhook_model::{Area, Command, Fault, ServiceState, SessionState};

use crate::bench::{Bench, full, plain, plan, secs, unreachable, wrong_password};

/// Time until the next attempt; the core has none under way.
fn pause(bench: &Bench) -> Duration {
    let due = bench.core.next_timeout().expect("a next attempt");
    due.saturating_duration_since(bench.now.at)
}

#[test]
fn a_lost_link_comes_back_after_growing_pauses() {
    let mut bench = Bench::new();
    bench.let_in(plain(true, false));
    let mut link = bench.link().expect("a link");
    bench.online(link);
    bench.advance(secs(60));
    bench.offline(link, Fault::Closed);
    let session = bench.session();
    assert_eq!(
        (session.state, session.step.as_deref()),
        (SessionState::Reconnecting, Some("Connecting again"))
    );
    assert_eq!(session.services.im.state, ServiceState::Connecting);
    let mut last = Duration::ZERO;
    for attempt in 0..10_u32 {
        let wait = pause(&bench);
        let least = secs(u64::from(1_u32 << attempt.min(5)).min(30));
        assert!(wait >= least && wait <= least + least / 4, "{attempt}: {wait:?}");
        assert!(wait >= last || wait >= secs(30), "{attempt}: {wait:?} after {last:?}");
        last = wait;
        bench.advance(wait);
        link = bench.link().expect("a new attempt");
        bench.failed(link, Fault::PortRefused);
        assert_eq!(bench.state(), SessionState::Reconnecting);
    }
    bench.advance(last + secs(10));
    link = bench.link().expect("a new attempt");
    bench.online(link);
    let session = bench.session();
    assert_eq!((session.state, session.step), (SessionState::SignedIn, None));
    assert_eq!((session.services.im.state, session.services.im.error), (ServiceState::Ready, None));
}

#[test]
fn a_link_that_breaks_at_once_is_not_hurried_after() {
    let mut bench = Bench::new();
    bench.let_in(plain(true, false));
    for least in [1, 2, 4, 8] {
        let link = bench.link().expect("a link");
        bench.online(link);
        bench.offline(link, Fault::Closed);
        assert!(pause(&bench) >= secs(least), "{least}");
        let wait = pause(&bench);
        bench.advance(wait);
    }
    let link = bench.link().expect("a link");
    bench.online(link);
    bench.advance(secs(31));
    bench.offline(link, Fault::Closed);
    assert!(pause(&bench) < secs(2), "it stood long enough to begin anew");
}

#[test]
fn a_one_time_password_is_renewed_before_the_link_opens_again() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let link = bench.link().expect("a link");
    bench.online(link);
    bench.offline(link, Fault::Closed);
    bench.advance(secs(537));
    assert!(bench.link().is_none());
    let run = bench.renewing().expect("a new password is asked for");
    bench.send(Event::Flow(run, FlowOutcome::Renewed(Err(unreachable()))));
    assert_eq!(bench.session().services.im.error, Some(unreachable()));
    bench.advance(secs(537));
    let run = bench.renewing().expect("asked again");
    bench.send(Event::Flow(run, FlowOutcome::Renewed(Ok(Box::new(plan(true).into())))));
    let link = bench.link().expect("a link");
    bench.online(link);
    assert_eq!(bench.session().services.im.state, ServiceState::Ready);
    // A late answer of an old question opens nothing.
    bench.send(Event::Flow(run, FlowOutcome::Renewed(Ok(Box::new(plan(true).into())))));
    assert!(bench.link().is_none());
}

#[test]
fn a_spent_one_time_password_is_no_wrong_password() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let link = bench.link().expect("a link");
    bench.failed(link, Fault::BadCredentials);
    bench.advance(secs(2));
    assert!(bench.renewing().is_some());
}

#[test]
fn a_password_that_changed_meanwhile_is_asked_for_and_not_tried_again() {
    let mut bench = Bench::new();
    bench.let_in(plain(true, false));
    let link = bench.link().expect("a link");
    bench.online(link);
    bench.offline(link, Fault::Closed);
    bench.advance(secs(2));
    let link = bench.link().expect("a new attempt");
    bench.failed(link, Fault::BadCredentials);
    let session = bench.session();
    assert_eq!(session.state, SessionState::Failed);
    assert!(session.prompt.is_some());
    bench.advance(secs(120));
    assert!(bench.link().is_none());
    bench.give_password("alice", "new").expect("taken");
    bench.granted(Ok(plain(true, false)));
    bench.all_online();
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn a_renewal_that_is_refused_does_not_lock_the_account() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let (link, flow) = (bench.link().expect("a link"), bench.flow().expect("a flow"));
    bench.online(link);
    bench.registered(flow);
    bench.offline(link, Fault::Closed);
    // The first is by the session that we have: what comes back says nothing of the password.
    for _ in 0..2 {
        bench.advance(secs(537));
        let run = bench.renewing().expect("asked");
        bench.send(Event::Flow(run, FlowOutcome::Renewed(Err(wrong_password()))));
    }
    bench.advance(secs(1_200));
    assert!(bench.renewing().is_none());
    let session = bench.session();
    assert_eq!(
        (session.state, session.services.im.state),
        (SessionState::SignedIn, ServiceState::Failed)
    );
}

#[test]
fn one_that_signed_in_elsewhere_is_not_fought_with() {
    let mut bench = Bench::new();
    bench.let_in(plain(true, false));
    let link = bench.link().expect("a link");
    bench.online(link);
    bench.offline(link, Fault::Conflict);
    bench.advance(secs(120));
    assert!(bench.link().is_none());
    let session = bench.session();
    assert_eq!((session.state, session.prompt), (SessionState::Failed, None));
    assert_eq!(session.error.expect("a problem").area, Area::Authentication);
}

#[test]
fn the_phone_alone_keeps_the_session() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let (link, flow) = (bench.link().expect("a link"), bench.flow().expect("a flow"));
    bench.online(link);
    bench.registered(flow);
    bench.offline(link, Fault::Closed);
    assert_eq!(bench.state(), SessionState::SignedIn);
    bench.send(Event::SipFailed(flow, Fault::Closed));
    assert_eq!(bench.state(), SessionState::Reconnecting);
    let mut flow = None;
    for _ in 0..60 {
        flow = flow.or(bench.flow());
        if flow.is_none() {
            bench.advance(secs(1));
        }
    }
    bench.registered(flow.expect("it registers again by itself"));
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn a_late_word_of_an_old_connection_does_not_touch_the_new_phone() {
    let mut bench = Bench::new();
    bench.let_in(plain(false, true));
    let old = bench.flow().expect("a flow");
    bench.registered(old);
    bench.command(Command::SignOut).expect("begun");
    bench.advance(secs(3));
    bench.let_in(plain(false, true));
    let new = bench.flow().expect("a flow");
    assert_ne!(old, new);
    bench.registered(new);
    bench.send(Event::SipFailed(old, Fault::Closed));
    bench.send(Event::SipData(old, b"SIP/2.0 200 OK\r\n\r\n".to_vec()));
    assert_eq!(bench.session().services.phone.state, ServiceState::Ready);
    assert_eq!(bench.count(|effect| matches!(effect, Effect::SipClose(flow) if *flow == new)), 0);
}
