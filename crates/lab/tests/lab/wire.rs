//! Name server and web services by raw bytes.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_lab::Lab;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::{PATIENCE, lab, tls};

/// A query for the UDS records of the laboratory, id 7.
fn srv_query() -> Vec<u8> {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x0a_cisco-uds\x04_tcp\x03lab\x07example\0\0\x21\0\x01");
    query
}

/// A query for any name and type, id 7.
fn query(name: &str, kind: u8) -> Vec<u8> {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, kind, 0, 1]);
    query
}

/// The answer to a question for SRV records, and their ports.
pub(crate) async fn srv(lab: &Lab, name: &str) -> (Vec<u8>, Vec<u16>) {
    let answer = ask(lab, &query(name, 33)).await;
    let ports = srv_ports(&answer);
    (answer, ports)
}

async fn udp_answer(lab: &Lab) -> Vec<u8> {
    ask(lab, &srv_query()).await
}

async fn ask(lab: &Lab, query: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(query, lab.info().services.dns).await.unwrap();
    let mut buffer = vec![0; 2048];
    let read = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await;
    buffer.truncate(read.unwrap().unwrap());
    buffer
}

/// Ports of the SRV answers, in the order they stand in the packet.
fn srv_ports(answer: &[u8]) -> Vec<u16> {
    let marker = b"\0\x21\0\x01";
    let starts = answer.windows(4).enumerate().filter(|(_, part)| part == marker);
    // Type and class are followed by TTL and length, then priority, weight and port; the first
    // hit is the question.
    starts.skip(1).map(|(at, _)| u16::from_be_bytes([answer[at + 14], answer[at + 15]])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_name_the_ports_that_were_taken() {
    let lab = lab(&[]).await;
    let uds = lab.info().services.uds.port();
    let answer = udp_answer(&lab).await;
    assert_eq!(&answer[..2], &[0, 7]);
    assert_eq!(srv_ports(&answer), [uds]);
    let mut tcp = TcpStream::connect(lab.info().services.dns).await.unwrap();
    let query = srv_query();
    tcp.write_u16(query.len() as u16).await.unwrap();
    tcp.write_all(&query).await.unwrap();
    let length = tcp.read_u16().await.unwrap();
    let mut answer = vec![0; usize::from(length)];
    tcp.read_exact(&mut answer).await.unwrap();
    assert_eq!(srv_ports(&answer), [uds]);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_answer_leads_to_a_refused_connection() {
    let lab = lab(&["truncated-srv"]).await;
    let answer = udp_answer(&lab).await;
    assert_eq!(answer[2] & 2, 2, "TC is set");
    assert!(TcpStream::connect(lab.info().services.dns).await.is_err());
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_port_refuses_and_a_dead_one_swallows() {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let refused = lab(&["refused-port"]).await;
    let ports = srv_ports(&udp_answer(&refused).await);
    assert!(TcpStream::connect(at(ports[0])).await.is_err());
    refused.stop().await;

    let dead = lab(&["dead-server"]).await;
    let ports = srv_ports(&udp_answer(&dead).await);
    assert_eq!(ports.len(), 2);
    let wait = Duration::from_millis(400);
    let attempt = tokio::time::timeout(wait, TcpStream::connect(at(ports[0]))).await;
    assert!(attempt.is_err(), "neither accepted nor refused");
    assert_eq!(ports[1], dead.info().services.uds.port());
    dead.stop().await;
}

pub(crate) async fn https(lab: &Lab, at: SocketAddr, host: &str, request: &str) -> String {
    let tcp = TcpStream::connect(at).await.unwrap();
    let mut stream = tls(lab, tcp, host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uds_answers_over_tls_with_the_laboratory_authority() {
    let lab = lab(&[]).await;
    let at = lab.info().services.uds;
    let request = "GET /cucm-uds/clusterUser?username=alice HTTP/1.1\r\nHost: x\r\n\
                   Connection: close\r\n\r\n";
    let answer = https(&lab, at, "cucm1.lab.example", request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("found=\"true\""), "{answer}");
    let request = "GET /cucm-uds/user/alice HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = https(&lab, at, "cucm1.lab.example", request).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_certificates_are_bad_in_the_way_they_are_named() {
    for (fault, says) in [
        ("wrong-name-cert", "NotValidForName"),
        ("expired-cert", "Expired"),
        ("not-yet-valid-cert", "NotValidYet"),
        ("self-signed-cert", "UnknownIssuer"),
        ("unknown-ca", "UnknownIssuer"),
    ] {
        let lab = lab(&[fault]).await;
        let tcp = TcpStream::connect(lab.info().services.uds).await.unwrap();
        let error = tls(&lab, tcp, "cucm1.lab.example").await.unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains(says), "{fault}: {text}");
        // The fault is of UDS alone.
        let tcp = TcpStream::connect(lab.info().services.soap).await.unwrap();
        assert!(tls(&lab, tcp, "imp1.lab.example").await.is_ok());
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_none_is_refused() {
    let lab = lab(&[]).await;
    let mut tcp = TcpStream::connect(lab.info().services.files).await.unwrap();
    tcp.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    lab.stop().await;
}
