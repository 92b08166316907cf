//! The service profile as a layer of settings, under the names that the client configuration file
//! has for the same things (reference service-profile.md); and manual connection settings as one.

use offhook_model::{AccountType, Layer, ManualAccount, Setting, Source};

use crate::service_profile::{UcServer, read_service_profile};
use crate::text::setting;
use crate::xml::{Element, XmlError, parse};

/// Servers of a section under the names of their keys, Primary, Backup1, Backup2.
const SERVERS: [(&str, [&str; 3]); 5] = [
    ("CTI", ["CtiServer1", "CtiServer2", "CtiServer3"]),
    ("Voicemail", ["VoicemailPrimaryServer", "VoicemailBackupServer1", "VoicemailBackupServer2"]),
    ("MailStore", ["VVM_Mailstore_Server_0", "VVM_Mailstore_Server_1", "VVM_Mailstore_Server_2"]),
    ("Conferencing", ["ConferencingServer1", "ConferencingServer2", "ConferencingServer3"]),
    ("Directory", ["PrimaryServerName", "SecondaryServerName", "TertiaryServerName"]),
];

/// Fields of the directory section under the names of their keys.
const DIRECTORY: [(&str, &str); 12] = [
    ("UseUserCredential", "UseUserCredential"),
    ("DN", "ConnectionUsername"),
    ("Password", "ConnectionPassword"),
    ("SearchContext1", "SearchBase1"),
    ("SearchContext2", "SearchBase2"),
    ("SearchContext3", "SearchBase3"),
    ("RecursiveSearch1", "RecursiveSearch1"),
    ("RecursiveSearch2", "RecursiveSearch2"),
    ("RecursiveSearch3", "RecursiveSearch3"),
    ("SearchTimeout", "SearchTimeout"),
    ("BaseFilter", "BaseFilter"),
    ("PredictiveSearchFilter", "PredictiveSearchFilter"),
];

/// Fields that stand at different depths in different releases (inferred there), with their keys.
const ANYWHERE: [(&str, &str); 2] = [
    ("VoicemailServiceCredentialsSource", "VoicemailServiceCredentialsSource"),
    ("WebConfSSOIdentityProvider", "WebConfSSOIdentityProvider"),
];

/// Reads a service profile for what it sets. Blank fields are left out, so that the file's value
/// shows through; of a password only the fact that there is one is kept.
///
/// # Errors
/// Broken XML, or a document that is no profile.
pub fn read_profile_layer(data: &[u8], origin: &str) -> Result<Layer, XmlError> {
    let profile = read_service_profile(data)?;
    let root = parse(data)?.root;
    let mut settings = vec![];
    if let Some(first) = profile.im.servers.first() {
        let line = root.find("IMandPresence").map_or(0, |section| section.line);
        push(&mut settings, "PresenceServerAddress", &first.host, line);
    }
    for (section, names) in SERVERS {
        let Some(element) = root.find(section) else { continue };
        for (rank, name) in ["Primary", "Backup1", "Backup2"].into_iter().zip(names) {
            let Some(address) = element.at(&[rank, "Address"]) else { continue };
            push(&mut settings, name, &address.text, address.line);
        }
    }
    if let Some(directory) = root.find("Directory") {
        read_directory(directory, &profile.directory, &mut settings);
    }
    for (field, name) in ANYWHERE {
        if let Some(element) = root.find(field) {
            push(&mut settings, name, &element.text, element.line);
        }
    }
    Ok(Layer {
        source: Source::ServiceProfile,
        origin: origin.to_owned(),
        settings,
        oddities: profile.oddities.iter().map(|&odd| odd.to_owned()).collect(),
    })
}

fn read_directory(directory: &Element, servers: &[UcServer], settings: &mut Vec<Setting>) {
    for (field, name) in DIRECTORY {
        if let Some(element) = directory.child(field) {
            push(settings, name, &element.text, element.line);
        }
    }
    if let Some(uds) = directory.find("UseUDS")
        && uds.text.eq_ignore_ascii_case("true")
    {
        push(settings, "DirectoryServerType", "UDS", uds.line);
    }
    for (server, name) in servers.iter().zip(["ServerPort1", "ServerPort2"]) {
        if let Some(port) = server.port {
            push(settings, name, &port.to_string(), directory.line);
        }
    }
    // LDAPS is "Enhanced Directory" with the protocol TLS.
    let protocol = servers.first().and_then(|server| server.protocol.as_deref());
    if protocol.is_some_and(|it| ["TLS", "SSL"].iter().any(|tls| it.eq_ignore_ascii_case(tls))) {
        push(settings, "UseSSL", "true", directory.line);
    }
}

fn push(settings: &mut Vec<Setting>, name: &str, value: &str, line: u32) {
    if !value.trim().is_empty() {
        settings.push(setting(name, None, value, line));
    }
}

/// Manual connection settings as a layer, for `policy explain`: discovery is given the account
/// itself. `None` for the automatic account.
pub fn manual_layer(account: &ManualAccount) -> Option<Layer> {
    let authenticator = match account.account_type {
        AccountType::Automatic => return None,
        AccountType::Cup => Some("CUP"),
        AccountType::Cucm => Some("CUCM"),
        AccountType::Webex => Some("WEBEX"),
        // Known by its servers; no switch has a word for it.
        AccountType::Standard => None,
    };
    let fields = [
        ("Authenticator", authenticator),
        ("PresenceServerAddress", account.server.as_deref()),
        ("TftpServer1", account.tftp.as_deref()),
        ("CcmcipServer1", account.ccmcip.as_deref()),
        ("CtiServer1", account.cti.as_deref()),
        ("PresenceServerURL", account.cas_url.as_deref()),
        ("SipServer", account.sip_server.as_deref()),
        ("XmppServer", account.xmpp_server.as_deref()),
    ];
    let mut settings = vec![];
    for (name, value) in fields {
        push(&mut settings, name, value.unwrap_or_default(), 0);
    }
    settings.iter_mut().for_each(|setting| setting.line = None);
    Some(Layer {
        source: Source::Manual,
        origin: "Advanced settings".to_owned(),
        settings,
        oddities: vec![],
    })
}
