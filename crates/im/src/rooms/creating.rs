//! A new room and the settings of rooms (XEP-0045 section 10).

use offhook_model::{CommandError, ErrorCode, Jid, Owner, Reply, Secret, Ticket};
use xmpp_parsers::minidom::Element;

use super::forms::{Form, word};
use super::questions::{Question, not_connected, refused};
use super::{OWNER, dialect, words};
use crate::asking::{self, Answer};
use crate::stanza::element;
use crate::{Im, sentence};

/// What is to be done with a room of our own.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) name: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) persistent: bool,
    pub(super) members_only: bool,
    pub(super) invite: Vec<Jid>,
    /// Who waits for the room's address.
    pub(super) ticket: Option<Ticket>,
}

/// What is to be changed in a room's settings; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(super) name: Option<String>,
    pub(super) members_only: Option<bool>,
    pub(super) moderated: Option<bool>,
    pub(super) password: Option<Secret<String>>,
}

impl Im {
    /// Makes a room and enters it.
    pub(super) fn create_room(
        &mut self,
        ticket: Ticket,
        mut plan: Plan,
    ) -> Option<Result<Reply, CommandError>> {
        if plan.persistent && !self.policy.persistent_rooms {
            return Some(Err(CommandError {
                code: ErrorCode::Refused,
                cause: words::PERSISTENT.into(),
                owner: Owner::Admin,
                remedy: "Make a room that ends with its last occupant.".into(),
            }));
        }
        let Some(service) = self.room_service(plan.persistent) else {
            return Some(Err(CommandError {
                code: ErrorCode::NotPossible,
                cause: words::NO_SERVICE.into(),
                owner: Owner::Admin,
                remedy: "Ask your administrator to switch group chat on.".into(),
            }));
        };
        let local = self.room_local(plan.name.as_deref().unwrap_or_default(), plan.persistent);
        let Ok(room) = format!("{local}@{service}").parse::<Jid>() else {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This name cannot be the name of a room.",
                "Choose another name.",
            )));
        };
        plan.ticket = Some(ticket);
        let Some(place) = self.place(&room) else {
            return Some(Err(too_many()));
        };
        place.title.clone_from(&plan.name);
        place.plan = Some(Box::new(plan));
        self.enter(&room);
        None
    }

    /// The service for a new room: one that says it keeps rooms for a persistent one on the
    /// vendor's servers, where hosts differ; else the first.
    fn room_service(&self, persistent: bool) -> Option<Jid> {
        let rooms = || self.services.items.iter().filter(|it| super::browsing::is_service(it));
        let keeps = rooms().find(|it| persistent && it.features.contains(dialect::PERSISTENT));
        keeps.or_else(|| rooms().next()).map(|it| it.jid.clone())
    }

    /// We are in a room of our own: its settings come next.
    pub(super) fn furnish(&mut self, room: &Jid) {
        let query = element("query", OWNER, &[]);
        if !self.ask_room(room, query, Question::FirstForm) {
            self.first_form_taken(room, Ok(None));
        }
    }

    pub(super) fn first_form_came(&mut self, room: &Jid, answer: Answer) {
        let Some(plan) = self.rooms.places.get(room).and_then(|it| it.plan.as_ref()) else {
            return;
        };
        let form = answer.ok().flatten().as_ref().and_then(Form::read);
        let strict = plan.members_only || plan.persistent;
        let submit = match form {
            Some(mut form) => match fill(&mut form, plan) {
                Ok(()) => form.submit(),
                Err(why) => return self.undo_room(room, why),
            },
            None if strict => {
                return self.undo_room(room, "The server does not let its rooms be set up.");
            }
            // As the server has it (XEP-0045 section 10.1.2).
            None => Form::default().submit(),
        };
        let mut query = element("query", OWNER, &[]);
        query.append_child(submit);
        let question = asking::Question::Rooms(Question::FirstSet);
        self.ask_set(Some(room.clone()), query, question);
    }

    /// The room is open for others; what was planned for it goes on.
    pub(super) fn first_form_taken(&mut self, room: &Jid, answer: Answer) {
        if let Err(error) = answer {
            let why = sentence::with_quote(words::refused(&error), &error);
            return self.undo_room(room, &why);
        }
        let Some(plan) = self.rooms.places.get_mut(room).and_then(|it| it.plan.take()) else {
            return;
        };
        if let Some(topic) = plan.topic.filter(|topic| !topic.is_empty()) {
            self.send_subject(room, &topic);
        }
        if plan.members_only || plan.persistent {
            self.ask_again(room);
        }
        for who in plan.invite {
            self.invite(room, &who, plan.members_only, None);
        }
        if plan.persistent {
            // Nothing else would lead back to it.
            self.keep_bookmark(room, true, None);
        }
        if let Some(ticket) = plan.ticket {
            self.answer(ticket, Ok(Reply::Room(room.clone())));
        }
        self.room_notice(room, "changed", None, None);
    }

    /// The room would not be what was asked for, so it is closed again.
    fn undo_room(&mut self, room: &Jid, why: &str) {
        self.ask_set(Some(room.clone()), destroy(None), asking::Question::Nothing);
        self.fail_room(room, why.to_owned());
    }

    /// Asks for the settings, to change some of them.
    pub(super) fn configure_room(
        &mut self,
        ticket: Ticket,
        room: &Jid,
        change: Change,
    ) -> Option<Result<Reply, CommandError>> {
        let query = element("query", OWNER, &[]);
        let question = Question::Form(ticket, Box::new(change));
        if self.ask_room(room, query, question) { None } else { Some(Err(not_connected())) }
    }

    pub(super) fn form_came(
        &mut self,
        ticket: Ticket,
        room: &Jid,
        change: &Change,
        answer: Answer,
    ) {
        let form = match answer {
            Ok(payload) => payload.as_ref().and_then(Form::read),
            Err(error) => return self.answer(ticket, Err(refused(&error))),
        };
        let missing = || CommandError {
            code: ErrorCode::Failed,
            cause: "The rooms of this server do not have this setting.".into(),
            owner: Owner::Admin,
            remedy: "Leave it as it is.".into(),
        };
        let filled = form.and_then(|mut form| alter(&mut form, change).then_some(form));
        let Some(form) = filled else {
            return self.answer(ticket, Err(missing()));
        };
        let mut query = element("query", OWNER, &[]);
        query.append_child(form.submit());
        if let Some(answer) = self.ask_change(ticket, room, query) {
            self.answer(ticket, answer);
        }
    }
}

