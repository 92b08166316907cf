//! Entry points for fuzzing: payloads of any bytes through every decoder.

use offhook_model::AudioCodec;

use crate::{GSM_BLOCK, GSM_SAMPLES, GsmDecoder, MAX_SAMPLES, Noise, decoder};

/// First byte chooses the codec, comfort noise or GSM 6.10; the second cuts the rest into payloads.
pub fn fuzz(data: &[u8]) {
    let [choice, cut, rest @ ..] = data else { return };
    match usize::from(*choice) % (AudioCodec::ALL.len() + 2) {
        7 => noise(rest.chunks(usize::from(*cut) + 1)),
        8 => gsm(rest),
        choice => payloads(AudioCodec::ALL[choice], rest.chunks(usize::from(*cut) + 1)),
    }
}

fn noise<'a>(payloads: impl Iterator<Item = &'a [u8]>) {
    let (mut noise, mut out) = (Noise::default(), [0; 480]);
    for payload in payloads {
        assert_eq!(noise.hear(payload), !payload.is_empty());
        noise.fill(&mut out);
    }
}

fn gsm(bytes: &[u8]) {
    let (mut decoder, mut out) = (GsmDecoder::default(), [0; GSM_SAMPLES]);
    for block in bytes.as_chunks::<GSM_BLOCK>().0 {
        decoder.decode(block, &mut out);
    }
}

fn payloads<'a>(codec: AudioCodec, payloads: impl Iterator<Item = &'a [u8]>) {
    let Ok(mut decoder) = decoder(codec) else { return };
    let mut out = [0i16; MAX_SAMPLES];
    for payload in payloads {
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
