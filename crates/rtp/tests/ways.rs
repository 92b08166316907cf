//! ICE in offer and answer (RFC 8839).

use std::net::SocketAddr;
use std::time::Duration;

use offhook_model::{AudioCodec, CandidateKind, Secret};
use offhook_ports::IceCandidate;
use offhook_rtp::sdp::{Encryption, LocalIce, LocalMedia, Negotiator, ice_credentials, offers_ice};

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn candidate(component: u8, kind: CandidateKind, address: &str) -> IceCandidate {
    IceCandidate {
        foundation: "1".to_owned(),
        component,
        priority: if kind == CandidateKind::Host { 2_130_706_431 } else { 16_777_215 },
        address: at(address),
        kind,
        related: (kind != CandidateKind::Host).then(|| at("10.0.0.1:4000")),
    }
}

fn side(secret: u8, address: &str) -> Negotiator {
    let host = at(address);
    let rtcp = format!("{}:{}", host.ip(), host.port() + 1);
    let candidates = vec![
        candidate(1, CandidateKind::Host, address),
        candidate(2, CandidateKind::Host, &rtcp),
        candidate(1, CandidateKind::Relayed, "203.0.113.9:33000"),
        candidate(2, CandidateKind::Relayed, "203.0.113.9:33107"),
    ];
    let secret = Secret::new([secret; 32]);
    let local = LocalMedia {
        address: host.ip(),
        rtp_port: host.port(),
        rtcp_port: host.port() + 1,
        codecs: AudioCodec::ALL.to_vec(),
        quiet: false,
        packet_time: Duration::from_millis(20),
        redundancy: false,
        dscp: 46,
        cname: "name".to_owned(),
        hold: false,
        encryption: Encryption::Accepted,
        secret: secret.clone(),
        ice: Some(LocalIce { secret, candidates }),
    };
    Negotiator::new(1, local)
}

#[test]
fn two_of_ours_agree_on_ways_and_who_chooses() {
    let (mut ours, mut theirs) = (side(1, "192.0.2.1:4000"), side(2, "192.0.2.2:5000"));
    let offer = ours.offer();
    assert!(offer.contains("c=IN IP4 203.0.113.9\r\n"), "the relay is the one named: {offer}");
    assert!(offer.contains("m=audio 33000 "), "{offer}");
    assert!(offer.contains("a=rtcp:33107\r\n"), "{offer}");
    assert!(!offer.contains("o=- 1 1 IN IP4 192.0.2.1"), "{offer}");
    let (answer, there) = theirs.answer(&offer).expect("an answer");
    assert_eq!(answer.matches("a=candidate:").count(), 2, "one component with rtcp-mux: {answer}");
    let here = ours.accept_answer(&answer).expect("a plan");
    let (here, there) = (here.ice.expect("ways"), there.ice.expect("ways"));
    assert!(here.controlling && !there.controlling);
    assert_eq!((&here.local, &here.remote), (&there.remote, &there.local));
    assert_eq!(there.candidates.len(), 4);
    assert_eq!(here.local, ice_credentials(&Secret::new([1; 32]), 0));
    // Hold changes none of it.
    ours.set_hold(true);
    let (answer, again) = theirs.answer(&ours.offer()).expect("an answer");
    assert_eq!(again.ice.as_ref().map(|it| &it.remote), Some(&there.remote));
    assert_eq!(ours.accept_answer(&answer).expect("a plan").ice, Some(here));
}

