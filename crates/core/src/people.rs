//! What the user wants of people: alerts, blocking, details, photos; and what the machine learns of
//! ourselves: calls that go on, and whether somebody is at the desk.

use std::path::PathBuf;
use std::time::Duration;

use offhook_im::Im;
use offhook_model::{
    Call, CallState, CommandError, ErrorCode, Jid, Moment, Owner, PeopleWish, Reply, Ticket,
    Timestamp,
};

use crate::chat::LinkState;
use crate::{Core, Effect};

/// Watched for where time does not matter: an hour asks for the same adapter as a minute, and a
/// locked screen is told of in any case.
const NEVER: Duration = Duration::from_secs(3_600);

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
        ticket: Ticket,
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
            PeopleWish::Alert { contact, on } => self
                .chat
                .machine("Waiting for somebody")
                .map(|im| im.alert(&contact, on))
                .and_then(|set| set.then_some(()).ok_or_else(nobody_to_wait_for)),
            PeopleWish::Block { who, on } => self.block(&who, on),
            PeopleWish::Watch { who, on } => {
                self.chat.machine("Seeing availability").map(|im| im.watch(&who, on, now))
            }
            PeopleWish::Details { who } => self
                .chat
                .connected("Asking about a person")
                .map(|im| im.ask_details(&who))
                .and_then(|asked| asked.then_some(()).ok_or_else(no_address)),
            PeopleWish::Photo { who } => {
                self.chat.machine("Showing a photo").map(|im| im.want_photo(&who, now))
            }
            PeopleWish::OwnPhoto { path } => return self.own_photo(ticket, path, now),
            PeopleWish::Groups { contact, groups } => self
                .chat
                .connected("Changing groups")
                .map(|im| im.roster_groups(&contact, groups))
                .and_then(|done| done.then_some(()).ok_or_else(crate::commands::no_contact)),
            PeopleWish::RenameGroup { from, to } => self.rename_group(&from, &to),
        };
        Some(answer.map(|()| Reply::Done))
    }

    fn block(&mut self, who: &Jid, on: bool) -> Result<(), CommandError> {
        let im = self.chat.connected(if on { "Blocking" } else { "Unblocking" })?;
        if im.block(who, on) {
            Ok(())
        } else if im.can_block() {
            Err(no_address())
        } else {
            Err(CommandError {
                code: ErrorCode::NotPossible,
                cause: "This chat server cannot block people (XEP-0191).".into(),
                owner: Owner::Server,
                remedy: "Take the person off the contact list, or ask who runs the server.".into(),
            })
        }
    }

    fn rename_group(&mut self, from: &str, to: &str) -> Result<(), CommandError> {
        let im = self.chat.connected("Renaming a group")?;
        if to.trim().is_empty() {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "The new name of the group is empty.",
                "Give it a name.",
            ));
        }
        if im.rename_group(from, to.trim()) > 0 {
            return Ok(());
        }
        Err(CommandError::user(
            ErrorCode::NoSuchObject,
            "Nobody is in such a group.",
            "Ask roster.list for the groups there are.",
        ))
    }

    /// The file is read by the engine; the answer comes with [`Core::photo_file`].
    fn own_photo(
        &mut self,
        ticket: Ticket,
        path: Option<PathBuf>,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        if let Err(error) = self.chat.connected("Changing the photo") {
            return Some(Err(error));
        }
        match path {
            Some(path) => {
                self.out.push_back(Effect::ReadPhoto(ticket, path));
                None
            }
            None => Some(self.publish_photo(None, now)),
        }
    }

    /// The picture was read, or could not be, in words.
    pub(crate) fn photo_file(
        &mut self,
        ticket: Ticket,
        read: Result<Vec<u8>, String>,
        now: Moment,
    ) {
        let answer = match read {
            Ok(bytes) => self.publish_photo(Some(bytes), now),
            Err(why) => Err(CommandError::user(
                ErrorCode::InvalidParams,
                format!("The picture cannot be read: {why}."),
                "Choose another file.",
            )),
        };
        self.reply(ticket, answer);
    }

    fn publish_photo(
        &mut self,
        bytes: Option<Vec<u8>>,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let im = self.chat.connected("Changing the photo")?;
        im.publish_photo(bytes, now).map(|()| Reply::Done).map_err(|why| {
            let (cause, remedy) = why.split_once(". ").unwrap_or((&why, ""));
            CommandError::user(ErrorCode::InvalidParams, format!("{cause}."), remedy)
        })
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
        self.tell_attention();
    }

    /// Tells the chat server whether anybody looks, so that it can spare us what can wait (XEP-0352).
    pub(crate) fn tell_attention(&mut self) {
        let attended = self.people.idle_since.is_none() && !self.people.locked;
        if let LinkState::Online(link) = self.chat.link {
            self.out.push_back(Effect::XmppAttention(link, attended));
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
        let wanted = self.chat.im().map(|im| im.away_after().unwrap_or(NEVER));
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

fn nobody_to_wait_for() -> CommandError {
    CommandError::user(
        ErrorCode::NotPossible,
        "This person is available already, or is no contact whose availability you see.",
        "Add them to the contact list and wait until they accept.",
    )
}

fn no_address() -> CommandError {
    CommandError::user(
        ErrorCode::InvalidParams,
        "This is no address of another person.",
        "Write it as name@company.com.",
    )
}
