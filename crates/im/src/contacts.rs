//! The contact list and presence: RFC 6121 sections 2 to 4.

use std::sync::Arc;

use offhook_model::{
    Availability, Contact, Jid, Moment, NoticeBody, Presence, Subscription, Timestamp,
};
use xmpp_parsers::delay::Delay;
use xmpp_parsers::idle::Idle;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::minidom::{Element, Node};
use xmpp_parsers::presence as wire;
use xmpp_parsers::roster;

use crate::asking::Question;
use crate::packed::{self, Packed};
use crate::people::{Entry, Signal};
use crate::{Im, Stanza, activity, caps_cache, jid_from_wire, jid_to_wire};

/// Longest note that is kept, in characters.
pub(crate) const NOTE: usize = 1_000;

/// How many groups somebody may be in, and how long a group's name may be, in characters.
const GROUPS: usize = 20;
const GROUP: usize = 100;

impl Im {
    /// Puts somebody on the contact list or changes name and groups, and asks to see their
    /// presence where we do not. What is `None` stays as it is. False without a connection, or
    /// when the address is none: then nothing was done.
    pub fn roster_add(
        &mut self,
        contact: Jid,
        name: Option<String>,
        groups: Option<Vec<String>>,
        now: Moment,
    ) -> bool {
        let contact = contact.bare();
        let known = self.people.get(&contact).cloned();
        // Whoever adds a person that asked to be let in lets them in.
        if known.as_ref().is_some_and(|known| known.wants_us) {
            self.roster_answer(&contact, true, now);
        }
        let groups = match groups {
            Some(groups) => tidy_groups(groups),
            None => known.as_ref().map(|k| k.groups.clone()).unwrap_or_default(),
        };
        let name = name.or_else(|| self.people.given_name(&contact).map(str::to_owned));
        let sent = self.send_roster_item(&contact, name, groups, roster::Subscription::None);
        let sees_them =
            known.is_some_and(|k| matches!(k.subscription, Subscription::To | Subscription::Both));
        if sent && !sees_them {
            self.send_subscription(&contact, wire::Type::Subscribe);
        }
        sent
    }

    /// Takes somebody off the contact list; the server ends both subscriptions (RFC 6121 section
    /// 2.5). False without a connection: then nothing was done.
    pub fn roster_remove(&mut self, contact: &Jid, now: Moment) -> bool {
        let contact = contact.bare();
        if self.people.is_listed(&contact) {
            self.send_roster_item(&contact, None, Vec::new(), roster::Subscription::Remove)
        } else {
            self.roster_answer(&contact, false, now)
        }
    }

    /// Allows somebody to see our presence, or refuses it. False without a connection: then
    /// nothing was done.
    pub fn roster_answer(&mut self, contact: &Jid, allow: bool, _now: Moment) -> bool {
        let contact = contact.bare();
        let answer = if allow { wire::Type::Subscribed } else { wire::Type::Unsubscribed };
        if !self.send_subscription(&contact, answer) {
            return false;
        }
        let changed = self.people.set_wants_us(&contact, false);
        if self.people.is_listed(&contact) {
            if let Some(item) = changed {
                self.tell_contact(item);
            }
        } else if self.people.remove(&contact) {
            self.tell_removed(contact);
        }
        true
    }

    /// The groups of a contact from now on; none is the list's own. False without a connection, or
    /// when they are no contact: then nothing was done.
    pub fn roster_groups(&mut self, contact: &Jid, groups: Vec<String>) -> bool {
        let contact = contact.bare();
        let name = self.people.given_name(&contact).map(str::to_owned);
        let groups = tidy_groups(groups);
        self.people.is_listed(&contact)
            && self.send_roster_item(&contact, name, groups, roster::Subscription::None)
    }

    /// Gives a group another name: everybody in it moves. The number of those who do, none without
    /// a connection.
    pub fn rename_group(&mut self, from: &str, to: &str) -> usize {
        let moves: Vec<Arc<Contact>> = self.people.list().iter().cloned().collect();
        let moves = moves.iter().filter(|contact| contact.groups.iter().any(|it| it == from));
        let mut moved = 0;
        for contact in moves {
            let renamed = |it: &String| if it == from { to.to_owned() } else { it.clone() };
            let groups = contact.groups.iter().map(renamed).collect();
            moved += usize::from(self.roster_groups(&contact.contact, groups));
        }
        moved
    }

    pub(crate) fn ask_roster(&mut self) {
        let question = roster::Roster { ver: None, items: Vec::new() };
        self.ask_get(None, question.into(), Question::Roster);
    }

