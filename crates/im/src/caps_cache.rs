//! What others' clients can do (XEP-0115): asked once for each kind of client, believed only when
//! the answer has the hash that was told, so that nobody can speak for other people's clients.
//!
//! Only SHA-1 is understood, as everybody writes it; newer caps (XEP-0390) are not read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use offhook_model::Jid;
use xmpp_parsers::caps::Caps;
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoInfoResult};
use xmpp_parsers::hashes::Algo;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::sha1::{Digest, Sha1};

use crate::Im;
use crate::asking::{self, Answer};

/// How many kinds of client are remembered; the oldest go first.
const KINDS: usize = 500;

/// Longest answer that is looked at: elements in it.
const ELEMENTS: usize = 2_000;

/// Longest name of a client's kind, in bytes.
const NODE: usize = 1_024;

/// A kind of client, as its presence names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `node#ver` of the question.
    pub(crate) node: Box<str>,
    /// The hash.
    pub(crate) ver: [u8; 20],
}

/// What is known of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// What it can do.
    pub(crate) features: BTreeSet<String>,
    /// Its name, if it has one.
    pub(crate) name: Option<String>,
}

/// Kinds by hash.
#[derive(Debug, Default)]
pub(crate) struct CapsCache {
    known: BTreeMap<[u8; 20], Client>,
    order: VecDeque<[u8; 20]>,
    /// Asked in this connection, whatever came of it.
    asked: BTreeSet<[u8; 20]>,
}

impl CapsCache {
    /// What a kind can do, where that is known and proven.
    pub(crate) fn get(&self, kind: &Kind) -> Option<&Client> {
        self.known.get(&kind.ver)
    }

    /// A new connection: who did not answer may answer now.
    pub(crate) fn ask_again(&mut self) {
        self.asked.clear();
    }

