//! Group chat (XEP-0045): what the user wants of rooms.

use offhook_model::{CommandError, Moment, Reply, RoomWish, Ticket};

use crate::Core;

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn room_wish(
        &mut self,
        _ticket: Ticket,
        _wish: RoomWish,
        _now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(Err(CommandError::not_built("Group chat")))
    }
}
