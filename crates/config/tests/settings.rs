//! Settings of administrators: every source is read, the right one wins, and everything odd is
//! told. The examples named "seed" are those of the planning guide, letter by letter.

use std::time::{Duration, Instant};

use offhook_config::{
    Explained, Layers, ProvisionLimit, XmlError, manual_layer, oddities, problems, read_bootstrap,
    read_client_config, read_profile_layer, read_provision_url,
};
use offhook_model::{
    AccountType, CertificatePolicy, Excluded, IpMode, Layer, LoginResource, ManualAccount, Preset,
    Rule, Setting, Source,
};

macro_rules! seed {
    ($path:literal) => {
        include_bytes!(concat!("../corpus/", $path)).as_slice()
    };
}

fn layer(source: Source, pairs: &[(&str, &str)]) -> Layer {
    let setting = |(line, (key, value)): (u32, &(&str, &str))| Setting {
        key: (*key).to_owned(),
        section: None,
        value: (*value).to_owned(),
        line: Some(line),
    };
    Layer {
        source,
        origin: format!("{source:?}"),
        settings: (1..).zip(pairs).map(setting).collect(),
        oddities: vec![],
    }
}

fn pairs(layer: &Layer) -> Vec<(&str, &str)> {
    layer.settings.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect()
}

fn global(data: &[u8]) -> Layer {
    read_client_config(data, Source::GlobalFile, "jabber-config.xml").expect("readable")
}

fn rows(layers: impl IntoIterator<Item = Layer>) -> Vec<Explained> {
    Layers::new(layers).explain()
}

#[track_caller]
fn row(rows: &[Explained], key: &str) -> Explained {
    rows.iter().find(|row| row.key == key).cloned().unwrap_or_else(|| panic!("no row {key}"))
}

#[test]
fn the_seeds_urls_parse_to_its_values() {
    let both = ("ServicesDomain", "cisco.com");
    let voice = ("VoiceServicesDomain", "alphauk.cisco.com");
    for (url, expected) in [
        (
            "ciscojabber://provision?servicesdomain=example.com",
            vec![("servicesdomain", "example.com")],
        ),
        (
            "ciscojabber://provision?servicesdomain=example.com\n &VoiceServicesDomain=VoiceServices.example.com",
            vec![
                ("servicesdomain", "example.com"),
                ("VoiceServicesDomain", "VoiceServices.example.com"),
            ],
        ),
        (
            "ciscojabber://provision?servicesdomain=example.com\n &ServiceDiscoveryExcludeServices=WEBEX,CUP",
            vec![
                ("servicesdomain", "example.com"),
                ("ServiceDiscoveryExcludeServices", "WEBEX,CUP"),
            ],
        ),
        ("ciscojabber://provision?ServicesDomain=cisco.com", vec![both]),
        (
            "ciscojabber://provision?ServicesDomain=cisco.com\n&VoiceServicesDomain=alphauk.cisco.com",
            vec![both, voice],
        ),
        (
            "ciscojabber://provision?ServicesDomain=service_domain\n&VoiceServicesDomain=voiceservice_domain&ServiceDiscoveryExcludedServices=WEBEX",
            vec![
                ("ServicesDomain", "service_domain"),
                ("VoiceServicesDomain", "voiceservice_domain"),
                ("ServiceDiscoveryExcludedServices", "WEBEX"),
            ],
        ),
        (
            "ciscojabber://provision?ServicesDomain=cisco.com\n&VoiceServicesDomain=alphauk.cisco.com&ServiceDiscoveryExcludedServices=CUCM,CUP",
            vec![both, voice, ("ServiceDiscoveryExcludedServices", "CUCM,CUP")],
        ),
        (
            "ciscojabber://provision?ServicesDomain=cisco.com\n&VoiceServicesDomain=alphauk.cisco.com&ServiceDiscoveryExcludedServices=CUCM,CUP\n&ServicesDomainSsoEmailPrompt=OFF",
            vec![
                both,
                voice,
                ("ServiceDiscoveryExcludedServices", "CUCM,CUP"),
                ("ServicesDomainSsoEmailPrompt", "OFF"),
            ],
        ),
    ] {
        let read = read_provision_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(pairs(&read), expected, "{url}");
        let preset = Layers::new([read]).preset();
        assert!(preset.services_domain.is_some(), "{url}");
    }
}

