//! What a laboratory is made of: domain, people, ports, media.
//!
//! Read from a TOML file or taken from [`LabConfig::default`]; every key is optional, unknown
//! keys are refused so that a misspelt one is not silently without effect.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::LabError;

/// The whole configuration of one laboratory.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabConfig {
    /// Services and presence domain of the CUCM style accounts.
    pub domain: String,
    /// Domain with the records of open standards; `open.` + domain when absent.
    pub standard_domain: Option<String>,
    /// Address all services listen on.
    pub bind: IpAddr,
    /// People with a password, who sign in from outside the laboratory.
    pub users: Vec<UserConfig>,
    /// Colleagues the laboratory plays itself.
    pub robots: Vec<RobotConfig>,
    /// Fixed ports; 0 or absent lets the system choose.
    pub ports: Ports,
    /// The directory.
    pub uds: UdsConfig,
    /// What the service profile says of the directory; that it is User Data Services when absent.
    pub profile_directory: Option<ProfileDirectory>,
    /// Telephony behaviour.
    pub sip: SipConfig,
    /// Messaging behaviour.
    pub im: ImConfig,
    /// Numbers that answer every call with the given SIP status, for example 486.
    pub status_numbers: BTreeMap<String, u16>,
    /// Extra files of the 6970 role: name to content.
    pub files: BTreeMap<String, String>,
    /// Where certificates and recordings go; a temporary folder when absent.
    pub state: Option<PathBuf>,
    /// Names of the faults to put in, as `offhook-lab list` prints them.
    pub faults: Vec<String>,
}

impl Default for LabConfig {
    fn default() -> Self {
        Self {
            domain: "lab.example".into(),
            standard_domain: None,
            bind: IpAddr::from([127, 0, 0, 1]),
            users: vec![
                UserConfig::new("alice", "Alice", "Anderson", "2001"),
                UserConfig::new("carol", "Carol", "Clark", "2003"),
            ],
            robots: vec![RobotConfig::default()],
            ports: Ports::default(),
            uds: UdsConfig::default(),
            profile_directory: None,
            sip: SipConfig::default(),
            im: ImConfig::default(),
            status_numbers: [("4486", 486), ("4480", 480), ("4503", 503)]
                .map(|(number, status)| (number.to_owned(), status))
                .into(),
            files: BTreeMap::new(),
            state: None,
            faults: Vec::new(),
        }
    }
}

