//! Contacts who chat with another vendor's program in our domain (intradomain federation): what
//! stands before the `@` of their addresses need not be their user name, which is what User Data
//! Services know them by. The five formats of the seed are tried one after the other, one question
//! at a time.

use offhook_contacts::federation::{ContactIdFormat, Identity, wish};
use offhook_model::{DirectoryEntry, Jid, SourceKind};

use super::Ask;
use crate::Core;
use crate::phase::Phase;

/// Contacts that are looked for in this way in one session: each costs up to three questions.
const MOST: usize = 200;

impl Core {
    /// The directory was asked about these contacts by their user names.
    pub(super) fn roster_found(&mut self, asked: Vec<Jid>) {
        let Phase::Up(up) = &self.phase else { return };
        let by_uds =
            |directory: &offhook_contacts::Directory| directory.source() == SourceKind::Uds;
        if !self.contacts.directory.as_ref().is_some_and(by_uds) {
            return;
        }
        let domain = up.wish.address.domain();
        let ours: Vec<Jid> = asked.into_iter().filter(|jid| jid.domain() == domain).collect();
        let unknown = ours.into_iter().filter(|jid| !self.is_known(SourceKind::Uds, jid));
        let unknown: Vec<Jid> = unknown.collect();
        let side = &mut self.contacts;
        let room = MOST.saturating_sub(side.looked_for);
        side.looked_for += unknown.len().min(room);
        // The account name is what was asked already; the last one to be tried stands first.
        let others = ContactIdFormat::ALL.into_iter().skip(1).rev();
        let tries = unknown.into_iter().take(room).map(|jid| (jid, others.clone().collect()));
        side.federated.extend(tries);
    }

    /// Asks about the next one, unless an answer is waited for.
    pub(super) fn ask_federated(&mut self) {
        let waits = |ask: &Ask| matches!(ask, Ask::Roster(_) | Ask::Federated(_));
        if self.contacts.asks.values().any(waits) {
            return;
        }
        while let Some((jid, formats)) = self.contacts.federated.front_mut() {
            let Some(format) = formats.pop() else {
                self.contacts.federated.pop_front();
                continue;
            };
            let jid = jid.clone();
            if let Some(wish) = wish(&jid, format) {
                self.ask_directory(Ask::Federated(jid), wish);
                return;
            }
        }
    }

    /// The answer: whoever has this address in one of the formats is the contact.
    pub(super) fn federated(
        &mut self,
        jid: &Jid,
        entries: &[DirectoryEntry],
    ) -> Vec<DirectoryEntry> {
        let is = |entry: &&DirectoryEntry| Identity::of(entry).format_of(jid).is_some();
        let Some(entry) = entries.iter().find(is) else { return vec![] };
        self.contacts.federated.retain(|(other, _)| other != jid);
        self.contacts.addresses.insert(entry.id.clone(), jid.clone());
        vec![entry.clone()]
    }

    /// What the directory says of such people brings the address that would be theirs otherwise.
    pub(super) fn with_federated_addresses(&self, entries: &mut [DirectoryEntry]) {
        let known = &self.contacts.addresses;
        for entry in entries.iter_mut().filter(|entry| entry.source == SourceKind::Uds) {
            if let Some(jid) = known.get(&entry.id) {
                entry.im = Some(jid.clone());
            }
        }
    }
}