#[test]
fn near_misses_of_a_url_count_and_are_told() {
    let read = read_provision_url(
        "ciscojabber://provision?servicesdomain=example.com&ServiceDiscoveryExcludeServices=WEBEX,CUP\
         &VoiceServiceDomain=voice.example.com&UpdateURL=https://evil.example/&Ununderstood=1",
    )
    .expect("a URL");
    let told: Vec<_> = problems(&read).iter().map(|it| (it.rule, it.remedy.clone())).collect();
    let d35 = |remedy: &str| (Some(Rule(35)), remedy.to_owned());
    assert_eq!(
        told,
        [
            d35("Write ServicesDomain instead of servicesdomain."),
            d35(
                "Write ServiceDiscoveryExcludedServices instead of ServiceDiscoveryExcludeServices."
            ),
            d35("Write VoiceServicesDomain instead of VoiceServiceDomain."),
        ]
    );
    assert_eq!(oddities(&read).len(), 5, "what has no effect is told as well");
    let layers = Layers::new([read]);
    let preset = layers.preset();
    assert_eq!(preset.services_domain.as_deref(), Some("example.com"));
    assert_eq!(preset.voice_services_domain.as_deref(), Some("voice.example.com"));
    assert_eq!(preset.excluded, Excluded { webex: true, cucm: false, cup: true });
    assert_eq!(layers.text("UpdateURL"), None, "a link cannot say where updates come from");
}

#[test]
fn links_are_taken_three_times_in_fifteen_seconds() {
    #[expect(clippy::disallowed_methods, reason = "any instant will do; none is measured")]
    let begin = Instant::now();
    let at = |seconds| begin + Duration::from_secs(seconds);
    let mut limit = ProvisionLimit::default();
    let taken: Vec<_> = [0, 1, 2, 3, 14, 15, 16, 16, 17].map(|it| limit.allow(at(it))).to_vec();
    assert_eq!(taken, [true, true, true, false, false, true, true, false, true]);
    assert!(limit.problem().cause.contains("15 seconds"));
}

#[test]
fn the_seeds_xml_snippets_parse() {
    let values = |data| {
        let layer = global(data);
        layer.settings.into_iter().map(|it| (it.key, it.value)).collect::<Vec<_>>()
    };
    let check = |data, expected: &[(&str, &str)]| {
        let expected: Vec<_> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(values(data), expected);
    };
    check(
        seed!("client_config/seed_primary_server.xml"),
        &[("PrimaryServerName", "parent-domain-fqdn")],
    );
    // The password was there; it is not kept.
    check(
        seed!("client_config/seed_credentials.xml"),
        &[("BDIConnectionUsername", "admin@example.com"), ("BDIConnectionPassword", "")],
    );
    check(
        seed!("client_config/seed_anonymous_bind.xml"),
        &[
            ("DirectoryServerType", "BDI"),
            ("BDIPrimaryServerName", "11.22.33.456"),
            ("BDIEnableTLS", "True"),
            ("BDISearchBase1", "ou=people,dc=cisco,dc=com"),
            ("BDIBaseFilter", "(&objectClass=inetOrgPerson)"),
            ("BDIPredictiveSearchFilter", "uid"),
        ],
    );
    check(seed!("client_config/seed_uds.xml"), &[("DirectoryServerType", "UDS")]);
    check(seed!("client_config/seed_uds_server.xml"), &[("UdsServer", "11.22.33.44")]);
    check(
        seed!("client_config/seed_uds_photo.xml"),
        &[("UdsPhotoUriWithToken", "http://server_name.domain/%%uid%.jpg")],
    );
}

#[test]
fn a_bare_ampersand_is_repaired_and_told() {
    let layer = global(seed!("client_config/seed_anonymous_bind.xml"));
    assert_eq!(layer.oddities, ["an ampersand that begins no reference"]);
    let layers = Layers::new([layer]);
    assert!(layers.flag("UseSSL") && layers.is_told("BaseFilter", "(objectClass=inetOrgPerson)"));
}

