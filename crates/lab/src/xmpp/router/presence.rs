//! Presence and subscriptions between the people of this server (RFC 6121 sections 3 and 4).

use super::{Jid, MAX_CONTACTS, State};
use crate::xml::Element;
use crate::xmpp::roster::Item;

impl State {
    /// Sends a presence to every contact that may see it and to the account's own connections.
    pub(super) fn broadcast(&mut self, bare: &str, presence: &Element) {
        let Some(account) = self.accounts.get(bare) else { return };
        let mut receivers = account.contacts(|item| item.from);
        receivers.push(bare.to_owned());
        for receiver in receivers {
            for jid in self.resources(&receiver, |session| session.presence.is_some()) {
                if Some(jid.full().as_str()) != presence.attribute("from") {
                    self.deliver(&jid, presence.clone());
                }
            }
        }
    }

    pub(super) fn presence(&mut self, from: &Jid, mut stanza: Element) {
        let kind = stanza.attribute("type").unwrap_or_default().to_owned();
        let Some(to) = stanza.attribute("to").map(Jid::new) else {
            match kind.as_str() {
                "" => self.available(from, stanza),
                "unavailable" => self.unavailable(from, stanza),
                _ => {}
            }
            return;
        };
        match kind.as_str() {
            "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed" => {
                // Subscriptions are between people, not between connections.
                stanza.set("from", &from.bare);
                stanza.set("to", &to.bare);
                self.subscription(&from.bare, &to.bare, &kind, stanza);
            }
            "probe" => self.probe(from, &to),
            "" | "unavailable" => {
                if let Some(session) = self.session(from) {
                    if kind.is_empty() {
                        session.directed.insert(to.full());
                    } else {
                        session.directed.remove(&to.full());
                    }
                }
                match &to.resource {
                    Some(_) => self.deliver(&to, stanza),
                    None => self.deliver_to_available(&to.bare, &stanza),
                }
            }
            _ => {}
        }
    }

    pub(super) fn available(&mut self, from: &Jid, stanza: Element) {
        let priority = stanza.child_text("priority").and_then(|text| text.trim().parse().ok());
        let Some(session) = self.session(from) else { return };
        let initial = session.presence.is_none();
        session.priority = priority.unwrap_or(0);
        session.presence = Some(stanza.clone());
        let takes_messages = session.priority >= 0;
        self.broadcast(&from.bare, &stanza);
        if !initial {
            return;
        }
        let Some(account) = self.accounts.get_mut(&from.bare) else { return };
        let mut seen = account.contacts(|item| item.to);
        seen.push(from.bare.clone());
        let requests: Vec<Element> = account.pending.values().cloned().collect();
        let kept: Vec<Element> =
            if takes_messages { account.offline.drain(..).collect() } else { Vec::new() };
        for bare in seen {
            self.show_presence(&bare, from);
        }
        for stanza in requests.into_iter().chain(kept) {
            self.deliver(from, stanza);
        }
    }

    /// Sends the presence of every connection of `bare` to `viewer`.
    pub(super) fn show_presence(&mut self, bare: &str, viewer: &Jid) {
        let Some(account) = self.accounts.get(bare) else { return };
        let shown: Vec<Element> =
            account.available().filter_map(|session| session.presence.clone()).collect();
        for presence in shown {
            if presence.attribute("from") != Some(viewer.full().as_str()) {
                self.deliver(viewer, presence);
            }
        }
    }

    pub(super) fn unavailable(&mut self, from: &Jid, stanza: Element) {
        let Some(session) = self.session(from) else { return };
        let directed = std::mem::take(&mut session.directed);
        if session.presence.take().is_some() {
            self.broadcast(&from.bare, &stanza);
        }
        self.leave_rooms(from);
        for other in directed {
            self.deliver_to_available(&Jid::new(&other).bare, &stanza);
        }
    }

    pub(super) fn probe(&mut self, from: &Jid, to: &Jid) {
        let allowed = self
            .accounts
            .get(&to.bare)
            .and_then(|account| account.items.get(&from.bare))
            .is_some_and(|item| item.from);
        if allowed || from.bare == to.bare {
            self.show_presence(&to.bare, from);
        }
    }

    pub(super) fn item(&mut self, bare: &str, contact: &str) -> Option<&mut Item> {
        self.accounts.get_mut(bare)?.items.get_mut(contact)
    }

