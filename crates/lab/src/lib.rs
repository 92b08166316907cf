//! A whole UC deployment on loopback, in one process: name server, UDS, configuration files, IM
//! and Presence sign-in, XMPP server, SIP registrar, and colleagues who chat and answer calls.
//!
//! The laboratory is what the client is tried against, so it shares no parser and no type with
//! the client: DNS packets, HTTP, XML, SIP, SDP, RTP and G.711 are all read and written by code
//! that exists here only. What both sides get wrong in the same way would otherwise go unseen.
//!
//! ```no_run
//! # async fn example() -> Result<(), offhook_lab::LabError> {
//! use offhook_lab::{Lab, LabConfig, Scenario};
//!
//! let lab = Lab::start(Scenario::OnPrem, LabConfig::default()).await?;
//! println!("{}", lab.info().name_server);
//! lab.stop().await;
//! # Ok(()) }
//! ```
//!
//! One file or folder per service: `dns`, `uds`, `files`, `soap`, `xmpp`, `sip`, `robot`. A
//! [`Scenario`] decides which of them run, a [`Fault`] spoils one of them; both are found by name.
//!
//! Ports are free ones unless the configuration fixes them, so several laboratories can run side
//! by side; records, profiles and device files name the ports that were really taken.
//!
//! # As a program
//!
//! `offhook-lab up [--scenario on-prem] [--config FILE] [--fault NAME]… [--state DIR] [--json]`
//! prints where everything listens ([`LabInfo`]; with `--json` as the first line) and runs until
//! interrupted. With `--json` every further line is a [`LabEvent`]. `offhook-lab list` shows
//! scenarios and faults. Certificates (`ca.pem`) and recordings (`robot-NAME-N.wav`) are in the
//! state folder; a temporary one goes away at the end. `OFFHOOK_LAB_LOG` takes a tracing filter
//! (`trace` shows SIP messages) for standard error.
//!
//! # Configuration
//!
//! Every key is optional; this is the default in short:
//!
//! ```
//! # let text = r#"
//! domain = "lab.example"              # standardDomain is "open." + domain
//! bind = "127.0.0.1"
//! statusNumbers = { "4486" = 486, "4480" = 480, "4503" = 503 }
//! faults = []
//!
//! [[users]]
//! name = "alice"                      # password "secret", device "CSFALICE"
//! number = "2001"
//! firstName = "Alice"
//! lastName = "Anderson"
//!
//! [[robots]]
//! name = "bob"
//! number = "2002"
//! displayName = "Bob Robot"
//! mode = "tone"                       # or echo, speech, noAnswer, busy
//! toneHz = 1000.0
//!
//! [ports]                             # 0 or absent: any free port
//! dns = 0
//!
//! [sip]
//! digest = "standard"                 # or nobody, everybody
//! codecs = ["PCMU", "PCMA"]
//! deviceTransport = 1                 # of the device files: 1 TCP, 2 UDP, 3 TLS
//!
//! [im]
//! mutualContacts = false
//! mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "CISCO-VTG-TOKEN"]
//! # "#;
//! # offhook_lab::LabConfig::from_toml(text).unwrap();
//! ```
//!
//! # What a robot does
//!
//! It is online in both domains, confirms receipts, types for a moment and answers "You said: …";
//! "call me" or "call me from NUMBER" makes it call the sender, showing NUMBER. It answers calls
//! after one ring, plays its tone for three seconds, then sends back what it hears (keys too),
//! records everything, and hangs up after a minute.
#![allow(
    clippy::disallowed_methods,
    reason = "the laboratory is a program of its own: it owns its tasks and its clock"
)]

mod certs;
mod config;
mod deployment;
mod dns;
mod events;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod net;
mod random;
mod robot;
mod scenario;
mod sip;
mod soap;
mod uds;
mod xml;
mod xmpp;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

pub use config::{
    DigestFor, ImConfig, LabConfig, Ports, RobotConfig, RobotMode, SipConfig, UserConfig,
};
pub use deployment::{LabInfo, RobotInfo, Services, UserInfo};
pub use events::LabEvent;
pub use scenario::{Fault, Faults, Scenario};