    pub(crate) fn roster_replace(&mut self, entries: Vec<Entry>) {
        self.people.replace(entries);
        self.mark_blocked();
        self.mark_alerts();
        let people = &self.people;
        let renamed: Vec<Arc<Contact>> =
            self.talks.keys().filter_map(|with| people.get(with).cloned()).collect();
        for contact in renamed {
            self.rename_talk(&contact);
        }
        self.rooms_renamed();
        self.notice(NoticeBody::Roster { item: None, removed: None });
    }

    pub(crate) fn roster_push(&mut self, roster: roster::Roster) {
        for item in roster.items {
            if item.subscription == roster::Subscription::Remove {
                let gone = jid_from_wire(&item.jid);
                if let Some(jid) = gone.filter(|jid| self.people.remove(jid)) {
                    self.tell_removed(jid);
                }
            } else if let Some(entry) = entry(item) {
                self.people.put(&entry);
                self.mark_blocked();
                let Some(contact) = self.people.get(&entry.jid).cloned() else { continue };
                self.rename_talk(&contact);
                self.tell_contact(contact);
            }
        }
    }

    pub(crate) fn receive_presence(&mut self, presence: wire::Presence, now: Moment) {
        let Some(from) = presence.from.as_ref().and_then(jid_from_wire) else {
            return;
        };
        if self.room_presence(&presence) {
            return self.paint_rooms();
        }
        let bare = from.bare();
        match presence.type_ {
            wire::Type::None | wire::Type::Unavailable => {
                self.their_presence(&from, presence, now);
            }
            wire::Type::Subscribe => self.asked_for_presence(&bare),
            wire::Type::Unsubscribe => {
                if let Some(contact) = self.people.set_wants_us(&bare, false) {
                    if self.people.is_listed(&bare) {
                        self.tell_contact(contact);
                    } else if self.people.remove(&bare) {
                        self.tell_removed(bare);
                    }
                }
            }
            // The list itself tells how these ended, by a push of the server.
            wire::Type::Subscribed
            | wire::Type::Unsubscribed
            | wire::Type::Probe
            | wire::Type::Error => {}
        }
    }

    fn asked_for_presence(&mut self, who: &Jid) {
        let allowed = self.people.get(who).is_some_and(|contact| {
            matches!(contact.subscription, Subscription::From | Subscription::Both)
        });
        if self.is_blocked(who) {
            return;
        }
        if allowed || who == &self.me {
            self.send_subscription(who, wire::Type::Subscribed);
        } else if let Some(contact) = self.people.set_wants_us(who, true) {
            self.tell_contact(contact);
        }
    }

    fn their_presence(&mut self, from: &Jid, presence: wire::Presence, now: Moment) {
        let bare = from.bare();
        let resource = from.resource().unwrap_or_default().to_owned();
        if let Some(talk) = self.talks.get_mut(&bare)
            && talk.resource.as_deref() == Some(resource.as_str())
        {
            talk.resource = None;
        }
        let read = self::presence(&presence);
        if read.availability == Availability::Offline {
            self.their_typing(&bare, None);
        }
        self.photo_in_presence(&bare, &presence.payloads);
        let idle_since = idle_since(&presence.payloads, now.wall);
        let signal = Signal {
            resource,
            priority: presence.priority.0,
            presence: read,
            stamp: stamp(&presence.payloads, now.wall).or(idle_since),
            idle_since,
            kind: caps_cache::kind(&presence.payloads),
        };
        if let Some(contact) = self.people.signal(&bare, signal, now.wall) {
            self.notice(NoticeBody::Presence {
                contact: bare,
                availability: contact.presence.availability,
                activity: contact.presence.activity,
                note: contact.presence.note.clone(),
            });
            self.look_out(&from.bare());
        }
    }

    fn send_roster_item(
        &mut self,
        contact: &Jid,
        name: Option<String>,
        groups: Vec<String>,
        subscription: roster::Subscription,
    ) -> bool {
        let jid = jid_to_wire(contact).map(|jid| jid.into_bare());
        let (Some(jid), Some(_)) = (jid, &self.full) else {
            return false;
        };
        let set = roster_item(jid, name, groups, subscription);
        let id = self.ids.next();
        self.send(Stanza::Iq(Iq::from_set(id, set)));
        true
    }

    fn send_subscription(&mut self, to: &Jid, type_: wire::Type) -> bool {
        let (Some(to), Some(_)) = (jid_to_wire(to), &self.full) else {
            return false;
        };
        self.send(Stanza::Presence(wire::Presence::new(type_).with_to(to)));
        true
    }

    pub(crate) fn tell_contact(&mut self, contact: Arc<Contact>) {
        self.notice(NoticeBody::Roster {
            item: Some(Box::new(Arc::unwrap_or_clone(contact))),
            removed: None,
        });
    }

