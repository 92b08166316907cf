//! The decision trace: what was asked, of whom, what came, in how many milliseconds.

use serde::Serialize;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It gave what was needed and decided.
    Won,
    /// It answered, and something else decided.
    Lost,
    /// It was not tried.
    Skipped,
    /// It was tried and failed.
    Failed,
}

/// One question to the outside. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceStep {
    /// Stable name: `srv`, `homeCluster`, `user`, `serviceProfile`, `devices`, `deviceFile`,
    /// `soapLogin`, `oneTimePassword`, `xmpp`, `sip`…
    pub step: String,
    /// The question: a name and type, or a method and URL without its query's values.
    pub asked: String,
    /// Whom: host and port, or name server.
    pub of: String,
    /// What came, in short.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub why: String,
}
