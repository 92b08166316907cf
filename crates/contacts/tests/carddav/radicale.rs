//! Radicale, a server for address books, of one test and ended with it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use offhook_net::{Net, NetOptions};
use offhook_ports::{HttpRequest, Method, World};
use offhook_testkit::NoChat;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// A running server with the user `ann`, password `s3cret`.
pub struct Radicale {
    child: Child,
    folder: TempDir,
    pub port: u16,
    secure: bool,
}

impl Radicale {
    /// Starts one with empty address books of these names, or says that there is none here.
    pub async fn start(secure: bool, books: &[&str]) -> Option<Self> {
        let program = Path::new("/usr/bin/radicale");
        if !program.exists() {
            // Not by a print macro: the harness keeps what those say of a test that succeeds.
            let _ = writeln!(std::io::stderr().lock(), "SKIPPED: radicale is not installed");
            return None;
        }
        // It has every card on the disk before it goes on, so a disk in memory is faster.
        let mut named = tempfile::Builder::new();
        let named = named.prefix("offhook-radicale-");
        let folder = named.tempdir_in("/dev/shm").or_else(|_| named.tempdir()).expect("a folder");
        let port = free_port();
        let at = folder.path();
        std::fs::write(at.join("users"), "ann:s3cret\n").expect("written");
        let tls = if secure { identity(at) } else { String::new() };
        let text = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n{tls}\
             [auth]\ntype = htpasswd\nhtpasswd_filename = {at}/users\nhtpasswd_encryption = plain\n\
             delay = 0\n[rights]\ntype = owner_only\n[storage]\nfilesystem_folder = {at}/data\n",
            at = at.display(),
        );
        std::fs::write(at.join("config"), text).expect("written");
        std::fs::create_dir_all(at.join("data/collection-root/ann")).expect("a folder");
        let log = std::fs::File::create(at.join("log")).expect("a log");
        let child = Command::new(program)
            .arg("--config")
            .arg(at.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("radicale starts");
        let this = Self { child, folder, port, secure };
        books.iter().for_each(|book| this.book(book));
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(this);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(this.folder.path().join("log")).unwrap_or_default();
        panic!("radicale does not listen on {port}: {log}");
    }

    fn shelf(&self, book: &str) -> PathBuf {
        self.folder.path().join("data/collection-root/ann").join(book)
    }

    fn book(&self, name: &str) {
        std::fs::create_dir(self.shelf(name)).expect("a folder");
        let props = r#"{"tag": "VADDRESSBOOK", "D:displayname": "Friends"}"#;
        std::fs::write(self.shelf(name).join(".Radicale.props"), props).expect("written");
    }

    /// Puts a card on the disk of the server.
    pub fn lay(&self, book: &str, name: &str, card: &str) {
        std::fs::write(self.shelf(book).join(name), card).expect("written");
    }

    /// An address there.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// A world that trusts this server's authority, if it has one.
    pub fn world(&self) -> World {
        let ca = self.folder.path().join("ca.pem");
        world(if ca.exists() { vec![ca] } else { vec![] })
    }

    /// Changes a card as another program would.
    pub async fn put(&self, path: &str, card: &str) {
        let request = HttpRequest {
            method: Method::Put,
            headers: vec![("Content-Type".into(), "text/vcard; charset=utf-8".into())],
            body: card.as_bytes().to_vec(),
            ..HttpRequest::get(self.url(path))
        };
        self.change(request).await;
    }

    /// Removes a card or an address book as another program would.
    pub async fn delete(&self, path: &str) {
        self.change(HttpRequest { method: Method::Delete, ..HttpRequest::get(self.url(path)) })
            .await;
    }

    async fn change(&self, request: HttpRequest) {
        let request = request.with_basic("ann", &"s3cret".into());
        let answer = self.world().http.send(request).await.expect("an answer");
        assert!((200..300).contains(&answer.status), "status {}", answer.status);
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The real world, with these authorities besides the system's.
pub fn world(ca_files: Vec<PathBuf>) -> World {
    let net = Net::new(NetOptions { ca_files, ..NetOptions::default() }).expect("a network");
    World {
        dns: net.clone(),
        http: net.clone(),
        probe: net.clone(),
        xmpp: Arc::new(NoChat),
        clock: net,
    }
}

/// Makes an authority and a certificate for the server, and says what its configuration says of them.
fn identity(folder: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Laboratory authority");
    let key = KeyPair::generate().expect("a key");
    let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &issuer).expect("signed");
    for (name, text) in [
        ("ca.pem", issuer.pem()),
        ("server.crt", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let at = folder.display();
    format!("ssl = True\ncertificate = {at}/server.crt\nkey = {at}/server.key\n")
}
