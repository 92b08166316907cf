//! The control API: JSON-RPC 2.0, one message a line, over the profile's local socket.
//!
//! It speaks [`Snapshot`](offhook_model::Snapshot) and [`Command`](offhook_model::Command) and
//! nothing else; whoever holds the socket can do what the window can do. Every connection is told
//! everything that happens as `event` notifications. The socket itself is `platform`'s.

mod calls;
mod chats;
mod client;
mod contacts;
mod files;
mod host;
mod methods;
mod params;
mod people;
mod rooms;
mod rpc;
mod server;

pub use client::{Answer, Client, ClientError};
pub use host::Host;
pub use server::serve;
