//! The decision whether to accept a certificate, and the reason when not.
//!
//! The platform's verifier decides. It is asked for each acceptable name in turn, because a
//! service may be known under several (an IM and Presence node shows the node's name or the
//! domain's, reference im-presence.md section 2).

use std::fmt;
use std::sync::Arc;

use offhook_model::TlsFault;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;

use crate::errors::Distrust;
use crate::tls::Shown;

/// The system's authorities together with those of `--ca-file`.
pub(super) struct Roots {
    /// Nothing on a machine without a single authority: then nobody is trusted.
    platform: Option<Verifier>,
    /// Certificates of `--ca-file`, which also count when a server shows one of them as its own.
    given: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").field("given", &self.given.len()).finish_non_exhaustive()
    }
}

impl Roots {
    pub(super) fn load(
        given: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let platform = Verifier::new_with_extra_roots(given.iter().cloned(), provider.clone())
            .inspect_err(|error| tracing::warn!(%error, "no certificate authority is trusted"))
            .ok();
        Self { platform, given }
    }
}

/// Accepts a certificate that is trusted and holds any of the names.
#[derive(Debug)]
pub(super) struct NamesVerifier {
    roots: Arc<Roots>,
    names: Vec<ServerName<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl NamesVerifier {
    pub(super) fn new(
        roots: Arc<Roots>,
        names: Vec<ServerName<'static>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self { roots, names, algorithms: provider.signature_verification_algorithms }
    }

    /// What the platform says, of the names the one it likes best.
    fn ask_platform(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut refusal = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let Some(platform) = &self.roots.platform else {
            return Err(refusal);
        };
        for name in &self.names {
            match platform.verify_server_cert(leaf, chain, name, ocsp, now) {
                Ok(_) => return Ok(()),
                Err(error) => {
                    let only_the_name = is_wrong_name(&error);
                    refusal = error;
                    if !only_the_name {
                        break;
                    }
                }
            }
        }
        Err(refusal)
    }

    /// A server may show the very certificate that the administrator gave us, self-signed and
    /// marked as an authority, as Communications Manager's own are. The platform's verifier
    /// refuses an authority as a server.
    fn is_given(&self, leaf: &CertificateDer<'_>) -> bool {
        self.roots.given.iter().any(|given| given.as_ref() == leaf.as_ref())
    }

    fn holds_a_name(&self, leaf: &CertificateDer<'_>) -> bool {
        ParsedCertificate::try_from(leaf).is_ok_and(|parsed| {
            self.names.iter().any(|name| verify_server_name(&parsed, name).is_ok())
        })
    }

    fn wrong_name(&self, shown: Shown) -> TlsFault {
        let wanted: Vec<_> = self.names.iter().map(ServerName::to_str).collect();
        TlsFault::WrongName { wanted: wanted.join(" or "), present: shown.names }
    }

    /// The reason for a refusal. Dates come first: an expired certificate must be renewed whoever
    /// issued it. Then trust, and names last: who vouches for nobody names nobody.
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        refusal: &Error,
    ) -> Result<(), TlsFault> {
        let Some(shown) = Shown::read(leaf) else {
            return Err(TlsFault::Handshake("the certificate cannot be read".to_owned()));
        };
        if let Some(fault) = out_of_date(&shown, now) {
            return Err(fault);
        }
        if is_wrong_name(refusal) {
            return Err(self.wrong_name(shown));
        }
        if self.is_given(leaf) && !is_revoked(refusal) {
            return if self.holds_a_name(leaf) { Ok(()) } else { Err(self.wrong_name(shown)) };
        }
        if is_about_dates(refusal) {
            let issuers = chain.iter().filter_map(|one| Shown::read(one));
            let dated = issuers.filter_map(|one| out_of_date(&one, now)).next();
            return Err(dated.unwrap_or(TlsFault::Expired(None)));
        }
        if shown.self_issued {
            return Err(TlsFault::SelfSigned);
        }
        Err(match refusal {
            // A bad signature is what an authority of the same name with another key looks like.
            Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => TlsFault::UnknownIssuer,
            other => TlsFault::Handshake(other.to_string()),
        })
    }
}

fn is_wrong_name(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    )
}

fn is_revoked(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Revoked))
}

fn is_about_dates(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    )
}

fn out_of_date(shown: &Shown, now: UnixTime) -> Option<TlsFault> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > shown.not_after.0 {
        Some(TlsFault::Expired(shown.not_after.1.clone()))
    } else if now < shown.not_before.0 {
        Some(TlsFault::NotYetValid(shown.not_before.1.clone()))
    } else {
        None
    }
}

impl ServerCertVerifier for NamesVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let asked = self.ask_platform(end_entity, intermediates, ocsp_response, now);
        asked
            .or_else(|refusal| self.judge(end_entity, intermediates, now, &refusal))
            .map(|()| ServerCertVerified::assertion())
            .map_err(|fault| {
                let reason = OtherError(Arc::new(Distrust(fault)));
                Error::InvalidCertificate(CertificateError::Other(reason))
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
