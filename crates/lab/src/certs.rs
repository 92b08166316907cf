//! The laboratory's certificate authority and the certificates it gives out, good and bad.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::LabError;

/// What is wrong with a server certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It names another host.
    WrongName,
    /// It has expired.
    Expired,
    /// Nobody vouches for it.
    SelfSigned,
}

/// A certificate authority made for this run.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    file: PathBuf,
}

impl Authority {
    /// Makes an authority and writes its certificate to `ca.pem` in `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self, LabError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Offhook laboratory authority");
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2044, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let file = folder.join("ca.pem");
        std::fs::write(&file, certificate.pem())
            .map_err(|source| LabError::File { path: file.clone(), source })?;
        let certificate = certificate.der().clone();
        Ok(Self { issuer: Issuer::new(params, key), certificate, file })
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
            Flaw::None | Flaw::Expired | Flaw::SelfSigned => names.to_vec(),
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
            Flaw::None | Flaw::WrongName | Flaw::SelfSigned => {
                (date_time_ymd(2024, 1, 1), date_time_ymd(2044, 1, 1))
            }
        };
        params.not_before = from;
        params.not_after = to;
        let key = KeyPair::generate()?;
        let chain = match flaw {
            Flaw::SelfSigned => vec![params.self_signed(&key)?.der().clone()],
            Flaw::None | Flaw::WrongName | Flaw::Expired => {
                vec![params.signed_by(&key, &self.issuer)?.der().clone(), self.certificate.clone()]
            }
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}
