//! The test vectors of RFC 5769, which lie in `corpus/message/` as bytes.

use offhook_stun::{Attribute, Class, Draft, Key, Message, Method, Sort, StunError};

/// Password of sections 2.1 to 2.3.
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/corpus/message/{name}", env!("CARGO_MANIFEST_DIR")))
        .expect("a vector")
}

#[test]
fn a_request() {
    let bytes = vector("rfc5769-request");
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!((message.class, message.method), (Class::Request, Method::Binding));
    assert_eq!(message.text(Attribute::Username), Some("evtj:h6vY"));
    assert_eq!(message.text(Attribute::Software), Some("STUN test client"));
    assert_eq!(message.number(Attribute::Priority), Some(0x6e00_01ff));
    assert_eq!(message.long(Attribute::IceControlled), Some(0x932f_f9b1_5126_3b36));
    assert!(message.is_signed(&Key::short_term(PASSWORD)));
    assert!(!message.is_signed(&Key::short_term("VOkJxbRl1RmTxUk/WvJxBT")));
    assert_eq!(message.unknown(), []);
}

#[test]
fn answers() {
    for (name, address) in [
        ("rfc5769-response-ipv4", "192.0.2.1:32853"),
        ("rfc5769-response-ipv6", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let bytes = vector(name);
        let message = Message::parse(&bytes).expect("a message");
        assert_eq!(message.class, Class::Success);
        assert_eq!(message.mapped().map(|it| it.to_string()).as_deref(), Some(address));
        assert!(message.is_signed(&Key::short_term(PASSWORD)));
    }
}

/// The name is of more than ASCII; the password is given as SASLprep leaves it.
#[test]
fn a_request_of_a_user() {
    let bytes = vector("rfc5769-long-term");
    let message = Message::parse(&bytes).expect("a message");
    let user = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";
    assert_eq!(message.text(Attribute::Username), Some(user));
    assert_eq!(message.text(Attribute::Nonce), Some("f//499k954d6OL34oL9FSTvy64sA"));
    let key = Key::long_term(user, "example.org", "TheMatrIX", false);
    assert!(message.is_signed(&key));
    // It has no padding but zeros, so ours is the same byte for byte.
    let draft = Draft::new(Class::Request, Method::Binding, message.transaction())
        .with(Attribute::Username, user.as_bytes())
        .with(Attribute::Nonce, b"f//499k954d6OL34oL9FSTvy64sA")
        .with(Attribute::Realm, b"example.org")
        .signed(&key);
    assert_eq!(draft.plain(), bytes);
}

#[test]
fn one_wrong_bit_anywhere_is_seen() {
    for name in ["rfc5769-request", "rfc5769-response-ipv4", "rfc5769-response-ipv6"] {
        let bytes = vector(name);
        // The fingerprint covers all before it; where a bit hides it, the signature is wrong.
        for bit in 0..(bytes.len() - 8) * 8 {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            let believed = Message::parse(&wrong)
                .is_ok_and(|message| message.is_signed(&Key::short_term(PASSWORD)));
            assert!(!believed, "{name} bit {bit}");
        }
    }
    let mut wrong = vector("rfc5769-request");
    *wrong.last_mut().expect("bytes") ^= 1;
    assert_eq!(Message::parse(&wrong).err(), Some(StunError::Fingerprint));
}

#[test]
fn the_newer_signature_is_its_own() {
    let key = Key::long_term("user", "realm", "word", true).by_sha256();
    let bytes = Draft::new(Class::Request, Method::Allocate, [7; 12])
        .with(Attribute::Software, b"odd")
        .signed(&key)
        .finish();
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.is_signed(&key));
    assert_eq!(message.get(Attribute::MessageIntegrity), None);
    assert!(!message.is_signed(&Key::long_term("user", "realm", "other", true).by_sha256()));
    // What stands behind a signature is not signed and not read.
    let bytes = Draft::new(Class::Request, Method::Binding, [7; 12])
        .signed(&key)
        .with(Attribute::Username, b"forged")
        .finish();
    assert_eq!(Message::parse(&bytes).expect("a message").text(Attribute::Username), None);
}

/// RFC 7983 section 7.
#[test]
fn the_first_byte_says_what_it_is() {
    for (byte, sort) in [
        (0, Sort::Stun),
        (3, Sort::Stun),
        (20, Sort::Other),
        (64, Sort::Channel),
        (79, Sort::Channel),
        (80, Sort::Other),
        (128, Sort::Media),
        (191, Sort::Media),
        (192, Sort::Other),
    ] {
        assert_eq!(Sort::of(&[byte, 0]), sort, "{byte}");
    }
    assert_eq!(Sort::of(&[]), Sort::Other);
}
