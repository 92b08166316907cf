//! What can go wrong on purpose, and which rule of the doctor it is an example of.

use std::collections::BTreeSet;

use crate::LabError;
use crate::scenario::Scenario;

/// Writes the enum and its table from one list, so that neither can lack an entry.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident, $name:literal, $rule:expr, $about:literal;)+) => {
        /// Something that goes wrong on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[doc = $doc])+ $fault,)+
        }

        impl Fault {
            /// All of them, in the order of their rules.
            pub const ALL: &'static [Self] = &[$(Self::$fault,)+];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$fault => $name,)+ }
            }

            /// One sentence for `offhook-lab list`.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$fault => $about,)+ }
            }

            /// Number of the rule in `docs/doctor.md` that this is an example of; `None` where
            /// the symptom has no number of its own.
            #[must_use]
            pub fn rule(self) -> Option<u8> {
                match self { $(Self::$fault => $rule,)+ }
            }
        }
    };
}

faults! {
    /// The domains have no service records.
    NoRecords, "no-records", Some(1), "neither domain has a service record";
    /// Records for inside and outside in one view.
    BothViews, "both-views", Some(2), "_collab-edge is there beside the inner records";
    /// The SRV target is an address.
    SrvToAddress, "srv-to-address", Some(4), "the SRV target is an address";
    /// The SRV target is an alias.
    SrvToAlias, "srv-to-alias", Some(4), "the SRV target is an alias (CNAME)";
    /// The SRV target has an underscore.
    SrvUnderscore, "srv-underscore", Some(4), "the SRV target has an underscore in its name";
    /// The SRV target is the record's own name.
    SrvToItself, "srv-to-itself", Some(4), "the SRV record names itself as its target";
    /// The SRV target has no address.
    NoAddress, "no-address", Some(5), "the name of the UDS server has no address";
    /// The SRV target has an IPv6 address only.
    OnlyIpv6, "only-ipv6", Some(5), "the UDS record names a host with an IPv6 address only; seen where that family is switched off, as by the bootstrap file here";
    /// The first UDS server never answers, the second works.
    DeadServer, "dead-server", Some(6), "the first UDS server swallows connections, the second works";
    /// The only UDS server never answers.
    DeadOnlyServer, "dead-only-server", Some(7), "the only UDS server swallows connections";
    /// The UDS port refuses connections.
    RefusedPort, "refused-port", Some(7), "nothing listens on the UDS port";
    /// The port of the configuration files refuses.
    RefusedFiles, "refused-files", Some(7), "nothing listens on the port of the configuration files";
    /// The port of the configuration files swallows.
    DroppedFiles, "dropped-files", Some(7), "the port of the configuration files swallows connections";
    /// The SOAP port refuses.
    RefusedSoap, "refused-soap", Some(7), "nothing listens on the port of the IM and Presence sign-in";
    /// The SOAP port swallows.
    DroppedSoap, "dropped-soap", Some(7), "the port of the IM and Presence sign-in swallows connections";
    /// The XMPP port refuses.
    RefusedXmpp, "refused-xmpp", Some(7), "nothing listens on the XMPP port";
    /// The XMPP port swallows.
    DroppedXmpp, "dropped-xmpp", Some(7), "the XMPP port swallows connections";
    /// The SIP port refuses.
    RefusedSip, "refused-sip", Some(7), "nothing listens on the SIP port of the device files (TCP and TLS)";
    /// The SIP port swallows.
    DroppedSip, "dropped-sip", Some(7), "the SIP port of the device files (TCP and TLS) swallows connections";
    /// The voicemail port refuses.
    RefusedVoicemail, "refused-voicemail", Some(7), "the service profile names a voicemail server that does not listen";
    /// The LDAP port refuses.
    RefusedDirectory, "refused-directory", Some(7), "service profile and jabber-config.xml name an LDAP directory that does not listen";
    /// UDS shows a certificate that no authority signed.
    SelfSignedCert, "self-signed-cert", Some(8), "UDS shows a certificate signed by no authority";
    /// UDS shows a certificate of an authority nobody knows.
    UnknownCa, "unknown-ca", Some(8), "UDS shows a certificate of an authority that is not in ca.pem";
    /// UDS shows a certificate for another name.
    WrongNameCert, "wrong-name-cert", Some(9), "UDS shows a certificate for another host name";
    /// The certificate of the edges does not name the services domain.
    EdgeCertWithoutDomain, "edge-cert-without-domain", Some(10), "the certificate of the edges names them and not the services domain";
    /// The XMPP certificate names the node and not the domain.
    XmppCertWithoutDomain, "xmpp-cert-without-domain", Some(11), "the XMPP certificate names the node and not the chat domain";
    /// UDS shows a certificate that ended years ago.
    ExpiredCert, "expired-cert", Some(12), "UDS shows a certificate that ended in 2021";
    /// UDS shows a certificate that is not valid yet.
    NotYetValidCert, "not-yet-valid-cert", Some(12), "UDS shows a certificate that begins in 2045";
    /// UDS shows a certificate with a weak key.
    WeakKeyCert, "weak-key-cert", Some(12), "UDS shows a certificate with an RSA key of 1024 bits";
    /// The edges refuse every password.
    EdgeUnauthorized, "edge-unauthorized", Some(13), "the edges answer every password with 401";
    /// One host is not on the edges' list.
    EdgeForbidsHost, "edge-forbids-host", Some(14), "the edges answer 403 for the IM and Presence nodes only";
    /// Nothing inside is allowed.
    EdgeForbidsInside, "edge-forbids-inside", Some(15), "the edges let sign in and answer 403 for everything inside";
    /// The tunnel between the edge's halves is down.
    EdgeTunnelDown, "edge-tunnel-down", Some(16), "the edges answer 502 to everything";
    /// The devices of a user are empty.
    NoDevice, "no-device", Some(18), "the user has no device at all";
    /// Only the desk phone is associated with the user.
    NotAssociated, "not-associated", Some(18), "the soft phone exists, and only the desk phone is associated with the user";
    /// The devices belong to the same user id in other letters.
    UserIdCase, "user-id-case", Some(18), "the devices belong to the user id in capitals, which the directory spells in small letters";
    /// Binding a resource is refused.
    BindConflict, "bind-conflict", Some(19), "XMPP refuses to bind any resource: conflict";
    /// No SASL mechanism fits.
    NoMechanism, "no-mechanism", Some(20), "XMPP offers GSSAPI and nothing else";
    /// CAS says that the domain is a customer although there are inner records.
    CasSaysWebex, "cas-says-webex", Some(22), "CAS claims the domain for WebEx Messenger beside the inner records; signing in there fails";
    /// The service profile has no chat service.
    ProfileWithoutIm, "profile-without-im", Some(25), "the service profile has an empty IM and Presence section";
    /// The service profile says WebEx.
    WrongProduct, "wrong-product", Some(25), "the service profile says WebEx for chat, which the domain does not have";
    /// The service profile names the domain as the chat server.
    DomainAsImHost, "domain-as-im-host", Some(26), "the service profile names the domain as the IM and Presence host";
    /// The device file does not exist.
    NoDeviceFile, "no-device-file", Some(27), "the file server has no device file";
    /// The device has to be encrypted and has no certificate.
    SecureProfile, "secure-profile", Some(28), "the device file wants an encrypted phone, and no certificate was enrolled";
    /// Registrations get 403.
    Sip403, "sip-403", Some(29), "registrations are refused with 403 and a Warning";
    /// Registrations get 404.
    Sip404, "sip-404", Some(29), "registrations are refused with 404";
    /// Registrations get 488.
    Sip488, "sip-488", Some(29), "registrations are refused with 488";
    /// Registrations get 503.
    Sip503, "sip-503", Some(29), "registrations are refused with 503";
    /// Registrations that do not insist are refused.
    ActiveElsewhere, "active-elsewhere", Some(29), "another client holds the phone: 403 until the registration insists";
    /// Registered phones are cut off.
    RegistrationLost, "registration-lost", Some(30), "the server cuts off a phone three seconds after it registered, each time";
    /// Both XMPP nodes are down.
    BothXmppNodesDown, "both-xmpp-nodes-down", Some(32), "primary and backup XMPP node refuse connections";
    /// Sound in one direction only.
    OneWayAudio, "one-way-audio", Some(34), "robots hear and send no sound, as behind a firewall that blocks one way";
    /// A key of the client configuration has a wrong case.
    MisspeltKey, "misspelt-key", Some(35), "jabber-config.xml has keys in the wrong case and one with a typo";
    /// Directory credentials in clear.
    ClearDirectoryCredentials, "clear-directory-credentials", Some(36), "jabber-config.xml holds a directory password and turns encryption off";
    /// UDS answers every request with a web page.
    HtmlInsteadOfXml, "html-instead-of-xml", None, "UDS answers every request with a web page";
    /// UDS and CAS redirect to a login page.
    CaptivePortal, "captive-portal", None, "UDS, files and CAS over HTTP redirect to the login page of a guest network";
    /// UDS answers every request with ten megabytes of XML.
    TenMegabytes, "ten-megabytes", None, "UDS answers every request with ten megabytes of XML";
    /// UDS answers every request with an entity bomb.
    EntityBomb, "entity-bomb", None, "UDS answers every request with XML whose entities grow to gigabytes";
    /// The client configuration is not well-formed.
    BrokenConfigFile, "broken-config-file", None, "jabber-config.xml is not well-formed";
    /// SRV answers are cut short over UDP and the name server refuses TCP.
    TruncatedSrv, "truncated-srv", None, "SRV answers are cut short over UDP, and TCP is refused";
    /// The edges do not let the user in.
    EdgeForbidsAll, "edge-forbids-all", Some(15), "the edges answer the right password with 403";
    /// The first edge is dead.
    FirstEdgeDead, "first-edge-dead", Some(6), "the first edge refuses connections, the second works";
    /// Cookies of the edges do not last.
    EdgeCookieExpires, "edge-cookie-expires", Some(17), "a cookie of the edges is good for three requests";
    /// The home node is overloaded.
    HomeNodeBusy, "home-node-busy", Some(6), "the first node of each cluster answers 503 to what is about a user";
    /// The first nodes are overloaded by searches.
    SearchBusy, "search-busy", None, "the first node of each cluster answers 503 to searches of the directory";
    /// The directory lies about its pages.
    SearchLies, "search-lies", None, "the directory claims a billion people and gives the first page again and again";
    /// CAS takes its time.
    CasSlow, "cas-slow", None, "CAS answers after twenty seconds";
    /// CAS is a captive portal.
    CasCaptivePortal, "cas-captive-portal", None, "CAS answers with the login page of a guest network";
    /// CAS starts single sign-on by a redirect.
    CasSamlRedirect, "cas-saml-redirect", Some(22), "CAS redirects to an identity provider beside the inner records";
    /// CAS starts single sign-on by a form.
    CasSamlForm, "cas-saml-form", Some(22), "CAS answers with a form that posts a SAML request beside the inner records";
    /// The second host of rooms says that it is not there.
    RoomHostMissing, "room-host-missing", None, "the second host of rooms answers every question with 404";
}

