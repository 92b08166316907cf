//! JSON-RPC 2.0 framing.

use offhook_model::{CommandError, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Deserialize)]
pub struct Request {
    #[serde(default)]
    jsonrpc: String,
    /// Absent in notifications, which get no answer.
    pub id: Option<Value>,
    /// Method name.
    #[serde(default)]
    pub method: String,
    /// An object, or nothing.
    #[serde(default)]
    pub params: Value,
}

/// What is answered instead of a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RpcError {
    /// Error code of JSON-RPC 2.0 or of the contract.
    pub code: i32,
    /// The cause, in one sentence.
    pub message: String,
    /// Cause, owner, remedy.
    pub data: Value,
}

impl RpcError {
    /// An error of the caller's making.
    pub fn caller(code: i32, cause: impl Into<String>, remedy: &str) -> Self {
        let cause = cause.into();
        let data = json!({ "cause": cause, "owner": "user", "remedy": remedy });
        Self { code, message: cause, data }
    }

    /// A method of the contract that is not built yet.
    pub fn not_built(method: &str) -> Self {
        let mut error = Self::caller(
            -32601,
            format!("{method} is not built yet."),
            "See docs/features.md for what works.",
        );
        error.data["notBuilt"] = json!(true);
        error
    }
}

impl From<CommandError> for RpcError {
    fn from(error: CommandError) -> Self {
        Self {
            code: error.code as i32,
            message: error.cause.clone(),
            data: serde_json::to_value(&error).unwrap_or(Value::Null),
        }
    }
}

/// Reads one line.
///
/// # Errors
/// The error to answer with: no JSON (−32700) or no request (−32600).
pub fn read(line: &[u8]) -> Result<Request, RpcError> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        RpcError::caller(
            -32700,
            format!("The line is not JSON: {error}."),
            "Send one JSON object a line.",
        )
    })?;
    let request: Request = serde_json::from_value(value).map_err(|error| {
        RpcError::caller(-32600, format!("The line is no request: {error}."), "See JSON-RPC 2.0.")
    })?;
    if request.jsonrpc != "2.0" || request.method.is_empty() {
        return Err(RpcError::caller(
            -32600,
            "The line is no JSON-RPC 2.0 request.",
            "Give \"jsonrpc\": \"2.0\" and a method.",
        ));
    }
    Ok(request)
}

/// One line of answer.
pub fn answer(id: &Value, result: Result<Value, RpcError>) -> Vec<u8> {
    let message = match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    };
    line(&message)
}

/// One line of notification.
pub fn notification(params: &impl Serialize) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "method": "event", "params": params }))
}

fn line(message: &Value) -> Vec<u8> {
    let mut bytes = message.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// The code for parameters that are not valid.
pub const INVALID_PARAMS: i32 = ErrorCode::InvalidParams as i32;

#[cfg(test)]
mod tests {
    use super::read;

    fn check(line: &str) -> Option<i32> {
        read(line.as_bytes()).err().map(|error| error.code)
    }

    #[test]
    fn only_requests_are_requests() {
        assert_eq!(check(r#"{"jsonrpc":"2.0","id":1,"method":"session.state"}"#), None);
        assert_eq!(check("{"), Some(-32700));
        assert_eq!(check("[]"), Some(-32600));
        assert_eq!(check(r#"{"id":1,"method":"session.state"}"#), Some(-32600));
        assert_eq!(check(r#"{"jsonrpc":"2.0","id":1}"#), Some(-32600));
        assert_eq!(check(r#"{"jsonrpc":"2.0","id":1,"method":7}"#), Some(-32600));
    }
}
