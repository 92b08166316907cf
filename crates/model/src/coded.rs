//! Which sentence a problem is, so that a window can say it in its own language. Logs, reports and
//! the control API keep the sentences of `problem.rs`.

use crate::{DnsFault, Endpoint, EnrolFault, Fault, Problem, Service, TlsFault};

/// A sentence by its code, with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Stable; a translation names its cause `CODE` and its remedy `CODE-remedy`.
    pub code: &'static str,
    /// Names and values of its variables.
    pub values: Vec<(&'static str, String)>,
}

impl Problem {
    /// The same problem with the code of its sentences.
    pub fn coded<const N: usize>(
        mut self,
        code: &'static str,
        values: [(&'static str, &str); N],
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        self.coded = Some(Box::new(Coded { code, values }));
        self
    }
}

/// The code of a fault's sentence at a place, where it has one.
pub(crate) fn fault(fault: &Fault, at: &Endpoint) -> Option<Coded> {
    let mut values = vec![
        ("host", at.host.clone()),
        ("port", at.port.to_string()),
        ("service", at.service.words().to_owned()),
    ];
    let code = match fault {
        Fault::Dns(fault) => dns(fault, at)?,
        Fault::Tls(fault) => {
            if let TlsFault::WrongName { wanted, present } = fault {
                values.push(("wanted", wanted.clone()));
                values.push(("present", present.join(", ")));
            }
            tls(fault)?
        }
        Fault::PortRefused => "port-refused",
        Fault::ConnectTimeout => "connect-timeout",
        Fault::Unreachable(_) => "unreachable",
        Fault::AnswerTimeout => "answer-timeout",
        Fault::Closed => "closed",
        Fault::Html => "html",
        Fault::Status(404) if at.service == Service::DeviceFile => "no-device-file",
        Fault::Status(status) => {
            values.push(("status", status.to_string()));
            if *status >= 500 { "status-server" } else { "status-other" }
        }
        Fault::BadCredentials => "bad-credentials",
        Fault::NoMechanism(_) => "no-mechanism",
        Fault::NoEncryption => "no-encryption",
        Fault::Conflict => "conflict",
        Fault::Stream(condition) => {
            values.push(("condition", condition.clone()));
            "stream"
        }
        Fault::Sip(code @ (401 | 407 | 404 | 408 | 503), text) => {
            values.push(("answer", format!("{code} {text}")));
            match code {
                401 | 407 => "phone-credentials",
                404 => "phone-unknown",
                _ => "phone-later",
            }
        }
        Fault::Enrolment(fault) => enrolment(fault)?,
        // Their sentences are made of others' words, or of several cases.
        Fault::TooLarge(_)
        | Fault::Nonsense(_)
        | Fault::Proxy(_)
        | Fault::Sip(..)
        | Fault::Edge(..)
        | Fault::NotProvisioned(_)
        | Fault::NotRecorded => return None,
    };
    Some(Coded { code, values })
}

fn enrolment(fault: &EnrolFault) -> Option<&'static str> {
    match fault {
        EnrolFault::StringWanted => Some("auth-string-wanted"),
        EnrolFault::WrongString => Some("auth-string-wrong"),
        EnrolFault::NothingPending => Some("no-enrolment"),
        EnrolFault::UnknownDevice => Some("device-unknown-to-capf"),
        EnrolFault::Later(_) => Some("enrolment-later"),
        EnrolFault::OtherKey => Some("certificate-of-another-key"),
        EnrolFault::NotKept => Some("certificate-not-kept"),
        EnrolFault::Reason(_) | EnrolFault::Key(_) | EnrolFault::Nonsense(_) => None,
    }
}

fn dns(fault: &DnsFault, at: &Endpoint) -> Option<&'static str> {
    match fault {
        DnsFault::NoName | DnsFault::NoRecord if at.service == Service::Dns => Some("no-services"),
        DnsFault::NoName | DnsFault::NoRecord => Some("no-address"),
        DnsFault::ServerFailure => Some("name-server-failed"),
        DnsFault::Refused => Some("name-server-refused"),
        DnsFault::Silence => Some("name-server-silent"),
        DnsFault::NoServer => Some("no-name-server"),
        DnsFault::Malformed(_) | DnsFault::NotRecorded => None,
    }
}

fn tls(fault: &TlsFault) -> Option<&'static str> {
    match fault {
        TlsFault::SelfSigned => Some("self-signed"),
        TlsFault::UnknownIssuer => Some("unknown-issuer"),
        TlsFault::Expired(_) => Some("expired"),
        TlsFault::NotYetValid(_) => Some("not-yet-valid"),
        TlsFault::WrongName { .. } => Some("wrong-name"),
        TlsFault::OursRefused => Some("certificate-refused"),
        TlsFault::Handshake(_) => Some("handshake"),
        TlsFault::WeakKey(_) => None,
    }
}
