//! Carries files: one job a transfer, which reads or writes the disk, speaks HTTP (XEP-0363) or
//! SOCKS5 (XEP-0065), and tells what it saw. It decides nothing.

mod disk;
mod job;
mod socks;
mod web;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use offhook_ports::{TransferFact, TransferOrder};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};

use crate::Net;

/// How often progress is told.
const TOLD: Duration = Duration::from_millis(200);

/// Nothing moved for so long: it is over.
const STALLED: Duration = Duration::from_secs(60);

/// How much is read or written at once.
const CHUNK: usize = 64 * 1024;

/// Carries out the orders of one transfer until the last. `downloads` is the folder for files whose
/// place names none.
pub async fn run(
    net: Arc<Net>,
    downloads: PathBuf,
    orders: mpsc::Receiver<TransferOrder>,
    facts: mpsc::Sender<TransferFact>,
) {
    job::Job::new(net, downloads, facts).run(orders).await;
}

/// Any bytes as the two messages of a SOCKS5 client, for fuzzers: what is read fits what was asked.
#[doc(hidden)]
pub fn fuzz_socks(data: &[u8]) {
    socks::fuzz(data);
}

/// Counts bytes and tells of them, not too often and never waiting.
#[derive(Clone, Debug)]
struct Meter {
    facts: mpsc::Sender<TransferFact>,
    done: Arc<AtomicU64>,
}

impl Meter {
    fn new(facts: mpsc::Sender<TransferFact>, from: u64) -> Self {
        Self { facts, done: Arc::new(AtomicU64::new(from)) }
    }

    fn add(&self, bytes: usize) {
        self.done.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn set(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Lets `work` go on, tells of its progress, and gives it up when nothing moves.
    async fn watch<T>(&self, work: impl Future<Output = T>, stalled: T) -> T {
        let mut ticks = interval(TOLD);
        let mut told = self.done();
        let mut moved = Instant::now();
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                _ = ticks.tick() => {
                    let done = self.done();
                    if done != told {
                        (told, moved) = (done, Instant::now());
                        // One that finds the queue full is told by the next.
                        let _ = self.facts.try_send(TransferFact::Progress(done));
                    } else if moved.elapsed() > STALLED {
                        return stalled;
                    }
                }
            }
        }
    }
}
