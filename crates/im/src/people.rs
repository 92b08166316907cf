//! Contacts and their presence, in the order in which they are shown.
//!
//! A presence change replaces one `Arc<Contact>`; nothing else of the list is copied but, when a
//! snapshot still holds the old list, its pointers.

use std::collections::BTreeMap;
use std::sync::Arc;

use offhook_model::{Availability, Contact, Jid, PhotoId, Presence, Subscription, Timestamp};

use crate::caps_cache::Kind;

/// How many people off the list may wait for an answer. More are not remembered; their servers
/// ask again at the next sign-in.
const STRANGERS: usize = 200;

/// How many resources of one person are told apart.
const RESOURCES: usize = 32;

/// A roster item in our words.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub jid: Jid,
    pub name: Option<String>,
    pub groups: Vec<String>,
    pub subscription: Subscription,
}

/// What one resource of a person says.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    pub resource: String,
    pub priority: i8,
    pub presence: Presence,
    pub stamp: Option<Timestamp>,
    /// Nobody is at that desk since then (XEP-0319).
    pub idle_since: Option<Timestamp>,
    /// Which client it is (XEP-0115).
    pub kind: Option<Kind>,
}

/// What is known of a person beside what is shown. Kept small: a list has 10,000 of them.
#[derive(Debug)]
struct Person {
    /// What is shown, the same as in the list.
    contact: Arc<Contact>,
    listed: bool,
    /// Somebody gave the person the name that is shown.
    named: bool,
    /// Newest last.
    resources: Vec<Signal>,
}

/// Everybody we know.
#[derive(Debug, Default)]
pub(crate) struct People {
    people: BTreeMap<Jid, Person>,
    /// In order of [`key`], then of addresses.
    list: Arc<Vec<Arc<Contact>>>,
}

/// Where a contact stands in the list. Made when it is needed: a search needs a dozen, and keeping
/// all of them costs as much memory as the names.
fn key(contact: &Contact) -> String {
    contact.name.to_lowercase()
}

impl People {
    pub(crate) fn list(&self) -> Arc<Vec<Arc<Contact>>> {
        Arc::clone(&self.list)
    }

    pub(crate) fn get(&self, jid: &Jid) -> Option<&Arc<Contact>> {
        self.people.get(jid).map(|person| &person.contact)
    }

    /// Whether the person is on the contact list, not only asking.
    pub(crate) fn is_listed(&self, jid: &Jid) -> bool {
        self.people.get(jid).is_some_and(|person| person.listed)
    }

    /// The name somebody gave the person, if any.
    pub(crate) fn given_name(&self, jid: &Jid) -> Option<&str> {
        let person = self.people.get(jid).filter(|person| person.named)?;
        Some(&person.contact.name)
    }

    /// The server's whole list. People who only wait for an answer stay.
    pub(crate) fn replace(&mut self, entries: Vec<Entry>) {
        let mut before = std::mem::take(self).people;
        for entry in entries {
            let known = before.remove(&entry.jid).or_else(|| self.people.remove(&entry.jid));
            self.people.insert(entry.jid.clone(), listed(known, entry));
        }
        let asking = before.into_iter().filter(|(_, it)| !it.listed && it.contact.wants_us);
        self.people.extend(asking);
        let mut list: Vec<_> = self.people.values().map(|it| Arc::clone(&it.contact)).collect();
        // They come in order of addresses, and the sort keeps that where keys are equal.
        list.sort_by_cached_key(|contact| key(contact));
        self.list = Arc::new(list);
    }

    /// One item of the server's list is new or changed.
    pub(crate) fn put(&mut self, entry: &Entry) -> Arc<Contact> {
        let known = self.cut(&entry.jid);
        let person = listed(known, entry.clone());
        let contact = Arc::clone(&person.contact);
        self.insert(person);
        contact
    }

    /// One item is gone. Whether it was there.
    pub(crate) fn remove(&mut self, jid: &Jid) -> bool {
        self.cut(jid).is_some()
    }

    /// Somebody asks to see our presence, or no longer does. The contact when that is news.
    pub(crate) fn set_wants_us(&mut self, jid: &Jid, wants: bool) -> Option<Arc<Contact>> {
        if self.people.contains_key(jid) {
            return self.change(jid, |contact| contact.wants_us = wants);
        }
        let strangers = self.people.values().filter(|p| !p.listed).count();
        if !wants || strangers >= STRANGERS {
            return None;
        }
        let name = jid.to_string();
        let contact = Arc::new(Contact { wants_us: true, ..unknown(jid.clone(), name) });
        let shown = Arc::clone(&contact);
        self.insert(Person { contact: shown, listed: false, named: false, resources: Vec::new() });
        Some(contact)
    }

