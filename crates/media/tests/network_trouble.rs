//! Loss, disorder, strangers and silence on the way; nothing of it ends a call.

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use common::{CALL, HOME, Phone, Scratch, loudness, plan, recording, sleep};
use offhook_model::{AudioCodec, AudioSpec, StreamStats};
use offhook_ports::{Legs, MediaFact, MediaPlan, Redundancy};

/// Drops nothing, loses every seventh, swaps neighbours, or doubles; then stops at all.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Way {
    Clear,
    Lossy,
    Swapping,
    Doubling,
    Cut,
}

/// A relay for one direction.
struct Relay {
    address: SocketAddr,
    way: Arc<AtomicU8>,
    stop: Arc<AtomicBool>,
}

impl Relay {
    fn new(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind((HOME, 0)).expect("a port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let relay = Self {
            address: socket.local_addr().expect("bound"),
            way: Arc::new(AtomicU8::new(Way::Clear as u8)),
            stop: Arc::default(),
        };
        let (way, stop) = (relay.way.clone(), relay.stop.clone());
        std::thread::spawn(move || {
            let (mut count, mut held) = (0u32, None::<Vec<u8>>);
            let mut buffer = [0; 2_048];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                // What the listener says is not for itself.
                if from == to {
                    continue;
                }
                let packet = buffer[..length].to_vec();
                count += 1;
                let send = |packet: &[u8]| drop(socket.send_to(packet, to));
                match way.load(Ordering::Relaxed) {
                    1 if count % 7 == 0 => {}
                    2 if count % 5 == 0 => held = Some(packet),
                    3 => {
                        send(&packet);
                        send(&packet);
                    }
                    4 => {}
                    _ => {
                        send(&packet);
                        if let Some(late) = held.take() {
                            send(&late);
                        }
                    }
                }
            }
        });
        relay
    }

    fn set(&self, way: Way) {
        self.way.store(way as u8, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A speaks to B through a relay, B listens from the relay's address.
fn through_relay(codec: AudioCodec, scratch: &Scratch) -> (Phone, Phone, Relay) {
    let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
    let relay = Relay::new(b.rtp);
    a.engine.apply(CALL, plan(codec, relay.address, b.rtcp));
    b.engine.apply(CALL, plan(codec, relay.address, a.rtcp));
    (a, b, relay)
}

fn check_loss(codec: AudioCodec) {
    let scratch = Scratch::new();
    let (a, b, relay) = through_relay(codec, &scratch);
    relay.set(Way::Lossy);
    sleep(2_000);
    let stats = b.stats();
    a.engine.shutdown();
    b.engine.shutdown();
    assert!(stats[1].lost > 3, "{stats:?}");
    assert!(stats[1].mos_estimate.is_some_and(|mos| mos < 4.2), "{stats:?}");
    let sound = recording(&scratch.path("b.wav"));
    let (_, level) = loudness(&sound, 1_000.0);
    // Most of the tone is there, since the gaps are bridged.
    assert!(level > 0.15, "{codec:?}: {level}");
}

#[test]
fn g711_bridges_loss() {
    check_loss(AudioCodec::Pcmu);
}

#[test]
fn g722_bridges_loss() {
    check_loss(AudioCodec::G722);
}

#[test]
fn opus_bridges_loss() {
    check_loss(AudioCodec::Opus);
}

#[test]
fn sound_is_sent_once_more_while_losses_are_reported_and_not_before() {
    let scratch = Scratch::new();
    let (a, b, relay) = through_relay(AudioCodec::Pcmu, &scratch);
    let redundancy = Redundancy { send: Some(121), receive: vec![121] };
    let with = |plan| MediaPlan { redundancy: redundancy.clone(), ..plan };
    a.engine.apply(CALL, with(plan(AudioCodec::Pcmu, relay.address, b.rtcp)));
    b.engine.apply(CALL, with(plan(AudioCodec::Pcmu, relay.address, a.rtcp)));
    relay.set(Way::Lossy);
    // Until the first report about a second later each packet goes once.
    let sent = |stats: &[StreamStats]| (stats[0].packets, stats[0].bytes);
    let (packets, bytes) = sent(&a.stats());
    assert_eq!(bytes, packets * 160);
    let mut twice = false;
    for _ in 0..600 {
        sleep(100);
        let (packets, bytes) = sent(&a.stats());
        twice = bytes > packets * 160 + 1_000;
        if twice {
            break;
        }
    }
    assert!(twice, "losses were not answered");
    assert!(a.stats()[0].lost > 0);
    for _ in 0..300 {
        let stats = b.stats();
        let lost = stats[1].lost as f32 * 100.0 / (stats[1].packets + stats[1].lost) as f32;
        if stats[1].voice.is_some_and(|voice| lost > 10.0 && voice.loss_percent < lost * 0.6) {
            return;
        }
        sleep(200);
    }
    panic!("nothing is recovered: {:?}", b.stats());
}

#[test]
fn swapped_and_doubled_packets_are_played_in_order_and_once() {
    let scratch = Scratch::new();
    let (a, b, relay) = through_relay(AudioCodec::Pcma, &scratch);
    for way in [Way::Swapping, Way::Doubling, Way::Clear] {
        relay.set(way);
        sleep(900);
    }
    a.engine.shutdown();
    b.engine.shutdown();
    let sound = recording(&scratch.path("b.wav"));
    let (_, level) = loudness(&sound[sound.len() - 28_800..], 1_000.0);
    assert!(level > 0.2, "{level}");
}

#[test]
fn silence_is_told_and_its_end_too() {
    let scratch = Scratch::new();
    let (a, b, relay) = through_relay(AudioCodec::Pcmu, &scratch);
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::FirstPacket(_))));
    relay.set(Way::Cut);
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::Silence(CALL, _))));
    // Named within three seconds, and by reports what it is: they send, and nothing arrives.
    let legs = |fact: &MediaFact| match fact {
        MediaFact::Legs(CALL, legs) => Some(*legs),
        _ => None,
    };
    let long = std::time::Duration::from_millis(1_900);
    let first = b.facts().iter().filter_map(legs).find(|legs| legs.unreceived >= long);
    assert!(
        first.is_some_and(|legs| legs.unreceived < std::time::Duration::from_secs(4)),
        "{first:?}"
    );
    let told = |phone: &Phone, what: fn(&Legs) -> bool| {
        (0..6).any(|_| phone.wait_for(|fact| legs(fact).is_some_and(|legs| what(&legs))))
    };
    assert!(told(&b, |legs| legs.they_send == Some(true)));
    assert!(told(&a, |legs| legs.unreached > std::time::Duration::ZERO));
    relay.set(Way::Clear);
    assert!(b.wait_for(|fact| matches!(fact, MediaFact::SoundAgain(CALL))));
    let well = |fact: &MediaFact| legs(fact).is_some_and(|legs| legs.are_well());
    assert!(b.wait_for(well));
    drop(a);
}