impl LabConfig {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// The file cannot be read or does not describe a laboratory.
    pub fn from_file(path: &Path) -> Result<Self, LabError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LabError::File { path: path.to_owned(), source })?;
        Self::from_toml(&text)
            .map_err(|error| LabError::Config(format!("{}: {error}", path.display())))
    }

    /// Reads TOML text.
    ///
    /// # Errors
    /// The text is no TOML, holds an unknown key or contradicts itself.
    pub fn from_toml(text: &str) -> Result<Self, LabError> {
        let config: Self =
            toml::from_str(text).map_err(|error| LabError::Config(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Refuses what could not work: no user, a name or number used twice.
    ///
    /// # Errors
    /// [`LabError::Config`] naming the culprit.
    pub fn check(&self) -> Result<(), LabError> {
        let mut seen = std::collections::BTreeSet::new();
        let people = self.users.iter().map(|user| (&user.name, &user.number));
        let robots = self.robots.iter().map(|robot| (&robot.name, &robot.number));
        for (name, number) in people.chain(robots) {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
            for key in [name, number] {
                if key.is_empty() || !key.chars().all(plain) {
                    return Err(LabError::Config(format!("\"{key}\" is no plain name or number")));
                }
                if !seen.insert(key.to_ascii_lowercase()) {
                    return Err(LabError::Config(format!("\"{key}\" is used twice")));
                }
            }
        }
        if self.im.second_node && (self.im.external_port != 0 || !self.bind.is_ipv4()) {
            return Err(LabError::Config(
                "a second node needs an IPv4 loopback address, and chat served by the laboratory"
                    .into(),
            ));
        }
        if self.users.is_empty() {
            return Err(LabError::Config("there is no user".into()));
        }
        Ok(())
    }

    /// Where the second IM and Presence node listens.
    pub(crate) fn second_address(&self) -> Option<IpAddr> {
        let IpAddr::V4(first) = self.bind else { return None };
        let next = std::net::Ipv4Addr::from(u32::from(first).wrapping_add(1));
        self.im.second_node.then_some(IpAddr::V4(next))
    }

    /// The domain with the standard records.
    #[must_use]
    pub fn standard_domain(&self) -> String {
        self.standard_domain.clone().unwrap_or_else(|| format!("open.{}", self.domain))
    }
}

/// One human user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserConfig {
    /// User id, local part of the IM address.
    pub name: String,
    /// Password of every service.
    #[serde(default = "default_password")]
    pub password: String,
    /// Directory number.
    pub number: String,
    /// Given name; the user id capitalised when empty.
    #[serde(default)]
    pub first_name: String,
    /// Family name.
    #[serde(default)]
    pub last_name: String,
    /// Device name; `CSF` + upper-case user id when empty.
    #[serde(default)]
    pub device: String,
}

fn default_password() -> String {
    "secret".into()
}

impl UserConfig {
    fn new(name: &str, first: &str, last: &str, number: &str) -> Self {
        Self {
            name: name.into(),
            password: default_password(),
            number: number.into(),
            first_name: first.into(),
            last_name: last.into(),
            device: String::new(),
        }
    }

    /// Full name as shown to others.
    #[must_use]
    pub fn display_name(&self) -> String {
        let both = format!("{} {}", self.first_name, self.last_name);
        if both.trim().is_empty() { self.name.clone() } else { both.trim().to_owned() }
    }

    /// Name of the desktop softphone device.
    #[must_use]
    pub fn device(&self) -> String {
        if self.device.is_empty() {
            format!("CSF{}", self.name.to_ascii_uppercase())
        } else {
            self.device.clone()
        }
    }
}

/// What a robot colleague sends once it has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RobotMode {
    /// The tone first, then everything it hears.
    Tone,
    /// Everything it hears, from the first packet on.
    Echo,
    /// The file named in [`RobotConfig::speech`], over and over.
    Speech,
    /// Nothing: not one packet, as behind a firewall that lets sound through one way only.
    Mute,
    /// Never answers: rings until the caller gives up.
    NoAnswer,
    /// Refuses with 486.
    Busy,
}

/// One colleague the laboratory plays.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RobotConfig {
    /// User id.
    pub name: String,
    /// Directory number.
    pub number: String,
    /// Name shown to others.
    pub display_name: String,
    /// Presence note.
    pub note: String,
    /// What it sends in a call.
    pub mode: RobotMode,
    /// 8 kHz, 16 bit, one channel WAV for [`RobotMode::Speech`].
    pub speech: Option<PathBuf>,
    /// Tone in hertz.
    pub tone_hz: f64,
    /// Length of the tone in milliseconds.
    pub tone_ms: u64,
    /// Time between 180 and 200 in milliseconds.
    pub ring_ms: u64,
    /// Longest call in seconds.
    pub max_seconds: u64,
    /// It has a certificate, and encrypts signalling and sound.
    pub encrypted: bool,
}

impl Default for RobotConfig {
    fn default() -> Self {
        Self {
            name: "bob".into(),
            number: "2002".into(),
            display_name: "Bob Robot".into(),
            note: "Happy to chat and to answer calls".into(),
            mode: RobotMode::Tone,
            speech: None,
            tone_hz: 1000.0,
            tone_ms: 3000,
            ring_ms: 1000,
            max_seconds: 60,
            encrypted: false,
        }
    }
}

