//! Reading a session description into its parts, without judging them.

use std::net::IpAddr;

use super::SdpError;

/// Larger descriptions are refused.
const MAX_BYTES: usize = 64 * 1_024;
/// More streams than this are refused.
const MAX_MEDIA: usize = 64;

/// Which way media flows, as the description's author sees it (RFC 8866 section 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Both ways.
    SendRecv,
    /// Only from the author.
    SendOnly,
    /// Only to the author.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Flow {
    /// From the author's wishes.
    pub fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The author sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The author receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// Name of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|flow| flow.name().eq_ignore_ascii_case(name))
    }
}

/// A `c=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// A literal address.
    Address(IpAddr),
    /// A host name, or something that is neither.
    Name(String),
}

/// Attributes of the session or of one stream, in order: name and value.
type Attributes = Vec<(String, String)>;

/// One `m=` section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `application`…, in lower case.
    pub kind: String,
    /// Port; 0 when rejected or unreadable.
    pub port: u16,
    /// `RTP/AVP`…, as it came.
    pub protocol: String,
    /// Formats, as they came: payload types for RTP.
    pub formats: Vec<String>,
    /// Its own `c=` line.
    pub connection: Option<Connection>,
    /// Its own direction.
    pub flow: Option<Flow>,
    /// All `a=` lines but the direction; names in lower case.
    pub attributes: Attributes,
}

impl Media {
    /// Values of all attributes of this (lower-case) name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A whole description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The `o=` line after `o=`.
    pub origin: String,
    /// `c=` of the session.
    pub connection: Option<Connection>,
    /// Direction of the session.
    pub flow: Option<Flow>,
    /// `a=` lines of the session but the direction; names in lower case.
    pub attributes: Attributes,
    /// Streams in order.
    pub media: Vec<Media>,
    /// What was odd, in words, without its content: lines that are none and were passed over.
    pub oddities: Vec<String>,
}

impl Description {
    /// Reads a description. Line ends may be LF, the order of lines is not insisted on, and lines
    /// that make no sense are passed over and named in `oddities`.
    ///
    /// # Errors
    /// [`SdpError::NotSdp`] unless a line `v=` or `m=` is there, [`SdpError::TooLarge`] beyond
    /// 64 KiB or 64 streams.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        if text.len() > MAX_BYTES {
            return Err(SdpError::TooLarge);
        }
        let mut this = Self::default();
        let mut recognised = false;
        let (mut rest, mut number) = (text, 0);
        while !rest.is_empty() {
            let (line, after) = split(rest, b'\n').unwrap_or((rest, ""));
            (rest, number) = (after, number + 1);
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let parts = split(line, b'=').map(|(kind, value)| (kind.trim_ascii_end(), value));
            match parts.filter(|(kind, _)| kind.len() == 1) {
                Some((kind, value)) => {
                    recognised |= matches!(kind, "v" | "m");
                    this.line(kind, value.trim_ascii(), number)?;
                }
                None => this.odd(number, "is not of the form x=…"),
            }
        }
        if recognised { Ok(this) } else { Err(SdpError::NotSdp) }
    }

    fn odd(&mut self, number: usize, what: &str) {
        if self.oddities.len() < 32 {
            self.oddities.push(format!("line {number} {what}"));
        }
    }

    fn line(&mut self, kind: &str, value: &str, number: usize) -> Result<(), SdpError> {
        match kind {
            "o" => value.clone_into(&mut self.origin),
            "c" => match parse_connection(value) {
                Some(found) => match self.media.last_mut() {
                    // Several c= lines mean several multicast layers; the first is enough.
                    Some(media) => _ = media.connection.get_or_insert(found),
                    None => self.connection = Some(found),
                },
                None => self.odd(number, "has no address"),
            },
            "a" => self.attribute(value),
            "m" => {
                if self.media.len() >= MAX_MEDIA {
                    return Err(SdpError::TooLarge);
                }
                let media = parse_media(value);
                if media.formats.is_empty() {
                    self.odd(number, "names no format");
                }
                self.media.push(media);
            }
            _ => {}
        }
        Ok(())
    }

    fn attribute(&mut self, value: &str) {
        let (name, value) = split(value, b':').unwrap_or((value, ""));
        let (name, value) = (name.trim_ascii(), value.trim_ascii());
        let flow = Flow::parse(name);
        let (slot, attributes) = match self.media.last_mut() {
            Some(media) => (&mut media.flow, &mut media.attributes),
            None => (&mut self.flow, &mut self.attributes),
        };
        match flow {
            Some(flow) => *slot = Some(flow),
            None => attributes.push((name.to_ascii_lowercase(), value.to_owned())),
        }
    }
}

/// Both sides of the first such ASCII byte. What stands before it in a description is short, and a
/// plain loop finds it at a fraction of the cost of a search made for long texts.
fn split(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|it| it == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `<kind> <port>[/<count>] <protocol> <format>…`. What cannot be read leaves the port 0.
fn parse_media(value: &str) -> Media {
    let mut words = value.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default().to_ascii_lowercase();
    let port = words.next().unwrap_or_default();
    let port = port.split_once('/').map_or(port, |(port, _)| port).parse().unwrap_or(0);
    let protocol = words.next().unwrap_or_default().to_owned();
    Media { kind, port, protocol, formats: words.map(str::to_owned).collect(), ..Media::default() }
}

/// `IN IP4 <address>[/<ttl>]`.
fn parse_connection(value: &str) -> Option<Connection> {
    let address = value.split_ascii_whitespace().nth(2)?;
    let address = address.split_once('/').map_or(address, |(address, _)| address);
    Some(match address.parse() {
        Ok(ip) => Connection::Address(ip),
        Err(_) => Connection::Name(address.to_owned()),
    })
}
