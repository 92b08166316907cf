//! Somebody we do not talk to wants us to call somebody (REFER outside a call, RFC 3515).
//!
//! Never without the person: who is called so is called from our line, at our cost, and hears our
//! microphone. Click-to-dial from a desk application works that way, and so does fraud.

use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{
    AskedToCall, CallDirection, CommandError, Dnd, ErrorCode, Moment, Owner, Reply,
};
use offhook_sip::{Identity, Referral, SipCall};

use crate::entry::{Entry, Waiting};
use crate::{Phone, identity};

/// As long as the one who asks is told how it fares.
const WAITS: Duration = Duration::from_secs(180);

/// Questions that wait for the person.
#[derive(Debug, Default)]
pub struct Questions {
    /// They are refused without asking.
    refuse: bool,
    waiting: Vec<(SipCall, Identity, Instant)>,
}

impl Questions {
    /// When the first is forgotten.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.waiting.iter().map(|(_, _, until)| *until).min()
    }
}

impl Phone {
    /// Whether strangers who want us to call somebody are refused without a question.
    pub fn refuse_referrals(&mut self, refuse: bool) {
        self.questions.refuse = refuse;
    }

    pub(crate) fn asked_to_call(&mut self, sip: SipCall, referral: &Referral, now: Moment) {
        if self.questions.refuse || self.state.dnd == Some(Dnd::Reject) {
            return self.agent.refuse_referral(sip, 603, now.at);
        }
        let place = |who: &Identity| shown(who, &self.account.domain);
        // A name can be anybody's; the address is what the server has let through.
        let by = referral.by.as_ref().map(|who| match &who.name {
            Some(name) => format!("{name} ({})", place(who)),
            None => place(who),
        });
        let asked =
            AskedToCall { id: sip.0, by: by.unwrap_or_default(), to: place(&referral.target) };
        Arc::make_mut(&mut self.state).asked.push(asked);
        self.questions.waiting.push((sip, referral.target.clone(), now.at + WAITS));
    }

    /// What the person says.
    pub(crate) fn answer_referral(
        &mut self,
        id: u32,
        accept: bool,
        now: Moment,
    ) -> Result<Reply, CommandError> {
        let Some(place) = self.questions.waiting.iter().position(|(sip, ..)| sip.0 == id) else {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "Nobody asks for that call, or not any more.",
                "Look at what is asked in phone.state.",
            ));
        };
        if !accept {
            let (sip, ..) = self.forget_question(place);
            self.agent.refuse_referral(sip, 603, now.at);
            return Ok(Reply::Done);
        }
        let ip = self.agent.local_ip().filter(|_| self.agent.is_registered());
        let ip = ip.ok_or_else(|| CommandError {
            code: ErrorCode::NotSignedIn,
            cause: "Calling is not possible: the phone is not registered.".into(),
            owner: Owner::Server,
            remedy: "See the connection status for the reason; it is tried again by itself.".into(),
        })?;
        let (sip, target) = self.forget_question(place);
        self.hold_others(None, now);
        let call = self.next_id();
        let waiting = Waiting::PortsToFollow(sip);
        let mut entry =
            Entry::new(call, CallDirection::Outgoing, target.uri.clone(), now.wall, waiting);
        identity::apply(&mut entry.call, &target);
        self.entries.push(entry);
        self.reserve(call, ip);
        self.tell(call);
        Ok(Reply::Call(call))
    }

    fn forget_question(&mut self, place: usize) -> (SipCall, Identity) {
        let (sip, target, _) = self.questions.waiting.remove(place);
        Arc::make_mut(&mut self.state).asked.retain(|asked| asked.id != sip.0);
        (sip, target)
    }

    /// Who asked is not told any more how it fares.
    pub(crate) fn forget_questions(&mut self, now: Moment) {
        while let Some(place) = self.questions.waiting.iter().position(|(.., at)| *at <= now.at) {
            self.forget_question(place);
        }
    }
}

/// The number where our own server answers for it, else the whole address: the same number elsewhere
/// is somebody else.
fn shown(who: &Identity, domain: &str) -> String {
    let bare = who.uri.split_once(':').map_or(who.uri.as_str(), |(_, rest)| rest);
    let bare = bare.split([';', '?']).next().unwrap_or(bare);
    match bare.rsplit_once('@') {
        Some((user, host)) if host.eq_ignore_ascii_case(domain) => user.to_owned(),
        _ => bare.to_owned(),
    }
}
