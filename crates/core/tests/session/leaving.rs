//! Signing out, and ending the program.

use offhook_core::{Effect, Event, XmppEvent};
use offhook_model::{CallId, Command, ErrorCode, Jid, ProblemId, SessionState};
use offhook_ports::StoreRequest;

use crate::bench::{Bench, full, plain, secs};

fn is_quit(effect: &Effect) -> bool {
    matches!(effect, Effect::Quit)
}

/// The chat link that was asked to close.
fn closing(bench: &Bench) -> offhook_core::LinkId {
    bench
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::XmppClose(link) => Some(*link),
            _ => None,
        })
        .expect("chat is closed")
}

#[test]
fn signing_out_waits_for_both_good_byes() {
    let mut bench = Bench::up(full());
    bench.command(Command::SignOut).expect("begun");
    let session = bench.session();
    assert_eq!(session.step.as_deref(), Some("Signing out"));
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::Close)), 0);
    let link = closing(&bench);
    bench.send(Event::Xmpp(link, XmppEvent::Closed));
    assert_ne!(bench.state(), SessionState::SignedOut);
    let (flow, request) = bench.sip().expect("a farewell");
    assert!(request.contains("Expires: 0"), "{request}");
    bench.effects.push(Effect::SipSend(flow, request.into_bytes()));
    bench.sip_answer(flow, "200 OK");
    assert_eq!(bench.state(), SessionState::SignedOut);
    assert_eq!(bench.stored(|request| matches!(request, StoreRequest::Close)), 1);
    assert_eq!(bench.count(|effect| matches!(effect, Effect::ForgetCookies)), 1);
    assert_eq!(
        bench.count(|effect| matches!(effect, Effect::SipClose(closed) if *closed == flow)),
        1
    );
    assert_eq!(bench.count(is_quit), 0);
    let snapshot = bench.snapshot();
    assert!(
        snapshot.contacts.is_empty() && snapshot.calls.is_empty() && snapshot.call_log.is_empty()
    );
    assert_eq!((snapshot.me.address, snapshot.me.number), (None, None));
}

#[test]
fn servers_that_say_nothing_are_not_waited_for() {
    let mut bench = Bench::up(full());
    bench.command(Command::Quit).expect("begun");
    bench.advance(secs(1));
    assert_eq!(bench.count(is_quit), 0);
    bench.advance(secs(1));
    assert_eq!((bench.count(is_quit), bench.state()), (1, SessionState::SignedOut));
    assert_eq!(
        bench.count(|effect| matches!(effect, Effect::SipClose(_))),
        1,
        "nothing stays open"
    );
    assert!(bench.count(|effect| matches!(effect, Effect::XmppClose(_))) >= 1);
    assert_eq!(bench.core.next_timeout(), None);
}

#[test]
fn leaving_may_turn_into_quitting() {
    let mut bench = Bench::up(plain(true, false));
    bench.command(Command::SignOut).expect("begun");
    bench.command(Command::Quit).expect("taken");
    let link = closing(&bench);
    bench.send(Event::Xmpp(link, XmppEvent::Closed));
    assert_eq!((bench.count(is_quit), bench.state()), (1, SessionState::SignedOut));
}

#[test]
fn quitting_is_always_possible_and_at_once_where_nobody_is_signed_in() {
    let mut bench = Bench::new();
    bench.command(Command::Quit).expect("done");
    assert_eq!(bench.count(is_quit), 1);

    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    bench.command(Command::Quit).expect("done");
    assert_eq!(bench.count(is_quit), 1);
    assert_eq!(bench.count(|effect| matches!(effect, Effect::Cancel(_))), 1);
}

#[test]
fn a_link_that_opens_too_late_is_not_used() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let link = bench.link().expect("a link");
    bench.command(Command::SignOut).expect("begun");
    bench.online(link);
    assert_eq!(bench.count(|effect| matches!(effect, Effect::XmppSend(..))), 0);
    bench.send(Event::Xmpp(link, XmppEvent::Closed));
    bench.advance(secs(2));
    assert_eq!(bench.state(), SessionState::SignedOut);
}

#[test]
fn nothing_can_be_done_before_signing_in() {
    let bob: Jid = "bob@example.test".parse().expect("a JID");
    let id = CallId(1);
    for command in [
        Command::SignOut,
        Command::SetPresence { availability: offhook_model::Availability::Away, note: None },
        Command::RosterAdd { contact: bob.clone(), name: None, groups: None },
        Command::RosterRemove { contact: bob.clone() },
        Command::RosterAnswer { contact: bob.clone(), allow: true },
        Command::SendChat { to: bob.clone(), body: "hello".into() },
        Command::Typing { to: bob.clone(), typing: true },
        Command::MarkRead { with: bob.clone() },
        Command::OpenChat { with: bob.clone() },
        Command::ChatHistory { with: bob.clone(), before: None, limit: 10 },
        Command::ChatSearch { query: "x".into(), with: None, limit: 10 },
        Command::Dial { to: "2002".parse().expect("a number"), video: false },
        Command::Answer(id),
        Command::Decline(id),
        Command::HangUp(id),
        Command::Hold(id),
        Command::Resume(id),
        Command::Mute { id, muted: true },
        Command::Dtmf { id, digits: "1".into() },
    ] {
        let mut bench = Bench::new();
        let words = format!("{command:?}");
        let error = bench.command(command).expect_err("refused");
        assert_eq!(error.code, ErrorCode::NotSignedIn, "{words}");
        assert!(bench.effects.is_empty() && bench.notices.is_empty(), "{words}");
    }
    let mut bench = Bench::new();
    let error = bench.command(Command::CallStats(id)).expect_err("refused");
    assert_eq!(error.code, ErrorCode::NoSuchObject);
    let error = bench.command(Command::Dismiss(ProblemId(1))).expect_err("refused");
    assert_eq!(error.code, ErrorCode::NoSuchObject);
}
