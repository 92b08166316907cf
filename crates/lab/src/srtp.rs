//! SRTP as the laboratory speaks it, for its robots and its edge: keys in the description (RFC 4568), AES
//! in counter mode with 128 bits and HMAC-SHA1 with a tag of 80 or 32 bits (RFC 3711), one stream and
//! key a [`Context`]. No reports, no key identifiers. Of its own: nothing is shared with the client's
//! but the block cipher.

use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::random;

const SUITES: [(&str, usize); 2] =
    [("AES_CM_128_HMAC_SHA1_80", 10), ("AES_CM_128_HMAC_SHA1_32", 4)];
/// Key and salt as `a=crypto` carries them (RFC 4568 section 6.2).
const MASTER: usize = 30;

/// A key as it stands in a description.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Number of the attribute.
    tag: u32,
    /// Bytes of the proof.
    proof: usize,
    master: [u8; MASTER],
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

    /// With this tag, suite by the bytes of its proof, and key and salt.
    #[cfg(test)]
    pub(crate) fn of(tag: u32, proof: usize, master: [u8; MASTER]) -> Self {
        Self { tag, proof, master }
    }

    /// Bytes of the proof, which tell the suite.
    pub(crate) fn proof(&self) -> usize {
        self.proof
    }

    /// Ours to theirs: its number and its suite.
    pub(crate) fn answering(&self, theirs: &Self) -> Self {
        Self { tag: theirs.tag, proof: theirs.proof, master: self.master }
    }

    /// Reads what follows `a=crypto:`; nothing when it is of another suite.
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
pub(crate) struct Context {
    cipher: Aes128Enc,
    proof: hmac::Key,
    salt: [u8; 14],
    /// Bytes of the tag.
    tag: usize,
    source: u32,
    /// Roll-over counter and highest sequence number, once a packet was seen.
    seen: Option<(u32, u16)>,
}

impl Context {
    pub(crate) fn new(key: &Key) -> Self {
        let (mut master, mut master_salt) = ([0; 16], [0; 14]);
        master.copy_from_slice(&key.master[..16]);
        master_salt.copy_from_slice(&key.master[16..]);
        let master = Aes128Enc::new(&master.into());
        let tag = key.proof;
        let derive = |label: u8, out: &mut [u8]| {
            let mut counter = [0; 16];
            counter[..14].copy_from_slice(&master_salt);
            counter[7] ^= label;
            lay(&master, counter, out);
        };
        let (mut session, mut proof, mut salt) = ([0; 16], [0; 20], [0; 14]);
        derive(0, &mut session);
        derive(1, &mut proof);
        derive(2, &mut salt);
        Self {
            cipher: Aes128Enc::new(&session.into()),
            proof: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &proof),
            salt,
            tag,
            source: 0,
            seen: None,
        }
    }

    /// Encrypts and proves an RTP packet.
    pub(crate) fn seal(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (header, source, sequence) = parts(packet)?;
        let rollover = self.rollover(source, sequence);
        self.note(source, rollover, sequence);
        let mut out = packet.to_vec();
        self.code(source, rollover, sequence, out.get_mut(header..)?);
        let tag = self.tag_of(&out, rollover);
        out.extend(tag.as_ref().get(..self.tag)?);
        Some(out)
    }

    /// Checks and decrypts an SRTP packet.
    pub(crate) fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (body, tag) = packet.split_at(packet.len().checked_sub(self.tag)?);
        let (header, source, sequence) = parts(body)?;
        let rollover = self.rollover(source, sequence);
        if self.tag_of(body, rollover).as_ref().get(..self.tag)? != tag {
            return None;
        }
        self.note(source, rollover, sequence);
        let mut out = body.to_vec();
        self.code(source, rollover, sequence, out.get_mut(header..)?);
        Some(out)
    }

    /// The roll-over counter that a packet most likely has (RFC 3711 section 3.3.1).
    fn rollover(&self, source: u32, sequence: u16) -> u32 {
        match self.seen.filter(|_| self.source == source) {
            None => 0,
            Some((rollover, last)) if last < 0x8000 && sequence.wrapping_sub(last) >= 0x8000 => {
                if sequence > last {
                    rollover.saturating_sub(1)
                } else {
                    rollover
                }
            }
            Some((rollover, last)) if last >= 0x8000 && sequence < last - 0x8000 => rollover + 1,
            Some((rollover, _)) => rollover,
        }
    }

    fn note(&mut self, source: u32, rollover: u32, sequence: u16) {
        let index =
            |(rollover, sequence): (u32, u16)| u64::from(rollover) << 16 | u64::from(sequence);
        let new = (rollover, sequence);
        if self.source != source || self.seen.is_none_or(|seen| index(seen) < index(new)) {
            (self.source, self.seen) = (source, Some(new));
        }
    }

    fn code(&self, source: u32, rollover: u32, sequence: u16, payload: &mut [u8]) {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt);
        let mut add = |at: usize, bytes: &[u8]| {
            for (to, byte) in counter.iter_mut().skip(at).zip(bytes) {
                *to ^= byte;
            }
        };
        add(4, &source.to_be_bytes());
        add(8, &rollover.to_be_bytes());
        add(12, &sequence.to_be_bytes());
        lay(&self.cipher, counter, payload);
    }

    fn tag_of(&self, packet: &[u8], rollover: u32) -> hmac::Tag {
        let mut proof = hmac::Context::with_key(&self.proof);
        proof.update(packet);
        proof.update(&rollover.to_be_bytes());
        proof.sign()
    }
}

