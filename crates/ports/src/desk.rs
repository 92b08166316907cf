//! Phones on the desk that make calls for us.

use offhook_model::{CallId, DeskPhone, Secret};

use crate::Target;

/// How phones on the desk are told to call: by WebDialer, the vendor's public service for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskControl {
    /// The node of the user's home cluster.
    pub server: Target,
    /// User id.
    pub user: String,
    /// Password: the service has no sessions and wants it with each request.
    pub password: Secret<String>,
    /// The user's phones.
    pub phones: Vec<DeskPhone>,
}

/// What is asked of a phone on the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskOrder {
    /// Whether it can be told anything; answered with its line.
    Check {
        /// Which phone.
        device: String,
    },
    /// It is to call somebody.
    Dial {
        /// The call that shows it.
        call: CallId,
        /// Which phone.
        device: String,
        /// The number of the line to use; asked for where it is not known.
        line: Option<String>,
        /// Digits to dial.
        to: String,
    },
    /// Its call is to end.
    End {
        /// The call that shows it.
        call: CallId,
        /// Which phone.
        device: String,
        /// The number of the line.
        line: Option<String>,
    },
}
