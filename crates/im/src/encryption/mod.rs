//! Encryption from client to client (XEP-0384) of one account: which devices there are, what we
//! share with them, whom to believe, and what becomes of messages.
//!
//! The order that keeps a message key from being used twice: a session is given to the store before
//! the message that was made with it is given to the connection, and whoever carries that out lets
//! the message go only when the store has said that it is kept. On the way in it is the other way
//! round: the message is given to the store first, then the session that can read it no more.

use std::collections::{BTreeMap, BTreeSet};

use offhook_model::{EncryptionPolicy, Jid, Moment};
use offhook_omemo::{Dialect, Own, Session};
use offhook_ports::Entropy;

use crate::Im;
use decision::{Choice, Decision, decide};

mod decision;
mod devices;
mod envelope;
mod incoming;
mod keeping;
mod names;
mod outgoing;
mod sessions;
mod trust;
mod xml;

pub(crate) use devices::Question;
pub(crate) use names::NOTIFY;

/// How many people's devices are known at most.
const PEOPLE: usize = 5_000;

/// A device in a dialect.
type DeviceId = (Dialect, u32);

/// What is known of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum List {
    /// Nothing; not asked in this connection.
    #[default]
    Unknown,
    /// Asked.
    Asked,
    /// These. Nobody publishes one: none.
    Known(Vec<u32>),
}

/// What is known of a device's bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fetch {
    /// Not asked in this connection, or not needed any more.
    #[default]
    Not,
    /// Asked.
    Asked,
    /// There is none, or it is not usable.
    Failed,
}

#[derive(Debug, Default)]
struct Device {
    session: Option<Session>,
    fetch: Fetch,
    /// When its session was last begun anew because something could not be read, in milliseconds
    /// since 1970.
    repaired: i64,
}

#[derive(Debug, Default)]
struct Person {
    lists: BTreeMap<Dialect, List>,
    devices: BTreeMap<DeviceId, Device>,
    trust: trust::Beliefs,
}

/// The state.
#[derive(Default)]
pub(crate) struct Encryption {
    entropy: Option<Box<dyn Entropy>>,
    /// What the store has is known.
    loaded: bool,
    /// It cannot be had, so nothing is encrypted.
    shut: bool,
    /// Our device id; 0 until there is one.
    device: u32,
    own: BTreeMap<Dialect, Own>,
    people: BTreeMap<Jid, Person>,
    /// Conversations with messages that wait for keys.
    waiting: BTreeSet<Jid>,
    /// Our keys were published in this connection.
    begun: bool,
    /// How often our id was put back into our list in this connection.
    healed: u8,
    /// To be kept, published and answered when the stanza at hand is dealt with.
    due: keeping::Due,
}

impl Encryption {
    fn able(&self) -> bool {
        self.entropy.is_some() && !self.shut
    }

    /// Somebody's state, a new one while there is room.
    fn person(&mut self, who: &Jid) -> Option<&mut Person> {
        if !self.people.contains_key(who) && self.people.len() >= PEOPLE {
            return None;
        }
        Some(self.people.entry(who.clone()).or_default())
    }

    fn device_mut(&mut self, who: &Jid, id: DeviceId) -> Option<&mut Device> {
        let person = self.person(who)?;
        if !person.devices.contains_key(&id) && person.devices.len() >= 2 * xml::DEVICES {
            return None;
        }
        Some(person.devices.entry(id).or_default())
    }

    fn session(&self, who: &Jid, id: DeviceId) -> Option<&Session> {
        self.people.get(who)?.devices.get(&id)?.session.as_ref()
    }

    fn list(&self, who: &Jid, dialect: Dialect) -> &List {
        const UNKNOWN: &List = &List::Unknown;
        self.people.get(who).and_then(|it| it.lists.get(&dialect)).unwrap_or(UNKNOWN)
    }

    /// The devices of a person, each in the newest dialect that it has.
    fn devices(&self, who: &Jid) -> Vec<DeviceId> {
        let mut out: Vec<DeviceId> = Vec::new();
        for dialect in names::DIALECTS {
            if let List::Known(ids) = self.list(who, dialect) {
                for id in ids {
                    if !out.iter().any(|(_, known)| known == id) {
                        out.push((dialect, *id));
                    }
                }
            }
        }
        out
    }
}

/// Whether something is encrypted in it.
pub(crate) fn is_encrypted(wire: &xmpp_parsers::message::Message) -> bool {
    envelope::encrypted(wire).is_some()
}

impl Im {
    /// Gives the source of chance for keys. Without one nothing is encrypted.
    pub fn encrypt_with(&mut self, entropy: Box<dyn Entropy>) {
        self.encryption.entropy = Some(entropy);
    }

    /// The user's word for a conversation with a person.
    fn choice(&self, with: &Jid) -> Choice {
        match self.talks.get(with).and_then(|talk| talk.encrypt) {
            Some(true) => Choice::Always,
            Some(false) => Choice::No,
            None if self.settings.encrypt => Choice::WherePossible,
            None => Choice::No,
        }
    }

    fn decided(&self, with: &Jid, theirs: bool) -> Decision {
        let (room, able) = (self.is_room(with), self.encryption.able());
        decide(self.policy.encryption, self.choice(with), theirs, room, able)
    }

    /// Whether anybody wants encryption: only then keys are made and published.
    fn wants_keys(&self) -> bool {
        match self.policy.encryption {
            EncryptionPolicy::Off => false,
            EncryptionPolicy::Optional | EncryptionPolicy::Required => true,
            EncryptionPolicy::ByUser => {
                self.settings.encrypt || self.talks.values().any(|it| it.encrypt == Some(true))
            }
        }
    }

    /// The user turns encryption on or off in a conversation with a person.
    ///
    /// # Errors
    /// An administrator decided, or it is a room; in words.
    pub fn encrypt(&mut self, with: &Jid, on: bool, now: Moment) -> Result<(), String> {
        self.time = now;
        let with = with.bare();
        let decision = self.decided(&with, true);
        if !decision.changeable {
            let why = decision.sentence.unwrap_or("Your administrator decides about encryption.");
            return Err(why.to_owned());
        }
        if on && !self.encryption.able() {
            return Err("Keys cannot be made or kept on this computer. If the history is locked, unlock the system's password store and sign in again.".to_owned());
        }
        self.talk(&with).encrypt = Some(on);
        self.keep_row(&with);
        self.begin_encryption();
        self.look_at(&with);
        self.unhold(&with);
        Ok(())
    }

    /// A conversation is on the screen: whether it is encrypted, and with which keys, should be known.
    pub(crate) fn look_at(&mut self, with: &Jid) {
        if self.decided(with, true).encrypt && self.encryption.loaded {
            self.gather(with);
        }
        self.show_protection(with);
    }
}
