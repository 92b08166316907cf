//! The question about a certificate, asked in the middle of a handshake.

use offhook_model::TrustQuestion;

use crate::BoxFuture;

/// Somebody who can be asked whether a key is to be accepted. The asker waits as long as it takes;
/// bounds of requests do not run meanwhile. Nobody to ask means no.
pub trait AskTrust: Send + Sync {
    /// Asks once for each key and host; those who ask the same wait for the same answer.
    fn ask(&self, question: TrustQuestion) -> BoxFuture<'static, bool>;
}