    fn tell_removed(&mut self, jid: Jid) {
        self.notice(NoticeBody::Roster { item: None, removed: Some(jid) });
    }
}

/// Each group once, without names that show nothing (RFC 6121 section 2.1.2.4).
fn tidy_groups(groups: Vec<String>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for group in groups.into_iter().take(GROUPS) {
        let group: String = group.trim().chars().take(GROUP).collect();
        if !group.is_empty() && !tidy.contains(&group) {
            tidy.push(group);
        }
    }
    tidy
}

fn roster_item(
    jid: BareJid,
    name: Option<String>,
    groups: Vec<String>,
    subscription: roster::Subscription,
) -> roster::Roster {
    let printable = |text: String| crate::chat::printable(&text);
    roster::Roster {
        ver: None,
        items: vec![roster::Item {
            jid,
            name: name.map(printable),
            subscription,
            ask: roster::Ask::None,
            groups: groups.into_iter().map(|group| roster::Group(printable(group))).collect(),
            approved: None,
        }],
    }
}

/// The people of a whole contact list (RFC 6121 section 2.1), as the reader of the stream packed
/// them or as elements; nothing when it is none. An item that cannot be read does not cost the others.
pub(crate) fn entries(mut list: Element) -> Option<Vec<Entry>> {
    if !list.is("query", xmpp_parsers::ns::ROSTER) {
        return None;
    }
    let mut people = Vec::new();
    for node in list.take_nodes() {
        let text = match node {
            Node::Element(item) => packed::pack_contact(&item).unwrap_or_default(),
            Node::Text(text) => text,
        };
        people.extend(packed::unpack(&text).filter_map(unpacked));
    }
    Some(people)
}

fn unpacked(item: Packed<'_>) -> Option<Entry> {
    let subscription = match item.subscription {
        Some("both") => Subscription::Both,
        Some("from") => Subscription::From,
        Some("to") => Subscription::To,
        Some("remove") => return None,
        Some(_) | None => Subscription::None,
    };
    Some(Entry {
        jid: jid_from_wire(&item.jid.parse::<BareJid>().ok()?.into())?.bare(),
        name: item.name.filter(|name| !name.trim().is_empty()).map(str::to_owned),
        groups: item.groups.into_iter().map(str::to_owned).collect(),
        subscription,
    })
}

fn entry(item: roster::Item) -> Option<Entry> {
    let subscription = match item.subscription {
        roster::Subscription::None => Subscription::None,
        roster::Subscription::From => Subscription::From,
        roster::Subscription::To => Subscription::To,
        roster::Subscription::Both => Subscription::Both,
        roster::Subscription::Remove => return None,
    };
    Some(Entry {
        jid: jid_from_wire(&item.jid)?.bare(),
        name: item.name.filter(|name| !name.trim().is_empty()),
        groups: item.groups.into_iter().map(|group| group.0).collect(),
        subscription,
    })
}

/// What a presence stanza says; of other types than these two nothing.
pub(crate) fn presence(presence: &wire::Presence) -> Presence {
    let availability = match (&presence.type_, &presence.show) {
        (wire::Type::None, None | Some(wire::Show::Chat)) => Availability::Available,
        (wire::Type::None, Some(wire::Show::Away | wire::Show::Xa)) => Availability::Away,
        (wire::Type::None, Some(wire::Show::Dnd)) => Availability::Dnd,
        (_, _) => Availability::Offline,
    };
    let (activity, note) = activity::read(availability, status(presence), &presence.payloads);
    Presence { availability, activity, note }
}

fn status(presence: &wire::Presence) -> Option<String> {
    let statuses = &presence.statuses;
    let text = statuses.get("").or_else(|| statuses.values().next())?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(NOTE).collect())
}

/// Since when nobody is at that desk (XEP-0319). Never in the future.
fn idle_since(payloads: &[Element], now: Timestamp) -> Option<Timestamp> {
    payloads
        .iter()
        .filter(|payload| payload.is("idle", xmpp_parsers::ns::IDLE))
        .find_map(|payload| Idle::try_from(payload.clone()).ok())
        .map(|idle| Timestamp(idle.since.0.timestamp_millis()).min(now))
}

/// When a stanza was written, if the server kept it for later (XEP-0203). Never in the future.
pub(crate) fn stamp(payloads: &[Element], now: Timestamp) -> Option<Timestamp> {
    payloads
        .iter()
        .filter(|payload| payload.is("delay", xmpp_parsers::ns::DELAY))
        .find_map(|payload| Delay::try_from(payload.clone()).ok())
        .map(|delay| Timestamp(delay.stamp.0.timestamp_millis()).min(now))
}
