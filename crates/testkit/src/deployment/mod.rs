//! Recorded answers of one small deployment: two call managers, one chat node, user `alice` with
//! chat and a desktop phone. The texts are our own, after reference pages uds, service-profile,
//! device-config and im-presence.

mod cloud;
mod clusters;
mod cup8;

pub use cloud::{CLOUD_TOKEN, cloud, cloud_url, hybrid};
pub use clusters::{clusters_url, im_only, multi_cluster, phone_only};
pub use cup8::{cup8, cup8_url, phone_mode_8};

use crate::{Reply, TestWorld};

/// Alice's password, with characters that must be escaped on the way.
pub const PASSWORD: &str = "pa<ss&word\"7";
/// The one-time password that the chat node gives.
pub const TOKEN: &str = "one-time-token-4711";

/// Addresses of the deployment's resources, by short names.
pub mod url {
    /// Which cluster is alice's, asked of the first node.
    pub const CLUSTER_USER: &str =
        "GET https://cucm1.example.com:8443/cucm-uds/clusterUser?username=alice";
    /// The same, asked of the second node.
    pub const CLUSTER_USER_2: &str =
        "GET https://cucm2.example.com:8443/cucm-uds/clusterUser?username=alice";
    /// Nodes of the cluster.
    pub const SERVERS: &str = "GET https://cucm1.example.com:8443/cucm-uds/servers";
    /// Alice.
    pub const USER: &str = "GET https://cucm1.example.com:8443/cucm-uds/user/alice";
    /// Alice, at the second node.
    pub const USER_2: &str = "GET https://cucm2.example.com:8443/cucm-uds/user/alice";
    /// Her devices.
    pub const DEVICES: &str = "GET https://cucm1.example.com:8443/cucm-uds/user/alice/devices";
    /// Her desktop phone.
    pub const DEVICE: &str = "GET https://cucm1.example.com:8443/cucm-uds/user/alice/device/22";
    /// Its file.
    pub const DEVICE_FILE: &str = "GET http://cucm1.example.com:6970/CSFALICE.cnf.xml";
    /// Her service profile.
    pub const PROFILE: &str = "GET http://cucm1.example.com:6970/SPDefault.cnf.xml";
    /// The configuration file that everybody of the cluster would have.
    pub const GLOBAL_FILE: &str = "GET http://cucm1.example.com:6970/jabber-config.xml";
    /// Rules for what is dialled, and for what is looked for, which it would have.
    pub const RULES: [&str; 2] = [
        "GET http://cucm1.example.com:6970/CUPC/AppDialRules.xml",
        "GET http://cucm1.example.com:6970/CUPC/DirLookupDialRules.xml",
    ];
    /// The chat node's sign-in service.
    pub const SOAP: &str = "POST https://imp1.example.com:8443/EPASSoap/service/v80";
}

