//! The owner of all application state.
//!
//! [`Core`] is a plain value: `core.handle(event, now)`, then drain `core.poll_effect()`, then ask
//! `core.next_timeout()`, then publish `core.snapshot()`. It has no sockets, no tasks, no clock and
//! no randomness of its own; time is an argument and chance comes from one seed.
//!
//! Every room below decides its own part: `session` how one is let in, `standing` what works of it,
//! `leaving` the way out, `chat` the link to the chat server, `calls` the phone. `commands` routes what the user wants, `project` shows what is.

mod calls;
mod chance;
mod chat;
mod commands;
mod effect;
mod event;
mod history;
mod leaving;
mod project;
mod session;
mod standing;
mod state;

pub use effect::{Effect, StoreTag};
pub use event::{Event, FlowOutcome, LinkId, RunId, XmppEvent};
pub use offhook_call::Tone;
pub use state::{Core, Options};
