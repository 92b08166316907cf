//! Whatever happens in whatever order: no panic, no timer that stays due, one ear, and an end to
//! everything. A sequence that fails is printed, made as short as it can be; with `PROPTEST_CASES` more
//! are tried.

use offhook_model::{Availability, CallId, CallState, CallWish, Dnd, Forward, Pickup, Presence};
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};

use crate::stage::{FOREIGN, Leg, Stage, bob, sdp, secs};

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
    /// A wish of the person, about these two calls.
    Wish(u8, u32, u32),
    /// The peer answers one of our last requests.
    Respond(u8, u8, bool),
    /// The peer asks something in one of the calls.
    Ask(u8, u8, bool),
    /// Somebody asks something outside every call.
    Stranger(u8),
    LoseFlow,
    OpenFlow,
    /// Another network, or the same after a sleep.
    Move(u8),
    Wait(u64),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    (0_u8..20, 1_u32..5, any::<u8>(), any::<bool>()).prop_map(|(kind, id, number, flag)| match kind
    {
        0 => Step::Dial,
        1 => Step::Ring(flag),
        2 => Step::Ports(id, flag),
        3 => Step::Answer(id),
        4 => Step::Decline(id),
        5 => Step::HangUp(id),
        6 => Step::Hold(id),
        7 => Step::Resume(id),
        8..=11 => Step::Respond(number, u8::try_from(id).unwrap_or(0), flag),
        12 | 13 => Step::Wish(number, id, 1 + u32::from(number) % 4),
        14 | 15 => Step::Ask(number, u8::try_from(id).unwrap_or(0), flag),
        16 => Step::Stranger(number),
        17 if number < 60 => Step::LoseFlow,
        17 if number < 120 => Step::Move(number),
        17 => Step::OpenFlow,
        18 if number < 12 => Step::Stop,
        _ => Step::Wait(u64::from(number)),
    })
}

/// What the peers answer, every class of it.
const STATUSES: &[&str] = &[
    "100 Trying",
    "180 Ringing",
    "183 Progress",
    "200 OK",
    "200 OK",
    "200 OK",
    "202 Accepted",
    "302 Moved",
    "401 Unauthorized",
    "404 Not Found",
    "408 Timeout",
    "422 Too Small",
    "481 Gone",
    "486 Busy Here",
    "488 Not Acceptable",
    "491 Pending",
    "500 Error",
    "503 Away",
    "603 Decline",
];

/// The stage, and the peers' ends of the calls that they made.
struct Scene {
    stage: Stage,
    legs: Vec<Leg>,
}

impl Scene {
    fn take(&mut self, step: &Step) {
        let stage = &mut self.stage;
        let now = stage.now;
        match step {
            Step::Dial => drop(stage.phone.dial(bob(), now)),
            Step::Ring(good) => {
                let offer = if *good { sdp("sendrecv") } else { FOREIGN.to_owned() };
                let leg = stage.invite(&offer);
                self.legs.push(leg);
            }
            Step::Ports(id, true) => stage.give_ports(CallId(*id)),
            Step::Ports(id, false) => stage.phone.reserved(CallId(*id), Err("none".into()), now),
            Step::Answer(id) => drop(stage.phone.answer(CallId(*id), now)),
            Step::Decline(id) => drop(stage.phone.decline(CallId(*id), now)),
            Step::HangUp(id) => drop(stage.phone.hang_up(CallId(*id), now)),
            Step::Hold(id) => drop(stage.phone.hold(CallId(*id), now)),
            Step::Resume(id) => drop(stage.phone.resume(CallId(*id), now)),
            Step::Wish(which, id, other) => self.wish(*which, CallId(*id), CallId(*other)),
            Step::Respond(number, back, good) => self.respond(*number, *back, *good),
            Step::Ask(what, leg, good) => self.ask(*what, *leg, *good),
            Step::Stranger(what) => self.stranger(*what),
            Step::LoseFlow => stage.lose_flow(),
            Step::OpenFlow => stage.open(),
            Step::Move(where_to) => {
                stage.home = [10, 0, where_to % 3, 1];
                stage.phone.network_changed(now);
            }
            Step::Wait(seconds) => stage.advance(secs(*seconds)),
            Step::Stop => stage.phone.stop(now),
        }
        self.stage.drain();
    }

