//! Questions on the stream and their answers. An answer counts only when it comes from whom was
//! asked; one that nobody gives in a minute counts as refused.

use std::time::{Duration, Instant};

use offhook_model::{Jid, Moment, TransferId};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::Jid as WireJid;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

use crate::Transfers;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an offer by stream initiation waits, whose answer is the user's word.
const OFFER: Duration = Duration::from_secs(24 * 60 * 60);

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The address of the server's proxy.
    Proxy,
    /// A place for an upload.
    Slot,
    /// What a program can do.
    Ability,
    /// A Jingle offer.
    Offer,
    /// Something said within a session; only a refusal matters.
    Word,
    /// An offer by stream initiation.
    Initiation,
    /// Places for a bytestream; which one was used.
    StreamHosts,
    /// The proxy is to pass on what we send.
    Activate,
    /// An in-band stream is to be opened.
    Open,
    /// A block of it.
    Data,
    /// Nobody reads the answer.
    Nothing,
}

/// A good answer with its payload, or the error.
pub(crate) type Answer<'a> = Result<Option<&'a Element>, StanzaError>;

/// A question on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) transfer: Option<TransferId>,
    to: Jid,
    ask: Ask,
    pub(crate) until: Instant,
}

impl Transfers {
    pub(crate) fn ask_get(
        &mut self,
        transfer: Option<TransferId>,
        to: Jid,
        payload: Element,
        ask: Ask,
    ) {
        self.ask(transfer, to, ask, |to, id| Iq::Get { from: None, to, id, payload });
    }

    pub(crate) fn ask_set(
        &mut self,
        transfer: Option<TransferId>,
        to: Jid,
        payload: Element,
        ask: Ask,
    ) {
        self.ask(transfer, to, ask, |to, id| Iq::Set { from: None, to, id, payload });
    }

    fn ask(
        &mut self,
        transfer: Option<TransferId>,
        to: Jid,
        ask: Ask,
        make: impl FnOnce(Option<WireJid>, String) -> Iq,
    ) {
        let id = self.token();
        let Ok(wire) = WireJid::new(&to.to_string()) else { return };
        self.say(make(Some(wire), id.clone()));
        let patience = if ask == Ask::Initiation { OFFER } else { PATIENCE };
        let until = self.time.at + patience;
        self.asked.insert(id, Pending { transfer, to, ask, until });
    }

    /// Sends, while there is a connection.
    pub(crate) fn say(&mut self, iq: Iq) {
        if self.full.is_some() {
            self.outputs.push_back(crate::Output::Send(Box::new(iq)));
        }
    }

    /// Answers well.
    pub(crate) fn answer(&mut self, to: &Jid, id: &str, payload: Option<Element>) {
        let to = WireJid::new(&to.to_string()).ok();
        self.say(Iq::Result { from: None, to, id: id.to_owned(), payload });
    }

    /// Refuses.
    pub(crate) fn answer_no(
        &mut self,
        to: &Jid,
        id: &str,
        condition: DefinedCondition,
        other: Option<Element>,
    ) {
        let to = WireJid::new(&to.to_string()).ok();
        let mut error = error(condition);
        error.other = other;
        self.say(Iq::Error { from: None, to, id: id.to_owned(), error, payload: None });
    }

    /// Takes what concerns files; everything else is left to others.
    pub fn receive(&mut self, iq: &Iq, now: Moment) -> bool {
        self.time = now;
        let from = |from: &Option<WireJid>| from.as_ref().and_then(|it| it.as_str().parse().ok());
        match iq {
            Iq::Set { from: sender, id, payload, .. } => {
                let concerned = crate::session::is_ours(payload);
                if let (true, Some(sender)) = (concerned, from(sender)) {
                    self.asked_by(&sender, id, payload);
                }
                concerned
            }
            Iq::Get { .. } => false,
            Iq::Result { from: sender, id, payload, .. } => {
                self.answered(from(sender), id, Ok(payload.as_ref()))
            }
            Iq::Error { from: sender, id, error, .. } => {
                self.answered(from(sender), id, Err(error.clone()))
            }
        }
    }

    fn answered(&mut self, from: Option<Jid>, id: &str, answer: Answer<'_>) -> bool {
        let Some(pending) = self.asked.get(id) else { return false };
        if from.as_ref() != Some(&pending.to) {
            return true;
        }
        if let Some(pending) = self.asked.remove(id) {
            self.deal(pending, answer);
        }
        true
    }

    /// The question that was asked last, and of whom.
    pub(crate) fn newest_question(&self) -> Option<(String, String)> {
        let newest = self.asked.iter().max_by_key(|(id, _)| (id.len(), id.get(19..)))?;
        Some((newest.0.clone(), newest.1.to.to_string()))
    }

    pub(crate) fn give_up_questions(&mut self) {
        let now = self.time.at;
        let late = self.asked.iter().filter(|(_, it)| it.until <= now);
        let late: Vec<String> = late.map(|(id, _)| id.clone()).collect();
        for id in late {
            if let Some(pending) = self.asked.remove(&id) {
                self.deal(pending, Err(error(DefinedCondition::RemoteServerTimeout)));
            }
        }
    }

    fn deal(&mut self, pending: Pending, answer: Answer<'_>) {
        let Pending { transfer, to, ask, .. } = pending;
        if ask == Ask::Proxy {
            return self.proxy_answered(to, answer);
        }
        let Some(id) = transfer.filter(|id| self.items.contains_key(id)) else { return };
        match ask {
            Ask::Proxy | Ask::Nothing => {}
            Ask::Slot => self.slot_answered(id, answer),
            Ask::Ability => self.ability_answered(id, to, answer),
            Ask::Offer => self.offer_answered(id, answer),
            Ask::Word => self.word_answered(id, answer),
            Ask::Initiation => self.initiation_answered(id, answer),
            Ask::StreamHosts => self.stream_hosts_answered(id, answer),
            Ask::Activate => self.activated(id, answer.is_ok()),
            Ask::Open => self.opened(id, answer),
            Ask::Data => self.block_answered(id, answer),
        }
    }
}

/// An error that trying again does not mend.
fn error(condition: DefinedCondition) -> StanzaError {
    StanzaError {
        type_: ErrorType::Cancel,
        by: None,
        defined_condition: condition,
        texts: Default::default(),
        other: None,
    }
}
