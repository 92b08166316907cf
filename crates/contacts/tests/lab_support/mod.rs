//! The laboratory with two clusters of two nodes, and the way to it.

use std::sync::Arc;

use offhook_lab::{Lab, LabConfig, Scenario};
use offhook_net::{Net, NetOptions};
use offhook_ports::{Target, World};
use offhook_testkit::NoChat;

/// A running laboratory.
pub struct TwoClusters {
    pub lab: Lab,
    /// The nodes by cluster, as a sign-in knows them.
    pub clusters: Vec<Vec<Target>>,
}

impl TwoClusters {
    pub async fn new(config: LabConfig) -> Self {
        let lab = Lab::start(Scenario::MultiCluster, config).await.expect("a laboratory");
        let port = lab.info().services.uds.port();
        let node = |host: &str| Target { host: format!("{host}.lab.example"), port };
        let clusters = vec![vec![node("cucm1"), node("cucm2")], vec![node("cucm3"), node("cucm4")]];
        Self { lab, clusters }
    }

    /// A network that has never been here: no cookie, no connection. The nodes are reached by the
    /// port of the field, 8443, as well, and the file server as `photos.lab.example`, port 80.
    pub fn world(&self) -> World {
        let info = self.lab.info();
        let port = info.services.uds.port();
        let photos = format!("photos.lab.example:80={}", info.services.files);
        let field = (1..=4).map(|at| format!("cucm{at}.lab.example:8443=127.0.0.{at}:{port}"));
        let hosts = field.chain([photos]).map(|entry| entry.parse().expect("an entry"));
        let net = Net::new(NetOptions {
            name_servers: vec![info.name_server.parse().expect("an address")],
            ca_files: vec![info.ca_file.clone()],
            hosts: hosts.collect(),
            ..NetOptions::default()
        })
        .expect("a network");
        World {
            dns: net.clone(),
            http: net.clone(),
            probe: net.clone(),
            xmpp: Arc::new(NoChat),
            clock: net,
        }
    }

    pub async fn stop(self) {
        self.lab.stop().await;
    }
}
