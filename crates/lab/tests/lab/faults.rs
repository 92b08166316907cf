//! Faults that show on the wire only; those of answers are tested beside what answers.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_lab::{Fault, Services};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::im::{bind, offered};
use super::phone::{Phone, first_line, header};
use super::wire::srv;
use super::{PATIENCE, lab, tls};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_leaves_a_laboratory_that_starts_and_stops() {
    for fault in Fault::ALL {
        let lab = lab(&[fault.name()]).await;
        assert_eq!(lab.info().faults, [fault.name()]);
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ports_refuse_or_swallow() {
    type Port = fn(&Services) -> SocketAddr;
    let ports: [(&str, Port); 5] = [
        ("port", |it| it.uds),
        ("files", |it| it.files),
        ("soap", |it| it.soap),
        ("xmpp", |it| it.xmpp),
        ("sip", |it| it.sip_tcp),
    ];
    for (name, port) in ports {
        let refused = lab(&[&format!("refused-{name}")]).await;
        assert!(TcpStream::connect(port(&refused.info().services)).await.is_err(), "{name}");
        refused.stop().await;
        if name == "port" {
            continue;
        }
        let dropped = lab(&[&format!("dropped-{name}")]).await;
        let attempt = TcpStream::connect(port(&dropped.info().services));
        let attempt = tokio::time::timeout(Duration::from_millis(400), attempt).await;
        assert!(attempt.is_err(), "{name} is neither accepted nor refused");
        dropped.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weak_key_signs_a_handshake_that_modern_software_refuses() {
    let lab = lab(&["weak-key-cert"]).await;
    let tcp = TcpStream::connect(lab.info().services.uds).await.unwrap();
    let error = tls(&lab, tcp, "cucm1.lab.example").await.unwrap_err();
    // The chain and the name are well; what fails is the signature, for the length of the key.
    let text = format!("{error:?}");
    assert!(text.contains("BadSignature"), "{text}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chat_certificate_lacks_the_domain() {
    let lab = lab(&["xmpp-cert-without-domain"]).await;
    for (name, trusted) in [("imp1.lab.example", true), ("lab.example", false)] {
        let tcp = TcpStream::connect(lab.info().services.xmpps).await.unwrap();
        assert_eq!(tls(&lab, tcp, name).await.is_ok(), trusted, "{name}");
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chat_that_does_not_let_in() {
    let one = lab(&["no-mechanism"]).await;
    let (_, features) = offered(&one, one.info().services.xmpp).await;
    assert!(features.contains("<mechanism>GSSAPI</mechanism>"), "{features}");
    assert_eq!(features.matches("<mechanism>").count(), 1, "{features}");
    one.stop().await;
    let two = lab(&["bind-conflict"]).await;
    let (mut stream, _) = offered(&two, two.info().services.xmpp).await;
    let answer = bind(&mut stream, "PLAIN", "\0alice\0secret").await;
    assert!(answer.contains("type='error'") && answer.contains("<conflict "), "{answer}");
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_are_refused_with_a_reason() {
    for (fault, line) in [
        ("sip-403", "SIP/2.0 403 Forbidden"),
        ("sip-404", "SIP/2.0 404 Not Found"),
        ("sip-488", "SIP/2.0 488 Not Acceptable Here"),
        ("sip-503", "SIP/2.0 503 Service Unavailable"),
    ] {
        let lab = lab(&[fault]).await;
        let mut phone = Phone::connect(&lab, "2001", "CSFALICE").await;
        phone.register("1").await;
        let answer = phone.next().await;
        assert_eq!(first_line(&answer), line);
        assert!(header(&answer, "Warning").starts_with("399 cucm1.lab.example \""), "{answer}");
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_is_active_elsewhere_can_be_taken_over() {
    let lab = lab(&["active-elsewhere"]).await;
    let mut phone = Phone::connect(&lab, "2001", "CSFALICE").await;
    phone.register("1").await;
    let answer = phone.next().await;
    assert!(header(&answer, "Warning").contains("active for another client"), "{answer}");
    phone.register_with("2", "1b671a64-40d5-491e-99b0-da01ff1f3341", 3600).await;
    assert_eq!(first_line(&phone.next().await), "SIP/2.0 200 OK");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registered_phone_is_cut_off() {
    let lab = lab(&["registration-lost"]).await;
    let mut phone = Phone::registered(&lab, "2001", "CSFALICE").await;
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE, phone.io.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "the connection stays");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_chat_nodes_are_named_and_down() {
    let lab = lab(&["both-xmpp-nodes-down"]).await;
    assert!(TcpStream::connect(lab.info().services.xmpp).await.is_err());
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_spoilt() {
    for (fault, target) in [
        ("srv-to-address", &b"\x03127\x010\x010\x011\0"[..]),
        ("srv-to-alias", b"\x0acucm-alias\x03lab\x07example\0"),
        ("srv-underscore", b"\x06cucm_1\x03lab\x07example\0"),
        ("srv-to-itself", b"\x0a_cisco-uds\x04_tcp\x03lab\x07example\0"),
    ] {
        let lab = lab(&[fault]).await;
        let (answer, ports) = srv(&lab, "_cisco-uds._tcp.lab.example").await;
        assert_eq!(ports.len(), 1, "{fault}");
        // Behind the question, where the name of the query stands as well.
        let found = answer[46..].windows(target.len()).any(|part| part == target);
        assert!(found, "{fault}");
        lab.stop().await;
    }
    let lab = lab(&["both-views"]).await;
    assert_eq!(srv(&lab, "_collab-edge._tls.lab.example").await.1, [8443]);
    assert_eq!(srv(&lab, "_cisco-uds._tcp.lab.example").await.1.len(), 1);
    lab.stop().await;
}
