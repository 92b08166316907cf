//! People beyond the contact list: directories, address books, contacts of our own.

use std::collections::BTreeMap;
use std::sync::Arc;

use offhook_model::{
    CommandError, ContactsWish, DirectoryEntry, Moment, PeopleSearch, Reply, SourceKind, Ticket,
};

use crate::Core;

/// What is known of people, and who is being looked for.
#[derive(Debug, Default)]
pub(crate) struct ContactSide {
    pub(crate) people: Arc<PeopleSearch>,
    pub(crate) own: Arc<Vec<Arc<DirectoryEntry>>>,
    pub(crate) portraits: Arc<BTreeMap<(SourceKind, String), Option<Arc<[u8]>>>>,
}

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn contacts_wish(
        &mut self,
        _ticket: Ticket,
        _wish: ContactsWish,
        _now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(Err(CommandError::not_built("Searching people")))
    }
}