/// Lays the key stream over `data`; the counter are the last two bytes.
fn lay(cipher: &Aes128Enc, mut counter: [u8; 16], data: &mut [u8]) {
    for (number, chunk) in (0_u16..).zip(data.chunks_mut(16)) {
        counter[14..].copy_from_slice(&number.to_be_bytes());
        let mut block = counter.into();
        cipher.encrypt_block(&mut block);
        chunk.iter_mut().zip(block.iter()).for_each(|(byte, key)| *byte ^= key);
    }
}

/// Length of the header, source and sequence number of an RTP packet.
fn parts(packet: &[u8]) -> Option<(usize, u32, u16)> {
    let head: &[u8; 12] = packet.first_chunk()?;
    if head[0] >> 6 != 2 {
        return None;
    }
    let mut length = 12 + 4 * usize::from(head[0] & 0x0f);
    if head[0] & 0x10 != 0 {
        let extension = packet.get(length..length + 4)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    (length <= packet.len()).then(|| {
        let source = u32::from_be_bytes([head[8], head[9], head[10], head[11]]);
        (length, source, u16::from_be_bytes([head[2], head[3]]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn keys_are_derived_as_the_standard_has_it() {
        // RFC 3711 appendix B.3.
        let master = Aes128Enc::new_from_slice(&hex("E1F97A0D3E018BE0D64FA32C06DE4139")).unwrap();
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&hex("0EC675AD498AFEEBB6960B3AABE6"));
        let mut key = [0; 16];
        lay(&master, counter, &mut key);
        assert_eq!(key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        counter[7] ^= 2;
        let mut salt = [0; 14];
        lay(&master, counter, &mut salt);
        assert_eq!(salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    }

    #[test]
    fn what_is_sealed_is_opened_over_the_turn_of_the_sequence() {
        for tag in [4, 10] {
            let mut there = Context::new(&Key::of(1, tag, [7; MASTER]));
            let mut here = Context::new(&Key::of(1, tag, [7; MASTER]));
            for step in 0..200_u16 {
                let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9];
                packet[2..4].copy_from_slice(&(65_400_u16.wrapping_add(step)).to_be_bytes());
                packet.extend([step.to_be_bytes()[1]; 160]);
                let sealed = there.seal(&packet).unwrap();
                assert_ne!(sealed[12..172], packet[12..]);
                let mut forged = sealed.clone();
                forged[20] ^= 1;
                assert_eq!(here.open(&forged), None);
                assert_eq!(here.open(&sealed), Some(packet));
            }
        }
        let mut here = Context::new(&Key::of(1, 10, [7; MASTER]));
        for length in 0..40 {
            assert_eq!(here.open(&vec![0x9f; length]), None);
        }
    }

    #[test]
    fn the_key_stream_is_that_of_the_standard() {
        // RFC 3711 appendix B.2.
        let cipher = Aes128Enc::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        let start = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
        let mut out = [0; 32];
        lay(&cipher, start, &mut out);
        let stream = hex("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB");
        assert_eq!(out.to_vec(), stream);
    }

    #[test]
    fn another_key_and_what_is_in_clear_open_nothing() {
        let (key, other) = (Key::new(), Key::new());
        let packet = [&[0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2][..], &[42; 20]].concat();
        let sealed = Context::new(&key).seal(&packet).unwrap();
        assert_eq!(sealed.len(), packet.len() + 10);
        assert_eq!(Context::new(&other).open(&sealed), None);
        assert_eq!(Context::new(&key).open(&packet), None);
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
