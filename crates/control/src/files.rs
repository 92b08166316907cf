//! Methods about files in conversations.

use std::path::PathBuf;

use offhook_model::{CaptureArea, Command, FileWish, Jid, TransferId};
use serde::Deserialize;
use serde_json::Value;

use crate::params::read;
use crate::rpc::RpcError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    to: Jid,
    path: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    id: TransferId,
    path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfTransfer {
    id: TransferId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capture {
    to: Jid,
    #[serde(default = "screen")]
    area: CaptureArea,
}

fn screen() -> CaptureArea {
    CaptureArea::Screen
}

/// The command of a method; nothing when the method is none of these.
///
/// # Errors
/// The parameters are not valid.
pub(crate) fn command(method: &str, params: &Value) -> Result<Option<Command>, RpcError> {
    let params = || params.clone();
    let wish = match method {
        "file.send" => {
            let Send { to, path } = read(method, params())?;
            FileWish::Send { to, path }
        }
        "file.accept" => {
            let Accept { id, path } = read(method, params())?;
            FileWish::Accept { id, path }
        }
        "file.decline" => {
            let OfTransfer { id } = read(method, params())?;
            FileWish::Decline { id }
        }
        "file.again" => {
            let OfTransfer { id } = read(method, params())?;
            FileWish::Again { id }
        }
        "file.capture" => {
            let Capture { to, area } = read(method, params())?;
            FileWish::Capture { to, area }
        }
        _ => return Ok(None),
    };
    Ok(Some(Command::File(wish)))
}
