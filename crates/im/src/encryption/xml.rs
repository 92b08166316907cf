//! Device lists, bundles and encrypted messages as XML (XEP-0384 versions 0.8 and 0.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use offhook_model::Jid;
use offhook_omemo::{Bundle, Dialect, IdentityKey, KeyMessage, PreKey};
use xmpp_parsers::minidom::Element;

use super::names::namespace;
use crate::stanza::element;

/// How many devices of one person count; more are passed over.
pub(crate) const DEVICES: usize = 100;

/// How many prekeys of a bundle are looked at.
const PREKEYS: usize = 200;

/// The largest encrypted payload, in bytes.
const PAYLOAD: usize = 262_144;

/// A device list.
pub(crate) fn device_list(dialect: Dialect, ids: &[u32]) -> Element {
    let name = match dialect {
        Dialect::Two => "devices",
        Dialect::Old => "list",
    };
    let ns = namespace(dialect);
    let mut list = element(name, ns, &[]);
    for id in ids {
        list.append_child(element("device", ns, &[("id", &id.to_string())]));
    }
    list
}

/// The devices of a list, each once, at most [`DEVICES`].
pub(crate) fn read_device_list(dialect: Dialect, list: &Element) -> Vec<u32> {
    let mut ids = Vec::new();
    for device in list.children().filter(|it| it.is("device", namespace(dialect))) {
        let id = device.attr("id").and_then(|id| id.parse().ok()).filter(|id| *id != 0);
        if let Some(id) = id
            && !ids.contains(&id)
            && ids.len() < DEVICES
        {
            ids.push(id);
        }
    }
    ids
}

/// A bundle.
pub(crate) fn bundle(dialect: Dialect, bundle: &Bundle) -> Element {
    let ns = namespace(dialect);
    let names = Names::of(dialect);
    let key = |name: &str, attribute: &str, key: &PreKey| {
        let text = STANDARD.encode(Bundle::key_bytes(dialect, key));
        with_text(element(name, ns, &[(attribute, &key.id.to_string())]), &text)
    };
    let mut root = element("bundle", ns, &[]);
    root.append_child(key(names.signed, names.signed_id, &bundle.signed));
    let signature = STANDARD.encode(bundle.signature);
    root.append_child(with_text(element(names.signature, ns, &[]), &signature));
    let identity = STANDARD.encode(bundle.identity_bytes(dialect));
    root.append_child(with_text(element(names.identity, ns, &[]), &identity));
    let mut prekeys = element("prekeys", ns, &[]);
    for it in &bundle.prekeys {
        prekeys.append_child(key(names.prekey, names.prekey_id, it));
    }
    root.append_child(prekeys);
    root
}

/// Reads a bundle. Nothing of it is believed yet.
pub(crate) fn read_bundle(dialect: Dialect, root: &Element) -> Option<Bundle> {
    let ns = namespace(dialect);
    let names = Names::of(dialect);
    let child = |name: &str| root.get_child(name, ns);
    let key = |it: &Element, id: &str| {
        let id = it.attr(id)?.parse().ok()?;
        Some(PreKey { id, key: Bundle::read_key(dialect, &bytes(it)?).ok()? })
    };
    let identity = Bundle::read_key(dialect, &bytes(child(names.identity)?)?).ok()?;
    Some(Bundle {
        identity: IdentityKey::from_wire(dialect, &identity).ok()?,
        signed: key(child(names.signed)?, names.signed_id)?,
        signature: bytes(child(names.signature)?)?.try_into().ok()?,
        prekeys: child("prekeys")?
            .children()
            .filter(|it| it.is(names.prekey, ns))
            .take(PREKEYS)
            .filter_map(|it| key(it, names.prekey_id))
            .collect(),
    })
}

struct Names {
    signed: &'static str,
    signed_id: &'static str,
    signature: &'static str,
    identity: &'static str,
    prekey: &'static str,
    prekey_id: &'static str,
}

impl Names {
    fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Two => Self {
                signed: "spk",
                signed_id: "id",
                signature: "spks",
                identity: "ik",
                prekey: "pk",
                prekey_id: "id",
            },
            Dialect::Old => Self {
                signed: "signedPreKeyPublic",
                signed_id: "signedPreKeyId",
                signature: "signedPreKeySignature",
                identity: "identityKey",
                prekey: "preKeyPublic",
                prekey_id: "preKeyId",
            },
        }
    }
}

