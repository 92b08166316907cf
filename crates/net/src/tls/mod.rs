//! TLS: whom to trust, and the handshake.
//!
//! Everybody who speaks TLS comes by here: a handshake that is refused for its certificate is a
//! [`Refused`], and [`Net::overrule`] asks a person about it. Who opens a connection makes it once
//! more when the answer is yes, because a server does not wait for people.
//!
//! A Diffie-Hellman group that is too small (Logjam) cannot come about: the provider agrees on
//! elliptic curves only. A server that offers nothing else breaks off, and that is told as
//! [`TlsFault::Handshake`] with the library's words (`HandshakeFailure`); from here nobody can see
//! which group it would have used.

mod ask;
mod certificate;
mod verify;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use offhook_model::{Endpoint, Fault, TlsFault};
use offhook_ports::ClientIdentity;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Net, errors};
use verify::{Demands, NamesVerifier, Roots};

pub(crate) use ask::Decisions;
pub(crate) use certificate::Shown;

/// Makes ring the provider of cryptography for libraries that ask for the process's default.
/// `main` calls it first; calling it again does nothing.
pub fn install_crypto() {
    // An error means that a provider is installed already.
    let _ = ring::default_provider().install_default();
}

/// Reads the certificates of all `files`.
///
/// # Errors
/// One sentence that names the file and the remedy.
pub(crate) fn read_authorities(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut all = vec![];
    for file in files {
        all.extend(read_authority_file(file)?);
    }
    Ok(all)
}

fn read_authority_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| {
        format!("The certificate file {name} cannot be read ({error}): check the path given with --ca-file and its permissions.")
    })?;
    let not_pem = || {
        format!(
            "The file {name} holds no usable certificate: --ca-file wants a PEM file with BEGIN CERTIFICATE lines."
        )
    };
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|_| not_pem())?;
    let mut check = RootCertStore::empty();
    if certificates.is_empty() || certificates.iter().any(|one| check.add(one.clone()).is_err()) {
        return Err(not_pem());
    }
    Ok(certificates)
}

/// Whom to trust. The system's authorities are read at the first handshake and then shared.
pub(crate) struct Trust {
    authorities: Vec<CertificateDer<'static>>,
    ready: OnceLock<Ready>,
}

#[derive(Clone)]
struct Ready {
    provider: Arc<CryptoProvider>,
    roots: Arc<Roots>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("authorities", &self.authorities.len()).finish()
    }
}

impl Trust {
    pub(crate) fn new(authorities: Vec<CertificateDer<'static>>) -> Self {
        Self { authorities, ready: OnceLock::new() }
    }

    /// A client configuration that accepts a certificate as demanded.
    fn client(
        &self,
        demands: Demands,
        alpn: &[&[u8]],
        identity: Option<&ClientIdentity>,
    ) -> Result<ClientConfig, rustls::Error> {
        let Ready { provider, roots } = self
            .ready
            .get_or_init(|| {
                let provider = Arc::new(ring::default_provider());
                let roots = Arc::new(Roots::load(self.authorities.clone(), &provider));
                Ready { provider, roots }
            })
            .clone();
        let verifier = Arc::new(NamesVerifier::new(roots, demands, &provider));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(ours) => {
                let chain = vec![CertificateDer::from(ours.certificate.clone())];
                let key = PrivatePkcs8KeyDer::from(ours.key.expose().clone());
                builder.with_client_auth_cert(chain, key.into())?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        // A resumed session shows no certificate, and each set of names has its own verifier.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// Whom a connection must lead to.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Where it leads; what a person accepts is accepted for this host.
    pub at: &'a Endpoint,
    /// Names (of hosts, or addresses) of which the certificate must hold one: the host alone when
    /// empty. The first goes into SNI unless it is an address.
    pub names: &'a [String],
    /// Names of which it must hold one besides, when there are any: of a domain, or of a service
    /// (`_collab-edge._tls.example.com`).
    pub also: &'a [String],
    /// Protocols to offer (ALPN).
    pub alpn: &'a [&'a [u8]],
    /// Our own certificate, for a server that asks for one.
    pub identity: Option<&'a ClientIdentity>,
    /// Code point that the packets are marked with, 0 to 63.
    pub dscp: u8,
}

impl<'a> Wanted<'a> {
    /// The host itself.
    pub fn host(at: &'a Endpoint) -> Self {
        Self { at, names: &[], also: &[], alpn: &[], identity: None, dscp: 0 }
    }
}

/// A connection that did not come about, and the certificate that was in the way, if it was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub fault: Fault,
    /// DER.
    certificate: Option<Vec<u8>>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, certificate: None }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        refused.fault
    }
}

