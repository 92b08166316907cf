//! Answers of the servers are read into what they mean.

use std::time::Duration;

use offhook_config::{
    Answered, DialRule, ImProduct, SecurityMode, Transport, XmlError, read_cluster_user,
    read_device, read_device_file, read_devices, read_dial_rules, read_login,
    read_one_time_password, read_servers, read_service_profile, read_system_config, read_user,
    read_users,
};
use offhook_model::{AudioCodec, Fault, Secret, ToneCountry};

macro_rules! seed {
    ($path:literal) => {
        include_bytes!(concat!("../corpus/", $path)).as_slice()
    };
}

#[test]
fn the_home_cluster_and_its_ports_are_found() {
    let home = read_cluster_user(seed!("uds/cluster_user.xml")).expect("readable").expect("known");
    assert_eq!(home.host, "cucm2.example.com");
    assert_eq!(
        home.servers_uri.as_deref(),
        Some("https://cucm2.example.com:8443/cucm-uds/servers")
    );
    assert!(home.user_uri.is_some_and(|uri| uri.ends_with("/user/asmith")));
}

#[test]
fn an_unknown_user_is_an_answer() {
    assert_eq!(read_cluster_user(seed!("uds/cluster_user_unknown.xml")), Ok(None));
    assert!(matches!(read_cluster_user(seed!("uds/errors.xml")), Err(XmlError::Missing(_))));
}

#[test]
fn servers_are_listed_once() {
    let servers = read_servers(seed!("uds/servers.xml"));
    assert_eq!(servers, Ok(vec!["cucm2.example.com".into(), "cucm3.example.com".into()]));
}

#[test]
fn the_user_names_its_services() {
    let user = read_user(seed!("uds/user.xml")).expect("readable");
    assert_eq!(user.user_name.as_deref(), Some("asmith"));
    assert_eq!(user.display_name.as_deref(), Some("Alice Smith"));
    assert_eq!(user.number.as_deref(), Some("2001"));
    assert_eq!(user.voicemail_pilot.as_deref(), Some("8000"));
    assert_eq!(user.service_profiles.len(), 2);
    assert_eq!((user.im_enabled, user.im_servers.len()), (Some(true), 2));
}

#[test]
fn older_servers_name_the_profile_in_an_attribute() {
    let user = read_user(seed!("uds/user_old.xml")).expect("readable");
    assert_eq!(user.service_profiles, ["http://cucm1:6970/SP1.cnf.xml"]);
    assert_eq!(user.display_name.as_deref(), Some("Bob & Co"));
    assert_eq!(user.im_enabled, None);
}

#[test]
fn devices_without_a_name_are_left_out() {
    let devices = read_devices(seed!("uds/devices.xml")).expect("readable");
    let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["SEP001122334455", "CSFALICE"]);
    let device = read_device(seed!("uds/device.xml")).expect("readable");
    assert_eq!(device.files.len(), 2);
}

#[test]
fn a_web_page_is_never_taken_for_an_answer() {
    let page = seed!("uds/unauthorised.html");
    for fault in [
        read_user(page).err(),
        read_devices(page).err(),
        read_device_file(page).err(),
        read_service_profile(page).err(),
        read_login(page).err(),
    ] {
        assert_eq!(fault.map(|error| error.fault()), Some(Fault::Html));
    }
}

#[test]
fn a_service_profile_names_every_server() {
    let profile = read_service_profile(seed!("service_profile/full.xml")).expect("readable");
    assert_eq!(profile.im.product, ImProduct::UnifiedCm);
    let hosts: Vec<_> = profile.im.servers.iter().map(|it| (it.host.as_str(), it.port)).collect();
    assert_eq!(hosts, [("imp1.example.com", None), ("imp2.example.com", Some(9443))]);
    assert_eq!(profile.cti.first().and_then(|server| server.port), Some(2748));
    assert!(profile.use_uds);
    assert_eq!(profile.oddities, ["a port that is no port number"]);
    assert!(!format!("{profile:?}").contains("not-for-logs"));
}

#[test]
fn the_product_type_decides() {
    let product = |data| read_service_profile(data).map(|profile| profile.im.product);
    assert_eq!(product(seed!("service_profile/webex.xml")), Ok(ImProduct::Webex));
    assert_eq!(product(seed!("service_profile/phone_only.xml")), Ok(ImProduct::None));
    assert!(matches!(product(b"<rss/>"), Err(XmlError::Missing(_))));
}

