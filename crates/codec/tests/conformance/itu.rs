//! ITU-T's own vectors, which may not be handed on: run where `OFFHOOK_ITU_VECTORS` names a folder
//! with them, `g711` and `g722` from G.191, `g7221` from G.722.1, `g729a` from Annex A of G.729, file
//! names as they are there. Without it these tests say so and do nothing.

#![allow(clippy::print_stdout, reason = "what was seen, or why nothing was")]

use std::path::PathBuf;

use offhook_codec::MAX_SAMPLES;
use offhook_model::AudioCodec;

use super::common::{decode, encode, fresh};

/// The vectors of one Recommendation.
struct Vectors(PathBuf);

impl Vectors {
    fn of(name: &str) -> Option<Self> {
        let Some(folder) = std::env::var_os("OFFHOOK_ITU_VECTORS") else {
            println!("not run: OFFHOOK_ITU_VECTORS names no folder with the vectors of {name}");
            return None;
        };
        Some(Self(PathBuf::from(folder).join(name)))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).expect("a vector")
    }

    fn words(&self, name: &str) -> Vec<i16> {
        let bytes = self.bytes(name);
        bytes.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
    }
}

#[test]
fn g711_sweeps() {
    let Some(vectors) = Vectors::of("g711") else { return };
    let sound = vectors.words("sweep.src");
    for (codec, codes, samples) in [
        (AudioCodec::Pcmu, "sweep-r.u", "sweep-r.u-u"),
        (AudioCodec::Pcma, "sweep-r.a", "sweep-r.a-a"),
    ] {
        let codes: Vec<u8> = vectors.words(codes).iter().map(|word| *word as u8).collect();
        let mut padded = sound.clone();
        padded.resize(sound.len().next_multiple_of(160), 0);
        assert!(encode(codec, &padded).concat().starts_with(&codes), "{codec:?}");
        let heard = decode(fresh(codec).as_mut(), codes.chunks(160));
        assert!(heard == vectors.words(samples), "{codec:?}");
        println!("{codec:?}: {} samples coded and decoded, nothing differs", codes.len());
    }
}

#[test]
fn g722_speech() {
    let Some(vectors) = Vectors::of("g722") else { return };
    let codes: Vec<u8> = vectors.words("codspw.cod").iter().map(|word| *word as u8).collect();
    // The last packet is filled up.
    let mut sound = vectors.words("inpsp.bin");
    sound.resize(sound.len().next_multiple_of(320), 0);
    assert!(encode(AudioCodec::G722, &sound).concat().starts_with(&codes));
    let heard = decode(fresh(AudioCodec::G722).as_mut(), codes.chunks(160));
    assert!(heard == vectors.words("outsp1.bin"));
    println!("{} bytes coded and decoded, nothing differs", codes.len());
}

#[test]
fn g7221_at_both_rates() {
    let Some(vectors) = Vectors::of("g7221") else { return };
    for (codec, rate, bytes) in
        [(AudioCodec::G7221At24, 24_000, 60), (AudioCodec::G7221At32, 32_000, 80)]
    {
        // The file has words with the first bits in their upper byte.
        let mut frames = vectors.bytes(&format!("g722_1_enc_out_{rate}.pak"));
        frames.as_chunks_mut::<2>().0.iter_mut().for_each(|word| word.reverse());
        assert!(encode(codec, &vectors.words("g722_1_enc_in.pcm")).concat() == frames, "{rate}");
        let mut heard = decode(fresh(codec).as_mut(), frames.chunks(bytes));
        // ITU-T's program keeps 14 bits of what it decodes.
        heard.iter_mut().for_each(|sample| *sample &= !3);
        assert!(heard == vectors.words(&format!("g722_1_dec_out_{rate}.pcm")), "{rate}");
        println!("{rate} bit/s: {} frames coded and decoded, no bit differs", frames.len() / bytes);
    }
}

/// A frame of a bit stream of ITU-T's programs: a mark, how many bits, and a word for each; nothing
/// for one that was lost.
fn frames(words: &[i16]) -> Vec<Option<Vec<u8>>> {
    let (mut frames, mut rest) = (Vec::new(), words);
    while let [mark, count, more @ ..] = rest {
        let (bits, later) = more.split_at(*count as usize);
        let byte =
            |bits: &[i16]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == 0x81));
        let lost = *mark == 0x6b20 || bits.contains(&0);
        frames.push((!lost).then(|| bits.chunks(8).map(byte).collect()));
        rest = later;
    }
    frames
}

#[test]
fn g729_annex_a() {
    let Some(vectors) = Vectors::of("g729a") else { return };
    let decoded_only = ["ERASURE", "OVERFLOW", "PARITY"];
    for name in
        ["ALGTHM", "FIXED", "LSP", "PITCH", "SPEECH", "TAME", "TEST"].iter().chain(&decoded_only)
    {
        let frames = frames(&vectors.words(&format!("{name}.BIT")));
        let mut decoder = fresh(AudioCodec::G729);
        let (mut heard, mut out) = (Vec::new(), [0; MAX_SAMPLES]);
        for frame in &frames {
            let count = match frame {
                Some(bytes) => decoder.decode(bytes, &mut out).expect("sound"),
                None => decoder.conceal(80, &mut out),
            };
            heard.extend_from_slice(&out[..count]);
        }
        // One of them has a last frame that was not decoded, others a word more.
        let wanted = vectors.words(&format!("{name}.PST"));
        let count = heard.len().min(wanted.len());
        assert!(count + 80 >= wanted.len().max(heard.len()), "{name}");
        assert!(heard[..count] == wanted[..count], "{name}");
        let mut coded = 0;
        if !decoded_only.contains(name) {
            // Packets of two frames.
            let ours = encode(AudioCodec::G729, &vectors.words(&format!("{name}.IN")));
            for (ours, theirs) in ours.iter().flat_map(|packet| packet.chunks(10)).zip(&frames) {
                assert_eq!(Some(ours), theirs.as_deref(), "{name}, frame {coded}");
                coded += 1;
            }
        }
        println!("{name}: {} frames decoded, {coded} coded, nothing differs", frames.len());
    }
}
