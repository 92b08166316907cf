//! A deployment of release 8: Unified Presence signs in, its configuration names the servers, the
//! device list the phone. After reference pages im-presence section 1 and device-config section 4.

use super::{reply, url};
use crate::{Reply, TestWorld};

/// Addresses of the deployment's resources.
pub mod cup8_url {
    /// Sign-in at the first node of Unified Presence.
    pub const SOAP: &str = "POST https://cup1.example.com:8443/EPASSoap/service/v80";
    /// Sign-in at the node that the first names as its backup.
    pub const SOAP_2: &str = "POST https://cup2.example.com:8443/EPASSoap/service/v80";
    /// The device list of the call manager.
    pub const DEVICE_LIST: &str = "POST https://old1.example.com:8443/ccmcip/Personalization";
    /// The device list of the second call manager.
    pub const DEVICE_LIST_2: &str = "POST https://old2.example.com:8443/ccmcip/Personalization";
    /// The phone's file.
    pub const DEVICE_FILE: &str = "GET http://tftp1.example.com:6970/CSFALICE.cnf.xml";
    /// The configuration file that everybody has.
    pub const GLOBAL_FILE: &str = "GET http://tftp1.example.com:6970/jabber-config.xml";
}

const LOGIN: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><e:login-resp xmlns:e="urn:cisco:epas:soap"><e:success><e:session-key>session-0815</e:session-key></e:success><e:backup-address>cup2.example.com</e:backup-address></e:login-resp></s:Body></s:Envelope>"#;
const CONFIG: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><e:get-all-config-resp xmlns:e="urn:cisco:epas:soap"><e:success><e:get-system-config-resp><e:property name="Presence.Domain">example.com</e:property><e:property name="Presence.Primary.Address">cup1.example.com</e:property><e:property name="Presence.Primary.Port">5060</e:property><e:property name="TFTP.Primary">tftp1.example.com</e:property><e:property name="CCMCIP.Host">old1.example.com</e:property><e:property name="CCMCIP.Host.Backup">old2.example.com</e:property><e:property name="VoiceMail.Primary.Address">cuc1.example.com</e:property><e:property name="CallControl.Primary.Address">old1.example.com</e:property><e:property name="Directory.Password">directory-pw</e:property><e:property name="IM.enable">true</e:property></e:get-system-config-resp></e:success></e:get-all-config-resp></s:Body></s:Envelope>"#;
const DEVICES: &str = r#"<devices><device><name>SEP001122334455</name><description>Desk</description><model>Cisco 7965</model></device><device><name>CSFALICE</name><description>Alice</description><model>Cisco Unified Client Services Framework</model></device></devices>"#;

/// Everything of release 8 in full health; found by `_cuplogin`.
pub fn cup8() -> TestWorld {
    let world = phone_mode_8();
    world.srv("_cuplogin._tcp.example.com", &[(5, 100, 8443, "cup1.example.com")]);
    for soap in [cup8_url::SOAP, cup8_url::SOAP_2] {
        world
            .web_containing(soap, "<login ", Reply::ok(LOGIN))
            .web_containing(soap, "<get-onetime-password", Reply::ok(reply::SOAP_TOKEN))
            .web_containing(soap, "<get-all-config", Reply::ok(CONFIG));
    }
    world
}

/// The call manager of release 8 alone: manual settings or the installation must name it.
pub fn phone_mode_8() -> TestWorld {
    let world = TestWorld::new();
    for rules in url::RULES {
        world.web(&rules.replace("cucm1", "tftp1"), Reply::status(404, ""));
    }
    world
        .web(cup8_url::DEVICE_LIST, Reply::ok(DEVICES))
        .web(cup8_url::DEVICE_LIST_2, Reply::ok(DEVICES))
        .web(cup8_url::DEVICE_FILE, Reply::ok(reply::DEVICE_FILE))
        .web(cup8_url::GLOBAL_FILE, Reply::status(404, ""))
        .web(
            &url::CLUSTER_USER.replace("cucm1", "old1"),
            Reply::status(404, "<html><body>HTTP Status 404</body></html>"),
        );
    world
}