/// What was planned, as far as the form has it. Who may enter and whether it lasts must be as it
/// was asked for; a name may be missing.
fn fill(form: &mut Form, plan: &Plan) -> Result<(), &'static str> {
    if let Some(name) = &plan.name {
        form.set("muc#roomconfig_roomname", name);
    }
    if plan.members_only {
        if !form.set("muc#roomconfig_membersonly", "1") {
            return Err("The server has no rooms for members only.");
        }
        // Members are people of one house: they see who the others are.
        form.set("muc#roomconfig_whois", "anyone");
    }
    let persistent = form.set("muc#roomconfig_persistentroom", word(plan.persistent));
    if plan.persistent && !persistent {
        return Err("The server has no rooms that last.");
    }
    if !plan.persistent || plan.members_only {
        form.set("muc#roomconfig_publicroom", "0");
    }
    Ok(())
}

/// False when the form lacks something that is to be changed.
fn alter(form: &mut Form, change: &Change) -> bool {
    let mut all = true;
    if let Some(name) = &change.name {
        all &= form.set("muc#roomconfig_roomname", name);
    }
    if let Some(only) = change.members_only {
        all &= form.set("muc#roomconfig_membersonly", word(only));
    }
    if let Some(moderated) = change.moderated {
        all &= form.set("muc#roomconfig_moderatedroom", word(moderated));
    }
    if let Some(password) = &change.password {
        let protect = word(!password.expose().is_empty());
        // Prosody has the password alone; an empty one takes it away.
        let protected = form.set("muc#roomconfig_passwordprotectedroom", protect);
        let has_secret = form.get("muc#roomconfig_roomsecret").is_some();
        all &=
            form.set("muc#roomconfig_roomsecret", password.expose()) || (protected && has_secret);
    }
    all
}

/// Closes a room for everybody (XEP-0045 section 10.9).
pub(super) fn destroy(reason: Option<&str>) -> Element {
    let mut query = element("query", OWNER, &[]);
    let mut destroy = element("destroy", OWNER, &[]);
    if let Some(reason) = reason {
        let mut child = element("reason", OWNER, &[]);
        child.append_text_node(reason);
        destroy.append_child(child);
    }
    query.append_child(destroy);
    query
}

pub(super) fn too_many() -> CommandError {
    CommandError::user(
        ErrorCode::NotPossible,
        words::TOO_MANY,
        "Take the bookmark of a room away that is no longer needed.",
    )
}
