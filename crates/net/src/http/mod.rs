//! HTTP/1.1 over our own connections, so that names, trust and faults are the same as everywhere.
//!
//! Each request has a connection of its own: the services are asked rarely and at many hosts, and
//! nothing then waits for, or is surprised by, the end of an idle connection. Redirects are
//! answers. A request that may go through the system's proxy has one or several ways; the others
//! have the direct one.

mod cookies;
mod exchange;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::http::uri::{Scheme, Uri};
use offhook_model::{Endpoint, Fault, Link, Service};
use offhook_ports::{BoxFuture, Http, HttpFailure, HttpRequest, HttpResponse, Method};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::proxy::{self, Way};
use crate::{Net, Refused, Wanted};

pub(crate) use cookies::Jar;
pub(crate) use cookies::fuzz as fuzz_cookie;

/// Bound on name and connection, within the request's own: three SYN packets have been sent by
/// then, and there is time left to ask the next server.
const CONNECT: Duration = Duration::from_secs(5);

/// Who is asked, and for what.
struct Place {
    secure: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// As it stands in the `Host` header.
    authority: String,
    /// Path and query.
    path: String,
}

impl Place {
    fn parse(url: &str) -> Result<Self, Fault> {
        let bad = || Fault::Nonsense("the address is no http or https URL".to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) | None => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?;
        let shown = authority.host();
        let host = shown.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            secure,
            host: host.unwrap_or(shown).to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: match authority.port() {
                Some(port) => format!("{shown}:{port}"),
                None => shown.to_owned(),
            },
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
        })
    }

    /// The whole address, as a proxy wants it.
    fn whole(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.path)
    }

    /// The address as a proxy's script may see it: of one under TLS not what is asked there.
    fn shown(&self) -> String {
        if self.secure { format!("https://{}/", self.authority) } else { self.whole() }
    }

    /// The place as people know it, for the question about its certificate. A request does not
    /// say which service it is for, so this goes by its other signs.
    fn endpoint(&self, request: &HttpRequest) -> Endpoint {
        let service = if !request.also_named.is_empty() {
            Service::Edge
        } else if matches!(request.method, Method::Propfind | Method::Report) {
            Service::Directory
        } else if request.proxied {
            Service::Cloud
        } else if matches!(self.port, 6970 | 6972) {
            Service::ClientConfig
        } else {
            Service::Uds
        };
        let link = if self.secure { Link::Tls } else { Link::Tcp };
        Endpoint { service, host: self.host.clone(), port: self.port, link }
    }
}

/// A byte stream, in clear or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection with what is worth telling of it.
struct Reached {
    stream: Box<dyn Stream>,
    peer: Option<SocketAddr>,
    tls: Option<String>,
}

/// A connection under TLS for a message whose body is a stream.
pub(crate) struct Opened {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) at: Endpoint,
    /// As it stands in the `Host` header.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

/// A request on its way, which may be made by several ways.
struct Call<'a> {
    place: &'a Place,
    wanted: Wanted<'a>,
    message: Request<Full<Bytes>>,
    /// Bound on the whole exchange.
    whole: Duration,
    limit: usize,
}

