//! The TLS connection that a sign-in belongs to, so that nobody between can pass it on to somebody
//! else (RFC 5929 section 4, `tls-server-end-point`).

use ring::digest;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA};
use x509_parser::oid_registry::{OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512};
use x509_parser::prelude::FromDer;

/// The name of the binding and the hash of this certificate (DER), as mechanisms of SASL want it.
///
/// The hash is the one that the certificate is signed with, SHA-256 at least. Of signatures that name
/// none alone (RSA-PSS, Ed25519) the RFC says nothing; SHA-256 is what others take then.
pub fn end_point(certificate: &[u8]) -> Vec<u8> {
    let parsed = X509Certificate::from_der(certificate);
    let signed = parsed.map(|(_, it)| it.signature_algorithm.algorithm.clone());
    let algorithm = match signed {
        Ok(oid) if oid == OID_SIG_ECDSA_WITH_SHA384 || oid == OID_PKCS1_SHA384WITHRSA => {
            &digest::SHA384
        }
        Ok(oid) if oid == OID_SIG_ECDSA_WITH_SHA512 || oid == OID_PKCS1_SHA512WITHRSA => {
            &digest::SHA512
        }
        Ok(_) | Err(_) => &digest::SHA256,
    };
    let hash = digest::digest(algorithm, certificate);
    [b"tls-server-end-point:", hash.as_ref()].concat()
}

#[cfg(test)]
mod tests {
    use super::end_point;

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (algorithm, bytes) in
            [(&rcgen::PKCS_ECDSA_P256_SHA256, 32), (&rcgen::PKCS_ECDSA_P384_SHA384, 48)]
        {
            let key = rcgen::KeyPair::generate_for(algorithm).expect("a key");
            let params = rcgen::CertificateParams::new(vec!["a.test".into()]).expect("parameters");
            let certificate = params.self_signed(&key).expect("a certificate");
            let bound = end_point(certificate.der());
            assert_eq!(bound.strip_prefix(b"tls-server-end-point:").map(<[u8]>::len), Some(bytes));
        }
        assert_eq!(end_point(b"no certificate").len(), 21 + 32);
    }
}
