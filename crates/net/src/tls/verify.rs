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

/// What a certificate must be besides trusted.
#[derive(Debug, Default)]
pub(super) struct Demands {
    /// It must hold one of these.
    pub(super) names: Vec<ServerName<'static>>,
    /// And one of these, when there are any: names of domains and services.
    pub(super) also: Vec<String>,
    /// Or its key must be one of these, whatever else is said of it (SHA-256 in hex).
    pub(super) pinned: Vec<String>,
}

/// Accepts a certificate that is trusted and holds the names, or whose key a person accepted.
#[derive(Debug)]
pub(super) struct NamesVerifier {
    roots: Arc<Roots>,
    demands: Demands,
    algorithms: WebPkiSupportedAlgorithms,
}

impl NamesVerifier {
    pub(super) fn new(roots: Arc<Roots>, demands: Demands, provider: &CryptoProvider) -> Self {
        Self { roots, demands, algorithms: provider.signature_verification_algorithms }
    }

    fn decide(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), TlsFault> {
        let Some(shown) = Shown::read(leaf) else {
            return Err(TlsFault::Handshake("the certificate cannot be read".to_owned()));
        };
        if self.demands.pinned.contains(&shown.key) {
            // A person may take a stranger for a friend, but not a key that anybody can make.
            return shown.weak_key.map_or(Ok(()), |what| Err(TlsFault::WeakKey(what)));
        }
        let asked = self.ask_platform(leaf, chain, ocsp, now);
        // Dates come first: a certificate that has expired must be renewed anyway.
        if let Some(fault) = out_of_date(&shown, now) {
            return Err(fault);
        }
        // A path that the platform accepted has no weak link: it knows no such signature.
        let links = if asked.is_err() { chain } else { &[] };
        if let Some(what) = self.weakness(leaf, &shown, links) {
            return Err(TlsFault::WeakKey(what));
        }
        let present = present(&shown);
        asked.or_else(|refusal| self.judge(leaf, shown, chain, now, &refusal))?;
        self.also(leaf, present)
    }

    /// Short keys and broken digests, in the certificate or in those between it and its authority.
    /// What signs itself proves nothing by it, so the signature of an authority does not matter,
    /// nor that of a certificate which the administrator gave us.
    fn weakness(
        &self,
        leaf: &CertificateDer<'_>,
        shown: &Shown,
        chain: &[CertificateDer<'_>],
    ) -> Option<String> {
        let signature = if self.is_given(leaf) { None } else { shown.weak_signature.clone() };
        if let Some(what) = shown.weak_key.clone().or(signature) {
            return Some(what);
        }
        chain.iter().filter_map(|one| Shown::read(one)).find_map(|one| {
            let signature = if one.self_issued { None } else { one.weak_signature };
            let what = one.weak_key.or(signature)?;
            Some(format!("of its authority {}, {what}", one.subject))
        })
    }

    /// The second name of an edge: as a host name with its wildcards, or as the name of a service.
    fn also(&self, leaf: &CertificateDer<'_>, present: Vec<String>) -> Result<(), TlsFault> {
        let Some(first) = self.demands.also.first() else { return Ok(()) };
        let parsed = ParsedCertificate::try_from(leaf).ok();
        let held = self.demands.also.iter().any(|wanted| {
            let by_service = present.iter().any(|name| name.eq_ignore_ascii_case(wanted));
            let name = ServerName::try_from(wanted.as_str()).ok();
            let by_name = parsed.as_ref().zip(name);
            by_service
                || by_name.is_some_and(|(leaf, name)| verify_server_name(leaf, &name).is_ok())
        });
        if held {
            return Ok(());
        }
        Err(TlsFault::WrongName { wanted: first.clone(), present })
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
        for name in &self.demands.names {
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
            self.demands.names.iter().any(|name| verify_server_name(&parsed, name).is_ok())
        })
    }

    fn wrong_name(&self, shown: &Shown) -> TlsFault {
        let wanted: Vec<_> = self.demands.names.iter().map(ServerName::to_str).collect();
        TlsFault::WrongName { wanted: wanted.join(" or "), present: present(shown) }
    }

