//! A relay in front of a server that cuts its connections: after a random number of bytes in either
//! direction, so in the middle of whatever is being said, or when it is told to. Before some cuts it
//! swallows what one side or both say for a while, and nobody hears of it: the half-open connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::Dice;

/// Upper bound of the bytes that pass in one direction. A sign-in is about 10,000 of them.
const BUDGET: u64 = 40_000;

/// The relay, until it is dropped.
pub struct Cutter {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    to: u16,
    dice: Mutex<Dice>,
    cuts: AtomicU32,
    silences: AtomicU32,
    calm: AtomicBool,
    over: AtomicBool,
    open: Mutex<Vec<Arc<Connection>>>,
}

/// Both halves of one connection: to the client and to the server.
struct Connection {
    ends: [TcpStream; 2],
    /// What comes from this end is swallowed.
    muted: [AtomicBool; 2],
    cut: AtomicBool,
}

impl Cutter {
    /// A relay to this port of 127.0.0.1.
    ///
    /// # Panics
    /// It cannot listen.
    pub fn start(to: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            to,
            dice: Mutex::new(Dice::new(seed)),
            cuts: AtomicU32::new(0),
            silences: AtomicU32::new(0),
            calm: AtomicBool::new(true),
            over: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || served.serve(&listener));
        Self { port, shared }
    }

    /// How often it has cut.
    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::Relaxed)
    }

    /// How many of the cuts came after a silence.
    pub fn silences(&self) -> u32 {
        self.shared.silences.load(Ordering::Relaxed)
    }

    /// Cuts what is open now.
    pub fn cut(&self) {
        for connection in self.shared.open().drain(..) {
            self.shared.cut(&connection);
        }
    }

    /// From now on it cuts; it begins as a good relay.
    pub fn storm(&self) {
        self.shared.calm.store(false, Ordering::Relaxed);
    }

    /// From now on it is a good relay.
    pub fn calm(&self) {
        self.shared.calm.store(true, Ordering::Relaxed);
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.cut();
        // The listener waits for somebody.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().map_while(Result::ok) {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", self.to)) else { continue };
            let muted = [AtomicBool::new(false), AtomicBool::new(false)];
            let cut = AtomicBool::new(false);
            let connection = Arc::new(Connection { ends: [client, server], muted, cut });
            let mut open = self.open();
            open.retain(|it| !it.cut.load(Ordering::Relaxed));
            open.push(Arc::clone(&connection));
            drop(open);
            for from in [0, 1] {
                let (shared, connection) = (Arc::clone(&self), Arc::clone(&connection));
                let budget = self.below(BUDGET);
                std::thread::spawn(move || shared.pass(&connection, from, budget));
            }
        }
    }

    /// Passes on what this end says until it, or the budget, ends.
    fn pass(&self, connection: &Connection, from: usize, mut budget: u64) {
        let Some([mut source, mut sink]) = connection.pair(from) else { return };
        let mut chunk = [0; 4_096];
        loop {
            let count = source.read(&mut chunk).unwrap_or(0);
            if count == 0 {
                return connection.end();
            }
            if connection.muted[from].load(Ordering::Relaxed) {
                continue;
            }
            let over = count as u64 > budget && !self.calm.load(Ordering::Relaxed);
            let part = if over { usize::try_from(budget).unwrap_or(0) } else { count };
            if sink.write_all(&chunk[..part]).is_err() {
                return connection.end();
            }
            if over {
                self.fall_silent(connection, from);
                return self.cut(connection);
            }
            budget = budget.saturating_sub(count as u64);
        }
    }

    /// In one case of six.
    fn fall_silent(&self, connection: &Connection, from: usize) {
        if self.below(6) > 0 {
            return;
        }
        let both = self.below(2) == 0;
        connection.muted[from].store(true, Ordering::Relaxed);
        connection.muted[1 - from].store(both, Ordering::Relaxed);
        self.silences.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(100 + self.below(1_500)));
    }

    fn cut(&self, connection: &Connection) {
        if !connection.cut.load(Ordering::Relaxed) {
            self.cuts.fetch_add(1, Ordering::Relaxed);
        }
        connection.end();
    }

    fn below(&self, bound: u64) -> u64 {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(bound)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn pair(&self, from: usize) -> Option<[TcpStream; 2]> {
        Some([self.ends[from].try_clone().ok()?, self.ends[1 - from].try_clone().ok()?])
    }

    fn end(&self) {
        self.cut.store(true, Ordering::Relaxed);
        for end in &self.ends {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}
