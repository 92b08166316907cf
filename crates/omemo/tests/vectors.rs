//! What a foreign device once wrote to a device of ours is read again, without the foreign device.

mod support;

use offhook_omemo::{Bundle, Dialect, KeyMessage, Own, Session, payload};
use serde_json::Value;
use support::{Chance, hex, unhex};

#[test]
fn recorded_messages_are_read() {
    let fixtures = [
        (Dialect::Two, include_str!("fixtures/two.json")),
        (Dialect::Old, include_str!("fixtures/old.json")),
    ];
    for (dialect, fixture) in fixtures {
        let fixture: Value = serde_json::from_str(fixture).expect("JSON");
        let mut chance = Chance(fixture["seed"].as_u64().expect("seed"));
        let seed = Own::draw_seed(&mut chance).expect("a seed");
        let own = Own::new(dialect, seed, &mut chance, 0).expect("a device");
        let bundle = own.bundle().expect("a bundle");
        assert_eq!(fixture["bundle"]["ik"], hex(&bundle.identity_bytes(dialect)));
        assert_eq!(fixture["bundle"]["spk"][1], hex(&Bundle::key_bytes(dialect, &bundle.signed)));
        let mut session: Option<Session> = None;
        // The last comes first: all before it are skipped and read later.
        for record in fixture["messages"].as_array().expect("a list").iter().rev() {
            let bytes = |name: &str| unhex(record["message"][name].as_str().expect("hex"));
            let key =
                KeyMessage { begins: record["message"]["begins"] == true, data: bytes("data") };
            let opened = match &mut session {
                Some(session) => session.decrypt(&own, &key, &mut chance).expect("read"),
                None => {
                    let answer = Session::answer(&own, &key.data, &mut chance);
                    let (new, opened) = answer.expect("read");
                    session = Some(new);
                    opened
                }
            };
            let text = payload::open(dialect, &opened.plain, &bytes("iv"), &bytes("payload"));
            assert_eq!(text.as_deref(), Ok(record["text"].as_str().expect("text").as_bytes()));
        }
    }
}
