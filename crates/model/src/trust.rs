//! The question whether a certificate that the system does not trust is to be accepted.

use serde::{Deserialize, Serialize};

use crate::{Endpoint, Timestamp, TlsFault};

/// What a server showed and why it is not trusted. One question is asked for each key and host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustQuestion {
    /// To answer it by.
    pub id: u32,
    /// Who shows it.
    pub at: Endpoint,
    /// Why it is not trusted.
    pub why: TlsFault,
    /// The same in one sentence.
    pub words: String,
    /// Names of which the certificate should hold one.
    pub wanted: Vec<String>,
    /// Names that it holds.
    pub present: Vec<String>,
    /// Whose it is, as its subject says.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// First day of validity, RFC 3339 date.
    pub not_before: String,
    /// Last day of validity, RFC 3339 date.
    pub not_after: String,
    /// SHA-256 of the certificate, hex with colons, to compare by eye.
    pub fingerprint: String,
    /// SHA-256 of the SubjectPublicKeyInfo, in hex: what is pinned.
    pub key: String,
    /// An acceptance is remembered beyond this session.
    pub remembered: bool,
}

/// A key that the user accepted for a host (`config/certificates.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedKey {
    /// Host it was accepted for, in lower case.
    pub host: String,
    /// SHA-256 of the SubjectPublicKeyInfo, in hex.
    pub key: String,
    /// Whose the certificate was.
    pub subject: String,
    /// When it was accepted.
    pub since: Timestamp,
}
