//! Who is connected, and where every stanza goes (RFC 6121 sections 3, 4, 8; XEP-0280).

mod presence;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use super::iq;
use super::rooms::Rooms;
use super::roster::{Account, Item, Outgoing, ROSTER, Session, plain};
use super::stamp::now;
use crate::xml::Element;

/// Stanza errors.
pub(crate) const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
const CARBONS: &str = "urn:xmpp:carbons:2";
const FORWARD: &str = "urn:xmpp:forward:0";
/// Stanzas a connection may be behind before it is cut off.
const QUEUE: usize = 512;
/// Messages kept for an absent user.
const MAX_OFFLINE: usize = 500;
/// Contacts of one account.
const MAX_CONTACTS: usize = 5000;

/// An address cut into its parts; local part and domain in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jid {
    pub(crate) bare: String,
    pub(crate) resource: Option<String>,
}

impl Jid {
    pub(crate) fn new(text: &str) -> Self {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource.to_owned())),
            None => (text, None),
        };
        Self { bare: bare.to_ascii_lowercase(), resource }
    }

    pub(crate) fn full(&self) -> String {
        match &self.resource {
            Some(resource) => format!("{}/{resource}", self.bare),
            None => self.bare.clone(),
        }
    }

    pub(crate) fn domain(&self) -> &str {
        self.bare.rsplit('@').next().unwrap_or_default()
    }
}

/// A connected resource as its connection knows it.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) jid: Jid,
    pub(crate) id: u64,
    pub(crate) queue: mpsc::Receiver<Outgoing>,
}

/// The router.
pub(crate) struct Router(Mutex<State>);

/// Everything behind the lock.
pub(crate) struct State {
    domains: Vec<String>,
    pub(super) accounts: BTreeMap<String, Account>,
    next_id: u64,
    pub(super) rooms: Rooms,
}

impl Router {
    /// A router for `domains` in which every one of `names` has an account.
    pub(crate) fn new(domains: Vec<String>, names: &[String]) -> Self {
        let mut accounts = BTreeMap::new();
        for domain in &domains {
            for name in names {
                let jid = format!("{name}@{domain}").to_ascii_lowercase();
                accounts.insert(jid, Account::default());
            }
        }
        Self(Mutex::new(State { domains, accounts, next_id: 0, rooms: Rooms::default() }))
    }

    /// Opens the room hosts of a domain; with `missing` the second of them says that it is not there.
    pub(crate) fn open_rooms(&self, domain: &str, missing: bool) {
        self.state().rooms = Rooms::of(domain, missing);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes two accounts see each other from the start.
    pub(crate) fn befriend(&self, one: &str, one_name: &str, two: &str, two_name: &str) {
        let mut state = self.state();
        for (owner, contact, name) in [(one, two, two_name), (two, one, one_name)] {
            if let Some(account) = state.accounts.get_mut(owner) {
                account.items.insert(
                    contact.to_owned(),
                    Item {
                        name: name.to_owned(),
                        groups: vec!["Colleagues".into()],
                        to: true,
                        from: true,
                        ask: false,
                    },
                );
            }
        }
    }

    /// Connects a resource; one that holds the same name is told to go.
    pub(crate) fn connect(&self, bare: &str, resource: Option<&str>) -> Option<Connected> {
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        let resource = match resource {
            Some(text) if !text.is_empty() && text.len() <= 1023 => text.to_owned(),
            Some(_) | None => crate::random::hex::<6>(),
        };
        let jid = Jid { bare: bare.to_ascii_lowercase(), resource: Some(resource.clone()) };
        let old = state
            .accounts
            .get(&jid.bare)?
            .sessions
            .iter()
            .find(|session| session.resource == resource)
            .map(|session| (session.id, session.queue.clone()));
        if let Some((old_id, queue)) = old {
            let _ = queue.try_send(Outgoing::Conflict);
            state.disconnect(&jid, old_id);
        }
        let (sender, queue) = mpsc::channel(QUEUE);
        state.accounts.get_mut(&jid.bare)?.sessions.push(Session {
            id,
            resource,
            queue: sender,
            presence: None,
            priority: 0,
            carbons: false,
            interested: false,
            directed: BTreeSet::new(),
        });
        Some(Connected { jid, id, queue })
    }

    /// Takes a connection out; its contacts see it leave.
    pub(crate) fn disconnect(&self, jid: &Jid, id: u64) {
        self.state().disconnect(jid, id);
    }

    /// Routes a stanza of the connected `from`.
    pub(crate) fn route(&self, from: &Jid, mut stanza: Element) {
        let mut state = self.state();
        stanza.set("from", &from.full());
        match stanza.local() {
            _ if stanza.attribute("to").is_some_and(|to| state.rooms.serve(&Jid::new(to))) => {
                state.ask_rooms(from, &stanza);
            }
            "message" => state.message(from, stanza),
            "presence" => state.presence(from, stanza),
            _ => state.iq(from, stanza),
        }
    }
}

/// An error answer to a stanza.
pub(crate) fn error(to: &Element, kind: &str, condition: &str) -> Element {
    let mut reply = Element::stanza(to.local()).with("type", "error");
    for (theirs, ours) in [("id", "id"), ("from", "to"), ("to", "from")] {
        if let Some(value) = to.attribute(theirs) {
            reply.set(ours, value);
        }
    }
    reply.child(plain("error").with("type", kind).child(Element::new(condition, STANZAS)))
}

impl State {
    pub(super) fn is_domain(&self, name: &str) -> bool {
        self.domains.iter().any(|domain| domain.eq_ignore_ascii_case(name))
    }

