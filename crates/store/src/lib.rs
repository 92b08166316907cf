//! What is kept on this computer: settings, manual connection settings, chat and call history,
//! what is known of people, and the password.
//!
//! One thread owns the files; requests are carried out in the order in which they came. Nothing
//! here decides what to keep. Passwords are not written to any file: the operating system keeps
//! them, asked by a thread of their own.

mod amend;
mod archive;
mod base;
#[cfg(test)]
mod crash;
mod export;
mod files;
mod forgetting;
mod history;
mod keys;
mod opening;
mod passwords;
mod people;
mod photos;
mod reading;
mod rows;
mod schema;
mod seal;
mod text;
mod thread;
mod words;
mod worker;

pub use passwords::Keeper;
pub use photos::photo_id;
pub use thread::{Kept, Places, Store};
