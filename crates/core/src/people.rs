//! What the user wants of people: alerts, blocking, details, photos; and what the machine learns of
//! ourselves: calls that go on, and whether somebody is at the desk.

use std::time::Duration;

use offhook_im::Im;
use offhook_model::{
    Call, CallState, CommandError, ErrorCode, Moment, Owner, PeopleWish, Reply, Ticket, Timestamp,
};

use crate::{Core, Effect};

/// What was told last.
#[derive(Debug, Default)]
pub(crate) struct PeopleSide {
    calls: bool,
    idle_since: Option<Timestamp>,
    locked: bool,
    /// For how long nobody may be at the desk before we want to know.
    watched: Option<Duration>,
}

impl PeopleSide {
    /// A new machine learns how things stand.
    pub(crate) fn introduce(&self, im: &mut Im, now: Moment) {
        im.set_calls(self.calls, now);
        im.set_desk(self.idle_since, self.locked, now);
    }
}

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn people_wish(
        &mut self,
        _ticket: Ticket,
        wish: PeopleWish,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        let answer = match wish {
            PeopleWish::Activity { activity } => self
                .chat
                .machine("Changing availability")
                .map(|im| im.set_activity(activity, now))
                .and_then(|set| set.then_some(()).ok_or_else(meetings_are_the_servers)),
            PeopleWish::Idle { seconds, locked } => {
                let idle = (seconds > 0).then(|| Duration::from_secs(seconds));
                self.desk_is(idle, locked, now);
                Ok(())
            }
            PeopleWish::Alert { .. }
            | PeopleWish::Block { .. }
            | PeopleWish::Watch { .. }
            | PeopleWish::Details { .. }
            | PeopleWish::Photo { .. }
            | PeopleWish::OwnPhoto { .. }
            | PeopleWish::Groups { .. }
            | PeopleWish::RenameGroup { .. } => {
                Err(CommandError::not_built("This wish about a person"))
            }
        };
        Some(answer.map(|()| Reply::Done))
    }

    /// Somebody is at the desk, or nobody has been for some time.
    pub(crate) fn desk_is(&mut self, idle: Option<Duration>, locked: bool, now: Moment) {
        self.people.idle_since = idle.map(|idle| {
            let ago = i64::try_from(idle.as_millis()).unwrap_or(i64::MAX);
            Timestamp(now.wall.0.saturating_sub(ago))
        });
        self.people.locked = locked;
        if let Some(im) = &mut self.chat.im {
            im.set_desk(self.people.idle_since, locked, now);
        }
    }

    /// Runs after every event: the machine learns of calls, the adapter what is to be watched.
    pub(crate) fn follow_people(&mut self, now: Moment) {
        // Who is rung at is not on the phone yet.
        let goes_on = |call: &Call| call.end.is_none() && call.state != CallState::Incoming;
        let calls = self.phone.calls().iter().any(goes_on);
        if std::mem::replace(&mut self.people.calls, calls) != calls
            && let Some(im) = &mut self.chat.im
        {
            im.set_calls(calls, now);
        }
        // A locked screen is told of in any case while somebody is signed in; an hour is as good as
        // never and asks for the same watch.
        let never = Duration::from_secs(3_600);
        let wanted = self.chat.im().map(|im| im.away_after().unwrap_or(never));
        if self.people.watched != wanted {
            self.people.watched = wanted;
            self.out.push_back(Effect::WatchDesk(wanted));
        }
    }
}

fn meetings_are_the_servers() -> CommandError {
    CommandError {
        code: ErrorCode::Refused,
        cause: "The server's calendar integration says who is in a meeting.".into(),
        owner: Owner::Admin,
        remedy: "Enter the meeting in the calendar, or choose another state.".into(),
    }
}
