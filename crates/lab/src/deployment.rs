//! The deployment all services of one laboratory share: who exists, what listens where, which
//! faults are in, and the sign-in secrets that pass from one service to another.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::certs::PhoneAuthority;
use crate::config::{CapfMode, LabConfig, RobotConfig, RobotMode, Security};
use crate::events::Events;
use crate::fault::{Fault, Faults};
use crate::heard::Journal;
use crate::info::Services;
use crate::nodes::ImNodes;
use crate::random;
use crate::scenario::Scenario;
use crate::sip::nodes::{SipNodes, SipPlace};

/// A human or a robot, as the services see them.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// `None` for robots, whom nobody can sign in as.
    pub(crate) password: Option<String>,
    pub(crate) number: String,
    pub(crate) display_name: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) device: String,
    /// The cluster the person is at home in.
    pub(crate) cluster: usize,
    pub(crate) robot: Option<RobotConfig>,
}

impl Person {
    /// Name of the phone on the person's desk.
    pub(crate) fn desk_phone(&self) -> String {
        let digits = random::stable_uuid(&format!("desk {}", self.name)).replace('-', "");
        format!("SEP{}", digits[..12].to_ascii_uppercase())
    }

    /// The opaque Contact user of the person's line.
    pub(crate) fn line_contact(&self) -> String {
        random::stable_uuid(&format!("line {}", self.number))
    }
}

/// A UDS server.
#[derive(Debug, Clone)]
pub(crate) struct UdsNode {
    /// Name without the domain.
    pub(crate) host: &'static str,
    pub(crate) at: SocketAddr,
    /// Which cluster it belongs to.
    pub(crate) cluster: usize,
}

/// A Cisco SRV record.
#[derive(Debug, Clone)]
pub(crate) struct SrvTarget {
    /// Name without the domain of what it is about, such as `_cisco-uds._tcp`.
    pub(crate) service: &'static str,
    /// The target as the record spells it.
    pub(crate) target: String,
    pub(crate) priority: u16,
    pub(crate) port: u16,
}

/// Where everything is: what listens, what is told of it, and where files go.
pub(crate) struct Place {
    /// What listens.
    pub(crate) services: Services,
    /// What clients are told; differs where a fault makes a port refuse or swallow.
    pub(crate) shown: Services,
    pub(crate) nodes: Vec<UdsNode>,
    pub(crate) srv: Vec<SrvTarget>,
    /// Port of the backup XMPP node, where there is one.
    pub(crate) backup_xmpp: Option<u16>,
    pub(crate) sip: SipPlace,
    /// Port of the voicemail server that a fault names and nobody plays.
    pub(crate) refused_voicemail: Option<u16>,
    /// The same for an LDAP directory.
    pub(crate) refused_directory: Option<u16>,
    pub(crate) state: PathBuf,
    pub(crate) ca_file: PathBuf,
    pub(crate) phones: PhoneAuthority,
}

/// Most sign-in secrets kept; the oldest sign-ins of a long run are forgotten all at once.
const MAX_SECRETS: usize = 4096;

/// Secrets one service hands out and another one accepts.
#[derive(Debug, Default)]
struct Secrets {
    /// SOAP session key → user id.
    sessions: HashMap<String, String>,
    /// One-time password → user id.
    one_time: HashMap<String, String>,
    /// UDS cookie → user id.
    cookies: HashMap<String, String>,
    /// WebEx token, credential or chat token → user id.
    cloud: HashMap<String, String>,
}

/// The deployment.
pub(crate) struct Deployment {
    pub(crate) scenario: Scenario,
    pub(crate) config: LabConfig,
    pub(crate) faults: Faults,
    pub(crate) services: Services,
    pub(crate) shown: Services,
    pub(crate) nodes: Vec<UdsNode>,
    pub(crate) srv: Vec<SrvTarget>,
    pub(crate) backup_xmpp: Option<u16>,
    pub(crate) sip: SipPlace,
    pub(crate) sip_nodes: std::sync::Arc<SipNodes>,
    pub(crate) refused_voicemail: Option<u16>,
    pub(crate) refused_directory: Option<u16>,
    pub(crate) people: Vec<Person>,
    pub(crate) events: Events,
    pub(crate) heard: Journal,
    pub(crate) im_nodes: ImNodes,
    pub(crate) state: PathBuf,
    pub(crate) ca_file: PathBuf,
    /// Who gives phones their certificates.
    pub(crate) phones: PhoneAuthority,
    capf: Mutex<CapfMode>,
    secrets: Mutex<Secrets>,
}

