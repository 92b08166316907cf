//! SRTP as the edge speaks it: AES in counter mode with HMAC-SHA1 (RFC 3711), one stream and key a
//! [`Context`]. Of its own: nothing is shared with the client's but the block cipher.

use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use ring::hmac;

/// Key and salt as `a=crypto` carries them (RFC 4568 section 6.2).
pub(super) const MASTER: usize = 30;

/// One direction.
pub(super) struct Context {
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
    pub(super) fn new(master: &[u8; MASTER], tag: usize) -> Option<Self> {
        let (key, salt) = master.split_at(16);
        let master_salt: [u8; 14] = salt.try_into().ok()?;
        let master = Aes128Enc::new_from_slice(key).ok()?;
        let derive = |label: u8, out: &mut [u8]| {
            let mut counter = [0; 16];
            counter[..14].copy_from_slice(&master_salt);
            counter[7] ^= label;
            lay(&master, counter, out);
        };
        let (mut key, mut proof, mut salt) = ([0; 16], [0; 20], [0; 14]);
        derive(0, &mut key);
        derive(1, &mut proof);
        derive(2, &mut salt);
        Some(Self {
            cipher: Aes128Enc::new_from_slice(&key).ok()?,
            proof: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &proof),
            salt,
            tag,
            source: 0,
            seen: None,
        })
    }

    /// Encrypts and proves an RTP packet.
    pub(super) fn seal(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
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
    pub(super) fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
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
            let mut there = Context::new(&[7; MASTER], tag).unwrap();
            let mut here = Context::new(&[7; MASTER], tag).unwrap();
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
        let mut here = Context::new(&[7; MASTER], 10).unwrap();
        for length in 0..40 {
            assert_eq!(here.open(&vec![0x9f; length]), None);
        }
    }
}