    /// The four subscription stanzas between two people of this server.
    pub(super) fn subscription(&mut self, from: &str, to: &str, kind: &str, stanza: Element) {
        if from == to {
            return;
        }
        match kind {
            "subscribe" => self.subscribe(from, to, stanza),
            "subscribed" => self.subscribed(from, to, stanza),
            "unsubscribe" => self.unsubscribe(from, to, &stanza),
            _ => self.unsubscribed(from, to, &stanza),
        }
    }

    pub(super) fn subscribe(&mut self, from: &str, to: &str, stanza: Element) {
        let Some(account) = self.accounts.get_mut(from) else { return };
        if account.items.len() >= MAX_CONTACTS {
            return;
        }
        let item = account.items.entry(to.to_owned()).or_default();
        if !item.to {
            item.ask = true;
        }
        self.push(from, to);
        let Some(contact) = self.accounts.get_mut(to) else {
            // A person who does not exist never answers; the server says so.
            let refusal = Element::stanza("presence").with("type", "unsubscribed").with("from", to);
            if let Some(item) = self.item(from, to) {
                item.ask = false;
            }
            self.push(from, to);
            return self.deliver_to_available(from, &refusal);
        };
        if contact.items.get(from).is_some_and(|item| item.from) {
            let consent = Element::stanza("presence").with("type", "subscribed").with("from", to);
            return self.subscribed_arrives(to, from, &consent);
        }
        contact.pending.insert(from.to_owned(), stanza.clone());
        self.deliver_to_available(to, &stanza);
    }

    pub(super) fn subscribed(&mut self, from: &str, to: &str, stanza: Element) {
        let Some(account) = self.accounts.get_mut(from) else { return };
        if account.pending.remove(to).is_none() {
            return;
        }
        account.items.entry(to.to_owned()).or_default().from = true;
        self.push(from, to);
        self.subscribed_arrives(from, to, &stanza);
    }

    /// `from` lets `to` see its presence.
    pub(super) fn subscribed_arrives(&mut self, from: &str, to: &str, stanza: &Element) {
        let Some(item) = self.item(to, from).filter(|item| item.ask) else { return };
        item.ask = false;
        item.to = true;
        self.deliver_to_available(to, stanza);
        self.push(to, from);
        for viewer in self.resources(to, |session| session.presence.is_some()) {
            self.show_presence(from, &viewer);
        }
    }

    pub(super) fn unsubscribe(&mut self, from: &str, to: &str, stanza: &Element) {
        if let Some(item) = self.item(from, to) {
            item.to = false;
            item.ask = false;
            self.push(from, to);
        }
        let Some(contact) = self.accounts.get_mut(to) else { return };
        contact.pending.remove(from);
        let Some(item) = contact.items.get_mut(from) else { return };
        item.from = false;
        self.deliver_to_available(to, stanza);
        self.push(to, from);
        self.hide_presence(to, from);
    }

    pub(super) fn unsubscribed(&mut self, from: &str, to: &str, stanza: &Element) {
        let Some(account) = self.accounts.get_mut(from) else { return };
        let asked = account.pending.remove(to).is_some();
        let seen = account.items.get_mut(to).is_some_and(|item| std::mem::take(&mut item.from));
        if !asked && !seen {
            return;
        }
        self.push(from, to);
        if let Some(item) = self.item(to, from) {
            item.to = false;
            item.ask = false;
        }
        self.deliver_to_available(to, stanza);
        self.push(to, from);
        self.hide_presence(from, to);
    }

    /// `viewer` sees every connection of `bare` leave.
    pub(super) fn hide_presence(&mut self, bare: &str, viewer: &str) {
        for jid in self.resources(bare, |session| session.presence.is_some()) {
            let gone =
                Element::stanza("presence").with("type", "unavailable").with("from", &jid.full());
            self.deliver_to_available(viewer, &gone);
        }
    }

    /// Removes a contact and the subscriptions both ways (RFC 6121 section 2.5).
    pub(in crate::xmpp) fn remove_contact(&mut self, bare: &str, contact: &str) -> bool {
        let Some(item) = self.accounts.get(bare).and_then(|account| account.items.get(contact))
        else {
            return false;
        };
        let (to, from) = (item.to || item.ask, item.from);
        let stanza = |kind: &str| Element::stanza("presence").with("type", kind).with("from", bare);
        if to {
            self.unsubscribe(bare, contact, &stanza("unsubscribe"));
        }
        if from {
            self.unsubscribed(bare, contact, &stanza("unsubscribed"));
        }
        if let Some(account) = self.accounts.get_mut(bare) {
            account.items.remove(contact);
        }
        self.push(bare, contact);
        true
    }
}
