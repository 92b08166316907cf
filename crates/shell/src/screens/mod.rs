//! What a person sees, one file a screen.

pub mod call_bar;
pub mod call_stage;
pub mod calls;
pub mod chats;
pub mod column;
pub mod contacts;
pub mod conversation;
pub mod dialogs;
pub mod entry;
pub mod failure;
pub mod hub;
pub mod incoming;
pub mod keys;
pub mod links;
pub mod manual;
pub mod page;
pub mod policy;
pub mod presence;
pub mod search;
pub mod settings;
pub mod status;
pub mod toasts;
pub mod trace;
pub mod trust;