    /// A resource came, changed or went (`Availability::Offline`). The contact when its merged
    /// presence changed.
    pub(crate) fn signal(
        &mut self,
        jid: &Jid,
        signal: Signal,
        now: Timestamp,
    ) -> Option<Arc<Contact>> {
        let person = self.people.get_mut(jid)?;
        let was_known = !person.resources.is_empty();
        let farewell = (signal.presence.availability == Availability::Offline)
            .then(|| signal.presence.clone());
        person.resources.retain(|r| r.resource != signal.resource);
        let stamp = signal.stamp;
        if farewell.is_none() {
            if person.resources.len() >= RESOURCES {
                person.resources.remove(0);
            }
            person.resources.push(signal);
        }
        let merged = merged(&person.resources).or(farewell).unwrap_or_default();
        self.change(jid, |contact| {
            if contact.presence.availability != merged.availability {
                contact.since = stamp.or(was_known.then_some(now));
            }
            contact.presence = merged;
        })
    }

    /// Whether the person has this resource signed in, as far as we see.
    pub(crate) fn has_resource(&self, jid: &Jid, resource: &str) -> bool {
        self.people.get(jid).is_some_and(|p| p.resources.iter().any(|r| r.resource == resource))
    }

    /// The resources of a person that we see.
    pub(crate) fn resources(&self, jid: &Jid) -> Vec<Jid> {
        let signals = self.people.get(jid).map(|person| person.resources.as_slice());
        let full = |signal: &Signal| format!("{jid}/{}", signal.resource).parse().ok();
        signals.unwrap_or_default().iter().filter_map(full).collect()
    }

    /// Which client a resource is.
    pub(crate) fn kind(&self, full: &Jid) -> Option<&Kind> {
        let resource = full.resource()?;
        let person = self.people.get(&full.bare())?;
        person.resources.iter().find(|it| it.resource == resource)?.kind.as_ref()
    }

    /// Since when nobody is at any of the person's desks.
    pub(crate) fn idle_since(&self, jid: &Jid) -> Option<Timestamp> {
        let signals = &self.people.get(jid)?.resources;
        let all = signals.iter().map(|signal| signal.idle_since).collect::<Option<Vec<_>>>();
        all?.into_iter().max()
    }

    /// The contact when that is news.
    pub(crate) fn set_photo(&mut self, jid: &Jid, photo: Option<PhotoId>) -> Option<Arc<Contact>> {
        self.change(jid, |contact| contact.photo = photo)
    }

    /// The contact when that is news.
    pub(crate) fn set_alert(&mut self, jid: &Jid, alert: bool) -> Option<Arc<Contact>> {
        self.change(jid, |contact| contact.alert = alert)
    }

    /// Everybody shows whether they are blocked.
    pub(crate) fn mark_blocked(&mut self, blocked: impl Fn(&Jid) -> bool) {
        self.change_all(|contact| {
            let wrong = contact.blocked != blocked(&contact.contact);
            wrong.then(|| Contact { blocked: !contact.blocked, ..contact.clone() })
        });
    }

    /// The connection is gone: nobody's presence is known.
    pub(crate) fn forget_presence(&mut self) {
        for person in self.people.values_mut() {
            person.resources.clear();
        }
        self.change_all(|contact| {
            let told = contact.presence != Presence::default() || contact.since.is_some();
            let silent =
                || Contact { presence: Presence::default(), since: None, ..contact.clone() };
            told.then(silent)
        });
    }

    /// Puts others in the place of some; their names stay.
    fn change_all(&mut self, other: impl Fn(&Contact) -> Option<Contact>) {
        let changed = |(place, contact): (usize, &Arc<Contact>)| {
            other(contact).map(|contact| (place, Arc::new(contact)))
        };
        let changed: Vec<_> = self.list.iter().enumerate().filter_map(changed).collect();
        for (place, contact) in changed {
            self.show(place, contact);
        }
    }

    /// Shows this in the place of what was there of the same person.
    fn show(&mut self, place: usize, contact: Arc<Contact>) {
        if let Some(person) = self.people.get_mut(&contact.contact) {
            person.contact = Arc::clone(&contact);
        }
        if let Some(slot) = Arc::make_mut(&mut self.list).get_mut(place) {
            *slot = contact;
        }
    }

    /// Changes anything of a contact but the name.
    fn change(&mut self, jid: &Jid, edit: impl FnOnce(&mut Contact)) -> Option<Arc<Contact>> {
        let before = self.get(jid)?;
        let mut contact = before.as_ref().clone();
        edit(&mut contact);
        if contact == **before {
            return None;
        }
        let (place, contact) = (self.place(jid)?, Arc::new(contact));
        self.show(place, Arc::clone(&contact));
        Some(contact)
    }

    fn place(&self, jid: &Jid) -> Option<usize> {
        self.search(self.get(jid)?).ok()
    }

    fn search(&self, contact: &Contact) -> Result<usize, usize> {
        let wanted = key(contact);
        self.list.binary_search_by(|it| {
            key(it).cmp(&wanted).then_with(|| it.contact.cmp(&contact.contact))
        })
    }

    fn cut(&mut self, jid: &Jid) -> Option<Person> {
        let place = self.place(jid)?;
        Arc::make_mut(&mut self.list).remove(place);
        self.people.remove(jid)
    }