    pub(super) fn session(&mut self, jid: &Jid) -> Option<&mut Session> {
        let resource = jid.resource.as_deref()?;
        let account = self.accounts.get_mut(&jid.bare)?;
        account.sessions.iter_mut().find(|session| session.resource == resource)
    }

    /// Queues a stanza for one connection; one that does not read is cut off.
    pub(super) fn deliver(&mut self, jid: &Jid, mut stanza: Element) {
        stanza.set("to", &jid.full());
        let Some(session) = self.session(jid) else { return };
        if session.queue.try_send(Outgoing::Stanza(stanza)).is_err() {
            let id = session.id;
            tracing::warn!("a connection that does not read was cut off");
            self.disconnect(jid, id);
        }
    }

    fn resources(&self, bare: &str, wanted: impl Fn(&Session) -> bool) -> Vec<Jid> {
        let sessions = self.accounts.get(bare).map(|account| account.sessions.as_slice());
        sessions
            .unwrap_or_default()
            .iter()
            .filter(|session| wanted(session))
            .map(|session| Jid { bare: bare.to_owned(), resource: Some(session.resource.clone()) })
            .collect()
    }

    pub(super) fn deliver_to_available(&mut self, bare: &str, stanza: &Element) {
        for jid in self.resources(bare, |session| session.presence.is_some()) {
            self.deliver(&jid, stanza.clone());
        }
    }

    /// Tells every interested connection of the account that a contact changed.
    pub(super) fn push(&mut self, bare: &str, contact: &str) {
        let item = match self.accounts.get(bare).and_then(|account| account.items.get(contact)) {
            Some(item) => item.element(contact),
            None => plain("item").with("jid", contact).with("subscription", "remove"),
        };
        for jid in self.resources(bare, |session| session.interested) {
            let push = Element::stanza("iq")
                .with("type", "set")
                .with("id", &format!("push-{}", crate::random::hex::<4>()))
                .child(Element::new("query", ROSTER).child(item.clone()));
            self.deliver(&jid, push);
        }
    }

    fn disconnect(&mut self, jid: &Jid, id: u64) {
        let Some(account) = self.accounts.get_mut(&jid.bare) else { return };
        let Some(at) = account.sessions.iter().position(|session| session.id == id) else { return };
        let session = account.sessions.remove(at);
        let gone =
            Element::stanza("presence").with("type", "unavailable").with("from", &jid.full());
        if session.presence.is_some() {
            self.broadcast(&jid.bare, &gone);
        }
        self.leave_rooms(jid);
        for other in session.directed {
            self.deliver_to_available(&Jid::new(&other).bare, &gone);
        }
    }

