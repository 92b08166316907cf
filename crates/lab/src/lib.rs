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
//! One file or folder per service: `dns`, `uds`, `ccmcip`, `files`, `soap`, `cas`, `xmpp`, `sip`, `robot`. A
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
//! mode = "tone"                       # or echo, speech, mute, noAnswer, busy
//! toneHz = 1000.0
//!
//! [ports]                             # 0 or absent: any free port
//! dns = 0
//!
//! [sip]
//! digest = "standard"                 # or nobody, everybody
//! codecs = ["PCMU", "PCMA"]
//! deviceTransport = 1                 # of the device files: 1 TCP, 2 UDP, 3 TLS
//! security = "off"                    # of people's phones; or authenticated, encrypted
//! capf = "nothing"                    # how they get certificates; or string, null, certificate
//!
//! [uds]
//! searchAuth = false                  # who searches the directory shows a password
//! searchLimit = 64                    # people a page at most, 1 to 500
//! people = 0                          # made-up people besides users and robots
//!
//! [im]
//! mutualContacts = false
//! reloginLower = 120                  # seconds before a client comes back after a lost server
//! reloginUpper = 537
//! secondNode = false                 # imp2 beside imp1; words on standard input, see `Lab::tell`
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

mod capf;
mod cas;
mod ccmcip;
mod certs;
mod client_config;
mod config;
mod deployment;
mod dns;
mod edge;
mod events;
mod fault;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod heard;
mod http;
mod info;
mod net;
mod nodes;
mod profile;
mod random;
mod robot;
mod scenario;
mod sip;
mod soap;
mod srtp;
mod start;
mod uds;
mod uds_search;
mod web_dialer;
mod xml;
mod xmpp;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

pub use config::{
    CapfMode, DigestFor, ImConfig, LabConfig, Ports, RobotConfig, RobotMode, Security, SipConfig,
    UdsConfig, UserConfig,
};
pub use events::{LabEvent, Statistics};
pub use fault::{Fault, Faults};
pub use heard::Heard;
pub use info::{LabInfo, RobotInfo, Services, UserInfo};
pub use scenario::Scenario;

