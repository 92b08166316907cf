//! Chat of IM and Presence after a server was lost (reference im-presence.md section 3).

use std::time::Duration;

use offhook_core::{Effect, Event, FlowOutcome, LinkId, RunId, XmppEvent};
use offhook_model::{Command, Fault, Problem, ServiceState, SessionState, Via};
use offhook_ports::{Found, NetworkState, Resumption, Target};
use offhook_signin::{Grant, Renewal, Renewed, Service, SoapStep};

use crate::bench::{ADDRESS, Bench, at, cucm, full, plan, secs, unreachable};

/// Chat alone, through one-time passwords.
fn chat_alone() -> Grant {
    Grant { phone: Service::NotConfigured, ..full() }
}

/// Connected for a minute.
fn connected(grant: Grant) -> (Bench, LinkId) {
    let mut bench = Bench::new();
    bench.let_in(grant);
    let link = bench.link().expect("a link");
    bench.online(link);
    if let Some(flow) = bench.flow() {
        bench.registered(flow);
    }
    bench.advance(secs(60));
    bench.effects.clear();
    (bench, link)
}

fn asked(bench: &mut Bench) -> Option<(RunId, SoapStep)> {
    let place = bench.effects.iter().position(|it| matches!(it, Effect::Renew { .. }))?;
    let Effect::Renew { run, renewal, .. } = bench.effects.remove(place) else { return None };
    let Renewal::Soap(soap) = *renewal else { return None };
    Some((run, soap.step))
}

/// Nothing is tried before the window, and something in it: how.
#[track_caller]
fn after_the_window(bench: &mut Bench) -> (RunId, SoapStep) {
    let words = bench.session().step.unwrap_or_default();
    assert!(words.starts_with("Connecting again at ") && words.ends_with("UTC"), "{words}");
    bench.advance(secs(119));
    assert!(asked(bench).is_none() && bench.link().is_none(), "before the window");
    bench.advance(secs(537 - 119));
    asked(bench).expect("asked within the window")
}

fn renewed(bench: &mut Bench, run: RunId, result: Result<(), Problem>) {
    let result = result.map(|()| Box::new(plan(true).into()));
    bench.send(Event::Flow(run, FlowOutcome::Renewed(result)));
}

fn stream() -> Box<Resumption> {
    Box::new(Resumption {
        id: "stream".into(),
        jid: format!("{ADDRESS}/offhook_1").parse().expect("a JID"),
        location: None,
        max: secs(600),
        received: 0,
        acknowledged: 0,
        unacknowledged: Default::default(),
    })
}

#[test]
fn a_lost_server_is_asked_in_the_window_by_the_session_then_by_a_new_one_then_not_at_all() {
    let (mut bench, link) = connected(chat_alone());
    bench.offline(link, Fault::Closed);
    assert_eq!(bench.state(), SessionState::Reconnecting);
    let (run, step) = after_the_window(&mut bench);
    assert_eq!(step, SoapStep::Session);
    renewed(&mut bench, run, Err(unreachable()));
    let (run, step) = after_the_window(&mut bench);
    assert_eq!(step, SoapStep::Login);
    renewed(&mut bench, run, Err(unreachable()));
    let session = bench.session();
    assert_eq!(session.state, SessionState::Failed);
    assert!(session.error.is_some_and(|it| it.remedy.contains("Sign in again")));
    bench.advance(secs(3_600));
    assert!(asked(&mut bench).is_none() && bench.link().is_none());
}

#[test]
fn it_comes_back_from_each_wait() {
    for fails in [false, true] {
        let (mut bench, link) = connected(chat_alone());
        bench.offline(link, Fault::Closed);
        let (mut run, _) = after_the_window(&mut bench);
        if fails {
            renewed(&mut bench, run, Err(unreachable()));
            (run, _) = after_the_window(&mut bench);
        }
        renewed(&mut bench, run, Ok(()));
        let link = bench.link().expect("opened");
        bench.online(link);
        let session = bench.session();
        assert_eq!((session.state, session.step), (SessionState::SignedIn, None));
        // The next loss begins at the beginning.
        bench.advance(secs(60));
        bench.offline(link, Fault::Closed);
        assert_eq!(after_the_window(&mut bench).1, SoapStep::Session);
    }
}

