//! Records: `0x55`, a command, the server's session number, and elements of tag, length and value,
//! all numbers big-endian.

use std::fmt;

/// First byte of every record.
const PROTOCOL: u8 = 0x55;
/// Protocol, command, session, length of the body.
const HEAD: usize = 8;
/// Tag and length of an element.
const ELEMENT_HEAD: usize = 3;
/// Most elements of a record; those seen have at most five.
const MOST: usize = 32;

/// Tags of elements. Others are passed over.
pub mod tag {
    /// One byte, see [`offhook_model::EnrolFault`].
    pub const REASON: u8 = 1;
    /// One byte: 1 for a locally significant certificate.
    pub const CERTIFICATE_TYPE: u8 = 3;
    /// A certificate, see [`crate::Record::certificate`].
    pub const CERTIFICATE: u8 = 4;
    /// Signature with SHA-1.
    pub const SIGNED_DATA: u8 = 6;
    /// One byte.
    pub const VERSION: u8 = 7;
    /// One byte: 0 none, 1 password, 2 no password, 3 LSC, 4 MIC.
    pub const AUTH_TYPE: u8 = 8;
    /// DER `SubjectPublicKeyInfo`.
    pub const PUBLIC_KEY: u8 = 9;
    /// Two bytes: bits of an RSA key.
    pub const KEY_SIZE: u8 = 10;
    /// Text that ends with a zero byte.
    pub const PASSWORD: u8 = 11;
    /// A number: seconds, as seems likely.
    pub const RETRY_DELAY: u8 = 12;
    /// Text that ends with a zero byte.
    pub const DEVICE_NAME: u8 = 13;
    /// One byte: 0 RSA, 1 elliptic curve.
    pub const KEY_TYPE: u8 = 17;
    /// One byte: 0 P-256, 1 P-384, 2 P-521.
    pub const CURVE: u8 = 18;
    /// Signature with a digest of the SHA-2 family: digest, length, signature.
    pub const SHA2_SIGNED_DATA: u8 = 20;
}

/// What a record asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Who is there?
    AuthRequest,
    /// We are.
    AuthResponse,
    /// Make a key.
    KeyRequest,
    /// Here is its public half.
    KeyResponse,
    /// Keep this certificate.
    StoreRequest,
    /// Kept.
    StoreResponse,
    /// Show your certificate.
    FetchRequest,
    /// Here it is.
    FetchResponse,
    /// Forget your certificate.
    DeleteRequest,
    /// Forgotten.
    DeleteResponse,
    /// It is over.
    EndSession,
    /// Come again later.
    RetryLater,
    /// It takes a while.
    InProgress,
    /// It is broken off.
    Abort,
    /// Any other.
    Other(u8),
}

/// Both ways through one table.
const COMMANDS: [(u8, Command); 14] = [
    (1, Command::AuthRequest),
    (2, Command::AuthResponse),
    (3, Command::KeyRequest),
    (4, Command::KeyResponse),
    (9, Command::StoreRequest),
    (10, Command::StoreResponse),
    (11, Command::FetchRequest),
    (12, Command::FetchResponse),
    (13, Command::DeleteRequest),
    (14, Command::DeleteResponse),
    (15, Command::EndSession),
    (16, Command::RetryLater),
    (17, Command::InProgress),
    (20, Command::Abort),
];

impl Command {
    fn read(code: u8) -> Self {
        let known = COMMANDS.iter().find(|(known, _)| *known == code);
        known.map_or(Self::Other(code), |(_, command)| *command)
    }

    /// The byte in the record.
    pub fn code(self) -> u8 {
        let Self::Other(other) = self else {
            return COMMANDS.iter().find(|(_, one)| *one == self).map_or(0, |(code, _)| *code);
        };
        other
    }
}

/// One element. Its value may be a password and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    /// See [`tag`].
    pub tag: u8,
    /// At most 65,535 bytes.
    pub value: Vec<u8>,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({}, {} bytes)", self.tag, self.value.len())
    }
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The first byte is another protocol's.
    Protocol,
    /// An element reaches past the end of its record.
    Short,
    /// More elements than any known record has.
    TooMany,
    /// What is written is longer than its length can say.
    TooLong,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it asks or answers.
    pub command: Command,
    /// The server's number for this conversation.
    pub session: u32,
    /// In the order they came.
    pub elements: Vec<Element>,
}

