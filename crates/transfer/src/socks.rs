//! Bytestreams through SOCKS5: places of ours and theirs, and which of them carries the file
//! (XEP-0260; the older way of XEP-0065 is in `initiation`).

use std::net::SocketAddr;
use std::time::Duration;

use offhook_model::{Jid, TransferDirection, TransferId, TransferWay};
use offhook_ports::{Carrier, StreamHost, TransferOrder};
use xmpp_parsers::minidom::Element;

use crate::questions::Ask;
use crate::session::Stream;
use crate::stanza::{Candidate, el, key, ns, short, with};
use crate::{Stage, Transfers};

/// Type preferences of XEP-0260 section 2.2, times 2^16.
const DIRECT: u32 = 126 << 16;
const PROXY: u32 = 10 << 16;

/// How long their word on our places is waited for.
const WORD: Duration = Duration::from_secs(60);

/// What one side said of the other's places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Nothing yet.
    #[default]
    Open,
    /// None can be reached.
    None,
    /// This one, by its number.
    Some(usize),
}

/// The state of one negotiation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Socks {
    pub(crate) sid: String,
    /// What we offered.
    pub(crate) own: Vec<Candidate>,
    /// What they offered.
    pub(crate) theirs: Vec<Candidate>,
    their_key: Option<String>,
    /// Our word on theirs.
    ours_picked: Pick,
    /// Their word on ours.
    they_picked: Pick,
    /// The proxy of ours is being opened or asked to pass on.
    pub(crate) activating: bool,
    /// Their proxy has to be told by them.
    awaiting: bool,
    going: bool,
}

impl Socks {
    /// For an offer of ours.
    pub(crate) fn ours(sid: String) -> Self {
        Self { sid, ..Self::default() }
    }

    /// Of an offer of theirs.
    pub(crate) fn theirs(sid: String, their_key: Option<String>, theirs: Vec<Candidate>) -> Self {
        Self { sid, their_key, theirs, ..Self::default() }
    }

    /// What they have for us beside our own.
    pub(crate) fn meet(&mut self, their_key: Option<String>, theirs: Vec<Candidate>) {
        (self.their_key, self.theirs) = (their_key, theirs);
    }
}

impl Transfers {
    /// Asks the adapter to listen for the receiver.
    pub(crate) fn listen(&mut self, id: TransferId) {
        let Some(me) = self.full.clone() else { return };
        let toward = self.toward.clone();
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.clone();
        let Some(socks) = session.socks() else { return };
        let key = key(&socks.sid, &me, &peer);
        self.order(id, TransferOrder::Listen { toward, key });
    }

    /// We listen, or cannot: the offer is made.
    pub(crate) fn listening(&mut self, id: TransferId, at: Option<SocketAddr>) {
        let Some(me) = self.full.clone() else { return };
        let proxy = self.proxy.clone();
        let direct_cid = self.token();
        let proxy_cid = self.token();
        let Some(session) = self.session(id) else { return };
        let jingle = session.jingle;
        let in_band = session.ability.jingle_in_band;
        let Some(socks) = session.socks() else { return };
        socks.own = at
            .map(|at| Candidate {
                cid: direct_cid,
                jid: me,
                host: StreamHost { host: at.ip().to_string(), port: at.port() },
                priority: DIRECT,
                proxy: false,
            })
            .into_iter()
            .chain(proxy.map(|(jid, host)| Candidate {
                cid: proxy_cid,
                jid,
                host,
                priority: PROXY,
                proxy: true,
            }))
            .collect();
        let none = socks.own.is_empty();
        match (jingle, none) {
            (true, true) if in_band => {
                if let Some(session) = self.session(id) {
                    session.ability.jingle_socks = false;
                }
                self.offer_jingle(id);
            }
            (true, _) => self.initiate(id),
            (false, true) => self.no_way(id),
            (false, false) => self.offer_stream_hosts(id),
        }
    }

