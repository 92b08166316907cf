//! Certificates for servers on loopback, made up for one test.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// No authority signed it.
    SelfSigned,
    /// It ended years ago.
    Expired,
    /// It is for another name.
    WrongName,
}

/// Files of one certificate.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Certificate, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Both in one file, as baresip wants them.
    pub both: PathBuf,
}

/// A certificate authority of one test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    /// Its own certificate, PEM.
    pub file: PathBuf,
}

impl Authority {
    /// Makes an authority with its files in `folder`.
    ///
    /// # Panics
    /// A key or file cannot be made.
    pub fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Interop authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2015, 1, 1);
        params.not_after = date_time_ymd(2049, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let file = folder.join("authority.pem");
        std::fs::write(&file, issuer.pem()).expect("a file for the authority");
        Self { issuer, folder: folder.to_owned(), file }
    }

    /// A server certificate for `domain`, all hosts in it, and 127.0.0.1.
    ///
    /// # Panics
    /// A key or file cannot be made.
    pub fn server(&self, domain: &str, flaw: Flaw) -> Identity {
        let names = match flaw {
            Flaw::WrongName => vec!["elsewhere.invalid".to_owned()],
            Flaw::None | Flaw::SelfSigned | Flaw::Expired => {
                vec![domain.to_owned(), format!("*.{domain}"), "127.0.0.1".to_owned()]
            }
        };
        let mut params = CertificateParams::new(names).expect("valid names");
        params.distinguished_name.push(DnType::CommonName, domain);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = match flaw {
            Flaw::Expired => date_time_ymd(2021, 1, 1),
            Flaw::None | Flaw::SelfSigned | Flaw::WrongName => date_time_ymd(2048, 1, 1),
        };
        let key = KeyPair::generate().expect("a key");
        let certificate = match flaw {
            Flaw::SelfSigned => params.self_signed(&key),
            Flaw::None | Flaw::Expired | Flaw::WrongName => params.signed_by(&key, &self.issuer),
        };
        let certificate = certificate.expect("a certificate").pem();
        let write = |name: &str, text: &str| {
            let path = self.folder.join(format!("{flaw:?}-{name}.pem"));
            std::fs::write(&path, text).expect("a file for a certificate");
            path
        };
        Identity {
            certificate: write("certificate", &certificate),
            key: write("key", &key.serialize_pem()),
            both: write("both", &(certificate.clone() + &key.serialize_pem())),
        }
    }
}
