//! What a problem report keeps of the outside: who was to sign in, and every question with its
//! answer, without what belongs to people (`answers.json`).

use std::net::{IpAddr, SocketAddr};

use offhook_model::{DnsFault, Endpoint, Fault, Layer, ManualAccount, Preset, Problem, Timestamp};
use offhook_ports::{Naptr, Remembered, Srv};
use serde::{Deserialize, Serialize};

/// The form of [`Recorded`]; others are refused.
pub const VERSION: u32 = 1;

/// Everything that discovery, sign-in and doctor began with, apart from the answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Situation {
    /// The address.
    pub address: String,
    /// The user name, when somebody gave a password with it.
    pub username: Option<String>,
    /// Manual connection settings.
    pub manual: ManualAccount,
    /// What was settled before discovery.
    pub preset: Preset,
    /// The layers that it was drawn from.
    pub layers: Vec<Layer>,
    /// What was wrong with them when they were read.
    pub told: Vec<Problem>,
    /// What was found the time before.
    pub remembered: Option<Remembered>,
    /// The network, as a digest.
    pub network: Option<String>,
    /// The phone has a certificate of its own.
    #[serde(default)]
    pub certified: bool,
    /// The wall clock.
    pub now: Timestamp,
    /// Chance, so that the same order comes out again.
    pub seed: u64,
}

/// The whole record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// [`VERSION`].
    pub version: u32,
    /// Who wanted what.
    pub situation: Situation,
    /// Questions in the order in which they were asked.
    pub answers: Vec<Entry>,
    /// So many older answers were dropped to keep the record small.
    #[serde(default)]
    pub dropped: u32,
    /// What a client saw that was running, beyond what was asked here.
    #[serde(default)]
    pub seen: Vec<Problem>,
}

/// One question and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The question; the same words mean the same question.
    pub asked: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What came.
    pub answer: Answer,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// Nothing, until the asker gave up or the record was saved.
    Nothing,
    /// Something that is too large to keep.
    TooLarge,
    /// SRV records.
    Srv(Names<SrvRow>),
    /// NAPTR records.
    Naptr(Names<NaptrRow>),
    /// Addresses.
    Addresses(Names<IpAddr>),
    /// The name system failed.
    NoName(DnsFault),
    /// A web server answered.
    Web(Page),
    /// A connection was made.
    Reached {
        /// Who answered.
        peer: SocketAddr,
        /// TLS version and cipher.
        tls: Option<String>,
    },
    /// It failed.
    Failed(Fault),
    /// It failed at this place.
    FailedAt(Endpoint, Fault),
}

/// An answer of the name system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Names<T> {
    /// Records.
    pub records: Vec<T>,
    /// Who answered.
    pub server: String,
    /// The name that the records belong to, when the one asked for is an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
}

/// An answer of a web server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// Headers that decide something.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// Who answered.
    pub peer: Option<SocketAddr>,
    /// TLS version and cipher.
    pub tls: Option<String>,
}

/// An SRV record: priority, weight, port, target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SrvRow(u16, u16, u16, String);

impl From<&Srv> for SrvRow {
    fn from(srv: &Srv) -> Self {
        Self(srv.priority, srv.weight, srv.port, srv.target.clone())
    }
}

impl From<&SrvRow> for Srv {
    fn from(SrvRow(priority, weight, port, target): &SrvRow) -> Self {
        Self { priority: *priority, weight: *weight, port: *port, target: target.clone() }
    }
}

/// A NAPTR record: order, preference, flags, service, replacement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NaptrRow(u16, u16, String, String, String);

impl From<&Naptr> for NaptrRow {
    fn from(it: &Naptr) -> Self {
        Self(it.order, it.preference, it.flags.clone(), it.service.clone(), it.replacement.clone())
    }
}

impl From<&NaptrRow> for Naptr {
    fn from(NaptrRow(order, preference, flags, service, replacement): &NaptrRow) -> Self {
        Self {
            order: *order,
            preference: *preference,
            flags: flags.clone(),
            service: service.clone(),
            replacement: replacement.clone(),
        }
    }
}
