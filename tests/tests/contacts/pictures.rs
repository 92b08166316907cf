//! Pictures of a directory that are meant to harm.

use offhook_interop::{Client, Desktop, Lab, Like, Scratch, Setup, Slapd, have, pause, until};
use serde_json::{Value, json};

use super::{ALICE, both, configuration, keys, person, setup};

/// A PNG of 30,000 by 30,000 points of one bit in 700 KB, which is less than any bound on the bytes of a
/// picture. Its rows are 112 MB, and a byte a point 900 MB.
fn bomb() -> Vec<u8> {
    const SIDE: u32 = 30_000;
    let rows = SIDE * (SIDE / 8 + 1);
    let (mut bits, mut count) = (vec![0x78, 0x01], 0);
    let mut push = |code: &str| {
        for bit in code.bytes() {
            if count % 8 == 0 {
                bits.push(0);
            }
            *bits.last_mut().expect("a byte") |= (bit - b'0') << (count % 8);
            count += 1;
        }
    };
    // The last block, by the fixed codes (RFC 1951 section 3.2.6): a zero, the same 258 times and
    // again, zeros for the rest, the end.
    push("110");
    push("00110000");
    (0..(rows - 1) / 258).for_each(|_| push("1100010100000"));
    (0..(rows - 1) % 258).for_each(|_| push("00110000"));
    push("0000000");
    // The checksum of zeros (RFC 1950).
    bits.extend(((rows % 65_521) << 16 | 1).to_be_bytes());
    let size = SIDE.to_be_bytes();
    let head = [&size[..], &size, &[1, 0, 0, 0, 0]].concat();
    let chunk = |kind: &[u8], data: &[u8]| {
        let data = [kind, data].concat();
        let length = u32::try_from(data.len() - 4).expect("short");
        let crc = !data.iter().fold(u32::MAX, |crc, byte| {
            let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            (0..8).fold(crc ^ u32::from(*byte), step)
        });
        [&length.to_be_bytes()[..], &data, &crc.to_be_bytes()].concat()
    };
    let parts = [chunk(b"IHDR", &head), chunk(b"IDAT", &bits), chunk(b"IEND", b"")];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

#[test]
fn pictures_that_are_bombs_or_too_large_take_no_memory_and_no_time_of_the_window() {
    let window = ["Xvfb", "xdotool", "dbus-daemon", "at-spi2-core", "pyatspi"];
    if !have("pictures in the window", &[&["slapd", "slapadd"], &window[..]].concat()) {
        return;
    }
    let scratch = Scratch::new();
    let pictures = [bomb(), vec![0xff; 20 * 1024 * 1024]];
    assert!(pictures[0].len() < 1024 * 1024, "it is let in");
    let mut people = String::new();
    for (at, bytes) in (1..).zip(&pictures) {
        let path = scratch.path().join(format!("picture{at}"));
        std::fs::write(&path, bytes).expect("written");
        people += &format!("{}jpegPhoto:< file://{}\n\n", person(at), path.display());
    }
    let like = Like { database: "maxsize 268435456", ..Like::default() };
    let slapd = Slapd::like(scratch.path(), &people, like);
    let lab = Lab::start(scratch.path(), &[], &configuration(&keys(&slapd)));
    let desktop = Desktop::start(scratch.path());
    let setup = Setup {
        ca_file: Some(both(scratch.path(), &lab.authority(), &slapd.authority)),
        environment: desktop.environment(),
        ..setup(&lab)
    };
    let client = Client::window(scratch.path(), "alice", &setup);
    client.sign_in(ALICE, "secret", &["im", "phone"]);
    desktop.focus("Offhook");
    desktop.press("ctrl+k");
    desktop.until_focus("Search or call");
    let before = client.running.peak_memory();
    desktop.type_text("alina");
    until("both pictures are asked for", 60, || {
        (slapd.words().matches("SRCH attr=jpegPhoto\n").count() == 2).then_some(())
    });
    // The one is here as it came, the other is none; the window has them as well.
    for (person, size) in [("alina1", json!(pictures[0].len())), ("alina2", Value::Null)] {
        let id = format!("uid={person},ou=people,dc=lab,dc=example");
        let there = until("it is known what picture there is", 30, || {
            let told = client.must("contacts.photo", json!({ "source": "ldap", "id": id }));
            (told["busy"] != true).then(|| told["size"].clone())
        });
        assert_eq!(there, size, "{person}");
    }
    pause(1.0);
    // A window that still unpacks has no time for a letter.
    desktop.until_there("alina2");
    desktop.type_text("1");
    desktop.until_gone("alina2");
    let grown = client.running.peak_memory().saturating_sub(before);
    assert!(grown < 150 * 1024 * 1024, "grew by {grown} bytes");
}
