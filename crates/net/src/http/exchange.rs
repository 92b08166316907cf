//! One request and its whole answer on one connection.

use std::error::Error;
use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use offhook_model::Fault;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::errors;

/// Bound on status line and headers in bytes. Kerberos tickets in headers reach 48 KiB.
const HEAD: usize = 64 * 1024;

/// Status, headers and body.
pub(super) type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// Sends `message` and reads the answer, at most `limit` bytes of body.
pub(super) async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    message: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answer, Fault> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| of_hyper(&error))?;
    let exchange = async {
        let response = sender.send_request(message).await.map_err(|error| of_hyper(&error))?;
        whole(response, limit).await
    };
    tokio::pin!(exchange, connection);
    // The connection moves only while it is polled; what it had read is there when it has ended.
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        ended = &mut connection => match (exchange.await, ended) {
            (Err(Fault::Closed), Err(error)) => Err(of_hyper(&error)),
            (answer, _) => answer,
        },
    }
}

async fn whole(response: Response<Incoming>, limit: usize) -> Result<Answer, Fault> {
    let too_large = Fault::TooLarge(limit as u64);
    let (head, mut incoming) = response.into_parts();
    if incoming.size_hint().lower() > limit as u64 {
        return Err(too_large);
    }
    let mut body = vec![];
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| of_hyper(&error))?;
        // Trailers are not used by anything we talk to.
        let Ok(data) = frame.into_data() else { continue };
        if body.len() + data.len() > limit {
            return Err(too_large);
        }
        body.extend_from_slice(&data);
    }
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    Ok((head.status.as_u16(), headers, body))
}

fn of_hyper(error: &hyper::Error) -> Fault {
    if let Some(fault) = errors::tls_in(error) {
        return Fault::Tls(fault);
    }
    if error.is_parse() {
        let what = "it does not start with an HTTP header of reasonable size";
        return Fault::Nonsense(what.to_owned());
    }
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(error) => errors::open(error),
        None => Fault::Closed,
    }
}
