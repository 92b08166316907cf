//! What each method does: parameters to command, reply to result.

use offhook_config::Layers;
use offhook_model::{Command, ManualAccount, Reply, Settings, Snapshot};
use serde::Serialize;
use serde_json::{Value, json};

use crate::host::Host;
use crate::params::{self, read};
use crate::people;
use crate::rpc::{INVALID_PARAMS, RpcError};
use crate::{calls, chats, contacts, files, rooms};

/// Methods of the contract whose feature is not built.
const NOT_BUILT: [&str; 6] = [
    "call.video",
    "call.share",
    "voicemail.list",
    "voicemail.play",
    "voicemail.markRead",
    "voicemail.delete",
];

/// Carries out one request.
///
/// # Errors
/// What JSON-RPC answers with.
pub async fn call(host: &impl Host, method: &str, params: Value) -> Result<Value, RpcError> {
    if NOT_BUILT.contains(&method) {
        return Err(RpcError::not_built(method));
    }
    match look(&host.snapshot(), method, &params)? {
        Some(value) => return Ok(value),
        None if method == "presence.set" => return people::set_presence(host, params).await,
        None if method == "people.details" => return people::details(host, params).await,
        None if method == "contacts.photo" => return contacts::photo(host, params).await,
        None if method == "people.photo" => return people::photo(host, params).await,
        None if method == "report.save" => return report(host, params).await,
        None => {}
    }
    let command = match family(method, &params)? {
        Some(command) => command,
        None => command(host, method, params)?,
    };
    let reply = host.request(command).await?;
    result(host, method, reply)
}

/// The methods that are one wish, family by family.
fn family(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let families = [
        chats::command,
        rooms::command,
        people::command,
        contacts::command,
        files::command,
        calls::command,
    ];
    for command in families {
        if let Some(command) = command(method, params)? {
            return Ok(Some(command));
        }
    }
    Ok(None)
}

