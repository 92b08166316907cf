//! What `offhook-lab up` prints first: where everything listens, who exists, and what to give a
//! client so that it finds its way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use crate::cas::{API_HOST, CAS_HOST, CLUSTER_HOST};
use crate::deployment::Deployment;
use crate::fault::Fault;
use crate::scenario::Scenario;

/// Where everything listens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Services {
    /// Name server, UDP and TCP.
    pub dns: SocketAddr,
    /// UDS over HTTPS.
    pub uds: SocketAddr,
    /// Configuration files over HTTP.
    pub files: SocketAddr,
    /// IM and Presence SOAP over HTTPS.
    pub soap: SocketAddr,
    /// XMPP with STARTTLS.
    pub xmpp: SocketAddr,
    /// XMPP with direct TLS.
    pub xmpps: SocketAddr,
    /// SIP over UDP.
    pub sip_udp: SocketAddr,
    /// SIP over TCP.
    pub sip_tcp: SocketAddr,
    /// SIP over TLS.
    pub sip_tls: SocketAddr,
    /// CAPF over TLS.
    pub capf: SocketAddr,
    /// CAS and the web services of WebEx Messenger over HTTPS.
    pub cas: SocketAddr,
    /// CAS over HTTP.
    pub cas_http: SocketAddr,
    /// XMPP with STARTTLS for clients that try port 443 of a cloud cluster.
    pub xmpp443: SocketAddr,
    /// The edges over HTTPS.
    pub edges: Vec<SocketAddr>,
    /// SIP over TLS of the edges.
    pub edge_sip: SocketAddr,
    /// XMPP of the edges.
    pub edge_xmpp: SocketAddr,
}

/// One line of the user table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInfo {
    /// Address to type into the client's first screen.
    pub address: String,
    /// Address of the same person in the standard domain.
    pub standard_address: String,
    /// User id.
    pub username: String,
    /// Password.
    pub password: String,
    /// Directory number.
    pub number: String,
    /// Device name.
    pub device: String,
    /// Name as shown to others.
    pub display_name: String,
}

/// One line of the robot table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RobotInfo {
    /// IM address.
    pub address: String,
    /// Address of the same robot in the standard domain.
    pub standard_address: String,
    /// Directory number.
    pub number: String,
    /// Name as shown to others.
    pub display_name: String,
}

/// What `offhook-lab up` prints first.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabInfo {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// Names of the faults put in.
    pub faults: Vec<&'static str>,
    /// Services domain.
    pub domain: String,
    /// Domain with the records of open standards.
    pub standard_domain: String,
    /// `ADDR:PORT` of the name server.
    pub name_server: String,
    /// PEM file with the laboratory's authority.
    pub ca_file: PathBuf,
    /// Folder of the recordings.
    pub state: PathBuf,
    /// People to sign in as.
    pub users: Vec<UserInfo>,
    /// Colleagues who answer.
    pub robots: Vec<RobotInfo>,
    /// Numbers that answer with a SIP status.
    pub status_numbers: BTreeMap<String, u16>,
    /// Where everything listens; ports that a fault makes refuse or swallow are the spoilt ones.
    pub services: Services,
    /// Domain that holds the Cisco records, when it is not `domain`.
    pub voice_services_domain: Option<String>,
    /// `NAME:PORT=ADDR:PORT`: which of our ports stands for which port of the field. For clients
    /// that use a port no record names.
    pub hosts: Vec<String>,
    /// A bootstrap file that leads here.
    pub bootstrap_file: PathBuf,
    /// A configuration URL that leads here.
    pub configuration_url: String,
    /// Manual connection settings that lead here, as `session.setManual` takes them; best first.
    pub manual: Vec<serde_json::Value>,
}

impl Deployment {
    /// The table for the person who started the laboratory.
    pub(crate) fn info(&self) -> LabInfo {
        let (domain, standard) = (self.domain(), self.standard_domain());
        let users = self.people.iter().filter_map(|person| {
            Some(UserInfo {
                address: format!("{}@{domain}", person.name),
                standard_address: format!("{}@{standard}", person.name),
                username: person.name.clone(),
                password: person.password.clone()?,
                number: person.number.clone(),
                device: person.device.clone(),
                display_name: person.display_name.clone(),
            })
        });
        let robots = self.people.iter().filter(|person| person.robot.is_some());
        let faults = Fault::ALL.iter().filter(|fault| self.faults.has(**fault));
        LabInfo {
            scenario: self.scenario.name(),
            faults: faults.map(|fault| fault.name()).collect(),
            domain: domain.to_owned(),
            standard_domain: standard.clone(),
            name_server: self.services.dns.to_string(),
            ca_file: self.ca_file.clone(),
            state: self.state.clone(),
            users: users.collect(),
            robots: robots
                .map(|person| RobotInfo {
                    address: format!("{}@{domain}", person.name),
                    standard_address: format!("{}@{standard}", person.name),
                    number: person.number.clone(),
                    display_name: person.display_name.clone(),
                })
                .collect(),
            status_numbers: self.config.status_numbers.clone(),
            services: self.shown.clone(),
            voice_services_domain: self.scenario.voice_domain(domain),
            hosts: self.hosts(),
            bootstrap_file: self.bootstrap_file(),
            configuration_url: self.configuration_url(),
            manual: self.manual(),
        }
    }

