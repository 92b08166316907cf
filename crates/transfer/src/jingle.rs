//! Files by Jingle (XEP-0166, XEP-0234 version 5).

use offhook_model::{Jid, TransferDirection, TransferId};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::DefinedCondition;

use crate::inband::{BLOCK, InBand};
use crate::questions::{Answer, Ask};
use crate::session::{Session, Stream};
use crate::socks::Socks;
use crate::stanza::{
    Transport, description, el, jingle_file, ns, sha256, sha256_in, short, transport, with,
    write_transport,
};
use crate::{Stage, Transfers, sentence};

/// Errors of Jingle.
const ERRORS: &str = "urn:xmpp:jingle:errors:1";

impl Transfers {
    /// Prepares an offer: our places first, then the offer itself.
    pub(crate) fn offer_jingle(&mut self, id: TransferId) {
        let sid = self.token();
        let Some(session) = self.session(id) else { return };
        if session.ability.jingle_socks {
            session.stream = Stream::Socks(Socks::ours(sid));
            return self.listen(id);
        }
        session.stream = Stream::InBand(InBand::new(sid, BLOCK));
        self.initiate(id);
    }

    /// Sends the offer.
    pub(crate) fn initiate(&mut self, id: TransferId) {
        let Some(me) = self.full.clone() else { return };
        let Some(transport) = self.own_transport(id) else { return };
        let Some(session) = self.session(id) else { return };
        let about = description(&session.file);
        let mut content = self.content(id);
        content.append_child(about);
        content.append_child(write_transport(&transport));
        let extra = [("initiator", me.to_string())];
        self.word(id, "session-initiate", Some(content), &extra, Ask::Offer);
    }

    /// Our side's transport as it stands.
    fn own_transport(&mut self, id: TransferId) -> Option<Transport> {
        let me = self.full.clone()?;
        let session = self.session(id)?;
        let peer = session.peer.clone();
        Some(match &session.stream {
            Stream::None => return None,
            Stream::Socks(socks) => Transport::Socks {
                sid: socks.sid.clone(),
                key: Some(crate::stanza::key(&socks.sid, &me, &peer)),
                candidates: socks.own.clone(),
            },
            Stream::InBand(band) => Transport::InBand { sid: band.sid.clone(), block: band.block },
        })
    }

    fn content(&mut self, id: TransferId) -> Element {
        let (name, creator) =
            self.session(id).map(|session| session.content.clone()).unwrap_or_default();
        el(
            "content",
            ns::JINGLE,
            &[("creator", &creator), ("name", &name), ("senders", "initiator")],
        )
    }

    /// Says something within a session.
    pub(crate) fn word(
        &mut self,
        id: TransferId,
        action: &str,
        inner: Option<Element>,
        extra: &[(&str, String)],
        ask: Ask,
    ) {
        let Some(session) = self.session(id) else { return };
        let (peer, sid) = (session.peer.clone(), session.sid.clone());
        let mut attributes = vec![("action", action), ("sid", sid.as_str())];
        attributes.extend(extra.iter().map(|(name, value)| (*name, value.as_str())));
        let mut jingle = el("jingle", ns::JINGLE, &attributes);
        if let Some(inner) = inner {
            jingle.append_child(inner);
        }
        self.ask_set(Some(id), peer, jingle, ask);
    }

    /// A word about the transport.
    pub(crate) fn transport_word(&mut self, id: TransferId, action: &str, transport: Element) {
        let content = with(self.content(id), transport);
        self.word(id, action, Some(content), &[], Ask::Word);
    }

    pub(crate) fn offer_answered(&mut self, id: TransferId, answer: Answer<'_>) {
        if let Err(error) = answer {
            self.fail(id, sentence::not_taken(&error), true);
        }
    }

    pub(crate) fn word_answered(&mut self, id: TransferId, answer: Answer<'_>) {
        let over = self.items.get(&id).is_none_or(|item| item.stage != Stage::Session);
        if let (Err(error), false) = (answer, over) {
            self.fail(id, sentence::not_taken(&error), true);
        }
    }

    /// The user takes it: our acceptance, and the way to the sender.
    pub(crate) fn accept_jingle(&mut self, id: TransferId) {
        let Some(me) = self.full.clone() else { return };
        let Some(transport) = self.own_transport(id) else { return };
        let Some(session) = self.session(id) else { return };
        session.accepted = true;
        let about = description(&session.file);
        let mut content = self.content(id);
        content.append_child(about);
        content.append_child(write_transport(&transport));
        let extra = [("responder", me.to_string())];
        self.word(id, "session-accept", Some(content), &extra, Ask::Word);
        self.dial_theirs(id);
    }