    /// Tries their places.
    pub(crate) fn dial_theirs(&mut self, id: TransferId) {
        let Some(me) = self.full.clone() else { return };
        let Some(session) = self.session(id) else { return };
        let (peer, jingle) = (session.peer.clone(), session.jingle);
        let Some(socks) = session.socks() else { return };
        let sid = socks.sid.clone();
        if socks.theirs.is_empty() {
            return self.dialled(id, None);
        }
        let hosts = socks.theirs.iter().map(|it| it.host.clone()).collect();
        // A key that they name counts for their places (XEP-0260 section 2.2, `dstaddr`).
        let named = socks.their_key.clone().filter(|_| jingle);
        let key = named.unwrap_or_else(|| key(&sid, &peer, &me));
        self.order(id, TransferOrder::Dial { hosts, key });
    }

    /// One of their places, or our proxy, was opened; or none.
    pub(crate) fn dialled(&mut self, id: TransferId, place: Option<usize>) {
        let Some(session) = self.session(id) else { return };
        let jingle = session.jingle;
        let Some(socks) = session.socks() else { return };
        if socks.activating {
            return match place {
                Some(_) => self.activate(id),
                None => self.activated(id, false),
            };
        }
        if socks.ours_picked != Pick::Open {
            return;
        }
        socks.ours_picked = place.map_or(Pick::None, Pick::Some);
        if !jingle {
            return self.stream_host_used(id, place);
        }
        let chosen = place.and_then(|place| socks.theirs.get(place));
        let word = match chosen {
            Some(candidate) => el("candidate-used", ns::S5B, &[("cid", &candidate.cid)]),
            None => Element::bare("candidate-error", ns::S5B),
        };
        self.socks_word(id, word);
        self.settle(id);
    }

    fn socks_word(&mut self, id: TransferId, word: Element) {
        let sid = self.session(id).and_then(|it| it.socks()).map(|it| it.sid.clone());
        let sid = sid.unwrap_or_default();
        let transport = with(el("transport", ns::S5B, &[("sid", &sid)]), word);
        self.transport_word(id, "transport-info", transport);
    }

    /// Their word about places.
    pub(crate) fn candidate_word(&mut self, id: TransferId, own: bool, about: &Element) {
        let Some(session) = self.session(id) else { return };
        if !session.accepted {
            return self.broken(id);
        }
        let Some(socks) = session.socks() else { return };
        if about.attr("sid").is_some_and(|sid| sid != socks.sid) {
            return;
        }
        let cid = |name: &str| about.get_child(name, ns::S5B)?.attr("cid").and_then(short);
        if let Some(cid) = cid("candidate-used") {
            let Some(place) = socks.own.iter().position(|it| it.cid == cid) else {
                return self.broken(id);
            };
            if socks.they_picked == Pick::Open {
                socks.they_picked = Pick::Some(place);
                self.settle(id);
            }
        } else if about.has_child("candidate-error", ns::S5B) {
            if socks.they_picked == Pick::Open {
                socks.they_picked = Pick::None;
                self.settle(id);
            }
        } else if about.has_child("activated", ns::S5B) {
            if own && std::mem::take(&mut socks.awaiting) {
                self.go(id, Carrier::Dialled);
            }
        } else if about.has_child("proxy-error", ns::S5B) && own {
            self.fall_back(id);
        }
    }

