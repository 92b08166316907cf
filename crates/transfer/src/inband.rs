//! Bytes inside the chat connection (XEP-0047), block by block: the next one goes when the last was
//! confirmed, so a slow link is never flooded.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use offhook_model::{Jid, TransferDirection, TransferId, TransferWay};
use offhook_ports::TransferOrder;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::DefinedCondition;

use crate::questions::{Answer, Ask};
use crate::stanza::{el, ns, short};
use crate::{Stage, Transfers, sentence};

/// Bytes of a block before base64, as XEP-0047 suggests.
pub(crate) const BLOCK: usize = 4_096;

/// How many of their blocks may wait to be written.
const AHEAD: usize = 32;

/// The state of one stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InBand {
    pub(crate) sid: String,
    pub(crate) block: usize,
    pub(crate) open: bool,
    /// Number of the next block; it begins anew after 65535.
    seq: u16,
    /// Bytes so far.
    done: u64,
    /// Their blocks that are not written yet, by the question to answer.
    writing: VecDeque<String>,
    closed: bool,
}

impl InBand {
    pub(crate) fn new(sid: String, block: usize) -> Self {
        Self { sid, block: block.clamp(1, usize::from(u16::MAX)), ..Self::default() }
    }
}

impl Transfers {
    // ---- sending ---------------------------------------------------------------------------

    /// Opens the stream on which we send.
    pub(crate) fn open_band(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        session.until = None;
        let peer = session.peer.clone();
        let Some(band) = session.in_band() else { return };
        let (sid, block) = (band.sid.clone(), band.block.to_string());
        let open = el("open", ns::IBB, &[("sid", &sid), ("block-size", &block), ("stanza", "iq")]);
        self.ask_set(Some(id), peer, open, Ask::Open);
    }

    pub(crate) fn opened(&mut self, id: TransferId, answer: Answer<'_>) {
        let Some(session) = self.session(id) else { return };
        let Some(band) = session.in_band() else { return };
        match answer {
            Ok(_) => {
                band.open = true;
                let block = band.block;
                self.going(id, TransferWay::InBand);
                self.order(id, TransferOrder::ReadBlock(block));
            }
            // They want smaller blocks (XEP-0047 section 2.1).
            Err(error)
                if error.defined_condition == DefinedCondition::ResourceConstraint
                    && band.block > 256 =>
            {
                band.block /= 2;
                self.open_band(id);
            }
            Err(error) => {
                self.say_goodbye(id, "failed-transport");
                self.fail(id, sentence::not_taken(&error), true);
            }
        }
    }

    /// The next bytes of our file.
    pub(crate) fn block_read(&mut self, id: TransferId, bytes: &[u8], sum: Option<[u8; 32]>) {
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.clone();
        let Some(band) = session.in_band() else { return };
        if bytes.is_empty() {
            self.close_band(id);
            return self.all_sent(id, sum);
        }
        let (sid, seq) = (band.sid.clone(), band.seq.to_string());
        band.seq = band.seq.wrapping_add(1);
        band.done += bytes.len() as u64;
        let mut data = el("data", ns::IBB, &[("sid", &sid), ("seq", &seq)]);
        data.append_text(STANDARD.encode(bytes));
        self.ask_set(Some(id), peer, data, Ask::Data);
    }

    pub(crate) fn block_answered(&mut self, id: TransferId, answer: Answer<'_>) {
        let Some(session) = self.session(id) else { return };
        let Some(band) = session.in_band() else { return };
        let (done, block) = (band.done, band.block);
        match answer {
            Ok(_) => {
                self.progress(id, done);
                self.order(id, TransferOrder::ReadBlock(block));
            }
            Err(error) => self.fail(id, sentence::not_taken(&error), true),
        }
    }

    pub(crate) fn close_band(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.clone();
        let Some(band) = session.in_band() else { return };
        if std::mem::take(&mut band.open) {
            let close = el("close", ns::IBB, &[("sid", &band.sid)]);
            self.ask_set(Some(id), peer, close, Ask::Nothing);
        }
    }

    // ---- receiving -------------------------------------------------------------------------

    /// The stream of theirs with this id, if the sender is theirs.
    fn band_of(&self, from: &Jid, sid: &str) -> Option<TransferId> {
        self.items.iter().find_map(|(id, item)| {
            let session = item.session.as_ref()?;
            let crate::session::Stream::InBand(band) = &session.stream else { return None };
            let same = session.peer == *from && band.sid == sid;
            (same && item.stage == Stage::Session).then_some(*id)
        })
    }

