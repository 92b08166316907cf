//! What is kept of encryption, and when: private values of the account, under names that begin with
//! `omemo.`.

use std::collections::BTreeSet;

use offhook_model::{Jid, Secret};
use offhook_omemo::{Dialect, Own, Session};
use offhook_ports::StoreRequest;

use super::DeviceId;
use super::names::{DIALECTS, short};
use crate::Im;

/// What the stanza at hand left to do.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Sessions that changed.
    pub(super) sessions: BTreeSet<(Jid, DeviceId)>,
    /// Our own keys changed.
    pub(super) own: BTreeSet<Dialect>,
    /// Our bundle changed.
    pub(super) publish: BTreeSet<Dialect>,
    /// Devices that should hear from us without a word.
    pub(super) answers: BTreeSet<(Jid, DeviceId)>,
}

impl Due {
    fn is_empty(&self) -> bool {
        self.sessions.is_empty()
            && self.own.is_empty()
            && self.publish.is_empty()
            && self.answers.is_empty()
    }
}

impl Im {
    /// What the store has. Values that cannot be read are as if they were not there. Where the store
    /// is `shut` there may be keys in it: no others are made beside them, since each new device that is
    /// gone at the next start stays on the account's list, and everybody goes on encrypting for it.
    pub(crate) fn load_keys(&mut self, values: &[(String, Secret<String>)], shut: bool) {
        self.encryption.shut = shut;
        for (name, value) in values {
            if let Some(name) = name.strip_prefix("omemo.") {
                self.load_key(name, value.expose());
            }
        }
        self.encryption.loaded = true;
        self.begin_encryption();
    }

    fn load_key(&mut self, name: &str, value: &str) -> Option<()> {
        let (kind, rest) = name.split_once('.').unwrap_or((name, ""));
        match kind {
            "device" => self.encryption.device = value.parse().ok()?,
            "own" => {
                let own: Own = serde_json::from_str(value).ok()?;
                self.encryption.own.insert(own.dialect(), own);
            }
            "session" => {
                let (dialect, rest) = rest.split_once('.')?;
                let dialect = DIALECTS.into_iter().find(|it| short(*it) == dialect)?;
                let (device, owner) = rest.split_once('.')?;
                let session: Session = serde_json::from_str(value).ok()?;
                let id = (dialect, device.parse().ok()?);
                self.encryption.device_mut(&owner.parse().ok()?, id)?.session = Some(session);
            }
            "trust" => {
                let beliefs = serde_json::from_str(value).ok()?;
                self.encryption.person(&rest.parse().ok()?)?.trust = beliefs;
            }
            _ => {}
        }
        Some(())
    }

    /// Keeps what changed: sessions and our own keys.
    pub(super) fn keep_keys(&mut self) {
        for (owner, (dialect, device)) in std::mem::take(&mut self.encryption.due.sessions) {
            let session = self.encryption.session(&owner, (dialect, device));
            if let Some(Ok(value)) = session.map(serde_json::to_string) {
                let name = format!("session.{}.{device}.{}", short(dialect), owner.bare_str());
                self.keep_value(&name, value);
            }
        }
        for dialect in std::mem::take(&mut self.encryption.due.own) {
            let own = self.encryption.own.get(&dialect);
            if let Some(Ok(value)) = own.map(serde_json::to_string) {
                self.keep_value(&format!("own.{}", short(dialect)), value);
            }
        }
    }

    pub(super) fn keep_value(&mut self, name: &str, value: String) {
        let name = format!("omemo.{name}");
        self.store(StoreRequest::PutValue(name, Some(Secret::new(value))));
    }

    /// Does what the stanza at hand left to do, once everything else of it is on its way.
    pub(crate) fn settle_keys(&mut self) {
        if self.encryption.due.is_empty() {
            return;
        }
        let answers = std::mem::take(&mut self.encryption.due.answers);
        let empties: Vec<_> =
            answers.into_iter().filter_map(|(owner, id)| self.empty_for(&owner, id)).collect();
        self.keep_keys();
        for dialect in std::mem::take(&mut self.encryption.due.publish) {
            self.publish_bundle(dialect);
        }
        for empty in empties {
            self.send(empty);
        }
    }
}
