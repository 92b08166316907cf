//! Group chat (XEP-0045): what the user wants of rooms goes to the machine, which answers at once or
//! later.

use offhook_model::{CommandError, Moment, Reply, RoomWish, Ticket};

use crate::Core;

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn room_wish(
        &mut self,
        ticket: Ticket,
        wish: RoomWish,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        match self.chat.machine("Group chat") {
            Ok(im) => im.room_wish(ticket, wish, now),
            Err(error) => Some(Err(error)),
        }
    }
}
