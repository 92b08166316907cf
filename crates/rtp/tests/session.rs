//! RTP sessions: counts, jitter, reports and telephone events, in virtual time.

use std::time::{Duration, Instant};

use offhook_rtp::rtcp::{self, Rtcp};
use offhook_rtp::{
    Arrival, DtmfReceiver, DtmfSender, HEADER_LEN, Header, NtpTime, Packet, ReceiveState, Reporter,
    SendState,
};

#[allow(clippy::disallowed_methods, reason = "an origin for virtual time; never compared with it")]
fn start() -> Instant {
    Instant::now()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
    Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }
}

#[test]
fn packets_are_stamped_in_order_and_counted() {
    let mut send = SendState::new(7);
    let mut out = [0; HEADER_LEN + 160];
    let mut last: Option<Header> = None;
    for _ in 0..3 {
        let length = send.stamp(&mut out, 160, 8, false, None).expect("room");
        assert_eq!(length, 172);
        let header = Packet::parse(&out).expect("a packet").header;
        if let Some(last) = last {
            assert_eq!(header.sequence, last.sequence.wrapping_add(1));
            assert_eq!(header.timestamp, last.timestamp.wrapping_add(160));
            assert_eq!(header.ssrc, last.ssrc);
        }
        last = Some(header);
        send.advance(160);
    }
    assert_eq!(send.sent(), (3, 480));
    assert!(send.stamp(&mut out[..100], 160, 8, false, None).is_err());
    assert_eq!(send.sent(), (3, 480));
    assert_ne!(SendState::new(8).ssrc(), send.ssrc());
}

#[test]
fn losses_wraps_and_duplicates_are_counted() {
    let (now, mut receive) = (start(), ReceiveState::new(8_000));
    assert_eq!(receive.report_block(now), None);
    let mut sequence = 65_500u16;
    for index in 0..100u32 {
        // Every tenth is lost.
        if index % 10 != 5 {
            let arrival = receive.receive(&header(1, sequence, index * 160), 160, now);
            assert_eq!(arrival == Arrival::NewSource, index == 0);
        }
        sequence = sequence.wrapping_add(1);
    }
    assert_eq!((receive.received(), receive.lost()), ((90, 90 * 160), 10));
    let block = receive.report_block(now).expect("a block");
    assert_eq!((block.cumulative_lost, block.fraction_lost), (10, (10 * 256 / 100) as u8));
    assert_eq!(block.highest_sequence, 0x1_0000 + u32::from(sequence - 1));
    // The fraction counts from the last report on.
    assert_eq!(receive.report_block(now).map(|block| block.fraction_lost), Some(0));
    // A duplicate makes up for a loss in the count, as the RFC wants.
    receive.receive(&header(1, sequence.wrapping_sub(1), 99 * 160), 160, now);
    assert_eq!(receive.lost(), 9);
}

#[test]
fn jumps_need_a_second_packet_and_new_sources_do_not() {
    let (now, mut receive) = (start(), ReceiveState::new(8_000));
    assert_eq!(receive.receive(&header(1, 10, 0), 1, now), Arrival::NewSource);
    assert_eq!(receive.receive(&header(1, 20_000, 0), 1, now), Arrival::Stray);
    assert_eq!(receive.receive(&header(1, 11, 160), 1, now), Arrival::Normal);
    assert_eq!(receive.receive(&header(1, 20_001, 0), 1, now), Arrival::Stray);
    assert_eq!(receive.receive(&header(1, 20_002, 160), 1, now), Arrival::Restart);
    assert_eq!(receive.receive(&header(1, 20_003, 320), 1, now), Arrival::Normal);
    assert_eq!(receive.receive(&header(2, 5, 0), 1, now), Arrival::NewSource);
    assert_eq!(receive.ssrc(), Some(2));
    assert_eq!(receive.received().0, 5);
}

#[test]
fn jitter_follows_the_formula_of_the_rfc() {
    let (start, mut receive) = (start(), ReceiveState::new(8_000));
    let mut expected = 0.0f64;
    // Every second packet is 10 ms late: the difference is 80 ticks each time.
    for index in 0..200u64 {
        let late = if index % 2 == 1 { 10 } else { 0 };
        let header = header(1, index as u16, 0xffff_f000u32.wrapping_add(index as u32 * 160));
        receive.receive(&header, 160, start + ms(index * 20 + late));
        if index > 0 {
            expected += (80.0 - expected) / 16.0;
        }
    }
    let got = receive.jitter().as_secs_f64() * 8_000.0;
    assert!((got - expected).abs() < 1.0, "{got} instead of {expected}");
}

