//! What the adapter saw, and the way over the server (XEP-0363).

use offhook_model::{Jid, Moment, Transfer, TransferId, TransferState, TransferWay};
use offhook_ports::{TransferFact, TransferOrder};
use xmpp_parsers::minidom::Element;

use crate::choice::{Ability, Asked, Way, choose, refusal};
use crate::questions::{Answer, Ask};
use crate::stanza::{el, ns};
use crate::{Change, Stage, Transfers, sentence};

/// How many programs of a person are asked what they can.
const PROGRAMS: usize = 8;

/// The headers that a server may ask for (XEP-0363 section 5).
const HEADERS: [&str; 3] = ["authorization", "cookie", "expires"];

/// How long one of them may be; Kerberos tickets are the longest that are known.
const HEADER: usize = 16 * 1024;

impl Transfers {
    /// Takes a fact of this transfer's job. What nobody waits for any more is passed over.
    pub fn fact(&mut self, id: TransferId, fact: TransferFact, now: Moment) {
        self.time = now;
        let Some(item) = self.items.get_mut(&id) else { return };
        if item.stage == Stage::Over {
            return;
        }
        match fact {
            TransferFact::Looked { size, .. } if item.stage == Stage::Looking => {
                item.view.size = Some(size);
                self.way(id, size);
            }
            TransferFact::Progress(done) => self.progress(id, done),
            TransferFact::Sent { sha256 } => self.sent(id, sha256),
            TransferFact::Size(size) => {
                item.view.size = size.or(item.view.size);
                self.publish(id);
            }
            TransferFact::Received { size, sha256 } => {
                if item.stage == Stage::Fetching {
                    item.view.size = Some(size);
                    self.order(id, TransferOrder::Keep);
                } else {
                    self.received(id, size, sha256);
                }
            }
            TransferFact::Kept(path) => {
                item.view.path = Some(path.clone());
                self.change(id, Change::Path(path));
                self.taken(id);
                self.done(id);
            }
            TransferFact::Failed { why, again } => {
                self.say_goodbye(id, "failed-transport");
                self.fail(id, &why, again);
            }
            TransferFact::Listening(at) => self.listening(id, at),
            TransferFact::Dialled(place) => self.dialled(id, Some(place)),
            TransferFact::NotDialled => self.dialled(id, None),
            TransferFact::Block { bytes, sha256 } => self.block_read(id, &bytes, sha256),
            TransferFact::Written(done) => self.block_written(id, done),
            TransferFact::Looked { .. } | TransferFact::Accepted => {}
        }
    }

    /// The file is there and so large: which way it goes.
    fn way(&mut self, id: TransferId, size: u64) {
        let Some(item) = self.items.get(&id) else { return };
        if let Some(why) = refusal(&self.policy, &item.view.name, Some(size)) {
            return self.fail(id, &why, false);
        }
        let asked = Asked {
            room: item.room,
            size,
            servers: &self.servers,
            policy: &self.policy,
            there: !item.addresses.is_empty(),
        };
        let way = match choose(asked) {
            Ok(_) | Err(_) if self.full.is_none() => {
                return self.fail(id, sentence::UNCONNECTED, true);
            }
            Ok(way) => way,
            Err(why) => return self.fail(id, &why, true),
        };
        match way {
            Way::Upload => self.ask_slot(id, size),
            Way::Peer => self.ask_abilities(id),
        }
    }

    fn ask_slot(&mut self, id: TransferId, size: u64) {
        let Some((service, _)) = self.servers.upload.clone() else { return };
        let Some(item) = self.item(id) else { return };
        item.stage = Stage::Slot;
        item.view.way = Some(TransferWay::Server);
        let attributes = [
            ("filename", item.view.name.as_str()),
            ("size", &size.to_string()),
            ("content-type", &item.kind()),
        ];
        let request = el("request", ns::UPLOAD, &attributes);
        self.ask_get(Some(id), service, request, Ask::Slot);
        self.publish(id);
    }

    pub(crate) fn slot_answered(&mut self, id: TransferId, answer: Answer<'_>) {
        if self.items.get(&id).is_none_or(|item| item.stage != Stage::Slot) {
            return;
        }
        let slot = match answer {
            Ok(payload) => payload.and_then(slot),
            Err(error) => return self.fail(id, &sentence::no_slot(&error), true),
        };
        let Some((url, headers, link)) = slot else {
            return self.fail(id, sentence::BAD_SLOT, false);
        };
        let Some(item) = self.item(id) else { return };
        item.stage = Stage::Uploading(link);
        let media_type = item.kind();
        self.order(id, TransferOrder::Put { url, headers, media_type });
    }

