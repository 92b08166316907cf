//! Requests the server itself answers: contact list, ping, service discovery, carbons.

use super::roster::{ROSTER, plain};
use super::router::{Jid, State, error};
use crate::xml::Element;

const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
const CARBONS: &str = "urn:xmpp:carbons:2";

/// Longest display name or group name kept.
const MAX_NAME: usize = 1023;

/// The answer to a request, without content.
pub(super) fn result(to: &Element) -> Element {
    let mut reply = Element::stanza("iq").with("type", "result");
    for (theirs, ours) in [("id", "id"), ("to", "from")] {
        if let Some(value) = to.attribute(theirs) {
            reply.set(ours, value);
        }
    }
    reply
}

/// Answers a request without a resource in its address.
pub(super) fn answer(state: &mut State, from: &Jid, to: Option<&Jid>, iq: &Element) -> Element {
    let mut children = iq.elements();
    let (Some(request), None) = (children.next(), children.next()) else {
        return error(iq, "modify", "bad-request");
    };
    let set = iq.attribute("type") == Some("set");
    let own = to.is_none_or(|to| to.bare == from.bare);
    let server = to.is_none_or(|to| state.is_domain(&to.bare));
    match (request.local(), request.namespace()) {
        ("query", ROSTER) if own && set => roster_set(state, from, iq, request),
        ("query", ROSTER) if own => {
            if let Some(session) = state.session(from) {
                session.interested = true;
            }
            match state.accounts.get(&from.bare) {
                Some(account) => result(iq).child(account.query()),
                None => error(iq, "cancel", "item-not-found"),
            }
        }
        ("ping", "urn:xmpp:ping") if own || server => result(iq),
        ("session", "urn:ietf:params:xml:ns:xmpp-session") if own || server => result(iq),
        ("enable" | "disable", CARBONS) if (own || server) && set => {
            if let Some(session) = state.session(from) {
                session.carbons = request.local() == "enable";
            }
            result(iq)
        }
        ("query", DISCO_INFO) if !set => match to {
            Some(to) if server || own || state.accounts.contains_key(&to.bare) => {
                disco_info(iq, request, server)
            }
            None => disco_info(iq, request, false),
            Some(_) => error(iq, "cancel", "item-not-found"),
        },
        ("query", DISCO_ITEMS) if !set && (own || server) => {
            let hosts = state.rooms.hosts(to.filter(|_| !own));
            let query = Element::new("query", DISCO_ITEMS);
            result(iq).child(hosts.fold(query, |query, host| {
                query.child(plain("item").with("jid", host).with("name", "Text conferencing"))
            }))
        }
        ("query", "jabber:iq:version") if server => result(iq).child(
            Element::new("query", "jabber:iq:version")
                .child(plain("name").text("Offhook laboratory"))
                .child(plain("version").text(env!("CARGO_PKG_VERSION"))),
        ),
        _ => error(iq, "cancel", "service-unavailable"),
    }
}

fn disco_info(iq: &Element, request: &Element, server: bool) -> Element {
    if request.attribute("node").is_some() {
        return error(iq, "cancel", "item-not-found");
    }
    let (category, kind) = if server { ("server", "im") } else { ("account", "registered") };
    let mut query = Element::new("query", DISCO_INFO).child(
        plain("identity").with("category", category).with("type", kind).with("name", "Laboratory"),
    );
    let features = [DISCO_INFO, DISCO_ITEMS, "urn:xmpp:ping", CARBONS, ROSTER, "msgoffline"];
    for feature in features {
        query = query.child(plain("feature").with("var", feature));
    }
    result(iq).child(query)
}

fn roster_set(state: &mut State, from: &Jid, iq: &Element, request: &Element) -> Element {
    let mut items = request.elements().filter(|item| item.local() == "item");
    let (Some(item), None) = (items.next(), items.next()) else {
        return error(iq, "modify", "bad-request");
    };
    let Some(contact) = item.attribute("jid").map(Jid::new) else {
        return error(iq, "modify", "bad-request");
    };
    if contact.bare == from.bare {
        return error(iq, "cancel", "not-allowed");
    }
    if item.attribute("subscription") == Some("remove") {
        return if state.remove_contact(&from.bare, &contact.bare) {
            result(iq)
        } else {
            error(iq, "modify", "item-not-found")
        };
    }
    let name = item.attribute("name").unwrap_or_default();
    let groups: Vec<String> =
        item.elements().filter(|group| group.local() == "group").map(Element::own_text).collect();
    if name.len() > MAX_NAME || groups.iter().any(|group| group.len() > MAX_NAME) {
        return error(iq, "modify", "not-acceptable");
    }
    let Some(account) = state.accounts.get_mut(&from.bare) else {
        return error(iq, "cancel", "item-not-found");
    };
    let entry = account.items.entry(contact.bare.clone()).or_default();
    name.clone_into(&mut entry.name);
    entry.groups = groups;
    state.push(&from.bare, &contact.bare);
    result(iq)
}
