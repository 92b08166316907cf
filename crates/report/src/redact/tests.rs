//! What stays and what goes.

use super::Redactor;

fn check(text: &str) -> String {
    Redactor::default().text(text)
}

#[test]
fn people_and_numbers_get_stand_ins() {
    let text = "call from +49305550142 to alice@example.com, then Alice@example.com\n";
    assert_eq!(
        check(text),
        "call from number-1 to person-1@example.com, then Person-1@example.com\n"
    );
}

#[test]
fn what_support_needs_stays() {
    let text = "2026-11-22T12:39:12.123Z cucm1.example.com:8443 answered 503 in 1204 ms\n";
    assert_eq!(check(text), text);
}

#[test]
fn secrets_go_to_the_end_of_their_line() {
    for line in [
        "Authorization: Basic YWxpY2U6c2VjcmV0",
        "{\"password\": \"hunter2\", \"x\": 1}",
        "Set-Cookie: JSESSIONID=abc; Path=/",
        "<session-key>5e0c</session-key>",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3",
        "the token was refused: token=d0Rm",
    ] {
        let out = check(line);
        assert!(out.ends_with("<removed>"), "{out}");
        for secret in ["YWxp", "hunter2", "abc", "5e0c", "d0Rm"] {
            assert!(!out.contains(secret), "{out}");
        }
    }
    assert_eq!(check("the password was refused"), "the password was refused");
}

#[test]
fn a_person_is_known_again_everywhere() {
    let mut redactor = Redactor::default();
    redactor.learn_person("alice");
    redactor.learn_secret("hunter22");
    let body = r#"<?xml version="1.0"?><user uri="https://cucm1.example.com:8443/cucm-uds/user/alice" version="10"><!-- alice --><userName>Alice</userName><displayName>Alice Smith</displayName><email>alice@example.com</email><homeCluster enableImAndPresence="true">true</homeCluster><primaryExtension><directoryNumber>2001</directoryNumber></primaryExtension><port>2001</port><session-key>hunter22</session-key></user>"#;
    let made = redactor.body(body.as_bytes());
    assert_eq!(
        made,
        r#"<?xml version="1.0"?><user uri="https://cucm1.example.com:8443/cucm-uds/user/person-1" version="10"><!----><userName>Person-1</userName><displayName>name-1</displayName><email>person-1@example.com</email><homeCluster enableImAndPresence="true">true</homeCluster><primaryExtension><directoryNumber>number-1</directoryNumber></primaryExtension><port>2001</port><session-key>secret-1</session-key></user>"#
    );
    assert_eq!(redactor.text("for alice (2001): hunter22."), "for person-1 (number-1): secret-1.");
    assert_eq!(redactor.body(made.as_bytes()), made, "twice is once");
    assert_eq!(Redactor::default().body(made.as_bytes()), made, "and by anybody");
}

#[test]
fn devices_keep_prefix_and_length() {
    let mut redactor = Redactor::default();
    let body = "<device uri='https://h/cucm-uds/user/alice/device/22'><id>22</id><name>CSFALICESMITH</name><description>Alice's phone</description></device>";
    assert_eq!(
        redactor.body(body.as_bytes()),
        "<device uri='https://h/cucm-uds/user/person-1/device/22'><id>22</id><name>CSFDEVICE1XXX</name><description>name-1</description></device>"
    );
    assert_eq!(
        redactor.url("http://h:6970/CSFALICESMITH.cnf.xml"),
        "http://h:6970/CSFDEVICE1XXX.cnf.xml"
    );
    assert_eq!(check("GET /BOTBOB.cnf.xml"), "GET /BOTDEVICE1.cnf.xml");
    redactor.body(b"<device><name>CSFBOB.JONES</name></device>");
    assert_eq!(redactor.url("http://h/CSFBOB.JONES.cnf.xml"), "http://h/CSFDEVICE2XX.cnf.xml");
    assert_eq!(redactor.text("of CSFBOB.JONES.cnf.xml."), "of CSFDEVICE2XX.cnf.xml.");
}

#[test]
fn addresses_keep_their_shape() {
    let mut redactor = Redactor::default();
    redactor.learn_person("al ice");
    for (url, shown) in [
        (
            "https://c:8443/cucm-uds/clusterUser?username=alice&x=1",
            "https://c:8443/cucm-uds/clusterUser?username=*&x=*",
        ),
        (
            "https://c:8443/cucm-uds/user/al%20ice/devices",
            "https://c:8443/cucm-uds/user/person-1/devices",
        ),
        (
            "https://e:8443/ZXhhbXBsZS5jb20/get_edge_config?service_name=_cisco-uds",
            "https://e:8443/ZXhhbXBsZS5jb20/get_edge_config?service_name=_cisco-uds",
        ),
        (
            "https://cas/cas/FederatedSSO?org=example.com",
            "https://cas/cas/FederatedSSO?org=example.com",
        ),
        ("https://c", "https://c"),
    ] {
        assert_eq!(redactor.url(url), shown);
        assert_eq!(redactor.url(shown), shown);
    }
}

#[test]
fn what_is_no_data_is_not_kept() {
    let mut redactor = Redactor::default();
    assert!(!redactor.body(b"<html>Hello Alice").contains("Alice"));
    assert!(!redactor.body(b"  {\"token\": \"abc\"}").contains("abc"));
    let form = b"<html><p>Hello Alice<form method=post action='/x?u=alice'><input name=\"SAMLRequest\" value=\"QWxpY2U\"></form>";
    assert_eq!(
        redactor.body(form),
        "<!DOCTYPE html><html><body><br><form action=\"*\"><input name=\"SAMLRequest\"></form></body></html>"
    );
    let bomb = redactor.body(b"<!DOCTYPE a [<!ENTITY x 'alice'>]><a>&x;</a>");
    assert!(bomb.starts_with("<!DOCTYPE removed []><a>"), "{bomb}");
    assert_eq!(redactor.body(b"<a><b"), "<a><");
}

#[test]
fn json_keeps_its_members() {
    let mut redactor = Redactor::default();
    redactor.learn_person("alice");
    let mut value =
        serde_json::json!({ "alice": ["alice", 1], "password": "x", "why": "for alice." });
    redactor.json(&mut value);
    assert_eq!(
        value,
        serde_json::json!({ "alice": ["person-1", 1], "password": "<removed>", "why": "for person-1." })
    );
}