    fn insert(&mut self, person: Person) {
        let contact = Arc::clone(&person.contact);
        let place = self.search(&contact).unwrap_or_else(|place| place);
        self.people.insert(contact.contact.clone(), person);
        Arc::make_mut(&mut self.list).insert(place, contact);
    }
}

/// Somebody of whom nothing is known.
fn unknown(contact: Jid, name: String) -> Contact {
    Contact {
        contact,
        name,
        groups: Vec::new(),
        subscription: Subscription::None,
        wants_us: false,
        presence: Presence::default(),
        since: None,
        number: None,
        photo: None,
        alert: false,
        blocked: false,
    }
}

/// Who is on the list, with what was known of them before.
fn listed(known: Option<Person>, entry: Entry) -> Person {
    let Entry { jid, name, groups, subscription } = entry;
    let named = name.is_some();
    let name = name.unwrap_or_else(|| jid.to_string());
    let seen_by_them = matches!(subscription, Subscription::From | Subscription::Both);
    let (before, resources) = match known {
        Some(known) => (Arc::unwrap_or_clone(known.contact), known.resources),
        None => (unknown(jid, String::new()), Vec::new()),
    };
    let wants_us = before.wants_us && !seen_by_them;
    let contact = Arc::new(Contact { name, groups, subscription, wants_us, ..before });
    Person { contact, listed: true, named, resources }
}

/// The resource with the highest priority speaks for the person, of equals the newest
/// (RFC 6121 section 4.7.2.3 leaves the rule to clients).
fn merged(resources: &[Signal]) -> Option<Presence> {
    resources.iter().max_by_key(|signal| signal.priority).map(|signal| signal.presence.clone())
}

#[cfg(test)]
mod tests {
    use offhook_model::{Availability, Jid, Presence, Subscription, Timestamp};

    use super::{Entry, People, Signal};

    fn jid(text: &str) -> Jid {
        text.parse().expect("valid")
    }

    fn entry(at: &str, name: Option<&str>) -> Entry {
        Entry {
            jid: jid(at),
            name: name.map(str::to_owned),
            groups: Vec::new(),
            subscription: Subscription::Both,
        }
    }

    fn signal(resource: &str, priority: i8, availability: Availability) -> Signal {
        Signal {
            resource: resource.into(),
            priority,
            presence: Presence { availability, activity: None, note: None },
            stamp: None,
            idle_since: None,
            kind: None,
        }
    }

    fn names(people: &People) -> Vec<String> {
        people.list().iter().map(|c| c.name.clone()).collect()
    }

    #[test]
    fn the_list_is_in_order_of_names_whatever_happens() {
        let mut people = People::default();
        people.replace(vec![
            entry("z@x", Some("anna")),
            entry("a@x", Some("Zoe")),
            entry("m@x", None),
        ]);
        assert_eq!(names(&people), ["anna", "m@x", "Zoe"]);
        people.put(&entry("a@x", Some("Berta")));
        people.put(&entry("n@x", Some("anna")));
        assert_eq!(names(&people), ["anna", "anna", "Berta", "m@x"]);
        assert!(people.remove(&jid("z@x")));
        assert!(!people.remove(&jid("z@x")));
        assert_eq!(names(&people), ["anna", "Berta", "m@x"]);
    }

    #[test]
    fn the_highest_priority_speaks_and_of_equals_the_newest() {
        let mut people = People::default();
        people.replace(vec![entry("b@x", None)]);
        let b = jid("b@x");
        let mut check = |signal: Signal, want: Availability| {
            people.signal(&b, signal, Timestamp(1));
            let got = people.get(&b).map(|c| c.presence.availability);
            assert_eq!(got, Some(want));
        };
        check(signal("desk", 5, Availability::Available), Availability::Available);
        check(signal("phone", 1, Availability::Away), Availability::Available);
        check(signal("lap", 5, Availability::Dnd), Availability::Dnd);
        check(signal("desk", 0, Availability::Offline), Availability::Dnd);
        check(signal("lap", 0, Availability::Offline), Availability::Away);
        check(signal("phone", 0, Availability::Offline), Availability::Offline);
    }

    #[test]
    fn a_presence_change_touches_one_contact_of_ten_thousand() {
        let mut people = People::default();
        people.replace((0..10_000).map(|n| entry(&format!("u{n}@x"), None)).collect());
        let before = people.list();
        people.signal(&jid("u77@x"), signal("r", 0, Availability::Dnd), Timestamp(1));
        let after = people.list();
        let changed =
            before.iter().zip(after.iter()).filter(|(a, b)| !std::sync::Arc::ptr_eq(a, b)).count();
        assert_eq!(changed, 1);
    }

    #[test]
    fn strangers_who_ask_survive_a_new_list_and_have_a_limit() {
        let mut people = People::default();
        people.set_wants_us(&jid("s@x"), true);
        people.replace(vec![entry("b@x", None)]);
        assert!(people.get(&jid("s@x")).is_some_and(|c| c.wants_us));
        for n in 0..1_000 {
            people.set_wants_us(&jid(&format!("s{n}@x")), true);
        }
        assert_eq!(people.list().len(), 1 + super::STRANGERS);
    }
}
