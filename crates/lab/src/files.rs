//! The configuration file role of CUCM (port 6970): service profile and device files
//! (reference pages service-profile and device-config).

use std::sync::Arc;

use crate::client_config;
use crate::config::{DigestFor, Security};
use crate::deployment::{Deployment, Person};
use crate::fault::Fault;
use crate::http::{Handler, Request, Response};
use crate::profile;
use crate::scenario::Scenario;
use crate::xml::escape;

/// The handler of the file port.
pub(crate) fn handler(lab: Arc<Deployment>) -> Handler {
    Arc::new(move |request| {
        lab.heard.note("files", request);
        answer(&lab, request)
    })
}

fn answer(lab: &Deployment, request: &Request) -> Response {
    if lab.faults.has(Fault::CaptivePortal) {
        return Response::portal();
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::html(405);
    }
    let name = request.path.trim_start_matches('/');
    if let Some(content) = lab.config.files.get(name) {
        return Response::xml(content.clone());
    }
    if name == "SPDefault.cnf.xml" && lab.scenario != Scenario::PhoneOnly {
        return Response::xml(profile::text(lab));
    }
    if let Some(content) = client_config::file(lab, name) {
        return Response::xml(content);
    }
    let Some(device) = name.strip_suffix(".cnf.xml").filter(|_| lab.scenario.has_phones()) else {
        return Response::html(404);
    };
    let mut people = lab.people.iter();
    match people.find(|person| person.device == device || person.desk_phone() == device) {
        Some(person) if person.device == device && lab.faults.has(Fault::NoDeviceFile) => {
            tracing::debug!(person = person.name, "the device file is kept back");
            Response::html(404)
        }
        Some(person) => Response::xml(device_file(lab, person, device)),
        None => Response::html(404),
    }
}

/// What the administrator wrote into the support field of the device: the group file.
fn support_field(person: &Person, device: &str) -> String {
    if person.device == device {
        format!("<ciscoSupportField>configurationfile={}</ciscoSupportField>", client_config::GROUP)
    } else {
        String::new()
    }
}

/// The second call manager of the group, where there is one.
fn second_member(lab: &Deployment) -> String {
    let Some(at) = lab.sip.second else { return String::new() };
    let (host, port) = (lab.host("cucm2"), at.port());
    format!(
        "<member priority=\"1\"><callManager><name>{host}</name><ports><sipPort>{port}</sipPort>\
         <securedSipPort>{port}</securedSipPort></ports><processNodeName>{host}</processNodeName>\
         </callManager></member>\n"
    )
}