/// Port numbers; 0 = the system chooses.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ports {
    /// Name server, UDP and TCP.
    pub dns: u16,
    /// UDS over HTTPS (8443 in the field).
    pub uds: u16,
    /// Configuration files over HTTP (6970 in the field).
    pub files: u16,
    /// IM and Presence SOAP over HTTPS (8443 in the field).
    pub soap: u16,
    /// XMPP with STARTTLS.
    pub xmpp: u16,
    /// XMPP with direct TLS.
    pub xmpps: u16,
    /// SIP over UDP and TCP, same number.
    pub sip: u16,
    /// SIP over TLS.
    pub sip_tls: u16,
    /// CAPF over TLS (3804 in the field).
    pub capf: u16,
    /// CAS over HTTPS (443 in the field).
    pub cas: u16,
    /// CAS over HTTP (80 in the field).
    pub cas_http: u16,
    /// XMPP of the cloud with STARTTLS (443 in the field).
    pub xmpp443: u16,
}

/// The directory of User Data Services.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UdsConfig {
    /// Who searches shows a password (`usersResourceAuthEnabled`).
    pub search_auth: bool,
    /// People a page at most (*User Search Limit*), 1 to 500.
    pub search_limit: usize,
    /// So many made-up people besides users and robots.
    pub people: usize,
}

impl Default for UdsConfig {
    fn default() -> Self {
        Self { search_auth: false, search_limit: 64, people: 0 }
    }
}

/// The directory section of the service profile; nothing of it has to be there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProfileDirectory {
    /// Host of the first server.
    pub address: String,
    /// Its port; 0 leaves it open.
    pub port: u16,
    /// `TCP`, `UDP` or `TLS`.
    pub protocol: String,
    /// Who reads.
    pub dn: String,
    /// Their password.
    pub password: String,
    /// Where people are.
    pub search_context: String,
}

/// Who has to answer a digest challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DigestFor {
    /// Nobody.
    Nobody,
    /// Registrations that do not name a CUCM device.
    Standard,
    /// Everybody but the robots.
    Everybody,
}

/// `deviceSecurityMode` of people's soft phones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Security {
    /// Nothing is protected (1).
    #[default]
    Off,
    /// Signalling is (2).
    Authenticated,
    /// Signalling and sound are (3).
    Encrypted,
}

/// `capfAuthMode` of people's soft phones: how they show who they are for their certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CapfMode {
    /// No certificate is given out (0).
    #[default]
    Nothing,
    /// By [`SipConfig::auth_string`] (1).
    String,
    /// Not at all (2).
    Null,
    /// By the certificate that they have (3).
    Certificate,
}

impl CapfMode {
    /// As in device files, and as the kind of authentication in CAPF.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::String => 1,
            Self::Null => 2,
            Self::Certificate => 3,
        }
    }

    /// The one of this name.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let all = [Self::Nothing, Self::String, Self::Null, Self::Certificate];
        all.into_iter().find(|mode| mode.name() == name)
    }

    /// As in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::String => "string",
            Self::Null => "null",
            Self::Certificate => "certificate",
        }
    }
}

/// Telephony behaviour.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SipConfig {
    /// Digest challenges, realm `ccmsipline`.
    pub digest: DigestFor,
    /// Expires value of every registration answer, in seconds.
    pub expires: u32,
    /// Seconds a call may ring.
    pub no_answer: u64,
    /// Codecs the robots speak, best first: `PCMU`, `PCMA`.
    pub codecs: Vec<String>,
    /// `transportLayerProtocol` of the device files: 1 TCP, 2 UDP, 3 TLS.
    pub device_transport: u8,
    /// First and last UDP port for media in the device files.
    pub media_ports: (u16, u16),
    /// A second node of the call manager, over TCP.
    pub second_node: bool,
    /// A gateway that stands in for the call managers (SRST), over TCP.
    pub gateway: bool,
    /// Number or user id of the robot that a diverted call goes to; empty for none.
    pub voicemail: String,
    /// Whoever is held hears music of the call manager, a tone of 523 Hz.
    pub music: bool,
    /// Seconds after which a parked call rings where it was parked.
    pub park_reversion: u64,
    /// Phones may tell by PUBLISH whether their user may be disturbed.
    pub takes_publish: bool,
    /// Pickup groups: the number of each and the numbers in it.
    pub pickup_groups: BTreeMap<String, Vec<String>>,
    /// WebDialer is activated.
    pub web_dialer: bool,
    /// Every user has a phone on the desk that is registered for the same line.
    pub desk_phones: bool,
    /// Seconds between keep-alives to the node that stands by, in the device files.
    pub keep_alive: u32,
    /// `connectionMonitorDuration` of the device files, in seconds.
    pub return_after: u32,
    /// What is protected between people's soft phones and the call manager.
    pub security: Security,
    /// How the phones show who they are for their certificate.
    pub capf: CapfMode,
    /// The authentication string.
    pub auth_string: String,
    /// Two thirds of the life of a certificate are over when it is given out.
    pub aged_certificates: bool,
}