    fn message(&mut self, from: &Jid, stanza: Element) {
        let to = stanza
            .attribute("to")
            .map_or_else(|| Jid { bare: from.bare.clone(), resource: None }, Jid::new);
        let kind = stanza.attribute("type").unwrap_or("normal").to_owned();
        if !self.accounts.contains_key(&to.bare) {
            if kind != "error" {
                let condition = if self.is_domain(to.domain()) {
                    "service-unavailable"
                } else {
                    "remote-server-not-found"
                };
                self.deliver(from, error(&stanza, "cancel", condition));
            }
            return;
        }
        self.carbon("sent", &from.bare, std::slice::from_ref(from), &kind, &stanza);
        if to.resource.is_some() && self.session(&to).is_some() {
            self.deliver(&to, stanza.clone());
            self.carbon("received", &to.bare, std::slice::from_ref(&to), &kind, &stanza);
            return;
        }
        let receivers =
            self.resources(&to.bare, |session| session.presence.is_some() && session.priority >= 0);
        match kind.as_str() {
            "chat" | "normal" if receivers.is_empty() => self.keep(&to.bare, stanza),
            "chat" | "normal" | "headline" => {
                for jid in receivers {
                    // The address the sender wrote stays: to a person, not to a connection.
                    let mut copy = stanza.clone();
                    copy.set("to", &to.bare);
                    self.hand_over(&jid, copy);
                }
            }
            "error" => {}
            _ => self.deliver(from, error(&stanza, "cancel", "service-unavailable")),
        }
    }

    /// Like [`Self::deliver`], leaving the address alone.
    fn hand_over(&mut self, jid: &Jid, stanza: Element) {
        if let Some(session) = self.session(jid) {
            let _ = session.queue.try_send(Outgoing::Stanza(stanza));
        }
    }

    fn keep(&mut self, bare: &str, mut stanza: Element) {
        if stanza.child_text("body").is_none() {
            return;
        }
        let Some(account) = self.accounts.get_mut(bare) else { return };
        if account.offline.len() >= MAX_OFFLINE {
            account.offline.pop_front();
        }
        let domain = bare.rsplit('@').next().unwrap_or_default();
        stanza = stanza.child(
            Element::new("delay", "urn:xmpp:delay").with("from", domain).with("stamp", &now()),
        );
        account.offline.push_back(stanza);
    }

    /// Copies a chat to the account's other connections that asked for copies (XEP-0280).
    fn carbon(&mut self, way: &str, bare: &str, except: &[Jid], kind: &str, stanza: &Element) {
        let private = stanza.find("private", CARBONS).is_some();
        if kind != "chat" || private {
            return;
        }
        let mut inner = stanza.clone();
        inner.set("xmlns", "jabber:client");
        for jid in self.resources(bare, |session| session.carbons) {
            if except.contains(&jid) {
                continue;
            }
            let copy = Element::stanza("message").with("from", bare).with("type", "chat").child(
                Element::new(way, CARBONS)
                    .child(Element::new("forwarded", FORWARD).child(inner.clone())),
            );
            self.deliver(&jid, copy);
        }
    }