#[test]
fn another_port_of_the_same_host_is_heard_only_while_the_negotiated_one_is_quiet() {
    let b = Phone::new(AudioSpec::Silence, AudioSpec::Null);
    let negotiated = UdpSocket::bind((HOME, 0)).expect("a port");
    let other = UdpSocket::bind((HOME, 0)).expect("a port");
    let address = negotiated.local_addr().expect("bound");
    b.engine.apply(CALL, plan(AudioCodec::Pcmu, address, address));
    let send = |socket: &UdpSocket, sequence: u8| {
        let mut packet = vec![0x80, 0, 0, sequence, 0, 0, sequence, 0, 1, 2, 3, 4];
        packet.resize(172, 0xff);
        socket.send_to(&packet, b.rtp).expect("loopback");
        sleep(60);
    };
    send(&other, 1);
    assert_eq!(b.stats()[1].packets, 1);
    send(&negotiated, 2);
    send(&other, 3);
    assert_eq!(b.stats()[1].packets, 2);
}

#[test]
fn rubbish_on_the_ports_changes_nothing() {
    let scratch = Scratch::new();
    let a = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, scratch.output("b.wav"));
    common::connect(&a, &b, AudioCodec::Opus);
    let stranger = UdpSocket::bind((HOME, 0)).expect("a port");
    let mut seed = 1u32;
    for round in 0..400usize {
        let bytes: Vec<u8> = (0..round % 200)
            .map(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Half of them begin like RTP or RTCP.
                if n == 0 && round % 2 == 0 { 0x80 } else { (seed >> 24) as u8 }
            })
            .collect();
        for to in [b.rtp, b.rtcp] {
            stranger.send_to(&bytes, to).expect("loopback");
        }
        if round % 100 == 0 {
            sleep(200);
        }
    }
    sleep(800);
    assert!(b.stats()[1].packets > 20);
    b.engine.shutdown();
    let sound = recording(&scratch.path("b.wav"));
    assert!(loudness(&sound[sound.len() - 14_400..], 1_000.0).0 > 0.2);
}
