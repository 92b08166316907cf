//! What others try that is not theirs to do: counted, and told once each, so that nobody can fill the
//! screen with it. Nothing of what they said is in the note.

use std::collections::BTreeSet;

use offhook_model::{Area, Jid, NoticeBody, Owner, Problem};

use crate::{Im, sentence};

/// How many notes are remembered as told; after that no more are told in this session.
const TOLD: usize = 200;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trespass {
    /// To change what another one wrote, or to play our other device (XEP-0280, XEP-0308, XEP-0424).
    Words,
    /// To change our contact list or block list (RFC 6121 section 2.1.6, XEP-0191).
    Contacts,
    /// To put messages into our history as an archive does (XEP-0313).
    Archive,
    /// To change what our account keeps at the server (XEP-0402, XEP-0384).
    Account,
}

/// What was tried so far.
#[derive(Debug, Default)]
pub(crate) struct Trespasses {
    count: u64,
    told: BTreeSet<(Trespass, Option<Jid>)>,
}

impl Trespasses {
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl Im {
    /// Somebody tried what is not theirs to do. Of `with`, the conversation or the room it happened
    /// in, it is told once; strangers share one note.
    pub(crate) fn refuse(&mut self, what: Trespass, with: Option<&Jid>) {
        self.trespasses.count += 1;
        let known = with.filter(|with| self.talks.contains_key(with));
        let new = self.trespasses.told.len() < TOLD
            && self.trespasses.told.insert((what, known.cloned()));
        if new {
            let cause = match what {
                Trespass::Words => sentence::FORGED,
                Trespass::Contacts => sentence::FORGED_CONTACTS,
                Trespass::Archive => sentence::FORGED_HISTORY,
                Trespass::Account => sentence::FORGED_ACCOUNT,
            };
            let problem =
                Problem::new(Area::Authentication, Owner::User, cause, sentence::FORGED_REMEDY);
            self.notice(NoticeBody::Diagnostic { problem: Box::new(problem) });
        }
    }

    /// Words of another one, or of another device of ours: see [`Trespass::Words`].
    pub(crate) fn refused_change(&mut self, with: &Jid) {
        self.refuse(Trespass::Words, Some(with));
    }
}