fn device_file(lab: &Deployment, person: &Person, device: &str) -> String {
    let cucm = lab.host("cucm1");
    let plain = if lab.config.sip.device_transport == 2 {
        lab.shown.sip_udp.port()
    } else {
        lab.shown.sip_tcp.port()
    };
    let secured = lab.shown.sip_tls.port();
    let desk = person.device != device;
    let security = match lab.security() {
        Security::Authenticated if !desk => 2,
        Security::Encrypted if !desk => 3,
        Security::Off | Security::Authenticated | Security::Encrypted => 1,
    };
    let transport = if security > 1 { 3 } else { lab.config.sip.device_transport };
    let capf = lab.capf_mode().number();
    let capf_port = lab.services.capf.port();
    let support = support_field(person, device);
    let (start, stop) = lab.config.sip.media_ports;
    let (number, name) = (escape(&person.number), escape(&person.display_name));
    let user = escape(&person.name);
    let auth = match (lab.config.sip.digest, &person.password) {
        (DigestFor::Everybody, Some(password)) => {
            format!("<authPassword>{}</authPassword>", escape(password))
        }
        (DigestFor::Everybody | DigestFor::Standard | DigestFor::Nobody, _) => String::new(),
    };
    let contact = person.line_contact();
    let uuid = crate::random::stable_uuid(device);
    let second = second_member(lab);
    let gateway = lab.sip.gateway.map(|at| at.ip().to_string()).unwrap_or_default();
    let gateway_port = lab.sip.gateway.map_or(5060, |at| at.port());
    let srst = if lab.sip.gateway.is_some() { "Enable" } else { "Disable" };
    let (keep_alive, return_after) = (lab.config.sip.keep_alive, lab.config.sip.return_after);
    let domain = lab.domain();
    let uds = lab.shown.uds.port();
    // The prefixes of the root element are not declared, exactly as in files from the field.
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<device  xsi:type="axl:XIPPhone" ctiid="548" uuid="{{{uuid}}}">
<fullConfig>true</fullConfig>
<deviceProtocol>SIP</deviceProtocol>
<ipAddressMode>0</ipAddressMode>
<devicePool uuid="{{1b1b9eb6-7803-11d3-bdf0-00108302ead1}}">
<revertPriority>0</revertPriority>
<name>Default</name>
<dateTimeSetting uuid="{{9ec4850a-7748-11d3-bdf0-00108302ead1}}"><name>CMLocal</name><dateTemplate>Y/M/D</dateTemplate><timeZone>Greenwich Standard Time</timeZone><olsonTimeZone>Etc/GMT</olsonTimeZone></dateTimeSetting>
<callManagerGroup><name>Default</name><tftpDefault>true</tftpDefault><members>
<member priority="0"><callManager><name>{cucm}</name><description>Laboratory</description><ports><ethernetPhonePort>2000</ethernetPhonePort><sipPort>{plain}</sipPort><securedSipPort>{secured}</securedSipPort><mgcpPorts><listen>2427</listen><keepAlive>2428</keepAlive></mgcpPorts></ports><processNodeName>{cucm}</processNodeName></callManager></member>
{second}</members></callManagerGroup>
<srstInfo uuid="{{cd241e11-4a58-4d3d-9661-f06c912a18a3}}"><name>{srst}</name><srstOption>{srst}</srstOption><userModifiable>false</userModifiable><ipAddr1>{gateway}</ipAddr1><port1>2000</port1><sipIpAddr1>{gateway}</sipIpAddr1><sipPort1>{gateway_port}</sipPort1><isSecure>false</isSecure></srstInfo>
<connectionMonitorDuration>{return_after}</connectionMonitorDuration>
</devicePool>
<sipProfile>
<sipProxies><backupProxy>USECALLMANAGER</backupProxy><outboundProxy>USECALLMANAGER</outboundProxy><outboundProxyPort></outboundProxyPort><registerWithProxy>true</registerWithProxy></sipProxies>
<sipCallFeatures><cnfJoinEnabled>true</cnfJoinEnabled><callForwardURI>x-cisco-serviceuri-cfwdall</callForwardURI><callPickupURI>x-cisco-serviceuri-pickup</callPickupURI><callPickupListURI>x-cisco-serviceuri-opickup</callPickupListURI><callPickupGroupURI>x-cisco-serviceuri-gpickup</callPickupGroupURI><rfc2543Hold>false</rfc2543Hold><callHoldRingback>2</callHoldRingback><localCfwdEnable>true</localCfwdEnable><semiAttendedTransfer>true</semiAttendedTransfer><anonymousCallBlock>2</anonymousCallBlock><callerIdBlocking>2</callerIdBlocking><dndControl>0</dndControl><remoteCcEnable>true</remoteCcEnable></sipCallFeatures>
<sipStack><sipInviteRetx>6</sipInviteRetx><sipRetx>10</sipRetx><timerInviteExpires>180</timerInviteExpires><timerRegisterExpires>3600</timerRegisterExpires><timerRegisterDelta>5</timerRegisterDelta><timerKeepAliveExpires>{keep_alive}</timerKeepAliveExpires><timerSubscribeExpires>120</timerSubscribeExpires><timerSubscribeDelta>5</timerSubscribeDelta><timerT1>500</timerT1><timerT2>4000</timerT2><maxRedirects>70</maxRedirects><remotePartyID>true</remotePartyID><userInfo>None</userInfo></sipStack>
<autoAnswerTimer>1</autoAnswerTimer>
<dtmfAvtPayload>101</dtmfAvtPayload><dtmfOutofBand>avt</dtmfOutofBand><kpml>3</kpml>
<enableVad>false</enableVad><preferredCodec>none</preferredCodec><callStats>true</callStats>
<startMediaPort>{start}</startMediaPort><stopMediaPort>{stop}</stopMediaPort>
<startVideoPort>0</startVideoPort><stopVideoPort>0</stopVideoPort>
<dscpForAudio tcl="Default">184</dscpForAudio><dscpVideo>136</dscpVideo><dscpAudioForVideo>136</dscpAudioForVideo>
<organizationTopLevelDomain>{domain}</organizationTopLevelDomain>
<voipControlPort>5060</voipControlPort>
<sipLines>
<line button="1" lineIndex="1">
<featureID>9</featureID>
<featureLabel>{number}</featureLabel>
<proxy>USECALLMANAGER</proxy>
<port>{plain}</port>
<name>{number}</name>
<displayName>{name}</displayName>
<autoAnswer><autoAnswerEnabled>0</autoAnswerEnabled></autoAnswer>
<callWaiting>3</callWaiting>
<authName>{user}</authName>{auth}
<sharedLine>false</sharedLine>
<messageWaitingLampPolicy>3</messageWaitingLampPolicy>
<messagesNumber></messagesNumber>
<ringSettingIdle>4</ringSettingIdle>
<ringSettingActive>5</ringSettingActive>
<contact>{contact}</contact>
<forwardCallInfoDisplay><callerName>true</callerName><callerNumber>true</callerNumber><redirectedNumber>false</redirectedNumber><dialedNumber>true</dialedNumber></forwardCallInfoDisplay>
<maxNumCalls>6</maxNumCalls>
<busyTrigger>2</busyTrigger>
</line>
</sipLines>
<dialTemplate></dialTemplate>
</sipProfile>
<commonProfile><phonePassword></phonePassword><backgroundImageAccess>true</backgroundImageAccess><callLogBlfEnabled>2</callLogBlfEnabled></commonProfile>
<vendorConfig><videoCapability>1</videoCapability><webAccess>1</webAccess>{support}</vendorConfig>
<versionStamp>1480000000-5e2d4f1c-0000-4000-8000-{stamp}</versionStamp>
<userLocale><name>English_United_States</name><uid>1</uid><langCode>en_US</langCode><version>11.5.1</version><winCharSet>utf-8</winCharSet></userLocale>
<networkLocale>United_States</networkLocale>
<deviceSecurityMode>{security}</deviceSecurityMode>
<transportLayerProtocol>{transport}</transportLayerProtocol>
<secureUDSUsersAccessURL>https://{cucm}:{uds}/cucm-uds/users</secureUDSUsersAccessURL>
<dscpForSCCPPhoneConfig>96</dscpForSCCPPhoneConfig><dscpForSCCPPhoneServices>0</dscpForSCCPPhoneServices><dscpForCm2Dvce>96</dscpForCm2Dvce>
<capfAuthMode>{capf}</capfAuthMode>
<capfList><capf><phonePort>{capf_port}</phonePort><processNodeName>{cucm}</processNodeName></capf></capfList>
<certHash></certHash><encrConfig>false</encrConfig><advertiseG722Codec>1</advertiseG722Codec>
<userId serviceProfileFile="SPDefault.cnf.xml">{user}</userId>
<ownerId serviceProfileFile="SPDefault.cnf.xml">{user}</ownerId>
</device>
"#,
        stamp = &uuid[24..],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::deployment;
    use crate::http::tests::get;
    use crate::xml::parse;

    fn text(lab: &Deployment, name: &str) -> String {
        let reply = answer(lab, &get(name, ""));
        assert_eq!(reply.status, 200, "{name}");
        String::from_utf8(reply.body).unwrap()
    }

    #[test]
    fn the_device_file_has_line_server_and_undeclared_prefixes() {
        let file = text(&deployment(&[]), "/CSFALICE.cnf.xml");
        assert!(file.contains("xsi:type=\"axl:XIPPhone\"") && !file.contains("xmlns"));
        let root = parse(&file, "").unwrap();
        assert_eq!(root.anywhere("sipPort").unwrap().own_text(), "15060");
        let line = root.anywhere("line").unwrap();
        assert_eq!(line.child_text("name").unwrap(), "2001");
        assert_eq!(line.child_text("displayName").unwrap(), "Alice Anderson");
        assert!(!file.contains("secret"));
        assert!(file.contains("configurationfile=jabber-config-desk.xml"));
        let desk = deployment(&[]).people[0].desk_phone();
        let file = text(&deployment(&[]), &format!("/{desk}.cnf.xml"));
        assert!(!file.contains("configurationfile="));
    }

    #[test]
    fn faults_take_the_file_away_or_ask_for_encryption() {
        let name = "/CSFALICE.cnf.xml";
        assert_eq!(answer(&deployment(&["no-device-file"]), &get(name, "")).status, 404);
        let file = text(&deployment(&["secure-profile"]), name);
        assert!(file.contains("<deviceSecurityMode>3</deviceSecurityMode>"));
        assert!(file.contains("<certHash></certHash>"));
    }

    #[test]
    fn unknown_files_are_not_found() {
        for name in ["/CSFMALLORY.cnf.xml", "/other-config.xml", "/", "/../etc/passwd"] {
            assert_eq!(answer(&deployment(&[]), &get(name, "")).status, 404, "{name}");
        }
    }
}
