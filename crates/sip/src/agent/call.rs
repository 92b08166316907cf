//! One call as signalling knows it.

use std::time::Instant;

use offhook_ports::{Figures, FlowId};

use super::info::InfoDigits;
use super::kpml::Keys;
use super::redirected::Redirection;
use super::reliable::Provisionals;
use super::sessions::SessionTimer;
use super::{CallInfo, End, SipCall};
use crate::conference::Roster;
use crate::cucm;
use crate::dialog::Dialog;
use crate::identity::Identity;
use crate::message::{Message, Name};
use crate::transaction::{ClientKey, ServerKey};

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Our INVITE is out.
    Calling,
    /// Our INVITE is out and no longer wanted.
    Cancelling,
    /// Their INVITE waits for us.
    Ringing,
    /// We accepted and wait for the ACK.
    Accepted,
    /// Up.
    Confirmed,
    /// Our BYE is out.
    Ending,
}

/// A request of theirs that waits for our answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub key: ServerKey,
    pub message: Message,
}

/// An accepted INVITE of theirs whose ACK is to come.
#[derive(Debug)]
pub(super) struct AwaitedAck {
    pub key: ServerKey,
    pub cseq: u32,
    /// Whether the ACK carries the answer.
    pub answers: bool,
    /// Whether it is the first INVITE of the call.
    pub first: bool,
}

/// An ACK of ours, kept because a repeated 2xx wants it again.
#[derive(Debug)]
pub(super) struct SentAck {
    pub remote_tag: String,
    pub cseq: u32,
    pub bytes: Vec<u8>,
}

/// An offer of ours under way.
#[derive(Debug)]
pub(super) struct OurOffer {
    pub sdp: String,
    /// When to try again after a 491; the request is out when this is nothing.
    pub retry_at: Option<Instant>,
    /// It only refreshes the session; nobody asked for it.
    pub quiet: bool,
}

#[derive(Debug)]
pub(super) struct Call {
    pub stage: Stage,
    /// We called.
    pub outgoing: bool,
    /// The dialog; of an incoming call from the start, of an outgoing one with the first 2xx.
    pub dialog: Option<Dialog>,
    /// Early dialogs of an outgoing call, one for each fork, with the last RSeq acknowledged.
    pub early: Vec<(Dialog, u32)>,
    /// Our first INVITE.
    pub invite: Option<ClientKey>,
    /// Their request that waits for us.
    pub asked: Option<Asked>,
    pub awaited: Option<AwaitedAck>,
    pub acks: Vec<SentAck>,
    pub offer: Option<OurOffer>,
    /// An offer that waits for its turn.
    pub queued: Option<String>,
    /// Hang up as soon as the ACK has come: before it a BYE is not allowed.
    pub bye_wanted: bool,
    /// When it has gone unanswered for too long.
    pub unanswered_at: Option<Instant>,
    /// Where it was and may be sent.
    pub redirection: Redirection,
    /// The CANCEL is out.
    pub cancel_sent: bool,
    /// [`super::Event::Ended`] was told.
    pub told: bool,
    pub remote: Option<Identity>,
    /// The call of ours that ends once this one is answered (RFC 3891).
    pub replaces: Option<SipCall>,
    /// Why a BYE or CANCEL of ours is sent, as the value of Reason (RFC 3326).
    pub reason: Option<&'static str>,
    pub timer: SessionTimer,
    pub provisionals: Provisionals,
    /// Our description and theirs, as they were sent last.
    pub said: Option<String>,
    pub heard: Option<String>,
    /// Our first offer was answered by a reliable provisional response, so that another may follow
    /// before the call is up (RFC 3311 section 5.1).
    pub early_answer: bool,
    /// What has come and what has gone of its sound, where that is told at its end.
    pub figures: Option<(Figures, Figures)>,
    /// Digits of ours on their way by INFO.
    pub digits: InfoDigits,
    /// Keys that they want to be told of.
    pub keys: Option<Keys>,
    pub roster: Roster,
    /// What Call-Info told last.
    pub info: CallInfo,
    /// They are a conference by their name, and by their Contact.
    conference: (bool, bool),
    /// A REFER came before.
    pub referred_before: bool,
    /// They take UPDATE.
    pub updates: bool,
    /// The flow our Contact in the dialog belongs to.
    pub flow: Option<FlowId>,
    /// Session-ID: our half and theirs.
    pub session: (String, String),
}

