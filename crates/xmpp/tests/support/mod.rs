//! A server in the test's hands: it writes and expects bytes and parses nothing.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use offhook_model::{Jid, Link};
use offhook_net::{Net, NetOptions};
use offhook_ports::{Resumption, XmppAuth, XmppPlan, XmppServer};
use offhook_xmpp::{LinkEvent, LinkHandle, connect};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub mod lossy;
pub mod prosody;

/// The domain of the account.
pub const DOMAIN: &str = "example.test";

/// An authority and a folder for its files, removed at the end.
pub struct Authority {
    pub folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, in PEM and for the TLS library.
pub struct Identity {
    pub certificate: String,
    pub key: String,
    pub config: Arc<ServerConfig>,
}

impl Authority {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("offhook-xmpp-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Laboratory authority");
        let key = KeyPair::generate().expect("key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("authority");
        std::fs::write(folder.join("ca.pem"), issuer.pem()).expect("written");
        Self { folder, issuer }
    }

    pub fn identity(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("parameters");
        let key = KeyPair::generate().expect("key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let der = PrivateKeyDer::try_from(key.serialize_der()).expect("key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], der)
            .expect("usable certificate");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            config: Arc::new(config),
        }
    }

    /// A network that trusts this authority.
    pub fn net(&self) -> Arc<Net> {
        Net::new(NetOptions { ca_files: vec![self.folder.join("ca.pem")], ..NetOptions::default() })
            .expect("network")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

enum Io {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
    Gone,
}

/// One accepted connection.
pub struct Peer {
    io: Io,
    config: Arc<ServerConfig>,
    unread: String,
    /// Everything that came, in order.
    pub seen: String,
}

impl Peer {
    pub async fn accept(listener: &TcpListener, config: &Arc<ServerConfig>) -> Self {
        let (tcp, _) = listener.accept().await.expect("connection");
        Self {
            io: Io::Plain(tcp),
            config: Arc::clone(config),
            unread: String::new(),
            seen: String::new(),
        }
    }

    /// Shakes hands; false when the client breaks off.
    pub async fn secure(&mut self) -> bool {
        let Io::Plain(tcp) = std::mem::replace(&mut self.io, Io::Gone) else {
            panic!("no plain connection");
        };
        match TlsAcceptor::from(Arc::clone(&self.config)).accept(tcp).await {
            Ok(tls) => {
                self.io = Io::Secured(Box::new(tls));
                true
            }
            Err(_) => false,
        }
    }

    pub async fn send(&mut self, text: &str) {
        // The client may have left already; what it reports is the test's matter.
        let _ = match &mut self.io {
            Io::Plain(io) => io.write_all(text.as_bytes()).await,
            Io::Secured(io) => {
                let _ = io.write_all(text.as_bytes()).await;
                io.flush().await
            }
            Io::Gone => Ok(()),
        };
    }

    /// Reads until the needle has come; false when the connection ends before.
    pub async fn expect(&mut self, needle: &str) -> bool {
        loop {
            if let Some(at) = self.unread.find(needle) {
                self.unread.drain(..at + needle.len());
                return true;
            }
            let mut chunk = [0; 4096];
            let count = match &mut self.io {
                Io::Plain(io) => io.read(&mut chunk).await.unwrap_or(0),
                Io::Secured(io) => io.read(&mut chunk).await.unwrap_or(0),
                Io::Gone => 0,
            };
            if count == 0 {
                return false;
            }
            let text = String::from_utf8_lossy(&chunk[..count]).into_owned();
            self.unread.push_str(&text);
            self.seen.push_str(&text);
        }
    }

    /// Reads until the client closes.
    pub async fn drain(&mut self) {
        while self.expect("\u{0}").await {}
    }

    /// Answers a stream header with ours and these features.
    pub async fn open(&mut self, features: &str) {
        assert!(self.expect("xml:lang='en'>").await, "a header");
        self.send(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' from='{DOMAIN}' id='x' \
             version='1.0'><stream:features>{features}</stream:features>"
        ))
        .await;
    }

    /// STARTTLS up to the encrypted connection.
    pub async fn start_tls(&mut self) -> bool {
        self.open(STARTTLS).await;
        assert!(self.expect("<starttls").await);
        self.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
        self.secure().await
    }

    /// STARTTLS and PLAIN, accepted.
    pub async fn sign_in(&mut self) {
        assert!(self.start_tls().await, "TLS");
        self.open(&mechanisms(&["PLAIN"])).await;
        assert!(self.expect("</auth>").await, "a proof");
        self.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
    }

    /// Everything up to a bound stream. `more` are features besides bind.
    pub async fn bring_online(&mut self, more: &str) {
        self.sign_in().await;
        self.open(&format!("{BIND}{more}")).await;
        assert!(self.expect("</iq>").await, "a bind request");
        self.send(&format!(
            "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>alice@{DOMAIN}/desk</jid></bind></iq>"
        ))
        .await;
    }
}

pub const STARTTLS: &str =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
pub const BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";

/// A feature list of these mechanisms, with the host names that some servers put among them.
pub fn mechanisms(names: &[&str]) -> String {
    let list: String = names.iter().map(|name| format!("<mechanism>{name}</mechanism>")).collect();
    format!(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{list}\
         <hostname xmlns='urn:xmpp:domain-based-name:0'>node1.{DOMAIN}</hostname></mechanisms>"
    )
}

pub async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("address").port();
    (listener, port)
}

pub fn password(user: &str, password: &str) -> XmppAuth {
    XmppAuth::Password { username: user.to_owned(), password: password.into() }
}

pub fn plan(user: &str, auth: XmppAuth, servers: &[(u16, Link)]) -> XmppPlan {
    let jid: Jid = format!("{user}@{DOMAIN}").parse().expect("valid");
    XmppPlan {
        jid,
        resource: "desk".to_owned(),
        servers: servers
            .iter()
            .map(|(port, link)| XmppServer {
                host: "127.0.0.1".to_owned(),
                port: *port,
                link: *link,
            })
            .collect(),
        names: Vec::new(),
        auth,
    }
}

/// A link that is driven while its events are awaited.
pub struct Driven {
    pub handle: LinkHandle,
    pub events: mpsc::Receiver<LinkEvent>,
    link: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    over: bool,
}

impl Driven {
    pub fn new(net: &Arc<Net>, plan: XmppPlan) -> Self {
        Self::going_on(net, plan, None)
    }

    /// A link that is to go on with an earlier stream.
    pub fn going_on(net: &Arc<Net>, plan: XmppPlan, earlier: Option<Box<Resumption>>) -> Self {
        let (sender, events) = mpsc::channel(64);
        let (handle, link) = connect(Arc::clone(net), plan, earlier, sender);
        Self { handle, events, link: Box::pin(link), over: false }
    }

    /// The next event; `None` when the link is over and all were taken.
    pub async fn next(&mut self) -> Option<LinkEvent> {
        loop {
            if self.over {
                return self.events.recv().await;
            }
            tokio::select! {
                biased;
                event = self.events.recv() => return event,
                () = &mut self.link => self.over = true,
            }
        }
    }

    /// The first event for which `wanted` says yes. Others before it are dropped.
    pub async fn until(&mut self, wanted: impl Fn(&LinkEvent) -> bool) -> LinkEvent {
        loop {
            let event = self.next().await.expect("the event comes before the end");
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Waits for the end and tells how it came.
    pub async fn end(&mut self) -> LinkEvent {
        self.until(|event| {
            matches!(
                event,
                LinkEvent::Failed { .. } | LinkEvent::Offline { .. } | LinkEvent::Closed
            )
        })
        .await
    }
}
