//! What is wrong, whose it is and what to do: the only place where such sentences are made.

use serde::{Deserialize, Serialize};

use crate::{Coded, DnsFault, Endpoint, Fault, Link, Service, TlsFault};

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The person at this desk.
    User,
    /// Whoever runs the services or this machine.
    Admin,
    /// Whoever runs the network.
    Network,
    /// The service itself: wait or tell its owner.
    Server,
}

/// Which stretch of the way is broken. Each has an exit status of `offhook doctor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Finding the services.
    Dns,
    /// Reaching them.
    Network,
    /// Trusting them.
    Tls,
    /// Being trusted by them.
    Authentication,
    /// What they have set up for the user.
    Provisioning,
    /// SIP registration.
    Registration,
    /// Sound.
    Media,
}

impl Area {
    /// Exit status of `offhook doctor`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Dns => 10,
            Self::Network => 20,
            Self::Tls => 30,
            Self::Authentication => 40,
            Self::Provisioning => 50,
            Self::Registration => 60,
            Self::Media => 70,
        }
    }
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A part of the client cannot work.
    Blocking,
    /// Works, and something should be mended.
    Warning,
    /// Worth knowing.
    Note,
}

/// A failure class of `docs/doctor.md`; the number is stable. Written `D07`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(pub u8);

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("D{:02}", self.0))
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_prefix('D').and_then(|number| number.parse().ok());
        number.map(Self).ok_or_else(|| serde::de::Error::custom("no rule such as D07"))
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The failure class, where one of `docs/doctor.md` fits.
    pub rule: Option<Rule>,
    /// Which stretch of the way is broken.
    pub area: Area,
    /// What happened, in one sentence that can be read aloud.
    pub cause: String,
    /// Who must act.
    pub owner: Owner,
    /// The same in words, such as "DNS administrator".
    pub who: String,
    /// What to do, in one sentence.
    pub remedy: String,
    /// What was seen, for the support desk: endpoint and answer, never a secret.
    pub evidence: String,
    /// The code of cause and remedy, where they can be said in other languages.
    #[serde(skip)]
    pub coded: Option<Box<Coded>>,
}

