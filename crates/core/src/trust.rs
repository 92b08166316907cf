//! Certificates that the system does not trust: the questions, the answers, and the keys accepted.
//!
//! One question is shown at a time (see [`crate::Options::attended`] for programs without a window), the others wait. What was accepted under the policy "ask" is
//! kept; under "ask each session" it counts until sign-out. What was refused is not asked again until
//! the user begins anew, so that a link that reconnects does not ask every half minute.

use std::collections::VecDeque;
use std::sync::Arc;

use offhook_model::{
    AcceptedKey, CertificatePolicy, CommandError, ErrorCode, Fault, Moment, TrustQuestion,
};
use offhook_ports::StoreRequest;

use crate::phase::Phase;
use crate::{Core, Effect};

/// How many questions may wait; further ones are refused.
const WAITING: usize = 32;

/// Questions and answers.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    kept: Arc<Vec<AcceptedKey>>,
    session: Vec<AcceptedKey>,
    refused: Vec<(String, String)>,
    waiting: VecDeque<Arc<TrustQuestion>>,
    /// Nobody sits in front of the program: handshakes do not wait, questions do.
    unattended: bool,
}

impl Trust {
    /// What earlier runs kept.
    pub(crate) fn new(kept: Vec<AcceptedKey>, attended: bool) -> Self {
        Self { kept: Arc::new(kept), unattended: !attended, ..Self::default() }
    }

    /// Keys that are kept beyond this session.
    pub(crate) fn kept(&self) -> &Arc<Vec<AcceptedKey>> {
        &self.kept
    }

    /// All keys accepted for now.
    pub(crate) fn in_force(&self) -> Vec<AcceptedKey> {
        self.kept.iter().chain(&self.session).cloned().collect()
    }

    fn accepts(&self, question: &TrustQuestion) -> bool {
        let host = question.at.host.to_ascii_lowercase();
        let mut keys = self.kept.iter().chain(&self.session);
        keys.any(|known| known.key == question.key && known.host == host)
    }

    fn refuses(&self, question: &TrustQuestion) -> bool {
        let host = question.at.host.to_ascii_lowercase();
        self.refused.iter().any(|(of, key)| *of == host && *key == question.key)
    }

    fn waits(&self, question: &TrustQuestion) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|other| other.key == question.key && other.at.host == question.at.host)
    }

    /// The user begins anew and may think otherwise now.
    pub(crate) fn reconsider(&mut self) {
        self.refused.clear();
    }
}

impl Core {
    /// A handshake asks.
    pub(crate) fn trust_asked(&mut self, question: TrustQuestion, now: Moment) {
        let id = question.id;
        if self.memory.preset().certificates == CertificatePolicy::Reject {
            self.toast(Fault::Tls(question.why.clone()).problem(&question.at), now);
            return self.answer_handshake(id, false);
        }
        if self.trust.accepts(&question) {
            return self.answer_handshake(id, true);
        }
        let nobody = matches!(self.phase, Phase::SignedOut | Phase::Leaving { .. });
        if nobody || self.trust.refuses(&question) || self.trust.waiting.len() >= WAITING {
            return self.answer_handshake(id, false);
        }
        if self.trust.unattended {
            self.answer_handshake(id, false);
            if self.trust.waits(&question) {
                return;
            }
        }
        self.trust.waiting.push_back(Arc::new(question));
        self.show_question();
    }

    /// The user's word.
    pub(crate) fn answer_trust(
        &mut self,
        id: u32,
        accept: bool,
        now: Moment,
    ) -> Result<(), CommandError> {
        let asked = self.trust.waiting.iter().find(|question| question.id == id).cloned();
        let Some(question) = asked else { return Err(no_question()) };
        if accept {
            self.accept(&question, now);
        } else {
            let host = question.at.host.to_ascii_lowercase();
            self.trust.refused.push((host, question.key.clone()));
        }
        // Whoever asked the same meanwhile gets the same answer.
        let same = |other: &TrustQuestion| {
            other.key == question.key && other.at.host.eq_ignore_ascii_case(&question.at.host)
        };
        let (answered, waiting) =
            std::mem::take(&mut self.trust.waiting).into_iter().partition(|other| same(other));
        self.trust.waiting = waiting;
        let answered: VecDeque<Arc<TrustQuestion>> = answered;
        for question in answered {
            self.answer_handshake(question.id, accept);
        }
        self.show_question();
        Ok(())
    }

    fn accept(&mut self, question: &TrustQuestion, now: Moment) {
        let key = AcceptedKey {
            host: question.at.host.to_ascii_lowercase(),
            key: question.key.clone(),
            subject: question.subject.clone(),
            since: now.wall,
        };
        let for_good = self.memory.preset().certificates == CertificatePolicy::Ask;
        if for_good && question.remembered {
            Arc::make_mut(&mut self.trust.kept).push(key);
            self.keep_accepted();
        } else {
            self.trust.session.push(key);
        }
        self.set_trust();
    }

    /// No longer accepts this key, for any host.
    pub(crate) fn revoke_trust(&mut self, key: &str) -> Result<(), CommandError> {
        let before = self.trust.in_force().len();
        let other = |known: &AcceptedKey| !known.key.eq_ignore_ascii_case(key);
        self.trust.session.retain(other);
        if !self.trust.kept.iter().all(other) {
            Arc::make_mut(&mut self.trust.kept).retain(other);
            self.keep_accepted();
        }
        if self.trust.in_force().len() == before {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "No such key is accepted.",
                "Ask trust.list for the keys there are.",
            ));
        }
        self.set_trust();
        Ok(())
    }

    /// A sign-in has failed. Where nobody sits, what it failed by can still be decided.
    pub(crate) fn drop_questions_of_failure(&mut self) {
        if !self.trust.unattended {
            self.drop_questions();
        }
    }

    /// Whoever asked is gone: nobody need answer any more.
    pub(crate) fn drop_questions(&mut self) {
        for question in std::mem::take(&mut self.trust.waiting) {
            self.answer_handshake(question.id, false);
        }
        self.show_question();
    }

    /// The session is over, and with it what was accepted for it.
    pub(crate) fn end_session_trust(&mut self) {
        self.drop_questions();
        self.trust.refused.clear();
        if !std::mem::take(&mut self.trust.session).is_empty() {
            self.set_trust();
        }
    }

    fn keep_accepted(&mut self) {
        let kept = self.trust.kept.to_vec();
        self.store(StoreRequest::PutAccepted(kept));
    }

    fn answer_handshake(&mut self, id: u32, accept: bool) {
        self.out.push_back(Effect::AnswerTrust { id, accept });
    }

    fn show_question(&mut self) {
        self.session.question = self.trust.waiting.front().cloned();
    }
}

fn no_question() -> CommandError {
    CommandError::user(
        ErrorCode::NoSuchObject,
        "No such question waits for an answer.",
        "See session.state for the question there is.",
    )
}
