//! Payload types: which number means which format in our descriptions.

use offhook_model::AudioCodec;

/// Something that has a payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Sound.
    Codec(AudioCodec),
    /// Telephone events (RFC 4733) on this clock.
    Event(u32),
    /// Comfort noise (RFC 3389) on a clock of 8,000.
    Noise,
    /// Packets that carry earlier sound once more (RFC 2198), of codecs with this clock.
    Redundant(u32),
}

/// The static payload type of comfort noise (RFC 3551 section 6).
const NOISE: u8 = 13;

impl Format {
    /// From `<name>/<clock>[/<channels>]` and the parameters beside it. The clock of G.722 is 8,000
    /// by historical error (RFC 3551 section 4.5.2); 16,000 is taken for the same. G.722.1 is one of
    /// two codecs by its bit rate, and none without it (RFC 5577 section 5.1: it is required).
    pub(super) fn from_rtpmap(value: &str, parameters: &str) -> Option<Self> {
        let mut parts = value.split('/');
        let name = parts.next()?.trim();
        let clock: u32 = parts.next()?.trim().parse().ok()?;
        if name.eq_ignore_ascii_case("telephone-event") {
            return (clock == 8_000 || clock == 48_000).then_some(Self::Event(clock));
        }
        if name.eq_ignore_ascii_case("CN") {
            return (clock == 8_000).then_some(Self::Noise);
        }
        if name.eq_ignore_ascii_case("red") {
            return (clock == 8_000 || clock == 48_000).then_some(Self::Redundant(clock));
        }
        let rate = parameter(parameters, "bitrate");
        let codec = AudioCodec::ALL.into_iter().find(|codec| {
            let rated = match codec {
                AudioCodec::G7221At24 => rate == Some("24000"),
                AudioCodec::G7221At32 => rate == Some("32000"),
                AudioCodec::Opus
                | AudioCodec::G722
                | AudioCodec::Pcmu
                | AudioCodec::Pcma
                | AudioCodec::G729 => true,
            };
            rated && codec.encoding_name().eq_ignore_ascii_case(name)
        })?;
        let fits = clock == codec.clock_rate() || (codec, clock) == (AudioCodec::G722, 16_000);
        fits.then_some(Self::Codec(codec))
    }

    /// From a number that needs no mapping.
    pub(super) fn from_static(number: u8) -> Option<Self> {
        if number == NOISE {
            return Some(Self::Noise);
        }
        AudioCodec::ALL
            .into_iter()
            .find(|codec| number < 96 && codec.usual_payload_type() == number)
            .map(Self::Codec)
    }

    /// The value of its `a=rtpmap`. Opus always says two channels (RFC 7587 section 7).
    pub(super) fn rtpmap(self) -> String {
        match self {
            Self::Codec(AudioCodec::Opus) => "opus/48000/2".to_owned(),
            Self::Codec(codec) => format!("{}/{}", codec.encoding_name(), codec.clock_rate()),
            Self::Event(clock) => format!("telephone-event/{clock}"),
            Self::Noise => "CN/8000".to_owned(),
            // As many channels as the codec (RFC 2198 section 5).
            Self::Redundant(48_000) => "red/48000/2".to_owned(),
            Self::Redundant(clock) => format!("red/{clock}"),
        }
    }

    /// The value of its `a=fmtp`, if it needs one. `annex_b`: G.729 may leave silence out; not
    /// saying so would mean that it may (RFC 4856 section 2.1.9). `dtx`: Opus may leave silence
    /// out; not saying so means that it may not (RFC 7587 section 6.1).
    pub(super) fn fmtp(self, annex_b: bool, dtx: bool) -> Option<&'static str> {
        match self {
            Self::Codec(AudioCodec::Opus) if dtx => Some("minptime=10;useinbandfec=1;usedtx=1"),
            Self::Codec(AudioCodec::Opus) => Some("minptime=10;useinbandfec=1"),
            Self::Codec(AudioCodec::G7221At24) => Some("bitrate=24000"),
            Self::Codec(AudioCodec::G7221At32) => Some("bitrate=32000"),
            Self::Codec(AudioCodec::G729) if annex_b => Some("annexb=yes"),
            Self::Codec(AudioCodec::G729) => Some("annexb=no"),
            // What redundant packets hold is said with the numbers of a description at hand.
            Self::Codec(AudioCodec::G722 | AudioCodec::Pcmu | AudioCodec::Pcma)
            | Self::Noise
            | Self::Redundant(_) => None,
            Self::Event(_) => Some("0-15"),
        }
    }

    /// The number it gets unless the other side has named another one first.
    fn usual(self) -> u8 {
        match self {
            Self::Codec(codec) => codec.usual_payload_type(),
            Self::Event(8_000) => 101,
            Self::Event(_) => 102,
            Self::Noise => NOISE,
            Self::Redundant(8_000) => 121,
            Self::Redundant(_) => 122,
        }
    }
}