impl Problem {
    /// Builds a problem from its sentences; `who` follows from owner and area.
    pub fn new(
        area: Area,
        owner: Owner,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            rule: None,
            area,
            cause: cause.into(),
            owner,
            who: Self::usual_who(owner, area).to_owned(),
            remedy: remedy.into(),
            evidence: String::new(),
            coded: None,
        }
    }

    /// Who it is in words, where nobody more precise is named.
    pub fn usual_who(owner: Owner, area: Area) -> &'static str {
        match (owner, area) {
            (Owner::User, _) => "you",
            (Owner::Admin, Area::Dns) => "DNS administrator",
            (Owner::Admin, _) => "UC administrator",
            (Owner::Network, _) => "network administrator",
            (Owner::Server, _) => "the service's operator",
        }
    }

    /// The same problem, classified.
    pub fn with_rule(mut self, rule: u8) -> Self {
        self.rule = Some(Rule(rule));
        self
    }

    /// The same problem with what was seen.
    pub fn with_evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = evidence.into();
        self
    }

    /// No service was found in the name system for this domain (D01).
    pub fn no_services(domain: &str) -> Self {
        Self::new(
            Area::Dns,
            Owner::Admin,
            format!("The name system has no record of any service for {domain}."),
            format!(
                "Check the spelling of the address. If it is right, publish the SRV records of \
                 {domain} in the name server that this computer asks, or use manual setup."
            ),
        )
        .with_rule(1)
        .coded("no-services", [("host", domain)])
        .with_evidence(format!("SRV records of {domain}: none"))
    }

    /// The user exists and has no soft phone (D18).
    pub fn no_device(user: &str) -> Self {
        Self::new(
            Area::Provisioning,
            Owner::Admin,
            format!("No desktop phone (CSF device) is set up for {user}."),
            "Create a Cisco Unified Client Services Framework device and associate it with the \
             user; check that the user id is spelt in the same case.",
        )
        .coded("no-device", [("user", user)])
        .with_rule(18)
    }

    /// The phone was registered, and is no longer (D30). The owner follows from the cause.
    pub fn registration_lost(at: &Endpoint, fault: &Fault) -> Self {
        let host = &at.host;
        let (owner, what, remedy) = match fault {
            Fault::ConnectTimeout | Fault::AnswerTimeout => (
                Owner::Network,
                "no longer answers",
                "Check the way to it: a firewall may forget idle connections, or the node may be down.",
            ),
            Fault::Closed => (
                Owner::Server,
                "closed the connection",
                "Have the node's log looked at: it may restart, reset the device, or move it to another node.",
            ),
            Fault::Unreachable(_) => (
                Owner::Network,
                "can no longer be reached from here",
                "Check this computer's network connection and address.",
            ),
            Fault::Sip(..) => (
                Owner::Admin,
                "no longer accepts the registration",
                "Have the device checked: it may have been reset, moved or taken over by another client.",
            ),
            _ => (
                Owner::Admin,
                "dropped the phone",
                "Have the node's log looked at for this device.",
            ),
        };
        Self::new(
            Area::Registration,
            owner,
            format!("The phone was registered, and then {host} {what}."),
            remedy,
        )
        .with_rule(30)
        .with_evidence(format!("{} {at}: {fault:?}", at.service.words()))
    }

    /// A call whose other side is not heard (D34).
    pub fn silent_call() -> Self {
        Self::new(
            Area::Media,
            Owner::Network,
            "In a call that goes on now nothing is heard of the other side: no packet comes.",
            "Let the media ports through in both directions (UDP), and check that VPN or address \
             translation does not send the sound another way.",
        )
        .with_rule(34)
        .coded("silent-call", [])
        .with_evidence("the call is up, and no RTP came for three seconds or more")
    }

    /// A stanza (`what`: `message`, `presence`, `iq`) came that is larger or deeper than any real one,
    /// and was passed over. The connection goes on.
    pub fn beyond_measure(what: &str, fault: &Fault) -> Self {
        let kind = match what {
            "message" => "A message",
            "presence" => "Somebody's presence",
            _ => "An answer or a question",
        };
        let evidence = match fault {
            Fault::TooLarge(limit) => format!("{what}: more than {} KB", limit / 1024),
            _ => format!("{what}: nested too deep"),
        };
        Self::new(
            Area::Network,
            Owner::Server,
            format!(
                "{kind} came that is beyond all measure. It was not read; the connection goes on."
            ),
            "You need not do anything. If it happens again, tell your administrator.",
        )
        .with_evidence(evidence)
    }

    /// A problem report holds no answer to a question that sign-in asks now.
    pub fn not_recorded(what: &str) -> Self {
        Self::new(
            Area::Provisioning,
            Owner::User,
            format!("The problem report holds no answer of {what}."),
            "Save a report right after the trouble, or run offhook doctor with --report where it happens.",
        )
        .with_evidence(NOT_RECORDED)
    }

    /// Whether this is nothing but a gap in a problem report.
    pub fn is_not_recorded(&self) -> bool {
        self.rule.is_none() && self.evidence.ends_with(NOT_RECORDED)
    }

    /// The address has no account on any cluster that was asked.
    pub fn no_home_cluster(user: &str, host: &str) -> Self {
        Self::new(
            Area::Provisioning,
            Owner::User,
            format!("{host} does not know the user {user}."),
            "Check the address. If it is right, ask the UC administrator whether the account is \
             enabled on a cluster.",
        )
        .coded("no-home-cluster", [("user", user), ("host", host)])
    }
}

/// Evidence of [`Problem::not_recorded`].
const NOT_RECORDED: &str = "not recorded";

