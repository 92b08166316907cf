//! `offhook ctl`: a method's result, or events, on standard output.

use std::io::{self, Write};

use offhook_control::{Client, ClientError};
use offhook_platform::Folders;
use serde_json::Value;

use crate::args::Global;
use crate::headless::block_on;

/// Nothing runs on this profile.
const NOBODY: u8 = 3;

/// Runs a call or a watch; the result is the exit status.
///
/// # Errors
/// One sentence for exit status 2.
pub fn run(global: &Global, method: &str, params: &[String]) -> Result<u8, String> {
    let folders = Folders::of(global.profile.as_deref())?;
    block_on(async {
        let client = match Client::connect(&folders.run).await {
            Ok(client) => client,
            Err(error) => return failed(&error, &folders),
        };
        if method == "watch" {
            return watch(client, params).await;
        }
        let params = match params {
            [] => Value::Null,
            [text] => parse(text)?,
            _ => return Err("Give the parameters as one JSON object, in quotes.".into()),
        };
        call(client, method, params, &folders).await
    })?
}

fn parse(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(Value::Object(object)),
        Ok(_) => {
            Err(format!("The parameters {text} are no JSON object. Write {{\"name\": value}}."))
        }
        Err(error) => {
            Err(format!("The parameters are not JSON ({error}). Write {{\"name\": value}}."))
        }
    }
}

async fn call(
    mut client: Client,
    method: &str,
    params: Value,
    folders: &Folders,
) -> Result<u8, String> {
    match client.call(method, params).await {
        Ok(Ok(result)) => {
            say(&result);
            Ok(0)
        }
        Ok(Err(error)) => {
            let not_built = error["data"]["notBuilt"] == Value::Bool(true);
            say(&error);
            Ok(if not_built { 2 } else { 1 })
        }
        // It said good-bye before the answer was written: what was asked has happened.
        Err(ClientError::Broken(_)) if method == "session.quit" => {
            say(&serde_json::json!({}));
            Ok(0)
        }
        Err(error) => failed(&error, folders),
    }
}

async fn watch(mut client: Client, types: &[String]) -> Result<u8, String> {
    loop {
        match client.event().await {
            Ok(event) => {
                let kind = event["type"].as_str().unwrap_or_default();
                if (types.is_empty() || types.iter().any(|wanted| wanted == kind)) && !say(&event) {
                    return Ok(0);
                }
            }
            // The instance ended, and with it the watch.
            Err(_) => return Ok(0),
        }
    }
}

/// One line, flushed at once. False when nobody reads any more.
fn say(value: &Value) -> bool {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}").and_then(|()| out.flush()).is_ok()
}

fn failed(error: &ClientError, folders: &Folders) -> Result<u8, String> {
    let words = match error {
        ClientError::NobodyThere => format!(
            "Nothing runs on this profile ({}). Start offhook or offhook --headless with the same \
             --profile.",
            folders.run.display()
        ),
        ClientError::Broken(words) => format!("The running instance does not answer ({words})."),
    };
    crate::complain(&words);
    Ok(NOBODY)
}
