//! Questions that we ask (RFC 6120 section 8.2.3), each with what its answer is for.
//!
//! An answer counts only when it comes from whom was asked; anything else with the same id is
//! passed over. A question that nobody answers in [`PATIENCE`] counts as refused.

use std::time::{Duration, Instant};

use offhook_model::{Jid, Moment};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use crate::{
    Im, Stanza, blocking, encryption, iq, jid_from_wire, jid_to_wire, people_info, photos, rooms,
    services,
};

/// How long an answer is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How many questions may wait for an answer; more are not asked.
const PENDING: usize = 2_000;

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The contact list.
    Roster,
    /// The end of a page of an archive, by the query's id.
    Archive(String),
    /// What servers and their services can do.
    Services(services::Question),
    /// Who is blocked.
    Blocking(blocking::Question),
    /// What a kind of client can do, by its hash.
    Caps([u8; 20]),
    /// What a person tells of themselves.
    Person(Jid, people_info::Question),
    /// A person's picture.
    Photo(Jid, photos::Question),
    /// Rooms and bookmarks.
    Rooms(rooms::Question),
    /// Devices and keys (XEP-0384).
    Encryption(encryption::Question),
    /// Nobody reads the answer.
    Nothing,
}

/// A good answer with its payload, or the error.
pub(crate) type Answer = Result<Option<Element>, StanzaError>;

/// A question on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Whom we asked; nobody is our own account.
    to: Option<Jid>,
    question: Question,
    until: Instant,
}

impl Im {
    /// Asks for something (`type='get'`). Without `to`, our own account answers (RFC 6120 section
    /// 10.3.3). False without a connection or when `to` is no address.
    pub(crate) fn ask_get(
        &mut self,
        to: Option<Jid>,
        payload: Element,
        question: Question,
    ) -> bool {
        self.ask(to, question, |to, id| Iq::Get { from: None, to, id, payload })
    }

    /// Asks for a change (`type='set'`), likewise.
    pub(crate) fn ask_set(
        &mut self,
        to: Option<Jid>,
        payload: Element,
        question: Question,
    ) -> bool {
        self.ask(to, question, |to, id| Iq::Set { from: None, to, id, payload })
    }

    fn ask(
        &mut self,
        to: Option<Jid>,
        question: Question,
        make: impl FnOnce(Option<xmpp_parsers::jid::Jid>, String) -> Iq,
    ) -> bool {
        let wire = to.as_ref().map(jid_to_wire);
        if self.full.is_none() || wire == Some(None) || self.asked.len() >= PENDING {
            return false;
        }
        let id = self.ids.next();
        let until = self.time.at + PATIENCE;
        self.send(Stanza::Iq(make(wire.flatten(), id.clone())));
        self.asked.insert(id, Pending { to, question, until });
        true
    }

    /// An answer came. It is passed over when nobody asked, or somebody else answers.
    pub(crate) fn receive_answer(
        &mut self,
        from: Option<xmpp_parsers::jid::Jid>,
        id: &str,
        answer: Answer,
        now: Moment,
    ) {
        let Some(pending) = self.asked.get(id) else {
            return;
        };
        let from_asked = match &pending.to {
            None => self.is_own_server(from.as_ref()),
            Some(to) => {
                from.as_ref().and_then(jid_from_wire).is_some_and(|from| from == *to)
                    || (from.is_none() && *to == self.me)
            }
        };
        if from_asked && let Some(pending) = self.asked.remove(id) {
            self.answered(pending.to, pending.question, answer, now);
        }
    }

    fn answered(&mut self, from: Option<Jid>, question: Question, answer: Answer, now: Moment) {
        match question {
            Question::Roster => {
                let list = answer.ok().flatten().and_then(crate::contacts::entries);
                if let Some(entries) = list {
                    self.roster_replace(entries);
                }
            }
            Question::Archive(id) => self.archive_answered(&id, answer, now),
            Question::Services(question) => self.service_answered(from, question, answer, now),
            Question::Blocking(question) => self.blocking_answered(question, answer),
            Question::Caps(ver) => drop(self.caps_answered(ver, answer)),
            Question::Person(who, question) => {
                self.person_answered(&who, from.as_ref(), &question, answer, now);
            }
            Question::Photo(who, question) => self.photo_answered(&who, question, answer),
            Question::Rooms(question) => self.room_answered(from, question, answer),
            Question::Encryption(question) => {
                self.encryption_answered(from, question, answer, now);
            }
            Question::Nothing => {}
        }
    }

    /// The connection is gone: nobody will answer.
    pub(crate) fn forget_questions(&mut self) {
        for pending in std::mem::take(&mut self.asked).into_values() {
            if let Question::Rooms(question) = pending.question {
                self.room_question_lost(question);
            }
        }
    }

    /// Questions that nobody answered in time.
    pub(crate) fn give_up_questions(&mut self, now: Moment) {
        let late = |pending: &Pending| pending.until <= now.at;
        let ids: Vec<String> =
            self.asked.iter().filter(|(_, it)| late(it)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            if let Some(pending) = self.asked.remove(&id) {
                let error = iq::error(DefinedCondition::RemoteServerTimeout);
                self.answered(pending.to, pending.question, Err(error), now);
            }
        }
    }

    pub(crate) fn next_question_timeout(&self) -> Option<Instant> {
        self.asked.values().map(|pending| pending.until).min()
    }
}
