//! Operations on dialogs in any order: two phones that are told what to do by bytes, on a wire that
//! loses, doubles and delays. Whatever happens, nothing panics, every call ends once, and nothing
//! is left in the end.

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use offhook_model::{DialString, Fault, Link};
use offhook_ports::FlowId;
use offhook_sip::{Event, Output, ReferTarget, SipCall, UserAgent};
use offhook_testkit::corpus::replay;
use proptest::prelude::{any, prop, proptest};
use proptest::test_runner::Config;
use support::talk::ANSWER;
use support::{SDP, account, first_line, header, response, secs, start_of_time};

struct Side {
    ua: UserAgent,
    flow: Option<FlowId>,
    calls: Vec<SipCall>,
    ended: BTreeSet<SipCall>,
    /// What waits for a decision.
    offers: BTreeMap<SipCall, ()>,
    stopped: bool,
}

struct Wire {
    now: Instant,
    sides: [Side; 2],
    /// To which side, what.
    messages: VecDeque<(usize, String)>,
    events: usize,
}

impl Wire {
    fn new(link: Link) -> Self {
        let side = |user: &str, seed| Side {
            ua: UserAgent::new(account(user, link), "Test".into(), seed),
            flow: None,
            calls: vec![],
            ended: BTreeSet::new(),
            offers: BTreeMap::new(),
            stopped: false,
        };
        let sides = [side("alice", 1), side("bob", 2)];
        let mut wire = Self { now: start_of_time(), sides, messages: VecDeque::new(), events: 0 };
        for side in 0..2 {
            let now = wire.now;
            wire.sides[side].ua.start(now);
        }
        wire.drain();
        wire
    }

    fn drain(&mut self) {
        for index in 0..2 {
            while let Some(output) = self.sides[index].ua.poll() {
                let now = self.now;
                let side = &mut self.sides[index];
                match output {
                    Output::Open { flow, .. } => {
                        side.flow = Some(flow);
                        let local = ([10, 0, 0, 1 + index as u8], 40_000).into();
                        side.ua.flow_opened(flow, local, ([10, 0, 0, 9], 5060).into(), now);
                    }
                    Output::Send { bytes, .. } => {
                        let text = String::from_utf8(bytes).expect("text");
                        self.send(index, text);
                    }
                    Output::Close { .. } => side.flow = None,
                    Output::Event(event) => self.event(index, event),
                    Output::Stopped => side.stopped = true,
                }
            }
        }
    }

    fn send(&mut self, from: usize, text: String) {
        if text.starts_with("REGISTER") {
            let contact = header(&text, "Contact").expect("contact").to_owned();
            let expires = header(&text, "Expires").unwrap_or("3600").to_owned();
            let more = format!("Contact: {contact};expires={expires}\r\n");
            self.messages.push_back((from, response(&text, "200 OK", "r", &more, "")));
        } else if !text.trim().is_empty() && self.messages.len() < 500 {
            self.messages.push_back((1 - from, text));
        }
    }

    fn event(&mut self, index: usize, event: Event) {
        self.events += 1;
        let side = &mut self.sides[index];
        let text = format!("{event:?}");
        let living = |side: &Side, call: &SipCall| {
            assert!(!side.ended.contains(call), "after the end: {text}");
        };
        match event {
            Event::Incoming { call, .. } => side.calls.push(call),
            Event::Ended { call, .. } => assert!(side.ended.insert(call), "ended twice: {call:?}"),
            Event::Offer { call, .. } => {
                living(side, &call);
                side.offers.insert(call, ());
            }
            Event::Progress { call, .. }
            | Event::Answered { call, .. }
            | Event::Confirmed { call, .. }
            | Event::OfferAnswered { call, .. }
            | Event::OfferRefused { call, .. }
            | Event::RemoteIdentity { call, .. }
            | Event::CallInfo { call, .. }
            | Event::Roster { call, .. }
            | Event::Digit { call, .. } => living(side, &call),
            _ => {}
        }
    }

    fn deliver(&mut self, twice: bool) {
        let Some((to, text)) = self.messages.pop_front() else { return };
        let now = self.now;
        for _ in 0..=usize::from(twice) {
            if let Some(flow) = self.sides[to].flow {
                self.sides[to].ua.receive(flow, text.as_bytes(), now);
            }
            self.drain();
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            let next = self.sides.iter().filter_map(|side| side.ua.next_timeout()).min();
            let Some(at) = next.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            for index in 0..2 {
                let now = self.now;
                self.sides[index].ua.handle_timeout(now);
            }
            self.drain();
        }
        panic!("the phones never rest");
    }

