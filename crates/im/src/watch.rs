//! Waiting for people: the alert when a contact becomes available, and temporary presence of people
//! who are no contacts (reference im-presence.md section 4).

use std::collections::BTreeSet;

use offhook_model::{Availability, Jid, Moment, NoticeBody, Presence, Secret, Subscription};
use offhook_ports::StoreRequest;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::presence as wire;

use crate::{Im, Stanza, contacts, iq, jid_to_wire};

/// The node that events come from.
pub(crate) const TEMPORARY: &str = "http://webex.com/connect/temp-presence";

/// The private value that holds whom we wait for.
const KEPT: &str = "people.alerts";

/// For how many people one may wait.
const ALERTS: usize = 1_000;

/// How many people may be watched at once, where the server tells no limit
/// (`AdhocSubscriptions.MaxNum`; the number is ours).
const WATCHED: usize = 100;

/// Why somebody cannot be watched.
const NOT_HERE: &str = "The presence of people who are not on the contact list cannot be seen on \
                        this server. Add them to see it.";
const TOO_MANY: &str = "Too many people are watched at once. Close other cards first.";

/// Whom we wait for, and whom we watch.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    alerts: BTreeSet<Jid>,
    watched: BTreeSet<Jid>,
}

impl Watching {
    /// Somebody looks at this person, who is no contact.
    pub(crate) fn is_watched(&self, who: &Jid) -> bool {
        self.watched.contains(who)
    }
}

impl Im {
    /// Tells once when this contact becomes available, or no more. False when they are no contact
    /// whose presence we see, are available already, or too many are waited for.
    pub fn alert(&mut self, contact: &Jid, on: bool) -> bool {
        let who = contact.bare();
        let fits = self.people.get(&who).is_some_and(|contact| {
            matches!(contact.subscription, Subscription::To | Subscription::Both)
                && contact.presence.availability != Availability::Available
        });
        if on && (!fits || self.watching.alerts.len() >= ALERTS) {
            return false;
        }
        let changed = if on {
            self.watching.alerts.insert(who.clone())
        } else {
            self.watching.alerts.remove(&who)
        };
        if changed {
            self.alerts_changed(&who, on);
        }
        true
    }

    /// Whom we waited for before the program ended.
    pub(crate) fn alerts_loaded(&mut self, values: &[(String, Secret<String>)]) {
        let Some((_, kept)) = values.iter().find(|(name, _)| name == KEPT) else {
            return;
        };
        let whom = kept.expose().lines().filter_map(|line| line.parse().ok()).take(ALERTS);
        self.watching.alerts.extend(whom);
        self.mark_alerts();
    }

    /// The contact list is new.
    pub(crate) fn mark_alerts(&mut self) {
        for who in self.watching.alerts.clone() {
            self.people.set_alert(&who, true);
        }
    }

    /// A contact's presence changed.
    pub(crate) fn look_out(&mut self, who: &Jid) {
        let available = |im: &Self| {
            im.people.get(who).is_some_and(|it| it.presence.availability == Availability::Available)
        };
        if self.watching.alerts.contains(who) && available(self) {
            self.watching.alerts.remove(who);
            self.alerts_changed(who, false);
            self.notice(NoticeBody::Available { contact: who.clone() });
        }
    }

    fn alerts_changed(&mut self, who: &Jid, on: bool) {
        let lines: Vec<String> = self.watching.alerts.iter().map(Jid::to_string).collect();
        let kept = (!lines.is_empty()).then(|| Secret::new(lines.join("\n")));
        self.store(StoreRequest::PutValue(KEPT.to_owned(), kept));
        if let Some(contact) = self.people.set_alert(who, on) {
            self.tell_contact(contact);
        }
    }

    /// Sees the presence of somebody who is no contact, or no more; [`Im::details`] tells, and why
    /// not. Only the vendor's servers can: elsewhere nothing is sent, for it would only tell the
    /// stranger that we are there.
    pub fn watch(&mut self, who: &Jid, on: bool, now: Moment) {
        self.time = now;
        let who = who.bare();
        if !on {
            if self.watching.watched.remove(&who) {
                self.send_watch(&who, false);
                self.unwatched_presence(&who);
            }
            return;
        }
        if let Some(contact) = self.people.get(&who)
            && matches!(contact.subscription, Subscription::To | Subscription::Both)
        {
            let presence = contact.presence.clone();
            return self.watched_presence(&who, Ok(presence));
        }
        if !self.policy.vendor || jid_to_wire(&who).is_none() {
            return self.watched_presence(&who, Err(NOT_HERE));
        }
        if self.watching.watched.len() >= WATCHED {
            return self.watched_presence(&who, Err(TOO_MANY));
        }
        if self.watching.watched.insert(who.clone()) {
            self.watched_presence(&who, Ok(Presence::default()));
            self.send_watch(&who, true);
        }
    }

    /// A new connection: the server has forgotten whom we watch.
    pub(crate) fn watch_again(&mut self) {
        for who in self.watching.watched.clone() {
            self.send_watch(&who, true);
        }
    }

    /// Directed presence whose caps name the feature asks for it; without the feature it ends it.
    fn send_watch(&mut self, who: &Jid, on: bool) {
        let Some(shown) = self.told.clone().filter(|shown| !crate::presence::hides(shown)) else {
            return;
        };
        let mut presence = self.presence_stanza(&shown);
        presence.payloads.retain(|payload| !payload.is("c", ns::CAPS));
        if let Some(caps) = iq::caps(on) {
            presence.add_payload(caps);
        }
        presence.to = jid_to_wire(who);
        self.send(Stanza::Presence(presence));
    }

    /// The server tells of somebody whom we watch. Who may tell is not written down: it is our own
    /// server or one of the services beside it (reference, marked seen: `consvr.<cluster>`).
    pub(crate) fn temporary_presence(&mut self, from: &Jid, items: &[Element]) {
        let told_by = |jid: &Jid| {
            jid.local().is_none()
                && (jid.domain() == self.me.domain()
                    || self.services.items.iter().any(|service| service.jid == *jid))
        };
        if !told_by(from) {
            return;
        }
        for item in items {
            let who = item.attr("id").and_then(|id| id.parse::<Jid>().ok()).map(|id| id.bare());
            let presence = item.children().find(|child| child.name() == "presence");
            if let (Some(who), Some(presence)) = (who, presence)
                && self.watching.watched.contains(&who)
            {
                let presence = read(presence.clone());
                self.watched_presence(&who, Ok(presence));
            }
        }
    }
}

fn read(mut element: Element) -> Presence {
    // Within an event some servers leave the namespace of the event (inferred).
    if element.ns() != ns::JABBER_CLIENT {
        let mut moved = Element::builder("presence", ns::JABBER_CLIENT).build();
        for child in element.children() {
            let mut copy = Element::builder(child.name(), ns::JABBER_CLIENT).build();
            copy.append_text_node(child.text());
            if matches!(child.name(), "show" | "status") {
                moved.append_child(copy);
            }
        }
        if element.attr("type").is_some() {
            return Presence::default();
        }
        element = moved;
    }
    match wire::Presence::try_from(element) {
        Ok(presence) => contacts::presence(&presence),
        Err(_) => Presence::default(),
    }
}
