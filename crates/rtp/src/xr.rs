//! Extended reports (RFC 3611): the blocks that calls use. They tell the round trip to who sends
//! nothing, and how a stream sounds where it is heard.

use crate::rtcp::{NtpTime, ReportBlock, Writer, word};

/// Packet type of extended reports.
pub(crate) const PACKET_TYPE: u8 = 207;

/// Sources that one DLRR block tells of; more are passed over.
const MAX_ANSWERS: usize = 31;

/// When a receiver's reference time came (one entry of a DLRR block, RFC 3611 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dlrr {
    /// Who had sent the reference time.
    pub ssrc: u32,
    /// The middle of it.
    pub last_rr: u32,
    /// Time since it came, in 1/65,536 s.
    pub delay: u32,
}

impl Dlrr {
    /// The round trip, as [`ReportBlock::round_trip`].
    pub fn round_trip(&self, now: NtpTime) -> Option<std::time::Duration> {
        let block = ReportBlock {
            last_sr: self.last_rr,
            delay_since_last_sr: self.delay,
            ..ReportBlock::default()
        };
        block.round_trip(now)
    }
}

/// How a stream sounds where it is heard (RFC 3611 section 4.7), in the units of the RFC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VoipMetrics {
    /// Whose stream.
    pub ssrc: u32,
    /// Packets that never came, of all, in 1/256.
    pub loss_rate: u8,
    /// Packets that came and were not played, of all, in 1/256.
    pub discard_rate: u8,
    /// What was missing within bursts, in 1/256.
    pub burst_density: u8,
    /// What was missing between bursts, in 1/256.
    pub gap_density: u8,
    /// Mean length of a burst in milliseconds.
    pub burst_duration: u16,
    /// Mean length between bursts in milliseconds.
    pub gap_duration: u16,
    /// The last round trip in milliseconds; 0 when there is none.
    pub round_trip: u16,
    /// What the reporter adds from microphone to loudspeaker, in milliseconds; 0 when unknown.
    pub end_system: u16,
    /// Level of the speech in dBm0; [`UNKNOWN_LEVEL`] when unknown.
    pub signal_level: i8,
    /// Level of the noise in pauses in dBm0; [`UNKNOWN_LEVEL`] when unknown.
    pub noise_level: i8,
    /// How much fainter the echo is, in dB; [`UNKNOWN`] when unknown.
    pub echo_loss: u8,
    /// How many packets without a loss end a burst.
    pub gap_threshold: u8,
    /// Rating factor of G.107, 0 to 100; [`UNKNOWN`] when unknown.
    pub r_factor: u8,
    /// The same of the network outside; [`UNKNOWN`] when unknown.
    pub external_r_factor: u8,
    /// Listening quality in tenths, 10 to 50; [`UNKNOWN`] when unknown.
    pub mos_listening: u8,
    /// Conversational quality in tenths; [`UNKNOWN`] when unknown.
    pub mos_conversation: u8,
    /// How gaps are concealed and what kind of jitter buffer there is (RFC 3611 section 4.7.6).
    pub receiver: u8,
    /// What the jitter buffer adds at present, in milliseconds.
    pub buffer_nominal: u16,
    /// The most that it adds at present.
    pub buffer_maximum: u16,
    /// The most that it may ever add.
    pub buffer_limit: u16,
}

/// Nothing is known of this figure.
pub const UNKNOWN: u8 = 127;
/// The same for a level.
pub const UNKNOWN_LEVEL: i8 = 127;

/// The receiver configuration that we tell: enhanced concealment (3), an adaptive buffer (3) that
/// adjusts within about a second (rate 7).
pub const RECEIVER: u8 = 3 << 6 | 3 << 4 | 7;

/// One block of an extended report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// When the report was made, by the reporter's clock (section 4.4).
    ReferenceTime(NtpTime),
    /// What came of reference times (section 4.5).
    Answers(Vec<Dlrr>),
    /// How a stream sounds (section 4.7).
    Voip(VoipMetrics),
    /// By block type.
    Other(u8),
}

/// Reads the blocks of a report after its SSRC; a broken one ends the list. At most one block a word.
pub(crate) fn read(mut bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    while let Some(head) = word(bytes, 0) {
        let length = 4 * ((head & 0xffff) as usize + 1);
        let Some(body) = bytes.get(4..length) else { break };
        blocks.push(read_block((head >> 24) as u8, body));
        bytes = &bytes[length..];
    }
    blocks
}

fn read_block(kind: u8, body: &[u8]) -> Block {
    let known = match kind {
        4 => word(body, 0).zip(word(body, 4)).map(|(high, low)| {
            Block::ReferenceTime(NtpTime(u64::from(high) << 32 | u64::from(low)))
        }),
        5 => {
            let entry = |index| {
                let at = 12 * index;
                Some(Dlrr {
                    ssrc: word(body, at)?,
                    last_rr: word(body, at + 4)?,
                    delay: word(body, at + 8)?,
                })
            };
            Some(Block::Answers((0..MAX_ANSWERS).map_while(entry).collect()))
        }
        7 => VoipMetrics::read(body).map(Block::Voip),
        _ => None,
    };
    known.unwrap_or(Block::Other(kind))
}

