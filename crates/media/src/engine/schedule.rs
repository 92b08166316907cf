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

/// By how much a tick slides towards another row's: 0.4 % of 20 ms, which a microphone's store follows
/// without a gap ([`crate::device`]).
const SLIDE: Duration = Duration::from_micros(80);

/// A row begins to slide when it is this far off.
const OFF: Duration = Duration::from_millis(3);

/// Ticks before it slides for the first time, while the other row finds its place, and after that:
/// a quarter of a minute, then twice as long each time, up to two minutes. Both sides of a call may
/// do this, and each moves what the other one follows.
const FIRST: u32 = 60;
const REST: u32 = 375;
const MOST_REST: u32 = 6_000;

/// One row of ticks.
pub(super) struct Schedule {
    next: Option<Instant>,
    /// Packets since the tick was looked at, and the shortest time one of them waited for it.
    seen: u32,
    shortest: Option<Duration>,
    /// Steps of the way to the other row that are left.
    slides: u32,
    /// Ticks before it may slide, and how many the next time.
    rest: (u32, u32),
}

impl Default for Schedule {
    fn default() -> Self {
        let rest = (FIRST, REST);
        Self { next: None, seen: 0, shortest: None, slides: 0, rest }
    }
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

    /// A tick later, this row comes a little nearer to where packets come that `other` plays: then
    /// one wake-up does for the packet, for playing it and for sending one.
    pub(super) fn draw_near(&mut self, other: &Self, quantum: Duration) {
        let (Some(own), Some(theirs)) = (self.next, other.next) else { return };
        if self.rest.0 > 0 {
            self.rest.0 -= 1;
            return;
        }
        // Behind our tick, in the same period.
        let ahead = (theirs + quantum * 50).saturating_duration_since(own + BEHIND).as_nanos();
        let ahead = Duration::from_nanos((ahead % quantum.as_nanos().max(1)) as u64);
        let (later, far) =
            if ahead * 2 < quantum { (true, ahead) } else { (false, quantum - ahead) };
        if self.slides == 0 {
            if far <= OFF {
                return;
            }
            // So many and no more: what is slid to may move away.
            self.slides = (far.as_nanos() / SLIDE.as_nanos()) as u32;
            self.rest = (0, (self.rest.1 * 2).min(MOST_REST));
        }
        self.slides -= 1;
        if self.slides == 0 {
            self.rest.0 = self.rest.1;
        }
        let step = SLIDE.min(far);
        self.next = if later { Some(own + step) } else { own.checked_sub(step) };
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

    /// Where the ticks of one row lie before those of another, less than half a period.
    fn before(row: &Schedule, other: &Schedule) -> f64 {
        let (own, theirs) = (row.next().expect("runs"), other.next().expect("runs"));
        let ahead = (theirs + TICK * 50 - own).as_secs_f64() * 1_000.0 % 20.0;
        if ahead < 10.0 { ahead } else { ahead - 20.0 }
    }

    #[test]
    fn a_row_slides_to_where_the_packets_come_and_no_faster_than_sound_may_be_stretched() {
        for offset_ms in [0, 1, 4, 9, 11, 16, 19] {
            let start = origin();
            let (mut sending, mut playing) = (Schedule::default(), Schedule::default());
            sending.run(true, start);
            playing.run(true, start + Duration::from_millis(offset_ms));
            for _ in 0..400 {
                let now = sending.next().expect("runs");
                while playing.take(now, TICK) {}
                assert!(sending.take(now, TICK));
                sending.draw_near(&playing, TICK);
                let length = sending.next().expect("runs") - now;
                assert!(length.abs_diff(TICK) <= TICK / 250, "{length:?}");
            }
            let before = before(&sending, &playing);
            assert!((-1.0..5.0).contains(&before), "from {offset_ms} ms: {before} ms before");
        }
    }

    #[test]
    fn two_who_follow_each_other_soon_leave_it() {
        // Each plays where the other's packets come, 7 ms after they were sent, and would like to
        // send then.
        let (start, way) = (origin(), Duration::from_millis(7));
        let mut ends = [(); 2].map(|()| (Schedule::default(), Schedule::default()));
        for (sending, playing) in &mut ends {
            sending.run(true, start);
            playing.run(true, start);
        }
        let mut moved = 0;
        for n in 0..15 * 60 * 50u32 {
            let now = start + TICK * (n + 1);
            for one in [0, 1] {
                let [(first, _), (_, second)] = {
                    let [a, b] = &mut ends;
                    if one == 0 { [a, b] } else { [b, a] }
                };
                let sent = first.next();
                let before = sent;
                while first.take(now, TICK) {}
                second.lay_behind(sent.expect("runs") + way);
                let (sending, playing) = &mut ends[one];
                sending.draw_near(playing, TICK);
                let after = sending.next().expect("runs");
                moved += usize::from(after != before.expect("runs") + TICK);
            }
        }
        // A tenth of the time at most is spent sliding.
        println!("{moved} of {}", 2 * 15 * 60 * 50);
        assert!(moved < 2 * 15 * 60 * 50 / 10, "{moved}");
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
