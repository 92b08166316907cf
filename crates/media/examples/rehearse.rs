//! Speech over bad networks in virtual time: writes what is heard on each profile as a WAV file of
//! 48 kHz, to be judged by a program such as PESQ, and prints one line of JSON for each file.
//!
//! `cargo run -p offhook-media --example rehearse -- SPEECH.wav OUT_FOLDER [SEEDS] [NAME…]`, where the speech
//! is mono at 48 kHz and NAME is a part of a profile's name (`pcmu-loss5`, `opus`). With the name `ideal`
//! nothing has to be played in time: what the coders make of the same losses at best.
#![allow(clippy::print_stdout, reason = "it prints its result")]

use std::fs::File;
use std::path::Path;

use offhook_media::rehearsal::{Network, Rehearsal};
use offhook_media::wav::{WavReader, WavWriter};
use offhook_model::AudioCodec;

/// Everything that speech is sent over.
fn networks() -> Vec<(&'static str, Network)> {
    let clean = Network::default();
    vec![
        ("clean", clean),
        ("loss1", Network { loss: 1.0, ..clean }),
        ("loss5", Network { loss: 5.0, ..clean }),
        ("loss10", Network { loss: 10.0, ..clean }),
        ("loss20", Network { loss: 20.0, ..clean }),
        ("bursts", Network { loss: 5.0, burst: 3.0, ..clean }),
        ("jitter20", Network { jitter: 20.0, ..clean }),
        ("jitter60", Network { jitter: 60.0, ..clean }),
        ("jitter200", Network { jitter: 200.0, ..clean }),
        ("loss5jitter60", Network { loss: 5.0, jitter: 60.0, ..clean }),
        ("rate100", Network { rate: 100_000.0, ..clean }),
        ("rate50", Network { rate: 50_000.0, ..clean }),
        ("reorder", Network { swapped: 5.0, ..clean }),
    ]
}

fn speech(path: &str) -> std::io::Result<Vec<f32>> {
    let mut reader = WavReader::open(File::open(path)?).map_err(std::io::Error::other)?;
    if reader.rate() != 48_000 {
        return Err(std::io::Error::other("the speech must have 48,000 samples a second"));
    }
    let mut samples = Vec::new();
    while reader.read(48_000, &mut samples)? > 0 {}
    Ok(samples)
}

fn write(path: &Path, sound: &[f32]) -> std::io::Result<()> {
    let mut writer = WavWriter::new(File::create(path)?, 48_000)?;
    writer.push(sound.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16));
    writer.flush()
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder, rest @ ..] = &arguments[..] else {
        return Err(std::io::Error::other("usage: rehearse SPEECH.wav OUT_FOLDER [SEEDS] [NAME…]"));
    };
    let speech = speech(input)?;
    let seeds = rest.iter().find_map(|word| word.parse().ok()).unwrap_or(1u64);
    let ideal = rest.iter().any(|word| word == "ideal");
    let names: Vec<&String> =
        rest.iter().filter(|word| *word != "ideal" && word.parse::<u64>().is_err()).collect();
    for codec in AudioCodec::ALL {
        for (profile, network) in networks() {
            let name = format!("{}-{profile}", codec.encoding_name().to_lowercase());
            if !names.is_empty() && !names.iter().any(|part| name.contains(part.as_str())) {
                continue;
            }
            for seed in 1..=seeds {
                let rehearsal = Rehearsal { network, seed, ..Rehearsal::new(codec) };
                let outcome =
                    if ideal { rehearsal.ideal(&speech) } else { rehearsal.play(&speech) };
                let path = Path::new(folder).join(format!("{name}-{seed}.wav"));
                write(&path, &outcome.heard)?;
                let mut delays = outcome.delays.clone();
                delays.sort_by(f32::total_cmp);
                println!(
                    "{{\"name\":\"{name}\",\"seed\":{seed},\"file\":\"{}\",\"sent\":{},\"came\":{},\
                     \"bit_rate\":{:.0},\"delay_ms\":{:.1},\"concealed\":{},\"recovered\":{},\"late\":{},\"skipped\":{},\"shorter\":{},\"longer\":{}}}",
                    path.display(),
                    outcome.sent,
                    outcome.came,
                    outcome.bit_rate,
                    delays.get(delays.len() / 2).copied().unwrap_or(0.0),
                    outcome.buffer.concealed,
                    outcome.recovered,
                    outcome.buffer.late,
                    outcome.buffer.skipped,
                    outcome.stretched.0,
                    outcome.stretched.1,
                );
            }
        }
    }
    Ok(())
}