    pub(crate) fn in_band_asked(&mut self, from: &Jid, iq: &str, payload: &Element) {
        let sid = payload.attr("sid").and_then(short);
        let Some(id) = sid.and_then(|sid| self.band_of(from, &sid)) else {
            let condition = match payload.name() {
                "open" => DefinedCondition::NotAcceptable,
                _ => DefinedCondition::ItemNotFound,
            };
            return self.answer_no(from, iq, condition, None);
        };
        let own = self
            .items
            .get(&id)
            .is_some_and(|item| item.view.direction == TransferDirection::Outgoing);
        match payload.name() {
            "close" => {
                self.answer(from, iq, None);
                self.band_closed(id, own);
            }
            _ if own => self.answer_no(from, iq, DefinedCondition::NotAllowed, None),
            "open" => self.band_opened(id, from, iq, payload),
            _ => self.block_came(id, from, iq, payload),
        }
    }

    fn band_opened(&mut self, id: TransferId, from: &Jid, iq: &str, open: &Element) {
        let block = open.attr("block-size").and_then(|it| it.parse::<u16>().ok()).map(usize::from);
        let messages = open.attr("stanza") == Some("message");
        let Some(session) = self.session(id) else { return };
        let Some(band) = session.in_band() else { return };
        match block {
            _ if band.open || messages => {
                self.answer_no(from, iq, DefinedCondition::NotAcceptable, None);
            }
            Some(block @ 1..) => {
                band.block = block;
                band.open = true;
                session.until = None;
                self.answer(from, iq, None);
                self.going(id, TransferWay::InBand);
            }
            Some(0) | None => self.answer_no(from, iq, DefinedCondition::BadRequest, None),
        }
    }

    fn block_came(&mut self, id: TransferId, from: &Jid, iq: &str, data: &Element) {
        let Some(place) = self.place(id) else { return };
        let Some(session) = self.session(id) else { return };
        let size = session.file.size;
        let Some(band) = session.in_band() else { return };
        let seq = data.attr("seq").and_then(|it| it.parse::<u16>().ok());
        let text = data.text();
        // Base64 of a block, with room for line ends.
        let fits = text.len() <= band.block / 3 * 4 + band.block / 8 + 64;
        let text: String = text.split_ascii_whitespace().collect();
        let bytes = if fits { STANDARD.decode(text).ok() } else { None };
        let Some(bytes) = bytes.filter(|it| !it.is_empty() && it.len() <= band.block) else {
            self.answer_no(from, iq, DefinedCondition::BadRequest, None);
            return self.broken(id);
        };
        if !band.open || seq != Some(band.seq) || band.writing.len() >= AHEAD {
            self.answer_no(from, iq, DefinedCondition::UnexpectedRequest, None);
            return self.broken(id);
        }
        band.seq = band.seq.wrapping_add(1);
        band.done += bytes.len() as u64;
        if band.done > size {
            self.answer_no(from, iq, DefinedCondition::NotAcceptable, None);
            return self.spoilt(id, sentence::CUT);
        }
        band.writing.push_back(iq.to_owned());
        self.order(id, TransferOrder::WriteBlock { bytes, place, size });
    }

    /// Our disk has a block: the next may come.
    pub(crate) fn block_written(&mut self, id: TransferId, done: u64) {
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.clone();
        let Some(band) = session.in_band() else { return };
        if let Some(iq) = band.writing.pop_front() {
            self.answer(&peer, &iq, None);
            self.progress(id, done);
        }
    }

    fn band_closed(&mut self, id: TransferId, own: bool) {
        let place = self.place(id);
        let Some(session) = self.session(id) else { return };
        let size = session.file.size;
        let all_out = session.until.is_some();
        let Some(band) = session.in_band() else { return };
        band.open = false;
        let again = std::mem::replace(&mut band.closed, true);
        match (own, place) {
            (true, _) if !all_out => self.fail(id, sentence::CANCELLED, true),
            (false, _) if band.done < size => self.spoilt(id, sentence::CUT),
            (false, Some(place)) if size == 0 && !again => {
                let bytes = Vec::new();
                self.order(id, TransferOrder::WriteBlock { bytes, place, size });
            }
            _ => {}
        }
    }
}
