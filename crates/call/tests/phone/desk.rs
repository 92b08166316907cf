//! Calls of the phone on the desk, in virtual time: what is asked of it, and what its answers do.

use offhook_model::{
    Area, CallId, CallState, CallWish, CommandError, DeskPhone, DialString, ErrorCode, Owner,
    Problem, Secret,
};
use offhook_ports::{DeskControl, DeskOrder, PhoneAccount, PhoneFeatures, Target};

use crate::stage::{Stage, account, bob};

const DEVICE: &str = "SEP0012";

fn stage() -> Stage {
    let control = DeskControl {
        server: Target { host: "cucm1.example.test".into(), port: 8443 },
        user: "alice".into(),
        password: Secret::from("secret"),
        phones: vec![DeskPhone { device: DEVICE.into(), model: "Cisco 8845".into() }],
    };
    let features = PhoneFeatures { desk: Some(control), ..PhoneFeatures::default() };
    Stage::of(PhoneAccount { features, ..account() }).in_service()
}

fn choose(stage: &mut Stage, device: &str) -> Result<(), CommandError> {
    let wish = CallWish::CallWith(Some(device.into()));
    let done = stage.phone.wish(wish, stage.now).map(|_| ());
    stage.drain();
    done
}

/// The phone on the desk is chosen and can be told to call.
fn chosen() -> Stage {
    let mut stage = stage();
    choose(&mut stage, DEVICE).expect("chosen");
    answer(&mut stage, Ok(Some("2001".into())));
    stage
}

fn answer(stage: &mut Stage, outcome: Result<Option<String>, Problem>) {
    let order = stage.orders.pop().expect("something was asked");
    stage.phone.desk_answered(&order, outcome, stage.now);
    stage.drain();
}

fn dial(stage: &mut Stage) -> CallId {
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    id
}

fn problem() -> Problem {
    Problem::new(Area::Provisioning, Owner::Admin, "WebDialer is not running.", "Have it started.")
}

#[test]
fn the_phone_is_told_to_call_and_to_hang_up_and_no_sound_is_here() {
    let mut stage = chosen();
    let id = dial(&mut stage);
    let asked = DeskOrder::Dial {
        call: id,
        device: DEVICE.into(),
        line: Some("2001".into()),
        to: "2002".into(),
    };
    assert_eq!(stage.orders, [asked]);
    assert_eq!((stage.state(id), stage.tone), (CallState::Dialing, None));
    answer(&mut stage, Ok(Some("2001".into())));
    assert_eq!((stage.state(id), stage.tone), (CallState::Ringing, None));
    assert!(stage.reserving.is_empty() && !stage.sent.iter().any(|it| it.starts_with("INVITE ")));
    stage.phone.hang_up(id, stage.now).expect("asked");
    stage.phone.hang_up(id, stage.now).expect("asked once is enough");
    stage.drain();
    assert_eq!(stage.orders.len(), 1);
    assert_eq!(stage.state(id), CallState::Ringing, "until the phone has done it");
    answer(&mut stage, Ok(None));
    assert_eq!((stage.state(id), stage.end(id).0), (CallState::Ended, "hungUp"));
    assert_eq!(stage.records.len(), 1);
}

#[test]
fn what_only_the_phone_itself_can_do_is_refused() {
    let mut stage = chosen();
    let id = dial(&mut stage);
    answer(&mut stage, Ok(None));
    let now = stage.now;
    let refused = [
        stage.phone.hold(id, now),
        stage.phone.mute(id, true),
        stage.phone.dtmf(id, "1", now),
        stage.phone.answer(id, now),
        stage.phone.wish(CallWish::Transfer { id, to: bob() }, now).map(|_| ()),
        stage.phone.wish(CallWish::Park(id), now).map(|_| ()),
    ];
    for refusal in refused {
        let error = refusal.expect_err("refused");
        assert!(error.cause.contains("not public"), "{}", error.cause);
    }
    let to = DialString::Address("bob@example.test".into());
    let error = stage.phone.dial(to, now).expect_err("no addresses");
    assert_eq!(error.code, ErrorCode::NotPossible);
}

#[test]
fn who_cannot_be_told_anything_is_not_chosen() {
    let mut stage = stage();
    assert_eq!(choose(&mut stage, "SEP9").expect_err("unknown").code, ErrorCode::NoSuchObject);
    choose(&mut stage, DEVICE).expect("chosen");
    answer(&mut stage, Err(problem()));
    let state = stage.phone.state();
    assert_eq!((&state.desk, state.trouble.as_ref()), (&None, Some(&problem())));
    let id = dial(&mut stage);
    assert!(stage.orders.is_empty() && stage.phone.calls()[0].desk.is_none(), "called here: {id}");
}

#[test]
fn a_call_that_the_phone_does_not_make_ends_with_the_reason() {
    let mut stage = chosen();
    let id = dial(&mut stage);
    answer(&mut stage, Err(problem()));
    assert_eq!((stage.state(id), stage.end(id).0), (CallState::Ended, "failed"));
    let call = &stage.phone.calls()[0];
    assert_eq!(call.end.as_ref().and_then(|end| end.problem.as_ref()), Some(&problem()));
}
