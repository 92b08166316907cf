//! Entry for fuzzers: any bytes as stanzas of a stranger, a colleague or the server.

use std::time::Instant;

use offhook_model::{ChatPolicy, ChatSettings, EncryptionPolicy, Message, Moment, Timestamp};
use offhook_ports::{Entropy, Loaded};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::presence::Presence;

use crate::{Im, Output, Stanza};

/// Nesting that the stream reader lets pass; deeper elements never reach this crate.
const DEPTH: usize = 64;

/// Chance that everybody knows.
struct Known(u8);

impl Entropy for Known {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
    }
}

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
    if text.contains("omemo") {
        // Keys take their time, so only where they matter.
        let encryption = EncryptionPolicy::Optional;
        let policy = ChatPolicy { encryption, ..ChatPolicy::default() };
        im.encrypt_with(Box::new(Known(7)));
        im.configure(policy.into(), ChatSettings::default(), now);
        im.loaded(Loaded::default());
    }
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
        "message" => Wire::try_from(element).ok().map(Stanza::Message),
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
        messages.iter().for_each(|message| check_message(message));
    }
}

/// Bounds of one message, and who may have changed it.
fn check_message(message: &Message) {
    assert!(message.body.chars().count() <= crate::content::BODY);
    assert!(message.more.html.as_ref().is_none_or(|html| html.len() <= 65_536));
    assert!(message.more.reactions.iter().all(|r| !r.from.is_empty()));
    assert!(message.own == (message.from.bare_str() == "alice@example.com"));
    if let Some(retraction) = &message.more.retracted {
        assert_eq!(retraction.by, message.from, "only its writer takes a message back");
        assert!(message.body.is_empty());
    }
    if let Some(file) = &message.more.attachment {
        assert!(!file.name.is_empty() && !file.name.contains(['/', '\\']));
    }
}
