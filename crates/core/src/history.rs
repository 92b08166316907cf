//! Reading the account's history. The store answers in order, so an answer that was asked for
//! before the history was closed belongs to somebody who has left.

use std::time::{Duration, Instant};

use offhook_im::Stanza;
use offhook_model::{Area, Keeping, Moment, Owner, Problem};
use offhook_ports::StoreRequest;

use crate::{Core, Effect, StoreTag};

/// A history that is not read by then, such as one that waits for the user's word about a keyring, is
/// no longer waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// More than so many stanzas do not wait.
const MOST: usize = 5_000;

/// What came before the history was read.
#[derive(Debug, Default)]
pub(crate) struct Early {
    stanzas: Vec<Stanza>,
    /// Longest wait, from the first of them.
    pub(crate) until: Option<Instant>,
}

/// How many answers are to come, and how many of those come too late.
#[derive(Debug, Default)]
pub struct Reads {
    pending: u32,
    stale: u32,
}

impl Core {
    /// Reads for the session, not for a command.
    pub(crate) fn read_history(&mut self, tag: StoreTag, request: StoreRequest) {
        self.reads.pending += 1;
        self.out.push_back(Effect::Store(tag, request));
    }

    /// Reads the account's history, and holds back what comes meanwhile.
    pub(crate) fn load_history(&mut self) {
        self.chat.early = Some(Early::default());
        self.read_history(StoreTag::Loaded, StoreRequest::Load);
    }

    /// A stanza came. It is taken at once where nothing is waited for.
    pub(crate) fn stanza_came(&mut self, stanza: Stanza, now: Moment) {
        match &mut self.chat.early {
            Some(early) if early.stanzas.len() < MOST => {
                early.until.get_or_insert(now.at + PATIENCE);
                early.stanzas.push(stanza);
            }
            Some(_) | None => {
                self.wait_no_longer(now);
                self.take_stanza(stanza, now);
            }
        }
    }

    /// The history is read, or is not waited for: what came meanwhile counts now.
    pub(crate) fn wait_no_longer(&mut self, now: Moment) {
        if let Some(early) = self.chat.early.take() {
            for stanza in early.stanzas {
                self.take_stanza(stanza, now);
            }
        }
    }

    /// The link says more than stanzas: what came on it before comes before.
    pub(crate) fn catch_up(&mut self, now: Moment) {
        if self.chat.early.as_ref().is_some_and(|early| !early.stanzas.is_empty()) {
            self.wait_no_longer(now);
        }
    }

    pub(crate) fn early_due(&mut self, now: Moment) {
        let until = self.chat.early.as_ref().and_then(|early| early.until);
        if until.is_some_and(|until| until <= now.at) {
            self.wait_no_longer(now);
        }
    }

    /// Closes the account's history.
    pub(crate) fn close_history(&mut self) {
        self.chat.early = None;
        self.reads.stale = self.reads.pending;
        self.closed_kept();
        self.store(StoreRequest::Close);
    }

    /// The account's history is open; what was found wrong with it is told. That there is no key
    /// is not: the settings say how messages are kept, and the password has said it before.
    pub(crate) fn history_opened(&mut self, keeping: Keeping, now: Moment) {
        let wrong = keeping.encrypted || (!keeping.kept && self.policy.current.history);
        if let Some(why) = keeping.why.clone().filter(|_| wrong) {
            let remedy =
                "Sign in again when that is mended; the settings say how messages are kept.";
            self.toast(Problem::new(Area::Provisioning, Owner::User, why, remedy), now);
        }
        self.keeping = keeping;
    }

    /// The text archive beside the history cannot be written.
    pub(crate) fn archive_failed(&mut self, why: String, now: Moment) {
        let remedy = "Choose another folder for chat archives, or ask who set it.";
        self.toast(Problem::new(Area::Provisioning, Owner::User, why, remedy), now);
    }

    /// An answer came; false when it is for a session that is over.
    pub(crate) fn read_is_wanted(&mut self) -> bool {
        self.reads.pending = self.reads.pending.saturating_sub(1);
        if self.reads.stale > 0 {
            self.reads.stale -= 1;
            return false;
        }
        true
    }
}
