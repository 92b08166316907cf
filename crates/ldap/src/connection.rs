//! One connection: messages out and in, one search at a time, and what may still come of searches
//! that were abandoned.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use offhook_model::Fault;
use offhook_net::end_point;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::ber::{self, Broken, SEQUENCE};
use crate::gssapi::Layer;
use crate::message::{self, LARGEST, Response};

/// Bytes read at once.
const PIECE: usize = 16 * 1024;
/// Searches whose late answers are still told apart; a connection with more is given up.
const ABANDONED: usize = 64;

/// In clear or not.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub(crate) struct Connection {
    wire: Wire,
    /// What protects it beside TLS.
    layer: Option<Layer>,
    /// What came and was not read yet.
    buffer: Vec<u8>,
    last_id: u32,
    /// Searches that the server may still answer.
    abandoned: Vec<u32>,
    /// Part of a message went out or something odd came: not to be used again.
    spoilt: bool,
    /// It was silent for too long to be kept.
    given_up: bool,
    /// The search that is under way.
    pub(crate) searching: Option<u32>,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<String>,
}

impl Connection {
    pub(crate) fn new(wire: Wire, peer: SocketAddr, tls: Option<String>) -> Self {
        Self {
            wire,
            layer: None,
            buffer: vec![],
            last_id: 0,
            abandoned: vec![],
            spoilt: false,
            given_up: false,
            searching: None,
            peer,
            tls,
        }
    }

    /// The stream itself, for TLS to begin on it.
    ///
    /// # Errors
    /// Something came in clear that would count as if it had come under TLS.
    pub(crate) fn into_plain(self) -> Result<TcpStream, Fault> {
        match self.wire {
            Wire::Plain(stream) if self.buffer.is_empty() => Ok(stream),
            Wire::Plain(_) | Wire::Tls(_) => Err(nonsense("silence before TLS")),
        }
    }

    /// What a sign-in is bound to, so that nobody between can pass it on (RFC 5929 section 4).
    pub(crate) fn binding(&self) -> Option<Vec<u8>> {
        let Wire::Tls(stream) = &self.wire else { return None };
        let certificates = stream.get_ref().1.peer_certificates()?;
        certificates.first().map(|certificate| end_point(certificate))
    }

    /// From now on everything is protected so.
    ///
    /// # Errors
    /// Something came before that would count as if it were.
    pub(crate) fn protect(&mut self, layer: Layer) -> Result<(), Fault> {
        if !self.buffer.is_empty() {
            return Err(self.spoil("silence before what is protected"));
        }
        self.layer = Some(layer);
        Ok(())
    }

