//! Keeps the store between a device's clock and ours small and never empty.
//!
//! A device hands over bursts at its own pace, the engine works in ticks at another. What lies
//! in the ring between them is delay; an empty ring is a gap. The lowest level over half a second
//! tells both: it is steered to a few milliseconds by converting a little faster or slower (at
//! most 0.4 %, which nobody hears), and a gap raises what is aimed at. What lies there for half a second
//! beyond that and does not come from a clock (what gathered while a device started, what a device that was
//! held up hands over afterwards) is thrown away, since it would be delay for long.

use super::MS;

/// What to do with the next frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Correction {
    /// How much faster to empty the ring: 1 is the nominal pace.
    pub(crate) ratio: f64,
    /// Samples to throw away at once, for a store that no correction would bring down.
    pub(crate) skip: usize,
}

/// Looks at the level once a tick.
pub(crate) struct Steer {
    rate: f64,
    /// The least that is aimed at, and what is aimed at.
    base: f64,
    target: f64,
    lowest: usize,
    /// It ran empty in this half of a second.
    gap: bool,
    ticks: u32,
    ratio: f64,
}

const BASE_MS: f64 = 3.0;
const EVEN_MS: f64 = 2.0;
const MOST_MS: f64 = 25.0;
const FAR_MS: f64 = 10.0;
const WINDOW: u32 = 25;

impl Steer {
    /// For a store of samples at `rate` per second that a device fills or empties in bursts.
    pub(crate) fn new(rate: u32) -> Self {
        Self::aiming_at(BASE_MS, rate)
    }

    /// For a store whose level is told as if the device worked evenly.
    #[cfg(target_os = "linux")]
    pub(crate) fn even(rate: u32) -> Self {
        Self::aiming_at(EVEN_MS, rate)
    }

    fn aiming_at(base_ms: f64, rate: u32) -> Self {
        let rate = f64::from(rate);
        let base = base_ms * rate / MS;
        Self { rate, base, target: base, lowest: usize::MAX, gap: false, ticks: 0, ratio: 1.0 }
    }

    /// The level aimed at, in samples.
    pub(crate) fn target(&self) -> usize {
        self.target as usize
    }

    /// `level` is what the ring holds at its lowest in this tick; `gap` says that it ran empty.
    pub(crate) fn observe(&mut self, level: usize, gap: bool) -> Correction {
        // One hold-up is one gap, over however many ticks.
        if gap && !std::mem::replace(&mut self.gap, true) {
            self.target = (self.target + 2.0 * self.rate / MS).min(MOST_MS * self.rate / MS);
        }
        self.lowest = self.lowest.min(level);
        self.ticks += 1;
        let mut skip = 0;
        if self.ticks >= WINDOW {
            let error = (self.lowest as f64 - self.target) / self.rate;
            if error * MS > FAR_MS {
                skip = (error * self.rate) as usize;
                self.ratio = 1.0;
            } else {
                // Half of the error within two seconds.
                self.ratio = 1.0 + (error / 4.0).clamp(-0.004, 0.004);
            }
            self.target = (self.target - 0.05 * self.rate / MS).max(self.base);
            self.lowest = usize::MAX;
            self.gap = false;
            self.ticks = 0;
        }
        Correction { ratio: self.ratio, skip }
    }
}

#[cfg(test)]
mod tests {
    use super::Steer;

    /// A device whose clock runs by `drift` fast, in bursts of 10 ms, against ticks of 20 ms.
    fn check(drift: f64, start: f64, seconds: usize) -> (f64, usize) {
        let mut steer = Steer::new(48_000);
        let (mut level, mut ratio, mut gaps, mut gap) = (start, 1.0, 0, false);
        for tick in 0..seconds * 50 {
            level += 960.0 * (1.0 + drift);
            // Bursts: up to 10 ms of what should be there is not there yet.
            let burst = ((tick * 37) % 480) as f64;
            let seen = level - burst - 960.0 * ratio;
            gap = seen < 0.0;
            if gap && tick > 500 {
                gaps += 1;
            }
            level = (level - 960.0 * ratio).max(0.0);
            let correction = steer.observe(seen.max(0.0) as usize, gap);
            level -= correction.skip as f64;
            ratio = correction.ratio;
        }
        let _ = gap;
        (level / 48.0, gaps)
    }

    #[test]
    fn the_store_settles_at_a_few_milliseconds_whatever_the_clocks_do() {
        for drift in [0.0, 0.000_1, -0.000_1, 0.001, -0.001] {
            for start in [0.0, 2_400.0, 9_600.0] {
                let (ms, gaps) = check(drift, start, 120);
                assert!((3.0..30.0).contains(&ms), "drift {drift} from {start}: {ms} ms");
                assert!(gaps < 20, "drift {drift} from {start}: {gaps} gaps");
            }
        }
    }
}
