//! The deployment all services of one laboratory share: who exists, what listens where, which
//! faults are in, and the sign-in secrets that pass from one service to another.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use serde::Serialize;

use crate::config::{LabConfig, RobotConfig};
use crate::events::Events;
use crate::random;
use crate::scenario::{Faults, Scenario};

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
    pub(crate) robot: Option<RobotConfig>,
}

impl Person {
    /// The UDS id of the person's device.
    pub(crate) fn device_id(&self) -> String {
        random::stable_uuid(&self.device)
    }

    /// The opaque Contact user of the person's line.
    pub(crate) fn line_contact(&self) -> String {
        random::stable_uuid(&format!("line {}", self.number))
    }
}

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
    pub status_numbers: std::collections::BTreeMap<String, u16>,
    /// Where everything listens.
    pub services: Services,
}

/// A server an SRV record of the services domain names.
#[derive(Debug, Clone)]
pub(crate) struct UdsTarget {
    pub(crate) host: &'static str,
    pub(crate) priority: u16,
    pub(crate) port: u16,
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
}

/// The deployment.
pub(crate) struct Deployment {
    pub(crate) scenario: Scenario,
    pub(crate) config: LabConfig,
    pub(crate) faults: Faults,
    pub(crate) services: Services,
    pub(crate) uds_targets: Vec<UdsTarget>,
    pub(crate) people: Vec<Person>,
    pub(crate) events: Events,
    pub(crate) state: PathBuf,
    pub(crate) ca_file: PathBuf,
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
    #[allow(clippy::too_many_arguments, reason = "called once, from the start of the laboratory")]
    pub(crate) fn new(
        scenario: Scenario,
        config: LabConfig,
        faults: Faults,
        services: Services,
        uds_targets: Vec<UdsTarget>,
        state: PathBuf,
        ca_file: PathBuf,
    ) -> Self {
        let people = people(&config);
        Self {
            scenario,
            config,
            faults,
            services,
            uds_targets,
            people,
            events: Events::new(),
            state,
            ca_file,
            secrets: Mutex::default(),
        }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.config.domain
    }

    pub(crate) fn standard_domain(&self) -> String {
        self.config.standard_domain()
    }

    /// Fully qualified name of a host of the services domain.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}.{}", self.config.domain)
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

    /// Makes a one-time password.
    pub(crate) fn one_time_password(&self, user: &str) -> String {
        remember(&mut self.secrets().one_time, user)
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
        LabInfo {
            scenario: self.scenario.name(),
            faults: crate::scenario::Fault::ALL
                .into_iter()
                .filter(|fault| self.faults.has(*fault))
                .map(crate::scenario::Fault::name)
                .collect(),
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
            services: self.services.clone(),
        }
    }
}

fn people(config: &LabConfig) -> Vec<Person> {
    let users = config.users.iter().map(|user| Person {
        name: user.name.clone(),
        password: Some(user.password.clone()),
        number: user.number.clone(),
        display_name: user.display_name(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        device: user.device(),
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
            robot: Some(robot.clone()),
        }
    });
    users.chain(robots).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A deployment with made-up ports, for tests of what services answer.
    pub(crate) fn deployment(faults: &[&str]) -> Deployment {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let names: Vec<String> = faults.iter().map(|name| (*name).to_owned()).collect();
        Deployment::new(
            Scenario::OnPrem,
            LabConfig::default(),
            Faults::by_names(&names).unwrap(),
            Services {
                dns: at(1053),
                uds: at(18443),
                files: at(16970),
                soap: at(28443),
                xmpp: at(15222),
                xmpps: at(15223),
                sip_udp: at(15060),
                sip_tcp: at(15060),
                sip_tls: at(15061),
            },
            vec![UdsTarget { host: "cucm1", priority: 10, port: 18443 }],
            PathBuf::from("state"),
            PathBuf::from("ca.pem"),
        )
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