/// The value of one of the parameters in `a=fmtp`: `name=value;name=value`.
pub(super) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Our numbering. A number keeps its meaning for the whole call (RFC 3264 section 8.3.2).
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    taken: Vec<(u8, Format)>,
}

impl Numbers {
    /// The number of a format in our next description.
    pub(super) fn of(&mut self, format: Format) -> u8 {
        // The latest one wins: it is the one that the other side uses now.
        if let Some((number, _)) = self.taken.iter().rev().find(|(_, known)| *known == format) {
            return *number;
        }
        let usual = format.usual();
        let number = std::iter::once(usual)
            .chain(96..=127)
            .find(|number| self.meaning(*number).is_none())
            .unwrap_or(usual);
        self.taken.push((number, format));
        number
    }

    /// Takes over a number that the other side has chosen, as answers should (RFC 3264 section
    /// 6.1), unless it meant something else before; gives the number to use.
    pub(super) fn adopt(&mut self, format: Format, theirs: u8) -> u8 {
        match self.meaning(theirs) {
            Some(known) if known != format => self.of(format),
            Some(_) | None => {
                self.taken.retain(|entry| *entry != (theirs, format));
                self.taken.push((theirs, format));
                theirs
            }
        }
    }

    fn meaning(&self, number: u8) -> Option<Format> {
        self.taken.iter().find(|(known, _)| *known == number).map(|(_, format)| *format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_meaning() {
        let mut numbers = Numbers::default();
        let (opus, event) = (Format::Codec(AudioCodec::Opus), Format::Event(8_000));
        assert_eq!(numbers.adopt(opus, 101), 101);
        // 101 is taken, so events move.
        assert_eq!(numbers.of(event), 96);
        assert_eq!(numbers.adopt(event, 101), 96);
        assert_eq!(numbers.adopt(event, 97), 97);
        assert_eq!(numbers.of(event), 97);
        assert_eq!(numbers.of(opus), 101);
    }

    #[test]
    fn names_are_read_in_any_case_and_with_known_errors() {
        for (text, format) in [
            ("opus/48000/2", Some(Format::Codec(AudioCodec::Opus))),
            ("OPUS/48000", Some(Format::Codec(AudioCodec::Opus))),
            ("pcmu/8000/1", Some(Format::Codec(AudioCodec::Pcmu))),
            ("G722/16000", Some(Format::Codec(AudioCodec::G722))),
            ("telephone-event/48000", Some(Format::Event(48_000))),
            ("telephone-event/16000", None),
            ("PCMU/16000", None),
            ("speex/8000", None),
            ("CN/8000", Some(Format::Noise)),
            ("CN/16000", None),
            ("g729/8000", Some(Format::Codec(AudioCodec::G729))),
            ("G7221/16000", None),
            ("opus", None),
            ("", None),
        ] {
            assert_eq!(Format::from_rtpmap(text, ""), format, "{text}");
        }
    }

    #[test]
    fn the_bit_rate_tells_which_of_two_codecs_it_is() {
        for (parameters, codec) in [
            ("bitrate=24000", Some(AudioCodec::G7221At24)),
            ("x=1; Bitrate = 32000", Some(AudioCodec::G7221At32)),
            // Annex C of the Recommendation at 48 kbit/s is another codec.
            ("bitrate=48000", None),
            ("bitrate", None),
        ] {
            let format = Format::from_rtpmap("G7221/16000", parameters);
            assert_eq!(format, codec.map(Format::Codec), "{parameters}");
        }
    }
}
