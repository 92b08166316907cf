//! Settings that others made: what is wrong with them, and the servers that they name.

mod support;

use offhook_doctor::Diagnosis;
use offhook_model::{DnsFault, Fault, Rule, Severity};
use offhook_testkit::{TestWorld, deployment};

fn examined(world: &TestWorld, settings: &[(&str, &str)]) -> Diagnosis {
    support::examined(world, settings, None)
}

fn found(diagnosis: &Diagnosis) -> Vec<(Option<Rule>, Severity)> {
    diagnosis.findings.iter().map(|it| (it.rule, it.severity)).collect()
}

#[test]
fn a_directory_without_a_base() {
    let world = deployment();
    world.reach("ldap.example.com:389", Ok(()));
    let settings =
        [("BDIPrimaryServerName", "ldap.example.com"), ("BDILDAPServerType", "OpenLDAP")];
    assert_eq!(found(&examined(&world, &settings)), [(Some(Rule(31)), Severity::Warning)]);
    let with_base = [&settings[..], &[("BDISearchBase1", "ou=people,dc=example,dc=com")]].concat();
    assert_eq!(found(&examined(&world, &with_base)), []);
}

#[test]
fn each_port_that_the_settings_name_is_tried_and_dropped_and_refused_are_told_apart() {
    for (settings, ports) in [
        (&[("PrimaryServerName", "dir.example.com")][..], &[3268][..]),
        (&[("PrimaryServerName", "dir.example.com"), ("UseSSL", "1")], &[3269]),
        (&[("PrimaryServerName", "dir.example.com"), ("ConnectionType", "1")], &[389]),
        (
            &[("PrimaryServerName", "dir.example.com"), ("ConnectionType", "1"), ("UseSSL", "1")],
            &[636],
        ),
        (&[("PrimaryServerName", "dir.example.com"), ("ServerPort1", "1389")], &[1389]),
        (&[("VoicemailPrimaryServer", "dir.example.com")], &[443, 7080]),
    ] {
        for (fault, words) in [
            (Fault::PortRefused, "refuses connections"),
            (Fault::ConnectTimeout, "does not answer"),
            (Fault::Dns(DnsFault::NoName), "has no address"),
        ] {
            let world = deployment();
            for port in ports {
                world.reach(&format!("dir.example.com:{port}"), Err(fault.clone()));
            }
            let diagnosis = examined(&world, settings);
            assert!(!diagnosis.findings.is_empty(), "{settings:?}");
            for finding in &diagnosis.findings {
                assert!(finding.cause.contains(words), "{settings:?}: {}", finding.cause);
                // People are looked for there; voicemail is not listened to yet.
                let voicemail = settings[0].0.starts_with("Voicemail");
                let severity = if voicemail { Severity::Note } else { Severity::Warning };
                assert_eq!(finding.severity, severity, "{settings:?}");
            }
            assert_eq!(diagnosis.exit, 0);
            let asked = world.asked();
            for port in ports {
                assert!(asked.contains(&format!("REACH dir.example.com:{port}")), "{settings:?}");
            }
        }
    }
}

#[test]
fn contact_search_by_uds_needs_no_other_server() {
    let world = deployment();
    let settings = [("DirectoryServerType", "UDS"), ("PrimaryServerName", "dir.example.com")];
    assert_eq!(found(&examined(&world, &settings)), []);
    assert!(!world.asked().iter().any(|asked| asked.contains("dir.example.com")));
}
