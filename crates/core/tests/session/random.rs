//! Whatever comes in whatever order: no panic, one sign-in at most, and no timer that stays due.

use offhook_core::{Effect, Event, FlowOutcome, LinkId, RunId, StoreTag, XmppEvent};
use offhook_model::{CallId, Command, Fault, SessionState};
use offhook_ports::{FlowId, MediaFact, NetworkState, StoreAnswer};
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};

use crate::bench::{
    Bench, at, cucm, full, phone, plain, plan, secs, standard, unreachable, wrong_password,
};

fn step() -> impl Strategy<Value = (u8, u32, bool)> {
    (0_u8..34, 1_u32..12, any::<bool>())
}

fn take(bench: &mut Bench, (kind, number, good): (u8, u32, bool)) {
    let (run, link, flow, call) = (RunId(number), LinkId(number), FlowId(number), CallId(number));
    match kind {
        0 => drop(bench.sign_in(good.then_some("secret"))),
        1 => drop(bench.give_password("alice", "secret")),
        2 => drop(bench.command(if number < 3 { Command::Quit } else { Command::SignOut })),
        3 | 4 => {
            let run = bench.discovering().unwrap_or(run);
            let found = if kind == 3 { cucm() } else { standard() };
            bench.discovered(run, if good { Ok(found) } else { Err(unreachable()) });
        }
        5 | 6 => {
            let run = bench.authenticating().map_or(run, |(run, ..)| run);
            let grant = if kind == 5 { full() } else { plain(number % 3 != 0, number % 3 != 1) };
            let outcome = if good || number > 3 { Ok(grant) } else { Err(wrong_password()) };
            bench.answered(run, outcome);
        }
        7 => {
            let tag = bench.recalling().unwrap_or(StoreTag::Password(run));
            let password = good.then(|| offhook_model::Secret::from("kept"));
            bench.send(Event::Store(tag, StoreAnswer::Password(password)));
        }
        8 => {
            let run = bench.renewing().unwrap_or(run);
            let result = if good { Ok(Box::new(plan(true).into())) } else { Err(wrong_password()) };
            bench.send(Event::Flow(run, FlowOutcome::Renewed(result)));
        }
        9 | 10 => {
            let link = bench.link().unwrap_or(link);
            bench.online(link);
        }
        11 => {
            let faults =
                [Fault::Closed, Fault::Conflict, Fault::BadCredentials, Fault::PortRefused];
            let fault = faults[number as usize % faults.len()].clone();
            let event = if good {
                XmppEvent::Offline { at: at(), fault, resumption: None }
            } else {
                XmppEvent::Failed { at: at(), fault, resumption: None }
            };
            bench.send(Event::Xmpp(link, event));
        }
        12 => bench.send(Event::Xmpp(link, XmppEvent::Closed)),
        13 | 14 => {
            let flow = bench.flow().unwrap_or(flow);
            bench.sip_opened(flow);
        }
        15 | 16 => {
            if let Some((flow, request)) = bench.sip()
                && request.starts_with("REGISTER ")
            {
                bench.effects.push(Effect::SipSend(flow, request.into_bytes()));
                bench.sip_answer(flow, if good { "200 OK" } else { "403 Forbidden" });
            }
        }
        17 => bench.send(Event::SipFailed(flow, Fault::Closed)),
        18 => bench.send(Event::SipData(flow, b"INVITE sip:x SIP/2.0\r\n\r\n".to_vec())),
        19 => {
            let to = phone().user.parse().expect("a number");
            drop(bench.command(Command::Dial { to, video: false }));
        }
        20 => drop(bench.command(Command::HangUp(call))),
        21 => {
            let ports = (([10, 0, 0, 1], 20_000).into(), ([10, 0, 0, 1], 20_001).into());
            bench.send(Event::Reserved(call, if good { Ok(ports) } else { Err("none".into()) }));
        }
        22 => bench.send(Event::Media(MediaFact::FirstPacket(call))),
        23 => bench.send(Event::Store(StoreTag::Loaded, StoreAnswer::Failed("full".into()))),
        24 => bench.send(Event::Timeout),
        25 | 26 => {
            let fingerprint = format!("network {}", number % 3);
            bench.send(Event::Network(NetworkState {
                online: good || number % 4 == 0,
                fingerprint,
            }));
        }
        27 => {
            bench.now.wall.0 += i64::from(number) * 10_000;
            bench.send(Event::Timeout);
        }
        28 => drop(bench.command(Command::TryAgain)),
        29 => drop(bench.command(Command::Reset)),
        30 => {
            let url = "offhook://provision?ServicesDomain=corp.test".to_owned();
            drop(bench.command(Command::Provision(url.into())));
        }
        31 => {
            let key = format!("k{}", number % 3);
            let question = crate::trust::question(number, "cucm1.example.test", &key);
            bench.send(Event::Trust(Box::new(question)));
        }
        32 => drop(bench.command(Command::AnswerTrust { id: number, accept: good })),
        _ => bench.advance(secs(u64::from(number) * 5)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_breaks_the_core(steps in proptest::collection::vec(step(), 1..80)) {
        let mut bench = Bench::new();
        for step in steps {
            let (before, dropped) = (bench.count(is_sign_in), bench.count(is_cancel));
            take(&mut bench, step);
            // One more may begin for each that is dropped first.
            let dropped = bench.count(is_cancel) - dropped;
            assert!(bench.count(is_sign_in) <= before + 1 + dropped, "two sign-ins at once");
            let snapshot = bench.snapshot();
            let out = snapshot.session.state == SessionState::SignedOut;
            assert!(!out || snapshot.calls.is_empty() && snapshot.chats.is_empty());
            assert!(snapshot.session.step.is_none() || snapshot.session.error.is_none());
        }
        // From every state the way out is short, and then nothing is left to wait for.
        bench.effects.clear();
        bench.command(Command::Quit).expect("always possible");
        bench.advance(secs(2));
        assert_eq!(bench.count(|effect| matches!(effect, Effect::Quit)), 1);
        assert_eq!(bench.core.next_timeout(), None);
    }
}

fn is_sign_in(effect: &Effect) -> bool {
    matches!(effect, Effect::SignIn { .. } | Effect::Discover { .. })
}

fn is_cancel(effect: &Effect) -> bool {
    matches!(effect, Effect::Cancel(_))
}
