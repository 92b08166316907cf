//! G.711: every sample and every code, beside FFmpeg and the way of ITU-T's software tools.

use offhook_model::AudioCodec;

use super::common::{decode, encode, fresh, samples};

/// The code of a sample as ITU-T G.191 says it: on the magnitude, of which a negative sample has one
/// less, cut to 14 bits (µ-law) or 12 (A-law), segments counted by hand.
fn code(codec: AudioCodec, sample: i16) -> u8 {
    let size = i32::from(if sample < 0 { !sample } else { sample });
    let positive = if sample >= 0 { 0x80 } else { 0 };
    if codec == AudioCodec::Pcma {
        let (mut size, mut segment) = (size >> 4, 0);
        while size > 31 {
            (size, segment) = (size >> 1, segment + 1);
        }
        return ((size + (segment << 4)) as u8 | positive) ^ 0x55;
    }
    let size = ((size >> 2) + 33).min(0x1fff);
    let segment = (1..=8).find(|segment| size >> (5 + segment) == 0).expect("eight segments");
    (((8 - segment) << 4 | (15 - (size >> segment & 15))) as u8) | positive
}

/// All samples coded and all codes decoded.
pub fn rows() -> Vec<String> {
    let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    let codes: Vec<u8> = (0..=255).collect();
    let mut rows = Vec::new();
    for (codec, file, name) in
        [(AudioCodec::Pcmu, "mu-law", "µ-law"), (AudioCodec::Pcma, "a-law", "A-law")]
    {
        let heard = decode(fresh(codec).as_mut(), [codes.as_slice()]);
        assert_eq!(heard, samples(&format!("g711-{file}.s16le")), "{name}");
        // Packets of 160: the last one is filled up.
        let mut sound = all.clone();
        sound.resize(all.len().next_multiple_of(160), 0);
        let ours = encode(codec, &sound).concat();
        let others = all.iter().zip(&ours).filter(|(sample, ours)| code(codec, **sample) != **ours);
        assert_eq!(others.count(), 0, "{name}");
        rows.push(format!(
            "| G.711 {name} | FFmpeg; the formula of ITU-T G.191 | all 256 codes decoded; all 65,536 \
             samples coded | nothing differs |\n"
        ));
    }
    rows
}
