//! Conversations beyond the plain message: answers, corrections, reactions, drafts, keys, export.

use offhook_model::{ChatWish, CommandError, Moment, Reply, Ticket};

use crate::Core;

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn chat_wish(
        &mut self,
        _ticket: Ticket,
        _wish: ChatWish,
        _now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(Err(CommandError::not_built("This wish about a conversation")))
    }
}