trait IsTold {
    fn is_told(&self, key: &str, words: &str) -> bool;
}

impl IsTold for Layers {
    fn is_told(&self, key: &str, words: &str) -> bool {
        let rows = self.explain();
        let row = rows.iter().find(|row| row.key == key);
        row.is_some_and(|row| row.oddities.iter().any(|oddity| oddity.contains(words)))
    }
}

#[test]
fn a_configuration_file_is_read_with_its_lines() {
    let layer = global(seed!("client_config/global.xml"));
    let line = |key: &str| layer.settings.iter().find(|it| it.key == key).and_then(|it| it.line);
    assert_eq!(line("Telephony_Enabled"), Some(4));
    assert_eq!(line("PrtLogServerUrl"), Some(15));
    let text = format!("{layer:?}");
    assert!(!text.contains("hunter2-pw") && !text.contains("secret-pw"), "{text}");
    let layers = Layers::new([layer]);
    assert_eq!(layers.text("PrtLogServerURL"), Some("https://prt.example.com/in"));
    assert_eq!(layers.list("Disallowed_File_Transfer_Types"), [".exe", ".msi"]);
    assert_eq!(layers.text("VoiceServicesDomain"), Some("voice.example.com"));
    assert_eq!(layers.text("InstantMessageLabels"), Some("2 entries"));
    assert_eq!(layers.text("PrimaryServerName"), Some("edi.example.com"), "EDI beats BDI");
    assert!(layers.flag("Telephony_Enabled"), "the key in its own section counts");
    assert!(layers.flag("Persistent_Chat_Enabled"), "of two the last counts");
    assert_eq!(layers.number("ProvisionProtocolRateLimit"), Some(3), "out of range: built in");
    assert_eq!(layers.text("ServicesDomain"), None, "too late in a file");
}

#[test]
fn what_is_odd_about_a_file_is_told() {
    let rows = rows([global(seed!("client_config/global.xml"))]);
    let told = |key: &str, words: &str| {
        let row = row(&rows, key);
        assert!(row.oddities.iter().any(|it| it.contains(words)), "{key}: {:?}", row.oddities);
        row
    };
    assert!(told("telephony_enabled", "Telephony_Enabled is").error);
    assert!(told("EnableVideo", "takes true or false").error);
    assert!(told("Persistent_Chat_Enabled", "more than once; the last in line 17 counts").error);
    assert!(!told("SelfInvented", "is not known").known);
    assert!(!told("ServicesDomain", "belongs into bootstrap or URL").error);
    assert!(told("PrimaryServerName", "are both set").error);
    assert!(told("ConnectionPassword", "password in clear").error, "D36");
    assert_eq!(row(&rows, "EnableVideo").source, Source::Default);
    assert_eq!(row(&rows, "EnableVideo").value, "true");
    assert!(!row(&rows, "EnableVideo").acted_on && row(&rows, "Telephony_Enabled").acted_on);
    let file = row(&rows, "jabber-config.xml");
    assert_eq!(file.oddities, ["the section Nonsense is not known"]);
    let rules: Vec<_> = Layers::new([global(seed!("client_config/global.xml"))])
        .problems()
        .into_iter()
        .filter_map(|problem| problem.rule)
        .collect();
    assert_eq!(rules, [Rule(36), Rule(35)]);
}

#[test]
fn broken_files_do_not_count_as_a_whole() {
    let read = |data| read_client_config(data, Source::GlobalFile, "f");
    assert!(matches!(read(seed!("client_config/malformed.xml")), Err(XmlError::Broken(_))));
    assert_eq!(read(seed!("client_config/bomb.xml")), Err(XmlError::DocumentType));
    assert_eq!(read(b"<!DOCTYPE html><html/>"), Err(XmlError::Html));
    assert!(matches!(read(b"<other/>"), Err(XmlError::Missing(_))));
    assert_eq!(read(b""), Err(XmlError::Empty));
    assert!(global(seed!("client_config/empty.xml")).settings.is_empty());
    let layer = global(seed!("client_config/bom_crlf.xml"));
    assert_eq!(pairs(&layer), [("Set_Status_Inactive_Timeout", "20")]);
    assert_eq!(layer.settings.first().and_then(|it| it.line), Some(4));
}

