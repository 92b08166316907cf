//! The way that requests outside a dialog take when the server connected to is not the registrar:
//! through an edge (reference edge.md section 4, RFC 3261 section 8.1.1.1, RFC 3327, RFC 3608).

use offhook_model::Link;

use super::UserAgent;
use crate::message::{Address, Uri};

impl UserAgent {
    /// Somebody stands between us and the registrar who may want to be on the way of requests to
    /// us, so REGISTER says that it understands Path (RFC 3327 section 5.1).
    pub(super) fn is_routed(&self) -> bool {
        self.account.registrar.is_some() || !self.account.routes.is_empty()
    }

    /// The way of REGISTER.
    pub(super) fn way_to_registrar(&self) -> Vec<String> {
        self.first_hop().into_iter().chain(self.account.routes.iter().cloned()).collect()
    }

    /// The way of all other requests: once the registrar has told its Service-Route, that takes the
    /// place of what was known before, after the server we talk to (RFC 3608 section 6.1).
    pub(super) fn way(&self) -> Vec<String> {
        let told = &self.registration.routes;
        if told.is_empty() {
            return self.way_to_registrar();
        }
        // A first hop that the registrar names itself needs no second mention.
        let named = told.first().is_some_and(|route| self.is_our_server(route));
        let first = if named { None } else { self.first_hop() };
        first.into_iter().chain(told.iter().cloned()).collect()
    }

    /// The server we talk to, where it only passes requests on.
    fn first_hop(&self) -> Option<String> {
        let server = self.server().filter(|_| self.account.registrar.is_some())?;
        let transport = match server.link {
            Link::Udp => "udp",
            Link::Tcp => "tcp",
            Link::Tls | Link::StartTls => "tls",
        };
        let host = bracketed(&server.host);
        Some(format!("<sip:{host}:{};transport={transport};lr>", server.port))
    }

    fn is_our_server(&self, route: &str) -> bool {
        let Some(server) = self.server() else { return false };
        let address = Address::parse(route);
        let uri = address.as_ref().ok().and_then(|address| Uri::parse(address.uri_text).ok());
        uri.is_some_and(|uri| uri.host.trim_matches(['[', ']']).eq_ignore_ascii_case(&server.host))
    }
}

/// A host as it stands in a URI.
pub(super) fn bracketed(host: &str) -> String {
    let bare = host.contains(':') && !host.starts_with('[');
    if bare { format!("[{host}]") } else { host.to_owned() }
}
