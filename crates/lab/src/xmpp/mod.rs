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

/// Serves XMPP until dropped, with TLS from the first byte or by STARTTLS.
pub(crate) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    direct_tls: bool,
    stop: Arc<watch::Sender<bool>>,
) {
    crate::net::serve(listener, move |tcp, _| {
        let (shared, stop) = (Arc::clone(&shared), stop.subscribe());
        async move {
            if direct_tls {
                stream::run_tls(shared, tcp, stop).await;
            } else {
                stream::run_starttls(shared, tcp, stop).await;
            }
        }
    })
    .await;
}
