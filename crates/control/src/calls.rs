//! Methods about the phone and its calls beyond the simplest.

use offhook_model::{CallId, CallWish, Command, DialString, Dnd, Forward, Pickup};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::params::{OfCall, parsed, read};
use crate::rpc::{INVALID_PARAMS, RpcError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    id: CallId,
    #[serde(default, deserialize_with = "maybe")]
    to: Option<DialString>,
    other: Option<CallId>,
}

/// `call.referral`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Referral {
    id: u32,
    accept: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    id: CallId,
    other: CallId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expel {
    id: CallId,
    participant: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Which {
    #[default]
    Group,
    OtherGroup,
    Associated,
    Directed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PickUp {
    #[serde(default)]
    which: Which,
    #[serde(default, deserialize_with = "maybe")]
    number: Option<DialString>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForwardAll {
    #[serde(default, deserialize_with = "maybe")]
    to: Option<DialString>,
    #[serde(default)]
    voicemail: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Quiet {
    Off,
    RingerOff,
    Reject,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DoNotDisturb {
    mode: Quiet,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Line(#[serde(deserialize_with = "parsed")] DialString);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    device: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    numbers: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DialString>, D::Error> {
    Ok(Option::<Line>::deserialize(deserializer)?.map(|line| line.0))
}

/// The command of a method; nothing when the method is none of these.
///
/// # Errors
/// The parameters are not valid.
pub(crate) fn command(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let params = || params.clone();
    let wish = match method {
        "call.transfer" => transfer(read(method, params())?)?,
        "call.merge" => {
            let Merge { id, other } = read(method, params())?;
            CallWish::Merge { id, other }
        }
        "call.expel" => {
            let Expel { id, participant } = read(method, params())?;
            CallWish::Expel { id, participant }
        }
        "call.park" => CallWish::Park(read::<OfCall>(method, params())?.id),
        "call.divert" => CallWish::Divert(read::<OfCall>(method, params())?.id),
        "call.pickup" => CallWish::Pickup(pickup(read(method, params())?)?),
        "call.forward" => CallWish::Forward(forward(read(method, params())?)?),
        "call.dnd" => CallWish::DoNotDisturb(match read::<DoNotDisturb>(method, params())?.mode {
            Quiet::Off => None,
            Quiet::RingerOff => Some(Dnd::RingerOff),
            Quiet::Reject => Some(Dnd::Reject),
        }),
        "call.redial" => nothing(method, params(), CallWish::Redial)?,
        "call.referral" => {
            let Referral { id, accept } = read(method, params())?;
            CallWish::AnswerReferral { id, accept }
        }
        "call.takeOver" => nothing(method, params(), CallWish::TakeOver)?,
        "call.with" => CallWish::CallWith(read::<With>(method, params())?.device),
        "call.watch" => {
            let Watch { numbers } = read(method, params())?;
            CallWish::Watch(numbers.into_iter().map(|line| line.0).collect())
        }
        _ => return Ok(None),
    };
    Ok(Some(Command::Call(wish)))
}

fn nothing(method: &str, params: Value, wish: CallWish) -> Result<CallWish, RpcError> {
    read::<Nothing>(method, params).map(|_| wish)
}

fn wrong(cause: &str) -> RpcError {
    RpcError::caller(INVALID_PARAMS, cause, "See the control API's description in docs/control.md.")
}

fn transfer(wish: Transfer) -> Result<CallWish, RpcError> {
    match wish {
        Transfer { id, to: Some(to), other: None } => Ok(CallWish::Transfer { id, to }),
        Transfer { id, to: None, other: Some(other) } => Ok(CallWish::Connect { id, other }),
        Transfer { .. } => Err(wrong("call.transfer wants either to or other.")),
    }
}

fn pickup(wish: PickUp) -> Result<Pickup, RpcError> {
    match (wish.which, wish.number) {
        (Which::Group, None) => Ok(Pickup::Group),
        (Which::Associated, None) => Ok(Pickup::Associated),
        (Which::OtherGroup, Some(number)) => Ok(Pickup::OtherGroup(number)),
        (Which::Directed, Some(number)) => Ok(Pickup::Directed(number)),
        _ => Err(wrong("call.pickup wants a number with otherGroup and directed, and else none.")),
    }
}

/// Neither number nor voicemail: calls come here again.
fn forward(wish: ForwardAll) -> Result<Option<Forward>, RpcError> {
    match (wish.to, wish.voicemail) {
        (None, false) => Ok(None),
        (Some(to), false) => Ok(Some(Forward::To(to))),
        (None, true) => Ok(Some(Forward::Voicemail)),
        (Some(_), true) => Err(wrong("call.forward wants to or voicemail, not both.")),
    }
}
