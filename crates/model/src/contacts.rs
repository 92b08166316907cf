//! What may be wished of people beyond the contact list: search, own contacts, address books.

use std::path::PathBuf;

use crate::{CommandError, DirectoryEntry, SourceKind};

/// About people of directories and address books.
#[derive(Clone, Debug)]
pub enum ContactsWish {
    /// The text in the search box is this now; the results are in the snapshot's `people`. Nothing
    /// ends the search.
    Type {
        /// As typed.
        query: String,
    },
    /// Search once, the directory included; answered with [`Reply::People`](crate::Reply) when
    /// everybody has answered.
    Search {
        /// Words, a number or an address.
        query: String,
        /// Persons at most, 1 to 1,000.
        limit: u32,
    },
    /// Whose number or address this is; answered with [`Reply::People`](crate::Reply), the best
    /// first. The directory is asked when nobody here is known by it.
    Resolve {
        /// Number, chat address or address for calls.
        who: String,
    },
    /// The picture of this entry is to be shown: fetch it if it is not here. It comes to the
    /// snapshot's `portraits`.
    Portrait {
        /// Whose word the entry is.
        source: SourceKind,
        /// Its id there.
        id: String,
    },
    /// Keep a contact of our own: a new one where the id is empty, else that one is replaced.
    /// Answered with [`Reply::Contact`](crate::Reply).
    Save {
        /// What is known; the source is passed over.
        entry: Box<DirectoryEntry>,
    },
    /// Forget a contact of our own.
    Forget {
        /// Its id.
        id: String,
    },
    /// Take the people of a file over as contacts of our own: vCards (RFC 6350 and its forerunners),
    /// or a table (CSV) whose first line names columns. Which it is shows in what it holds.
    /// Answered with [`Reply::Cards`](crate::Reply).
    Import {
        /// File.
        path: PathBuf,
    },
    /// Write contacts as vCards (RFC 6350), or as a table where the file ends in `.csv`. Answered with [`Reply::Cards`](crate::Reply).
    Export {
        /// File to make.
        path: PathBuf,
        /// The contact list as well, not our own contacts alone.
        roster: bool,
    },
    /// Take a group of the directory over: its members become contacts in a group of the contact list
    /// that is called like it. Answered with [`Reply::Group`](crate::Reply); the snapshot's
    /// `group_taking` says how it goes.
    TakeGroup {
        /// Its [`id`](crate::DirectoryGroup::id).
        id: String,
    },
    /// Read the address books of vCard folder and server (RFC 6352) anew.
    Refresh,
}

/// What of a file was left out because it names nobody or is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many cards or lines.
    pub count: u64,
    /// Of a table in which lines they begin, counted from 1: the first ten.
    pub lines: Vec<u64>,
}

/// How the last import or export of contacts ended, for a window that does not wait for answers.
#[derive(Clone, Debug, PartialEq)]
pub struct CardsDone {
    /// Grows with each.
    pub number: u32,
    /// Contacts were written, not read.
    pub written: bool,
    /// File.
    pub path: PathBuf,
    /// How many people, and what was left out.
    ///
    /// # Errors
    /// Why none.
    pub outcome: Result<(u64, LeftOut), CommandError>,
}