#[test]
fn a_device_file_of_the_field_is_read() {
    let file = read_device_file(seed!("device_file/csf.xml")).expect("readable");
    let members: Vec<_> =
        file.members.iter().map(|it| (it.host.as_str(), it.sip_port, it.secure_sip_port)).collect();
    assert_eq!(members, [("cucm2.example.com", 5060, 5061), ("cucm3", 5070, 5071)]);
    let numbers: Vec<_> = file.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(numbers, ["2001", "2002"]);
    let line = file.lines.first().expect("a line");
    assert_eq!(line.contact.as_deref(), Some("5f0a7e2c-1111-2222-3333-444455556666"));
    assert_eq!(line.auth_password, Some(Secret::from("digest-pw")));
    assert_eq!(file.security, SecurityMode::NonSecure);
    assert_eq!(file.transport, Transport::Tcp);
    assert_eq!(file.register_expires, Duration::from_secs(3600));
    assert_eq!((file.media_ports.start, file.media_ports.end), (24_576, 32_766));
    assert_eq!(file.video_ports, None);
    assert_eq!((file.dscp.audio, file.dscp.video, file.dscp.signalling), (46, 34, 24));
    assert_eq!(file.group_file.as_deref(), Some("group-a.xml"));
    assert_eq!(file.service_profile_file.as_deref(), Some("SPDefault.cnf.xml"));
    let users = "https://cucm2.example.com:9443/cucm-uds/users";
    assert_eq!(file.secure_users_url.as_deref(), Some(users));
    assert_eq!(file.dial_domain.as_deref(), Some("example.com"));
    assert!(!format!("{file:?}").contains("digest-pw"));
}

#[test]
fn a_device_file_says_who_stands_in_for_whom() {
    let read = |pool: &str, rest: &str| {
        let text = format!("<device><devicePool>{pool}</devicePool>{rest}</device>");
        read_device_file(text.as_bytes()).expect("readable")
    };
    let plain = read("<srstInfo><sipIpAddr1></sipIpAddr1><sipPort1>5060</sipPort1></srstInfo>", "");
    assert!(plain.stand_ins.is_empty() && !plain.patient);
    assert_eq!((plain.keep_alive.as_secs(), plain.return_after.as_secs()), (120, 120));
    let file = read(
        "<srstInfo><srstOption>Enable</srstOption><ipAddr1>192.0.2.1</ipAddr1><sipIpAddr1>192.0.2.9\
         </sipIpAddr1><sipPort1>5070</sipPort1><ipAddr2>192.0.2.2</ipAddr2><sipIpAddr2>0.0.0.0\
         </sipIpAddr2><isSecure>true</isSecure></srstInfo>\
         <connectionMonitorDuration>300</connectionMonitorDuration>",
        "<timerKeepAliveExpires>30</timerKeepAliveExpires>\
         <detectCMConnectionFailure>1</detectCMConnectionFailure>",
    );
    let gateways: Vec<_> =
        file.stand_ins.iter().map(|it| (it.host.as_str(), it.sip_port)).collect();
    assert_eq!(gateways, [("192.0.2.9", 5070), ("192.0.2.2", 5060)]);
    assert!(file.patient && file.stand_ins_secure);
    assert_eq!((file.keep_alive.as_secs(), file.return_after.as_secs()), (30, 300));
    let off = read(
        "<srstInfo><srstOption>Disable</srstOption><ipAddr1>192.0.2.1</ipAddr1></srstInfo>",
        "",
    );
    assert!(off.stand_ins.is_empty());
}

#[test]
fn a_device_file_says_whose_tones_a_phone_has() {
    for (locale, tones) in [
        ("<networkLocale>United_States</networkLocale>", Some(ToneCountry::Us)),
        ("<networkLocale>united kingdom</networkLocale>", Some(ToneCountry::Gb)),
        ("<networkLocale>Germany</networkLocale>", Some(ToneCountry::De)),
        ("<networkLocale>Atlantis</networkLocale>", None),
        ("<networkLocale/>", None),
        ("", None),
    ] {
        let file = read_device_file(format!("<device>{locale}</device>").as_bytes());
        assert_eq!(file.expect("readable").features.tones, tones, "{locale}");
    }
}

#[test]
fn a_device_file_says_which_codecs_a_phone_prefers() {
    let read = |rest: &str| {
        let file = read_device_file(format!("<device>{rest}</device>").as_bytes());
        let features = file.expect("readable").features;
        (features.leave_out_silence, features.without_g722, features.preferred_codec)
    };
    assert_eq!(read(""), (false, false, None));
    let usual = "<enableVad>false</enableVad><preferredCodec>none</preferredCodec>\
                 <advertiseG722Codec>1</advertiseG722Codec>";
    assert_eq!(read(usual), (false, false, None));
    let other = "<enableVad>true</enableVad><preferredCodec>g711alaw</preferredCodec>\
                 <advertiseG722Codec>0</advertiseG722Codec>";
    assert_eq!(read(other), (true, true, Some(AudioCodec::Pcma)));
}

