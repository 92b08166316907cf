//! How late packets come, and what delay that asks for.

use std::time::Duration;

/// Width of a bin of lateness.
const BIN_US: i64 = 5_000;
/// Bins; the last one takes everything later.
const BINS: usize = 64;
/// Share of packets that shall be in time.
const SHARE: f32 = 0.97;
/// What of the old distribution is left after a packet: a memory of about 500 packets, 10 s.
const KEEP: f32 = 1.0 - 1.0 / 500.0;
/// How long the fastest way is remembered: between one and two of these.
const WINDOW_US: i64 = 5_000_000;
/// The target shrinks by at most this per packet: 25 ms per second at 20 ms packets.
const SHRINK_US: i64 = 500;

/// Distribution of lateness and the target that follows from it. Times are microseconds since an
/// epoch of the caller's.
pub(super) struct DelayEstimate {
    min_us: i64,
    max_us: i64,
    target_us: i64,
    bins: [f32; BINS],
    total: f32,
    /// Least transit in the last window and in the present one.
    fastest: [i64; 2],
    window_end: i64,
}

impl DelayEstimate {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        let min_us = min.as_micros() as i64;
        Self {
            min_us,
            max_us: (max.as_micros() as i64).max(min_us),
            target_us: min_us,
            bins: [0.0; BINS],
            total: 0.0,
            fastest: [i64::MAX; 2],
            window_end: 0,
        }
    }

    /// The time line starts anew; the distribution stays, as the network does.
    pub(super) fn forget_way(&mut self) {
        self.fastest = [i64::MAX; 2];
        self.window_end = 0;
    }

    pub(super) fn target_us(&self) -> i64 {
        self.target_us
    }

    /// How much later than over the fastest way something sent at `sent` is at `time`.
    pub(super) fn relative(&self, time: i64, sent: i64) -> i64 {
        let fastest = self.fastest[0].min(self.fastest[1]);
        if fastest == i64::MAX { 0 } else { time - sent - fastest }
    }

    /// A packet of sound came.
    pub(super) fn note(&mut self, arrival: i64, sent: i64) {
        let transit = arrival - sent;
        if arrival >= self.window_end {
            self.fastest = [self.fastest[1], i64::MAX];
            self.window_end = arrival + WINDOW_US;
        }
        self.fastest[1] = self.fastest[1].min(transit);
        let late = self.relative(arrival, sent).max(0);
        for bin in &mut self.bins {
            *bin *= KEEP;
        }
        self.bins[((late / BIN_US) as usize).min(BINS - 1)] += 1.0;
        self.total = self.total * KEEP + 1.0;
        self.follow();
    }

    fn follow(&mut self) {
        let wanted = self.percentile_us().clamp(self.min_us, self.max_us);
        self.target_us = wanted.max(self.target_us - SHRINK_US);
    }

    /// Upper edge of the bin that holds the percentile; nothing when that is the first one, since so
    /// little is no jitter of the network.
    fn percentile_us(&self) -> i64 {
        let mut sum = 0.0;
        for (index, bin) in self.bins.iter().enumerate() {
            sum += bin;
            if sum >= SHARE * self.total {
                return if index == 0 { 0 } else { (index as i64 + 1) * BIN_US };
            }
        }
        BINS as i64 * BIN_US
    }
}
