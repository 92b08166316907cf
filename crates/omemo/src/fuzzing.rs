//! Entry for fuzzers: any bytes as messages of another device.

use offhook_ports::Entropy;

use crate::{Dialect, Key, KeyMessage, Own, Session, payload, wire};

/// Chance that everybody knows.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
    }
}

/// Reads `data` as every kind of message in both dialects; a session survives it unchanged.
pub fn fuzz(data: &[u8]) {
    for dialect in [Dialect::Two, Dialect::Old] {
        let _ = wire::read_message(dialect, data);
        let _ = wire::read_exchange(dialect, data);
        let _ = Session::claimed(dialect, data);
        let (key, rest) = data.split_at(data.len().min(48));
        let _ = payload::open(dialect, key, &[0; 12], rest);
        session(dialect, data);
    }
}

fn session(dialect: Dialect, data: &[u8]) {
    let mut chance = Counting(7);
    let Ok(seed) = Own::draw_seed(&mut chance) else {
        return;
    };
    let Ok(own) = Own::new(dialect, Key::clone(&seed), &mut chance, 0) else {
        return;
    };
    let Ok(bundle) = own.bundle() else {
        return;
    };
    let Ok(mut session) = Session::begin(&own, &bundle, &mut chance) else {
        return;
    };
    for begins in [false, true] {
        let message = KeyMessage { begins, data: data.to_vec() };
        let _ = session.decrypt(&own, &message, &mut chance);
    }
    assert!(session.encrypt(b"still here").is_ok());
}
