//! Losses that come in bursts and losses that come alone (RFC 3611 section 4.7.2 and appendix
//! A.2): a burst ends with [`GAP`] packets in order.

/// How many packets without a loss end a burst (the RFC's recommendation).
pub const GAP: u8 = 16;

/// What was played and what was missing, as it went.
///
/// The states are those of the four-state model of the RFC: 1 received in a gap, 2 received in a
/// burst, 3 missing in a burst, 4 missing alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bursts {
    played: u64,
    missing: u64,
    /// Packets since the last missing one.
    since: u64,
    /// Missing ones of the burst that may still go on.
    open: u64,
    counts: Counts,
}

/// How often one state followed another.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    in_gap: u64,
    alone: u64,
    bursts: u64,
    received_in_burst: u64,
    received_to_missing: u64,
    missing_to_missing: u64,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BurstFigures {
    /// Share missing within bursts, 0 to 1.
    pub burst_density: f32,
    /// Share missing between bursts.
    pub gap_density: f32,
    /// Mean length of a burst, in packets.
    pub burst_packets: f32,
    /// Mean length between bursts, in packets.
    pub gap_packets: f32,
    /// Mean run of missing packets over the mean that chance would give: `BurstR` of ITU-T G.107, at
    /// least 1.
    pub burst_ratio: f32,
}

impl Bursts {
    /// A packet was there when it was due.
    pub fn played(&mut self) {
        self.played += 1;
        self.since += 1;
    }

    /// One was not.
    pub fn missing(&mut self) {
        let follows = self.missing > 0;
        self.missing += 1;
        if self.since >= u64::from(GAP) || !follows {
            self.counts.close(self.open);
            self.counts.in_gap += self.since;
            self.open = 1;
        } else {
            self.open += 1;
            if self.since == 0 {
                self.counts.missing_to_missing += 1;
            } else {
                self.counts.received_to_missing += 1;
                self.counts.received_in_burst += self.since - 1;
            }
        }
        self.since = 0;
    }

    /// Packets that were due, and those of them that were missing.
    pub fn totals(&self) -> (u64, u64) {
        (self.played + self.missing, self.missing)
    }

    /// The figures so far; a burst that goes on counts as it is.
    pub fn figures(&self) -> BurstFigures {
        let mut counts = self.counts;
        counts.close(self.open);
        counts.in_gap += self.since;
        let ratio = |part: u64, whole: u64| {
            if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
        };
        let from_missing = counts.bursts + counts.received_to_missing + counts.missing_to_missing;
        let back = ratio(counts.received_to_missing, from_missing);
        let inside = counts.received_in_burst + counts.received_to_missing;
        let again = if inside == 0 { 1.0 } else { 1.0 - ratio(counts.received_in_burst, inside) };
        let total = counts.in_gap
            + counts.alone
            + 2 * counts.bursts
            + inside
            + counts.received_to_missing
            + counts.missing_to_missing;
        let gaps = counts.in_gap + counts.alone + counts.bursts;
        let (gap_packets, burst_packets) = match counts.bursts {
            0 => (gaps as f32, 0.0),
            bursts => (ratio(gaps, bursts), ratio(total - gaps, bursts)),
        };
        BurstFigures {
            burst_density: if counts.bursts == 0 { 0.0 } else { again / (again + back) },
            gap_density: ratio(counts.alone, counts.in_gap + counts.alone),
            burst_packets,
            gap_packets,
            burst_ratio: self.burst_ratio(),
        }
    }

    /// Runs are as long as they are by chance when each packet is lost by itself: 1/(1 − loss).
    fn burst_ratio(&self) -> f32 {
        let runs = self.missing - self.counts.missing_to_missing;
        if runs == 0 {
            return 1.0;
        }
        let mean = self.missing as f32 / runs as f32;
        let kept = self.played as f32 / (self.played + self.missing) as f32;
        (mean * kept).max(1.0)
    }
}

impl Counts {
    /// What was missing since the last gap was one packet alone, or a burst.
    fn close(&mut self, missing: u64) {
        match missing {
            0 => {}
            1 => self.alone += 1,
            _ => self.bursts += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> BurstFigures {
        let mut bursts = Bursts::default();
        for packet in pattern.chars() {
            if packet == '.' { bursts.played() } else { bursts.missing() }
        }
        bursts.figures()
    }

    #[test]
    fn nothing_missing_is_one_long_gap() {
        let figures = of(&".".repeat(100));
        assert_eq!((figures.burst_density, figures.gap_density), (0.0, 0.0));
        assert_eq!((figures.burst_packets, figures.gap_packets), (0.0, 100.0));
        assert_eq!(of(""), BurstFigures { burst_ratio: 1.0, ..BurstFigures::default() });
    }

    #[test]
    fn losses_far_apart_are_no_burst() {
        let figures = of(&format!("{}x", ".".repeat(19)).repeat(50));
        assert_eq!(figures.burst_packets, 0.0);
        assert!((figures.gap_density - 0.05).abs() < 1e-6, "{figures:?}");
        assert_eq!(figures.burst_ratio, 1.0);
    }

    /// Ten bursts of eight packets, of which the first, third to sixth and eighth are missing.
    #[test]
    fn bursts_are_told_from_gaps() {
        let figures = of(&format!("{}x.xxxx.x", ".".repeat(92)).repeat(10));
        assert!((figures.burst_density - 0.75).abs() < 0.02, "{figures:?}");
        assert_eq!(figures.gap_density, 0.0);
        assert!((figures.burst_packets - 8.0).abs() < 1.1, "{figures:?}");
        assert!((figures.gap_packets - 93.0).abs() < 1.1, "{figures:?}");
        assert!(figures.burst_ratio > 1.8, "{figures:?}");
    }

    #[test]
    fn fifteen_packets_do_not_end_a_burst_and_sixteen_do() {
        assert!(of(&format!("{}x{}x", ".".repeat(50), ".".repeat(15))).burst_packets > 0.0);
        assert_eq!(of(&format!("{}x{}x", ".".repeat(50), ".".repeat(16))).burst_packets, 0.0);
    }
}
