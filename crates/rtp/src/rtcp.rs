//! RTCP packets (RFC 3550 section 6): reading compounds and writing ours.

use std::time::Duration;

use crate::xr::{self, Block, Extended};

/// Most bytes of a CNAME (RFC 3550 section 6.5).
const MAX_TEXT: usize = 255;

/// Wall-clock time in the form of RFC 3550 section 4: seconds since 1900 in the upper 32 bits,
/// fractions of a second in the lower. Wraps in 2036, as all differences here do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From the time since 1970.
    pub fn from_unix(since_1970: Duration) -> Self {
        const SECONDS_1900_TO_1970: u64 = 2_208_988_800;
        let seconds = since_1970.as_secs().wrapping_add(SECONDS_1900_TO_1970);
        let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
        Self((seconds << 32) | fraction)
    }

    /// The middle 32 bits: 1/65,536 s units, as report blocks carry them.
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// Why bytes are no RTCP compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// A packet is shorter than it says.
    #[error("the report is cut short")]
    Short,
    /// Not version 2.
    #[error("the report is not RTCP version 2")]
    Version,
    /// No room to write.
    #[error("no room for the report")]
    NoRoom,
}

/// How one stream is received (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whose stream.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost in all; negative when duplicates came. 24 bit, signed.
    pub cumulative_lost: i32,
    /// Highest sequence number with the count of wraps above it.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks of the RTP clock.
    pub jitter: u32,
    /// Middle of the NTP time of the last sender report, or 0.
    pub last_sr: u32,
    /// Time since that report came, in 1/65,536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// Percent lost since the last report, 0 to 100, rounded up so that a little is not nothing.
    pub fn loss_percent(&self) -> u8 {
        (u16::from(self.fraction_lost) * 100).div_ceil(256) as u8
    }

    /// The round trip, `now` being when the block came: nothing when it answers no report of
    /// ours, zero when clocks disagree.
    pub fn round_trip(&self, now: NtpTime) -> Option<Duration> {
        if self.last_sr == 0 {
            return None;
        }
        let passed = now.middle().wrapping_sub(self.last_sr);
        let there = passed.wrapping_sub(self.delay_since_last_sr);
        // A negative difference shows as a huge one.
        let units = if there > i32::MAX as u32 { 0 } else { u64::from(there) };
        Some(Duration::from_nanos(units * 1_000_000_000 / 65_536))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let lost = word(bytes, 4)?;
        Some(Self {
            ssrc: word(bytes, 0)?,
            fraction_lost: (lost >> 24) as u8,
            cumulative_lost: ((lost << 8) as i32) >> 8,
            highest_sequence: word(bytes, 8)?,
            jitter: word(bytes, 12)?,
            last_sr: word(bytes, 16)?,
            delay_since_last_sr: word(bytes, 20)?,
        })
    }

    fn words(&self) -> [u32; 6] {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        [
            self.ssrc,
            (u32::from(self.fraction_lost) << 24) | lost,
            self.highest_sequence,
            self.jitter,
            self.last_sr,
            self.delay_since_last_sr,
        ]
    }
}

/// What a sender says of its own stream (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was made, by the sender's clock.
    pub ntp: NtpTime,
    /// The same moment on its RTP clock.
    pub rtp_timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub bytes: u32,
}

/// One packet of a compound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rtcp {
    /// Sender or receiver report.
    Report {
        /// Who reports.
        ssrc: u32,
        /// Present in sender reports.
        sender: Option<SenderInfo>,
        /// At most 31.
        blocks: Vec<ReportBlock>,
    },
    /// Source description: SSRC and CNAME (if given) of each source.
    Description(Vec<(u32, Option<String>)>),
    /// These sources leave.
    Goodbye(Vec<u32>),
    /// An extended report (RFC 3611).
    Extended {
        /// Who reports.
        ssrc: u32,
        /// At most one a word of the packet.
        blocks: Vec<Block>,
    },
    /// Application-defined, feedback: by packet type.
    Other(u8),
}

pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Reads a compound, or a reduced-size packet (RFC 5506). Whole packets before a broken one are
/// not lost: an error comes only when the first packet is broken.
///
/// # Errors
/// [`RtcpError`] when not even one packet can be read.
pub fn parse(datagram: &[u8]) -> Result<Vec<Rtcp>, RtcpError> {
    let mut packets = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        match parse_one(rest) {
            Ok((packet, length)) => {
                packets.push(packet);
                rest = &rest[length..];
            }
            Err(error) if packets.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    if packets.is_empty() { Err(RtcpError::Short) } else { Ok(packets) }
}

fn parse_one(bytes: &[u8]) -> Result<(Rtcp, usize), RtcpError> {
    let head = word(bytes, 0).ok_or(RtcpError::Short)?;
    if head >> 30 != 2 {
        return Err(RtcpError::Version);
    }
    let length = 4 * ((head & 0xffff) as usize + 1);
    let count = (head >> 24 & 31) as usize;
    let whole = bytes.get(..length).ok_or(RtcpError::Short)?;
    let body = &whole[4..without_padding(whole, head & 1 << 29 != 0)];
    let packet = match (head >> 16) as u8 {
        200 => report(body, count, true).ok_or(RtcpError::Short)?,
        201 => report(body, count, false).ok_or(RtcpError::Short)?,
        202 => Rtcp::Description(description(body, count)),
        203 => Rtcp::Goodbye((0..count).map_while(|index| word(body, 4 * index)).collect()),
        xr::PACKET_TYPE => {
            let ssrc = word(body, 0).ok_or(RtcpError::Short)?;
            Rtcp::Extended { ssrc, blocks: xr::read(body.get(4..).unwrap_or_default()) }
        }
        other => Rtcp::Other(other),
    };
    Ok((packet, length))
}

/// End of the content; nonsense padding counts as none.
fn without_padding(whole: &[u8], padded: bool) -> usize {
    let padding = whole.last().map_or(0, |last| usize::from(*last));
    if padded && padding <= whole.len() - 4 { whole.len() - padding } else { whole.len() }
}

fn report(body: &[u8], count: usize, from_sender: bool) -> Option<Rtcp> {
    let ssrc = word(body, 0)?;
    let (sender, first) = if from_sender {
        let ntp = (u64::from(word(body, 4)?) << 32) | u64::from(word(body, 8)?);
        let info = SenderInfo {
            ntp: NtpTime(ntp),
            rtp_timestamp: word(body, 12)?,
            packets: word(body, 16)?,
            bytes: word(body, 20)?,
        };
        (Some(info), 24)
    } else {
        (None, 4)
    };
    let blocks =
        (0..count).map_while(|i| ReportBlock::parse(body.get(first + 24 * i..)?)).collect();
    Some(Rtcp::Report { ssrc, sender, blocks })
}

/// Chunks of a source description; what is broken ends the list.
fn description(body: &[u8], count: usize) -> Vec<(u32, Option<String>)> {
    let mut chunks = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let Some(ssrc) = word(body, at) else { break };
        at += 4;
        let mut cname = None;
        while let Some([kind, length]) = body.get(at..at + 2) {
            if *kind == 0 {
                break;
            }
            let text = body.get(at + 2..at + 2 + usize::from(*length)).unwrap_or_default();
            if *kind == 1 {
                cname = Some(String::from_utf8_lossy(text).into_owned());
            }
            at += 2 + usize::from(*length);
        }
        // At least one zero ends the items, then zeros up to the next word.
        at = at / 4 * 4 + 4;
        chunks.push((ssrc, cname));
    }
    chunks
}

/// Writes into a buffer, remembering when there was no room.
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    full: bool,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        match self.out.get_mut(self.at..self.at + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            None => self.full = true,
        }
    }

    pub(crate) fn words(&mut self, words: &[u32]) {
        for word in words {
            self.bytes(&word.to_be_bytes());
        }
    }

    /// Packet header: count or subtype, packet type, length of the body in words.
    pub(crate) fn head(&mut self, count: usize, packet_type: u8, body_words: usize) {
        let count = (count as u32 & 31) << 24;
        self.words(&[2 << 30 | count | u32::from(packet_type) << 16 | body_words as u32]);
    }

    fn done(self) -> Result<usize, RtcpError> {
        if self.full { Err(RtcpError::NoRoom) } else { Ok(self.at) }
    }
}

/// Writes a compound: sender report if `sender` is given, else receiver report, with at most one
/// block, then our CNAME, then the extended report, then a goodbye if asked. Gives the number of
/// bytes; 480 always suffice.
///
/// # Errors
/// [`RtcpError::NoRoom`].
pub fn write_compound(
    out: &mut [u8],
    ssrc: u32,
    sender: Option<&SenderInfo>,
    block: Option<&ReportBlock>,
    cname: &str,
    extended: Extended<'_>,
    goodbye: bool,
) -> Result<usize, RtcpError> {
    let mut writer = Writer { out, at: 0, full: false };
    let blocks = usize::from(block.is_some());
    match sender {
        Some(info) => {
            writer.head(blocks, 200, 6 + 6 * blocks);
            writer.words(&[
                ssrc,
                (info.ntp.0 >> 32) as u32,
                info.ntp.0 as u32,
                info.rtp_timestamp,
                info.packets,
                info.bytes,
            ]);
        }
        None => {
            writer.head(blocks, 201, 1 + 6 * blocks);
            writer.words(&[ssrc]);
        }
    }
    if let Some(block) = block {
        writer.words(&block.words());
    }
    write_description(&mut writer, ssrc, cname);
    extended.write(&mut writer, ssrc);
    if goodbye {
        writer.head(1, 203, 1);
        writer.words(&[ssrc]);
    }
    writer.done()
}

