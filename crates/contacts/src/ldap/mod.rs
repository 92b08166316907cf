//! The organisation's directory by LDAP: from settings to a plan, from a wish to questions, and
//! from what a server answers to people.
//!
//! [`LdapPlan::read`] draws the plan once after sign-in. Where it [looks for](LdapPlan::looks_for)
//! servers, whoever starts the flows asks `discovery::directory_servers` and hands over what that
//! finds. [`search`] then answers one [`Wish`] each; all share the plan's [`Standing`]. Dropping a
//! search abandons it at the server.

mod attributes;
mod entry;
mod filters;
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod masks;
mod plan;
mod referral;
mod search;
mod standing;
mod wish;

pub use filters::value as escaped;
pub use groups::{MOST_MEMBERS, MembersReport, members};
pub use plan::{Given, LdapPlan, SignIn, SignInOf, named_servers};
pub use search::{LdapReport, picture, search};
pub use standing::Standing;
pub use wish::Wish;
