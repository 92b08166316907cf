//! Entries for fuzzers: any bytes as a server's messages, any text as a filter.

use crate::ber::{Elements, Writer, head};
use crate::filter;
use crate::gssapi::whole;
use crate::message::{LARGEST, Response, VALUES, read, weight};

/// Values longer than this are left out.
const VALUE: usize = 256;

/// Reads `data` as messages one after the other, and checks that what is kept of each is no more
/// than the bounds let through.
pub fn message(data: &[u8]) {
    frames(data);
    let mut rest = data;
    while let Ok(Some((_, head, length))) = head(rest) {
        let whole = head.saturating_add(length);
        if whole > LARGEST || whole > rest.len() {
            return;
        }
        let (one, after) = rest.split_at(whole);
        if let Ok((id, response)) = read(one, VALUE) {
            assert!(id <= 0x7fff_ffff);
            check(&response, one.len());
        }
        rest = after;
    }
}

/// Cuts `data` into frames of a protected connection: none is longer than what came.
fn frames(mut data: &[u8]) {
    while let Ok(Some(frame)) = whole(data) {
        assert!(frame.len() + 4 <= data.len());
        data = data.get(frame.len() + 4..).unwrap_or_default();
    }
}

fn check(response: &Response, bytes: usize) {
    match response {
        Response::Entry(entry, _) => {
            // Every value has two bytes of head at least, and replaced letters are three for one.
            assert!(weight(entry) <= 64 + 64 * bytes, "an entry grows");
            for (_, values) in &entry.attributes {
                assert!(values.len() <= VALUES && values.iter().all(|value| value.len() <= VALUE));
            }
        }
        Response::Reference(urls) => assert!(urls.len() <= bytes),
        Response::Done(_, cookie) => assert!(cookie.len() <= bytes),
        Response::Bound(_, token) => assert!(token.len() <= bytes),
        Response::Extended(_) | Response::Other => {}
    }
}

/// Reads `data` as a filter. What is one is told again from its elements, by other code, and must
/// then mean the same elements.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut first = Writer::default();
    if filter::write(&text, &mut first).is_err() {
        return;
    }
    let told = tell(&mut Elements(&first.0));
    let mut second = Writer::default();
    assert!(filter::write(&told, &mut second).is_ok(), "{told:?} of {text:?}");
    assert_eq!(first.0, second.0, "{told:?} of {text:?}");
}

fn tell(elements: &mut Elements<'_>) -> String {
    let Ok(Some((tag, contents))) = elements.next() else { return String::new() };
    let mut inside = Elements(contents);
    let all = |mut inside: Elements<'_>| {
        let mut told = String::new();
        while !inside.0.is_empty() {
            told.push_str(&tell(&mut inside));
        }
        told
    };
    match tag {
        0xa0 => format!("(&{})", all(inside)),
        0xa1 => format!("(|{})", all(inside)),
        0xa2 => format!("(!{})", all(inside)),
        0xa3 => format!("({}={})", name(&mut inside), value(&mut inside)),
        0xa4 => {
            let name = name(&mut inside);
            let mut pieces = Elements(inside.next().ok().flatten().unwrap_or_default().1);
            let mut told = format!("({name}=");
            let mut last = 0;
            while let Ok(Some((kind, piece))) = pieces.next() {
                if kind != 0x80 {
                    told.push('*');
                }
                told.push_str(&escaped(piece));
                last = kind;
            }
            told + if last == 0x82 { ")" } else { "*)" }
        }
        0xa5 => format!("({}>={})", name(&mut inside), value(&mut inside)),
        0xa6 => format!("({}<={})", name(&mut inside), value(&mut inside)),
        0x87 => format!("({}=*)", String::from_utf8_lossy(contents)),
        0xa8 => format!("({}~={})", name(&mut inside), value(&mut inside)),
        0xa9 => {
            let (mut who, mut rule, mut what, mut dn) = Default::default();
            while let Ok(Some((tag, contents))) = inside.next() {
                match tag {
                    0x81 => rule = format!(":{}", String::from_utf8_lossy(contents)),
                    0x82 => who = String::from_utf8_lossy(contents).into_owned(),
                    0x83 => what = escaped(contents),
                    _ => dn = ":dn",
                }
            }
            format!("({who}{dn}{rule}:={what})")
        }
        other => panic!("a filter has no {other:x}"),
    }
}

fn name(inside: &mut Elements<'_>) -> String {
    let contents = inside.next().ok().flatten().unwrap_or_default().1;
    String::from_utf8_lossy(contents).into_owned()
}

fn value(inside: &mut Elements<'_>) -> String {
    escaped(inside.next().ok().flatten().unwrap_or_default().1)
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
