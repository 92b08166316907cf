//! HTTPS with OpenSSL, a TLS and a web server of other people's making.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use offhook_model::{Fault, TlsFault};
use offhook_ports::{Http, HttpRequest};

use crate::doubles::authority::TempFile;
use crate::doubles::knowing;

/// A running `openssl s_server`; dropped, it ends.
struct Server {
    child: Child,
    port: u16,
    certificate: TempFile,
    _key: TempFile,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate as administrators make it by hand: self-signed and marked as an authority.
fn start(version: &str) -> Option<Server> {
    let (certificate, key) = (TempFile::new(""), TempFile::new(""));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=pbx.example.com", "-addext", "subjectAltName=DNS:pbx.example.com"])
        .arg("-keyout")
        .arg(&key.0)
        .arg("-out")
        .arg(&certificate.0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    assert!(made.success() && fs::metadata(&certificate.0).is_ok_and(|file| file.len() > 0));
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let child = Command::new("openssl")
        .args(["s_server", "-www", version, "-accept", &format!("127.0.0.1:{port}")])
        .arg("-cert")
        .arg(&certificate.0)
        .arg("-key")
        .arg(&key.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl starts");
    Some(Server { child, port, certificate, _key: key })
}

#[tokio::test]
async fn openssl_is_understood() {
    for (option, words) in [("-tls1_2", "TLSv1.2 TLS_ECDHE_RSA_"), ("-tls1_3", "TLSv1.3 TLS13_")] {
        let Some(server) = start(option) else {
            println!("SKIPPED: openssl is not installed");
            return;
        };
        let url = format!("https://pbx.example.com:{}/", server.port);
        let net = knowing(&["pbx.example.com"], &[&server.certificate.0]);
        let mut tries = 0;
        let answer = loop {
            match net.send(HttpRequest::get(&url)).await {
                Ok(answer) => break answer,
                Err(Fault::PortRefused) if tries < 100 => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(fault) => panic!("{option}: {fault:?}"),
            }
            tries += 1;
        };
        assert_eq!(answer.status, 200);
        assert!(answer.tls.is_some_and(|tls| tls.starts_with(words)), "{option}");
        let stranger = knowing(&["pbx.example.com"], &[]);
        let fault = stranger.send(HttpRequest::get(&url)).await.err();
        assert_eq!(fault, Some(Fault::Tls(TlsFault::SelfSigned)));
    }
}