#[test]
fn a_restart_of_theirs_gets_new_credentials_of_ours() {
    let (mut ours, mut theirs) = (side(1, "192.0.2.1:4000"), side(2, "192.0.2.2:5000"));
    let (_, first) = theirs.answer(&ours.offer()).expect("an answer");
    let first = first.ice.expect("ways");
    let secret = Secret::new([9; 32]);
    let candidates = vec![candidate(1, CandidateKind::Host, "192.0.2.7:4000")];
    ours.move_to(at("192.0.2.7:4000"), 4_001, Some(LocalIce { secret, candidates }));
    let offer = ours.offer();
    let (answer, second) = theirs.answer(&offer).expect("an answer");
    let second = second.ice.expect("ways");
    assert_ne!(second.remote, first.remote);
    assert_ne!(second.local, first.local, "both begin anew");
    assert!(!second.controlling);
    assert!(ours.accept_answer(&answer).expect("a plan").ice.expect("ways").controlling);
}

const PLAIN: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                     m=audio 6000 RTP/AVP 0\r\n";

fn with_ice(more: &str) -> String {
    format!("{PLAIN}a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n{more}")
}

#[test]
fn who_knows_nothing_of_it_is_not_bothered() {
    let mut ours = side(1, "192.0.2.1:4000");
    assert!(!offers_ice(PLAIN));
    let (answer, plan) = ours.answer(PLAIN).expect("an answer");
    assert_eq!(plan.ice, None);
    assert!(!answer.contains("candidate") && !answer.contains("ice-"), "{answer}");
}

#[test]
fn addresses_changed_on_the_way_are_a_mismatch() {
    let mut ours = side(1, "192.0.2.1:4000");
    let offer = with_ice("a=candidate:1 1 UDP 2130706431 10.0.0.9 6000 typ host\r\n");
    assert!(offers_ice(&offer));
    let (answer, plan) = ours.answer(&offer).expect("an answer");
    assert_eq!(plan.ice, None);
    assert!(answer.contains("a=ice-mismatch\r\n") && !answer.contains("candidate"), "{answer}");
    // Theirs says the same of ours.
    ours.offer();
    let answer =
        with_ice("a=candidate:1 1 UDP 2130706431 192.0.2.9 6000 typ host\r\na=ice-mismatch\r\n");
    assert_eq!(ours.accept_answer(&answer).expect("a plan").ice, None);
}

#[test]
fn odd_candidates_are_passed_over() {
    let mut ours = side(1, "192.0.2.1:4000");
    let offer = with_ice(
        "a=candidate:1 1 UDP 2130706431 192.0.2.9 6000 typ host generation 0 network-id 1\r\n\
         a=candidate:2 1 tcp 2130706431 192.0.2.9 9 typ host tcptype active\r\n\
         a=candidate:3 1 UDP 2130706431 4f2c.local 6000 typ host\r\n\
         a=candidate:4 3 UDP 2130706431 192.0.2.9 6000 typ host\r\n\
         a=candidate:5 1 UDP 99999999999 192.0.2.9 6000 typ host\r\n\
         a=candidate:6 1 UDP 5 0.0.0.0 6000 typ host\r\n\
         a=candidate:7 1 udp 1694498815 198.51.100.9 6004 typ srflx raddr 192.0.2.9 rport 6000\r\n\
         a=candidate\r\na=candidate:8\r\n",
    );
    let (_, plan) = ours.answer(&offer).expect("an answer");
    let found = plan.ice.expect("ways").candidates;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1].related, Some(at("192.0.2.9:6000")));
}

#[test]
fn a_lite_peer_lets_us_choose() {
    let mut ours = side(1, "192.0.2.1:4000");
    let lines = "a=candidate:1 1 UDP 2130706431 192.0.2.9 6000 typ host\r\n";
    let offer = with_ice(lines).replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    let (_, plan) = ours.answer(&offer).expect("an answer");
    assert!(plan.ice.expect("ways").lite);
}

#[test]
fn short_or_odd_credentials_are_none() {
    let text = with_ice("").replace("abcd", "abc");
    assert!(!offers_ice(&text));
    let text = with_ice("").replace("0123456789abcdefghijkl", "0123456789");
    assert!(!offers_ice(&text));
    let text = with_ice("").replace("abcd", "ab<d");
    assert!(!offers_ice(&text));
}