    /// The number of the next message.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    /// Sends a message. When this is dropped half-way, the connection is spoilt.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.spoilt = true;
        let frames;
        let bytes = match &mut self.layer {
            Some(layer) => {
                frames = layer.frames(bytes).map_err(|Broken(what)| nonsense(what))?;
                &frames
            }
            None => bytes,
        };
        let sent = match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(bytes).await,
            Wire::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                Err(error) => Err(error),
            },
        };
        sent.map_err(|error| fault(&error))?;
        self.spoilt = false;
        Ok(())
    }

    /// The next message that belongs to `id`. Dropping this loses nothing of what came.
    pub(crate) async fn receive(&mut self, id: u32, value_limit: usize) -> Result<Response, Fault> {
        loop {
            if let Some(whole) = self.whole_message()? {
                let bytes: Vec<u8> = self.buffer.drain(..whole).collect();
                let read = message::read(&bytes, value_limit);
                let (from, response) = read.map_err(|Broken(what)| self.spoil(what))?;
                if let Some(response) = self.sort(id, from, response)? {
                    return Ok(response);
                }
                continue;
            }
            self.more().await?;
        }
    }

    /// Whose message it is: the one wanted, a late one, or nonsense.
    fn sort(&mut self, id: u32, from: u32, response: Response) -> Result<Option<Response>, Fault> {
        match (from, response) {
            // The server takes its leave (RFC 4511 section 4.4.1).
            (0, _) => {
                self.spoilt = true;
                Err(Fault::Closed)
            }
            (_, Response::Other) => Ok(None),
            (from, response) if from == id => Ok(Some(response)),
            (from, response) if self.abandoned.contains(&from) => {
                if matches!(response, Response::Done(..)) {
                    self.abandoned.retain(|one| *one != from);
                }
                Ok(None)
            }
            _ => Err(self.spoil("the id of a question of ours")),
        }
    }

    /// Length of the message at the front, if it is all there. Its length is looked at before any
    /// room is made for it.
    fn whole_message(&mut self) -> Result<Option<usize>, Fault> {
        let head = ber::head(&self.buffer).map_err(|Broken(what)| self.spoil(what))?;
        let Some((tag, head, length)) = head else { return Ok(None) };
        if tag != SEQUENCE {
            return Err(self.spoil("a message"));
        }
        let whole = head.saturating_add(length);
        if whole > LARGEST {
            self.spoilt = true;
            return Err(Fault::TooLarge(LARGEST as u64));
        }
        Ok((self.buffer.len() >= whole).then_some(whole))
    }

    async fn more(&mut self) -> Result<(), Fault> {
        let into = self.layer.as_mut().map_or(&mut self.buffer, Layer::raw);
        into.reserve(PIECE);
        let read = match &mut self.wire {
            Wire::Plain(stream) => stream.read_buf(into).await,
            Wire::Tls(stream) => stream.read_buf(into).await,
        };
        match read {
            Ok(0) => {
                self.spoilt = true;
                Err(Fault::Closed)
            }
            Ok(_) => match &mut self.layer {
                Some(layer) => {
                    let opened = layer.open(&mut self.buffer);
                    opened.map_err(|Broken(what)| self.spoil(what))
                }
                None => Ok(()),
            },
            Err(error) => {
                self.spoilt = true;
                Err(fault(&error))
            }
        }
    }

    fn spoil(&mut self, what: &'static str) -> Fault {
        self.spoilt = true;
        nonsense(what)
    }

    /// Whether the server has said nothing since and is still there. Looks without waiting.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        let mut room = ReadBuf::new(&mut byte);
        let mut context = Context::from_waker(Waker::noop());
        let read = match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_read(&mut context, &mut room),
            Wire::Tls(stream) => Pin::new(stream).poll_read(&mut context, &mut room),
        };
        match read {
            Poll::Pending => true,
            // A late answer to what was abandoned is no reason to give it up.
            Poll::Ready(Ok(())) if !room.filled().is_empty() && !self.abandoned.is_empty() => {
                let into = self.layer.as_mut().map_or(&mut self.buffer, Layer::raw);
                into.extend_from_slice(room.filled());
                true
            }
            Poll::Ready(_) => false,
        }
    }

    /// It has not answered in time: perhaps it is slow, perhaps nobody is there any more. The next
    /// search finds out with a connection of its own.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Makes it fit to be kept: a search under way is abandoned, without waiting. False when it
    /// must be closed instead, which tells the server as much.
    pub(crate) fn settle(&mut self) -> bool {
        if let Some(search) = self.searching.take() {
            let id = self.next_id();
            let told = !self.spoilt && self.send_now(&message::abandon(id, search));
            if !told || self.abandoned.len() >= ABANDONED {
                return false;
            }
            self.abandoned.push(search);
        }
        // One large message is no reason to keep so much room.
        self.buffer.shrink_to(PIECE);
        if let Some(layer) = &mut self.layer {
            layer.raw().shrink_to(PIECE);
        }
        !self.spoilt && !self.given_up
    }

    /// Says goodbye, if that can be done at once.
    pub(crate) fn close(mut self) {
        if !self.spoilt {
            let id = self.next_id();
            self.send_now(&message::unbind(id));
        }
    }

    /// Sends a short message if there is room for all of it now.
    fn send_now(&mut self, bytes: &[u8]) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let frames;
        let bytes = match &mut self.layer {
            Some(layer) => {
                let Ok(made) = layer.frames(bytes) else { return false };
                frames = made;
                &frames
            }
            None => bytes,
        };
        match &mut self.wire {
            Wire::Plain(stream) => write_now(Pin::new(stream), bytes, &mut context),
            Wire::Tls(stream) => write_now(Pin::new(stream.as_mut()), bytes, &mut context),
        }
    }
}

fn write_now<S: AsyncWrite>(mut stream: Pin<&mut S>, bytes: &[u8], on: &mut Context<'_>) -> bool {
    let written = stream.as_mut().poll_write(on, bytes);
    let whole = matches!(written, Poll::Ready(Ok(count)) if count == bytes.len());
    whole && matches!(stream.poll_flush(on), Poll::Ready(Ok(())))
}

fn nonsense(what: &str) -> Fault {
    Fault::Nonsense(format!("{what} (LDAP)"))
}

fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::TimedOut => Fault::AnswerTimeout,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Fault::Unreachable(error.to_string()),
        _ => Fault::Closed,
    }
}