impl Fault {
    /// The scenario it shows in; `on-prem` unless it is about something that scenario lacks.
    #[must_use]
    pub fn scenario(self) -> Scenario {
        match self {
            Self::HomeNodeBusy | Self::SearchBusy => Scenario::MultiCluster,
            Self::EdgeCertWithoutDomain
            | Self::EdgeUnauthorized
            | Self::EdgeForbidsHost
            | Self::EdgeForbidsInside
            | Self::EdgeTunnelDown
            | Self::EdgeForbidsAll
            | Self::FirstEdgeDead
            | Self::EdgeCookieExpires => Scenario::Edge,
            _ => Scenario::OnPrem,
        }
    }

    /// Finds a fault by name.
    ///
    /// # Errors
    /// [`LabError::Config`] when there is none.
    pub fn by_name(name: &str) -> Result<Self, LabError> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| {
            LabError::Config(format!(
                "There is no fault \"{name}\"; `offhook-lab list` shows those that exist."
            ))
        })
    }
}

/// The faults put into one laboratory.
#[derive(Debug, Clone, Default)]
pub struct Faults(BTreeSet<Fault>);

impl Faults {
    /// Looks all names up.
    ///
    /// # Errors
    /// The first unknown name.
    pub fn by_names(names: &[String]) -> Result<Self, LabError> {
        names.iter().map(|name| Fault::by_name(name)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `fault` is in.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_fault() {
        let mut names = BTreeSet::new();
        for fault in Fault::ALL {
            assert_eq!(Fault::by_name(fault.name()).unwrap(), *fault);
            assert!(names.insert(fault.name()), "{} twice", fault.name());
            assert!(fault.rule().is_none_or(|rule| (1..=36).contains(&rule)));
        }
        assert!(Fault::by_name("gremlins").is_err());
    }
}
