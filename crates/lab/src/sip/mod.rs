//! The SIP side of the deployment: registrar and back-to-back user agent, CUCM style.

mod calls;
mod desk;
pub(crate) mod digest;
mod keys;
pub(crate) use keys::element;
pub(crate) mod message;
pub(crate) mod nodes;
mod outside;
mod registrar;
pub(crate) mod server;
mod statistics;
mod told;
pub(crate) mod transport;
mod watchers;