    /// The reason for a refusal. Trust comes before names: whom nobody vouches for names nobody.
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        shown: Shown,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        refusal: &Error,
    ) -> Result<(), TlsFault> {
        if is_wrong_name(refusal) {
            return Err(self.wrong_name(&shown));
        }
        if self.is_given(leaf) && !is_revoked(refusal) {
            return if self.holds_a_name(leaf) { Ok(()) } else { Err(self.wrong_name(&shown)) };
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

/// Every name in the certificate.
fn present(shown: &Shown) -> Vec<String> {
    shown.names.iter().chain(&shown.services).cloned().collect()
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
        self.decide(end_entity, intermediates, ocsp_response, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|fault| {
                let certificate = end_entity.as_ref().to_vec();
                let reason = OtherError(Arc::new(Distrust { fault, certificate }));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offhook_model::TlsFault;
    use rustls::crypto::ring;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

    use super::{Demands, NamesVerifier, Roots};
    use crate::tls::Shown;

    const WEAK_RSA: &[u8] = include_bytes!("../../corpus/certificate/weak-rsa.der");
    const SHA1: &[u8] = include_bytes!("../../corpus/certificate/sha1.der");
    const MD5: &[u8] = include_bytes!("../../corpus/certificate/md5.der");
    const SRV_ID: &[u8] = include_bytes!("../../corpus/certificate/srv-id.der");
    /// January 2027, within the validity of all of them.
    const NOW: u64 = 1_800_000_000;

    /// What is said of `leaf`, shown for `host` with `chain`, where `given` is trusted.
    fn verdict(
        leaf: &'static [u8],
        chain: &[&'static [u8]],
        given: &[&'static [u8]],
        demands: Demands,
    ) -> Result<(), TlsFault> {
        let provider = Arc::new(ring::default_provider());
        let given = given.iter().map(|der| CertificateDer::from(*der)).collect();
        let roots = Arc::new(Roots::load(given, &provider));
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
        let verifier = NamesVerifier::new(roots, demands, &provider);
        verifier.decide(&CertificateDer::from(leaf), &chain, &[], now)
    }

    fn for_host(host: &'static str) -> Demands {
        let names = vec![ServerName::try_from(host).expect("a name")];
        Demands { names, ..Demands::default() }
    }

    fn weak(what: &str) -> Result<(), TlsFault> {
        Err(TlsFault::WeakKey(what.to_owned()))
    }

    #[test]
    fn short_keys_and_broken_digests_are_named() {
        let rsa = weak("its RSA key has 1024 bits");
        assert_eq!(verdict(WEAK_RSA, &[], &[], for_host("weak.example.com")), rsa);
        assert_eq!(verdict(WEAK_RSA, &[], &[WEAK_RSA], for_host("weak.example.com")), rsa);
        let sha1 = weak("it is signed with SHA-1");
        assert_eq!(verdict(SHA1, &[], &[], for_host("sha1.example.com")), sha1);
        let md5 = weak("it is signed with MD5");
        assert_eq!(verdict(MD5, &[], &[], for_host("md5.example.com")), md5);
        // The administrator vouches for this very certificate, so its signature is not relied on.
        assert_eq!(verdict(SHA1, &[], &[SHA1], for_host("sha1.example.com")), Ok(()));
        let link = weak("of its authority CN=weak.example.com, its RSA key has 1024 bits");
        assert_eq!(verdict(SRV_ID, &[WEAK_RSA], &[], for_host("edge1.example.com")), link);
    }

    #[test]
    fn an_accepted_key_counts_unless_it_is_weak() {
        let pinned = |der| {
            let key = Shown::read(der).expect("a certificate").key;
            Demands { pinned: vec![key], ..for_host("elsewhere.example.com") }
        };
        assert_eq!(verdict(SRV_ID, &[], &[], pinned(SRV_ID)), Ok(()));
        assert_eq!(verdict(SHA1, &[], &[], pinned(SHA1)), Ok(()));
        let rsa = weak("its RSA key has 1024 bits");
        assert_eq!(verdict(WEAK_RSA, &[], &[], pinned(WEAK_RSA)), rsa);
        let other = verdict(SRV_ID, &[], &[], pinned(SHA1));
        assert_eq!(other, Err(TlsFault::SelfSigned));
    }

    #[test]
    fn the_name_of_a_service_is_read_from_the_certificate() {
        let also = |wanted: &[&str]| Demands {
            also: wanted.iter().map(|name| (*name).to_owned()).collect(),
            ..for_host("edge1.example.com")
        };
        let trusted = [SRV_ID];
        let srv = ["example.com", "_collab-edge._tls.example.com"];
        assert_eq!(verdict(SRV_ID, &[], &trusted, also(&srv)), Ok(()));
        let present =
            vec!["edge1.example.com".to_owned(), "_collab-edge._tls.example.com".to_owned()];
        let wrong = TlsFault::WrongName { wanted: "example.com".to_owned(), present };
        assert_eq!(verdict(SRV_ID, &[], &trusted, also(&["example.com"])), Err(wrong));
    }
}
