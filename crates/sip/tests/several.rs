//! Several servers: the one that stands by, fail-over, the way back, and gateways that stand in.

mod support;

use std::time::Duration;

use offhook_model::{DialString, Fault, Link};
use offhook_ports::{FlowId, PhoneAccount, PhoneUpkeep};
use offhook_sip::{Event, Output, UserAgent};
use support::{SDP, account, cucm_account, first_line, header, response, secs, server};

/// A phone and up to three servers that are played by hand: what each is sent stands in `said`.
struct Stage {
    ua: UserAgent,
    now: std::time::Instant,
    flows: Vec<(FlowId, u8)>,
    /// Servers, by the last byte of their address, that are down: connections are refused.
    down: Vec<u8>,
    /// Servers that take connections and say nothing.
    mute: Vec<u8>,
    /// REGISTER is refused like this.
    refusal: Option<(u8, &'static str, &'static str)>,
    said: Vec<(u8, String)>,
    events: Vec<Event>,
}

impl Stage {
    fn new(account: PhoneAccount) -> Self {
        Self {
            ua: UserAgent::new(account, "Offhook-Test".into(), 7),
            now: support::start_of_time(),
            flows: vec![],
            down: vec![],
            mute: vec![],
            refusal: None,
            said: vec![],
            events: vec![],
        }
    }

    fn of_cluster() -> Self {
        let mut stage = Self::new(cluster());
        stage.start();
        stage
    }

    fn start(&mut self) {
        self.ua.start(self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.ua.poll() {
            match output {
                Output::Open { flow, server, .. } => {
                    let n = server.host.rsplit('.').next().and_then(|n| n.parse().ok()).expect("n");
                    if self.down.contains(&n) {
                        self.ua.flow_failed(flow, Fault::PortRefused, self.now);
                        continue;
                    }
                    self.flows.push((flow, n));
                    let local = format!("10.0.0.1:4{n:04}").parse().expect("address");
                    let remote = format!("10.0.0.{n}:5060").parse().expect("address");
                    self.ua.flow_opened(flow, local, remote, self.now);
                }
                Output::Send { flow, bytes } => {
                    self.served(flow, String::from_utf8(bytes).expect("text"))
                }
                Output::Close { flow } => self.flows.retain(|(open, _)| *open != flow),
                Output::Event(event) => self.events.push(event),
                Output::Stopped => {}
            }
        }
    }

    fn served(&mut self, flow: FlowId, text: String) {
        let (_, n) = *self.flows.iter().find(|(open, _)| *open == flow).expect("an open flow");
        self.said.push((n, text.clone()));
        if self.mute.contains(&n) || text.starts_with("SIP/2.0") || text.trim().is_empty() {
            return;
        }
        let answer = match self.refusal {
            Some((at, status, more)) if at == n && is_register(&text) => {
                response(&text, status, "s", more, "")
            }
            _ => response(&text, "200 OK", "s", "Expires: 120\r\n", ""),
        };
        self.ua.receive(flow, answer.as_bytes(), self.now);
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            let Some(at) = self.ua.next_timeout().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            self.ua.handle_timeout(self.now);
            self.settle();
        }
        panic!("the user agent never rests");
    }

    /// The server goes away with its connections.
    fn kill(&mut self, n: u8) {
        self.down.push(n);
        let gone: Vec<FlowId> =
            self.flows.iter().filter(|(_, at)| *at == n).map(|(flow, _)| *flow).collect();
        self.flows.retain(|(_, at)| *at != n);
        for flow in gone {
            self.ua.flow_failed(flow, Fault::Closed, self.now);
        }
        self.settle();
    }

    fn revive(&mut self, n: u8) {
        self.down.retain(|at| *at != n);
    }

    /// Who was registered with, in order, and whether reduced.
    fn registrations(&mut self) -> Vec<(String, bool)> {
        let registered = |event: Event| match event {
            Event::Registered { server, reduced, .. } => Some((server.host, reduced)),
            _ => None,
        };
        std::mem::take(&mut self.events).into_iter().filter_map(registered).collect()
    }

    fn count(&self, n: u8, what: impl Fn(&str) -> bool) -> usize {
        self.said.iter().filter(|(at, text)| *at == n && what(text)).count()
    }
}

fn is_keep_alive(text: &str) -> bool {
    text.starts_with("REGISTER") && text.contains(";expires=0;cisco-keep-alive\r\n")
}

fn is_register(text: &str) -> bool {
    text.starts_with("REGISTER") && !is_keep_alive(text)
}

fn cluster() -> PhoneAccount {
    let servers = vec![server(7, Link::Tcp), server(8, Link::Tcp)];
    let upkeep = PhoneUpkeep { stand_ins: vec![server(9, Link::Tcp)], ..PhoneUpkeep::default() };
    PhoneAccount { servers, upkeep, ..cucm_account() }
}

