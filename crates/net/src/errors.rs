//! From the errors of sockets and libraries to the words of the model.

use std::error::Error;
use std::io::{self, ErrorKind};

use offhook_model::{Fault, TlsFault};
use rustls::AlertDescription;

/// A certificate that was not accepted, on its way through the TLS library's own error type.
#[derive(Clone, Debug, thiserror::Error)]
#[error("certificate not accepted: {fault:?}")]
pub(crate) struct Distrust {
    pub(crate) fault: TlsFault,
    /// As the server showed it, DER.
    pub(crate) certificate: Vec<u8>,
}

/// Why no connection came about.
pub(crate) fn connecting(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Fault::PortRefused,
        ErrorKind::TimedOut => Fault::ConnectTimeout,
        _ => Fault::Unreachable(error.to_string()),
    }
}

/// Why an open connection ended.
pub(crate) fn open(error: &io::Error) -> Fault {
    if let Some(fault) = tls_in(error) {
        return Fault::Tls(fault);
    }
    match error.kind() {
        // A datagram socket learns of a closed port only from the answer to what it sent.
        ErrorKind::ConnectionRefused => Fault::PortRefused,
        // The system gave up waiting for acknowledgements.
        ErrorKind::TimedOut => Fault::AnswerTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Fault::Unreachable(error.to_string())
        }
        _ => Fault::Closed,
    }
}

/// Why a handshake failed.
pub(crate) fn handshake(error: &io::Error) -> Fault {
    if let Some(fault) = tls_in(error) {
        return Fault::Tls(fault);
    }
    let text = match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "the other side closed the connection during the handshake".to_owned()
        }
        _ => error.to_string(),
    };
    Fault::Tls(TlsFault::Handshake(text))
}

/// The TLS fault anywhere in the chain of causes.
pub(crate) fn tls_in(error: &(dyn Error + 'static)) -> Option<TlsFault> {
    find(error).map(of_rustls)
}

/// The certificate that a failed handshake was about, DER.
pub(crate) fn certificate_in(error: &(dyn Error + 'static)) -> Option<Vec<u8>> {
    find(error).and_then(distrust).map(|distrust| distrust.certificate.clone())
}

/// The TLS library's error anywhere in the chain of causes. `io::Error::source` skips the error it
/// wraps, so that one is looked at by itself.
fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Our own verdict when there is one, else the library's words.
fn of_rustls(error: &rustls::Error) -> TlsFault {
    match (distrust(error), error) {
        (Some(distrust), _) => distrust.fault.clone(),
        (None, rustls::Error::AlertReceived(alert)) if is_about_ours(*alert) => {
            TlsFault::OursRefused
        }
        (None, _) => TlsFault::Handshake(error.to_string()),
    }
}

/// What servers say of the certificate of a client (RFC 8446 section 6.2). One whose authority has
/// another key by now is a signature that does not fit (`decrypt_error`); nothing else that we send
/// could give rise to that, for sessions are not resumed.
fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateRequired
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}

fn distrust(error: &rustls::Error) -> Option<&Distrust> {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => {
            other.0.downcast_ref::<Distrust>()
        }
        _ => None,
    }
}
