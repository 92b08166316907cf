//! What we ask rooms and their services, and where the answers go.

use offhook_model::{Affiliation, CommandError, ErrorCode, Jid, Owner, Reply, Ticket};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::StanzaError;

use super::words;
use crate::asking::{self, Answer};
use crate::{Im, sentence};

/// What the answer of a room is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// What it is, before it is entered.
    Info,
    /// What it is, after it said that it changed.
    Again,
    /// Its settings, of a room we just made.
    FirstForm,
    /// They were given.
    FirstSet,
    /// Its settings, to change some.
    Form(Ticket, Box<super::creating::Change>),
    /// A list of its members.
    Members(Affiliation),
    /// Whether we are still in it (XEP-0410).
    Ping,
    /// A change; the ticket's owner hears whether it was made.
    Done(Ticket),
    /// Bookmarks (XEP-0402).
    Bookmarks,
    /// Bookmarks of the older kind (XEP-0048).
    OldBookmarks,
    /// Bookmarks were written.
    Kept(super::bookmarks::Way, Jid, Option<Ticket>),
    /// The rooms of a service.
    Rooms,
}

impl Im {
    pub(crate) fn room_answered(&mut self, from: Option<Jid>, question: Question, answer: Answer) {
        match (question, from) {
            (Question::Done(ticket), _) => self.answer_done(ticket, answer),
            (Question::Bookmarks, _) => self.bookmarks_came(answer),
            (Question::OldBookmarks, _) => self.old_bookmarks_came(answer),
            (Question::Kept(way, room, ticket), _) => self.bookmark_kept(way, room, ticket, answer),
            (Question::Form(ticket, change), Some(room)) => {
                self.form_came(ticket, &room, &change, answer);
            }
            (Question::Info, Some(room)) => self.info_came(&room, answer),
            (Question::Again, Some(room)) => self.told_again(&room, answer),
            (Question::FirstForm, Some(room)) => self.first_form_came(&room, answer),
            (Question::FirstSet, Some(room)) => self.first_form_taken(&room, answer),
            (Question::Members(affiliation), Some(room)) => {
                self.members_came(&room, affiliation, answer);
            }
            (Question::Ping, Some(us)) => self.ping_answered(&us.bare(), answer),
            (Question::Rooms, Some(service)) => self.rooms_came(&service, answer),
            (_, None) => {}
        }
        self.paint_rooms();
    }

    /// The connection went before the answer came.
    pub(crate) fn room_question_lost(&mut self, question: Question) {
        let ticket = match question {
            Question::Done(ticket) | Question::Form(ticket, _) => Some(ticket),
            Question::Kept(_, _, ticket) => ticket,
            Question::Info
            | Question::Again
            | Question::FirstForm
            | Question::FirstSet
            | Question::Members(_)
            | Question::Ping
            | Question::Bookmarks
            | Question::OldBookmarks
            | Question::Rooms => None,
        };
        if let Some(ticket) = ticket {
            self.answer(ticket, Err(not_connected()));
        }
    }

    fn answer_done(&mut self, ticket: Ticket, answer: Answer) {
        let answer = answer.map(|_| Reply::Done).map_err(|error| refused(&error));
        self.answer(ticket, answer);
    }

    /// Asks for a change of which the wish's owner hears.
    pub(super) fn ask_change(
        &mut self,
        ticket: Ticket,
        to: &Jid,
        payload: Element,
    ) -> Option<Result<Reply, CommandError>> {
        let question = asking::Question::Rooms(Question::Done(ticket));
        if self.ask_set(Some(to.clone()), payload, question) {
            None
        } else {
            Some(Err(not_connected()))
        }
    }

    pub(super) fn ask_room(&mut self, to: &Jid, payload: Element, question: Question) -> bool {
        self.ask_get(Some(to.clone()), payload, asking::Question::Rooms(question))
    }
}

/// The room said no.
pub(super) fn refused(error: &StanzaError) -> CommandError {
    CommandError {
        code: ErrorCode::Failed,
        cause: sentence::with_quote(words::refused(error), error),
        owner: Owner::User,
        remedy: words::remedy(error).into(),
    }
}

pub(super) fn not_connected() -> CommandError {
    CommandError {
        code: ErrorCode::NotPossible,
        cause: words::NO_CONNECTION.into(),
        owner: Owner::Server,
        remedy: "See the connection status for the reason; it is tried again by itself.".into(),
    }
}
