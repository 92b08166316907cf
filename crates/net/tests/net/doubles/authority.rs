//! Certificate authorities and certificates of every kind, made for one test.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData,
    SignatureAlgorithm, date_time_ymd,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A file that goes with the test.
pub struct TempFile(pub PathBuf);

impl TempFile {
    pub fn new(text: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("offhook-net-{}-{number}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).expect("a file");
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A certificate with its key, ready to serve.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    pub pem: String,
    key: Vec<u8>,
}

impl Identity {
    pub fn config(&self) -> Arc<ServerConfig> {
        self.speaking(rustls::DEFAULT_VERSIONS)
    }

    pub fn speaking(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .expect("certificate and key fit");
        Arc::new(config)
    }

    /// A server that wants a certificate of this authority's.
    pub fn asking(&self, authority: &Authority) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.own.clone()).expect("an authority");
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .expect("a verifier");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), key)
            .expect("certificate and key fit");
        Arc::new(config)
    }

    pub fn file(&self) -> TempFile {
        TempFile::new(&self.pem)
    }
}

/// An RSA key of somebody else, as the `RSAPublicKey` in its `SubjectPublicKeyInfo`.
struct Theirs(Vec<u8>);

impl PublicKeyData for Theirs {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

/// Which days a certificate is valid.
#[derive(Clone, Copy)]
pub enum Days {
    Now,
    Past,
    Future,
}

fn params(names: &[&str], days: Days) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    let (from, to) = match days {
        Days::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2099, 1, 1)),
        Days::Past => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 2, 3)),
        Days::Future => (date_time_ymd(2098, 3, 4), date_time_ymd(2099, 1, 1)),
    };
    (params.not_before, params.not_after) = (from, to);
    params.distinguished_name.push(DnType::CommonName, "offhook test leaf");
    params
}

/// A certificate that vouches for itself; `authority` marks it as one, as `openssl req -x509` does.
pub fn self_signed(names: &[&str], days: Days, authority: bool) -> Identity {
    let mut params = params(names, days);
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().expect("key");
    let certificate = params.self_signed(&key).expect("signed");
    Identity {
        chain: vec![certificate.der().clone()],
        pem: certificate.pem(),
        key: key.serialize_der(),
    }
}

/// An authority.
pub struct Authority {
    own: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    chain: Vec<CertificateDer<'static>>,
    pub file: TempFile,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = params(&[], Days::Now);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("key");
        let certificate = params.self_signed(&key).expect("signed");
        let file = TempFile::new(&certificate.pem());
        let own = certificate.der().clone();
        Self { own, issuer: Issuer::new(params, key), chain: vec![], file }
    }

    /// An authority under this one; what it issues shows its certificate too.
    pub fn deputy(&self, name: &str, days: Days) -> Self {
        let mut params = params(&[], days);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let file = TempFile::new(&certificate.pem());
        let chain = vec![certificate.der().clone()];
        Self { own: certificate.der().clone(), issuer: Issuer::new(params, key), chain, file }
    }

    /// A certificate for somebody's RSA key of 2048 bits, given as `SubjectPublicKeyInfo`.
    pub fn issue_for(&self, name: &str, public: &[u8]) -> Vec<u8> {
        let mut params = params(&[], Days::Now);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        // The head of a key of this size has 24 bytes.
        let theirs = Theirs(public[24..].to_vec());
        params.signed_by(&theirs, &self.issuer).expect("signed").der().to_vec()
    }

    pub fn issue(&self, names: &[&str], days: Days) -> Identity {
        let key = KeyPair::generate().expect("key");
        let certificate = params(names, days).signed_by(&key, &self.issuer).expect("signed");
        Identity {
            chain: [vec![certificate.der().clone()], self.chain.clone()].concat(),
            pem: certificate.pem(),
            key: key.serialize_der(),
        }
    }
}
