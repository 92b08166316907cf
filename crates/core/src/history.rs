//! Reading the account's history. The store answers in order, so an answer that was asked for
//! before the history was closed belongs to somebody who has left.

use offhook_model::{Area, Keeping, Moment, Owner, Problem};
use offhook_ports::StoreRequest;

use crate::{Core, Effect, StoreTag};

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

    /// Closes the account's history.
    pub(crate) fn close_history(&mut self) {
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
