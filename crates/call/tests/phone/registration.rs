//! Registration: had, lost, had again, withdrawn.

use offhook_call::Registration;
use offhook_model::CallState;

use crate::stage::{Stage, bob, header, secs};

/// The names of what was told since the last look.
fn told(stage: &mut Stage) -> Vec<&'static str> {
    std::mem::take(&mut stage.registrations)
        .iter()
        .map(|registration| match registration {
            Registration::Trying(_) => "trying",
            Registration::Ready { .. } => "ready",
            Registration::Failed { .. } => "failed",
            Registration::Gone => "gone",
        })
        .collect()
}

#[test]
fn registered_and_withdrawn() {
    let mut stage = Stage::registered();
    assert_eq!(told(&mut stage), ["trying", "ready"]);
    stage.phone.stop(stage.now);
    stage.drain();
    let request = stage.take("REGISTER ");
    assert_eq!(header(&request, "Expires"), "0");
    assert_eq!(stage.stopped, 0);
    stage.respond(&request, "200 OK", "", "");
    assert_eq!((told(&mut stage), stage.stopped), (vec!["gone"], 1));
    assert_eq!(stage.closed, [stage.flow]);
}

#[test]
fn stopping_hangs_up_what_is_up_and_refuses_what_rings() {
    let mut stage = Stage::registered();
    let (talk, _) = stage.talking();
    let (rings, mut leg) = stage.ringing_here();
    stage.phone.stop(stage.now);
    stage.drain();
    let bye = stage.take("BYE ");
    stage.take("SIP/2.0 486 ");
    stage.request(&mut leg, "ACK", "", "");
    let request = stage.take("REGISTER ");
    assert_eq!((stage.end(talk).0, stage.end(rings).0), ("hungUp", "declined"));
    stage.respond(&bye, "200 OK", "", "");
    stage.respond(&request, "200 OK", "", "");
    stage.advance(secs(3));
    assert_eq!((stage.stopped, stage.records.len()), (1, 2));
}

#[test]
fn stopping_never_waits_long() {
    let mut stage = Stage::registered();
    stage.talking();
    stage.phone.stop(stage.now);
    stage.drain();
    stage.advance(secs(2));
    assert_eq!((stage.stopped, stage.closed.len()), (1, 1));
    stage.phone.stop(stage.now);
    stage.drain();
    assert_eq!(stage.stopped, 1, "told once");
}

#[test]
fn stopping_without_a_connection_is_done_at_once() {
    let mut stage = Stage::new();
    stage.phone.start(stage.now);
    stage.phone.stop(stage.now);
    stage.drain();
    stage.advance(secs(2));
    assert_eq!(stage.stopped, 1);
}

#[test]
fn a_lost_registration_comes_back_and_the_call_survives() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.registrations.clear();
    stage.lose_flow();
    assert_eq!(told(&mut stage)[0], "failed");
    assert_eq!(stage.state(id), CallState::Connected, "sound does not need the registrar");
    assert!(stage.phone.dial(bob(), stage.now).is_err());
    for _ in 0..60 {
        if stage.opened < 2 {
            stage.advance(secs(1));
        }
    }
    assert_eq!(stage.opened, 2, "it is tried again by itself");
    stage.open();
    stage.accept_register();
    assert!(told(&mut stage).ends_with(&["ready"]));
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    assert!(stage.sent.iter().any(|message| message.starts_with("BYE ")), "{:#?}", stage.sent);
}

#[test]
fn a_call_that_rings_does_not_survive_the_connection() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "180 Ringing", "", "");
    stage.lose_flow();
    let end = stage.call(id).end.expect("over");
    assert_eq!((end.cause, stage.tone), ("failed", None));
    let problem = end.problem.expect("a problem");
    assert!(problem.cause.contains("connection"), "{}", problem.cause);
}
