//! Whatever happens in whatever order: no panic, no timer that stays due, one ear.

use offhook_model::{CallId, CallState};
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};

use crate::stage::{FOREIGN, Stage, bob, sdp, secs};

#[derive(Clone, Debug)]
enum Step {
    Dial,
    Ring(bool),
    Ports(u32, bool),
    Answer(u32),
    Decline(u32),
    HangUp(u32),
    Hold(u32),
    Resume(u32),
    Respond(u8, u8, bool),
    LoseFlow,
    OpenFlow,
    Wait(u64),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    (0_u8..13, 1_u32..5, any::<u8>(), any::<bool>()).prop_map(|(kind, id, number, flag)| match kind
    {
        0 => Step::Dial,
        1 => Step::Ring(flag),
        2 => Step::Ports(id, flag),
        3 => Step::Answer(id),
        4 => Step::Decline(id),
        5 => Step::HangUp(id),
        6 => Step::Hold(id),
        7 => Step::Resume(id),
        8 | 9 => Step::Respond(number, u8::try_from(id).unwrap_or(0), flag),
        10 if number < 60 => Step::LoseFlow,
        10 => Step::OpenFlow,
        11 if number < 20 => Step::Stop,
        _ => Step::Wait(u64::from(number)),
    })
}

fn take(stage: &mut Stage, step: &Step) {
    let now = stage.now;
    match step {
        Step::Dial => drop(stage.phone.dial(bob(), now)),
        Step::Ring(good) => {
            let offer = if *good { sdp("sendrecv") } else { FOREIGN.to_owned() };
            stage.invite(&offer);
        }
        Step::Ports(id, true) => stage.give_ports(CallId(*id)),
        Step::Ports(id, false) => stage.phone.reserved(CallId(*id), Err("none".into()), now),
        Step::Answer(id) => drop(stage.phone.answer(CallId(*id), now)),
        Step::Decline(id) => drop(stage.phone.decline(CallId(*id), now)),
        Step::HangUp(id) => drop(stage.phone.hang_up(CallId(*id), now)),
        Step::Hold(id) => drop(stage.phone.hold(CallId(*id), now)),
        Step::Resume(id) => drop(stage.phone.resume(CallId(*id), now)),
        Step::Respond(number, back, good) => {
            let requests: Vec<String> = stage
                .sent
                .iter()
                .rev()
                .filter(|message| !message.starts_with("SIP/2.0") && !message.starts_with("ACK"))
                .take(usize::from(*back))
                .cloned()
                .collect();
            let Some(request) = requests.last() else { return };
            let statuses = [
                "100 Trying",
                "180 Ringing",
                "183 Progress",
                "200 OK",
                "200 OK",
                "200 OK",
                "401 Unauthorized",
                "404 Not Found",
                "486 Busy Here",
                "491 Pending",
                "500 Error",
            ];
            let status = statuses[usize::from(*number) % statuses.len()];
            let content = if *good { sdp("sendrecv") } else { String::new() };
            stage.respond(request, status, "", &content);
        }
        Step::LoseFlow => stage.lose_flow(),
        Step::OpenFlow => stage.open(),
        Step::Wait(seconds) => stage.advance(secs(*seconds)),
        Step::Stop => stage.phone.stop(now),
    }
    stage.drain();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_breaks_the_phone(steps in proptest::collection::vec(step(), 1..60)) {
        let mut stage = Stage::registered();
        stage.ports_at_once = false;
        for step in &steps {
            take(&mut stage, step);
            let calls = stage.phone.calls();
            let sounding = calls
                .iter()
                .filter(|call| call.end.is_none() && stage.sound(call.id).0)
                .filter(|call| call.state != CallState::Early)
                .count();
            assert!(sounding <= 1, "{calls:#?}");
            assert!(calls.iter().all(|call| (call.state == CallState::Ended) == call.end.is_some()));
        }
        // Everything ends: no timer may stay due for ever.
        stage.phone.stop(stage.now);
        stage.drain();
        stage.advance(secs(300));
        assert!(stage.phone.calls().is_empty());
        let ended = stage.records.len();
        assert_eq!(ended, stage.released.len(), "each call is recorded and released once");
    }
}
