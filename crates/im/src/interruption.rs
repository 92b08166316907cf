//! A connection that broke and may go on over another one (XEP-0198 section 5): for the server and
//! for others we are still there, so nothing is forgotten, and what we would have said waits.

use std::collections::VecDeque;

use offhook_model::Moment;

use crate::{Im, Output, Stanza};

/// How many stanzas wait; more are not said.
const POSTPONED: usize = 1_000;

/// What waits while the connection is interrupted.
#[derive(Debug, Default)]
pub(crate) struct Interruption {
    postponed: VecDeque<Stanza>,
}

impl Interruption {
    /// Keeps a stanza for the time after.
    pub(crate) fn postpone(&mut self, stanza: Stanza) {
        if self.postponed.len() < POSTPONED {
            self.postponed.push_back(stanza);
        }
    }
}

impl Im {
    /// The connection broke and may go on: presence, questions and messages under way stay as they
    /// are until [`Im::online`] says whether it did, or [`Im::offline`] that it did not.
    pub fn interrupted(&mut self, now: Moment) {
        self.time = now;
        if self.full.take().is_some() {
            self.interruption = Some(Interruption::default());
        }
    }

    /// The stream goes on. False when it was taken for lost meanwhile.
    pub(crate) fn go_on(&mut self) -> bool {
        let Some(Interruption { postponed }) = self.interruption.take() else {
            return false;
        };
        self.outputs.extend(postponed.into_iter().map(Output::Send));
        self.refresh_presence();
        true
    }
}
