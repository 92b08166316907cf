//! Splitting the media port range: lower half audio, upper half video.
//!
//! RTP takes an even port and RTCP the odd one above it.

use offhook_ports::PortRange;

/// A range that cannot carry calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The end lies before the start.
    #[error("the media port range {start}-{end} ends before it starts; swap the two values")]
    Reversed {
        /// First port as given.
        start: u16,
        /// Last port as given.
        end: u16,
    },
    /// Not even one audio and one video stream fit.
    #[error(
        "the media port range {start}-{end} is too small: one call with video needs an even port \
         and the odd one above it in each half, so at least 6 ports"
    )]
    TooSmall {
        /// First port as given.
        start: u16,
        /// Last port as given.
        end: u16,
    },
}

/// The range split in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSplit {
    /// Ports for audio, both ends inclusive.
    pub audio: PortRange,
    /// Ports for video, both ends inclusive.
    pub video: PortRange,
}

impl PortSplit {
    /// Splits at the middle, `start + (end - start) / 2`: audio below it, video from it on. RTP
    /// ports are even, the odd port above each is its RTCP.
    ///
    /// # Errors
    /// [`PortError`] when the range is no range or either half cannot carry one stream.
    pub fn new(range: PortRange) -> Result<Self, PortError> {
        let PortRange { start, end } = range;
        if end < start {
            return Err(PortError::Reversed { start, end });
        }
        let middle = start + (end - start) / 2;
        if middle == start {
            return Err(PortError::TooSmall { start, end });
        }
        let audio = PortRange { start, end: middle - 1 };
        let video = PortRange { start: middle, end };
        if pairs(audio).1 == 0 || pairs(video).1 == 0 {
            return Err(PortError::TooSmall { start, end });
        }
        Ok(Self { audio, video })
    }
}

/// First even port of the range, and how many even ports with the odd one above fit.
fn pairs(range: PortRange) -> (u16, u16) {
    let first = u32::from(range.start).next_multiple_of(2);
    let room = (u32::from(range.end) + 1).saturating_sub(first);
    // `first` passes 65,535 only when `room` is 0.
    (first as u16, (room / 2) as u16)
}

/// Every RTP and RTCP pair of the half once, beginning at a place chosen by `seed` so that
/// restarts and neighbours do not meet on the same ports.
fn walk(range: PortRange, seed: u64) -> impl Iterator<Item = (u16, u16)> {
    let (first, count) = pairs(range);
    let begin = if count == 0 { 0 } else { (seed % u64::from(count)) as u16 };
    (begin..count).chain(0..begin).map(move |index| {
        let rtp = first + 2 * index;
        (rtp, rtp + 1)
    })
}

/// RTP and RTCP ports for audio, each pair once, from a seeded place. Empty when the range cannot
/// be split ([`PortSplit::new`] says why).
pub fn audio_ports(range: PortRange, seed: u64) -> impl Iterator<Item = (u16, u16)> {
    PortSplit::new(range).into_iter().flat_map(move |split| walk(split.audio, seed))
}

/// RTP and RTCP ports for video, in the same way.
pub fn video_ports(range: PortRange, seed: u64) -> impl Iterator<Item = (u16, u16)> {
    PortSplit::new(range).into_iter().flat_map(move |split| walk(split.video, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: (u16, u16), audio: (u16, u16), video: (u16, u16)) {
        let split = PortSplit::new(PortRange { start: range.0, end: range.1 }).unwrap();
        let near = |a: u16, b: u16| assert!(a.abs_diff(b) <= 2, "{a} is not near {b}");
        near(split.audio.start, audio.0);
        near(split.audio.end, audio.1);
        near(split.video.start, video.0);
        near(split.video.end, video.1);
        assert!(split.audio.end < split.video.start);
    }

    #[test]
    fn the_documented_examples_split_as_printed() {
        check((16_384, 32_766), (16_384, 24_574), (24_575, 32_766));
        check((3_000, 4_000), (3_000, 3_501), (3_502, 4_000));
        check((1_000, 3_000), (1_000, 2_000), (2_000, 3_000));
    }

    /// What it comes to exactly, and how far that is from what is printed: the printed examples follow
    /// no one formula (reference qos-ports.md section 2).
    #[test]
    fn the_differences_to_the_documented_examples_are_known() {
        for (range, audio, video, off) in [
            ((16_384, 32_766), (16_384, 24_574), (24_575, 32_766), 0),
            ((3_000, 4_000), (3_000, 3_499), (3_500, 4_000), 2),
            ((1_000, 3_000), (1_000, 1_999), (2_000, 3_000), 1),
        ] {
            let split = PortSplit::new(PortRange { start: range.0, end: range.1 }).unwrap();
            assert_eq!((split.audio.start, split.audio.end), audio);
            assert_eq!((split.video.start, split.video.end), video);
            let printed = match range.0 {
                16_384 => (24_574, 24_575),
                3_000 => (3_501, 3_502),
                _ => (2_000, 2_000),
            };
            assert_eq!(split.audio.end.abs_diff(printed.0), off);
            assert!(split.video.start.abs_diff(printed.1) <= off);
            // Either half carries a call at both of its ends.
            let all: Vec<_> = audio_ports(PortRange { start: range.0, end: range.1 }, 0).collect();
            assert_eq!(all.first().map(|pair| pair.0), Some(range.0));
            assert_eq!(all.last().map(|pair| pair.1), Some(audio.1 - (audio.1 + 1) % 2));
        }
    }

    #[test]
    fn every_pair_comes_once_and_stays_inside() {
        for seed in [0, 1, 7, 12_345, u64::MAX] {
            let range = PortRange { start: 3_001, end: 3_060 };
            let split = PortSplit::new(range).unwrap();
            for (half, pairs) in [
                (split.audio, audio_ports(range, seed).collect::<Vec<_>>()),
                (split.video, video_ports(range, seed).collect::<Vec<_>>()),
            ] {
                let mut seen = pairs.clone();
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), pairs.len());
                assert!(pairs.len() >= 14, "{pairs:?}");
                for (rtp, rtcp) in pairs {
                    assert!(rtp.is_multiple_of(2) && rtcp == rtp + 1);
                    assert!(rtp >= half.start && rtcp <= half.end);
                }
            }
        }
    }

    #[test]
    fn different_seeds_begin_elsewhere() {
        let first = |seed| audio_ports(PortRange::default(), seed).next().unwrap();
        assert_eq!(first(0), (16_384, 16_385));
        assert_eq!(first(10), (16_404, 16_405));
    }

    #[test]
    fn the_end_of_the_port_numbers_is_no_trap() {
        let range = PortRange { start: 65_530, end: 65_535 };
        assert_eq!(video_ports(range, 2).collect::<Vec<_>>(), [(65_532, 65_533), (65_534, 65_535)]);
    }

    #[test]
    fn impossible_ranges_are_refused_in_words() {
        for (start, end, words) in [
            (4_000, 3_000, "ends before"),
            (3_000, 3_000, "too small"),
            (3_000, 3_003, "too small"),
            (3_001, 3_005, "too small"),
        ] {
            let error = PortSplit::new(PortRange { start, end }).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(audio_ports(PortRange { start, end }, 1).count(), 0);
        }
        assert!(PortSplit::new(PortRange { start: 3_000, end: 3_005 }).is_ok());
    }
}
