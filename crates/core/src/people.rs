//! What the user wants of people: alerts, blocking, details, photos.

use offhook_model::{CommandError, Moment, PeopleWish, Reply, Ticket};

use crate::Core;

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn people_wish(
        &mut self,
        _ticket: Ticket,
        _wish: PeopleWish,
        _now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(Err(CommandError::not_built("This wish about a person")))
    }
}
