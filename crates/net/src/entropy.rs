//! The system's source of chance, for keys.

use offhook_ports::Entropy;
use ring::rand::{SecureRandom, SystemRandom};

struct System(SystemRandom);

impl Entropy for System {
    fn fill(&mut self, out: &mut [u8]) {
        // Keys out of anything less would be no keys; the system's source does not fail once it runs.
        assert!(self.0.fill(out).is_ok(), "the system gives no random numbers");
    }
}

/// The system's source.
pub fn entropy() -> Box<dyn Entropy> {
    Box::new(System(SystemRandom::new()))
}
