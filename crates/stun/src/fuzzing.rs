//! Entry points for fuzzing.

use crate::{Attribute, Cutter, Key, Message, Sort};

/// A datagram as a message: what can be read lies inside of it.
pub fn message(data: &[u8]) {
    let _ = Sort::of(data);
    let Ok(message) = Message::parse(data) else { return };
    assert!(message.unknown().len() <= 8);
    for attribute in [
        Attribute::Username,
        Attribute::Data,
        Attribute::Realm,
        Attribute::Nonce,
        Attribute::XorPeerAddress,
    ] {
        assert!(message.get(attribute).is_none_or(|value| value.len() <= data.len()));
    }
    let _ = (message.mapped(), message.error(), message.alternate());
    let key = Key::short_term("never known to the fuzzer");
    assert!(!message.is_signed(&key) && !message.is_signed(&key.clone().by_sha256()));
}

/// A stream of a relay, in pieces as long as the first byte says: what is cut is the same as from one
/// piece, and no more than came.
pub fn stream(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let cut = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut cutter, mut got) = (Cutter::default(), vec![]);
        for piece in pieces {
            cutter.push(piece);
            loop {
                match cutter.cut() {
                    Ok(Some(one)) => got.push(one.to_vec()),
                    Ok(None) => break,
                    Err(_) => return got,
                }
            }
        }
        got
    };
    let broken = cut(&mut data.chunks(usize::from(size) + 1));
    assert_eq!(broken, cut(&mut std::iter::once(data)));
    assert!(broken.iter().map(Vec::len).sum::<usize>() <= data.len());
}