/// An encrypted message.
#[derive(Debug)]
pub(crate) struct Encrypted {
    /// The device that wrote it.
    pub(crate) sid: u32,
    /// The key for our device, if there is one.
    pub(crate) key: Option<KeyMessage>,
    /// Version 0.3 only.
    pub(crate) iv: Vec<u8>,
    /// What is encrypted; a message may have nothing.
    pub(crate) payload: Option<Vec<u8>>,
}

/// Reads an encrypted message, as far as our device is concerned.
pub(crate) fn read_encrypted(
    dialect: Dialect,
    root: &Element,
    me: &Jid,
    device: u32,
) -> Option<Encrypted> {
    let ns = namespace(dialect);
    let header = root.get_child("header", ns)?;
    let keys: Option<&Element> = match dialect {
        Dialect::Two => header.children().find(|it| {
            let jid = || it.attr("jid").and_then(|jid| jid.parse::<Jid>().ok());
            it.is("keys", ns) && jid().is_some_and(|jid| jid.bare() == *me)
        }),
        Dialect::Old => Some(header),
    };
    let ours = device.to_string();
    let key = keys.and_then(|keys| {
        let mut keys = keys.children().filter(|it| it.is("key", ns));
        let key = keys.find(|it| it.attr("rid") == Some(&ours))?;
        let begins = match dialect {
            Dialect::Two => key.attr("kex"),
            Dialect::Old => key.attr("prekey"),
        };
        let begins = matches!(begins, Some("true" | "1"));
        Some(KeyMessage { begins, data: bytes(key)? })
    });
    let iv = header.get_child("iv", ns).and_then(bytes).unwrap_or_default();
    let payload = match root.get_child("payload", ns) {
        Some(payload) => Some(bytes(payload)?),
        None => None,
    };
    Some(Encrypted { sid: header.attr("sid")?.parse().ok()?, key, iv, payload })
}

/// An encrypted message for these devices.
pub(crate) fn encrypted(
    dialect: Dialect,
    sid: u32,
    keys: &[(Jid, u32, KeyMessage)],
    iv: Option<&[u8]>,
    payload: Option<&[u8]>,
) -> Element {
    let ns = namespace(dialect);
    let mut header = element("header", ns, &[("sid", &sid.to_string())]);
    let key = |(_, rid, key): &(Jid, u32, KeyMessage)| {
        let rid = rid.to_string();
        let name = match dialect {
            Dialect::Two => "kex",
            Dialect::Old => "prekey",
        };
        let both = [("rid", rid.as_str()), (name, "true")];
        let attributes = if key.begins { &both[..] } else { &both[..1] };
        with_text(element("key", ns, attributes), &STANDARD.encode(&key.data))
    };
    match dialect {
        Dialect::Two => {
            let mut owners: Vec<&Jid> = keys.iter().map(|(owner, ..)| owner).collect();
            owners.dedup();
            for owner in owners {
                let mut group = element("keys", ns, &[("jid", owner.bare_str())]);
                for it in keys.iter().filter(|(of, ..)| of == owner) {
                    group.append_child(key(it));
                }
                header.append_child(group);
            }
        }
        Dialect::Old => {
            for it in keys {
                header.append_child(key(it));
            }
            if let Some(iv) = iv {
                header.append_child(with_text(element("iv", ns, &[]), &STANDARD.encode(iv)));
            }
        }
    }
    let mut root = element("encrypted", ns, &[]);
    root.append_child(header);
    if let Some(payload) = payload {
        let text = STANDARD.encode(payload);
        root.append_child(with_text(element("payload", ns, &[]), &text));
    }
    root
}

fn with_text(mut element: Element, text: &str) -> Element {
    element.append_text(text);
    element
}

fn bytes(element: &Element) -> Option<Vec<u8>> {
    let text: String =
        element.texts().flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    if text.len() > PAYLOAD / 3 * 4 {
        return None;
    }
    STANDARD.decode(text).ok()
}
