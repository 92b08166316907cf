//! Two people with their devices talk encrypted over a server of the test's own, which keeps what is
//! published, passes messages on, and remembers every word that went over it.

#![expect(clippy::disallowed_methods, reason = "virtual time needs a beginning")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_im::{Im, Output, Stanza};
use offhook_model::{
    ChatPolicy, ChatSettings, Delivery, EncryptionPolicy, Jid, KeyTrust, Message, Moment,
    Protection, Secret, Timestamp,
};
use offhook_ports::{Entropy, Loaded, StoreRequest};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

/// Chance that repeats itself.
struct Chance(u64);

impl Entropy for Chance {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 33) as u8;
        }
    }
}

struct Device {
    im: Im,
    full: Jid,
    kept: BTreeMap<String, Secret<String>>,
    /// Ciphertexts that left, each after the value that was kept before it.
    sent: usize,
    kept_at_last_send: BTreeMap<String, String>,
}

struct World {
    devices: Vec<Device>,
    nodes: BTreeMap<(String, String), BTreeMap<String, Element>>,
    wire: String,
    refuse_max_items: bool,
    hold: bool,
    held: VecDeque<(usize, Stanza)>,
    now: Moment,
}

fn jid(text: &str) -> Jid {
    text.parse().expect("an address")
}

fn policy(encryption: EncryptionPolicy) -> Arc<ChatPolicy> {
    Arc::new(ChatPolicy { encryption, ..ChatPolicy::default() })
}

impl World {
    fn new() -> Self {
        Self {
            devices: Vec::new(),
            nodes: BTreeMap::new(),
            wire: String::new(),
            refuse_max_items: false,
            hold: false,
            held: VecDeque::new(),
            now: Moment { at: Instant::now(), wall: Timestamp(1_790_000_000_000) },
        }
    }

    fn join(&mut self, full: &str, policy: Arc<ChatPolicy>, seed: u64) -> usize {
        self.join_with(full, policy, seed, BTreeMap::new())
    }

    fn join_with(
        &mut self,
        full: &str,
        policy: Arc<ChatPolicy>,
        seed: u64,
        kept: BTreeMap<String, Secret<String>>,
    ) -> usize {
        let full = jid(full);
        let mut im = Im::new(full.bare(), seed, self.now);
        im.encrypt_with(Box::new(Chance(seed)));
        im.configure(policy, ChatSettings::default(), self.now);
        let values = kept.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        im.loaded(Loaded { values, ..Loaded::default() });
        im.online(full.clone(), false, self.now);
        let (sent, kept_at_last_send) = (0, BTreeMap::new());
        self.devices.push(Device { im, full, kept, sent, kept_at_last_send });
        self.run();
        self.devices.len() - 1
    }

