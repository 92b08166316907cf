//! Which keys are believed: all, until one of a person was compared; from then on a new key of theirs
//! has to be decided about before anything is encrypted for it (trust before verification).

use std::collections::BTreeMap;

use offhook_model::{ChatProtection, DeviceKey, Jid, KeyTrust, Moment};
use serde::{Deserialize, Serialize};

use super::names::DIALECTS;
use super::{List, xml};
use crate::Im;

/// What was said about one person's keys.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Beliefs {
    keys: BTreeMap<String, KeyTrust>,
}

impl Beliefs {
    pub(super) fn of(&self, fingerprint: &str) -> KeyTrust {
        self.keys.get(fingerprint).copied().unwrap_or_default()
    }

    /// Undecided keys have to wait.
    pub(super) fn strict(&self) -> bool {
        self.keys.values().any(|it| *it == KeyTrust::Verified)
    }
}

impl Im {
    /// The user says whether a key is believed.
    ///
    /// # Errors
    /// Nobody knows this key; in words.
    pub fn trust(
        &mut self,
        owner: &Jid,
        fingerprint: &str,
        trust: KeyTrust,
        now: Moment,
    ) -> Result<(), String> {
        self.time = now;
        let owner = owner.bare();
        let known = self.keys_of(&owner).iter().any(|it| it.fingerprint == fingerprint);
        let beliefs = self.encryption.people.get_mut(&owner).map(|it| &mut it.trust);
        let Some(beliefs) = beliefs.filter(|_| known) else {
            return Err("There is no device with this key.".to_owned());
        };
        if trust == KeyTrust::Undecided {
            beliefs.keys.remove(fingerprint);
        } else if beliefs.keys.len() < 2 * xml::DEVICES || beliefs.keys.contains_key(fingerprint) {
            beliefs.keys.insert(fingerprint.to_owned(), trust);
        }
        // A map of names to words always has a text.
        if let Ok(value) = serde_json::to_string(beliefs) {
            self.keep_value(&format!("trust.{}", owner.bare_str()), value);
        }
        self.keys_changed(&owner);
        Ok(())
    }

    /// Somebody's keys or what is believed of them changed: what waits is tried again.
    pub(super) fn keys_changed(&mut self, owner: &Jid) {
        if *owner != self.me {
            self.show_protection(owner);
        }
        let waiting = std::mem::take(&mut self.encryption.waiting);
        let (now, later) = waiting.into_iter().partition(|it| *owner == self.me || it == owner);
        self.encryption.waiting = later;
        for with in now {
            self.show_protection(&with);
            self.unhold(&with);
        }
    }

    /// The keys of a person's devices, known by a session with them.
    pub fn keys_of(&self, owner: &Jid) -> Vec<DeviceKey> {
        let Some(person) = self.encryption.people.get(&owner.bare()) else {
            return Vec::new();
        };
        let mut keys: Vec<DeviceKey> = Vec::new();
        for ((dialect, device), it) in &person.devices {
            let Some(session) = &it.session else {
                continue;
            };
            let fingerprint = session.identity().fingerprint();
            let listed = person.lists.get(dialect);
            let active = matches!(listed, Some(List::Known(ids)) if ids.contains(device));
            if let Some(known) =
                keys.iter_mut().find(|it| it.fingerprint == fingerprint && it.device == *device)
            {
                known.active |= active;
                continue;
            }
            let trust = person.trust.of(&fingerprint);
            keys.push(DeviceKey {
                owner: owner.bare(),
                device: *device,
                fingerprint,
                trust,
                active,
            });
        }
        keys
    }

    /// The key of this device; empty until there is one.
    pub fn own_key(&self) -> Option<DeviceKey> {
        let own = self.encryption.own.values().next()?;
        Some(DeviceKey {
            owner: self.me.clone(),
            device: self.encryption.device,
            fingerprint: own.identity().fingerprint(),
            trust: KeyTrust::Verified,
            active: true,
        })
    }

    /// How a conversation stands.
    pub(crate) fn protection_of(&self, with: &Jid) -> ChatProtection {
        let asked = |dialect| matches!(self.encryption.list(with, dialect), List::Known(_));
        let unknown = !DIALECTS.into_iter().all(asked);
        let theirs = unknown || !self.encryption.devices(with).is_empty();
        let decision = self.decided(with, theirs);
        let mut keys = Vec::new();
        if !self.is_room(with) {
            keys = self.keys_of(with);
            if *with != self.me {
                keys.extend(self.keys_of(&self.me));
            }
        }
        let held = decision.encrypt && self.held_back(with);
        let why = if held { Some(super::outgoing::HELD) } else { decision.sentence };
        ChatProtection {
            on: decision.encrypt || !decision.may_send_plain,
            changeable: decision.changeable,
            why: why.map(str::to_owned),
            keys,
            own: self.own_key(),
        }
    }

    /// Brings the conversation's row up to date.
    pub(crate) fn show_protection(&mut self, with: &Jid) {
        let protection = self.protection_of(with);
        if let Some(talk) = self.talks.get_mut(with)
            && talk.chat.protection != protection
        {
            talk.edit_chat(|chat| chat.protection = protection);
            self.publish(with);
        }
    }

    /// The policy or the settings changed.
    pub(crate) fn show_protections(&mut self) {
        for with in self.talks.keys().cloned().collect::<Vec<_>>() {
            self.show_protection(&with);
        }
    }
}
