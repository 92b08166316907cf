//! Address books as files: vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) are read, 4.0 is written.
//!
//! Lines, folding, character sets, quoted-printable and base64 are the library's (calcard); what it
//! makes of a file is bounded here, and made safe to show.

mod read;
mod write;

use offhook_model::DirectoryEntry;

pub use read::read;
pub use write::write;

/// Largest file read, in bytes.
pub const MAX_FILE: usize = 32 << 20;
/// Most people of one file.
pub const MAX_CARDS: usize = 20_000;
/// Largest picture kept, in bytes, as everywhere with pictures of people.
pub const MAX_PICTURE: usize = 1 << 20;

/// A person of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What the card says. Its picture is in here when it is an address on the web.
    pub entry: DirectoryEntry,
    /// The picture, when the card holds it.
    pub picture: Option<Picture>,
}

/// The bytes of a picture, as they came: nobody has looked into them yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What the card says that it is, such as `image/jpeg`.
    pub kind: Option<String>,
    /// At most [`MAX_PICTURE`].
    pub data: Vec<u8>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cards {
    /// The people, in their order.
    pub cards: Vec<Card>,
    /// Cards that name nobody, groups, pictures that are too large, and what comes after the bounds:
    /// so many were left out.
    pub left_out: usize,
}