impl Call {
    pub fn new(stage: Stage, outgoing: bool, session: String) -> Self {
        Self {
            stage,
            outgoing,
            dialog: None,
            early: vec![],
            invite: None,
            asked: None,
            awaited: None,
            acks: vec![],
            offer: None,
            queued: None,
            bye_wanted: false,
            unanswered_at: None,
            redirection: Redirection::default(),
            cancel_sent: false,
            told: false,
            remote: None,
            replaces: None,
            reason: None,
            timer: SessionTimer::default(),
            provisionals: Provisionals::default(),
            said: None,
            heard: None,
            early_answer: false,
            figures: None,
            digits: InfoDigits::default(),
            keys: None,
            roster: Roster::default(),
            info: CallInfo::default(),
            conference: (false, false),
            referred_before: false,
            updates: false,
            flow: None,
            session: (session, "0".repeat(32)),
        }
    }

    pub fn is_up(&self) -> bool {
        self.stage == Stage::Confirmed
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let offer = self.offer.as_ref().and_then(|offer| offer.retry_at);
        let open = self.provisionals.open.as_ref().map(|open| open.next);
        let keys = self.keys.as_ref().map(|keys| keys.until);
        [offer, open, keys, self.timer.at, self.unanswered_at].into_iter().flatten().min()
    }

    /// The dialog a request of theirs belongs to.
    pub fn dialog_of(&mut self, request: &Message) -> Option<&mut Dialog> {
        self.dialogs().find(|dialog| dialog.owns(request))
    }

    /// All dialogs, the confirmed one first.
    pub fn dialogs(&mut self) -> impl Iterator<Item = &mut Dialog> {
        let early = self.early.iter_mut().map(|(dialog, _)| dialog);
        self.dialog.iter_mut().chain(early)
    }

    /// Takes what any message of theirs may tell.
    pub fn learn(&mut self, message: &Message) {
        if message.header(Name::Allow).is_some() {
            self.updates = message.lists(Name::Allow, "UPDATE");
        }
        if let Some(theirs) = message.header(Name::SessionId).and_then(session_half) {
            self.session.1 = theirs;
        }
    }

    /// Takes what is told about the kind of call; it comes back when it is news. `cucm` says
    /// whether the dialect knows more than the focus parameter of RFC 3840.
    pub fn kind(&mut self, message: &Message, cucm: bool) -> Option<CallInfo> {
        if let Some(contact) = message.address(Name::Contact) {
            self.conference.1 = contact.params.has("isfocus");
        }
        let mut info = self.info.clone();
        if cucm {
            self.conference.0 = cucm::names_conference(message).unwrap_or(self.conference.0);
            info.encrypted = cucm::encrypted(message).or(info.encrypted);
        }
        info.conference = self.conference.0 || self.conference.1;
        let news = info != self.info;
        self.info = info;
        news.then(|| self.info.clone())
    }

    /// Takes the other party's identity; it comes back when it is news.
    pub fn identify(&mut self, message: &Message) -> Option<Identity> {
        let identity = Identity::asserted(message)?;
        if self.remote.as_ref() == Some(&identity) {
            return None;
        }
        self.remote = Some(identity.clone());
        Some(identity)
    }
}

/// The sender's half of a Session-ID (RFC 7989 section 5), also in the form that RFC 7329 has.
pub(super) fn session_half(value: &str) -> Option<String> {
    let id = value.split(';').next().unwrap_or("").trim();
    let good = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| id.to_ascii_lowercase())
}

impl End {
    pub(super) fn new(by: super::By, status: Option<u16>, text: impl Into<String>) -> Self {
        Self { by, status, text: text.into(), cancelled_elsewhere: false }
    }
}
