//! Methods about people of directories and address books.

use std::path::PathBuf;

use offhook_model::{
    Command, ContactsWish, DirectoryEntry, Jid, PersonNumber, Snapshot, SourceKind,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::host::Host;
use crate::params::{self, read};
use crate::rpc::{INVALID_PARAMS, RpcError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
    #[serde(default = "some")]
    limit: u32,
}

fn some() -> u32 {
    50
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolve {
    uri: Option<String>,
    number: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    source: SourceKind,
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cards {
    path: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    path: PathBuf,
    #[serde(default)]
    roster: bool,
}

/// A contact of our own; without an id a new one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Save {
    id: String,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    nickname: Option<String>,
    im: Option<Jid>,
    uris: Vec<String>,
    mail: Vec<String>,
    numbers: Vec<PersonNumber>,
    title: Option<String>,
    department: Option<String>,
    company: Option<String>,
    location: Option<String>,
    groups: Vec<String>,
}

impl From<Save> for DirectoryEntry {
    fn from(save: Save) -> Self {
        Self {
            source: SourceKind::Own,
            id: save.id,
            display_name: save.display_name,
            first_name: save.first_name,
            last_name: save.last_name,
            nickname: save.nickname,
            user_name: None,
            im: save.im,
            uris: save.uris,
            mail: save.mail,
            numbers: save.numbers,
            title: save.title,
            department: save.department,
            company: save.company,
            location: save.location,
            groups: save.groups,
            photo: None,
            kept_photo: None,
        }
    }
}

/// The command of a method; nothing when it is none of these.
///
/// # Errors
/// The parameters are not valid.
pub fn command(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let params = params.clone();
    let wish = match method {
        "contacts.search" => {
            let Search { query, limit } = read(method, params)?;
            ContactsWish::Search { query, limit }
        }
        "contacts.resolve" => {
            let who = match read(method, params)? {
                Resolve { uri: Some(who), number: None }
                | Resolve { uri: None, number: Some(who) } => who,
                Resolve { .. } => {
                    return Err(RpcError::caller(
                        INVALID_PARAMS,
                        "contacts.resolve wants either uri or number.",
                        "Give one of them.",
                    ));
                }
            };
            ContactsWish::Resolve { who }
        }
        "contacts.save" => {
            let save: Save = read(method, params)?;
            ContactsWish::Save { entry: Box::new(save.into()) }
        }
        "contacts.remove" => ContactsWish::Forget { id: read::<Named>(method, params)?.id },
        "contacts.takeGroup" => ContactsWish::TakeGroup { id: read::<Named>(method, params)?.id },
        "contacts.import" => ContactsWish::Import { path: read::<Cards>(method, params)?.path },
        "contacts.export" => {
            let Export { path, roster } = read(method, params)?;
            ContactsWish::Export { path, roster }
        }
        "contacts.refresh" => {
            read::<params::Nothing>(method, params)?;
            ContactsWish::Refresh
        }
        _ => return Ok(None),
    };
    Ok(Some(Command::Contacts(wish)))
}

/// Asks, unless it is here. The picture itself is too large for a line: its size is told; `busy`
/// while it is fetched.
pub async fn photo(host: &impl Host, params: Value) -> Result<Value, RpcError> {
    let Of { source, id } = read("contacts.photo", params)?;
    let here = |snapshot: &Snapshot| snapshot.portraits.get(&(source, id.clone())).cloned();
    if here(&host.snapshot()).is_none() {
        let wish = ContactsWish::Portrait { source, id: id.clone() };
        host.request(Command::Contacts(wish)).await?;
    }
    Ok(match here(&host.snapshot()) {
        Some(picture) => json!({ "size": picture.map(|bytes| bytes.len()) }),
        None => json!({ "busy": true }),
    })
}