#[test]
fn chat_nodes_that_do_not_answer_end_it_and_the_phone_goes_on() {
    let (mut bench, link) = connected(full());
    bench.offline(link, Fault::Closed);
    bench.advance(secs(537));
    let (run, _) = asked(&mut bench).expect("asked");
    renewed(&mut bench, run, Ok(()));
    let link = bench.link().expect("opened");
    bench.failed(link, Fault::PortRefused);
    let session = bench.session();
    assert_eq!(session.state, SessionState::SignedIn, "the phone works");
    assert_eq!(session.services.im.state, ServiceState::Failed);
    let problem = session.services.im.error.expect("a sentence");
    assert!(problem.remedy.contains("Sign in again"), "{problem:?}");
    bench.advance(secs(3_600));
    assert!(asked(&mut bench).is_none() && bench.link().is_none());
    // The user's word counts at any time.
    bench.command(Command::TryAgain).expect("taken");
    bench.found(Ok(cucm()));
    let (run, _) = asked(&mut bench).expect("at once");
    renewed(&mut bench, run, Ok(()));
    let link = bench.link().expect("opened");
    bench.online(link);
    assert_eq!(bench.session().services.im.state, ServiceState::Ready);
}

/// After it stopped, *Try again* is one attempt: it does not begin a row of its own.
#[test]
fn a_wish_that_fails_after_it_stopped_is_no_new_beginning() {
    for let_in in [false, true] {
        let (mut bench, link) = connected(full());
        bench.offline(link, Fault::Closed);
        bench.advance(secs(537));
        let (run, _) = asked(&mut bench).expect("asked");
        renewed(&mut bench, run, Ok(()));
        let link = bench.link().expect("opened");
        bench.failed(link, Fault::PortRefused);
        for _ in 0..2 {
            bench.command(Command::TryAgain).expect("taken");
            bench.found(Ok(cucm()));
            let (run, step) = asked(&mut bench).expect("at once");
            assert_eq!(step, SoapStep::Both);
            if let_in {
                renewed(&mut bench, run, Ok(()));
                let link = bench.link().expect("opened");
                bench.failed(link, Fault::PortRefused);
            } else {
                renewed(&mut bench, run, Err(unreachable()));
            }
            bench.advance(secs(3_600));
            assert!(asked(&mut bench).is_none() && bench.link().is_none(), "{let_in}");
            let problem = bench.session().services.im.error.expect("a sentence");
            assert!(problem.remedy.contains("Try again"), "{problem:?}");
        }
    }
}

/// While it waits, *Try again* is the attempt that it waits for.
#[test]
fn a_wish_that_fails_while_it_waits_is_followed_by_the_next_wait() {
    let (mut bench, link) = connected(chat_alone());
    bench.offline(link, Fault::Closed);
    bench.advance(secs(5));
    bench.command(Command::TryAgain).expect("taken");
    bench.found(Ok(cucm()));
    let (run, step) = asked(&mut bench).expect("at once");
    assert_eq!(step, SoapStep::Session);
    renewed(&mut bench, run, Err(unreachable()));
    assert_eq!(after_the_window(&mut bench).1, SoapStep::Login);
}

/// A full login opens a session; the next reconnect asks by that one, and at the nodes of then.
#[test]
fn the_newest_session_is_the_one_that_is_asked_with() {
    let (mut bench, link) = connected(chat_alone());
    bench.offline(link, Fault::Closed);
    let (run, _) = after_the_window(&mut bench);
    let mut made = Renewed::from(plan(true));
    let Some(Renewal::Soap(mut soap)) = chat_alone().renewal else { panic!("no session") };
    soap.session = "newest".into();
    made.renewal = Some(Renewal::Soap(soap));
    bench.send(Event::Flow(run, FlowOutcome::Renewed(Ok(Box::new(made)))));
    let link = bench.link().expect("opened");
    bench.online(link);
    bench.advance(secs(60));
    bench.offline(link, Fault::Closed);
    bench.advance(secs(537));
    let session = bench.effects.iter().find_map(|effect| match effect {
        Effect::Renew { renewal, .. } => match &**renewal {
            Renewal::Soap(soap) => Some(soap.session.expose().clone()),
            Renewal::Cloud(_) => None,
        },
        _ => None,
    });
    assert_eq!(session.as_deref(), Some("newest"));
}

#[test]
fn chat_through_an_edge_comes_back_in_the_same_way() {
    let mut bench = Bench::new();
    let at = Target { host: "edge.example.test".into(), port: 8443 };
    bench.sign_in(Some("secret")).expect("begun");
    bench.found(Ok(Found::Edge(vec![at])));
    bench.granted(Ok(Grant { via: Via::Edge, ..chat_alone() }));
    let link = bench.link().expect("a link");
    bench.online(link);
    bench.advance(secs(60));
    bench.effects.clear();
    bench.offline(link, Fault::Closed);
    let (run, step) = after_the_window(&mut bench);
    assert_eq!(step, SoapStep::Session);
    renewed(&mut bench, run, Err(unreachable()));
    // A new session begins with the edge.
    bench.advance(secs(537));
    assert!(asked(&mut bench).is_none());
    let at = Target { host: "edge.example.test".into(), port: 8443 };
    bench.found(Ok(Found::Edge(vec![at])));
    bench.granted(Ok(Grant { via: Via::Edge, ..chat_alone() }));
    let link = bench.link().expect("opened");
    bench.online(link);
    assert_eq!(bench.state(), SessionState::SignedIn);
}

