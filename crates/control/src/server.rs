//! Serves those who connect.

use std::sync::Arc;

use offhook_platform::{Listener, Reader, Writer};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, broadcast::error::RecvError};
use tokio::task::JoinSet;

use crate::host::Host;
use crate::{methods, rpc};

/// How many may be connected at once; further ones wait.
const CONNECTIONS: usize = 64;

/// A longer line is refused and the connection closed.
const LINE: u64 = 1 << 20;

/// Bytes of events that are written at once.
const TOGETHER: usize = 16 << 10;

/// Serves until dropped.
pub async fn serve(listener: Listener, host: impl Host) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((reader, writer)) => {
                let host = host.clone();
                open.spawn(async move {
                    connection(reader, writer, host).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection could not be accepted");
                // Out of file descriptors: those that are open must end first.
                let _ = open.join_next().await;
            }
        }
        while open.try_join_next().is_some() {}
    }
}

async fn connection(reader: Reader, mut writer: Writer, host: impl Host) {
    let mut notices = host.notices();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        let mut bounded = (&mut reader).take(LINE - line.len() as u64);
        tokio::select! {
            read = bounded.read_until(b'\n', &mut line) => match read {
                Ok(n) if n > 0 && line.ends_with(b"\n") => {
                    let request = std::mem::take(&mut line);
                    if !answered(&mut writer, &host, &request).await {
                        return;
                    }
                }
                // The other side is gone, or wrote a line without end.
                Ok(_) | Err(_) => return,
            },
            notice = notices.recv() => match notice {
                Ok(notice) => {
                    let mut told = rpc::notification(&notice);
                    // What waits already goes with it: a call brings several at once.
                    while told.len() < TOGETHER && let Ok(next) = notices.try_recv() {
                        told.extend(rpc::notification(&next));
                    }
                    if writer.write_all(&told).await.is_err() {
                        return;
                    }
                }
                // A watcher that is too slow misses events; the next ones still come.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// False when nobody reads any more.
async fn answered(writer: &mut Writer, host: &impl Host, line: &[u8]) -> bool {
    if line.iter().all(u8::is_ascii_whitespace) {
        return true;
    }
    let answer = match rpc::read(line) {
        Err(error) => rpc::answer(&Value::Null, Err(error)),
        Ok(request) => {
            let result = methods::call(host, &request.method, request.params).await;
            match request.id {
                Some(id) => rpc::answer(&id, result),
                None => return true,
            }
        }
    };
    writer.write_all(&answer).await.is_ok()
}
