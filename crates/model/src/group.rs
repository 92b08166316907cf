//! Groups of the directory: what is shown of one, and what came of taking it over into the contact
//! list.

use serde::Serialize;

use crate::CommandError;

/// A group of people in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryGroup {
    /// How the directory calls it: its distinguished name (RFC 4514), never empty.
    pub id: String,
    /// Name, one line of at most 256 characters.
    pub name: String,
    /// What it is for, bounded like the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What came of taking a group over. Members who are neither counted here nor left out are
/// ourselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupTaken {
    /// The group of the contact list.
    pub group: String,
    /// New contacts.
    pub added: u32,
    /// Contacts there were, who are in the group from now on.
    pub joined: u32,
    /// Contacts who were in the group already.
    pub present: u32,
    /// People without a chat address.
    pub without_address: u32,
    /// Members that are no people, or may not be read: groups inside of the group are not followed.
    pub no_people: u32,
    /// Members beyond the bound of one group, as far as they were counted.
    pub left_out: u32,
    /// There are more beyond it than were counted.
    pub more: bool,
}

/// How taking a group over goes, for a window that does not wait for answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTaking {
    /// Grows with each.
    pub number: u32,
    /// The group, by its name in the directory.
    pub id: String,
    /// Nothing while the directory is asked.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub outcome: Option<Result<GroupTaken, CommandError>>,
}
