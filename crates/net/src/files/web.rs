//! Files over HTTPS (XEP-0363): up as a stream, down as a stream, with the trust and the ways of
//! every other request.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT_RANGES, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderMap,
    HeaderName, HeaderValue, LOCATION, RANGE, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use offhook_model::{Endpoint, Fault, Secret};

use super::disk::{self, Reading, Writing};
use super::{CHUNK, Meter};
use crate::Net;
use crate::http::Opened;

/// Bound on the head of an answer.
const HEAD: usize = 64 * 1024;

/// How many redirects are followed; each has to lead to `https`.
const REDIRECTS: usize = 3;

/// Bound on a question for a size.
const PATIENCE: Duration = Duration::from_secs(15);

/// Shown when nothing moved for a minute.
pub(super) const STALLED: &str =
    "Nothing of the file has moved for a minute. Try again when the network is better.";

type Body = BoxBody<Bytes, io::Error>;

/// A file to be uploaded.
pub(super) struct Put {
    pub(super) url: String,
    pub(super) headers: Vec<(String, Secret<String>)>,
    pub(super) media_type: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
}

/// A file to be fetched.
pub(super) struct Fetch {
    pub(super) url: String,
    pub(super) limit: u64,
    /// What an earlier attempt left is in it.
    pub(super) into: Writing,
}

/// What was fetched, whole or not.
pub(super) struct Fetched {
    pub(super) outcome: Result<(), String>,
    pub(super) into: Option<Writing>,
}

/// Uploads a file.
///
/// # Errors
/// What happened and what to do.
pub(super) async fn put(net: &Net, put: Put, meter: &Meter) -> Result<(), String> {
    let reading = Reading::open(&put.path, put.size).await;
    let reading = reading.map_err(|error| disk::words(&error, true))?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(put.size));
    if let Ok(kind) = HeaderValue::from_str(&put.media_type) {
        headers.insert(CONTENT_TYPE, kind);
    }
    for (name, text) in &put.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(mut text)) = (name, HeaderValue::from_str(text.expose())) {
            text.set_sensitive(true);
            headers.insert(name, text);
        }
    }
    let counted = meter.clone();
    let body = stream::unfold((reading, false), move |(mut reading, over)| {
        let counted = counted.clone();
        async move {
            if over {
                return None;
            }
            match reading.next(CHUNK).await {
                Ok(bytes) if bytes.is_empty() => None,
                Ok(bytes) => {
                    counted.add(bytes.len());
                    Some((Ok(Frame::data(Bytes::from(bytes))), (reading, false)))
                }
                Err(error) => Some((Err(error), (reading, true))),
            }
        }
    });
    let body = BodyExt::boxed(StreamBody::new(SyncStream::new(body)));
    let answer = ask(net, Method::PUT, &put.url, headers, body, async |answer| {
        Ok::<_, String>(answer.status())
    });
    let status = answer.await??;
    if status.is_success() { Ok(()) } else { Err(refused(status, true)) }
}

/// The size of the file at a link, if the server tells within a few seconds.
pub(super) async fn head(net: &Net, url: &str) -> Option<u64> {
    let answer = ask(net, Method::HEAD, url, HeaderMap::new(), nothing(), async |answer| {
        let size = answer.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        size.filter(|_| answer.status().is_success())
    });
    tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()?
}

/// Fetches a file, from where an earlier attempt stopped if the server can.
pub(super) async fn get(net: &Net, fetch: Fetch, meter: &Meter) -> Fetched {
    let Fetch { mut url, limit, mut into } = fetch;
    for _ in 0..=REDIRECTS {
        let mut headers = HeaderMap::new();
        if into.size > 0 {
            let range = HeaderValue::from_str(&format!("bytes={}-", into.size));
            headers.extend(range.ok().map(|range| (RANGE, range)));
        }
        let file = &mut into;
        let answer = ask(net, Method::GET, &url, headers, nothing(), async |answer| {
            if answer.status().is_redirection() {
                let to = answer.headers().get(LOCATION).and_then(|it| it.to_str().ok());
                let to = to.filter(|to| to.starts_with("https://")).map(str::to_owned);
                return to.map(Some).ok_or_else(|| refused(answer.status(), false));
            }
            take(answer, file, limit, meter).await.map(|()| None)
        });
        match answer.await {
            Ok(Ok(Some(next))) => url = next,
            Ok(Ok(None)) => return Fetched { outcome: Ok(()), into: Some(into) },
            Ok(Err(why)) | Err(why) => return Fetched { outcome: Err(why), into: Some(into) },
        }
    }
    let outcome = Err("The server sends from one address to the next without an end. Tell the sender or your administrator.".to_owned());
    Fetched { outcome, into: Some(into) }
}