/// An encrypted connection.
pub(crate) struct Secured {
    pub(crate) stream: TlsStream<TcpStream>,
    /// TLS version and cipher suite.
    pub(crate) words: String,
}

impl Net {
    /// Shakes hands as a client. The text is version and cipher suite, such as
    /// `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
    ///
    /// # Errors
    /// [`Fault::Tls`], or [`Fault::AnswerTimeout`] when the handshake is not over in `timeout`.
    /// What may be done about it: [`Net::overrule`].
    pub async fn tls(
        &self,
        stream: TcpStream,
        wanted: &Wanted<'_>,
        timeout: Duration,
    ) -> Result<(TlsStream<TcpStream>, String), Refused> {
        let host = [wanted.at.host.clone()];
        let names = if wanted.names.is_empty() { &host[..] } else { wanted.names };
        let names = server_names(names)?;
        let Some(first) = names.first().cloned() else {
            return Err(no_name("").into());
        };
        let pinned = self.decisions.pinned(bare(&wanted.at.host));
        let demands = Demands { names, also: wanted.also.to_vec(), pinned };
        let config = self
            .trust
            .client(demands, wanted.alpn, wanted.identity)
            .map_err(|error| Fault::Tls(TlsFault::Handshake(error.to_string())))?;
        let connector = TlsConnector::from(Arc::new(config));
        match tokio::time::timeout(timeout, connector.connect(first, stream)).await {
            Ok(Ok(stream)) => {
                let words = in_words(stream.get_ref().1);
                Ok((stream, words))
            }
            Ok(Err(error)) => Err(Refused {
                fault: errors::handshake(&error),
                certificate: errors::certificate_in(&error),
            }),
            Err(_) => Err(Fault::AnswerTimeout.into()),
        }
    }

    /// Connects and shakes hands, with a bound on each. A person is asked when it must be.
    pub(crate) async fn connect_tls(
        &self,
        wanted: &Wanted<'_>,
        connect: Duration,
        handshake: Duration,
    ) -> Result<Secured, Fault> {
        let once = async || {
            let Endpoint { host, port, .. } = wanted.at;
            let stream = self.connect_marked((host, *port), wanted.dscp, connect).await?;
            let (stream, words) = self.tls(stream, wanted, handshake).await?;
            Ok::<_, Refused>(Secured { stream, words })
        };
        match once().await {
            Ok(secured) => Ok(secured),
            Err(refused) => {
                self.overrule(wanted, refused).await?;
                Ok(once().await?)
            }
        }
    }
}

fn no_name(name: &str) -> Fault {
    Fault::Tls(TlsFault::Handshake(format!("{name:?} cannot be a name in a certificate")))
}

/// All names that can stand in a certificate; a failure only when none can.
fn server_names(names: &[String]) -> Result<Vec<ServerName<'static>>, Fault> {
    let wanted: Vec<_> =
        names.iter().filter_map(|name| ServerName::try_from(bare(name).to_owned()).ok()).collect();
    if wanted.is_empty() {
        return Err(no_name(names.first().map_or("", String::as_str)));
    }
    Ok(wanted)
}

/// Without the brackets of an IPv6 address in a URL and without the dot of a full name.
fn bare(name: &str) -> &str {
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    inner.strip_suffix('.').unwrap_or(inner)
}

fn in_words(connection: &ClientConnection) -> String {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        Some(other) => format!("{other:?}"),
        None => "TLS".to_owned(),
    };
    match connection.negotiated_cipher_suite() {
        Some(suite) => format!("{version} {:?}", suite.suite()),
        None => version,
    }
}
