//! Encrypted sound of a robot (RFC 3711 with keys in the description, RFC 4568): AES in counter mode
//! with 128 bits, proven by HMAC-SHA1 with a tag of 80 or 32 bits. No reports, no key identifiers.

use aes::Aes128;
use aes::cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::random;

const SUITES: [(&str, usize); 2] =
    [("AES_CM_128_HMAC_SHA1_80", 10), ("AES_CM_128_HMAC_SHA1_32", 4)];
/// Master key and salt.
const LENGTH: usize = 30;

/// A key as it stands in a description.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Number of the attribute.
    tag: u32,
    /// Bytes of the proof.
    proof: usize,
    master: [u8; LENGTH],
}

/// What is printed of it is nobody's secret.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, {})", self.tag, self.proof)
    }
}

impl Key {
    /// A new one with a tag of 80 bits.
    pub(crate) fn new() -> Self {
        Self { tag: 1, proof: 10, master: random::bytes() }
    }

    /// Ours to theirs: its number and its suite.
    pub(crate) fn answering(&self, theirs: &Self) -> Self {
        Self { tag: theirs.tag, proof: theirs.proof, master: self.master }
    }

    /// Reads what follows `a=crypto:`; nothing when it is of a suite that robots do not have.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let name = words.next()?;
        let (_, proof) = *SUITES.iter().find(|(suite, _)| *suite == name)?;
        // Lifetime and key identifier may follow the key.
        let inline = words.next()?.strip_prefix("inline:")?.split('|').next()?;
        let master = STANDARD.decode(inline).ok()?.try_into().ok()?;
        Some(Self { tag, proof, master })
    }

    /// The line for a description.
    pub(crate) fn line(&self) -> String {
        let name = SUITES.iter().find(|(_, proof)| *proof == self.proof);
        let name = name.map_or(SUITES[0].0, |(name, _)| name);
        format!("a=crypto:{} {name} inline:{}\r\n", self.tag, STANDARD.encode(self.master))
    }
}

/// One direction under one key.
pub(crate) struct Seal {
    cipher: Aes128,
    salt: [u8; 14],
    proof: hmac::Key,
    length: usize,
    /// Turns of the sequence number, and the highest one of the present turn.
    turns: u32,
    highest: Option<u16>,
}

impl Seal {
    pub(crate) fn new(key: &Key) -> Self {
        let (master, salt) = key.master.split_at(16);
        let derive = |label: u8, out: &mut [u8]| {
            let mut start = [0; 16];
            start[..14].copy_from_slice(salt);
            start[7] ^= label;
            keystream(&cipher(master), start, out);
        };
        let (mut session, mut proof, mut own) = ([0; 16], [0; 20], [0; 14]);
        derive(0, &mut session);
        derive(1, &mut proof);
        derive(2, &mut own);
        Self {
            cipher: cipher(&session),
            salt: own,
            proof: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &proof),
            length: key.proof,
            turns: 0,
            highest: None,
        }
    }

    /// Encrypts and proves a packet of ours.
    pub(crate) fn close(&mut self, mut packet: Vec<u8>) -> Vec<u8> {
        let Some((head, sequence)) = head(&packet) else { return packet };
        let turns = self.turn_of(sequence);
        self.note(sequence, turns);
        self.crypt(&mut packet, head, sequence, turns);
        let tag = self.tag(&packet, turns);
        packet.extend(tag.as_ref().iter().take(self.length));
        packet
    }

    /// A packet of theirs in clear, if it is proven.
    pub(crate) fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (sealed, tag) = packet.split_at_checked(packet.len().checked_sub(self.length)?)?;
        let (head, sequence) = head(sealed)?;
        let turns = self.turn_of(sequence);
        let expected = self.tag(sealed, turns);
        if expected.as_ref().get(..self.length) != Some(tag) {
            return None;
        }
        self.note(sequence, turns);
        let mut out = sealed.to_vec();
        self.crypt(&mut out, head, sequence, turns);
        Some(out)
    }

    /// Which turn a sequence number is of: the one that puts it next to the highest so far.
    fn turn_of(&self, sequence: u16) -> u32 {
        match self.highest {
            Some(highest) if sequence < highest && highest - sequence > 0x8000 => {
                self.turns.wrapping_add(1)
            }
            Some(highest) if sequence > highest && sequence - highest > 0x8000 => {
                self.turns.wrapping_sub(1)
            }
            Some(_) | None => self.turns,
        }
    }

    fn note(&mut self, sequence: u16, turns: u32) {
        let later = turns == self.turns.wrapping_add(1);
        let same = turns == self.turns && self.highest.is_none_or(|highest| sequence > highest);
        if later || same {
            (self.turns, self.highest) = (turns, Some(sequence));
        }
    }

    fn crypt(&self, packet: &mut [u8], head: usize, sequence: u16, turns: u32) {
        let mut start = [0; 16];
        start[..14].copy_from_slice(&self.salt);
        let index = [turns.to_be_bytes().as_slice(), &sequence.to_be_bytes()].concat();
        let source = packet.get(8..12).unwrap_or_default();
        let mask = source.iter().chain(&index);
        start[4..14].iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
        keystream(&self.cipher, start, packet.get_mut(head..).unwrap_or_default());
    }

    fn tag(&self, packet: &[u8], turns: u32) -> hmac::Tag {
        let mut proof = hmac::Context::with_key(&self.proof);
        proof.update(packet);
        proof.update(&turns.to_be_bytes());
        proof.sign()
    }
}

