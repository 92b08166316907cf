//! Entry points for fuzzing: payloads of any bytes through every decoder.

use offhook_model::AudioCodec;

use crate::{MAX_SAMPLES, decoder};

/// First byte chooses the codec, the second cuts the rest into payloads.
pub fn fuzz(data: &[u8]) {
    let [choice, cut, rest @ ..] = data else { return };
    let codec = AudioCodec::BUILT[usize::from(*choice) % AudioCodec::BUILT.len()];
    let Ok(mut decoder) = decoder(codec) else { return };
    let mut out = [0i16; MAX_SAMPLES];
    for payload in rest.chunks(usize::from(*cut) + 1) {
        let promised = decoder.duration(payload);
        if let Ok(done) = decoder.decode(payload, &mut out) {
            assert_eq!(promised, Some(done as u32), "{codec:?} promised another length");
        }
        if payload.len().is_multiple_of(3) {
            let _ = decoder.decode_fec(payload, 960, &mut out);
            assert_eq!(decoder.conceal(payload.len(), &mut out), payload.len());
        }
    }
}
