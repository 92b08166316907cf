//! SOAP answers of IM and Presence (reference im-presence.md section 1).

use std::collections::BTreeMap;
use std::fmt;

use offhook_model::Secret;

use crate::service_profile::{ImProduct, ImProfile, ServiceProfile, UcServer};
use crate::xml::{Element, XmlError, parse};

/// The service answered; a refusal is an answer too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered<T> {
    /// It did what was asked.
    Success(T),
    /// It did not, with its reason as far as it gives one. The text is the server's.
    Refused(Option<String>),
}

/// A session with the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Key of the session.
    pub session: Secret<String>,
    /// A second server to turn to, if the answer names one.
    pub backup: Option<String>,
}

/// The answer to `get-all-config`: property names in lower case with their non-empty values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SystemConfig {
    properties: BTreeMap<String, String>,
}

impl SystemConfig {
    /// The value of a property, whose name is compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.properties.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// How many properties have a value.
    pub fn len(&self) -> usize {
        self.properties.len()
    }

    /// The same services as a service profile names: servers of 8.x have no other (reference
    /// service-profile.md, 8.x fallback).
    pub fn profile(&self) -> ServiceProfile {
        ServiceProfile {
            im: ImProfile { product: ImProduct::UnifiedCm, servers: self.servers("Presence") },
            cti: self.servers("CallControl"),
            voicemail: self.servers("VoiceMail"),
            mail_store: self.servers("MailStore"),
            conferencing: self.servers("MeetingPlace"),
            directory: self.servers("Directory"),
            use_uds: false,
            oddities: vec![],
        }
    }

    /// `SERVICE.Primary.Address`…; both `Backup` and `Backup1` stand for the second server.
    fn servers(&self, service: &str) -> Vec<UcServer> {
        let mut servers: Vec<UcServer> = vec![];
        for rank in ["Primary", "Backup", "Backup1", "Backup2"] {
            let value = |part: &str| self.get(&format!("{service}.{rank}.{part}"));
            let Some(host) = value("Address") else { continue };
            if servers.iter().any(|known| known.host.eq_ignore_ascii_case(host)) {
                continue;
            }
            servers.push(UcServer {
                host: host.to_owned(),
                port: value("Port").and_then(|port| port.parse().ok()).filter(|port| *port != 0),
                protocol: value("Protocol").map(str::to_owned),
            });
        }
        servers
    }

    /// TFTP servers in the order to try, as `host` or `host:port`.
    pub fn tftp(&self) -> Vec<String> {
        self.values(&["TFTP.Primary", "TFTP.Backup1", "TFTP.Backup2"])
    }

    /// Servers of the device list of 8.x in the order to try, as `host` or `host:port`.
    pub fn ccmcip(&self) -> Vec<String> {
        self.values(&["CCMCIP.Host", "CCMCIP.Host.Backup"])
    }

    /// Some servers write `TFTP.Primary.Address`, as the other services have it.
    fn values(&self, names: &[&str]) -> Vec<String> {
        let value = |name: &&str| self.get(name).or_else(|| self.get(&format!("{name}.Address")));
        names.iter().filter_map(value).map(str::to_owned).collect()
    }

    /// No property has a value.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }
}

/// Names only: some values are passwords.
impl fmt::Debug for SystemConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.properties.keys()).finish()
    }
}

/// Reads the answer to `login`.
///
/// # Errors
/// Broken XML, or no answer to a login.
pub fn read_login(data: &[u8]) -> Result<Answered<Login>, XmlError> {
    let root = parse(data)?.root;
    let read = |success: &Element| {
        let session = Secret::from(success.find("session-key")?.value()?);
        let backup = root.find_all("login-resp").into_iter().find_map(backup_server);
        Some(Login { session, backup })
    };
    answered(&root, "login-resp", read)
}

fn backup_server(answer: &Element) -> Option<String> {
    let named = |element: &&Element| element.name.to_ascii_lowercase().contains("backup");
    let here = answer.children.iter().find(named).and_then(Element::value).map(str::to_owned);
    here.or_else(|| answer.children.iter().find_map(backup_server))
}

/// Reads the answer to `get-onetime-password`.
///
/// # Errors
/// Broken XML, or another answer.
pub fn read_one_time_password(data: &[u8]) -> Result<Answered<Secret<String>>, XmlError> {
    let root = parse(data)?.root;
    let read = |success: &Element| Some(Secret::from(success.find("password")?.value()?));
    answered(&root, "get-onetime-password-resp", read)
}

/// Reads the answer to `get-all-config`.
///
/// # Errors
/// Broken XML, or another answer.
pub fn read_system_config(data: &[u8]) -> Result<Answered<SystemConfig>, XmlError> {
    let root = parse(data)?.root;
    if root.find("get-all-config-resp").is_none() {
        return refusal(&root);
    }
    let entries = root.find_all("property").into_iter().filter_map(|property| {
        let name = property.attribute("name")?.to_ascii_lowercase();
        Some((name, property.value()?.to_owned()))
    });
    // The first of equal names counts.
    let mut properties = BTreeMap::new();
    for (name, value) in entries {
        properties.entry(name).or_insert(value);
    }
    Ok(Answered::Success(SystemConfig { properties }))
}

fn answered<T>(
    root: &Element,
    name: &str,
    read: impl Fn(&Element) -> Option<T>,
) -> Result<Answered<T>, XmlError> {
    let Some(answer) = root.find(name) else { return refusal(root) };
    Ok(match answer.find("success").and_then(read) {
        Some(value) => Answered::Success(value),
        None => Answered::Refused(reason(answer)),
    })
}

/// A SOAP fault is a refusal, anything else is no answer of this service.
fn refusal<T>(root: &Element) -> Result<Answered<T>, XmlError> {
    match root.find("Fault") {
        Some(fault) => Ok(Answered::Refused(reason(fault))),
        None => Err(XmlError::Missing("it is no answer of this service")),
    }
}

fn reason(answer: &Element) -> Option<String> {
    let named = ["Text", "faultstring", "reason", "message", "error"];
    let element = named.iter().find_map(|name| answer.find(name))?;
    let line: String = element.value()?.chars().filter(|c| !c.is_control()).take(120).collect();
    Some(line)
}
