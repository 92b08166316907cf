//! What we tell others of ourselves: the composed state of `own.rs` as stanzas.

use std::time::{Duration, Instant};

use offhook_model::{Activity, Availability, Moment, NoticeBody, Timestamp};
use xmpp_parsers::date::DateTime;
use xmpp_parsers::idle::Idle;
use xmpp_parsers::presence as wire;

use crate::own::Shown;
use crate::{Im, Stanza, activity, contacts, iq};

impl Im {
    /// Changes our own availability and note. [`Availability::Offline`] hides us from others and
    /// them from us; the connection stays. What others see also depends on what goes on: see
    /// [`Im::own_presence`].
    pub fn set_presence(&mut self, availability: Availability, note: Option<String>, now: Moment) {
        self.time = now;
        let note = note
            .map(|note| crate::chat::printable(&note).chars().take(contacts::NOTE).collect())
            .filter(|note: &String| !note.is_empty());
        self.own.choose(availability, note);
        self.refresh_presence();
    }

    /// Calls go on, or none does.
    pub fn set_calls(&mut self, any: bool, now: Moment) {
        self.time = now;
        self.own.calls(any);
        self.refresh_presence();
    }

    /// A meeting of the user's calendar goes on, or none does.
    pub fn set_calendar(&mut self, meeting: bool, now: Moment) {
        self.time = now;
        self.own.calendar(meeting);
        self.refresh_presence();
    }

    /// The user, or another part of the program, says what goes on. False when the server's calendar
    /// integration alone speaks of meetings: then nothing changed.
    pub fn set_activity(&mut self, activity: Option<Activity>, now: Moment) -> bool {
        if activity == Some(Activity::InMeeting) && self.policy.server_sets_meetings {
            return false;
        }
        self.time = now;
        self.own.activity(activity);
        self.refresh_presence();
        true
    }

    /// Key or pointer were last used then, if that is some time ago, and whether the screen is
    /// locked.
    pub fn set_desk(&mut self, idle_since: Option<Timestamp>, locked: bool, now: Moment) {
        self.time = now;
        self.own.desk(idle_since, locked, now.wall);
        self.refresh_presence();
    }

    /// After how long without key or pointer the user counts as away; nothing when that is not
    /// asked for.
    pub fn away_after(&self) -> Option<Duration> {
        self.own.rules.away_after
    }

    /// Tells the server what has changed since it was told the last time.
    pub(crate) fn refresh_presence(&mut self) {
        if self.full.is_none() {
            return;
        }
        let shown = self.own.compose(self.time.wall);
        if self.told.as_ref() == Some(&shown) {
            return;
        }
        let was_hidden = self.told.as_ref().is_none_or(hides);
        // Who was never there does not leave (RFC 6121 section 4.5.1 ends what section 4.2 began).
        if !(hides(&shown) && was_hidden) {
            let presence = self.presence_stanza(&shown);
            self.send(Stanza::Presence(presence));
        }
        if hides(&shown) && !was_hidden {
            self.people.forget_presence();
            self.notice(NoticeBody::Roster { item: None, removed: None });
        }
        let appears = was_hidden && !hides(&shown);
        self.told = Some(shown.clone());
        if appears {
            self.watch_again();
        }
        self.tell_rooms(was_hidden);
        self.show(shown.presence);
    }

    /// When time alone changes what is told.
    pub(crate) fn presence_due(&self) -> Option<Instant> {
        self.full.as_ref()?;
        let due = self.own.due(self.time.wall)?;
        let wait = u64::try_from(due.0.saturating_sub(self.time.wall.0)).ok()?;
        Some(self.time.at + Duration::from_millis(wait))
    }

    /// Nobody is to see us.
    pub(crate) fn is_hidden(&self) -> bool {
        self.told.as_ref().is_none_or(hides)
    }

    /// What rooms are told: who enters one while hidden from contacts is seen there.
    pub(crate) fn presence_for_rooms(&self) -> wire::Presence {
        match self.told.as_ref().filter(|shown| !hides(shown)) {
            Some(shown) => self.presence_stanza(shown),
            None => {
                let mut presence = wire::Presence::available();
                if let Some(caps) = iq::caps(false) {
                    presence.add_payload(caps);
                }
                presence
            }
        }
    }

    pub(crate) fn presence_stanza(&self, shown: &Shown) -> wire::Presence {
        let show = match shown.presence.availability {
            Availability::Available => None,
            Availability::Away => Some(wire::Show::Away),
            Availability::Dnd => Some(wire::Show::Dnd),
            Availability::Offline => return wire::Presence::unavailable(),
        };
        let mut presence = wire::Presence::available().with_priority(shown.priority);
        presence.show = show;
        let activity = shown.presence.activity;
        if let Some(status) = activity::status(activity, shown.presence.note.as_deref()) {
            presence.set_status("", status);
        }
        if let Some(activity) = activity {
            presence.payloads.push(activity::extension(activity));
        }
        if let Some(since) = shown.idle_since {
            presence.add_payload(Idle { since: DateTime(since.to_utc().fixed_offset()) });
        }
        presence.payloads.extend(self.photo_update());
        if let Some(caps) = iq::caps(false) {
            presence.add_payload(caps);
        }
        presence
    }
}

pub(crate) fn hides(shown: &Shown) -> bool {
    shown.presence.availability == Availability::Offline
}
