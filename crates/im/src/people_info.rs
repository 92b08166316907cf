//! What people tell of themselves: their card (XEP-0054), when they were last there (XEP-0012), and
//! which clients they use (XEP-0092, XEP-0115). Asked when somebody looks at it, never before.

use std::collections::BTreeMap;
use std::sync::Arc;

use offhook_model::{Jid, Moment, PersonDetails, PhotoId, Presence, Timestamp};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::version::{VersionQuery, VersionResult};

use crate::asking::{self, Answer};
use crate::stanza::element;
use crate::{Im, jid_to_wire};

/// Last activity.
const LAST: &str = "jabber:iq:last";

/// Of how many people details are kept; of those who are not watched any goes.
const PEOPLE: usize = 200;

/// How many clients of a person are asked.
const CLIENTS: usize = 8;

/// How many addresses or numbers of a card are read.
const LINES: usize = 16;

/// Longest text of a card, in characters.
const TEXT: usize = 200;

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The card.
    Card,
    /// When they were last there.
    Last,
    /// The client's version.
    Version,
}

/// What is known.
#[derive(Debug, Default)]
pub(crate) struct Details {
    known: Arc<BTreeMap<Jid, Arc<PersonDetails>>>,
    /// Answers still to come, by person.
    waiting: BTreeMap<Jid, usize>,
}

impl Im {
    /// What people tell of themselves, of those who were asked about.
    pub fn details(&self) -> Arc<BTreeMap<Jid, Arc<PersonDetails>>> {
        Arc::clone(&self.details.known)
    }

    /// Asks what a person tells of themselves; [`Im::details`] tells. False without a connection, or
    /// when the address is none: then nothing was asked.
    pub fn ask_details(&mut self, who: &Jid) -> bool {
        let who = who.bare();
        if self.full.is_none() || jid_to_wire(&who).is_none() {
            return false;
        }
        if self.details.waiting.contains_key(&who) {
            return true;
        }
        let (watched, photo) = (self.watching.is_watched(&who), self.photo_id(&who));
        // What was told before stays until something else is told.
        self.edit_details(&who, |details| {
            let presence = details.presence.take().filter(|_| watched);
            *details = PersonDetails {
                photo,
                presence,
                busy: true,
                error: None,
                ..std::mem::take(details)
            };
        });
        let mut asked = 0;
        let mut ask = |im: &mut Self, to: Jid, payload: Element, question: Question| {
            let question = asking::Question::Person(who.clone(), question);
            asked += usize::from(im.ask_get(Some(to), payload, question));
        };
        ask(self, who.clone(), element("vCard", ns::VCARD, &[]), Question::Card);
        ask(self, who.clone(), element("query", LAST, &[]), Question::Last);
        for resource in self.people.resources(&who).into_iter().take(CLIENTS) {
            ask(self, resource.clone(), VersionQuery.into(), Question::Version);
            self.learn_client(&resource);
        }
        if let Some(idle) = self.people.idle_since(&who) {
            self.edit_details(&who, |details| details.last_seen = Some(idle));
        }
        self.details.waiting.insert(who, asked);
        true
    }

    pub(crate) fn person_answered(
        &mut self,
        who: &Jid,
        from: Option<&Jid>,
        question: &Question,
        answer: Answer,
        now: Moment,
    ) {
        let answer = answer.ok().flatten();
        match (question, answer) {
            (Question::Card, Some(card)) if card.is("vCard", ns::VCARD) => {
                self.edit_details(who, |details| read_card(details, &card));
                self.photo_in_card(who, &card);
            }
            (Question::Last, Some(last)) if last.is("query", LAST) => {
                let seconds = last.attr("seconds").and_then(|text| text.parse::<u32>().ok());
                if let Some(seconds) = seconds {
                    let seen = Timestamp(now.wall.0 - i64::from(seconds) * 1_000);
                    let seen = self.people.idle_since(who).unwrap_or(seen);
                    self.edit_details(who, |details| details.last_seen = Some(seen));
                }
            }
            (Question::Version, version) => {
                let version = version.and_then(|it| VersionResult::try_from(it).ok());
                let told = version.map(|version| client(&version));
                let name = from.and_then(|full| self.people.kind(full));
                let name = name.and_then(|kind| self.caps.get(kind)?.name.clone());
                if let Some(words) = told.or(name) {
                    self.edit_details(who, |details| {
                        if !details.clients.contains(&words) {
                            details.clients.push(short(&words));
                        }
                    });
                }
            }
            (Question::Card | Question::Last, _) => {}
        }
        self.one_answer_less(who);
    }

