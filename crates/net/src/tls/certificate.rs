//! What a certificate says of itself, for telling why it was not accepted, and for comparing its
//! key with those that a person accepted. Nothing here vouches for a certificate.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

/// Names past this many are left out of a report.
const MOST_NAMES: usize = 20;
/// Longest subject or issuer shown, in characters.
const LONGEST_TITLE: usize = 300;
/// The shortest RSA key to rely on, in bits (NIST SP 800-131A).
const LEAST_RSA: usize = 2048;
/// id-on-dnsSRV (RFC 4985).
const DNS_SRV: &str = "1.3.6.1.5.5.7.8.7";
/// Signatures over digests for which collisions can be made (RFC 8017, 3279, 5758).
const WEAK_SIGNATURES: [(&str, &str); 8] = [
    ("1.2.840.113549.1.1.2", "MD2"),
    ("1.2.840.113549.1.1.3", "MD4"),
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.3.14.3.2.25", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.3.14.3.2.29", "SHA-1"),
    ("1.2.840.10040.4.3", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
];

/// The parts of a certificate that explain a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Issuer and subject are the same.
    pub(crate) self_issued: bool,
    /// First second of validity, in seconds since 1970, with its day as `YYYY-MM-DD`.
    pub(crate) not_before: (i64, Option<String>),
    /// Last second of validity, likewise.
    pub(crate) not_after: (i64, Option<String>),
    /// Subject alternative names that are host names or addresses; without any, the common name.
    pub(crate) names: Vec<String>,
    /// Names of services (SRV-ID, RFC 4985), such as `_collab-edge.example.com`, as they stand.
    pub(crate) services: Vec<String>,
    /// Whose it is.
    pub(crate) subject: String,
    /// Who vouches for it.
    pub(crate) issuer: String,
    /// SHA-256 of the certificate, hex with colons.
    pub(crate) fingerprint: String,
    /// SHA-256 of the SubjectPublicKeyInfo, in hex.
    pub(crate) key: String,
    /// What is too weak about its key.
    pub(crate) weak_key: Option<String>,
    /// What is too weak about the signature on it.
    pub(crate) weak_signature: Option<String>,
}

impl Shown {
    /// Reads a DER certificate (RFC 5280); nothing when it cannot be read.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            self_issued: certificate.issuer().as_raw() == certificate.subject().as_raw(),
            not_before: moment(&validity.not_before),
            not_after: moment(&validity.not_after),
            names: names(&certificate),
            services: services(&certificate),
            subject: title(&certificate.subject().to_string()),
            issuer: title(&certificate.issuer().to_string()),
            fingerprint: hex(der, ":").to_uppercase(),
            key: hex(certificate.public_key().raw, ""),
            weak_key: weak_key(&certificate),
            weak_signature: weak_signature(
                &certificate.signature_algorithm.algorithm.to_id_string(),
            ),
        })
    }
}

/// SHA-256 in hex with `between` between the bytes.
fn hex(bytes: &[u8], between: &str) -> String {
    let mut text = String::new();
    for (at, byte) in Sha256::digest(bytes).iter().enumerate() {
        let between = if at == 0 { "" } else { between };
        // Writing to a String cannot fail.
        let _ = write!(text, "{between}{byte:02x}");
    }
    text
}

/// Only RSA has keys in use that are too short; a curve that is too small is one that the provider
/// does not know, and then the handshake fails.
fn weak_key(certificate: &X509Certificate<'_>) -> Option<String> {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if bits(key.modulus) < LEAST_RSA => {
            Some(format!("its RSA key has {} bits", bits(key.modulus)))
        }
        Ok(_) | Err(_) => None,
    }
}

/// Length of a big-endian number.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let rest = number.get(zeros..).unwrap_or_default();
    rest.first().map_or(0, |first| rest.len() * 8 - first.leading_zeros() as usize)
}

fn weak_signature(algorithm: &str) -> Option<String> {
    let (_, digest) = WEAK_SIGNATURES.iter().find(|(known, _)| *known == algorithm)?;
    Some(format!("it is signed with {digest}"))
}

fn services(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return vec![];
    };
    let names = extension.value.general_names.iter();
    names.filter_map(service).take(MOST_NAMES).collect()
}

/// The value is `[0] EXPLICIT IA5String`; some writers leave the explicit tag out.
fn service(name: &GeneralName<'_>) -> Option<String> {
    let GeneralName::OtherName(oid, value) = name else { return None };
    if oid.to_id_string() != DNS_SRV {
        return None;
    }
    let inner = explicit(value, 0xA0).unwrap_or(value);
    let text = explicit(inner, 0x16).or_else(|| explicit(inner, 0x0C))?;
    std::str::from_utf8(text).ok().map(printable)
}

/// The content of a short DER value with this tag; a name has at most 253 characters, so two bytes
/// of length are enough.
fn explicit(value: &[u8], tag: u8) -> Option<&[u8]> {
    let (head, rest) = value.split_first()?;
    if *head != tag {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7F => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.get(..length)
}

fn title(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(LONGEST_TITLE).collect()
}

fn moment(time: &ASN1Time) -> (i64, Option<String>) {
    let date = time.to_datetime().date();
    let day = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
    (time.timestamp(), Some(day))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternative: Vec<String> = match certificate.subject_alternative_name() {
        Ok(Some(extension)) => {
            extension.value.general_names.iter().filter_map(host).take(MOST_NAMES).collect()
        }
        Ok(None) | Err(_) => vec![],
    };
    if !alternative.is_empty() {
        return alternative;
    }
    let common = certificate.subject().iter_common_name();
    common.filter_map(|name| name.as_str().ok()).map(printable).take(MOST_NAMES).collect()
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(printable(name)),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(sixteen).to_string())
}

/// Names go into sentences, so they are kept short and free of control characters.
fn printable(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(253).collect()
}
