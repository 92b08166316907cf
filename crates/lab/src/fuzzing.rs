//! Entry points for fuzzing: every reader of outside bytes with what must hold of its result.
#![allow(missing_docs, reason = "one function per reader, named after it")]

use crate::robot::fuzz_media;
use crate::sip::message::{Framed, frame};
use crate::xml;
use crate::xmpp::splitter::{Piece, Splitter};

/// DNS queries, over UDP and TCP.
pub fn dns(data: &[u8]) {
    for over_udp in [true, false] {
        if let Some(reply) = crate::dns::fuzz_answer(data, over_udp) {
            assert!(reply.len() >= 12 && reply[..2] == data[..2] && reply[2] & 0x80 != 0);
        }
    }
}

/// HTTP request heads.
pub fn http(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(request) = crate::http::parse_head(&text) {
        let _ = (request.basic(), request.cookie("JSESSIONIDSSO"), request.parameter("email"));
    }
}

/// XML: what is read and written again reads the same.
pub fn xml(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(element) = xml::parse(&text, "jabber:client") {
        let again = xml::parse(&element.to_xml(), "jabber:client");
        assert_eq!(again.map(|element| element.to_xml()), Ok(element.to_xml()));
    }
}

/// XMPP streams: the pieces are the same however the bytes arrive.
pub fn stream(data: &[u8]) {
    let cut = |chunk: usize| {
        let mut splitter = Splitter::new();
        let mut out: Vec<Piece> = Vec::new();
        for part in data.chunks(chunk) {
            splitter.push(part);
            loop {
                match splitter.next() {
                    Ok(Some(piece)) => out.push(piece),
                    Ok(None) => break,
                    Err(error) => return (out, Some(error)),
                }
            }
        }
        (out, None)
    };
    assert_eq!(cut(usize::MAX), cut(3));
}

/// SIP messages, from datagrams and from streams.
pub fn sip(data: &[u8]) {
    let _ = frame(data, true);
    if let Framed::Message(message, used) = frame(data, false) {
        assert!(used <= data.len());
        let _ = (message.cseq(), message.branch(), message.sender_tag(), message.contact_uri());
        assert!(matches!(frame(&message.to_bytes(), false), Framed::Message(..)));
    }
}

/// Session descriptions and RTP packets.
pub fn media(data: &[u8]) {
    fuzz_media(data);
    crate::edge::media::fuzz(data);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// A small generator of the same numbers everywhere.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % limit.max(1)
        }

        fn mutate(&mut self, bytes: &mut Vec<u8>) {
            for _ in 0..=self.below(4) {
                let at = self.below(bytes.len());
                match self.below(4) {
                    0 if !bytes.is_empty() => bytes[at] = self.below(256) as u8,
                    1 => bytes.insert(at, b"<>'\"&;:\r\n =,\0\xff"[self.below(14)]),
                    2 => bytes.truncate(at),
                    _ => {
                        let end = at + self.below(bytes.len() - at.min(bytes.len()));
                        let part = bytes[at.min(end)..end].to_vec();
                        bytes.extend(part);
                    }
                }
            }
        }
    }

    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut seeds: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        seeds.sort();
        assert!(!seeds.is_empty());
        let mut numbers = Numbers(1);
        for seed in &seeds {
            let bytes = std::fs::read(seed).unwrap();
            run(&bytes);
            for _ in 0..2000 / seeds.len() {
                let mut copy = bytes.clone();
                numbers.mutate(&mut copy);
                run(&copy);
            }
        }
    }

    #[test]
    fn no_mutation_of_the_corpus_upsets_a_reader() {
        replay("dns", super::dns);
        replay("http", super::http);
        replay("xml", super::xml);
        replay("stream", super::stream);
        replay("sip", super::sip);
        replay("media", super::media);
    }
}
