//! The laboratory's certificate authority and the certificates it gives out, good and bad.

mod phones;
mod weak;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::LabError;
use crate::cas::{API_HOST, CAS_HOST, CLUSTER_HOST};
use crate::config::Security;
use crate::deployment::Deployment;
use crate::fault::{Fault, Faults};
pub(crate) use phones::PhoneAuthority;

/// What is wrong with a server certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It names another host.
    WrongName,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// Its key is an RSA key of 1024 bits.
    WeakKey,
    /// Nobody vouches for it.
    SelfSigned,
    /// Somebody vouches for it whom nobody knows.
    UnknownAuthority,
}

impl Flaw {
    /// What the faults make of the certificate of UDS.
    fn of_uds(faults: &Faults) -> Self {
        let flaws = [
            (Fault::WrongNameCert, Self::WrongName),
            (Fault::ExpiredCert, Self::Expired),
            (Fault::NotYetValidCert, Self::NotYetValid),
            (Fault::WeakKeyCert, Self::WeakKey),
            (Fault::SelfSignedCert, Self::SelfSigned),
            (Fault::UnknownCa, Self::UnknownAuthority),
        ];
        flaws.into_iter().find(|(fault, _)| faults.has(*fault)).map_or(Self::None, |(_, it)| it)
    }
}

/// The TLS set-ups of a deployment.
pub(crate) struct Certificates {
    /// UDS.
    pub(crate) uds: Arc<ServerConfig>,
    /// The other web services.
    pub(crate) web: Arc<ServerConfig>,
    /// XMPP.
    pub(crate) chat: Arc<ServerConfig>,
    /// SIP; phones of a secure profile have to show a certificate.
    pub(crate) sip: Arc<ServerConfig>,
    /// CAPF.
    pub(crate) capf: Arc<ServerConfig>,
    /// The edges.
    pub(crate) edge: Arc<ServerConfig>,
}

impl Certificates {
    /// Certificates for every service, with the flaws the faults ask for.
    pub(crate) fn issue(authority: &Authority, lab: &Deployment) -> Result<Self, LabError> {
        let names = server_names(lab);
        let chat = if lab.faults.has(Fault::XmppCertWithoutDomain) {
            vec![lab.host("imp1"), lab.host("imp2")]
        } else {
            names.clone()
        };
        let sip = authority.server(&names, Flaw::None, &[])?;
        let secure = lab.security() != Security::Off;
        let sip = if secure { lab.phones.demand(&sip)? } else { sip };
        Ok(Self {
            uds: authority.server(&names, Flaw::of_uds(&lab.faults), &[b"http/1.1"])?,
            web: authority.server(&names, Flaw::None, &[b"http/1.1"])?,
            chat: authority.server(&chat, Flaw::None, &[b"xmpp-client"])?,
            capf: authority.server(&names, Flaw::None, &[])?,
            sip,
            edge: authority.server(&edge_names(lab), Flaw::None, &[])?,
        })
    }
}

/// What the certificate of the edges names.
fn edge_names(lab: &Deployment) -> Vec<String> {
    let mut names: Vec<String> = crate::edge::HOSTS.map(|host| lab.host(host)).into();
    if !lab.faults.has(Fault::EdgeCertWithoutDomain) {
        names.push(lab.domain().to_owned());
    }
    names
}

/// Every name a service is reached by.
fn server_names(lab: &Deployment) -> Vec<String> {
    let (domain, open) = (lab.domain().to_owned(), lab.standard_domain());
    let hosts = [
        "cucm1",
        "cucm2",
        "cucm3",
        "cucm4",
        "cucm-alias",
        "cucm-v6",
        "cucm_1",
        "imp1",
        "imp2",
        "expe1",
        "expe2",
    ];
    let mut names: Vec<String> = hosts.map(|host| lab.host(host)).into();
    names.extend([domain, format!("xmpp.{open}"), format!("xmpp2.{open}"), format!("sip.{open}")]);
    names.push(open);
    names.extend([CAS_HOST, API_HOST, CLUSTER_HOST, "localhost"].map(str::to_owned));
    names.push(lab.config.bind.to_string());
    names
}

/// A certificate authority made for this run.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    file: PathBuf,
}

impl Authority {
    /// Makes an authority and writes its certificate to `ca.pem` in `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self, LabError> {
        let authority = Self::make("Offhook laboratory authority", folder.join("ca.pem"))?;
        std::fs::write(&authority.file, authority.pem())
            .map_err(|source| LabError::File { path: authority.file.clone(), source })?;
        Ok(authority)
    }

    fn make(name: &str, file: PathBuf) -> Result<Self, LabError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2044, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let pem = certificate.pem();
        let certificate = certificate.der().clone();
        Ok(Self { issuer: Issuer::new(params, key), certificate, pem, file })
    }

    fn pem(&self) -> &str {
        &self.pem
    }

    /// The file with the authority's certificate.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// A TLS server set-up whose certificate names `names`, with `flaw`.
    pub(crate) fn server(
        &self,
        names: &[String],
        flaw: Flaw,
        alpn: &[&[u8]],
    ) -> Result<Arc<ServerConfig>, LabError> {
        let names = match flaw {
            Flaw::WrongName => vec!["someone-else.invalid".to_owned()],
            Flaw::None
            | Flaw::Expired
            | Flaw::NotYetValid
            | Flaw::WeakKey
            | Flaw::SelfSigned
            | Flaw::UnknownAuthority => names.to_vec(),
        };
        let common_name = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = flaw != Flaw::SelfSigned;
        let (from, to) = match flaw {
            Flaw::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Flaw::NotYetValid => (date_time_ymd(2045, 1, 1), date_time_ymd(2046, 1, 1)),
            Flaw::None
            | Flaw::WrongName
            | Flaw::WeakKey
            | Flaw::SelfSigned
            | Flaw::UnknownAuthority => (date_time_ymd(2024, 1, 1), date_time_ymd(2044, 1, 1)),
        };
        params.not_before = from;
        params.not_after = to;
        let key = KeyPair::generate()?;
        let own = self.certificate.clone();
        let chain = match flaw {
            Flaw::SelfSigned => vec![params.self_signed(&key)?.der().clone()],
            Flaw::UnknownAuthority => {
                let other = Self::make("Authority of somebody else", PathBuf::new())?;
                vec![params.signed_by(&key, &other.issuer)?.der().clone(), other.certificate]
            }
            Flaw::WeakKey => {
                let key = &weak::WeakKey;
                vec![params.signed_by(&key, &self.issuer)?.der().clone(), own]
            }
            Flaw::None | Flaw::WrongName | Flaw::Expired | Flaw::NotYetValid => {
                vec![params.signed_by(&key, &self.issuer)?.der().clone(), own]
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = match flaw {
            Flaw::WeakKey => weak::key(),
            Flaw::None
            | Flaw::WrongName
            | Flaw::Expired
            | Flaw::NotYetValid
            | Flaw::SelfSigned
            | Flaw::UnknownAuthority => {
                let key = PrivatePkcs8KeyDer::from(key.serialize_der());
                provider.key_provider.load_private_key(PrivateKeyDer::Pkcs8(key))?
            }
        };
        let certified = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certified));
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}