impl Fault {
    /// The one sentence for this fault at this place.
    pub fn problem(&self, at: &Endpoint) -> Problem {
        if matches!(self, Self::NotRecorded | Self::Dns(DnsFault::NotRecorded)) {
            return Problem::not_recorded(&format!("the {} {at}", at.service.words()));
        }
        let service = at.service.words();
        let host = &at.host;
        let problem = match self {
            Self::Dns(fault) => dns_problem(fault, at),
            Self::PortRefused => Problem::new(
                Area::Network,
                Owner::Network,
                format!("{host} is up and refuses connections on port {}: the {service} is not running there or a firewall rejects it.", at.port),
                format!("Start the service on {host}, or open {} port {}.", transport(at.link), at.port),
            )
            .with_rule(7),
            Self::ConnectTimeout => Problem::new(
                Area::Network,
                Owner::Network,
                format!("{host} does not answer on port {}: the host is down or a firewall drops the connection.", at.port),
                format!("Check that {host} runs and open {} port {} on the way to it.", transport(at.link), at.port),
            )
            .with_rule(7),
            Self::Unreachable(_) => Problem::new(
                Area::Network,
                Owner::Network,
                format!("There is no way from this computer to {host}."),
                "Check the network connection, VPN and routes.",
            )
            .with_rule(7),
            Self::Tls(fault) => tls_problem(fault, at),
            Self::AnswerTimeout => Problem::new(
                Area::Network,
                Owner::Server,
                format!("The {service} on {host} accepted the connection and then said nothing."),
                "Try again in a minute; if it stays so, have the service restarted.",
            ),
            Self::Closed => Problem::new(
                Area::Network,
                Owner::Server,
                format!("The {service} on {host} closed the connection."),
                "Try again; if it stays so, have the service's log looked at.",
            ),
            Self::TooLarge(limit) => Problem::new(
                Area::Provisioning,
                Owner::Admin,
                format!("{host} answered with more than {} KB where a small {service} answer was expected.", limit / 1024),
                "Check that the address and port belong to this service.",
            ),
            Self::Html => Problem::new(
                Area::Provisioning,
                Owner::Network,
                format!("{host} answered with a web page where the {service} should answer with data."),
                "Sign in to the network's login page in a browser if there is one; otherwise check address, port and proxy.",
            ),
            Self::Nonsense(what) => Problem::new(
                Area::Provisioning,
                Owner::Admin,
                format!("The answer of the {service} on {host} cannot be used: {what}."),
                "Check that the address and port belong to this service and that its version is supported.",
            ),
            Self::Status(404) if at.service == Service::DeviceFile => Problem::new(
                Area::Provisioning,
                Owner::Admin,
                format!("{host} has no configuration file for this phone."),
                "Check the device's name (letters and digits, at most 15) and that the TFTP service has built its file.",
            )
            .with_rule(27),
            Self::Status(status) => Problem::new(
                if *status >= 500 { Area::Network } else { Area::Provisioning },
                if *status >= 500 { Owner::Server } else { Owner::Admin },
                format!("The {service} on {host} answered with HTTP status {status}."),
                if *status >= 500 {
                    "Try again in a minute; if it stays so, have the service's log looked at."
                } else {
                    "Check that the service is activated on this node and that the address is right."
                },
            ),
            Self::BadCredentials => Problem::new(
                Area::Authentication,
                Owner::User,
                format!("{host} did not accept the user name and password: one of them is wrong, or the account is locked or expired."),
                "Type the password again; if it is right, have the account unlocked or the password renewed.",
            ),
            Self::NoMechanism(offered) => Problem::new(
                Area::Authentication,
                Owner::Admin,
                format!("{host} and this client have no way of authentication in common."),
                format!("Enable SCRAM, PLAIN over TLS or the token mechanism on the server (it offers: {}); where it is reached from outside, refresh the edge's list of IM and Presence nodes.", list(offered)),
            )
            .with_rule(20),
            Self::NoEncryption => Problem::new(
                Area::Tls,
                Owner::Admin,
                format!("{host} offers no encryption, and passwords are not sent in clear."),
                format!("Switch on TLS for the {service}."),
            ),
            Self::Conflict => Problem::new(
                Area::Authentication,
                Owner::Admin,
                format!("{host} lets this account sign in only once, and it is signed in elsewhere."),
                "Sign out elsewhere, or allow several resources for the account.",
            )
            .with_rule(19),
            Self::Proxy(what) => Problem::new(
                Area::Network,
                Owner::Network,
                format!("The web proxy is in the way: {what}."),
                "Exempt the services' hosts from the proxy, or use a proxy without password.",
            )
            .with_rule(33),
            Self::Sip(code, text) => sip_problem(*code, text, at),
            Self::Stream(condition) => Problem::new(
                Area::Network,
                Owner::Server,
                format!("{host} ended the chat connection: {condition}."),
                "It is tried again by itself; if it stays so, have the server's log looked at.",
            ),
            Self::Enrolment(fault) => fault.problem(host),
            Self::Edge(edge, fault) => fault.problem(edge, at),
            Self::NotProvisioned(what) => Problem::new(
                Area::Provisioning,
                Owner::Admin,
                format!("{what} is not set up for this user."),
                "Have it added to the user's service profile or device.",
            )
            .with_rule(25),
            Self::NotRecorded => Problem::not_recorded(service),
        };
        let coded = crate::coded::fault(self, at);
        Problem { coded: coded.map(Box::new).or(problem.coded.clone()), ..problem }
            .with_evidence(format!("{service} {at}: {self:?}"))
    }
}

