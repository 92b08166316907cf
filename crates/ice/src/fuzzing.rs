//! Entry points for fuzzing.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_model::{CandidateKind, Link, Secret};
use offhook_ports::{Helper, IceCandidate, IceCredentials, IcePlan};

use crate::{Agent, Base, Config};

fn at(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port))
}

/// Datagrams to an agent in the middle of its work: a byte says from where, the next how long it is.
/// The first byte of all says what was agreed, and whether the upper half comes
/// from a stream. Nothing is sent in greater number than was received.
pub fn agent(data: &[u8]) {
    #[allow(clippy::disallowed_methods, reason = "an origin for virtual time")]
    let mut now = Instant::now();
    let credentials =
        |name: &str| IceCredentials { fragment: name.to_owned(), password: Secret::from(name) };
    let Some((&what, mut rest)) = data.split_first() else { return };
    let login = Some(("user".to_owned(), Secret::from("word")));
    let helper = |link| Helper { address: at(9, 3_478), link, login: login.clone() };
    let streams = what & 8 != 0;
    let stream = Base { component: 1, address: at(1, 4_000), stream_to: Some(1) };
    let config = Config {
        bases: vec![
            Base { component: 1, address: at(1, 4_000), stream_to: None },
            Base { component: 2, address: at(1, 4_001), stream_to: None },
            stream,
        ],
        helpers: vec![helper(Link::Udp), helper(Link::Tcp)],
        relay_only: false,
        local: credentials("ours"),
        seed: 1,
    };
    let mut agent = Agent::new(config, now);
    let candidate = |component, host| IceCandidate {
        foundation: "1".to_owned(),
        component,
        priority: 1_000 + u32::from(host),
        address: at(host, 5_000),
        kind: CandidateKind::Host,
        related: None,
    };
    let plan = IcePlan {
        local: credentials("ours"),
        remote: credentials("theirs"),
        candidates: vec![candidate(1, 2), candidate(2, 2), candidate(1, 3)],
        lite: what & 2 != 0,
        controlling: what & 4 != 0,
    };
    if what & 1 != 0 {
        agent.begin(&plan, 2, now);
    }
    let (mut sent, mut steps) = (0_usize, 1_usize);
    while let Some((&[from, length], after)) = rest.split_first_chunk::<2>() {
        let (datagram, next) = after.split_at(usize::from(length).min(after.len()));
        rest = next;
        steps += 1;
        now += Duration::from_millis(u64::from(from));
        let source = if from % 2 == 0 { at(9, 3_478) } else { at(from % 4, 5_000) };
        let base = if streams && from >= 128 { 2 } else { usize::from(from % 2) };
        if base == 2 && datagram.is_empty() {
            agent.stream_ended(base, now);
        }
        if let Some(incoming) = agent.receive(base, source, datagram, now) {
            assert!(incoming.start <= incoming.end && incoming.end <= datagram.len());
        }
        if agent.next_timeout().is_some_and(|at| at <= now) {
            agent.handle_timeout(now);
        }
        while agent.poll_parcel().is_some() {
            sent += 1;
        }
        while agent.poll_fact().is_some() {}
    }
    assert!(sent <= steps * 16, "{sent} datagrams for {steps}");
}
