//! Our own presence as others see it, composed of what the user chose and of what goes on (planning
//! guide, Client Availability; reference im-presence.md section 4). A value without input or output.
//!
//! The rules, in the order in which they count:
//!
//! 1. Who chose to be offline is offline.
//! 2. "Away" and "do not disturb" by hand go before what devices tell (calls, the calendar).
//!    "Available" by hand does not: it is what returns when a device has nothing more to tell.
//! 3. What the server's integrations tell of, the client does not.
//! 4. Of several things that go on the one set last shows, and when it ends the one before.
//! 5. A desk that was left turns "available" into "away", and nothing else into anything.

use std::time::Duration;

use offhook_model::{Activity, Availability, ChatPolicy, ChatSettings, Presence, Timestamp};

/// Priority of a desk in use and of one that was left: the server's rule is that the former gets the
/// messages. The numbers are ours (reference im-presence.md section 2: 0 to 8, not documented).
const IN_USE: i8 = 5;
const LEFT: i8 = 2;

/// What administrators and the user decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The server learns of calls from the phone system.
    pub(crate) server_sets_calls: bool,
    /// The server's calendar integration is on: the client sets no meetings of any kind.
    pub(crate) server_sets_meetings: bool,
    /// The user wants others to know of meetings in the calendar.
    pub(crate) meetings: bool,
    /// Time without key or pointer until "away".
    pub(crate) away_after: Option<Duration>,
    /// A locked screen means away.
    pub(crate) away_when_locked: bool,
}

impl Rules {
    /// The user's time until "away" goes before the administrator's, which is what a new user
    /// begins with; a locked screen means away where both want it.
    pub(crate) fn new(policy: &ChatPolicy, settings: &ChatSettings) -> Self {
        let minutes = settings.away_after_minutes.or(policy.away_after_minutes);
        Self {
            server_sets_calls: policy.server_sets_calls,
            server_sets_meetings: policy.server_sets_meetings,
            meetings: settings.meetings_from_calendar,
            away_after: minutes
                .filter(|minutes| *minutes > 0)
                .map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
            away_when_locked: policy.away_when_locked && settings.away_when_locked,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(&ChatPolicy::default(), &ChatSettings::default())
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) presence: Presence,
    /// RFC 6121 section 4.7.2.3.
    pub(crate) priority: i8,
    /// The desk was left then (XEP-0319).
    pub(crate) idle_since: Option<Timestamp>,
}

/// Everything that counts. What goes on is kept with its turn: a number that grows with every word.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) rules: Rules,
    chosen: (Availability, u64),
    note: Option<String>,
    calls: Option<u64>,
    calendar: Option<u64>,
    by_hand: Option<(Activity, u64)>,
    idle_since: Option<Timestamp>,
    locked_since: Option<Timestamp>,
    turn: u64,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            chosen: (Availability::Available, 0),
            note: None,
            calls: None,
            calendar: None,
            by_hand: None,
            idle_since: None,
            locked_since: None,
            turn: 0,
        }
    }
}

impl Own {
    /// The user chose a state. "Available" also ends a meeting that was set by hand, but not a
    /// presentation: that one ends with the sharing.
    pub(crate) fn choose(&mut self, availability: Availability, note: Option<String>) {
        self.chosen = (availability, self.next());
        self.note = note;
        let meeting = matches!(self.by_hand, Some((Activity::InMeeting, _)));
        if availability == Availability::Available && meeting {
            self.by_hand = None;
        }
    }

    /// The note of the user.
    pub(crate) fn note(&self) -> Option<&String> {
        self.note.as_ref()
    }

    /// Calls go on or none does. A second call is no news.
    pub(crate) fn calls(&mut self, any: bool) {
        let turn = self.next();
        self.calls = any.then(|| self.calls.unwrap_or(turn));
    }

    /// A meeting of the calendar goes on or none does.
    pub(crate) fn calendar(&mut self, meeting: bool) {
        let turn = self.next();
        self.calendar = meeting.then(|| self.calendar.unwrap_or(turn));
    }

    /// The user, or another part of the program, says what goes on. "On a call" is not for saying:
    /// that is [`Own::calls`].
    pub(crate) fn activity(&mut self, activity: Option<Activity>) {
        let turn = self.next();
        self.by_hand =
            activity.filter(|activity| *activity != Activity::OnCall).map(|it| (it, turn));
    }

    /// Key or pointer were last used then, if that is some time ago; the screen is locked.
    pub(crate) fn desk(&mut self, idle_since: Option<Timestamp>, locked: bool, now: Timestamp) {
        self.idle_since = idle_since.map(|since| since.min(now));
        self.locked_since =
            locked.then(|| self.locked_since.or(self.idle_since).unwrap_or(now).min(now));
    }

    /// What others are told at `now`.
    pub(crate) fn compose(&self, now: Timestamp) -> Shown {
        let left = self.left(now);
        let activity = self.goes_on();
        let availability = match (self.chosen.0, activity) {
            (Availability::Offline, _) => Availability::Offline,
            (Availability::Dnd, _) | (_, Some(Activity::Presenting)) => Availability::Dnd,
            (_, Some(Activity::OnCall | Activity::InMeeting)) | (Availability::Away, None) => {
                Availability::Away
            }
            (Availability::Available, None) if left.is_some() => Availability::Away,
            (Availability::Available, None) => Availability::Available,
        };
        let by_hand = activity.is_none() && self.chosen.0 == Availability::Away;
        Shown {
            presence: Presence { availability, activity, note: self.note.clone() },
            priority: if left.is_some() || by_hand { LEFT } else { IN_USE },
            idle_since: left.filter(|_| availability != Availability::Offline),
        }
    }

    /// When time alone changes what is told.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let after = i64::try_from(self.rules.away_after?.as_millis()).ok()?;
        let due = Timestamp(self.idle_since?.0.saturating_add(after));
        (due > now).then_some(due)
    }

    /// Since when nobody is at the desk, if that counts.
    fn left(&self, now: Timestamp) -> Option<Timestamp> {
        let locked = self.locked_since.filter(|_| self.rules.away_when_locked);
        let idle = self.idle_since.filter(|_| self.rules.away_after.is_some());
        let idle = idle.filter(|_| self.due(now).is_none());
        [locked, idle].into_iter().flatten().min()
    }

    fn goes_on(&self) -> Option<Activity> {
        let (chosen, since) = self.chosen;
        if chosen == Availability::Offline {
            return None;
        }
        let overridden = chosen != Availability::Available;
        let rules = &self.rules;
        let calls = self.calls.filter(|_| !overridden && !rules.server_sets_calls);
        let calendar =
            self.calendar.filter(|_| !overridden && rules.meetings && !rules.server_sets_meetings);
        let by_hand = self.by_hand.filter(|(activity, turn)| {
            let servers = *activity == Activity::InMeeting && rules.server_sets_meetings;
            !servers && (!overridden || *turn > since)
        });
        let devices = [(Activity::OnCall, calls), (Activity::InMeeting, calendar)];
        devices
            .into_iter()
            .filter_map(|(activity, turn)| turn.map(|turn| (activity, turn)))
            .chain(by_hand)
            .max_by_key(|(_, turn)| *turn)
            .map(|(activity, _)| activity)
    }

    fn next(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }
}

#[cfg(test)]
#[path = "own_tests.rs"]
mod tests;