    pub(crate) fn terminate(&mut self, id: TransferId, reason: &str) {
        let reason = with(Element::bare("reason", ns::JINGLE), Element::bare(reason, ns::JINGLE));
        self.word(id, "session-terminate", Some(reason), &[], Ask::Nothing);
    }

    /// The sum of what was sent, where the offer did not have it (XEP-0234 section 8.1).
    pub(crate) fn tell_sum(&mut self, id: TransferId, sum: Option<[u8; 32]>) {
        let Some(sum) = sum else { return };
        let Some(session) = self.session(id) else { return };
        let (name, creator) = session.content.clone();
        let file = with(Element::bare("file", ns::FILE), sha256(&sum));
        let attributes = [("creator", creator.as_str()), ("name", name.as_str())];
        let checksum = with(el("checksum", ns::FILE, &attributes), file);
        self.word(id, "session-info", Some(checksum), &[], Ask::Nothing);
    }

    /// We have it (XEP-0234 section 8.2).
    pub(crate) fn tell_received(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        let (name, creator) = session.content.clone();
        let attributes = [("creator", creator.as_str()), ("name", name.as_str())];
        let received = el("received", ns::FILE, &attributes);
        self.word(id, "session-info", Some(received), &[], Ask::Nothing);
        self.terminate(id, "success");
    }

    pub(crate) fn jingle_asked(&mut self, from: &Jid, iq: &str, jingle: &Element) {
        let action = jingle.attr("action").unwrap_or_default();
        let Some(sid) = jingle.attr("sid").and_then(short) else {
            return self.answer_no(from, iq, DefinedCondition::BadRequest, None);
        };
        let known = self.find(from, true, &sid);
        if action == "session-initiate" {
            return match known {
                Some(_) => self.answer_no(from, iq, DefinedCondition::Conflict, None),
                None => self.initiated(from, iq, sid, jingle),
            };
        }
        let Some(id) = known else {
            let unknown = Element::bare("unknown-session", ERRORS);
            return self.answer_no(from, iq, DefinedCondition::ItemNotFound, Some(unknown));
        };
        if !KNOWN.contains(&action) {
            return self.answer_no(from, iq, DefinedCondition::FeatureNotImplemented, None);
        }
        self.answer(from, iq, None);
        self.jingle_word(id, action, jingle);
    }

    /// They offer a file.
    fn initiated(&mut self, from: &Jid, iq: &str, sid: String, jingle: &Element) {
        let mut contents = jingle.children().filter(|it| it.is("content", ns::JINGLE));
        let (content, more) = (contents.next(), contents.next().is_some());
        let offer = content.and_then(|it| Some((it, it.get_child("description", ns::FILE)?)));
        self.answer(from, iq, None);
        let Some((content, about)) = offer.filter(|_| !more && from.resource().is_some()) else {
            // Calls and whatever else Jingle can begin.
            return self.turn_down(from, &sid, "unsupported-applications");
        };
        let senders = content.attr("senders").unwrap_or("initiator");
        let (Some(file), true) = (jingle_file(about), senders == "initiator") else {
            return self.turn_down(from, &sid, "failed-application");
        };
        let Some(proposed) = transport(content) else {
            return self.turn_down(from, &sid, "unsupported-transports");
        };
        let name = content.attr("name").and_then(short).unwrap_or_else(|| "file".to_owned());
        let creator = content.attr("creator").filter(|it| *it == "responder");
        let mut session = Session::new(from.clone(), sid.clone(), true, file);
        session.content = (name, creator.unwrap_or("initiator").to_owned());
        session.propose(proposed);
        match self.offered(session) {
            Ok(id) => self.show(id),
            Err(DefinedCondition::ResourceConstraint) => self.turn_down(from, &sid, "busy"),
            Err(_) => self.turn_down(from, &sid, "decline"),
        }
    }

    /// Refuses an offer that has no session.
    fn turn_down(&mut self, to: &Jid, sid: &str, reason: &str) {
        let reason = with(Element::bare("reason", ns::JINGLE), Element::bare(reason, ns::JINGLE));
        let jingle = el("jingle", ns::JINGLE, &[("action", "session-terminate"), ("sid", sid)]);
        self.ask_set(None, to.clone(), with(jingle, reason), Ask::Nothing);
    }

