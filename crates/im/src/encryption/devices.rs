//! Device lists and bundles at the servers (XEP-0384 section 5.3, over XEP-0163): ours published and
//! kept healed, others' asked for when they are needed.

use offhook_model::{Jid, Moment};
use offhook_omemo::{Dialect, Own};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::names::{self, DIALECTS};
use super::{Fetch, List, xml};
use crate::asking::Answer;
use crate::stanza::element;
use crate::{Im, asking::Question as Asked};

/// How often our id is put back into our list in one connection: two programs that each take the
/// other's out do not fight for ever.
const HEALS: u8 = 10;

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Somebody's device list.
    List(Dialect),
    /// A device's bundle.
    Bundle {
        /// Which dialect.
        dialect: Dialect,
        /// Which device.
        device: u32,
        /// What it wrote could not be read: begin anew and say so.
        repair: bool,
    },
    /// Our list or bundle was published with these options.
    Published {
        /// Which dialect.
        dialect: Dialect,
        /// The list; otherwise the bundle.
        list: bool,
        /// How much was asked for.
        options: Options,
    },
}

/// What a node should be like. Servers refuse what they do not know, so less is asked for then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Options {
    /// Open to everybody, kept, one item for each device.
    All,
    /// Without the number of items (ejabberd 23.01 refuses it).
    Open,
    /// None; the node is configured after that.
    None,
}

impl Im {
    /// Makes and publishes our keys, where somebody wants them and they are not published yet.
    pub(crate) fn begin_encryption(&mut self) {
        let ready = self.encryption.able() && self.encryption.loaded;
        if self.encryption.begun || !ready || self.full.is_none() || !self.wants_keys() {
            return;
        }
        if self.make_keys().is_none() {
            return;
        }
        self.encryption.begun = true;
        let me = self.me.clone();
        for dialect in DIALECTS {
            self.publish_bundle(dialect);
            self.ask_list(&me, dialect);
        }
    }

    /// A new connection: what others have is asked for again, and what we have published.
    pub(crate) fn forget_devices(&mut self) {
        self.encryption.begun = false;
        self.encryption.healed = 0;
        for person in self.encryption.people.values_mut() {
            person.lists.clear();
            for device in person.devices.values_mut() {
                device.fetch = Fetch::Not;
            }
        }
    }

    /// The connection is gone, and our questions with it: what waited for answers asks again.
    pub(crate) fn forget_device_questions(&mut self) {
        for person in self.encryption.people.values_mut() {
            person.lists.retain(|_, list| *list != List::Asked);
            for device in person.devices.values_mut().filter(|it| it.fetch == Fetch::Asked) {
                device.fetch = Fetch::Not;
            }
        }
        for with in std::mem::take(&mut self.encryption.waiting) {
            self.outbox.release(&with);
        }
    }

    /// Our keys: new ones if there are none, renewed where it is time.
    fn make_keys(&mut self) -> Option<()> {
        let now = self.seconds();
        let it = &mut self.encryption;
        let entropy = it.entropy.as_deref_mut()?;
        if it.own.len() < DIALECTS.len() || it.device == 0 {
            let mut id = [0; 4];
            entropy.fill(&mut id);
            // 31 bits, not nought (XEP-0384 section 4.2).
            it.device = (u32::from_le_bytes(id) >> 1).max(1);
            let seed = Own::draw_seed(entropy).ok()?;
            it.own.clear();
            for dialect in DIALECTS {
                it.own.insert(dialect, Own::new(dialect, seed.clone(), entropy, now).ok()?);
                it.due.own.insert(dialect);
            }
            let device = it.device.to_string();
            self.keep_value("device", device);
        }
        self.renew_keys();
        // Kept before they are published.
        self.keep_keys();
        Some(())
    }

    /// Replaces what is old or used up.
    pub(super) fn renew_keys(&mut self) {
        let now = self.seconds();
        let it = &mut self.encryption;
        let Some(entropy) = it.entropy.as_deref_mut() else {
            return;
        };
        for (dialect, own) in &mut it.own {
            if own.maintain(entropy, now) {
                it.due.own.insert(*dialect);
                it.due.publish.insert(*dialect);
            }
        }
    }

