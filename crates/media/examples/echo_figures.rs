//! Echo in rooms of virtual time: prints one line of JSON for each room, with the processor's time that
//! the work took for a second of sound, in milliseconds (where the system does not tell that, the
//! clock's).
#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use offhook_media::room::{Room, SECOND};
use offhook_model::SoundSettings;

fn rooms() -> Vec<(String, Room)> {
    let usual = Room { delay_ms: 50.0, ppm: 0.0, echo: 1.0, near: 0.0 };
    let mut rooms: Vec<_> = [20.0, 50.0, 100.0, 200.0, 300.0]
        .map(|delay_ms| (format!("{delay_ms} ms"), Room { delay_ms, ..usual }))
        .into_iter()
        .collect();
    for ppm in [100.0, -100.0] {
        rooms.push((format!("100 ms, clock {ppm} ppm"), Room { delay_ms: 100.0, ppm, ..usual }));
    }
    rooms.push(("both speak".into(), Room { delay_ms: 80.0, echo: 2.5, near: 1.0, ..usual }));
    rooms.push((
        "both speak, 300 ms".into(),
        Room { delay_ms: 300.0, echo: 2.5, near: 1.0, ..usual },
    ));
    rooms.push(("a low voice here".into(), Room { delay_ms: 80.0, echo: 1.0, near: 0.2, ..usual }));
    rooms
}

/// Nanoseconds that this process has been on a processor.
fn processor_time() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

fn main() {
    let echo = SoundSettings { echo_cancellation: true, ..SoundSettings::OFF };
    for (name, room) in rooms() {
        let scene = room.scene();
        let (begun, used) = (Instant::now(), processor_time());
        let Some((sent, delay)) = scene.hear(&echo) else { continue };
        let nanoseconds = match (used, processor_time()) {
            (Some(before), Some(after)) => u128::from(after.saturating_sub(before)),
            _ => begun.elapsed().as_nanos(),
        };
        let seconds = sent.len() as f64 / SECOND as f64;
        let cost = nanoseconds as f64 / 1e6 / seconds;
        let Some(outcome) = scene.judge(&sent, &echo) else { continue };
        let delay = delay.map_or("null".to_owned(), |delay| delay.to_string());
        println!(
            "{{\"room\":\"{name}\",\"near\":{},\"delay\":{},\"found\":{delay},\"removed\":{:.1},\"kept\":{:.1},\
             \"before\":{:.3},\"after\":{:.3},\"gone\":{:.1},\"cost\":{cost:.3}}}",
            room.near,
            room.delay_ms,
            outcome.removed_db,
            outcome.kept_db,
            outcome.likeness_before,
            outcome.likeness_after,
            outcome.gone_percent,
        );
    }
}