#[test]
fn the_order_of_sources_is_the_references() {
    let order = [
        Source::Bootstrap,
        Source::Url,
        Source::Cloud,
        Source::GlobalFile,
        Source::GroupFile,
        Source::Manual,
    ];
    let mut layers = Layers::default();
    for (at, source) in order.into_iter().enumerate() {
        let value = if at % 2 == 0 { "false" } else { "true" };
        layers.put(layer(source, &[("Telephony_Enabled", value)]));
        let found = layers.setting("Telephony_Enabled").expect("set");
        assert_eq!((found.1, found.0.value.as_str()), (source, value));
    }
    let row = row(&layers.explain(), "Telephony_Enabled");
    let lost: Vec<_> = row.overridden.iter().map(|it| it.source).collect();
    let mut weaker = order[..5].to_vec();
    weaker.reverse();
    assert_eq!((row.source, lost), (Source::Manual, weaker));
}

#[test]
fn a_profile_outranks_the_files_and_a_blank_in_it_does_not() {
    let profile = b"<UserServiceProfile><Directory><Primary><Address>dir.example.com</Address>\
        <Port>636</Port><Protocol>TLS</Protocol></Primary><SearchContext1/>\
        <UseUserCredential>true</UseUserCredential><DN>cn=reader,dc=example</DN>\
        <Password>hunter2-pw</Password><UseUDS>false</UseUDS></Directory>\
        <Voicemail><Primary><Address>cuc.example.com</Address></Primary>\
        <VoicemailServiceCredentialsSource>Not set</VoicemailServiceCredentialsSource></Voicemail>\
        </UserServiceProfile>";
    let profile = read_profile_layer(profile, "SP.cnf.xml").expect("a profile");
    assert!(!format!("{profile:?}").contains("hunter2-pw"));
    let file = layer(
        Source::GroupFile,
        &[
            ("PrimaryServerName", "other.example.com"),
            ("SearchBase1", "dc=example"),
            ("BusinessPhone", "mobile"),
        ],
    );
    let layers = Layers::new([profile, file]);
    assert_eq!(layers.text("PrimaryServerName"), Some("dir.example.com"));
    assert_eq!(layers.text("SearchBase1"), Some("dc=example"), "a blank lets the file through");
    assert_eq!(layers.text("BusinessPhone"), Some("mobile"), "attributes are in the file only");
    assert_eq!(layers.text("ConnectionUsername"), Some("cn=reader,dc=example"));
    assert_eq!(layers.number("ServerPort1"), Some(636));
    assert!(layers.flag("UseSSL") && layers.flag("UseUserCredential"));
    assert_eq!(layers.text("VoicemailPrimaryServer"), Some("cuc.example.com"));
    assert_eq!(layers.text("VoicemailServiceCredentialsSource"), Some("Not set"));
}

#[test]
fn what_acts_before_discovery_outranks_the_files_of_the_last_sign_in() {
    let file = layer(
        Source::GlobalFile,
        &[("VoiceServicesDomain", "file.example.com"), ("IP_Mode", "IPV4_Only")],
    );
    let bootstrap = layer(
        Source::Bootstrap,
        &[("VOICE_SERVICES_DOMAIN", "boot.example.com"), ("IP_Mode", "IPv6-Only")],
    );
    let url = layer(Source::Url, &[("VoiceServicesDomain", "url.example.com")]);
    let domain = |layers: Layers| layers.preset().voice_services_domain;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(domain(Layers::new([file.clone()])), some("file.example.com"));
    let two = Layers::new([file.clone(), bootstrap.clone()]);
    assert_eq!(two.preset().ip_mode, IpMode::V4, "every other key of the file wins");
    assert_eq!(domain(two), some("boot.example.com"));
    assert_eq!(domain(Layers::new([file, bootstrap, url])), some("url.example.com"));
}

