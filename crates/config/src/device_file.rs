//! The phone's configuration file (reference device-config.md sections 2 and 3).

use std::ops::RangeInclusive;
use std::time::Duration;

use offhook_model::{AudioCodec, Secret, ToneCountry};
use offhook_ports::{EnrolMode, PhoneFeatures, PortRange};

use crate::xml::{Element, XmlError, parse};

/// One call manager of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallManager {
    /// Host name or address: `processNodeName`, else `name`.
    pub host: String,
    /// Port for TCP and UDP.
    pub sip_port: u16,
    /// Port for TLS.
    pub secure_sip_port: u16,
    /// Lower is tried first.
    pub priority: u32,
}

/// One directory number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Directory number.
    pub name: String,
    /// Name to show to others.
    pub display_name: Option<String>,
    /// Opaque user part of our Contact.
    pub contact: Option<String>,
    /// User name for digest authentication, only when the device's security profile wants it.
    pub auth_name: Option<String>,
    /// Its password.
    pub auth_password: Option<Secret<String>>,
    /// Number of the voicemail system.
    pub voicemail_pilot: Option<String>,
}

/// `deviceSecurityMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityMode {
    /// Clear signalling.
    NonSecure,
    /// TLS without encryption.
    Authenticated,
    /// TLS, and SRTP for media.
    Encrypted,
}

/// `transportLayerProtocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP; also what "TCP+UDP" means to a client.
    Tcp,
    /// UDP.
    Udp,
    /// TLS.
    Tls,
}

/// Code points, 0 to 63. The file holds whole ToS bytes: four times as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dscp {
    /// Sound of audio calls.
    pub audio: u8,
    /// Pictures.
    pub video: u8,
    /// Sound of video calls.
    pub audio_for_video: u8,
    /// Signalling.
    pub signalling: u8,
}

/// What the file says, with the defaults of the reference for what it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFile {
    /// Call managers in the order to try.
    pub members: Vec<CallManager>,
    /// Lines in the order of their buttons.
    pub lines: Vec<Line>,
    /// Security of signalling and media.
    pub security: SecurityMode,
    /// Transport of signalling.
    pub transport: Transport,
    /// Where the phone gets its certificate (`capfList`), host and port.
    pub capf: Option<(String, u16)>,
    /// How it shows there who it is (`capfAuthMode`).
    pub capf_mode: EnrolMode,
    /// Lifetime of a registration.
    pub register_expires: Duration,
    /// How long before its end it is refreshed.
    pub register_delta: Duration,
    /// Interval of keep-alive registrations to the second node.
    pub keep_alive: Duration,
    /// For how long a better node must answer before the phone goes back to it.
    pub return_after: Duration,
    /// A silent node is waited for four times as long (`detectCMConnectionFailure`).
    pub patient: bool,
    /// Gateways that stand in for the call managers (SRST), at most 3.
    pub stand_ins: Vec<CallManager>,
    /// They speak TLS.
    pub stand_ins_secure: bool,
    /// UDP ports of media.
    pub media_ports: PortRange,
    /// UDP ports of video, when they are apart.
    pub video_ports: Option<PortRange>,
    /// What calls may do beyond calling; the numbers are those of the first line.
    pub features: PhoneFeatures,
    /// Code points.
    pub dscp: Dscp,
    /// Payload type of RFC 4733 digits, 96 to 127.
    pub dtmf_payload: u8,
    /// Changes whenever the file does.
    pub version_stamp: Option<String>,
    /// Where people are searched for with a password.
    pub secure_users_url: Option<String>,
    /// Domain of addresses that are dialled without one (`organizationTopLevelDomain`).
    pub dial_domain: Option<String>,
    /// File name of the user's service profile.
    pub service_profile_file: Option<String>,
    /// The "Cisco Support Field" as written.
    pub support_field: Option<String>,
    /// The client configuration file that the support field names.
    pub group_file: Option<String>,
    /// What was not as it should be.
    pub oddities: Vec<&'static str>,
}