/// The methods that only look.
fn look(snapshot: &Snapshot, method: &str, params: &Value) -> Result<Option<Value>, RpcError> {
    if let Some(value) = rooms::look(snapshot, method, params)? {
        return Ok(Some(value));
    }
    let value = match method {
        "session.state" => json(&snapshot.session),
        "presence.get" => json(&snapshot.me.presence),
        "chat.list" => list(&snapshot.chats),
        "chat.keys" => return chats::keys(snapshot, method, params).map(Some),
        "contacts.list" => list(&snapshot.own_contacts),
        "roster.list" => list(&snapshot.contacts),
        "people.blocked" => list(&snapshot.blocked),
        "phone.state" => json(&*snapshot.phone),
        "call.list" => list(&snapshot.calls),
        "file.list" => list(&snapshot.transfers),
        "devices.list" => json(&*snapshot.devices),
        "settings.get" => json(&*snapshot.settings),
        "trust.list" => list(&snapshot.accepted),
        "policy.get" => list(&Layers::new(snapshot.layers.iter().cloned()).explain()),
        "history.state" => json(&snapshot.keeping),
        "diagnostics.get" => diagnostics(snapshot),
        _ => return Ok(None),
    };
    read::<params::Nothing>(method, params.clone())?;
    Ok(Some(value))
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn list<T: Serialize>(items: &[T]) -> Value {
    json!({ "items": items, "more": false })
}

fn diagnostics(snapshot: &Snapshot) -> Value {
    let problems: Vec<_> = snapshot
        .toasts
        .iter()
        .map(|toast| {
            let mut problem = json(&toast.problem);
            problem["id"] = json(&toast.id);
            problem
        })
        .collect();
    json!({
        "session": snapshot.session,
        "trace": &*snapshot.session.trace,
        "problems": problems,
        "devices": &*snapshot.devices,
    })
}

fn command(host: &impl Host, method: &str, params: Value) -> Result<Command, RpcError> {
    Ok(match method {
        "session.signIn" => {
            let wish: params::SignIn = read(method, params)?;
            Command::SignIn {
                address: wish.address,
                username: wish.username,
                password: wish.password,
            }
        }
        "session.signOut" => nothing(method, params, Command::SignOut)?,
        "session.quit" => nothing(method, params, Command::Quit)?,
        "session.tryAgain" => nothing(method, params, Command::TryAgain)?,
        "session.reset" => nothing(method, params, Command::Reset)?,
        "session.provision" => {
            Command::Provision(read::<params::Provision>(method, params)?.url.into())
        }
        "trust.answer" => {
            let wish: params::TrustAnswer = read(method, params)?;
            Command::AnswerTrust { id: wish.id, accept: wish.accept }
        }
        "phone.enrol" => Command::GiveAuthString(read::<params::Enrol>(method, params)?.string),
        "diagnostics.dismiss" => Command::Dismiss(read::<params::Dismiss>(method, params)?.id),
        "trust.revoke" => {
            Command::RevokeTrust { key: read::<params::TrustRevoke>(method, params)?.key }
        }
        "session.setManual" => Command::SetManual(read::<ManualAccount>(method, params)?),
        "roster.add" => {
            let wish: params::RosterAdd = read(method, params)?;
            let groups = wish.groups.or_else(|| wish.group.map(|group| vec![group]));
            Command::RosterAdd { contact: wish.contact, name: wish.name, groups }
        }
        "roster.remove" => {
            let wish: params::RosterRemove = read(method, params)?;
            Command::RosterRemove { contact: wish.contact }
        }
        "chat.send" => {
            let wish: params::ChatSend = read(method, params)?;
            Command::SendChat { to: wish.to, body: wish.body }
        }
        "chat.history" => {
            let wish: params::ChatHistory = read(method, params)?;
            Command::ChatHistory { with: wish.with, before: wish.before, limit: wish.limit }
        }
        "chat.search" => {
            let wish: params::ChatSearch = read(method, params)?;
            Command::ChatSearch { query: wish.query, with: wish.with, limit: wish.limit }
        }
        "chat.typing" => {
            let wish: params::ChatTyping = read(method, params)?;
            Command::Typing { to: wish.with, typing: wish.typing }
        }
        "chat.markRead" => {
            Command::MarkRead { with: read::<params::MarkRead>(method, params)?.with }
        }
        "settings.set" => settings(host, method, params)?,
        "settings.setAddressBookPassword" => {
            Command::SetAddressBookPassword(read::<params::Password>(method, params)?.password)
        }
        "settings.setRelayPassword" => {
            Command::SetRelayPassword(read::<params::Password>(method, params)?.password)
        }
        "devices.test" => Command::TestDevice(read::<params::DeviceTest>(method, params)?.role),
        "devices.select" => {
            let wish: params::DeviceSelect = read(method, params)?;
            Command::SelectDevice { role: wish.role, spec: wish.device }
        }
        _ => return call_command(method, params),
    })
}

fn nothing(method: &str, params: Value, command: Command) -> Result<Command, RpcError> {
    read::<params::Nothing>(method, params).map(|_| command)
}

fn call_command(method: &str, params: Value) -> Result<Command, RpcError> {
    let of_call = |make: fn(offhook_model::CallId) -> Command, params: Value| {
        read::<params::OfCall>(method, params).map(|wish| make(wish.id))
    };
    match method {
        "call.dial" => {
            let wish: params::Dial = read(method, params)?;
            Ok(Command::Dial { to: wish.to, video: wish.video })
        }
        "call.answer" => of_call(Command::Answer, params),
        "call.decline" => of_call(Command::Decline, params),
        "call.hangUp" => of_call(Command::HangUp, params),
        "call.hold" => of_call(Command::Hold, params),
        "call.resume" => of_call(Command::Resume, params),
        "call.stats" => of_call(Command::CallStats, params),
        "call.mute" => {
            let wish: params::Mute = read(method, params)?;
            Ok(Command::Mute { id: wish.id, muted: wish.muted })
        }
        "call.dtmf" => {
            let wish: params::Dtmf = read(method, params)?;
            Ok(Command::Dtmf { id: wish.id, digits: wish.digits })
        }
        _ => Err(RpcError::caller(
            -32601,
            format!("There is no method {method}."),
            "See the control API's description in docs/control.md.",
        )),
    }
}

/// Only the members given are changed, and of objects only theirs; lists are replaced.
fn settings(host: &impl Host, method: &str, params: Value) -> Result<Command, RpcError> {
    if !params.is_object() {
        return Err(RpcError::caller(INVALID_PARAMS, "settings.set wants an object.", "Give one."));
    }
    let mut whole = json(&*host.snapshot().settings);
    put_into(&mut whole, params);
    Ok(Command::SetSettings(Box::new(read::<Settings>(method, whole)?)))
}

fn put_into(place: &mut Value, given: Value) {
    match (place, given) {
        (Value::Object(whole), Value::Object(given)) => {
            for (name, value) in given {
                put_into(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (place, given) => *place = given,
    }
}

async fn report(host: &impl Host, params: Value) -> Result<Value, RpcError> {
    let wish: params::ReportSave = read("report.save", params)?;
    let path = host.save_report(wish.output, wish.note).await?;
    Ok(json!({ "path": path }))
}

fn result(host: &impl Host, method: &str, reply: Reply) -> Result<Value, RpcError> {
    Ok(match reply {
        Reply::Done if method.starts_with("session.") => {
            json!({ "state": host.snapshot().session.state })
        }
        Reply::Done => json!({}),
        Reply::Message(id) => json!({ "id": id }),
        Reply::Call(id) => json!({ "id": id }),
        Reply::Room(room) => json!({ "room": room }),
        Reply::Transfer(id) => json!({ "id": id }),
        Reply::Messages { items, more } => json!({ "items": items, "more": more }),
        Reply::Exported { path, messages } => json!({ "path": path, "messages": messages }),
        Reply::Stats(streams) => json!({ "streams": streams }),
        Reply::People(found) => {
            json!({
                "items": found.people,
                "more": found.more,
                "groups": found.groups,
                "moreGroups": found.more_groups,
                "problems": found.problems,
            })
        }
        Reply::Group(taken) => json!(taken),
        Reply::Contact(id) => json!({ "id": id }),
        Reply::Cards { path, people, left_out } => {
            let mut done = json!({ "path": path, "people": people, "leftOut": left_out.count });
            if !left_out.lines.is_empty() {
                done["lines"] = json!(left_out.lines);
            }
            done
        }
    })
}