impl Record {
    /// A record without elements.
    pub fn new(command: Command, session: u32) -> Self {
        Self { command, session, elements: vec![] }
    }

    /// With one more element.
    #[must_use]
    pub fn with(mut self, tag: u8, value: impl Into<Vec<u8>>) -> Self {
        self.elements.push(Element { tag, value: value.into() });
        self
    }

    /// With one more element that is text and ends with a zero byte.
    #[must_use]
    pub fn with_text(self, tag: u8, text: &str) -> Self {
        let mut value = text.replace('\0', "").into_bytes();
        value.push(0);
        self.with(tag, value)
    }

    /// The value of the first element with this tag.
    pub fn element(&self, tag: u8) -> Option<&[u8]> {
        let element = self.elements.iter().find(|element| element.tag == tag)?;
        Some(&element.value)
    }

    /// That value as a number of one to four bytes.
    pub fn number(&self, tag: u8) -> Option<u32> {
        let value = self.element(tag)?;
        if value.is_empty() || value.len() > 4 {
            return None;
        }
        Some(value.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// The DER certificate: inside another element of tag 1 whose first two bytes are its type, or,
    /// to be tolerant, as it is.
    pub fn certificate(&self) -> Option<&[u8]> {
        let value = self.element(tag::CERTIFICATE)?;
        let der = match value {
            [1, high, low, _, _, der @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                der.get(..length.checked_sub(2)?)?
            }
            der => der,
        };
        // A SEQUENCE, as every certificate is.
        (der.first() == Some(&0x30)).then_some(der)
    }

    /// The record as bytes, to be sent in one write.
    ///
    /// # Errors
    /// [`RecordError::TooLong`] when a value or the body has more than 65,535 bytes.
    pub fn write(&self) -> Result<Vec<u8>, RecordError> {
        let mut body = vec![];
        for element in &self.elements {
            let length = length(element.value.len())?;
            body.push(element.tag);
            body.extend(length.to_be_bytes());
            body.extend(&element.value);
        }
        let mut bytes = vec![PROTOCOL, self.command.code()];
        bytes.extend(self.session.to_be_bytes());
        bytes.extend(length(body.len())?.to_be_bytes());
        bytes.extend(body);
        Ok(bytes)
    }

    /// The value of a certificate element around this DER certificate.
    ///
    /// # Errors
    /// [`RecordError::TooLong`] when it does not fit.
    pub fn nested(der: &[u8]) -> Result<Vec<u8>, RecordError> {
        let mut value = vec![1];
        value.extend(length(der.len() + 2)?.to_be_bytes());
        value.extend([0, 1]);
        value.extend(der);
        Ok(value)
    }

    /// Reads one record from the front; nothing while it is not whole. Gives its length as well.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, RecordError> {
        match bytes.first() {
            None => return Ok(None),
            Some(&PROTOCOL) => {}
            Some(_) => return Err(RecordError::Protocol),
        }
        let Some(head) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
        let [_, command, a, b, c, d, high, low] = *head;
        let end = HEAD + usize::from(u16::from_be_bytes([high, low]));
        let Some(mut rest) = bytes.get(HEAD..end) else { return Ok(None) };
        let mut record = Self::new(Command::read(command), u32::from_be_bytes([a, b, c, d]));
        while !rest.is_empty() {
            if record.elements.len() == MOST {
                return Err(RecordError::TooMany);
            }
            let Some([tag, high, low]) = rest.first_chunk::<ELEMENT_HEAD>() else {
                return Err(RecordError::Short);
            };
            let end = ELEMENT_HEAD + usize::from(u16::from_be_bytes([*high, *low]));
            let value = rest.get(ELEMENT_HEAD..end).ok_or(RecordError::Short)?;
            record.elements.push(Element { tag: *tag, value: value.to_vec() });
            rest = rest.get(end..).unwrap_or_default();
        }
        Ok(Some((record, end)))
    }
}

fn length(bytes: usize) -> Result<u16, RecordError> {
    u16::try_from(bytes).map_err(|_| RecordError::TooLong)
}

/// Puts records together from what a stream brings; holds at most one record and what came with it.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    /// More bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole record.
    ///
    /// # Errors
    /// See [`RecordError`]; the stream makes no sense any more.
    pub fn next_record(&mut self) -> Result<Option<Record>, RecordError> {
        let Some((record, length)) = Record::read(&self.buffer)? else { return Ok(None) };
        self.buffer.drain(..length);
        Ok(Some(record))
    }
}