impl SipConfig {
    /// There is more than one node to register with.
    #[must_use]
    pub fn has_nodes(&self) -> bool {
        self.second_node || self.gateway
    }
}

impl Default for SipConfig {
    fn default() -> Self {
        Self {
            digest: DigestFor::Standard,
            expires: 120,
            no_answer: 60,
            codecs: vec!["PCMU".into(), "PCMA".into()],
            device_transport: 1,
            media_ports: (16384, 32766),
            second_node: false,
            gateway: false,
            voicemail: String::new(),
            music: false,
            park_reversion: 60,
            takes_publish: true,
            pickup_groups: BTreeMap::new(),
            web_dialer: true,
            desk_phones: false,
            keep_alive: 120,
            return_after: 120,
            security: Security::Off,
            capf: CapfMode::Nothing,
            auth_string: String::new(),
            aged_certificates: false,
        }
    }
}

/// Messaging behaviour.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImConfig {
    /// The human users have each other on the contact list from the start.
    pub mutual_contacts: bool,
    /// Name the home node inside the SASL mechanisms (XEP-0233), as IM&P does.
    pub domain_based_name: bool,
    /// SASL mechanisms offered over TLS.
    pub mechanisms: Vec<String>,
    /// Port of another program that plays the XMPP server of the chat nodes. It finds each one-time
    /// password as a file of that name, with the user inside, in `one-time` in the state folder.
    pub external_port: u16,
    /// `Persistent_Chat_Enabled` in the client configuration: rooms that last.
    pub persistent_chat: bool,
    /// A second node of IM and Presence, which backs the first up. It has the port numbers of the
    /// first on a loopback address of its own.
    pub second_node: bool,
    /// Client Re-Login Lower Limit in seconds.
    pub relogin_lower: u32,
    /// Client Re-Login Upper Limit in seconds.
    pub relogin_upper: u32,
}

impl Default for ImConfig {
    fn default() -> Self {
        Self {
            mutual_contacts: false,
            domain_based_name: true,
            mechanisms: ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "CISCO-VTG-TOKEN"]
                .map(str::to_owned)
                .into(),
            external_port: 0,
            persistent_chat: true,
            second_node: false,
            relogin_lower: 120,
            relogin_upper: 537,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default_laboratory() {
        let config = LabConfig::from_toml("").unwrap();
        assert_eq!(config.domain, "lab.example");
        assert_eq!(config.standard_domain(), "open.lab.example");
        assert_eq!(config.users[0].device(), "CSFALICE");
        assert_eq!(config.robots[0].number, "2002");
    }

    #[test]
    fn a_misspelt_key_and_a_number_used_twice_are_refused() {
        assert!(LabConfig::from_toml("domian = 'x'").is_err());
        let twice = "[[users]]\nname='a'\nnumber='1'\n[[users]]\nname='b'\nnumber='1'\n";
        let error = LabConfig::from_toml(twice).unwrap_err().to_string();
        assert!(error.contains("used twice"), "{error}");
    }
}
