//! The other end: `offhook ctl`, and whoever asks a running instance something.

use std::path::Path;

use offhook_platform::{ConnectError, Reader, Writer, connect};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientError {
    /// Nothing runs on this profile.
    NobodyThere,
    /// The connection broke; in words.
    Broken(String),
}

/// A result or an error object, as it came.
pub type Answer = Result<Value, Value>;

/// A connection to a running instance.
pub struct Client {
    lines: Lines<BufReader<Reader>>,
    writer: Writer,
    last: u64,
}

impl Client {
    /// Connects to the instance whose socket is in `run`.
    ///
    /// # Errors
    /// Nothing runs there, or it cannot be reached.
    pub async fn connect(run: &Path) -> Result<Self, ClientError> {
        let (reader, writer) = connect(run).await.map_err(|error| match error {
            ConnectError::NobodyThere => ClientError::NobodyThere,
            ConnectError::Other(words) => ClientError::Broken(words),
        })?;
        Ok(Self { lines: BufReader::new(reader).lines(), writer, last: 0 })
    }

    /// Calls a method and waits for its answer; events that come meanwhile are passed over.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn call(&mut self, method: &str, params: Value) -> Result<Answer, ClientError> {
        self.last += 1;
        let id = json!(self.last);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let line = format!("{request}\n");
        self.writer.write_all(line.as_bytes()).await.map_err(|error| broken(&error))?;
        loop {
            let mut message = self.next().await?;
            if message.get("id") != Some(&id) {
                continue;
            }
            return Ok(match message.get_mut("error").map(Value::take) {
                Some(error) => Err(error),
                None => Ok(message.get_mut("result").map(Value::take).unwrap_or(Value::Null)),
            });
        }
    }

    /// The next event.
    ///
    /// # Errors
    /// The connection broke, because the instance ended for example.
    pub async fn event(&mut self) -> Result<Value, ClientError> {
        loop {
            let mut message = self.next().await?;
            if message.get("method").and_then(Value::as_str) == Some("event")
                && let Some(event) = message.get_mut("params")
            {
                return Ok(event.take());
            }
        }
    }

    async fn next(&mut self) -> Result<Value, ClientError> {
        let line = self.lines.next_line().await.map_err(|error| broken(&error))?;
        let line = line.ok_or_else(|| ClientError::Broken("the instance ended".into()))?;
        serde_json::from_str(&line).map_err(|error| ClientError::Broken(error.to_string()))
    }
}

fn broken(error: &std::io::Error) -> ClientError {
    ClientError::Broken(error.to_string())
}
