//! Conversations beyond the plain message: answers, corrections, reactions, drafts, keys, export.

use std::path::PathBuf;

use offhook_im::Unfit;
use offhook_model::{ChatWish, CommandError, ErrorCode, Jid, MessageId, Moment, Reply, Ticket};
use offhook_ports::StoreRequest;

use crate::{Core, Effect, StoreTag};

/// How many older messages are read at once.
const OLDER: u32 = 500;

/// How many messages before one that is to be shown are read with it.
const CONTEXT: u32 = 50;

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn chat_wish(
        &mut self,
        ticket: Ticket,
        wish: ChatWish,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(match wish {
            ChatWish::Reply { .. } => {
                let sent = self.write(wish, now);
                return self.when_kept(ticket, sent);
            }
            ChatWish::Correct { .. }
            | ChatWish::React { .. }
            | ChatWish::Retract { .. }
            | ChatWish::Again { .. } => self.write(wish, now),
            ChatWish::Draft { with, text } => self.chat.machine("Keeping a draft").map(|im| {
                im.set_draft(&with, &text);
                Reply::Done
            }),
            ChatWish::Alerts { with, alerts } => self.chat.machine("Chatting").map(|im| {
                im.set_alerts(&with, alerts);
                Reply::Done
            }),
            ChatWish::Older { with } => self.older(with),
            ChatWish::Show { with, id } => self.show_message(with, id),
            ChatWish::Encrypt { with, on } => self.encrypt(&with, on, now),
            ChatWish::Trust { owner, fingerprint, trust } => {
                let im = self.chat.machine("Trusting a key");
                im.and_then(|im| said(im.trust(&owner, &fingerprint, trust, now)))
            }
            ChatWish::Clear { with } => self.chat.machine("Deleting messages").map(|im| {
                im.clear(&with);
                Reply::Done
            }),
            ChatWish::Export { with, path } => return self.export(ticket, with, path),
        })
    }

    /// What writes to others.
    fn write(&mut self, wish: ChatWish, now: Moment) -> Result<Reply, CommandError> {
        let im = self.chat.machine("Chatting")?;
        let done = |()| Reply::Done;
        match wish {
            ChatWish::Reply { with, to, body } => {
                im.reply(&with, &to, body, now).map(Reply::Message)
            }
            ChatWish::Correct { with, id, body } => im.correct(&with, &id, body, now).map(done),
            ChatWish::React { with, id, emoji } => im.react(&with, &id, emoji, now).map(done),
            ChatWish::Retract { with, id } => im.retract(&with, &id, now).map(done),
            ChatWish::Again { with, id } => im.again(&with, &id, now).map(done),
            ChatWish::Draft { .. }
            | ChatWish::Alerts { .. }
            | ChatWish::Older { .. }
            | ChatWish::Show { .. }
            | ChatWish::Encrypt { .. }
            | ChatWish::Trust { .. }
            | ChatWish::Clear { .. }
            | ChatWish::Export { .. } => Ok(Reply::Done),
        }
        .map_err(unfit)
    }

    fn encrypt(&mut self, with: &Jid, on: bool, now: Moment) -> Result<Reply, CommandError> {
        let im = self.chat.machine("Encryption between clients")?;
        said(im.encrypt(with, on, now))
    }

    fn older(&mut self, with: Jid) -> Result<Reply, CommandError> {
        let im = self.chat.machine("Reading the history")?;
        if let Some(before) = im.older(&with) {
            let tag = StoreTag::Older(with.clone(), before.clone());
            self.read_history(tag, StoreRequest::History { with, before, limit: OLDER });
        }
        Ok(Reply::Done)
    }

    fn show_message(&mut self, with: Jid, id: MessageId) -> Result<Reply, CommandError> {
        self.chat.machine("Reading the history")?;
        let request = StoreRequest::HistoryFrom { with: with.clone(), id, context: CONTEXT };
        self.read_history(StoreTag::OpenChat(with), request);
        Ok(Reply::Done)
    }

    fn export(
        &mut self,
        ticket: Ticket,
        with: Option<Jid>,
        path: PathBuf,
    ) -> Option<Result<Reply, CommandError>> {
        if let Err(error) = self.chat.machine("Exporting messages") {
            return Some(Err(error));
        }
        let request = StoreRequest::Export { with: with.map(|with| with.bare()), path };
        self.out.push_back(Effect::Store(StoreTag::Query(ticket), request));
        None
    }
}

/// What the chat machine says to a wish about keys.
fn said(answer: Result<(), String>) -> Result<Reply, CommandError> {
    let remedy = "See docs/encryption.md for what decides about encryption.";
    answer
        .map(|()| Reply::Done)
        .map_err(|cause| CommandError::user(ErrorCode::NotPossible, cause, remedy))
}

fn unfit(why: Unfit) -> CommandError {
    let (code, cause, remedy) = match why {
        Unfit::NoSuchMessage => (
            ErrorCode::NoSuchObject,
            "There is no such message in memory.",
            "Load older messages of the conversation first.",
        ),
        Unfit::NotOurs => (
            ErrorCode::Refused,
            "Somebody else wrote this message.",
            "Only its writer can change it; in a room a moderator can take it back.",
        ),
        Unfit::TakenBack => {
            (ErrorCode::NotPossible, "The message was taken back.", "Write a new one.")
        }
        Unfit::NotSent => (
            ErrorCode::NotPossible,
            "The message did not arrive, so there is nothing to change.",
            "Send it again, or write a new one.",
        ),
        Unfit::NotFailed => (
            ErrorCode::NotPossible,
            "The message did not fail.",
            "Wait until it is sent, or write a new one.",
        ),
        Unfit::NotConfirmed => (
            ErrorCode::NotPossible,
            "The room did not confirm this message yet, so the others could not tell which one is meant.",
            "Try again in a moment. If that does not help, the room keeps no ids of messages.",
        ),
        Unfit::Empty => {
            (ErrorCode::InvalidParams, "The message is empty.", "Write something first.")
        }
        Unfit::TooLong => (
            ErrorCode::InvalidParams,
            "The message is longer than 65,536 characters.",
            "Send it in pieces, or as a file.",
        ),
        Unfit::TooMany => {
            (ErrorCode::InvalidParams, "These are more than 20 reactions.", "Choose at most 20.")
        }
        Unfit::NoEmoji => (
            ErrorCode::InvalidParams,
            "A reaction is not one emoji.",
            "Give each reaction as one emoji; words are a message.",
        ),
        Unfit::Full => (
            ErrorCode::NotPossible,
            "Too many messages wait for a connection.",
            "Try again when you are online.",
        ),
    };
    CommandError::user(code, cause, remedy)
}
