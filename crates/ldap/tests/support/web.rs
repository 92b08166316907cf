//! A web server that has nothing and writes down what it is asked for.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// It ends with the test.
pub struct Web {
    at: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address").to_string();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heard);
        #[expect(clippy::disallowed_methods, reason = "a peer of the test")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &kept).await;
            }
        });
        Self { at, heard }
    }

    /// Host and port.
    pub fn at(&self) -> String {
        self.at.clone()
    }

    /// The request lines since this was asked last.
    pub fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down the first line of the request, reads the rest, and answers that there is nothing.
async fn answer(mut stream: TcpStream, heard: &Mutex<Vec<String>>) -> Option<()> {
    let (reading, mut writing) = stream.split();
    let mut lines = BufReader::new(reading).lines();
    let first = lines.next_line().await.ok()??;
    while lines.next_line().await.ok()?.is_some_and(|line| !line.is_empty()) {}
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(first);
    let nothing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    writing.write_all(nothing).await.ok()
}