/// Reads a device file. A file without call managers or lines is a value: what follows from that
/// is the caller's to say.
///
/// # Errors
/// Broken XML, or a document that is no device.
pub fn read_device_file(data: &[u8]) -> Result<DeviceFile, XmlError> {
    let document = parse(data)?;
    let root = document.root.find("device").ok_or(XmlError::Missing("it is no device"))?;
    let mut field = Fields { root, oddities: document.oddities.clone() };
    let seconds = |field: &mut Fields<'_>, name, range, default| {
        Duration::from_secs(u64::from(field.number(name, range, default)))
    };
    let support_field = ["ciscoSupportField", "csfSupportField"]
        .iter()
        .find_map(|name| root.find(name)?.value())
        .map(str::to_owned);
    Ok(DeviceFile {
        members: members(root),
        lines: lines(root),
        security: match field.number("deviceSecurityMode", 1..=3, 1) {
            2 => SecurityMode::Authenticated,
            3 => SecurityMode::Encrypted,
            _ => SecurityMode::NonSecure,
        },
        transport: match field.number("transportLayerProtocol", 1..=4, 1) {
            2 => Transport::Udp,
            3 => Transport::Tls,
            _ => Transport::Tcp,
        },
        capf: capf(root),
        capf_mode: match field.number("capfAuthMode", 0..=4, 0) {
            1 => EnrolMode::String,
            2 => EnrolMode::Null,
            // A certificate of the manufacturer (4) is nothing that a program has; the server takes
            // the other kind as well, or refuses.
            3 | 4 => EnrolMode::Certificate,
            _ => EnrolMode::Nothing,
        },
        register_expires: seconds(&mut field, "timerRegisterExpires", 30..=86_400, 3600),
        register_delta: seconds(&mut field, "timerRegisterDelta", 0..=3600, 5),
        keep_alive: seconds(&mut field, "timerKeepAliveExpires", 10..=3600, 120),
        return_after: seconds(&mut field, "connectionMonitorDuration", 0..=86_400, 120),
        patient: field.number("detectCMConnectionFailure", 0..=1, 0) == 1,
        stand_ins: stand_ins(root),
        stand_ins_secure: truth(root.find("srstInfo").and_then(|info| info.text_at(&["isSecure"]))),
        media_ports: field.ports("startMediaPort", "stopMediaPort").unwrap_or_default(),
        video_ports: field.ports("startVideoPort", "stopVideoPort"),
        features: features(root),
        dscp: Dscp {
            audio: field.code_point("dscpForAudio", 46),
            video: field.code_point("dscpVideo", 34),
            audio_for_video: field.code_point("dscpAudioForVideo", 34),
            signalling: field.code_point("dscpForCm2Dvce", 24),
        },
        dtmf_payload: u8::try_from(field.number("dtmfAvtPayload", 96..=127, 101)).unwrap_or(101),
        version_stamp: text(root, "versionStamp"),
        secure_users_url: text(root, "secureUDSUsersAccessURL"),
        dial_domain: text(root, "organizationTopLevelDomain"),
        service_profile_file: ["userId", "ownerId"]
            .iter()
            .find_map(|name| root.find(name)?.attribute("serviceProfileFile"))
            .map(str::to_owned),
        group_file: support_field.as_deref().and_then(group_file),
        support_field,
        oddities: field.oddities,
    })
}

fn text(root: &Element, name: &str) -> Option<String> {
    root.find(name).and_then(Element::value).map(str::to_owned)
}

