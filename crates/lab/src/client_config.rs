//! The client configuration: the global file and the group file that devices name (reference page
//! client-config).

use crate::deployment::Deployment;
use crate::fault::Fault;

/// The global file.
pub(crate) const GLOBAL: &str = "jabber-config.xml";
/// The file of the group the soft phones belong to.
pub(crate) const GROUP: &str = "jabber-config-desk.xml";

/// The file of that name.
pub(crate) fn file(lab: &Deployment, name: &str) -> Option<String> {
    match name {
        GLOBAL => Some(global(lab)),
        GROUP => Some(document(&section("Options", &[("Set_Status_Inactive_Timeout", "5")]))),
        _ => None,
    }
}

fn global(lab: &Deployment) -> String {
    if lab.faults.has(Fault::BrokenConfigFile) {
        return document("<Options><Set_Status_Inactive_Timeout>10</Options>");
    }
    let persistent = lab.config.im.persistent_chat;
    let mut parts = vec![
        section("Client", &[("Forgot_Password_URL", "https://password.lab.example/")]),
        section(
            "Options",
            &[("Set_Status_Inactive_Timeout", "10"), ("ShowOfflineContacts", "TRUE")],
        ),
        section(
            "Policies",
            &[
                ("EnableSIPURIDialling", "true"),
                ("InitialPhoneSelection", "softphone"),
                ("Persistent_Chat_Enabled", if persistent { "true" } else { "false" }),
            ],
        ),
    ];
    let server = lab.host("dir1");
    let mut directory = vec![("DirectoryServerType", "UDS"), ("PresenceDomain", lab.domain())];
    if lab.faults.has(Fault::ClearDirectoryCredentials) {
        directory = vec![
            ("DirectoryServerType", "EDI"),
            ("UseWindowsCredentials", "0"),
            ("ConnectionUsername", "cn=reader,dc=lab,dc=example"),
            ("ConnectionPassword", "not-a-secret-any-more"),
            ("UseSSL", "0"),
            ("UseSecureConnection", "0"),
        ];
    }
    let port = lab.refused_directory.map(|port| port.to_string());
    if let Some(port) = &port {
        directory = vec![
            ("DirectoryServerType", "EDI"),
            ("ConnectionType", "1"),
            ("PrimaryServerName", &server),
            ("ServerPort1", port),
            ("UseSecureConnection", "1"),
        ];
    }
    parts.push(section("Directory", &directory));
    if lab.faults.has(Fault::MisspeltKey) {
        parts.push(section(
            "Policies",
            &[
                ("telephony_enabled", "true"),
                ("VOICEMAIL_Enabled", "true"),
                ("File_Transfer_Enable", "true"),
            ],
        ));
    }
    document(&parts.concat())
}

fn section(name: &str, keys: &[(&str, &str)]) -> String {
    let rows: String =
        keys.iter().map(|(key, value)| format!("    <{key}>{value}</{key}>\n")).collect();
    format!("  <{name}>\n{rows}  </{name}>\n")
}

fn document(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<config version=\"1.0\">\n{body}</config>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::deployment;
    use crate::xml::parse;

    #[test]
    fn both_files_are_xml_and_the_group_differs() {
        let lab = deployment(&[]);
        let value = |name: &str| {
            let root = parse(&file(&lab, name).unwrap(), "").unwrap();
            root.anywhere("Set_Status_Inactive_Timeout").unwrap().own_text()
        };
        assert_eq!((value(GLOBAL), value(GROUP)), ("10".into(), "5".into()));
        assert!(file(&lab, "other.xml").is_none());
    }

    #[test]
    fn faults_show_in_the_file() {
        let text = |fault: &str| file(&deployment(&[fault]), GLOBAL).unwrap();
        assert!(parse(&text("broken-config-file"), "").is_err());
        assert!(text("misspelt-key").contains("<telephony_enabled>"));
        let clear = parse(&text("clear-directory-credentials"), "").unwrap();
        assert!(!clear.anywhere("ConnectionPassword").unwrap().own_text().is_empty());
        assert_eq!(clear.anywhere("UseSSL").unwrap().own_text(), "0");
    }
}