fn transport(link: Link) -> &'static str {
    match link {
        Link::Udp => "UDP",
        Link::Tcp | Link::Tls | Link::StartTls => "TCP",
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

fn dns_problem(fault: &DnsFault, at: &Endpoint) -> Problem {
    let host = &at.host;
    let dns = |owner, cause: String, remedy: String| Problem::new(Area::Dns, owner, cause, remedy);
    match fault {
        DnsFault::NoName | DnsFault::NoRecord if at.service == Service::Dns => {
            Problem::no_services(host)
        }
        DnsFault::NoName | DnsFault::NoRecord => dns(
            Owner::Admin,
            format!("The name {host} has no address."),
            format!("Add an A or AAAA record for {host}, or correct the record that names it."),
        )
        .with_rule(5),
        DnsFault::ServerFailure => dns(
            Owner::Admin,
            format!("The name server failed while it looked for {host}."),
            "Have the name server and the zone's delegation checked.".to_owned(),
        ),
        DnsFault::Refused => dns(
            Owner::Network,
            format!("The name server refuses to answer this computer about {host}."),
            "Use the name server of this network, or allow this computer to ask.".to_owned(),
        ),
        DnsFault::Silence => dns(
            Owner::Network,
            format!("No name server answered the question for {host}."),
            "Check the network connection and that port 53 (or the configured port) is open to the name server.".to_owned(),
        ),
        DnsFault::Malformed(what) => dns(
            Owner::Network,
            format!("The answer about {host} cannot be read: {what}."),
            "Have the name server, or the device between it and this computer, checked; large answers need TCP port 53.".to_owned(),
        ),
        DnsFault::NoServer => dns(
            Owner::Network,
            "This computer has no name server.".to_owned(),
            "Check the network connection, or give one with --name-server ADDR:PORT.".to_owned(),
        ),
        DnsFault::NotRecorded => Problem::not_recorded(host),
    }
}

fn tls_problem(fault: &TlsFault, at: &Endpoint) -> Problem {
    let host = &at.host;
    let tls = |owner, cause: String, remedy: String| Problem::new(Area::Tls, owner, cause, remedy);
    match fault {
        TlsFault::SelfSigned => tls(
            Owner::Admin,
            format!("{host} shows a certificate that it signed itself, and this computer does not trust it."),
            "Give the server a certificate from an authority that this computer trusts, or roll out its authority (--ca-file).".to_owned(),
        )
        .with_rule(8),
        TlsFault::UnknownIssuer => tls(
            Owner::Admin,
            format!("The certificate of {host} comes from an authority that this computer does not know."),
            "Roll out the authority's certificate to this computer (system store or --ca-file).".to_owned(),
        )
        .with_rule(8),
        TlsFault::Expired(day) => tls(
            Owner::Admin,
            format!("The certificate of {host} has expired{}.", day.as_ref().map(|day| format!(" ({day})")).unwrap_or_default()),
            "Renew the certificate; check this computer's clock as well.".to_owned(),
        )
        .with_rule(12),
        TlsFault::NotYetValid(day) => tls(
            Owner::Admin,
            format!("The certificate of {host} is not valid yet{}.", day.as_ref().map(|day| format!(" ({day})")).unwrap_or_default()),
            "Check this computer's clock, then the certificate's dates.".to_owned(),
        )
        .with_rule(12),
        TlsFault::WrongName { wanted, present } => tls(
            Owner::Admin,
            format!("The certificate of {host} is for {}, not for {wanted}.", list(present)),
            format!("Issue a certificate that names {wanted}."),
        )
        .with_rule(match at.service {
            // The edge's own name is as any other; its services domain is a rule of its own.
            Service::Edge if wanted != host => 10,
            Service::Xmpp => 11,
            _ => 9,
        }),
        TlsFault::WeakKey(what) => tls(
            Owner::Admin,
            format!("The certificate of {host} cannot be relied on: {what}."),
            "Issue a certificate with an RSA key of at least 2,048 bits or an elliptic-curve key, signed with SHA-256 or better.".to_owned(),
        )
        .with_rule(12),
        TlsFault::OursRefused => {
            let cause = format!("{host} refused the certificate that this phone has for itself, or wants one where it has none.");
            let remedy = "Have the phone's certificate issued anew (CAPF, \"Install/Upgrade\"), and check that the server trusts the authority it comes from.".to_owned();
            let problem = tls(Owner::Admin, cause, remedy);
            if at.service == Service::Sip { problem.with_rule(28) } else { problem }
        }
        TlsFault::Handshake(_) => tls(
            Owner::Admin,
            format!("No encrypted connection to {host} port {} could be agreed.", at.port),
            "Enable TLS 1.2 or later on the server and check that the port speaks TLS.".to_owned(),
        ),
    }
}

fn sip_problem(code: u16, text: &str, at: &Endpoint) -> Problem {
    let host = &at.host;
    // The Warning of a call manager that wants the phone's own certificate (reference sip-dialect.md
    // section 2).
    if code == 403 && text.to_ascii_lowercase().contains("tls authentication") {
        return Problem::new(
            Area::Registration,
            Owner::Admin,
            format!("The call server {host} wants this phone's own certificate, and it has none that fits: {text}."),
            "Have the certificate enrolled from inside or by VPN, or the edge's certificate made to name the phone's security profile, or give the phone a non-secure profile.",
        )
        .with_rule(28);
    }
    let (owner, remedy) = match code {
        401 | 407 => (Owner::User, "Check the phone's user name and password."),
        403 => (
            Owner::Admin,
            "Sign the phone out elsewhere, or have the device and its security profile checked.",
        ),
        404 => (Owner::Admin, "Have the device and its line checked on the call server."),
        408 | 503 => (
            Owner::Server,
            "It is tried again by itself; if it stays so, have the call server checked.",
        ),
        _ => (Owner::Admin, "Have the call server's log looked at for this device."),
    };
    let area = if matches!(code, 401 | 407) { Area::Authentication } else { Area::Registration };
    Problem::new(
        area,
        owner,
        format!("The call server {host} refused the phone: {code} {text}."),
        remedy,
    )
    .with_rule(29)
}

#[cfg(test)]
mod tests {
    use super::{Area, Owner};
    use crate::{Endpoint, Fault, Link, Service, TlsFault};

    fn at(service: Service) -> Endpoint {
        Endpoint { service, host: "cucm1.example.com".into(), port: 8443, link: Link::Tls }
    }

    #[test]
    fn refused_and_dropped_are_told_apart() {
        let refused = Fault::PortRefused.problem(&at(Service::Uds));
        let dropped = Fault::ConnectTimeout.problem(&at(Service::Uds));
        assert_eq!((refused.area, refused.owner), (Area::Network, Owner::Network));
        assert_ne!(refused.cause, dropped.cause);
    }

    #[test]
    fn a_missing_phone_certificate_is_told_apart_from_other_refusals() {
        let rule = |text: &str| Fault::Sip(403, text.into()).problem(&at(Service::Sip)).rule;
        assert_eq!(rule("TLS Authentication failure"), Some(super::Rule(28)));
        assert_eq!(rule("Registration is active for another client"), Some(super::Rule(29)));
    }

    #[test]
    fn a_wrong_name_says_both_names() {
        let fault = Fault::Tls(TlsFault::WrongName {
            wanted: "cucm1.example.com".into(),
            present: vec!["other.example.com".into()],
        });
        let problem = fault.problem(&at(Service::Uds));
        assert!(problem.cause.contains("other.example.com"), "{}", problem.cause);
        assert!(problem.cause.contains("cucm1.example.com"), "{}", problem.cause);
        assert_eq!(problem.area.exit_code(), 30);
    }
}
