//! Files by stream initiation (XEP-0095, XEP-0096), which the vendor's programs and many older ones
//! speak, over XEP-0065 or XEP-0047.

use offhook_model::{Jid, TransferId, safe_file_name};
use offhook_ports::Carrier;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::DefinedCondition;

use crate::choice::Ability;
use crate::inband::{BLOCK, InBand};
use crate::questions::{Answer, Ask};
use crate::session::{Session, Stream};
use crate::socks::Socks;
use crate::stanza::{File, el, ns, short, text, with};
use crate::{Stage, Transfers, sentence};

impl Transfers {
    // ---- sending ---------------------------------------------------------------------------

    pub(crate) fn offer_initiation(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        let methods = [
            session.ability.socks.then_some(ns::BYTESTREAMS),
            session.ability.in_band.then_some(ns::IBB),
        ];
        let file = el(
            "file",
            ns::SI_FILE,
            &[("name", &session.file.name), ("size", &session.file.size.to_string())],
        );
        let kind = session.file.media_type.clone().unwrap_or_default();
        let (peer, sid) = (session.peer.clone(), session.sid.clone());
        let mut field = el("field", ns::FORM, &[("var", "stream-method"), ("type", "list-single")]);
        for method in methods.into_iter().flatten() {
            let value = text("value", ns::FORM, method);
            field.append_child(with(Element::bare("option", ns::FORM), value));
        }
        let form = with(el("x", ns::FORM, &[("type", "form")]), field);
        let mut si =
            el("si", ns::SI, &[("id", &sid), ("mime-type", &kind), ("profile", ns::SI_FILE)]);
        si.append_child(file);
        si.append_child(with(Element::bare("feature", ns::NEGOTIATION), form));
        self.ask_set(Some(id), peer, si, Ask::Initiation);
    }

    pub(crate) fn initiation_answered(&mut self, id: TransferId, answer: Answer<'_>) {
        let chosen = match answer {
            Ok(payload) => payload.and_then(chosen),
            Err(error) => {
                return match error.defined_condition {
                    DefinedCondition::Forbidden
                    | DefinedCondition::NotAllowed
                    | DefinedCondition::NotAcceptable => self.refuse(id, None),
                    _ => self.fail(id, sentence::not_taken(&error), true),
                };
            }
        };
        let Some(session) = self.session(id) else { return };
        session.accepted = true;
        let sid = session.sid.clone();
        let ability = session.ability;
        match chosen.as_deref() {
            Some(ns::BYTESTREAMS) if ability.socks => {
                session.stream = Stream::Socks(Socks::ours(sid));
                self.listen(id);
            }
            Some(ns::IBB) if ability.in_band => {
                session.stream = Stream::InBand(InBand::new(sid, BLOCK));
                self.open_band(id);
            }
            _ => self.fail(id, sentence::CANNOT, false),
        }
    }

    /// Tells the receiver our places (XEP-0065 section 5.3.1).
    pub(crate) fn offer_stream_hosts(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.clone();
        let Some(socks) = session.socks() else { return };
        let mut query = el("query", ns::BYTESTREAMS, &[("sid", &socks.sid), ("mode", "tcp")]);
        for it in &socks.own {
            let (jid, port) = (it.jid.to_string(), it.host.port.to_string());
            let attributes = [("jid", jid.as_str()), ("host", &it.host.host), ("port", &port)];
            query.append_child(el("streamhost", ns::BYTESTREAMS, &attributes));
        }
        self.ask_set(Some(id), peer, query, Ask::StreamHosts);
    }

    pub(crate) fn stream_hosts_answered(&mut self, id: TransferId, answer: Answer<'_>) {
        let used = answer.ok().flatten();
        let used = used.and_then(|it| it.get_child("streamhost-used", ns::BYTESTREAMS));
        let used: Option<Jid> = used.and_then(|it| it.attr("jid")?.parse().ok());
        let Some(session) = self.session(id) else { return };
        let Some(socks) = session.socks() else { return };
        let place = socks.own.iter().find(|it| Some(&it.jid) == used.as_ref()).cloned();
        match place {
            Some(place) if place.proxy => self.open_proxy(id, place.host),
            Some(_) => self.go(id, Carrier::Accepted),
            None => self.no_way(id),
        }
    }

    // ---- receiving -------------------------------------------------------------------------