fn remember(map: &mut HashMap<String, String>, user: &str) -> String {
    if map.len() >= MAX_SECRETS {
        map.clear();
    }
    let key = random::uuid();
    map.insert(key.clone(), user.to_owned());
    key
}

impl Deployment {
    pub(crate) fn new(scenario: Scenario, config: LabConfig, faults: Faults, place: Place) -> Self {
        let mut people = people(&config, scenario.clusters());
        if faults.has(Fault::OneWayAudio) {
            for robot in people.iter_mut().filter_map(|person| person.robot.as_mut()) {
                robot.mode = RobotMode::Mute;
            }
        }
        let im_nodes = ImNodes::new(config.im.second_node);
        let secure_fault = faults.has(Fault::SecureProfile);
        let capf = if secure_fault { CapfMode::Nothing } else { config.sip.capf };
        Self {
            scenario,
            config,
            faults,
            services: place.services,
            shown: place.shown,
            nodes: place.nodes,
            srv: place.srv,
            backup_xmpp: place.backup_xmpp,
            sip: place.sip,
            sip_nodes: std::sync::Arc::new(SipNodes::new()),
            refused_voicemail: place.refused_voicemail,
            refused_directory: place.refused_directory,
            people,
            events: Events::new(),
            heard: Journal::default(),
            im_nodes,
            state: place.state,
            ca_file: place.ca_file,
            phones: place.phones,
            capf: Mutex::new(capf),
            secrets: Mutex::default(),
        }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.config.domain
    }

    pub(crate) fn standard_domain(&self) -> String {
        self.config.standard_domain()
    }

    /// What is protected of people's soft phones.
    pub(crate) fn security(&self) -> Security {
        if self.faults.has(Fault::SecureProfile) {
            Security::Encrypted
        } else {
            self.config.sip.security
        }
    }

    /// How they show who they are for their certificate.
    pub(crate) fn capf_mode(&self) -> CapfMode {
        *self.capf.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// From now on they do it like this.
    pub(crate) fn set_capf_mode(&self, mode: CapfMode) {
        *self.capf.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = mode;
    }

    /// Fully qualified name of a host of the services domain.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}.{}", self.config.domain)
    }

    /// The first UDS node of a cluster.
    pub(crate) fn home_node(&self, cluster: usize) -> Option<&UdsNode> {
        self.nodes.iter().find(|node| node.cluster == cluster)
    }

    /// Finds a person by user id, ignoring case as the directory does.
    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name.eq_ignore_ascii_case(name))
    }

    /// Finds a person by number or user id, as a SIP user part.
    pub(crate) fn by_sip_user(&self, user: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.number == user).or_else(|| self.person(user))
    }

    /// The person if the password is theirs.
    pub(crate) fn check_password(&self, name: &str, password: &str) -> Option<&Person> {
        self.person(name).filter(|person| person.password.as_deref() == Some(password))
    }

    fn secrets(&self) -> std::sync::MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Opens a SOAP session.
    pub(crate) fn open_session(&self, user: &str) -> String {
        remember(&mut self.secrets().sessions, user)
    }

    /// The user of a SOAP session.
    pub(crate) fn session_user(&self, key: &str) -> Option<String> {
        self.secrets().sessions.get(key).cloned()
    }

    /// Ends a SOAP session.
    pub(crate) fn close_session(&self, key: &str) {
        self.secrets().sessions.remove(key);
    }

    /// Ends all SOAP sessions.
    pub(crate) fn close_sessions(&self) {
        self.secrets().sessions.clear();
    }

    /// Makes a one-time password.
    pub(crate) fn one_time_password(&self, user: &str) -> String {
        let password = remember(&mut self.secrets().one_time, user);
        if self.config.im.external_port != 0 {
            let folder = self.state.join("one-time");
            let written = std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(folder.join(&password), format!("{user}\n")));
            if let Err(error) = written {
                tracing::error!(%error, "a one-time password could not be passed on");
            }
        }
        password
    }

    /// Uses a one-time password up; it must belong to `user`.
    pub(crate) fn redeem(&self, user: &str, password: &str) -> bool {
        self.secrets()
            .one_time
            .remove(password)
            .is_some_and(|owner| owner.eq_ignore_ascii_case(user))
    }

    /// Makes a cookie value.
    pub(crate) fn cookie(&self, user: &str) -> String {
        remember(&mut self.secrets().cookies, user)
    }

    /// The user of a cookie value.
    pub(crate) fn cookie_user(&self, value: &str) -> Option<String> {
        self.secrets().cookies.get(value).cloned()
    }

    /// Makes a token or credential of the cloud; `kind` keeps the kinds apart.
    pub(crate) fn cloud_secret(&self, kind: &str, user: &str) -> String {
        let key = remember(&mut self.secrets().cloud, &format!("{kind} {user}"));
        format!("{kind}_{key}")
    }

    /// The user of a token or credential of the cloud, which may be shown again and again.
    pub(crate) fn cloud_user(&self, kind: &str, value: &str) -> Option<String> {
        let key = value.strip_prefix(kind)?.strip_prefix('_')?;
        let owner = self.secrets().cloud.get(key).cloned()?;
        owner.strip_prefix(kind)?.strip_prefix(' ').map(str::to_owned)
    }
}