#[test]
fn a_bootstrap_file_becomes_a_preset() {
    let read = read_bootstrap(seed!("bootstrap/switches.properties"), "b");
    assert_eq!(problems(&read), []);
    let preset = Layers::new([read]).preset();
    let wanted = Preset {
        services_domain: Some("example.com".into()),
        voice_services_domain: Some("voice.example.com".into()),
        excluded: Excluded { webex: true, cucm: true, cup: false },
        fallback: ManualAccount {
            account_type: AccountType::Cup,
            server: Some("1.2.3.4".into()),
            ..ManualAccount::default()
        },
        config_file: Some("group-a.xml".into()),
        certificates: CertificatePolicy::Reject,
        login_resource: LoginResource::Wbx,
        ..Preset::default()
    };
    assert_eq!(preset, wanted);

    let phone = Layers::new([read_bootstrap(seed!("bootstrap/phone_mode.properties"), "b")]);
    let preset = phone.preset();
    assert!(preset.phone_mode);
    assert_eq!(preset.fallback.account_type, AccountType::Cucm);
    assert_eq!(preset.fallback.ccmcip.as_deref(), Some("cucm1.example.com"));
    assert_eq!(preset.tftp, ["cucm1.example.com"]);
    let utf16 = read_bootstrap(seed!("bootstrap/utf16.properties"), "b");
    assert_eq!(Layers::new([utf16]).preset().tftp, ["x"]);
    assert_eq!(Layers::default().preset(), Preset::default());
}

#[test]
fn every_documented_switch_is_known() {
    // Reference bootstrap.md section 1, and the names its section 2 saw in files.
    let switches = "CLEAR PRODUCT_MODE AUTHENTICATOR CUP_ADDRESS TFTP CTI CCMCIP SERVICES_DOMAIN \
        VOICE_SERVICES_DOMAIN EXCLUDED_SERVICES UPN_DISCOVERY_ENABLED SSO_EMAIL_PROMPT \
        SSO_ORG_DOMAIN TFTP_FILE_NAME LANGUAGE AUTOMATIC_SIGN_IN CLICK2X FORGOT_PASSWORD_URL \
        LOG_DIRECTORY LOGIN_RESOURCE INVALID_CERTIFICATE_BEHAVIOR TELEMETRY_ENABLED ENABLE_PRT \
        ENABLE_PRT_ENCRYPTION PRT_CERTIFICATE_NAME DIAGNOSTICSTOOLENABLED FORWARD_VOICEMAIL \
        LOCATION_MODE ENABLE_DPI_AWARE IP_Mode FIPS_MODE CC_MODE RESET_JABBER ProductMode \
        ServicesDomain VoiceServicesDomain ServiceDiscoveryExcludedServices SSO_Enabled \
        EnableDPIAware STARTUP_AUTHENTICATION_REQUIRED UXModel CUPAddress Telemetry_Enabled \
        UpnDiscoveryEnabled ServicesDomainSsoEmailPrompt";
    for switch in switches.split_whitespace() {
        let file = layer(Source::Bootstrap, &[(&switch.to_lowercase(), "")]);
        assert_eq!(oddities(&file), [], "{switch}");
    }
}

