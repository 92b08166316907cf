//! Contacts as tables (CSV, RFC 4180 and what programs make of it): as Outlook (English and
//! German), Google Contacts and the contact lists of IM and Presence write them, or anybody else
//! whose first line says what is below it.
//!
//! Fields, quotes and line breaks are the library's (csv); what it makes of a file is bounded here,
//! and made safe to show.

mod header;
mod read;
mod write;

use offhook_model::DirectoryEntry;

pub use read::read;
pub use write::write;

/// Most numbers of lines that are told.
pub const MAX_LINES: usize = 10;

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The people, in their order.
    pub people: Vec<DirectoryEntry>,
    /// Lines that are broken or name nobody, and what comes after the bounds: so many were left
    /// out.
    pub left_out: usize,
    /// In which lines of the file they begin, the first of them, counted from 1; at most
    /// [`MAX_LINES`].
    pub lines: Vec<u64>,
}
