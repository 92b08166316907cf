//! What a call costs: two engines call each other over loopback, the process counts its own CPU
//! time and wake-ups (Linux), halves them, and prints one line of JSON per codec.
//!
//! `cargo run --release -p offhook-media --example call_cost -- [SECONDS] [CODEC…]`
#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use offhook_media::{MediaEngine, MediaOptions};
use offhook_model::{AudioCodec, AudioSpec, CallId, OpusWish};
use offhook_ports::{CodecPlan, MediaPlan, PortRange};

const CALL: CallId = CallId(1);

fn plan(codec: AudioCodec, (rtp, rtcp): (SocketAddr, SocketAddr)) -> MediaPlan {
    let codec = CodecPlan { codec, payload_type: codec.usual_payload_type() };
    MediaPlan {
        remote: rtp,
        remote_rtcp: Some(rtcp),
        send: codec,
        receive: vec![codec],
        dtmf: Some(101),
        dtmf_receive: vec![101],
        noise: None,
        noise_receive: None,
        opus: OpusWish { in_band_fec: true, ..OpusWish::default() },
        packet_time: Duration::from_millis(20),
        sending: true,
        receiving: true,
        mix: false,
        extended: Default::default(),
        redundancy: Default::default(),
        dscp: 46,
        cname: "cost@localhost".into(),
        srtp: None,
        ice: None,
    }
}

fn engine(input: AudioSpec, seed: u64) -> (MediaEngine, (SocketAddr, SocketAddr)) {
    let (output, ringer) = (AudioSpec::Null, AudioSpec::Null);
    let options = MediaOptions { input, output, ringer, seed, ..MediaOptions::default() };
    let engine = MediaEngine::start(options, |_| {});
    let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let ports = engine.reserve(CALL, home, PortRange::default()).expect("free ports");
    (engine, ports)
}

/// CPU seconds and voluntary context switches of all threads so far.
fn spent() -> (f64, u64) {
    let (mut nanoseconds, mut switches) = (0u64, 0);
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for task in tasks {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let first = |text: &str| text.split_whitespace().next().and_then(|n| n.parse::<u64>().ok());
        nanoseconds += first(&read("schedstat")).unwrap_or(0);
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        switches += line.and_then(first).unwrap_or(0);
    }
    (nanoseconds as f64 / 1e9, switches)
}

fn measure(codec: AudioCodec, seconds: u64) {
    let speech = std::env::args().find(|argument| argument.ends_with(".wav"));
    let input = match speech {
        Some(path) => AudioSpec::File { path: path.into(), repeat: true },
        None => AudioSpec::Tone(440.0),
    };
    let (a, at_a) = engine(input.clone(), 1);
    let (b, at_b) = engine(input, 2);
    a.apply(CALL, plan(codec, at_b));
    b.apply(CALL, plan(codec, at_a));
    std::thread::sleep(Duration::from_secs(2));
    let (from, start) = (spent(), Instant::now());
    std::thread::sleep(Duration::from_secs(seconds));
    let (to, real) = (spent(), start.elapsed().as_secs_f64());
    let stats = a.stats(CALL);
    a.release(CALL);
    b.release(CALL);
    std::thread::sleep(Duration::from_millis(500));
    let idle = spent();
    std::thread::sleep(Duration::from_secs(2));
    let rest = spent().1 - idle.1;
    println!(
        "{{\"codec\":\"{}\",\"cpu_s_per_call_min\":{:.3},\"wakeups_s\":{:.1},\"idle_wakeups_2s\":{},\
         \"delay_ms\":{:.1},\"lost\":{}}}",
        codec.encoding_name(),
        (to.0 - from.0) / 2.0 / real * 60.0,
        (to.1 - from.1) as f64 / 2.0 / real,
        rest,
        stats.get(1).map_or(0.0, |stream| stream.delay_ms),
        stats.get(1).map_or(0, |stream| stream.lost),
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(20);
    for codec in AudioCodec::ALL {
        let name = codec.encoding_name();
        let named = arguments.iter().any(|argument| argument.eq_ignore_ascii_case(name));
        let any = arguments.iter().any(|a| a.parse::<u64>().is_err() && !a.ends_with(".wav"));
        if named || !any {
            measure(codec, seconds);
        }
    }
}
