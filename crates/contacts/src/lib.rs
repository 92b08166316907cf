//! People: who they are, where they are found, and by what.
//!
//! [`Index`] knows all entries that are known here and finds them by the beginnings of words,
//! [`merge()`] makes persons of entries, and [`Search`] shows both while somebody types and asks
//! the directory, which [`ldap`] or [`uds`] answers.

pub mod carddav;
mod charset;
mod digits;
mod directory;
pub mod federation;
mod fields;
mod fold;
#[doc(hidden)]
pub mod fuzzing;
mod index;
pub mod ldap;
mod merge;
pub mod numbers;
mod query;
mod search;
mod shown;
pub mod table;
mod taken;
pub mod uds;
mod uri;
pub mod vcard;
mod why;

pub use directory::{Directory, Look, Means, Servers, SignedIn};
pub use fields::name_of;
pub use index::{Found, Index};
pub use merge::{Merged, merge};
pub use query::{MAX_QUERY, Query};
pub use search::{AskId, DirectoryAnswer, Known, MOST_GROUPS, Search, SearchLimits, SearchOutput};
pub use shown::tidied;
