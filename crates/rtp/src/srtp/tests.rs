//! Against the vectors of RFC 3711 appendix B, RFC 7714 sections 16 and 17, and those that libsrtp
//! checks itself with (`srtp_driver.c`), and against everything that may happen to a packet.

use offhook_model::SrtpSuite::{self, AeadAes256Gcm, AesCm128HmacSha1_32, AesCm128HmacSha1_80};
use zeroize::Zeroizing;

use super::cipher::{Cipher, Index};
use super::keys::{Keys, Use, key_stream};
use super::{OVERHEAD, Receiver, Sender, SrtpError};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

const MASTER: &str = "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6";

#[test]
fn the_key_stream_is_that_of_rfc_3711_b_2() {
    let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
    let salt = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000");
    let mut stream = [0; 48];
    key_stream(&key, salt.try_into().unwrap(), &mut stream).unwrap();
    assert_eq!(
        stream.to_vec(),
        hex("e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab
             41e95b3bb0a2e8dd477901e4fca894c0")
    );
}

#[test]
fn session_keys_are_those_of_rfc_3711_b_3() {
    let keys = Keys::derive(AesCm128HmacSha1_80, &hex(MASTER), Use::Sound).unwrap();
    assert_eq!(keys.encryption.to_vec(), hex("c61e7a93744f39ee10734afe3ff7a087"));
    assert_eq!(keys.salt.to_vec(), hex("30cbbc08863d8c85d49db34a9ae1"));
    assert_eq!(keys.authentication.to_vec(), hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
    let wrong = Keys::derive(AeadAes256Gcm, &hex(MASTER), Use::Sound).err();
    assert_eq!(wrong, Some(SrtpError::KeyLength));
}

#[test]
fn packets_of_libsrtp_are_made_and_read() {
    let plain = hex("800f1234decafbadcafebabe abababababababababababababababab");
    for (suite, sealed) in [
        (
            AesCm128HmacSha1_80,
            "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
        ),
        (AesCm128HmacSha1_32, "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc"),
    ] {
        let mut sender = Sender::new(suite, &hex(MASTER)).unwrap();
        let mut packet = plain.clone();
        packet.resize(plain.len() + OVERHEAD, 0);
        let length = sender.protect(&mut packet, plain.len()).unwrap();
        assert_eq!(packet[..length], hex(sealed));
        let mut receiver = Receiver::new(suite, &hex(MASTER)).unwrap();
        let inside = receiver.unprotect(&mut packet[..length]).unwrap();
        assert_eq!(packet[..inside], plain);
    }
}

#[test]
fn reports_of_libsrtp_are_made_and_read() {
    let plain = hex("81c8000bcafebabe abababababababababababababababab");
    // libsrtp counts reports from 1, the RFC from 0.
    let sealed = "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798";
    for suite in [AesCm128HmacSha1_80, AesCm128HmacSha1_32] {
        let mut sender = Sender::new(suite, &hex(MASTER)).unwrap();
        let mut packet = vec![];
        let mut length = 0;
        for _ in 0..2 {
            packet = plain.clone();
            packet.resize(plain.len() + OVERHEAD, 0);
            length = sender.protect_report(&mut packet, plain.len()).unwrap();
        }
        assert_eq!(packet[..length], hex(sealed));
        let mut receiver = Receiver::new(suite, &hex(MASTER)).unwrap();
        let inside = receiver.unprotect_report(&mut packet[..length]).unwrap();
        assert_eq!(packet[..inside], plain);
    }
}

/// Session keys as RFC 7714 gives them, without derivation.
fn galois(what: Use) -> Cipher {
    let mut salt = [0; 14];
    salt[..12].copy_from_slice(&hex("517569642070726f2071756f"));
    let keys = Keys {
        encryption: Zeroizing::new((0..32).collect()),
        authentication: Zeroizing::new(vec![]),
        salt: Zeroizing::new(salt),
    };
    Cipher::with(AeadAes256Gcm, &keys, what).unwrap()
}

#[test]
fn packets_of_rfc_7714_are_made_and_read() {
    let plain = hex("8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e697320646976697361
         20696e207061727465732074726573");
    let sealed = hex(
        "8040f17b8041f8d35501a0b2 32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f
         1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
    let cipher = galois(Use::Sound);
    let number = Index::Sound { source: 0x5501_a0b2, rollover: 0, sequence: 0xf17b };
    let mut packet = plain.clone();
    packet.resize(plain.len() + OVERHEAD, 0);
    let length = cipher.seal(&mut packet, 12, plain.len(), number, [0; 4]).unwrap();
    assert_eq!(packet[..length], sealed);
    let inside = cipher.open(&mut packet[..length], 12, number, [0; 4]).unwrap();
    assert_eq!(packet[..inside], plain);
}

#[test]
fn reports_of_rfc_7714_are_made_and_read() {
    let plain = hex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
         deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let sealed = hex(
        "81c8000d4d617273 d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658
         c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
    );
    let (any, mut sender) = (vec![7; 44], Sender::new(AeadAes256Gcm, &[7; 44]).unwrap());
    sender.reports = galois(Use::Reports);
    sender.report = 0x5d4;
    let mut packet = plain.clone();
    packet.resize(plain.len() + OVERHEAD, 0);
    let length = sender.protect_report(&mut packet, plain.len()).unwrap();
    assert_eq!(packet[..length], sealed);
    let mut receiver = Receiver::new(AeadAes256Gcm, &any).unwrap();
    receiver.reports = galois(Use::Reports);
    let inside = receiver.unprotect_report(&mut packet[..length]).unwrap();
    assert_eq!(packet[..inside], plain);
}

/// A sender and a receiver under one key.
fn pair(suite: SrtpSuite) -> (Sender, Receiver) {
    let (key, salt) = suite.key_and_salt();
    let master: Vec<u8> = (1..=(key + salt) as u8).collect();
    (Sender::new(suite, &master).unwrap(), Receiver::new(suite, &master).unwrap())
}

fn sealed(sender: &mut Sender, sequence: u16, source: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(source.to_be_bytes());
    packet.extend(b"a frame of sound");
    let plain = packet.len();
    packet.resize(plain + OVERHEAD, 0);
    let length = sender.protect(&mut packet, plain).unwrap();
    packet.truncate(length);
    packet
}

#[test]
fn the_numbers_wrap_and_packets_come_late() {
    for suite in SrtpSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let mut late = vec![];
        for number in 0..70_000u32 {
            let mut packet = sealed(&mut sender, (number + 65_000) as u16, 1);
            match number % 50 {
                // Some are lost, some come after the next 49, the wrap between or not.
                17 => {}
                18 => late = packet,
                _ => assert!(receiver.unprotect(&mut packet).is_ok(), "{suite:?} {number}"),
            }
            if number % 50 == 49 {
                let mut again = late.clone();
                assert!(receiver.unprotect(&mut late).is_ok(), "{suite:?} {number}");
                assert_eq!(receiver.unprotect(&mut again), Err(SrtpError::Replayed));
            }
        }
    }
}

#[test]
fn another_source_begins_anew_and_the_first_goes_on() {
    let (mut sender, mut receiver) = pair(AesCm128HmacSha1_80);
    for sequence in [65_534, 65_535, 0, 1] {
        assert!(receiver.unprotect(&mut sealed(&mut sender, sequence, 1)).is_ok());
    }
    let (mut other, _) = pair(AesCm128HmacSha1_80);
    assert!(receiver.unprotect(&mut sealed(&mut other, 9, 2)).is_ok());
    assert!(receiver.unprotect(&mut sealed(&mut sender, 2, 1)).is_ok());
}

#[test]
fn nothing_that_was_touched_is_believed() {
    for suite in SrtpSuite::ALL {
        let (mut sender, _) = pair(suite);
        let good = sealed(&mut sender, 5, 1);
        for place in 0..good.len() {
            for bit in 0..8 {
                let mut packet = good.clone();
                packet[place] ^= 1 << bit;
                let (_, mut receiver) = pair(suite);
                assert!(receiver.unprotect(&mut packet).is_err(), "{suite:?} {place}");
                // And it has moved nothing: the true one is still taken.
                assert!(receiver.unprotect(&mut good.clone()).is_ok());
            }
            let (_, mut receiver) = pair(suite);
            assert!(receiver.unprotect(&mut good[..place].to_vec()).is_err());
        }
    }
}

#[test]
fn a_report_in_clear_or_seen_before_is_not_believed() {
    for suite in SrtpSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let mut packet = hex("80c9000100000001");
        packet.resize(8 + OVERHEAD, 0);
        let length = sender.protect_report(&mut packet, 8).unwrap();
        packet.truncate(length);
        let mut again = packet.clone();
        assert_eq!(receiver.unprotect_report(&mut packet), Ok(8));
        assert_eq!(receiver.unprotect_report(&mut again), Err(SrtpError::Replayed));
        assert!(receiver.unprotect_report(&mut hex("80c9000100000001")).is_err());
        let mut clear = vec![0x80, 0xc9];
        clear.resize(60, 0);
        assert_eq!(receiver.unprotect_report(&mut clear), Err(SrtpError::InClear));
    }
}

#[test]
fn a_key_is_not_used_beyond_its_end() {
    let (mut sender, _) = pair(AeadAes256Gcm);
    sender.report = u32::MAX >> 1;
    let mut packet = [0x80; 64];
    assert!(sender.protect_report(&mut packet, 8).is_ok());
    assert_eq!(sender.protect_report(&mut packet, 8), Err(SrtpError::UsedUp));
    let mut packet = [0x80; 64];
    sender.stream = Some((0x8080_8080, 1 << 48));
    assert_eq!(sender.protect(&mut packet, 12), Err(SrtpError::UsedUp));
    assert_eq!(sender.protect(&mut [0; 12], 12), Err(SrtpError::NoRoom));
}
