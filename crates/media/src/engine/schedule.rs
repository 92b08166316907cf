//! Ticks that do not drift: each is laid from the one before, not from when it was carried out.

use std::time::{Duration, Instant};

/// Where the playing tick wants to lie behind the arrival of a packet.
const BEHIND: Duration = Duration::from_millis(2);

/// After a pause this long (a machine that slept) ticks are left out instead of made up for.
const PAUSE: Duration = Duration::from_millis(200);

/// A packet that came later than it should pushes the tick back by at most this; one that came
/// earlier pulls it forward by a thirtieth of that. So the tick settles where three packets in a
/// hundred come too late for it, and follows the other side's clock.
const PUSH: Duration = Duration::from_micros(60);
const PULL: Duration = Duration::from_micros(2);

/// When this many packets in a row all came this long before their tick, the tick is laid anew.
const PATIENCE: u32 = 50;
const FAR: Duration = Duration::from_millis(4);

/// One row of ticks.
#[derive(Default)]
pub(super) struct Schedule {
    next: Option<Instant>,
    /// Packets since the tick was looked at, and the shortest time one of them waited for it.
    seen: u32,
    shortest: Option<Duration>,
}

impl Schedule {
    /// When the next tick is, if it runs.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Starts with a tick at `now`, or goes on, or ends.
    pub(super) fn run(&mut self, on: bool, now: Instant) {
        self.next = on.then(|| self.next.unwrap_or(now));
    }

    /// Takes a tick that lies at `until` or before; true when there was one.
    pub(super) fn take(&mut self, until: Instant, quantum: Duration) -> bool {
        match self.next {
            Some(next) if next <= until => {
                self.next = Some(next + quantum);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Leaves ticks out after a pause; answers how many.
    pub(super) fn skip(&mut self, now: Instant, quantum: Duration) -> u32 {
        let Some(next) = self.next else { return 0 };
        let late = now.saturating_duration_since(next);
        if late < PAUSE || quantum.is_zero() {
            return 0;
        }
        let count = u32::try_from(late.as_micros() / quantum.as_micros()).unwrap_or(u32::MAX);
        self.next = Some(next + quantum * count);
        count
    }

    /// The first packet of a voice came: the next tick is a moment from now.
    pub(super) fn lay_behind(&mut self, arrival: Instant) {
        if self.next.is_some() {
            self.next = Some(arrival + BEHIND);
        }
    }

    /// Another packet came.
    pub(super) fn lean(&mut self, arrival: Instant) {
        let Some(next) = self.next else { return };
        // Early by up to half a tick, or late: then it is nearer to the tick before.
        let wait = next.saturating_duration_since(arrival);
        let shortest = self.shortest.map_or(wait, |shortest| shortest.min(wait));
        (self.seen, self.shortest) = (self.seen + 1, Some(shortest));
        if self.seen >= PATIENCE {
            (self.seen, self.shortest) = (0, None);
            if shortest > FAR {
                self.next = Some(next - (shortest - BEHIND));
                return;
            }
        }
        if wait > BEHIND && wait < BEHIND + Duration::from_millis(10) {
            self.next = Some(next - PULL.min(wait - BEHIND));
        } else if wait != BEHIND {
            self.next = Some(next + PUSH);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use std::time::{Duration, Instant};

    const TICK: Duration = Duration::from_millis(20);

    #[expect(clippy::disallowed_methods, reason = "some point to count from")]
    fn origin() -> Instant {
        Instant::now() + Duration::from_secs(1_000)
    }

    #[test]
    fn ticks_carried_out_late_do_not_drift() {
        let start = origin();
        let mut schedule = Schedule::default();
        schedule.run(true, start);
        let mut count = 0;
        for n in 0..1_000u64 {
            let late = start + TICK * n as u32 + Duration::from_micros(n * 7_919 % 15_000);
            while schedule.take(late, TICK) {
                count += 1;
            }
        }
        assert_eq!(count, 1_000);
        assert_eq!(schedule.next(), Some(start + TICK * 1_000));
    }

    #[test]
    fn a_long_pause_is_left_out_and_counted() {
        let start = origin();
        let mut schedule = Schedule::default();
        schedule.run(true, start);
        assert_eq!(schedule.skip(start + TICK * 9, TICK), 0);
        assert_eq!(schedule.skip(start + TICK * 500, TICK), 500);
        schedule.run(false, start);
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn a_tick_far_behind_the_packets_is_laid_anew() {
        for offset_ms in [3, 7, 12, 19] {
            let start = origin();
            let mut schedule = Schedule::default();
            schedule.run(true, start);
            let mut arrival = start + Duration::from_millis(offset_ms);
            for _ in 0..200 {
                while schedule.take(arrival, TICK) {}
                schedule.lean(arrival);
                while schedule.take(arrival + Duration::from_millis(4), TICK) {}
                arrival += TICK;
            }
            let wait = schedule.next().expect("runs").saturating_duration_since(arrival);
            assert!(wait < Duration::from_millis(5), "{offset_ms}: {wait:?}");
        }
    }

    #[test]
    fn the_tick_settles_a_moment_behind_the_packets() {
        for drift_us in [-2i64, 0, 2] {
            let start = origin();
            let mut schedule = Schedule::default();
            schedule.run(true, start);
            let mut arrival = start + Duration::from_millis(7);
            schedule.lay_behind(arrival);
            for _ in 0..20_000 {
                schedule.lean(arrival);
                while schedule.take(arrival + Duration::from_millis(4), TICK) {}
                arrival = arrival + TICK + Duration::from_micros(10)
                    - Duration::from_micros((10 - drift_us / 2) as u64);
            }
            let wait = schedule.next().expect("runs").saturating_duration_since(arrival);
            assert!(wait < Duration::from_millis(4), "{drift_us}: {wait:?}");
        }
    }
}
