//! The network adapter against servers written by hand, on loopback.

mod connections;
mod doubles;
mod http;
mod knot;
mod names;
mod replay;
mod sip;
mod trust;