    /// Seconds since 1970.
    fn seconds(&self) -> u64 {
        u64::try_from(self.time.wall.0 / 1_000).unwrap_or(0)
    }

    pub(super) fn publish_bundle(&mut self, dialect: Dialect) {
        self.publish_ours(dialect, false, Options::All);
    }

    fn publish_ours(&mut self, dialect: Dialect, list: bool, options: Options) {
        let device = self.encryption.device;
        let (node, item, payload) = if list {
            let List::Known(ids) = self.encryption.list(&self.me, dialect) else {
                return;
            };
            let payload = xml::device_list(dialect, ids);
            (names::devices(dialect).to_owned(), names::CURRENT.to_owned(), payload)
        } else {
            let bundle = self.encryption.own.get(&dialect).map(Own::bundle);
            let Some(Ok(bundle)) = bundle else {
                return;
            };
            let (node, item) = names::bundle(dialect, device);
            (node, item, xml::bundle(dialect, &bundle))
        };
        let many = !list && dialect == Dialect::Two;
        let publish = publication(&node, &item, payload, options, many);
        let question = Question::Published { dialect, list, options };
        self.ask_set(None, publish, Asked::Encryption(question));
        if options == Options::None {
            self.ask_set(None, opening(&node), Asked::Nothing);
        }
    }

    pub(super) fn ask_list(&mut self, who: &Jid, dialect: Dialect) -> bool {
        let query = items(names::devices(dialect), None);
        let question = Asked::Encryption(Question::List(dialect));
        let asked = self.ask_get(Some(who.clone()), query, question);
        if asked && let Some(person) = self.encryption.person(who) {
            person.lists.insert(dialect, List::Asked);
        }
        asked
    }

    pub(super) fn ask_bundle(
        &mut self,
        who: &Jid,
        dialect: Dialect,
        device: u32,
        repair: bool,
    ) -> bool {
        let (node, item) = names::bundle(dialect, device);
        let question = Asked::Encryption(Question::Bundle { dialect, device, repair });
        let asked = self.ask_get(Some(who.clone()), items(&node, Some(&item)), question);
        if asked && let Some(it) = self.encryption.device_mut(who, (dialect, device)) {
            it.fetch = Fetch::Asked;
        }
        asked
    }

    pub(crate) fn encryption_answered(
        &mut self,
        from: Option<Jid>,
        question: Question,
        answer: Answer,
        _now: Moment,
    ) {
        let who = from.unwrap_or_else(|| self.me.clone());
        match question {
            Question::List(dialect) => self.list_answered(&who, dialect, answer),
            Question::Bundle { dialect, device, repair } => {
                let bundle = answer.ok().flatten().and_then(|it| payload(&it));
                self.bundle_answered(&who, (dialect, device), bundle.as_ref(), repair);
                self.keys_changed(&who);
            }
            Question::Published { dialect, list, options } => {
                let late = |it: &DefinedCondition| *it == DefinedCondition::RemoteServerTimeout;
                let refused = answer.err().filter(|it| !late(&it.defined_condition));
                let less = match options {
                    Options::All => Options::Open,
                    Options::Open => Options::None,
                    Options::None => return,
                };
                if refused.is_some() {
                    self.publish_ours(dialect, list, less);
                }
            }
        }
    }

    fn list_answered(&mut self, who: &Jid, dialect: Dialect, answer: Answer) {
        let ids = match answer {
            Ok(answer) => {
                let list = answer.and_then(|it| payload(&it));
                list.map(|it| xml::read_device_list(dialect, &it)).unwrap_or_default()
            }
            // Nothing was published; or nobody answers, and then ours is better left alone.
            Err(error) if *who == self.me => match error.defined_condition {
                DefinedCondition::ItemNotFound => Vec::new(),
                _ => {
                    self.set_list(who, dialect, Vec::new());
                    return;
                }
            },
            Err(_) => Vec::new(),
        };
        self.set_list(who, dialect, ids);
        self.heal(dialect);
    }

