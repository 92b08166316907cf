//! What every screen needs at hand while it draws one frame.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, FixedOffset, Offset, TimeZone};
use offhook_model::{
    Activity, Availability, Call, Contact, DialString, Jid, LineState, Presence, ProductMode,
    ServiceState, Snapshot, Timestamp,
};

use crate::texts::Texts;
use crate::theme::Tokens;
use crate::widgets::Photos;

/// The system's zone as it was or will be at a time: the offset from UTC in seconds.
pub type Zone = fn(Timestamp) -> i32;

/// The zone that the operating system is set to.
pub fn system_zone(at: Timestamp) -> i32 {
    chrono::Local.offset_from_utc_datetime(&at.to_utc().naive_utc()).fix().local_minus_utc()
}

/// Finds people of the contact list quickly; rebuilt when other people stand on it.
#[derive(Default)]
pub struct People {
    list: Arc<Vec<Arc<Contact>>>,
    by_jid: HashMap<Jid, usize>,
    by_number: HashMap<String, usize>,
    favourites: Vec<usize>,
}

impl People {
    /// Takes over a new list, if it is new. Where the same people stand in the same places, as after
    /// a change of presence, places are not looked up anew.
    pub fn update(&mut self, list: &Arc<Vec<Arc<Contact>>>) {
        if Arc::ptr_eq(&self.list, list) {
            return;
        }
        let same = |(old, new): (&Arc<Contact>, &Arc<Contact>)| {
            Arc::ptr_eq(old, new)
                || (old.contact == new.contact
                    && old.number == new.number
                    && old.groups == new.groups)
        };
        let placed = self.list.len() == list.len() && self.list.iter().zip(list.iter()).all(same);
        self.list = Arc::clone(list);
        if placed {
            return;
        }
        let all = || self.list.iter().enumerate();
        self.by_jid = all().map(|(at, one)| (one.contact.clone(), at)).collect();
        self.by_number =
            all().filter_map(|(at, one)| Some((digits(one.number.as_deref()?), at))).collect();
        let favourites = all().filter(|(_, one)| is_favourite(one)).map(|(at, _)| at);
        self.favourites = favourites.collect();
    }

    /// The person with this address.
    pub fn by_jid(&self, jid: &Jid) -> Option<&Arc<Contact>> {
        self.by_jid.get(jid).and_then(|&at| self.list.get(at))
    }

    /// Where the favourites stand in the list.
    pub fn favourites(&self) -> &[usize] {
        &self.favourites
    }

    /// The person that a call's other side is: by number, or by address.
    pub fn by_remote(&self, remote: &str) -> Option<&Arc<Contact>> {
        let at = self.by_number.get(&digits(remote));
        at.and_then(|&at| self.list.get(at)).or_else(|| self.by_jid(&remote.parse().ok()?))
    }
}

/// Somebody is in the group of the contact list that holds favourites.
pub fn is_favourite(one: &Contact) -> bool {
    one.groups.iter().any(|group| names_favourites(group))
}

/// A group that holds favourites, as this and other programs name it.
pub fn names_favourites(group: &str) -> bool {
    ["Favourites", "Favorites", "Favoriten"].iter().any(|name| group.eq_ignore_ascii_case(name))
}

/// A number without its decoration; an address as it is.
fn digits(text: &str) -> String {
    match text.parse::<DialString>() {
        Ok(dial) => dial.to_string(),
        Err(_) => text.to_owned(),
    }
}

/// One frame's surroundings.
pub struct Cx<'a> {
    /// Colours.
    pub c: &'static Tokens,
    /// Sentences.
    pub texts: &'a Texts,
    /// The picture to draw.
    pub snap: &'a Snapshot,
    /// People by address and number.
    pub people: &'a People,
    /// Pictures of people.
    pub photos: &'a Photos,
    /// Wall clock of this frame.
    pub now: Timestamp,
    /// The user's zone.
    pub zone: Zone,
    /// Microphone and output level, 0 to 1.
    pub levels: (f32, f32),
    /// There is room for one column only.
    pub narrow: bool,
}