#[test]
fn a_stream_that_may_go_on_is_tried_once_at_once_without_a_new_session() {
    let lost = |bench: &mut Bench, link| {
        let resumption = Some(stream());
        let event = XmppEvent::Offline { at: at(), fault: Fault::Closed, resumption };
        bench.send(Event::Xmpp(link, event));
        bench.advance(Duration::ZERO);
        let (run, step) = asked(bench).expect("at once");
        assert_eq!(step, SoapStep::Session);
        run
    };
    let (mut bench, link) = connected(chat_alone());
    let run = lost(&mut bench, link);
    renewed(&mut bench, run, Err(unreachable()));
    assert_eq!(after_the_window(&mut bench).1, SoapStep::Session);
    let (mut bench, link) = connected(chat_alone());
    let run = lost(&mut bench, link);
    renewed(&mut bench, run, Ok(()));
    let link = bench.link().expect("opened");
    bench.failed(link, Fault::PortRefused);
    assert_eq!(after_the_window(&mut bench).1, SoapStep::Session);
}

#[test]
fn the_user_and_another_network_do_not_wait() {
    for user in [true, false] {
        let (mut bench, link) = connected(chat_alone());
        let network = |name: &str| NetworkState { online: true, fingerprint: name.into() };
        bench.send(Event::Network(network("one")));
        bench.offline(link, Fault::Closed);
        bench.advance(secs(5));
        if user {
            bench.command(Command::TryAgain).expect("taken");
        } else {
            bench.send(Event::Network(network("two")));
        }
        bench.found(Ok(cucm()));
        assert!(asked(&mut bench).is_some(), "{user}");
    }
}

/// The next number of a known row (SplitMix64).
fn splitmix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 1,000 schedules: never sooner than the window after a failure, at most one attempt under way, at
/// most two rounds, and in the end connected or stopped with a sentence.
#[test]
fn a_thousand_schedules_end_connected_or_stopped() {
    let (mut back, mut stopped) = (0, 0);
    for seed in 0..1_000 {
        let mut number = seed;
        let mut coin = || {
            number = splitmix(number);
            number % 2 == 0
        };
        let (mut bench, mut link) = connected(chat_alone());
        for _ in 0..1 + u8::from(coin()) + u8::from(coin()) {
            let resumption = coin().then(stream);
            let at_once = resumption.is_some();
            let event = XmppEvent::Offline { at: at(), fault: Fault::Closed, resumption };
            bench.send(Event::Xmpp(link, event));
            let (mut since, mut tries) = (bench.now.at, 0);
            let online = loop {
                let Some(due) = bench.core.next_timeout() else { break None };
                bench.advance(due.saturating_duration_since(bench.now.at));
                let Some((run, _)) = asked(&mut bench) else { continue };
                assert!(asked(&mut bench).is_none(), "{seed}: two at once");
                let waited = bench.now.at - since;
                let hurry = at_once && tries == 0 && waited < secs(1);
                assert!(hurry || waited >= secs(120) && waited <= secs(537), "{seed}: {waited:?}");
                (tries, since) = (tries + u32::from(!hurry), bench.now.at);
                let let_in = coin();
                renewed(&mut bench, run, if let_in { Ok(()) } else { Err(unreachable()) });
                if let_in {
                    let opened = bench.link().expect("opened");
                    if coin() {
                        bench.online(opened);
                        break Some(opened);
                    }
                    bench.failed(opened, Fault::PortRefused);
                }
                assert!(tries <= 2, "{seed}");
                if bench.state() == SessionState::Failed {
                    break None;
                }
            };
            let session = bench.session();
            match online {
                Some(online) => {
                    assert_eq!(session.state, SessionState::SignedIn, "{seed}");
                    link = online;
                    back += 1;
                    bench.advance(secs(60));
                }
                None => {
                    assert_eq!(session.state, SessionState::Failed, "{seed}");
                    assert!(session.error.is_some(), "{seed}");
                    stopped += 1;
                    break;
                }
            }
        }
    }
    assert!(back > 200 && stopped > 200, "{back} {stopped}");
}
