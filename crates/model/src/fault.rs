//! What went wrong with one endpoint, as an adapter saw it. Facts only: the sentence a person
//! reads is made in one place, [`Fault::problem`](crate::Problem).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EdgeFault, EnrolFault};

/// Which service an endpoint is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// A name server.
    Dns,
    /// User Data Services of Unified Communications Manager, port 8443.
    Uds,
    /// The file with the user's services, HTTP 6970.
    ServiceProfile,
    /// The phone's own configuration file, HTTP 6970.
    DeviceFile,
    /// The group or global client configuration file, HTTP 6970.
    ClientConfig,
    /// The sign-in service of IM and Presence, SOAP on 8443.
    ImSoap,
    /// The XMPP server.
    Xmpp,
    /// The SIP registrar, proxy or call manager.
    Sip,
    /// The edge (Expressway-E).
    Edge,
    /// The cloud (WebEx) sign-in.
    Cloud,
    /// LDAP or UDS contact search.
    Directory,
    /// Unity Connection.
    Voicemail,
    /// The server that relays the sound of calls (TURN).
    Relay,
    /// The Certificate Authority Proxy Function, port 3804.
    Capf,
}

impl Service {
    /// The service in the words of a support desk.
    pub fn words(self) -> &'static str {
        match self {
            Self::Dns => "name server",
            Self::Uds => "user data service",
            Self::ServiceProfile => "service profile file",
            Self::DeviceFile => "phone configuration file",
            Self::ClientConfig => "client configuration file",
            Self::ImSoap => "IM and Presence sign-in service",
            Self::Xmpp => "chat server",
            Self::Sip => "call server",
            Self::Edge => "edge server",
            Self::Cloud => "cloud sign-in service",
            Self::Directory => "directory server",
            Self::Voicemail => "voicemail server",
            Self::Relay => "relay (TURN)",
            Self::Capf => "certificate authority proxy (CAPF)",
        }
    }
}

/// How a service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Datagrams.
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS from its first byte.
    Tls,
    /// A stream that starts in clear and changes to TLS (XMPP STARTTLS).
    StartTls,
}

/// One place that a client talks to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// What is expected there.
    pub service: Service,
    /// Host name or address, as configured or found.
    pub host: String,
    /// Port number.
    pub port: u16,
    /// Transport.
    pub link: Link,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What the name system answered instead of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DnsFault {
    /// RCODE 3: the name does not exist.
    NoName,
    /// The name exists without such a record.
    NoRecord,
    /// RCODE 2.
    ServerFailure,
    /// RCODE 5.
    Refused,
    /// No answer in time, from any name server.
    Silence,
    /// An answer that cannot be read, with what is wrong: cut short, or no DNS at all.
    Malformed(String),
    /// The machine has no name server configured.
    NoServer,
    /// Nobody was asked: the problem report that is gone through holds no answer.
    NotRecorded,
}

/// Why a certificate or handshake was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TlsFault {
    /// The certificate is its own issuer and nobody vouches for it.
    SelfSigned,
    /// Nobody trusted vouches for it.
    UnknownIssuer,
    /// Valid before now only. The text is the last valid day, if known.
    Expired(Option<String>),
    /// Valid later only, or our clock is behind.
    NotYetValid(Option<String>),
    /// The names in the certificate do not include the one wanted.
    WrongName {
        /// Who we meant to reach.
        wanted: String,
        /// Whom the certificate names.
        present: Vec<String>,
    },
    /// The certificate's key or signature is too weak to be believed; the text says which.
    WeakKey(String),
    /// The peer does not accept the certificate that we show, or wants one and we have none.
    OursRefused,
    /// The peer speaks no TLS, too old a TLS, or broke off. The text is the library's.
    Handshake(String),
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// The name of the host could not be turned into an address.
    Dns(DnsFault),
    /// The host answered that nothing listens there.
    PortRefused,
    /// No answer to the attempt to connect: a firewall drops it or the host is down.
    ConnectTimeout,
    /// No route, or the network is down. The text is the system's.
    Unreachable(String),
    /// TLS failed.
    Tls(TlsFault),
    /// Connected, then no answer in time.
    AnswerTimeout,
    /// The other side closed or reset the connection.
    Closed,
    /// The answer was larger than the limit in bytes.
    TooLarge(u64),
    /// HTML came where XML was expected: a captive portal, a proxy page or a wrong port.
    Html,
    /// The answer was not what the service should send; the text says what was missing.
    Nonsense(String),
    /// HTTP status other than success, apart from 401.
    Status(u16),
    /// User name or password wrong, locked or expired.
    BadCredentials,
    /// The server offers no way to authenticate that we have; its list.
    NoMechanism(Vec<String>),
    /// The server does not offer encryption and we do not send passwords without.
    NoEncryption,
    /// XMPP resource conflict.
    Conflict,
    /// The proxy wants a password or is broken; the text says which.
    Proxy(String),
    /// SIP refused, with status code and Warning text or reason phrase.
    Sip(u16, String),
    /// The server closed the stream and said why (XMPP stream error condition).
    Stream(String),
    /// The phone got no certificate of its own.
    Enrolment(EnrolFault),
    /// The edge of this name is in the way.
    Edge(String, EdgeFault),
    /// Nothing of this kind is set up for the user; the text names what is missing.
    NotProvisioned(String),
    /// Nobody was asked: the problem report that is gone through holds no answer.
    NotRecorded,
}
