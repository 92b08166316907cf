//! What `get-all-config` of Unified Presence 8.x says as settings, in the place of a service profile
//! (reference service-profile.md, 8.x fallback).

use offhook_config::{SystemConfig, UcServer};
use offhook_model::{Layer, Setting, Source};

/// Its servers and the directory, under the names that a service profile's settings have.
pub(crate) fn layer(config: &SystemConfig, origin: &str) -> Layer {
    let profile = config.profile();
    let lists: [([&str; 3], &[UcServer]); 5] = [
        (["CtiServer1", "CtiServer2", "CtiServer3"], &profile.cti),
        (
            ["VoicemailPrimaryServer", "VoicemailBackupServer1", "VoicemailBackupServer2"],
            &profile.voicemail,
        ),
        (
            ["VVM_Mailstore_Server_0", "VVM_Mailstore_Server_1", "VVM_Mailstore_Server_2"],
            &profile.mail_store,
        ),
        (
            ["ConferencingServer1", "ConferencingServer2", "ConferencingServer3"],
            &profile.conferencing,
        ),
        (["PrimaryServerName", "SecondaryServerName", "TertiaryServerName"], &profile.directory),
    ];
    let mut settings = vec![];
    for (keys, servers) in lists {
        settings.extend(keys.iter().zip(servers).map(|(key, server)| setting(key, &server.host)));
    }
    for (key, server) in ["ServerPort1", "ServerPort2"].iter().zip(&profile.directory) {
        settings.extend(server.port.map(|port| setting(key, &port.to_string())));
    }
    for (name, key) in [
        ("Presence.Primary.Address", "PresenceServerAddress"),
        ("Directory.DN", "ConnectionUsername"),
        ("Directory.SearchContext1", "SearchBase1"),
        ("Directory.SearchContext2", "SearchBase2"),
        ("Directory.SearchContext3", "SearchBase3"),
        ("Directory.SearchRecursive1", "RecursiveSearch1"),
        ("Directory.SearchRecursive2", "RecursiveSearch2"),
        ("Directory.SearchRecursive3", "RecursiveSearch3"),
        ("Security.VoicemailServiceCredentialsSource", "VoicemailServiceCredentialsSource"),
        ("Security.WebConfServiceCredentialsSource", "WebConfServiceCredentialsSource"),
    ] {
        settings.extend(config.get(name).map(|value| setting(key, value)));
    }
    Layer { source: Source::ServiceProfile, origin: origin.to_owned(), settings, oddities: vec![] }
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.to_owned(), section: None, value: value.to_owned(), line: None }
}
