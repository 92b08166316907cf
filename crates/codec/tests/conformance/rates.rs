//! Bits a second of each codec by packet time, beside what the planning guide of the desktop client says.

use std::time::Duration;

use offhook_codec::{MAX_PAYLOAD, encoder};
use offhook_model::AudioCodec;

use super::common::{samples, write};

/// Codec, its name, and kbit/s of payload and on the network by the guide's tables ("Audio Bit Rates"):
/// of desktop clients, then of mobile ones.
type Planned = (AudioCodec, &'static str, Option<[(u32, u32); 2]>);
const PLANNED: [Planned; 6] = [
    (AudioCodec::G7221At24, "G.722.1 24", Some([(24, 54), (24, 40)])),
    (AudioCodec::G7221At32, "G.722.1 32", Some([(32, 62), (32, 48)])),
    (AudioCodec::Pcmu, "G.711", Some([(64, 80), (64, 80)])),
    (AudioCodec::G729, "G.729A", Some([(8, 38), (8, 24)])),
    (AudioCodec::G722, "G.722", None),
    (AudioCodec::Opus, "Opus", None),
];

/// Bytes of RTP, UDP and IPv4 a packet.
const HEADERS: usize = 12 + 8 + 20;

/// Payload and IP bits a second of four seconds of speech in packets of `ms`.
fn measured(codec: AudioCodec, ms: u64) -> (f64, f64) {
    let mut encoder = encoder(codec, Duration::from_millis(ms)).expect("an encoder");
    let speech = samples("speech-8000.s16le");
    let times = codec.sample_rate() as usize / 8_000;
    // Each sample so many times is speech enough for a count of bytes.
    let sound: Vec<i16> = speech.iter().flat_map(|s| std::iter::repeat_n(*s, times)).collect();
    let frame = encoder.samples_per_frame();
    let mut out = [0; MAX_PAYLOAD];
    let sizes: Vec<usize> = sound
        .chunks_exact(frame)
        .map(|pcm| encoder.encode(pcm, &mut out).expect("a packet"))
        .collect();
    let seconds = (sizes.len() * frame) as f64 / f64::from(codec.sample_rate());
    let payload = sizes.iter().sum::<usize>() as f64 * 8.0 / seconds;
    (payload, payload + (sizes.len() * HEADERS) as f64 * 8.0 / seconds)
}

#[test]
fn bit_rates_are_those_of_the_planning_guide() {
    let mut table =
        "| codec | 10 ms | 20 ms | 30 ms | 40 ms | 60 ms | the guide: desktop | mobile |\n\
                     |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for (codec, name, planned) in PLANNED {
        let cell = |ms: u64| {
            // Others would be as the next shorter one.
            let whole = match codec {
                AudioCodec::G7221At24 | AudioCodec::G7221At32 => ms.is_multiple_of(20),
                AudioCodec::Opus => ms != 30,
                _ => true,
            };
            let (payload, ip) = measured(codec, ms);
            if whole { format!("{:.0} / {:.0}", payload / 1e3, ip / 1e3) } else { "–".to_owned() }
        };
        let cells = [10, 20, 30, 40, 60].map(cell).join(" | ");
        let guide = planned.map_or(["–".to_owned(), "–".to_owned()], |planned| {
            planned.map(|(payload, network)| format!("{payload} / {network}"))
        });
        table.push_str(&format!("| {name} | {cells} | {} |\n", guide.join(" | ")));
        let Some([(payload, _), (_, mobile)]) = planned else { continue };
        let (ours, ip) = measured(codec, 20);
        assert_eq!((ours, ip), (f64::from(payload) * 1e3, f64::from(mobile) * 1e3), "{name}");
    }
    write("bit rates", &table);
}
