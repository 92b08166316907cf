//! HTTP/1.1 for the laboratory's web services: one request after the other on a connection,
//! bodies by Content-Length only (RFC 9112).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const MAX_HEAD: usize = 32 * 1024;
const MAX_BODY: usize = 1024 * 1024;
const IDLE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they came.
    pub(crate) target: String,
    /// Path with percent-encoding resolved.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The same request for another path.
    pub(crate) fn at(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// Value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.header("cookie")?.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim())
        })
    }

    /// User and password of Basic credentials.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        use base64::Engine as _;
        let (scheme, encoded) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How long the asker waits for it.
    pub(crate) delay: Duration,
}

impl Response {
    pub(crate) fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type", kind.to_owned())];
        Self { status, headers, body: body.into(), delay: Duration::ZERO }
    }

    /// A web page.
    pub(crate) fn page(body: &str) -> Self {
        Self::new(200, "text/html;charset=utf-8", body)
    }

    /// What the gateway of a guest network answers to everything until somebody agrees to its
    /// terms.
    pub(crate) fn portal() -> Self {
        let page = "<html><head><title>Guest network</title></head><body>\
                    <a href=\"http://login.guest.example/terms\">Log in</a></body></html>";
        Self::new(302, "text/html", page).with("Location", "http://login.guest.example/terms")
    }

    /// 200 with an XML body.
    pub(crate) fn xml(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/xml;charset=UTF-8", body)
    }

    /// An error with a web page as body, as the servlet container sends it.
    pub(crate) fn html(status: u16) -> Self {
        let reason = reason(status);
        let page = format!(
            "<html><head><title>Apache Tomcat - Error report</title></head><body>\
             <h1>HTTP Status {status} - {reason}</h1><hr noshade>\
             <p><b>type</b> Status report</p></body></html>"
        );
        Self::new(status, "text/html;charset=utf-8", page)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn to_bytes(&self, head_only: bool, close: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        head.push_str("Server: \r\n");
        head.push_str(if close { "Connection: close\r\n\r\n" } else { "\r\n" });
        let mut out = head.into_bytes();
        if !head_only {
            out.extend(&self.body);
        }
        out
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        413 => "Content Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            (other, _) => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads `key=value` pairs as forms and queries write them.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key, true), decode(value, true))
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// Reads request line and headers (without the empty line that ends them).
pub(crate) fn parse_head(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target, version) = (first.next()?, first.next()?, first.next()?);
    if first.next().is_some() || !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return None;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = pairs(query);
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect::<Option<_>>()?;
    Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        path: decode(path, false),
        query,
        headers,
        body: Vec::new(),
    })
}

/// What answers requests.
pub(crate) type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// Serves HTTP, over TLS when there is a set-up for it, until dropped.
pub(crate) async fn run(listener: TcpListener, tls: Option<Arc<ServerConfig>>, handler: Handler) {
    let acceptor = tls.map(TlsAcceptor::from);
    crate::net::serve(listener, move |stream, _| {
        let (acceptor, handler) = (acceptor.clone(), Arc::clone(&handler));
        async move {
            let Some(acceptor) = acceptor else { return converse(stream, &handler).await };
            match tokio::time::timeout(IDLE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => converse(stream, &handler).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        }
    })
    .await;
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, handler: &Handler) {
    let mut buffer = Vec::new();
    loop {
        let step = tokio::time::timeout(IDLE, read_request(&mut stream, &mut buffer)).await;
        let (reply, head_only, close) = match step {
            Err(_) | Ok(Ok(None)) | Ok(Err(ReadFault::Gone)) => break,
            Ok(Err(ReadFault::Status(status))) => (Response::html(status), false, true),
            Ok(Ok(Some(request))) => {
                let close = request
                    .header("connection")
                    .is_some_and(|value| value.eq_ignore_ascii_case("close"));
                tracing::debug!(method = request.method, path = request.path, "request");
                (handler(&request), request.method == "HEAD", close)
            }
        };
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        let bytes = reply.to_bytes(head_only, close);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() || close {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

enum ReadFault {
    Gone,
    Status(u16),
}

async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> Result<Option<Request>, ReadFault> {
    let mut chunk = [0; 4096];
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > MAX_HEAD {
            return Err(ReadFault::Status(400));
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(length) => buffer.extend(&chunk[..length]),
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut request = parse_head(&head).ok_or(ReadFault::Status(400))?;
    let length = match request.header("content-length") {
        None => 0,
        Some(value) => value.parse::<usize>().map_err(|_| ReadFault::Status(400))?,
    };
    if length > MAX_BODY || request.header("transfer-encoding").is_some() {
        return Err(ReadFault::Status(413));
    }
    let total = head_end + 4 + length;
    while buffer.len() < total {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return Err(ReadFault::Gone),
            Ok(length) => buffer.extend(&chunk[..length]),
        }
    }
    request.body = buffer[head_end + 4..total].to_vec();
    buffer.drain(..total);
    Ok(Some(request))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A GET as a handler sees it.
    pub(crate) fn get(target: &str, headers: &str) -> Request {
        let sep = if headers.is_empty() { "" } else { "\r\n" };
        parse_head(&format!("GET {target} HTTP/1.1\r\nHost: x{sep}{headers}")).unwrap()
    }

    #[test]
    fn path_query_cookie_and_credentials_are_read() {
        let request = get(
            "/a%20b?email=x%40y&z=1+2",
            "Cookie: A=1; JSESSIONIDSSO=abc\r\nAuthorization: Basic YWxpY2U6c2VjcmV0",
        );
        assert_eq!(request.path, "/a b");
        assert_eq!(request.parameter("email"), Some("x@y"));
        assert_eq!(request.parameter("z"), Some("1 2"));
        assert_eq!(request.cookie("JSESSIONIDSSO"), Some("abc"));
        assert_eq!(request.basic(), Some(("alice".into(), "secret".into())));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for head in ["", "GET", "GET / HTTP/2.0", "GET x HTTP/1.1", "GET / HTTP/1.1\r\nnonsense"] {
            assert!(parse_head(head).is_none(), "{head}");
        }
        assert_eq!(decode("%zz%4", false), "%zz%4");
    }
}