    /// Both words are in, or ours is enough: the file goes, or another way is looked for.
    fn settle(&mut self, id: TransferId) {
        let until = self.time.at + WORD;
        let Some(item) = self.items.get_mut(&id) else { return };
        let own = item.view.direction == TransferDirection::Outgoing;
        let Some(session) = &mut item.session else { return };
        let Stream::Socks(socks) = &mut session.stream else { return };
        if socks.going {
            return;
        }
        if !own {
            // We offer no places as receiver, so only our own word counts.
            return match socks.ours_picked {
                Pick::Some(_) => self.go(id, Carrier::Dialled),
                // The sender now proposes another way.
                Pick::None => session.until = Some(until),
                Pick::Open => {}
            };
        }
        let places = match (&socks.ours_picked, &socks.they_picked) {
            (Pick::Open, _) | (_, Pick::Open) => {
                session.until = Some(until);
                return;
            }
            (Pick::None, Pick::None) => {
                session.until = None;
                return self.fall_back(id);
            }
            (ours, theirs) => (ours.clone(), theirs.clone()),
        };
        session.until = None;
        let theirs = |pick: &Pick, of: &[Candidate]| match pick {
            Pick::Some(place) => of.get(*place).map(|it| (it.priority, it.clone())),
            Pick::Open | Pick::None => None,
        };
        let at_theirs = theirs(&places.0, &socks.theirs);
        let at_ours = theirs(&places.1, &socks.own);
        // Of two with the same priority, the one that the initiator, we, picked (section 2.4).
        let use_theirs = match (&at_theirs, &at_ours) {
            (Some((theirs, _)), Some((ours, _))) => theirs >= ours,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if use_theirs {
            if at_theirs.is_some_and(|(_, it)| it.proxy) {
                socks.awaiting = true;
                return;
            }
            return self.go(id, Carrier::Dialled);
        }
        match at_ours {
            Some((_, it)) if it.proxy => self.open_proxy(id, it.host),
            _ => self.go(id, Carrier::Accepted),
        }
    }

    /// Our proxy was chosen: we open our side of it.
    pub(crate) fn open_proxy(&mut self, id: TransferId, host: StreamHost) {
        let Some(me) = self.full.clone() else { return };
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.clone();
        let Some(socks) = session.socks() else { return };
        socks.activating = true;
        let key = key(&socks.sid, &me, &peer);
        self.order(id, TransferOrder::Dial { hosts: vec![host], key });
    }

    /// Asks our proxy to join both sides (XEP-0065 section 6.3.4).
    fn activate(&mut self, id: TransferId) {
        let Some(session) = self.session(id) else { return };
        let peer = session.peer.to_string();
        let Some(socks) = session.socks() else { return };
        let proxy = socks.own.iter().find(|it| it.proxy).map(|it| it.jid.clone());
        let Some(proxy) = proxy else { return };
        let mut query = el("query", ns::BYTESTREAMS, &[("sid", &socks.sid)]);
        query.append_child(crate::stanza::text("activate", ns::BYTESTREAMS, &peer));
        self.ask_set(Some(id), proxy, query, Ask::Activate);
    }

    pub(crate) fn activated(&mut self, id: TransferId, well: bool) {
        let Some(session) = self.session(id) else { return };
        let jingle = session.jingle;
        let Some(socks) = session.socks() else { return };
        let cid = socks.own.iter().find(|it| it.proxy).map(|it| it.cid.clone());
        match (well, jingle) {
            (true, true) => {
                let word = el("activated", ns::S5B, &[("cid", &cid.unwrap_or_default())]);
                self.socks_word(id, word);
                self.go(id, Carrier::Dialled);
            }
            (true, false) => self.go(id, Carrier::Dialled),
            (false, true) => {
                self.socks_word(id, Element::bare("proxy-error", ns::S5B));
                self.fall_back(id);
            }
            (false, false) => self.no_way(id),
        }
    }

    /// The bytes go over this connection.
    pub(crate) fn go(&mut self, id: TransferId, carrier: Carrier) {
        let place = self.place(id);
        let Some(item) = self.items.get_mut(&id) else { return };
        if item.stage != Stage::Session {
            return;
        }
        let own = item.view.direction == TransferDirection::Outgoing;
        let Some(session) = &mut item.session else { return };
        session.until = None;
        let size = session.file.size;
        let Some(socks) = session.socks() else { return };
        if std::mem::replace(&mut socks.going, true) {
            return;
        }
        match (own, place) {
            (true, _) => self.order(id, TransferOrder::Send(carrier)),
            (false, Some(place)) => {
                self.order(id, TransferOrder::Receive { carrier, place, size });
            }
            (false, None) => return,
        }
        self.going(id, TransferWay::Socks5);
    }

    /// Their places of an older offer, taken as candidates.
    pub(crate) fn places(query: &Element) -> Vec<Candidate> {
        let hosts = query.children().filter(|it| it.is("streamhost", ns::BYTESTREAMS));
        let place = |it: &Element| {
            let jid: Jid = it.attr("jid")?.parse().ok()?;
            let host = crate::stanza::host(it)?;
            Some(Candidate { cid: String::new(), jid, host, priority: 0, proxy: false })
        };
        hosts.filter_map(place).take(16).collect()
    }
}