impl VoipMetrics {
    fn read(body: &[u8]) -> Option<Self> {
        let [ssrc, rates, durations, delays, levels, quality, config, buffer] =
            [0, 4, 8, 12, 16, 20, 24, 28].map(|at| word(body, at));
        let (rates, levels) = (rates?.to_be_bytes(), levels?.to_be_bytes());
        let quality = quality?.to_be_bytes();
        let halves = |word: u32| ((word >> 16) as u16, word as u16);
        let (durations, delays, buffer) = (halves(durations?), halves(delays?), halves(buffer?));
        Some(Self {
            ssrc: ssrc?,
            loss_rate: rates[0],
            discard_rate: rates[1],
            burst_density: rates[2],
            gap_density: rates[3],
            burst_duration: durations.0,
            gap_duration: durations.1,
            round_trip: delays.0,
            end_system: delays.1,
            signal_level: levels[0] as i8,
            noise_level: levels[1] as i8,
            echo_loss: levels[2],
            gap_threshold: levels[3],
            r_factor: quality[0],
            external_r_factor: quality[1],
            mos_listening: quality[2],
            mos_conversation: quality[3],
            receiver: (config? >> 24) as u8,
            buffer_nominal: config? as u16,
            buffer_maximum: buffer.0,
            buffer_limit: buffer.1,
        })
    }

    fn words(&self) -> [u32; 8] {
        let halves = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
        [
            self.ssrc,
            u32::from_be_bytes([
                self.loss_rate,
                self.discard_rate,
                self.burst_density,
                self.gap_density,
            ]),
            halves(self.burst_duration, self.gap_duration),
            halves(self.round_trip, self.end_system),
            u32::from_be_bytes([
                self.signal_level as u8,
                self.noise_level as u8,
                self.echo_loss,
                self.gap_threshold,
            ]),
            u32::from_be_bytes([
                self.r_factor,
                self.external_r_factor,
                self.mos_listening,
                self.mos_conversation,
            ]),
            u32::from(self.receiver) << 24 | u32::from(self.buffer_nominal),
            halves(self.buffer_maximum, self.buffer_limit),
        ]
    }
}

/// What we write: each part at most once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extended<'a> {
    /// Our clock.
    pub reference_time: Option<NtpTime>,
    /// What came of their reference time.
    pub answer: Option<Dlrr>,
    /// How they sound here.
    pub voip: Option<&'a VoipMetrics>,
}

impl Extended<'_> {
    /// Writes the report of `ssrc`, or nothing when there is nothing to tell. 72 bytes at most.
    pub(crate) fn write(&self, writer: &mut Writer<'_>, ssrc: u32) {
        let words = 3 * usize::from(self.reference_time.is_some())
            + 4 * usize::from(self.answer.is_some())
            + 9 * usize::from(self.voip.is_some());
        if words == 0 {
            return;
        }
        writer.head(0, PACKET_TYPE, 1 + words);
        writer.words(&[ssrc]);
        if let Some(time) = self.reference_time {
            writer.words(&[4 << 24 | 2, (time.0 >> 32) as u32, time.0 as u32]);
        }
        if let Some(answer) = self.answer {
            writer.words(&[5 << 24 | 3, answer.ssrc, answer.last_rr, answer.delay]);
        }
        if let Some(voip) = self.voip {
            writer.words(&[7 << 24 | 8]);
            writer.words(&voip.words());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{self, Rtcp};

    fn voip() -> VoipMetrics {
        VoipMetrics {
            ssrc: 0x0102_0304,
            loss_rate: 5,
            discard_rate: 6,
            burst_density: 7,
            gap_density: 8,
            burst_duration: 0x0910,
            gap_duration: 0x1112,
            round_trip: 0x1314,
            end_system: 0x1516,
            signal_level: -21,
            noise_level: -60,
            echo_loss: 23,
            gap_threshold: 16,
            r_factor: 92,
            external_r_factor: UNKNOWN,
            mos_listening: 43,
            mos_conversation: 41,
            receiver: RECEIVER,
            buffer_nominal: 0x2122,
            buffer_maximum: 0x2324,
            buffer_limit: 0x2526,
        }
    }

    #[test]
    fn what_is_written_is_read_and_lies_as_the_rfc_draws_it() {
        let answer = Dlrr { ssrc: 3, last_rr: 4, delay: 5 };
        let metrics = voip();
        let extended = Extended {
            reference_time: Some(NtpTime(0x0102_0304_0506_0708)),
            answer: Some(answer),
            voip: Some(&metrics),
        };
        let mut out = [0; 400];
        let length =
            rtcp::write_compound(&mut out, 9, None, None, "x", extended, true).expect("room");
        let packets = rtcp::parse(&out[..length]).expect("a compound");
        assert_eq!(
            packets[2],
            Rtcp::Extended {
                ssrc: 9,
                blocks: vec![
                    Block::ReferenceTime(NtpTime(0x0102_0304_0506_0708)),
                    Block::Answers(vec![answer]),
                    Block::Voip(metrics),
                ],
            }
        );
        assert_eq!(packets[3], Rtcp::Goodbye(vec![9]));
        // Sections 2 and 4.7, byte by byte.
        let report = &out[20..length - 8];
        assert_eq!(report[..8], [0x80, 207, 0, 17, 0, 0, 0, 9]);
        assert_eq!(
            report[36..],
            [
                7, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                235, 196, 23, 16, 92, 127, 43, 41, 0xf7, 0, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26
            ]
        );
    }

    #[test]
    fn broken_and_unknown_blocks_harm_nothing() {
        assert_eq!(read(&[]), []);
        assert_eq!(read(&[4, 0, 0, 2, 0, 0, 0, 1]), []);
        assert_eq!(read(&[4, 0, 0, 0, 9, 0, 0, 0]), [Block::Other(4), Block::Other(9)]);
        assert_eq!(read(&[7, 0, 0, 1, 0, 0, 0, 1]), [Block::Other(7)]);
        assert_eq!(read(&[5, 0, 0, 1, 0, 0, 0, 1]), [Block::Answers(vec![])]);
        assert!(read(&[255; 65_536]).is_empty());
        assert_eq!(read(&[0; 65_536]).len(), 16_384);
    }
}
