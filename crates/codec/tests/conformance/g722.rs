//! G.722 at 64 kbit/s: SpanDSP's codes and samples; FFmpeg decodes the same ones alike.

use offhook_model::AudioCodec;

use super::common::{decode, encode, fixture, fresh, samples};

/// Every code and every sample is the others'.
pub fn rows() -> Vec<String> {
    let codes = fixture("g722-codes.bin");
    assert_eq!(encode(AudioCodec::G722, &samples("g722-sound.s16le")).concat(), codes);
    let heard = decode(fresh(AudioCodec::G722).as_mut(), codes.chunks(160));
    assert_eq!(heard, samples("g722-decoded.s16le"));
    vec![format!(
        "| G.722, 64 kbit/s | SpanDSP 0.0.6; FFmpeg 5.1 | {} bytes coded and decoded: sines, noise, full \
         scale, a glide | nothing differs |\n",
        codes.len()
    )]
}