    /// Until nobody has anything to say.
    fn run(&mut self) {
        loop {
            let mut quiet = true;
            for place in 0..self.devices.len() {
                while let Some(output) = self.devices[place].im.poll() {
                    quiet = false;
                    self.output(place, output);
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn output(&mut self, place: usize, output: Output) {
        let device = &mut self.devices[place];
        match output {
            Output::Store(StoreRequest::PutValue(name, value)) => {
                match value {
                    Some(value) => drop(device.kept.insert(name, value)),
                    None => drop(device.kept.remove(&name)),
                };
            }
            Output::Store(StoreRequest::PutMessage(message)) => device.im.message_kept(&message.id),
            Output::Send(stanza) => self.stanza(place, stanza),
            _ => {}
        }
    }

    fn stanza(&mut self, place: usize, stanza: Stanza) {
        let from = self.devices[place].full.clone();
        match stanza {
            Stanza::Iq(iq) => {
                let element = Element::from(iq);
                self.wire += &String::from(&element);
                let answer = self.answer(&from, &element);
                let id = element.attr("id").unwrap_or_default().to_owned();
                let to = element.attr("to").map(|it| it.parse().expect("an address"));
                let answer = match answer {
                    Ok(payload) => Iq::Result { from: to, to: None, id, payload },
                    Err(condition) => Iq::Error {
                        from: to,
                        to: None,
                        id,
                        error: StanzaError {
                            type_: ErrorType::Cancel,
                            by: None,
                            defined_condition: condition,
                            texts: BTreeMap::default(),
                            other: None,
                        },
                        payload: None,
                    },
                };
                let now = self.now;
                self.devices[place].im.receive(Stanza::Iq(answer), now);
            }
            Stanza::Message(mut message) => {
                self.wire += &String::from(&Element::from(message.clone()));
                if message.payloads.iter().any(|it| it.name() == "encrypted") {
                    self.check_kept(place);
                }
                let to = message.to.clone().expect("addressed");
                message.from = Some(from.to_string().parse().expect("an address"));
                let bare: Jid = to.to_string().parse().expect("an address");
                for other in 0..self.devices.len() {
                    if self.devices[other].full.bare() == bare.bare() && other != place {
                        self.deliver(other, Stanza::Message(message.clone()));
                    }
                }
                self.copies(place, &message);
            }
            Stanza::Presence(_) => {}
        }
    }

    /// Carbons of what was sent, for the sender's other devices (XEP-0280).
    fn copies(&mut self, place: usize, message: &xmpp_parsers::message::Message) {
        let own = self.devices[place].full.bare();
        let inner = String::from(&Element::from(message.clone()));
        for other in 0..self.devices.len() {
            if other == place || self.devices[other].full.bare() != own {
                continue;
            }
            let copy = format!(
                "<message xmlns='jabber:client' from='{own}' type='chat'><sent xmlns='urn:xmpp:carbons:2'>\
                 <forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></sent></message>"
            );
            let stanza = offhook_im::fuzzing::stanza(&copy).expect("a stanza");
            self.deliver(other, stanza);
        }
    }

    fn deliver(&mut self, to: usize, stanza: Stanza) {
        if self.hold {
            self.held.push_back((to, stanza));
        } else {
            let now = self.now;
            self.devices[to].im.receive(stanza, now);
        }
    }

    /// Every encrypted message leaves with sessions in the store that no earlier one left with.
    fn check_kept(&mut self, place: usize) {
        let device = &mut self.devices[place];
        let sessions: BTreeMap<String, String> = device
            .kept
            .iter()
            .filter(|(name, _)| name.starts_with("omemo.session"))
            .map(|(name, value)| (name.clone(), value.expose().clone()))
            .collect();
        assert_ne!(
            sessions, device.kept_at_last_send,
            "a message left before its session was kept"
        );
        device.kept_at_last_send = sessions;
        device.sent += 1;
    }

    fn answer(&mut self, from: &Jid, iq: &Element) -> Result<Option<Element>, DefinedCondition> {
        let owner = iq.attr("to").map_or_else(|| from.bare(), |it| jid(it).bare());
        let Some(pubsub) = iq.get_child("pubsub", ns::PUBSUB) else {
            return Err(DefinedCondition::ServiceUnavailable);
        };
        if let Some(publish) = pubsub.get_child("publish", ns::PUBSUB) {
            let options = pubsub.get_child("publish-options", ns::PUBSUB).map(String::from);
            if self.refuse_max_items && options.is_some_and(|it| it.contains("max_items")) {
                return Err(DefinedCondition::BadRequest);
            }
            let node = publish.attr("node").expect("a node").to_owned();
            let item = publish.children().next().expect("an item");
            let id = item.attr("id").expect("an id").to_owned();
            let payload = item.children().next().expect("a payload").clone();
            self.nodes.entry((owner.to_string(), node.clone())).or_default().insert(id, payload);
            self.tell(&owner, &node, item);
            return Ok(None);
        }
        let items = pubsub.get_child("items", ns::PUBSUB).ok_or(DefinedCondition::BadRequest)?;
        let node = items.attr("node").expect("a node").to_owned();
        let kept = self.nodes.get(&(owner.to_string(), node.clone()));
        let kept = kept.ok_or(DefinedCondition::ItemNotFound)?;
        let wanted = items.children().next().and_then(|it| it.attr("id"));
        let mut out = format!("<pubsub xmlns='{}'><items node='{node}'>", ns::PUBSUB);
        for (id, payload) in kept.iter().filter(|(id, _)| wanted.is_none_or(|it| it == *id)) {
            out += &format!("<item id='{id}'>{}</item>", String::from(payload));
        }
        out += "</items></pubsub>";
        Ok(Some(out.parse().expect("XML")))
    }

    fn tell(&mut self, owner: &Jid, node: &str, item: &Element) {
        let payload = item.children().next().map(String::from).unwrap_or_default();
        let event = format!(
            "<message xmlns='jabber:client' from='{owner}' type='headline'><event \
             xmlns='http://jabber.org/protocol/pubsub#event'><items node='{node}'><item \
             id='current'>{payload}</item></items></event></message>"
        );
        let now = self.now;
        for device in &mut self.devices {
            let stanza = offhook_im::fuzzing::stanza(&event).expect("a stanza");
            device.im.receive(stanza, now);
        }
    }

    fn say(&mut self, from: usize, to: &str, text: &str) {
        let now = self.now;
        self.devices[from].im.send_chat(jid(to), text.to_owned(), now);
        self.run();
    }

    fn messages(&self, place: usize, with: &str) -> Vec<Message> {
        let all = self.devices[place].im.messages();
        all.get(&jid(with)).map(|it| it.iter().map(|m| (**m).clone()).collect()).unwrap_or_default()
    }

    fn last(&self, place: usize, with: &str) -> Message {
        self.messages(place, with).pop().expect("a message")
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }
}

const ALICE: &str = "alice@example.test";
const BOB: &str = "bob@example.test";

#[test]
fn two_people_talk_and_nobody_between_reads_it() {
    let mut world = World::new();
    world.refuse_max_items = true;
    let on = policy(EncryptionPolicy::Required);
    let alice = world.join("alice@example.test/a", Arc::clone(&on), 1);
    let bob = world.join("bob@example.test/b", Arc::clone(&on), 2);
    for round in 0..20 {
        world.say(alice, BOB, &format!("plain words {round} & <more>"));
        world.say(bob, ALICE, &format!("answered words {round}"));
        assert_eq!(world.last(alice, BOB).body, format!("answered words {round}"));
    }
    let got = world.messages(bob, ALICE);
    assert_eq!(got.len(), 40);
    for message in &got {
        assert_eq!(message.more.protection, Protection::Encrypted, "{message:?}");
    }
    assert_eq!(got[0].body, "plain words 0 & <more>");
    assert!(!world.wire.contains("words"), "the text went over the wire in clear");
    assert!(world.wire.contains("urn:xmpp:eme:0"));
    assert!(world.devices[alice].sent >= 20);
}

#[test]
fn all_devices_of_both_read_it() {
    let mut world = World::new();
    let on = policy(EncryptionPolicy::Optional);
    let alice = world.join("alice@example.test/a", Arc::clone(&on), 1);
    let alice2 = world.join("alice@example.test/a2", Arc::clone(&on), 2);
    let bob = world.join("bob@example.test/b", Arc::clone(&on), 3);
    let bob2 = world.join("bob@example.test/b2", Arc::clone(&on), 4);
    world.say(alice, BOB, "to all");
    assert_eq!(world.last(bob, ALICE).body, "to all");
    assert_eq!(world.last(bob2, ALICE).body, "to all");
    let copy = world.last(alice2, BOB);
    assert_eq!((copy.body.as_str(), copy.own), ("to all", true));
    assert_eq!(copy.more.protection, Protection::Encrypted);
    world.say(bob2, ALICE, "from the second");
    assert_eq!(world.last(alice2, BOB).body, "from the second");
    assert_eq!(world.last(bob, ALICE).body, "from the second");
    // Four ids, each on its owner's list once.
    for owner in [ALICE, BOB] {
        let list = &world.nodes[&(owner.to_owned(), "urn:xmpp:omemo:2:devices".to_owned())];
        let ids: BTreeSet<_> = list["current"].children().map(|it| it.attr("id")).collect();
        assert_eq!(ids.len(), 2);
    }
}

#[test]
fn the_table_with_a_person_who_has_no_keys() {
    let clear = |world: &mut World, from: usize| {
        world.say(from, ALICE, "in clear");
    };
    for (encryption, goes, comes) in [
        (EncryptionPolicy::Off, true, true),
        (EncryptionPolicy::Optional, true, true),
        (EncryptionPolicy::Required, false, false),
    ] {
        let mut world = World::new();
        let alice = world.join("alice@example.test/a", policy(encryption), 1);
        let bob = world.join("bob@example.test/b", policy(EncryptionPolicy::Off), 2);
        let keys = world.nodes.keys().any(|(owner, _)| owner == BOB);
        assert!(!keys, "with the policy off nothing is published");
        world.say(alice, BOB, "hello words");
        let own = world.last(alice, BOB);
        assert_eq!(world.messages(bob, ALICE).len(), usize::from(goes), "{encryption:?}");
        assert_eq!(own.state == Delivery::Failed, !goes, "{encryption:?}");
        assert_eq!(own.error.is_some_and(|it| it.contains("only encrypted")), !goes);
        assert_eq!(world.wire.contains("hello words"), goes);
        clear(&mut world, bob);
        let got = world.last(alice, BOB);
        assert_eq!(got.body == "in clear", comes, "{encryption:?}");
        assert_eq!(got.body.contains("only encrypted"), !comes, "{encryption:?}");
    }
}

#[test]
fn the_user_switches_a_conversation() {
    let mut world = World::new();
    let by_user = policy(EncryptionPolicy::ByUser);
    let alice = world.join("alice@example.test/a", Arc::clone(&by_user), 1);
    let bob = world.join("bob@example.test/b", Arc::clone(&by_user), 2);
    assert!(world.nodes.is_empty(), "nobody asked for keys");
    world.say(alice, BOB, "before");
    assert_eq!(world.last(bob, ALICE).more.protection, Protection::None);
    let now = world.now;
    world.devices[alice].im.encrypt(&jid(BOB), true, now).expect("the user may");
    world.run();
    world.say(alice, BOB, "nobody there");
    let own = world.last(alice, BOB);
    assert_eq!(own.state, Delivery::Failed, "not in clear without another word");
    world.devices[bob].im.encrypt(&jid(ALICE), true, now).expect("the user may");
    world.run();
    world.say(alice, BOB, "secret words");
    assert_eq!(world.last(bob, ALICE).body, "secret words");
    assert_eq!(world.last(bob, ALICE).more.protection, Protection::Encrypted);
    assert_eq!(world.last(alice, BOB).more.protection, Protection::Encrypted);
    assert!(!world.wire.contains("secret words"));
    world.devices[alice].im.encrypt(&jid(BOB), false, now).expect("the user may");
    world.run();
    world.say(alice, BOB, "open again");
    assert!(world.wire.contains("open again"));
}

#[test]
fn a_new_key_after_a_verified_one_waits_for_a_word() {
    let mut world = World::new();
    let on = policy(EncryptionPolicy::Optional);
    let alice = world.join("alice@example.test/a", Arc::clone(&on), 1);
    let bob = world.join("bob@example.test/b", Arc::clone(&on), 2);
    world.say(alice, BOB, "first");
    let keys = world.devices[alice].im.keys_of(&jid(BOB));
    assert_eq!(keys.len(), 1);
    assert_eq!(world.devices[bob].im.own_key().expect("a key").fingerprint, keys[0].fingerprint);
    let now = world.now;
    let trust = |world: &mut World, key: &str, trust| {
        world.devices[alice].im.trust(&jid(BOB), key, trust, now).expect("a known key");
        world.run();
    };
    trust(&mut world, &keys[0].fingerprint, KeyTrust::Verified);
    world.say(alice, BOB, "to the verified");
    assert_eq!(world.last(alice, BOB).more.protection, Protection::Verified);
    let bob2 = world.join("bob@example.test/b2", Arc::clone(&on), 3);
    world.say(alice, BOB, "held back");
    assert_eq!(world.last(alice, BOB).state, Delivery::Queued);
    assert_eq!(world.messages(bob2, ALICE).len(), 0);
    let chats = world.devices[alice].im.chats();
    let why = chats[0].protection.why.clone().expect("a sentence");
    assert!(why.contains("new key"), "{why}");
    let keys = world.devices[alice].im.keys_of(&jid(BOB));
    let new = keys.iter().find(|it| it.trust == KeyTrust::Undecided).expect("the new one");
    trust(&mut world, &new.fingerprint, KeyTrust::Distrusted);
    assert_eq!(world.last(bob, ALICE).body, "held back");
    let other = world.messages(bob2, ALICE).pop();
    assert!(other.is_none_or(|it| it.body != "held back"), "nothing is encrypted for it");
    assert!(world.devices[alice].im.trust(&jid(BOB), "00", KeyTrust::Verified, now).is_err());
}

#[test]
fn a_locked_store_makes_no_other_device_beside_the_one_it_holds() {
    let mut world = World::new();
    let on = policy(EncryptionPolicy::Optional);
    let alice = world.join("alice@example.test/a", Arc::clone(&on), 1);
    let kept = world.devices.remove(alice).kept;
    let published = world.nodes.clone();
    assert!(!published.is_empty());

    let mut im = Im::new(jid("alice@example.test"), 2, world.now);
    im.encrypt_with(Box::new(Chance(2)));
    im.configure(Arc::clone(&on), ChatSettings::default(), world.now);
    im.loaded(Loaded { shut: true, ..Loaded::default() });
    im.online(jid("alice@example.test/a"), false, world.now);
    let full = jid("alice@example.test/a");
    let (sent, kept_at_last_send) = (0, BTreeMap::new());
    world.devices.push(Device { im, full, kept: BTreeMap::new(), sent, kept_at_last_send });
    world.run();
    let locked = world.devices.pop().expect("here");
    assert!(locked.kept.keys().all(|name| !name.starts_with("omemo.")), "nothing is made");
    assert_eq!(world.nodes, published, "nothing is published");

    let device = kept["omemo.device"].clone();
    let alice = world.join_with("alice@example.test/a", on, 3, kept);
    assert_eq!(world.devices[alice].kept["omemo.device"].expose(), device.expose());
}

#[test]
fn a_restart_keeps_sessions_and_trust() {
    let mut world = World::new();
    let on = policy(EncryptionPolicy::Required);
    let alice = world.join("alice@example.test/a", Arc::clone(&on), 1);
    let bob = world.join("bob@example.test/b", Arc::clone(&on), 2);
    world.say(alice, BOB, "one");
    world.say(bob, ALICE, "two");
    let key = world.devices[alice].im.keys_of(&jid(BOB)).remove(0).fingerprint;
    let now = world.now;
    world.devices[alice].im.trust(&jid(BOB), &key, KeyTrust::Verified, now).expect("known");
    world.run();
    let own = world.devices[alice].im.own_key().expect("a key");
    // Killed: what the store has is all there is.
    let kept = std::mem::take(&mut world.devices[alice].kept);
    world.devices[alice].full = jid("nobody@example.test/gone");
    let alice = world.join_with("alice@example.test/a", Arc::clone(&on), 9, kept);
    assert_eq!(world.devices[alice].im.own_key(), Some(own));
    let before = world.wire.matches("kex='true'").count();
    world.say(alice, BOB, "three");
    world.say(bob, ALICE, "four");
    assert_eq!(world.last(bob, ALICE).body, "four");
    assert_eq!(world.last(alice, BOB).body, "four");
    assert_eq!(world.last(alice, BOB).more.protection, Protection::Verified);
    assert_eq!(world.wire.matches("kex='true'").count(), before, "the session went on");
}

#[test]
fn what_comes_twice_is_shown_once_and_what_is_lost_is_mended() {
    let mut world = World::new();
    let on = policy(EncryptionPolicy::Required);
    let alice = world.join("alice@example.test/a", Arc::clone(&on), 1);
    let bob = world.join("bob@example.test/b", Arc::clone(&on), 2);
    world.say(alice, BOB, "one");
    world.say(bob, ALICE, "two");
    world.hold = true;
    for text in ["three", "four", "five"] {
        world.say(alice, BOB, text);
    }
    world.hold = false;
    let held: Vec<_> = world.held.drain(..).collect();
    // The second first, twice each, the first never.
    for place in [1, 2, 1, 2] {
        let (to, stanza) = held[place].clone();
        let now = world.now;
        world.devices[to].im.receive(stanza, now);
        world.run();
    }
    let bodies: Vec<String> = world.messages(bob, ALICE).into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, ["one", "two", "four", "five"]);
    // Bob lost everything but his keys.
    let mut kept = std::mem::take(&mut world.devices[bob].kept);
    kept.retain(|name, _| !name.starts_with("omemo.session"));
    world.devices[bob].full = jid("nobody@example.test/gone");
    let bob = world.join_with("bob@example.test/b", Arc::clone(&on), 9, kept);
    world.say(alice, BOB, "not readable");
    let broken = world.last(bob, ALICE);
    assert_eq!(broken.more.protection, Protection::Unreadable);
    assert!(broken.body.contains("could not be decrypted"), "{}", broken.body);
    assert!(world.last(alice, BOB).state < Delivery::Delivered, "nobody could read it");
    world.say(alice, BOB, "readable again");
    assert_eq!(world.last(bob, ALICE).body, "readable again");
    world.later(60);
    world.say(bob, ALICE, "and back");
    assert_eq!(world.last(alice, BOB).body, "and back");
}

#[test]
fn our_device_is_put_back_on_the_list() {
    let mut world = World::new();
    let on = policy(EncryptionPolicy::Optional);
    world.join("alice@example.test/a", Arc::clone(&on), 1);
    let node = (ALICE.to_owned(), "urn:xmpp:omemo:2:devices".to_owned());
    let ours = world.nodes[&node]["current"].clone();
    let other: Element =
        "<devices xmlns='urn:xmpp:omemo:2'><device id='7'/></devices>".parse().expect("XML");
    world.nodes.get_mut(&node).expect("published").insert("current".into(), other.clone());
    let mut item: Element =
        "<item xmlns='http://jabber.org/protocol/pubsub'/>".parse().expect("XML");
    item.append_child(other);
    world.tell(&jid(ALICE), "urn:xmpp:omemo:2:devices", &item);
    world.run();
    let ids: Vec<_> = world.nodes[&node]["current"]
        .children()
        .map(|it| it.attr("id").expect("an id").to_owned())
        .collect();
    let own = ours.children().next().and_then(|it| it.attr("id")).expect("ours");
    assert_eq!(ids, ["7", own]);
}