/// Bodies of the answers that a test may want to vary.
pub mod reply {
    /// The answer that knows alice.
    pub const HOME: &str = r#"<clusterUser version="10.0.0"><result found="true" uri="https://cucm1.example.com:8443/cucm-uds/user/alice" version="10.0.0"/><homeCluster serversUri="https://cucm1.example.com:8443/cucm-uds/servers">cucm1.example.com</homeCluster></clusterUser>"#;
    /// The answer that does not.
    pub const STRANGER: &str =
        r#"<clusterUser version="10.0.0"><result found="false"/></clusterUser>"#;
    /// Alice.
    pub const USER: &str = r#"<user uri="https://cucm1.example.com:8443/cucm-uds/user/alice" version="10.0.0"><userName>alice</userName><displayName>Alice Smith</displayName><homeCluster enableImAndPresence="true">true</homeCluster><primaryExtension><directoryNumber>2001</directoryNumber></primaryExtension><serviceProfile><uri>http://cucm1.example.com:6970/SPDefault.cnf.xml</uri></serviceProfile></user>"#;
    /// Her devices.
    pub const DEVICES: &str = r#"<devices version="10.0.0"><device uri="https://elsewhere.example.net:8443/cucm-uds/user/alice/device/22"><id>22</id><name>CSFALICE</name><model>Cisco Unified Client Services Framework</model></device></devices>"#;
    /// No devices.
    pub const NO_DEVICES: &str = r#"<devices version="10.0.0"/>"#;
    /// The desktop phone.
    pub const DEVICE: &str = r#"<device version="10.0.0"><id>22</id><name>CSFALICE</name><provision><uri>http://cucm1.example.com:6970/CSFALICE.cnf.xml</uri></provision></device>"#;
    /// Its file.
    pub const DEVICE_FILE: &str = r#"<device xsi:type="axl:XIPPhone"><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><sipPort>5060</sipPort><securedSipPort>5061</securedSipPort></ports><processNodeName>cucm1.example.com</processNodeName></callManager></member><member priority="1"><callManager><ports><sipPort>5060</sipPort></ports><processNodeName>cucm2.example.com</processNodeName></callManager></member></members></callManagerGroup></devicePool><sipProfile><startMediaPort>20000</startMediaPort><stopMediaPort>20100</stopMediaPort><dscpForAudio>184</dscpForAudio><sipLines><line button="1"><featureID>9</featureID><name>2001</name><displayName>Alice</displayName><contact>c0ffee00-0000-4000-8000-000000000001</contact><messagesNumber>8000</messagesNumber></line></sipLines></sipProfile><deviceSecurityMode>1</deviceSecurityMode><transportLayerProtocol>1</transportLayerProtocol></device>"#;
    /// The service profile with a chat node.
    pub const PROFILE: &str = r#"<UserServiceProfile><IMandPresence><ProductType>Unified CM (IM and Presence)</ProductType><Primary><Address>imp1.example.com</Address><Port/><Protocol/></Primary></IMandPresence></UserServiceProfile>"#;
    /// The service profile without one.
    pub const PROFILE_WITHOUT_CHAT: &str = r#"<UserServiceProfile><CTI><Primary><Address>cucm1.example.com</Address></Primary></CTI></UserServiceProfile>"#;
    /// A web page.
    pub const PAGE: &str = "<!DOCTYPE html><html><body>Welcome to our guests<br></body></html>";
    /// The chat node refuses.
    pub const SOAP_REFUSED: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><login-resp><failure><reason>Login failed</reason></failure></login-resp></s:Body></s:Envelope>"#;
    /// The chat node no longer knows the session.
    pub const SOAP_EXPIRED: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><get-onetime-password-resp><failure><code>101</code></failure></get-onetime-password-resp></s:Body></s:Envelope>"#;
    pub(super) const SOAP_LOGIN: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><e:login-resp xmlns:e="urn:cisco:epas:soap"><e:success><e:session-key>session-0815</e:session-key></e:success></e:login-resp></s:Body></s:Envelope>"#;
    pub(super) const SOAP_TOKEN: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><get-onetime-password-resp><success><password>one-time-token-4711</password></success></get-onetime-password-resp></s:Body></s:Envelope>"#;
    pub(super) const SOAP_CONFIG: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><e:get-all-config-resp xmlns:e="urn:cisco:epas:soap"><e:property name="Presence.Domain">chat.example.com</e:property><e:property name="Presence.Primary.Address">imp1.example.com</e:property><e:property name="Presence.Backup.Address">imp2.example.com</e:property><e:property name="Presence.Backup.Port">15222</e:property></e:get-all-config-resp></s:Body></s:Envelope>"#;
}

/// The deployment in full health. Everything recorded afterwards outranks it.
pub fn deployment() -> TestWorld {
    let world = TestWorld::new();
    let nodes = [(10, 0, 8443, "cucm1.example.com"), (20, 0, 8443, "cucm2.example.com")];
    world.srv("_cisco-uds._tcp.example.com", &nodes);
    for (host, address) in [
        ("cucm1", "192.0.2.1"),
        ("cucm2", "192.0.2.2"),
        ("imp1", "192.0.2.3"),
        ("imp2", "192.0.2.4"),
    ] {
        world.address(&format!("{host}.example.com"), address);
    }
    let answers = [
        (url::CLUSTER_USER, reply::HOME),
        (url::CLUSTER_USER_2, reply::HOME),
        (
            url::SERVERS,
            "<servers><server>cucm1.example.com</server><server>cucm2.example.com</server></servers>",
        ),
        (url::USER, reply::USER),
        (url::USER_2, reply::USER),
        (url::DEVICES, reply::DEVICES),
        (url::DEVICE, reply::DEVICE),
        (url::DEVICE_FILE, reply::DEVICE_FILE),
        (url::PROFILE, reply::PROFILE),
    ];
    for (address, body) in answers {
        world.web(address, Reply::ok(body));
    }
    for rules in url::RULES {
        world.web(rules, Reply::status(404, ""));
    }
    world
        .web(url::GLOBAL_FILE, Reply::status(404, ""))
        .web_containing(url::SOAP, "<login ", Reply::ok(reply::SOAP_LOGIN))
        .web_containing(url::SOAP, "<get-onetime-password", Reply::ok(reply::SOAP_TOKEN))
        .web_containing(url::SOAP, "<get-all-config", Reply::ok(reply::SOAP_CONFIG))
        .reach("cucm1.example.com:5060", Ok(()))
        .reach("cucm2.example.com:5060", Ok(()))
        .reach("cucm1.example.com:8443", Ok(()))
        .reach("cucm2.example.com:8443", Ok(()))
        .reach("imp1.example.com:5222", Ok(()))
        .reach("imp2.example.com:15222", Ok(()));
    world
}
