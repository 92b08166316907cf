//! Tags, branches, Call-IDs and jitter from a seed.

/// A deterministic source of identifiers (SplitMix64). Not for keys: the seed's 64 bits are all
/// the entropy there is.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    state: u64,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// 16 hexadecimal digits: a tag, or the random part of something longer.
    pub(crate) fn tag(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// A branch with the magic cookie of RFC 3261 section 8.1.1.7.
    pub(crate) fn branch(&mut self) -> String {
        format!("z9hG4bK{:016x}", self.next())
    }

    /// A random UUID (RFC 9562 version 4) without hyphens: our half of a Session-ID.
    pub(crate) fn uuid(&mut self) -> String {
        let high = self.next() & !0xf000 | 0x4000;
        let low = self.next() & !(0b11 << 62) | 0b10 << 62;
        format!("{high:016x}{low:016x}")
    }

    /// 32 hexadecimal digits: a Call-ID.
    pub(crate) fn long(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn the_same_seed_gives_the_same_names() {
        let (mut a, mut b) = (Tokens::new(7), Tokens::new(7));
        assert_eq!(a.branch(), b.branch());
        assert_ne!(a.tag(), b.branch());
        assert_eq!(a.below(0), 0);
    }
}
