//! How long each reader takes at most for 64 KB that mean it harm. Prints one JSON object a line:
//! reader, the input that cost most, and milliseconds (the best of five goes, so that what else the
//! machine does counts little). `cargo xtask bench hostile` runs it.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use offhook_config as config;
use offhook_model::Source;

/// Size of an input.
const SIZE: usize = 64 * 1024;

/// What is read.
type Reader = (&'static str, fn(&[u8]));

const READERS: [Reader; 14] = [
    ("XML tree", |data| drop(black_box(config::xml::parse(data)))),
    ("UDS", |data| {
        drop(black_box(config::read_cluster_user(data)));
        drop(black_box(config::read_user(data)));
    }),
    ("CAS", |data| drop(black_box(config::read_cas(data)))),
    ("service profile", |data| drop(black_box(config::read_service_profile(data)))),
    ("profile layer", |data| drop(black_box(config::read_profile_layer(data, "p")))),
    ("jabber-config.xml", |data| {
        drop(black_box(config::read_client_config(data, Source::GlobalFile, "f")));
    }),
    ("device file", |data| drop(black_box(config::read_device_file(data)))),
    ("SOAP", |data| drop(black_box(config::read_system_config(data)))),
    ("device list", |data| drop(black_box(config::read_device_list(data)))),
    ("cloud", |data| drop(black_box(config::read_cloud_login(data)))),
    ("edge", |data| drop(black_box(config::read_edge_config(data)))),
    ("bootstrap file", |data| drop(black_box(config::read_bootstrap(data, "b")))),
    ("configuration URL", |data| {
        drop(black_box(config::read_provision_url(&String::from_utf8_lossy(data))));
    }),
    ("what layers say", |data| {
        let bootstrap = config::read_bootstrap(data, "b");
        let file = config::read_client_config(data, Source::GlobalFile, "f");
        let layers = config::Layers::new([Some(bootstrap), file.ok()].into_iter().flatten());
        black_box(layers.preset());
        black_box(layers.explain());
    }),
];

/// `SIZE` bytes of a piece between a beginning and an end.
fn filled(begin: &str, piece: &str, end: &str) -> Vec<u8> {
    let room = SIZE.saturating_sub(begin.len() + end.len());
    let mut text = begin.to_owned();
    text.push_str(&piece.repeat(room / piece.len().max(1)));
    text.push_str(end);
    text.into_bytes()
}

/// `SIZE` bytes of pieces that each hold another number.
fn numbered(begin: &str, piece: fn(usize) -> String, end: &str) -> Vec<u8> {
    let mut text = begin.to_owned();
    for number in 0.. {
        let next = piece(number);
        if text.len() + next.len() + end.len() > SIZE {
            break;
        }
        text.push_str(&next);
    }
    text.push_str(end);
    text.into_bytes()
}

/// Inputs with their names.
fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let (policies, end) = ("<config><Policies>", "</Policies></config>");
    let (filter, filter_end) =
        ("<config><Directory><BaseFilter>", "</BaseFilter></Directory></config>");
    vec![
        ("nesting", filled("", "<a>", "")),
        ("siblings", filled("<config>", "<a/>", "</config>")),
        ("attributes", filled("<config", " a='b'", "/>")),
        ("one text", filled("<config><Policies><a>", "x", "</a></Policies></config>")),
        ("references", filled("<config><a>", "&amp;", "</a></config>")),
        ("bare ampersands", filled("<config><a>", "&(", "</a></config>")),
        ("filters", filled(filter, "(&(", filter_end)),
        ("comments", filled("<config>", "<!---->", "</config>")),
        ("sections of text", filled("<config><a>", "<![CDATA[]]>", "</a></config>")),
        ("entities", filled("<!DOCTYPE a [<!ENTITY a 'x'>", "<!ENTITY b '&a;&a;'>", "]><a/>")),
        ("same keys", filled(policies, "<IM_Enabled>x</IM_Enabled>", end)),
        ("other keys", numbered(policies, |n| format!("<Key{n}>v&{n}</Key{n}>"), end)),
        ("near misses", numbered(policies, |n| format!("<IM_Enable{n}>1</IM_Enable{n}>"), end)),
        ("lines", numbered("", |n| format!("Key_{n}: value {n}\n"), "")),
        ("same lines", filled("", "CLEAR=1\n", "")),
        ("one line", filled("ServicesDomain: ", "x", "")),
        ("parameters", filled("ciscojabber://provision?", "ServicesDomain=a&", "")),
        ("escapes", filled("ciscojabber://provision?ServicesDomain=", "%41", "")),
        ("bytes", vec![0xFF; SIZE]),
        ("nothing", vec![0; SIZE]),
        ("white space", vec![b' '; SIZE]),
        ("page", filled("<!DOCTYPE html><html><body>", "<br><p>x", "</body></html>")),
    ]
}

fn best(read: fn(&[u8]), data: &[u8]) -> Duration {
    let go = |_| {
        let begin = Instant::now();
        read(data);
        begin.elapsed()
    };
    (0..5).map(go).min().unwrap_or_default()
}

fn main() {
    let inputs = inputs();
    for (name, read) in READERS {
        let costs = inputs.iter().map(|(input, data)| (best(read, data), *input));
        let Some((worst, input)) = costs.max() else { continue };
        println!(
            "{{\"reader\":\"{name}\",\"input\":\"{input}\",\"ms\":{:.3}}}",
            worst.as_secs_f64() * 1e3
        );
    }
}