    fn one_answer_less(&mut self, who: &Jid) {
        let Some(left) = self.details.waiting.get_mut(who) else {
            return;
        };
        *left = left.saturating_sub(1);
        if *left > 0 {
            return;
        }
        self.details.waiting.remove(who);
        self.edit_details(who, |details| {
            details.busy = false;
            let empty = PersonDetails { busy: false, ..PersonDetails::default() };
            if *details == empty {
                details.error = Some("This person's server tells nothing about them.".to_owned());
            }
        });
    }

    /// The connection is gone: no answer will come.
    pub(crate) fn forget_waiting_details(&mut self) {
        for who in std::mem::take(&mut self.details.waiting).into_keys() {
            self.edit_details(&who, |details| details.busy = false);
        }
    }

    /// The presence of somebody who is watched, or why it cannot be seen.
    pub(crate) fn watched_presence(&mut self, who: &Jid, presence: Result<Presence, &str>) {
        self.edit_details(who, |details| match presence {
            Ok(presence) => details.presence = Some(presence),
            Err(why) => details.error = Some(why.to_owned()),
        });
    }

    /// The picture of somebody who was asked about.
    pub(crate) fn details_photo(&mut self, who: &Jid, photo: PhotoId) {
        if self.details.known.contains_key(who) {
            self.edit_details(who, |details| details.photo = Some(photo));
        }
    }

    /// Somebody is watched no more.
    pub(crate) fn unwatched_presence(&mut self, who: &Jid) {
        if self.details.known.contains_key(who) {
            self.edit_details(who, |details| details.presence = None);
        }
    }

    fn edit_details(&mut self, who: &Jid, edit: impl FnOnce(&mut PersonDetails)) {
        let known = Arc::make_mut(&mut self.details.known);
        if known.len() >= PEOPLE && !known.contains_key(who) {
            let (watching, waiting) = (&self.watching, &self.details.waiting);
            let spare = |jid: &&Jid| !watching.is_watched(jid) && !waiting.contains_key(*jid);
            let goes = known.keys().find(spare).or(known.keys().next()).cloned();
            if let Some(goes) = goes {
                known.remove(&goes);
            }
        }
        edit(Arc::make_mut(known.entry(who.clone()).or_default()));
    }
}

fn client(version: &VersionResult) -> String {
    let mut words = format!("{} {}", version.name.trim(), version.version.trim());
    if let Some(os) = version.os.as_deref().map(str::trim).filter(|os| !os.is_empty()) {
        words.push_str(&format!(" ({os})"));
    }
    words.trim().to_owned()
}

fn read_card(details: &mut PersonDetails, card: &Element) {
    let text = |name: &str| words(card, name);
    details.name = text("FN").or_else(|| {
        let name = card.get_child("N", ns::VCARD)?;
        let parts = [words(name, "GIVEN"), words(name, "FAMILY")];
        let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        (!whole.is_empty()).then_some(whole)
    });
    details.title = text("TITLE").or_else(|| text("ROLE"));
    details.organisation = card.get_child("ORG", ns::VCARD).and_then(|org| words(org, "ORGNAME"));
    let lines = |name: &'static str| {
        card.children().filter(move |child| child.is(name, ns::VCARD)).take(LINES)
    };
    details.mail = lines("EMAIL")
        .filter_map(|mail| words(mail, "USERID").or_else(|| own_words(mail)))
        .collect();
    details.numbers = lines("TEL")
        .filter_map(|tel| Some((kind(tel), words(tel, "NUMBER").or_else(|| own_words(tel))?)))
        .collect();
}

/// The kind of a number: what it is for, or how it is reached.
fn kind(tel: &Element) -> String {
    const KINDS: [&str; 7] = ["CELL", "FAX", "PAGER", "VIDEO", "WORK", "HOME", "VOICE"];
    let named = KINDS.iter().find(|kind| tel.has_child(**kind, ns::VCARD));
    named.map_or_else(|| "other".to_owned(), |kind| kind.to_ascii_lowercase())
}

fn words(of: &Element, child: &str) -> Option<String> {
    own_words(of.get_child(child, ns::VCARD)?)
}

fn own_words(element: &Element) -> Option<String> {
    let text = element.text();
    let text = text.trim();
    (!text.is_empty()).then(|| short(text))
}

fn short(text: &str) -> String {
    crate::chat::printable(text).chars().take(TEXT).collect()
}
