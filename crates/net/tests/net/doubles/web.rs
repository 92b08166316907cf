//! Stream servers that say what they are told, in clear or under TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A stream to a client.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Runs `serve` for each client, one after the other, until the test process ends.
pub fn server(
    tls: Option<Arc<ServerConfig>>,
    mut serve: impl FnMut(&mut dyn Stream) + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let at = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            match &tls {
                None => serve(&mut { stream }),
                Some(config) => serve(&mut under_tls(stream, config.clone())),
            }
        }
    });
    at
}

fn under_tls(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config).expect("config"), stream)
}

/// Reads a request: its head, and its body by `Content-Length`.
pub fn request(stream: &mut dyn Stream) -> String {
    let mut text = vec![];
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => text.push(byte[0]),
            Ok(_) | Err(_) => return String::from_utf8_lossy(&text).into_owned(),
        }
    }
    let head = String::from_utf8_lossy(&text).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("body");
    text.extend(body);
    String::from_utf8_lossy(&text).into_owned()
}

/// A web server that gives the answers in turn (the last one for ever) and keeps the requests.
pub struct Web {
    pub at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub fn new(tls: Option<Arc<ServerConfig>>, answers: &[&str]) -> Self {
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let heard = Arc::new(Mutex::new(vec![]));
        let keep = heard.clone();
        let mut turn = 0;
        let at = server(tls, move |stream| {
            keep.lock().expect("heard").push(request(stream));
            let answer = &answers[turn.min(answers.len() - 1)];
            turn += 1;
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
        });
        Self { at, heard }
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("heard").clone()
    }
}
