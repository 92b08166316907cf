//! G.722.1: frames and samples of an independent implementation in ITU-T's fixed-point arithmetic.

use std::time::Duration;

use offhook_codec::{CodecError, MAX_SAMPLES, encoder};
use offhook_model::AudioCodec;

use super::common::{decode, difference, encode, fixture, fresh, ratio, samples};

const FRAME: usize = 320;
const RATES: [(AudioCodec, &str, usize); 2] =
    [(AudioCodec::G7221At24, "24000", 60), (AudioCodec::G7221At32, "32000", 80)];

/// Every frame and every sample are the other implementation's.
pub fn rows() -> Vec<String> {
    let mut rows = Vec::new();
    for name in ["speech", "sweep"] {
        let sound = samples(&format!("g7221-{name}.s16le"));
        for (codec, rate, bytes) in RATES {
            let theirs = fixture(&format!("g7221-{name}-{rate}.bit"));
            let heard = samples(&format!("g7221-{name}-{rate}.s16le"));
            let ours = encode(codec, &sound);
            let others = ours.iter().zip(theirs.chunks(bytes)).filter(|(a, b)| *a != b).count();
            let (most, _) =
                difference(&decode(fresh(codec).as_mut(), theirs.chunks(bytes)), &heard);
            assert_eq!((ours.concat().len(), others, most), (theirs.len(), 0, 0), "{name} {rate}");
            rows.push(format!(
                "| G.722.1, {rate} bit/s | an independent implementation in fixed point | {} frames \
                 of {name}, coded and decoded | no bit of the frames and no sample differs; signal to \
                 noise {:.1} dB |\n",
                ours.len(),
                ratio(&sound, &heard, FRAME),
            ));
        }
    }
    rows
}

#[test]
fn g7221_frames_come_one_by_one_or_in_packets() {
    let sound = samples("g7221-sweep.s16le");
    for (codec, _, bytes) in RATES {
        let single = encode(codec, &sound);
        let mut encoder = encoder(codec, Duration::from_millis(60)).expect("an encoder");
        assert_eq!(encoder.samples_per_frame(), 3 * FRAME);
        let mut packet = [0; 240];
        assert_eq!(encoder.encode(&sound[..3 * FRAME], &mut packet), Ok(3 * bytes));
        assert_eq!(packet[..3 * bytes], single[..3].concat());
        let mut decoder = fresh(codec);
        assert_eq!(decoder.duration(&packet[..3 * bytes]), Some(3 * FRAME as u32));
        let mut heard = [0; 3 * FRAME];
        assert_eq!(decoder.decode(&packet[..3 * bytes], &mut heard), Ok(3 * FRAME));
        assert_eq!(
            heard.to_vec(),
            decode(fresh(codec).as_mut(), single.iter().take(3).map(Vec::as_slice))
        );
    }
}

fn power(sound: &[i16]) -> f64 {
    sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / sound.len() as f64
}

#[test]
fn g7221_gaps_fade_and_sound_comes_back() {
    for (codec, rate, bytes) in RATES {
        let frames = fixture(&format!("g7221-sweep-{rate}.bit"));
        let wanted = samples(&format!("g7221-sweep-{rate}.s16le"));
        let mut decoder = fresh(codec);
        decode(decoder.as_mut(), frames.chunks(bytes).take(50));
        let mut gap = vec![0; 12 * FRAME];
        // In pieces of no particular size.
        for piece in gap.chunks_mut(97) {
            assert_eq!(decoder.conceal(piece.len(), piece), piece.len());
        }
        let before = power(&wanted[49 * FRAME..50 * FRAME]);
        assert!(power(&gap[..FRAME]) > before / 2.0, "the first frame goes on");
        assert!(power(&gap[3 * FRAME..4 * FRAME]) < before / 4.0, "it fades");
        assert!(power(&gap[11 * FRAME..]) < before / 10_000.0, "to silence");
        let after = decode(decoder.as_mut(), frames.chunks(bytes).skip(62).take(2));
        // Only the overlap with the gap differs.
        assert_eq!(after[FRAME..], wanted[63 * FRAME..64 * FRAME]);
    }
}

#[test]
fn g7221_refuses_what_makes_no_sense() {
    let mut out = [0; MAX_SAMPLES];
    for (codec, rate, bytes) in RATES {
        let mut decoder = fresh(codec);
        for length in [0, 1, bytes - 1, bytes + 1, 19 * bytes, 65_535] {
            assert_eq!(decoder.decode(&vec![0xff; length], &mut out), Err(CodecError::Payload));
        }
        let frames = fixture(&format!("g7221-speech-{rate}.bit"));
        let good = &frames[100 * bytes..101 * bytes];
        assert_eq!(decoder.decode(good, &mut out[..FRAME - 1]), Err(CodecError::NoRoom(FRAME)));
        // A power of the first region, and differences beyond all range; zeros where ones must be.
        let mut bad = good.to_vec();
        bad[..40].fill(0);
        assert_eq!(decoder.decode(&bad, &mut out), Err(CodecError::Payload));
        // A packet with one bad frame changes nothing, so that sound goes on as if it were lost.
        let mut twin = fresh(codec);
        let mut packet = good.to_vec();
        packet.extend_from_slice(&bad);
        assert_eq!(decoder.decode(&packet, &mut out), Err(CodecError::Payload));
        let first = decode(decoder.as_mut(), frames.chunks(bytes));
        assert_eq!(first, decode(twin.as_mut(), frames.chunks(bytes)));
    }
}