async fn take(
    answer: Response<Incoming>,
    file: &mut Writing,
    limit: u64,
    meter: &Meter,
) -> Result<(), String> {
    let disk = |error: io::Error| disk::words(&error, false);
    match answer.status() {
        StatusCode::OK => {
            // The server begins anew, asked or not.
            file.rewind().await.map_err(disk)?;
            meter.set(0);
        }
        StatusCode::PARTIAL_CONTENT if continues(answer.headers(), file.size) => {}
        StatusCode::RANGE_NOT_SATISFIABLE if file.size > 0 => {
            file.rewind().await.map_err(disk)?;
            return Err("The file changed at the server since the last attempt. Try again.".into());
        }
        status => return Err(refused(status, false)),
    }
    let told = answer.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    let told: Option<u64> = told.and_then(|it| it.parse().ok());
    if told.is_some_and(|told| file.size.saturating_add(told) > limit) {
        return Err(too_large(limit));
    }
    tracing::debug!(ranges = answer.headers().contains_key(ACCEPT_RANGES), "a file comes");
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| broken())?;
        let Ok(data) = frame.into_data() else { continue };
        if file.size + data.len() as u64 > limit {
            return Err(too_large(limit));
        }
        file.write(&data).await.map_err(disk)?;
        meter.add(data.len());
    }
    file.finish().await.map_err(disk)
}

/// Whether a partial answer begins where we stopped (RFC 9110 section 14.4).
fn continues(headers: &HeaderMap, from: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|it| it.to_str().ok());
    let first = range.and_then(|it| it.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    first == Some(from)
}

/// One request on a connection of its own; `read` has the answer while the connection stands.
async fn ask<T>(
    net: &Net,
    method: Method,
    url: &str,
    headers: HeaderMap,
    body: Body,
    read: impl AsyncFnOnce(Response<Incoming>) -> T,
) -> Result<T, String> {
    let Opened { stream, at, authority, path } =
        net.open_https(url).await.map_err(|(at, fault)| words(at.as_ref(), &fault))?;
    let mut message = Request::new(body);
    *message.method_mut() = method;
    *message.uri_mut() = path.parse().map_err(|_| bad_link())?;
    *message.headers_mut() = headers;
    let own = message.headers_mut();
    own.insert(HOST, HeaderValue::from_str(&authority).map_err(|_| bad_link())?);
    own.insert(CONNECTION, HeaderValue::from_static("close"));
    let agent = concat!("offhook/", env!("CARGO_PKG_VERSION"));
    own.insert(USER_AGENT, HeaderValue::from_static(agent));
    let lost = |_: hyper::Error| words(Some(&at), &Fault::Closed);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(lost)?;
    let exchange = async {
        let answer = sender.send_request(message).await.map_err(lost)?;
        Ok(read(answer).await)
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        biased;
        outcome = &mut exchange => outcome,
        _ = &mut connection => exchange.await,
    }
}

fn nothing() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

fn words(at: Option<&Endpoint>, fault: &Fault) -> String {
    match at {
        Some(at) => {
            let problem = fault.problem(at);
            format!("{} {}", problem.cause, problem.remedy)
        }
        None => bad_link(),
    }
}

fn bad_link() -> String {
    "The link of the file is no https address. Ask the sender to send it again.".to_owned()
}

fn broken() -> String {
    "The connection to the file server broke off. Try again; what is here already is kept."
        .to_owned()
}

fn too_large(limit: u64) -> String {
    format!(
        "The file is larger than {} MB, which is more than is taken. Ask the sender for a smaller one.",
        limit / 1_000_000
    )
}

fn refused(status: StatusCode, upload: bool) -> String {
    let code = status.as_u16();
    match (code, upload) {
        (404 | 410, false) => {
            "The file is not at the server any more. Ask the sender to send it again.".to_owned()
        }
        (401 | 403, false) => {
            "The file server does not hand the file out. Ask the sender to send it again."
                .to_owned()
        }
        (413, true) => "The file is larger than the server takes. Send a smaller one.".to_owned(),
        (507, true) => {
            "The server has no room for the file. Try later, or tell your administrator.".to_owned()
        }
        (_, true) => format!(
            "The file server did not take the file (HTTP {code}). Try again, or tell your administrator."
        ),
        (_, false) => {
            format!("The file server did not hand the file out (HTTP {code}). Try again later.")
        }
    }
}

/// A stream that nobody shares, for a body that has to say so.
struct SyncStream<S>(std::sync::Mutex<std::pin::Pin<Box<S>>>);

impl<S> SyncStream<S> {
    fn new(stream: S) -> Self {
        Self(std::sync::Mutex::new(Box::pin(stream)))
    }
}

impl<S: stream::Stream> stream::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let inner = self.get_mut().0.get_mut();
        inner.unwrap_or_else(std::sync::PoisonError::into_inner).as_mut().poll_next(cx)
    }
}
