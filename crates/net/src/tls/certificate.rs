//! What a certificate says of itself, for telling why it was not accepted. It is never the ground
//! for accepting one.

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// Names past this many are left out of a report.
const MOST_NAMES: usize = 20;

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
        })
    }
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
