//! Entry for fuzzers: any bytes as stanzas of a stranger, a colleague or the server.

use std::time::Instant;

use offhook_model::{Moment, Timestamp};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::presence::Presence;

use crate::{Im, Output, Stanza};

/// Nesting that the stream reader lets pass; deeper elements never reach this crate.
const DEPTH: usize = 64;

/// Feeds the lines of `data` as stanzas and checks what must always hold.
pub fn fuzz(data: &[u8], start: Instant) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (Ok(me), Ok(full)) = ("alice@example.com".parse(), "alice@example.com/d".parse()) else {
        return;
    };
    let mut now = Moment { at: start, wall: Timestamp(1_700_000_000_000) };
    let mut im = Im::new(me, 7, now);
    im.online(full, false, now);
    for line in text.lines().take(64) {
        now = now.plus(std::time::Duration::from_secs(1));
        if let Some(stanza) = stanza(line) {
            im.receive(stanza, now);
        }
        while let Some(output) = im.poll() {
            if let Output::Send(stanza) = output {
                assert!(!stanza.name().is_empty());
            }
        }
        check(&im);
    }
    // Time alone brings the machine to rest.
    for _ in 0..64 {
        now = now.plus(std::time::Duration::from_secs(100));
        im.handle_timeout(now);
        while im.poll().is_some() {}
    }
    assert_eq!(im.next_timeout(), None);
}

/// A stanza from its text; `None` for anything else.
pub fn stanza(text: &str) -> Option<Stanza> {
    if text.matches('<').count() > 4 * DEPTH {
        return None;
    }
    let element: Element = text.parse().ok()?;
    match element.name() {
        "iq" => Iq::try_from(element).ok().map(Stanza::Iq),
        "message" => Message::try_from(element).ok().map(Stanza::Message),
        "presence" => Presence::try_from(element).ok().map(Stanza::Presence),
        _ => None,
    }
}

fn check(im: &Im) {
    let contacts = im.contacts();
    let keys: Vec<_> =
        contacts.iter().map(|c| (c.name.to_lowercase(), c.contact.clone())).collect();
    assert!(keys.is_sorted(), "contacts are in order");
    let chats = im.chats();
    let times: Vec<_> = chats.iter().rev().map(|c| c.last.as_ref().map(|l| l.time)).collect();
    assert!(times.is_sorted(), "conversations are newest first");
    for messages in im.messages().values() {
        assert!(messages.len() <= 1_200);
        assert!(messages.iter().map(|m| m.time).is_sorted());
    }
}
