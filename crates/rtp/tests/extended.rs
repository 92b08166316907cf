//! Extended reports (RFC 3611) and redundant packets (RFC 2198) agreed by descriptions, reports that
//! carry them, and sources that collide; in virtual time.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use offhook_model::{AudioCodec, Secret};
use offhook_ports::{ExtendedReports, MediaPlan};
use offhook_rtp::sdp::Encryption;
use offhook_rtp::xr::VoipMetrics;
use offhook_rtp::{Collisions, LocalMedia, Negotiator, NtpTime, ReceiveState, Reporter, SendState};

const BOTH: ExtendedReports = ExtendedReports { round_trip: true, voip: true };

#[allow(clippy::disallowed_methods, reason = "an origin for virtual time; never compared with it")]
fn start() -> Instant {
    Instant::now()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn negotiator(redundancy: bool) -> Negotiator {
    let local = LocalMedia {
        address: Ipv4Addr::LOCALHOST.into(),
        rtp_port: 4_000,
        rtcp_port: 4_001,
        codecs: AudioCodec::ALL.to_vec(),
        quiet: false,
        packet_time: ms(20),
        redundancy,
        dscp: 46,
        cname: "c".to_owned(),
        hold: false,
        encryption: Encryption::Accepted,
        secret: Secret::new([7; 32]),
        ice: None,
    };
    Negotiator::new(1, local)
}

/// The plans of who calls and of who is called.
fn plans(caller: bool, called: bool) -> (MediaPlan, MediaPlan, String) {
    let (mut caller, mut called) = (negotiator(caller), negotiator(called));
    let (answer, theirs) = called.answer(&caller.offer()).expect("an answer");
    (caller.accept_answer(&answer).expect("agreed"), theirs, answer)
}

#[test]
fn two_of_ours_agree_on_extended_reports_and_redundancy() {
    let (caller, called, answer) = plans(true, false);
    assert_eq!((caller.extended, called.extended), (BOTH, BOTH));
    assert!(answer.contains("\r\na=rtcp-xr:rcvr-rtt=all voip-metrics\r\n"), "{answer}");
    assert!(answer.contains("\r\na=rtpmap:122 red/48000/2\r\n"), "{answer}");
    // Opus was chosen: the redundant packets of its clock.
    assert_eq!((caller.redundancy.send, called.redundancy.send), (Some(122), Some(122)));
    assert_eq!(caller.redundancy.receive, [122, 121]);
    assert!(answer.contains("\r\na=fmtp:121 9/9\r\n"), "{answer}");
    // Nobody offers them: nobody sends them.
    let (caller, called, answer) = plans(false, true);
    assert_eq!((caller.redundancy, called.redundancy), Default::default());
    assert!(!answer.contains("red/"), "{answer}");
}

#[test]
fn only_what_they_want_is_answered() {
    let offer = |extra: &str| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{extra}\
             m=audio 5000 RTP/AVP 0 99\r\na=rtpmap:99 RED/8000/1\r\na=fmtp:99 0/0/0\r\n"
        )
    };
    for (line, wanted) in [
        ("", ExtendedReports::default()),
        ("a=rtcp-xr\r\n", ExtendedReports::default()),
        ("a=rtcp-xr:pkt-loss-rle stat-summary=loss,dup\r\n", ExtendedReports::default()),
        ("a=rtcp-xr:rcvr-rtt=sender:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\n", BOTH),
        ("a=rtcp-xr:VOIP-METRICS\r\n", ExtendedReports { voip: true, round_trip: false }),
    ] {
        let (answer, plan) = negotiator(false).answer(&offer(line)).expect("an answer");
        assert_eq!(plan.extended, wanted, "{line}");
        assert_eq!(answer.contains("a=rtcp-xr:"), wanted != ExtendedReports::default());
        assert_eq!((plan.redundancy.send, &plan.redundancy.receive[..]), (Some(99), &[99][..]));
    }
}

/// Who only listens sends no sender report, and learns the round trip all the same; who sends
/// learns how it sounds there.
#[test]
fn a_listener_measures_the_round_trip_and_tells_how_it_sounds() {
    let start = start();
    let clock = |at: Instant| NtpTime::from_unix(ms(1_700_000_000_000) + (at - start));
    let way = ms(35);
    let sends = [SendState::new(1), SendState::new(2)];
    let mut receives = [ReceiveState::new(8_000), ReceiveState::new(8_000)];
    let mut reporters = [Reporter::new(3, "a".into(), start), Reporter::new(4, "b".into(), start)];
    let metrics = VoipMetrics {
        ssrc: sends[1].ssrc(),
        loss_rate: 12,
        mos_listening: 41,
        ..Default::default()
    };
    let mut out = [0; 480];
    for tick in 0..1_500u64 {
        let now = start + ms(tick * 20);
        for side in 0..2 {
            reporters[side].agree(if tick < 500 { ExtendedReports::default() } else { BOTH });
            let voip = (side == 0).then_some(&metrics);
            let (send, receive) = (&sends[side], &mut receives[side]);
            let written =
                reporters[side].poll(now, clock(now), send, receive, voip, &mut out).expect("room");
            let Some(length) = written else { continue };
            let (other, at) = (1 - side, now + way);
            let (send, receive) = (&sends[other], &mut receives[other]);
            reporters[other]
                .receive(&out[..length], at, clock(at), send, receive)
                .expect("a report");
        }
        if tick == 499 {
            // Nothing was agreed yet, and nobody sends sound.
            assert!(reporters.iter().all(|it| it.round_trip().is_none()));
            assert!(reporters[1].their_metrics().is_none());
        }
    }
    for reporter in &reporters {
        let trip = reporter.round_trip().expect("a round trip");
        assert!(trip.abs_diff(way * 2) < ms(1), "{trip:?}");
    }
    assert_eq!(reporters[1].their_metrics(), Some(&metrics));
    assert!(reporters[0].their_metrics().is_none());
}

#[test]
fn a_report_under_our_own_source_is_a_clash() {
    let start = start();
    let (send, mut receive) = (SendState::new(1), ReceiveState::new(8_000));
    let mut reporter = Reporter::new(3, "a".into(), start);
    let mut out = [0; 480];
    let length =
        reporter.goodbye(start, NtpTime(0), &send, &mut receive, None, &mut out).expect("room");
    assert!(!reporter.take_clash());
    reporter.receive(&out[..length], start, NtpTime(0), &send, &mut receive).expect("a report");
    assert!(reporter.take_clash() && !reporter.take_clash());
}

#[test]
fn a_source_is_changed_once_and_not_for_our_own_echo() {
    let (start, mut collisions) = (start(), Collisions::default());
    let from = |port: u16| (Ipv4Addr::LOCALHOST, port).into();
    assert!(collisions.is_new(from(1), start));
    for second in 0..100 {
        // Our packets come back for as long as the call is: one change at the beginning.
        assert!(!collisions.is_new(from(1), start + ms(second * 1_000)));
    }
    assert!(collisions.is_new(from(1), start + ms(200_000)));
    // Whoever sends from many addresses fills no memory.
    for port in 0..1_000 {
        collisions.is_new(from(port), start + ms(200_000));
    }
    assert!(collisions.is_new(from(1), start + ms(200_000)), "forgotten for newer ones");
}
