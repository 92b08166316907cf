//! How to register the phone.

use std::time::Duration;

use offhook_model::{AudioCodec, Endpoint, Link, Secret, Service, ToneCountry};
use serde::{Deserialize, Serialize};

use crate::{DeskControl, IceAccount, PortRange, SecureProfile};

/// A connection or socket that SIP flows over, named by the SIP endpoint, opened by the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u32);

/// One registrar, proxy or call manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipServer {
    /// Host name or address; also the name wanted in its certificate.
    pub host: String,
    /// Port.
    pub port: u16,
    /// [`Link::Udp`], [`Link::Tcp`] or [`Link::Tls`].
    pub link: Link,
}

impl SipServer {
    /// The server as an endpoint, for problems and traces.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            service: Service::Sip,
            host: self.host.clone(),
            port: self.port,
            link: self.link,
        }
    }
}

/// Whose habits to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneDialect {
    /// RFC 3261 and its family.
    Standard,
    /// A CSF device of Communications Manager (reference sip-dialect.md).
    Cucm {
        /// Device name, such as `CSFALICE`.
        device: String,
        /// Model number; 503 is the Client Services Framework.
        model: u16,
        /// Opaque user part of our Contact (`sipLines/line/contact`).
        line_contact: String,
    },
}

/// Whether sound is encrypted (SRTP with keys in the session description, RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaEncryption {
    /// Whenever they offer it; and offered to those who can where the signalling is encrypted, for
    /// keys that everybody can read protect nothing.
    #[default]
    WherePossible,
    /// Offered as the only transport, and a plain answer is taken all the same
    /// (`X-cisco-srtp-fallback`; a device of mode 3, reference device-config.md).
    Fallback,
    /// Nothing goes in clear (edge: `RTP/SAVP` whatever the device's mode).
    Required,
}

/// Everything needed to register and to call.
#[derive(Clone, Debug)]
pub struct PhoneAccount {
    /// Habits.
    pub dialect: PhoneDialect,
    /// User part of our address of record: directory number or account name.
    pub user: String,
    /// Host part of our address of record; empty with CUCM, where it is the node in use.
    pub domain: String,
    /// Name to show to others.
    pub display_name: String,
    /// Servers in the order to try.
    pub servers: Vec<SipServer>,
    /// Routes that requests outside a dialog carry after the server that is connected to (RFC 3261
    /// section 8.1.1.1), in order, each `<sip:…;lr>` as it stands in the header: the way on from an
    /// edge (reference edge.md section 4). The server itself comes before them by itself where
    /// there is a `registrar`. Empty when the servers are the registrars themselves.
    pub routes: Vec<String>,
    /// Host of the registrar, where it is not the server that is connected to: the inner call
    /// manager behind an edge. It stands in the Request-URI and To of REGISTER, and in our address
    /// where `domain` is empty.
    pub registrar: Option<String>,
    /// Whether sound is encrypted.
    pub encryption: MediaEncryption,
    /// It shows a certificate of its own; nothing where it needs none.
    pub secure: Option<SecureProfile>,
    /// Digest credentials, where the server asks for them.
    pub digest: Option<(String, Secret<String>)>,
    /// Expiry to ask for.
    pub expires: Duration,
    /// How long before expiry to refresh (`timerRegisterDelta`).
    pub refresh_before: Duration,
    /// UDP ports for media.
    pub media_ports: PortRange,
    /// DSCP of audio, 0 to 63.
    pub audio_dscp: u8,
    /// DSCP of signalling, 0 to 63.
    pub signalling_dscp: u8,
    /// Number of the voicemail system, if there is one.
    pub voicemail_pilot: Option<String>,
    /// What the server offers beyond calls.
    pub features: PhoneFeatures,
    /// How its servers stand in for each other.
    pub upkeep: PhoneUpkeep,
    /// How sound finds its way through translators; nothing where descriptions tell where it goes
    /// and that is that.
    pub ice: Option<IceAccount>,
}

/// How the registration is kept through the loss of servers (reference sip-dialect.md section 5,
/// device-config.md section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneUpkeep {
    /// How often the server that stands by is asked whether it is there (`timerKeepAliveExpires`);
    /// zero means that none is.
    pub keep_alive: Duration,
    /// For how long a better server must have answered before the phone goes back to it
    /// (`connectionMonitorDuration`).
    pub return_after: Duration,
    /// Wait four times as long before a silent call manager counts as lost
    /// (`detectCMConnectionFailure` 1).
    pub patient: bool,
    /// Servers that stand in for the call managers (SRST), tried after `servers`. What is
    /// registered there can call, hold and resume, and no more.
    pub stand_ins: Vec<SipServer>,
    /// Ask the server whether messages wait (RFC 3842). Call managers tell it by themselves.
    pub mailbox: bool,
    /// UUID of this device (`8-4-4-4-12` hexadecimal digits), the same from one start to the next:
    /// the registrar knows its flow and its GRUU by it (RFC 5626 section 4.1). Without one neither
    /// is asked for. Call managers know the device by its name.
    pub instance: Option<String>,
    /// Stamp of the device file the account was read from (`versionStamp`).
    pub version_stamp: Option<String>,
}

impl Default for PhoneUpkeep {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(120),
            return_after: Duration::from_secs(120),
            patient: false,
            stand_ins: vec![],
            mailbox: false,
            instance: None,
            version_stamp: None,
        }
    }
}

/// What a device file says of features (reference device-config.md sections 3.1 and 3.3). A
/// standard account has none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneFeatures {
    /// With so many calls the next one is told that we are busy (`busyTrigger`).
    pub busy_trigger: Option<u32>,
    /// So many calls at once at most (`maxNumCalls`).
    pub max_calls: Option<u32>,
    /// Service that forwards all calls (`callForwardURI`), a user part such as
    /// `x-cisco-serviceuri-cfwdall`.
    pub forward_service: Option<String>,
    /// Service that takes a call of the own group (`callPickupURI`).
    pub pickup_service: Option<String>,
    /// Service that takes a call of another group (`callPickupGroupURI`).
    pub group_pickup_service: Option<String>,
    /// Service that takes a call of a group that goes with ours (`callPickupListURI`).
    pub other_pickup_service: Option<String>,
    /// The figures of a call's sound are told when it ends (`callStats`).
    pub call_stats: bool,
    /// Silence may be left out of what we send (`enableVad`).
    pub leave_out_silence: bool,
    /// G.722 is not to be offered (`advertiseG722Codec` 0).
    pub without_g722: bool,
    /// The codec that comes before all others (`preferredCodec`).
    pub preferred_codec: Option<AudioCodec>,
    /// Whose tones tell of a call's progress (`networkLocale`), unless the person chose others.
    pub tones: Option<ToneCountry>,
    /// Calls can be made with phones on the desk.
    pub desk: Option<DeskControl>,
}
