//! Networks that sound has to survive, and what becomes of each packet on them. Seeded by the packet's
//! number: every phone's n-th packet meets the same fate in every run.

use std::time::Duration;

/// A network, in one direction.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// As the table names it.
    pub name: &'static str,
    /// Share of packets lost, in percent.
    pub loss: f64,
    /// Mean length of a run of losses (Gilbert); 1 loses each packet by itself.
    pub burst: f64,
    /// Each packet is late by up to this many milliseconds, evenly spread; they overtake each other.
    pub jitter: f64,
    /// Bits a second with IP and UDP headers, behind a queue of 300 ms; 0 for any number.
    pub rate: f64,
    /// Share of packets, in percent, that come 45 ms late, behind the next two.
    pub swapped: f64,
}

const CLEAN: Network =
    Network { name: "clean", loss: 0.0, burst: 1.0, jitter: 0.0, rate: 0.0, swapped: 0.0 };

/// All that are measured, in the order of the table.
pub const ALL: [Network; 14] = [
    CLEAN,
    Network { name: "loss1", loss: 1.0, ..CLEAN },
    Network { name: "loss5", loss: 5.0, ..CLEAN },
    Network { name: "loss10", loss: 10.0, ..CLEAN },
    Network { name: "loss20", loss: 20.0, ..CLEAN },
    Network { name: "bursts", loss: 5.0, burst: 3.0, ..CLEAN },
    Network { name: "jitter20", jitter: 20.0, ..CLEAN },
    Network { name: "jitter60", jitter: 60.0, ..CLEAN },
    Network { name: "jitter200", jitter: 200.0, ..CLEAN },
    Network { name: "loss5+jitter60", loss: 5.0, jitter: 60.0, ..CLEAN },
    Network { name: "rate300", rate: 300_000.0, ..CLEAN },
    Network { name: "rate100", rate: 100_000.0, ..CLEAN },
    Network { name: "rate50", rate: 50_000.0, ..CLEAN },
    Network { name: "reorder", swapped: 5.0, ..CLEAN },
];

/// What is longer than this in the queue of a slow line is dropped.
const QUEUE: Duration = Duration::from_millis(300);

/// The way of one call.
pub struct Way {
    network: Network,
    chance: u64,
    bad: bool,
    /// When the slow line is free again, since the beginning.
    free: Duration,
}

impl Way {
    /// A way that begins now; every call of the same network meets the same.
    pub fn new(network: Network) -> Self {
        Self { network, chance: 0x4e3d_4d0f_51dd_5d5d, bad: false, free: Duration::ZERO }
    }

    /// How long a packet of `bytes` that comes `at` after the beginning is held; nothing: it is lost.
    pub fn pass(&mut self, at: Duration, bytes: usize) -> Option<Duration> {
        let (share, burst) = (self.network.loss / 100.0, self.network.burst);
        let turn = self.chance();
        let lost = if burst <= 1.0 {
            turn < share
        } else {
            let enter = share / (1.0 - share) / burst;
            self.bad = if self.bad { turn >= 1.0 / burst } else { turn < enter };
            self.bad
        };
        let mut held = Duration::from_secs_f64(self.chance() * self.network.jitter / 1_000.0);
        if self.chance() < self.network.swapped / 100.0 {
            held += Duration::from_millis(45);
        }
        if self.network.rate > 0.0 {
            let begin = self.free.max(at);
            if begin - at > QUEUE {
                return None;
            }
            self.free =
                begin + Duration::from_secs_f64((bytes + 28) as f64 * 8.0 / self.network.rate);
            held += self.free - at;
        }
        (!lost).then_some(held)
    }

    /// Between 0 and 1 (xorshift).
    fn chance(&mut self) -> f64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Way};
    use std::time::Duration;

    #[test]
    fn every_network_does_what_it_is_called() {
        for network in ALL {
            let mut way = Way::new(network);
            let (mut lost, mut runs, mut before, mut most) = (0, 0, false, Duration::ZERO);
            for n in 0..20_000 {
                match way.pass(Duration::from_millis(n * 20), 172) {
                    None => {
                        lost += 1;
                        runs += i32::from(!std::mem::replace(&mut before, true));
                    }
                    Some(held) => {
                        before = false;
                        most = most.max(held);
                    }
                }
            }
            let share = f64::from(lost) / 200.0;
            if network.rate != 50_000.0 {
                assert!((share - network.loss).abs() < 0.8, "{}: {share}", network.name);
                let ms = most.as_secs_f64() * 1e3;
                let least = network.jitter * 0.98;
                assert!((least..=network.jitter + 60.0).contains(&ms), "{}: {ms}", network.name);
            }
            if network.burst > 1.0 {
                let length = f64::from(lost) / f64::from(runs);
                assert!((2.6..3.4).contains(&length), "{length}");
            }
        }
    }
}
