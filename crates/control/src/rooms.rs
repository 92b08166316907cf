//! Methods about rooms: `room.*`.

use offhook_model::{
    Affiliation, Command, Jid, MessageId, Room, RoomRole, RoomWish, Secret, Snapshot,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::params::{Nothing, read};
use crate::rpc::RpcError;

/// The methods that only look. Nothing when it is none of them.
///
/// # Errors
/// The parameters are not valid, or the room is not known.
pub(crate) fn look(
    snapshot: &Snapshot,
    method: &str,
    params: &Value,
) -> Result<Option<Value>, RpcError> {
    Ok(Some(match method {
        "room.list" => {
            read::<Nothing>(method, params.clone())?;
            let rooms: Vec<Value> = snapshot.rooms.values().map(|room| row(room)).collect();
            json!({ "items": rooms, "more": false, "invitations": &*snapshot.invitations })
        }
        "room.members" => {
            let wish: OfRoom = read(method, params.clone())?;
            let room = snapshot.rooms.get(&wish.room.bare()).ok_or_else(unknown)?;
            json!({ "items": room.occupants, "absent": room.absent, "more": false })
        }
        "room.listing" => {
            read::<Nothing>(method, params.clone())?;
            let listing = &snapshot.listing;
            json!({
                "items": listing.rooms,
                "more": false,
                "services": listing.services,
                "busy": listing.busy,
                "errors": listing.errors,
            })
        }
        _ => return Ok(None),
    }))
}

/// The wish of a method. Nothing when it is not about rooms.
///
/// # Errors
/// The parameters are not valid.
pub(crate) fn command(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let params = || params.clone();
    let wish = match method {
        "room.create" => {
            let it: Create = read(method, params())?;
            RoomWish::Create {
                name: it.name,
                topic: it.topic,
                persistent: it.persistent,
                members_only: it.members_only,
                invite: it.invite,
            }
        }
        "room.join" => {
            let it: Join = read(method, params())?;
            RoomWish::Join { room: it.room, nick: it.nick, password: it.password }
        }
        "room.leave" => RoomWish::Leave { room: read::<OfRoom>(method, params())?.room },
        "room.destroy" => RoomWish::Destroy { room: read::<OfRoom>(method, params())?.room },
        "room.invite" => {
            let it: Invite = read(method, params())?;
            RoomWish::Invite { room: it.room, who: it.who, reason: it.reason }
        }
        "room.answer" => {
            let it: Answer = read(method, params())?;
            RoomWish::Answer { room: it.room, accept: it.accept }
        }
        "room.subject" => {
            let it: Subject = read(method, params())?;
            RoomWish::Subject { room: it.room, subject: it.subject }
        }
        "room.nick" => {
            let it: Nick = read(method, params())?;
            RoomWish::Nick { room: it.room, nick: it.nick }
        }
        "room.browse" => RoomWish::Browse { service: read::<Browse>(method, params())?.service },
        "room.bookmark" => {
            let it: Bookmark = read(method, params())?;
            RoomWish::Bookmark { room: it.room, keep: it.keep, autojoin: it.autojoin }
        }
        _ => return administration(method, params()),
    };
    Ok(Some(Command::Room(wish)))
}

fn administration(method: &str, params: Value) -> Result<Option<Command>, RpcError> {
    let wish = match method {
        "room.configure" => {
            let it: Configure = read(method, params)?;
            RoomWish::Configure {
                room: it.room,
                name: it.name,
                members_only: it.members_only,
                moderated: it.moderated,
                password: it.password,
            }
        }
        "room.role" => {
            let it: Role = read(method, params)?;
            RoomWish::Role { room: it.room, nick: it.nick, role: it.role, reason: it.reason }
        }
        "room.affiliate" => {
            let Affiliate { room, who, affiliation, reason } = read(method, params)?;
            RoomWish::Affiliate { room, who, affiliation, reason }
        }
        "room.moderate" => {
            let it: Moderate = read(method, params)?;
            RoomWish::Moderate { room: it.room, id: it.id, reason: it.reason }
        }
        _ => return Ok(None),
    };
    Ok(Some(Command::Room(wish)))
}

/// A room without those who are in it, of whom there may be thousands.
fn row(room: &Room) -> Value {
    let mut row = serde_json::to_value(room).unwrap_or(Value::Null);
    if let Value::Object(members) = &mut row {
        let count = room.occupants.len();
        members.remove("absent");
        members.insert("occupants".into(), json!(count));
    }
    row
}

fn unknown() -> RpcError {
    RpcError::caller(-32002, "This room is not known.", "Ask room.list for the rooms known.")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRoom {
    room: Jid,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Create {
    name: String,
    topic: Option<String>,
    #[serde(default)]
    persistent: bool,
    #[serde(default)]
    members_only: bool,
    #[serde(default)]
    invite: Vec<Jid>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    room: Jid,
    nick: Option<String>,
    password: Option<Secret<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    room: Jid,
    who: Jid,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    room: Jid,
    accept: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    room: Jid,
    subject: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nick {
    room: Jid,
    nick: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Browse {
    service: Option<Jid>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bookmark {
    room: Jid,
    #[serde(default = "yes")]
    keep: bool,
    #[serde(default)]
    autojoin: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Configure {
    room: Jid,
    name: Option<String>,
    members_only: Option<bool>,
    moderated: Option<bool>,
    password: Option<Secret<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    room: Jid,
    nick: String,
    role: RoomRole,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Affiliate {
    room: Jid,
    who: Jid,
    affiliation: Affiliation,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moderate {
    room: Jid,
    id: MessageId,
    reason: Option<String>,
}