use certs::{Authority, Certificates, PhoneAuthority};
use deployment::Deployment;
use nodes::{HOSTS, Word};
use start::{Held, Sockets};
use xmpp::Door;

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
    /// The name server shows the outer view.
    outside: Arc<AtomicBool>,
    /// Ports held on purpose, by faults.
    _held: Held,
    /// Removed at the end when it was made for this run.
    temporary: Option<PathBuf>,
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
        let sockets = Sockets::take(scenario, &config, &faults).await?;
        let phones = PhoneAuthority::new(&authority, config.sip.aged_certificates)?;
        let vouching = (authority.file().to_owned(), phones);
        let (services, sip) = (sockets.services()?, sockets.sip_place()?);
        let (place, held) =
            start::place(scenario, &config, &faults, (services, sip), state, vouching).await?;
        let deployment = Arc::new(Deployment::new(scenario, config, faults, place));
        write(&deployment.bootstrap_file(), &deployment.bootstrap())?;
        let certificates = Certificates::issue(&authority, &deployment)?;
        let stopping = Arc::new(watch::channel(false).0);
        let outside = Arc::new(AtomicBool::new(scenario == Scenario::Edge));
        let mut lab =
            Self { deployment, tasks: JoinSet::new(), stopping, outside, _held: held, temporary };
        lab.serve(sockets, certificates);
        Ok(lab)
    }

    fn serve(&mut self, sockets: Sockets, certificates: Certificates) {
        let deployment = Arc::clone(&self.deployment);
        let scenario = deployment.scenario;
        let zone = Arc::new(dns::Views::of(&deployment, Arc::clone(&self.outside)));
        self.run(dns::run_udp(sockets.dns_udp, Arc::clone(&zone)));
        if !deployment.faults.has(Fault::TruncatedSrv) {
            self.run(dns::run_tcp(sockets.dns_tcp, zone));
        }
        let first = sockets.uds_ipv6.map(|listener| (0, listener));
        for (node, listener) in sockets.uds.into_iter().enumerate().chain(first) {
            let handler = uds::handler(Arc::clone(&deployment), node);
            self.run(http::run(listener, Some(Arc::clone(&certificates.uds)), handler));
        }
        self.run(http::run(sockets.files, None, files::handler(Arc::clone(&deployment))));
        let (second_soap, second_xmpp) = sockets.second.unzip();
        if scenario.has_presence_server() {
            for (node, listener) in
                [Some(sockets.soap), second_soap].into_iter().flatten().enumerate()
            {
                self.run(soap::run(
                    Arc::clone(&deployment),
                    node,
                    listener,
                    Arc::clone(&certificates.web),
                ));
            }
        }
        let cas = cas::handler(Arc::clone(&deployment), true);
        self.run(http::run(sockets.cas, Some(certificates.web), cas));
        let cas = cas::handler(Arc::clone(&deployment), false);
        self.run(http::run(sockets.cas_http, None, cas));
        let im = Arc::new(xmpp::Shared::new(Arc::clone(&deployment), certificates.chat));
        let first = Door::default();
        for (listener, door) in [
            (Some(sockets.xmpp), first),
            (Some(sockets.xmpps), Door { direct_tls: true, ..first }),
            (Some(sockets.xmpp443), first),
            (second_xmpp, Door { node: 1, ..first }),
        ] {
            let Some(listener) = listener else { continue };
            self.run(xmpp::run(listener, Arc::clone(&im), door, Arc::clone(&self.stopping)));
        }
        let stopping = Arc::clone(&self.stopping);
        self.run(xmpp::run_edge(sockets.edge_xmpp, Arc::clone(&im), stopping));
        self.run(capf::run(Arc::clone(&deployment), sockets.capf, certificates.capf));
        let (inbox, arrivals) = mpsc::channel(1024);
        let nodes = Arc::clone(&deployment.sip_nodes);
        nodes.listen(inbox.clone());
        let sip = Arc::new(sip::transport::Transports::new(sockets.sip_udp, inbox));
        self.run(sip::server::run(deployment, Arc::clone(&sip), arrivals));
        self.run(Arc::clone(&sip).run_udp());
        let more = sockets.sip_nodes;
        for (node, listener, tls) in [
            (0, Some(sockets.sip_tcp), None),
            (0, Some(sockets.sip_tls), Some(certificates.sip)),
            (1, more.second, None),
            (2, more.gateway, None),
            (sip::nodes::INSIDE, more.robots, None),
        ] {
            let Some(listener) = listener else { continue };
            self.run(Arc::clone(&nodes).serve(node, listener, Arc::clone(&sip), tls));
        }
        if scenario.has_edges() {
            let cookies = Arc::default();
            for (edge, listener) in sockets.edges.into_iter().enumerate() {
                let handler =
                    edge::handler(Arc::clone(&self.deployment), Arc::clone(&cookies), edge);
                self.run(http::run(listener, Some(Arc::clone(&certificates.edge)), handler));
            }
            let inside = sip::nodes::INSIDE;
            self.run(sip.run_stream(sockets.edge_sip, Some(certificates.edge), inside, true));
        }
        robot::start(&mut self.tasks, &im, &self.stopping);
    }

    fn run(&mut self, service: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(service);
    }

    /// Where everything listens and who exists.
    #[must_use]
    pub fn info(&self) -> LabInfo {
        self.deployment.info()
    }

    /// Changes what the name server shows, in [`Scenario::EdgeRoaming`]: the edges and nothing else,
    /// or the inside.
    pub fn go_outside(&self, outside: bool) {
        self.outside.store(outside, Ordering::Release);
    }

    /// Follows a word about the nodes of IM and Presence, where the configuration has two: `kill NODE`,
    /// `revive NODE`, `move USER NODE`, `fallback` (everybody to the first), and `forget sessions` (of
    /// the SOAP sign-in); or about the call manager: `kill` and `revive` with its nodes, `mwi USER on`,
    /// `forward USER NUMBER`, `restart USER`, `reset USER`, `check-version USER`; or about CAPF:
    /// `capf nothing`, `capf string`, `capf null`, `capf certificate`.
    ///
    /// # Errors
    /// It is none of these, or there is no second node.
    pub fn tell(&self, line: &str) -> Result<(), LabError> {
        let lab = &self.deployment;
        let node = |node: usize, up| {
            lab.im_nodes.set(node, up);
            let node = HOSTS.get(node).copied().unwrap_or_default();
            lab.events.tell(LabEvent::Node { node, up });
        };
        if let Some(mode) = line.trim().strip_prefix("capf ").and_then(CapfMode::by_name) {
            lab.set_capf_mode(mode);
            return Ok(());
        }
        if let Some(word) = sip::nodes::Word::read(line) {
            return lab.sip_nodes.tell(word);
        }
        let word = Word::read(line)?;
        if !lab.im_nodes.are_two() {
            return Err(LabError::Config("there is no second node: [im] secondNode = true".into()));
        }
        match word {
            Word::Kill(which) => node(which, false),
            Word::Revive(which) => node(which, true),
            Word::Move(user, to) => lab.im_nodes.put(Some(&user), to),
            Word::Fallback => lab.im_nodes.put(None, 0),
            Word::ForgetSessions => lab.close_sessions(),
        }
        Ok(())
    }

    /// What happens from now on. A listener that lags loses the oldest events.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<LabEvent> {
        self.deployment.events.listen()
    }

    /// What the nodes of UDS and the file server were asked since this was asked last, oldest first:
    /// the last thousand requests.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.deployment.heard.take()
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

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    std::fs::write(path, text).map_err(|source| LabError::File { path: path.to_owned(), source })
}
