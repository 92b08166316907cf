//! G.729 with the coder of Annex A: bcg729's frames, as it and FFmpeg decode them. Neither is exact in
//! the Recommendation's arithmetic, which ours is (see `itu.rs`), so they agree in sound only.

use offhook_model::AudioCodec;

use super::common::{decode, difference, fixture, fresh, ratio, samples};

/// How near our samples must be to theirs, in decibels of signal to difference.
const BCG729_DB: f64 = 30.0;
const FFMPEG_DB: f64 = 18.0;

/// What we make of their frames is what they make of them, but for the last bits.
pub fn rows() -> Vec<String> {
    let frames = fixture("g729-speech.bit");
    let ours = decode(fresh(AudioCodec::G729).as_mut(), frames.chunks(10));
    let row = |(file, name, least): (&str, &str, f64)| {
        let theirs = samples(&format!("g729-speech-{file}.s16le"));
        let (ratio, (most, mean)) = (ratio(&theirs, &ours, 0), difference(&ours, &theirs));
        assert!(ratio > least, "{name}: {ratio:.1} dB, most {most}, rms {mean:.1}");
        format!(
            "| G.729 Annex A | {name} | {} frames of speech that bcg729 coded, decoded | signal to \
             difference {ratio:.1} dB |\n",
            frames.len() / 10
        )
    };
    [("bcg729", "bcg729 1.1.1", BCG729_DB), ("ffmpeg", "FFmpeg 5.1", FFMPEG_DB)].map(row).to_vec()
}
