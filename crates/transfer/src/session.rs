//! A file between two programs: what both kinds of negotiation have in common.

use std::time::{Duration, Instant};

use offhook_model::{Jid, TransferDirection, TransferId, TransferState, TransferWay};
use offhook_ports::TransferOrder;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::DefinedCondition;

use crate::choice::{Ability, refusal};
use crate::inband::InBand;
use crate::socks::Socks;
use crate::stanza::{File, Transport, ns};
use crate::{Change, Item, Stage, Transfers, WAITING, sentence};

/// How long the sum of a received file is waited for, where the offer had none.
const SUM: Duration = Duration::from_secs(10);

/// How long the receiver's word is waited for after the last byte.
const CONFIRMATION: Duration = Duration::from_secs(60);

/// Who is on the other end, and what is negotiated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// Full address; nobody else counts.
    pub(crate) peer: Jid,
    pub(crate) sid: String,
    /// Jingle; else stream initiation.
    pub(crate) jingle: bool,
    /// Name and creator of the Jingle content.
    pub(crate) content: (String, String),
    pub(crate) file: File,
    /// The question whose answer is the user's word (stream initiation).
    pub(crate) question: Option<String>,
    pub(crate) ability: Ability,
    pub(crate) stream: Stream,
    /// Their word on our offer has come.
    pub(crate) accepted: bool,
    /// The receiver said that it has everything, before we knew that all was out.
    pub(crate) confirmed: bool,
    /// The sum of what was received, while the sender's is waited for.
    pub(crate) got: Option<[u8; 32]>,
    /// Something is waited for until then.
    pub(crate) until: Option<Instant>,
}

/// What carries the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Not settled.
    None,
    /// SOCKS5.
    Socks(Socks),
    /// The chat connection.
    InBand(InBand),
}

impl Session {
    pub(crate) fn new(peer: Jid, sid: String, jingle: bool, file: File) -> Self {
        Self {
            peer,
            sid,
            jingle,
            content: ("file".to_owned(), "initiator".to_owned()),
            file,
            question: None,
            ability: Ability::default(),
            stream: Stream::None,
            accepted: false,
            confirmed: false,
            got: None,
            until: None,
        }
    }

    pub(crate) fn socks(&mut self) -> Option<&mut Socks> {
        match &mut self.stream {
            Stream::Socks(socks) => Some(socks),
            Stream::None | Stream::InBand(_) => None,
        }
    }

    pub(crate) fn in_band(&mut self) -> Option<&mut InBand> {
        match &mut self.stream {
            Stream::InBand(band) => Some(band),
            Stream::None | Stream::Socks(_) => None,
        }
    }

    /// Takes over what the sender proposed.
    pub(crate) fn propose(&mut self, transport: Transport) {
        self.stream = match transport {
            Transport::Socks { sid, key, candidates } => {
                Stream::Socks(Socks::theirs(sid, key, candidates))
            }
            Transport::InBand { sid, block } => Stream::InBand(InBand::new(sid, block)),
        };
    }
}

/// Whether this question is one of the protocols of this crate.
pub(crate) fn is_ours(payload: &Element) -> bool {
    payload.is("jingle", ns::JINGLE)
        || payload.is("si", ns::SI)
        || payload.is("query", ns::BYTESTREAMS)
        || ["open", "data", "close"].iter().any(|name| payload.is(name, ns::IBB))
}

impl Transfers {
    /// Somebody wants something.
    pub(crate) fn asked_by(&mut self, from: &Jid, id: &str, payload: &Element) {
        if payload.is("jingle", ns::JINGLE) {
            self.jingle_asked(from, id, payload);
        } else if payload.is("si", ns::SI) {
            self.initiation_asked(from, id, payload);
        } else if payload.is("query", ns::BYTESTREAMS) {
            self.stream_hosts_asked(from, id, payload);
        } else {
            self.in_band_asked(from, id, payload);
        }
    }

    /// The session with this program under this id.
    pub(crate) fn find(&self, peer: &Jid, jingle: bool, sid: &str) -> Option<TransferId> {
        self.items.iter().find_map(|(id, item)| {
            let session = item.session.as_ref()?;
            let same = session.peer == *peer && session.jingle == jingle && session.sid == sid;
            same.then_some(*id)
        })
    }

    /// An offer came and reads well. False when it is refused at once; then it is shown as refused.
    pub(crate) fn offered(&mut self, session: Session) -> Result<TransferId, DefinedCondition> {
        let with = session.peer.bare();
        let waiting = self.items.values().filter(|it| it.stage == Stage::Waiting);
        let waiting: Vec<&Jid> =
            waiting.filter(|it| it.session.is_some()).map(|it| &it.view.with).collect();
        let of_theirs = waiting.iter().filter(|it| ***it == with).count();
        if waiting.len() >= WAITING.0 || of_theirs >= WAITING.1 {
            return Err(DefinedCondition::ResourceConstraint);
        }
        let file = session.file.clone();
        let why = refusal(&self.policy, &file.name, Some(file.size))
            .or_else(|| self.policy.managed_files_only.then(|| sentence::OUTSIDE_IN.to_owned()));
        let id = self.next_id();
        let mut item = Item::new(id, with, TransferDirection::Incoming, file.name);
        item.view.size = Some(file.size);
        item.media_type = file.media_type;
        match &why {
            None => item.session = Some(session),
            Some(why) => {
                item.stage = Stage::Over;
                item.view.state = TransferState::Declined;
                item.view.error = Some(why.clone());
            }
        }
        self.add(item);
        match why {
            // It waits for the caller to have answered.
            None => Ok(id),
            Some(_) => {
                self.show(id);
                Err(DefinedCondition::NotAllowed)
            }
        }
    }