fn cipher(key: &[u8]) -> Aes128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(key).for_each(|(octet, key)| *octet = *key);
    Aes128::new(&bytes.into())
}

/// Mixes `out` with the stream of counter blocks that begins with `start`.
fn keystream(cipher: &Aes128, start: [u8; 16], out: &mut [u8]) {
    for (count, piece) in (0_u16..).zip(out.chunks_mut(16)) {
        let mut block = start;
        block[14..].copy_from_slice(&count.to_be_bytes());
        let mut block: Block<Aes128> = block.into();
        cipher.encrypt_block(&mut block);
        piece.iter_mut().zip(block).for_each(|(octet, mask)| *octet ^= mask);
    }
}

/// Length of the header of an RTP packet with sources and extension, and its sequence number.
fn head(packet: &[u8]) -> Option<(usize, u16)> {
    let fixed = packet.get(..12)?;
    let mut length = 12 + 4 * usize::from(fixed[0] & 0x0f);
    if fixed[0] & 0x10 != 0 {
        let extension = packet.get(length..length + 4)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    (length <= packet.len()).then_some((length, u16::from_be_bytes([fixed[2], fixed[3]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let octet = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(octet).collect()
    }

    /// RFC 3711 appendix B.2 and B.3.
    #[test]
    fn keys_and_streams_are_those_of_the_standard() {
        let mut out = [0; 32];
        let start = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
        keystream(&cipher(&hex("2b7e151628aed2a6abf7158809cf4f3c")), start, &mut out);
        let stream = hex("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab");
        assert_eq!(out.as_slice(), stream);
        let master = hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
        let key = Key { tag: 1, proof: 10, master: master.try_into().unwrap() };
        let seal = Seal::new(&key);
        assert_eq!(seal.salt.as_slice(), hex("30cbbc08863d8c85d49db34a9ae1"));
        let mut block: Block<Aes128> = [0; 16].into();
        let mut ours = block;
        cipher(&hex("c61e7a93744f39ee10734afe3ff7a087")).encrypt_block(&mut block);
        seal.cipher.encrypt_block(&mut ours);
        assert_eq!(ours, block);
    }

    #[test]
    fn what_is_closed_is_opened_by_the_same_key_only_and_over_the_turn() {
        let key = Key::new();
        let other = Key::new();
        let (mut ours, mut theirs) = (Seal::new(&key), Seal::new(&key));
        for sequence in [65_534_u16, 65_535, 0, 1] {
            let mut packet = vec![0x80, 0];
            packet.extend(sequence.to_be_bytes());
            packet.extend([0, 0, 0, 1, 0, 0, 0, 2, 42, 43, 44]);
            let sealed = ours.close(packet.clone());
            assert_eq!(sealed.len(), packet.len() + 10);
            assert_ne!(sealed[12..15], packet[12..15]);
            assert!(Seal::new(&other).open(&sealed).is_none());
            assert!(theirs.open(&packet).is_none());
            assert_eq!(theirs.open(&sealed), Some(packet), "{sequence}");
        }
    }

    #[test]
    fn lines_are_read_back_and_nonsense_is_not() {
        let key = Key::new();
        let line = key.line();
        assert_eq!(Key::read(line.trim().strip_prefix("a=crypto:").unwrap()), Some(key.clone()));
        let short = Key { proof: 4, tag: 7, ..Key::new() };
        assert!(key.answering(&short).line().starts_with("a=crypto:7 AES_CM_128_HMAC_SHA1_32 "));
        for bad in ["", "1", "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", "1 AEAD_AES_256_GCM inline:"]
        {
            assert!(Key::read(bad).is_none(), "{bad}");
        }
    }
}