    /// All bytes are out.
    fn sent(&mut self, id: TransferId, sha256: Option<[u8; 32]>) {
        let Some(item) = self.items.get(&id) else { return };
        match &item.stage {
            Stage::Uploading(link) => {
                let link = link.clone();
                self.change(id, Change::Link(link));
                self.done(id);
            }
            Stage::Session => self.all_sent(id, sha256),
            Stage::Waiting
            | Stage::Looking
            | Stage::Asking(..)
            | Stage::Slot
            | Stage::Fetching
            | Stage::Over => {}
        }
    }

    fn ask_abilities(&mut self, id: TransferId) {
        let Some(item) = self.item(id) else { return };
        let programs: Vec<Jid> = item.addresses.iter().take(PROGRAMS).cloned().collect();
        item.stage = Stage::Asking(programs.len(), Vec::new());
        for program in programs {
            let query = el("query", "http://jabber.org/protocol/disco#info", &[]);
            self.ask_get(Some(id), program, query, Ask::Ability);
        }
        self.publish(id);
    }

    pub(crate) fn ability_answered(&mut self, id: TransferId, who: Jid, answer: Answer<'_>) {
        let Some(item) = self.items.get_mut(&id) else { return };
        let Stage::Asking(left, found) = &mut item.stage else { return };
        *left = left.saturating_sub(1);
        if let Ok(Some(info)) = answer {
            found.push((who, ability(info)));
        }
        if *left > 0 {
            return;
        }
        let found = std::mem::take(found);
        let addresses = item.addresses.clone();
        let place = |who: &Jid| addresses.iter().position(|it| it == who);
        let able = |fits: fn(Ability) -> bool| {
            found.iter().filter(|(_, it)| fits(*it)).min_by_key(|(who, _)| place(who)).cloned()
        };
        let jingle = able(Ability::jingle);
        let older = able(Ability::initiation);
        match (jingle, older, found.is_empty()) {
            (Some((peer, ability)), ..) => self.offer(id, peer, ability, true),
            (None, Some((peer, ability)), _) => self.offer(id, peer, ability, false),
            (None, None, true) => self.fail(id, sentence::NOBODY, true),
            (None, None, false) => self.fail(id, sentence::CANNOT, true),
        }
    }

    pub(crate) fn proxy_answered(&mut self, from: Jid, answer: Answer<'_>) {
        if self.servers.proxy.as_ref() != Some(&from) {
            return;
        }
        let hosts = answer.ok().flatten();
        let host = hosts.and_then(|it| it.get_child("streamhost", ns::BYTESTREAMS));
        let jid = host.and_then(|it| it.attr("jid")?.parse().ok()).unwrap_or(from);
        self.proxy = host.and_then(crate::stanza::host).map(|host| (jid, host));
    }

    /// An offered file, from its name to its message.
    pub(crate) fn show(&mut self, id: TransferId) {
        let attachment = self.attachment(id);
        let Some(item) = self.items.get(&id) else { return };
        let Transfer { with, .. } = &item.view;
        let with = with.clone();
        self.outputs.push_back(crate::Output::Show { id, with, attachment });
        let waits = self.items.get(&id).is_some_and(|it| it.view.state == TransferState::Offered);
        if waits && self.policy.accept_files && !self.policy.managed_files_only {
            self.take(id);
        }
    }
}

type Slot = (String, Vec<(String, offhook_model::Secret<String>)>, String);

/// Where to put, with which headers, and the link; nothing when one of the places is not `https`.
fn slot(answer: &Element) -> Option<Slot> {
    let place = |name: &str| {
        let url = answer.get_child(name, ns::UPLOAD)?.attr("url")?.trim();
        let fits = url.starts_with("https://")
            && url.len() <= 4_096
            && !url.chars().any(|c| c.is_control() || c.is_whitespace());
        fits.then(|| url.to_owned())
    };
    let headers = answer.get_child("put", ns::UPLOAD)?.children().filter_map(|header| {
        let name = header.attr("name")?;
        let allowed = HEADERS.iter().any(|it| name.eq_ignore_ascii_case(it));
        // A line break would begin a header of the server's choice (XEP-0363 section 5).
        let value: String = header.text().chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let fits = header.is("header", ns::UPLOAD) && allowed && value.len() <= HEADER;
        fits.then(|| (name.to_owned(), value.into()))
    });
    Some((place("put")?, headers.take(HEADERS.len()).collect(), place("get")?))
}

/// What a program says it can.
fn ability(info: &Element) -> Ability {
    let has = |feature: &str| {
        info.children().any(|it| it.name() == "feature" && it.attr("var") == Some(feature))
    };
    let jingle = has(ns::JINGLE) && has(ns::FILE);
    // The older profile is announced with or without the protocol itself.
    let older = has(ns::SI_FILE);
    Ability {
        jingle_socks: jingle && has(ns::S5B),
        jingle_in_band: jingle && has(ns::JINGLE_IBB),
        socks: older && has(ns::BYTESTREAMS),
        in_band: older && has(ns::IBB),
    }
}