use certs::{Authority, Flaw};
use deployment::{Deployment, UdsTarget};
use net::{DeadPort, RefusedPort};

/// Why a laboratory does not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The configuration or an option asks for something impossible; the text says what.
    #[error("{0}")]
    Config(String),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A port cannot be had.
    #[error("cannot listen on port {port} for {what}: {source}")]
    Listen {
        /// The service.
        what: &'static str,
        /// The port asked for; 0 for any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate cannot be made.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A running laboratory. Dropping it ends it at once; [`Lab::stop`] lets robots hang up first.
pub struct Lab {
    deployment: Arc<Deployment>,
    tasks: JoinSet<()>,
    stopping: Arc<watch::Sender<bool>>,
    /// Ports held on purpose, by faults.
    _held: Held,
    /// Removed at the end when it was made for this run.
    temporary: Option<PathBuf>,
}

#[derive(Default)]
struct Held {
    _refused: Option<RefusedPort>,
    _dead: Option<DeadPort>,
}

impl Lab {
    /// Starts all services of a scenario and returns when every port listens.
    ///
    /// # Errors
    /// A contradictory configuration, an unknown fault, a port that is taken, a state folder
    /// that cannot be written.
    pub async fn start(scenario: Scenario, config: LabConfig) -> Result<Self, LabError> {
        config.check()?;
        let faults = Faults::by_names(&config.faults)?;
        let (state, temporary) = state_folder(&config)?;
        let authority = Authority::create(&state)?;
        let (bind, ports) = (config.bind, config.ports);

        let (dns_udp, dns_tcp) = net::udp_and_tcp(bind, ports.dns, "the name server").await?;
        let uds = net::tcp(bind, ports.uds, "UDS").await?;
        let file_server = net::tcp(bind, ports.files, "configuration files").await?;
        let soap = net::tcp(bind, ports.soap, "the IM and Presence sign-in").await?;
        let xmpp = net::tcp(bind, ports.xmpp, "XMPP").await?;
        let xmpps = net::tcp(bind, ports.xmpps, "XMPP over TLS").await?;
        let (sip_udp, sip_tcp) = net::udp_and_tcp(bind, ports.sip, "SIP").await?;
        let sip_tls = net::tcp(bind, ports.sip_tls, "SIP over TLS").await?;
        let services = Services {
            dns: net::address(&dns_tcp)?,
            uds: net::address(&uds)?,
            files: net::address(&file_server)?,
            soap: net::address(&soap)?,
            xmpp: net::address(&xmpp)?,
            xmpps: net::address(&xmpps)?,
            sip_udp: net::address(&sip_tcp)?,
            sip_tcp: net::address(&sip_tcp)?,
            sip_tls: net::address(&sip_tls)?,
        };
        let (uds_targets, held) = uds_targets(&faults, &config, services.uds.port()).await?;
        let deployment = Arc::new(Deployment::new(
            scenario,
            config,
            faults.clone(),
            services,
            uds_targets,
            state,
            authority.file().to_owned(),
        ));

        let names = server_names(&deployment);
        let web = authority.server(&names, Flaw::None, &[b"http/1.1"])?;
        let uds_tls = authority.server(&names, uds_flaw(&faults), &[b"http/1.1"])?;
        let im_tls = authority.server(&names, Flaw::None, &[b"xmpp-client"])?;
        let sip_server_tls = authority.server(&names, Flaw::None, &[])?;

        let zone = Arc::new(dns::Zone::of(&deployment));
        let stopping = Arc::new(watch::channel(false).0);
        let im = Arc::new(xmpp::Shared::new(Arc::clone(&deployment), im_tls));
        let mut lab = Self {
            deployment: Arc::clone(&deployment),
            tasks: JoinSet::new(),
            stopping: Arc::clone(&stopping),
            _held: held,
            temporary,
        };
        lab.run(dns::run_udp(dns_udp, Arc::clone(&zone)));
        if !faults.has(Fault::TruncatedSrv) {
            lab.run(dns::run_tcp(dns_tcp, zone));
        }
        if !faults.has(Fault::RefusedPort) && !faults.has(Fault::DeadOnlyServer) {
            lab.run(http::run(uds, Some(uds_tls), uds::handler(Arc::clone(&deployment))));
        }
        lab.run(http::run(file_server, None, files::handler(Arc::clone(&deployment))));
        lab.run(http::run(soap, Some(web), soap::handler(Arc::clone(&deployment))));
        lab.run(xmpp::run(xmpp, Arc::clone(&im), false, Arc::clone(&stopping)));
        lab.run(xmpp::run(xmpps, Arc::clone(&im), true, Arc::clone(&stopping)));
        let (inbox, arrivals) = mpsc::channel(1024);
        let sip = Arc::new(sip::transport::Transports::new(sip_udp, inbox));
        lab.run(sip::server::run(Arc::clone(&deployment), Arc::clone(&sip), arrivals));
        lab.run(Arc::clone(&sip).run_udp());
        lab.run(Arc::clone(&sip).run_stream(sip_tcp, None));
        lab.run(sip.run_stream(sip_tls, Some(sip_server_tls)));
        robot::start(&mut lab.tasks, &im, &stopping);
        Ok(lab)
    }

    fn run(&mut self, service: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(service);
    }

    /// Where everything listens and who exists.
    #[must_use]
    pub fn info(&self) -> LabInfo {
        self.deployment.info()
    }

    /// What happens from now on. A listener that lags loses the oldest events.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<LabEvent> {
        self.deployment.events.listen()
    }

    /// Ends the laboratory: robots hang up and finish their recordings, then everything closes.
    pub async fn stop(mut self) {
        let _ = self.stopping.send(true);
        let patience = Duration::from_secs(2);
        let _ = tokio::time::timeout(patience, self.stopping.closed()).await;
        self.tasks.shutdown().await;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.tasks.abort_all();
        if let Some(folder) = &self.temporary {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn state_folder(config: &LabConfig) -> Result<(PathBuf, Option<PathBuf>), LabError> {
    let (folder, temporary) = match &config.state {
        Some(folder) => (folder.clone(), None),
        None => {
            let name = format!("offhook-lab-{}", random::hex::<8>());
            let folder = std::env::temp_dir().join(name);
            (folder.clone(), Some(folder))
        }
    };
    std::fs::create_dir_all(&folder)
        .map_err(|source| LabError::File { path: folder.clone(), source })?;
    Ok((folder, temporary))
}

async fn uds_targets(
    faults: &Faults,
    config: &LabConfig,
    port: u16,
) -> Result<(Vec<UdsTarget>, Held), LabError> {
    let mut held = Held::default();
    let mut targets = vec![UdsTarget { host: "cucm1", priority: 10, port }];
    if faults.has(Fault::RefusedPort) {
        let refused = RefusedPort::reserve(config.bind)?;
        targets = vec![UdsTarget { host: "cucm1", priority: 10, port: refused.port }];
        held._refused = Some(refused);
    }
    if faults.has(Fault::DeadServer) || faults.has(Fault::DeadOnlyServer) {
        let dead = DeadPort::reserve(config.bind).await?;
        let target = UdsTarget { host: "cucm2", priority: 5, port: dead.port };
        if faults.has(Fault::DeadOnlyServer) {
            targets.clear();
        }
        targets.insert(0, target);
        held._dead = Some(dead);
    }
    Ok((targets, held))
}

fn uds_flaw(faults: &Faults) -> Flaw {
    if faults.has(Fault::WrongNameCert) {
        Flaw::WrongName
    } else if faults.has(Fault::ExpiredCert) {
        Flaw::Expired
    } else if faults.has(Fault::SelfSignedCert) {
        Flaw::SelfSigned
    } else {
        Flaw::None
    }
}

/// Every name a service is reached by.
fn server_names(lab: &Deployment) -> Vec<String> {
    let (domain, open) = (lab.domain().to_owned(), lab.standard_domain());
    let mut names: Vec<String> = ["cucm1", "cucm2", "imp1"].map(|host| lab.host(host)).into();
    names.extend([domain, format!("xmpp.{open}"), format!("sip.{open}"), open]);
    names.extend(["localhost".to_owned(), lab.config.bind.to_string()]);
    names
}