#[test]
fn the_server_that_stands_by_is_asked_and_nothing_is_bound_there() {
    let mut stage = Stage::of_cluster();
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)]);
    stage.run(secs(250));
    assert_eq!(stage.count(8, is_keep_alive), 3, "at once, at 120 s and at 240 s");
    assert_eq!(stage.count(8, is_register) + stage.count(9, |_| true), 0);
    let (_, keep_alive) = stage.said.iter().find(|(_, text)| is_keep_alive(text)).expect("one");
    assert_eq!(first_line(keep_alive), "REGISTER sip:10.0.0.8 SIP/2.0");
    assert_eq!(header(keep_alive, "Expires"), Some("0"));
    assert_eq!(header(keep_alive, "Content-Length"), Some("0"));
    assert!(stage.registrations().is_empty(), "the registration is where it was");
}

#[test]
fn a_lost_node_is_replaced_at_once_over_the_connection_that_stands_by() {
    let mut stage = Stage::of_cluster();
    stage.run(secs(30));
    let connections = stage.flows.clone();
    stage.events.clear();
    stage.kill(7);
    assert_eq!(stage.registrations(), [("10.0.0.8".into(), false)], "without any time passing");
    assert!(stage.flows.contains(&connections[1]), "the connection that was open");
    assert!(stage.ua.is_registered());
}

#[test]
fn the_phone_goes_back_when_the_better_node_has_answered_for_long_enough() {
    let mut stage = Stage::of_cluster();
    stage.run(secs(30));
    stage.kill(7);
    stage.run(secs(300));
    stage.registrations();
    stage.revive(7);
    stage.run(secs(100));
    assert!(stage.registrations().is_empty(), "not before two minutes of answers");
    stage.run(secs(60));
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)]);
    assert_eq!(stage.flows.iter().filter(|(_, n)| *n == 7).count(), 1);
    stage.run(secs(10));
    assert_eq!(stage.flows.len(), 2, "one in use and one that stands by: {:?}", stage.flows);
}

#[test]
fn a_node_that_comes_and_goes_is_not_gone_back_to() {
    let mut stage = Stage::of_cluster();
    stage.kill(7);
    for _ in 0..5 {
        stage.revive(7);
        stage.run(secs(100));
        stage.kill(7);
        stage.run(secs(40));
    }
    stage.revive(7);
    stage.registrations();
    stage.run(secs(100));
    assert!(stage.registrations().is_empty());
}

#[test]
fn nobody_goes_back_while_a_call_goes_on() {
    let mut stage = Stage::of_cluster();
    stage.kill(7);
    stage.run(secs(10));
    stage.revive(7);
    // It is answered by 200 like everything, so the call is up.
    let call = stage.ua.invite(&DialString::Number("2002".into()), SDP.into(), stage.now);
    stage.settle();
    stage.registrations();
    stage.run(secs(600));
    assert!(stage.registrations().is_empty());
    stage.ua.hang_up(call, stage.now);
    stage.settle();
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)]);
}

#[test]
fn a_call_outlives_its_node_and_the_next_one_is_not_asked_about_it() {
    let mut stage = Stage::of_cluster();
    let call = stage.ua.invite(&DialString::Number("2002".into()), SDP.into(), stage.now);
    stage.settle();
    stage.run(secs(5));
    stage.events.clear();
    stage.kill(7);
    stage.run(secs(20));
    let ended = stage.events.iter().any(|event| matches!(event, Event::Ended { .. }));
    assert!(!ended && stage.ua.is_registered());
    assert_eq!(stage.count(8, |text| text.starts_with("UPDATE") || text.starts_with("INVITE")), 0);
    stage.ua.hang_up(call, stage.now);
    stage.settle();
    assert!(stage.events.iter().any(|event| matches!(event, Event::Ended { .. })));
}

#[test]
fn a_silent_node_is_left_after_eight_seconds_and_a_patient_phone_waits_longer() {
    for (patient, seconds) in [(false, 124), (true, 148)] {
        let mut account = cluster();
        account.upkeep.patient = patient;
        let mut stage = Stage::new(account);
        stage.start();
        stage.mute.push(7);
        stage.registrations();
        // The refresh goes out at 115 s.
        stage.run(secs(seconds - 2));
        assert!(stage.registrations().is_empty(), "patient: {patient}");
        stage.run(secs(2));
        assert_eq!(stage.registrations(), [("10.0.0.8".into(), false)], "patient: {patient}");
    }
}

#[test]
fn a_gateway_stands_in_for_all_call_managers() {
    let mut stage = Stage::new(cluster());
    stage.down = vec![7, 8];
    stage.start();
    assert_eq!(stage.registrations(), [("10.0.0.9".into(), true)]);
    stage.revive(8);
    stage.run(secs(200));
    assert_eq!(stage.registrations(), [("10.0.0.8".into(), false)]);
    stage.revive(7);
    stage.run(secs(200));
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)], "and on to the best");
}