    fn iq(&mut self, from: &Jid, stanza: Element) {
        let to = stanza.attribute("to").map(Jid::new);
        let request = matches!(stanza.attribute("type"), Some("get" | "set"));
        match to {
            Some(to) if to.resource.is_some() => {
                if self.session(&to).is_some() {
                    self.deliver(&to, stanza);
                } else if request {
                    self.deliver(from, error(&stanza, "cancel", "service-unavailable"));
                }
            }
            to => {
                if request {
                    let reply = iq::answer(self, from, to.as_ref(), &stanza);
                    self.deliver(from, reply);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    fn router() -> Router {
        let names = ["alice", "carol", "bob"].map(str::to_owned);
        Router::new(vec!["lab.example".into()], &names)
    }

    fn connect(router: &Router, name: &str, resource: &str) -> Connected {
        router.connect(&format!("{name}@lab.example"), Some(resource)).unwrap()
    }

    fn send(router: &Router, from: &Connected, text: &str) {
        router.route(&from.jid, parse(text, "jabber:client").unwrap());
    }

    fn received(to: &mut Connected) -> Vec<String> {
        let mut out = Vec::new();
        while let Ok(Outgoing::Stanza(stanza)) = to.queue.try_recv() {
            out.push(stanza.to_xml());
        }
        out
    }

    #[test]
    fn a_subscription_both_ways_lets_both_see_each_other() {
        let router = router();
        let mut alice = connect(&router, "alice", "a");
        let mut carol = connect(&router, "carol", "c");
        send(&router, &alice, "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>");
        send(&router, &alice, "<presence/>");
        send(&router, &carol, "<presence><show>away</show></presence>");
        assert!(received(&mut carol).is_empty());
        received(&mut alice);
        send(&router, &alice, "<presence type='subscribe' to='carol@lab.example'/>");
        assert!(received(&mut alice)[0].contains("ask='subscribe'"));
        assert!(received(&mut carol)[0].contains("from='alice@lab.example'"));
        send(&router, &carol, "<presence type='subscribed' to='alice@lab.example'/>");
        let got = received(&mut alice);
        assert!(got.iter().any(|text| text.contains("subscription='to'")), "{got:?}");
        assert!(got.iter().any(|text| text.contains("<show>away</show>")), "{got:?}");
        send(&router, &carol, "<presence type='unavailable'/>");
        assert!(received(&mut alice)[0].contains("type='unavailable'"));
    }

    #[test]
    fn removal_ends_the_subscription_on_both_sides() {
        let router = router();
        router.befriend("alice@lab.example", "Alice", "carol@lab.example", "Carol");
        let mut alice = connect(&router, "alice", "a");
        let mut carol = connect(&router, "carol", "c");
        send(&router, &alice, "<presence/>");
        send(&router, &carol, "<presence/>");
        received(&mut alice);
        received(&mut carol);
        send(
            &router,
            &alice,
            "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>\
             <item jid='carol@lab.example' subscription='remove'/></query></iq>",
        );
        let got = received(&mut carol);
        assert!(got.iter().any(|text| text.contains("type='unsubscribe'")), "{got:?}");
        assert!(got.iter().any(|text| text.contains("type='unavailable'")), "{got:?}");
        let got = received(&mut alice);
        assert!(got.iter().any(|text| text.contains("type='result'")), "{got:?}");
    }

    #[test]
    fn messages_wait_for_an_absent_user_and_keep_their_payload() {
        let router = router();
        let alice = connect(&router, "alice", "a");
        send(
            &router,
            &alice,
            "<message to='carol@lab.example' type='chat' id='7'><body>hi</body>\
             <request xmlns='urn:xmpp:receipts'/></message>",
        );
        let mut carol = connect(&router, "carol", "c");
        send(&router, &carol, "<presence/>");
        let got = received(&mut carol);
        assert!(got[0].contains("<request xmlns='urn:xmpp:receipts'/>"), "{got:?}");
        assert!(got[0].contains("urn:xmpp:delay"), "{got:?}");
    }

    #[test]
    fn copies_reach_the_other_connections_of_both_people() {
        let router = router();
        let mut one = connect(&router, "alice", "1");
        let mut two = connect(&router, "alice", "2");
        let mut carol = connect(&router, "carol", "c");
        for session in [&one, &two, &carol] {
            send(&router, session, "<presence/>");
        }
        send(&router, &two, "<iq type='set' id='1'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
        received(&mut two);
        send(&router, &one, "<message to='carol@lab.example' type='chat'><body>x</body></message>");
        assert_eq!(received(&mut carol).len(), 1);
        assert!(received(&mut two)[0].contains("<sent xmlns='urn:xmpp:carbons:2'>"));
        send(
            &router,
            &carol,
            "<message to='alice@lab.example/1' type='chat'><body>y</body></message>",
        );
        assert!(received(&mut two)[0].contains("<received xmlns='urn:xmpp:carbons:2'>"));
        assert!(received(&mut one).iter().any(|text| text.contains("<body>y</body>")));
    }

    #[test]
    fn what_nobody_serves_comes_back_as_an_error() {
        let router = router();
        let mut alice = connect(&router, "alice", "a");
        for text in [
            "<iq type='get' id='1' to='lab.example'><query xmlns='urn:x'/></iq>",
            "<iq type='get' id='2' to='carol@lab.example/none'><query xmlns='urn:x'/></iq>",
            "<message to='mallory@lab.example' type='chat'><body>x</body></message>",
            "<message to='x@elsewhere.example' type='chat'><body>x</body></message>",
        ] {
            send(&router, &alice, text);
            assert!(received(&mut alice)[0].contains("type='error'"), "{text}");
        }
    }

    #[test]
    fn the_same_resource_replaces_the_older_connection() {
        let router = router();
        let mut old = connect(&router, "alice", "a");
        let new = connect(&router, "alice", "a");
        assert!(matches!(old.queue.try_recv(), Ok(Outgoing::Conflict)));
        router.disconnect(&old.jid, old.id);
        assert!(router.state().session(&new.jid).is_some());
    }
}
