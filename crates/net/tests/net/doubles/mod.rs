//! Servers for the other end. They share no parser with what they exercise.

pub mod authority;
pub mod name_server;
pub mod web;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use offhook_model::{Endpoint, Link, Service};
use offhook_net::{HostEntry, Net, NetOptions};

/// Long enough for a busy machine; no test waits that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A [`Net`] with these options.
pub fn net(options: NetOptions) -> Arc<Net> {
    offhook_net::install_crypto();
    Net::new(options).expect("options are good")
}

/// A [`Net`] that asks `server`.
pub fn asking(server: SocketAddr) -> Arc<Net> {
    net(NetOptions { name_servers: vec![server], ..NetOptions::default() })
}

/// A [`Net`] that knows `names` as 127.0.0.1 and trusts `authorities`; it asks no name server.
pub fn knowing(names: &[&str], authorities: &[&Path]) -> Arc<Net> {
    let here = |name: &&str| HostEntry::new(*name, IpAddr::from([127, 0, 0, 1]));
    net(NetOptions {
        name_servers: vec![closed_port()],
        hosts: names.iter().map(here).collect(),
        ca_files: authorities.iter().map(|path| PathBuf::from(*path)).collect(),
        ..NetOptions::default()
    })
}

/// An HTTPS service of Communications Manager.
pub fn uds(host: &str, port: u16) -> Endpoint {
    Endpoint { service: Service::Uds, host: host.to_owned(), port, link: Link::Tls }
}

/// A port of 127.0.0.1 on which nothing listens.
pub fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound")
}
