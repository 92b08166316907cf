//! What the two dialects call things on the wire.

use offhook_omemo::Dialect;

/// Both, the newer first.
pub(crate) const DIALECTS: [Dialect; 2] = [Dialect::Two, Dialect::Old];

/// Item of a node that has one.
pub(crate) const CURRENT: &str = "current";

/// XEP-0384 version 0.8.
pub(crate) const TWO: &str = "urn:xmpp:omemo:2";
/// XEP-0384 version 0.3.
pub(crate) const OLD: &str = "eu.siacs.conversations.axolotl";
const TWO_DEVICES: &str = "urn:xmpp:omemo:2:devices";
const OLD_DEVICES: &str = "eu.siacs.conversations.axolotl.devicelist";

/// Features by which servers know that we want to hear of others' devices (XEP-0163 section 4.1).
pub(crate) const NOTIFY: [&str; 2] =
    ["eu.siacs.conversations.axolotl.devicelist+notify", "urn:xmpp:omemo:2:devices+notify"];

/// Namespace of the elements.
pub(crate) fn namespace(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Two => TWO,
        Dialect::Old => OLD,
    }
}

/// Node of the device list.
pub(crate) fn devices(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Two => TWO_DEVICES,
        Dialect::Old => OLD_DEVICES,
    }
}

/// Whose device list a node is.
pub(crate) fn of_devices(node: &str) -> Option<Dialect> {
    DIALECTS.into_iter().find(|dialect| devices(*dialect) == node)
}

/// Node and item of a device's bundle.
pub(crate) fn bundle(dialect: Dialect, device: u32) -> (String, String) {
    match dialect {
        Dialect::Two => (format!("{TWO}:bundles"), device.to_string()),
        Dialect::Old => (format!("{OLD}.bundles:{device}"), CURRENT.to_owned()),
    }
}

/// In names of kept values.
pub(crate) fn short(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Two => "two",
        Dialect::Old => "old",
    }
}
