//! What went wrong, in the words of the model.

use std::io::{Error, ErrorKind};

use offhook_model::{Fault, TlsFault};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

/// A fault, and where a server sent us instead, if it did.
#[derive(Debug)]
pub(crate) struct Miss {
    pub(crate) fault: Fault,
    pub(crate) elsewhere: Option<(String, Option<u16>)>,
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Self { fault, elsewhere: None }
    }
}

/// A failed read or write.
pub(crate) fn io(error: &Error) -> Fault {
    match error.kind() {
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::BrokenPipe => Fault::Closed,
        ErrorKind::TimedOut => Fault::AnswerTimeout,
        ErrorKind::InvalidData => Fault::Tls(TlsFault::Handshake(error.to_string())),
        // The library's list; the system's words say the rest.
        _ => Fault::Unreachable(error.to_string()),
    }
}

/// A stream error (RFC 6120 section 4.9).
pub(crate) fn stream_error(element: &Element) -> Fault {
    let condition = condition(element, ns::XMPP_STREAMS).unwrap_or("undefined-condition");
    match condition {
        "conflict" => Fault::Conflict,
        condition => Fault::Stream(condition.to_owned()),
    }
}

/// What is said before a stream is ended for this reason (RFC 6120 section 4.9.1.1): what the server
/// did wrong, if it did.
pub(crate) fn farewell(fault: &Fault) -> String {
    let condition = match fault {
        Fault::Nonsense(_) => Some("not-well-formed"),
        Fault::TooLarge(_) => Some("policy-violation"),
        _ => None,
    };
    let error = condition.map(|condition| {
        format!("<stream:error><{condition} xmlns='{}'/></stream:error>", ns::XMPP_STREAMS)
    });
    error.unwrap_or_default() + "</stream:stream>"
}

/// Where a stream error sends us (RFC 6120 section 4.9.3.19): host, and port if it names one.
pub(crate) fn other_host(element: &Element) -> Option<(String, Option<u16>)> {
    host_and_port(&element.get_child("see-other-host", ns::XMPP_STREAMS)?.text())
}

/// A server's name, and a port if it has one.
pub(crate) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            Some(_) | None => (text, None),
        },
    };
    let usable = !host.is_empty() && host.len() <= 253 && !host.contains(char::is_whitespace);
    let port = match port.map(str::parse) {
        Some(Ok(port)) => Some(port),
        Some(Err(_)) => return None,
        None => None,
    };
    usable.then(|| (host.to_owned(), port))
}

/// A refused sign-in (RFC 6120 section 6.5). `offered` are the server's mechanisms.
pub(crate) fn sign_in(failure: &Element, offered: &[String]) -> Fault {
    match condition(failure, ns::SASL) {
        Some("encryption-required") => Fault::NoEncryption,
        Some("invalid-mechanism" | "mechanism-too-weak") => Fault::NoMechanism(offered.to_vec()),
        Some(
            condition @ ("temporary-auth-failure"
            | "aborted"
            | "incorrect-encoding"
            | "malformed-request"),
        ) => Fault::Stream(condition.to_owned()),
        // not-authorized, account-disabled, credentials-expired, invalid-authzid; servers that
        // name a condition of their own, or none, mean that the password is not accepted too.
        Some(_) | None => Fault::BadCredentials,
    }
}

/// A refused question during sign-in.
pub(crate) fn refused(iq: &Element) -> Fault {
    let error = iq.children().find(|child| child.name() == "error");
    match error.and_then(|error| condition(error, ns::XMPP_STANZAS)) {
        Some("conflict") => Fault::Conflict,
        Some(condition) => Fault::Stream(condition.to_owned()),
        None => Fault::Nonsense("a refusal without a reason".into()),
    }
}

fn condition<'a>(element: &'a Element, namespace: &str) -> Option<&'a str> {
    element
        .children()
        .find(|child| child.ns() == namespace && child.name() != "text")
        .map(Element::name)
}

#[cfg(test)]
mod tests {
    use super::other_host;

    #[test]
    fn other_hosts_are_read_with_care() {
        let check = |text: &str, want: Option<(&str, Option<u16>)>| {
            let error = format!(
                "<error xmlns='http://etherx.jabber.org/streams'><see-other-host \
                 xmlns='urn:ietf:params:xml:ns:xmpp-streams'>{text}</see-other-host></error>"
            );
            let got = other_host(&error.parse().expect("XML"));
            assert_eq!(got, want.map(|(host, port)| (host.to_owned(), port)), "{text}");
        };
        check("im2.example.com", Some(("im2.example.com", None)));
        check(" im2.example.com:5223 ", Some(("im2.example.com", Some(5223))));
        check("[2001:db8::1]:5222", Some(("2001:db8::1", Some(5222))));
        check("[2001:db8::1]", Some(("2001:db8::1", None)));
        check("2001:db8::1", Some(("2001:db8::1", None)));
        check("host:no", None);
        check("two hosts", None);
        check("", None);
    }
}