    fn wish(&mut self, which: u8, id: CallId, other: CallId) {
        let stage = &mut self.stage;
        let asked = stage.phone.state().asked.first().map_or(0, |asked| asked.id);
        let wish = match which % 14 {
            0 => CallWish::Transfer { id, to: bob() },
            1 => CallWish::Connect { id, other },
            2 => CallWish::Merge { id, other },
            3 => CallWish::Expel { id, participant: "1".into() },
            4 => CallWish::Park(id),
            5 => CallWish::Divert(id),
            6 => CallWish::Pickup(Pickup::Group),
            7 => CallWish::Forward(Some(Forward::To(bob()))),
            8 => CallWish::Forward(None),
            9 => CallWish::DoNotDisturb((which & 1 == 0).then_some(Dnd::Reject)),
            10 => CallWish::Redial,
            11 => CallWish::Watch(vec![bob()]),
            12 => CallWish::AnswerReferral { id: asked, accept: which & 16 == 0 },
            _ => {
                let presence = Presence { availability: Availability::Away, ..Presence::default() };
                return stage.phone.show_presence(Some(presence), stage.now);
            }
        };
        drop(stage.phone.wish(wish, stage.now));
        drop(stage.phone.dtmf(id, "1", stage.now));
        drop(stage.phone.mute(other, which & 1 == 0));
    }

    fn respond(&mut self, number: u8, back: u8, good: bool) {
        let requests: Vec<String> = self
            .stage
            .sent
            .iter()
            .rev()
            .filter(|message| !message.starts_with("SIP/2.0") && !message.starts_with("ACK"))
            .take(usize::from(back))
            .cloned()
            .collect();
        let Some(request) = requests.last() else { return };
        let status = STATUSES[usize::from(number) % STATUSES.len()];
        let content = if good { sdp("sendrecv") } else { String::new() };
        let more = if number & 32 == 0 { "" } else { "Allow: INVITE, UPDATE\r\n" };
        self.stage.respond(request, status, more, &content);
    }

    fn ask(&mut self, what: u8, leg: u8, good: bool) {
        let count = self.legs.len().max(1);
        let Some(leg) = self.legs.get_mut(usize::from(leg) % count) else { return };
        // The phone's tag, once it has said it.
        let said = self.stage.sent.iter().rev().find(|it| it.starts_with("SIP/2.0 180"));
        if let Some(said) = said {
            leg.theirs = crate::stage::header(said, "To").to_owned();
        }
        let body = if good { sdp("sendonly") } else { String::new() };
        match what % 8 {
            0 => self.stage.request(leg, "BYE", "", ""),
            1 => self.stage.request(leg, "CANCEL", "", ""),
            2 | 3 => self.stage.request(leg, "INVITE", "", &body),
            4 => self.stage.request(leg, "ACK", "", &body),
            5 => self.stage.request(leg, "REFER", "Refer-To: <sip:carol@example.test>\r\n", ""),
            6 => self.stage.request(leg, "UPDATE", "", &body),
            _ => self.stage.request(leg, "INFO", "", ""),
        }
    }

    fn stranger(&mut self, what: u8) {
        let (method, more) = match what % 5 {
            0 | 1 => ("REFER", "Refer-To: <sip:2002@example.test>\r\n"),
            2 => ("NOTIFY", "Event: message-summary\r\nSubscription-State: active\r\n"),
            3 => ("OPTIONS", ""),
            _ => ("INVITE", "Answer-Mode: Auto;require\r\n"),
        };
        self.stage.server_asks(method, more, "");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_breaks_the_phone(steps in proptest::collection::vec(step(), 1..80)) {
        let mut scene = Scene { stage: Stage::registered(), legs: vec![] };
        scene.stage.ports_at_once = false;
        for step in &steps {
            scene.take(step);
            let stage = &scene.stage;
            let calls = stage.phone.calls();
            let sounding = calls
                .iter()
                .filter(|call| call.end.is_none() && stage.sound(call.id).0)
                .filter(|call| call.state != CallState::Early && call.conference.is_none())
                .count();
            assert!(sounding <= 1, "{calls:#?}");
            assert!(calls.iter().all(|call| (call.state == CallState::Ended) == call.end.is_some()));
        }
        // What the person ends is over, whatever the peers say or do not say.
        let stage = &mut scene.stage;
        for call in stage.phone.calls() {
            drop(stage.phone.hang_up(call.id, stage.now));
        }
        stage.drain();
        // Everything ends: no timer may stay due for ever.
        stage.phone.stop(stage.now);
        stage.drain();
        stage.advance(secs(300));
        assert!(stage.phone.calls().is_empty());
        assert_eq!(stage.phone.next_timeout(), None, "a timer is left");
        let ended = stage.records.len();
        assert_eq!(ended, stage.released.len(), "each call is recorded and released once");
    }
}

/// Found by the test above: presence that was to be renewed stayed due for ever.
#[test]
fn what_is_no_longer_published_is_not_due() {
    let mut scene = Scene { stage: Stage::registered(), legs: vec![] };
    scene.stage.ports_at_once = false;
    let steps = [
        Step::Wish(69, 1, 2),
        Step::Dial,
        Step::Move(60),
        Step::OpenFlow,
        Step::Stop,
        Step::Respond(60, 2, false),
    ];
    for step in &steps {
        scene.take(step);
    }
    scene.stage.advance(secs(300));
    assert_eq!(scene.stage.phone.next_timeout(), None);
}