    pub(crate) fn initiation_asked(&mut self, from: &Jid, iq: &str, si: &Element) {
        let sid = si.attr("id").and_then(short);
        let file = si.get_child("file", ns::SI_FILE).and_then(|it| file(it, si));
        let ability = methods(si);
        let known = sid.as_ref().is_some_and(|sid| self.find(from, false, sid).is_some());
        let profile = si.attr("profile") == Some(ns::SI_FILE);
        let (Some(sid), Some(file), true) = (sid, file, profile && from.resource().is_some())
        else {
            let bad = Element::bare("bad-profile", ns::SI);
            return self.answer_no(from, iq, DefinedCondition::BadRequest, Some(bad));
        };
        if !ability.initiation() {
            let none = Element::bare("no-valid-streams", ns::SI);
            return self.answer_no(from, iq, DefinedCondition::BadRequest, Some(none));
        }
        if known {
            return self.answer_no(from, iq, DefinedCondition::Conflict, None);
        }
        let mut session = Session::new(from.clone(), sid, false, file);
        session.question = Some(iq.to_owned());
        session.ability = ability;
        match self.offered(session) {
            Ok(id) => self.show(id),
            Err(DefinedCondition::ResourceConstraint) => {
                self.answer_no(from, iq, DefinedCondition::ResourceConstraint, None);
            }
            Err(_) => self.answer_no(from, iq, DefinedCondition::Forbidden, None),
        }
    }

    /// The user takes it: we say by which stream.
    pub(crate) fn accept_initiation(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        let Some(question) = session.question.take() else { return };
        session.accepted = true;
        let (peer, sid) = (session.peer.clone(), session.sid.clone());
        let method = if session.ability.socks { ns::BYTESTREAMS } else { ns::IBB };
        session.stream = if session.ability.socks {
            Stream::Socks(Socks::ours(sid))
        } else {
            Stream::InBand(InBand::new(sid, BLOCK))
        };
        let field = el("field", ns::FORM, &[("var", "stream-method")]);
        let field = with(field, text("value", ns::FORM, method));
        let form = with(el("x", ns::FORM, &[("type", "submit")]), field);
        let feature = with(Element::bare("feature", ns::NEGOTIATION), form);
        self.answer(&peer, &question, Some(with(Element::bare("si", ns::SI), feature)));
    }

    /// The sender tells its places.
    pub(crate) fn stream_hosts_asked(&mut self, from: &Jid, iq: &str, query: &Element) {
        let sid = query.attr("sid").and_then(short);
        let id = sid.and_then(|sid| self.find(from, false, &sid));
        let taken = |id: &TransferId| {
            self.items.get(id).is_some_and(|it| it.stage == Stage::Session && it.source.is_none())
        };
        let Some(id) = id.filter(taken) else {
            return self.answer_no(from, iq, DefinedCondition::NotAcceptable, None);
        };
        let Some(session) = self.session(id) else { return };
        let again = session.question.is_some();
        let Some(socks) = session.socks() else {
            return self.answer_no(from, iq, DefinedCondition::NotAcceptable, None);
        };
        if again || !socks.theirs.is_empty() || query.attr("mode") == Some("udp") {
            return self.answer_no(from, iq, DefinedCondition::BadRequest, None);
        }
        socks.meet(None, Self::places(query));
        session.question = Some(iq.to_owned());
        self.dial_theirs(id);
    }

    /// One of their places was opened, or none.
    pub(crate) fn stream_host_used(&mut self, id: TransferId, place: Option<usize>) {
        let Some(session) = self.session(id) else { return };
        let (peer, sid) = (session.peer.clone(), session.sid.clone());
        let Some(question) = session.question.take() else { return };
        let Some(socks) = session.socks() else { return };
        let jid = place.and_then(|it| socks.theirs.get(it)).map(|it| it.jid.to_string());
        let Some(jid) = jid else {
            self.answer_no(&peer, &question, DefinedCondition::ItemNotFound, None);
            return self.fail(id, sentence::NO_WAY, false);
        };
        let used = el("streamhost-used", ns::BYTESTREAMS, &[("jid", &jid)]);
        let query = with(el("query", ns::BYTESTREAMS, &[("sid", &sid)]), used);
        self.answer(&peer, &question, Some(query));
        self.go(id, Carrier::Dialled);
    }
}

fn file(file: &Element, si: &Element) -> Option<File> {
    let kind = si.attr("mime-type").filter(|it| crate::stanza::is_media_type(it));
    Some(File {
        name: safe_file_name(file.attr("name")?),
        size: file.attr("size")?.trim().parse().ok().filter(|it| *it <= i64::MAX as u64)?,
        media_type: kind.map(str::to_owned),
        sha256: None,
    })
}

/// The field `stream-method` of the negotiation.
fn field(si: &Element) -> Option<&Element> {
    let form = si.get_child("feature", ns::NEGOTIATION)?.get_child("x", ns::FORM)?;
    form.children().find(|it| it.is("field", ns::FORM) && it.attr("var") == Some("stream-method"))
}

fn methods(si: &Element) -> Ability {
    let values: Vec<String> = field(si)
        .into_iter()
        .flat_map(Element::children)
        .filter_map(|it| it.get_child("value", ns::FORM))
        .map(Element::text)
        .take(16)
        .collect();
    let has = |method: &str| values.iter().any(|it| it.trim() == method);
    Ability { socks: has(ns::BYTESTREAMS), in_band: has(ns::IBB), ..Ability::default() }
}

fn chosen(si: &Element) -> Option<String> {
    Some(field(si)?.get_child("value", ns::FORM)?.text().trim().to_owned())
}