    /// Where the bootstrap file is, see [`Deployment::bootstrap`].
    pub(crate) fn bootstrap_file(&self) -> PathBuf {
        self.state.join("bootstrap.properties")
    }

    /// The text of a bootstrap file for this deployment (reference page bootstrap section 2),
    /// with the filler lines that installers leave.
    pub(crate) fn bootstrap(&self) -> String {
        let mut lines = vec![format!("ServicesDomain: {}", self.domain())];
        let voice = self.scenario.voice_domain(self.domain());
        lines.extend(voice.map(|domain| format!("VoiceServicesDomain: {domain}")));
        lines.push("NOT_SPECIFIED".into());
        if self.faults.has(Fault::OnlyIpv6) {
            lines.push("IP_Mode: IPv4-Only".into());
        }
        if self.scenario == Scenario::Manual {
            lines.push("ServiceDiscoveryExcludedServices: WEBEX,CUCM,CUP".into());
            lines.push("Authenticator: CUP".into());
            lines.push(format!("CUPAddress: {}", self.host("imp1")));
            lines.push(format!("TftpServer1: {}", self.host("cucm1")));
        }
        lines.push("NOT_SPECIFIED".into());
        lines.join("\r\n") + "\r\n"
    }

    fn configuration_url(&self) -> String {
        let domain = self.domain();
        let voice = self.scenario.voice_domain(domain);
        let voice = voice.map(|it| format!("&VoiceServicesDomain={it}")).unwrap_or_default();
        format!("ciscojabber://provision?ServicesDomain={domain}{voice}")
    }

    fn manual(&self) -> Vec<serde_json::Value> {
        let (imp, cucm) = (self.host("imp1"), self.host("cucm1"));
        let cup = json!({ "accountType": "cup", "server": imp });
        let phone = json!({ "accountType": "cucm", "server": cucm, "tftp": cucm, "ccmcip": cucm });
        let cloud = json!({ "accountType": "webex" });
        match self.scenario {
            Scenario::Cloud => vec![cloud],
            Scenario::Hybrid => vec![cloud, phone],
            Scenario::PhoneOnly => vec![phone],
            Scenario::Cup8 | Scenario::ImOnly => vec![cup],
            // Nothing inside can be reached by hand.
            Scenario::Edge => vec![],
            Scenario::OnPrem
            | Scenario::EdgeRoaming
            | Scenario::MultiCluster
            | Scenario::Pinpoint
            | Scenario::VoiceDomain
            | Scenario::Manual => vec![cup, phone],
        }
    }

    fn hosts(&self) -> Vec<String> {
        let shown = &self.shown;
        let mut out = vec![
            format!("{CAS_HOST}:443={}", shown.cas),
            format!("{CAS_HOST}:80={}", shown.cas_http),
        ];
        if self.scenario == Scenario::Edge {
            return out;
        }
        if let Some(port) = self.refused_voicemail {
            let (host, ip) = (self.host("cuc1"), self.config.bind);
            out.extend([443, 7080].map(|of| format!("{host}:{of}={}", SocketAddr::new(ip, port))));
        }
        if self.scenario.is_cloud() {
            out.push(format!("{API_HOST}:443={}", shown.cas));
            out.push(format!("{CLUSTER_HOST}:443={}", shown.xmpp443));
            out.push(format!("{CLUSTER_HOST}:5222={}", shown.xmpp));
        }
        if self.scenario != Scenario::Cloud {
            // An entry would give a name the address that it is to lack.
            let unknown = self.faults.has(Fault::NoAddress);
            for node in self.nodes.iter().filter(|node| !(unknown && node.host == "cucm1")) {
                let at = if node.at == self.services.uds { shown.uds } else { node.at };
                out.push(format!("{}:8443={at}", self.host(node.host)));
            }
            if !unknown {
                let cucm = self.host("cucm1");
                out.push(format!("{cucm}:6970={}", shown.files));
                out.push(format!("{cucm}:5060={}", shown.sip_tcp));
                out.push(format!("{cucm}:5061={}", shown.sip_tls));
            }
        }
        if self.scenario.has_presence_server() {
            out.push(format!("{}:8443={}", self.host("imp1"), shown.soap));
            out.push(format!("{}:5222={}", self.host("imp1"), shown.xmpp));
            if let Some(ip) = self.config.second_address() {
                for (of, at) in [(8443, shown.soap), (5222, shown.xmpp)] {
                    let at = SocketAddr::new(ip, at.port());
                    out.push(format!("{}:{of}={at}", self.host("imp2")));
                }
            }
        }
        out
    }
}