    fn operate(&mut self, operation: u8, index: usize, which: usize) {
        let now = self.now;
        let side = &mut self.sides[index];
        let call = side.calls.get(which % side.calls.len().max(1)).copied();
        let call = call.unwrap_or(SipCall(99));
        let other = side.calls.last().copied().unwrap_or(SipCall(98));
        let number = DialString::Number(if index == 0 { "bob" } else { "alice" }.into());
        let ua = &mut side.ua;
        match operation {
            0 | 1 => {
                let call = ua.invite(&number, SDP.into(), now);
                side.calls.push(call);
            }
            2 => ua.ring(call, now),
            3 | 4 => ua.answer(call, ANSWER.into(), now),
            5 => ua.early_media(call, ANSWER.into(), now),
            6 => ua.reject(call, 486, now),
            7 => ua.hang_up(call, now),
            8 | 9 => ua.reinvite(call, SDP.into(), now),
            10 => ua.accept_offer(call, ANSWER.into(), now),
            11 => ua.refuse_offer(call, 488, now),
            12 => ua.transfer(call, &ReferTarget::Number(number), now),
            13 => ua.transfer(call, &ReferTarget::Call(other), now),
            14 => {
                let made = ua.follow(call, SDP.into(), now);
                side.calls.extend(made);
            }
            15 => ua.refuse_referral(call, 603, now),
            16 => ua.info_digit(call, '5', now),
            17 => ua.network_changed(now),
            18 => ua.redirect(call, &number, now),
            _ => {
                if let Some(flow) = side.flow.take() {
                    ua.flow_failed(flow, Fault::Closed, now);
                }
            }
        }
        self.drain();
    }
}

/// The first byte chooses the link; then two bytes a step: what is done, and by and to whom.
fn operate(data: &[u8]) {
    let Some((link, steps)) = data.split_first() else { return };
    let mut wire = Wire::new(if link % 2 == 0 { Link::Udp } else { Link::Tcp });
    for step in steps.chunks_exact(2).take(200) {
        match step[0] {
            0..=95 => {
                wire.operate(step[0] % 20, usize::from(step[1] & 1), usize::from(step[1] >> 1))
            }
            96..=191 => (0..=step[1] % 8).for_each(|_| wire.deliver(false)),
            192..=207 => wire.deliver(true),
            208..=223 => {
                wire.messages.pop_front();
            }
            224..=239 => wire.pass(Duration::from_millis(u64::from(step[1]) * 20)),
            240..=253 => wire.pass(secs(u64::from(step[1]))),
            _ => {
                let message = wire.messages.pop_front();
                wire.messages.extend(message);
            }
        }
    }
    settle(&mut wire);
}

/// Everything is delivered, everybody hangs up, and nothing may be left.
fn settle(wire: &mut Wire) {
    for _ in 0..50 {
        (0..100).for_each(|_| wire.deliver(false));
        wire.pass(secs(1));
    }
    let now = wire.now;
    for side in &mut wire.sides {
        for call in side.calls.clone() {
            side.ua.hang_up(call, now);
        }
    }
    wire.drain();
    for _ in 0..400 {
        (0..100).for_each(|_| wire.deliver(false));
        wire.pass(secs(1));
    }
    for (index, side) in wire.sides.iter_mut().enumerate() {
        let left: Vec<_> = side.calls.iter().filter(|call| !side.ended.contains(call)).collect();
        assert!(left.is_empty(), "side {index} still has {left:?}");
    }
    let now = wire.now;
    wire.sides.iter_mut().for_each(|side| side.ua.stop(now));
    wire.drain();
    wire.pass(secs(3));
    assert!(wire.sides.iter().all(|side| side.stopped));
}

#[test]
fn an_ordinary_evening_of_two_phones_is_lived_through() {
    // Alice calls, Bob rings and answers, Alice holds, Bob accepts, transfers, Alice follows.
    let mut wire = Wire::new(Link::Tcp);
    let steps: [(u8, usize); 9] =
        [(0, 0), (2, 1), (3, 1), (8, 0), (10, 1), (12, 1), (14, 0), (2, 1), (7, 0)];
    for (operation, side) in steps {
        (0..20).for_each(|_| wire.deliver(false));
        wire.operate(operation, side, 0);
    }
    assert!(wire.events > 8, "{}", wire.events);
    assert!(wire.messages.iter().all(|(_, text)| !first_line(text).is_empty()));
    settle(&mut wire);
}

#[test]
fn operations_in_the_corpus_and_mutations_of_it_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/two");
    assert!(replay(&folder, 300, 0x5eed, operate) > 0);
}

proptest! {
    #![proptest_config(Config { cases: 150, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_operations_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        operate(&bytes);
    }
}
