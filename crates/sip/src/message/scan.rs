//! Finding single bytes eight at a time. Messages are mostly text between a few separators, and
//! a look at every byte would be most of the cost of a message.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of every zero byte, and maybe of bytes above the lowest zero one: the lowest bit
/// set is always right.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// The index of the first of `needles` at or after `from`.
pub(super) fn find_any<const N: usize>(
    bytes: &[u8],
    from: usize,
    needles: [u8; N],
) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let mut at = from;
    let (words, tail) = rest.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let hits = needles.iter().fold(0, |hits, n| hits | zeros(word ^ (LOW * u64::from(*n))));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    tail.iter().position(|b| needles.contains(b)).map(|index| at + index)
}

/// The index of the first `needle` at or after `from`.
pub(super) fn find(bytes: &[u8], from: usize, needle: u8) -> Option<usize> {
    find_any(bytes, from, [needle])
}

/// Text before and after the first `needle`, which must be ASCII.
pub(super) fn split_once(text: &str, needle: u8) -> Option<(&str, &str)> {
    let at = find(text.as_bytes(), 0, needle)?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::{find, find_any};

    #[test]
    fn the_same_is_found_as_byte_by_byte() {
        let mut seed = 1u32;
        for length in 0..60 {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    [b'a', b',', b'-', 0x80, 0, 0xff][(seed >> 24) as usize % 6]
                })
                .collect();
            for from in 0..=length {
                for needle in [b',', 0, 0x80, 0xff, b'z'] {
                    let slow = bytes[from..].iter().position(|b| *b == needle).map(|i| i + from);
                    assert_eq!(find(&bytes, from, needle), slow);
                }
                let slow =
                    bytes[from..].iter().position(|b| b",\x80".contains(b)).map(|i| i + from);
                assert_eq!(find_any(&bytes, from, [b',', 0x80]), slow);
            }
        }
        assert_eq!(find(b"abc", 9, b'a'), None);
    }
}
