//! Which name servers to ask, and the names this machine knows by itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use offhook_model::DnsFault;

/// The name servers.
#[derive(Debug)]
pub(super) struct Servers {
    given: Vec<SocketAddr>,
}

impl Servers {
    pub(super) fn new(given: Vec<SocketAddr>) -> Self {
        Self { given }
    }

    /// The given ones, else the system's as they are now: they change with networks and VPNs.
    pub(super) fn list(&self) -> Result<Vec<SocketAddr>, DnsFault> {
        if !self.given.is_empty() {
            return Ok(self.given.clone());
        }
        let listed = system();
        if listed.is_empty() { Err(DnsFault::NoServer) } else { Ok(listed) }
    }
}

/// The system's name servers as they are now.
pub(super) fn system() -> Vec<SocketAddr> {
    let config = read_system_conf()
        .inspect_err(|error| tracing::debug!(%error, "the system names no name server"));
    let Ok((config, _)) = config else { return vec![] };
    let servers = config.name_servers().iter().map(|server| {
        let port = server.connections.first().map_or(53, |connection| connection.port);
        SocketAddr::new(server.ip, port)
    });
    servers.collect()
}

/// The system's hosts file, read when it is first needed.
#[derive(Debug, Default)]
pub(super) struct HostsFile {
    read: Mutex<Option<Hosts>>,
}

impl HostsFile {
    pub(super) fn addresses(&self, name: &Name) -> Vec<IpAddr> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts = read.get_or_insert_with(|| Hosts::from_system().unwrap_or_default());
        let name = name.to_lowercase();
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)))
            .flat_map(|lookup| {
                let answers = lookup.answers().iter();
                answers.filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>()
            })
            .collect()
    }

    pub(super) fn forget(&self) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