impl Net {
    pub(crate) async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let place = Place::parse(&request.url)?;
        let at = place.endpoint(&request);
        let also = request.also_named.clone();
        let wanted = Wanted { also: &also, alpn: &[b"http/1.1"], ..Wanted::host(&at) };
        let (whole, limit, proxied) = (request.timeout, request.limit, request.proxied);
        let mut deadline = Instant::now() + whole;
        let message = self.message(request, &place)?;
        let call = Call { place: &place, wanted, message, whole, limit };
        let (ways, mut failed) = if proxied {
            self.ways(place.secure, &place.host, place.port, &place.shown()).await
        } else {
            (vec![Way::Direct], None)
        };
        for way in &ways {
            match self.by(&call, way, &mut deadline).await {
                Ok(answer) => return Ok(answer),
                // The proxy is the cause of what follows from it.
                Err(fault) => failed = failed.filter(proxy::is_at_fault).or(Some(fault)),
            }
        }
        Err(failed.unwrap_or(Fault::AnswerTimeout))
    }

    /// Opens a connection to the host of an `https` address, with the trust and the ways of every
    /// request; a person may be asked about its certificate.
    ///
    /// # Errors
    /// Where, if the address is one, and why not.
    pub(crate) async fn open_https(&self, url: &str) -> Result<Opened, (Option<Endpoint>, Fault)> {
        let place = Place::parse(url).map_err(|fault| (None, fault))?;
        if !place.secure {
            return Err((None, Fault::Nonsense("the address is not https".to_owned())));
        }
        let (host, port) = (place.host.clone(), place.port);
        let at = Endpoint { service: Service::Xmpp, host, port, link: Link::Tls };
        let wanted = Wanted { alpn: &[b"http/1.1"], ..Wanted::host(&at) };
        let (ways, mut failed) = self.ways(true, &place.host, place.port, &place.shown()).await;
        for way in &ways {
            match self.open_by(&wanted, way).await {
                Ok(Reached { stream, .. }) => {
                    let Place { authority, path, .. } = place;
                    return Ok(Opened { stream, at, authority, path });
                }
                Err(fault) => failed = failed.filter(proxy::is_at_fault).or(Some(fault)),
            }
        }
        Err((Some(at), failed.unwrap_or(Fault::ConnectTimeout)))
    }

    async fn open_by(&self, wanted: &Wanted<'_>, way: &Way) -> Result<Reached, Fault> {
        let deadline = || Instant::now() + CONNECT * 3;
        match self.dial(wanted, way, deadline()).await {
            Ok(reached) => Ok(reached),
            Err(refused) => {
                self.overrule(wanted, refused).await?;
                Ok(self.dial(wanted, way, deadline()).await?)
            }
        }
    }

    /// One way. The deadline moves when a person is asked about a certificate.
    async fn by(
        &self,
        call: &Call<'_>,
        way: &Way,
        deadline: &mut Instant,
    ) -> Result<HttpResponse, Fault> {
        let Reached { stream, peer, tls } = match self.dial(&call.wanted, way, *deadline).await {
            Ok(reached) => reached,
            Err(refused) => {
                self.overrule(&call.wanted, refused).await?;
                // A person took their time; the request has all of its own again.
                *deadline = Instant::now() + call.whole;
                self.dial(&call.wanted, way, *deadline).await?
            }
        };
        let mut message = call.message.clone();
        let in_clear_by_proxy = !call.place.secure && *way != Way::Direct;
        if in_clear_by_proxy {
            // RFC 9112 section 3.2.2: a proxy is told the whole address.
            *message.uri_mut() = call.place.whole().parse().map_err(|_| unsendable("path"))?;
        }
        let asked = timeout_at(*deadline, exchange::ask(stream, message, call.limit)).await;
        let (status, headers, body) = asked.unwrap_or(Err(Fault::AnswerTimeout))?;
        if in_clear_by_proxy && status == 407 {
            return Err(proxy::wants_password());
        }
        for (_, value) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.cookies.take(&call.place.host, &call.place.path, value);
        }
        Ok(HttpResponse { status, headers, body, peer, tls })
    }

    async fn dial(
        &self,
        wanted: &Wanted<'_>,
        way: &Way,
        deadline: Instant,
    ) -> Result<Reached, Refused> {
        let at = wanted.at;
        let left = || deadline.saturating_duration_since(Instant::now());
        let (host, port) = match way {
            Way::Direct => (&at.host, at.port),
            Way::Proxy(server) => (&server.host, server.port),
        };
        let connected = self.connect_tcp(host, port, left().min(CONNECT)).await;
        let mut stream = match way {
            Way::Direct => connected?,
            Way::Proxy(_) => connected.map_err(|_| proxy::unreachable_proxy(host, port))?,
        };
        let peer = stream.peer_addr().ok();
        if at.link != Link::Tls {
            return Ok(Reached { stream: Box::new(stream), peer, tls: None });
        }
        if *way != Way::Direct {
            let opened = timeout_at(deadline, proxy::tunnel(&mut stream, &at.host, at.port)).await;
            opened.unwrap_or_else(|_| Err(proxy::silent_proxy()))?;
        }
        let (stream, words) = self.tls(stream, wanted, left()).await?;
        Ok(Reached { stream: Box::new(stream), peer, tls: Some(words) })
    }

    fn message(&self, request: HttpRequest, place: &Place) -> Result<Request<Full<Bytes>>, Fault> {
        let method = match request.method {
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
            Method::Put => hyper::Method::PUT,
            Method::Delete => hyper::Method::DELETE,
            Method::Propfind => webdav(b"PROPFIND")?,
            Method::Report => webdav(b"REPORT")?,
        };
        let mut message = Request::new(Full::new(Bytes::from(request.body)));
        *message.method_mut() = method;
        *message.uri_mut() = place.path.parse().map_err(|_| unsendable("path"))?;
        let headers = message.headers_mut();
        headers.insert(HOST, value(&place.authority, "host")?);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let agent = concat!("offhook/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        for (name, text) in &request.headers {
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable(name))?;
            headers.append(key, value(text, name)?);
        }
        if let Some((user, password)) = &request.basic {
            let plain = format!("{user}:{}", password.expose());
            headers.insert(AUTHORIZATION, secret(&format!("Basic {}", STANDARD.encode(plain)))?);
        }
        let kept = self.cookies.give(&place.host, &place.path, place.secure);
        let cookies: Vec<&str> =
            request.cookie.iter().chain(&kept).map(|text| text.expose().as_str()).collect();
        if !cookies.is_empty() {
            headers.insert(COOKIE, secret(&cookies.join("; "))?);
        }
        Ok(message)
    }
}

/// A method that HTTP itself does not know.
fn webdav(name: &[u8]) -> Result<hyper::Method, Fault> {
    hyper::Method::from_bytes(name).map_err(|_| unsendable("method"))
}

fn unsendable(what: &str) -> Fault {
    Fault::Nonsense(format!("the {what} of the request cannot be sent"))
}

fn value(text: &str, name: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| unsendable(name))
}

/// A value that the HTTP library shows in no debug output.
fn secret(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = value(text, "credentials")?;
    value.set_sensitive(true);
    Ok(value)
}

impl Http for Net {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(self.exchange(request))
    }

    fn forget(&self) {
        self.cookies.clear();
    }
}
