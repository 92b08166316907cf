//! Methods about people beyond the contact list, and our own presence where it is more than a state.

use std::path::PathBuf;

use offhook_model::{Command, Jid, PeopleWish};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::host::Host;
use crate::params::{self, read};
use crate::rpc::{INVALID_PARAMS, RpcError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    contact: Jid,
    #[serde(default = "on")]
    on: bool,
}

fn on() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    contact: Jid,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnPhoto {
    path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Idle {
    seconds: u64,
    #[serde(default)]
    locked: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Groups {
    contact: Jid,
    groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RenameGroup {
    from: String,
    to: String,
}

/// The command of a method; nothing when it is none of these.
///
/// # Errors
/// The parameters are not valid.
pub fn command(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let params = params.clone();
    let wish = match method {
        "people.alert" => {
            let Switch { contact, on } = read(method, params)?;
            PeopleWish::Alert { contact, on }
        }
        "people.block" | "people.unblock" => {
            let Of { contact } = read(method, params)?;
            PeopleWish::Block { who: contact, on: method == "people.block" }
        }
        "people.watch" => {
            let Switch { contact, on } = read(method, params)?;
            PeopleWish::Watch { who: contact, on }
        }
        "people.setPhoto" => PeopleWish::OwnPhoto { path: read::<OwnPhoto>(method, params)?.path },
        "presence.idle" => {
            let Idle { seconds, locked } = read(method, params)?;
            PeopleWish::Idle { seconds, locked }
        }
        "roster.groups" => {
            let Groups { contact, groups } = read(method, params)?;
            PeopleWish::Groups { contact, groups }
        }
        "roster.renameGroup" => {
            let RenameGroup { from, to } = read(method, params)?;
            PeopleWish::RenameGroup { from, to }
        }
        _ => return Ok(None),
    };
    Ok(Some(Command::People(wish)))
}

/// State and what goes on, in this order: of the two the last one set counts.
pub async fn set_presence(host: &impl Host, params: Value) -> Result<Value, RpcError> {
    let wish: params::PresenceSet = read("presence.set", params)?;
    if wish.availability.is_none() && wish.activity.is_none() {
        return Err(RpcError::caller(
            INVALID_PARAMS,
            "presence.set wants availability, activity or both.",
            "Give one.",
        ));
    }
    if let Some(availability) = wish.availability {
        host.request(Command::SetPresence { availability, note: wish.note }).await?;
    }
    if let Some(activity) = wish.activity {
        host.request(Command::People(PeopleWish::Activity { activity })).await?;
    }
    Ok(json!({}))
}

/// Asks, unless the answer is here; `busy` while it is not complete.
pub async fn details(host: &impl Host, params: Value) -> Result<Value, RpcError> {
    let Of { contact } = read("people.details", params)?;
    host.request(Command::People(PeopleWish::Details { who: contact.clone() })).await?;
    let snapshot = host.snapshot();
    let details = snapshot.details.get(&contact.bare());
    Ok(details.map_or_else(
        || json!({ "busy": true }),
        |details| serde_json::to_value(&**details).unwrap_or(Value::Null),
    ))
}

/// Asks, unless it is here. The picture itself is too large for a line: its hash and size are told.
pub async fn photo(host: &impl Host, params: Value) -> Result<Value, RpcError> {
    let Of { contact } = read("people.photo", params)?;
    let who = contact.bare();
    host.request(Command::People(PeopleWish::Photo { who: who.clone() })).await?;
    let snapshot = host.snapshot();
    let listed = snapshot.contacts.iter().find(|contact| contact.contact == who);
    let known = listed.and_then(|contact| contact.photo.clone());
    let told = || snapshot.details.get(&who).and_then(|details| details.photo.clone());
    let photo = known.or_else(told);
    let size = photo.as_ref().and_then(|photo| snapshot.photos.get(photo)).map(|it| it.len());
    Ok(json!({ "photo": photo, "size": size }))
}
