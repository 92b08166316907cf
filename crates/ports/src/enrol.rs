//! The phone's own certificate: how it is had, and what of it is kept.

use offhook_model::{Endpoint, Secret};

/// A phone that shows a certificate of its own (LSC) to its call managers, as its device file says
/// (reference device-config.md section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecureProfile {
    /// Name of the phone; also the common name in its certificate.
    pub device: String,
    /// Where certificates are issued; nothing where the file names no place.
    pub authority: Option<Endpoint>,
    /// How the phone shows there who it is.
    pub mode: EnrolMode,
}

/// `capfAuthMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnrolMode {
    /// No operation is pending (0).
    #[default]
    Nothing,
    /// By a string that its user knows (1).
    String,
    /// By nothing (2).
    Null,
    /// By the certificate that it has (3, 4).
    Certificate,
}

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// DER.
    pub certificate: Vec<u8>,
    /// PKCS #8, DER.
    pub key: Secret<Vec<u8>>,
    /// First second of validity, since 1970.
    pub not_before: i64,
    /// Last second of validity, since 1970.
    pub not_after: i64,
}

impl ClientIdentity {
    /// When it is to be renewed: after two thirds of its life, in seconds since 1970.
    pub fn renew_at(&self) -> i64 {
        let life = self.not_after.saturating_sub(self.not_before);
        self.not_before.saturating_add(life / 3 * 2)
    }

    /// It counts at this second since 1970.
    pub fn is_valid(&self, at: i64) -> bool {
        (self.not_before..=self.not_after).contains(&at)
    }
}

/// A request for a certificate.
#[derive(Clone, Debug)]
pub struct EnrolPlan {
    /// Where.
    pub at: Endpoint,
    /// Name of the phone.
    pub device: String,
    /// The authentication string.
    pub string: Option<Secret<String>>,
    /// The present certificate, to vouch for the next one; counts where there is no string.
    pub present: Option<std::sync::Arc<ClientIdentity>>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Enrolled {
    /// A new certificate.
    Issued(ClientIdentity),
    /// The present one is to be forgotten.
    Deleted,
    /// It was only looked at.
    Seen,
}