#[test]
fn odd_values_become_defaults_and_are_told() {
    let file = read_device_file(seed!("device_file/odd.xml")).expect("readable");
    assert_eq!(file.security, SecurityMode::Encrypted);
    assert_eq!(file.transport, Transport::Tls);
    assert_eq!((file.media_ports.start, file.media_ports.end), (16_384, 32_766));
    assert_eq!((file.dscp.audio, file.dtmf_payload), (46, 101));
    assert_eq!(file.group_file, None);
    assert_eq!(file.oddities, ["a number out of its range", "a port range that is none"]);
}

#[test]
fn a_soap_session_is_opened_or_refused() {
    match read_login(seed!("soap/login.xml")) {
        Ok(Answered::Success(login)) => {
            assert_eq!(login.session.expose(), "5e0c6d6e-1111-2222-3333-444455556666");
            assert_eq!(login.backup.as_deref(), Some("imp2.example.com"));
        }
        other => panic!("{other:?}"),
    }
    let refused = |data, reason: &str| {
        assert_eq!(read_login(data), Ok(Answered::Refused(Some(reason.to_owned()))));
    };
    refused(seed!("soap/login_refused.xml"), "Login failed");
    refused(seed!("soap/fault.xml"), "Invalid request");
    assert!(matches!(read_login(b"<x/>"), Err(XmlError::Missing(_))));
}

#[test]
fn a_one_time_password_is_read_and_not_shown() {
    let answer = read_one_time_password(seed!("soap/one_time_password.xml")).expect("readable");
    assert_eq!(answer, Answered::Success(Secret::from("otp-1234")));
    assert!(!format!("{answer:?}").contains("otp-1234"));
}

#[test]
fn properties_are_found_in_any_case() {
    let Ok(Answered::Success(config)) = read_system_config(seed!("soap/all_config.xml")) else {
        panic!("no answer");
    };
    assert_eq!(config.get("PRESENCE.DOMAIN"), Some("chat.example.com"));
    assert_eq!(config.get("Presence.Primary.Port"), Some("5222"));
    assert_eq!(config.get("Presence.Backup.Address"), None);
    assert!(!format!("{config:?}").contains("hidden-pw"));
}

#[test]
fn people_of_a_search_are_read() {
    let page = read_users(seed!("uds/users.xml")).expect("readable");
    assert_eq!(
        (page.people.len(), page.rows, page.total),
        (2, 3, Some(3)),
        "who has neither name nor number"
    );
    let alice = &page.people[0];
    assert_eq!(alice.display_name.as_deref(), Some("Alice Smith"));
    assert_eq!(alice.department.as_deref(), Some("Sales & Service"));
    assert_eq!((alice.phone.as_deref(), alice.home.as_deref()), (Some("2001"), None));
    assert_eq!(alice.directory_uri.as_deref(), Some("asmith@example.com"));
    assert_eq!(page.people[1].directory_uri, None, "the server says that it does not exist");
    let none = read_users(seed!("uds/users_none.xml")).expect("readable");
    assert_eq!((none.people.len(), none.total), (0, Some(0)));
    let lies = read_users(seed!("uds/users_lies.xml")).expect("readable");
    assert_eq!((lies.people.len(), lies.total), (1, None), "no number of people");
    assert!(matches!(read_users(seed!("uds/errors.xml")), Err(XmlError::Missing(_))));
}

#[test]
fn dial_rules_are_read_in_their_order() {
    let rules = read_dial_rules(seed!("dial_rules/application.xml")).expect("readable");
    let rule = |begins: &str, digits, strip, prefix: &str| DialRule {
        begins: begins.into(),
        digits,
        strip,
        prefix: prefix.into(),
    };
    assert_eq!(
        rules,
        [
            rule("+1", Some(12), 1, "9"),
            rule("919", Some(10), 3, "9"),
            rule("", Some(10), 0, "91"),
            rule("+", Some(13), 1, "9011"),
        ]
    );
    let odd = read_dial_rules(seed!("dial_rules/odd.xml")).expect("readable");
    assert_eq!(odd, [rule("+4930", None, 0, "00"), rule("3", Some(4), 0, "8")]);
    assert_eq!(read_dial_rules(seed!("dial_rules/empty.xml")), Ok(vec![]));
    assert!(read_dial_rules(seed!("uds/user.xml")).is_err());
}