    /// The user takes an offered file.
    pub(crate) fn take(&mut self, id: TransferId) {
        let Some(item) = self.item(id) else { return };
        let Some(session) = &item.session else { return };
        let jingle = session.jingle;
        item.stage = Stage::Session;
        item.view.state = TransferState::Active;
        if jingle {
            self.accept_jingle(id)
        } else {
            self.accept_initiation(id)
        }
        self.publish(id);
    }

    /// Offers a file to this program.
    pub(crate) fn offer(&mut self, id: TransferId, peer: Jid, ability: Ability, jingle: bool) {
        let sid = self.token();
        let Some(item) = self.item(id) else { return };
        let mut ability = ability;
        if item.in_band_only {
            (ability.jingle_socks, ability.socks) = (false, false);
        }
        let file = File {
            name: item.view.name.clone(),
            size: item.view.size.unwrap_or_default(),
            media_type: Some(item.kind()),
            sha256: None,
        };
        let mut session = Session::new(peer, sid, jingle, file);
        session.ability = ability;
        item.session = Some(session);
        item.stage = Stage::Session;
        item.view.state = TransferState::Offered;
        if jingle {
            self.offer_jingle(id)
        } else {
            self.offer_initiation(id)
        }
        self.publish(id);
    }

    /// Bytes begin to go, this way.
    pub(crate) fn going(&mut self, id: TransferId, way: TransferWay) {
        self.set_way(id, way);
        self.set_state(id, TransferState::Active);
    }

    /// All bytes of ours are out.
    pub(crate) fn all_sent(&mut self, id: TransferId, sha256: Option<[u8; 32]>) {
        let until = self.time.at + CONFIRMATION;
        let Some(session) = self.session(id) else { return };
        if session.jingle {
            session.until = Some(until);
            if session.confirmed {
                return self.confirmed(id);
            }
            self.tell_sum(id, sha256);
        } else {
            // Nobody confirms there; what the stream took counts as received.
            self.confirmed(id);
        }
    }

    /// The receiver has the file.
    pub(crate) fn confirmed(&mut self, id: TransferId) {
        self.change(id, Change::Delivered);
        self.done(id);
    }

    /// All bytes of theirs are here.
    pub(crate) fn received(&mut self, id: TransferId, size: u64, sum: [u8; 32]) {
        let until = self.time.at + SUM;
        let Some(session) = self.session(id) else { return };
        if size != session.file.size {
            return self.spoilt(id, sentence::CUT);
        }
        match session.file.sha256 {
            Some(wanted) if wanted == sum => self.order(id, TransferOrder::Keep),
            Some(_) => self.spoilt(id, sentence::SUM),
            None if session.jingle => {
                session.got = Some(sum);
                session.until = Some(until);
            }
            None => self.order(id, TransferOrder::Keep),
        }
    }

    /// The sender says what the sum is.
    pub(crate) fn sum_told(&mut self, id: TransferId, wanted: [u8; 32]) {
        let Some(session) = self.session(id) else { return };
        session.file.sha256 = session.file.sha256.or(Some(wanted));
        if let Some(got) = session.got.take() {
            session.until = None;
            let size = session.file.size;
            self.received(id, size, got);
        }
    }

    /// What was waited for did not come.
    pub(crate) fn waited(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        if session.got.take().is_some() {
            // No sum was sent; many programs send none.
            return self.order(id, TransferOrder::Keep);
        }
        self.say_goodbye(id, "timeout");
        self.fail(id, sentence::NO_ANSWER, true);
    }

    /// What came is no good.
    pub(crate) fn spoilt(&mut self, id: TransferId, why: &str) {
        self.say_goodbye(id, "media-error");
        self.fail(id, why, false);
    }

    /// They broke the rules.
    pub(crate) fn broken(&mut self, id: TransferId) {
        self.say_goodbye(id, "general-error");
        self.fail(id, sentence::PROTOCOL, false);
    }

    /// The file is under its name: they are told.
    pub(crate) fn taken(&mut self, id: TransferId) {
        if self.session(id).is_some_and(|session| session.jingle) {
            self.tell_received(id);
        }
    }

    /// Nothing of the file can go directly.
    pub(crate) fn no_way(&mut self, id: TransferId) {
        let in_band = self.session(id).is_some_and(|it| it.ability.in_band);
        if let Some(item) = self.item(id) {
            item.in_band_only = in_band;
        }
        self.say_goodbye(id, "connectivity-error");
        self.fail(id, sentence::NO_WAY, true);
    }

    /// Tells the other side that it is over, if it can be told.
    pub(crate) fn say_goodbye(&mut self, id: TransferId, reason: &str) {
        let Some(session) = self.session(id) else { return };
        if session.jingle {
            return self.terminate(id, reason);
        }
        let peer = session.peer.clone();
        if let Some(question) = session.question.take() {
            // XEP-0095 section 3.3: the word for "no".
            self.answer_no(&peer, &question, DefinedCondition::Forbidden, None);
        } else if session.in_band().is_some_and(|band| band.open) {
            self.close_band(id);
        }
    }
}
