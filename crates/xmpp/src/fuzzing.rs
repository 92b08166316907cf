//! Entry for fuzzers: any bytes as a server's stream.

use crate::reader::{Item, LIMIT_IQ, Reader};
use crate::{faults, wire};

/// Reads `data` as a stream, whole and byte by byte, and checks that the pieces do not matter
/// and that every stanza can be written again.
pub fn fuzz(data: &[u8]) {
    let whole = read(data, data.len().max(1));
    let pieces = read(data, 1);
    assert_eq!(whole, pieces, "the result depends on the pieces");
}

fn read(data: &[u8], piece: usize) -> Vec<String> {
    let Ok(mut reader) = Reader::new().restarted(true) else {
        return Vec::new();
    };
    let mut seen = Vec::new();
    for bytes in data.chunks(piece) {
        reader.feed(bytes);
        loop {
            match reader.next() {
                Ok(Some(Item::Element(element))) => {
                    let _ = faults::other_host(&element);
                    let _ = faults::stream_error(&element);
                    if wire::is_stanza(&element)
                        && let Ok(stanza) = wire::read(element)
                    {
                        let written = wire::write(&stanza);
                        assert!(written.is_some_and(|w| w.len() <= 8 * LIMIT_IQ));
                        seen.push(format!("{stanza:?}"));
                    }
                }
                Ok(Some(Item::Refused(head, why))) => {
                    assert_eq!(head.nodes().count(), 0);
                    let _ = wire::refused(&head);
                    seen.push(format!("{head:?} {why:?}"));
                }
                Ok(Some(Item::Opened)) => seen.push("opened".into()),
                Ok(Some(Item::Closed)) => {
                    seen.push("closed".into());
                    return seen;
                }
                Ok(None) => break,
                // What came instead of a stream is told by as much as has come; that the stream
                // ends here is the same for all pieces.
                Err(_) => {
                    seen.push("fault".into());
                    return seen;
                }
            }
        }
    }
    seen
}
