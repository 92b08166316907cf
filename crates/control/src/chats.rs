//! Methods about conversations beyond sending, history and search.

use std::path::PathBuf;

use offhook_model::{
    Alerts, ChatWish, Command, CommandError, ErrorCode, Jid, KeyTrust, MessageId, Snapshot,
};
use serde::Deserialize;
use serde_json::Value;

use crate::params::read;
use crate::rpc::RpcError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    with: Jid,
    to: MessageId,
    body: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Correct {
    with: Jid,
    id: MessageId,
    body: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct React {
    with: Jid,
    id: MessageId,
    emoji: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfMessage {
    with: Jid,
    id: MessageId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfChat {
    with: Jid,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    with: Jid,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfAlerts {
    with: Jid,
    alerts: Alerts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encrypt {
    with: Jid,
    on: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trust {
    owner: Jid,
    fingerprint: String,
    trust: KeyTrust,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    with: Option<Jid>,
    path: PathBuf,
}

/// How a conversation is encrypted and with which keys.
///
/// # Errors
/// The parameters are not valid, or there is no such conversation.
pub fn keys(snapshot: &Snapshot, method: &str, params: &Value) -> Result<Value, RpcError> {
    let OfChat { with } = read(method, params.clone())?;
    let chat = snapshot.chats.iter().find(|chat| chat.with == with.bare());
    let chat = chat.ok_or_else(|| {
        RpcError::from(CommandError::user(
            ErrorCode::NoSuchObject,
            "There is no conversation with this address.",
            "Write a message first.",
        ))
    })?;
    Ok(serde_json::to_value(&chat.protection).unwrap_or(Value::Null))
}

/// The command of a method; nothing when it is none of these.
///
/// # Errors
/// The parameters are not valid.
pub fn command(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let params = params.clone();
    let wish = match method {
        "chat.reply" => {
            let Reply { with, to, body } = read(method, params)?;
            ChatWish::Reply { with, to, body }
        }
        "chat.correct" => {
            let Correct { with, id, body } = read(method, params)?;
            ChatWish::Correct { with, id, body }
        }
        "chat.react" => {
            let React { with, id, emoji } = read(method, params)?;
            ChatWish::React { with, id, emoji }
        }
        "chat.retract" => {
            let OfMessage { with, id } = read(method, params)?;
            ChatWish::Retract { with, id }
        }
        "chat.again" => {
            let OfMessage { with, id } = read(method, params)?;
            ChatWish::Again { with, id }
        }
        "chat.draft" => {
            let Draft { with, text } = read(method, params)?;
            ChatWish::Draft { with, text }
        }
        "chat.alerts" => {
            let OfAlerts { with, alerts } = read(method, params)?;
            ChatWish::Alerts { with, alerts }
        }
        "chat.open" => {
            return Ok(Some(Command::OpenChat { with: read::<OfChat>(method, params)?.with }));
        }
        "chat.older" => ChatWish::Older { with: read::<OfChat>(method, params)?.with },
        "chat.clear" => ChatWish::Clear { with: read::<OfChat>(method, params)?.with },
        "chat.encrypt" => {
            let Encrypt { with, on } = read(method, params)?;
            ChatWish::Encrypt { with, on }
        }
        "chat.trust" => {
            let Trust { owner, fingerprint, trust } = read(method, params)?;
            ChatWish::Trust { owner, fingerprint, trust }
        }
        "chat.export" => {
            let Export { with, path } = read(method, params)?;
            ChatWish::Export { with, path }
        }
        _ => return Ok(None),
    };
    Ok(Some(Command::Chat(wish)))
}
