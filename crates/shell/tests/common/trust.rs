//! Snapshots of what administrators and certificates decide.

use std::sync::Arc;

use offhook_model::{
    AcceptedKey, BrowserSignIn, Endpoint, EnrolFault, EnrolmentQuestion, Fault, Layer, Link,
    Preset, Restriction, Service, ServiceState, ServiceStatus, SessionState, Setting, Snapshot,
    Source, Timestamp, TlsFault, TrustQuestion, Via,
};

use super::sample;

/// A server shows a certificate that nobody vouches for.
pub fn question(remembered: bool) -> Snapshot {
    let mut snapshot = sample::discovering();
    snapshot.session.state = SessionState::SigningIn;
    let at = Endpoint {
        service: Service::Uds,
        host: "cucm1.northwind.example".into(),
        port: 8443,
        link: Link::Tls,
    };
    let why = TlsFault::SelfSigned;
    snapshot.session.question = Some(Arc::new(TrustQuestion {
        id: 7,
        words: Fault::Tls(why.clone()).problem(&at).cause,
        at,
        why,
        wanted: vec!["cucm1.northwind.example".into()],
        present: vec!["cucm1.northwind.example".into(), "cucm1".into()],
        subject: "CN=cucm1.northwind.example, O=Northwind".into(),
        issuer: "CN=cucm1.northwind.example, O=Northwind".into(),
        not_before: "2024-03-01".into(),
        not_after: "2029-02-28".into(),
        fingerprint: "4F:1C:9A:E2:77:03:5B:D8:61:AA:90:2E:C4:38:F5:6D:12:BE:47:80:9C:E3:5A:71:08:\
                      DF:26:B4:93:6E:C1:55"
            .into(),
        key: "ab12".into(),
        remembered,
    }));
    snapshot
}

/// The phone needs its authentication string, and the one before was wrong.
pub fn enrolment() -> Snapshot {
    let mut snapshot = sample::hub();
    let at = Endpoint {
        service: Service::Capf,
        host: "cucm1.northwind.example".into(),
        port: 3804,
        link: Link::Tls,
    };
    let error = Fault::Enrolment(EnrolFault::WrongString).problem(&at);
    let device = "CSFMARY".into();
    snapshot.session.enrolment = Some(EnrolmentQuestion { device, error: Some(error) });
    snapshot
}

/// The organisation signs people in on a web page.
pub fn browser() -> Snapshot {
    let mut snapshot = sample::discovering();
    snapshot.session.browser = Some(BrowserSignIn {
        url: "https://idp.northwind.example/sso".into(),
        of: "idp.northwind.example".into(),
    });
    snapshot
}

/// Nobody is signed in, and the domain is settled; the whole address may be wanted all the same.
pub fn settled_domain(email: bool) -> Snapshot {
    let preset = Preset {
        services_domain: Some("northwind.example".into()),
        sso_email_prompt: email,
        ..Preset::default()
    };
    Snapshot { preset: Arc::new(preset), ..Snapshot::default() }
}

/// Signed in through the edge, with settings of administrators and an accepted key.
pub fn outside() -> Snapshot {
    let mut snapshot = sample::hub();
    snapshot.session.via = Some(Via::Edge);
    snapshot.session.services.edge = ServiceStatus {
        state: ServiceState::Ready,
        address: Some("edge.northwind.example:8443".into()),
        protocol: Some("HTTPS".into()),
        tls: Some("TLSv1.3 TLS13_AES_256_GCM_SHA384".into()),
        error: None,
    };
    snapshot.session.restrictions = vec![
        Restriction {
            feature: "ldapDirectory",
            words: "People are looked up in the call manager's directory, not in LDAP.".into(),
        },
        Restriction {
            feature: "deskPhoneControl",
            words: "Your desk phone cannot be controlled; use the computer for calls.".into(),
        },
    ];
    let setting = |key: &str, value: &str, line| Setting {
        key: key.into(),
        section: Some("Policies".into()),
        value: value.into(),
        line: Some(line),
    };
    let layer = |source, origin: &str, settings| Layer {
        source,
        origin: origin.into(),
        settings,
        oddities: vec![],
    };
    snapshot.layers = Arc::new(vec![
        layer(
            Source::Bootstrap,
            "/etc/offhook/bootstrap.properties",
            vec![setting("ServicesDomain", "northwind.example", 3)],
        ),
        layer(
            Source::GlobalFile,
            "jabber-config.xml",
            vec![setting("EnableVideo", "false", 12), setting("Telephony_Enabled", "true", 13)],
        ),
        layer(Source::GroupFile, "sales.xml", vec![setting("EnableVideo", "true", 4)]),
    ]);
    snapshot.accepted = Arc::new(vec![AcceptedKey {
        host: "cucm1.northwind.example".into(),
        key: "ab12".into(),
        subject: "CN=cucm1.northwind.example, O=Northwind".into(),
        since: Timestamp(sample::NOW.0 - 3_600_000),
    }]);
    snapshot
}
