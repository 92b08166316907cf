//! The owner of all application state.
//!
//! [`Core`] is a plain value: `core.handle(event, now)`, then drain `core.poll_effect()`, then ask
//! `core.next_timeout()`, then publish `core.snapshot()`. It has no sockets, no tasks, no clock and
//! no randomness of its own; time is an argument and chance comes from one seed.
//!
//! Every room below decides its own part: `session` how one is let in, `standing` what works of it,
//! `leaving` the way out, `network` and `moving` what a change of network means, `budget` how often an authenticator
//! is asked, `memory` what was found and settled before, `trust` certificates, `provision` reset and configuration
//! URLs, `chat` the link to the chat server and `reviving` its return, `chats`, `rooms`, `people` and `files` what the user wants of
//! them, `policy` what administrators decided about chat, `calls` the phone. `commands` routes what the user wants, `project` shows what is.

mod budget;
mod calls;
mod chance;
mod chat;
mod chats;
mod commands;
mod contacts;
mod devices;
mod effect;
mod enrolling;
mod event;
mod failover;
mod files;
mod gate;
mod history;
mod leaving;
mod memory;
mod moving;
mod network;
mod notify;
mod people;
mod phase;
mod policy;
mod project;
mod provision;
mod resuming;
mod reviving;
mod rooms;
mod session;
mod standing;
mod state;
mod trust;
mod ways;

pub use contacts::BookRead;
pub use effect::{CardsFor, Effect, StoreTag};
pub use enrolling::identity_words;
pub use event::{Event, FlowOutcome, LinkId, RunId, XmppEvent};
pub use offhook_call::Tone;
pub use state::{Core, Options};
