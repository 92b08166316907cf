//! Harness of the interop tests: starts real servers and peers on loopback, each with its own
//! configuration in a temporary folder, and drives the built programs from outside.
//!
//! Nothing of the product is linked here. `offhook` and `offhook-lab` are started as processes and
//! spoken to by their command line and control API only, so that what the tests show is what a
//! script or a headset plug-in would see. What is tested against what: `docs/interop.md`.

#![allow(clippy::disallowed_methods, reason = "a harness starts programs and waits for them")]
#![allow(clippy::print_stdout, reason = "what is skipped is said aloud")]

mod baresip;
mod bind;
mod chat_server;
mod client;
mod cluster;
mod cutter;
mod desktop;
mod dice;
mod hostile_server;
mod kamailio;
mod keyring;
mod knot;
mod lab;
mod line;
mod linphone;
mod nginx;
mod pki;
mod ports;
mod programs;
mod proxies;
mod radicale;
mod registrar;
mod running;
mod scratch;
mod sipp;
mod slapd;
pub mod sound;
mod standard;
mod survivor;
mod turn;
mod wait;
mod xmpp_peer;

pub use baresip::{Baresip, PhoneAccount, SPEECH_DB, SPEECH_HZ, WAY_ADDRESS};
pub use bind::Bind;
pub use chat_server::{ChatServer, by_ejabberd};
pub use client::{Client, Setup, doctor, offhook};
pub use cluster::Cluster;
pub use cutter::Cutter;
pub use desktop::{Desktop, Node};
pub use dice::Dice;
pub use hostile_server::HostileServer;
pub use kamailio::Kamailio;
pub use keyring::Keyring;
pub use knot::Knot;
pub use lab::Lab;
pub use line::{Line, Said};
pub use linphone::Linphone;
pub use nginx::Nginx;
pub use pki::{Authority, Flaw, Identity};
pub use ports::free_port;
pub use programs::{have, in_namespace, program, python};
pub use proxies::{Squid, Tinyproxy, Tunnels};
pub use radicale::Radicale;
pub use registrar::Registrar;
pub use running::{Running, alive, pause};
pub use scratch::Scratch;
pub use sipp::{Scenario, Sipp, description};
pub use slapd::{Like, Slapd};
pub use standard::{DOMAIN, PASSWORD, Parts, Standard};
pub use survivor::Survivor;
pub use turn::{Turn, TurnBy};
pub use wait::{attempt, until};
pub use xmpp_peer::XmppPeer;

/// How a SIP account reaches its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP in clear.
    Tcp,
    /// TLS.
    Tls,
}

impl Transport {
    /// As in a URI's `transport` parameter.
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}