fn members(root: &Element) -> Vec<CallManager> {
    let Some(group) = root.find("callManagerGroup") else { return vec![] };
    let port = |manager: &Element, name: &str, default: u16| {
        let text = manager.find(name).and_then(Element::value);
        text.and_then(|text| text.parse().ok()).filter(|port| *port != 0).unwrap_or(default)
    };
    let member = |member: &Element| {
        let manager = member.child("callManager")?;
        let host = manager.text_at(&["processNodeName"]).or_else(|| manager.text_at(&["name"]))?;
        Some(CallManager {
            host: host.to_owned(),
            sip_port: port(manager, "sipPort", 5060),
            secure_sip_port: port(manager, "securedSipPort", 5061),
            priority: member
                .attribute("priority")
                .and_then(|text| text.parse().ok())
                .unwrap_or(u32::MAX),
        })
    };
    let mut members: Vec<_> = group.find_all("member").into_iter().filter_map(member).collect();
    members.sort_by_key(|member| member.priority);
    members
}

fn capf(root: &Element) -> Option<(String, u16)> {
    let capf = root.find("capfList")?.child("capf")?;
    let host = capf.text_at(&["processNodeName"])?;
    let port = capf.text_at(&["phonePort"]).and_then(|port| port.parse().ok());
    Some((host.to_owned(), port.filter(|port| *port != 0).unwrap_or(3804)))
}

/// Gateways of `srstInfo`: by their own SIP address, else by the address for both protocols. An
/// element that is empty or all zeros names none.
fn stand_ins(root: &Element) -> Vec<CallManager> {
    let Some(info) = root.find("srstInfo") else { return vec![] };
    let off = |option: &str| option.eq_ignore_ascii_case("disable");
    if info.text_at(&["srstOption"]).is_some_and(off) {
        return vec![];
    }
    let text = |name: &str, number: u32| {
        let text = info.text_at(&[&format!("{name}{number}")])?;
        (text != "0.0.0.0" && text != "0").then(|| text.to_owned())
    };
    let gateway = |number: u32| {
        let host = text("sipIpAddr", number).or_else(|| text("ipAddr", number))?;
        let port = text("sipPort", number).and_then(|port| port.parse().ok());
        let sip_port = port.filter(|port| *port != 0).unwrap_or(5060);
        Some(CallManager { host, sip_port, secure_sip_port: sip_port, priority: number })
    };
    (1..=3).filter_map(gateway).collect()
}

fn truth(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
}

/// Feature 9 is a directory number; a line without a feature is taken for one.
fn lines(root: &Element) -> Vec<Line> {
    let Some(list) = root.find("sipLines") else { return vec![] };
    let mut entries: Vec<&Element> = list
        .children_named("line")
        .filter(|line| line.text_at(&["featureID"]).is_none_or(|feature| feature == "9"))
        .collect();
    entries.sort_by_key(|line| {
        line.attribute("button").and_then(|text| text.parse::<u32>().ok()).unwrap_or(u32::MAX)
    });
    entries.into_iter().filter_map(line).collect()
}

fn line(line: &Element) -> Option<Line> {
    let text = |name: &str| line.text_at(&[name]).map(str::to_owned);
    Some(Line {
        name: text("name")?,
        display_name: text("displayName"),
        contact: text("contact"),
        auth_name: text("authName"),
        auth_password: line.text_at(&["authPassword"]).map(Secret::from),
        voicemail_pilot: text("messagesNumber"),
    })
}

/// Nothing stands for what the file does not say, or says as nothing that could be asked for.
fn features(root: &Element) -> PhoneFeatures {
    let services = root.find("sipCallFeatures");
    let service = |name: &str| {
        let user = services?.text_at(&[name])?;
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (user.len() <= 64 && user.chars().all(good)).then(|| user.to_owned())
    };
    let count = |name: &str| {
        let text = root.find("sipLines")?.find(name)?.value()?;
        text.parse().ok().filter(|count| (1..=200).contains(count))
    };
    PhoneFeatures {
        busy_trigger: count("busyTrigger"),
        max_calls: count("maxNumCalls"),
        forward_service: service("callForwardURI"),
        pickup_service: service("callPickupURI"),
        group_pickup_service: service("callPickupGroupURI"),
        other_pickup_service: service("callPickupListURI"),
        call_stats: root.find("callStats").and_then(Element::value) == Some("true"),
        leave_out_silence: root.find("enableVad").and_then(Element::value) == Some("true"),
        // 1 and 2 are on or the system's default, it is not told which (reference
        // device-config.md section 2).
        without_g722: root.find("advertiseG722Codec").and_then(Element::value) == Some("0"),
        preferred_codec: root.find("preferredCodec").and_then(Element::value).and_then(codec),
        tones: root.find("networkLocale").and_then(Element::value).and_then(country),
        desk: None,
    }
}

