//! The parameters of each method. Unknown members are refused.

use std::path::PathBuf;

use offhook_model::{
    Activity, AudioSpec, Availability, CallId, DialString, Jid, MessageId, ProblemId, Role, Secret,
    UserAddress,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::rpc::{INVALID_PARAMS, RpcError};

/// Reads the parameters of a method; nothing counts as an empty object.
///
/// # Errors
/// −32602 with what is wrong.
pub fn read<T: DeserializeOwned>(method: &str, params: Value) -> Result<T, RpcError> {
    let params = if params.is_null() { Value::Object(Default::default()) } else { params };
    let wrong = |why: &dyn std::fmt::Display| {
        RpcError::caller(
            INVALID_PARAMS,
            format!("The parameters of {method} are not valid: {why}."),
            "See the control API's description in docs/control.md.",
        )
    };
    // Structures would be read from arrays as well, by position.
    if !params.is_object() {
        return Err(wrong(&"they must be an object"));
    }
    serde_json::from_value(params).map_err(|error| wrong(&error))
}

pub(crate) fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `session.signIn`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[serde(deserialize_with = "parsed")]
    pub address: UserAddress,
    pub username: Option<String>,
    pub password: Option<Secret<String>>,
}

/// `session.provision`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    pub url: String,
}

/// `trust.answer`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustAnswer {
    pub id: u32,
    pub accept: bool,
}

/// `phone.enrol`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    #[serde(default)]
    pub string: Option<Secret<String>>,
}

/// `diagnostics.dismiss`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dismiss {
    pub id: ProblemId,
}

/// `trust.revoke`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRevoke {
    pub key: String,
}

/// `presence.set`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceSet {
    pub availability: Option<Availability>,
    pub note: Option<String>,
    /// Given as null it ends what goes on; not given it stays.
    #[serde(default, deserialize_with = "given")]
    pub activity: Option<Option<Activity>>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Activity>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `roster.add`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterAdd {
    pub contact: Jid,
    pub name: Option<String>,
    pub group: Option<String>,
    pub groups: Option<Vec<String>>,
}

/// `roster.remove`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterRemove {
    pub contact: Jid,
}

/// `chat.send`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatSend {
    pub to: Jid,
    pub body: String,
}

/// `chat.history`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatHistory {
    pub with: Jid,
    pub before: Option<MessageId>,
    #[serde(default = "fifty")]
    pub limit: u32,
}

/// `chat.search`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatSearch {
    pub query: String,
    pub with: Option<Jid>,
    #[serde(default = "fifty")]
    pub limit: u32,
}

fn fifty() -> u32 {
    50
}

fn yes() -> bool {
    true
}

/// `chat.typing`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatTyping {
    pub with: Jid,
    #[serde(default = "yes")]
    pub typing: bool,
}

/// `chat.markRead`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    pub with: Jid,
}

/// `call.dial`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    #[serde(deserialize_with = "parsed")]
    pub to: DialString,
    #[serde(default)]
    pub video: bool,
}

/// Methods about one call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfCall {
    pub id: CallId,
}

/// `call.mute`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    pub id: CallId,
    #[serde(default = "yes")]
    pub muted: bool,
}

/// `call.dtmf`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dtmf {
    pub id: CallId,
    pub digits: String,
}

/// `settings.setRelayPassword` and `settings.setAddressBookPassword`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Password {
    pub password: Secret<String>,
}

/// `devices.select`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSelect {
    pub role: Role,
    pub device: AudioSpec,
}

/// `devices.test`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceTest {
    pub role: Role,
}

/// `report.save`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSave {
    pub output: Option<PathBuf>,
    #[serde(default)]
    pub note: String,
}