    /// Somebody published a list, as the server tells.
    pub(crate) fn devices_published(
        &mut self,
        from: &Jid,
        node: &str,
        published: &[Element],
    ) -> bool {
        let Some(dialect) = names::of_devices(node) else {
            return false;
        };
        let who = from.bare();
        let known = who == self.me
            || self.people.get(&who).is_some()
            || self.talks.contains_key(&who)
            || self.encryption.people.contains_key(&who);
        if from.resource().is_some() || !known {
            return true;
        }
        let item = published.iter().find(|it| it.is("item", ns::PUBSUB_EVENT));
        let list = item.and_then(|it| it.children().next());
        let ids = list.map(|it| xml::read_device_list(dialect, it)).unwrap_or_default();
        self.set_list(&who, dialect, ids);
        if who == self.me {
            self.heal(dialect);
        }
        true
    }

    fn set_list(&mut self, who: &Jid, dialect: Dialect, ids: Vec<u32>) {
        if let Some(person) = self.encryption.person(who) {
            person.lists.insert(dialect, List::Known(ids));
        }
        self.keys_changed(who);
    }

    /// Our device is on our list, or is put there.
    fn heal(&mut self, dialect: Dialect) {
        let (device, me) = (self.encryption.device, self.me.clone());
        let List::Known(ids) = self.encryption.list(&me, dialect) else {
            return;
        };
        let missing = !ids.contains(&device);
        if !self.encryption.begun || !missing || self.encryption.healed >= HEALS {
            return;
        }
        let mut ids = ids.clone();
        self.encryption.healed += 1;
        ids.truncate(xml::DEVICES - 1);
        ids.push(device);
        if let Some(person) = self.encryption.person(&me) {
            person.lists.insert(dialect, List::Known(ids));
        }
        self.publish_ours(dialect, true, Options::All);
    }
}

fn items(node: &str, item: Option<&str>) -> Element {
    let mut items = element("items", ns::PUBSUB, &[("node", node)]);
    if let Some(id) = item {
        items.append_child(element("item", ns::PUBSUB, &[("id", id)]));
    }
    let mut pubsub = element("pubsub", ns::PUBSUB, &[]);
    pubsub.append_child(items);
    pubsub
}

/// What the newest item of an answer holds.
fn payload(answer: &Element) -> Option<Element> {
    let items = answer.get_child("items", ns::PUBSUB)?;
    let item = items.children().filter(|it| it.is("item", ns::PUBSUB)).last()?;
    item.children().next().cloned()
}

fn publication(node: &str, item: &str, payload: Element, options: Options, many: bool) -> Element {
    let mut it = element("item", ns::PUBSUB, &[("id", item)]);
    it.append_child(payload);
    let mut publish = element("publish", ns::PUBSUB, &[("node", node)]);
    publish.append_child(it);
    let mut pubsub = element("pubsub", ns::PUBSUB, &[]);
    pubsub.append_child(publish);
    if options != Options::None {
        let mut fields = vec![("pubsub#persist_items", "true"), ("pubsub#access_model", "open")];
        if many && options == Options::All {
            fields.push(("pubsub#max_items", "max"));
        }
        let mut holder = element("publish-options", ns::PUBSUB, &[]);
        holder.append_child(form("http://jabber.org/protocol/pubsub#publish-options", &fields));
        pubsub.append_child(holder);
    }
    pubsub
}

/// Opens a node that exists with other settings (XEP-0060 section 8.2).
fn opening(node: &str) -> Element {
    let mut configure = element("configure", ns::PUBSUB_OWNER, &[("node", node)]);
    configure.append_child(form(ns::PUBSUB_CONFIGURE, &[("pubsub#access_model", "open")]));
    let mut pubsub = element("pubsub", ns::PUBSUB_OWNER, &[]);
    pubsub.append_child(configure);
    pubsub
}

fn form(kind: &str, fields: &[(&str, &str)]) -> Element {
    let mut form = element("x", ns::DATA_FORMS, &[("type", "submit")]);
    let hidden = ("FORM_TYPE", kind);
    for (name, value) in std::iter::once(&hidden).chain(fields) {
        let mut field = element("field", ns::DATA_FORMS, &[("var", name)]);
        if *name == "FORM_TYPE" {
            field = element("field", ns::DATA_FORMS, &[("var", name), ("type", "hidden")]);
        }
        let mut text = element("value", ns::DATA_FORMS, &[]);
        text.append_text(*value);
        field.append_child(text);
        form.append_child(field);
    }
    form
}
