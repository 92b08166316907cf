//! What time does to a room: it did not answer, is tried again, is asked whether it still has us
//! (XEP-0410).

use std::time::Duration;

use offhook_model::{Jid, RoomState};
use xmpp_parsers::ping::Ping;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::place::{Next, Place};
use super::questions::Question;
use super::words;
use crate::Im;
use crate::asking::Answer;

/// After this long without a word a room is asked whether we are still in it.
pub(super) const SILENCE: Duration = Duration::from_secs(600);

/// The next time, when it did not answer.
const AGAIN: Duration = Duration::from_secs(120);

/// So often it may not answer before we count as out.
const UNANSWERED: u32 = 3;

/// Pauses between attempts to enter a room whose server went away, in seconds. Afterwards the next
/// connection or the user tries.
const PAUSES: [u64; 7] = [5, 30, 60, 120, 300, 600, 900];

impl Im {
    /// What this room waited for has come.
    pub(super) fn keep_up(&mut self, room: &Jid) {
        let now = self.time.at;
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let writers = place.writers.len();
        place.writers.retain(|_, until| *until > now);
        let fewer = place.writers.len() < writers;
        let next = place.next.filter(|(at, _)| *at <= now).map(|(_, next)| next);
        if next.is_some() {
            place.next = None;
        }
        if fewer {
            self.show_writers(room);
        }
        match next {
            Some(Next::GiveUp) => self.fail_for_now(room, words::NO_ANSWER.into()),
            Some(Next::Enter) => self.enter(room),
            Some(Next::Settle) => self.settle(room),
            Some(Next::Ping) => self.ping(room),
            None => {}
        }
    }

    /// All that was said before is here: own messages that were not among it go out.
    pub(super) fn settle(&mut self, room: &Jid) {
        let at = self.time.at + SILENCE;
        let ready = |it: &&mut Place| it.is_in() && !it.catching_up;
        if let Some(place) = self.rooms.places.get_mut(room).filter(ready) {
            place.next = Some((at, Next::Ping));
            place.replayed.clear();
            if !std::mem::replace(&mut place.settled, true) {
                self.outbox.release(room);
                self.flush();
            }
        }
    }

    /// The room said something, so it has us.
    pub(super) fn heard(&mut self, room: &Jid) {
        let at = self.time.at + SILENCE;
        if let Some(place) = self.rooms.places.get_mut(room) {
            place.unanswered = 0;
            if let Some((due, Next::Ping)) = &mut place.next {
                *due = at;
            }
        }
    }

    fn ping(&mut self, room: &Jid) {
        let at = self.time.at + AGAIN;
        let Some(place) = self.rooms.places.get_mut(room).filter(|it| it.is_in()) else {
            return;
        };
        place.next = Some((at, Next::Ping));
        place.unanswered += 1;
        let own = place.own();
        if place.unanswered > UNANSWERED {
            return self.fail_for_now(room, words::NO_ANSWER.into());
        }
        self.ask_room(&own, Ping.into(), Question::Ping);
    }

    /// The answer to our own question to ourselves (XEP-0410 section 3.2).
    pub(super) fn ping_answered(&mut self, room: &Jid, answer: Answer) {
        let Some(place) = self.rooms.places.get_mut(room).filter(|it| it.is_in()) else {
            return;
        };
        let condition = answer.err().map(|error| error.defined_condition);
        match condition {
            None
            | Some(
                DefinedCondition::ServiceUnavailable | DefinedCondition::FeatureNotImplemented,
            ) => {
                self.heard(room);
            }
            // Nobody knows; it is asked again.
            Some(
                DefinedCondition::RemoteServerNotFound | DefinedCondition::RemoteServerTimeout,
            ) => {}
            Some(DefinedCondition::ItemNotFound) if place.unanswered <= 1 => {
                // Our nickname may be changing at this moment.
            }
            Some(_) => {
                place.leave(RoomState::Left);
                self.enter(room);
            }
        }
    }

    /// We are out, and try again by ourselves after a pause, so often and no more.
    pub(super) fn fail_for_now(&mut self, room: &Jid, why: String) {
        let Some(place) = self.rooms.places.get_mut(room) else {
            return;
        };
        let pause = usize::try_from(place.tries).ok().and_then(|n| PAUSES.get(n));
        let at = pause.map(|pause| self.time.at + Duration::from_secs(*pause));
        again(place, at, &why);
        self.room_is_out(room, &why);
    }
}

fn again(place: &mut Place, at: Option<std::time::Instant>, why: &str) {
    place.leave(RoomState::Failed);
    place.error = Some(why.to_owned());
    place.tries += 1;
    place.next = at.map(|at| (at, Next::Enter));
}
