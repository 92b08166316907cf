//! Settings that somebody else made, each with the place it came from. How they are read and which
//! of them wins is `config`'s business; this is what is kept and shown.

use serde::{Deserialize, Serialize};

/// Where a setting comes from. The order is the order of precedence: the last wins (reference
/// index.md, cross-cutting conventions; the seed on manual settings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// Built in.
    Default,
    /// The machine's bootstrap file, made by installer switches, as read on the first launch.
    Bootstrap,
    /// A configuration URL (`ciscojabber://provision?…`).
    Url,
    /// The cloud's organisation configuration.
    Cloud,
    /// `jabber-config.xml` of the cluster.
    GlobalFile,
    /// The configuration file of a group (`configurationfile=`, `TFTP_FILE_NAME`).
    GroupFile,
    /// The user's service profile, or `get-all-config` of Unified Presence 8.x.
    ServiceProfile,
    /// The Advanced settings window or `session.setManual`.
    Manual,
    /// The user's own choice in the Options window.
    User,
}

/// One key and its value, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// Name as written there.
    pub key: String,
    /// Section of the file it stood in, such as `Policies`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Value as written, without surrounding white space. Never a password: readers leave those
    /// out.
    pub value: String,
    /// Line of the file, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Everything one place says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// Which kind of place.
    pub source: Source,
    /// Which one exactly: a file's path or a URL without its query.
    pub origin: String,
    /// What it says, in its order.
    pub settings: Vec<Setting>,
    /// What was odd about it as a whole, in words.
    #[serde(default)]
    pub oddities: Vec<String>,
}

/// Layers kept from the first launch, from a configuration URL and from the last sign-in
/// (`config/provisioned.json`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Provisioned {
    /// The first launch is over: the bootstrap file is not read again, unless it is another one
    /// that says `CLEAR`.
    pub launched: bool,
    /// SHA-256 of the bootstrap file that was read, in hex; nothing when there was none.
    pub bootstrap_digest: Option<String>,
    /// UUID of this installation, by which registrars know it again (RFC 5626 section 4.1); made
    /// when it is first needed.
    pub instance: Option<String>,
    /// What is known, at most one layer of each source.
    pub layers: Vec<Layer>,
}
