//! The loop: take an event, let the core handle it, carry out its effects, arm its timer, publish
//! its snapshot.
//!
//! The only place that spawns tasks. It decides nothing: what an adapter says goes to the core as
//! an event, what the core wants goes to an adapter as a call.

mod cards;
mod desk;
mod effects;
mod flows;
mod handle;
mod jobs;
mod links;
mod questions;
mod register;
mod run;
mod ways;

pub use handle::{CommandRefused, Handle};
pub use jobs::FileFolders;
pub use register::register;
pub use run::{Setup, directories, moment, start, world};
