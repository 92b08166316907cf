//! A relay that cuts connections after a random number of bytes in either direction, and sometimes
//! falls silent first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// A relay to a server on loopback.
pub struct Lossy {
    pub port: u16,
    /// How often it has cut.
    pub cuts: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<()>,
}

impl Lossy {
    /// Cuts so often in all, and is a good relay from then on.
    #[allow(clippy::disallowed_methods, reason = "a test's own task, ended with it")]
    pub async fn start(to: u16, most: u32, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("address").port();
        let cuts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&cuts);
        let task = tokio::spawn(async move {
            let mut dice = Dice::new(seed);
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
                // A sign-in is about 10,000 bytes: some cuts fall into it.
                let budget = [4_000 + dice.below(40_000), 4_000 + dice.below(40_000)];
                let silent = dice.below(20) == 0;
                tokio::spawn(relay(client, server, budget, silent, most, Arc::clone(&counted)));
            }
        });
        Self { port, cuts, task }
    }

    pub fn cuts(&self) -> u32 {
        self.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(
    client: TcpStream,
    server: TcpStream,
    budget: [u64; 2],
    silent: bool,
    most: u32,
    cuts: Arc<AtomicU32>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = pump(&mut from_client, &mut to_server, budget[0], most, &cuts);
    let down = pump(&mut from_server, &mut to_client, budget[1], most, &cuts);
    let cut = tokio::select! { cut = up => cut, cut = down => cut };
    if cut && silent {
        // Neither side hears of it for a while.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Passes bytes on; true when it is cut. What is over the budget is lost.
async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut budget: u64,
    most: u32,
    cuts: &AtomicU32,
) -> bool {
    let mut chunk = [0; 4096];
    loop {
        let count = match from.read(&mut chunk).await {
            Ok(count) if count > 0 => count,
            Ok(_) | Err(_) => return false,
        };
        let over = (count as u64) > budget && cuts.load(Ordering::Relaxed) < most;
        let part = if over { usize::try_from(budget).unwrap_or(0) } else { count };
        if to.write_all(&chunk[..part]).await.is_err() {
            return false;
        }
        if over {
            cuts.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        budget = budget.saturating_sub(count as u64);
    }
}
