//! The XMPP server of the deployment, with one virtual host per domain.

pub(crate) mod iq;
pub(crate) mod rooms;
pub(crate) mod roster;
pub(crate) mod router;
pub(crate) mod sasl;
pub(crate) mod splitter;
pub(crate) mod stamp;
mod stream;

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::deployment::Deployment;
use crate::fault::Fault;
use router::Router;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) lab: Arc<Deployment>,
    pub(crate) router: Router,
    tls: TlsAcceptor,
}

impl Shared {
    /// Accounts for everybody in both domains; robots know every human from the start.
    pub(crate) fn new(lab: Arc<Deployment>, tls: Arc<ServerConfig>) -> Self {
        let names: Vec<String> = lab.people.iter().map(|person| person.name.clone()).collect();
        let domains = vec![lab.domain().to_ascii_lowercase(), lab.standard_domain()];
        let router = Router::new(domains.clone(), &names);
        for domain in &domains {
            for (at, one) in lab.people.iter().enumerate() {
                for two in lab.people.iter().skip(at + 1) {
                    let robot_and_human = one.robot.is_some() != two.robot.is_some();
                    let humans = one.robot.is_none() && two.robot.is_none();
                    if robot_and_human || humans && lab.config.im.mutual_contacts {
                        let address = |name: &str| format!("{name}@{domain}").to_ascii_lowercase();
                        router.befriend(
                            &address(&one.name),
                            &one.display_name,
                            &address(&two.name),
                            &two.display_name,
                        );
                    }
                }
            }
        }
        let shared = Self { lab, router, tls: TlsAcceptor::from(tls) };
        if shared.has_rooms(&shared.lab.domain().to_ascii_lowercase()) {
            let missing = shared.lab.faults.has(Fault::RoomHostMissing);
            shared.router.open_rooms(shared.lab.domain(), missing);
        }
        shared
    }

    /// Whether the domain has hosts for rooms: that of the IM and Presence servers.
    pub(crate) fn has_rooms(&self, domain: &str) -> bool {
        let scenario = self.lab.scenario;
        let own = domain.eq_ignore_ascii_case(self.lab.domain());
        own && scenario.has_presence_server() && !scenario.is_cloud()
    }

    /// The SASL mechanisms offered.
    fn mechanisms(&self) -> Vec<String> {
        if self.lab.faults.has(Fault::NoMechanism) {
            return vec!["GSSAPI".to_owned()];
        }
        if self.lab.scenario.is_cloud() {
            return ["WEBEX-TOKEN", "PLAIN"].map(str::to_owned).into();
        }
        self.lab.config.im.mechanisms.clone()
    }

    /// Whether the home node is named inside the mechanisms.
    fn tells_its_node(&self) -> bool {
        self.lab.config.im.domain_based_name && self.lab.scenario.has_presence_server()
    }

    /// The domains served, in lower case.
    pub(crate) fn domains(&self) -> [String; 2] {
        [self.lab.domain().to_ascii_lowercase(), self.lab.standard_domain().to_ascii_lowercase()]
    }
}

/// Where a connection came in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Door {
    /// Which node it is connected to.
    pub(crate) node: usize,
    /// By way of the edge.
    pub(crate) by_edge: bool,
    /// TLS from the first byte, not by STARTTLS.
    pub(crate) direct_tls: bool,
}

/// Serves XMPP of one node until dropped, while the node is up.
pub(crate) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    door: Door,
    stop: Arc<watch::Sender<bool>>,
) {
    let nodes = Arc::clone(&shared);
    let serve = |listener| {
        let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
        crate::net::serve(listener, move |tcp, _| {
            let (shared, stop) = (Arc::clone(&shared), stop.subscribe());
            async move {
                if door.direct_tls {
                    stream::run_tls(shared, tcp, door, stop).await;
                } else {
                    stream::run_starttls(shared, tcp, door, stop).await;
                }
            }
        })
    };
    nodes.lab.im_nodes.serve(door.node, listener, serve).await;
}

/// Serves XMPP of the edges until dropped: each connection goes to the first node that is up, and
/// ends where none is.
pub(crate) async fn run_edge(
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: Arc<watch::Sender<bool>>,
) {
    crate::net::serve(listener, move |tcp, _| {
        let (shared, stop) = (Arc::clone(&shared), stop.subscribe());
        async move {
            let Some(node) = shared.lab.im_nodes.first_up() else { return };
            let down = shared.lab.im_nodes.down(node);
            let door = Door { node, by_edge: true, direct_tls: false };
            tokio::select! {
                () = stream::run_starttls(shared, tcp, door, stop) => {}
                () = down => {}
            }
        }
    })
    .await;
}