impl Cx<'_> {
    /// A sentence.
    pub fn t(&self, key: &str) -> String {
        self.texts.get(key)
    }

    /// A sentence about a number.
    pub fn tc(&self, key: &str, count: usize) -> String {
        self.texts.count(key, count)
    }

    /// A sentence about a text.
    pub fn tw(&self, key: &str, name: &'static str, value: &str) -> String {
        self.texts.with(key, &[(name, value)])
    }

    /// A choice as it is called by who does not see in which group it is.
    pub fn choice_of(&self, group: &str, choice: &str) -> String {
        self.texts.with("choice-of", &[("group", &self.t(group)), ("choice", choice)])
    }

    /// A key or combination, as keyboards of this language name it.
    pub fn keys(&self, keys: &str) -> String {
        let named = keys.replace("Ctrl", &self.t("ctrl"));
        let named = named.replace("Shift", &self.t("shift"));
        named.replace("Enter", &self.t("enter"))
    }

    /// This time on the user's clock.
    fn local(&self, at: Timestamp) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt((self.zone)(at));
        at.to_utc().with_timezone(&offset.unwrap_or(chrono::Utc.fix()))
    }

    /// Days since the calendar's beginning, on the user's calendar.
    pub fn day(&self, at: Timestamp) -> i32 {
        self.local(at).num_days_from_ce()
    }

    /// `10:42`.
    pub fn clock(&self, at: Timestamp) -> String {
        self.local(at).format("%H:%M").to_string()
    }

    /// Time of day today, then yesterday, weekday, date: for lists.
    pub fn when(&self, at: Timestamp) -> String {
        match self.day(self.now) - self.day(at) {
            0 => self.clock(at),
            1 => self.t("yesterday"),
            2..=6 => self.weekday(at),
            _ => self.date(at),
        }
    }

    /// The heading of a day in a conversation.
    pub fn day_words(&self, at: Timestamp) -> String {
        match self.day(self.now) - self.day(at) {
            0 => self.t("today"),
            1 => self.t("yesterday"),
            2..=6 => self.weekday(at),
            _ => self.date(at),
        }
    }

    fn weekday(&self, at: Timestamp) -> String {
        let day = self.local(at).weekday().num_days_from_monday();
        self.t(&format!("weekday-{day}"))
    }

    fn date(&self, at: Timestamp) -> String {
        let local = self.local(at);
        let month = self.t(&format!("month-{}", local.month()));
        let day = local.day().to_string();
        if local.year() == self.local(self.now).year() {
            self.texts.with("date", &[("day", &day), ("month", &month)])
        } else {
            let year = local.year().to_string();
            let values = [("day", day.as_str()), ("month", &month), ("year", &year)];
            self.texts.with("date-year", &values)
        }
    }

    /// An availability in a word.
    pub fn presence(&self, state: Availability) -> String {
        self.t(match state {
            Availability::Available => "presence-available",
            Availability::Away => "presence-away",
            Availability::Dnd => "presence-dnd",
            Availability::Offline => "presence-offline",
        })
    }

    /// What a person's time is used for, in a word: the activity goes before the state, as long as
    /// somebody is there.
    pub fn presence_words(&self, presence: &Presence) -> String {
        match (presence.activity, presence.availability) {
            (_, Availability::Offline) | (None, _) => self.presence(presence.availability),
            (Some(activity), _) => self.activity(activity),
        }
    }

    /// A composed state in a word.
    pub fn activity(&self, activity: Activity) -> String {
        self.t(match activity {
            Activity::OnCall => "activity-on-call",
            Activity::InMeeting => "activity-in-meeting",
            Activity::Presenting => "activity-presenting",
        })
    }

    /// The name of a person or room by address.
    pub fn name_of(&self, jid: &Jid) -> String {
        let chat = || self.snap.chats.iter().find(|chat| &chat.with == jid);
        match self.people.by_jid(jid) {
            Some(person) => person.name.clone(),
            None => chat().map_or_else(|| jid.to_string(), |chat| chat.name.clone()),
        }
    }

    /// Whom a call is with, as well as it is known.
    pub fn name_of_call(&self, call: &Call) -> String {
        self.name_of_remote(call.name.as_deref(), &call.remote)
    }

    /// A caller's name, else the contact's, else the number.
    pub fn name_of_remote(&self, name: Option<&str>, remote: &str) -> String {
        match (self.people.by_remote(remote), name) {
            (Some(person), _) => person.name.clone(),
            (None, Some(name)) if !name.is_empty() => name.to_owned(),
            (None, _) => remote.to_owned(),
        }
    }

    /// The account has chat: where it has a phone alone (phone mode), nothing of chats, people and
    /// availability is shown.
    pub fn has_chat(&self) -> bool {
        self.snap.session.product_mode != Some(ProductMode::PhoneOnly)
    }

    /// What a person's line does, where it is watched (busy lamp).
    pub fn line_state(&self, number: Option<&str>) -> Option<LineState> {
        let number = digits(number?);
        let line = self.snap.phone.lines.iter().find(|line| digits(&line.number) == number)?;
        (line.state != LineState::Unknown).then_some(line.state)
    }

    /// Calls are possible.
    pub fn can_call(&self) -> bool {
        self.snap.session.services.phone.state == ServiceState::Ready
    }

    /// What to dial for a person: the number, else the address.
    pub fn dial_for(&self, jid: &Jid) -> Option<DialString> {
        let number = self.people.by_jid(jid).and_then(|person| person.number.clone());
        number.unwrap_or_else(|| jid.to_string()).parse().ok()
    }
}

/// `04:12`, or `1:02:03` from an hour on.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes:02}:{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offhook_model::{Contact, Presence, Subscription};

    use super::People;

    fn contact(name: &str, number: Option<&str>) -> Arc<Contact> {
        Arc::new(Contact {
            contact: format!("{name}@example.com").parse().expect("an address"),
            name: name.to_owned(),
            groups: Vec::new(),
            subscription: Subscription::Both,
            wants_us: false,
            presence: Presence::default(),
            since: None,
            number: number.map(str::to_owned),
            photo: None,
            alert: false,
            blocked: false,
        })
    }

    #[test]
    fn people_are_found_where_they_stand_whatever_changes() {
        let (amira, bob) = (contact("amira", Some("2001")), contact("bob", None));
        let mut people = People::default();
        let mut check = |list: Vec<Arc<Contact>>, name: &str, number: &str| {
            people.update(&Arc::new(list.clone()));
            for one in &list {
                let found = people.by_jid(&one.contact).expect("found");
                assert!(Arc::ptr_eq(found, one), "{name}");
            }
            let called = people.by_remote(number).map(|one| one.name.clone());
            assert_eq!(called.as_deref(), Some(name));
        };
        check(vec![Arc::clone(&amira), Arc::clone(&bob)], "amira", "2001");
        // The same people with news of one, then with another number, then in another order.
        let mut news = Contact::clone(&bob);
        news.presence.note = Some("Lunch".into());
        check(vec![Arc::clone(&amira), Arc::new(news)], "amira", "2001");
        let moved = contact("bob", Some("2002"));
        check(vec![Arc::clone(&amira), Arc::clone(&moved)], "bob", "2002");
        check(vec![moved, amira], "amira", "2001");
    }
}
