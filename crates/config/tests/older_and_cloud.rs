//! Answers of 8.x servers and of the cloud are read into what they mean.

use offhook_config::{
    Answered, CcmcipDevice, ImProduct, XmlError, read_cloud_config, read_cloud_login,
    read_cloud_session, read_device_list, read_system_config,
};
use offhook_model::{Secret, Source};

macro_rules! seed {
    ($path:literal) => {
        include_bytes!(concat!("../corpus/", $path)).as_slice()
    };
}

#[test]
fn a_device_list_is_read() {
    let Ok(Answered::Success(devices)) = read_device_list(seed!("ccmcip/devices.xml")) else {
        panic!("no devices");
    };
    let phone = CcmcipDevice {
        name: "CSFALICE".into(),
        model: "Cisco Unified Client Services Framework".into(),
    };
    assert_eq!((devices.len(), devices.last()), (2, Some(&phone)));
    assert_eq!(read_device_list(seed!("ccmcip/none.xml")), Ok(Answered::Success(vec![])));
}

#[test]
fn a_device_without_one_of_its_three_parts_is_an_error() {
    let read = read_device_list(seed!("ccmcip/no_description.xml"));
    assert!(matches!(read, Err(XmlError::Missing(_))), "{read:?}");
    assert_eq!(read_device_list(b" \n"), Err(XmlError::Empty));
}

#[test]
fn a_page_that_speaks_of_status_401_is_a_refusal() {
    assert_eq!(read_device_list(seed!("ccmcip/refused_7.html")), Ok(Answered::Refused(None)));
    assert_eq!(read_device_list(seed!("ccmcip/refused_8.html")), Ok(Answered::Refused(None)));
    let other = b"<!DOCTYPE html><html><body>HTTP Status 503<br></body></html>";
    assert_eq!(read_device_list(other), Err(XmlError::Html));
}

#[test]
fn the_cloud_tells_everything_that_chat_needs() {
    let Ok(Answered::Success(login)) = read_cloud_login(seed!("webex/login.xml")) else {
        panic!("no login");
    };
    assert_eq!(login.token, Secret::from("cloud-token-1"));
    assert_eq!(login.service_url.as_deref(), Some("swapi.cloud.example/wbxconnect"));
    assert_eq!(login.lives.as_secs(), 28_800);
    assert_eq!(login.chat.jid.as_deref(), Some("alice@example.com"));
    assert_eq!(login.chat.host.as_deref(), Some("isj6cmx-gw.cloud.example"));
    assert_eq!(login.chat.token, Some(Secret::from("jabber-token-1")));
    let shown = format!("{login:?}");
    assert!(!shown.contains("token-1"), "{shown}");
}

#[test]
fn a_refusal_of_the_cloud_gives_its_code_and_not_its_words() {
    let refused = read_cloud_login(seed!("webex/login_refused.xml"));
    assert_eq!(refused, Ok(Answered::Refused(Some("20".into()))));
    let expired = read_cloud_session(seed!("webex/expired.xml"));
    assert_eq!(expired, Ok(Answered::Refused(Some("wapi.expired_credential".into()))));
    let Ok(Answered::Success(session)) = read_cloud_session(seed!("webex/session.xml")) else {
        panic!("no session");
    };
    assert_eq!(session.credential, Secret::from("cred-1"));
}

#[test]
fn a_configuration_of_the_cloud_is_read_in_any_of_three_forms() {
    let Ok(Answered::Success(layer)) = read_cloud_config(seed!("webex/config.xml"), "cloud") else {
        panic!("no configuration");
    };
    assert_eq!(layer.source, Source::Cloud);
    let pairs: Vec<_> =
        layer.settings.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
    assert_eq!(
        pairs,
        [
            ("File_Transfer_Enabled", "false"),
            ("UpdateURL", "https://updates.example.com/u.xml"),
            ("Persistent_Chat_Enabled", "true"),
        ],
    );
    assert_eq!(layer.settings[0].section.as_deref(), Some("Policies"));
}

#[test]
fn properties_of_8x_become_a_service_profile() {
    let properties = [
        ("CallControl.Primary.Address", "cti1"),
        ("CallControl.Backup1.Address", "cti2"),
        ("VoiceMail.Primary.Address", "cuc1"),
        ("Presence.Backup.Address", "imp2"),
        ("TFTP.Primary", "tftp1"),
        ("TFTP.Backup1.Address", "tftp2"),
        ("CCMCIP.Host.Backup", "cucm2:18443"),
    ];
    let rows: String = properties
        .iter()
        .map(|(name, value)| format!("<property name=\"{name}\">{value}</property>"))
        .collect();
    let answer = format!("<get-all-config-resp>{rows}</get-all-config-resp>");
    let Ok(Answered::Success(config)) = read_system_config(answer.as_bytes()) else {
        panic!("no properties");
    };
    let profile = config.profile();
    assert_eq!(profile.im.product, ImProduct::UnifiedCm);
    let hosts = |servers: &[offhook_config::UcServer]| {
        servers.iter().map(|server| server.host.clone()).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&profile.im.servers), ["imp2"]);
    assert_eq!(hosts(&profile.cti), ["cti1", "cti2"]);
    assert_eq!(hosts(&profile.voicemail), ["cuc1"]);
    assert_eq!(config.tftp(), ["tftp1", "tftp2"]);
    assert_eq!(config.ccmcip(), ["cucm2:18443"]);
}