#[test]
fn a_throttling_node_is_passed_over() {
    let mut stage = Stage::new(cluster());
    stage.refusal = Some((7, "503 Service Unavailable", "Retry-After: 300\r\n"));
    stage.start();
    assert_eq!(stage.registrations(), [("10.0.0.8".into(), false)]);
}

#[test]
fn a_standby_that_refuses_leads_on() {
    let mut stage = Stage::of_cluster();
    stage.run(secs(10));
    stage.registrations();
    stage.refusal = Some((8, "503 Service Unavailable", ""));
    stage.kill(7);
    stage.run(secs(2));
    assert_eq!(stage.registrations(), [("10.0.0.9".into(), true)]);
}

#[test]
fn what_a_standby_asks_is_not_done() {
    let mut stage = Stage::of_cluster();
    stage.run(secs(1));
    let (flow, _) = *stage.flows.iter().find(|(_, n)| *n == 8).expect("open");
    stage.events.clear();
    stage.said.clear();
    for (method, more) in [("INVITE", ""), ("NOTIFY", "Event: check-sync\r\n")] {
        let text = format!(
            "{method} sip:guid-1@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.8;branch=z9hG4bK{method}\r\n\
             From: <sip:x@10.0.0.8>;tag=1\r\nTo: <sip:2001@10.0.0.8>\r\nCall-ID: {method}\r\n\
             CSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        stage.ua.receive(flow, text.as_bytes(), stage.now);
        stage.settle();
    }
    assert!(stage.events.is_empty() && stage.said.is_empty());
}

#[test]
fn another_network_is_registered_on_within_three_seconds() {
    let mut stage = Stage::of_cluster();
    stage.run(secs(50));
    stage.registrations();
    stage.ua.network_changed(stage.now);
    stage.settle();
    stage.run(secs(3));
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)]);
    assert_eq!(stage.flows.len(), 2, "both connections are new");
}

#[test]
fn a_sleep_that_was_not_noticed_ends_with_a_new_connection() {
    let mut stage = Stage::of_cluster();
    let before = stage.flows.clone();
    stage.registrations();
    stage.now += secs(3600);
    stage.ua.handle_timeout(stage.now);
    stage.settle();
    stage.run(secs(3));
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)]);
    assert!(stage.flows.iter().all(|flow| !before.contains(flow)));
}

#[test]
fn a_standard_account_finds_its_way_back_by_options() {
    let servers = vec![server(7, Link::Tcp), server(8, Link::Tcp)];
    let mut stage = Stage::new(PhoneAccount { servers, ..account("alice", Link::Tcp) });
    stage.down.push(7);
    stage.start();
    assert_eq!(stage.registrations(), [("10.0.0.8".into(), false)]);
    stage.revive(7);
    stage.run(secs(200));
    assert_eq!(stage.registrations(), [("10.0.0.7".into(), false)]);
    assert!(stage.count(7, |text| text.starts_with("OPTIONS sip:10.0.0.7:5060")) >= 2);
    let left = |text: &str| is_register(text) && header(text, "Expires") == Some("0");
    assert_eq!(stage.count(8, left), 1, "the other registrar is told");
    let asked = stage.said.len();
    stage.run(secs(60));
    let more: Vec<_> = stage.said[asked..].iter().filter(|(n, _)| *n == 8).collect();
    assert!(more.is_empty(), "all is well, nobody else is bothered: {more:?}");
}

#[test]
fn another_client_is_asked_about_and_then_pushed_out() {
    let other = "Warning: 399 cucm \"Registration is active for another client\"\r\n";
    let mut stage = Stage::new(cluster());
    stage.refusal = Some((7, "403 Forbidden", other));
    stage.start();
    stage.run(secs(600));
    assert!(!stage.ua.is_registered() && stage.count(8, |_| true) == 0, "nobody else is tried");
    let told = stage.events.iter().any(|event| {
        matches!(event, Event::Elsewhere { text, .. } if text == "Registration is active for another client")
    });
    assert!(told);
    let (_, first) = stage.said[0].clone();
    stage.refusal = None;
    stage.said.clear();
    stage.ua.take_over(stage.now);
    stage.settle();
    assert!(stage.ua.is_registered());
    let (_, forced) = stage.said[0].clone();
    let instance = |text: &str| support::between(text, "urn:uuid:", '>').to_owned();
    assert_eq!(instance(&first), "00000000-0000-0000-0000-000000000000");
    let taken = instance(&forced);
    assert!(taken.len() == 36 && taken != instance(&first), "{taken}");
    let reason = header(&forced, "Reason").expect("reason");
    assert!(reason.contains("cisco-alarm:111") && reason.contains("Application-Requested-Destroy"));
    assert_eq!(header(&forced, "Call-ID"), header(&first, "Call-ID"));
    assert_eq!(header(&forced, "CSeq"), Some("102 REGISTER"));
    // The next one takes nothing from anybody.
    stage.said.clear();
    stage.ua.network_changed(stage.now);
    stage.settle();
    assert_eq!(instance(&stage.said[0].1), instance(&first));
}
