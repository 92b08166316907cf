//! The authority behind CAPF, of which phones have their certificates (LSC, reference page
//! device-config section 5), and the set-up of the SIP port that asks for them. Certificates of
//! earlier runs are refused: every run has an authority of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PublicKeyData,
    SignatureAlgorithm, date_time_ymd,
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::Authority;
use crate::LabError;

const DAY: Duration = Duration::from_secs(86_400);

/// Gives certificates to phones and knows whose they are.
pub(crate) struct PhoneAuthority {
    authority: Authority,
    /// Days before and after today that a certificate counts.
    days: (u32, u32),
    issued: Mutex<HashMap<Vec<u8>, Issued>>,
    /// Who vouches for the servers that robots connect to.
    servers: CertificateDer<'static>,
}

/// Whose a certificate is, and its key.
struct Issued {
    device: String,
    key: Vec<u8>,
}

impl PhoneAuthority {
    /// A new authority, beside the one of the servers; of `aged` certificates two thirds of the life
    /// are over when they are given out, so that phones want to renew them.
    pub(crate) fn new(servers: &Authority, aged: bool) -> Result<Self, LabError> {
        // As in the field, where each cluster's has a number of its own.
        let name = format!("CAPF-{}", crate::random::hex::<4>());
        let authority = Authority::make(&name, std::path::PathBuf::new())?;
        let days = if aged { (30, 10) } else { (1, 1825) };
        let servers = servers.certificate.clone();
        Ok(Self { authority, days, issued: Mutex::default(), servers })
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A certificate, DER, for the key of a device; nothing when the key is none of the kinds that
    /// phones have.
    pub(crate) fn issue(&self, device: &str, spki: &[u8]) -> Option<Vec<u8>> {
        let key = PhoneKey::read(spki)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, device);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let today = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let epoch = date_time_ymd(1970, 1, 1);
        params.not_before = epoch + today.checked_sub(DAY * self.days.0)?;
        params.not_after = epoch + (today + DAY * self.days.1);
        let der = params.signed_by(&key, &self.authority.issuer).ok()?.der().to_vec();
        self.issued().insert(der.clone(), Issued { device: device.to_owned(), key: key.bytes });
        Some(der)
    }

    /// The device that a certificate was given to.
    pub(crate) fn holder(&self, der: &[u8]) -> Option<String> {
        self.issued().get(der).map(|issued| issued.device.clone())
    }

    /// Whether the RSA key of this certificate signed that, with SHA-256.
    pub(crate) fn has_signed(&self, der: &[u8], what: &[u8], signature: &[u8]) -> bool {
        self.issued().get(der).is_some_and(|issued| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, issued.key.as_slice())
                .verify(what, signature)
                .is_ok()
        })
    }

    /// The set-up of a port that lets in phones with a certificate and nobody else.
    pub(crate) fn demand(&self, server: &ServerConfig) -> Result<Arc<ServerConfig>, LabError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate.clone())?;
        let provider = Arc::clone(server.crypto_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Arc::new(
            ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_client_cert_verifier(verifier)
                .with_cert_resolver(Arc::clone(&server.cert_resolver)),
        ))
    }

    /// What a robot connects with: a certificate for this device.
    pub(crate) fn robot(&self, device: &str) -> Result<Arc<ClientConfig>, LabError> {
        let pair = KeyPair::generate()?;
        let der = self.issue(device, &pair.subject_public_key_info());
        let der = der.ok_or_else(|| LabError::Config("a robot's key is of no kind".into()))?;
        let mut roots = RootCertStore::empty();
        roots.add(self.servers.clone())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![der.into()], key)?;
        Ok(Arc::new(config))
    }
}

/// The public key of a phone: RSA, or on one of two curves.
struct PhoneKey {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

/// Object identifiers in DER: rsaEncryption, P-256, P-384.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

impl PhoneKey {
    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    fn read(spki: &[u8]) -> Option<Self> {
        let (whole, rest) = value(spki, 0x30)?;
        let (kind, after) = value(whole, 0x30)?;
        let (first, parameters) = value(kind, 0x06)?;
        let (bits, end) = value(after, 0x03)?;
        let bytes = bits.strip_prefix(&[0])?.to_vec();
        let curve = value(parameters, 0x06).map(|(curve, _)| curve);
        let algorithm = match (first, curve) {
            (RSA, None) => &rcgen::PKCS_RSA_SHA256,
            (_, Some(P256)) => &rcgen::PKCS_ECDSA_P256_SHA256,
            (_, Some(P384)) => &rcgen::PKCS_ECDSA_P384_SHA384,
            _ => return None,
        };
        (rest.is_empty() && end.is_empty()).then_some(Self { bytes, algorithm })
    }
}

impl PublicKeyData for PhoneKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

/// What the DER element of this tag holds, and what follows it.
fn value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, short], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut length = usize::from(short);
    if short & 0x80 != 0 {
        let count = usize::from(short & 0x7f);
        let (octets, after) = rest.split_at_checked(count).filter(|_| (1..=2).contains(&count))?;
        length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        rest = after;
    }
    rest.split_at_checked(length).filter(|_| found == tag)
}

#[cfg(test)]
impl PhoneAuthority {
    pub(crate) fn made_up() -> Self {
        let servers = Authority::make("Servers", std::path::PathBuf::new()).unwrap();
        Self::new(&servers, false).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_phones_are_read_and_nonsense_is_not() {
        let authority = PhoneAuthority::made_up();
        let pair = KeyPair::generate().unwrap();
        let spki = pair.subject_public_key_info();
        let der = authority.issue("CSFALICE", &spki).unwrap();
        assert_eq!(authority.holder(&der).as_deref(), Some("CSFALICE"));
        assert_eq!(authority.holder(&spki), None);
        for length in 0..spki.len() {
            assert!(authority.issue("CSFALICE", &spki[..length]).is_none(), "{length}");
        }
        assert!(!authority.has_signed(&der, b"what", &[1; 256]));
    }
}
