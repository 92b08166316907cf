//! How long a message takes: parsing alone, and with every header a phone looks at read as its
//! type.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use offhook_sip::message::{Message, Name, parse};

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("corpus")
        .map(|entry| entry.expect("entry").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("message")).collect()
}

fn typed_pass(message: &Message) -> usize {
    let mut sum = 0;
    for via in message.vias() {
        sum += via.map_or(0, |via| via.host.len() + via.branch().map_or(0, str::len));
    }
    for name in [Name::From, Name::To, Name::Contact, Name::RecordRoute, Name::Route] {
        for address in message.addresses(name) {
            let Ok(address) = address else { continue };
            sum += address.uri().map_or(0, |uri| uri.host.len() + uri.params.iter().count());
            sum += address.params.iter().count();
        }
    }
    sum += message.cseq().map_or(0, |cseq| cseq.number as usize);
    sum += message.header(Name::CallId).map_or(0, str::len);
    sum += message.number(Name::Expires).unwrap_or(0) as usize;
    sum += message.number(Name::MaxForwards).unwrap_or(0) as usize;
    for token in message.tokens(Name::Supported).chain(message.tokens(Name::Allow)) {
        sum += token.len();
    }
    sum + message.body().len()
}

fn bench(c: &mut Criterion) {
    let corpus = corpus();
    c.bench_function("parse 20 messages", |b| {
        b.iter(|| {
            corpus
                .iter()
                .map(|bytes| parse(black_box(bytes)).map_or(0, |m| m.body().len()))
                .sum::<usize>()
        });
    });
    c.bench_function("parse and type 20 messages", |b| {
        b.iter(|| {
            corpus
                .iter()
                .map(|bytes| parse(black_box(bytes)).map_or(0, |m| typed_pass(&m)))
                .sum::<usize>()
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