#[test]
fn contradictions_are_told() {
    #[track_caller]
    fn check(source: Source, pairs: &[(&str, &str)], words: &str) {
        let told: Vec<_> =
            Layers::new([layer(source, pairs)]).problems().into_iter().map(|it| it.cause).collect();
        assert!(told.iter().any(|it| it.contains(words)), "{pairs:?}: {told:?}");
    }
    let all = ("EXCLUDED_SERVICES", "CUP,WEBEX,CUCM");
    check(Source::Bootstrap, &[all], "no AUTHENTICATOR");
    check(Source::Bootstrap, &[("AUTHENTICATOR", "CUP")], "CUP_ADDRESS is missing");
    check(Source::Bootstrap, &[("AUTHENTICATOR", "CUCM")], "TFTP is missing");
    check(Source::Bootstrap, &[("CUP_ADDRESS", "a.b")], "AUTHENTICATOR=CUP is missing");
    let phone = ("PRODUCT_MODE", "Phone_Mode");
    check(Source::Bootstrap, &[phone, ("Telephony_Enabled", "false")], "telephony is switched off");
    check(Source::Bootstrap, &[phone, ("AUTHENTICATOR", "WEBEX")], "names another");
    check(
        Source::GroupFile,
        &[("Telephony_Enabled", "false"), ("IM_Enabled", "0")],
        "both switched off",
    );
    check(Source::Bootstrap, &[("SSO_EMAIL_PROMPT", "ON")], "UPN_DISCOVERY_ENABLED=false");
    check(Source::GroupFile, &[("SharePortRangeStart", "60000")], "beyond the last port");
    let twins = [("BaseFilter", "(a=b)"), ("BDIBaseFilter", "(a=c)")];
    check(Source::GroupFile, &twins, "BaseFilter counts");
    check(Source::GroupFile, &[("ConnectionPassword", "")], "travels in clear");

    let fine = [all, ("AUTHENTICATOR", "CUP"), ("CUP_ADDRESS", "cup1.example.com")];
    assert_eq!(Layers::new([layer(Source::Bootstrap, &fine)]).problems(), []);
}

#[test]
fn the_json_is_the_contracts() {
    let url = layer(Source::Url, &[("servicesdomain", "url.example.com")]);
    let bootstrap = layer(Source::Bootstrap, &[("SERVICES_DOMAIN", "boot.example.com")]);
    let json = serde_json::to_value(rows([url, bootstrap])).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(1));
    let row = &json[0];
    assert_eq!((&row["key"], &row["source"]), (&"ServicesDomain".into(), &"url".into()));
    assert_eq!((&row["value"], &row["line"]), (&"url.example.com".into(), &1.into()));
    assert_eq!(row.get("section"), None, "it stands in no configuration file");
    assert_eq!(row["overridden"][0]["value"], "boot.example.com");
    assert_eq!(row["overridden"][0]["source"], "bootstrap");
    let oddity = row["oddities"][0].as_str().unwrap_or_default();
    assert!(oddity.contains("servicesdomain") && oddity.contains("ServicesDomain"), "{oddity}");
}

#[test]
fn manual_settings_are_shown_as_the_strongest() {
    assert_eq!(manual_layer(&ManualAccount::default()), None);
    let manual = ManualAccount {
        account_type: AccountType::Cucm,
        tftp: Some("tftp.example.com".into()),
        ..ManualAccount::default()
    };
    let bootstrap = layer(Source::Bootstrap, &[("TFTP", "other"), ("AUTHENTICATOR", "CUP")]);
    let rows = rows(manual_layer(&manual).into_iter().chain([bootstrap]));
    assert_eq!(row(&rows, "Authenticator").value, "CUCM");
    assert_eq!(row(&rows, "TftpServer1").source, Source::Manual);
}

#[test]
fn the_templates_of_administrators_are_sound() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/");
    let read = |name: &str| std::fs::read(format!("{root}{name}")).expect("a template");
    let bootstrap = read_bootstrap(&read("bootstrap.properties"), "bootstrap.properties");
    assert!(bootstrap.settings.is_empty(), "as it is it sets nothing");
    let config = global(&read("jabber-config.xml"));
    assert!(config.settings.is_empty(), "as it is it sets nothing");

    // With everything in it switched on, each line is documented and right.
    let text = String::from_utf8(read("bootstrap.properties")).expect("UTF-8");
    let text: String =
        text.lines().filter_map(|line| line.strip_prefix('#')).fold(String::new(), |text, line| {
            if line.starts_with(' ') { text } else { text + line + "\n" }
        });
    let bootstrap = read_bootstrap(text.as_bytes(), "bootstrap.properties");
    assert!(bootstrap.settings.len() > 10, "{text}");
    assert_eq!(oddities(&bootstrap), []);
    let text = String::from_utf8(read("jabber-config.xml")).expect("UTF-8");
    let config = global(text.replace("<!--=", "").replace("=-->", "").as_bytes());
    assert!(config.settings.len() > 10);
    assert_eq!((oddities(&config), config.oddities), (vec![], vec![]));
}