    fn jingle_word(&mut self, id: TransferId, action: &str, jingle: &Element) {
        let own = self
            .items
            .get(&id)
            .is_some_and(|item| item.view.direction == TransferDirection::Outgoing);
        let content = jingle.get_child("content", ns::JINGLE);
        match action {
            "session-accept" if own => self.accepted(id, content.and_then(transport)),
            "transport-info" => {
                if let Some(about) = content.and_then(|it| it.get_child("transport", ns::S5B)) {
                    self.candidate_word(id, own, about);
                }
            }
            "transport-replace" if !own => self.replaced(id, content.and_then(transport)),
            "transport-accept" if own => self.open_band(id),
            "transport-reject" if own => self.no_way(id),
            "session-info" => self.told(id, own, jingle),
            "session-terminate" => self.terminated(id, own, jingle),
            // A word that only the other role may say.
            _ => self.broken(id),
        }
    }

    /// They take our offer.
    fn accepted(&mut self, id: TransferId, theirs: Option<Transport>) {
        let Some(session) = self.session(id) else { return };
        if std::mem::replace(&mut session.accepted, true) {
            return self.broken(id);
        }
        match (&mut session.stream, theirs) {
            (Stream::Socks(socks), Some(Transport::Socks { sid, key, candidates }))
                if socks.sid == sid =>
            {
                socks.meet(key, candidates);
                self.dial_theirs(id);
            }
            (Stream::InBand(band), Some(Transport::InBand { sid, block })) if band.sid == sid => {
                // The smaller block counts (XEP-0261 section 2.2).
                band.block = band.block.min(block.max(1));
                self.open_band(id);
            }
            _ => self.broken(id),
        }
    }

    /// The sender found no direct way and proposes another.
    fn replaced(&mut self, id: TransferId, theirs: Option<Transport>) {
        let waiting = self.items.get(&id).is_some_and(|item| item.stage == Stage::Waiting);
        let Some(session) = self.session(id) else { return };
        match theirs {
            Some(Transport::InBand { sid, block }) if !waiting => {
                session.until = None;
                let block = block.clamp(1, BLOCK);
                session.stream = Stream::InBand(InBand::new(sid.clone(), block));
                let transport = write_transport(&Transport::InBand { sid, block });
                self.transport_word(id, "transport-accept", transport);
            }
            _ => {
                let nothing = el("transport", ns::JINGLE_IBB, &[]);
                self.transport_word(id, "transport-reject", nothing);
            }
        }
    }

    /// The connection could not be made: the chat connection carries the file, if theirs can.
    pub(crate) fn fall_back(&mut self, id: TransferId) {
        let sid = self.token();
        let Some(session) = self.session(id) else { return };
        if !session.ability.jingle_in_band {
            return self.no_way(id);
        }
        session.stream = Stream::InBand(InBand::new(sid.clone(), BLOCK));
        let transport = write_transport(&Transport::InBand { sid, block: BLOCK });
        self.transport_word(id, "transport-replace", transport);
    }

    fn told(&mut self, id: TransferId, own: bool, jingle: &Element) {
        if own && jingle.get_child("received", ns::FILE).is_some() {
            let Some(session) = self.session(id) else { return };
            session.confirmed = true;
            if session.until.is_some() {
                self.terminate(id, "success");
                self.confirmed(id);
            }
        } else if let (false, Some(sum)) = (own, jingle.get_child("checksum", ns::FILE)) {
            let sum = sum.get_child("file", ns::FILE).and_then(sha256_in);
            if let Some(sum) = sum {
                self.sum_told(id, sum);
            }
        }
    }

    fn terminated(&mut self, id: TransferId, own: bool, jingle: &Element) {
        let reason = jingle.get_child("reason", ns::JINGLE);
        let is = |name: &str| reason.is_some_and(|it| it.has_child(name, ns::JINGLE));
        let Some(session) = self.session(id) else { return };
        let all_in = !own && session.got.is_some();
        if is("success") && own && session.accepted {
            session.confirmed = true;
            if session.until.is_some() {
                self.confirmed(id);
            }
            return;
        }
        if is("success") && !own && session.accepted {
            // The sender goes, some do before the last byte is here; the stream tells the rest.
            if all_in {
                self.waited(id);
            }
            return;
        }
        match (is("decline"), own) {
            (true, true) => self.refuse(id, None),
            _ => self.fail(id, sentence::CANCELLED, own),
        }
    }
}

/// Actions that are taken.
const KNOWN: [&str; 7] = [
    "session-accept",
    "session-info",
    "session-terminate",
    "transport-accept",
    "transport-info",
    "transport-reject",
    "transport-replace",
];

#[cfg(test)]
mod tests {
    use crate::stanza::File;

    #[test]
    fn a_description_is_read_as_it_was_written() {
        let file = File {
            name: "a b.pdf".into(),
            size: 7,
            media_type: Some("application/pdf".into()),
            sha256: Some([7; 32]),
        };
        assert_eq!(super::jingle_file(&super::description(&file)), Some(file));
    }
}
