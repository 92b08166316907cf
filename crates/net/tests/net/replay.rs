//! The corpus of outside bytes and its neighbours, fed to every parser.

use std::fs;
use std::path::Path;

use offhook_net::fuzzing;

/// A small generator (xorshift), so that every run tries the same.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }

    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.throw(4) {
            let at = self.throw(bytes.len());
            match self.throw(4) {
                0 if !bytes.is_empty() => bytes[at] = self.throw(256) as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.throw(8),
                2 => bytes.truncate(at),
                _ => bytes.insert(at, [0, 0xFF, 0xC0, b';', b'=', b' '][self.throw(6)]),
            }
        }
        bytes
    }
}

fn check(target: &str, parse: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a corpus").flatten().map(|file| file.path()).collect();
    files.sort();
    assert!(files.len() > 2, "{target} has seeds");
    let seeds: Vec<_> = files.iter().map(|file| fs::read(file).expect("a seed")).collect();
    let mut dice = Dice(0x0FF4_00C5);
    for seed in &seeds {
        parse(seed);
    }
    for turn in 0..2000 {
        parse(&dice.mutate(&seeds[turn % seeds.len()]));
    }
}

#[test]
fn name_server_messages() {
    check("answer", fuzzing::answer);
}

#[test]
fn socks_clients_and_servers() {
    check("socks", fuzzing::socks);
}

#[test]
fn cookie_headers() {
    check("cookie", fuzzing::cookie);
}

#[test]
fn certificates() {
    check("certificate", fuzzing::certificate);
}

#[test]
fn lists_of_the_kernel() {
    check("netlink", fuzzing::netlink);
}

#[test]
fn answers_of_scripts_and_proxies_and_settings() {
    check("pac_result", fuzzing::pac_result);
    check("connect", fuzzing::connect);
    check("proxy_settings", fuzzing::proxy_settings);
}
