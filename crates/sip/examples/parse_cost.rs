//! Reads the corpus over and over, to be counted by a profiler: `parse_cost ROUNDS [sdp]`.
//!
//! One round reads each message once: its start line, every Via, From, To, Contact with its URI,
//! Call-ID, CSeq, Max-Forwards, Content-Length and Content-Type as their types; with `sdp` its
//! session description as well, where there is one. Prints how many messages a round has and how
//! many of them were accepted. The difference between two numbers of rounds is the work alone.
#![allow(clippy::print_stdout, reason = "it prints its result")]

use std::hint::black_box;
use std::path::Path;

use offhook_rtp::sdp::Description;
use offhook_sip::message::{Message, Name, Uri, parse};

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a message")).collect()
}

/// Every header of the list as its type; `None` when one of them is not of its type.
fn typed(message: &Message) -> Option<usize> {
    let mut sum = match message.method() {
        Some(method) => method.as_str().len() + Uri::parse(message.request_uri()).ok()?.host.len(),
        None => usize::from(message.status()?) + message.reason().len(),
    };
    for via in message.vias() {
        let via = via.ok()?;
        sum += via.host.len() + via.branch().map_or(0, str::len);
    }
    for name in [Name::From, Name::To, Name::Contact] {
        for address in message.addresses(name) {
            let address = address.ok()?;
            sum += address.tag().map_or(0, str::len);
            // A Contact may be a star, and any of them a URI of another scheme.
            sum += address.uri().map_or(1, |uri| uri.host.len());
        }
    }
    let cseq = message.cseq().ok()?;
    sum += cseq.number as usize + cseq.method.as_str().len();
    sum += message.header(Name::CallId)?.len();
    sum += message.number(Name::MaxForwards).unwrap_or(0) as usize;
    sum += message.number(Name::ContentLength).unwrap_or(0) as usize;
    sum += message.header(Name::ContentType).map_or(0, str::len);
    Some(sum + message.body().len())
}

fn session(message: &Message) -> Option<usize> {
    match message.sdp() {
        Some(text) => Some(Description::parse(&text).ok()?.media.len()),
        None => Some(0),
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let rounds: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let with_sdp = words.next().is_some_and(|word| word == "sdp");
    let corpus = corpus();
    let mut accepted = 0;
    for _ in 0..rounds {
        accepted = 0;
        for bytes in &corpus {
            let Ok(message) = parse(black_box(bytes)) else { continue };
            let headers = black_box(typed(&message));
            let session = if with_sdp { black_box(session(&message)) } else { Some(0) };
            accepted += usize::from(headers.is_some() && session.is_some());
        }
    }
    println!("{{\"messages\":{},\"accepted\":{accepted}}}", corpus.len());
}