/// A codec by the names that phones' files have for it. Those besides `none` are inferred from
/// other phones of the vendor.
fn codec(name: &str) -> Option<AudioCodec> {
    match name.to_ascii_lowercase().as_str() {
        "g711ulaw" | "g711u" => Some(AudioCodec::Pcmu),
        "g711alaw" | "g711a" => Some(AudioCodec::Pcma),
        "g729" | "g729a" => Some(AudioCodec::G729),
        "g722" => Some(AudioCodec::G722),
        _ => None,
    }
}

/// The country of a network locale: its English name, with `_` for spaces as it names files. That the
/// vendor's names are those is inferred from `United_States`.
fn country(name: &str) -> Option<ToneCountry> {
    let word = |c: char| if c == ' ' { '_' } else { c.to_ascii_lowercase() };
    match name.chars().map(word).collect::<String>().as_str() {
        "austria" => Some(ToneCountry::At),
        "australia" => Some(ToneCountry::Au),
        "brazil" => Some(ToneCountry::Br),
        "switzerland" => Some(ToneCountry::Ch),
        "china" => Some(ToneCountry::Cn),
        "germany" => Some(ToneCountry::De),
        "spain" => Some(ToneCountry::Es),
        "france" => Some(ToneCountry::Fr),
        "united_kingdom" => Some(ToneCountry::Gb),
        "italy" => Some(ToneCountry::It),
        "japan" => Some(ToneCountry::Jp),
        "netherlands" => Some(ToneCountry::Nl),
        "poland" => Some(ToneCountry::Pl),
        "sweden" => Some(ToneCountry::Se),
        "united_states" => Some(ToneCountry::Us),
        _ => None,
    }
}

/// `configurationfile=NAME.xml` among words divided by white space or semicolons. A path is
/// refused: the name becomes part of a URL.
fn group_file(support_field: &str) -> Option<String> {
    let words = support_field.split(|c: char| c.is_whitespace() || c == ';');
    let value = words
        .filter_map(|word| word.split_once('='))
        .find_map(|(key, value)| key.eq_ignore_ascii_case("configurationfile").then_some(value))?;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!value.is_empty() && value.chars().all(good)).then(|| value.to_owned())
}

struct Fields<'a> {
    root: &'a Element,
    oddities: Vec<&'static str>,
}

impl Fields<'_> {
    fn number(&mut self, name: &str, range: RangeInclusive<u32>, default: u32) -> u32 {
        let Some(text) = self.root.find(name).and_then(Element::value) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.odd("a number out of its range");
                default
            }
        }
    }

    fn code_point(&mut self, name: &str, default: u8) -> u8 {
        let tos = self.number(name, 0..=255, u32::from(default) << 2);
        u8::try_from(tos >> 2).unwrap_or(default)
    }

    /// `None` when either end is missing, zero or below 1,024, or the ends are the wrong way
    /// round.
    fn ports(&mut self, start: &str, stop: &str) -> Option<PortRange> {
        let ends = [start, stop].map(|name| self.number(name, 0..=65_535, 0));
        let [start, end] = ends.map(|port| u16::try_from(port).unwrap_or(0));
        if start == 0 && end == 0 {
            return None;
        }
        if start < 1024 || end < start {
            self.odd("a port range that is none");
            return None;
        }
        Some(PortRange { start, end })
    }

    fn odd(&mut self, what: &'static str) {
        if !self.oddities.contains(&what) {
            self.oddities.push(what);
        }
    }
}