fn write_description(writer: &mut Writer<'_>, ssrc: u32, cname: &str) {
    let mut length = cname.len().min(MAX_TEXT);
    while !cname.is_char_boundary(length) {
        length -= 1;
    }
    // Item head, text, and the ending zero, filled up to a word.
    let item = (2 + length + 1).next_multiple_of(4);
    writer.head(1, 202, 1 + item / 4);
    writer.words(&[ssrc]);
    writer.bytes(&[1, length as u8]);
    writer.bytes(&cname.as_bytes()[..length]);
    writer.bytes(&[0; 4][..item - 2 - length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Extended<'static> {
        Extended::default()
    }

    fn block() -> ReportBlock {
        ReportBlock {
            ssrc: 7,
            fraction_lost: 13,
            cumulative_lost: -2,
            highest_sequence: 0x1_0005,
            jitter: 80,
            last_sr: 0x1234_5678,
            delay_since_last_sr: 65_536,
        }
    }

    #[test]
    fn compounds_are_read_as_written() {
        let sender = SenderInfo {
            ntp: NtpTime(0x0102_0304_0506_0708),
            rtp_timestamp: 99,
            packets: 5,
            bytes: 800,
        };
        for name in ["", "a", "ab", "abc", "abcd", "alice@host.example"] {
            let mut out = [0; 400];
            let length =
                write_compound(&mut out, 1, Some(&sender), Some(&block()), name, none(), true)
                    .unwrap();
            assert_eq!(length % 4, 0);
            let packets = parse(&out[..length]).unwrap();
            assert_eq!(
                packets,
                [
                    Rtcp::Report { ssrc: 1, sender: Some(sender), blocks: vec![block()] },
                    Rtcp::Description(vec![(1, Some(name.to_owned()))]),
                    Rtcp::Goodbye(vec![1]),
                ]
            );
        }
    }

    #[test]
    fn a_receiver_report_without_blocks_is_legal() {
        let mut out = [0; 400];
        let length = write_compound(&mut out, 9, None, None, "x", none(), false).unwrap();
        let packets = parse(&out[..length]).unwrap();
        assert_eq!(packets[0], Rtcp::Report { ssrc: 9, sender: None, blocks: vec![] });
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let mut out = [0; 400];
        let name = "ä".repeat(200);
        let length = write_compound(&mut out, 9, None, None, &name, none(), false).unwrap();
        let packets = parse(&out[..length]).unwrap();
        assert_eq!(packets[1], Rtcp::Description(vec![(9, Some("ä".repeat(127)))]));
    }

    #[test]
    fn no_room_is_an_error() {
        let mut out = [0; 30];
        assert_eq!(
            write_compound(&mut out, 9, None, Some(&block()), "x", none(), false),
            Err(RtcpError::NoRoom)
        );
    }

    #[test]
    fn broken_compounds_give_what_was_whole() {
        let mut out = [0; 400];
        let length = write_compound(&mut out, 9, None, None, "x", none(), true).unwrap();
        assert_eq!(parse(&out[..length - 1]).unwrap().len(), 2);
        assert_eq!(parse(&out[..7]), Err(RtcpError::Short));
        assert_eq!(parse(&[]), Err(RtcpError::Short));
        assert_eq!(parse(&[0; 8]), Err(RtcpError::Version));
    }

    #[test]
    fn the_round_trip_leaves_out_the_time_at_the_other_side() {
        let sent = NtpTime::from_unix(Duration::from_millis(1_000_000));
        let block = ReportBlock {
            last_sr: sent.middle(),
            delay_since_last_sr: 65_536 / 2,
            ..ReportBlock::default()
        };
        let now = NtpTime::from_unix(Duration::from_millis(1_000_620));
        let trip = block.round_trip(now).unwrap();
        assert!(trip.abs_diff(Duration::from_millis(120)) < Duration::from_millis(1), "{trip:?}");
        assert_eq!(block.round_trip(sent), Some(Duration::ZERO));
        assert_eq!(ReportBlock::default().round_trip(now), None);
    }

    #[test]
    fn loss_is_rounded_up_to_whole_percents() {
        for (fraction, percent) in [(0, 0), (1, 1), (13, 6), (128, 50), (255, 100)] {
            let block = ReportBlock { fraction_lost: fraction, ..ReportBlock::default() };
            assert_eq!(block.loss_percent(), percent);
        }
    }
}
