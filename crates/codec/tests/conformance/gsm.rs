//! GSM 6.10: recordings that SoX coded, as libgsm decodes them.

use offhook_codec::{GSM_BLOCK, GSM_SAMPLES, GsmDecoder};

use super::common::{difference, fixture, ratio, samples};

/// Every sample is libgsm's.
pub fn rows() -> Vec<String> {
    let blocks = fixture("gsm-speech.wav49");
    let (mut decoder, mut heard) = (GsmDecoder::default(), Vec::new());
    for block in blocks.as_chunks::<GSM_BLOCK>().0 {
        let mut sound = [0; GSM_SAMPLES];
        decoder.decode(block, &mut sound);
        heard.extend_from_slice(&sound);
    }
    let (most, _) = difference(&heard, &samples("gsm-speech.s16le"));
    assert_eq!(most, 0);
    let ratio = ratio(&samples("speech-8000.s16le"), &heard, 0);
    vec![format!(
        "| GSM 6.10, recordings | libgsm 1.0 | {} frames of speech decoded | no sample differs; signal \
         to noise {ratio:.1} dB |\n",
        heard.len() / 160,
    )]
}