#[test]
fn reports_come_in_time_and_measure_the_round_trip() {
    let start = start();
    let clock = |at: Instant| NtpTime::from_unix(ms(1_700_000_000_000) + (at - start));
    let way = ms(40);
    let mut sends = [SendState::new(1), SendState::new(2)];
    let mut receives = [ReceiveState::new(8_000), ReceiveState::new(8_000)];
    let mut reporters = [Reporter::new(3, "a".into(), start), Reporter::new(4, "b".into(), start)];
    let mut reports = [Vec::new(), Vec::new()];
    let mut buffer = [0; 400];
    for tick in 0..1_500u64 {
        let now = start + ms(tick * 20);
        for side in 0..2 {
            let length = sends[side].stamp(&mut buffer, 160, 0, tick == 0, None).expect("room");
            sends[side].advance(160);
            // One of fifty gets lost on the way to side 1.
            if side == 1 || tick % 50 != 7 {
                let packet = Packet::parse(&buffer[..length]).expect("a packet");
                receives[1 - side].receive(&packet.header, 160, now + way);
            }
            let written = reporters[side]
                .poll(now, clock(now), &sends[side], &mut receives[side], None, &mut buffer)
                .expect("room");
            if let Some(length) = written {
                reports[side].push(now);
                let arrival = now + way;
                let (other, bytes) = (1 - side, &buffer[..length]);
                let (send, receive) = (&sends[other], &mut receives[other]);
                reporters[other]
                    .receive(bytes, arrival, clock(arrival), send, receive)
                    .expect("a report");
            }
        }
    }
    for side in 0..2 {
        assert!((4..=14).contains(&reports[side].len()), "{}", reports[side].len());
        // Early: what is lost from the beginning is known soon.
        assert!((ms(740)..=ms(1_270)).contains(&(reports[side][0] - start)));
        for pair in reports[side].windows(2) {
            assert!((ms(2_000)..=ms(6_200)).contains(&(pair[1] - pair[0])));
        }
        let trip = reporters[side].round_trip().expect("a round trip");
        assert!(trip.abs_diff(way * 2) < ms(1), "{trip:?}");
    }
    assert_eq!(reporters[0].take_loss_percent().map(|p| (1..=4).contains(&p)), Some(true));
    assert_eq!(reporters[0].take_loss_percent(), None);
    assert_eq!(reporters[1].take_loss_percent(), Some(0));

    let length = reporters[0]
        .goodbye(start, clock(start), &sends[0], &mut receives[0], None, &mut buffer)
        .expect("room");
    let packets = rtcp::parse(&buffer[..length]).expect("a report");
    assert_eq!(packets.last(), Some(&Rtcp::Goodbye(vec![sends[0].ssrc()])));
    let (send, receive) = (&sends[1], &mut receives[1]);
    reporters[1].receive(&buffer[..length], start, clock(start), send, receive).expect("read");
    assert!(reporters[1].they_left() && !reporters[0].they_left());
}

/// Plays out the sender, losing the packets for which `lose` says so; gives the digits heard and
/// how many packets there were.
fn dial(
    digits: &str,
    clock_rate: u32,
    ptime: u64,
    lose: impl Fn(usize) -> bool,
) -> (String, usize) {
    let step = (u64::from(clock_rate) * ptime / 1_000) as u32;
    let mut sender = DtmfSender::new(clock_rate, ms(ptime));
    assert_eq!(sender.push(digits), digits.len());
    let (mut receiver, mut heard, mut count) = (DtmfReceiver::new(), String::new(), 0);
    let mut now = 0xffff_ff00u32;
    for _ in 0..10_000 {
        if sender.is_idle() {
            return (heard, count);
        }
        if let Some(packet) = sender.next(now) {
            if !lose(count) {
                heard.extend(receiver.receive(packet.timestamp, &packet.payload));
            }
            count += 1;
        }
        now = now.wrapping_add(step);
    }
    panic!("the sender never ends");
}

#[test]
fn every_digit_is_heard_once() {
    for (rate, ptime, packets) in [(8_000, 20, 7), (48_000, 20, 7), (8_000, 10, 12), (8_000, 30, 6)]
    {
        let digits = "0123456789*#ABCD1122";
        let (heard, count) = dial(digits, rate, ptime, |_| false);
        assert_eq!((heard.as_str(), count), (digits, packets * digits.len()), "{rate} {ptime}");
        assert_eq!(dial(digits, rate, ptime, |packet| packet % 3 == 0).0, digits);
    }
}

#[test]
fn an_event_has_its_marker_growth_and_three_ends() {
    let mut sender = DtmfSender::new(8_000, ms(20));
    sender.push("5");
    let packets: Vec<_> = (0..7).filter_map(|step| sender.next(1_000 + step * 160)).collect();
    let durations: Vec<_> =
        packets.iter().map(|p| u16::from_be_bytes([p.payload[2], p.payload[3]])).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    let ends: Vec<_> = packets.iter().map(|p| p.payload[1] & 0x80 != 0).collect();
    assert_eq!(ends, [false, false, false, false, true, true, true]);
    assert!(packets.iter().all(|p| p.timestamp == 1_000 && p.payload[0] == 5));
    assert_eq!(
        packets.iter().map(|p| p.marker).collect::<Vec<_>>(),
        [true, false, false, false, false, false, false]
    );
}

#[test]
fn unknown_digits_are_not_taken_and_pauses_are_silent() {
    let mut sender = DtmfSender::new(8_000, ms(20));
    assert_eq!(sender.push("1x,y2ä"), 3);
    assert_eq!(sender.push(&"1".repeat(200)), 125);
    assert_eq!(dial("1,2", 8_000, 20, |_| false).0, "12");
    let mut receiver = DtmfReceiver::new();
    for payload in [&[][..], &[1, 0, 0], &[16, 0, 0, 0], &[255; 9]] {
        assert_eq!(receiver.receive(5, payload), None);
    }
    assert_eq!(receiver.receive(5, &[1, 0, 0, 0]), Some('1'));
    assert_eq!(receiver.receive(4, &[2, 0, 0, 0]), None);
}
