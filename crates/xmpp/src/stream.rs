//! An XMPP stream over a connection, before it carries stanzas both ways at once.

use offhook_model::Fault;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use crate::faults::{self, Miss};
use crate::reader::{Item, Reader};

const CHUNK: usize = 8 * 1024;

/// A connection with its reader.
pub(crate) struct XmlStream<S> {
    pub(crate) io: S,
    pub(crate) reader: Reader,
}

impl<S: AsyncRead + AsyncWrite + Unpin> XmlStream<S> {
    /// A stream to be opened on this connection.
    pub(crate) fn new(io: S) -> Self {
        Self { io, reader: Reader::new() }
    }

    /// The same connection before its next stream.
    pub(crate) fn restarted(self, signed_in: bool) -> Result<Self, Fault> {
        Ok(Self { io: self.io, reader: self.reader.restarted(signed_in)? })
    }

    /// Writes our header, waits for theirs and for the features.
    pub(crate) async fn open(&mut self, to: &str) -> Result<Element, Miss> {
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' to='{}' \
             version='1.0' xml:lang='en'>",
            ns::JABBER_CLIENT,
            ns::STREAM,
            escape(to)
        );
        self.write(header.as_bytes()).await?;
        match self.next().await? {
            Item::Opened => {}
            Item::Element(_) | Item::Closed => return Err(Fault::Closed.into()),
            Item::Refused(_, fault) => return Err(fault.into()),
        }
        let features = self.element().await?;
        if features.is("features", ns::STREAM) {
            Ok(features)
        } else {
            Err(unexpected(&features, "stream features").into())
        }
    }

    /// The next element. A stream error or the end of the stream is a fault.
    pub(crate) async fn element(&mut self) -> Result<Element, Miss> {
        match self.next().await? {
            Item::Element(element) if element.is("error", ns::STREAM) => Err(Miss {
                fault: faults::stream_error(&element),
                elsewhere: faults::other_host(&element),
            }),
            Item::Element(element) => Ok(element),
            Item::Refused(_, fault) => Err(fault.into()),
            Item::Opened | Item::Closed => Err(Fault::Closed.into()),
        }
    }

    async fn next(&mut self) -> Result<Item, Fault> {
        let mut chunk = [0; CHUNK];
        loop {
            if let Some(item) = self.reader.next()? {
                return Ok(item);
            }
            let count = self.io.read(&mut chunk).await.map_err(|e| faults::io(&e))?;
            match chunk.get(..count) {
                Some(bytes) if count > 0 => self.reader.feed(bytes),
                Some(_) | None => return Err(self.reader.ended()),
            }
        }
    }

    /// Writes and flushes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let written = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        written.await.map_err(|error| faults::io(&error))
    }
}

/// What an element out of turn amounts to.
pub(crate) fn unexpected(element: &Element, instead_of: &str) -> Fault {
    let name: String = element.name().chars().take(40).collect();
    Fault::Nonsense(format!("<{name}/> instead of {instead_of}"))
}

/// Text for an attribute in single quotes or for character data.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