fn people(config: &LabConfig, clusters: usize) -> Vec<Person> {
    let users = config.users.iter().enumerate().map(|(at, user)| Person {
        name: user.name.clone(),
        password: Some(user.password.clone()),
        number: user.number.clone(),
        display_name: user.display_name(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        device: user.device(),
        cluster: at % clusters.max(1),
        robot: None,
    });
    let robots = config.robots.iter().map(|robot| {
        let (first, last) =
            robot.display_name.split_once(' ').unwrap_or((robot.display_name.as_str(), ""));
        Person {
            name: robot.name.clone(),
            password: None,
            number: robot.number.clone(),
            display_name: robot.display_name.clone(),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            device: format!("ROBOT{}", robot.name.to_ascii_uppercase()),
            cluster: 0,
            robot: Some(robot.clone()),
        }
    });
    users.chain(robots).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::start::records;

    /// An on-prem deployment with made-up ports, for tests of what services answer.
    pub(crate) fn deployment(faults: &[&str]) -> Deployment {
        scenario(Scenario::OnPrem, faults)
    }

    /// Made-up ports.
    pub(crate) fn place(scenario: Scenario) -> Place {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let services = Services {
            dns: at(1053),
            uds: at(18443),
            files: at(16970),
            soap: at(28443),
            xmpp: at(15222),
            xmpps: at(15223),
            sip_udp: at(15060),
            sip_tcp: at(15060),
            sip_tls: at(15061),
            capf: at(13804),
            cas: at(10443),
            cas_http: at(10080),
            xmpp443: at(11443),
            edges: vec![at(9443), at(9444)],
            edge_sip: at(9061),
            edge_xmpp: at(9222),
        };
        let count = if scenario.clusters() > 1 { 4 } else { 1 };
        let nodes = (0..count).zip(["cucm1", "cucm2", "cucm3", "cucm4"]);
        let node = |(index, host): (usize, &'static str)| UdsNode {
            host,
            at: SocketAddr::from(([127, 0, 0, 1 + index as u8], 18443)),
            cluster: index / 2,
        };
        Place {
            shown: services.clone(),
            services,
            nodes: nodes.map(node).collect(),
            srv: vec![],
            backup_xmpp: None,
            sip: SipPlace::default(),
            refused_voicemail: None,
            refused_directory: None,
            state: PathBuf::from("state"),
            ca_file: PathBuf::from("ca.pem"),
            phones: PhoneAuthority::made_up(),
        }
    }

    /// Any deployment with made-up ports.
    pub(crate) fn scenario(scenario: Scenario, faults: &[&str]) -> Deployment {
        configured(scenario, faults, LabConfig::default())
    }

    /// The same with a configuration.
    pub(crate) fn configured(scenario: Scenario, faults: &[&str], config: LabConfig) -> Deployment {
        let names: Vec<String> = faults.iter().map(|name| (*name).to_owned()).collect();
        let faults = Faults::by_names(&names).unwrap();
        let mut place = place(scenario);
        place.backup_xmpp = config.im.second_node.then_some(15222);
        place.srv = records(scenario, &config, &faults, &place.nodes, &place.shown);
        Deployment::new(scenario, config, faults, place)
    }

    #[test]
    fn a_one_time_password_works_once_and_for_its_owner() {
        let lab = deployment(&[]);
        let password = lab.one_time_password("alice");
        assert!(lab.redeem("alice", &password));
        assert!(!lab.redeem("alice", &password));
        let password = lab.one_time_password("alice");
        assert!(!lab.redeem("carol", &password));
    }

    #[test]
    fn nobody_signs_in_as_a_robot() {
        let lab = deployment(&[]);
        assert!(lab.check_password("bob", "").is_none());
        assert!(lab.check_password("bob", "secret").is_none());
        assert!(lab.check_password("ALICE", "secret").is_some());
    }
}
