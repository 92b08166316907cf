//! The laboratory from outside, by raw bytes on its sockets: none of its own parsers is used
//! here, and none of the client's.
#![allow(clippy::disallowed_methods, reason = "a test drives its own tasks")]
#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod faults;
mod im;
mod nodes;
mod phone;
mod rooms;
mod scenarios;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use offhook_lab::{Lab, LabConfig, Scenario};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longest wait for anything; only reached when something is broken.
const PATIENCE: Duration = Duration::from_secs(20);

async fn lab(faults: &[&str]) -> Lab {
    scenario(Scenario::OnPrem, faults).await
}

async fn scenario(scenario: Scenario, faults: &[&str]) -> Lab {
    let faults = faults.iter().map(|name| (*name).to_owned()).collect();
    let config = LabConfig { faults, ..LabConfig::default() };
    Lab::start(scenario, config).await.unwrap()
}

/// A TLS client that trusts the laboratory's authority and nobody else.
async fn tls(lab: &Lab, stream: TcpStream, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(lab.info().ca_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Bytes read until `done` says so, as text.
struct Conversation<S> {
    io: S,
    seen: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    fn new(io: S) -> Self {
        Self { io, seen: String::new() }
    }

    async fn say(&mut self, text: &str) {
        self.io.write_all(text.as_bytes()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// Reads until `wanted` has come and returns everything up to and including it.
    async fn until(&mut self, wanted: &str) -> String {
        let read = async {
            loop {
                if let Some(at) = self.seen.find(wanted) {
                    let rest = self.seen.split_off(at + wanted.len());
                    return std::mem::replace(&mut self.seen, rest);
                }
                let mut chunk = [0; 4096];
                let length = self.io.read(&mut chunk).await.unwrap();
                assert!(length > 0, "closed before {wanted}: {}", self.seen);
                self.seen.push_str(&String::from_utf8_lossy(&chunk[..length]));
            }
        };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(text) => text,
            Err(_) => panic!("{wanted} did not come: {}", self.seen),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_laboratory_leaves_its_ports_and_its_folder() {
    let lab = lab(&[]).await;
    let info = lab.info();
    assert!(info.ca_file.exists());
    lab.stop().await;
    assert!(!info.state.exists());
    assert!(TcpStream::connect(info.services.xmpp).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_laboratories_live_side_by_side() {
    let (one, two) = (lab(&[]).await, lab(&[]).await);
    assert_ne!(one.info().services.sip_tcp, two.info().services.sip_tcp);
    one.stop().await;
    two.stop().await;
}
