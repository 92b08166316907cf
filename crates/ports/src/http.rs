//! Questions over HTTP and HTTPS.

use std::time::Duration;

use offhook_model::{Fault, Secret};

use crate::BoxFuture;

/// What to do at the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Send.
    Post,
    /// Replace.
    Put,
    /// Remove.
    Delete,
    /// Ask what something is (WebDAV, RFC 4918 section 9.1).
    Propfind,
    /// Ask for a list by a rule (WebDAV, RFC 3253 section 3.6).
    Report,
}

/// One request. It is made once; trying elsewhere is the flow's business.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// What to do.
    pub method: Method,
    /// Absolute URL. May hold a user name, never a password.
    pub url: String,
    /// Header names and values apart from those the adapter sets (`Host`, `Content-Length`…).
    pub headers: Vec<(String, String)>,
    /// HTTP Basic credentials.
    pub basic: Option<(String, Secret<String>)>,
    /// Cookies of the asker's own, `name=value`, sent beside those that the adapter keeps for the
    /// host; the adapter keeps none of these names.
    pub cookie: Option<Secret<String>>,
    /// May go through the system's web proxy. Only requests to the cloud do (reference discovery.md
    /// section 2).
    pub proxied: bool,
    /// Names of which the certificate must hold one besides the URL's host: an edge names its
    /// services domain as well (reference edge.md section 1). Empty: the host alone counts.
    pub also_named: Vec<String>,
    /// Body; it may hold secrets, so it is never logged.
    pub body: Vec<u8>,
    /// Bound on the whole exchange.
    pub timeout: Duration,
    /// Bound on the size of the answer in bytes; one byte more is [`Fault::TooLarge`].
    pub limit: usize,
}

impl HttpRequest {
    /// A GET with the bounds that fit the small XML answers of UC services: 10 s (UDS may fan out
    /// to other clusters, reference uds.md) and 1 MiB.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            url: url.into(),
            headers: vec![],
            basic: None,
            cookie: None,
            proxied: false,
            also_named: vec![],
            body: vec![],
            timeout: Duration::from_secs(10),
            limit: 1 << 20,
        }
    }

    /// A POST with the same bounds.
    pub fn post(url: impl Into<String>, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            method: Method::Post,
            headers: vec![("Content-Type".into(), content_type.into())],
            body,
            ..Self::get(url)
        }
    }

    /// The same request by way of the system's web proxy, if there is one.
    pub fn through_proxy(mut self) -> Self {
        self.proxied = true;
        self
    }

    /// The same request with Basic credentials.
    pub fn with_basic(mut self, username: &str, password: &Secret<String>) -> Self {
        self.basic = Some((username.to_owned(), password.clone()));
        self
    }
}

/// A complete answer, whatever its status. Redirects are not followed by the adapter.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Body, at most the request's limit.
    pub body: Vec<u8>,
    /// Address and port that answered: the proxy's, where one was used.
    pub peer: Option<std::net::SocketAddr>,
    /// TLS version and cipher, or nothing when in clear.
    pub tls: Option<String>,
}

impl HttpResponse {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why no complete answer came. [`Fault::Status`] and [`Fault::BadCredentials`] never come from
/// here: a status is an answer.
pub type HttpFailure = Fault;

/// The web, with cookies kept per host for the life of the sign-in.
pub trait Http: Send + Sync {
    /// Sends one request and waits for the whole answer.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>>;

    /// Forgets all cookies, at sign-out.
    fn forget(&self);
}
