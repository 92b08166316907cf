//! Files and pictures of the screen in conversations.

use offhook_model::{CommandError, FileWish, Moment, Reply, Ticket};

use crate::Core;

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn file_wish(
        &mut self,
        _ticket: Ticket,
        _wish: FileWish,
        _now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(Err(CommandError::not_built("Sending files")))
    }
}
