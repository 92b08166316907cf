//! Opus in all its modes: packets of another build of libopus, as it and FFmpeg's own decoder decode
//! them. The vectors of RFC 8251 were not at hand.

use offhook_model::AudioCodec;

use super::common::{decode, difference, fixture, fresh, samples};

/// Mode, name of the files, who decoded, and the samples that an Ogg file says to leave out.
const STREAMS: [(&str, &str, &str, usize); 4] = [
    ("SILK, 4 kHz", "opus-nb", "lib", 312),
    ("SILK, 8 kHz", "opus-wb", "lib", 312),
    ("hybrid, 12 kHz", "opus-swb", "lib", 312),
    ("CELT, 20 kHz", "opus-fb", "ffmpeg", 120),
];

/// No sample is more than a step away from theirs.
pub fn rows() -> Vec<String> {
    let row = |(mode, name, by, skip): (&str, &str, &str, usize)| {
        let file = fixture(&format!("{name}.bin"));
        // Each packet has its length before it, in two bytes.
        let (mut packets, mut rest) = (Vec::new(), &file[..]);
        while let [low, high, more @ ..] = rest {
            let (packet, later) = more.split_at(usize::from(u16::from_le_bytes([*low, *high])));
            packets.push(packet);
            rest = later;
        }
        let heard = decode(fresh(AudioCodec::Opus).as_mut(), packets.iter().copied());
        let theirs = samples(&format!("{name}-{by}.s16le"));
        let (most, _) = difference(&heard[skip..][..theirs.len()], &theirs);
        assert!(most <= 1, "{name}: {most}");
        let by = if by == "lib" { "libopus 1.3.1" } else { "FFmpeg's own decoder, 5.1" };
        format!(
            "| Opus, {mode} | {by} | {} packets of speech decoded | no sample differs by more than \
             {most} |\n",
            packets.len()
        )
    };
    STREAMS.map(row).to_vec()
}