    fn put(&mut self, ver: [u8; 20], client: Client) {
        if self.known.insert(ver, client).is_none() {
            self.order.push_back(ver);
        }
        while self.order.len() > KINDS {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// The kind that a presence names.
pub(crate) fn kind(payloads: &[Element]) -> Option<Kind> {
    let caps = payloads.iter().find(|payload| payload.is("c", ns::CAPS))?;
    let told = caps.attr("ver").filter(|ver| ver.len() <= 64)?;
    let caps = Caps::try_from(caps.clone()).ok()?;
    let ver = caps.ver.try_into().ok().filter(|_| caps.hash == Algo::Sha_1)?;
    let short = caps.node.len() <= NODE;
    short.then(|| Kind { node: format!("{}#{told}", caps.node).into(), ver })
}

impl Im {
    /// Asks what a resource can do, once for each kind.
    pub(crate) fn learn_client(&mut self, full: &Jid) {
        let Some(kind) = self.people.kind(full).cloned() else {
            return;
        };
        if self.caps.get(&kind).is_some() || !self.caps.asked.insert(kind.ver) {
            return;
        }
        let query = DiscoInfoQuery { node: Some(kind.node.to_string()) };
        self.ask_get(Some(full.clone()), query.into(), asking::Question::Caps(kind.ver));
    }

    /// True when something new is known.
    pub(crate) fn caps_answered(&mut self, ver: [u8; 20], answer: Answer) -> bool {
        let Ok(Some(answer)) = answer else {
            return false;
        };
        let client = proven(&answer, ver);
        let news = client.is_some();
        if let Some(client) = client {
            self.caps.put(ver, client);
        }
        news
    }
}

/// The answer as a client, when it is well formed and has this hash (XEP-0115 section 5.4).
pub(crate) fn proven(answer: &Element, ver: [u8; 20]) -> Option<Client> {
    let count: usize = answer.children().map(|child| 1 + child.children().count()).sum();
    if count > ELEMENTS {
        return None;
    }
    let features = answer.children().filter(|child| child.is("feature", ns::DISCO_INFO)).count();
    let info = DiscoInfoResult::try_from(answer.clone()).ok()?;
    // One that says a thing twice is ill formed.
    if features != info.features.len() || hash(&info)? != ver {
        return None;
    }
    let name = info.identities.iter().find_map(|it| it.name.clone());
    Some(Client { features: info.features, name })
}

/// XEP-0115 section 5.1. Nothing for what can be read in two ways: a separator within a value, two
/// equal identities or forms.
fn hash(info: &DiscoInfoResult) -> Option<[u8; 20]> {
    let mut text = String::new();
    let mut identities: Vec<String> = info
        .identities
        .iter()
        .map(|it| {
            let (lang, name) = (it.lang.as_deref(), it.name.as_deref());
            let (lang, name) = (lang.unwrap_or_default(), name.unwrap_or_default());
            format!("{}/{}/{lang}/{name}", it.category, it.type_)
        })
        .collect();
    add(&mut text, &mut identities, true)?;
    add(&mut text, &mut info.features.iter().cloned().collect(), true)?;
    let mut forms = BTreeMap::new();
    for form in &info.extensions {
        let Some(kind) = form.form_type() else { continue };
        if forms.insert(kind.to_owned(), form).is_some() {
            return None;
        }
    }
    for (kind, form) in forms {
        add(&mut text, &mut vec![kind], true)?;
        let named = form.fields.iter().filter(|it| it.var.as_deref() != Some("FORM_TYPE"));
        let mut fields: Vec<_> = named.filter_map(|it| Some((it.var.clone()?, it))).collect();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        for (var, field) in fields {
            add(&mut text, &mut vec![var], true)?;
            add(&mut text, &mut field.values.clone(), false)?;
        }
    }
    Some(Sha1::digest(text.as_bytes()).into())
}

fn add(text: &mut String, parts: &mut Vec<String>, single: bool) -> Option<()> {
    parts.sort();
    let twice = parts.windows(2).any(|pair| pair.first() == pair.get(1));
    if (single && twice) || parts.iter().any(|part| part.contains('<')) {
        return None;
    }
    for part in parts {
        text.push_str(part);
        text.push('<');
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use xmpp_parsers::minidom::Element;

    use super::{CapsCache, Client, KINDS, kind, proven};

    fn element(text: &str) -> Element {
        text.parse().expect("XML")
    }

    /// The complex example of XEP-0115 section 5.3.
    const PSI: &str = "<query xmlns='http://jabber.org/protocol/disco#info'>\
        <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
        <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>\
        <feature var='http://jabber.org/protocol/caps'/>\
        <feature var='http://jabber.org/protocol/disco#info'/>\
        <feature var='http://jabber.org/protocol/disco#items'/>\
        <feature var='http://jabber.org/protocol/muc'/>\
        <x xmlns='jabber:x:data' type='result'>\
        <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
        <field var='ip_version'><value>ipv4</value><value>ipv6</value></field>\
        <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>\
        <field var='software'><value>Psi</value></field>\
        <field var='software_version'><value>0.11</value></field></x></query>";
    const PRESENCE: &str = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' \
        node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>";

    #[test]
    fn the_specifications_example_is_proven_and_nothing_else() {
        let kind = kind(&[element(PRESENCE)]).expect("caps");
        assert_eq!(&*kind.node, "http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w=");
        let client = proven(&element(PSI), kind.ver).expect("it fits");
        assert_eq!(client.features.len(), 4);
        assert!(client.name.is_some_and(|name| name.contains("0.11")));
        let muc = "<feature var='http://jabber.org/protocol/muc'/>";
        for forged in [
            PSI.replace("protocol/muc", "protocol/omemo"),
            PSI.replace(muc, ""),
            PSI.replace(muc, &muc.repeat(2)),
            PSI.replace("Psi 0.11", "Psi 0.11&lt;"),
            PSI.replace("disco#info'>", "disco#items'>"),
            PSI.replace(muc, &"<feature var='x'/>".repeat(10_000)),
        ] {
            assert_eq!(proven(&element(&forged), kind.ver), None);
        }
    }

    #[test]
    fn odd_kinds_are_none() {
        for odd in [
            PRESENCE.replace("sha-1", "md5"),
            PRESENCE.replace("sha-1", "sha-256"),
            PRESENCE.replace("q07IKJEyjvHSyhy//CH0CxmKi8w=", "AAAA"),
            PRESENCE.replace("q07IKJEyjvHSyhy//CH0CxmKi8w=", &"A".repeat(4_000)),
            PRESENCE.replace("psi-im.org", &"x".repeat(4_000)),
            PRESENCE.replace("ver=", "var="),
        ] {
            assert_eq!(kind(&[element(&odd)]), None, "{odd:.100}");
        }
    }

    #[test]
    fn the_cache_has_a_bound() {
        let mut cache = CapsCache::default();
        for n in 0..2_000_u32 {
            let mut ver = [0; 20];
            ver[..4].copy_from_slice(&n.to_be_bytes());
            cache.put(ver, Client::default());
            cache.put(ver, Client::default());
        }
        assert_eq!((cache.known.len(), cache.order.len()), (KINDS, KINDS));
    }
}
